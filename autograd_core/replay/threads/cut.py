"""Groups in parts: chains of elementwise calls, products of matrices and reductions, along an axis of their result."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..effects import REDUCTIONS
from ..ir import Buffer, BufferView, Group, Instruction

# Products of matrices take so many rows or columns at once, and add up in another order what is left over at the end.
TILE = 16


def in_parts(group: Group, n: int) -> list[Group]:
    """A group in n parts of about the same size, or nothing when it cannot be cut so."""
    size, axes, axis = _axes(group.instructions[0]) if len(group.instructions) == 1 else (0, {}, 0)
    size = group.rows or size
    if size < n:
        return []
    tile = TILE if size >= 4 * TILE * n else 1
    ranges = pairwise([*(round(size * i / n / tile) * tile for i in range(n)), size])
    if group.rows:
        return [_chain(group, start, stop) for start, stop in ranges]
    return [Group([_part(group.instructions[0], axes, axis, start, stop)]) for start, stop in ranges]


def _chain(group: Group, start: int, stop: int) -> Group:
    """A chain of elementwise calls over some of its rows, with blocks of scratch of its own."""
    full = group.instructions[0].results[0]
    assert full is not None
    local = {m: Buffer(m.kind, m.size // group.rows * (stop - start)) for m in group.local}

    def part(view: BufferView) -> BufferView:
        if len(view.shape) == len(full.shape):
            if group.flat:
                size = view.dtype.itemsize
                view = replace(view, offset=view.offset + start * size, shape=(stop - start,), strides=(size,))
            elif view.shape[0] == group.rows:
                view = view.along(0, start, stop)
        return replace(view, buffer=local[view.buffer], offset=0) if view.buffer in local else view

    instructions = [inst.moved(part) for inst in group.instructions]
    return Group(instructions, stop - start, min(group.block, stop - start), group.flat, frozenset(local.values()))


def _axes(inst: Instruction) -> tuple[int, dict[int, int], int]:
    """Into how many parts an instruction can be cut, and along which axis of which operands and of the result."""
    function: Any = inst.function
    pure = len(inst.results) == 1 and not (inst.writes or inst.errors or inst.has_side_effects)
    result = inst.results[0] if pure else None
    x = inst.args[0] if inst.args else None
    if result is None or not result.shape or not isinstance(x, BufferView) or not x.shape:
        return 0, {}, 0
    if function is np.matmul and not inst.kwargs and len(inst.args) == 2:
        shapes = [p.shape for p in inst.args]
        if all(len(shape) == 2 for shape in shapes):
            longer = int(result.shape[1] > result.shape[0])  # what is packed for a part is then used most often
            return result.shape[longer], {longer: longer}, longer
        if all(len(shape) == len(result.shape) and shape[0] == result.shape[0] for shape in shapes):
            return result.shape[0], {0: 0, 1: 0}, 0
    if function in REDUCTIONS and set(inst.kwargs) <= {"axis", "keepdims"}:
        axis = inst.args[1] if len(inst.args) > 1 else inst.kwargs.get("axis")
        axes = axis if isinstance(axis, tuple) else (axis,)
        if all(isinstance(a, int) and a % len(x.shape) for a in axes):
            return x.shape[0], {0: 0}, 0
    return 0, {}, 0


def _part(inst: Instruction, axes: dict[int, int], axis: int, start: int, stop: int) -> Instruction:
    """``inst`` for some of the results: operands are cut along ``axes``, the result along ``axis``."""
    (result,) = inst.results
    assert result is not None
    args = tuple(a.along(axes[i], start, stop) if i in axes else a for i, a in enumerate(inst.args))
    reads = tuple(a for a in args if isinstance(a, BufferView))
    return replace(inst, args=args, results=(result.along(axis, start, stop),), reads=reads)
