"""Convolutions of each channel by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ag

from ..checks import whole
from .convolving import Convolving
from .images import channels_last


class DepthwiseConv(Convolving):
    """``activation(conv(x, kernel) + bias)``, each channel by itself. The kernel is (*window, in, depth_multiplier).

    Parameters
    ----------
    kernel_size, strides, padding, data_format, dilation_rate
        As in `Conv2D`.
    depth_multiplier : int
        How many channels come out for each that comes in, from 1 on.
    activation, use_bias, bias_initializer, bias_regularizer, bias_constraint
        As in `Dense`.
    depthwise_initializer, depthwise_regularizer, depthwise_constraint
        Those of the kernel, as in `Dense`.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For numbers below 1, strides together with dilation; in a call, for a window that does not fit.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        *,  # where Keras has activity_regularizer
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.depth_multiplier = whole(depth_multiplier, "depth_multiplier", 1)
        self._plan_windows(kernel_size, strides, padding, data_format, dilation_rate)
        self._plan_weight("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self._plan_end(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.kernel = self._make_weight("depthwise", (*self.kernel_size, channels, self.depth_multiplier), "kernel")
        self._make_bias(channels * self.depth_multiplier)

    def call(self, inputs: Any) -> Any:
        inputs = channels_last(inputs, self.data_format)
        return self._end(each_channel(self, inputs, self.kernel))


def each_channel(layer: Convolving, x: Any, kernel: Any) -> Any:
    """The convolution of each channel by itself, which is one in as many groups as there are channels."""
    *window, channels, multiplier = kernel.shape
    kernel = np.reshape(kernel, (*window, 1, channels * multiplier))
    return ag.conv(
        x, kernel, strides=layer.strides, padding=layer.padding, dilation=layer.dilation_rate, groups=channels
    )


class DepthwiseConv1D(DepthwiseConv):
    """A convolution along one axis of each channel by itself: (batch, steps, channels) gives (batch, new steps, …).

    Parameters
    ----------
    kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate, activation, use_bias, \
depthwise_initializer, bias_initializer, depthwise_regularizer, bias_regularizer, depthwise_constraint, \
bias_constraint, **kwargs
        As in `DepthwiseConv`.

    Raises
    ------
    ValueError
        As in `DepthwiseConv`.

    Examples
    --------
    >>> DepthwiseConv1D(3, depth_multiplier=2)(np.ones((2, 10, 8))).shape
    (2, 8, 16)
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """A convolution over images of each channel by itself: (batch, height, width, channels) gives (batch, …, …, …).

    Parameters
    ----------
    kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate, activation, use_bias, \
depthwise_initializer, bias_initializer, depthwise_regularizer, bias_regularizer, depthwise_constraint, \
bias_constraint, **kwargs
        As in `DepthwiseConv`.

    Raises
    ------
    ValueError
        As in `DepthwiseConv`.

    Examples
    --------
    >>> DepthwiseConv2D(3, depth_multiplier=2)(np.ones((2, 10, 10, 8))).shape
    (2, 8, 8, 16)
    """

    rank = 2
