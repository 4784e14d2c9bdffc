"""The gamma distribution of shape ``a``."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ...arrays import decide
from ...dispatch import plain
from ..special import gammainc, gammaincc, gammaln, xlogy
from .arguments import density, of_numbers, standard
from .theirs import theirs

__getattr__ = theirs("gamma")


@of_numbers
def logpdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of the density, -∞ below ``loc``.

    >>> print(logpdf(2.0, 3.0).round(4), logpdf(-1.0, 3.0))
    -1.3069 -inf
    """
    u = standard(x, loc, scale)
    outside = plain(u) < 0
    v = np.where(outside, 1.0, u)
    return np.where(outside, -inf, xlogy(a - 1, v) - v - gammaln(a) - np.log(scale))


@density
def pdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density."""
    u = standard(x, loc, scale)
    edge = plain(u) == 0
    whole = np.exp(logpdf(np.where(edge, loc + scale, x), a, loc, scale))
    if not decide(np.any(edge)):
        return whole
    # There the slope of the logarithm is infinite, but not that of the power.
    return np.where(edge, np.where(edge, u, 1.0) ** (a - 1) * np.exp(-u - gammaln(a)) / scale, whole)


@of_numbers
def cdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of at most ``x``; no derivative with respect to ``a``."""
    u = standard(x, loc, scale)
    outside = plain(u) < 0
    return np.where(outside, 0.0, gammainc(a, np.where(outside, 1.0, u)))


@of_numbers
def sf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of more than ``x``; no derivative with respect to ``a``."""
    u = standard(x, loc, scale)
    outside = plain(u) < 0
    return np.where(outside, 1.0, gammaincc(a, np.where(outside, 1.0, u)))
