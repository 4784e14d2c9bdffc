"""The second room: from what was recorded to what is run.

Each pass below takes the calls and gives fewer, or says where their results lie. All of them only read places:
none knows an op, a layer or a shape that somebody trains.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from .recording import Call, Guard, Memory, Place, Recording, _branches, copied

# Where buffers begin: what is in cache is added twice as fast when it is aligned to a cache line.
ALIGNMENT = 64

# Chains over at most so many elements spend their time in calling; equal ones are put together.
SMALL = 8192

# A copy of more bytes is out of the cache by the time that it is needed again, and memory is dear.
KEPT = 1 << 18

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

    @property
    def writes(self) -> list[Place]:
        return [p for call in self.calls for p in call.defined]

    @property
    def reads(self) -> list[Place]:
        return [p for call in self.calls for p in call.reads]


@dataclass(eq=False)
class Schedule:
    """What a program runs, and where in one arena each scratch memory lies."""

    units: list[Unit]
    guards: list[Guard]
    asked: dict[int, list[Guard]]  # by how many units have run before: none of them changes state or draws
    outputs: list[Place]
    inputs: list[Place]
    states: list[Memory]
    offsets: dict[Memory, int]
    size: int
    changes: list[Change]
    generators: list[Any]
    recorded: int  # how many calls there were before planning


@dataclass(frozen=True)
class Change:
    """A stretch of state that a program changes."""

    place: Place
    first: int  # the unit that changes it first
    last: int  # the last unit that looks at it; beyond all units when the outputs do


def plan(recording: Recording, outputs: list[Place]) -> Schedule:
    """The schedule for a recording whose results are at ``outputs``."""
    guards = recording.guards
    ordered = [typed(call) for call in _guards_first(recording.calls, guards)]
    keep = {p.memory for p in outputs} | {g.condition.memory for g in guards}
    renamed: dict[Memory, tuple[Memory, int]] = {}
    ordered = share(without_copies(ordered, keep, renamed), renamed)
    outputs = [_renamed(p, renamed) for p in outputs]
    guards = [replace(g, condition=_renamed(g.condition, renamed)) for g in guards]
    keep = {p.memory for p in outputs} | {g.condition.memory for g in guards}
    ordered = alive(ordered, keep)
    ordered = in_place_state(ordered, keep)
    units = group(ordered)
    asked = _asked(units, guards)
    units = side_by_side(early(units, max(asked, default=0)), keep)
    cut(units, keep)
    reuse_operands(units, keep)
    offsets, size = allocate(units, keep)
    generators = [generator for generator, _ in recording.generators.values()]
    return Schedule(
        units,
        guards,
        asked,
        outputs,
        recording.inputs,
        recording.states,
        offsets,
        size,
        changes_of(units, outputs),
        generators,
        len(recording.calls),
    )


# -- what is computed --------------------------------------------------------------------------------------


def _guards_first(calls: list[Call], guards: list[Guard]) -> list[Call]:
    """The calls with changes of state held back until the last guard has been asked, where that is possible."""
    if not guards:
        return calls
    last = max(g.position for g in guards)
    first_change = next(
        (i for i, c in enumerate(calls) if any(p.memory.kind == "state" for p in c.defined) or c.pinned), len(calls)
    )
    if first_change >= last:
        return calls
    needed = [g.condition for g in guards]
    early_calls: list[Call] = []
    rest: list[Call] = []
    for call in reversed(calls[:last]):
        wanted = any(d.memory is n.memory for d in call.defined for n in needed)
        safe = not call.pinned and all(p.memory.kind == "scratch" for p in call.defined)
        if wanted and safe:
            early_calls.append(call)
            needed.extend(call.reads)
        elif wanted:  # the guard depends on what was changed or drawn
            raise Unplannable("a guard depends on state that the same step changes, or on a draw")
        else:
            rest.append(call)
    return [*reversed(early_calls), *reversed(rest), *calls[last:]]


class Unplannable(Exception):
    """A recording that cannot be made a program, and why."""


def _asked(units: list[Unit], guards: list[Guard]) -> dict[int, list[Guard]]:
    """Each guard by how many units have run when it can be asked: at once, since what follows may rely on it."""
    asked: dict[int, list[Guard]] = {}
    for guard in guards:
        memory = guard.condition.memory
        made = (i for i, unit in enumerate(units, 1) if any(p.memory is memory for p in unit.writes))
        asked.setdefault(max(made, default=0), []).append(guard)
    return asked


def elementwise(call: Call) -> bool:
    """Whether element i of the result comes from the elements i of the operands and nothing else."""
    if len(call.results) != 1 or call.results[0] is None or call.writes or call.errors or call.pinned:
        return False
    if not all(isinstance(a, Place | int | float | np.generic) for a in call.args):
        return False
    if call.function is copied:
        return True
    return isinstance(call.function, np.ufunc) and call.function.signature is None and not call.kwargs


def may_fail(call: Call) -> bool:
    """Whether a call that went well may raise an error for other values: an index out of bounds, a singular matrix."""
    function: Any = call.function
    if isinstance(getattr(function, "__self__", None), np.ufunc):
        return bool(function.__name__ == "at")
    if isinstance(function, np.ufunc) or function is copied or call.pinned:
        return False
    return function in (np.take, np.take_along_axis, np.choose) or getattr(function, "__module__", "") != "numpy"


def typed(call: Call) -> Call:
    """``call`` with Python numbers as arrays without axes in the dtype of the loop: NumPy then asks no questions."""
    function = call.function
    if not isinstance(function, np.ufunc) or call.kwargs or not elementwise(call):
        return call
    if not any(type(a) in (int, float, bool) or isinstance(a, np.generic) for a in call.args):
        return call
    kinds: Any = [a.dtype if hasattr(a, "dtype") else type(a) for a in call.args]
    try:
        loop = function.resolve_dtypes((*kinds, None))
    except TypeError:
        return call
    args = [a if isinstance(a, Place) else _number(a, loop[i]) for i, a in enumerate(call.args)]
    return replace(call, args=tuple(args))


_numbers: dict[tuple[str, bytes], Place] = {}


def _number(value: Any, dtype: Any) -> Place:
    """A constant without axes; equal ones are one."""
    array = np.array(value, dtype)
    key = (array.dtype.str, array.tobytes())
    if key not in _numbers:
        memory = Memory("constant", array.itemsize, array.__array_interface__["data"][0], array)
        _numbers[key] = Place(memory, 0, (), (), array.dtype)
    return _numbers[key]


def _definitions(calls: Iterable[Call]) -> Counter[Memory]:
    """How many calls change each memory."""
    return Counter(m for call in calls for m in {p.memory for p in call.defined})


def _renamed(tree: Any, names: dict[Memory, tuple[Memory, int]]) -> Any:
    """``tree`` with the places in renamed memories moved to where these are now."""
    if not names:
        return tree
    if isinstance(tree, Place):
        moved = tree
        while moved.memory in names:
            memory, offset = names[moved.memory]
            moved = replace(moved, memory=memory, offset=moved.offset + offset)
        return moved
    return _branches(tree, lambda branch: _renamed(branch, names))


def _rename(call: Call, names: dict[Memory, tuple[Memory, int]]) -> Call:
    if not names:
        return call
    return replace(
        call,
        args=_renamed(call.args, names),
        kwargs=_renamed(call.kwargs, names),
        results=_renamed(call.results, names),
        writes=_renamed(call.writes, names),
        reads=_renamed(call.reads, names),
    )


def without_copies(calls: list[Call], keep: set[Memory], renamed: dict[Memory, tuple[Memory, int]]) -> list[Call]:
    """Leave out copies of what nobody changes into memory that nobody changes."""
    changes = _definitions(calls)
    left = []
    for call in calls:
        call = _rename(call, renamed)
        if call.function is copied and isinstance(call.args[0], Place) and not call.errors:
            source, target = call.args[0], call.results[0]
            if (
                target is not None
                and target.memory.kind == "scratch"
                and changes[target.memory] == 1
                and source.memory.kind in ("scratch", "input")
                and changes[source.memory] <= 1
                and (source.shape, source.strides, source.dtype) == (target.shape, target.strides, target.dtype)
            ):
                renamed[target.memory] = (source.memory, source.offset - target.offset)
                continue
        left.append(call)
    return left


def share(calls: list[Call], renamed: dict[Memory, tuple[Memory, int]]) -> list[Call]:
    """Leave out calls that were made before with the same operands."""
    changes = _definitions(calls)
    versions: Counter[Memory] = Counter()
    seen: dict[Any, Call] = {}
    left = []
    for call in calls:
        call = _rename(call, renamed)
        once = (
            not call.writes
            and not call.pinned
            and not _only_moves_much(call)
            and all(p is not None and p.memory.kind == "scratch" and changes[p.memory] == 1 for p in call.results)
        )
        if once:
            layout = tuple((p.offset, p.shape, p.strides, p.dtype.str) for p in call.results if p is not None)
            try:
                key = (call.function, _frozen(call.args, versions), _frozen(call.kwargs, versions), layout)
                before = seen.setdefault(key, call)
            except TypeError:  # an operand that cannot be compared
                before = call
            if before is not call:
                for old, new in zip(call.results, before.results, strict=True):
                    assert old is not None
                    assert new is not None
                    renamed[old.memory] = (new.memory, 0)
                continue
        for p in call.defined:
            versions[p.memory] += 1
        left.append(call)
    return left


def _only_moves_much(call: Call) -> bool:
    """Whether this copies so much that to keep it is worse than to copy again: the columns of a convolution, say."""
    return call.function in (np.reshape, copied) and any(p is not None and p.memory.size > KEPT for p in call.results)


def _frozen(tree: Any, versions: Counter[Memory]) -> Any:
    """``tree`` as something that can be looked up: places with the version of what they hold."""
    if isinstance(tree, Place):
        return ("place", id(tree.memory), versions[tree.memory], tree.offset, tree.shape, tree.strides, tree.dtype.str)
    if isinstance(tree, list | tuple):
        return (type(tree), *(_frozen(branch, versions) for branch in tree))
    if isinstance(tree, dict):
        return (dict, *((k, _frozen(v, versions)) for k, v in tree.items()))
    if isinstance(tree, slice):
        return (slice, *(_frozen(v, versions) for v in (tree.start, tree.stop, tree.step)))
    hash(tree)
    return (type(tree), tree)


def alive(calls: list[Call], keep: set[Memory]) -> list[Call]:
    """Only what an output, a guard or a change of state needs."""
    needed = set(keep)
    left = []
    for call in reversed(calls):
        if call.pinned or any(p.memory.kind == "state" or p.memory in needed for p in call.defined):
            needed.update(p.memory for p in call.reads)
            left.append(call)
    return left[::-1]


def in_place_state(calls: list[Call], keep: set[Memory]) -> list[Call]:
    """Compute the new values of state where the old ones are, instead of copying them there at the end."""
    changes = _definitions(calls)
    made = {p.memory: i for i, call in enumerate(calls) for p in call.results if p is not None}
    names: dict[Memory, tuple[Memory, int]] = {}
    dropped = set()
    for k, call in enumerate(calls):
        if call.function is not copied or not isinstance(call.args[0], Place):
            continue
        value, state = call.args[0], call.results[0]
        assert state is not None
        if (
            state.memory.kind != "state"
            or value.memory.kind != "scratch"
            or value.memory in keep
            or value.memory in names
            or changes[value.memory] != 1
            or (value.shape, value.strides, value.dtype) != (state.shape, state.strides, state.dtype)
        ):
            continue
        j = made[value.memory]
        maker = calls[j]
        if maker.results != (value,) or maker.errors or maker.pinned:
            continue
        # The old values may be read up to the call that makes the new ones, and by that one element by element.
        at_once = [p for p in maker.reads if p.overlaps(state)]
        if at_once and not (elementwise(maker) and all(p == state for p in at_once)):
            continue
        between = [p for c in calls[j + 1 : k] for p in (*c.reads, *c.defined)]
        later = any(p.overlaps(state) for c in calls[k + 1 :] for p in c.defined)
        if any(p.overlaps(state) for p in between) or (later and _read_after(calls, k, value)):
            continue
        if any(map(may_fail, calls[j + 1 : k])):
            continue
        names[value.memory] = (state.memory, state.offset - value.offset)
        dropped.add(k)
    return [_rename(call, names) for k, call in enumerate(calls) if k not in dropped]


def _read_after(calls: list[Call], k: int, value: Place) -> bool:
    return any(p.memory is value.memory for call in calls[k + 1 :] for p in call.reads)


# -- in what order -----------------------------------------------------------------------------------------


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
        if any(p.overlaps(w) and not _same(p, w) for w in unit.writes):
            return False
    return not any(result.overlaps(p) and not _same(result, p) for p in (*unit.reads, *unit.writes))


def _same(p: Place, q: Place) -> bool:
    return (p.offset, p.shape, p.strides) == (q.offset, q.shape, q.strides)


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
            if before in failing or (not touched[unit].isdisjoint(touched[before]) and _depends(unit, before)):
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
        unit.calls = [_rename(call, names) for call in unit.calls]
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
        or any(_depends(units[j], units[i]) for i in positions for j in range(i + 1, last + 1))
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


def _depends(unit: Unit, before: Unit) -> bool:
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


# -- where it lies -----------------------------------------------------------------------------------------


def reuse_operands(units: list[Unit], keep: set[Memory]) -> None:
    """Let an elementwise call write over an operand that nobody needs any more."""
    calls = [call for unit in units for call in unit.calls]
    changes = _definitions(calls)
    last = {p.memory: i for i, call in enumerate(calls) for p in (*call.reads, *call.defined)}
    names: dict[Memory, tuple[Memory, int]] = {}
    position = -1
    for unit in units:
        for i, unnamed in enumerate(unit.calls):
            position += 1
            call = unit.calls[i] = _rename(unnamed, names)
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
                    and _same(p, target)
                    and p.dtype == target.dtype
                    and all(q == p for q in call.reads if q.overlaps(p))
                ):
                    names[target.memory] = (p.memory, 0)
                    last[p.memory] = last[target.memory]
                    unit.local.discard(target.memory)
                    unit.calls[i] = _rename(call, names)
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
