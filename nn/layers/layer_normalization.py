"""Normalization of each example by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.ops.half import in_float32

from ..checks import axis_in, number
from .input_spec import InputSpec
from .layer import Layer


class LayerNormalization(Layer):
    """``gamma · (x - mean) / √(variance + epsilon) + beta`` over an axis or several.

    Takes any shape with these axes, and gives the same.

    Parameters
    ----------
    axis : int or sequence of int, optional
        One axis or several, each named once and none that of the batch.
    epsilon : float
        Keeps the divisor from 0; from 0 on.
    center, scale : bool
        Whether there is a beta, and a gamma.
    beta_initializer, gamma_initializer : str or Initializer
        Names or instances of `Initializer`.
    beta_regularizer, gamma_regularizer : str or Regularizer, optional
        Names or instances of `Regularizer`; None: none.
    beta_constraint, gamma_constraint : str or Constraint, optional
        What the weights are held to after each step: names or instances of `Constraint`; None: nothing.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        Unless ``epsilon`` is from 0 on; in a call, for an input without these axes.
    TypeError
        For an ``axis`` that is no whole number, or several.

    References
    ----------
    J. Ba, J. Kiros, G. Hinton: Layer normalization. 2016.

    Examples
    --------
    >>> import nn
    >>> nn.layers.LayerNormalization()(np.array([[1.0, 3.0], [10.0, 30.0]], "float32")).numpy().round(2)
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    supports_masking = True
    each_alone = True

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.axis: Any = tuple(axis) if isinstance(axis, list | tuple) else axis
        if not all(isinstance(a, int | np.integer) for a in np.ravel(self.axis).tolist()):
            raise TypeError(f"axis of a LayerNormalization: expected whole numbers, got {axis!r}")
        self.epsilon, self.center, self.scale = number(epsilon, "epsilon", 0), center, scale
        self._plan_weight("beta", beta_initializer, beta_regularizer, beta_constraint)
        self._plan_weight("gamma", gamma_initializer, gamma_regularizer, gamma_constraint)

    def axes(self, ndim: int) -> tuple[int, ...]:
        """The axes to normalize over, counted from the front."""
        given = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        axes = sorted({axis_in(a, ndim, f"layer {self.name!r}") for a in given})
        if not axes or len(axes) < len(given) or axes[0] == 0:
            raise ValueError(
                f"axis of layer {self.name!r}: expected one axis or several, each once and not that of the batch, got "
                f"{list(given)}"
            )
        return tuple(axes)

    def build(self, input_shape: Any) -> None:
        axes = self.axes(len(input_shape))
        shape = tuple(input_shape[a] for a in axes)
        self.gamma: Any = None
        self.beta: Any = None
        if self.scale:
            self.gamma = self._make_weight("gamma", shape)
        if self.center:
            self.beta = self._make_weight("beta", shape)
        given = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        self.input_spec = InputSpec(min_ndim=2, axes={a: input_shape[a] for a in given})

    def call(self, inputs: Any) -> Any:
        return in_float32(self._normalized)(inputs)

    def _normalized(self, x: Any) -> Any:
        axes = self.axes(x.ndim)
        broadcast = tuple(n if i in axes else 1 for i, n in enumerate(x.shape))
        mean = np.mean(x, axis=axes, keepdims=True)
        variance = np.mean(np.square(x - mean), axis=axes, keepdims=True)
        z = (x - mean) / np.sqrt(variance + self.epsilon)
        if self.scale:
            z = z * np.reshape(self.gamma, broadcast)
        if self.center:
            z = z + np.reshape(self.beta, broadcast)
        return z
