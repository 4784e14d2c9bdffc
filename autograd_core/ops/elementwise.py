"""Elementwise ops: the table of derivatives of a calculus book.

In every rule ``g`` is the gradient that arrives, ``z`` the result, ``x`` and ``y`` the arguments. The string
beside it is the local derivative as one writes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import ELEMENTWISE, NONZERO, POSITIVE, REAL, composed, example, op, ufunc
from ..tensor import NUMPY, Tensor

# -- arithmetic ----------------------------------------------------------------------------------------

add = ufunc(
    np.add,
    r"x + y",
    (lambda g, z, x, y: g, r"1"),
    (lambda g, z, x, y: g, r"1"),
)
subtract = ufunc(
    np.subtract,
    r"x - y",
    (lambda g, z, x, y: g, r"1"),
    (lambda g, z, x, y: -g, r"-1"),
)
multiply = ufunc(
    np.multiply,
    r"x \cdot y",
    (lambda g, z, x, y: g * y, r"y"),
    (lambda g, z, x, y: g * x, r"x"),
)
divide = ufunc(
    np.divide,
    r"\frac{x}{y}",
    (lambda g, z, x, y: g / y, r"\frac{1}{y}"),
    (lambda g, z, x, y: -g * z / y, r"-\frac{x}{y^2}"),
    domain=(REAL, NONZERO),
)
negative = ufunc(
    np.negative,
    r"-x",
    (lambda g, z, x: -g, r"-1"),
)


# At x = 0 the plain formulas of a power meet 0 · ∞. What is taken there is the limit from inside the domain,
# as in JAX and PyTorch: d(x⁰)/dx = 0, and d(0^y)/dy = 0 for y ≥ 0.
def _power_x(g: Any, z: Any, x: Any, y: Any) -> Any:
    if isinstance(y, int | float):  # stays a Python number, so that float32 stays float32
        return g * (y * x ** (y - 1 if y else 0))
    return g * (y * x ** (np.where(y == 0, 1, y) - 1))


def _power_y(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g * (z * np.log(np.where((x == 0) & (y >= 0), 1.0, x)))


power = ufunc(
    np.power,
    r"x^{y}",
    (_power_x, r"y \cdot x^{y - 1}"),
    (_power_y, r"x^{y} \cdot \ln x"),
    domain=(POSITIVE, REAL),
)
absolute = ufunc(
    np.absolute,
    r"\left|x\right|",
    (lambda g, z, x: g * np.sign(x), r"\operatorname{sign} x"),
    domain=NONZERO,
)
sign = ufunc(
    np.sign,
    r"\operatorname{sign} x",
    (lambda g, z, x: np.zeros_like(g), r"0"),
    domain=NONZERO,
)
square = ufunc(
    np.square,
    r"x^2",
    (lambda g, z, x: g * (2 * x), r"2 \cdot x"),
)
sqrt = ufunc(
    np.sqrt,
    r"\sqrt{x}",
    (lambda g, z, x: g / (2 * z), r"\frac{1}{2 \cdot z}"),
    domain=POSITIVE,
)

# -- exponentials, logarithms, trigonometry ------------------------------------------------------------

exp = ufunc(
    np.exp,
    r"e^{x}",
    (lambda g, z, x: g * z, r"z"),
)
log = ufunc(
    np.log,
    r"\ln x",
    (lambda g, z, x: g / x, r"\frac{1}{x}"),
    domain=POSITIVE,
)
sin = ufunc(
    np.sin,
    r"\sin x",
    (lambda g, z, x: g * np.cos(x), r"\cos x"),
)
cos = ufunc(
    np.cos,
    r"\cos x",
    (lambda g, z, x: -g * np.sin(x), r"-\sin x"),
)
tanh = ufunc(
    np.tanh,
    r"\tanh x",
    (lambda g, z, x: g * (1 - z * z), r"1 - z^2"),
)

# -- choosing ------------------------------------------------------------------------------------------

# Tied arguments share the gradient equally: the middle of the subdifferential, and the only choice under
# which max(x, x) has the derivative of x.
maximum = ufunc(
    np.maximum,
    r"\max(x, y)",
    (lambda g, z, x, y: np.where(x == y, g * 0.5, g * (x > y)), r"[x > y] + \tfrac{1}{2}[x = y]"),
    (lambda g, z, x, y: np.where(x == y, g * 0.5, g * (x < y)), r"[x < y] + \tfrac{1}{2}[x = y]"),
)
minimum = ufunc(
    np.minimum,
    r"\min(x, y)",
    (lambda g, z, x, y: np.where(x == y, g * 0.5, g * (x < y)), r"[x < y] + \tfrac{1}{2}[x = y]"),
    (lambda g, z, x, y: np.where(x == y, g * 0.5, g * (x > y)), r"[x > y] + \tfrac{1}{2}[x = y]"),
)


@op(
    r"\operatorname{where}(c, x, y)",
    numpy=np.where,
    broadcasts=True,
    examples=(
        example(np.array([[True], [False]]), (2, 3), (3,)),
        example(np.array([True, False, True]), (), (3,)),
        example(np.array(False), (2,), (2,)),
        example(np.zeros((0, 2), bool), (0, 2), (2,)),
    ),
)
def where(condition: Any, x: Any, y: Any) -> Any:
    """``x`` where the condition holds, ``y`` elsewhere; the condition itself has no derivative."""
    return np.where(condition, x, y)


@where.vjp(r"[c]", arg="x")
def _(g: Any, z: Any, condition: Any, x: Any, y: Any) -> Any:
    return np.where(condition, g, 0)


@where.vjp(r"[\neg c]", arg="y")
def _(g: Any, z: Any, condition: Any, x: Any, y: Any) -> Any:
    return np.where(condition, 0, g)


@composed(
    r"\min(\max(x, a), b)",
    numpy=np.clip,
    examples=(example((3, 4), -0.5, 0.5), example((), None, 0.3), example((0,), 0.0)),
)
def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """``x`` held between two bounds, either of which may be None."""
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


# -- for neural networks -------------------------------------------------------------------------------


@op(r"\max(x, 0)", broadcasts=True, domain=NONZERO, examples=ELEMENTWISE)
def relu(x: Any) -> Any:
    """``max(x, 0)``, whose derivative at 0 is 0, as everywhere in the field."""
    return np.maximum(x, 0)


@relu.vjp(r"[x > 0]")
def _(g: Any, z: Any, x: Any) -> Any:
    return g * (x > 0)


@op(r"\sigma(x)", broadcasts=True, examples=ELEMENTWISE)
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``, without overflow and with full relative precision at both ends."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


@sigmoid.vjp(r"z \cdot (1 - z)")
def _(g: Any, z: Any, x: Any) -> Any:
    return g * (z * (1 - z))


@op(r"x", examples=ELEMENTWISE)
def astype(x: Any, dtype: Any = np.float64) -> Any:
    """``x`` in another floating dtype; the gradient comes back in the dtype of ``x``."""
    return x.astype(dtype)


@astype.vjp(r"1")
def _(g: Any, z: Any, x: Any, dtype: Any = np.float64) -> Any:
    return g.astype(x.dtype)


NUMPY[Tensor.astype] = astype


@op(r"x", examples=ELEMENTWISE)
def identity(x: Any) -> Any:
    """``x`` itself under a new node, which the transforms differentiate with respect to."""
    return x


@identity.vjp(r"1")
def _(g: Any, z: Any, x: Any) -> Any:
    return g
