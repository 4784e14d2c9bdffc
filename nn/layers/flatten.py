"""From any number of axes to one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .images import data_format_of
from .input_spec import InputSpec
from .layer import Layer


class Flatten(Layer):
    """All axes but that of the batch as one, in row-major order.

    From (batch, …) to (batch, numbers). ValueError for an unknown ``data_format``.

    >>> Flatten()(np.zeros((2, 28, 28))).shape
    (2, 784)
    """

    each_alone = True

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = np.transpose(inputs, (0, *range(2, inputs.ndim), 1))
        return np.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))
