"""What pooling layers share: windows, and what becomes of each."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ag

from ..tensors import plain
from .images import channels_back, channels_last, data_format_of, padding_of, per_axis, same_padding
from .input_spec import InputSpec
from .layer import Layer


class Pooling(Layer):
    """One number for each window and channel."""

    rank: int
    each_alone = True

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.pool_size = per_axis(pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if strides is None else per_axis(strides, self.rank, "strides")
        self.padding = padding_of(padding, "valid", "same")
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def pool(self, x: Any, window_axes: tuple[int, ...], windows: Any) -> Any:
        """One number for each window: what a pooling of your own defines.

        Parameters
        ----------
        x : array_like
            The images, (batch, *spatial, channels).
        window_axes : tuple of int
            The axes of a window in what ``windows`` gives.
        windows : array_like
            ``windows(x, fill)``, with ``fill`` standing around the image: (batch, *places, *window, channels).

        Returns
        -------
        array
            (batch, *places, channels).

        Raises
        ------
        TypeError
            Where it is not defined.
        """
        raise TypeError(f"{type(self).__name__} must define pool(x, window_axes, windows)")

    def call(self, inputs: Any) -> Any:
        inputs = channels_last(inputs, self.data_format)
        spatial = inputs.shape[1:-1]
        around = [(0, 0)] * self.rank
        if self.padding == "same":
            around = [same_padding(n, k, s) for n, k, s in zip(spatial, self.pool_size, self.strides, strict=True)]

        def windows(values: Any, fill: float) -> Any:
            if any(map(any, around)):
                values = np.pad(values, ((0, 0), *around, (0, 0)), constant_values=fill)
            return ag.windows(values, self.pool_size, strides=self.strides)

        axes = tuple(range(1 + self.rank, 1 + 2 * self.rank))
        return channels_back(self.pool(inputs, axes, windows), self.data_format)


class MaxPooling(Pooling):
    """The largest value in each window. Equal ones share the gradient."""

    def pool(self, x: Any, window_axes: tuple[int, ...], windows: Any) -> Any:
        return np.max(windows(x, -np.inf), axis=window_axes)


class AveragePooling(Pooling):
    """The mean of each window, of which what lies outside the image is no part."""

    def pool(self, x: Any, window_axes: tuple[int, ...], windows: Any) -> Any:
        inside = np.sum(windows(plain(np.ones((1, *x.shape[1:-1], 1), x.dtype)), 0), axis=window_axes)
        return np.sum(windows(x, 0), axis=window_axes) / inside
