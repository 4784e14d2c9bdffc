"""The exponential distribution of mean ``scale``."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ...dispatch import plain
from .arguments import density, of_numbers, standard
from .theirs import theirs

__getattr__ = theirs("expon")


@of_numbers
def logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of the density, -∞ below ``loc``.

    >>> print(logpdf(2.0, scale=2.0).round(4))
    -1.6931
    """
    u = standard(x, loc, scale)
    return np.where(plain(u) < 0, -inf, -u - np.log(scale))


@density
def pdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density."""
    return np.exp(logpdf(x, loc, scale))


@of_numbers
def cdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of at most ``x``."""
    return -np.expm1(-np.maximum(standard(x, loc, scale), 0))


@of_numbers
def sf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of more than ``x``."""
    return np.exp(-np.maximum(standard(x, loc, scale), 0))
