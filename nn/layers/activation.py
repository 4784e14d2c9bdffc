"""An activation as a layer of its own."""

from __future__ import annotations

from typing import Any

from .. import activations
from .layer import Layer


class Activation(Layer):
    """``activation(x)``.

    Takes any shape, and gives the same. ValueError for an unknown name.

    >>> import numpy as np
    >>> print(Activation("relu")(np.array([-1.0, 2.0], "float32")).numpy())
    [0. 2.]
    """

    supports_masking = True
    each_alone = True

    def __init__(self, activation: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)
