"""The largest value in each window."""

from __future__ import annotations

from .pooling import MaxPooling


class MaxPooling1D(MaxPooling):
    """The largest value in each window of (batch, steps, channels). Equal ones share the gradient.

    Gives (batch, places, channels). ValueError for a size or stride below 1, a ``padding`` that is neither "valid" nor
    "same", and a window that does not fit.

    >>> import numpy as np
    >>> MaxPooling1D(2)(np.ones((2, 10, 3))).shape
    (2, 5, 3)
    """

    rank = 1
