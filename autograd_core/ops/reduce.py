"""Reductions: many elements to one, along the axes that are asked for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import example, op

REDUCTIONS = (
    example((2, 3)),
    example((2, 3), axis=0),
    example((2, 3, 2), axis=(0, -1)),
    example((2, 3), axis=1, keepdims=True),
    example(()),
    example((1, 4), axis=0),
)
EMPTY = (example((0, 3)), example((0, 3), axis=0), example((3, 0), axis=0))


def axes_of(x: Any, axis: Any) -> tuple[int, ...]:
    """The axes that ``axis`` means, counted from the front."""
    if axis is None or not np.ndim(x):  # NumPy lets a number be reduced along axis 0
        return tuple(range(np.ndim(x)))
    return tuple(a % np.ndim(x) for a in (axis if isinstance(axis, tuple) else (axis,)))


def spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Repeat what belongs to a reduced result along the axes that were reduced: the adjoint of a sum."""
    if not keepdims and np.ndim(g):
        g = np.expand_dims(g, axes_of(x, axis))
    return np.broadcast_to(g, np.shape(x))


@op(r"\sum x", numpy=np.sum, examples=REDUCTIONS + EMPTY)
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of the elements: each receives the gradient whole."""
    return np.sum(x, axis=axis, keepdims=keepdims)


@sum.vjp(r"1")
def _(g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return spread(g, x, axis, keepdims)


@op(r"\frac{1}{n} \sum x", numpy=np.mean, examples=(*REDUCTIONS, example((3, 0), axis=0)))
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of the elements: each receives an equal part of the gradient."""
    return np.mean(x, axis=axis, keepdims=keepdims)


@mean.vjp(r"\frac{1}{n}")
def _(g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return spread(g / math.prod(np.shape(x)[a] for a in axes_of(x, axis)), x, axis, keepdims)


@op(r"\max x", numpy=(np.max, np.amax), examples=REDUCTIONS)
def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element; tied elements share the gradient equally."""
    return np.max(x, axis=axis, keepdims=keepdims)


@op(r"\min x", numpy=(np.min, np.amin), examples=REDUCTIONS)
def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element; tied elements share the gradient equally."""
    return np.min(x, axis=axis, keepdims=keepdims)


def _share(g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    chosen = (x == spread(z, x, axis, keepdims)).astype(x.dtype)
    return spread(g, x, axis, keepdims) * (chosen / np.sum(chosen, axis=axis, keepdims=True))


for _extreme in (max, min):
    _extreme.vjp(r"[x_i = z] \,/\, \#\{j : x_j = z\}")(_share)
