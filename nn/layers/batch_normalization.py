"""Normalization by the statistics of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.ops.half import in_float32

from .. import distributed, initializers
from ..checks import axis_in, number
from ..masks import truth
from ..tensors import assign, plain
from .input_spec import InputSpec
from .layer import Layer


class BatchNormalization(Layer):
    """``gamma · (x - mean) / √(variance + epsilon) + beta``, for each channel.

    Mean and variance are those of the batch while training, and their moving averages otherwise, or when the layer
    is frozen. Takes any shape with that axis, and gives the same. What a mask leaves out has no part in the statistics.

    Parameters
    ----------
    axis : int
        That of the channels, not that of the batch.
    momentum : float
        How much of the moving averages is left after a step, from 0 to 1.
    epsilon : float
        Keeps the divisor from 0; from 0 on.
    center, scale : bool
        Whether there is a beta, and a gamma.
    beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer : str or Initializer
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
        Unless ``momentum`` lies between 0 and 1 and ``epsilon`` is from 0 on; in a call, for an input without that
        axis.

    References
    ----------
    S. Ioffe, C. Szegedy: Batch normalization: accelerating deep network training by reducing
    internal covariate shift. ICML 2015.

    Examples
    --------
    >>> import nn
    >>> layer = nn.layers.BatchNormalization()
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]], "float32")
    >>> layer(x, training=True).numpy().round(2)
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    >>> layer(x).shape
    (2, 2)
    """

    supports_masking = True
    each_alone = True  # by the moving statistics

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.axis = axis
        self.momentum, self.epsilon = number(momentum, "momentum", 0, 1), number(epsilon, "epsilon", 0)
        self.center, self.scale = center, scale
        self._plan_weight("beta", beta_initializer, beta_regularizer, beta_constraint)
        self._plan_weight("gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Any) -> None:
        if axis_in(self.axis, len(input_shape), f"layer {self.name!r}") == 0:
            raise ValueError(
                f"axis of layer {self.name!r}: expected that of the channels, got {self.axis}, that of the batch"
            )
        n = input_shape[self.axis]
        self.gamma: Any = None
        self.beta: Any = None
        if self.scale:
            self.gamma = self._make_weight("gamma", (n,))
        if self.center:
            self.beta = self._make_weight("beta", (n,))
        wide = np.promote_types(self.dtype, np.float32)  # a variance soon passes the largest number of float16
        self.moving_mean = self.add_weight(
            (n,), self.moving_mean_initializer, wide, trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            (n,), self.moving_variance_initializer, wide, trainable=False, name="moving_variance"
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: n})

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        return in_float32(self._normalized)(inputs, training, mask)

    def _normalized(self, x: Any, training: bool, mask: Any) -> Any:
        others = tuple(i for i in range(x.ndim) if i != self.axis % x.ndim)
        broadcast = tuple(1 if i in others else -1 for i in range(x.ndim))
        if training and self.trainable:
            mean, variance = self._moments(x, mask, others)
            for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                assign(moving, moving.data * self.momentum + plain(new).ravel() * (1 - self.momentum))
        else:
            # Copies of the statistics: the graph must not find them changed by a later batch.
            mean = plain(self.moving_mean).reshape(broadcast).copy()
            variance = plain(self.moving_variance).reshape(broadcast).copy()
        z = (x - mean) / np.sqrt(variance + self.epsilon)
        if self.scale:
            z = z * np.reshape(self.gamma, broadcast)
        if self.center:
            z = z + np.reshape(self.beta, broadcast)
        return z

    def _moments(self, x: Any, mask: Any, others: tuple[int, ...]) -> tuple[Any, Any]:
        """Mean and variance over the other axes: of what counts, where there is a mask."""
        if mask is None:
            mean = distributed.mean(x, axis=others, keepdims=True)
            return mean, distributed.mean(np.square(x - mean), axis=others, keepdims=True)
        counts = plain(np.broadcast_to(np.expand_dims(truth(mask), -1), x.shape).astype(x.dtype))
        share = distributed.mean(counts, axis=others, keepdims=True) + 1e-7 * x.shape[self.axis] / x.size
        mean = distributed.mean(np.where(counts, x, 0), axis=others, keepdims=True) / share
        return mean, distributed.mean(np.where(counts, np.square(x - mean), 0), axis=others, keepdims=True) / share
