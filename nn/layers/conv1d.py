"""Convolution over time."""

from __future__ import annotations

from .conv import Conv


class Conv1D(Conv):
    """A convolution along one axis: (batch, steps, channels) gives (batch, new steps, filters).

    The kernel is (kernel_size, channels / groups, filters).

    Parameters
    ----------
    filters : int
        How many channels come out, from 1 on.
    kernel_size, strides, dilation_rate : int or sequence of int
        Whole numbers from 1 on; ``dilation_rate`` is above 1 only where ``strides`` is 1.
    padding : str
        "valid" for none, "same" for ``ceil(steps / strides)`` new steps, "causal" for zeros before the first, so
        that a result sees nothing that comes after it.
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
    >>> Conv1D(4, 3)(np.ones((2, 10, 8))).shape
    (2, 8, 4)
    """

    rank = 1
    paddings = ("valid", "same", "causal")
