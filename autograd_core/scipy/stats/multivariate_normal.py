"""The normal distribution of vectors. The gradient of a covariance treats its elements one by one; it is symmetric."""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np

from .theirs import theirs

__getattr__ = theirs("multivariate_normal")


def _of(mean: Any, cov: Any, d: int) -> tuple[Any, Any]:
    mean = np.zeros(d) if mean is None else mean
    cov = cov if hasattr(cov, "dtype") else np.asarray(cov, float)
    if np.ndim(cov) == 0:
        cov = cov * np.eye(d)
    elif np.ndim(cov) == 1:
        cov = np.diag(cov)
    if np.shape(cov) != (d, d):
        raise ValueError(f"multivariate_normal: expected a covariance of shape ({d}, {d}), got {np.shape(cov)}")
    return mean, cov


def logpdf(x: Any, mean: Any = None, cov: Any = 1.0, allow_singular: bool = False) -> Any:
    """The logarithm of the density.

    Parameters
    ----------
    x : array_like
        Points ``(…, d)``; of one dimension alone, ``d`` numbers are one point, as SciPy reads them for ``d`` > 1.
    mean : array_like, optional
        ``(d,)``; None: 0.
    cov : array_like
        ``(d, d)``, ``(d,)`` for the diagonal, or a number for all of it; positive definite.
    allow_singular : bool
        False: a singular covariance has no density. True is refused: its pseudoinverse has no derivative.

    Returns
    -------
    array
        ``(…,)``.

    Raises
    ------
    ValueError
        For a covariance of another shape, or one that is singular or negative.

    Examples
    --------
    >>> print(logpdf(np.zeros(2)).round(4))
    -1.8379
    """
    if allow_singular:
        raise ValueError(
            "multivariate_normal: expected allow_singular=False, got True; a pseudoinverse has no rule here"
        )
    x = x if hasattr(x, "dtype") else np.asarray(x, float)
    d = (
        np.shape(mean)[-1]
        if np.ndim(mean)
        else np.shape(cov)[-1]
        if np.ndim(cov)
        else np.shape(x)[-1]
        if np.ndim(x)
        else 1
    )
    if d == 1 and (np.ndim(x) == 0 or np.shape(x)[-1] != 1):
        x = np.expand_dims(x, -1)  # numbers
    mean, cov = _of(mean, cov, d)
    sign, volume = np.linalg.slogdet(cov)
    if not sign > 0:
        raise ValueError("multivariate_normal: expected a positive definite covariance, got a singular or negative one")
    rest = x - mean
    length = np.sum(rest * np.linalg.solve(cov, rest[..., None])[..., 0], axis=-1)
    return -(length + volume + d * log(2 * pi)) / 2


def pdf(x: Any, mean: Any = None, cov: Any = 1.0, allow_singular: bool = False) -> Any:
    """The density."""
    return np.exp(logpdf(x, mean, cov, allow_singular))


def entropy(mean: Any = None, cov: Any = 1.0) -> Any:
    """The differential entropy, in nats.

    >>> print(entropy(None, np.eye(2)).round(4))
    2.8379
    """
    d = np.shape(mean)[-1] if np.ndim(mean) else np.shape(cov)[-1] if np.ndim(cov) else 1
    return (np.linalg.slogdet(_of(mean, cov, d)[1])[1] + d * (log(2 * pi) + 1)) / 2
