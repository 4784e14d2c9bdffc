"""Order: elements change places, or are chosen by their rank, and each gradient goes back the way its element came."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..arrays import asarray_like, in_numpy, to_numpy
from ..dispatch import plain
from ..domain import example
from ..op import composed, op
from ..tensor import Tensor
from .line import between
from .missing import share_of_numbers
from .reduce import TIES, axes_of, lanes_of


@composed(
    r"\operatorname{sort} x",
    numpy=np.sort,
    examples=(example((5,)), example((2, 3), axis=0), example((2, 3), axis=None), example((0, 3)), example((4, 0))),
)
def sort(x: Any, axis: int | None = -1, *, kind: Any = None, stable: Any = None) -> Any:
    """The elements in ascending order along an axis; whatever is asked for, tied elements keep their order."""
    if axis is None:
        x, axis = np.ravel(x), -1
    return np.take_along_axis(x, np.argsort(x, axis=axis, kind="stable"), axis)


@composed(
    r"\operatorname{partition} x",
    numpy=np.partition,
    examples=(example((5,), 2), example((4, 3), 1, axis=0), example((2, 3), kth=(0, 4), axis=None)),
)
def partition(x: Any, kth: Any, axis: int | None = -1) -> Any:
    """The element that sorting would put at ``kth`` stands there, no larger ones before it, no smaller after."""
    if axis is None:
        x, axis = np.ravel(x), -1
    return np.take_along_axis(x, np.argpartition(x, kth, axis=axis), axis)


# -- by rank -------------------------------------------------------------------------------------------
# NumPy's own functions, asked of the ranks 0, 1, 2, … in place of the numbers, say between which two elements of the
# sorted ones a result lies: so every method, every error and every convention about NaN is theirs.


@op(
    r"x_{(r)}",
    examples=(
        example((5,), ranks=np.array([3])),
        example((2, 4), ranks=np.array([[0], [3]])),
        example(TIES[0].inputs[0], ranks=np.array([[1]])),
    ),
)
def order_statistic(x: Any, ranks: Any = ()) -> Any:
    """Of the lanes along the last axis the elements at ``ranks``, counted from the smallest, along a new first axis.

    Tied elements share the gradient equally, as those of a maximum.
    """
    rows = np.broadcast_to(np.sort(x, axis=-1), (len(ranks), *np.shape(x)))
    places = np.broadcast_to(np.expand_dims(ranks, -1), (*np.shape(rows)[:-1], 1))
    return np.take_along_axis(rows, places, -1)[..., 0]


@order_statistic.vjp(r"[x_i = z] \,/\, \#\{j : x_j = z\}")
def _(g: Any, z: Any, x: Any, ranks: Any = ()) -> Any:
    return builtins.sum(
        (share_of_numbers(one, place, x, -1) for one, place in zip(g, z, strict=True)), np.zeros_like(x)
    )


def _between(
    choose: Callable[..., Any], x: Any, axis: Any, keepdims: bool, skips: bool = False, q: Any = 0.5, **given: Any
) -> Any:
    """What lies in the sorted ``x`` where ``choose`` lies in the ranks; NaN where any is NaN, unless it skips them."""
    x = x if hasattr(x, "dtype") else np.asarray(x)
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    if axis is not None:
        normalize_axis_tuple(axis, np.ndim(x))  # a number has no axis here, where sums allow it one
    axes, lanes = axes_of(x, axis), lanes_of(x, axis)
    *batch, n = np.shape(lanes)
    numbers = to_numpy(np.sum(~np.isnan(plain(lanes)), axis=-1, keepdims=True))
    ranks = np.where(np.arange(n) < numbers, np.arange(float(n)), np.nan)
    given = {key: value for key, value in given.items() if value is not None}
    if "weights" in given:  # each goes where its number goes
        weights = lanes_of(_weights_of(x, axis=axis, **given), axis)
        given["weights"] = np.take_along_axis(weights, to_numpy(np.argsort(plain(lanes), -1)), -1)
    places = choose(ranks, axis=-1, **given)
    if n == 0:
        return np.mean(x, axis=axis, keepdims=keepdims)
    of_q = np.shape(places)[: np.ndim(places) - len(batch)]
    lost, places = np.isnan(places), np.nan_to_num(places)
    ends = [np.floor(places), np.ceil(places)]
    varied = isinstance(q, Tensor) and q.requires_grad
    if varied:  # and the neighbours that a place moves between: at an element it and the next, at the last that before
        left = np.maximum(np.minimum(ends[0], numbers[..., 0] - 2), 0)
        ends += [left, np.minimum(left + 1, numbers[..., 0] - 1)]
    chosen = np.reshape(np.stack(ends).astype(int), (len(ends) * math.prod(of_q), *batch))
    low, high, *around = np.reshape(order_statistic(lanes, ranks=asarray_like(x, chosen)), (len(ends), *of_q, *batch))
    part = places % 1 if skips else np.where(lost, np.nan, places % 1)
    named = {key: value for key, value in given.items() if key != "weights"}
    part = asarray_like(x, part.astype(choose(np.zeros(1, x.dtype), axis=-1, **named).dtype))
    value = between(low, high, part)
    if varied:
        moved = np.reshape(q - plain(q), (*of_q, *(1 for _ in batch))).astype(part.dtype)  # 0, but not its derivative
        slope = np.where(lost, np.nan, _places_for(in_numpy(plain(q)), numbers[..., 0], given["method"]))
        with np.errstate(invalid="ignore", over="ignore"):  # between infinities of one sign the slope is 0
            rise = np.nan_to_num(around[1] - around[0])
        value = value + rise * asarray_like(x, slope.astype(part.dtype)) * moved
    if skips:
        value = np.where(asarray_like(x, lost), np.nan, value)
    return np.expand_dims(value, [len(of_q) + a for a in axes]) if keepdims else value


def _weights_of(x: Any, weights: Any, axis: Any, method: Any) -> Any:
    """A weight for each element; they may be given for those along some axes."""
    if isinstance(weights, Tensor) and weights.requires_grad:
        raise TypeError(f"weights: expected numbers, got {weights.node.label()}; no gradient flows there: write t.data")
    weights, shape = in_numpy(plain(weights)), np.shape(x)
    np.quantile(np.zeros(shape), 0.5, axis, method=method, weights=weights)  # raises NumPy's errors
    if np.shape(weights) != shape:
        along = normalize_axis_tuple(axis, len(shape))
        weights = np.transpose(weights, np.argsort(along))
        weights = np.reshape(weights, [n if i in along else 1 for i, n in enumerate(shape)])
    return np.broadcast_to(weights, shape)


# A place among n sorted numbers is α - 1 + q (n + 1 - α - β), within 0 to n - 1 (R. J. Hyndman and Y. Fan, "Sample
# quantiles in statistical packages", 1996); for the other methods it does not move with ``q``, but jumps.
_MOVING = {
    "interpolated_inverted_cdf": (0, 1), "hazen": (1 / 2, 1 / 2), "weibull": (0, 0), "linear": (1, 1),
    "median_unbiased": (1 / 3, 1 / 3), "normal_unbiased": (3 / 8, 3 / 8),
}  # fmt: skip


def _places_for(q: Any, n: Any, method: str) -> Any:
    """How many places further one comes for 1 in ``q``."""
    q = np.reshape(q, (*np.shape(q), *(1 for _ in np.shape(n))))
    if method not in _MOVING:
        return np.zeros(np.broadcast_shapes(np.shape(q), np.shape(n)))
    a, b = _MOVING[method]
    place = a - 1 + q * (n + 1 - a - b)
    return np.where((place >= 0) & (place <= n - 1), n + 1.0 - a - b, 0.0)


RANKED = (example((5,)), example((2, 1, 2), axis=(0, -1), keepdims=True), example(TIES[0].inputs[0], axis=1))
QUANTILES = (
    example((5,), 0.3),
    example((2, 4), [0.0, 0.35, 1.0], axis=1),
    example((2, 3), 0.6, axis=0, method="hazen", keepdims=True),
)
PERCENTILES = (example((5,), 30.0), example((2, 4), np.array([10, 80]), axis=0, method="weibull"))
HOLES = np.array([[0.25, np.nan, 2.0, -1.0], [np.nan, 1.5, 0.5, 3.0]])


@composed(r"\operatorname{median} x", numpy=np.median, examples=RANKED)
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle one of the sorted elements, of an even number the mean of the two; tied elements share equally."""
    return _between(_of_ranks(np.median), x, axis, keepdims)


def _of_ranks(function: Any, *q: Any) -> Any:
    return lambda ranks, **given: function(ranks, *(in_numpy(plain(p)) for p in q), **given)


@composed(r"Q_q(x)", numpy=np.quantile, examples=QUANTILES)
def quantile(
    x: Any, q: Any, axis: Any = None, *, method: Any = "linear", keepdims: bool = False, weights: Any = None
) -> Any:
    """What a part ``q`` of the elements lies below, by any of NumPy's methods; tied elements share equally.

    Its derivative with respect to ``q`` is the slope between the two neighbours, at an element that to its right.
    """
    return _between(_of_ranks(np.quantile, q), x, axis, keepdims, q=q, method=method, weights=weights)


@composed(r"Q_{q / 100}(x)", numpy=np.percentile, examples=PERCENTILES)
def percentile(
    x: Any, q: Any, axis: Any = None, *, method: Any = "linear", keepdims: bool = False, weights: Any = None
) -> Any:
    """`quantile` with ``q`` in hundredths."""
    return _between(_of_ranks(np.percentile, q), x, axis, keepdims, q=_hundredth(q), method=method, weights=weights)


def _hundredth(q: Any) -> Any:
    return q / 100 if isinstance(q, Tensor) else q


@composed(r"\operatorname{median} x", numpy=np.nanmedian, examples=(example(HOLES, axis=1), example((4,))))
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The `median` of what is not NaN."""
    return _between(_of_ranks(np.nanmedian), x, axis, keepdims, True)


@composed(r"Q_q(x)", numpy=np.nanquantile, examples=(example(HOLES, 0.3, axis=1), example((2, 3), 0.6, axis=0)))
def nanquantile(
    x: Any, q: Any, axis: Any = None, *, method: Any = "linear", keepdims: bool = False, weights: Any = None
) -> Any:
    """The `quantile` of what is not NaN."""
    return _between(_of_ranks(np.nanquantile, q), x, axis, keepdims, True, q, method=method, weights=weights)


@composed(r"Q_{q / 100}(x)", numpy=np.nanpercentile, examples=(example(HOLES, 30.0, axis=1), example((4,), 80.0)))
def nanpercentile(
    x: Any, q: Any, axis: Any = None, *, method: Any = "linear", keepdims: bool = False, weights: Any = None
) -> Any:
    """The `percentile` of what is not NaN."""
    q_of_1, choose = _hundredth(q), _of_ranks(np.nanpercentile, q)
    return _between(choose, x, axis, keepdims, True, q_of_1, method=method, weights=weights)
