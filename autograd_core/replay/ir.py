"""The representation that all rooms share: buffers, views of them, instructions, guards, and the schedule of a program.

A recording is a list of instructions, each a call of NumPy's on views of buffers. A schedule holds them in groups that
run together; each pass makes of one schedule another. Nothing here knows an op, a layer, or how anything is run.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from .. import tree


class Unplannable(Exception):
    """A recording that cannot be made a program, and why."""


class Buffer:
    """One allocation that a recording knows. ``array`` owns it, if it outlives the recording."""

    __slots__ = ("address", "array", "kind", "size")

    def __init__(
        self, kind: Literal["input", "state", "constant", "scratch"], size: int, address: int = 0, array: Any = None
    ):
        self.kind = kind
        self.size = size  # in bytes
        self.address = address
        self.array = array

    def __repr__(self) -> str:
        return f"<{self.kind}, {self.size} bytes>"


@dataclass(frozen=True, slots=True)
class BufferView:
    """An array by where it lies: a buffer, and how to walk through it. Offsets and strides are in bytes."""

    buffer: Buffer
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def extent(self) -> tuple[int, int]:
        """The first byte of the buffer that this touches, and the one after the last."""
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

    def overlaps(self, other: BufferView) -> bool:
        """Whether the two may share a byte."""
        if self.buffer is not other.buffer:
            return False
        (a, b), (c, d) = self.extent, other.extent
        return a < d and c < b

    def aligned_with(self, other: BufferView) -> bool:
        """Whether two views of one buffer are walked through in the same way."""
        return (self.offset, self.shape, self.strides) == (other.offset, other.shape, other.strides)

    def along(self, axis: int, start: int, stop: int) -> BufferView:
        """The part from ``start`` to ``stop`` along an axis."""
        shape = (*self.shape[:axis], stop - start, *self.shape[axis + 1 :])
        return replace(self, offset=self.offset + start * self.strides[axis], shape=shape)

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


# Where buffers lie now: in which other buffer, and from which byte of it on.
Aliases = Mapping[Buffer, tuple[Buffer, int]]


@dataclass(slots=True)
class Instruction:
    """``function(*args, **kwargs)``, whose array results go to ``results``; ``writes`` it changes by itself."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: tuple[BufferView | None, ...]
    writes: tuple[BufferView, ...] = ()
    where: tuple[str, int] = ("", 0)  # the line that it is for
    errors: dict[str, Any] | None = None  # what np.errstate said, where it differs from the outside
    has_side_effects: bool = False  # happens although nobody reads it: a draw, whose generator moves on
    reads: tuple[BufferView, ...] = ()
    defined: tuple[BufferView, ...] = field(init=False)  # all that this changes

    def __post_init__(self) -> None:
        self.defined = (*(p for p in self.results if p is not None), *self.writes)

    def moved(self, to: Callable[[BufferView], BufferView]) -> Instruction:
        """This, with another view for each of its views."""
        args, kwargs, results, writes, reads = (
            tree.map(lambda leaf: to(leaf) if isinstance(leaf, BufferView) else leaf, part)
            for part in (self.args, self.kwargs, self.results, self.writes, self.reads)
        )
        return replace(self, args=args, kwargs=kwargs, results=results, writes=writes, reads=reads)

    def renamed(self, aliases: Aliases) -> Instruction:
        """This, with its views where they lie now."""
        if not any(p.buffer in aliases for p in (*self.reads, *self.defined)):
            return self
        return self.moved(lambda view: renamed(view, aliases))


def renamed(view: BufferView, aliases: Aliases) -> BufferView:
    """``view`` where it lies now."""
    while view.buffer in aliases:
        buffer, offset = aliases[view.buffer]
        view = replace(view, buffer=buffer, offset=view.offset + offset)
    return view


class Kernel:
    """A function that a pass has made of several instructions; it is bound to its arrays in a way of its own."""

    __name__ = "kernel"
    made_of: Schedule | None = None  # what this stands for, where it is all of that

    def bind(self, *arrays: Any) -> Callable[[], Any]:
        """A call of this with these arrays, ready to go."""
        raise NotImplementedError


@dataclass(slots=True)
class Guard:
    """A truth that the recorded path relied on: another one at replay means that this batch goes another way."""

    condition: BufferView
    expected: bool
    position: int  # how many instructions had been noted before
    where: tuple[str, int]


@dataclass(eq=False)
class Group:
    """Instructions that run together: one, or a chain of elementwise ones that goes block by block."""

    instructions: list[Instruction]
    rows: int = 0  # the length of the axis that is cut; 0 when nothing is
    block: int = 0  # rows in a block
    flat: bool = False  # whether arrays are seen as one axis
    local: frozenset[Buffer] = frozenset()  # scratch that only this group sees: a block of it is enough
    worker: int = 0  # which thread runs it, where there are several
    barriers: int = 0  # how often the threads wait for each other before

    @property
    def writes(self) -> list[BufferView]:
        return [p for inst in self.instructions for p in inst.defined]

    @property
    def reads(self) -> list[BufferView]:
        return [p for inst in self.instructions for p in inst.reads]

    @property
    def touched(self) -> list[BufferView]:
        """All that this reads or writes."""
        return [*self.reads, *self.writes]


@dataclass(frozen=True)
class StateChange:
    """A stretch of state that a program changes."""

    view: BufferView
    first: int  # the group that changes it first
    last: int  # the last group that looks at it; beyond all groups when the outputs do


@dataclass(eq=False)
class Schedule:
    """What a program runs, group by group; and, once `memory` has planned it, where in one arena everything lies."""

    groups: list[Group]
    guards: list[Guard]
    outputs: list[BufferView]
    inputs: list[BufferView]
    states: list[Buffer]
    generators: list[Any]
    written: set[Buffer]  # inputs that are written to
    recorded: int  # how many instructions there were before any pass
    workers: int = 1  # how many threads run it together
    runner: Callable[[Any], Callable[[], bool]] | None = (
        None  # of a program: runs it, or says that this is not the time
    )
    hot: bool = False  # whether it has run for so long that passes were applied that take their time
    numbers: dict[Any, BufferView] = field(default_factory=dict)  # the constants without axes, by dtype and bits
    # What the passes in `memory` find out.
    offsets: dict[Buffer, int] = field(default_factory=dict)  # of scratch, in the arena
    size: int = 0  # of the arena, in bytes
    changes: list[StateChange] = field(default_factory=list)
    saved: list[BufferView] = field(default_factory=list)  # state that changes while something may still end the run
    draws: bool = False  # whether random numbers are drawn until then
    borrowed: set[Buffer] = field(default_factory=set)  # large inputs, which are read where the caller has them

    @property
    def instructions(self) -> list[Instruction]:
        """All instructions in order."""
        return [inst for group in self.groups for inst in group.instructions]

    @property
    def kept(self) -> set[Buffer]:
        """What is looked at after the last instruction."""
        return {p.buffer for p in self.outputs} | {g.condition.buffer for g in self.guards} | self.written

    @cached_property
    def guards_after(self) -> dict[int, list[Guard]]:
        """Each guard by how many groups have run when it can be asked: at once, since what follows may rely on it."""
        found: dict[int, list[Guard]] = {}
        for guard in self.guards:
            buffer = guard.condition.buffer
            made = (i for i, group in enumerate(self.groups, 1) if any(p.buffer is buffer for p in group.writes))
            found.setdefault(max(made, default=0), []).append(guard)
        return found

    def with_instructions(self, instructions: list[Instruction], aliases: Aliases | None = None) -> Schedule:
        """This with other instructions, each a group, and with what has an alias where that says."""
        return self.with_groups([Group([inst]) for inst in instructions], aliases)

    def with_groups(self, groups: list[Group], aliases: Aliases | None = None) -> Schedule:
        """This with other groups, and with what has an alias where that says, for guards and outputs too."""
        if not aliases:
            return replace(self, groups=groups)
        return replace(
            self,
            groups=[replace(g, instructions=[inst.renamed(aliases) for inst in g.instructions]) for g in groups],
            guards=[replace(guard, condition=renamed(guard.condition, aliases)) for guard in self.guards],
            outputs=[renamed(view, aliases) for view in self.outputs],
        )

    def number(self, value: Any, dtype: Any) -> BufferView:
        """A number as an array without axes; equal ones are one."""
        array = np.array(value, dtype)
        key = (array.dtype.str, array.tobytes())
        if key not in self.numbers:
            buffer = Buffer("constant", array.itemsize, array.__array_interface__["data"][0], array)
            self.numbers[key] = BufferView(buffer, 0, (), (), array.dtype)
        return self.numbers[key]


# -- arrays and their memory -------------------------------------------------------------------------------


def owner_of(array: Any) -> Any:
    """The array that owns the memory in which ``array`` is a view."""
    owner, link = array, array.base
    while link is not None:
        if isinstance(link, np.ndarray):
            owner = link
        link = getattr(link, "base", None)
    return owner


def array_at(view: BufferView, memory: Any) -> Any:
    """The array that a view is of a buffer whose bytes are these."""
    return np.ndarray(view.shape, view.dtype, memory, view.offset, view.strides)


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
