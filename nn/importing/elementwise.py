"""Operators that work element by element, whose inputs broadcast as NumPy's do."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import autograd_core as ag

from .. import activations
from ..tensors import plain
from .rules import rule, same

same(
    __name__,
    {
        "Abs": np.absolute, "Neg": np.negative, "Sign": np.sign, "Floor": np.floor, "Ceil": np.ceil, "Round": np.rint,
        "Reciprocal": np.reciprocal, "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log,
        "Sin": np.sin, "Cos": np.cos, "Tan": np.tan, "Asin": np.arcsin, "Acos": np.arccos, "Atan": np.arctan,
        "Sinh": np.sinh, "Cosh": np.cosh, "Tanh": np.tanh, "Asinh": np.arcsinh, "Acosh": np.arccosh,
        "Atanh": np.arctanh, "Relu": ag.relu, "Sigmoid": ag.sigmoid, "Softplus": ag.softplus, "Erf": ag.erf,
        "Add": np.add, "Sub": np.subtract, "Mul": np.multiply,
        "Equal": np.equal, "Less": np.less, "LessOrEqual": np.less_equal, "Greater": np.greater,
        "GreaterOrEqual": np.greater_equal, "And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor,
        "Not": np.logical_not, "BitwiseAnd": np.bitwise_and, "BitwiseOr": np.bitwise_or,
        "BitwiseXor": np.bitwise_xor, "BitwiseNot": np.invert, "IsNaN": np.isnan, "Where": np.where,
        "Softsign": lambda x: x / (1 + np.absolute(x)), "Mish": lambda x: x * np.tanh(ag.softplus(x)),
        "HardSwish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    }
)  # fmt: skip


def kind_of(x: Any) -> str:
    """The kind of a dtype: "f", "i", "u" or "b"."""
    return str(x.dtype.kind)


@rule("Div")
def _(x: Any, y: Any) -> Any:
    """Of whole numbers towards zero, as processors do."""
    if kind_of(x) == "f":
        return np.divide(x, y)
    with np.errstate(divide="ignore"):
        down = np.floor_divide(x, y)
        return (down + ((np.remainder(x, y) != 0) & (np.less(x, 0) != np.less(y, 0)))).astype(x.dtype)


@rule("Mod")
def _(x: Any, y: Any, fmod: int = 0) -> Any:
    return np.fmod(x, y) if fmod else np.remainder(x, y)


@rule("Pow")
def _(x: Any, y: Any) -> Any:
    """The result has the dtype of the base."""
    if kind_of(x) == "f":
        return np.power(x, y.astype(x.dtype))
    return np.power(x, plain(y)).astype(x.dtype) if kind_of(y) == "f" else np.power(x, y).astype(x.dtype)


@rule("Max", "Min", "Sum", "Mean")
def _(*xs: Any, kind: str) -> Any:
    """Of any number of inputs."""
    function = {"Max": np.maximum, "Min": np.minimum}.get(kind, np.add)
    total = functools.reduce(function, xs)
    return total / len(xs) if kind == "Mean" else total


@rule("BitShift")
def _(x: Any, y: Any, direction: str = "LEFT") -> Any:
    return np.left_shift(x, y) if direction == "LEFT" else np.right_shift(x, y)


@rule("IsInf")
def _(x: Any, detect_negative: int = 1, detect_positive: int = 1) -> Any:
    return np.isinf(x) & ((bool(detect_negative) & np.less(x, 0)) | (bool(detect_positive) & np.greater(x, 0)))


@rule("Clip")
def _(x: Any, min: Any = None, max: Any = None) -> Any:
    return x if min is None and max is None else np.clip(x, min, max)


# -- activations -------------------------------------------------------------------------------------------


@rule("LeakyRelu")
def _(x: Any, alpha: float = 0.01) -> Any:
    return activations.leaky_relu(x, alpha)


@rule("PRelu")
def _(x: Any, slope: Any, *, opset: int) -> Any:
    """Before operator set 7 several slopes were those of the channels, the second axis."""
    if opset < 7 and np.size(slope) > 1:
        slope = np.reshape(slope, (-1, *(1,) * (np.ndim(x) - 2)))
    return np.where(np.less(x, 0), slope * x, x)


@rule("Elu")
def _(x: Any, alpha: float = 1.0) -> Any:
    return activations.elu(x, alpha)


@rule("Selu")
def _(x: Any, alpha: float = 1.6732632423543772, gamma: float = 1.0507009873554805) -> Any:
    return gamma * activations.elu(x, alpha)


@rule("Celu")
def _(x: Any, alpha: float = 1.0) -> Any:
    return np.maximum(x, 0) + np.minimum(alpha * np.expm1(np.minimum(x, 0) / alpha), 0)


@rule("ThresholdedRelu")
def _(x: Any, alpha: float = 1.0) -> Any:
    return np.where(np.greater(x, alpha), x, 0 * x)


@rule("Shrink")
def _(x: Any, bias: float = 0.0, lambd: float = 0.5) -> Any:
    return np.where(np.less(x, -lambd), x + bias, np.where(np.greater(x, lambd), x - bias, 0 * x)).astype(x.dtype)


@rule("HardSigmoid")
def _(x: Any, alpha: float = 0.2, beta: float = 0.5) -> Any:
    return np.clip(alpha * x + beta, 0, 1)


@rule("Gelu")
def _(x: Any, approximate: str = "none") -> Any:
    return activations.gelu(x, approximate == "tanh")


@rule("Swish")
def _(x: Any, alpha: float = 1.0) -> Any:
    return x * ag.sigmoid(alpha * x)
