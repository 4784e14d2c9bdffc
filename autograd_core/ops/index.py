"""Picking elements, and its adjoint: putting them back where they came from."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from .. import tree
from ..arrays import add_at, asarray_like, in_numpy, one_call, to_numpy
from ..dispatch import NUMPY, plain
from ..domain import example
from ..op import Op, Puts, composed, op
from ..tensor import Tensor
from ..walk import unbroadcast
from .half import in_float32, rule_in_float32
from .shape import along


@op(
    r"x_{i}",
    examples=(
        example((4, 3), index=1),
        example((4, 3), index=(slice(None, None, 2), -1)),
        example((4,), index=slice(3, 0, -1)),
        example((2, 3), index=(Ellipsis, None)),
        example((4, 3), index=np.array([0, 2, 0])),
        example((4, 3), index=(np.array([[0], [1]]), np.array([1, 1]))),
        example((4, 3, 2), index=(np.array([0, 3, 0]), slice(1, None), np.array([1, 0, 1]))),
        example((4, 3), index=(np.array([True, False, True, True]), -1)),
        example((2, 3), index=np.array([[True, False, True], [False, False, True]])),
        example((4, 3), index=[0, 0, 1]),
        example((0, 3), index=slice(None)),
        example((3,), index=np.array([True, False, True])),
        example((3,), index=np.array([], int)),
        example((), index=()),
        example((), index=np.array(True)),
    ),
)
def getitem(x: Any, index: Any = ()) -> Any:
    """The elements at an index of any kind; one that is picked twice receives both gradients."""
    return x[index]


@op(
    r"\operatorname{scatter}_{i}\, x",
    examples=(
        example((3,), index=1, shape=(4, 3)),
        example((2,), index=np.array([1, 1]), shape=(3,)),
        example((1,), index=np.array([0, 2, 2]), shape=(3,)),
        example((), index=(0, 0), shape=(1, 2)),
        example((1, 3), index=slice(1, 2), shape=(2, 3)),
        example((0, 3), index=slice(0), shape=(2, 3)),
    ),
)
@in_float32
def scatter(x: Any, index: Any = (), shape: Any = ()) -> Any:
    """Zeros of a shape with ``x`` added at an index: the adjoint of `getitem`."""
    if _is_computed(index) and not _is_computed(x):
        return _scattered(x, shape, isinstance(index, tuple), *(index if isinstance(index, tuple) else (index,)))
    zeros = np.zeros_like(x, shape=shape)
    if _distinct(index):
        zeros[index] = x
    else:
        add_at(zeros, index, x)
    return zeros


def _is_computed(index: Any) -> bool:
    """Whether there is an array of another kind in an index, as one that a replay computes."""
    for part in index if isinstance(index, tuple) else (index,):
        if hasattr(type(part), "__array_function__") and not issubclass(type(part), np.ndarray):
            return True
    return False


@one_call
def _scattered(x: Any, shape: Any, several: bool, *parts: Any) -> Any:
    """`scatter` of a plain array in one call: what is written into is no array that a replay computes."""
    zeros = np.zeros_like(x, shape=shape)
    add_at(zeros, parts if several else parts[0], x)
    return zeros


@getitem.vjp(r"1")
def _(g: Any, z: Any, x: Any, index: Any = ()) -> Any:
    return scatter(g, index=index, shape=np.shape(x))


def _add_into(total: Any, g: Any, index: Any = ()) -> None:
    if _distinct(index):
        total[index] += g
    else:
        add_at(total, index, g)


@in_float32
def scatter_all(*xs: Any, calls: Any = (), shape: Any = ()) -> Any:
    """The sum of several `scatter`."""
    total = np.zeros_like(xs[0], shape=shape)
    for x, params in zip(xs, calls, strict=True):
        _add_into(total, x, **params)
    return total


_scatter_all = Op(scatter_all, r"\sum_k \operatorname{scatter}_{i_k}\, x_k", complex=True)


@_scatter_all.vjp(r"1")
def _(g: Any, z: Any, *xs: Any, wanted: Sequence[bool], calls: Any, shape: Any) -> Iterator[Any]:
    return (g[params["index"]] if asked else None for asked, params in zip(wanted, calls, strict=True))


getitem.puts = Puts(_add_into, _scatter_all)


@scatter.vjp(r"1")
def _(g: Any, z: Any, x: Any, index: Any = (), shape: Any = ()) -> Any:
    picked = g[index]  # more than x, where x was stretched to fill the place
    return picked if np.shape(picked) == np.shape(x) else unbroadcast(picked, np.shape(x))


def _distinct(index: Any) -> bool:
    """Whether an index can pick no element twice: slices, numbers and masks cannot, integer arrays can."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or part is Ellipsis
        or isinstance(part, slice | int | np.integer)
        or (hasattr(part, "dtype") and part.dtype == bool)
        for part in parts
    )


NUMPY[Tensor.__getitem__] = getitem


# -- by lists of indices -------------------------------------------------------------------------------


@op(
    r"\operatorname{repeat} x",
    numpy=np.repeat,
    examples=(
        example((3,), repeats=2),
        example((2, 3), repeats=2),
        example((2, 3), repeats=3, axis=1),
        example((2, 3), repeats=np.array([2, 0, 1]), axis=-1),
        example((), repeats=2),
        example((0, 2), repeats=2, axis=0),
    ),
    complex=True,
)
def repeat(x: Any, repeats: Any = 1, axis: int | None = None) -> Any:
    """Each element so many times in a row, along an axis or of all elements in a row."""
    return np.repeat(x, to_numpy(repeats), axis)  # how long the result is must be known here


@repeat.vjp(r"1")
@rule_in_float32()
def _(g: Any, z: Any, x: Any, repeats: Any = 1, axis: int | None = None) -> Any:
    lanes, axis = along(plain(x), axis)
    shape, repeats = np.shape(lanes), to_numpy(repeats)
    before, n, after = shape[:axis], shape[axis], shape[axis + 1 :]
    if np.size(repeats) != 1:
        places = np.repeat(np.arange(n), repeats)
        back = scatter(g, index=(*(slice(None),) * axis, places), shape=shape)
    else:
        back = np.sum(np.reshape(g, (*before, n, int(np.ravel(repeats)[0]), *after)), axis + 1)
    return np.reshape(back, np.shape(x))


@composed(
    r"x_{i}",
    numpy=np.take,
    examples=(
        example((4, 3), np.array([0, 5, 5])),
        example((4, 3), np.array([[0, 3], [1, 1]]), axis=0),
        example((4, 3), 1, axis=-1),
        example((4, 3), np.array([-5, 7]), axis=0, mode="wrap"),
        example((4, 3), np.array([-5, 7]), axis=0, mode="clip"),
    ),
)
def take(x: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Any:
    """The elements at whole-number indices along an axis, or of all elements in a row."""
    x, axis = along(x, axis)
    return x[(*(slice(None),) * axis, _numbers(indices, np.shape(x)[axis], mode))]


@composed(
    r"x_{i}",
    numpy=np.take_along_axis,
    examples=(
        example((4,), np.array([2, 0, 0]), axis=0),
        example((2, 3), np.array([[0, 2], [1, 1]]), axis=1),
        example((2, 3), np.array([[0, 1, 1]]), axis=0),
        example((2, 3), np.array([5, 0]), axis=None),
    ),
)
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """For each lane along an axis the elements at indices of its own, as `numpy.argsort` gives them."""
    if axis is None:
        x, axis = np.ravel(x), 0
    axis, indices = normalize_axis_index(axis, np.ndim(x)), _numbers(indices)
    if indices.ndim != np.ndim(x):
        raise ValueError(
            f"take_along_axis: expected indices with as many axes as x, got shapes {list(indices.shape)} and "
            f"{list(np.shape(x))}"
        )
    index: list[Any] = list(np.ogrid[tuple(slice(n) for n in np.shape(x))])
    index[axis] = indices
    return x[tuple(index)]


@composed(
    r"x_{i}",
    numpy=np.compress,
    examples=(
        example(np.array([True, False, True]), (2, 3)),
        example(np.array([False, True]), (3, 4), axis=1),
        example(np.array([], bool), (2, 3), axis=0),
    ),
)
def compress(condition: Any, x: Any, axis: int | None = None) -> Any:
    """The places along an axis, or of all elements in a row, where the condition (as long or shorter) holds."""
    return np.take(x, np.flatnonzero(plain(condition)), axis)


@composed(
    r"x_{i}",
    numpy=np.choose,
    examples=(
        example(np.array([1, 0, 1]), [(3,), (2, 3)]),
        example(np.array(1), [(), ()]),
        example(np.array([5, -1]), [(2,), ()], mode="clip"),
    ),
)
def choose(indices: Any, choices: Any, *, mode: str = "raise") -> Any:
    """Of several arrays, element by element, the one that the whole number at this place names."""
    indices = _numbers(indices, len(choices), mode)
    shape = np.broadcast_shapes(np.shape(indices), *(np.shape(c) for c in choices))
    rows = np.stack([np.broadcast_to(c, shape) for c in choices])
    return np.take_along_axis(rows, np.broadcast_to(indices, shape)[None], 0)[0]


def _numbers(indices: Any, n: int = 0, mode: str = "raise") -> Any:
    """Indices as a plain array, of whatever library they are; those beyond n wrapped or held back where wanted."""
    indices = plain(indices)
    indices = indices if hasattr(indices, "dtype") else np.asarray(indices, int if np.size(indices) == 0 else None)
    indices = indices.astype(int) if indices.dtype == bool else indices
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"mode: expected one of raise, wrap and clip, got {mode!r}")
    return indices if mode == "raise" else indices % n if mode == "wrap" else np.clip(indices, 0, n - 1)


@composed(
    r"x_{i}",
    numpy=np.extract,
    examples=(example(np.array([[True, False], [True, True]]), (2, 2)), example(np.array([False, True]), (3,))),
)
def extract(condition: Any, x: Any) -> Any:
    """The elements where the condition holds, in a row."""
    return np.compress(np.ravel(plain(condition)), x)


# -- put together in another way -----------------------------------------------------------------------
# NumPy's own functions, given the numbers of the places in place of the elements, say which element goes where.


def _rearranged(function: Callable[..., Any], *xs: Any) -> Any:
    ends = np.cumsum([0, *(np.size(x) for x in xs)])
    places = (start + np.arange(np.size(x)).reshape(np.shape(x)) for start, x in zip(ends, xs, strict=False))
    index = asarray_like(next(x for x in xs if hasattr(x, "dtype")), np.asarray(function(*places)))
    return (np.concatenate([np.ravel(x) for x in xs]) if len(xs) > 1 else np.ravel(xs[0]))[index]


@composed(
    r"\operatorname{delete} x",
    numpy=np.delete,
    examples=(example((4,), 1), example((2, 4), slice(1, 3), axis=1), example((2, 3), np.array([0, 5]))),
)
def delete(x: Any, obj: Any, axis: int | None = None) -> Any:
    """Without the places that an index names, along an axis or among all elements in a row."""
    return _rearranged(lambda places: np.delete(places, in_numpy(plain(obj)), axis), x)


@composed(
    r"\operatorname{insert}(x, y)",
    numpy=np.insert,
    examples=(
        example((4,), np.array([1, 3]), (2,)),
        example((2, 3), 1, (2,), axis=1),
        example((2, 2), slice(1, 3), ()),
    ),
)
def insert(x: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """``x`` with ``values`` before the places that an index names, along an axis or among all elements in a row."""
    values = values if hasattr(values, "dtype") else np.asarray(values)
    values = values if values.dtype == x.dtype else values.astype(x.dtype)
    return _rearranged(lambda places, new: np.insert(places, in_numpy(plain(obj)), new, axis), x, values)


@composed(
    r"\operatorname{resize} x",
    numpy=np.resize,
    examples=(example((3,), new_shape=(2, 2)), example((2, 2), 3), example((0,), 2)),
)
def resize(x: Any, new_shape: Any) -> Any:
    """The elements in a row, as often as it takes to fill the new shape; of no elements zeros."""
    return _rearranged(lambda places: np.resize(places, new_shape), x if np.size(x) else np.sum(x))


@composed(
    r"\operatorname{block}(x, y, \dots)",
    numpy=np.block,
    examples=(example([[(2, 2), (2, 1)], [(1, 2), (1, 1)]]), example([(2,), ()])),
)
def block(arrays: Any) -> Any:
    """One array of nested lists: those that lie deepest are joined along the last axis, those around them before it."""
    return _rearranged(lambda *places: np.block(tree.rebuild(arrays, iter(places))), *tree.leaves(arrays))


# -- diagonals -----------------------------------------------------------------------------------------


def _diagonal_in_a_row(rows: int, columns: int, offset: int) -> slice:
    """Where the elements of a diagonal lie among all those of a matrix, row by row."""
    n = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    first = max(offset, 0) - min(offset, 0) * columns if n else 0
    return slice(first, first + n * (columns + 1), columns + 1)


DIAGONALS = (
    example((3, 3)),
    example((2, 4), offset=1),
    example((3, 2), offset=-1),
    example((2, 3, 4), axis1=-1, axis2=0),
    example((2, 2), offset=5),
    example((0, 2)),
)


@composed(r"x_{ii}", numpy=np.diagonal, examples=DIAGONALS)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of two axes, or one ``offset`` places above it, along a new last axis."""
    if np.ndim(x) != 2 or (axis1, axis2) != (0, 1):
        x = np.moveaxis(x, (axis1, axis2), (-2, -1))
    *stack, rows, columns = np.shape(x)
    return np.reshape(x, (*stack, rows * columns))[..., _diagonal_in_a_row(rows, columns, operator.index(offset))]


@composed(r"\sum_i x_{ii}", numpy=np.trace, examples=DIAGONALS)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of the diagonal."""
    return np.sum(np.diagonal(x, offset, axis1, axis2), -1)


STACKS = (example((3, 3)), example((2, 3, 4), offset=1), example((2, 4, 2), offset=-1))


@composed(r"x_{ii}", numpy=np.linalg.diagonal, examples=STACKS)
def linalg_diagonal(x: Any, *, offset: int = 0) -> Any:
    """The diagonal of each matrix, over the last two axes."""
    return np.diagonal(x, offset, -2, -1)


@composed(r"\sum_i x_{ii}", numpy=np.linalg.trace, examples=STACKS)
def linalg_trace(x: Any, *, offset: int = 0) -> Any:
    """The trace of each matrix, over the last two axes."""
    return np.trace(x, offset, -2, -1)


@composed(
    r"\operatorname{diag} x",
    numpy=np.diag,
    examples=(example((3,)), example((2,), k=-1), example((3, 3)), example((2, 4), k=1), example((0,))),
)
def diag(x: Any, k: int = 0) -> Any:
    """Of a vector the matrix with that diagonal, of a matrix its diagonal."""
    if np.ndim(x) not in (1, 2):
        raise ValueError(f"diag: expected one axis or two, got shape {list(np.shape(x))}; np.diagonal takes more")
    if np.ndim(x) == 2:
        return np.diagonal(x, k)
    n = np.shape(x)[0] + abs(k)
    return np.reshape(scatter(x, index=_diagonal_in_a_row(n, n, k), shape=(n * n,)), (n, n))


@composed(r"\operatorname{diag} x", numpy=np.diagflat, examples=(example((2, 2)), example((), k=1)))
def diagflat(x: Any, k: int = 0) -> Any:
    """The matrix with all elements of ``x`` on its diagonal."""
    return np.diag(np.ravel(x), k)


# -- functional updates --------------------------------------------------------------------------------


class At:
    """What ``t.at`` gives; index it, and then ``.set(v)`` or ``.add(v)`` give a changed copy of ``t``."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor

    def __getitem__(self, index: Any) -> Place:
        return Place(self.tensor, plain(index))


class Place:
    """A tensor and a place in it."""

    def __init__(self, tensor: Any, index: Any) -> None:
        self.tensor, self.index = tensor, index

    def add(self, value: Any) -> Any:
        """A copy with ``value`` added here; what an index names twice is added to twice."""
        return self.tensor + scatter(self._fitted(value), index=self.index, shape=self.tensor.shape)

    def set(self, value: Any) -> Any:
        """A copy with ``value`` here; of several values for one place the last counts, and gets the gradient."""
        index = in_numpy(self.index)  # NumPy alone promises that of several values for one place the last is there
        here = np.zeros(self.tensor.shape, bool)
        here[index] = True
        here = asarray_like(self.tensor, here)
        value = self._fitted(value)
        if not _distinct(index):
            order = np.arange(np.size(value)).reshape(np.shape(value))
            last = np.zeros(self.tensor.shape, int)
            last[index] = order
            value = np.where(asarray_like(value, last[index] == order), value, 0)
        return np.where(here, scatter(value, index=self.index, shape=self.tensor.shape), self.tensor)

    def _fitted(self, value: Any) -> Any:
        """``value`` in the shape of what is at the index, and in the dtype of the tensor."""
        # A view that takes no memory: only its shape after indexing is of interest.
        shape = np.broadcast_to(np.False_, self.tensor.shape)[in_numpy(self.index)].shape
        if not hasattr(value, "dtype"):
            value = asarray_like(self.tensor, np.asarray(value, self.tensor.dtype))
        value = value if value.dtype == self.tensor.dtype else value.astype(self.tensor.dtype)
        return np.broadcast_to(value, shape)


NUMPY[Tensor.at] = At
