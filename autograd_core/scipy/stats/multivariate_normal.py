"""The normal distribution of vectors. The gradient of a covariance treats its elements one by one; it is symmetric."""

from __future__ import annotations

from math import inf, log, pi
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


def _numbers(cov: Any) -> tuple[Any, Any]:
    """The eigenvalues of a covariance in rising order, and its eigenvectors, of which no derivative is taken."""
    known = plain(cov)
    return tuple(np.linalg.eigh((known + np.swapaxes(known, 0, 1)) / 2))  # type: ignore[return-value]


def _volume(cov: Any) -> Any:
    """The logarithm of the determinant of a covariance, which must be one."""
    values, _ = _numbers(cov)  # two below 0 make a determinant above 0
    rounding = len(values) * np.finfo(values.dtype).eps
    if decide(np.min(values, initial=1) > rounding * np.max(np.abs(values), initial=0)):
        return np.linalg.slogdet(cov)[1]
    raise ValueError("multivariate_normal: expected a positive definite covariance, got a singular or negative one")


def _within(cov: Any) -> tuple[Any, Any, Any, Any]:
    """Of a covariance that may be singular: its rank, what its volume and its inverse are within its support.

    The last is a function that says which differences from the mean lie outside. SciPy's thresholds decide.
    """
    values, directions = _numbers(cov)
    nothing = {"f": 1e3, "d": 1e6}[values.dtype.char] * np.finfo(values.dtype).eps
    least = nothing * np.max(np.abs(values), initial=0)
    if not decide(np.min(values, initial=0) >= -least):
        raise ValueError(
            "multivariate_normal: expected a covariance without eigenvalues below 0, got one that has some"
        )
    missing = values <= least
    inverse = np.linalg.pinv(cov, rcond=nothing)
    # A 1 in each direction in which nothing varies leaves the determinant of the others.
    still = np.where(np.any(missing), np.eye(len(values), dtype=values.dtype) - cov @ inverse, 0)
    volume = -np.linalg.slogdet(inverse + still)[1]

    def outside(rest: Any) -> Any:
        across = np.where(missing, plain(rest) @ directions, 0)
        return np.any(missing) & (np.sqrt(np.sum(across * across, axis=-1)) >= 1e3 * least)

    return np.sum((~missing).astype(values.dtype)), volume, inverse, outside


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
        Whether the covariance may be singular. Then the density is that within the support, the directions that vary,
        -∞ outside of it, and the gradient that of a covariance which varies in these directions only.

    Returns
    -------
    array
        ``(…,)``.

    Raises
    ------
    ValueError
        For a covariance of another shape, or one that is negative, or singular where that is not allowed.

    Examples
    --------
    >>> print(logpdf(np.zeros(2), np.zeros(2)).round(4))
    -1.8379
    """
    x, mean, cov = numbers(x, 0.0 if mean is None else mean, cov)
    d = _length(mean, cov)
    if d == 1 and np.ndim(x) < 2:
        x = np.expand_dims(x, -1)  # numbers
    cov = _matrix(cov, d)
    rest = x - mean
    if allow_singular:
        rank, volume, inverse, outside = _within(cov)
        length = np.sum(rest * (rest @ inverse), axis=-1)
        return np.where(outside(rest), -inf, -(length + volume + rank * log(2 * pi)) / 2)
    volume = _volume(cov)
    length = np.sum(rest * np.linalg.solve(cov, rest[..., None])[..., 0], axis=-1)
    return -(length + volume + d * log(2 * pi)) / 2


def pdf(x: Any, mean: Any = None, cov: Any = 1.0, allow_singular: bool = False) -> Any:
    """The density."""
    return np.exp(logpdf(x, mean, cov, allow_singular))


def entropy(mean: Any = None, cov: Any = 1.0) -> Any:
    """The differential entropy, in nats, within the support of a covariance that may be singular, as SciPy's.

    >>> print(entropy(None, np.eye(2)).round(4))
    2.8379
    """
    mean, cov = numbers(0.0 if mean is None else mean, cov)
    d = _length(mean, cov)
    rank, volume, _, _ = _within(_matrix(cov, d))
    return (volume + rank * (log(2 * pi) + 1)) / 2
