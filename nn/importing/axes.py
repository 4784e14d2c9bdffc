"""Operators along axes: reductions, normalizations, products, positions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ag

from ..tensors import plain
from .rules import axes_of, rule, same, whole

same(__name__, {"MatMul": np.matmul, "Det": np.linalg.det})

_REDUCTIONS: dict[str, Any] = {
    "ReduceSum": np.sum, "ReduceMean": np.mean, "ReduceMax": np.max, "ReduceMin": np.min, "ReduceProd": np.prod,
    "ReduceLogSumExp": lambda x, **k: ag.logsumexp(x, **k) if np.size(x) else np.log(np.sum(x, **k)),
    "ReduceL1": lambda x, **k: np.sum(np.absolute(x), **k),
    "ReduceL2": lambda x, **k: np.sqrt(np.sum(x * x, **k)), "ReduceLogSum": lambda x, **k: np.log(np.sum(x, **k)),
    "ReduceSumSquare": lambda x, **k: np.sum(x * x, **k),
}  # fmt: skip


@rule(*_REDUCTIONS)
def _(x: Any, axes: Any = None, keepdims: int = 1, noop_with_empty_axes: int = 0, *, kind: str) -> Any:
    none = axes is None or not np.size(plain(axes))
    axis = () if none and noop_with_empty_axes else axes_of(None if none else axes, np.ndim(x))
    options: dict[str, Any] = {"axis": axis, "keepdims": bool(keepdims)}
    if kind in ("ReduceMax", "ReduceMin") and not math.prod(np.shape(x)[a] for a in axis):
        if x.dtype.kind == "f":
            low, high = -np.inf, np.inf
        else:
            low, high = (0, 1) if x.dtype.kind == "b" else (np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
        options["initial"] = x.dtype.type(low if kind == "ReduceMax" else high)
        x = plain(x)  # no number, and so no gradient
    found = _REDUCTIONS[kind](x, **options)
    return found if found.dtype == x.dtype else found.astype(x.dtype)  # NumPy sums small whole numbers in large ones


@rule("ArgMax", "ArgMin")
def _(x: Any, axis: int = 0, keepdims: int = 1, select_last_index: int = 0, *, kind: str) -> Any:
    function, x = {"ArgMax": np.argmax, "ArgMin": np.argmin}[kind], plain(x)
    if not select_last_index:
        return function(x, axis=axis, keepdims=bool(keepdims)).astype(np.int64)
    last: Any = x.shape[axis] - 1 - function(np.flip(x, axis), axis=axis, keepdims=bool(keepdims))
    return last.astype(np.int64)


@rule("CumSum")
def _(x: Any, axis: Any, exclusive: int = 0, reverse: int = 0) -> Any:
    (axis,) = whole(axis)
    x = np.flip(x, axis) if reverse else x
    total = np.cumsum(x, axis=axis)
    total = total - x if exclusive else total
    total = np.flip(total, axis) if reverse else total
    return total if total.dtype == x.dtype else total.astype(x.dtype)


@rule("TopK", outputs=2)
def _(x: Any, k: Any, axis: int = -1, largest: int = 1, sorted: int = 1) -> Any:
    """Of equal numbers those with the lowest places come first."""
    (k,) = whole(k)
    values = plain(x)
    if largest:  # a stable sort from the other end
        order = np.flip(values.shape[axis] - 1 - np.argsort(np.flip(values, axis), axis, kind="stable"), axis)
    else:
        order = np.argsort(values, axis, kind="stable")
    places = np.take(order, np.arange(k), axis)
    return np.take_along_axis(x, places, axis), places.astype(np.int64)


@rule("Einsum")
def _(*xs: Any, equation: str = "") -> Any:
    return np.einsum(equation, *xs)


@rule("Gemm")
def _(
    a: Any, b: Any, c: Any = None, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0,
    broadcast: int = 1,
) -> Any:  # fmt: skip
    product = np.matmul(np.transpose(a) if transA else a, np.transpose(b) if transB else b)
    product = product if alpha == 1 else (alpha * product).astype(product.dtype)
    if c is None or beta == 0:
        return product
    return product + (c if beta == 1 else (beta * c).astype(product.dtype))


# -- softmax -----------------------------------------------------------------------------------------------


@rule("Softmax", "LogSoftmax", "Hardmax")
def _(x: Any, axis: int | None = None, *, kind: str, opset: int) -> Any:
    """Along one axis since operator set 13; before, of all axes from the given one on, as if they were one."""
    function: Any = {"Softmax": ag.softmax, "LogSoftmax": ag.log_softmax, "Hardmax": _hardmax}[kind]
    if opset >= 13:
        return function(x, axis=-1 if axis is None else axis)
    shape = np.shape(x)
    first = (1 if axis is None else axis) % max(len(shape), 1) if axis != len(shape) else len(shape)
    rows = np.reshape(x, (math.prod(shape[:first]), math.prod(shape[first:])))
    return np.reshape(function(rows, axis=1), shape)


def _hardmax(x: Any, axis: int) -> Any:
    x = plain(x)
    hot = np.zeros_like(x)
    np.put_along_axis(hot, np.argmax(x, axis=axis, keepdims=True), 1, axis)
    return hot


# -- normalizations ----------------------------------------------------------------------------------------


def _standardized(x: Any, axes: tuple[int, ...], epsilon: float) -> tuple[Any, Any, Any]:
    mean = np.mean(x, axis=axes, keepdims=True)
    centered = x - mean
    deviation = np.sqrt(np.mean(centered * centered, axis=axes, keepdims=True) + epsilon)
    return centered / deviation, mean, 1 / deviation


def _beside(v: Any, x: Any) -> Any:
    """One number for each channel, the second axis, in a shape that broadcasts."""
    return np.reshape(v, (-1, *(1,) * (np.ndim(x) - 2)))


@rule("LayerNormalization", outputs=3)
def _(x: Any, scale: Any, b: Any = None, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1) -> Any:
    axes = tuple(range(axis % np.ndim(x), np.ndim(x)))
    z, mean, inverse = _standardized(x, axes, epsilon)
    z = z * scale
    return (z if b is None else z + b), mean, inverse


@rule("RMSNormalization")
def _(x: Any, scale: Any, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1) -> Any:
    axes = tuple(range(axis % np.ndim(x), np.ndim(x)))
    return x / np.sqrt(np.mean(x * x, axis=axes, keepdims=True) + epsilon) * scale


@rule("BatchNormalization", outputs=3)
def _(
    x: Any, scale: Any, b: Any, mean: Any, var: Any, epsilon: float = 1e-5, momentum: float = 0.9,
    training_mode: int = 0, spatial: int = 1, *, gives: int,
) -> Any:  # fmt: skip
    """With the mean and the variance of the file; those of the batch only where the file says training_mode=1."""
    if not training_mode:
        return _beside(scale / np.sqrt(var + epsilon), x) * (x - _beside(mean, x)) + _beside(b, x)
    axes = (0, *range(2, np.ndim(x)))
    z, now, _ = _standardized(x, axes, epsilon)
    spread = np.mean((plain(x) - plain(now)) ** 2, axis=axes)
    means = (
        plain(mean) * momentum + plain(now).ravel() * (1 - momentum),
        plain(var) * momentum + spread * (1 - momentum),
    )
    return (_beside(scale, x) * z + _beside(b, x), *(m.astype(plain(mean).dtype) for m in means))[:gives]


@rule("InstanceNormalization")
def _(x: Any, scale: Any, b: Any, epsilon: float = 1e-5) -> Any:
    z, _, _ = _standardized(x, tuple(range(2, np.ndim(x))), epsilon)
    return _beside(scale, x) * z + _beside(b, x)


@rule("GroupNormalization")
def _(
    x: Any, scale: Any, bias: Any, num_groups: int = 1, epsilon: float = 1e-5, stash_type: int = 1, *, opset: int
) -> Any:
    """Scale and bias are one for each group before operator set 21, and since then one for each channel."""
    shape = np.shape(x)
    grouped = np.reshape(x, (shape[0], num_groups, math.prod(shape[1:]) // num_groups))
    z, _, _ = _standardized(grouped, (2,), epsilon)
    if opset < 21:
        return np.reshape(_beside(scale, z) * z + _beside(bias, z), shape)
    return _beside(scale, x) * np.reshape(z, shape) + _beside(bias, x)


@rule("MeanVarianceNormalization")
def _(x: Any, axes: Any = (0, 2, 3)) -> Any:
    return _standardized(x, whole(axes), 1e-9)[0]


@rule("LpNormalization", only={"p": (1, 2)})
def _(x: Any, axis: int = -1, p: int = 2) -> Any:
    """Zeros stay zeros."""
    length = np.linalg.norm(x, ord=p, axis=axis, keepdims=True)
    zero = np.equal(length, 0)
    return np.where(zero, 0 * x, x / np.where(zero, 1, length).astype(x.dtype))


@rule("LRN")
def _(x: Any, size: int = 1, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0) -> Any:
    """Over so many channels beside each, a shorter half of them before it."""
    before = (size - 1) // 2
    around = [(0, 0)] * np.ndim(x)
    around[1] = (before, size - 1 - before)
    squares = np.pad(x * x, around)
    n = np.shape(x)[1]
    total = sum(squares[:, i : i + n] for i in range(size))
    return x / np.power(bias + alpha / size * total, beta)
