"""Fewer instructions: no common subexpressions, no dead code, and no copy that can be avoided."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from ... import tree
from ..effects import copied, definitions, elementwise, may_raise
from ..ir import Buffer, BufferView, Instruction, Schedule, by_bits

# A copy of more bytes is out of the cache by the time that it is needed again, and memory is dear.
KEPT = 1 << 18


def promote_scalars(schedule: Schedule) -> Schedule:
    """Python's numbers as arrays without axes in the dtype of the loop: NumPy then asks no questions."""

    def promoted(inst: Instruction) -> Instruction:
        function = inst.function
        if not isinstance(function, np.ufunc) or inst.kwargs or not elementwise(inst):
            return inst
        if not any(type(a) in (int, float, bool) or isinstance(a, np.generic) for a in inst.args):
            return inst
        kinds: Any = [a.dtype if hasattr(a, "dtype") else type(a) for a in inst.args]
        try:
            loop = function.resolve_dtypes((*kinds, None))
        except TypeError:
            return inst
        args = [a if isinstance(a, BufferView) else schedule.number(a, loop[i]) for i, a in enumerate(inst.args)]
        return replace(inst, args=tuple(args))

    return schedule.with_instructions([promoted(inst) for inst in schedule.instructions])


def elide_copies(schedule: Schedule) -> Schedule:
    """Leave out copies of what nobody changes into memory that nobody changes."""
    changes = definitions(schedule.instructions)
    aliases: dict[Buffer, tuple[Buffer, int]] = {}
    left = []
    for inst in schedule.instructions:
        inst = inst.renamed(aliases)
        if inst.function is copied and isinstance(inst.args[0], BufferView) and not inst.errors:
            source, target = inst.args[0], inst.results[0]
            if (
                target is not None
                and target.buffer.kind == "scratch"
                and changes[target.buffer] == 1
                and source.buffer.kind in ("scratch", "input")
                and changes[source.buffer] <= (source.buffer.kind == "scratch")
                and (source.shape, source.strides, source.dtype) == (target.shape, target.strides, target.dtype)
            ):
                aliases[target.buffer] = (source.buffer, source.offset - target.offset)
                continue
        left.append(inst)
    return schedule.with_instructions(left, aliases)


def eliminate_common_subexpressions(schedule: Schedule) -> Schedule:
    """Leave out instructions that were there before with the same operands."""
    changes = definitions(schedule.instructions)
    aliases: dict[Buffer, tuple[Buffer, int]] = {}
    versions: Counter[Buffer] = Counter()
    seen: dict[Any, Instruction] = {}
    left = []
    for inst in schedule.instructions:
        inst = inst.renamed(aliases)
        once = (
            not inst.writes
            and not inst.has_side_effects
            and not _only_moves_much(inst)
            and all(p is not None and p.buffer.kind == "scratch" and changes[p.buffer] == 1 for p in inst.results)
        )
        if once:
            layout = tuple((p.offset, p.shape, p.strides, p.dtype.str) for p in inst.results if p is not None)
            try:
                key = (inst.function, _hashable(inst.args, versions), _hashable(inst.kwargs, versions), layout)
                before = seen.setdefault(key, inst)
            except TypeError:  # an operand that cannot be compared
                before = inst
            if before is not inst:
                for old, new in zip(inst.results, before.results, strict=True):
                    assert old is not None
                    assert new is not None
                    aliases[old.buffer] = (new.buffer, 0)
                continue
        for p in inst.defined:
            versions[p.buffer] += 1
        left.append(inst)
    return schedule.with_instructions(left, aliases)


def _only_moves_much(inst: Instruction) -> bool:
    """Whether this copies so much that to keep it is worse than to copy again: the columns of a convolution, say."""
    return inst.function in (np.reshape, copied) and any(p is not None and p.buffer.size > KEPT for p in inst.results)


def _hashable(value: Any, versions: Counter[Buffer]) -> Any:
    """``value`` as something that can be looked up: views with the version of what their buffer holds."""

    def key(leaf: Any) -> Any:
        if not isinstance(leaf, BufferView):
            return by_bits(leaf)
        return id(leaf.buffer), versions[leaf.buffer], leaf.offset, leaf.shape, leaf.strides, leaf.dtype.str

    return tree.structure(value), *map(key, tree.leaves(value))


def elide_concatenations(schedule: Schedule) -> Schedule:
    """Compute the parts of what is concatenated where they end up, or copy them there one by one."""
    changes, keep = definitions(schedule.instructions), schedule.kept
    aliases: dict[Buffer, tuple[Buffer, int]] = {}
    left: list[Instruction] = []
    for inst in schedule.instructions:
        joins = inst.function is np.concatenate and len(inst.args) == 1 and not inst.kwargs
        whole = inst.results[0] if joins else None
        if whole is None or not whole.contiguous or inst.errors:
            left.append(inst)
            continue
        offset = whole.offset
        for part in inst.args[0]:
            view = replace(whole, offset=offset, shape=part.shape)
            offset += part.size * part.dtype.itemsize
            buffer = part.buffer
            if (
                buffer.kind == "scratch"
                and changes[whole.buffer] == 1
                and buffer not in keep
                and buffer not in aliases
                and changes[buffer] == 1
                and (part.offset, part.size * part.dtype.itemsize, part.dtype) == (0, buffer.size, view.dtype)
                and part.strides == view.strides
            ):
                aliases[buffer] = (view.buffer, view.offset)
            elif part.size:
                left.append(replace(inst, function=copied, args=(part,), results=(view,), reads=(part,)))
    return schedule.with_instructions(left, aliases)


def eliminate_dead_code(schedule: Schedule) -> Schedule:
    """Keep only what an output, a guard or a change of state needs."""
    needed = schedule.kept
    left = []
    for inst in reversed(schedule.instructions):
        if inst.has_side_effects or any(p.buffer.kind == "state" or p.buffer in needed for p in inst.defined):
            needed.update(p.buffer for p in inst.reads)
            left.append(inst)
    return schedule.with_instructions(left[::-1])


def update_in_place(schedule: Schedule) -> Schedule:
    """Compute the new values of state where the old ones are, instead of copying them there at the end."""
    instructions, keep = schedule.instructions, schedule.kept
    changes = definitions(instructions)
    made = {p.buffer: i for i, inst in enumerate(instructions) for p in inst.results if p is not None}
    aliases: dict[Buffer, tuple[Buffer, int]] = {}
    dropped = set()
    for k, inst in enumerate(instructions):
        if inst.function is not copied or not isinstance(inst.args[0], BufferView):
            continue
        value, state = inst.args[0], inst.results[0]
        assert state is not None
        if (
            state.buffer.kind != "state"
            or value.buffer.kind != "scratch"
            or value.buffer in keep
            or value.buffer in aliases
            or changes[value.buffer] != 1
            or (value.shape, value.strides, value.dtype) != (state.shape, state.strides, state.dtype)
        ):
            continue
        j = made[value.buffer]
        maker = instructions[j]
        if maker.results != (value,) or maker.errors or maker.has_side_effects:
            continue
        # The old values may be read up to the instruction that makes the new ones, and by that element by element.
        at_once = [p for p in maker.reads if p.overlaps(state)]
        if at_once and not (elementwise(maker) and all(p == state for p in at_once)):
            continue
        between = [p for c in instructions[j + 1 : k] for p in (*c.reads, *c.defined)]
        changed_later = any(p.overlaps(state) for c in instructions[k + 1 :] for p in c.defined)
        read_later = any(p.buffer is value.buffer for c in instructions[k + 1 :] for p in c.reads)
        if any(p.overlaps(state) for p in between) or (changed_later and read_later):
            continue
        if any(map(may_raise, instructions[j + 1 : k])):
            continue
        aliases[value.buffer] = (state.buffer, state.offset - value.offset)
        dropped.add(k)
    return schedule.with_instructions([inst for k, inst in enumerate(instructions) if k not in dropped], aliases)
