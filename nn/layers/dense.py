"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from .. import activations
from ..checks import whole
from .input_spec import InputSpec
from .layer import Layer


class Dense(Layer):
    """``activation(x @ kernel + bias)``: each output is connected to each input.

    Takes (batch, …, inputs), gives (batch, …, units). The kernel is (inputs, units), the bias (units,).

    Parameters
    ----------
    units : int
        How many outputs there are, from 1 on.
    activation : str or callable, optional
        A name or a function of arrays; None: none.
    use_bias : bool
        Whether there is a bias.
    kernel_initializer, bias_initializer : str or Initializer
        Names or instances of `Initializer`.
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
        Names or instances of `Regularizer`; None: none.
    kernel_constraint, bias_constraint : str or Constraint, optional
        What the weights are held to after each step: names or instances of `Constraint`; None: nothing.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        Unless ``units`` is a whole number from 1 on; in a call, for an input with another last axis than the first
        one had.

    Examples
    --------
    >>> import numpy as np
    >>> Dense(10, "relu")(np.ones((2, 4), "float32")).shape
    (2, 10)
    """

    takes_sparse = True
    supports_masking = True
    each_alone = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        *,  # where Keras has activity_regularizer
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = whole(units, "the number of units of Dense", 1)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self._plan_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._plan_weight("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        inputs = input_shape[-1]
        self.kernel = self._make_weight("kernel", (inputs, self.units))
        self.bias: Any = None
        if self.use_bias:
            self.bias = self._make_weight("bias", (self.units,))
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})

    def call(self, inputs: Any) -> Any:
        z = inputs @ self.kernel
        if self.use_bias:
            z = z + self.bias
        return self.activation(z)
