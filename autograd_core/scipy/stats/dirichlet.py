"""The Dirichlet distribution of concentrations ``alpha``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import decide
from ...dispatch import plain
from ..special import gammaln, xlogy
from .arguments import numbers
from .theirs import theirs

__getattr__ = theirs("dirichlet")


def logpdf(x: Any, alpha: Any) -> Any:
    """The logarithm of the density.

    Parameters
    ----------
    x : array_like
        Probabilities that add up to 1: ``(K,)``, or ``(K, N)`` for N points. Of ``K - 1`` the last one is what they
        lack.
    alpha : array_like
        ``(K,)``, above 0.

    Raises
    ------
    ValueError
        For other shapes, for ``x`` below 0 or of another sum, and for ``alpha`` not above 0.

    Examples
    --------
    >>> print(logpdf(np.array([0.25, 0.75]), np.array([2.0, 2.0])).round(4))
    0.1178
    """
    x, alpha = numbers(x, alpha)
    if np.shape(alpha)[0] == np.shape(x)[0] + 1:
        x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)])
    k = np.shape(alpha)[0]
    if np.shape(x)[0] != k:
        raise ValueError(f"dirichlet: expected {k} probabilities, as alpha has, or one fewer, got {np.shape(x)[0]}")
    off = np.max(np.abs(np.sum(plain(x), axis=0) - 1), initial=0)
    if decide((np.min(plain(x), initial=0) < 0) | (off > 1e-9)):
        raise ValueError(f"dirichlet: expected probabilities, from 0 on and of sum 1, got {plain(x)}")
    if not decide(np.min(plain(alpha), initial=np.inf) > 0):
        raise ValueError(f"dirichlet: expected an alpha above 0, got {plain(alpha)}")
    power = alpha - 1 if np.ndim(x) == 1 else np.expand_dims(alpha - 1, -1)
    return np.sum(xlogy(power, x), axis=0) - np.sum(gammaln(alpha)) + gammaln(np.sum(alpha))


def pdf(x: Any, alpha: Any) -> Any:
    """The density."""
    return np.exp(logpdf(x, alpha))
