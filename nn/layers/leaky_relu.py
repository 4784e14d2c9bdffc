"""The leaky rectifier as a layer."""

from __future__ import annotations

from typing import Any

from .. import activations
from ..checks import number
from .layer import Layer


class LeakyReLU(Layer):
    """``x`` where it is positive, ``negative_slope · x`` elsewhere.

    Takes any shape, and gives the same. ValueError unless ``negative_slope`` is from 0 on.

    >>> import nn
    >>> nn.layers.LeakyReLU(0.1)(np.array([[-2.0, 3.0]])).numpy()
    array([[-0.2,  3. ]], dtype=float32)
    """

    supports_masking = True
    each_alone = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        super().__init__(**kwargs)
        self.negative_slope = number(negative_slope, "negative_slope", 0)

    def call(self, inputs: Any) -> Any:
        return activations.leaky_relu(inputs, self.negative_slope)
