"""Student's t distribution of ``df`` degrees of freedom."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ...dispatch import plain
from ..special import betaln, stdtr
from . import norm
from .arguments import density, of_numbers, standard
from .theirs import theirs

__getattr__ = theirs("t")


@of_numbers
def logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of the density; that of the normal distribution for ``df`` = ∞.

    >>> print(logpdf(0.0, 1.0).round(4))
    -1.1447
    """
    u = standard(x, loc, scale)
    normal = np.equal(plain(df), inf)
    n = np.where(normal, 1.0, df)
    found = (
        -(n + 1) / 2 * np.log1p(u * u / n) - np.log(n) / 2 - betaln(n / 2, np.full_like(plain(n), 0.5)) - np.log(scale)
    )
    return np.where(normal, norm.logpdf(x, loc, scale), found) if np.any(normal) else found


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
    return np.log(cdf(x, df, loc, scale))


@of_numbers
def sf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of more than ``x``; no derivative with respect to ``df``."""
    return stdtr(df, -standard(x, loc, scale))
