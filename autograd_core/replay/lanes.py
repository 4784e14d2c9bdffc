"""Which calls run beside each other: lanes, one for each thread, and the points where they meet.

Large units are cut along their first axis, a part for each lane; any other goes to the lane in which what it needs was
made, or to the one that has least to do. Only where a unit needs what several lanes made since they last met do all
of them meet first. So where a lane runs a batch's first half, it goes on with it through elementwise calls, pooling
and convolutions, without anybody having said so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from .cutting import evenly, in_parts
from .grouping import Unit
from .touching import Touched

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
    if lanes < 2 or sum(map(time_of, units)) < SHORT:
        return units
    found: list[Unit] = []
    meetings, since, busy = 0, Touched[tuple[int, float]](), [0.0] * lanes
    for i, unit in enumerate(units):
        parts = in_parts(unit, evenly(lanes)) if time_of(unit) > LARGE and i not in asking else []
        needs = [_latest(since.before(part)) for part in parts or [unit]]
        if parts:
            lane = 0
            meet = any(need.keys() - {lane} for lane, need in enumerate(needs))
        else:
            (need,) = needs
            lane = min(need or range(lanes), key=busy.__getitem__)
            idle = busy[lane] - max(min(busy), need.get(lane, 0))
            meet = len(need) > 1 or (len(need) == 1 and idle > MEETING)
        if meet:
            meetings, since, busy, lane = meetings + 1, Touched(), [0.0] * lanes, 0
        for n, part in enumerate(parts or [unit]):
            part.lane, part.meetings = n if parts else lane, meetings
            busy[part.lane] += time_of(part)
            since.add(part, (part.lane, busy[part.lane]), i in asking)
            found.append(part)
    return found


def _latest(done: Iterable[tuple[int, float]]) -> dict[int, float]:
    """The lanes in which there is something, and when the last of it is done."""
    latest: dict[int, float] = {}
    for lane, time in done:
        latest[lane] = max(time, latest.get(lane, 0))
    return latest


def time_of(unit: Unit) -> float:
    """About how many microseconds a unit takes."""
    total = 0.0
    for call in unit.calls:
        total += CALL + sum(p.size * p.dtype.itemsize for p in (*call.reads, *call.defined)) / BYTES
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
