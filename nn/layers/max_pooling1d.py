"""The largest value in each window."""

from __future__ import annotations

from .pooling import MaxPooling


class MaxPooling1D(MaxPooling):
    """The largest value in each window of (batch, steps, channels). Equal ones share the gradient.

    >>> import numpy as np
    >>> MaxPooling1D(2)(np.ones((2, 10, 3))).shape
    (2, 5, 3)
    """

    rank = 1
