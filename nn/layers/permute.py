"""The axes in another order."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import whole
from .input_spec import InputSpec
from .layer import Layer


class Permute(Layer):
    """The axes of each example in another order, counted from 1 on: ``(2, 1)`` swaps two.

    From (batch, a, b, …) to (batch, …) with these lengths in that order. ValueError unless ``dims`` are the numbers
    from 1 on, each once; in a call, for another number of axes.

    >>> Permute((2, 1))(np.ones((5, 2, 3))).shape
    (5, 3, 2)
    """

    def __init__(self, dims: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.dims = tuple(whole(d, "an axis of a Permute", 1) for d in dims)
        if sorted(self.dims) != [*range(1, len(self.dims) + 1)]:
            raise ValueError(f"dims of Permute: expected each of the axes from 1 on once, got {self.dims}")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return np.transpose(inputs, (0, *self.dims))
