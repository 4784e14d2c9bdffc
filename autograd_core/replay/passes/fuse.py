"""Which instructions run together: chains of elementwise ones that go block by block, and equal chains as one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

from ..effects import depends, elementwise
from ..ir import Buffer, BufferView, Group, Instruction, Schedule

# Chains over at most so many elements spend their time in calling; equal ones are put together.
SMALL = 8192

# How many elements of each operand a chain of elementwise instructions works on at a time, so that what one of them
# writes is still in cache when the next reads it.
BLOCK = 32768


def fuse(schedule: Schedule) -> Schedule:
    """Neighbouring elementwise instructions over one shape as chains."""
    chains: list[list[Instruction]] = []
    for inst in schedule.instructions:
        if chains and _continues(chains[-1], inst):
            chains[-1].append(inst)
        else:
            chains.append([inst])
    return schedule.with_groups([Group(related) for chain in chains for related in _related(chain)])


def _continues(chain: list[Instruction], inst: Instruction) -> bool:
    if not elementwise(inst) or not elementwise(chain[0]):
        return False
    first, result = chain[0].results[0], inst.results[0]
    assert first is not None
    assert result is not None
    if result.shape != first.shape or not result.shape:
        return False
    # What one block of an instruction reads or changes must be what the same block of the others changed or read.
    reads = [p for each in chain for p in each.reads]
    writes = [p for each in chain for p in each.defined]
    if any(p.overlaps(w) and not p.aligned_with(w) for p in inst.reads for w in writes):
        return False
    return not any(result.overlaps(p) and not result.aligned_with(p) for p in (*reads, *writes))


def _related(chain: list[Instruction]) -> list[list[Instruction]]:
    """Chains that share no array, apart: two parameters of one shape are updated one after the other."""
    found: list[tuple[set[Any], list[Instruction]]] = []
    for inst in chain:
        touched = {(p.buffer, p.offset) for p in (*inst.reads, *inst.defined) if p.shape}
        sharing = [each for each in found if each[0] & touched]
        for each in sharing:
            touched |= each[0]
            found.remove(each)
        found.append((touched, [other for each in sharing for other in each[1]] + [inst]))
    return [instructions for _, instructions in found]


def fuse_horizontally(schedule: Schedule) -> Schedule:
    """Run equal chains over small arrays as one, where their state lies side by side and their scratch can.

    The parameters of a small net are so updated by one call for all of them, not by one for each.
    """
    groups, keep = schedule.groups, schedule.kept
    alike: dict[Any, list[tuple[int, list[BufferView]]]] = {}
    for i, group in enumerate(groups):
        found = _pattern(group, keep)
        if found is not None:
            alike.setdefault(found[0], []).append((i, found[1]))
    aliases: dict[Buffer, tuple[Buffer, int]] = {}
    replaced: dict[int, list[Group]] = {}
    for members in alike.values():
        if len(members) > 1:
            replaced.update(_joined(groups, members, aliases))
    if not replaced:
        return schedule
    return schedule.with_groups([g for i, group in enumerate(groups) for g in replaced.get(i, [group])], aliases)


def _pattern(group: Group, keep: set[Buffer]) -> tuple[Any, list[BufferView]] | None:
    """What a chain does but for which arrays it does it to, and these arrays in the order of their first use."""
    if len(group.instructions) < 2 or not all(map(elementwise, group.instructions)):
        return None
    size = group.writes[0].size
    arrays: list[BufferView] = []
    pattern: list[Any] = []
    for inst in group.instructions:
        pattern.append(inst.function)
        for p in (*inst.args, *inst.results):
            if isinstance(p, BufferView) and p.shape:
                whole = p.buffer.kind == "state" or (
                    p.buffer.kind == "scratch" and p.buffer.size == p.dtype.itemsize * size
                )
                if p.size != size or size > SMALL or not p.contiguous or not whole or p.buffer in keep:
                    return None
                if p not in arrays:
                    arrays.append(p)
                pattern += (arrays.index(p), p.dtype.str, p.buffer.kind)
            else:
                pattern.append(p if isinstance(p, BufferView) else repr(p))
    return tuple(pattern), arrays


def _joined(
    groups: list[Group],
    members: list[tuple[int, list[BufferView]]],
    aliases: dict[Buffer, tuple[Buffer, int]],
) -> dict[int, list[Group]]:
    """What stands where these chains were when what can be joined of them is; nothing when it cannot be."""
    states = [r for r, p in enumerate(members[0][1]) if p.buffer.kind == "state"]
    common = [r for r in states if len({m[1][r].buffer for m in members}) == 1]
    order = sorted(members, key=lambda m: m[1][common[0]].offset if common else m[0])
    loose = {r for r in states if not _adjacent([m[1][r] for m in order])}
    first = groups[members[0][0]].instructions
    roles = {p: r for r, p in enumerate(members[0][1])}
    length = next(
        (n for n, inst in enumerate(first) if any(roles.get(p) in loose for p in (*inst.reads, *inst.defined))),
        len(first),
    )
    used = {
        roles[p]
        for inst in first[:length]
        for p in (*inst.args, *inst.results)
        if isinstance(p, BufferView) and p in roles
    }
    last = max(i for i, _ in members)
    positions = {i for i, _ in members}
    if (
        length < 2
        or any(depends(groups[j], groups[i]) for i in positions for j in range(i + 1, last + 1))
        or any(m[1][r].buffer in aliases for m in members for r in used)
    ):
        return {}
    total = sum(m[1][0].size for m in order)
    flat: dict[int, BufferView] = {}
    for r in used:
        views = [m[1][r] for m in order]
        dtype = views[0].dtype
        buffer, start = views[0].buffer, views[0].offset
        if buffer.kind == "scratch":
            buffer, start = Buffer("scratch", total * dtype.itemsize), 0
            for p in views:
                aliases[p.buffer] = (buffer, start)
                start += p.size * dtype.itemsize
            start = 0
        flat[r] = BufferView(buffer, start, (total,), (dtype.itemsize,), dtype)
    joined = []
    for inst in first[:length]:
        args, results, reads = (_joined_views(roles, flat, views) for views in (inst.args, inst.results, inst.reads))
        joined.append(replace(inst, args=args, results=results, reads=reads))
    rest = [Group(groups[i].instructions[length:]) for i, _ in members if length < len(first)]
    return {i: [Group(joined), *rest] if i == last else [] for i in positions}


def _joined_views(roles: dict[BufferView, int], flat: dict[int, BufferView], views: tuple[Any, ...]) -> tuple[Any, ...]:
    """``views`` with the joined array instead of each that was joined."""
    return tuple(flat[roles[p]] if isinstance(p, BufferView) and p in roles else p for p in views)


def _adjacent(views: list[BufferView]) -> bool:
    """Whether each begins where the one before it ends."""
    return all(p.buffer is q.buffer and p.extent[1] == q.extent[0] for p, q in pairwise(views))


def tile(schedule: Schedule) -> Schedule:
    """Decide into which blocks each chain is cut, and which scratch only it sees."""
    seen = Counter(m for group in schedule.groups for m in {p.buffer for p in group.touched})
    keep = schedule.kept
    return schedule.with_groups([_tiled(group, seen, keep) for group in schedule.groups])


def _tiled(group: Group, seen: Counter[Buffer], keep: set[Buffer]) -> Group:
    result = group.instructions[0].results[0] if all(map(elementwise, group.instructions)) else None
    if result is None or result.size <= BLOCK:
        return group
    flat = all(p.shape == result.shape and p.contiguous for p in group.touched if p.shape)
    rows = result.size if flat else result.shape[0]
    block = max(BLOCK * rows // result.size, 1)
    if block >= rows:
        return group
    local = frozenset(
        p.buffer
        for p in group.writes
        if p.buffer.kind == "scratch" and seen[p.buffer] == 1 and p.buffer not in keep and p.contiguous
    )
    return replace(group, rows=rows, block=block, flat=flat, local=local)
