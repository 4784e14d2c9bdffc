"""Larger images."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensors import plain
from .images import channels_back, channels_last, data_format_of, per_axis
from .input_spec import InputSpec
from .layer import Layer


class UpSampling2D(Layer):
    """Images ``size`` times as large: (batch, height, width, channels), or with the channels in front.

    Parameters
    ----------
    size : int or sequence of int
        A whole number from 1 on, or a pair for rows and columns.
    data_format : str, optional
        "channels_last" or "channels_first"; None for that of `nn.backend.image_data_format`.
    interpolation : str
        "nearest" repeats each pixel, "bilinear" draws straight lines between the centres of pixels.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For numbers below 1, and another ``interpolation``; in a call, for another number of axes.

    Examples
    --------
    >>> UpSampling2D(2)(np.ones((1, 3, 4, 2))).shape
    (1, 6, 8, 2)
    """

    def __init__(self, size: Any = 2, data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any):
        super().__init__(**kwargs)
        self.size = per_axis(size, 2, "size")
        self.data_format = data_format_of(data_format)
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(f"interpolation: expected 'nearest' or 'bilinear', got {interpolation!r}")
        self.interpolation = interpolation
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        inputs = channels_last(inputs, self.data_format)
        for axis, factor in zip((1, 2), self.size, strict=True):
            if self.interpolation == "nearest":
                inputs = np.repeat(inputs, factor, axis=axis)
            elif factor > 1:  # a product with a matrix: each new pixel is a mean of two
                inputs = np.moveaxis(
                    np.moveaxis(inputs, axis, -1) @ plain(_lines(inputs.shape[axis], factor, inputs.dtype)), -1, axis
                )
        return channels_back(inputs, self.data_format)


def _lines(length: int, factor: int, dtype: Any) -> Any:
    """How much of each pixel is in each new one: (length, length · factor)."""
    places = np.clip((np.arange(length * factor) + 0.5) / factor - 0.5, 0, length - 1)
    return np.maximum(1 - np.abs(np.arange(length)[:, None] - places), 0).astype(dtype)
