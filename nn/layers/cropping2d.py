"""Images without their edges."""

from __future__ import annotations

from typing import Any

from .images import channels_back, channels_last, cut, data_format_of, sides
from .input_spec import InputSpec
from .layer import Layer


class Cropping2D(Layer):
    """Leaves out rows and columns at the edges of images.

    From (batch, height, width, channels) to (batch, height - top - bottom, width - left - right, channels).

    Parameters
    ----------
    cropping : int or sequence
        A whole number from 0 on, a pair (rows, columns), or ((top, bottom), (left, right)).
    data_format : str, optional
        "channels_last" or "channels_first"; None for that of `nn.backend.image_data_format`.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For numbers below 0, and another ``data_format``; in a call, where nothing would be left.

    Examples
    --------
    >>> import numpy as np
    >>> Cropping2D(2)(np.ones((1, 28, 28, 1))).shape
    (1, 24, 24, 1)
    """

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.cropping = sides(cropping, "cropping")
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        return channels_back(cut(channels_last(inputs, self.data_format), self.cropping, self.name), self.data_format)
