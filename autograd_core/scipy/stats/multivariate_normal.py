"""The normal distribution of vectors. The gradient of a covariance treats its elements one by one; it is symmetric."""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np

from ...arrays import decide
from ...dispatch import plain
from .arguments import numbers
from .theirs import theirs

__getattr__ = theirs("multivariate_normal")


def _length(mean: Any, cov: Any) -> int:
    """How many numbers a vector has: 1 where neither the mean nor a whole matrix tells."""
    return np.shape(mean)[0] if np.ndim(mean) else np.shape(cov)[0] if np.ndim(cov) > 1 else 1


def _matrix(cov: Any, d: int) -> Any:
    """A covariance that may have come as its diagonal, or as one number for all of it."""
    if np.ndim(cov) < 2:
        cov = cov * np.eye(d, dtype=cov.dtype)
    if np.shape(cov) != (d, d):
        raise ValueError(f"multivariate_normal: expected a covariance of shape ({d}, {d}), got {np.shape(cov)}")
    return cov


def _volume(cov: Any) -> Any:
    """The logarithm of the determinant of a covariance, which must be one."""
    known = plain(cov)
    values = np.linalg.eigvalsh((known + np.swapaxes(known, 0, 1)) / 2)  # two below 0 make a determinant above 0
    rounding = len(values) * np.finfo(values.dtype).eps
    if decide(np.min(values, initial=1) > rounding * np.max(np.abs(values), initial=0)):
        return np.linalg.slogdet(cov)[1]
    raise ValueError("multivariate_normal: expected a positive definite covariance, got a singular or negative one")


def logpdf(x: Any, mean: Any = None, cov: Any = 1.0, allow_singular: bool = False) -> Any:
    """The logarithm of the density.

    Parameters
    ----------
    x : array_like
        Points ``(…, d)``; of ``(n,)`` one point, or n of them where d is 1, as it is with neither a mean nor a matrix.
    mean : array_like, optional
        ``(d,)``; None: 0.
    cov : array_like
        ``(d, d)``, ``(d,)`` for the diagonal, or a number for all of it; positive definite.
    allow_singular : bool
        False: a singular covariance has no density. True is refused.

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
    >>> print(logpdf(np.zeros(2), np.zeros(2)).round(4))
    -1.8379
    """
    if allow_singular:
        raise ValueError(
            "multivariate_normal: expected allow_singular=False, got True; write the density of what does vary, with "
            "the eigenvectors of eigenvalues above 0"
        )
    x, mean, cov = numbers(x, 0.0 if mean is None else mean, cov)
    d = _length(mean, cov)
    if d == 1 and np.ndim(x) < 2:
        x = np.expand_dims(x, -1)  # numbers
    cov = _matrix(cov, d)
    volume, rest = _volume(cov), x - mean
    length = np.sum(rest * np.linalg.solve(cov, rest[..., None])[..., 0], axis=-1)
    return -(length + volume + d * log(2 * pi)) / 2


def pdf(x: Any, mean: Any = None, cov: Any = 1.0, allow_singular: bool = False) -> Any:
    """The density."""
    return np.exp(logpdf(x, mean, cov, allow_singular))


def entropy(mean: Any = None, cov: Any = 1.0) -> Any:
    """The differential entropy, in nats; ValueError for what `logpdf` refuses as a covariance.

    >>> print(entropy(None, np.eye(2)).round(4))
    2.8379
    """
    mean, cov = numbers(0.0 if mean is None else mean, cov)
    d = _length(mean, cov)
    return (_volume(_matrix(cov, d)) + d * (log(2 * pi) + 1)) / 2
