"""The beta distribution of shapes ``a`` and ``b``."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ...dispatch import plain
from ..special import betainc, betaln, xlog1py, xlogy
from .arguments import of_numbers, standard
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


@of_numbers
def pdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density."""
    return np.exp(logpdf(x, a, b, loc, scale))


@of_numbers
def cdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of at most ``x``; no derivative with respect to ``a`` and ``b``."""
    u = standard(x, loc, scale)
    outside = (plain(u) < 0) | (plain(u) > 1)
    return np.where(outside, plain(u) > 1, betainc(a, b, np.where(outside, 0.5, u)))
