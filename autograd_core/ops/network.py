"""What neural networks need and NumPy lacks."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..arrays import asarray_like
from ..dispatch import plain
from ..domain import ELEMENTWISE, NONZERO, POSITIVE, example
from ..op import is_complex, op
from ..optional import needed
from .elementwise import in_blocks, over, sigmoid
from .half import in_float32, rule_in_float32
from .reduce import REDUCTIONS, spread

_ZERO = np.float64(0)


@op(r"\max(x, 0)", broadcasts=True, domain=NONZERO, examples=ELEMENTWISE)
def relu(x: Any) -> Any:
    """``max(x, 0)``, whose derivative at 0 is 0, as everywhere in the field.

    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    if type(x) is np.float64:  # for a single number np.maximum takes twenty times as long
        return _ZERO if x <= 0 else x
    return np.maximum(x, 0)


@relu.vjp(r"[x > 0]")
def _(g: Any, z: Any, x: Any) -> Any:
    return g * (x > 0)


@op(r"\ln(1 + e^{x})", broadcasts=True, examples=ELEMENTWISE)
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``, a smooth `relu`, without overflow and with full relative precision.

    >>> softplus(np.array([-1e4, 0.0, 1e4])).round(4)
    array([0.000e+00, 6.931e-01, 1.000e+04])
    """
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@softplus.vjp(r"\sigma(x)")
def _(g: Any, z: Any, x: Any) -> Any:
    return g * sigmoid(x)


# Ratios of polynomials for erf below 1/2, for erfc · exp(x²) up to 4, and of 1/x² for the same beyond it, highest power
# first, from W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23
# (1969), 631-637.
_ERF_ABOVE = (
    1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
    3.20937758913846947e3,
)  # fmt: skip
_ERF_BELOW = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_ERFC_ABOVE = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
    2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
    1.23033935479799725e3,
)  # fmt: skip
_ERFC_BELOW = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip
_FAR_ABOVE = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
_FAR_BELOW = (
    1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
    2.33520497626869185e-3,
)  # fmt: skip


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    value: Any = coefficients[0]
    for c in coefficients[1:]:
        value = value * x + c
    return value


def _of_complex(name: str, x: Any) -> Any:
    """By the Faddeeva function, which SciPy has."""
    return getattr(needed("scipy.special", f"{name} of complex numbers", "scipy"), name)(x)


@op(r"\operatorname{erf} x", broadcasts=True, examples=ELEMENTWISE, complex=True)
@in_float32
def erf(x: Any) -> Any:
    """The error function ``2/√π ∫₀ˣ exp(-t²) dt``, to 4 units in the last place of float64; SciPy's of complex numbers.

    >>> erf(np.array([0.0, 0.5, 1.0, 9.0]))
    array([0.        , 0.52049988, 0.84270079, 1.        ])
    """
    return _of_complex("erf", x) if is_complex(x) else in_blocks(_erf, x)


def _erf_near_0(x: Any) -> Any:
    s = np.minimum(np.abs(x), 0.5) ** 2
    return x * (_polynomial(_ERF_ABOVE, s) / _polynomial(_ERF_BELOW, s))


def _erf(x: Any) -> Any:
    y = np.minimum(np.abs(x), 6)  # beyond it the result is 1
    low = _erf_near_0(x)
    high = 1 - np.exp(-y * y) * (_polynomial(_ERFC_ABOVE, y) / _polynomial(_ERFC_BELOW, y))
    return np.where(y < 0.477, low, np.copysign(high, x))


@erf.vjp(r"\frac{2}{\sqrt{\pi}} \cdot e^{-x^2}")
@rule_in_float32()
def _(g: Any, z: Any, x: Any) -> Any:
    return g * (2 / math.sqrt(math.pi) * np.exp(-x * x))


@op(r"\operatorname{erfc} x", broadcasts=True, examples=ELEMENTWISE, complex=True)
@in_float32
def erfc(x: Any) -> Any:
    """``1 - erf(x)``, with full relative precision where that is small: the tail of the normal distribution.

    >>> erfc(np.array([-9.0, 0.0, 1.0, 9.0]))
    array([2.00000000e+00, 1.00000000e+00, 1.57299207e-01, 4.13703175e-37])
    """
    return _of_complex("erfc", x) if is_complex(x) else in_blocks(_erfc, x)


def _erfc(x: Any) -> Any:
    y = np.minimum(np.abs(x), 30)  # beyond it the result is 0 or 2
    near, s = np.minimum(y, 4), 1 / np.square(np.maximum(y, 4))
    middle = _polynomial(_ERFC_ABOVE, near) / _polynomial(_ERFC_BELOW, near)
    far = (1 / math.sqrt(math.pi) - s * (_polynomial(_FAR_ABOVE, s) / _polynomial(_FAR_BELOW, s))) * np.sqrt(s)
    tail = np.exp(-y * y) * np.where(y < 4, middle, far)
    return np.where(y < 0.477, 1 - _erf_near_0(x), np.where(x < 0, 2 - tail, tail))


@erfc.vjp(r"-\frac{2}{\sqrt{\pi}} \cdot e^{-x^2}")
@rule_in_float32()
def _(g: Any, z: Any, x: Any) -> Any:
    return g * (-2 / math.sqrt(math.pi) * np.exp(-x * x))


@op(r"\ln \sum e^{x}", examples=REDUCTIONS)
@in_float32
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The logarithm of the sum of the exponentials, without overflow; -inf where every element is -inf.

    The derivatives add up to 1, but are 0 where every element is -inf; elements that are inf share equally.

    Parameters
    ----------
    x : array_like
        Numbers of any shape.
    axis : int or sequence of int, optional
        Along which to add up, one axis or a tuple of them; None adds up all.
    keepdims : bool
        Whether these axes stay, with length 1.

    Returns
    -------
    array
        In the shape of ``x`` without ``axis``.

    Examples
    --------
    >>> (logsumexp(np.array([1e4, 1e4])) - 1e4).round(6)
    np.float64(0.693147)
    """
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):  # log 0 is -inf here, as it should be
        z = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return z if keepdims else np.reshape(z, np.shape(np.max(x, axis=axis)))


@logsumexp.vjp(r"e^{x_i - z}")
@rule_in_float32(logsumexp)
def _(g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    most = np.finfo(x.dtype).max  # in place of ∞, beside which all else is nothing
    z = np.minimum(np.where(z == -np.inf, 0, z), most)
    e = np.exp(np.minimum(x, most) - spread(z, x, axis, keepdims))
    # They add up to 1, but for what z was rounded by, where several are ∞, and where every element is -inf.
    return spread(g, x, axis, keepdims) * over(e, np.sum(e, axis=axis, keepdims=True))


LANES = (example((2, 3)), example((2, 3), axis=0), example((3,)), example((0, 3)), example((2, 1, 2), axis=(0, -1)))


@op(r"\frac{e^{x_i}}{\sum_j e^{x_j}}", examples=LANES)
@in_float32
def softmax(x: Any, axis: Any = -1) -> Any:
    """The exponentials of the elements, scaled to add up to 1 along an axis (or several).

    >>> softmax(np.log(np.array([1.0, 2.0, 5.0])))
    array([0.125, 0.25 , 0.625])
    """
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


@softmax.vjp(r"z_i \cdot ([i = j] - z_j)")
@rule_in_float32(softmax)
def _(g: Any, z: Any, x: Any, axis: Any = -1) -> Any:
    return z * _off_mean(g, z, axis)


def _off_mean(g: Any, z: Any, axis: Any) -> Any:
    """``g`` less its mean, in which each counts as much as ``z`` says, of which all add up to 1.

    Where one is more than half of it, all are counted from there: its own distance is made of the others', and does
    not vanish beside them.
    """
    g = g - np.sum(np.where(z > 0.5, g, 0), axis=axis, keepdims=True)
    return g - np.sum(g * z, axis=axis, keepdims=True)


@op(r"\frac{x_i}{\sum_j x_j}", domain=POSITIVE, examples=LANES)
@in_float32
def normalized(x: Any, axis: Any = -1) -> Any:
    """The elements, scaled to add up to 1 along an axis (or several).

    >>> normalized(np.array([1.0, 2.0, 5.0]))
    array([0.125, 0.25 , 0.625])
    """
    return x / np.sum(x, axis=axis, keepdims=True)


@normalized.vjp(r"\frac{[i = j] - z_i}{\sum_k x_k}")
@rule_in_float32(normalized)
def _(g: Any, z: Any, x: Any, axis: Any = -1) -> Any:
    return _off_mean(g, z, axis) / np.sum(x, axis=axis, keepdims=True)


@op(r"x_i - \ln \sum_j e^{x_j}", examples=LANES)
@in_float32
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of `softmax`, with full relative precision where that is close to 1.

    As in `softmax` the shape stays; ValueError for an axis that is not there.

    >>> log_softmax(np.array([0.0, 1e4]))
    array([-10000.,      0.])
    >>> print(log_softmax(np.array([0.0, 50.0]))[1])
    -1.9287498479639178e-22
    """
    x = x - np.max(x, axis=axis, keepdims=True)
    first = x == 0  # the largest, and its equals
    rest = np.sum(np.where(first, 0, np.exp(x)), axis=axis, keepdims=True)
    return x - np.log1p(rest + (np.sum(first, axis=axis, keepdims=True) - 1).astype(x.dtype))


@log_softmax.vjp(r"[i = j] - e^{z_j}")
@rule_in_float32(log_softmax)
def _(g: Any, z: Any, x: Any, axis: Any = -1) -> Any:
    p = np.exp(z)
    sure = p > 0.5

    def others(of: Any, rest: Any) -> Any:
        return np.where(sure, np.sum(np.where(sure, 0, of), axis=axis, keepdims=True), rest)  # which would cancel

    return g * others(p, 1 - p) - p * others(g, np.sum(g, axis=axis, keepdims=True) - g)


def one_hot(indices: Any, num_classes: int, dtype: Any = np.float64) -> Any:
    """A plain array with a 1 at each index along a new last axis, and only zeros where there is no such class.

    Parameters
    ----------
    indices : array_like of int
        Class numbers, of any shape.
    num_classes : int
        How many classes there are, from 0 on.
    dtype : dtype, optional
        Of the result.

    Returns
    -------
    array
        From (…) to (…, num_classes).

    Raises
    ------
    TypeError
        For what holds no numbers.
    ValueError
        When ``num_classes`` is below 0.

    Examples
    --------
    >>> one_hot([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    indices = plain(indices)
    indices = indices if hasattr(indices, "dtype") else np.asarray(indices)
    if indices.dtype.kind not in "biuf":
        raise TypeError(f"one_hot: expected whole numbers, got an array of {indices.dtype}")
    if operator.index(num_classes) < 0:
        raise ValueError(f"num_classes: expected a whole number from 0 on, got {num_classes}")
    return (np.expand_dims(indices, -1) == asarray_like(indices, np.arange(num_classes))).astype(dtype)
