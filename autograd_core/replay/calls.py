"""What a recording is made of: calls, and the places in memory that they read and write."""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import tree
from ..arrays import TOTAL


class Unplannable(Exception):
    """A recording that cannot be made a program, and why."""


class Memory:
    """One allocation that a recording knows. ``array`` owns it, if it outlives the recording."""

    __slots__ = ("address", "array", "kind", "size")

    def __init__(self, kind: str, size: int, address: int, array: Any = None):
        self.kind = kind  # "input", "state", "constant" or "scratch"
        self.size = size
        self.address = address
        self.array = array

    def __repr__(self) -> str:
        return f"<{self.kind}, {self.size} bytes>"


@dataclass(frozen=True, slots=True)
class Place:
    """An array by where it lies: a memory, and how to walk through it. Offsets and strides are in bytes."""

    memory: Memory
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def extent(self) -> tuple[int, int]:
        """The first byte of the memory that this touches, and the one after the last."""
        if 0 in self.shape:
            return self.offset, self.offset
        steps = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        low = self.offset + sum(s for s in steps if s < 0)
        return low, self.offset + sum(s for s in steps if s > 0) + self.dtype.itemsize

    @property
    def contiguous(self) -> bool:
        """Whether the elements follow each other in row-major order without gaps."""
        expected = self.dtype.itemsize
        for n, s in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if n != 1 and s != expected:
                return False
            expected *= n
        return True

    @property
    def size(self) -> int:
        """How many elements there are."""
        return int(np.prod(self.shape, dtype=np.int64))

    def overlaps(self, other: Place) -> bool:
        """Whether the two may share a byte."""
        if self.memory is not other.memory:
            return False
        (a, b), (c, d) = self.extent, other.extent
        return a < d and c < b

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


def same(p: Place, q: Place) -> bool:
    """Whether two places in one memory are walked through in the same way."""
    return (p.offset, p.shape, p.strides) == (q.offset, q.shape, q.strides)


@dataclass(slots=True)
class Call:
    """``function(*args, **kwargs)``, whose array results go to ``results``; ``writes`` it changes by itself."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: tuple[Place | None, ...]
    writes: tuple[Place, ...] = ()
    where: tuple[str, int] = ("", 0)
    errors: dict[str, Any] | None = None  # what np.errstate said, where it differs from the outside
    pinned: bool = False  # happens although nobody reads it: a draw, whose generator moves on
    reads: tuple[Place, ...] = field(default=())
    defined: tuple[Place, ...] = field(init=False)  # all that this call changes

    def __post_init__(self) -> None:
        self.defined = (*(p for p in self.results if p is not None), *self.writes)


@dataclass(slots=True)
class Guard:
    """A truth that the recorded path relied on: another one at replay means that this batch goes another way."""

    condition: Place
    expected: bool
    position: int  # how many calls had been noted before
    where: tuple[str, int]


def copied(x: Any) -> Any:
    """What a copy, a conversion or a fill is noted as; a plan writes it straight into its place."""
    return np.array(x)


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


def may_fail(call: Call) -> bool:
    """Whether a call that went well may raise an error for other values than the recorded ones."""
    function: Any = call.function
    if not raises_for_values(function):
        return False
    if function in POWERS:
        return all(p.dtype.kind in "iu" for p in call.defined)
    of_ufunc = isinstance(getattr(function, "__self__", None), np.ufunc)
    deciding = call.args[1:2] if function in _BY_INDEX or of_ufunc else call.args
    operands = tree.leaves((deciding, call.kwargs))
    return any(isinstance(p, Place) and p.memory.kind != "constant" for p in operands)


def owner_of(array: Any) -> Any:
    """The array that owns the memory in which ``array`` is a view."""
    owner, link = array, array.base
    while link is not None:
        if isinstance(link, np.ndarray):
            owner = link
        link = getattr(link, "base", None)
    return owner


def array_at(place: Place, buffer: Any) -> Any:
    """The array at a place in a memory whose bytes are these."""
    return np.ndarray(place.shape, place.dtype, buffer, place.offset, place.strides)


def bytes_of(array: Any) -> Any:
    """All the memory of an array as one axis of bytes."""
    if not array.flags.c_contiguous:
        array = array.T
    if not array.flags.c_contiguous:
        raise Unplannable(f"the memory of an array of shape {list(array.shape)} has gaps")
    return array.reshape(-1).view(np.uint8)


def by_bits(value: Any) -> Any:
    """Something equal for numbers of one type with the same bits only: not for 0.0 and -0.0, but for NaN and itself."""
    kind = type(value)
    if kind is float or kind is complex:
        return kind, struct.pack("dd", value.real, value.imag)
    if not isinstance(value, np.generic):
        return kind, value
    if value.dtype.char in "gG":  # whose bytes are more than its bits
        return kind, *[(repr(part), bool(np.signbit(part))) for part in (value.real, value.imag)]
    return kind, value.tobytes()


def name_of(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)
