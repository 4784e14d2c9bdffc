"""The beta distribution of shapes ``a`` and ``b``."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ...arrays import decide
from ...dispatch import plain
from ..special import betainc, betaln, xlog1py, xlogy
from .arguments import density, of_numbers, standard
from .theirs import theirs

__getattr__ = theirs("beta")


@of_numbers
def logpdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of the density, -∞ outside of ``loc`` to ``loc + scale``.

    >>> print(logpdf(0.5, 2.0, 2.0).round(4))
    0.4055
    """
    u = standard(x, loc, scale)
    outside = (plain(u) < 0) | (plain(u) > 1)
    v = np.where(outside, 0.5, u)
    inside = xlogy(a - 1, v) + xlog1py(b - 1, -v) - betaln(a, b) - np.log(scale)
    return np.where(outside, -inf, inside)


@density
def pdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density."""
    u = standard(x, loc, scale)
    edge = (plain(u) == 0) | (plain(u) == 1)
    whole = np.exp(logpdf(np.where(edge, loc + scale / 2, x), a, b, loc, scale))
    if not decide(np.any(edge)):
        return whole
    # There the slope of a logarithm is infinite, but not that of the power.
    v = np.where(edge, u, 0.5)
    return np.where(edge, v ** (a - 1) * (1 - v) ** (b - 1) * np.exp(-betaln(a, b)) / scale, whole)


@of_numbers
def cdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of at most ``x``; no derivative with respect to ``a`` and ``b``."""
    u = standard(x, loc, scale)
    outside = (plain(u) < 0) | (plain(u) > 1)
    return np.where(outside, plain(u) > 1, betainc(a, b, np.where(outside, 0.5, u)))
