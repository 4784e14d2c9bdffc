"""Units in parts: chains of elementwise calls, products of matrices and reductions, along an axis of their result."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from .calls import Call, Memory, Place
from .grouping import Unit
from .simplifying import moved


def in_parts(unit: Unit, n: int) -> list[Unit]:
    """A unit in n parts of about the same size, or nothing when it cannot be cut so."""
    size, axes, axis = _axes(unit.calls[0]) if len(unit.calls) == 1 else (0, {}, 0)
    size = unit.rows or size
    if size < n:
        return []
    ranges = pairwise(size * i // n for i in range(n + 1))
    if unit.rows:
        return [_chain(unit, start, stop) for start, stop in ranges]
    return [Unit([_part(unit.calls[0], axes, axis, start, stop)]) for start, stop in ranges]


def _chain(unit: Unit, start: int, stop: int) -> Unit:
    """A chain of elementwise calls over some of its rows, with blocks of scratch of its own."""
    full = unit.calls[0].results[0]
    assert full is not None
    local = {m: Memory(m.kind, m.size // unit.rows * (stop - start), 0) for m in unit.local}

    def part(place: Place) -> Place:
        if len(place.shape) == len(full.shape):
            if unit.flat:
                size = place.dtype.itemsize
                place = replace(place, offset=place.offset + start * size, shape=(stop - start,), strides=(size,))
            elif place.shape[0] == unit.rows:
                place = _along(place, 0, start, stop)
        return replace(place, memory=local[place.memory], offset=0) if place.memory in local else place

    calls = [moved(call, part) for call in unit.calls]
    return Unit(calls, stop - start, min(unit.step, stop - start), unit.flat, set(local.values()))


def _axes(call: Call) -> tuple[int, dict[int, int], int]:
    """Into how many parts a call can be cut, along which axis of which operands, and along which of the result."""
    function: Any = call.function
    result = call.results[0] if len(call.results) == 1 and not (call.writes or call.errors or call.pinned) else None
    x = call.args[0] if call.args else None
    if result is None or not result.shape or not isinstance(x, Place) or not x.shape:
        return 0, {}, 0
    if function is np.matmul and not call.kwargs and len(call.args) == 2:
        shapes = [p.shape for p in call.args]
        if all(len(shape) == 2 for shape in shapes):
            longer = int(result.shape[1] > result.shape[0])  # what is packed for a part is then used most often
            return result.shape[longer], {longer: longer}, longer
        if all(len(shape) == len(result.shape) and shape[0] == result.shape[0] for shape in shapes):
            return result.shape[0], {0: 0, 1: 0}, 0
    if function in REDUCTIONS and set(call.kwargs) <= {"axis", "keepdims"}:
        axis = call.args[1] if len(call.args) > 1 else call.kwargs.get("axis")
        axes = axis if isinstance(axis, tuple) else (axis,)
        if all(isinstance(a, int) and a % len(x.shape) for a in axes):
            return x.shape[0], {0: 0}, 0
    return 0, {}, 0


REDUCTIONS = (np.sum, np.mean, np.max, np.min, np.any, np.all)


def _part(call: Call, axes: dict[int, int], axis: int, start: int, stop: int) -> Call:
    """``call`` for some of the results: operands are cut along ``axes``, the result along ``axis``."""
    (result,) = call.results
    assert result is not None
    args = tuple(_along(a, axes[i], start, stop) if i in axes else a for i, a in enumerate(call.args))
    reads = tuple(a for a in args if isinstance(a, Place))
    return replace(call, args=args, results=(_along(result, axis, start, stop),), reads=reads)


def _along(place: Place, axis: int, start: int, stop: int) -> Place:
    shape = (*place.shape[:axis], stop - start, *place.shape[axis + 1 :])
    return replace(place, offset=place.offset + start * place.strides[axis], shape=shape)
