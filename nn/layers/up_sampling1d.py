"""Each step several times."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import whole
from .input_spec import InputSpec
from .layer import Layer


class UpSampling1D(Layer):
    """Each step ``size`` times: (batch, steps, channels) gives (batch, steps · size, channels).

    ValueError unless ``size`` is a whole number from 1 on; in a call, for another number of axes.

    >>> UpSampling1D(2)(np.array([[[1.0], [2.0]]])).numpy()[0, :, 0]
    array([1., 1., 2., 2.], dtype=float32)
    """

    def __init__(self, size: int = 2, **kwargs: Any):
        super().__init__(**kwargs)
        self.size = whole(size, "size of an UpSampling1D", 1)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return np.repeat(inputs, self.size, axis=1)
