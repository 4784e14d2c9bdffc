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


def _between(choose: Callable[[Any], Any], x: Any, axis: Any, keepdims: bool, q: Any = 0.5, skips: bool = False) -> Any:
    """What lies in the sorted ``x`` where ``choose`` lies in the ranks; NaN where any is NaN, unless it skips them."""
    if isinstance(q, Tensor) and q.requires_grad:
        raise TypeError(f"q: expected numbers, through which no gradient flows, got {q.node.label()}; write q.data")
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    if axis is not None:
        normalize_axis_tuple(axis, np.ndim(x))  # a number has no axis here, where sums allow it one
    axes, lanes = axes_of(x, axis), lanes_of(x, axis)
    *batch, n = np.shape(lanes)
    numbers = to_numpy(np.sum(~np.isnan(plain(lanes)), axis=-1, keepdims=True))
    places = choose(np.where(np.arange(n) < numbers, np.arange(float(n)), np.nan))
    if n == 0:
        return np.mean(x, axis=axis, keepdims=keepdims)
    of_q = np.shape(places)[: np.ndim(places) - len(batch)]
    lost, places = np.isnan(places), np.nan_to_num(places)
    ends = np.reshape(np.stack([np.floor(places), np.ceil(places)]).astype(int), (2 * math.prod(of_q), *batch))
    low, high = np.reshape(order_statistic(lanes, ranks=asarray_like(x, ends)), (2, *of_q, *batch))
    part = places % 1 if skips else np.where(lost, np.nan, places % 1)
    part = asarray_like(x, part.astype(choose(np.zeros(1, x.dtype)).dtype))
    value = between(low, high, part)
    if skips:
        value = np.where(asarray_like(x, lost), np.nan, value)
    return np.expand_dims(value, [len(of_q) + a for a in axes]) if keepdims else value


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
    return _between(lambda ranks: np.median(ranks, -1), x, axis, keepdims)


@composed(r"Q_q(x)", numpy=np.quantile, examples=QUANTILES)
def quantile(x: Any, q: Any, axis: Any = None, *, method: Any = "linear", keepdims: bool = False) -> Any:
    """What a part ``q`` of the elements lies below, by any of NumPy's methods; tied elements share equally."""
    return _between(lambda ranks: np.quantile(ranks, in_numpy(plain(q)), -1, method=method), x, axis, keepdims, q)


@composed(r"Q_{q / 100}(x)", numpy=np.percentile, examples=PERCENTILES)
def percentile(x: Any, q: Any, axis: Any = None, *, method: Any = "linear", keepdims: bool = False) -> Any:
    """`quantile` with ``q`` in hundredths."""
    return _between(lambda ranks: np.percentile(ranks, in_numpy(plain(q)), -1, method=method), x, axis, keepdims, q)


@composed(r"\operatorname{median} x", numpy=np.nanmedian, examples=(example(HOLES, axis=1), example((4,))))
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The `median` of what is not NaN."""
    return _between(lambda ranks: np.nanmedian(ranks, -1), x, axis, keepdims, skips=True)


@composed(r"Q_q(x)", numpy=np.nanquantile, examples=(example(HOLES, 0.3, axis=1), example((2, 3), 0.6, axis=0)))
def nanquantile(x: Any, q: Any, axis: Any = None, *, method: Any = "linear", keepdims: bool = False) -> Any:
    """The `quantile` of what is not NaN."""
    return _between(
        lambda ranks: np.nanquantile(ranks, in_numpy(plain(q)), -1, method=method), x, axis, keepdims, q, True
    )


@composed(r"Q_{q / 100}(x)", numpy=np.nanpercentile, examples=(example(HOLES, 30.0, axis=1), example((4,), 80.0)))
def nanpercentile(x: Any, q: Any, axis: Any = None, *, method: Any = "linear", keepdims: bool = False) -> Any:
    """The `percentile` of what is not NaN."""
    return _between(
        lambda ranks: np.nanpercentile(ranks, in_numpy(plain(q)), -1, method=method), x, axis, keepdims, q, True
    )
