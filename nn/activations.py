"""Activations: plain functions of a Tensor or an array; a layer takes one by name or as it is."""

from __future__ import annotations

import math
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.graph import Node, compared
from autograd_core.tensor import Tensor

from . import absent, config
from .tensors import constant

__all__ = [
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_sigmoid",
    "leaky_relu",
    "linear",
    "log_softmax",
    "relu",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]

Activation = Callable[..., Any]

# What a softmax or sigmoid was computed from, by the node of its result, for as long as that lives. The
# losses compute from these logits: log(softmax(x)) is exact where log of a rounded probability is not. The
# graph itself knows as much only while it is recorded, and evaluation records nothing.
LOGITS: weakref.WeakKeyDictionary[Node, tuple[str, Tensor, int]] = weakref.WeakKeyDictionary()


def linear(x: Any) -> Any:
    """``x`` itself.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.linear(np.array([-2.0, 0.0, 3.0])).numpy()
    array([-2.,  0.,  3.])
    """
    return constant(x)


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """``max(x, 0)``; with a slope below the threshold and a ceiling when they are given.

    At 0 the slope is that below, and at the ceiling it is 0, that above, as Keras has it at a ceiling of 6.

    Parameters
    ----------
    x : array_like
        Numbers of any shape.
    negative_slope : float
        That below the threshold, ``negative_slope · (x - threshold)``; from 0 on.
    max_value : float, optional
        The ceiling; None: none.
    threshold : float
        Below it, and at it, the slope is ``negative_slope``.

    Returns
    -------
    Tensor
        In the same shape.

    Raises
    ------
    TypeError
        For what holds no numbers.

    Examples
    --------
    >>> import nn
    >>> nn.activations.relu(np.array([-2.0, 0.0, 3.0])).numpy()
    array([0., 0., 3.])
    >>> nn.activations.relu(np.array([-2.0, 0.0, 3.0]), max_value=2.0).numpy()
    array([0., 0., 2.])
    """
    x = constant(x)
    if threshold:
        z = np.where(
            compared(np.greater, x, threshold), x, negative_slope * (x - threshold) if negative_slope else x * 0.0
        )
    else:
        z = leaky_relu(x, negative_slope) if negative_slope else ag.relu(x)
    return z if max_value is None else np.where(compared(np.greater_equal, z, max_value), max_value, z)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """``x`` where it is positive, ``negative_slope · x`` elsewhere.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.leaky_relu(np.array([-2.0, 0.0, 3.0])).numpy()
    array([-0.4,  0. ,  3. ])
    """
    x = constant(x)
    return np.where(compared(np.greater, x, 0), x, x * negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """``x`` where it is positive, ``alpha · (exp(x) - 1)`` elsewhere: Clevert et al., 2015. Its slope at 0 is alpha.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.elu(np.array([-2.0, 0.0, 3.0])).numpy().round(4)
    array([-0.8647,  0.    ,  3.    ])
    """
    x = constant(x)
    return _or_exponential(x, alpha, compared(np.greater, x, 0))


def _or_exponential(x: Any, alpha: float, straight: Any) -> Any:
    """``x`` where ``straight``, ``alpha · (exp(x) - 1)`` elsewhere; it does not overflow where it is not used."""
    return np.where(straight, x, alpha * np.expm1(np.where(straight, 0, x)))


def selu(x: Any) -> Any:
    """`elu`, scaled so that mean 0 and variance 1 reproduce themselves: Klambauer et al., 2017.

    Of its two slopes at 0 it has that of the right, as in Keras.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.selu(np.array([-2.0, 0.0, 3.0])).numpy().round(4)
    array([-1.5202,  0.    ,  3.1521])
    """
    x = constant(x)
    return 1.0507009873554805 * _or_exponential(x, 1.6732632423543772, compared(np.greater_equal, x, 0))


def gelu(x: Any, approximate: bool = False) -> Any:
    """``x · Φ(x)``, Φ being the normal distribution's: Hendrycks and Gimpel, 2016.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.gelu(np.array([-2.0, 0.0, 3.0])).numpy().round(4)
    array([-0.0455,  0.    ,  2.996 ])
    """
    x = constant(x)
    if approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * ag.erfc(x * -math.sqrt(0.5))  # 1 + erf would cancel where x is negative


def silu(x: Any) -> Any:
    """``x · sigmoid(x)``, also called swish.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.silu(np.array([-2.0, 0.0, 3.0])).numpy().round(4)
    array([-0.2384,  0.    ,  2.8577])
    """
    x = constant(x)
    return x * ag.sigmoid(x)


def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.softplus(np.array([-2.0, 0.0, 3.0])).numpy().round(4)
    array([0.1269, 0.6931, 3.0486])
    """
    return ag.softplus(constant(x))


def softsign(x: Any) -> Any:
    """``x / (1 + |x|)``.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.softsign(np.array([-2.0, 0.0, 3.0])).numpy()
    array([-0.66666667,  0.        ,  0.75      ])
    """
    x = constant(x)
    return x / (1 + np.abs(x))


def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.sigmoid(np.array([-2.0, 0.0, 3.0])).numpy().round(4)
    array([0.1192, 0.5   , 0.9526])
    """
    x = constant(x)
    z = ag.sigmoid(x)
    LOGITS[z.node] = ("sigmoid", x, -1)
    return z


def hard_sigmoid(x: Any) -> Any:
    """``x / 6 + 1/2``, held between 0 and 1; where that begins, at -3 and 3, the slope is 0.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.hard_sigmoid(np.array([-2.0, 0.0, 3.0])).numpy().round(4)
    array([0.1667, 0.5   , 1.    ])
    """
    z = constant(x) / 6 + 0.5
    return np.where(compared(np.greater_equal, z, 1), 1, np.where(compared(np.less_equal, z, 0), 0, z))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.tanh(np.array([-2.0, 0.0, 3.0])).numpy().round(4)
    array([-0.964 ,  0.    ,  0.9951])
    """
    return np.tanh(constant(x))


def exponential(x: Any) -> Any:
    """``exp(x)``.

    Takes any shape, and gives the same; TypeError for what holds no numbers.

    >>> import nn
    >>> nn.activations.exponential(np.array([-2.0, 0.0, 3.0])).numpy().round(4)
    array([ 0.1353,  1.    , 20.0855])
    """
    return np.exp(constant(x))


def softmax(x: Any, axis: int = -1) -> Any:
    """``exp(x) / Σ exp(x)`` along an axis: positive numbers that sum to one.

    Takes any shape, and gives the same; ValueError when there is no such axis, and a warning, as in Keras, when its
    length is 1.

    >>> import nn
    >>> nn.activations.softmax(np.array([[0.0, 1.0, 2.0]])).numpy().round(3)
    array([[0.09 , 0.245, 0.665]])
    """
    x = constant(x)
    z = ag.softmax(x, axis=axis)
    if isinstance(axis, int) and z.shape[axis] == 1:
        warnings.warn(
            f"softmax over axis {axis} of shape {z.shape}, whose length is 1, is always 1, and trains nothing; for one "
            "probability use a sigmoid",
            stacklevel=2,
        )
    LOGITS[z.node] = ("softmax", x, axis)
    return z


def log_softmax(x: Any, axis: int = -1) -> Any:
    """``log(softmax(x))``, finite for all finite ``x``.

    Takes any shape, and gives the same; ValueError when there is no such axis.

    >>> import nn
    >>> nn.activations.log_softmax(np.array([0.0, 1000.0])).numpy()
    array([-1000.,     0.])
    """
    return ag.log_softmax(constant(x), axis=axis)


swish = silu
registry = config.registry("activation").add(
    linear, relu, leaky_relu, elu, selu, gelu, silu, softplus, softsign, sigmoid, hard_sigmoid, tanh, exponential,
    softmax, log_softmax, swish=silu,
)  # fmt: skip
# A layer may serve as an activation.
registry.accepted = {type(None): lambda _: linear, dict: config.registry("layer").from_description}
get, serialize, deserialize = registry.functions(
    __name__, "relu", "__name__ == 'relu'", none="`linear`", serialize="activation"
)


__getattr__ = absent.getattr_of("activations")
