"""Constraints: what a weight is brought back to after each step of an optimizer."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from autograd_core.graph import Node
from autograd_core.ops.half import in_float32
from autograd_core.tensor import Tensor

from . import config
from .checks import number, real
from .tensors import plain

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

# Added to norms, so that a weight of zeros is not divided by 0.
EPSILON = 1e-7

# What weights are held to, by their nodes, for as long as these live: layers fill it, optimizers ask it.
HELD: weakref.WeakKeyDictionary[Node, Any] = weakref.WeakKeyDictionary()


def hold(weight: Tensor) -> None:
    """Bring a weight that was just changed back to what it is held to, if it is held to anything."""
    constraint = HELD.get(weight.node) if HELD else None
    if constraint is not None:
        found = plain(constraint(weight.data))
        if np.shape(found) != weight.shape:
            raise ValueError(
                f"what a constraint makes of a weight of shape {weight.shape}: expected an array of this shape, got "
                f"one of shape {np.shape(found)}; sums over an axis need keepdims=True"
            )
        np.copyto(weight.data, found)


class Constraint(config.Configurable):
    """A function from a weight to what it becomes after each step of an optimizer.

    One of your own defines ``__call__(w)`` from NumPy functions and operators. TypeError when it does not.

    >>> import nn
    >>> class Rounded(nn.constraints.Constraint):
    ...     def __call__(self, w):
    ...         return np.round(w)
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.layers.Dense(1, kernel_constraint=Rounded())])
    >>> model.compile("sgd", "mse")
    >>> loss = model.train_on_batch(np.ones((1, 1)), np.ones(1))
    >>> bool(model.get_weights()[0].item() in (-2.0, -1.0, 0.0, 1.0, 2.0))
    True
    """

    keras_module = "keras.constraints"

    def __call__(self, w: Any) -> Any:
        raise TypeError(f"{type(self).__name__} must define __call__(weight)")


class MinMaxNorm(Constraint):
    """The norm along an axis between two bounds.

    Parameters
    ----------
    min_value, max_value : float
        The bounds, from 0 on; the first is not above the second.
    rate : float
        How much of the way there is gone in a step, from 0 to 1.
    axis : int or sequence of int
        Over which axes the norm is taken: 0 for a Dense, (0, 1, 2) for a Conv2D.

    Raises
    ------
    ValueError
        For numbers outside these ranges.

    Examples
    --------
    >>> import nn
    >>> nn.constraints.MinMaxNorm(0.5, 1.0)(np.array([[3.0, 0.0], [4.0, 0.25]])).round(3)
    array([[0.6, 0. ],
           [0.8, 0.5]])
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0):
        self.min_value = number(min_value, "min_value of a norm", 0)
        self.max_value = number(max_value, "max_value of a norm", 0)
        if min_value > max_value:
            raise ValueError(f"min_value: expected a number up to max_value, {max_value!r}, got {min_value!r}")
        self.rate = number(rate, "rate, how much of the way is gone in a step", 0, 1)
        self.axis = axis

    @in_float32
    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        wanted = np.clip(norms, self.min_value, self.max_value)
        return w * ((self.rate * wanted + (1 - self.rate) * norms) / (EPSILON + norms))


class MaxNorm(Constraint):
    """The norm along an axis at most ``max_value``.

    ``axis`` is one axis or several: 0 for a Dense, (0, 1, 2) for a Conv2D. ValueError unless ``max_value`` is from 0
    on.

    >>> import nn
    >>> nn.constraints.MaxNorm(1.0)(np.array([[3.0, 0.1], [4.0, 0.0]])).round(3)
    array([[0.6, 0.1],
           [0.8, 0. ]])
    """

    def __init__(self, max_value: float = 2, axis: Any = 0):
        self.max_value, self.axis = number(max_value, "max_value of a norm", 0), axis

    @in_float32
    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        return w * (np.clip(norms, 0, self.max_value) / (EPSILON + norms))


class UnitNorm(Constraint):
    """The norm along an axis 1.

    ``axis`` is one axis or several: 0 for a Dense, (0, 1, 2) for a Conv2D. What is all zeros stays so. ValueError
    in a call, for an axis that the weight lacks.

    >>> import nn
    >>> nn.constraints.UnitNorm()(np.array([[3.0, 0.0], [4.0, 0.0]])).round(3)
    array([[0.6, 0. ],
           [0.8, 0. ]])
    """

    def __init__(self, axis: Any = 0):
        self.axis = axis

    @in_float32
    def __call__(self, w: Any) -> Any:
        return w / (EPSILON + _norms(w, self.axis))


class NonNeg(Constraint):
    """No number below 0.

    Takes any shape, and gives the same.

    >>> import nn
    >>> nn.constraints.NonNeg()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __call__(self, w: Any) -> Any:
        real(w, "a constraint")
        return np.maximum(w, 0)


def _norms(w: Any, axis: Any) -> Any:
    real(w, "a constraint")
    axis = tuple(axis) if isinstance(axis, list | tuple) else axis
    return np.sqrt(np.sum(np.square(w), axis=axis, keepdims=True))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
registry = config.registry("constraint").add(MaxNorm, MinMaxNorm, NonNeg, UnitNorm)
registry.accepted = {type(None): lambda _: None}
get, serialize, deserialize = registry.functions(
    __name__, "MaxNorm(3)", "max_value == 3", none="none", serialize="constraint"
)
