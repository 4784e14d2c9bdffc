"""The largest value in each window."""

from __future__ import annotations

from .pooling import MaxPooling


class MaxPooling2D(MaxPooling):
    """The largest value in each window of (batch, height, width, channels). Equal ones share the gradient.

    Gives (batch, rows, columns, channels). ValueError for a size or stride below 1, a ``padding`` that is neither
    "valid" nor "same", and a window that does not fit.

    >>> import numpy as np
    >>> MaxPooling2D(2)(np.ones((2, 10, 8, 3))).shape
    (2, 5, 4, 3)
    """

    rank = 2
