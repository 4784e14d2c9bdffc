"""Convolution over images."""

from __future__ import annotations

from .conv import Conv


class Conv2D(Conv):
    """A convolution over images: (batch, height, width, channels) gives (batch, new height, new width, filters).

    The kernel is (height, width, channels / groups, filters), the bias (filters,). ValueError for numbers below 1,
    ``groups`` that do not divide the filters and channels, strides together with dilation, and a window that does not
    fit.

    >>> import numpy as np
    >>> Conv2D(32, 3)(np.ones((1, 28, 28, 1))).shape
    (1, 26, 26, 32)
    """

    rank = 2
