"""Ops that move elements without computing: their rules move the gradient back."""

from __future__ import annotations

import builtins
import itertools
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from .. import tree
from ..arrays import asarray_like
from ..domain import example
from ..op import composed, op
from ..walk import unbroadcast

# -- another shape -------------------------------------------------------------------------------------


@op(
    r"\operatorname{reshape} x",
    numpy=np.reshape,
    examples=(
        example((2, 3), shape=(3, 2)),
        example((4,), shape=(2, -1)),
        example((1,), shape=()),
        example((0, 2), shape=(0,)),
        example((2, 3), shape=(3, 2), order="F"),
    ),
)
def reshape(x: Any, shape: Any = -1, order: Any = "C") -> Any:
    """The same elements in another shape, counted row by row or, with ``order="F"``, column by column."""
    if order not in ("C", "F"):
        raise ValueError(f"order: expected 'C' or 'F', got {order!r}, which is up to how the numbers lie in memory")
    return np.reshape(x, shape, order)


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


@op(
    r"\operatorname{squeeze} x",
    numpy=np.squeeze,
    examples=(example((1, 2, 1)), example((1, 2, 1), axis=-1), example((1, 1), axis=(0, 1)), example(())),
)
def squeeze(x: Any, axis: Any = None) -> Any:
    """Without the axes of length one, or those of them that are named."""
    return np.squeeze(x, axis)


reshape.vjp(r"1")(lambda g, z, x, shape=-1, order="C": np.reshape(g, np.shape(x), order))
for _reshaping in (expand_dims, squeeze):
    _reshaping.vjp(r"1")(lambda g, z, x, **_: np.reshape(g, np.shape(x)))


@composed(r"\operatorname{ravel} x", numpy=np.ravel, examples=(example((2, 3)), example(()), example((0, 2))))
def ravel(x: Any, order: Any = "C") -> Any:
    """All elements along one axis."""
    return np.reshape(x, np.size(x), order)


def along(x: Any, axis: Any) -> tuple[Any, int]:
    """``x`` and an axis of it, counted from the front; where none is given, all elements in a row."""
    if axis is None or not np.ndim(x):
        x = np.ravel(x)
    return x, normalize_axis_index(0 if axis is None else axis, np.ndim(x))


def _at_least(n: int, x: Any) -> Any:
    x = x if hasattr(x, "ndim") else np.asarray(x)
    if x.ndim >= n:
        return x
    missing = n - x.ndim
    after = int(n == 3 and x.ndim > 0)  # NumPy's atleast_3d puts one axis last
    return np.reshape(x, (1,) * (missing - after) + np.shape(x) + (1,) * after)


LOW = (example((2, 3)), example((3,)), example(()), example((0,)))


@composed(r"x", numpy=np.atleast_1d, examples=LOW)
def atleast_1d(*xs: Any) -> Any:
    """With one axis at least; a tuple where several arrays were given."""
    return _at_least(1, xs[0]) if len(xs) == 1 else tuple(_at_least(1, x) for x in xs)


@composed(r"x", numpy=np.atleast_2d, examples=LOW)
def atleast_2d(*xs: Any) -> Any:
    """With two axes at least, new ones first; a tuple where several arrays were given."""
    return _at_least(2, xs[0]) if len(xs) == 1 else tuple(_at_least(2, x) for x in xs)


@composed(r"x", numpy=np.atleast_3d, examples=LOW)
def atleast_3d(*xs: Any) -> Any:
    """With three axes at least, the vector's in the middle; a tuple where several arrays were given."""
    return _at_least(3, xs[0]) if len(xs) == 1 else tuple(_at_least(3, x) for x in xs)


# -- another order of axes -----------------------------------------------------------------------------


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


def _reordered(function: Any, x: Any, *places: Any) -> Any:
    """``x`` with its axes as a NumPy function orders them: it orders a table of axis numbers, and checks the places."""
    return np.transpose(x, function(np.empty((*range(np.ndim(x)),), bool), *places).shape)


@composed(
    r"\operatorname{moveaxis} x",
    numpy=np.moveaxis,
    examples=(example((2, 3, 4), 0, -1), example((2, 3, 4), source=(0, 2), destination=(1, 0)), example((0, 2), 1, 0)),
)
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Some axes moved to other places; the rest keep their order."""
    return _reordered(np.moveaxis, x, source, destination)


@composed(
    r"\operatorname{rollaxis} x",
    numpy=np.rollaxis,
    examples=(example((2, 3, 4), 2), example((2, 3, 4), -2, 3), example((0, 2), 1)),
)
def rollaxis(x: Any, axis: int, start: int = 0) -> Any:
    """One axis moved back until it stands before the place ``start``."""
    return _reordered(np.rollaxis, x, axis, start)


@composed(
    r"\operatorname{swapaxes} x",
    numpy=np.swapaxes,
    examples=(example((2, 3, 4), 0, -1), example((0, 2), 0, 1)),
)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    return _reordered(np.swapaxes, x, axis1, axis2)


@composed(
    r"x^{\mathsf T}",
    numpy=(np.matrix_transpose, np.linalg.matrix_transpose),
    examples=(example((2, 3)), example((4, 2, 3)), example((0, 2))),
)
def matrix_transpose(x: Any) -> Any:
    """The last two axes exchanged."""
    if np.ndim(x) < 2:
        raise ValueError(f"matrix_transpose: expected two axes at least, got shape {list(np.shape(x))}")
    return np.swapaxes(x, -1, -2)


# -- repeated ------------------------------------------------------------------------------------------


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


@composed(
    r"\operatorname{broadcast}(x, y, \dots)",
    numpy=np.broadcast_arrays,
    examples=(example((2, 1), (3,)), example((), (2,)), example((2, 3))),
)
def broadcast_arrays(*xs: Any) -> Any:
    """The arrays, each repeated to the shape that all have together."""
    shape = np.broadcast_shapes(*(np.shape(x) for x in xs))
    return tuple(np.broadcast_to(x, shape) for x in xs)


@composed(
    r"\operatorname{tile} x",
    numpy=np.tile,
    examples=(
        example((3,), 2),
        example((2, 3), reps=(2, 1)),
        example((2,), reps=(3, 2, 1)),
        example((), 3),
        example((2,), 0),
    ),
)
def tile(x: Any, reps: Any) -> Any:
    """The whole array, so many times along each axis."""
    reps = tuple(operator.index(r) for r in np.atleast_1d(reps))
    shape = (1,) * (len(reps) - np.ndim(x)) + np.shape(x)
    reps = (1,) * (len(shape) - len(reps)) + reps
    apart = np.reshape(x, [n for length in shape for n in (1, length)])
    many = np.broadcast_to(apart, [n for pair in zip(reps, shape, strict=True) for n in pair])
    return np.reshape(many, [r * n for r, n in zip(reps, shape, strict=True)])


# -- put together --------------------------------------------------------------------------------------


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
def _(g: Any, z: Any, *xs: Any, wanted: Sequence[bool], axis: int = 0) -> Iterator[Any]:
    before, end = (slice(None),) * (axis % g.ndim), 0
    for x, asked in zip(xs, wanted, strict=True):
        start, end = end, end + np.shape(x)[axis]
        yield g[(*before, slice(start, end))] if asked else None


@concatenate.implements(np.concatenate)
def _(arrays: Any, axis: int | None = 0) -> Any:
    if axis is None:
        arrays, axis = [np.ravel(x) for x in arrays], 0
    return concatenate(*arrays, axis=axis)


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
    shapes = {np.shape(x) for x in arrays}
    if len(shapes) != 1:
        raise ValueError(
            f"stack: expected arrays of one shape, got {', '.join(str(list(s)) for s in shapes) or 'none'}"
        )
    return concatenate(*(np.expand_dims(x, axis) for x in arrays), axis=axis)


@composed(
    r"[x, y, \dots]",
    examples=(example([(), (), 1.0]), example([[(), ()], [0.5, ()]]), example([(2, 3), (2, 3)])),
)
def array(nested: Any) -> Any:
    """One recorded array of a nested list of Tensors, arrays and numbers.

    Numbers take the dtype of what is beside them. Without a Tensor anywhere it is a plain array. ValueError where the
    rows differ in shape, TypeError for what is no number.

    >>> from autograd_core import Tensor
    >>> x, y = Tensor(2.0), Tensor(3.0)
    >>> array([[x, y], [x * y, 1.0]]).sum().backward()
    >>> print(x.grad, y.grad)
    4.0 3.0
    """
    found = tree.leaves(nested)
    kinds = {getattr(x, "dtype", type(x)): getattr(x, "dtype", x) for x in found}  # one of each
    dtyped = any(isinstance(kind, np.dtype) for kind in kinds) and str not in kinds
    among = next((x for x in found if hasattr(x, "dtype")), None)
    of_numbers = np.complex128 if complex in kinds else np.float64
    return _array(nested, np.result_type(*kinds.values()) if dtyped else of_numbers, among)


def _array(nested: Any, dtype: Any, among: Any) -> Any:
    if not isinstance(nested, list | tuple):
        if nested is None or isinstance(nested, str):
            raise TypeError(f"array: expected Tensors, arrays, numbers and lists of them, got {nested!r}")
        return nested if hasattr(nested, "dtype") else asarray_like(among, np.asarray(nested, dtype))
    return np.stack([_array(part, dtype, among) for part in nested]) if nested else np.zeros(0, dtype)


ROWS = (example([(2, 3), (2, 3)]), example([(3,), (3,)]), example([(), ()]), example([(0, 2), (1, 2)]))


@composed(r"\operatorname{vstack}(x, y, \dots)", numpy=np.vstack, examples=ROWS)
def vstack(arrays: Any) -> Any:
    """Arrays one below the other; vectors are rows."""
    return np.concatenate([np.atleast_2d(x) for x in arrays], 0)


@composed(r"\operatorname{hstack}(x, y, \dots)", numpy=np.hstack, examples=ROWS[:3])
def hstack(arrays: Any) -> Any:
    """Arrays side by side; vectors one after the other."""
    arrays = [np.atleast_1d(x) for x in arrays]
    return np.concatenate(arrays, 0 if np.ndim(arrays[0]) == 1 else 1)


@composed(r"\operatorname{dstack}(x, y, \dots)", numpy=np.dstack, examples=ROWS[:3])
def dstack(arrays: Any) -> Any:
    """Arrays one behind the other, along the third axis."""
    return np.concatenate([np.atleast_3d(x) for x in arrays], 2)


@composed(
    r"\operatorname{column\_stack}(x, y, \dots)", numpy=np.column_stack, examples=(*ROWS[:3], example([(2,), (2, 3)]))
)
def column_stack(arrays: Any) -> Any:
    """Arrays side by side; vectors are columns."""
    arrays = [np.atleast_1d(x) for x in arrays]
    return np.concatenate([np.reshape(x, (-1, 1)) if np.ndim(x) == 1 else x for x in arrays], 1)


@composed(
    r"\operatorname{append}(x, y)",
    numpy=np.append,
    examples=(example((2, 3), (2,)), example((2, 3), (1, 3), axis=0), example((), ())),
)
def append(x: Any, values: Any, axis: int | None = None) -> Any:
    """``x`` and then ``values``, along an axis or all in a row."""
    return np.concatenate((x, values), axis)


# -- taken apart ---------------------------------------------------------------------------------------


@composed(
    r"\operatorname{array\_split} x",
    numpy=np.array_split,
    examples=(example((5,), 2), example((2, 4), [1, 3], axis=1), example((2,), 3)),
)
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """A list of the parts between the given places, or of so many parts, the first ones longer by one."""
    axis = normalize_axis_index(axis, np.ndim(x))
    n = np.shape(x)[axis]
    if np.ndim(indices_or_sections):
        cuts = [0, *(int(i) for i in indices_or_sections), n]
    else:
        sections = int(indices_or_sections)
        if sections < 1:
            raise ValueError(f"array_split: expected at least one section, got {sections}")
        each, longer = divmod(n, sections)
        cuts = [i * each + builtins.min(i, longer) for i in range(sections + 1)]
    every = (slice(None),) * axis
    return [x[(*every, slice(a, b))] for a, b in itertools.pairwise(cuts)]


@composed(
    r"(x_1, x_2, \dots)",
    numpy=getattr(np, "unstack", None),  # from NumPy 2.1 on
    examples=(example((2, 3)), example((2, 3), axis=-1)),
)
def unstack(x: Any, *, axis: int = 0) -> Any:
    """A tuple of the parts along an axis, which they lose: what `stack` undoes."""
    return tuple(np.moveaxis(_deep(x, 1, "unstack"), axis, 0))


@composed(r"\operatorname{split} x", numpy=np.split, examples=(example((4,), 2), example((2, 4), [1, 3], axis=-1)))
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """A list of the parts between the given places, or of so many equal parts."""
    if np.ndim(indices_or_sections) == 0 and np.shape(x)[axis] % int(indices_or_sections):
        raise ValueError(
            f"split: expected a number of parts that divides the {np.shape(x)[axis]} elements along axis {axis}, got "
            f"{indices_or_sections}; np.array_split makes parts of different lengths"
        )
    return np.array_split(x, indices_or_sections, axis)


@composed(r"\operatorname{hsplit} x", numpy=np.hsplit, examples=(example((4,), 2), example((2, 4), [1, 3])))
def hsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along the second axis, a vector along its only one."""
    return np.split(_deep(x, 1, "hsplit"), indices_or_sections, 0 if np.ndim(x) == 1 else 1)


@composed(r"\operatorname{vsplit} x", numpy=np.vsplit, examples=(example((4, 2), 2),))
def vsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along the first of two axes or more."""
    return np.split(_deep(x, 2, "vsplit"), indices_or_sections, 0)


@composed(r"\operatorname{dsplit} x", numpy=np.dsplit, examples=(example((2, 1, 4), 2),))
def dsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along the third of three axes or more."""
    return np.split(_deep(x, 3, "dsplit"), indices_or_sections, 2)


def _deep(x: Any, n: int, name: str) -> Any:
    if np.ndim(x) < n:
        raise ValueError(f"{name}: expected {n} axes at least, got shape {list(np.shape(x))}")
    return x


# -- turned and shifted --------------------------------------------------------------------------------


@op(
    r"\operatorname{flip} x",
    numpy=np.flip,
    examples=(example((2, 3)), example((2, 3), axis=-1), example((2, 3, 2), axis=(0, 2)), example(())),
)
def flip(x: Any, axis: Any = None) -> Any:
    """The elements in reverse order along the axes."""
    return np.flip(x, axis)


flip.vjp(r"1")(lambda g, z, x, axis=None: np.flip(g, axis))


@composed(r"\operatorname{flip} x", numpy=np.fliplr, examples=(example((2, 3)),))
def fliplr(x: Any) -> Any:
    """Left and right exchanged: the second axis in reverse order."""
    return np.flip(x, 1)


@composed(r"\operatorname{flip} x", numpy=np.flipud, examples=(example((2, 3)), example((3,))))
def flipud(x: Any) -> Any:
    """Up and down exchanged: the first axis in reverse order."""
    return np.flip(x, 0)


@composed(
    r"\operatorname{rot90} x",
    numpy=np.rot90,
    examples=(example((2, 3)), example((2, 3), 2), example((2, 3, 4), -1, axes=(1, 2)), example((2, 3), 0)),
)
def rot90(x: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Turned by ``k`` right angles in the plane of two axes, from the first towards the second."""
    first, second = normalize_axis_tuple(axes, np.ndim(x), "axes")
    quarter = k % 4
    if quarter >= 2:
        x = np.flip(x, (first, second))
    return np.flip(np.swapaxes(x, first, second), first) if quarter % 2 else x


@op(
    r"\operatorname{roll} x",
    numpy=np.roll,
    examples=(
        example((4,), shift=1),
        example((2, 3), shift=2),
        example((2, 3), shift=-1, axis=1),
        example((2, 3), shift=(1, 2), axis=(0, 1)),
        example((0,), shift=1),
        example((), shift=1),
    ),
    complex=True,
)
def roll(x: Any, shift: Any = 0, axis: Any = None) -> Any:
    """Shifted along axes, what leaves at one end entering at the other."""
    return np.roll(x, shift, axis)


@roll.vjp(r"1")
def _(g: Any, z: Any, x: Any, shift: Any = 0, axis: Any = None) -> Any:
    return np.roll(g, tree.map(operator.neg, np.asarray(shift).tolist()), axis)  # unsigned numbers have no negative


# -- a frame around it, and halves of it ---------------------------------------------------------------


@op(
    r"\operatorname{pad} x",
    examples=(
        example((3,), pairs=((1, 2),)),
        example((2, 3), pairs=((0, 0), (2, 0))),
        example((), pairs=()),
        example((0, 2), pairs=((1, 0), (0, 1))),
    ),
)
def frame(x: Any, pairs: Any = (), value: float = 0) -> Any:
    """``x`` with constants before and after it along each axis."""
    if len(pairs) != np.ndim(x):
        raise ValueError(f"frame: expected a pair (before, after) for each of the {np.ndim(x)} axes, got {pairs!r}")
    return np.pad(x, pairs, constant_values=value) if np.ndim(x) else x


@frame.vjp(r"1")
def _(g: Any, z: Any, x: Any, pairs: Any = (), value: float = 0) -> Any:
    return g[tuple(slice(before, before + n) for (before, _), n in zip(pairs, np.shape(x), strict=True))]


@composed(
    r"\operatorname{pad} x",
    numpy=np.pad,
    examples=(
        example((2, 3), 1),
        example((2, 3), pad_width=((1, 0), (2, 1)), constant_values=0.5),
        example((2, 3), pad_width=(1, 2), mode="edge"),
        example((4, 3), pad_width=((3, 2), (0, 1)), mode="reflect"),
        example((4, 3), pad_width=((6, 2), (0, 1)), mode="wrap"),
        example((4,), 3, mode="symmetric"),
        example((0, 2), pad_width=((1, 0), (0, 1))),
    ),
)
def pad(x: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0, reflect_type: str = "even") -> Any:
    """A frame around ``x``: of constants, or of its elements (modes edge, reflect, symmetric and wrap)."""
    if isinstance(pad_width, dict):
        given = {normalize_axis_index(axis, np.ndim(x)): width for axis, width in pad_width.items()}
        pad_width = [given.get(axis, 0) for axis in range(np.ndim(x))]
        pad_width = [(w, w) if np.ndim(w) == 0 else w for w in pad_width]
    if np.asarray(pad_width).dtype.kind not in "iu":
        raise TypeError(f"pad_width: expected whole numbers, got {pad_width!r}")
    pairs = tuple((int(b), int(a)) for b, a in np.broadcast_to(pad_width, (np.ndim(x), 2)))
    if mode == "constant":
        return frame(x, pairs=pairs, value=constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap") or reflect_type != "even":
        raise TypeError(
            f"np.pad on Tensors: expected a mode of constant, edge, reflect, symmetric and wrap, got mode={mode!r} "
            f"with reflect_type={reflect_type!r}; build the frame yourself with np.concatenate"
        )
    for axis, pair in enumerate(pairs):
        if pair != (0, 0):
            x = np.take(x, np.pad(np.arange(np.shape(x)[axis]), pair, mode=mode), axis=axis)  # type: ignore[call-overload]
    return x


HALVES = (example((3, 3)), example((2, 4), k=1), example((2, 3, 4), k=-1), example((0, 2)))


@composed(r"[i \ge j - k] \cdot x_{ij}", numpy=np.tril, examples=HALVES)
def tril(x: Any, k: int = 0) -> Any:
    """Zeros above the diagonal (or the k-th above it) of the last two axes."""
    return np.where(_triangle(x, k, "tril"), x, x.dtype.type(0))


@composed(r"[i \le j - k] \cdot x_{ij}", numpy=np.triu, examples=HALVES)
def triu(x: Any, k: int = 0) -> Any:
    """Zeros below the diagonal (or the k-th above it) of the last two axes."""
    return np.where(_triangle(x, k - 1, "triu"), x.dtype.type(0), x)


def _triangle(x: Any, k: int, name: str) -> Any:
    rows, columns = np.shape(_deep(x, 1, name))[-2:][0], np.shape(x)[-1]
    return asarray_like(x, np.tri(rows, columns, k, dtype=bool))
