"""Operators that move, choose and repeat numbers, and those that make or ask for shapes."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..tensors import plain
from .rules import LIMIT, axes_of, rule, same, whole, within

same(__name__, {"Identity": lambda x: x, "Size": lambda x: np.array(np.size(x), np.int64)})


# -- made from nothing, and asked of shapes ----------------------------------------------------------------


@rule("Constant")
def _(
    value: Any = None, value_float: Any = None, value_floats: Any = None, value_int: Any = None, value_ints: Any = None
) -> Any:
    if value is not None:
        return value
    floats = value_floats if value_float is None else value_float
    if floats is not None:
        return np.array(floats, np.float32)
    return np.array(value_ints if value_int is None else value_int, np.int64)


@rule("Shape")
def _(x: Any, start: int = 0, end: int | None = None) -> Any:
    return np.array(np.shape(x)[start:end], np.int64)


@rule("ConstantOfShape")
def _(shape: Any, value: Any) -> Any:
    return np.full(within(shape), np.ravel(value)[0], value.dtype)


@rule("Range")
def _(start: Any, limit: Any, delta: Any) -> Any:
    ends = [plain(v) for v in (start, limit, delta)]
    first, last, step = (v.item() for v in ends)
    if step:
        within([max(min((last - first) / step, 2.0 * LIMIT), 0)])
    numbers: Any = np.arange(first, last, step)
    return numbers.astype(ends[0].dtype)


@rule("EyeLike")
def _(x: Any, dtype: str | None = None, k: int = 0) -> Any:
    rows, columns = np.shape(x)
    return np.eye(rows, columns, k, dtype or x.dtype)


@rule("NonZero")
def _(x: Any) -> Any:
    return np.array(np.nonzero(plain(x)), np.int64)


@rule("OneHot")
def _(indices: Any, depth: Any, values: Any, axis: int = -1) -> Any:
    (depth,) = whole(depth)
    places, values = plain(indices), plain(values)
    places = places.astype(np.int64)
    within((*places.shape, depth))
    places = np.where(places < 0, places + depth, places)
    hot = np.expand_dims(places, axis) == np.reshape(
        np.arange(depth), [-1 if a == axis % (places.ndim + 1) else 1 for a in range(places.ndim + 1)]
    )
    return np.where(hot, values[1], values[0]).astype(values.dtype)


# -- another dtype -----------------------------------------------------------------------------------------


@rule("Cast")
def _(x: Any, to: str = "", saturate: int = 1) -> Any:
    dtype = np.dtype(to)
    if dtype.kind == "f":
        return x if x.dtype == dtype else x.astype(dtype)
    with np.errstate(invalid="ignore"):
        return plain(x).astype(dtype)


@rule("CastLike")
def _(x: Any, like: Any, saturate: int = 1) -> Any:
    return x.astype(like.dtype) if like.dtype.kind == "f" else plain(x).astype(like.dtype)


# -- another shape -----------------------------------------------------------------------------------------


@rule("Reshape")
def _(x: Any, shape: Any, allowzero: int = 0) -> Any:
    """Where 0 does not mean a length of 0, it means that of the same axis."""
    before = np.shape(x)
    lengths = [before[i] if n == 0 and not allowzero else n for i, n in enumerate(whole(shape))]
    if -1 in lengths and not np.size(x):  # an empty batch: what is left follows from the axes that change
        same = {i for i, pair in enumerate(zip(lengths, before, strict=False)) if pair[0] == pair[1]}
        others = math.prod(n for i, n in enumerate(lengths) if i not in same and n != -1)
        lengths[lengths.index(-1)] = math.prod(n for i, n in enumerate(before) if i not in same) // max(others, 1)
    return np.reshape(x, tuple(lengths))


@rule("Flatten")
def _(x: Any, axis: int = 1) -> Any:
    shape = np.shape(x)
    first = axis + len(shape) if axis < 0 else axis
    return np.reshape(x, (int(np.prod(shape[:first])), int(np.prod(shape[first:]))))


@rule("Transpose")
def _(x: Any, perm: Any = None) -> Any:
    return np.transpose(x, perm)


@rule("Squeeze")
def _(x: Any, axes: Any = None) -> Any:
    return np.squeeze(x, axis=None if axes is None else axes_of(axes, np.ndim(x)))


@rule("Unsqueeze")
def _(x: Any, axes: Any) -> Any:
    return np.expand_dims(x, whole(axes))


@rule("Concat")
def _(*xs: Any, axis: int = 1) -> Any:
    return np.concatenate(xs, axis=axis)


@rule("Split", outputs=None)
def _(x: Any, split: Any = None, axis: int = 0, num_outputs: int | None = None, *, gives: int) -> Any:
    """Into equal parts where no lengths are given, the last of them shorter where they do not fit."""
    if split is None:
        length = -(-np.shape(x)[axis] // gives)
        places = [length * i for i in range(1, gives)]
    else:
        places = list(itertools.accumulate(whole(split)))[:-1]
    return np.split(x, places, axis=axis)


@rule("Expand")
def _(x: Any, shape: Any) -> Any:
    return np.broadcast_to(x, within(np.broadcast_shapes(np.shape(x), whole(shape))))


@rule("Tile")
def _(x: Any, repeats: Any) -> Any:
    times = whole(repeats)
    within([n * t for n, t in zip(np.shape(x), times, strict=True)])
    return np.tile(x, times)


@rule("Pad", only={"mode": ("constant", "edge", "reflect", "wrap")})
def _(x: Any, pads: Any, value: Any = None, axes: Any = None, mode: Any = "constant") -> Any:
    """Around the given axes, or all; where a number of places is negative, so many are cut off."""
    numbers, n = whole(pads), np.ndim(x)
    around = [(0, 0)] * n
    for i, axis in enumerate(axes_of(axes, n)):
        around[axis] = numbers[i], numbers[i + len(numbers) // 2]
    within([a + b + c for a, (b, c) in zip(np.shape(x), around, strict=True)])
    if any(min(pair) < 0 for pair in around):
        x = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(np.shape(x), around, strict=True))]
        around = [(max(a, 0), max(b, 0)) for a, b in around]
    if mode != "constant":
        return np.pad(x, around, mode=mode)
    return np.pad(x, around, constant_values=0 if value is None else np.ravel(plain(value))[0])


@rule("DepthToSpace", only={"mode": ("DCR", "CRD")})
def _(x: Any, blocksize: int = 1, mode: str = "DCR") -> Any:
    n, c, h, w = np.shape(x)
    b = blocksize
    parts = (n, b, b, c // b**2, h, w) if mode == "DCR" else (n, c // b**2, b, b, h, w)
    order = (0, 3, 4, 1, 5, 2) if mode == "DCR" else (0, 1, 4, 2, 5, 3)
    return np.reshape(np.transpose(np.reshape(x, parts), order), (n, c // b**2, h * b, w * b))


@rule("SpaceToDepth", only={"mode": ("DCR",)})
def _(x: Any, blocksize: int = 1, mode: str = "DCR") -> Any:
    n, c, h, w = np.shape(x)
    b = blocksize
    moved = np.transpose(np.reshape(x, (n, c, h // b, b, w // b, b)), (0, 3, 5, 1, 2, 4))
    return np.reshape(moved, (n, c * b**2, h // b, w // b))


# -- parts -------------------------------------------------------------------------------------------------


@rule("Slice")
def _(x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    first, last = whole(starts), whole(ends)
    along = tuple(range(len(first))) if axes is None else axes_of(axes, np.ndim(x))
    by = (1,) * len(first) if steps is None else whole(steps)
    cuts = [slice(None)] * np.ndim(x)
    for axis, a, b, step in zip(along, first, last, by, strict=True):
        n = np.shape(x)[axis]
        if step < 0 and b < -n:  # before the first, which NumPy calls None
            cuts[axis] = slice(a, None, step)
        else:
            cuts[axis] = slice(a, b, step)
    return x[tuple(cuts)]


@rule("Gather")
def _(x: Any, indices: Any, axis: int = 0) -> Any:
    return np.take(x, plain(indices), axis=axis)


@rule("GatherElements")
def _(x: Any, indices: Any, axis: int = 0) -> Any:
    """From the places of ``indices`` alone along the other axes, which may be fewer."""
    places = plain(indices)
    grid: list[Any] = list(np.indices(places.shape, sparse=True))
    grid[axis] = places
    return x[tuple(grid)]


@rule("GatherND")
def _(x: Any, indices: Any, batch_dims: int = 0) -> Any:
    places = plain(indices)
    lead = np.indices(places.shape[:batch_dims], sparse=True)
    shape = places.shape[:-1]
    parts = tuple(np.reshape(g, (*g.shape, *(1,) * (len(shape) - batch_dims))) for g in lead)
    return x[(*parts, *np.moveaxis(places, -1, 0))]


@rule("Trilu")
def _(x: Any, k: Any = None, upper: int = 1) -> Any:
    function = np.triu if upper else np.tril
    return function(x, 0 if k is None else whole(k)[0])


@rule("Compress")
def _(x: Any, condition: Any, axis: int | None = None) -> Any:
    chosen = np.flatnonzero(plain(condition))
    return np.take(np.reshape(x, -1) if axis is None else x, chosen, axis=0 if axis is None else axis)


@rule("Dropout", outputs=2, only={"is_test": (1,)})
def _(
    x: Any, ratio: Any = None, training_mode: Any = None, seed: int | None = None, is_test: int = 1, *, gives: int
) -> Any:
    """Nothing is dropped: a file says what a model predicts, and one with training_mode is not read."""
    return (x, np.ones(np.shape(x), bool))[:gives]
