"""The mean of each window."""

from __future__ import annotations

from .pooling import AveragePooling


class AveragePooling1D(AveragePooling):
    """The mean of each window of (batch, steps, channels), of which what lies outside is no part.

    Gives (batch, places, channels).

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, **kwargs
        As in `MaxPooling1D`.

    Raises
    ------
    ValueError
        As in `MaxPooling1D`.

    Examples
    --------
    >>> import numpy as np
    >>> AveragePooling1D(2)(np.ones((2, 10, 3))).shape
    (2, 5, 3)
    """

    rank = 1
