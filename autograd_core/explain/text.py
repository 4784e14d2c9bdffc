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
    forward = {told.name: told for told in steps.narration if isinstance(told, Forward)}
    backward = [told for told in steps.narration if isinstance(told, Backward)]
    lines = ["Forward", *_wrapped([f"{name} = {number(value)}" for name, value in steps.leaves.items()])]
    for computed in forward.values():
        lines += _forward(computed)
    lines += ["", f"Backward: upstream × local = contribution, starting from ∂{f}/∂{f} = {number(steps.seed)}"]
    widest = max((len(_arithmetic(told)) for told in backward), default=0)
    for output, group in groupby(backward, key=lambda told: told.output):
        lines.append(f"  through {output} = {forward[output].formula}")
        for told in group:
            lines += _backward(told, widest)
    lines += ["", "Gradients", *(f"  {partial} = {written}" for partial, written in gradients(steps))]
    return "\n".join(lines)


def _forward(told: Forward) -> list[str]:
    """``q = x + y = -2 + 5 = 3``, the result in a line of its own where one is too short."""
    line = f"  {told.name} = {told.formula}"
    if told.settings:
        line += f" ({told.settings})"
    if told.numbers is not None:
        line += f" = {told.numbers}"
    last = str(told.value)
    return [f"{line} = {last}"] if len(line) + 3 + len(last) <= WIDTH else [line, f"      = {last}"]


def _factors(told: Backward) -> tuple[str, ...]:
    """What is multiplied, or how else the contribution comes about."""
    if isinstance(told, Product):
        return str(told.upstream), str(replace(told.local, operand=True))
    if isinstance(told, VectorJacobian):
        return (str(told.formula),)
    return (f"{told.upstream}, summed over its copies",)


def _arithmetic(told: Backward) -> str:
    line = f"{told.wanted}:  {' × '.join(_factors(told))} = {told.contribution}"
    return line if told.total is None else f"{line}; in sum {told.total}"


def _backward(told: Backward, widest: int) -> list[str]:
    arithmetic = _arithmetic(told)
    for width in (widest, len(arithmetic)):
        if 4 + width + 3 + len(told.note) <= WIDTH:
            return [f"    {arithmetic:<{width}}   {told.note}"]
    # Too wide for a line: the factors under each other.
    first, *others = _factors(told)
    lines = [f"    {told.wanted}: {told.note}", f"        {first}", *(f"      × {factor}" for factor in others)]
    lines.append(f"      = {told.contribution}")
    if told.total is not None:
        end = f"; in sum {told.total}"
        lines[-1:] = (
            [lines[-1] + end] if len(lines[-1] + end) <= WIDTH else [f"{lines[-1]};", f"        in sum {told.total}"]
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
