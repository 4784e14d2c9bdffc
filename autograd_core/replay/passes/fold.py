"""What is worked out beforehand: results that are the same each time, and calls that leave a number what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..effects import REDUCTIONS, copied, definitions, elementwise
from ..ir import Buffer, BufferView, Instruction, Schedule, array_at

# Results of more elements are computed at each run: they would be no nearer than what they are computed from.
KEPT = 1024


def fold_constants(schedule: Schedule) -> Schedule:
    """Keep what is not known now, in its simplest form; all of it gives the same bits.

    The share 1 / n of a mean is a number, a product with 1 a copy, and a sum over one element no sum.
    """
    changes = definitions(schedule.instructions)
    known = {view.buffer for view in schedule.numbers.values()}
    aliases: dict[Buffer, tuple[Buffer, int]] = {}
    left = []
    for inst in schedule.instructions:
        inst = _without_one(_over_one(inst.renamed(aliases), schedule, known), known)
        result = inst.results[0] if len(inst.results) == 1 else None
        if result is not None and changes[result.buffer] == 1 and _is_constant(inst, result, known):
            buffer = _evaluated(inst, result)
            if buffer is not None:
                known.add(buffer)
                aliases[result.buffer] = (buffer, 0)
                continue
        left.append(inst)
    return schedule.with_instructions(left, aliases)


def _over_one(inst: Instruction, schedule: Schedule, known: set[Buffer]) -> Instruction:
    """A reduction over axes that have one element, without the reduction."""
    if inst.function not in REDUCTIONS or inst.errors or len(inst.results) != 1 or not 0 < len(inst.args) <= 2:
        return inst
    (result,), x = inst.results, inst.args[0]
    axis, _, others = _reduced(*inst.args[1:], **inst.kwargs)
    if result is None or not isinstance(x, BufferView) or not x.shape or x.dtype != result.dtype or others:
        return inst
    axes = normalize_axis_tuple(range(len(x.shape)) if axis is None else axis, len(x.shape))
    if not axes or any(x.shape[a] != 1 for a in axes):
        return inst
    kept = [a for a in range(len(x.shape)) if len(x.shape) == len(result.shape) or a not in axes]
    x = replace(x, shape=result.shape, strides=tuple(x.strides[a] for a in kept))
    if x.dtype.kind == "c" and inst.function is np.prod:  # a product with 1, which makes NaN of infinities
        return inst
    if x.dtype.kind not in "fc" or inst.function not in (np.sum, np.mean):
        return replace(inst, function=copied, args=(x,), kwargs={}, reads=(x,))
    zero = schedule.number(0, x.dtype)  # of -0.0 a sum makes 0.0
    known.add(zero.buffer)
    return replace(inst, function=np.add, args=(x, zero), kwargs={}, reads=(x,))


def _reduced(axis: Any = None, keepdims: bool = False, **others: Any) -> tuple[Any, bool, dict[str, Any]]:
    return axis, keepdims, others


def _without_one(inst: Instruction, known: set[Buffer]) -> Instruction:
    """A product with 1, or a quotient by it, as a copy."""
    if inst.function not in (np.multiply, np.divide) or not elementwise(inst):
        return inst
    (result,), args = inst.results, inst.args
    if result is None or result.dtype.kind == "c":  # inf + 1j times 1 is inf + nan j
        return inst
    orders = [args] if inst.function is np.divide else [args, args[::-1]]
    for x, one in orders:
        if (
            isinstance(x, BufferView)
            and isinstance(one, BufferView)
            and one.buffer in known
            and (x.shape, x.dtype, one.dtype) == (result.shape, result.dtype, result.dtype)
            and np.all(array_at(one, one.buffer.array) == 1)
        ):
            return replace(inst, function=copied, args=(x,), reads=(x,))
    return inst


def _is_constant(inst: Instruction, result: BufferView, known: set[Buffer]) -> bool:
    """Whether an instruction computes one small array, element by element, from known numbers alone."""
    return (
        elementwise(inst)
        and result.buffer.kind == "scratch"
        and result.size <= KEPT
        and all(p.buffer in known for p in inst.args if isinstance(p, BufferView))
    )


def _evaluated(inst: Instruction, result: BufferView) -> Buffer | None:
    """The buffer of a result; None where NumPy has something to say about it, which is to be heard at each run."""
    buffer = Buffer("constant", result.buffer.size, array=np.empty(result.buffer.size, np.uint8))
    args = [array_at(a, a.buffer.array) if isinstance(a, BufferView) else a for a in inst.args]
    out = array_at(result, buffer.array)
    try:
        with np.errstate(all="raise"):
            if inst.function is copied:
                np.copyto(out, args[0], "unsafe")
            else:
                inst.function(*args, out=out)
    except FloatingPointError:
        return None
    return buffer
