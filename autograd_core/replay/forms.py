"""From an instruction to a call that is ready to go, with the form of NumPy's that writes straight into its place."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .. import tree
from .effects import copied, name_of
from .ir import BufferView, Instruction, Kernel
from .passes.fuse import BLOCK, SMALL

Step = Callable[[], Any]

# The largest of at most so many places, such as a pooling window, is found slice by slice; rows must have this length.
WINDOW, ROW = 16, 16

# Arrays of more elements are compared with an array rather than with a number.
REPEATED = 1024


def bind(inst: Instruction, array_of: Callable[[BufferView], Any]) -> Step:
    """An instruction with its arrays, as a call that is ready to go."""
    results = [p if p is None else array_of(p) for p in inst.results]
    step = _form(inst, _arrays(inst.args, array_of), _arrays(inst.kwargs, array_of), results)
    return step if inst.errors is None else partial(_with_errors, inst.errors, step)


def _arrays(value: Any, array_of: Callable[[BufferView], Any]) -> Any:
    return tree.map(lambda leaf: array_of(leaf) if isinstance(leaf, BufferView) else leaf, value)


def _form(inst: Instruction, args: Any, kwargs: Any, results: list[Any]) -> Step:
    function: Any = inst.function
    if isinstance(function, Kernel):
        return function.bind(*args)
    if not results:
        return partial(function, *args, **kwargs)
    if len(results) > 1:
        return partial(_into_all, results, function, args, kwargs)
    (out,) = results
    if function is copied:
        value = args[0]
        return partial(out.fill, value) if np.ndim(value) == 0 else partial(out.__setitem__, ..., value)
    if function is np.matmul and not kwargs and _small_matrices(*args, out):
        return partial(args[0].dot, args[1], out)  # as a method it asks nobody who else might answer
    if isinstance(function, np.ufunc):
        if function.signature is None and not kwargs:
            args, out = _of_one_row(args, out)
        if function in (np.maximum, np.minimum):  # they warn where the third argument is not a keyword
            return partial(function, *(_repeated(p, a, out) for p, a in zip(inst.args, args, strict=True)), out=out)
        if kwargs:
            return partial(function, *args, **kwargs, out=out)
        return partial(function, *args, out)
    form = FORMS.get(function)
    if form is not None:
        with contextlib.suppress(TypeError):  # written with arguments in another order than the form knows
            step: Step | None = form(out, *args, **kwargs)
            if step is not None:
                return step
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    runs = isinstance(owner, np.ufunc) and name in ("reduce", "accumulate", "reduceat")
    if runs and not (name == "reduce" and _backwards(args[0])):
        return partial(function, *args, **kwargs, out=out)
    if isinstance(owner, np.random.Generator) and name in ("random", "standard_normal") and out.flags.c_contiguous:
        return partial(function, dtype=out.dtype, out=out)
    return partial(_into, out, function, args, kwargs)


def _small_matrices(*arrays: Any) -> bool:
    """Whether `numpy.dot` multiplies these, in the same way and in less time before it begins."""
    dtype = arrays[0].dtype
    return arrays[-1].flags.c_contiguous and all(
        a.ndim == 2 and a.size <= SMALL and a.dtype == dtype and a.dtype.kind in "fc" and a.flags.forc for a in arrays
    )


def _of_one_row(args: Any, out: Any) -> tuple[Any, Any]:
    """The same arrays without the first axes of the result that have length 1.

    To match shapes that differ, such as those of a row and of a matrix of one row, takes NumPy longer than to compute
    with a few numbers.
    """
    while out.ndim > 1 and out.shape[0] == 1:
        args = tuple(a[0] if isinstance(a, np.ndarray) and a.ndim == out.ndim else a for a in args)
        out = out[0]
    return args, out


def _into(out: Any, function: Any, args: Any, kwargs: Any) -> None:
    _put(out, function(*args, **kwargs), function)


def _into_all(results: list[Any], function: Any, args: Any, kwargs: Any) -> None:
    for out, value in zip(results, tree.leaves(function(*args, **kwargs)), strict=True):
        if out is not None:
            _put(out, value, function)


def _put(out: Any, value: Any, function: Any) -> None:
    """Copy a result to where the recorded one lay, if for these numbers it is of the same form.

    Eigenvalues, for one, are real or complex numbers as the matrix is.
    """
    shape, dtype = np.shape(value), getattr(value, "dtype", out.dtype)
    if (shape, dtype) != (out.shape, out.dtype):
        raise ValueError(
            f"{name_of(function)}: expected {out.dtype}{list(out.shape)}, as it was recorded, got {dtype}{list(shape)}"
        )
    np.copyto(out, value, "unsafe")


def _with_errors(errors: dict[str, Any], step: Step) -> None:
    with np.errstate(**errors):
        step()


def _repeated(view: Any, value: Any, out: Any) -> Any:
    """A constant number as an array: the larger of two arrays is found three times as fast as that with a number."""
    known = isinstance(view, BufferView) and view.buffer.kind == "constant" and not view.shape
    return _full(value.item(), value.dtype, out.shape) if known and REPEATED < out.size <= 4 * BLOCK else value


@lru_cache(maxsize=64)
def _full(value: Any, dtype: Any, shape: tuple[int, ...]) -> Any:
    return np.full(shape, value, dtype)


def _reduction(ufunc: Any) -> Callable[..., Step | None]:
    """`numpy.sum` and its like are a method of a ufunc behind a page of Python."""

    def form(out: Any, x: Any, axis: Any = None, keepdims: Any = False, **others: Any) -> Step | None:
        if others:
            return None
        orderless = ufunc in (np.maximum, np.minimum)  # a sum has an order
        slices = _slices(x, axis) if orderless and out.ndim and x.ndim else []
        if slices:
            return partial(_slice_by_slice, ufunc, slices, out.reshape(slices[0].shape))
        return None if _backwards(x) else partial(ufunc.reduce, x, axis, None, out, bool(keepdims))

    return form


def _backwards(x: Any) -> bool:
    """Whether an array is a view that runs backwards: given out=, NumPy 2.0 reduces it to other values."""
    return any(step < 0 for step in getattr(x, "strides", ()))


def _slices(x: Any, axis: Any) -> list[Any]:
    """What is reduced over a few places of a window, with rows that are long enough: one array for each place."""
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    count = math.prod(x.shape[a] for a in axes)
    if x.ndim - 1 in axes or x.shape[-1] < ROW or not 1 < count <= WINDOW:
        return []
    moved = np.moveaxis(x, axes, range(len(axes)))
    return [moved[place] for place in np.ndindex(*moved.shape[: len(axes)])]


def _slice_by_slice(ufunc: Any, slices: list[Any], out: Any) -> None:
    rows = max(BLOCK * len(out) // max(out.size, 1), 1)  # so many stay in cache from one slice to the next
    for start in range(0, len(out), rows):
        part = out[start : start + rows]
        ufunc(slices[0][start : start + rows], slices[1][start : start + rows], out=part)
        for other in slices[2:]:
            ufunc(part, other[start : start + rows], out=part)


def _reshape(out: Any, x: Any, *_: Any, order: str = "C", **__: Any) -> Step | None:
    if order != "C" or not out.flags.c_contiguous:
        return None
    return partial(np.copyto, out.reshape(x.shape), x)


def _where(out: Any, condition: Any, x: Any, y: Any) -> Step | None:
    if getattr(condition, "dtype", None) != np.dtype(bool):
        return None
    return partial(_choose, out, condition, x, y)


def _choose(out: Any, condition: Any, x: Any, y: Any) -> None:
    np.copyto(out, y, "unsafe")
    np.copyto(out, x, "unsafe", condition)


def _concatenate(out: Any, arrays: Any, axis: Any = 0) -> Step | None:
    return None if axis is None else partial(np.concatenate, arrays, axis, out)


def _mean(out: Any, x: Any, axis: Any = None, keepdims: Any = False) -> Step | None:
    if out.dtype == np.float16 or _backwards(x):  # NumPy sums float16 in float32, but with an out= in that
        return None
    return partial(np.mean, x, axis, None, out, keepdims)


# NumPy functions with a form that writes into memory that exists. Any other is run and its result copied.
FORMS: dict[Any, Callable[..., Step | None]] = {
    np.sum: _reduction(np.add),
    np.prod: _reduction(np.multiply),
    np.max: _reduction(np.maximum),
    np.min: _reduction(np.minimum),
    np.any: _reduction(np.logical_or),
    np.all: _reduction(np.logical_and),
    np.mean: _mean,
    np.argmax: lambda out, x, axis=None: partial(np.argmax, x, axis, out),
    np.reshape: _reshape,
    np.where: _where,
    np.concatenate: _concatenate,
}
