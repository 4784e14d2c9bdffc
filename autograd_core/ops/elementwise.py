"""Elementwise ops: the table of derivatives of a calculus book.

In every rule ``g`` is the gradient that arrives, ``z`` the result, ``x`` and ``y`` the arguments. The string
beside it is the local derivative as one writes it. Numbers in rules are Python's own, so that float32 stays
float32. At a kink or a jump a rule gives a fixed value, which the entry's note (or docstring) says.
"""

from __future__ import annotations

import math
from functools import partial
from math import inf, pi
from typing import Any

import numpy as np

from ..arrays import asarray_like, decide, is_foreign
from ..dispatch import NUMPY, plain
from ..domain import ELEMENTWISE, NONZERO, POSITIVE, REAL, Domain, example
from ..op import composed, is_complex, op, ufunc
from ..tensor import Tensor
from .half import in_float32, rule_in_float32
from .scale import in_scale, is_extreme, times_power

LN2, LN10 = math.log(2), math.log(10)
WHOLE = Domain(kinks=(0.0,), period=1.0)  # jumps at the whole numbers
HALVES = Domain(kinks=(0.5,), period=1.0)
OPEN_UNIT = Domain(-1.0, 1.0)


def over(x: Any, y: Any) -> Any:
    """``x / y``, and 0 with all its derivatives where ``y`` is 0: what rules divide lengths with."""
    return x / np.where(y == 0, inf, y)


def larger(x: Any, y: Any, g: Any) -> Any:
    """1 where ``x`` is larger than ``y``, 1/2 where they are equal and 0 elsewhere, in the precision of ``g``."""
    return np.where(x == y, g.dtype.type(0.5), x > y)


BLOCK = 1 << 14  # elements that stay in cache together with a few results of the same size


def in_blocks(f: Any, x: Any) -> Any:
    """``f(x)`` of an elementwise ``f`` with many intermediate results, computed piece by piece to keep them small."""
    if np.size(x) <= 2 * BLOCK or is_foreign(x):  # a GPU has no such cache, and wants all at once
        return f(x)
    parts = np.array_split(np.ravel(x), np.size(x) // BLOCK)
    return np.reshape(np.concatenate([f(part) for part in parts]), np.shape(x))


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
negative = ufunc(np.negative, r"-x", (lambda g, z, x: -g, r"-1"))
positive = ufunc(np.positive, r"x", (lambda g, z, x: g, r"1"))
reciprocal = ufunc(np.reciprocal, r"\frac{1}{x}", (lambda g, z, x: -g * z * z, r"-\frac{1}{x^2}"), domain=NONZERO)
square = ufunc(np.square, r"x^2", (lambda g, z, x: g * (2 * x), r"2 \cdot x"))
sqrt = ufunc(
    np.sqrt, r"\sqrt{x}", (lambda g, z, x: g / (2 * z), r"\frac{1}{2 \cdot z}"), domain=POSITIVE, note="∞ at 0"
)
cbrt = ufunc(
    np.cbrt,
    r"\sqrt[3]{x}",
    (
        lambda g, z, x: g * (1 / z) ** 2 / 3,
        r"\frac{1}{3 \cdot z^2}",
    ),  # its own derivative at 0 is infinite too, not NaN
    domain=NONZERO,
    note="∞ at 0",
)


# At x = 0 the plain formulas of a power meet 0 · ∞. What is taken there is the limit from inside the domain, as in
# PyTorch; JAX has NaN for an exponent that is the float 0, and 0 for the integer.
def _power_x(g: Any, z: Any, x: Any, y: Any) -> Any:
    if type(y) is int or type(y) is float:  # stays a Python number, so that float32 stays float32
        return g * (y * x ** (y - 1 if y else 0))
    pole = (y == 0) & (np.abs(x) < 1 / float(np.finfo(z.dtype).max))  # 0 · 1/x, where 1/x is infinite
    return g * (y * x ** (np.where(pole, 1, y) - 1))


def _power_y(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g * (z * np.log(np.where((x == 0) & ((np.real(y) if is_complex(y) else y) >= 0), np.ones_like(z), x)))


power = ufunc(
    np.power,
    r"x^{y}",
    (_power_x, r"y \cdot x^{y - 1}"),
    (_power_y, r"x^{y} \cdot \ln x"),
    domain=(POSITIVE, REAL),
    note="the limit from inside the domain at x = 0: 0 for y = 0, and 0 with respect to y ≥ 0",
)


@composed(r"x^{y}", numpy=np.float_power, domain=(POSITIVE, REAL), examples=(example((2, 3), (3,)), example((), 3)))
def float_power(x: Any, y: Any) -> Any:
    """``x ** y`` in float64, or complex128, whatever came."""
    x, y = (v if hasattr(v, "dtype") else np.asarray(v)[()] for v in (x, y))
    double = np.result_type(np.float64, x.dtype, y.dtype)
    x, y = (v if v.dtype == double else v.astype(double) for v in (x, y))
    return np.power(x, y)


remainder = ufunc(
    np.remainder,
    r"x \bmod y",
    (lambda g, z, x, y: g, r"1"),
    (lambda g, z, x, y: -g * np.floor_divide(x, y), r"-\lfloor \frac{x}{y} \rfloor"),
    domain=(REAL, NONZERO),
    note="as between the jumps, where x / y is whole",
)
fmod = ufunc(
    np.fmod,
    r"\operatorname{fmod}(x, y)",
    (lambda g, z, x, y: g, r"1"),
    (lambda g, z, x, y: g * -np.rint((x - z) / y), r"-\operatorname{trunc} \frac{x}{y}"),
    domain=(REAL, NONZERO),
    note="as between the jumps, where x / y is whole",
)

# -- steps ---------------------------------------------------------------------------------------------

FLAT = (lambda g, z, x: np.zeros_like(g), r"0")
FLAT_2 = (lambda g, z, x, y: np.zeros_like(g), r"0")


def _sign_x(g: Any, z: Any, x: Any) -> Any:
    # Of a complex number it is x / |x|, which turns as x does.
    return 1j * np.imag(g * z) * over(np.conj(z), np.abs(x)) if is_complex(x) else np.zeros_like(g)


sign = ufunc(np.sign, r"\operatorname{sign} x", (_sign_x, r"0"), domain=NONZERO, note="0 at the jumps")
floor = ufunc(np.floor, r"\lfloor x \rfloor", FLAT, domain=WHOLE, note="0 at the jumps")
ceil = ufunc(np.ceil, r"\lceil x \rceil", FLAT, domain=WHOLE, note="0 at the jumps")
trunc = ufunc(np.trunc, r"\operatorname{trunc} x", FLAT, domain=WHOLE, note="0 at the jumps")
rint = ufunc(np.rint, r"\operatorname{round} x", FLAT, domain=HALVES, note="0 at the jumps")
floor_divide = ufunc(
    np.floor_divide, r"\lfloor \frac{x}{y} \rfloor", FLAT_2, FLAT_2, domain=(REAL, NONZERO), note="0 at the jumps"
)
heaviside = ufunc(
    np.heaviside,
    r"\operatorname{heaviside}(x, y)",
    FLAT_2,
    (lambda g, z, x, y: g * (x == 0), r"[x = 0]"),
    domain=(NONZERO, REAL),
    note="0 with respect to x at the jump, where the result is y",
)


@composed(
    r"(\lfloor \frac{x}{y} \rfloor, x \bmod y)",
    numpy=np.divmod,
    examples=(example((2, 3), 0.75), example((), np.array([0.75, -1.25]))),
)
def divmod(x: Any, y: Any) -> Any:
    """The quotient rounded down, whose derivative is 0, and the remainder."""
    return np.floor_divide(x, y), np.remainder(x, y)


@op(
    r"\operatorname{round} x",
    numpy=(np.round, np.around),
    broadcasts=True,
    domain=HALVES,
    examples=(*ELEMENTWISE, example((2, 3), decimals=-1)),
)
def round(x: Any, decimals: int = 0) -> Any:
    """The nearest number with so many decimals, halves to even; its derivative is 0 everywhere."""
    return np.round(x, decimals)


round.vjp(r"0")(lambda g, z, x, decimals=0: np.zeros_like(g))

# -- exponentials and logarithms -----------------------------------------------------------------------

exp = ufunc(np.exp, r"e^{x}", (lambda g, z, x: g * z, r"z"))
exp2 = ufunc(np.exp2, r"2^{x}", (lambda g, z, x: g * (z * LN2), r"z \cdot \ln 2"))
expm1 = ufunc(np.expm1, r"e^{x} - 1", (lambda g, z, x: g * np.exp(x), r"e^{x}"))
log = ufunc(np.log, r"\ln x", (lambda g, z, x: g / x, r"\frac{1}{x}"), domain=POSITIVE)
log2 = ufunc(np.log2, r"\log_2 x", (lambda g, z, x: g / LN2 / x, r"\frac{1}{x \cdot \ln 2}"), domain=POSITIVE)
log10 = ufunc(np.log10, r"\log_{10} x", (lambda g, z, x: g / LN10 / x, r"\frac{1}{x \cdot \ln 10}"), domain=POSITIVE)
log1p = ufunc(np.log1p, r"\ln(1 + x)", (lambda g, z, x: g / (1 + x), r"\frac{1}{1 + x}"), domain=Domain(low=-1.0))


@op(r"\sigma(x)", broadcasts=True, examples=ELEMENTWISE)
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``, without overflow and with full relative precision at both ends.

    >>> sigmoid(np.array([-1e4, 0.0, 1e4]))
    array([0. , 0.5, 1. ])
    """
    e = np.exp(-np.abs(x))
    return np.maximum(e, x >= 0) / (1 + e)


@sigmoid.vjp(r"z \cdot (1 - z)")
def _(g: Any, z: Any, x: Any) -> Any:
    return g * logistic_density(x)


@op(r"\frac{e^{-x}}{(1 + e^{-x})^2}", broadcasts=True, examples=ELEMENTWISE)
def logistic_density(x: Any) -> Any:
    """The slope of `sigmoid`, precise where that is 1 to the last digit; a bell as that of the normal distribution."""
    e = np.exp(-np.abs(x))
    return e / np.square(1 + e)


@logistic_density.vjp(r"-z \cdot \tanh \frac{x}{2}")
def _(g: Any, z: Any, x: Any) -> Any:
    return -g * z * np.tanh(x / 2)


def apart(x: Any, y: Any) -> Any:
    """``x - y``; where ``x`` is infinite that, whatever number ``y`` is, but 0 where both are ∞."""
    infinite = (np.abs(x) == inf) & (y == y)
    return np.where(infinite, np.where(np.equal(y, inf), np.minimum(x, 0), x), x - np.where(infinite, 0, y))


logaddexp = ufunc(
    np.logaddexp,
    r"\ln(e^{x} + e^{y})",
    (lambda g, z, x, y: g * sigmoid(apart(x, y)), r"\sigma(x - y)"),
    (lambda g, z, x, y: g * sigmoid(apart(y, x)), r"\sigma(y - x)"),
    note="0 for an argument that is -∞, 1 for one that is ∞, which two of them share equally",
)
logaddexp2 = ufunc(
    np.logaddexp2,
    r"\log_2(2^{x} + 2^{y})",
    (lambda g, z, x, y: g * sigmoid(apart(x, y) * LN2), r"2^{x - z}"),
    (lambda g, z, x, y: g * sigmoid(apart(y, x) * LN2), r"2^{y - z}"),
    note="0 for an argument that is -∞, 1 for one that is ∞, which two of them share equally",
)

# -- trigonometry --------------------------------------------------------------------------------------

sin = ufunc(np.sin, r"\sin x", (lambda g, z, x: g * np.cos(x), r"\cos x"))
cos = ufunc(np.cos, r"\cos x", (lambda g, z, x: g * -np.sin(x), r"-\sin x"))
tan = ufunc(np.tan, r"\tan x", (lambda g, z, x: g * (1 + z * z), r"1 + z^2"), domain=Domain(kinks=(pi / 2,), period=pi))


@op(r"1 - x^2", broadcasts=True, examples=ELEMENTWISE)
def one_minus_square(x: Any) -> Any:
    """``1 - x²``, precise near 1 and -1; its derivative is so near 0 too, where that of the product cancels."""
    return (1 - x) * (1 + x)


@one_minus_square.vjp(r"-2 \cdot x")
def _(g: Any, z: Any, x: Any) -> Any:
    return g * (-2 * x)


arcsin = ufunc(
    np.arcsin,
    r"\arcsin x",
    (lambda g, z, x: g / np.sqrt(one_minus_square(x)), r"\frac{1}{\sqrt{1 - x^2}}"),
    domain=OPEN_UNIT,
    note="∞ at ±1, where its own derivative is ±∞",
)
arccos = ufunc(
    np.arccos,
    r"\arccos x",
    (lambda g, z, x: g / -np.sqrt(one_minus_square(x)), r"-\frac{1}{\sqrt{1 - x^2}}"),
    domain=OPEN_UNIT,
    note="-∞ at ±1, where its own derivative is ∓∞",
)


def _arctan_x(g: Any, z: Any, x: Any) -> Any:
    secant = _secant(x)  # twice, since 1 + x² overflows
    return g / secant / secant


def _secant(x: Any) -> Any:
    """``√(1 + x²)``."""
    return np.sqrt(1 + x * x) if is_complex(x) else np.hypot(x, 1)


arctan = ufunc(np.arctan, r"\arctan x", (_arctan_x, r"\frac{1}{1 + x^2}"))

sinh = ufunc(np.sinh, r"\sinh x", (lambda g, z, x: g * np.cosh(x), r"\cosh x"))
cosh = ufunc(np.cosh, r"\cosh x", (lambda g, z, x: g * np.sinh(x), r"\sinh x"))


@op(r"\frac{1}{(\cosh x)^2}", broadcasts=True, examples=ELEMENTWISE)
def sech_squared(x: Any) -> Any:
    """The slope of `tanh`, precise where that is 1 to the last digit."""
    e = np.exp(-np.abs(x))
    return np.square(2 * e / (1 + e * e))


@sech_squared.vjp(r"-2 \cdot z \cdot \tanh x")
def _(g: Any, z: Any, x: Any) -> Any:
    return -2 * g * z * np.tanh(x)


tanh = ufunc(
    np.tanh,
    r"\tanh x",
    (lambda g, z, x: g * (one_minus_square(z) if is_complex(x) else sech_squared(x)), r"1 - z^2"),
)

arcsinh = ufunc(np.arcsinh, r"\operatorname{arsinh} x", (lambda g, z, x: g / _secant(x), r"\frac{1}{\sqrt{x^2 + 1}}"))
arccosh = ufunc(
    np.arccosh,
    r"\operatorname{arcosh} x",
    # √(x² - 1) as two factors, which neither overflow nor cancel, as their derivatives do not.
    (lambda g, z, x: g / np.sqrt(x - 1) / np.sqrt(x + 1), r"\frac{1}{\sqrt{x^2 - 1}}"),
    domain=Domain(low=1.0),
    note="∞ at 1, where its own derivative is -∞",
)
arctanh = ufunc(
    np.arctanh,
    r"\operatorname{artanh} x",
    (lambda g, z, x: g / one_minus_square(x), r"\frac{1}{1 - x^2}"),
    domain=OPEN_UNIT,
)


@op(
    r"\frac{x}{\sqrt{x^2 + y^2}}",
    broadcasts=True,
    domain=(NONZERO, NONZERO),
    examples=(example((2, 3), (2, 3)), example((2, 3), (3,)), example((), ()), example((0, 2), (2,))),
)
def share_of_length(x: Any, y: Any) -> Any:
    """What ``x`` is of the length of (x, y), the sine of an angle; 0 at the origin, with all its derivatives.

    Of ``x / hypot(x, y)`` the derivative by x, y² / (x² + y²)^1.5, would cancel where y is small.
    """
    h = np.hypot(x, y)
    if decide(np.any(is_extreme(h))):
        largest = np.maximum(np.abs(x), np.abs(y))
        x, y = in_scale(x, largest), in_scale(y, largest)
        h = np.hypot(x, y)
    return over(x, h)


@share_of_length.vjp(r"\frac{y^2}{\sqrt{x^2 + y^2}^3}")
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    cosine = share_of_length(y, x)
    return g * (over(cosine, np.hypot(x, y)) * cosine)  # in this order: the square of a small one would vanish


@share_of_length.vjp(r"-\frac{x \cdot y}{\sqrt{x^2 + y^2}^3}")
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g * -(over(share_of_length(y, x), np.hypot(x, y)) * z)


hypot = ufunc(
    np.hypot,
    r"\sqrt{x^2 + y^2}",
    (lambda g, z, x, y: g * share_of_length(x, y), r"\frac{x}{z}"),
    (lambda g, z, x, y: g * share_of_length(y, x), r"\frac{y}{z}"),
    domain=(NONZERO, NONZERO),
    note="0 at the origin, where no direction is special",
)


@op(
    r"\frac{y}{x^2 + y^2}",
    broadcasts=True,
    domain=(NONZERO, NONZERO),
    examples=(example((2, 3), (2, 3)), example((2, 3), (3,)), example((), ()), example((0, 2), (2,))),
)
@in_float32
def slope_of_angle(x: Any, y: Any) -> Any:
    """How fast the angle of (x, y) turns as ``x`` grows; 0 at the origin, with all its derivatives.

    Of ``y / hypot(x, y)**2`` a derivative would be a product of ∞ and 0 where the lengths are small.
    """
    return over(share_of_length(y, x), np.hypot(x, y))


@slope_of_angle.vjp(r"-\frac{2 \cdot x \cdot y}{(x^2 + y^2)^2}")
@rule_in_float32()
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    h = np.hypot(x, y)
    return g * (-2 * over(share_of_length(x, y), h) * over(share_of_length(y, x), h))


@slope_of_angle.vjp(r"\frac{x^2 - y^2}{(x^2 + y^2)^2}")
@rule_in_float32()
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    h, sine, cosine = np.hypot(x, y), share_of_length(x, y), share_of_length(y, x)
    return g * (over(sine - cosine, h) * over(sine + cosine, h))


arctan2 = ufunc(
    np.arctan2,
    r"\operatorname{arctan2}(x, y)",
    (rule_in_float32()(lambda g, z, x, y: g * slope_of_angle(x, y)), r"\frac{y}{x^2 + y^2}"),
    (rule_in_float32()(lambda g, z, x, y: g * -slope_of_angle(y, x)), r"-\frac{x}{x^2 + y^2}"),
    domain=(NONZERO, NONZERO),
    note="0 at the origin, where no direction is special",
)
deg2rad = ufunc(np.deg2rad, r"\frac{\pi}{180} \cdot x", (lambda g, z, x: g * (pi / 180), r"\frac{\pi}{180}"))
rad2deg = ufunc(np.rad2deg, r"\frac{180}{\pi} \cdot x", (lambda g, z, x: g * (180 / pi), r"\frac{180}{\pi}"))


@op(r"\frac{\sin \pi x}{\pi x}", numpy=np.sinc, broadcasts=True, examples=(*ELEMENTWISE, example((4,), order=2)))
@in_float32
def sinc(x: Any, order: int = 0) -> Any:
    """``sin(πx) / (πx)``, 1 at 0, or its derivative of an order: each derivative is right at 0 as well.

    Near 0 it is summed as the Taylor series; elsewhere from the n-fold derivative of ``x · s = sin(πx) / π``,
    which is ``x · s⁽ⁿ⁾ + n · s⁽ⁿ⁻¹⁾ = πⁿ⁻¹ · sin(πx + nπ/2)``.
    """
    return np.sinc(x) if order == 0 else in_blocks(partial(_sinc, order), x)


def _sinc(order: int, x: Any) -> Any:
    near = np.abs(x) < (order + 1) / 4
    small, far = np.where(near, x, 0), np.where(near, 1, x)
    powers = range(order % 2, 24 + 4 * order, 2)
    series = sum(
        (-1) ** ((order + m) // 2) * pi ** (order + m) / ((order + m + 1) * math.factorial(m)) * small**m
        for m in powers
    )
    slope = np.sinc(far)
    for n in range(1, order + 1):
        slope = (pi ** (n - 1) * np.sin(pi * far + n * pi / 2) - n * slope) / far
    return np.where(near, series, slope)


@sinc.vjp(r"\frac{\cos \pi x - z}{x}")
@rule_in_float32()
def _(g: Any, z: Any, x: Any, order: int = 0) -> Any:
    return g * sinc(x, order=order + 1)


# -- choosing ------------------------------------------------------------------------------------------

absolute = ufunc(
    np.absolute,
    r"\left|x\right|",
    (
        lambda g, z, x: g * (over(np.conj(x), z) if is_complex(x) else np.sign(x)),
        r"\operatorname{sign} x",
    ),
    domain=NONZERO,
    note="0 at 0, the middle of the subdifferential",
)


@composed(r"\left|x\right|", numpy=np.fabs, domain=NONZERO, examples=ELEMENTWISE)
def fabs(x: Any) -> Any:
    """`absolute`, in floating point even where ``x`` is of whole numbers."""
    floating = np.result_type(x.dtype, np.float16)
    return np.absolute(x if x.dtype == floating else x.astype(floating))


copysign = ufunc(
    np.copysign,
    r"\left|x\right| \cdot \operatorname{sign} y",
    (lambda g, z, x, y: g * (np.sign(x) * np.sign(z)), r"\operatorname{sign} x \cdot \operatorname{sign} y"),
    FLAT_2,
    domain=(NONZERO, NONZERO),
    note="0 at x = 0",
)

# Sharing is the only choice under which max(x, x) has the derivative of x.
maximum = ufunc(
    np.maximum,
    r"\max(x, y)",
    (lambda g, z, x, y: g * larger(x, y, g), r"[x > y] + \tfrac{1}{2}[x = y]"),
    (lambda g, z, x, y: g * larger(y, x, g), r"[x < y] + \tfrac{1}{2}[x = y]"),
    note="tied arguments share equally",
)
minimum = ufunc(
    np.minimum,
    r"\min(x, y)",
    (lambda g, z, x, y: g * larger(y, x, g), r"[x < y] + \tfrac{1}{2}[x = y]"),
    (lambda g, z, x, y: g * larger(x, y, g), r"[x > y] + \tfrac{1}{2}[x = y]"),
    note="tied arguments share equally",
)


NUMBERS = (example((2, 3), (3,)), example((), ()), example(np.array([np.nan, 1.0]), (2,)))


def beside_nan(share: Any, x: Any, y: Any) -> Any:
    """The ``share`` of ``x``, which is all where ``y`` is NaN, and nothing where both are."""
    return np.where(np.equal(y, y), share, np.equal(x, x))  # one of them may be a plain number


fmax = ufunc(
    np.fmax,
    r"\max(x, y)",
    (lambda g, z, x, y: g * beside_nan(larger(x, y, g), x, y), r"[x > y] + \tfrac{1}{2}[x = y]"),
    (lambda g, z, x, y: g * beside_nan(larger(y, x, g), y, x), r"[x < y] + \tfrac{1}{2}[x = y]"),
    examples=NUMBERS,
    note="tied arguments share equally; a NaN gets nothing",
)
fmin = ufunc(
    np.fmin,
    r"\min(x, y)",
    (lambda g, z, x, y: g * beside_nan(larger(y, x, g), x, y), r"[x < y] + \tfrac{1}{2}[x = y]"),
    (lambda g, z, x, y: g * beside_nan(larger(x, y, g), y, x), r"[x > y] + \tfrac{1}{2}[x = y]"),
    examples=NUMBERS,
    note="tied arguments share equally; a NaN gets nothing",
)


@op(
    r"\operatorname{where}(x, y, w)",
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


@where.vjp(r"[x]", arg="x")
def _(g: Any, z: Any, condition: Any, x: Any, y: Any) -> Any:
    return np.where(condition, g, 0)


@where.vjp(r"[\neg x]", arg="y")
def _(g: Any, z: Any, condition: Any, x: Any, y: Any) -> Any:
    return np.where(condition, 0, g)


@where.implements(np.where)
def _(condition: Any, x: Any = None, y: Any = None) -> Any:
    condition = plain(condition)
    if x is None and y is None:
        return np.nonzero(condition)
    if x is None or y is None:
        raise ValueError(
            "where: expected both x and y, or neither of them for the places where the condition holds, got one"
        )
    return where(condition, x, y)


@composed(
    r"\min(\max(x, a), b)",
    numpy=np.clip,
    examples=(example((3, 4), -0.5, 0.5), example((), None, 0.3), example((0,), 0.0)),
)
def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """``x`` held between two bounds, either of which may be None."""
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if low is None or high is None:
        x = x if low is None else np.maximum(x, low)
        return x if high is None else np.minimum(x, high)
    return clamp(x, low, high)


LOW, HIGH = np.full((1, 3), -9.0), np.full((1, 3), 9.0)  # beyond all numbers that are drawn


@op(
    r"\min(\max(x, y), w)",
    broadcasts=True,
    examples=(
        example((3, 4), (4,), (3, 1)),
        example((), (), ()),
        *(example(x, LOW, HIGH) for x in ((2, 3), (2, 1))),
        *(example(LOW, a, HIGH) for a in ((2, 3), (2, 1))),
        *(example(HIGH, (3,), b) for b in ((2, 3), (2, 1))),
    ),
)
def clamp(x: Any, a: Any, b: Any) -> Any:
    """``x`` held between two bounds; at a bound ``x`` and the bound share the gradient equally."""
    return np.minimum(np.maximum(x, a), b)


@clamp.vjp(r"[y < x < w]")
def _(g: Any, z: Any, x: Any, a: Any, b: Any) -> Any:
    return g * (larger(x, a, g) * larger(b, x, g))


@clamp.vjp(r"[x < y < w]")
def _(g: Any, z: Any, x: Any, a: Any, b: Any) -> Any:
    return g * (larger(a, x, g) * larger(b, a, g))


@clamp.vjp(r"[w < \max(x, y)]")
def _(g: Any, z: Any, x: Any, a: Any, b: Any) -> Any:
    return g * larger(np.maximum(x, a), b, g)


@composed(
    r"x_i \text{ for the first true } c_i",
    numpy=np.select,
    examples=(
        example([np.array([True, False, False]), np.array([True, True, False])], [(3,), (2, 3)], ()),
        example([np.array(True)], [()]),
        example([np.zeros((0, 2), bool)], [(2,)]),
    ),
)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Of several choices, element by element, the first whose condition holds."""
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            f"select: expected as many choices as conditions, at least one, got {len(choicelist)} and {len(condlist)}"
        )
    for condition, choice in reversed([*zip(condlist, choicelist, strict=True)]):
        default = np.where(condition, choice, default)
    return default


@op(
    r"x \text{ if finite}",
    numpy=np.nan_to_num,
    broadcasts=True,
    examples=(*ELEMENTWISE, example(np.array([np.nan, 1.0])), example((2,), nan=1.0)),
)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """``x`` with numbers in place of NaN and of infinities; what was replaced gets no gradient."""
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@nan_to_num.vjp(r"[x \text{ is finite}]")
def _(g: Any, z: Any, x: Any, **_: Any) -> Any:
    if is_complex(x):  # each part by itself
        return g.real * np.isfinite(x.real) + 1j * (g.imag * np.isfinite(x.imag))
    return g * np.isfinite(x)


def check_real(name: str, x: Any) -> None:
    """Refuse complex numbers, as NumPy does."""
    if x.dtype.kind == "c":
        raise TypeError(f"{name}: expected real numbers, got complex ones, of {x.dtype}")


# -- taken apart -----------------------------------------------------------------------------------------


@composed(r"(x \bmod 1, \operatorname{trunc} x)", numpy=np.modf, examples=(example((2, 3)), example(())))
def modf(x: Any) -> Any:
    """What follows the point, and what stands before it, both with the sign of ``x``."""
    check_real("modf", x)
    return np.where(np.isinf(x), np.copysign(0, plain(x)), np.fmod(x, 1)), np.trunc(x)


@composed(r"x \cdot 2^y", numpy=np.ldexp, examples=(example((2, 3), np.array([1, -2, 0])), example((), 3)))
def ldexp(x: Any, exponents: Any) -> Any:
    """``x`` times a whole power of two."""
    check_real("ldexp", x if hasattr(x, "dtype") else np.asarray(x))
    exponents = plain(exponents)
    exponents = exponents if hasattr(exponents, "dtype") else np.asarray(exponents)
    if exponents.dtype.kind not in "iu":
        raise TypeError(
            f"ldexp: expected whole numbers as exponents, got {exponents.dtype}; write x * 2.0 ** exponents"
        )
    return times_power(x, exponents)


@composed(r"(x \cdot 2^{-k}, k)", numpy=np.frexp, domain=NONZERO, examples=(example((2, 3)), example(())))
def frexp(x: Any) -> Any:
    """A number between 1/2 and 1, or -1/2 and -1, and the power of two that it was divided by, a plain array."""
    check_real("frexp", x)
    exponents = np.frexp(plain(x))[1]
    return times_power(x, -exponents), exponents


# A mean of cosh(x cos θ) over equal angles: 256 of them, of which a quarter is different, are exact to the last digit
# for all numbers whose result is finite.
COSINES = np.cos((np.arange(64) + 0.5) * (np.pi / 128))


@composed(r"\frac{1}{\pi} \int_0^\pi e^{x \cos t} \, dt", numpy=np.i0, examples=ELEMENTWISE)
@in_float32
def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 0, with all its derivatives."""
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    half = np.sinh(np.expand_dims(x, -1) * asarray_like(x, (COSINES / 2).astype(x.dtype)))
    return 1 + np.sum(half / 32 * half, -1)


# -- copies --------------------------------------------------------------------------------------------


@op(r"x", examples=ELEMENTWISE)
def astype(x: Any, dtype: Any = np.float64) -> Any:
    """``x`` in another floating dtype; the gradient comes back in the dtype of ``x``."""
    return x.astype(dtype)


@astype.vjp(r"1")
def _(g: Any, z: Any, x: Any, dtype: Any = np.float64) -> Any:
    return g  # which the walk brings to the dtype of x


NUMPY[Tensor.astype] = astype
if hasattr(np, "astype"):  # from NumPy 2.1 on

    @astype.implements(np.astype)
    def _(x: Any, dtype: Any, *, copy: bool = True) -> Any:
        return x.astype(dtype, copy=copy)


@op(r"x", examples=ELEMENTWISE)
def copy(x: Any) -> Any:
    """``x`` in memory of its own."""
    return np.copy(x)


@copy.vjp(r"1")
def _(g: Any, z: Any, x: Any) -> Any:
    return g


@copy.implements(np.copy)
def _(x: Any, order: str = "K", subok: bool = False) -> Any:  # which are about memory and not about numbers
    return copy(x)


@op(r"x", examples=ELEMENTWISE)
def identity(x: Any) -> Any:
    """``x`` itself under a new node, which the transforms differentiate with respect to."""
    return x


@identity.vjp(r"1")
def _(g: Any, z: Any, x: Any) -> Any:
    return g


# Names that NumPy has twice.
deg2rad.implements(np.radians)(deg2rad)
rad2deg.implements(np.degrees)(rad2deg)
trunc.implements(np.fix)(trunc)
