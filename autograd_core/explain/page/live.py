"""The JavaScript of a page that recomputes: each op and each rule of the graph, traced on symbols."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..symbol import Symbol, Untraceable, letters, trace, trace_rule
from ..values import Value

if TYPE_CHECKING:
    from ..steps import Steps

MAX_VALUES = 400


@dataclass(frozen=True)
class Program:
    """What a page needs to recompute a graph: a list of JavaScript objects, one for each kind of call.

    Each has ``f``, the op, and ``d``, its rules. ``calls`` maps the name of a value to its place in that list.
    ``frozen`` says why a graph cannot be recomputed; the rest is then empty.
    """

    code: str = "[]"
    calls: dict[str, int] | None = None
    frozen: str = ""
    single: bool = False  # float32: each operation is rounded, as NumPy rounds it


def program(steps: Steps) -> Program:
    """Trace every op of the computation; on the first that is no formula of numbers say which one."""
    if len(steps.values) > MAX_VALUES:
        return Program(frozen=f"it has {len(steps.values)} values, and {MAX_VALUES} is the limit")
    kind = np.asarray(steps.values[steps.result].value).dtype
    found: dict[str, int] = {}
    calls: dict[str, int] = {}
    for name, value in steps.values.items():
        if np.ndim(value.value):
            return Program(frozen=f"{name} is an array; graphs of single numbers can be changed in the page")
        dtype = np.asarray(value.value).dtype
        if dtype != kind or dtype not in (np.float64, np.float32):
            mixed = f", and {steps.result} is {kind}" if dtype != kind else ""
            return Program(frozen=f"{name} is {dtype}{mixed}; the page computes in float64 or all in float32")
        if value.op is None:
            continue
        try:
            source = _call(value, single=kind == np.float32)
        except Untraceable as error:
            return Program(frozen=f"JavaScript's Math has no {value.op.name} ({error})")
        calls[name] = found.setdefault(source, len(found))
    return Program("[\n" + ",\n".join(found) + "\n]", calls, single=kind == np.float32)


def _call(value: Value, single: bool) -> str:
    """One op with its rules as a JavaScript object; constants are written into it."""
    op = value.op
    assert op is not None
    constants = {
        i: arg for i, (arg, parent) in enumerate(zip(value.args, value.parents, strict=True)) if parent is None
    }
    names = letters(op, len(value.args))
    forward = trace(op, constants, len(names), **value.params)
    _check(forward, value, names)
    rules = []
    for i, parent in enumerate(value.parents):
        if parent is None:
            rules.append("null")
            continue
        rule = trace_rule(op, i, constants=constants, count=len(names), **value.params)
        rules.append(rule.function(("g", "z", *names), single))
    return f"{{ f: {forward.function(names, single)}, d: [{', '.join(rules)}] }}"


def _check(formula: Symbol, value: Value, names: tuple[str, ...]) -> None:
    """What was traced must compute what ran."""
    computed = formula.evaluate(dict(zip(names, value.args, strict=True)))
    rtol = 1e-12 if np.asarray(value.value).dtype == np.float64 else 1e-6
    if not np.allclose(computed, value.value, rtol=rtol, atol=0, equal_nan=True):
        assert value.op is not None
        raise Untraceable(f"its formula gives {computed}, and {value.op.name} gave {value.value}")


def rules_shown(value: Value) -> Iterator[str]:
    """The gradient rule for each argument as it runs, in LaTeX, empty where it is no formula of numbers."""
    op = value.op
    assert op is not None
    for i in range(len(value.args)):
        try:
            yield trace_rule(op, i, count=len(value.args), **value.params).latex()
        except Untraceable:
            yield ""
