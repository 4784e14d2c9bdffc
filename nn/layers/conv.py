"""What convolution layers share; the convolution itself is an op of the engine."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ag

from ..checks import whole
from .convolving import Convolving
from .images import channels_last


class Conv(Convolving):
    """``activation(conv(x, kernel) + bias)`` over ``rank`` axes. The kernel is (*window, in / groups, filters).

    Parameters
    ----------
    filters : int
        How many channels come out, from 1 on.
    kernel_size : int or sequence of int
        The lengths of the kernel: a whole number from 1 on, or one for each axis.
    strides : int or sequence of int
        From one place of the kernel to the next, likewise.
    padding : str
        Of zeros: "valid" for none, "same" for as many places as inputs by ``strides``; over one axis also "causal",
        before the first.
    data_format : str, optional
        "channels_last" or "channels_first"; None for that of `nn.backend.image_data_format`.
    dilation_rate : int or sequence of int
        From one element of the kernel to the next, like ``kernel_size``. Above 1 only where ``strides`` are 1.
    groups : int
        In how many separate parts the channels are convolved; it divides them and the filters.
    activation : str or callable, optional
        A name or a function of arrays; None: none.
    use_bias : bool
        Whether there is a bias, (filters,).
    kernel_initializer, bias_initializer : str or Initializer
        Names or instances of `Initializer`.
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
        Names or instances of `Regularizer`; None: none.
    kernel_constraint, bias_constraint : str or Constraint, optional
        What the weights are held to after each step: names or instances of `Constraint`; None: nothing.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For numbers below 1, ``groups`` that do not divide filters and channels, strides together with dilation; in a
        call, for a window that does not fit.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        self.groups = whole(groups, "groups", 1)
        if self.filters % self.groups:
            raise ValueError(f"groups: expected a whole number that divides the {filters} filters, got {groups!r}")
        self._plan_windows(kernel_size, strides, padding, data_format, dilation_rate)
        self._plan_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._plan_end(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"layer {self.name!r}: expected a number of channels that its {self.groups} groups divide, got "
                f"{channels}"
            )
        self.kernel = self._make_weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self._make_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        inputs = channels_last(inputs, self.data_format)
        padding = self.padding
        if padding == "causal":  # a result sees nothing that comes after it
            before = (self.kernel_size[0] - 1) * self.dilation_rate[0]
            inputs, padding = np.pad(inputs, ((0, 0), (before, 0), (0, 0))), "valid"
        z = ag.conv(
            inputs, self.kernel, strides=self.strides, padding=padding, dilation=self.dilation_rate, groups=self.groups
        )
        return self._end(z)
