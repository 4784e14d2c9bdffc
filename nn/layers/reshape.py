"""The same numbers in another shape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..checks import whole
from .layer import Layer


class Reshape(Layer):
    """Each example in another shape; one length may be -1, which is then worked out.

    From ``(batch, …)`` to ``(batch, *target_shape)``. ValueError when an example has another number of elements, or a
    second length is -1.

    >>> Reshape((28, -1))(np.zeros((2, 784))).shape
    (2, 28, 28)
    """

    each_alone = True

    def __init__(self, target_shape: Any, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(target_shape, list | tuple):
            raise ValueError(
                f"target_shape of Reshape: expected a tuple, got {target_shape!r}; Reshape(({target_shape!r},)), if "
                "one axis is meant"
            )
        self.target_shape = tuple(whole(n, "a length in the shape of a Reshape", -1) for n in target_shape)
        if self.target_shape.count(-1) > 1:
            raise ValueError(
                f"target_shape of Reshape: expected lengths from 0 on and at most one -1, got {self.target_shape}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """What is asked for; a length that stands for -1 is found where those of the input are known."""
        if None in input_shape[1:]:  # `call` looks whether what comes fits
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        return (input_shape[0], *self._filled(input_shape[1:]))

    def call(self, inputs: Any) -> Any:
        return np.reshape(inputs, (inputs.shape[0], *self._filled(inputs.shape[1:])))

    def _filled(self, lengths: Any) -> list[int]:
        """The shape of an example, with what stands for -1; ValueError where one of these lengths does not fill it."""
        size, shape = math.prod(lengths), list(self.target_shape)
        if -1 in shape:
            known = math.prod(n for n in shape if n != -1)
            shape[shape.index(-1)] = size // known if known else 0
        if math.prod(shape) != size:
            raise ValueError(
                f"layer {self.name!r}: expected examples that fill {self.target_shape}, got {size} numbers in the "
                f"shape {tuple(lengths)}"
            )
        return shape
