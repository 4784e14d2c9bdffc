"""The largest value in each window."""

from __future__ import annotations

from .pooling import MaxPooling


class MaxPooling2D(MaxPooling):
    """The largest value in each window of (batch, height, width, channels). Equal ones share the gradient.

    Gives (batch, rows, columns, channels).

    Parameters
    ----------
    pool_size : int or sequence of int
        How large a window is: a whole number from 1 on, or a pair for rows and columns.
    strides : int or sequence of int, optional
        From one window to the next, likewise; None for ``pool_size``.
    padding : str
        "valid" for none, "same" for ``ceil(n / strides)`` places along each axis.
    data_format : str, optional
        "channels_last" or "channels_first"; None for that of `nn.backend.image_data_format`.
    name, **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For a size or stride below 1, and another ``padding``; in a call, for a window that does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> MaxPooling2D(2)(np.ones((2, 10, 8, 3))).shape
    (2, 5, 4, 3)
    """

    rank = 2
