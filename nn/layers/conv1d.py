"""Convolution over time."""

from __future__ import annotations

from .conv import Conv


class Conv1D(Conv):
    """A convolution along one axis: (batch, steps, channels) gives (batch, new steps, filters).

    ``padding`` may also be "causal". The kernel is (kernel_size, channels / groups, filters). ValueError for numbers
    below 1, ``groups`` that do not divide the filters and channels, strides together with dilation, and a window that
    does not fit.

    >>> import numpy as np
    >>> Conv1D(4, 3)(np.ones((2, 10, 8))).shape
    (2, 8, 4)
    """

    rank = 1
    paddings = ("valid", "same", "causal")
