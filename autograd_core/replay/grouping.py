"""In what order calls run, and which of them together: chains of elementwise calls that go block by block."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from .calls import Call, Memory, Place, may_fail, same
from .simplifying import elementwise, rename

# Chains over at most so many elements spend their time in calling; equal ones are put together.
SMALL = 8192

# How many elements of each operand a chain of elementwise calls works on at a time, so that what one call
# writes is still in cache when the next reads it.
BLOCK = 32768


@dataclass(eq=False)
class Unit:
    """Calls that run together: one, or a chain of elementwise ones that goes block by block."""

    calls: list[Call]
    rows: int = 0  # the length of the axis that is cut; 0 when nothing is
    step: int = 0  # rows in a block
    flat: bool = False  # whether arrays are seen as one axis
    local: set[Memory] = field(default_factory=set)  # scratch that only this unit sees: a block of it is enough
    lane: int = 0  # which thread runs it, where there are several
    meetings: int = 0  # how often the threads wait for each other before

    @property
    def writes(self) -> list[Place]:
        return [p for call in self.calls for p in call.defined]

    @property
    def reads(self) -> list[Place]:
        return [p for call in self.calls for p in call.reads]


def group(calls: list[Call]) -> list[Unit]:
    """Neighbouring elementwise calls over one shape as chains."""
    units: list[Unit] = []
    for call in calls:
        if units and _continues(units[-1], call):
            units[-1].calls.append(call)
        else:
            units.append(Unit([call]))
    return [Unit(calls) for unit in units for calls in _related(unit.calls)]


def _related(calls: list[Call]) -> list[list[Call]]:
    """Chains that meet in no array, apart: two parameters of one shape are updated one after the other."""
    chains: list[tuple[set[Any], list[Call]]] = []
    for call in calls:
        touched = {(p.memory, p.offset) for p in (*call.reads, *call.defined) if p.shape}
        meeting = [chain for chain in chains if chain[0] & touched]
        for chain in meeting:
            touched |= chain[0]
            chains.remove(chain)
        chains.append((touched, [c for chain in meeting for c in chain[1]] + [call]))
    return [chain for _, chain in chains]


def _continues(unit: Unit, call: Call) -> bool:
    first = unit.calls[0]
    if not elementwise(call) or not elementwise(first):
        return False
    shape, result = first.results[0], call.results[0]
    assert shape is not None
    assert result is not None
    if result.shape != shape.shape or not result.shape:
        return False
    # What one block of a call reads or changes must be what the same block of the others changed or read.
    for p in call.reads:
        if any(p.overlaps(w) and not same(p, w) for w in unit.writes):
            return False
    return not any(result.overlaps(p) and not same(result, p) for p in (*unit.reads, *unit.writes))


def early(units: list[Unit], barrier: int) -> list[Unit]:
    """Move changes of state to right after what they need.

    A parameter is then updated as soon as its gradient is known, and the gradient's memory is free again. But no
    state changes before a call that may still raise an error.
    """
    touched = {unit: {p.memory for p in (*unit.reads, *unit.writes)} for unit in units}
    failing = {unit for unit in units if any(map(may_fail, unit.calls))}
    for position, unit in enumerate(list(units)):
        if not any(p.memory.kind == "state" for p in unit.writes) or any(c.pinned for c in unit.calls):
            continue
        to = position
        while to > barrier:
            before = units[to - 1]
            if before in failing or (not touched[unit].isdisjoint(touched[before]) and depends(unit, before)):
                break
            to -= 1
        if to < position:
            units.insert(to, units.pop(position))
    return units


def side_by_side(units: list[Unit], keep: set[Memory]) -> list[Unit]:
    """Run equal chains over small arrays as one, where their state lies side by side and their scratch can.

    The parameters of a small net are so updated by one call for all of them, not by one for each.
    """
    alike: dict[Any, list[tuple[int, list[Place]]]] = {}
    for i, unit in enumerate(units):
        found = _pattern(unit, keep)
        if found is not None:
            alike.setdefault(found[0], []).append((i, found[1]))
    names: dict[Memory, tuple[Memory, int]] = {}
    replaced: dict[int, list[Unit]] = {}
    for members in alike.values():
        if len(members) > 1:
            replaced.update(_joined(units, members, names))
    if not replaced:
        return units
    new = [u for i, unit in enumerate(units) for u in replaced.get(i, [unit])]
    for unit in new:
        unit.calls = [rename(call, names) for call in unit.calls]
    return new


def _pattern(unit: Unit, keep: set[Memory]) -> tuple[Any, list[Place]] | None:
    """What a chain does but for which arrays it does it to, and these arrays in the order of their first use."""
    if len(unit.calls) < 2 or not all(elementwise(call) for call in unit.calls):
        return None
    size = unit.writes[0].size
    arrays: list[Place] = []
    pattern: list[Any] = []
    for call in unit.calls:
        pattern.append(call.function)
        for p in (*call.args, *call.results):
            if isinstance(p, Place) and p.shape:
                whole = p.memory.kind == "state" or (
                    p.memory.kind == "scratch" and p.memory.size == p.dtype.itemsize * size
                )
                if p.size != size or size > SMALL or not p.contiguous or not whole or p.memory in keep:
                    return None
                if p not in arrays:
                    arrays.append(p)
                pattern += (arrays.index(p), p.dtype.str, p.memory.kind)
            else:
                pattern.append(p if isinstance(p, Place) else repr(p))
    return tuple(pattern), arrays


def _joined(
    units: list[Unit], members: list[tuple[int, list[Place]]], names: dict[Memory, tuple[Memory, int]]
) -> dict[int, list[Unit]]:
    """What stands in the places of these chains when what can be joined of them is; nothing when it cannot be."""
    states = [r for r, p in enumerate(members[0][1]) if p.memory.kind == "state"]
    common = [r for r in states if len({m[1][r].memory for m in members}) == 1]
    order = sorted(members, key=lambda m: m[1][common[0]].offset if common else m[0])
    loose = {r for r in states if not _adjacent([m[1][r] for m in order])}
    first = units[members[0][0]].calls
    roles = {p: r for r, p in enumerate(members[0][1])}
    length = next(
        (n for n, c in enumerate(first) if any(roles.get(p) in loose for p in (*c.reads, *c.defined))), len(first)
    )
    used = {roles[p] for c in first[:length] for p in (*c.args, *c.results) if isinstance(p, Place) and p in roles}
    last = max(i for i, _ in members)
    positions = {i for i, _ in members}
    if (
        length < 2
        or any(depends(units[j], units[i]) for i in positions for j in range(i + 1, last + 1))
        or any(m[1][r].memory in names for m in members for r in used)
    ):
        return {}
    total = sum(m[1][0].size for m in order)
    flat: dict[int, Place] = {}
    for r in used:
        places = [m[1][r] for m in order]
        dtype = places[0].dtype
        memory, start = places[0].memory, places[0].offset
        if memory.kind == "scratch":
            memory, start = Memory("scratch", total * dtype.itemsize, 0), 0
            for p in places:
                names[p.memory] = (memory, start)
                start += p.size * dtype.itemsize
            start = 0
        flat[r] = Place(memory, start, (total,), (dtype.itemsize,), dtype)
    joined = []
    for call in first[:length]:
        args, results, reads = (_in_place_of(roles, flat, places) for places in (call.args, call.results, call.reads))
        joined.append(replace(call, args=args, results=results, reads=reads))
    rest = [Unit(units[i].calls[length:]) for i, _ in members if length < len(first)]
    return {i: [Unit(joined), *rest] if i == last else [] for i in positions}


def _in_place_of(roles: dict[Place, int], flat: dict[int, Place], places: tuple[Any, ...]) -> tuple[Any, ...]:
    """``places`` with the joined array instead of each that was joined."""
    return tuple(flat[roles[p]] if isinstance(p, Place) and p in roles else p for p in places)


def _adjacent(places: list[Place]) -> bool:
    """Whether each begins where the one before it ends."""
    return all(p.memory is q.memory and p.extent[1] == q.extent[0] for p, q in pairwise(places))


def depends(unit: Unit, before: Unit) -> bool:
    """Whether ``unit`` must stay behind ``before``."""
    return (
        any(p.overlaps(w) for p in unit.reads for w in before.writes)
        or any(w.overlaps(p) for w in unit.writes for p in before.reads)
        or any(w.overlaps(v) for w in unit.writes for v in before.writes)
    )


def cut(units: list[Unit], keep: set[Memory]) -> None:
    """Decide into which blocks each chain is cut, and which scratch only it sees."""
    seen = Counter(m for unit in units for m in {p.memory for p in (*unit.reads, *unit.writes)})
    for unit in units:
        result = unit.calls[0].results[0] if all(elementwise(call) for call in unit.calls) else None
        if result is None or result.size <= BLOCK:
            continue
        flat = all(p.shape == result.shape and p.contiguous for p in (*unit.reads, *unit.writes) if p.shape)
        rows = result.size if flat else result.shape[0]
        step = max(BLOCK * rows // result.size, 1)
        if step >= rows:
            continue
        unit.flat, unit.rows, unit.step = flat, rows, step
        for call in unit.calls:
            target = call.results[0]
            assert target is not None
            memory = target.memory
            if memory.kind == "scratch" and seen[memory] == 1 and memory not in keep and target.contiguous:
                unit.local.add(memory)
