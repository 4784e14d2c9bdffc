"""A product with a weight of several axes: what attention is made of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..initializers import VarianceScaling
from .layer import Layer


class Projection(Layer):
    """``x · kernel + bias``, summed over the last axes of ``x``: from (batch, …, *inputs) to (batch, …, *shape).

    The kernel is (*inputs, *shape), the bias ``shape``. ``summed`` says how many axes the inputs have; a plan
    is an initializer, a regularizer and a constraint.
    """

    kernel_initializer: Any

    def __init__(self, shape: Any, summed: int, use_bias: bool, kernel_plan: Any, bias_plan: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.shape, self.summed, self.use_bias = tuple(shape), summed, use_bias
        self.kernel_plan, self.bias_plan = tuple(kernel_plan), tuple(bias_plan)
        self._plan_weight("kernel", *kernel_plan)
        self._plan_weight("bias", *bias_plan)

    def build(self, input_shape: Any) -> None:
        initializer = self.kernel_initializer
        if isinstance(initializer, VarianceScaling):  # which would take the last two axes for inputs and outputs
            axes = range(self.summed + len(self.shape))
            initializer = initializer.along(list(axes[: self.summed]), list(axes[self.summed :]))
        shape = (*input_shape[-self.summed :], *self.shape)
        self.kernel = self._make_weight("kernel", shape, initializer=initializer)
        if self.use_bias:
            self.bias = self._make_weight("bias", self.shape)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: whoever projects knows what counts."""
        return None

    def call(self, inputs: Any) -> Any:
        size, free = math.prod(self.kernel.shape[: self.summed]), inputs.shape[: inputs.ndim - self.summed]
        flat = np.reshape(inputs, (*free, size)) @ np.reshape(self.kernel, (size, math.prod(self.shape)))
        z = np.reshape(flat, (*free, *self.shape))
        return z + self.bias if self.use_bias else z
