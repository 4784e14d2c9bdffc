"""The Poisson distribution of mean ``mu``, with respect to which it has derivatives."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ...arrays import decide
from ...dispatch import plain
from ..special import gammaincc, gammaln, xlogy
from .arguments import of_numbers, without_derivative
from .theirs import theirs

__getattr__ = theirs("poisson")


@of_numbers
def logpmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The logarithm of the probability of ``k``, which has no derivative; -∞ where ``k`` is no whole number from 0 on.

    >>> print(logpmf(2, 3.0).round(4))
    -1.4959
    """
    n = np.subtract(*without_derivative(k, loc))
    outside = (n < 0) | (n != np.floor(n))
    n = np.where(outside, 0, n)
    return np.where(outside, -inf, xlogy(n, mu) - gammaln(n + 1) - mu)


@of_numbers
def pmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The probability of ``k``."""
    edge = plain(mu) == 0
    whole = np.exp(logpmf(k, np.where(edge, 1.0, mu), loc))
    if not decide(np.any(edge)):
        return whole
    n = np.subtract(*without_derivative(k, loc))
    outside = (n < 0) | (n != np.floor(n)) | np.isinf(n)
    n = np.where(outside, 0, n)
    at_edge = np.where(edge, mu, 1.0) ** n * np.exp(-gammaln(n + 1) - mu)
    return np.where(edge, np.where(outside, 0.0, at_edge), whole)


@of_numbers
def cdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The probability of at most ``k``."""
    n = np.floor(np.subtract(*without_derivative(k, loc)))
    return np.where(n < 0, 0.0, gammaincc(np.maximum(n, 0) + 1, mu))
