"""Student's t distribution of ``df`` degrees of freedom."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dispatch import plain
from ..special import log_of_t, stdtr
from .arguments import density, of_numbers, standard
from .theirs import theirs

__getattr__ = theirs("t")


@of_numbers
def logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of the density; that of the normal distribution for ``df`` = ∞.

    >>> print(logpdf(0.0, 1.0).round(4))
    -1.1447
    """
    return log_of_t(df, standard(x, loc, scale)) - np.log(scale)


@density
def pdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density."""
    return np.exp(logpdf(x, df, loc, scale))


@of_numbers
def cdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of at most ``x``; no derivative with respect to ``df``."""
    return stdtr(df, standard(x, loc, scale))


@of_numbers
def logcdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of `cdf`."""
    u = standard(x, loc, scale)
    right = plain(u) > 0  # where it is nearly 0
    tail = stdtr(df, np.where(right, -u, u))
    return np.where(right, np.log1p(-np.where(right, tail, 0.0)), np.log(np.where(right, 1.0, tail)))


@of_numbers
def sf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of more than ``x``; no derivative with respect to ``df``."""
    return stdtr(df, -standard(x, loc, scale))
