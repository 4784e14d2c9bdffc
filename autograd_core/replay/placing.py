"""Where results lie: written over operands that nobody needs any more, and in one arena that is used again."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import Any

import numpy as np

from .calls import Memory, Place, copied
from .grouping import Unit, same
from .simplifying import definitions, elementwise, rename

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
                ):
                    names[target.memory] = (p.memory, 0)
                    last[p.memory] = last[target.memory]
                    unit.local.discard(target.memory)
                    unit.calls[i] = rename(call, names)
                    break


def allocate(units: list[Unit], keep: set[Memory]) -> tuple[dict[Memory, int], int]:
    """Give each scratch memory a place in one arena, where memories whose lives overlap do not."""
    lives: dict[Memory, list[int]] = {}
    for i, unit in enumerate(units):
        for p in (*unit.reads, *unit.writes):
            if p.memory.kind == "scratch" and p.memory not in unit.local:
                lives.setdefault(p.memory, [i, i])[1] = i
    for memory in keep:
        if memory in lives:
            lives[memory][1] = len(units)
    offsets: dict[Memory, int] = {}
    placed: list[tuple[int, int, int, int]] = []  # where it begins and ends, when it begins and ends
    size = 0
    for memory, (born, died) in sorted(lives.items(), key=lambda item: -item[0].size):
        length = _rounded(memory.size)
        at = 0
        for begin, end, first, final in placed:
            if first <= died and born <= final and begin < at + length and at < end:
                at = end
        offsets[memory] = at
        insort(placed, (at, at + length, born, died))
        size = max(size, at + length)
    # Blocks of scratch that only one chain sees share a place after all others.
    local_size = 0
    for unit in units:
        at = size
        for memory in sorted(unit.local, key=lambda m: m.size):
            offsets[memory] = at
            at += _rounded(memory.size // unit.rows * unit.step)
        local_size = max(local_size, at - size)
    return offsets, size + local_size


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
