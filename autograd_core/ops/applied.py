"""Functions of yours, called with parts of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..dispatch import plain
from ..domain import example
from ..op import composed
from .index import At


@composed(
    r"\operatorname{stack} f(x_i)",
    numpy=np.apply_along_axis,
    examples=(
        example(np.mean, 0, (2, 3)),
        example(np.diff, -1, (2, 3)),
        example(np.outer, 0, (2, 2), np.array([2.0, 3.0])),
    ),
)
def apply_along_axis(func1d: Callable[..., Any], axis: int, x: Any, *args: Any, **kwargs: Any) -> Any:
    """What a function gives for each lane along an axis, the axes of its result in the place of that axis."""
    axis = normalize_axis_index(axis, np.ndim(x))
    lanes = np.moveaxis(x, axis, -1)
    batch = np.shape(lanes)[:-1]
    if 0 in batch:
        raise ValueError(f"apply_along_axis: expected lanes to apply the function to, got shape {list(np.shape(x))}")
    each = np.stack([func1d(lanes[place], *args, **kwargs) for place in np.ndindex(*batch)])
    each = np.reshape(each, (*batch, *np.shape(each)[1:]))
    return np.moveaxis(each, range(len(batch), np.ndim(each)), range(axis, axis + np.ndim(each) - len(batch)))


@composed(
    r"f(f(x))",
    numpy=np.apply_over_axes,
    examples=(example(np.sum, (2, 3), [0, 1]), example(np.cumsum, (2, 3), 1)),
)
def apply_over_axes(func: Callable[..., Any], x: Any, axes: Any) -> Any:
    """What a function ``func(x, axis)`` gives for one axis after the other; all axes stay, reduced ones of length 1."""
    n = np.ndim(x)
    for axis in np.ravel(axes).tolist():
        result = func(x, normalize_axis_index(axis, n))
        x = result if np.ndim(result) == n else np.expand_dims(result, axis)
        if np.ndim(x) != n:
            raise ValueError(
                f"apply_over_axes: expected a function that keeps all {n} axes or drops the one that it is given, got "
                f"a result of shape {list(np.shape(result))}"
            )
    return x


@composed(
    r"f_k(x) \text{ where } c_k",
    numpy=np.piecewise,
    examples=(
        example((4,), [np.array([True, False, False, True])], [np.tanh, np.negative]),
        example((2,), [np.array([True, False]), np.array([False, True])], [np.square, 0.5]),
    ),
)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Of several functions, or numbers, the one whose condition holds; one more of them is for where none does."""
    conditions = plain(condlist)
    if isinstance(conditions, list | tuple):
        conditions = np.stack([c if hasattr(c, "dtype") else np.asarray(c) for c in conditions])
    conditions = (conditions if hasattr(conditions, "dtype") else np.asarray(conditions)).astype(bool)
    if np.ndim(conditions) <= np.ndim(x):  # a single one
        conditions = conditions[None]
    if len(funclist) == len(conditions) + 1:
        conditions = np.concatenate((conditions, ~np.any(conditions, axis=0, keepdims=True)))
    if len(funclist) != len(conditions):
        raise ValueError(
            f"piecewise: expected {len(conditions)} functions, one for each condition, or one more, got {len(funclist)}"
        )
    z = np.zeros_like(plain(x))
    for condition, f in zip(conditions, funclist, strict=True):
        z = At(z)[condition].set(f(x[condition], *args, **kw) if callable(f) else f)
    return z
