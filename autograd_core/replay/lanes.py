"""Which calls run beside each other: lanes, one for each thread, and the points where they meet.

Large units are cut along their first axis, a part for each lane; any other goes to the lane in which what it needs was
made, or to the one that has least to do. Only where a unit needs what several lanes made since they last met do all
of them meet first. So where a lane runs a batch's first half, it goes on with it through elementwise calls, pooling
and convolutions, without anybody having said so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np

from .calls import Memory, Place, may_fail
from .cutting import in_parts
from .grouping import Unit

# Times in microseconds by rule of thumb. They decide what runs where, never what is computed.
FLOPS, BYTES, CALL = 1e5, 2e4, 1.0  # multiply-adds count twice; bytes are read or written

SHORT = 1000  # a program that would save less runs in one thread: to start another takes 50 to 150
LARGE = 300  # a unit that takes more is cut
MEETING = 200  # lanes rather meet than that one waits so long
MET = 400  # what a meeting costs, with the time until the slower lane is there


def spread(units: list[Unit], lanes: int, asking: Collection[int] = ()) -> list[Unit]:
    """``units`` with the large ones cut, each with its lane and with how many meetings come before it.

    The order stays one in which a single thread can run them. ``asking`` are the positions of those after which a
    guard is asked. Where lanes save less than they cost there is one, and products keep the library's own threads.
    """
    large = [unit for unit in units if time_of(unit) > LARGE]
    saved = sum(time_of(unit) - products_in(unit) for unit in large) * (1 - 1 / lanes)
    if lanes < 2 or saved <= SHORT:
        return units
    found: list[Unit] = []
    meetings, since = 0, _Since(lanes)
    for i, unit in enumerate(units):
        parts = in_parts(unit, lanes) if time_of(unit) > LARGE and i not in asking else []
        needs = [since.needed_by(part) for part in parts or [unit]]
        if parts:
            lane = 0
            meet = any(need.keys() - {lane} for lane, need in enumerate(needs))
        else:
            (need,) = needs
            lane = min(need or range(lanes), key=since.busy.__getitem__)
            idle = since.busy[lane] - max(min(since.busy), need.get(lane, 0))
            meet = len(need) > 1 or (len(need) == 1 and idle > MEETING)
        if meet:
            meetings, since, lane = meetings + 1, _Since(lanes), 0
        for n, part in enumerate(parts or [unit]):
            part.lane, part.meetings = n if parts else lane, meetings
            since.add(part, i in asking)
            found.append(part)
    if saved <= SHORT + MET * meetings:
        return [replace(unit, lane=0, meetings=0) for unit in units]
    return found


class _Since:
    """What each lane has done since the lanes met."""

    def __init__(self, lanes: int):
        self.busy = [0.0] * lanes  # until when
        self._touched: dict[Memory, list[tuple[Place, bool, int, float]]] = {}
        self._failing: dict[int, float] = {}
        self._draws: dict[int, float] = {}

    def add(self, unit: Unit, asks: bool = False) -> None:
        """Note a unit in its lane; ``asks`` if a guard is asked after it."""
        lane = unit.lane
        self.busy[lane] += time_of(unit)
        for place, written in (*((p, False) for p in unit.reads), *((p, True) for p in unit.writes)):
            self._touched.setdefault(place.memory, []).append((place, written, lane, self.busy[lane]))
        if asks or any(map(may_fail, unit.calls)):
            self._failing[lane] = self.busy[lane]
        if any(call.pinned for call in unit.calls):
            self._draws[lane] = self.busy[lane]

    def needed_by(self, unit: Unit) -> dict[int, float]:
        """The lanes that did what must come before this, and when the last of it was done."""
        draws = any(call.pinned for call in unit.calls)
        needed = dict(self._draws) if draws else {}
        if draws or any(p.memory.kind == "state" for p in unit.writes):  # what may end the run comes before
            needed.update({lane: max(done, needed.get(lane, 0)) for lane, done in self._failing.items()})
        for place, writes in (*((p, False) for p in unit.reads), *((p, True) for p in unit.writes)):
            for other, written, lane, done in self._touched.get(place.memory, ()):
                if (writes or written) and done > needed.get(lane, 0) and place.overlaps(other):
                    needed[lane] = done
        return needed


def time_of(unit: Unit) -> float:
    """About how many microseconds a unit takes."""
    total = products_in(unit)
    for call in unit.calls:
        total += CALL + sum(p.size * p.dtype.itemsize for p in (*call.reads, *call.defined)) / BYTES
    return total


def products_in(unit: Unit) -> float:
    """About how many of these go into products of matrices, which have threads of their own."""
    total = 0.0
    for call in unit.calls:
        if call.function is np.matmul and call.results[0] is not None:
            total += 2 * call.results[0].size * call.args[0].shape[-1] / FLOPS
    return total


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
