"""Zeros before and after a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from .images import channels_back, channels_last, data_format_of, per_axis
from .input_spec import InputSpec
from .layer import Layer


class ZeroPadding1D(Layer):
    """Zeros before and after the steps of (batch, steps, channels).

    Parameters
    ----------
    padding : int or sequence of int
        A whole number from 0 on for both ends, or a pair.
    data_format : str, optional
        "channels_last" or "channels_first"; None for that of `nn.backend.image_data_format`.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For numbers below 0; in a call, for another number of axes.

    Examples
    --------
    >>> ZeroPadding1D((1, 2))(np.ones((2, 5, 3))).shape
    (2, 8, 3)
    """

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = per_axis(padding, 2, "padding", 0)
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        padded = np.pad(channels_last(inputs, self.data_format), ((0, 0), self.padding, (0, 0)))
        return channels_back(padded, self.data_format)
