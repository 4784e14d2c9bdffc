"""Softmax as a layer."""

from __future__ import annotations

from typing import Any

from .. import activations
from .layer import Layer


class Softmax(Layer):
    """``exp(x) / Σ exp(x)`` along an axis.

    Takes any shape, and gives the same. ValueError when there is no such axis.

    >>> import nn
    >>> nn.layers.Softmax()(np.array([[0.0, 0.0]])).numpy()
    array([[0.5, 0.5]], dtype=float32)
    """

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, x: Any) -> Any:
        return activations.softmax(x, self.axis)
