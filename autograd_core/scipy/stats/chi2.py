"""The χ² distribution of ``df`` degrees of freedom: a gamma distribution."""

from __future__ import annotations

from typing import Any

from . import gamma
from .arguments import density, of_numbers
from .theirs import theirs

__getattr__ = theirs("chi2")


@of_numbers
def logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of the density.

    >>> print(logpdf(2.0, 2.0).round(4))
    -1.6931
    """
    return gamma.logpdf(x, df / 2, loc, 2 * scale)


@density
def pdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density."""
    return gamma.pdf(x, df / 2, loc, 2 * scale)


@of_numbers
def cdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of at most ``x``; no derivative with respect to ``df``."""
    return gamma.cdf(x, df / 2, loc, 2 * scale)


@of_numbers
def sf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of more than ``x``; no derivative with respect to ``df``."""
    return gamma.sf(x, df / 2, loc, 2 * scale)
