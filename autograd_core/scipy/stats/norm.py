"""The normal distribution, with mean ``loc`` and standard deviation ``scale``."""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np

from ..special import log_ndtr, ndtr, ndtri
from .arguments import density, of_numbers, standard
from .theirs import theirs

__getattr__ = theirs("norm")


@of_numbers
def logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of the density.

    >>> print(logpdf(0.0).round(4))
    -0.9189
    """
    return -np.square(standard(x, loc, scale)) / 2 - np.log(scale) - log(2 * pi) / 2


@density
def pdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density."""
    return np.exp(logpdf(x, loc, scale))


@of_numbers
def cdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of at most ``x``."""
    return ndtr(standard(x, loc, scale))


@of_numbers
def logcdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of `cdf`, also where that is 0."""
    return log_ndtr(standard(x, loc, scale))


@of_numbers
def sf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of more than ``x``."""
    return ndtr(-standard(x, loc, scale))


@of_numbers
def logsf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of `sf`, also where that is 0."""
    return log_ndtr(-standard(x, loc, scale))


@of_numbers
def ppf(q: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The number that is not exceeded with probability ``q``."""
    return loc + scale * ndtri(q)
