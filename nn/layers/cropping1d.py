"""A sequence without its ends."""

from __future__ import annotations

from typing import Any

from .images import cut, per_axis
from .input_spec import InputSpec
from .layer import Layer


class Cropping1D(Layer):
    """Leaves out the first and the last steps of (batch, steps, channels).

    ``cropping`` is a whole number from 0 on for both ends, or a pair. ValueError for other numbers; in a call, where
    nothing would be left.

    >>> import numpy as np
    >>> Cropping1D((1, 2))(np.ones((2, 8, 3))).shape
    (2, 5, 3)
    """

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any):
        super().__init__(**kwargs)
        self.cropping = per_axis(cropping, 2, "cropping", 0)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return cut(inputs, (self.cropping,), self.name)
