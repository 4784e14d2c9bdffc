"""Ops that move elements without computing: their rules move the gradient back."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ..op import composed, example, op
from ..tensor import NUMPY
from ..walk import unbroadcast


@op(
    r"\operatorname{reshape} x",
    numpy=np.reshape,
    examples=(
        example((2, 3), shape=(3, 2)),
        example((4,), shape=(2, -1)),
        example((1,), shape=()),
        example((0, 2), shape=(0,)),
    ),
)
def reshape(x: Any, shape: Any = -1) -> Any:
    """The same elements in another shape, in row-major order."""
    return np.reshape(x, shape)


@reshape.vjp(r"1")
def _(g: Any, z: Any, x: Any, shape: Any = -1) -> Any:
    return np.reshape(g, np.shape(x))


@composed(r"\operatorname{ravel} x", numpy=np.ravel, examples=(example((2, 3)), example(()), example((0, 2))))
def ravel(x: Any) -> Any:
    """All elements along one axis."""
    return np.reshape(x, -1)


@op(
    r"x^{\mathsf T}",
    numpy=(np.transpose, np.permute_dims),
    examples=(
        example((2, 3)),
        example((2, 3, 4), axes=(2, 0, 1)),
        example((2, 3, 4), axes=(-1, 0, 1)),
        example(()),
        example((0, 2)),
    ),
)
def transpose(x: Any, axes: Any = None) -> Any:
    """The axes in another order, reversed by default."""
    return np.transpose(x, axes)


@transpose.vjp(r"1")
def _(g: Any, z: Any, x: Any, axes: Any = None) -> Any:
    if axes is None:
        return np.transpose(g)
    return np.transpose(g, tuple(int(a) for a in np.argsort([a % len(axes) for a in axes])))


@op(
    r"\operatorname{expand\_dims} x",
    numpy=np.expand_dims,
    examples=(
        example((2, 3), axis=1),
        example((2,), axis=(0, -1)),
        example((), axis=0),
        example((0,), axis=0),
    ),
)
def expand_dims(x: Any, axis: Any = 0) -> Any:
    """New axes of length one."""
    return np.expand_dims(x, axis)


@expand_dims.vjp(r"1")
def _(g: Any, z: Any, x: Any, axis: Any = 0) -> Any:
    return np.reshape(g, np.shape(x))


@op(
    r"\operatorname{broadcast} x",
    numpy=np.broadcast_to,
    examples=(
        example((3,), shape=(2, 3)),
        example((2, 1), shape=(4, 2, 3)),
        example((), shape=(2,)),
        example((1,), shape=(0,)),
    ),
)
def broadcast_to(x: Any, shape: Any = ()) -> Any:
    """The elements repeated along new axes and along axes of length one; their gradients are summed."""
    return np.broadcast_to(x, shape)


@broadcast_to.vjp(r"1")
def _(g: Any, z: Any, x: Any, shape: Any = ()) -> Any:
    return unbroadcast(g, np.shape(x))


@op(
    r"\operatorname{concatenate}(x, y, \dots)",
    examples=(
        example((2, 3), (4, 3)),
        example((2, 1), (2, 3), (2, 2), axis=-1),
        example((3,)),
        example((0, 2), (1, 2)),
    ),
)
def concatenate(*xs: Any, axis: int = 0) -> Any:
    """The arrays one after the other along an axis that exists."""
    return np.concatenate(xs, axis=axis)


@concatenate.vjp(r"1")
def _(g: Any, z: Any, *xs: Any, arg: int, axis: int = 0) -> Any:
    start = builtins.sum(np.shape(x)[axis] for x in xs[:arg])
    part = slice(start, start + np.shape(xs[arg])[axis])
    return g[(slice(None),) * (axis % g.ndim) + (part,)]


def _concatenate(arrays: Any, axis: int | None = 0) -> Any:
    """`numpy.concatenate`; with ``axis=None`` the arrays are flattened first."""
    if axis is None:
        arrays, axis = [np.ravel(x) for x in arrays], 0
    return concatenate(*arrays, axis=axis)


NUMPY[np.concatenate] = _concatenate


@composed(
    r"\operatorname{stack}(x, y, \dots)",
    numpy=np.stack,
    examples=(
        example([(2, 3), (2, 3)], axis=1),
        example([(), (), ()]),
        example([(2,), (2,)], axis=-1),
        example([(0,)]),
    ),
)
def stack(arrays: Any, axis: int = 0) -> Any:
    """Arrays of one shape along a new axis."""
    return concatenate(*(np.expand_dims(x, axis) for x in arrays), axis=axis)


@composed(
    r"\operatorname{swapaxes} x",
    numpy=np.swapaxes,
    examples=(example((2, 3, 4), 0, -1), example((0, 2), 0, 1)),
)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    axes = list(range(np.ndim(x)))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return np.transpose(x, axes)
