"""Targets and predictions beside each other: of one shape, and kept away from where logarithms are infinite."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.graph import compared
from autograd_core.tensor import Tensor

from .. import settings
from ..tensors import constant

# What probabilities are kept away from 0 and 1 by, where there are no logits to compute from.
EPSILON = settings.epsilon()


def align(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Give two arrays whose numbers of axes differ by a last axis of length one the same shape.

    So targets (N,) beside predictions (N, 1) are N pairs, and never broadcast to (N, N).
    """
    t, p = np.ndim(y_true), np.ndim(y_pred)
    if t == p + 1 and np.shape(y_true)[-1] == 1:
        return (y_true, y_pred[..., None]) if p == 1 else (y_true[..., 0], y_pred)
    if p == t + 1 and np.shape(y_pred)[-1] == 1:
        return (y_true[..., None], y_pred) if t == 1 else (y_true, y_pred[..., 0])
    return y_true, y_pred


def pair(y_true: Any, y_pred: Any, loss: str) -> tuple[Any, Any]:
    """Targets and predictions as Tensors of one shape and dtype, or an error that names both shapes."""
    y_pred = predictions(y_pred)
    y_true = constant(y_true, y_pred.dtype)
    return fit(*align(y_true, y_pred), loss)


def predictions(y_pred: Any) -> Tensor:
    """Predictions as a Tensor of a floating dtype: whole ones would wrap around, and round the targets."""
    y_pred = constant(y_pred)
    return y_pred if y_pred.dtype.kind == "f" else y_pred.astype(np.result_type(y_pred.dtype, np.float32))


def fit(y_true: Any, y_pred: Any, what: str) -> tuple[Any, Any]:
    """Targets and predictions as they are, or an error that names both shapes."""
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"{what}: expected targets and predictions of one shape, got targets {y_true.shape} and predictions "
            f"{y_pred.shape}"
        )
    if not y_pred.ndim:
        raise ValueError(f"{what}: expected arrays whose first axis is the batch, got a single number")
    return y_true, y_pred


def inside(probabilities: Any) -> Any:
    """Probabilities kept away from 0 and 1, where logarithms are infinite."""
    return held(probabilities, EPSILON, 1 - EPSILON)


def held(x: Any, low: float, high: float) -> Any:
    """``x`` held between two numbers. At these the gradient is whole, as in Keras, where `np.clip` would halve it."""
    x = at_least(x, low)
    return np.where(compared(np.greater, x, high), high, x)


def at_least(x: Any, low: float) -> Any:
    """``x``, or ``low`` where that is more; likewise."""
    x = constant(x)
    return np.where(compared(np.less, x, low), low, x)
