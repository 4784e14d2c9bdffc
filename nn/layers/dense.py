"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from .. import activations, initializers, regularizers
from ..checks import whole
from .layer import InputSpec, Layer


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

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = whole(units, "the number of units of Dense", 1)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        inputs = input_shape[-1]
        self.kernel = self.add_weight(
            (inputs, self.units), self.kernel_initializer, regularizer=self.kernel_regularizer, name="kernel"
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, regularizer=self.bias_regularizer, name="bias"
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})

    def call(self, x: Any) -> Any:
        z = x @ self.kernel
        if self.use_bias:
            z = z + self.bias
        return self.activation(z)
