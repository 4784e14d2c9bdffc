"""Convolutions of each channel by itself, and then over the channels."""

from __future__ import annotations

from typing import Any

import autograd_core as ag

from ..checks import whole
from .convolving import Convolving
from .depthwise_conv import each_channel
from .images import channels_last


class SeparableConv(Convolving):
    """``activation(mix(conv(x, depthwise)) + bias)``: each channel by itself, then a mix of channels at each place.

    The kernels are (*window, in, depth_multiplier) and (1, …, in · depth_multiplier, filters).

    Parameters
    ----------
    filters : int
        How many channels come out, from 1 on.
    kernel_size, strides, padding, data_format, dilation_rate
        As in `Conv2D`.
    depth_multiplier : int
        How many channels there are between the two steps for each that comes in, from 1 on.
    activation, use_bias, bias_initializer, bias_regularizer, bias_constraint
        As in `Dense`.
    depthwise_initializer, depthwise_regularizer, depthwise_constraint
        Those of the first kernel, as in `Dense`.
    pointwise_initializer, pointwise_regularizer, pointwise_constraint
        Those of the second kernel, as in `Dense`.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For numbers below 1, strides together with dilation; in a call, for a window that does not fit.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        *,  # where Keras has activity_regularizer
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters = whole(filters, "the number of filters of a convolution", 1)
        self.depth_multiplier = whole(depth_multiplier, "depth_multiplier", 1)
        self._plan_windows(kernel_size, strides, padding, data_format, dilation_rate)
        self._plan_weight("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self._plan_weight("pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        self._plan_end(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        between = channels * self.depth_multiplier
        window, point = (*self.kernel_size, channels, self.depth_multiplier), (*(1,) * self.rank, between, self.filters)
        self.depthwise_kernel = self._make_weight("depthwise", window, "depthwise_kernel")
        self.pointwise_kernel = self._make_weight("pointwise", point, "pointwise_kernel")
        self._make_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        inputs = channels_last(inputs, self.data_format)
        return self._end(ag.conv(each_channel(self, inputs, self.depthwise_kernel), self.pointwise_kernel))


class SeparableConv1D(SeparableConv):
    """A separable convolution along one axis: (batch, steps, channels) gives (batch, new steps, filters).

    Parameters
    ----------
    filters, kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier, activation, use_bias, \
depthwise_initializer, pointwise_initializer, bias_initializer, depthwise_regularizer, pointwise_regularizer, \
bias_regularizer, depthwise_constraint, pointwise_constraint, bias_constraint, **kwargs
        As in `SeparableConv`.

    Raises
    ------
    ValueError
        As in `SeparableConv`.

    Examples
    --------
    >>> import numpy as np
    >>> SeparableConv1D(4, 3)(np.ones((2, 10, 8))).shape
    (2, 8, 4)
    """

    rank = 1


class SeparableConv2D(SeparableConv):
    """A separable convolution over images: (batch, height, width, channels) gives (batch, …, …, filters).

    Parameters
    ----------
    filters, kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier, activation, use_bias, \
depthwise_initializer, pointwise_initializer, bias_initializer, depthwise_regularizer, pointwise_regularizer, \
bias_regularizer, depthwise_constraint, pointwise_constraint, bias_constraint, **kwargs
        As in `SeparableConv`.

    Raises
    ------
    ValueError
        As in `SeparableConv`.

    Examples
    --------
    >>> import numpy as np
    >>> SeparableConv2D(4, 3)(np.ones((2, 10, 10, 8))).shape
    (2, 8, 8, 4)
    """

    rank = 2
