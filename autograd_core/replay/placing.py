"""Where results lie: written over operands that nobody needs any more, and in one arena that is used again."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .calls import Memory, Place, copied, same
from .grouping import Unit
from .simplifying import definitions, elementwise, moved, rename

# Where buffers begin: what is in cache is added twice as fast when it is aligned to a cache line.
ALIGNMENT = 64


@dataclass(frozen=True)
class Change:
    """A stretch of state that a program changes."""

    place: Place
    first: int  # the unit that changes it first
    last: int  # the last unit that looks at it; beyond all units when the outputs do


def reuse_operands(units: list[Unit], keep: set[Memory]) -> None:
    """Let an elementwise call write over an operand that nobody needs any more."""
    calls = [call for unit in units for call in unit.calls]
    changes = definitions(calls)
    last = {p.memory: i for i, call in enumerate(calls) for p in (*call.reads, *call.defined)}
    names: dict[Memory, tuple[Memory, int]] = {}
    position = -1
    for unit in units:
        for i, unnamed in enumerate(unit.calls):
            position += 1
            call = unit.calls[i] = rename(unnamed, names)
            target = call.results[0] if elementwise(call) and call.function is not copied else None
            if (
                target is None
                or target.memory.kind != "scratch"
                or target.memory in keep
                or changes[target.memory] != 1
                or last[target.memory] == position
            ):
                continue
            for p in call.reads:
                if (
                    p.memory.kind == "scratch"
                    and p.memory not in keep
                    and last[p.memory] == position
                    and p.memory.size == target.memory.size
                    and (p.memory in unit.local) == (target.memory in unit.local)
                    and same(p, target)
                    and p.dtype == target.dtype
                    and all(q == p for q in call.reads if q.overlaps(p))
                    and not (unit.rows and any(q.overlaps(p) and not same(q, p) for q in unit.reads))
                ):
                    names[target.memory] = (p.memory, 0)
                    last[p.memory] = last[target.memory]
                    unit.local.discard(target.memory)
                    unit.calls[i] = rename(call, names)
                    break


def apart(units: list[Unit], keep: set[Memory]) -> None:
    """Make stretches of scratch that nobody touches together memories of their own, such as what one lane works on."""
    local = {memory for unit in units for memory in unit.local}
    extents: dict[Memory, list[tuple[int, int]]] = {}
    for unit in units:
        for place in (*unit.reads, *unit.writes):
            if place.memory.kind == "scratch" and place.memory not in keep and place.memory not in local:
                extents.setdefault(place.memory, []).append(place.extent)
    stretches: dict[Memory, list[tuple[int, int, Memory]]] = {}
    for memory, found in extents.items():
        joined: list[list[int]] = []
        for low, high in sorted(found):
            if joined and low < joined[-1][1]:
                joined[-1][1] = max(high, joined[-1][1])
            else:
                joined.append([low, high])
        if len(joined) > 1:
            stretches[memory] = [(low, high, Memory("scratch", high - low, 0)) for low, high in joined]

    def of(place: Place) -> Place:
        low, high = place.extent
        for start, stop, memory in stretches.get(place.memory, ()):
            if start <= low and high <= stop:
                return replace(place, memory=memory, offset=place.offset - start)
        return place

    if stretches:
        for unit in units:
            unit.calls = [moved(call, of) for call in unit.calls]


@dataclass(slots=True)
class _Life:
    """From where to where a memory is needed: positions, and in which lanes between which meetings."""

    born: int
    died: int
    begins: int
    ends: float
    first_lanes: set[int]  # before the first meeting in its life
    last_lanes: set[int]  # after the last

    @classmethod
    def of(cls, uses: list[tuple[int, Unit]], kept: bool) -> _Life:
        begins, ends = uses[0][1].meetings, uses[-1][1].meetings
        first, last = ({u.lane for _, u in uses if u.meetings == at} for at in (begins, ends))
        return cls(uses[0][0], uses[-1][0], begins, float("inf") if kept else ends, first, last)

    def over_before(self, other: _Life) -> bool:
        """Whether this is not needed any more when the other begins, whichever lane is ahead."""
        if self.ends != other.begins:
            return self.ends < other.begins
        return self.died < other.born and len(self.last_lanes | other.first_lanes) == 1


def allocate(units: list[Unit], keep: set[Memory]) -> tuple[dict[Memory, int], int]:
    """Give each scratch memory a place in one arena, where memories whose lives overlap do not."""
    uses: dict[Memory, list[tuple[int, Unit]]] = {}
    for i, unit in enumerate(units):
        for p in (*unit.reads, *unit.writes):
            if p.memory.kind == "scratch" and p.memory not in unit.local:
                uses.setdefault(p.memory, []).append((i, unit))
    lives = {memory: _Life.of(found, memory in keep) for memory, found in uses.items()}
    offsets: dict[Memory, int] = {}
    placed: list[tuple[int, int, int, _Life]] = []  # where it begins and ends
    size = 0
    for n, (memory, life) in enumerate(sorted(lives.items(), key=lambda item: -item[0].size)):
        length = _rounded(memory.size)
        at = 0
        for begin, end, _, other in placed:
            if begin < at + length and at < end and not (life.over_before(other) or other.over_before(life)):
                at = end
        offsets[memory] = at
        insort(placed, (at, at + length, n, life))
        size = max(size, at + length)
    # Blocks of scratch that only one chain sees share a place after all others, one for each lane.
    for lane in range(max((unit.lane for unit in units), default=0) + 1):
        start = size
        for unit in units:
            at = start
            for memory in sorted(unit.local if unit.lane == lane else (), key=lambda m: m.size):
                offsets[memory] = at
                at += _rounded(memory.size // unit.rows * unit.step)
            size = max(size, at)
    return offsets, size


def changes_of(units: list[Unit], outputs: list[Place]) -> list[Change]:
    """The stretches of state that are changed; those that share a byte as one."""
    touched: dict[Memory, list[tuple[int, int, int, np.dtype[Any] | None]]] = {}
    for i, unit in enumerate(units):
        for place, dtype in [*((p, None) for p in unit.reads), *((p, p.dtype) for p in unit.writes)]:
            if place.memory.kind == "state":
                touched.setdefault(place.memory, []).append((*place.extent, i, dtype))
    for place in outputs:
        if place.memory.kind == "state":
            touched.setdefault(place.memory, []).append((*place.extent, len(units), None))
    changes = []
    for memory, touches in touched.items():
        stretches: list[list[Any]] = []
        end = -1
        for touch in sorted(touches, key=lambda t: t[:2]):
            if touch[0] >= end:
                stretches.append([])
            stretches[-1].append(touch)
            end = max(end, touch[1])
        for stretch in stretches:
            writes = [t for t in stretch if t[3] is not None]
            if writes:
                low, high, dtype = stretch[0][0], max(t[1] for t in stretch), writes[0][3]
                place = Place(memory, low, ((high - low) // dtype.itemsize,), (dtype.itemsize,), dtype)
                changes.append(Change(place, min(t[2] for t in writes), max(t[2] for t in stretch)))
    return changes


def _rounded(size: int) -> int:
    """So many bytes up to the next cache line."""
    return -(-size // ALIGNMENT) * ALIGNMENT
