"""The JavaScript of a page that recomputes: each op and each rule of the graph, traced on symbols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..formula import shape
from ..symbol import LETTERS, Symbol, Untraceable, evaluated, functions, trace_rule, untraceable_where_it_fails
from ..symbols import Symbols, Traced, undone
from ..values import Value

if TYPE_CHECKING:
    from ..steps import Step, Steps

MAX_NUMBERS = 400  # of all values together that a page computes
MAX_CODE = 400_000  # letters of JavaScript for them


@dataclass(frozen=True)
class Program:
    """What a page needs to recompute a graph: a list of JavaScript objects, one for each kind of call.

    Each has ``f``, the op, ``d``, its rules, and ``u``, what undoes the broadcasting of each argument. An array goes in
    as its elements in a row, and comes out so. ``calls`` maps the name of a value to its place in that list, and
    ``conditions`` those of its arguments (by position) that are comparisons. ``leaves`` can be changed. ``still`` says
    of each value that the page cannot compute why; where nothing can be changed, ``frozen`` is the first of these.
    """

    code: str = "[]"
    calls: Mapping[str, int] = field(default_factory=dict)
    conditions: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    leaves: frozenset[str] = frozenset()
    still: Mapping[str, str] = field(default_factory=dict)
    single: bool = False  # float32: each operation is rounded, as NumPy rounds it

    @property
    def frozen(self) -> str:
        """Why nothing can be changed."""
        return "" if self.leaves else next(iter(self.still.values()), "it has no leaves")


def program(steps: Steps) -> Program:
    """Trace every op of the computation that is small enough to be written out, number by number."""
    kind = np.asarray(steps.values[steps.result].value).dtype
    for value in steps.values.values():
        dtype = np.asarray(value.value).dtype
        if dtype != kind or dtype not in (np.float64, np.float32):
            mixed = f", and {steps.result} is {kind}" if dtype != kind else ""
            reason = f"{value.name} is {dtype}{mixed}; the page computes in float64 or all in float32"
            return Program(still=dict.fromkeys(steps.values, reason))
    largest = _largest(steps)
    products = {(step.output, step.position): step for step in steps if step.kind == "backward"}
    found: dict[str, int] = {}
    calls: dict[str, int] = {}
    conditions: dict[str, dict[int, int]] = {}
    still: dict[str, str] = {}
    room = MAX_CODE
    for name, value in steps.values.items():
        reason = _too_large(value, steps, largest)
        if not reason and value.op is not None:
            try:
                source = _call(value, products, single=kind == np.float32)
            except Untraceable as error:
                reason = f"the page has no {value.op.name} ({error})"
            else:
                room -= len(source) if source not in found else 0
                if room < 0:
                    reason = f"the formulas of {name} and what came before have more than {MAX_CODE:,} letters"
                else:
                    calls[name] = found.setdefault(source, len(found))
                    conditions[name] = {
                        i: found.setdefault(_condition(steps.values, value, i, kind == np.float32), len(found))
                        for i in value.conditions
                    }
        if value.asked and not reason:
            reason = f"{name} was compared or sorted on the way, and with other numbers {steps.result} may be another"
        if reason:
            still[name] = reason
    leaves = frozenset(_changeable(steps.values, still))
    return Program("[\n" + ",\n".join(found) + "\n]", calls, conditions, leaves, still, single=kind == np.float32)


def _largest(steps: Steps) -> int:
    """How large an array may be: as large as leaves all that are no larger within the limit together."""
    total = 0
    sizes = sorted(np.size(value.value) for value in steps.values.values())
    for i, size in enumerate(sizes):
        total += size
        if total > MAX_NUMBERS:
            return max((s for s in sizes[:i] if s < size), default=0)
    return sizes[-1]


def _too_large(value: Value, steps: Steps, largest: int) -> str:
    """Why a value cannot be written out, in words."""
    many = f"all values together have more than {MAX_NUMBERS} numbers"
    size = np.size(value.value)
    if size > largest and largest:
        return f"{value.name} is {shape(value.value) or 'a number'}, and {many}"
    if size > largest:
        return f"it has {len(steps.values)} values; {many}"
    for i, arg in enumerate(value.args):
        if np.size(arg) > largest and np.size(arg) > 1:
            return f"{value.inputs[i]} is {shape(arg)}, and {many}"
    return ""


def _changeable(values: dict[str, Value], still: Mapping[str, str]) -> Iterator[str]:
    """The leaves from which everything that depends on them can be computed."""
    stuck = set(still)
    for name, value in reversed(values.items()):
        if name in stuck:
            stuck.update(p for p in value.parents if p is not None)
            stuck.update(v for _, operands in value.conditions.values() for v in operands if isinstance(v, str))
        elif value.op is None:
            yield name


def _call(value: Value, products: Mapping[tuple[str, int], Step], single: bool) -> str:
    """One op with its rules as a JavaScript object; constants are written into it."""
    if not np.ndim(value.value) and not any(map(np.ndim, value.args)):
        try:
            return _written(value, products, single, numbers=True)
        except Untraceable:  # what makes an array of numbers and takes it apart again
            pass
    return _written(value, products, single)


def _written(value: Value, products: Mapping[tuple[str, int], Step], single: bool, numbers: bool = False) -> str:
    op = value.op
    assert op is not None
    constants = [p is None and i not in value.conditions for i, p in enumerate(value.parents)]
    traced = Traced(op, value.args, constants, value.value, value.params, numbers)
    names = traced.names
    known = dict(zip((*names, "z"), (*value.args, value.value), strict=True))
    forward = traced.forward
    _check(forward, value.value, known, op.name)
    rules, undoing = [], []
    for i, parent in enumerate(value.parents):
        step = products.get((value.name, i))
        rules.append("null")
        undoing.append("null")
        if parent is None or step is None:
            continue
        rule = traced.rule(i)
        _check(rule, step.contribution, {**known, "g": step.upstream}, op.name)
        rules[-1] = _function(rule, ("g", "z", *names), single)
        to = np.shape(value.args[i])
        if rule.size != np.size(value.args[i]):
            undoing[-1] = _function(undone(rule.shape, to), ("p",), single)
    undo = f", u: [{', '.join(undoing)}]" if any(u != "null" for u in undoing) else ""
    return f"{{ f: {_function(forward, names, single)}, d: [{', '.join(rules)}]{undo} }}"


def _condition(values: Mapping[str, Value], value: Value, position: int, single: bool) -> str:
    """A comparison as a JavaScript object, like that of an op: of what was compared."""
    function, operands = value.conditions[position]
    arrays = [values[v].value if isinstance(v, str) else v for v in operands]
    symbols = [
        Symbols.named(name, np.shape(array), array.dtype) if isinstance(v, str) else array
        for v, array, name in zip(operands, arrays, LETTERS, strict=False)
    ]
    result = untraceable_where_it_fails(function, *symbols)
    _check(result, value.args[position], dict(zip(LETTERS, arrays, strict=False)), function.__name__)
    return f"{{ f: {_function(result, LETTERS[: len(operands)], single)} }}"


def _function(result: Any, parameters: tuple[str, ...], single: bool) -> str:
    formulas: list[Symbol] = result.formulas
    return functions(formulas, parameters, single) if result.ndim else formulas[0].function(parameters, single)


def _check(result: Any, expected: Any, given: Mapping[str, Any], name: str) -> None:
    """What was traced must compute what ran; axes of length 1 make no difference to numbers in a row."""
    if result.size != np.size(expected):
        raise Untraceable(f"its formulas have shape {list(result.shape)}, and {name} gave {list(np.shape(expected))}")
    values = {
        key: v
        for letter, array in given.items()
        for key, v in ([(letter, array)] if np.ndim(array) == 0 else _named(letter, array))
    }
    computed = np.reshape(np.array(evaluated(result.formulas, values), float), np.shape(expected))
    rtol = 1e-12 if np.asarray(expected).dtype == np.float64 else 1e-5
    size = np.max(np.abs(np.where(np.isfinite(expected), expected, 0)), initial=0)
    if not np.allclose(computed, expected, rtol=rtol, atol=rtol * float(size), equal_nan=True):
        raise Untraceable(f"its formula gives {computed}, and {name} gave {expected}")


def _named(letter: str, array: Any) -> Iterator[tuple[str, Any]]:
    return ((f"{letter}[{i}]", v) for i, v in enumerate(np.ravel(array)))


def rules_shown(value: Value) -> Iterator[str]:
    """The gradient rule for each argument as it runs, in LaTeX, empty where it is no formula of numbers."""
    op = value.op
    assert op is not None
    pairs = enumerate(zip(value.args, value.parents, strict=True))
    constants = {i: arg for i, (arg, parent) in pairs if parent is None and np.ndim(arg) == 0}
    for i in range(len(value.args)):
        try:
            yield trace_rule(op, i, constants=constants, count=len(value.args), **value.params).latex()
        except Untraceable:
            yield ""
