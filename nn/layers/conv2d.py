"""Convolution over images."""

from __future__ import annotations

from .conv import Conv


class Conv2D(Conv):
    """A convolution over images: (batch, height, width, channels) gives (batch, new height, new width, filters).

    The kernel is (height, width, channels / groups, filters), the bias (filters,).

    Parameters
    ----------
    filters : int
        How many channels come out, from 1 on.
    kernel_size, strides, dilation_rate : int or sequence of int
        A whole number from 1 on, or a pair for rows and columns; ``dilation_rate`` is above 1 only where ``strides``
        is 1.
    padding : str
        "valid" for none, "same" for ``ceil(n / strides)`` places along each axis.
    data_format : str, optional
        "channels_last" or "channels_first"; None for that of `nn.backend.image_data_format`.
    groups : int
        In how many separate parts the channels are convolved; it divides them and the filters.
    activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, \
kernel_constraint, bias_constraint
        As in `Dense`.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For numbers below 1, ``groups`` that do not divide filters and channels, strides together with dilation; in a
        call, for a window that does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> Conv2D(32, 3)(np.ones((1, 28, 28, 1))).shape
    (1, 26, 26, 32)
    """

    rank = 2
