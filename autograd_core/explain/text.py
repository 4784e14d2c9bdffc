"""Steps as plain text that reads well in 80 columns without colour."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from .formula import formula, number
from .story import handed_back, settings, shape, shapes
from .story import text as as_text

if TYPE_CHECKING:
    from .steps import Step, Steps

WIDTH = 80


def to_text(steps: Steps) -> str:
    """The transcript of `Steps`: what was computed, one line for each backward step, and the gradients."""
    f = steps.result
    lines = ["Forward"]
    lines += _wrapped([f"{name} = {number(value)}" for name, value in steps.leaves.items()])
    for step in steps:
        if step.kind == "forward":
            lines += _forward(step, steps)
    lines += ["", f"Backward: upstream × local = contribution, starting from ∂{f}/∂{f} = {number(steps.seed)}"]
    backward = [step for step in steps if step.kind != "forward"]
    widest = max((len(_arithmetic(step, f)) for step in backward), default=0)
    for _, group in groupby(backward, key=lambda step: step.output):
        through = list(group)
        step = through[0]
        lines.append(f"  through {step.output} = {formula(step.expression, step.inputs, step.output)}")
        for step in through:
            lines += _backward(step, f, widest)
    lines += ["", "Gradients"]
    for name in steps.leaves:
        gradient: Any = steps.gradients.get(name)
        lines.append(f"  ∂{f}/∂{name} = {number(gradient, exact=not np.shape(gradient))}")
    return "\n".join(lines)


def _forward(step: Step, steps: Steps) -> list[str]:
    """``q = x + y = -2 + 5 = 3``, the result in a line of its own where one is too short."""
    symbolic = formula(step.expression, step.inputs, step.name)
    told = settings(steps.values[step.name].op, steps.values[step.name].params)
    parts = [step.name, f"{symbolic} ({told})" if told else symbolic]
    known = steps.values
    if all(name not in known or np.ndim(known[name].value) == 0 for name in step.inputs):
        operands = [_operand(known[name].value) if name in known else name for name in step.inputs]
        parts.append(formula(step.expression, operands, step.name))
    parts.append(number(step.value))
    *parts, last = [part for part, before in zip(parts, ["", *parts], strict=False) if part != before]
    line = f"  {' = '.join(parts)}"
    return [f"{line} = {last}"] if len(line) + 3 + len(last) <= WIDTH else [line, f"      = {last}"]


def _backward(step: Step, f: str, widest: int) -> list[str]:
    arithmetic, note = _arithmetic(step, f), _note(step)
    if 4 + widest + 3 + len(note) <= WIDTH:
        return [f"    {arithmetic:<{widest}}   {note}".rstrip()]
    if 4 + len(arithmetic) + 3 + len(note) <= WIDTH:
        return [f"    {arithmetic}   {note}".rstrip()]
    # Too wide for a line: the factors under each other.
    whose, _, rest = arithmetic.partition("  ")
    if step.local is not None and step.kind == "backward":
        rest = rest.replace(" × ", "\n      × ")
    stacked = "\n      = ".join(rest.rsplit(" = ", 1)).splitlines()
    return [f"    {whose} {note}".rstrip(), f"        {stacked[0]}", *stacked[1:]]


def _arithmetic(step: Step, f: str) -> str:
    whose = f"∂{f}/∂{step.name}:"
    arrives = number(step.upstream)
    if step.kind == "unbroadcast":
        how = f"{arrives}, summed over its copies"
    elif step.local is None:
        how = as_text(handed_back(step, step.inputs, f"∂{f}/∂{step.output}"))
    else:
        how = f"{arrives} × {_operand(step.local)}"
    return f"{whose}  {how} = {number(step.contribution)}{_running(step)}"


def _note(step: Step) -> str:
    if step.kind == "unbroadcast":
        return f"from {shape(step.upstream)} to {shape(step.contribution)}, as {step.name} is"
    if step.local is None:
        return f"where {shapes(step)}"
    return f"with ∂{step.output}/∂{step.name} = {formula(step.formula, step.inputs, step.output)}"


def _running(step: Step) -> str:
    """The running sum, where a value was used more than once."""
    if step.total is None or np.array_equal(step.total, step.contribution, equal_nan=True):
        return ""
    return f"; in sum {number(step.total)}"


def _operand(value: Any) -> str:
    text = number(value)
    return f"({text})" if text.startswith("-") else text


def _wrapped(items: list[str]) -> list[str]:
    """Items one after the other, in lines that fit."""
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + len(item) + 3 <= WIDTH:
            lines[-1] += f",  {item}"
        else:
            lines.append(f"  {item}")
    return lines
