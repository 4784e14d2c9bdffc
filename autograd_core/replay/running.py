"""The third room: a schedule bound to memory, as a flat list of calls that are ready to go."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds, normalize_axis_tuple

from .. import tree
from . import threads
from .calls import Call, Guard, Memory, Place, Unplannable, array_at, bytes_of, copied, name_of, owner_of
from .compiled import Loop
from .grouping import BLOCK, SMALL, Unit
from .lanes import segments
from .placing import ALIGNMENT
from .planning import Schedule

Step = Callable[[], Any]

# The largest of at most so many places, such as a pooling window, is found slice by slice; rows must have this length.
WINDOW, ROW = 16, 16

# Arrays of more elements are compared with an array rather than with a number.
REPEATED = 1024

# So many elements of a large state are compared by one number.
DIGESTED = 256


class GuardFailed(Exception):
    """What decided the recorded path came out otherwise for these inputs."""


def aligned(size: int) -> Any:
    """So many bytes, beginning at a cache line."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT
    return memory[start : start + size]


def give_back() -> None:
    """Let the system have the memory back that was freed, where the C library keeps it for later."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


@dataclass
class Rehearsal:
    """What a program did with the inputs of one call, to be held against what the function itself does."""

    schedule: Schedule
    returned: list[Any]
    left: list[Any]  # a digest of each place of state that it changed
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
    return [digest(array_at(c.place, bytes_of(c.place.memory.array))) for c in schedule.changes]


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

    compiled = False

    def __init__(self, schedule: Schedule):
        self.schedule = schedule
        self._arena = aligned(schedule.size)
        self._buffers: dict[Memory, Any] = {}
        self._inputs: list[tuple[Memory, Any]] = []
        for place in schedule.inputs:
            if place.memory not in self._buffers:  # an array that is given twice is one
                self._buffers[place.memory] = aligned(place.memory.size)
            self._inputs.append((place.memory, None if place.memory in schedule.late else self.view(place)))
        self._late = schedule.late
        self.steps: list[Step] = []
        self._ends: list[int] = []  # of each unit's steps
        self._late_units: list[tuple[slice, Unit]] = []
        asked = schedule.asked
        self._ask(asked.get(0, []))
        for position, unit in enumerate(schedule.units, 1):
            start = len(self.steps)
            self.steps.extend(self._bind(unit))
            if any(p.memory in self._late for p in unit.reads):
                self._late_units.append((slice(start, len(self.steps)), unit))
            self._ask(asked.get(position, []))
            self._ends.append(len(self.steps))
        self._lanes = segments(schedule.units, self._ends, schedule.lanes)
        self._let_go()
        self._outputs = [None if p.memory in self._late else self.view(p) for p in schedule.outputs]

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        """Run on these inputs, and return the outputs. After any error, state is as it was."""
        schedule = self.schedule
        if schedule.written:
            self._check_written(values)
        saved = [self.view(place).copy() for place in schedule.saved]
        draws = _stand(schedule.generators) if schedule.drawn else []
        self._take(values)
        try:
            if len(self._lanes) > 1 and not threads.limited.used and threads.lanes() > 1:
                threads.side_by_side([partial(self._run_lane, lane) for lane in self._lanes])
            else:
                for step in self.steps:
                    step()
            if schedule.written:
                self._write_back(values)
            return self._found()
        except BaseException:
            for place, before in zip(schedule.saved, saved, strict=True):
                np.copyto(self.view(place), before)
            _stand_again(draws)
            raise
        finally:
            if self._late:
                self._let_go()

    def _check_written(self, values: Sequence[Any]) -> None:
        """Arguments that are written to must be so that the caller's array is the only one that changes."""
        for i, (memory, _) in enumerate(self._inputs):
            if memory in self.schedule.written and not (
                values[i].flags.writeable
                and all(v is values[i] or not np.may_share_memory(v, values[i]) for v in values)
            ):
                raise GuardFailed

    def _write_back(self, values: Sequence[Any]) -> None:
        """What was written to arguments, where the caller sees it."""
        for (memory, own), value in zip(self._inputs, values, strict=True):
            if memory in self.schedule.written:
                np.copyto(value, own)

    def show(self) -> str:
        """The schedule, as text; state is called ``s0, s1, …``, since its names are known to the `Replay` only."""
        from .showing import text  # not read before something is shown

        return text(self.schedule, {})

    def renew(self, schedule: Schedule) -> None:
        """Run a compiled schedule from now on; the memory for the one before is given back first."""
        self._arena, self._buffers, self._inputs, self._outputs, self.steps = None, {}, [], [], []
        Program.__init__(self, schedule)
        self.compiled = True

    def rehearse(self, values: Sequence[Any], times: list[float] | None = None) -> Rehearsal:
        """Run on these inputs in one thread, but leave state and random generators as they are.

        What is changed is put back as soon as nothing more looks at it, so that a large state never lies in memory
        twice. ``times`` receives the seconds that each unit took.
        """
        draws = _stand(self.schedule.generators)
        if self.schedule.written:
            self._check_written(values)
        before: dict[int, Any] = {}
        left: list[Any] = [None] * len(self.schedule.changes)
        self._take(values)
        try:
            for n, (start, stop) in enumerate(pairwise([0, *self._ends])):
                changes = [(i, c) for i, c in enumerate(self.schedule.changes) if c.first <= n <= c.last]
                before.update((i, self.view(c.place).copy()) for i, c in changes if c.first == n)
                begin = perf_counter()
                for step in self.steps[start:stop]:
                    step()
                if times is not None:
                    times.append(perf_counter() - begin)
                for i, change in changes:
                    if change.last == n:
                        left[i] = digest(self.view(change.place))
                        np.copyto(self.view(change.place), before.pop(i))
            returned = self._found()
            for i in before:
                left[i] = digest(self.view(self.schedule.changes[i].place))
            written = [own.copy() for memory, own in self._inputs if memory in self.schedule.written]
            return Rehearsal(self.schedule, returned, left, _stand(self.schedule.generators), written)
        finally:
            for i, value in before.items():
                np.copyto(self.view(self.schedule.changes[i].place), value)
            _stand_again(draws)
            self._let_go()

    def _run_lane(self, lane: list[list[slice]], meet: threads.Meet) -> None:
        for n, stretch in enumerate(lane):
            if n:
                meet()
            for part in stretch:
                for step in self.steps[part]:
                    step()

    def _take(self, values: Sequence[Any]) -> None:
        for (memory, own), value in zip(self._inputs, values, strict=True):
            if own is not None:
                own[...] = value
            else:
                self._buffers[memory] = _span_of(value)
        for where, unit in self._late_units:
            self.steps[where] = self._bind(unit)

    def _found(self) -> list[Any]:
        found = [
            self.view(place) if output is None else output
            for output, place in zip(self._outputs, self.schedule.outputs, strict=True)
        ]
        return [output.copy(order="K") if output.ndim else output[()] for output in found]

    def _let_go(self) -> None:
        """Hold on to no input that is the caller's."""
        for where, _ in self._late_units:
            self.steps[where] = [_nothing] * (where.stop - where.start)
        for memory in self._late:
            self._buffers.pop(memory, None)

    def _ask(self, guards: list[Guard]) -> None:
        if any(guard.condition.memory in self._late for guard in guards):
            raise Unplannable("a decision is an element of a large input")
        self.steps.extend(partial(_ask, self.view(guard.condition), guard.expected) for guard in guards)

    # -- from places to arrays -------------------------------------------------------------------------

    def view(self, place: Place) -> Any:
        """The array at a place."""
        if 0 in place.shape:
            return np.empty(place.shape, place.dtype)
        memory, offset = place.memory, place.offset
        buffer = self._buffers.get(memory)
        if memory.kind == "scratch":
            buffer, offset = self._arena, offset + self.schedule.offsets[memory]
        elif buffer is None:
            buffer = self._buffers[memory] = bytes_of(memory.array)
        return np.ndarray(place.shape, place.dtype, buffer, offset, place.strides)

    def _part(self, unit: Unit, start: int, stop: int, place: Place) -> Any:
        """The array that one block of a chain has at a place."""
        full = unit.calls[0].defined[0]
        if place.memory in unit.local:
            shape = (stop - start,) if unit.flat else (stop - start, *full.shape[1:])
            return np.ndarray(shape, place.dtype, self._arena, self.schedule.offsets[place.memory])
        array = self.view(place)
        if array.ndim < len(full.shape):
            return array
        if unit.flat:
            return array.reshape(-1)[start:stop]
        return array[start:stop] if array.shape[0] == unit.rows else array

    def _bind(self, unit: Unit) -> list[Step]:
        if not unit.rows:
            return [bind(call, self.view) for call in unit.calls]
        blocks = [(start, min(start + unit.step, unit.rows)) for start in range(0, unit.rows, unit.step)]
        return [bind(call, partial(self._part, unit, *block)) for block in blocks for call in unit.calls]


def _stand(generators: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Where random generators stand."""
    return [(g, g.bit_generator.state) for g in generators]


def _stand_again(draws: Sequence[tuple[Any, Any]]) -> None:
    for generator, state in draws:
        generator.bit_generator.state = state


def _nothing() -> None:
    """Where a call will be bound to the next batch."""


def _ask(condition: Any, expected: bool) -> None:
    if bool(condition) != expected:
        raise GuardFailed


def _span_of(array: Any) -> Any:
    """The bytes from the first of an array to its last, where they lie, gaps included."""
    if array.flags.forc:
        return bytes_of(array)
    whole = owner_of(array)
    if not whole.flags.forc:
        raise GuardFailed
    low, high = byte_bounds(array)
    start = byte_bounds(whole)[0]
    return bytes_of(whole)[low - start : high - start]


# -- from calls to steps -----------------------------------------------------------------------------------


def bind(call: Call, view: Callable[[Place], Any]) -> Step:
    """``call`` with its arrays, writing straight into its place where NumPy has a form for it."""
    results = [p if p is None else view(p) for p in call.results]
    step = _form(call, _arrays(call.args, view), _arrays(call.kwargs, view), results)
    return step if call.errors is None else partial(_with_errors, call.errors, step)


def _arrays(value: Any, view: Callable[[Place], Any]) -> Any:
    return tree.map(lambda leaf: view(leaf) if isinstance(leaf, Place) else leaf, value)


def _form(call: Call, args: Any, kwargs: Any, results: list[Any]) -> Step:
    function: Any = call.function
    if isinstance(function, Loop):
        return function.step(*args)
    if not results:
        return partial(function, *args, **kwargs)
    if len(results) > 1:
        return partial(_into_all, results, function, args, kwargs)
    (out,) = results
    if function is copied:
        value = args[0]
        return partial(out.fill, value) if np.ndim(value) == 0 else partial(out.__setitem__, ..., value)
    if function is np.matmul and not kwargs and _small_matrices(*args, out):
        return partial(np.dot, *args, out)
    if isinstance(function, np.ufunc):
        if function in (np.maximum, np.minimum):  # they warn where the third argument is not a keyword
            return partial(function, *(_repeated(p, a, out) for p, a in zip(call.args, args, strict=True)), out=out)
        if kwargs:
            return partial(function, *args, **kwargs, out=out)
        return partial(function, *args, out)
    form = _FORMS.get(function)
    if form is not None:
        with contextlib.suppress(TypeError):  # written with arguments in another order than the form knows
            step: Step | None = form(out, *args, **kwargs)
            if step is not None:
                return step
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if isinstance(owner, np.ufunc) and name in ("reduce", "accumulate", "reduceat"):
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


def _into(out: Any, function: Any, args: Any, kwargs: Any) -> None:
    value = function(*args, **kwargs)
    if np.shape(value) != out.shape:
        raise ValueError(f"{name_of(function)} gave shape {np.shape(value)} where {out.shape} was recorded")
    np.copyto(out, value, "unsafe")


def _into_all(results: list[Any], function: Any, args: Any, kwargs: Any) -> None:
    for out, value in zip(results, tree.leaves(function(*args, **kwargs)), strict=True):
        if out is not None:
            np.copyto(out, value, "unsafe")


def _with_errors(errors: dict[str, Any], step: Step) -> None:
    with np.errstate(**errors):
        step()


def _repeated(place: Any, value: Any, out: Any) -> Any:
    """A constant number as an array: the larger of two arrays is found three times as fast as that with a number."""
    known = isinstance(place, Place) and place.memory.kind == "constant" and not place.shape
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
        return partial(ufunc.reduce, x, axis, None, out, bool(keepdims))

    return form


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
    if out.dtype == np.float16:  # NumPy sums in float32, but with an out= in that
        return None
    return partial(np.mean, x, axis, None, out, keepdims)


# NumPy functions with a form that writes into memory that exists. Any other is run and its result copied.
_FORMS: dict[Any, Callable[..., Step | None]] = {
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
