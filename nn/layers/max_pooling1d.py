"""The largest value in each window."""

from __future__ import annotations

from .pooling import MaxPooling


class MaxPooling1D(MaxPooling):
    """The largest value in each window of (batch, steps, channels). Equal ones share the gradient.

    Gives (batch, places, channels).

    Parameters
    ----------
    pool_size : int or sequence of int
        How long a window is, a whole number from 1 on.
    strides : int or sequence of int, optional
        From one window to the next; None for ``pool_size``.
    padding : str
        "valid" for none, "same" for ``ceil(steps / strides)`` places.
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
    >>> MaxPooling1D(2)(np.ones((2, 10, 3))).shape
    (2, 5, 3)
    """

    rank = 1
