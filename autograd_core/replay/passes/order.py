"""In what order instructions run: changes of state wait for whatever may end the run, and then come at once."""

from __future__ import annotations

from ..effects import changes_state, depends, may_raise
from ..ir import Instruction, Schedule


def sink_state_changes(schedule: Schedule) -> Schedule:
    """Hold changes of state back until nothing can end the run any more, where that is possible.

    A guard ends it, and a call that raises an error; the function itself then runs, and has to find state as it was.
    What such a call needs cannot wait for it: that state a program copies beforehand.
    """
    instructions = schedule.instructions
    failing = {i for i, inst in enumerate(instructions) if may_raise(inst)}
    last = max([0, *(g.position for g in schedule.guards), *(i + 1 for i in failing)])
    needed = {g.condition.buffer for g in schedule.guards}
    needing: set[int] = set()
    for i in range(last - 1, -1, -1):
        if i in failing or any(p.buffer in needed for p in instructions[i].defined):
            needing.add(i)
            needed.update(p.buffer for p in instructions[i].reads)
    now: list[Instruction] = []
    held: list[Instruction] = []
    for i, inst in enumerate(instructions[:last]):
        behind = any(_must_follow(inst, other) for other in held)
        if i in needing and behind:  # as when it writes over what is read by what waits
            now += held
            held = []
        if i not in needing and (changes_state(inst) or behind):
            held.append(inst)
        else:
            now.append(inst)
    return schedule.with_instructions([*now, *held, *instructions[last:]])


def _must_follow(inst: Instruction, before: Instruction) -> bool:
    """Whether an instruction must stay behind another one."""
    return (
        (inst.has_side_effects and before.has_side_effects)  # random numbers come in their order
        or any(p.overlaps(q) for p in before.defined for q in (*inst.reads, *inst.defined))
        or any(p.overlaps(q) for p in before.reads for q in inst.defined)
    )


def hoist_state_changes(schedule: Schedule) -> Schedule:
    """Move changes of state to right after what they need.

    A parameter is then updated as soon as its gradient is known, and the gradient's memory is free again. But no
    state changes before a guard, or before a call that may still raise an error.
    """
    groups = list(schedule.groups)
    earliest = max(schedule.guards_after, default=0)
    touched = {group: {p.buffer for p in group.touched} for group in groups}
    failing = {group for group in groups if any(map(may_raise, group.instructions))}
    for position, group in enumerate(schedule.groups):
        if not changes_state(group) or any(inst.has_side_effects for inst in group.instructions):
            continue
        to = position
        while to > earliest:
            before = groups[to - 1]
            if before in failing or (not touched[group].isdisjoint(touched[before]) and depends(group, before)):
                break
            to -= 1
        if to < position:
            groups.insert(to, groups.pop(position))
    return schedule.with_groups(groups)
