"""What a plan works out beforehand: results that are the same each time, and calls that leave a number what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .calls import Call, Memory, Place, array_at, copied
from .simplifying import definitions, elementwise, number, rename

# Results of more elements are computed at each run: they would be no nearer than what they are computed from.
KEPT = 1024

_REDUCTIONS = (np.sum, np.mean, np.prod, np.max, np.min, np.any, np.all)


def fold(calls: list[Call], numbers: dict[Any, Place], renamed: dict[Memory, tuple[Memory, int]]) -> list[Call]:
    """The calls whose results are not known now, in their simplest form; all of it gives the same bits.

    The share 1 / n of a mean is a number, a product with 1 a copy, and a sum over one element no sum. ``numbers``
    are those that stand in the calls; ``renamed`` receives where the results lie that were worked out.
    """
    known = {place.memory for place in numbers.values()}
    changes = definitions(calls)
    left = []
    for call in calls:
        call = _without_one(_over_one(rename(call, renamed), numbers, known), known)
        result = call.results[0] if len(call.results) == 1 else None
        if result is not None and changes[result.memory] == 1 and _can_be_known(call, result, known):
            memory = _worked_out(call, result)
            if memory is not None:
                known.add(memory)
                renamed[result.memory] = (memory, 0)
                continue
        left.append(call)
    return left


def _over_one(call: Call, numbers: dict[Any, Place], known: set[Memory]) -> Call:
    """A reduction over axes that have one element, without the reduction."""
    if call.function not in _REDUCTIONS or call.errors or len(call.results) != 1 or not 0 < len(call.args) <= 2:
        return call
    (result,), x = call.results, call.args[0]
    axis, _, others = _reduced(*call.args[1:], **call.kwargs)
    if result is None or not isinstance(x, Place) or not x.shape or x.dtype != result.dtype or others:
        return call
    axes = normalize_axis_tuple(range(len(x.shape)) if axis is None else axis, len(x.shape))
    if not axes or any(x.shape[a] != 1 for a in axes):
        return call
    kept = [a for a in range(len(x.shape)) if len(x.shape) == len(result.shape) or a not in axes]
    x = replace(x, shape=result.shape, strides=tuple(x.strides[a] for a in kept))
    if x.dtype.kind == "c" and call.function is np.prod:  # a product with 1, which makes NaN of infinities
        return call
    if x.dtype.kind not in "fc" or call.function not in (np.sum, np.mean):
        return replace(call, function=copied, args=(x,), kwargs={}, reads=(x,))
    zero = number(0, x.dtype, numbers)  # of -0.0 a sum makes 0.0
    known.add(zero.memory)
    return replace(call, function=np.add, args=(x, zero), kwargs={}, reads=(x,))


def _reduced(axis: Any = None, keepdims: bool = False, **others: Any) -> tuple[Any, bool, dict[str, Any]]:
    return axis, keepdims, others


def _without_one(call: Call, known: set[Memory]) -> Call:
    """A product with 1, or a quotient by it, as a copy."""
    if call.function not in (np.multiply, np.divide) or not elementwise(call):
        return call
    (result,), args = call.results, call.args
    if result is None or result.dtype.kind == "c":  # inf + 1j times 1 is inf + nan j
        return call
    orders = [args] if call.function is np.divide else [args, args[::-1]]
    for x, one in orders:
        if (
            isinstance(x, Place)
            and isinstance(one, Place)
            and one.memory in known
            and (x.shape, x.dtype, one.dtype) == (result.shape, result.dtype, result.dtype)
            and np.all(array_at(one, one.memory.array) == 1)
        ):
            return replace(call, function=copied, args=(x,), reads=(x,))
    return call


def _can_be_known(call: Call, result: Place, known: set[Memory]) -> bool:
    """Whether a call computes one small array, element by element, from known numbers alone."""
    return (
        elementwise(call)
        and result.memory.kind == "scratch"
        and result.size <= KEPT
        and all(p.memory in known for p in call.args if isinstance(p, Place))
    )


def _worked_out(call: Call, result: Place) -> Memory | None:
    """The memory of a result; None where NumPy has something to say about it, which is to be heard at each run."""
    memory = Memory("constant", result.memory.size, 0, np.empty(result.memory.size, np.uint8))
    args = [array_at(a, a.memory.array) if isinstance(a, Place) else a for a in call.args]
    out = array_at(result, memory.array)
    try:
        with np.errstate(all="raise"):
            if call.function is copied:
                np.copyto(out, args[0], "unsafe")
            else:
                call.function(*args, out=out)
    except FloatingPointError:
        return None
    return memory
