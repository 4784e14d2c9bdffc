"""Where results lie: written over operands that nobody needs any more, and in one arena that is used again.

The passes here come last. `reuse_operands` lets one buffer be another, `split_buffers` makes of one buffer several;
`allocate` gives each buffer of scratch its offset, and `protect_state` finds what a run that fails must put back.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .effects import copied, definitions, elementwise, may_raise
from .ir import Buffer, BufferView, Group, Schedule, StateChange

# Where buffers begin: what is in cache is added twice as fast when it is aligned to a cache line.
ALIGNMENT = 64

# An input of more bytes than this is not copied into the program's own memory: what reads it is bound to the caller's.
BORROWED = 1 << 18


def reuse_operands(schedule: Schedule) -> Schedule:
    """Let an elementwise instruction write over an operand that nobody needs any more."""
    instructions, keep = schedule.instructions, schedule.kept
    changes = definitions(instructions)
    last = {p.buffer: i for i, inst in enumerate(instructions) for p in (*inst.reads, *inst.defined)}
    aliases: dict[Buffer, tuple[Buffer, int]] = {}
    position = -1
    groups = []
    for group in schedule.groups:
        now = replace(group, instructions=list(group.instructions))
        for i, old in enumerate(group.instructions):
            position += 1
            inst = now.instructions[i] = old.renamed(aliases)
            target = inst.results[0] if elementwise(inst) and inst.function is not copied else None
            if (
                target is None
                or target.buffer.kind != "scratch"
                or target.buffer in keep
                or changes[target.buffer] != 1
                or last[target.buffer] == position
            ):
                continue
            for p in inst.reads:
                if (
                    p.buffer.kind == "scratch"
                    and p.buffer not in keep
                    and last[p.buffer] == position
                    and p.buffer.size == target.buffer.size
                    and (p.buffer in now.local) == (target.buffer in now.local)
                    and p.aligned_with(target)
                    and p.dtype == target.dtype
                    and all(q == p for q in inst.reads if q.overlaps(p))
                    and not (now.rows and any(q.overlaps(p) and not q.aligned_with(p) for q in now.reads))
                ):
                    aliases[target.buffer] = (p.buffer, 0)
                    last[p.buffer] = last[target.buffer]
                    now.local -= {target.buffer}
                    now.instructions[i] = inst.renamed(aliases)
                    break
        groups.append(now)
    return schedule.with_groups(groups, aliases)


def split_buffers(schedule: Schedule) -> Schedule:
    """Make stretches of scratch that nobody touches together buffers of their own, such as what one worker works on."""
    keep = schedule.kept.union(*(group.local for group in schedule.groups))
    extents: dict[Buffer, list[tuple[int, int]]] = {}
    for group in schedule.groups:
        for view in group.touched:
            if view.buffer.kind == "scratch" and view.buffer not in keep:
                extents.setdefault(view.buffer, []).append(view.extent)
    stretches: dict[Buffer, list[tuple[int, int, Buffer]]] = {}
    for buffer, found in extents.items():
        joined: list[list[int]] = []
        for low, high in sorted(found):
            if joined and low < joined[-1][1]:
                joined[-1][1] = max(high, joined[-1][1])
            else:
                joined.append([low, high])
        if len(joined) > 1:
            stretches[buffer] = [(low, high, Buffer("scratch", high - low)) for low, high in joined]

    def moved(view: BufferView) -> BufferView:
        low, high = view.extent
        for start, stop, buffer in stretches.get(view.buffer, ()):
            if start <= low and high <= stop:
                return replace(view, buffer=buffer, offset=view.offset - start)
        return view

    if not stretches:
        return schedule
    return schedule.with_groups(
        [replace(group, instructions=[inst.moved(moved) for inst in group.instructions]) for group in schedule.groups]
    )


@dataclass(slots=True)
class _Life:
    """From where to where a buffer is needed: positions, and by which workers between which barriers."""

    begins: int
    ends: int
    from_barrier: int
    to_barrier: float
    first_workers: set[int]  # before the first barrier in its life
    last_workers: set[int]  # after the last

    @classmethod
    def of(cls, uses: list[tuple[int, Group]], kept: bool) -> _Life:
        begin, end = uses[0][1].barriers, uses[-1][1].barriers
        first, last = ({g.worker for _, g in uses if g.barriers == at} for at in (begin, end))
        return cls(uses[0][0], uses[-1][0], begin, float("inf") if kept else end, first, last)

    def over_before(self, other: _Life) -> bool:
        """Whether this is not needed any more when the other begins, whichever worker is ahead."""
        if self.to_barrier != other.from_barrier:
            return self.to_barrier < other.from_barrier
        return self.ends < other.begins and len(self.last_workers | other.first_workers) == 1


def allocate(schedule: Schedule) -> Schedule:
    """Give each buffer of scratch an offset in one arena, where those whose lives overlap do not."""
    uses: dict[Buffer, list[tuple[int, Group]]] = {}
    for i, group in enumerate(schedule.groups):
        for view in group.touched:
            if view.buffer.kind == "scratch" and view.buffer not in group.local:
                uses.setdefault(view.buffer, []).append((i, group))
    keep = schedule.kept
    lives = {buffer: _Life.of(found, buffer in keep) for buffer, found in uses.items()}
    offsets: dict[Buffer, int] = {}
    placed: list[tuple[int, int, int, _Life]] = []  # where it begins and ends
    size = 0
    for n, (buffer, life) in enumerate(sorted(lives.items(), key=lambda item: -item[0].size)):
        length = _rounded(buffer.size)
        at = 0
        for begin, end, _, other in placed:
            if begin < at + length and at < end and not (life.over_before(other) or other.over_before(life)):
                at = end
        offsets[buffer] = at
        insort(placed, (at, at + length, n, life))
        size = max(size, at + length)
    # Blocks of scratch that only one chain sees share a stretch after all others, one for each worker.
    for worker in range(schedule.workers):
        start = size
        for group in schedule.groups:
            at = start
            local = dict.fromkeys(p.buffer for p in group.writes if p.buffer in group.local)
            for buffer in sorted(local if group.worker == worker else (), key=lambda m: m.size):
                offsets[buffer] = at
                at += _rounded(buffer.size // group.rows * group.block)
            size = max(size, at)
    return replace(schedule, offsets=offsets, size=size)


def _rounded(size: int) -> int:
    """So many bytes up to the next cache line."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def protect_state(schedule: Schedule) -> Schedule:
    """Find which state changes, and what of it and of random numbers must be put back when a run does not end well."""
    changes = _changes(schedule)
    failing = (i for i, group in enumerate(schedule.groups, 1) if any(map(may_raise, group.instructions)))
    end = max([0, *schedule.guards_after, *failing])
    return replace(
        schedule,
        changes=changes,
        saved=[change.view for change in changes if change.first < end],
        draws=any(inst.has_side_effects for group in schedule.groups[:end] for inst in group.instructions),
        borrowed={p.buffer for p in schedule.inputs if p.buffer.size > BORROWED} - schedule.written,
    )


def _changes(schedule: Schedule) -> list[StateChange]:
    """The stretches of state that are changed; those that share a byte as one."""
    touched: dict[Buffer, list[tuple[int, int, int, np.dtype[Any] | None]]] = {}
    for i, group in enumerate(schedule.groups):
        for view, dtype in [*((p, None) for p in group.reads), *((p, p.dtype) for p in group.writes)]:
            if view.buffer.kind == "state":
                touched.setdefault(view.buffer, []).append((*view.extent, i, dtype))
    for view in schedule.outputs:
        if view.buffer.kind == "state":
            touched.setdefault(view.buffer, []).append((*view.extent, len(schedule.groups), None))
    changes = []
    for buffer, touches in touched.items():
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
                view = BufferView(buffer, low, ((high - low) // dtype.itemsize,), (dtype.itemsize,), dtype)
                changes.append(StateChange(view, min(t[2] for t in writes), max(t[2] for t in stretch)))
    return changes
