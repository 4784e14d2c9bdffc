"""Each step as a sentence, with its numbers marked, so that a page can change them and a caption just reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .formula import formula, number
from .steps import Step, Steps


@dataclass(frozen=True, eq=False)
class Number:
    """A number in a sentence: what it is (``value q``, ``step 3 local``, …) and whether a minus needs parentheses."""

    key: str
    value: Any
    operand: bool = False

    def __str__(self) -> str:
        text = number(self.value)
        return f"({text})" if self.operand and text.startswith("-") else text


Parts = list[str | Number]

# Letters that no op's formula uses stand for its inputs until they are replaced: a name cannot be mistaken
# for a part of the formula, whatever the user called it.
_PLACES = [chr(0x20000 + i) for i in range(1000)]


def written(latex: str, inputs: Sequence[str | Number], output: str, upstream: str = "g") -> Parts:
    """A formula from the table of ops with names or numbers for its inputs."""
    stand_ins = dict(zip(_PLACES, [*inputs, output, upstream], strict=False))
    places = list(stand_ins)
    text = formula(latex, places[: len(inputs)], places[-2], places[-1])
    parts: Parts = []
    pieces = re.split("([𠀀-𠏿])", text)
    for i, piece in enumerate(pieces):
        part: str | Number = stand_ins.get(piece, piece)
        if isinstance(part, Number):
            follows = pieces[i + 1]
            first = not any(pieces[:i]) and (not follows or follows.startswith(" "))
            part = Number(part.key, part.value, operand=not first)
        if part != "":
            parts.append(part)
    return parts


def shape(value: Any) -> str:
    """``4×2``, or what a single number is."""
    return "×".join(str(n) for n in np.shape(value)) or "a number"


def sentence(steps: Steps, index: int) -> Parts:
    """What happens in a step, in one sentence."""
    step = steps[index]
    return _forward(steps, step) if step.kind == "forward" else _backward(steps, step, index)


def text(parts: Parts) -> str:
    """A sentence as plain text."""
    return "".join(str(part) for part in parts)


def _forward(steps: Steps, step: Step) -> Parts:
    value = steps.values[step.name]
    parts: Parts = [step.name, " = ", *written(step.expression, step.inputs, step.name)]
    if all(np.ndim(arg) == 0 for arg in value.args):
        operands = [
            Number(f"value {parent}", arg) if parent else number(arg)
            for parent, arg in zip(value.parents, value.args, strict=True)
        ]
        substituted = written(step.expression, operands, step.name)
        if text(substituted) not in (text(parts[2:]), number(step.value)):
            parts += [" = ", *substituted]
        parts += [" = "]
    else:
        parts += [f", of shape {shape(step.value)}: " if np.ndim(step.value) else " = "]
    return [*parts, Number(f"value {step.name}", step.value), "."]


def _backward(steps: Steps, step: Step, index: int) -> Parts:
    f = steps.result
    arrives, wanted = f"∂{f}/∂{step.output}", f"∂{f}/∂{step.name}"
    contribution = Number(f"step {index} contribution", step.contribution)
    parts: Parts
    if step.kind == "unbroadcast":
        parts = [
            f"{step.name}, of shape {shape(step.contribution)}, was stretched to {shape(step.upstream)} by "
            "broadcasting; "
            f"the contributions of its copies are added up: {wanted} receives ",
            contribution,
        ]
    elif step.local is None:
        how = written(step.formula, step.inputs, step.output, upstream=arrives)
        shapes = "; ".join(f"{name} is {shape(value)}" for name, value in step.operands if name in text(how))
        parts = [f"{wanted} receives ", *how, " = ", contribution, f" ({shapes})"]
    else:
        local = written(step.formula, step.inputs, step.output)
        parts = [
            f"From {step.output} to {step.name}: upstream {arrives} = ",
            Number(f"step {index} upstream", step.upstream),
            f" times local ∂{step.output}/∂{step.name} = ",
            *local,
        ]
        if text(local) != number(step.local):
            parts += [" = ", Number(f"step {index} local", step.local)]
        parts += [" contributes ", contribution, f" to {wanted}"]
    if used_again(steps, step):
        parts += [
            f", and {step.name} is used more than once: its sum is now ",
            Number(f"step {index} total", step.total),
        ]
    return [*parts, "."]


def used_again(steps: Steps, step: Step) -> bool:
    """Whether a step adds to what its receiver has from another use."""
    if step.total is None:
        return False
    for other in steps:
        if other is step:
            return False
        if other.kind != "forward" and other.name == step.name and other.total is not None:
            return True
    return False
