"""The largest over all positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .images import data_format_of
from .layer import InputSpec, Layer


class GlobalMaxPooling1D(Layer):
    """The largest value of each channel over all positions.

    Takes (batch, length, channels), gives (batch, channels). ValueError for an input with another number of axes, or an
    unknown ``data_format``.

    >>> import nn
    >>> nn.layers.GlobalMaxPooling1D()(np.ones((2, 5, 3), "float32")).shape
    (2, 3)
    """

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = data_format_of(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=3)

    def call(self, x: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        return np.max(x, axis=tuple(range(first, first + 1)), keepdims=self.keepdims)
