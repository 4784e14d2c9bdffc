"""What is known of NumPy's functions, and what an instruction may do: raise, change state, depend on another."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .. import tree
from ..arrays import TOTAL
from .ir import Buffer, BufferView, Group, Instruction


def copied(x: Any) -> Any:
    """What a copy, a conversion or a fill is noted as; a program writes it straight into its place."""
    return np.array(x)


# NumPy functions whose answer is about shapes and dtypes only, which a program is fixed to.
STATIC = {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj, np.common_type}

# The shape of what these give depends on the data.
OF_VARYING_SHAPE = {np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.extract, np.compress, np.trim_zeros,
                    np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d, np.bincount, np.unique_all,
                    np.unique_counts, np.unique_inverse, np.unique_values, np.roots}  # fmt: skip

# These give complex numbers or real ones, as the data will have it.
OF_VARYING_KIND = {np.real_if_close, np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10, np.emath.logn,
                   np.emath.power, np.emath.arccos, np.emath.arcsin, np.emath.arctanh}  # fmt: skip

# And so do these, of which we have our own that note a decision.
DECIDING = {np.linalg.eig, np.linalg.eigvals}

# And the shape of what these give on what comes after the first argument.
SHAPED_BY_THE_REST = {np.repeat, np.tile, np.delete, np.pad, np.resize}

# These change their first argument.
CHANGING = {np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}

# These fill or copy; the function's own argument that holds the values.
COPIES: dict[Any, Callable[..., Any]] = {
    np.copy: lambda a, *_, **__: a,
    np.ascontiguousarray: lambda a, *_, **__: a,
    np.zeros_like: lambda *_, **__: 0,
    np.empty_like: lambda *_, **__: 0,
    np.ones_like: lambda *_, **__: 1,
    np.full_like: lambda a, fill_value, *_, **__: fill_value,
}

# What these give has the elements of their first argument.
VIEWING = {np.reshape, np.ravel, np.expand_dims, np.broadcast_to, np.transpose, np.squeeze}

# These make of each row one element.
REDUCTIONS = (np.sum, np.mean, np.prod, np.max, np.min, np.any, np.all)

# These raise no error for the values of an array, only for its shape or dtype.
NEVER_RAISING: set[Any] = {
    np.all, np.amax, np.amin, np.any, np.argmax, np.argmin, np.argpartition, np.argsort, np.array_split, np.atleast_1d,
    np.atleast_2d, np.atleast_3d, np.around, np.block, np.broadcast_arrays, np.broadcast_to, np.clip, np.column_stack,
    np.concatenate, np.convolve, np.copy, np.copyto, np.correlate, np.cov, np.cross, np.cumprod, np.cumsum, np.diag,
    np.diagflat, np.diagonal, np.diff, np.dot, np.dsplit, np.dstack, np.ediff1d, np.einsum, np.expand_dims,
    np.fill_diagonal, np.flip, np.fliplr, np.flipud, np.full_like, np.gradient, np.hsplit, np.hstack, np.imag, np.inner,
    np.isclose, np.isfinite, np.kron, np.lexsort, np.matrix_transpose, np.max, np.mean, np.min, np.moveaxis,
    np.nan_to_num, np.nanmax, np.nanmean, np.nanmin, np.nanprod, np.nanstd, np.nansum, np.nanvar, np.ones_like,
    np.outer, np.pad, np.partition, np.place, np.prod, np.ptp, np.putmask, np.ravel, np.real, np.repeat, np.reshape,
    np.resize, np.roll, np.rollaxis, np.rot90, np.round, np.sinc, np.sort, np.split, np.squeeze, np.stack, np.std,
    np.sum, np.swapaxes, np.tensordot, np.tile, np.trace, np.transpose, np.trapezoid, np.tril, np.triu, np.vander,
    np.var, np.vdot, np.vsplit, np.vstack, np.where, np.zeros_like, np.linalg.det, np.linalg.slogdet, copied
}  # fmt: skip

# Whole numbers have no negative whole powers, which is an error; for all others powers are total.
POWERS: set[Any] = {np.power}

# What these raise they raise for the second argument, an index.
_BY_INDEX = (operator.getitem, operator.setitem, np.take, np.put, np.take_along_axis, np.put_along_axis)


def raises_for_values(function: Any) -> bool:
    """Whether a call that went well may raise an error for other values: an index out of bounds, a singular matrix.

    A closed set of functions does not; whatever is not in it may.
    """
    if isinstance(function, np.ufunc):
        return function in POWERS
    if isinstance(getattr(function, "__self__", None), np.ufunc):
        return function.__name__ in ("at", "reduceat")
    return function not in NEVER_RAISING and function not in TOTAL and type(function) not in TOTAL


def may_raise(inst: Instruction) -> bool:
    """Whether an instruction that went well may raise an error for other values than the recorded ones."""
    function: Any = inst.function
    if not raises_for_values(function):
        return False
    if function in POWERS:
        return all(p.dtype.kind in "iu" for p in inst.defined)
    of_ufunc = isinstance(getattr(function, "__self__", None), np.ufunc)
    deciding = inst.args[1:2] if function in _BY_INDEX or of_ufunc else inst.args
    operands = tree.leaves((deciding, inst.kwargs))
    return any(isinstance(p, BufferView) and p.buffer.kind != "constant" for p in operands)


def elementwise(inst: Instruction) -> bool:
    """Whether element i of the result comes from the elements i of the operands and nothing else."""
    result = inst.results[0] if len(inst.results) == 1 else None
    if result is None or inst.writes or inst.errors or inst.has_side_effects:
        return False
    if not all(isinstance(a, BufferView | int | float | np.generic) for a in inst.args):
        return False
    if any(p.overlaps(result) and not p.aligned_with(result) for p in inst.reads):
        return False  # as in x[1:] = x[:-1], which NumPy does as if on a copy
    if inst.function is copied:
        return True
    return isinstance(inst.function, np.ufunc) and inst.function.signature is None and not inst.kwargs


def changes_state(part: Instruction | Group) -> bool:
    """Whether an instruction or a group writes to state."""
    written = part.writes if isinstance(part, Group) else part.defined
    return any(p.buffer.kind == "state" for p in written)


def depends(group: Group, before: Group) -> bool:
    """Whether ``group`` must stay behind ``before``, as far as what they read and write tells."""
    return (
        any(p.overlaps(w) for p in group.reads for w in before.writes)
        or any(w.overlaps(p) for w in group.writes for p in before.reads)
        or any(w.overlaps(v) for w in group.writes for v in before.writes)
    )


def definitions(instructions: Iterable[Instruction]) -> Counter[Buffer]:
    """How many instructions change each buffer."""
    return Counter(m for inst in instructions for m in {p.buffer for p in inst.defined})


def name_of(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)
