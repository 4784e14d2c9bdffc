"""Normalization of each example over groups of channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.ops.half import in_float32

from ..checks import axis_in, number, whole
from .input_spec import InputSpec
from .layer import Layer


class GroupNormalization(Layer):
    """``gamma · (x - mean) / √(variance + epsilon) + beta`` for each example and each group of channels.

    Takes any shape with that axis, and gives the same.

    Parameters
    ----------
    groups : int
        In how many groups the channels are; it divides their number. -1: each channel is one.
    axis : int
        That of the channels, not that of the batch.
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
        Unless ``epsilon`` is from 0 on; in a call, where the groups do not divide the channels.

    References
    ----------
    Y. Wu, K. He: Group normalization. ECCV 2018.

    Examples
    --------
    >>> import nn
    >>> nn.layers.GroupNormalization(2)(np.array([[1.0, 3.0, 10.0, 30.0]], "float32")).numpy().round(2)
    array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        self.groups = groups if groups == -1 else whole(groups, "the number of groups", 1)
        self.axis, self.epsilon = axis, number(epsilon, "epsilon", 0)
        self.center, self.scale = center, scale
        self._plan_weight("beta", beta_initializer, beta_regularizer, beta_constraint)
        self._plan_weight("gamma", gamma_initializer, gamma_regularizer, gamma_constraint)

    def build(self, input_shape: Any) -> None:
        axis = axis_in(self.axis, len(input_shape), f"layer {self.name!r}")
        n = input_shape[axis]
        if axis == 0 or n is None or n % abs(self.groups):
            raise ValueError(
                f"layer {self.name!r}: expected channels that its {self.groups} groups divide, on an axis that is not "
                f"that of the batch, got {n} on axis {self.axis}"
            )
        if self.scale:
            self.gamma = self._make_weight("gamma", (n,))
        if self.center:
            self.beta = self._make_weight("beta", (n,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: n})

    def call(self, inputs: Any) -> Any:
        return in_float32(self._normalized)(inputs)

    def _normalized(self, x: Any) -> Any:
        axis, shape = self.axis % x.ndim, x.shape
        groups = shape[axis] if self.groups == -1 else self.groups
        x = np.reshape(x, (*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :]))
        others = tuple(i for i in range(1, x.ndim) if i != axis)
        mean = np.mean(x, axis=others, keepdims=True)
        variance = np.mean(np.square(x - mean), axis=others, keepdims=True)
        z = np.reshape((x - mean) / np.sqrt(variance + self.epsilon), shape)
        broadcast = tuple(-1 if i == axis else 1 for i in range(len(shape)))
        if self.scale:
            z = z * np.reshape(self.gamma, broadcast)
        if self.center:
            z = z + np.reshape(self.beta, broadcast)
        return z
