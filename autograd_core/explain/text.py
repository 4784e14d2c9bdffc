"""Steps as plain text that reads well in 80 columns without colour."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from .formula import number
from .narration import Backward, Forward, Product, VectorJacobian, gradients

if TYPE_CHECKING:
    from .steps import Steps

WIDTH = 80


def to_text(steps: Steps) -> str:
    """The transcript of `Steps`: what was computed, one line for each backward step, and the gradients."""
    f = steps.result
    forward = {step.name: step for step in steps.narration if isinstance(step, Forward)}
    backward = [step for step in steps.narration if isinstance(step, Backward)]
    lines = ["Forward", *_wrapped([f"{name} = {number(value)}" for name, value in steps.leaves.items()])]
    for computed in forward.values():
        lines += _forward(computed)
    lines += ["", f"Backward: upstream × local = contribution, starting from ∂{f}/∂{f} = {number(steps.seed)}"]
    widest = max((len(_arithmetic(step)) for step in backward), default=0)
    for output, group in groupby(backward, key=lambda step: step.output):
        lines.append(f"  through {output} = {forward[output].formula}")
        for step in group:
            lines += _backward(step, widest)
    lines += ["", "Gradients", *(f"  {partial} = {written}" for partial, written in gradients(steps))]
    return "\n".join(lines)


def _forward(step: Forward) -> list[str]:
    """``q = x + y = -2 + 5 = 3``, the result in a line of its own where one is too short."""
    line = f"  {step.name} = {step.formula}"
    if step.settings:
        line += f" ({step.settings})"
    if step.numbers is not None:
        line += f" = {step.numbers}"
    last = str(step.value)
    return [f"{line} = {last}"] if len(line) + 3 + len(last) <= WIDTH else [line, f"      = {last}"]


def _factors(step: Backward) -> tuple[str, ...]:
    """What is multiplied, or how else the contribution comes about."""
    if isinstance(step, Product):
        return str(step.upstream), str(replace(step.local, operand=True))
    if isinstance(step, VectorJacobian):
        return (str(step.formula),)
    return (f"{step.upstream}, summed over its copies",)


def _arithmetic(step: Backward) -> str:
    line = f"{step.wanted}:  {' × '.join(_factors(step))} = {step.contribution}"
    return line if step.total is None else f"{line}; in sum {step.total}"


def _backward(step: Backward, widest: int) -> list[str]:
    arithmetic = _arithmetic(step)
    for width in (widest, len(arithmetic)):
        if 4 + width + 3 + len(step.note) <= WIDTH:
            return [f"    {arithmetic:<{width}}   {step.note}"]
    # Too wide for a line: the factors under each other.
    first, *others = _factors(step)
    lines = [f"    {step.wanted}: {step.note}", f"        {first}", *(f"      × {factor}" for factor in others)]
    lines.append(f"      = {step.contribution}")
    if step.total is not None:
        end = f"; in sum {step.total}"
        lines[-1:] = (
            [lines[-1] + end] if len(lines[-1] + end) <= WIDTH else [f"{lines[-1]};", f"        in sum {step.total}"]
        )
    return lines


def _wrapped(items: list[str]) -> list[str]:
    """Items one after the other, in lines that fit."""
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + len(item) + 3 <= WIDTH:
            lines[-1] += f",  {item}"
        else:
            lines.append(f"  {item}")
    return lines
