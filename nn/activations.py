"""Activations: plain functions of a Tensor or an array; a layer takes one by name or as it is."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.graph import Node
from autograd_core.tensor import Tensor

from . import config
from .tensors import constant

Activation = Callable[..., Any]

# What a softmax or sigmoid was computed from, by the node of its result, for as long as that lives. The
# losses compute from these logits: log(softmax(x)) is exact where log of a rounded probability is not. The
# graph itself knows as much only while it is recorded, and evaluation records nothing.
LOGITS: weakref.WeakKeyDictionary[Node, tuple[str, Tensor, int]] = weakref.WeakKeyDictionary()


def linear(x: Any) -> Tensor:
    """``x`` itself."""
    return constant(x)


def relu(x: Any) -> Tensor:
    """``max(x, 0)``."""
    return ag.relu(constant(x))


def sigmoid(x: Any) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    x = constant(x)
    z: Tensor = ag.sigmoid(x)
    LOGITS[z.node] = ("sigmoid", x, -1)
    return z


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    return np.tanh(constant(x))  # type: ignore[return-value]


def softmax(x: Any, axis: int = -1) -> Tensor:
    """``exp(x) / Σ exp(x)`` along an axis: positive numbers that sum to one."""
    x = constant(x)
    e = np.exp(x - np.max(x.data, axis=axis, keepdims=True))
    z: Any = e / np.sum(e, axis=axis, keepdims=True)
    LOGITS[z.node] = ("softmax", x, axis)
    return z


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """``log(softmax(x))``, finite for all finite ``x``."""
    x = constant(x)
    x = x - np.max(x.data, axis=axis, keepdims=True)
    return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


KNOWN: dict[str, Activation] = {f.__name__: f for f in (linear, relu, sigmoid, tanh, softmax, log_softmax)}


def get(identifier: Any) -> Activation:
    """The activation that a name means; None is `linear`, a function is itself."""
    if identifier is None:
        return linear
    return config.resolve(identifier, KNOWN, "activation")


def serialize(activation: Activation) -> Any:
    """The name of an activation."""
    return config.serialize(activation)


def deserialize(identifier: Any) -> Activation:
    """The activation with this name."""
    return get(identifier)
