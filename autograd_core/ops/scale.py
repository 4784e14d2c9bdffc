"""Powers of two, by which numbers come to a moderate size without losing a digit: constants to all derivatives."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ..dispatch import plain
from ..tensor import Tensor


def has_all_digits(x: Any) -> Any:
    """Whether none of these has overflown, or is so near 0 that digits are missing."""
    size, known = np.abs(x), np.finfo(x.dtype)
    return not np.size(x) or (np.min(size) >= known.tiny) & (np.max(size) <= known.max)


def is_extreme(x: Any) -> Any:
    """Where a length, which is never below 0, is infinite, or so near 0 that digits are missing."""
    return (x == inf) | ((x > 0) & (x < np.finfo(x.dtype).tiny))


def is_moderate(x: Any) -> Any:
    """Whether products of two of these numbers, and quotients, are far from overflow and from 0."""
    size = np.abs(x)
    bound = 2.0 ** (np.finfo(x.dtype).maxexp // 2 - 4)
    return np.all((size > 1 / bound) & (size < bound))


def times_power(x: Any, powers: Any) -> Any:
    """``x · 2**powers``."""
    if not isinstance(x, Tensor):
        return np.ldexp(x, np.minimum(np.maximum(powers, -9999), 9999).astype(np.intc))
    most = np.finfo(x.dtype).maxexp - 1
    half = np.clip(powers // 2, -most, most)  # the whole may be beyond the range though the result is not
    rest = np.clip(powers - half, -most, most)
    one = np.ones_like(powers, x.dtype)
    return x * np.ldexp(one, half.astype(np.intc)) * np.ldexp(one, rest.astype(np.intc))


def in_scale(x: Any, largest: Any) -> Any:
    """``x`` over a power of two near ``largest``; beside an infinite one the finite are 0, and the infinite 1 or -1."""
    largest = plain(largest)
    finite = times_power(x, -np.frexp(largest)[1])
    return np.where(largest == inf, np.sign(plain(x)) * (np.abs(plain(x)) == inf), finite)
