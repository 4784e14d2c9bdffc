"""Reductions and scans: many elements to one, along the axes that are asked for."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..arrays import asarray_like, decide, to_numpy
from ..dispatch import plain
from ..domain import NONZERO, example
from ..op import composed, is_complex, op
from ..tensor import Tensor
from .half import in_float32, rule_in_float32
from .scale import has_all_digits, in_scale, is_extreme, is_moderate, times_power

REDUCTIONS = (
    example((2, 3)),
    example((2, 3), axis=0),
    example((2, 3, 2), axis=(0, -1)),
    example((2, 3), axis=1, keepdims=True),
    example(()),
    example((1, 4), axis=0),
    example((0, 3), axis=1),
)
EMPTY = (example((0, 3)), example((0, 3), axis=0), example((3, 0), axis=0))
SCANS = (
    example((4,)),
    example(()),
    example(np.array(0.0), axis=0),
    example((2, 3)),
    example((2, 3), axis=0),
    example((2, 3), axis=-1),
    example((0, 3), axis=1),
)
ZEROS = (
    example(np.array([[0.0, 2.0, -3.0], [1.5, 0.5, 2.0]]), axis=1),
    example(np.array([[0.0, 2.0, 0.0], [1.5, 0.0, 2.0]]), axis=-1),
)


def axes_of(x: Any, axis: Any) -> tuple[int, ...]:
    """The axes that ``axis`` means, counted from the front."""
    if axis is None or not np.ndim(x):  # NumPy lets a number be reduced along axis 0
        return tuple(range(np.ndim(x)))
    return normalize_axis_tuple(axis, np.ndim(x))


def count(x: Any, axis: Any) -> int:
    """How many elements go into one of a reduced result."""
    return math.prod(np.shape(x)[a] for a in axes_of(x, axis))


def lanes_of(x: Any, axis: Any) -> Any:
    """``x`` with all that ``axis`` means along one axis, the last."""
    axes = axes_of(x, axis)
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    return np.reshape(moved, (*np.shape(moved)[: np.ndim(x) - len(axes)], count(x, axis)))


def spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Repeat what belongs to a reduced result along the axes that were reduced: the adjoint of a sum."""
    if type(g) is np.float64 and type(x) is np.ndarray:  # most sums: the same view in a fifth of the time
        return np.ndarray(x.shape, g.dtype, g, 0, (0,) * x.ndim)
    if type(g) is type(x) is np.float64:
        return g
    return np.broadcast_to(_beside(g, x, axis, keepdims), np.shape(x))


def _beside(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """What belongs to a reduced result, in a shape that broadcasts with ``x``: where both meet, nothing is repeated."""
    return g if keepdims or not np.ndim(g) else np.expand_dims(g, axes_of(x, axis))


# -- sums ----------------------------------------------------------------------------------------------


@op(r"\sum x", numpy=np.sum, examples=REDUCTIONS + EMPTY)
@in_float32
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of the elements: each receives the gradient whole."""
    return np.sum(x, axis=axis, keepdims=keepdims)


@sum.vjp(r"1")
def _(g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return spread(g, x, axis, keepdims)


@op(r"\frac{1}{n} \sum x", numpy=np.mean, examples=(*REDUCTIONS, example((3, 0), axis=0)))
@in_float32
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of the elements: each receives an equal part of the gradient."""
    return np.mean(x, axis=axis, keepdims=keepdims)


@mean.vjp(r"\frac{1}{n}")
@rule_in_float32()
def _(g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return spread(g / count(x, axis), x, axis, keepdims)


@composed(
    r"\frac{\sum w \cdot x}{\sum w}",
    numpy=np.average,
    examples=(
        example((2, 3)),
        example((2, 3), axis=1),
        example((2, 3), axis=1, weights=np.array([0.2, 0.5, 0.3])),
        example((2, 3), weights=np.array([[1.0, 2.0, 0.5], [0.3, 1.0, 1.0]])),
        example((2, 3), axis=-1, keepdims=True),
    ),
)
@in_float32
def average(x: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """The mean, weighted if ``weights`` (like ``x``, or one for each place along the axes) are given."""
    axis = None if axis is None else normalize_axis_tuple(axis, np.ndim(x))
    if weights is None:
        value = np.mean(x, axis=axis, keepdims=keepdims)
        return (value, np.full_like(value, count(x, axis))) if returned else value
    if np.shape(weights) != np.shape(x):
        if axis is None or np.shape(weights) != tuple(np.shape(x)[a] for a in axis):
            raise (TypeError if axis is None else ValueError)(
                f"weights: expected the shape of x, {list(np.shape(x))}, or one number for each place along the axes "
                f"that are given, got shape {list(np.shape(weights))} with axis={axis}"
            )
        weights = np.transpose(weights, np.argsort(axis).tolist())
        weights = np.expand_dims(weights, [a for a in range(np.ndim(x)) if a not in axis])
    weights = np.broadcast_to(weights, np.shape(x))
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    if decide(np.any(total == 0)):
        raise ZeroDivisionError(
            "weights: expected a sum other than 0, by which the average is divided, got weights of shape "
            f"{list(np.shape(weights))} that add up to 0"
        )
    value = np.sum(x * weights, axis=axis, keepdims=keepdims) / total
    return (value, total if total.dtype == value.dtype else total.astype(value.dtype)) if returned else value


SPREADS = (*REDUCTIONS[:4], example((2, 3), axis=-1, ddof=1), example((0, 3), axis=1))


@composed(r"\frac{1}{n - d} \sum (x - \bar x)^2", numpy=np.var, examples=SPREADS)
@in_float32
def var(
    x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, *, mean: Any = None, correction: Any = None
) -> Any:
    """The mean squared distance from the mean; ``ddof=1`` (or ``correction=1``) divides by n - 1."""
    off = _off(x, axis) if mean is None else x - mean
    return np.sum(squares(off), axis=axis, keepdims=keepdims) / _degrees(x, axis, ddof, correction)


def squares(x: Any) -> Any:
    """The squares of the sizes."""
    return np.square(x.real) + np.square(x.imag) if is_complex(x) else x * x


@composed(r"\sqrt{\tfrac{1}{n - d} \sum (x - \bar x)^2}", numpy=np.std, examples=SPREADS)
@in_float32
def std(
    x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, *, mean: Any = None, correction: Any = None
) -> Any:
    """The square root of the variance; where all elements are equal its derivatives are 0, as those of a norm."""
    degrees = _degrees(x, axis, ddof, correction)
    if is_complex(x):
        return root_mean_square(
            np.abs(_off(x, axis) if mean is None else x - mean), axis=axis, keepdims=keepdims, degrees=degrees
        )
    if mean is not None:
        return root_mean_square(x - mean, axis=axis, keepdims=keepdims, degrees=degrees)
    return root_mean_square(x, axis=axis, keepdims=keepdims, degrees=degrees, centered=True)


def _degrees(x: Any, axis: Any, ddof: float, correction: Any) -> float:
    """What a sum of squares is divided by."""
    if ddof and correction is not None:
        raise ValueError(
            f"ddof and correction: expected one of these two names of one number, got {ddof} and {correction}"
        )
    return builtins.max(count(x, axis) - _of_python(ddof if correction is None else correction), 0)


def _of_python(number: Any) -> Any:
    """One of NumPy's numbers as one of Python's, beside which float32 stays float32."""
    return number.item() if isinstance(number, np.generic) else number


def _off(x: Any, axis: Any) -> Any:
    """The distances from the mean; none where there is none, so that of no elements only the division speaks."""
    return x - np.mean(x, axis=axis, keepdims=True) if count(x, axis) else x


@op(r"\sqrt{\sum x^2}", examples=(*REDUCTIONS, example((0, 3), axis=0)))
@in_float32
def length(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The Euclidean norm. Its derivatives are 0 at 0, where no direction is special and the second has no bound.

    So the second derivative of its square is 0 there too, where that of ``sum(x * x)`` is 2: write that instead.
    """
    return _root_of_squares(x, axis, keepdims, 1)


@length.vjp(r"\frac{x}{z}")
@rule_in_float32(length)
def _(g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _beside(g, x, axis, keepdims) * _per(length, z, x, axis, keepdims)


@op(
    r"\sqrt{\tfrac{1}{d} \sum x^2}",
    examples=(
        *REDUCTIONS[:4],
        example((2, 3), axis=-1, degrees=2, centered=True),
        example((0, 3), axis=0),
    ),
)
@in_float32
def root_mean_square(
    x: Any, axis: Any = None, keepdims: bool = False, degrees: float = 1, centered: bool = False
) -> Any:
    """The root of squares whose sum is divided by ``degrees``; its derivatives are 0 at 0, as those of `length`.

    Where it is ``centered`` the squares are of the distances from the mean.
    """
    if not centered:
        return _root_of_squares(x, axis, keepdims, degrees)
    z = _root_of_squares(_off(x, axis), axis, keepdims, degrees)
    if decide(is_moderate(z)):
        return z
    half = np.frexp(_outermost(np.abs(x), 2, axis, keepdims=True))[1] // 2  # a mean near the edges loses digits
    z = _root_of_squares(_off(times_power(x, -half), axis), axis, keepdims, degrees)
    return times_power(z, np.reshape(half, np.shape(z)))


@root_mean_square.vjp(r"\frac{x}{d \cdot z}")
@rule_in_float32(root_mean_square)
def _(
    g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False, degrees: float = 1, centered: bool = False
) -> Any:
    if centered:
        if not decide(is_moderate(plain(z))):
            x = times_power(x, -np.frexp(_outermost(np.abs(plain(x)), 2, axis, keepdims=True))[1])
            z = root_mean_square(x, axis=axis, keepdims=keepdims, degrees=degrees, centered=True)
        x = _off(x, axis)
    return _beside(g / degrees, x, axis, keepdims) * _per(root_mean_square, z, x, axis, keepdims, degrees=degrees)


def _per(norm: Any, z: Any, x: Any, axis: Any, keepdims: bool, **params: Any) -> Any:
    """``x / z`` for ``z = norm(x)``, 0 where that is 0; it has all digits where ``z`` has few, or is infinite."""
    if decide(np.any(is_extreme(plain(z)))):
        x = in_scale(x, _outermost(np.abs(plain(x)), params.get("ord", 2), axis, keepdims=True))
        z = norm(x, axis=axis, keepdims=keepdims, **params)
    return x / _beside(np.where(z == 0, np.inf, z), x, axis, keepdims)


def _outermost(sizes: Any, ord: float, axis: Any, keepdims: bool) -> Any:
    """The largest, or of an order below 0 the smallest, along an axis; the largest of none is 0, as their sum is."""
    choose = np.min if ord < 0 else np.max if count(sizes, axis) else np.sum
    return choose(sizes, axis=axis, keepdims=keepdims)


def _root_of_squares(x: Any, axis: Any, keepdims: bool, degrees: float) -> Any:
    with np.errstate(over="ignore", under="ignore"):
        total = np.sum(np.square(x), axis=axis, keepdims=keepdims)
    if decide(is_moderate(total)):
        return np.sqrt(total if degrees == 1 else total / degrees)
    largest = _outermost(np.abs(x), 2, axis, keepdims=True)
    # Dividing by a power of two changes no digit, and the squares neither overflow nor vanish.
    scale = np.ldexp(np.ones_like(largest), np.frexp(largest)[1] - 1)
    total = np.sum(np.square(x / scale), axis=axis, keepdims=keepdims)
    return np.sqrt(total if degrees == 1 else total / degrees) * np.reshape(scale, np.shape(total))


@op(r"\sum_{j \le i} x_j", numpy=np.cumsum, examples=SCANS)
@in_float32
def cumsum(x: Any, axis: Any = None) -> Any:
    """The running sum along an axis, by default of all elements in a row."""
    return np.cumsum(x, axis=axis)


@cumsum.vjp(r"[j \le i]")
@rule_in_float32()
def _(g: Any, z: Any, x: Any, axis: Any = None) -> Any:
    axis = axis or 0
    return np.reshape(np.flip(np.cumsum(np.flip(g, axis), axis), axis), np.shape(x))


@composed(
    r"\sum_{j \le i} x_j",
    numpy=getattr(np, "cumulative_sum", None),  # from NumPy 2.1 on
    examples=(example((4,)), example((2, 3), axis=0), example((2, 3), axis=-1, include_initial=True)),
)
def cumulative_sum(x: Any, *, axis: int | None = None, include_initial: bool = False) -> Any:
    """The running sum along an axis, which may begin with the sum of nothing, 0."""
    return _running(np.cumsum, x, axis, include_initial, 0)


@composed(
    r"\prod_{j \le i} x_j",
    numpy=getattr(np, "cumulative_prod", None),
    examples=(example((4,)), example((2, 3), axis=0), example((2, 3), axis=-1, include_initial=True)),
)
def cumulative_prod(x: Any, *, axis: int | None = None, include_initial: bool = False) -> Any:
    """The running product along an axis, which may begin with the product of nothing, 1."""
    return _running(np.cumprod, x, axis, include_initial, 1)


def _running(scan: Any, x: Any, axis: int | None, include_initial: bool, start: int) -> Any:
    if np.ndim(x) == 0 or (axis is None and np.ndim(x) > 1):
        raise ValueError(f"a running result: expected an axis, axis=, where x has several, got x with {np.ndim(x)}")
    axis = normalize_axis_index(0 if axis is None else axis, np.ndim(x))
    z = scan(x, axis=axis)
    if not include_initial:
        return z
    shape = (*np.shape(z)[:axis], 1, *np.shape(z)[axis + 1 :])
    return np.concatenate((np.full_like(z, start, shape=shape), z), axis)


# -- extremes ------------------------------------------------------------------------------------------


TIES = (example(np.array([[1.0, 2.0, 2.0], [0.5, 0.5, 0.5]]), axis=1),)


@op(r"\max x", numpy=(np.max, np.amax), examples=(*REDUCTIONS, *TIES))
def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element; tied elements share the gradient equally."""
    return np.max(x, axis=axis, keepdims=keepdims)


@op(r"\min x", numpy=(np.min, np.amin), examples=(*REDUCTIONS, *TIES))
def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element; tied elements share the gradient equally."""
    return np.min(x, axis=axis, keepdims=keepdims)


@rule_in_float32()
def _share(g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The gradient of an element that was chosen, in equal parts for all that are tied with it."""
    chosen = x == spread(z, x, axis, keepdims)
    each = g / np.sum(chosen, axis=axis, keepdims=keepdims).astype(x.dtype)
    return chosen * spread(each, x, axis, keepdims)


for _extreme in (max, min):
    _extreme.vjp(r"[x_i = z] \,/\, \#\{j : x_j = z\}")(_share)


@composed(r"\max x - \min x", numpy=np.ptp, examples=REDUCTIONS)
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The distance between the extremes."""
    return np.max(x, axis=axis, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)


# -- products ------------------------------------------------------------------------------------------
# No rule that is recorded divides by an element, so all derivatives are right where some are 0. And no product on the
# way leaves the range of the numbers: powers of two are kept apart from it, which are constants to the derivatives.


@op(r"\prod x", numpy=np.prod, examples=REDUCTIONS + EMPTY + ZEROS)
@in_float32
def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product of the elements: each receives the product of the others."""
    return np.prod(x, axis=axis, keepdims=keepdims)


@prod.vjp(r"\prod_{j \ne i} x_j")
@rule_in_float32(prod)
def _(g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if not isinstance(x, Tensor) and decide(has_all_digits(x) & has_all_digits(z)):
        return _beside(g * z, x, axis, keepdims) / x
    axes = axes_of(x, axis)
    order = [*(a for a in range(np.ndim(x)) if a not in axes), *axes]
    moved = np.transpose(x, order)
    lanes = np.reshape(moved, (*np.shape(moved)[: np.ndim(x) - len(axes)], count(x, axis)))
    g = np.reshape(g, (*np.shape(lanes)[:-1], 1))
    before, behind = _before(lanes), _before(lanes[..., ::-1])[..., ::-1]
    others, n = before * behind, np.shape(lanes)[-1]
    if decide(has_all_digits(plain(before)) & has_all_digits(plain(behind)) & has_all_digits(plain(others))):
        shares = g * others
    elif is_complex(x) or (isinstance(x, Tensor) and np.size(x) * n <= MANY):
        # The product of the others is a product itself: so its derivatives of any order are as right as those of one.
        shares = g * np.prod(np.where(asarray_like(x, np.eye(n, dtype=bool)), 1, lanes[..., None, :]), -1)
    else:
        powers, taken = _powers_of(lanes)
        lanes = times_power(lanes, -powers)
        others = _before(lanes) * _before(lanes[..., ::-1])[..., ::-1]
        shares = times_power(g * others, taken[..., -1:] - powers)
    back = [order.index(a) for a in range(np.ndim(x))]
    return np.transpose(np.reshape(shares, np.shape(moved)), back)


MANY = 1 << 20  # elements that may lie side by side, where not even derivatives of derivatives may lose a digit


def _powers_of(x: Any) -> tuple[Any, Any]:
    """Powers of two for the elements along the last axis, and how many are taken up to each.

    Divided by them, all products of neighbours lie between 1/2 and 2, as far as elements are neither 0 nor infinite.
    """
    digits, powers = np.frexp(plain(x))
    sizes = np.log2(np.fmax(np.fmin(np.abs(digits), 1), 0.5)) + powers
    taken = np.rint(np.cumsum(sizes, -1))
    taken = np.concatenate((0 * taken[..., :1], taken), -1)
    if isinstance(x, Tensor):  # whose derivatives pass by the powers, and may be lost there: none unless one overflows
        rise = to_numpy(taken) - np.minimum.accumulate(to_numpy(taken), -1)
        taken = taken * (0 if decide(np.all(rise < np.finfo(x.dtype).maxexp - 4)) else 1)
    return _steps(taken), taken[..., 1:]


def _steps(x: Any) -> Any:
    return x[..., 1:] - x[..., :-1]


def _before(x: Any) -> Any:
    """For each element the product of those before it along the last axis."""
    return np.concatenate((np.ones_like(x[..., :1]), np.cumprod(x, -1)[..., :-1]), -1)


@op(r"\prod_{j \le i} x_j", numpy=np.cumprod, examples=SCANS + ZEROS)
@in_float32
def cumprod(x: Any, axis: Any = None) -> Any:
    """The running product along an axis, by default of all elements in a row."""
    return np.cumprod(x, axis=axis)


# Less than the power of any product that is not 0, and less than that of a million zeros.
ZERO, NONE = -(2.0**32), -(2.0**60)


@cumprod.vjp(r"[j \le i] \prod_{k \le i, k \ne j} x_k")
@rule_in_float32(cumprod)
def _(g: Any, z: Any, x: Any, axis: Any = None) -> Any:
    if axis is None or np.ndim(x) == 0:
        return np.reshape(cumprod.rules[0](g, z, np.ravel(x), axis=0), np.shape(x))  # type: ignore[misc]
    if _is_simple(g, z, x):
        return np.flip(np.cumsum(np.flip(g * z, axis), axis), axis) / x
    x, g = np.moveaxis(x, axis, -1), np.moveaxis(g, axis, -1)
    n = np.shape(x)[-1]
    few = isinstance(x, Tensor) and np.size(x) * n * n <= MANY
    if is_complex(x) or (few and not decide(is_moderate(plain(z)))):
        until, itself = asarray_like(x, np.tri(n, dtype=bool)), asarray_like(x, np.eye(n, dtype=bool))
        others = np.prod(
            np.where(until[:, None] & ~itself, x[..., None, None, :], 1), -1
        )  # [result, of whose elements]
        return np.moveaxis(np.sum(np.where(until, g[..., None] * others, 0), -2), -1, axis)
    powers, taken = _powers_of(x)
    if not isinstance(x, Tensor):  # what lies behind a 0 is nothing, except to derivatives
        zeros = np.where(x == 0, ZERO, 0)
        powers, taken = powers + zeros, taken + np.cumsum(zeros, -1)
    x = times_power(x, -powers)
    # The largest power among the terms of each sum, which is put back last of all.
    sizes = np.where(plain(g) == 0, NONE, np.frexp(plain(g))[1] + taken)
    most = _largest_behind(sizes)
    if isinstance(g, Tensor):  # which is 0 perhaps, and whose derivatives are not: a pushforward asks for them at 0
        most = np.where(most < NONE / 2, _largest_behind(taken), most)
    most = asarray_like(x, most)
    sums = _behind(times_power(g, taken - most), times_power(x[..., 1:], _steps(most)))
    return np.moveaxis(times_power(_before(x) * sums, most - powers), -1, axis)


def _largest_behind(sizes: Any) -> Any:
    """For each element the largest of it and those behind it along the last axis."""
    return np.maximum.accumulate(to_numpy(plain(sizes))[..., ::-1], -1)[..., ::-1]


def _is_simple(g: Any, z: Any, x: Any) -> bool:
    """Whether sums of ``g · z`` over ``x`` are right: none overflows, and nobody asks for derivatives, which cancel."""
    if isinstance(x, Tensor):
        return False
    return bool(decide(is_moderate(x) & is_moderate(z) & is_moderate(np.where(g == 0, 1, g))))


def _behind(s: Any, x: Any) -> Any:
    """From ``s`` the sums ``s_i + x_i · (s_{i+1} + x_{i+1} · (s_{i+2} + …))``, in log n steps of all elements."""
    step = 1
    while step < np.shape(s)[-1]:
        s = np.concatenate((s[..., :-step] + x * s[..., step:], s[..., -step:]), -1)
        x = x[..., :-step] * x[..., step:]
        if not isinstance(x, Tensor):  # denormal numbers count for nothing here, and take long
            x = np.where(np.abs(x) < np.finfo(x.dtype).tiny, 0, x)
        step *= 2
    return s


# -- differences ---------------------------------------------------------------------------------------


@composed(
    r"x_{i+1} - x_i",
    numpy=np.diff,
    examples=(
        example((4,)),
        example((4, 3), n=2, axis=0),
        example((2, 3), prepend=0.0),
        example((2, 3), axis=0, append=np.ones((1, 3))),
        example((0, 3)),
        example((3,), n=0),
    ),
)
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along an axis, ``n`` times over."""
    if n == 0:
        return x
    if n < 0 or np.ndim(x) == 0:
        raise ValueError(f"diff: expected n ≥ 0 and at least one axis, got n={n} and x of shape {list(np.shape(x))}")
    axis = normalize_axis_index(axis, np.ndim(x))
    ends = []
    for end in (prepend, append):
        if end is not None and np.ndim(end) == 0:  # one number for each row
            end = end if hasattr(end, "dtype") else np.asarray(end, np.result_type(x.dtype, end))
            end = np.broadcast_to(asarray_like(x, end), (*np.shape(x)[:axis], 1, *np.shape(x)[axis + 1 :]))
        ends.append([] if end is None else [end])
    if ends != [[], []]:
        x = np.concatenate([*ends[0], x, *ends[1]], axis)
    every = (slice(None),) * axis
    minus = np.not_equal if x.dtype == bool else np.subtract
    for _ in range(n):
        x = minus(x[(*every, slice(1, None))], x[(*every, slice(None, -1))])
    return x


@composed(
    r"\frac{\Delta f}{\Delta x}",
    numpy=np.gradient,
    examples=(
        example((5,)),
        example((4, 3), axis=0),
        example((4, 3), 0.5, axis=-1, edge_order=2),
        example((4,), np.array([0.0, 0.5, 2.0, 2.5]), edge_order=2),
        example((4,), np.array([0.0, 0.5, 2.0, 2.5])),
    ),
)
@in_float32
def gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Second-order differences of samples: one array for each axis (a tuple where there are several).

    ``spacing`` is one distance for all axes, or for each axis a distance or the places of the samples.
    """
    axes = axes_of(f, axis)
    if len(spacing) not in (0, 1, len(axes)) or (len(spacing) == 1 < len(axes) and np.ndim(spacing[0])):
        raise TypeError(
            f"gradient: expected no spacing, one number, or one for each of the {len(axes)} axes, got {len(spacing)}"
        )
    steps = spacing * len(axes) if len(spacing) == 1 < len(axes) else spacing or (1.0,) * len(axes)
    f = f if f.dtype.kind in "fc" else f.astype(np.float64)
    slopes = tuple(_slope(f, h, a, edge_order) for h, a in zip(steps, axes, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _slope(f: Any, h: Any, axis: int, edge_order: int) -> Any:
    f = np.moveaxis(f, axis, -1)
    n = np.shape(f)[-1]
    if edge_order not in (1, 2) or n <= edge_order:
        raise ValueError(
            f"gradient: expected edge_order 1 or 2, and more samples than that along each axis, got {edge_order} and "
            f"{n} samples along axis {axis}"
        )
    if np.ndim(h) and np.shape(h) != (n,):
        raise ValueError(f"the places along axis {axis}: expected {n} numbers, got shape {list(np.shape(h))}")
    steps = asarray_like(f, np.diff(h) if np.ndim(h) else np.broadcast_to(h, (n - 1,)))
    steps = steps.astype(f.dtype) if steps.dtype != f.dtype else steps
    rise = np.diff(f) / steps  # the slopes between neighbours
    left, right = steps[:-1], steps[1:]
    # The parabola through three samples: its slope in the middle, and at the ends.
    inner = (right * rise[..., :-1] + left * rise[..., 1:]) / (left + right)
    first, last = rise[..., :1], rise[..., -1:]
    if edge_order == 2:
        first, last = 2 * first - inner[..., :1], 2 * last - inner[..., -1:]
    return np.moveaxis(np.concatenate((first, inner, last), -1), -1, axis)


# -- norms ---------------------------------------------------------------------------------------------


@composed(
    r"\left\lVert x \right\rVert",
    numpy=np.linalg.norm,
    examples=(
        example((3,)),
        example((2, 3)),
        example((2, 3), "fro", axis=(0, 1), keepdims=True),
        example((2, 3), 1, axis=0),
        example((2, 3), 3, axis=-1),
        example((2, 3), 2, axis=1, keepdims=True),
        example((2, 3), np.inf, axis=1),
        example((2, 3), -np.inf, axis=1),
        example((2, 3), 1),
        example((2, 3), "nuc"),
        example((2, 3, 2), 2, axis=(0, 2), keepdims=True),
        example((2, 3, 2), np.inf, axis=(0, 2)),
        example((2, 3), 0, axis=1),
        example(()),
    ),
)
@in_float32
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """A vector's norm of any order, or a matrix' Frobenius, largest or smallest row or column sum or singular value.

    The derivative is 0 at 0, and tied elements and singular values share where a norm is a maximum.
    """
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    axes = normalize_axis_tuple(range(np.ndim(x)) if axis is None else axis, np.ndim(x))
    if len(axes) == 2 and ord in (2, -2, "nuc"):
        values = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), compute_uv=False)
        result = np.sum(values, axis=-1) if ord == "nuc" else _outermost(values, ord, -1, keepdims=False)
        return np.expand_dims(result, axes) if keepdims else result
    x = np.abs(x) if is_complex(x) else x
    if (ord is None and (axis is None or len(axes) <= 2)) or (ord, len(axes)) in (("fro", 2), (2, 1)):
        return length(x, axis=axis, keepdims=keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        rows, columns = axes if abs(ord) == 1 else axes[::-1]
        sums = np.sum(np.abs(x), axis=rows, keepdims=True)
        result = _outermost(sums, ord, columns, keepdims=True)
        return result if keepdims else np.squeeze(result, axes)
    raise ValueError(f"norm: expected an order for {len(axes)} axes, a number for a vector, got {ord!r}")


@composed(
    r"\left\lVert x \right\rVert",
    numpy=np.linalg.vector_norm,
    examples=(
        example((2, 3)),
        example((2, 3), axis=0, ord=3),
        example((2, 3, 2), axis=(0, 2), ord=np.inf, keepdims=True),
    ),
)
def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of a vector, whose elements may lie along several axes."""
    z = np.linalg.norm(lanes_of(x, axis), ord, axis=-1)
    return np.expand_dims(z, axes_of(x, axis)) if keepdims else z


@composed(
    r"\left\lVert x \right\rVert",
    numpy=np.linalg.matrix_norm,
    examples=(example((2, 3)), example((2, 3, 2), ord=1, keepdims=True)),
)
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of each matrix, over the last two axes."""
    return np.linalg.norm(x, ord, axis=(-2, -1), keepdims=keepdims)


def _vector_norm(x: Any, ord: float, axis: int, keepdims: bool) -> Any:
    if abs(ord) == np.inf:
        return _outermost(np.abs(x), ord, axis, keepdims)
    if ord == 0:
        return np.sum(np.sign(np.abs(x)), axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    return p_norm(x, ord=_of_python(ord), axis=axis, keepdims=keepdims)


@op(
    r"(\sum \left|x\right|^p)^{1/p}",
    domain=NONZERO,
    examples=(
        example((2, 3)),
        example((2, 3), axis=0, ord=4),
        example((2, 3), axis=1, ord=0.5, keepdims=True),
        example((2, 3), axis=-1, ord=-2),
        example((0, 3), axis=0),
    ),
)
@in_float32
def p_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: float = 3) -> Any:
    """The norm of order ``ord``; an element that is 0 has no direction, so all its derivatives are 0.

    Those of an even order are the limit there, as of a power.
    """
    size = np.abs(x)
    scale = _outermost(size, ord, axis, keepdims=True)
    scale = np.where((scale == 0) | (scale == np.inf), 1, scale)
    with np.errstate(divide="ignore"):  # the norm of an order below 0 is 0 where an element is
        total = np.sum((size / scale) ** ord, axis=axis, keepdims=keepdims)
        return total ** (1 / ord) * np.reshape(scale, np.shape(total))


@p_norm.vjp(r"\operatorname{sign} x \cdot (\left|x\right| / z)^{p - 1}")
@rule_in_float32(p_norm)
def _(g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False, ord: float = 3) -> Any:
    share = _per(p_norm, z, x, axis, keepdims, ord=ord)
    if ord > 0 and ord % 2 == 0:
        return spread(g, x, axis, keepdims) * share ** (ord - 1)
    zero = share == 0 if ord < 0 else x == 0
    size = np.where(zero, 0, np.abs(np.where(zero, 1, share)) ** (ord - 1))
    return spread(g, x, axis, keepdims) * np.sign(x) * size
