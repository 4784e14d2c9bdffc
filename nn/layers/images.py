"""Where the channels of an image stand, and other things that layers with windows agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..settings import data_format_of as data_format_of


def channels_last(x: Any, data_format: str) -> Any:
    """``x`` with its channels on the last axis."""
    return x if data_format == "channels_last" else np.transpose(x, (0, *range(2, x.ndim), 1))


def channels_back(x: Any, data_format: str) -> Any:
    """``x`` with its channels where the layer promises them."""
    return x if data_format == "channels_last" else np.transpose(x, (0, x.ndim - 1, *range(1, x.ndim - 1)))


def per_axis(value: Any, rank: int, name: str, minimum: int = 1) -> tuple[int, ...]:
    """One whole number for each spatial axis, from one number or a sequence."""
    values = tuple(value) if isinstance(value, list | tuple) else (value,) * rank
    if len(values) != rank or not all(
        isinstance(v, int | np.integer) and not isinstance(v, bool) and v >= minimum for v in values
    ):
        raise ValueError(
            f"{name}: expected a whole number from {minimum} on, or one for each of the {rank} spatial axes, got "
            f"{value!r}"
        )
    return tuple(int(v) for v in values)


def sides(value: Any, name: str) -> tuple[tuple[int, ...], ...]:
    """((top, bottom), (left, right)), from that, a number for all, or a pair of numbers for rows and columns."""
    pair = value if isinstance(value, list | tuple) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{name}: expected a number, or a pair for rows and columns, got {value!r}")
    return per_axis(pair[0], 2, name, 0), per_axis(pair[1], 2, name, 0)


def cut(x: Any, cropping: Sequence[Sequence[int]], owner: str) -> Any:
    """``x`` without so many places at the beginning and at the end of each spatial axis."""
    lengths = x.shape[1 : 1 + len(cropping)]
    if any(sum(pair) >= n for pair, n in zip(cropping, lengths, strict=True)):
        raise ValueError(
            f"layer {owner!r}: expected inputs of which something is left without {tuple(cropping)}, got {lengths}"
        )
    inner = (slice(first, n - last) for (first, last), n in zip(cropping, lengths, strict=True))
    return x[(slice(None), *inner)]


def padding_of(padding: str, *allowed: str) -> str:
    """The kind of padding, if it is one of those allowed."""
    if not isinstance(padding, str) or padding.lower() not in allowed:
        raise ValueError(f"padding: expected {' or '.join(map(repr, allowed))}, got {padding!r}")
    return padding.lower()


def same_padding(length: int, window: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """What "same" adds before and after an axis, so that the result has ceil(length / stride) positions."""
    total = max((-(-length // stride) - 1) * stride + (window - 1) * dilation + 1 - length, 0)
    return total // 2, total - total // 2
