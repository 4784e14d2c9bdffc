"""Convolutions the other way: from each place to all that a window there covers."""

from __future__ import annotations

from typing import Any

import autograd_core as ag

from ..checks import whole
from .convolving import Convolving
from .images import channels_last, per_axis


class ConvTranspose(Convolving):
    """``activation(convᵀ(x, kernel) + bias)``, the adjoint of a convolution. The kernel is (*window, filters, in).

    Parameters
    ----------
    filters : int
        How many channels come out, from 1 on.
    kernel_size, strides : int or sequence of int
        A whole number from 1 on, or one for each axis. An input of n places becomes about ``n · strides``.
    padding : str
        Of the convolution that this is the adjoint of: "valid" or "same".
    output_padding : int or sequence of int, optional
        How many places are added behind, below ``strides``; None for as many as make ``n · strides`` with "same" and
        ``n · strides + max(kernel_size - strides, 0)`` with "valid".
    data_format : str, optional
        "channels_last" or "channels_first"; None for that of `nn.backend.image_data_format`.
    dilation_rate : int or sequence of int
        From one element of the kernel to the next, like ``kernel_size``. Above 1 only where ``strides`` are 1.
    activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, \
kernel_constraint, bias_constraint
        As in `Dense`.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For numbers below 1, an ``output_padding`` that is not below ``strides``, strides together with dilation.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        *,  # where Keras has activity_regularizer
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters = whole(filters, "the number of filters of a convolution", 1)
        self._plan_windows(kernel_size, strides, padding, data_format, dilation_rate)
        self.output_padding = (
            None if output_padding is None else per_axis(output_padding, self.rank, "output_padding", 0)
        )
        if any(more >= s for more, s in zip(self.output_padding or (), self.strides, strict=False)):
            raise ValueError(
                f"output_padding: expected numbers below the strides, {self.strides}, got {self.output_padding}"
            )
        self._plan_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._plan_end(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        self.kernel = self._make_weight("kernel", (*self.kernel_size, self.filters, self._channels(input_shape)))
        self._make_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        inputs = channels_last(inputs, self.data_format)
        padding, shape = self.padding, None
        if self.output_padding is not None:
            padding, lengths = self._cut(inputs.shape[1:-1])
            shape = (inputs.shape[0], *lengths, self.filters)
        z = ag.conv_transpose(
            inputs, self.kernel, strides=self.strides, padding=padding, dilation=self.dilation_rate, shape=shape
        )
        return self._end(z)

    def _cut(self, places: tuple[int, ...]) -> tuple[Any, list[int]]:
        """How much is cut off at both ends of each axis with an ``output_padding``, and how long it then is."""
        cut, lengths = [], []
        for n, k, s, d, more in zip(
            places, self.kernel_size, self.strides, self.dilation_rate, self.output_padding or (), strict=True
        ):
            reach = (k - 1) * d + 1
            off = max((reach - reach % 2 if self.padding == "same" else 0) - more, 0)
            cut.append((off // 2, off - off // 2))
            lengths.append((n - 1) * s + (reach if self.padding == "valid" else reach % 2) + more)
        return cut, lengths


class Conv1DTranspose(ConvTranspose):
    """A convolution along one axis the other way: (batch, steps, channels) gives (batch, new steps, filters).

    The kernel is (kernel_size, filters, channels).

    Parameters
    ----------
    filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias, \
kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint, **kwargs
        As in `ConvTranspose`.

    Raises
    ------
    ValueError
        As in `ConvTranspose`.

    Examples
    --------
    >>> import numpy as np
    >>> Conv1DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 10, 8))).shape
    (2, 20, 4)
    """

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """A convolution over images the other way: (batch, height, width, channels) gives (batch, …, …, filters).

    The kernel is (height, width, filters, channels).

    Parameters
    ----------
    filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias, \
kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint, **kwargs
        As in `ConvTranspose`.

    Raises
    ------
    ValueError
        As in `ConvTranspose`.

    Examples
    --------
    >>> import numpy as np
    >>> Conv2DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 7, 7, 8))).shape
    (2, 14, 14, 4)
    """

    rank = 2
