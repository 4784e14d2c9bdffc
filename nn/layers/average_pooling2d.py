"""The mean of each window."""

from __future__ import annotations

from .pooling import AveragePooling


class AveragePooling2D(AveragePooling):
    """The mean of each window of (batch, height, width, channels), of which what lies outside is no part.

    Gives (batch, rows, columns, channels).

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, **kwargs
        As in `MaxPooling2D`.

    Raises
    ------
    ValueError
        As in `MaxPooling2D`.

    Examples
    --------
    >>> import numpy as np
    >>> AveragePooling2D(2)(np.ones((2, 10, 8, 3))).shape
    (2, 5, 4, 3)
    """

    rank = 2
