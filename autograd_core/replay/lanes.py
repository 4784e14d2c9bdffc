"""Which calls run beside each other: lanes, one for each thread, and the points where they meet.

Large units are cut along their first axis, a part for each lane; any other goes to the lane in which what it needs was
made, or to the one that has least to do. Only where a unit needs what several lanes made since they last met do all
of them meet first. So where a lane runs a batch's first half, it goes on with it through elementwise calls, pooling
and convolutions, without anybody having said so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from .calls import Call, Memory, Place
from .grouping import Unit
from .simplifying import may_fail

# Times in microseconds by rule of thumb. They decide what runs where, never what is computed.
FLOPS, BYTES, CALL = 1e5, 2e4, 1.0  # multiply-adds count twice; bytes are read or written

SHORT = 1000  # a program that takes less runs in one thread: to start another takes 50
LARGE = 300  # a unit that takes more is cut
MEETING = 200  # lanes rather meet than that one waits so long


def spread(units: list[Unit], lanes: int, asking: Collection[int] = ()) -> list[Unit]:
    """``units`` with the large ones cut, each with its lane and with how many meetings come before it.

    The order stays one in which a single thread can run them. ``asking`` are the positions of those after which a
    guard is asked.
    """
    if lanes < 2 or sum(map(_time, units)) < SHORT:
        return units
    found: list[Unit] = []
    meetings, since = 0, _Since(lanes)
    for i, unit in enumerate(units):
        lane = 0
        parts = _cut(unit, lanes) if _time(unit) > LARGE and i not in asking else []
        if parts:
            meet = any(since.needed_by(part) - {lane} for lane, part in enumerate(parts))
        else:
            pinned = any(call.pinned for call in unit.calls)
            needed = {0, *since.needed_by(unit)} if pinned else since.needed_by(unit)  # so draws stay in order
            lane = min(needed or range(lanes), key=since.busy.__getitem__)
            late = since.busy[lane] - min(since.busy) > MEETING and not pinned
            meet = len(needed) > 1 or (len(needed) == 1 and late)
        if meet:
            meetings, since, lane = meetings + 1, _Since(lanes), 0
        for n, part in enumerate(parts or [unit]):
            part.lane, part.meetings = n if parts else lane, meetings
            since.note(part, i in asking)
            found.append(part)
    return found


class _Since:
    """What each lane did since the lanes met."""

    def __init__(self, lanes: int):
        self.busy = [0.0] * lanes
        self._touched: list[dict[Memory, list[tuple[Place, bool]]]] = [{} for _ in range(lanes)]
        self._failing: set[int] = set()

    def note(self, unit: Unit, asks: bool) -> None:
        touched = self._touched[unit.lane]
        for place, written in (*((p, False) for p in unit.reads), *((p, True) for p in unit.writes)):
            touched.setdefault(place.memory, []).append((place, written))
        if asks or any(map(may_fail, unit.calls)):
            self._failing.add(unit.lane)
        self.busy[unit.lane] += _time(unit)

    def needed_by(self, unit: Unit) -> set[int]:
        """The lanes that did what must come before this."""
        # No state changes beside what may still end the run.
        changing = any(p.memory.kind == "state" for p in unit.writes) or any(call.pinned for call in unit.calls)
        needed = set(self._failing) if changing else set()
        for lane, touched in enumerate(self._touched):
            if lane not in needed and (
                any(w and p.overlaps(q) for p in unit.reads for q, w in touched.get(p.memory, ()))
                or any(p.overlaps(q) for p in unit.writes for q, _ in touched.get(p.memory, ()))
            ):
                needed.add(lane)
        return needed


def _time(unit: Unit) -> float:
    """About how many microseconds a unit takes."""
    total = 0.0
    for call in unit.calls:
        total += CALL + sum(p.size * p.dtype.itemsize for p in (*call.reads, *call.defined)) / BYTES
        if call.function is np.matmul and call.results[0] is not None:
            total += 2 * call.results[0].size * call.args[0].shape[-1] / FLOPS
    return total


# -- cutting -----------------------------------------------------------------------------------------------


def _cut(unit: Unit, lanes: int) -> list[Unit]:
    """A part of a unit for each lane, or nothing when it cannot be cut."""
    if unit.rows:
        return [_chain(unit, start, stop) for start, stop in _ranges(unit.rows, lanes)] if unit.rows >= lanes else []
    if len(unit.calls) > 1:
        return []
    (call,) = unit.calls
    size, axes, axis = _axes(call)
    return [Unit([_part(call, axes, axis, *ends)]) for ends in _ranges(size, lanes)] if size >= lanes else []


def _ranges(size: int, lanes: int) -> list[tuple[int, int]]:
    return [(size * lane // lanes, size * (lane + 1) // lanes) for lane in range(lanes)]


def _chain(unit: Unit, start: int, stop: int) -> Unit:
    """A chain of elementwise calls over some of its rows, with blocks of scratch of its own."""
    full = unit.calls[0].results[0]
    assert full is not None
    local = {m: Memory(m.kind, m.size // unit.rows * (stop - start), 0) for m in unit.local}

    def part(place: Place) -> Place:
        if len(place.shape) == len(full.shape):
            if unit.flat:
                size = place.dtype.itemsize
                place = replace(place, offset=place.offset + start * size, shape=(stop - start,), strides=(size,))
            elif place.shape[0] == unit.rows:
                place = _along(place, 0, start, stop)
        return replace(place, memory=local[place.memory], offset=0) if place.memory in local else place

    calls = [
        replace(
            call,
            args=tuple(part(a) if isinstance(a, Place) else a for a in call.args),
            results=tuple(part(p) for p in call.defined),
            reads=tuple(map(part, call.reads)),
        )
        for call in unit.calls
    ]
    return Unit(calls, stop - start, min(unit.step, stop - start), unit.flat, set(local.values()))


def _axes(call: Call) -> tuple[int, dict[int, int], int]:
    """Into how many parts a call can be cut, along which axis of which operands, and along which of the result."""
    function: Any = call.function
    result = call.results[0] if len(call.results) == 1 and not (call.writes or call.errors or call.pinned) else None
    x = call.args[0] if call.args else None
    if result is None or not result.shape or not isinstance(x, Place) or not x.shape:
        return 0, {}, 0
    if function is np.matmul and not call.kwargs and len(call.args) == 2:
        shapes = [p.shape for p in call.args]
        if all(len(shape) == 2 for shape in shapes):
            longer = int(result.shape[1] > result.shape[0])  # what is packed for a part is then used most often
            return result.shape[longer], {longer: longer}, longer
        if all(len(shape) == len(result.shape) and shape[0] == result.shape[0] for shape in shapes):
            return result.shape[0], {0: 0, 1: 0}, 0
    if function in _REDUCTIONS and set(call.kwargs) <= {"axis", "keepdims"}:
        axis = call.args[1] if len(call.args) > 1 else call.kwargs.get("axis")
        axes = axis if isinstance(axis, tuple) else (axis,)
        if all(isinstance(a, int) and a % len(x.shape) for a in axes):
            return x.shape[0], {0: 0}, 0
    return 0, {}, 0


_REDUCTIONS = (np.sum, np.mean, np.max, np.min, np.any, np.all)


def _part(call: Call, axes: dict[int, int], axis: int, start: int, stop: int) -> Call:
    """``call`` for some of the results: operands are cut along ``axes``, the result along ``axis``."""
    (result,) = call.results
    assert result is not None
    args = tuple(_along(a, axes[i], start, stop) if i in axes else a for i, a in enumerate(call.args))
    reads = tuple(a for a in args if isinstance(a, Place))
    return replace(call, args=args, results=(_along(result, axis, start, stop),), reads=reads)


def _along(place: Place, axis: int, start: int, stop: int) -> Place:
    shape = (*place.shape[:axis], stop - start, *place.shape[axis + 1 :])
    return replace(place, offset=place.offset + start * place.strides[axis], shape=shape)


def segments(units: Iterable[Unit], ends: Iterable[int], lanes: int) -> list[list[list[slice]]]:
    """For each lane, and each stretch between meetings, which of the steps it runs."""
    found: list[list[list[slice]]] = [[[]] for _ in range(lanes)]
    start = 0
    for unit, end in zip(units, ends, strict=True):
        for lane in found:
            lane.extend([] for _ in range(unit.meetings + 1 - len(lane)))
        stretch = found[unit.lane][-1]
        if stretch and stretch[-1].stop == start:
            start = stretch.pop().start
        stretch.append(slice(start, end))
        start = end
    return found
