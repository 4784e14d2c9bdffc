"""A vector as a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import whole
from .input_spec import InputSpec
from .layer import Layer


class RepeatVector(Layer):
    """Each example ``n`` times: (batch, features) gives (batch, n, features).

    ValueError unless ``n`` is a whole number from 1 on; in a call, for another number of axes.

    >>> RepeatVector(3)(np.ones((5, 2))).shape
    (5, 3, 2)
    """

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.n = whole(n, "how often a RepeatVector repeats", 1)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return np.repeat(np.expand_dims(inputs, 1), self.n, axis=1)
