"""What ONNX has one operator for, and we compose: recognised, so that a reader finds it in the file by its name.

The patterns are our own layers, recorded. In them whole numbers and functions must be the same; arrays and other
numbers (a slope, an epsilon, weights) may be any, and are what the operator is given.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import layers
from ..models import Sequential
from .tracing import Constant, Ref, Step, Trace, trace, uses_of


@dataclass
class Idiom:
    """An operator of ONNX, and the steps that it stands for; the first of them is the input, the last the result."""

    kind: str
    steps: list[Step]


@functools.cache
def idioms() -> list[Idiom]:
    """The layers that ONNX knows, those that others are part of first."""
    known: dict[str, layers.Layer] = {
        "LayerNormalization": layers.LayerNormalization(name="layer"),
        "BatchNormalization": layers.BatchNormalization(name="layer"),
        "LeakyRelu": layers.LeakyReLU(name="layer"),
        "Elu": layers.Activation("elu", name="layer"),
        "HardSigmoid": layers.Activation("hard_sigmoid", name="layer"),
        "Softsign": layers.Activation("softsign", name="layer"),
    }
    shape = (None, 4)
    return [
        Idiom(kind, trace(Sequential([layers.Input(shape=shape[1:]), layer], name=kind), shape).steps)
        for kind, layer in known.items()
    ]


def recognise(traced: Trace) -> None:
    """Put one step in place of those that an operator stands for."""
    steps = traced.steps
    for i in reversed(range(traced.inputs, len(steps))):
        for idiom in idioms():
            found = _match(traced, i, idiom)
            if found is None:
                continue
            x, opened, axis, inner = found
            step = steps[i]
            params = _params(idiom.kind, steps[x.step], opened, axis)
            if params is None or step.dtype != np.float32:  # few runtimes have these in other precisions
                continue
            steps[i] = Step(idiom.kind, (x, *opened), params, step.shape, step.dtype, step.layer)
            for j in inner:
                steps[j] = Step("nothing", (), {}, (), steps[j].dtype, steps[j].layer)
            traced.uses = uses_of(steps, traced.result)
            break


Found = tuple[Ref, list[Any], Any, set[int]]


def _match(traced: Trace, root: int, idiom: Idiom) -> Found | None:
    """The input of an idiom that ends in a step, what is open in it, its axis, and its other steps."""
    bound: dict[int, Any] = {}
    opened: list[Any] = []
    axes: list[Any] = []

    def same(pattern: Any, value: Any, key: str = "") -> bool:
        if key == "axis":
            axes.append(value)
            return axes[0] == value
        if isinstance(pattern, Constant | float):
            opened.append(value)
            return isinstance(value, Constant | float | int) and not isinstance(value, bool)
        if isinstance(pattern, tuple | list):
            return (
                isinstance(value, tuple | list)
                and len(pattern) == len(value)
                and all(same(p, v) for p, v in zip(pattern, value, strict=True))
            )
        if not isinstance(pattern, Ref):
            return bool(pattern == value)
        if pattern.step in bound or not isinstance(value, Ref):
            return bool(bound.get(pattern.step) == value)
        bound[pattern.step] = value
        if not pattern.step:
            return True
        ours, theirs = idiom.steps[pattern.step], traced.steps[value.step]
        return (
            ours.op == theirs.op
            and ours.params.keys() == theirs.params.keys()
            and same(ours.args, theirs.args)
            and all(same(ours.params[k], theirs.params[k], k) for k in ours.params)
        )

    last = len(idiom.steps) - 1
    if idiom.steps[last].op != traced.steps[root].op or not same(Ref(last), Ref(root)):
        return None
    inner = {ref.step for place, ref in bound.items() if place not in (0, last)}
    # What others need too has to be written anyway.
    within: Counter[int] = uses_of([traced.steps[j] for j in (*inner, root)], ())
    if any(within[j] != traced.uses[j] for j in inner):
        return None
    return bound[0], opened, axes[0] if axes else None, inner


def _params(kind: str, x: Step, opened: list[Any], axis: Any) -> dict[str, Any] | None:
    """What else ONNX' operator has to be told; None where it cannot be given what was found."""
    n = len(x.shape)
    if kind == "BatchNormalization":  # one number for each place of one axis
        for channels in range(n - 1, 0, -1):
            shape = tuple(x.shape[a] if a == channels else 1 for a in range(n))
            if all(isinstance(c, Constant) and c.array.shape == c.shape == shape for c in opened):
                return {"axis": channels}
        return None
    if kind == "LayerNormalization":  # over the last axes
        over = tuple(sorted(a % n for a in axis)) if isinstance(axis, tuple) else ()
        first = n - len(over)
        shape = (*(1,) * first, *(k for k in x.shape[first:] if isinstance(k, int)))
        whole = all(isinstance(c, Constant) and c.array.shape == shape for c in opened[-2:])
        return {"axis": first} if whole and over == tuple(range(first, n)) else None
    return None if any(isinstance(c, Constant) and c.array.ndim for c in opened) else {}
