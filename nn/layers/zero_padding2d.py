"""A frame of zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from .images import channels_back, channels_last, data_format_of, sides
from .input_spec import InputSpec
from .layer import Layer


class ZeroPadding2D(Layer):
    """Zeros around images.

    From (batch, height, width, channels) to (batch, top + height + bottom, left + width + right, channels).

    Parameters
    ----------
    padding : str or sequence
        A whole number from 0 on, a pair (rows, columns), or ((top, bottom), (left, right)).
    data_format : str, optional
        "channels_last" or "channels_first"; None for that of `nn.backend.image_data_format`.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For numbers below 0, and another ``data_format``.

    Examples
    --------
    >>> ZeroPadding2D(2)(np.ones((1, 28, 28, 1))).shape
    (1, 32, 32, 1)
    """

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = sides(padding, "padding")
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        padded = np.pad(channels_last(inputs, self.data_format), ((0, 0), *self.padding, (0, 0)))
        return channels_back(padded, self.data_format)
