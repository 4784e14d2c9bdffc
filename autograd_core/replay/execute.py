"""A schedule bound to memory, as a flat list of calls that are ready to go."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from .checks import DECISION, LAYOUT, WRITTEN, CheckFailed
from .forms import Step, bind
from .ir import Buffer, BufferView, Group, Guard, Schedule, Unplannable, array_at, bytes_of, owner_of
from .memory import ALIGNMENT

# So many elements of a large state are compared by one number.
DIGESTED = 256


def aligned(size: int) -> Any:
    """So many bytes, beginning at a cache line."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT
    return memory[start : start + size]


def trim() -> None:
    """Let the system have the memory back that was freed, where the C library keeps it for later."""
    if sys.platform == "linux":
        with suppress(ImportError, OSError, AttributeError):  # another C library, or a program that can load none
            import ctypes

            ctypes.CDLL(None).malloc_trim(0)


@dataclass
class DryRun:
    """What a program did with the inputs of one call, to be held against what the function itself does."""

    schedule: Schedule
    returned: list[Any]
    left: list[Any]  # a digest of each stretch of state that it changed
    draws: list[tuple[Any, Any]]  # random generators, and how it left them
    written: list[Any]  # what it wrote to its arguments


def digest(array: Any) -> Any:
    """An array itself while it is small; of a large one a sum with different weights over every few elements.

    So that two versions of a large state can be compared without both being there at once.
    """
    flat = array.reshape(-1)
    if flat.size <= DIGESTED * DIGESTED or array.dtype.kind != "f":
        return array.copy()
    whole = flat.size // DIGESTED * DIGESTED
    weights = np.linspace(0.5, 1.5, DIGESTED, dtype=array.dtype)
    return np.concatenate([flat[:whole].reshape(-1, DIGESTED) @ weights, flat[whole:]])


def digests(schedule: Schedule) -> list[Any]:
    """What is to be compared of the state that a program changes, as it is now."""
    return [digest(array_at(c.view, bytes_of(c.view.buffer.array))) for c in schedule.changes]


class Program:
    """A recorded function, ready to be run on other values of the same shapes and dtypes.

    Scratch is its own; state is where it was, and is changed there. What it returns is copied out, so that no
    later run changes it.

    >>> import autograd_core as ag
    >>> f = ag.replay(lambda x: np.tanh(x) * 2)
    >>> for i in range(4):
    ...     y = f(np.array([1.0 * i]))
    >>> program = f.programs[0]
    >>> program([np.array([0.0])])
    [array([0.])]
    """

    def __init__(self, schedule: Schedule):
        self.schedule = schedule
        self._arena = aligned(schedule.size)
        self._memory: dict[Buffer, Any] = {}  # the bytes of each buffer that is not scratch
        self._inputs: list[tuple[Buffer, Any]] = []
        for view in schedule.inputs:
            if view.buffer not in self._memory:  # an array that is given twice is one
                self._memory[view.buffer] = aligned(view.buffer.size)
            self._inputs.append((view.buffer, None if view.buffer in schedule.borrowed else self.array(view)))
        self.steps: list[Step] = []
        self.ends: list[int] = []  # of each group's steps
        self._borrowing: list[tuple[slice, Group]] = []  # groups that are bound to each batch anew
        self._ask(schedule.guards_after.get(0, []))
        for position, group in enumerate(schedule.groups, 1):
            start = len(self.steps)
            self.steps.extend(self._bind(group))
            if any(p.buffer in schedule.borrowed for p in group.reads):
                self._borrowing.append((slice(start, len(self.steps)), group))
            self._ask(schedule.guards_after.get(position, []))
            self.ends.append(len(self.steps))
        self._runner = schedule.runner and schedule.runner(self)
        self._return_inputs()
        self._outputs = [self._copying(view) for view in schedule.outputs]

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        """Run on these inputs, and return the outputs. After any error, state is as it was."""
        schedule = self.schedule
        if schedule.written:
            self._check_written(values)
        saved = [self.array(view).copy() for view in schedule.saved]
        draws = _positions(schedule.generators) if schedule.draws else []
        self._load(values)
        try:
            if self._runner is None or not self._runner():
                for step in self.steps:
                    step()
            if schedule.written:
                self._write_back(values)
            return [copy() for copy in self._outputs]
        except BaseException:
            for view, before in zip(schedule.saved, saved, strict=True):
                np.copyto(self.array(view), before)
            _put_back(draws)
            raise
        finally:
            if schedule.borrowed:
                self._return_inputs()

    def dry_run(self, values: Sequence[Any], times: list[float] | None = None) -> DryRun:
        """Run on these inputs in one thread, but leave state and random generators as they are.

        What is changed is put back as soon as nothing more looks at it, so that a large state never lies in memory
        twice. ``times`` receives the seconds that each group took.
        """
        changes = self.schedule.changes
        draws = _positions(self.schedule.generators)
        if self.schedule.written:
            self._check_written(values)
        before: dict[int, Any] = {}
        left: list[Any] = [None] * len(changes)
        self._load(values)
        try:
            for n, (start, stop) in enumerate(pairwise([0, *self.ends])):
                present = [(i, c) for i, c in enumerate(changes) if c.first <= n <= c.last]
                before.update((i, self.array(c.view).copy()) for i, c in present if c.first == n)
                begin = perf_counter()
                for step in self.steps[start:stop]:
                    step()
                if times is not None:
                    times.append(perf_counter() - begin)
                for i, change in present:
                    if change.last == n:
                        left[i] = digest(self.array(change.view))
                        np.copyto(self.array(change.view), before.pop(i))
            returned = [copy() for copy in self._outputs]
            for i in before:
                left[i] = digest(self.array(changes[i].view))
            written = [own.copy() for buffer, own in self._inputs if buffer in self.schedule.written]
            return DryRun(self.schedule, returned, left, _positions(self.schedule.generators), written)
        finally:
            for i, value in before.items():
                np.copyto(self.array(changes[i].view), value)
            _put_back(draws)
            self._return_inputs()

    def show(self) -> str:
        """The schedule, as text; state is called ``s0, s1, …``, since its names are known to the `Replay` only."""
        from .show import text  # not read before something is shown

        return text(self.schedule, {})

    # -- inputs and outputs ----------------------------------------------------------------------------

    def _check_written(self, values: Sequence[Any]) -> None:
        """Arguments that are written to must be so that the caller's array is the only one that changes."""
        for i, (buffer, _) in enumerate(self._inputs):
            if buffer in self.schedule.written and not (
                values[i].flags.writeable
                and all(v is values[i] or not np.may_share_memory(v, values[i]) for v in values)
            ):
                raise CheckFailed(WRITTEN)

    def _write_back(self, values: Sequence[Any]) -> None:
        """What was written to arguments, where the caller sees it."""
        for (buffer, own), value in zip(self._inputs, values, strict=True):
            if buffer in self.schedule.written:
                np.copyto(value, own)

    def _load(self, values: Sequence[Any]) -> None:
        """Copy the inputs to where the steps read them, and bind those steps anew that read them at the caller's."""
        for (buffer, own), value in zip(self._inputs, values, strict=True):
            if own is not None:
                own[...] = value
            else:
                self._memory[buffer] = _span_of(value)
        for where, group in self._borrowing:
            self.steps[where] = self._bind(group)

    def _copying(self, view: BufferView) -> Callable[[], Any]:
        """What gives a copy of an output, or the number that it is."""
        if view.buffer in self.schedule.borrowed:
            return lambda: _copy_of(self.array(view))()
        return _copy_of(self.array(view))

    def _return_inputs(self) -> None:
        """Hold on to no input that is the caller's."""
        for where, _ in self._borrowing:
            self.steps[where] = [_nothing] * (where.stop - where.start)
        for buffer in self.schedule.borrowed:
            self._memory.pop(buffer, None)

    # -- from views to arrays --------------------------------------------------------------------------

    def array(self, view: BufferView) -> Any:
        """The array that a view is."""
        if 0 in view.shape:
            return np.empty(view.shape, view.dtype)
        buffer, offset = view.buffer, view.offset
        memory = self._memory.get(buffer)
        if buffer.kind == "scratch":
            memory, offset = self._arena, offset + self.schedule.offsets[buffer]
        elif memory is None:
            memory = self._memory[buffer] = bytes_of(buffer.array)
        return np.ndarray(view.shape, view.dtype, memory, offset, view.strides)

    def _block(self, group: Group, start: int, stop: int, view: BufferView) -> Any:
        """The array that one block of a chain has of a view."""
        full = group.instructions[0].defined[0]
        if view.buffer in group.local:
            shape = (stop - start,) if group.flat else (stop - start, *full.shape[1:])
            return np.ndarray(shape, view.dtype, self._arena, self.schedule.offsets[view.buffer])
        array = self.array(view)
        if array.ndim < len(full.shape):
            return array
        if group.flat:
            return array.reshape(-1)[start:stop]
        return array[start:stop] if array.shape[0] == group.rows else array

    def _bind(self, group: Group) -> list[Step]:
        if not group.rows:
            return [bind(inst, self.array) for inst in group.instructions]
        blocks = [(start, min(start + group.block, group.rows)) for start in range(0, group.rows, group.block)]
        return [bind(inst, partial(self._block, group, *block)) for block in blocks for inst in group.instructions]

    def _ask(self, guards: list[Guard]) -> None:
        if any(guard.condition.buffer in self.schedule.borrowed for guard in guards):
            raise Unplannable("a decision is an element of a large input")
        self.steps.extend(partial(_ask, self.array(guard.condition), guard) for guard in guards)


def _copy_of(array: Any) -> Callable[[], Any]:
    return partial(array.copy, order="K") if array.ndim else partial(array.__getitem__, ())


def _positions(generators: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Where random generators stand."""
    return [(g, g.bit_generator.state) for g in generators]


def _put_back(positions: Sequence[tuple[Any, Any]]) -> None:
    for generator, state in positions:
        generator.bit_generator.state = state


def _nothing() -> None:
    """Where a call will be bound to the next batch."""


def _ask(condition: Any, guard: Guard) -> None:
    if bool(condition) != guard.expected:
        raise CheckFailed(DECISION, "{}:{}".format(*guard.where))


def _span_of(array: Any) -> Any:
    """The bytes from the first of an array to its last, where they lie, gaps included."""
    if array.flags.forc:
        return bytes_of(array)
    whole = owner_of(array)
    if not whole.flags.forc:
        raise CheckFailed(LAYOUT)
    low, high = byte_bounds(array)
    start = byte_bounds(whole)[0]
    return bytes_of(whole)[low - start : high - start]
