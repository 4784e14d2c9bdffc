"""Each step as a sentence, with its numbers marked, so that a page can change them and a caption just reads."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..op import Op
from .formula import MANY, formula, number, told, uses_upstream

if TYPE_CHECKING:
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
_PLACES = [chr(0x20000 + i) for i in range(MANY + 2)]


def written(latex: str, inputs: Sequence[str | Number], output: str, upstream: str = "g") -> Parts:
    """A formula from the table of ops with names or numbers for its inputs."""
    named = [*told(len(inputs))]
    stand_ins = dict(zip(_PLACES, [*(inputs[i] for i in named), output, upstream], strict=False))
    *places, of, by = stand_ins
    letters = [""] * len(inputs)
    for i, place in zip(named, places, strict=True):
        letters[i] = place
    text = formula(latex, letters, of, by)
    parts: Parts = []
    pieces = re.split(f"([{_PLACES[0]}-{_PLACES[-1]}])", text)
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


def shapes(step: Step) -> str:
    """The shapes of what a gradient is made of; for matrices how they fit: that is where transposes come from.

    >>> from autograd_core import Tensor, explain
    >>> x, w = Tensor(np.ones((4, 3)), name="x"), Tensor(np.ones((3, 2)), name="w")
    >>> [shapes(step) for step in explain(x @ w, np.ones((4, 2))) if step.kind == "backward"]
    ['4×2 @ (3×2)ᵀ = 4×2 @ 2×3 gives 4×3, as x has', '(4×3)ᵀ @ 4×2 = 3×4 @ 4×2 gives 3×2, as w has']
    """
    if step.op == "matmul":
        return _matmul_shapes(step)
    how = text(handed_back(step, step.inputs, step.operands[0][0]))
    upstream, *given = step.operands
    operands = upstream, *(given[i] for i in told(len(given)))
    named = {name: value for name, value in operands if name in how} | {step.name: step.value}
    return ", ".join(f"{name} has shape {shape(value)}" for name, value in named.items())


def _matmul_shapes(step: Step) -> str:
    _, (_, x), (_, y) = step.operands
    # A vector counts as a row on the left of @ and as a column on its right; so does what comes out.
    left = np.shape(x) if np.ndim(x) > 1 else (1, *np.shape(x))
    right = np.shape(y) if np.ndim(y) > 1 else (*np.shape(y), 1)
    above = np.broadcast_shapes(left[:-2], right[:-2])
    g = (*above, left[-2], right[-1])
    a, b = (g, right) if step.position == 0 else (left, g)
    turned = right if step.position == 0 else left
    across = (*turned[:-2], turned[-1], turned[-2])
    flipped = f"({_times(turned)})ᵀ"
    first = f"{_times(a)} @ {flipped}" if step.position == 0 else f"{flipped} @ {_times(b)}"
    then = f"{_times(a)} @ {_times(across)}" if step.position == 0 else f"{_times(across)} @ {_times(b)}"
    made = _times((*above, *(left if step.position == 0 else right)[-2:]))
    ends = f", as {step.name} has" if made == shape(step.value) else ""
    if np.ndim(step.value) == 1:
        ends = f", a {'row' if step.position == 0 else 'column'} as {step.name} is"
    return f"{first} = {then} gives {made}{ends}"


def _times(numbers: Sequence[int]) -> str:
    return "×".join(map(str, numbers))


def settings(op: Op | None, params: Mapping[str, Any]) -> str:
    """The parameters of an op that are not as usual: ``axis=1, keepdims=True``.

    >>> from autograd_core import REGISTRY
    >>> settings(REGISTRY["getitem"], {"index": (slice(None), slice(1, 3), np.arange(20))})
    'index=(:, 1:3, 20 numbers)'
    >>> settings(REGISTRY["sum"], {"axis": (0, 1), "keepdims": False})
    'axis=(0, 1)'
    """
    if op is None or not params:
        return ""
    usual = {name: p.default for name, p in inspect.signature(op.function).parameters.items()}
    told = {name: value for name, value in params.items() if not _as_usual(value, usual.get(name))}
    return ", ".join(f"{name}={_setting(value)}" for name, value in told.items())


def _as_usual(value: Any, usual: Any) -> bool:
    """Whether a parameter says what its default says, perhaps once for each axis."""
    if value is None:
        return True
    if isinstance(value, tuple | list) and value and not isinstance(usual, tuple):
        return all(_as_usual(v, usual) for v in value)
    return isinstance(value, bool | int | float | str) and type(value) is type(usual) and value == usual


def handed_back(step: Step, inputs: Sequence[str], upstream: str) -> Parts:
    """How a gradient comes about where nothing is multiplied element by element."""
    if uses_upstream(step.formula):
        return written(step.formula, inputs, step.output, upstream=upstream)
    if step.formula == "1":
        return [f"{upstream} with each element back in its place"]
    return [f"Σ_i {upstream}_i × (", *written(step.formula, inputs, step.output), ")"]


def _setting(value: Any) -> str:
    if isinstance(value, slice):
        ends = ["" if n is None else str(n) for n in (value.start, value.stop)]
        return ":".join(ends if value.step is None else [*ends, str(value.step)])
    if isinstance(value, tuple | list):
        inside = ", ".join(map(_setting, value))
        return f"({inside})" if len(value) != 1 else f"({inside},)"
    if np.ndim(value):
        return number(value) if np.size(value) <= 6 else f"{np.size(value)} numbers"
    if value is Ellipsis:
        return "…"
    return value if isinstance(value, str) else getattr(value, "__name__", None) or str(value)


def says_it_all(formula: str, local: Any) -> bool:
    """Whether the formula of a local derivative is the number itself, in each element."""
    return bool(np.size(local)) and formula == number(np.ravel(local)[0]) and bool(np.all(local == np.ravel(local)[0]))


def sentence(steps: Steps, index: int) -> Parts:
    """What happens in a step, in one sentence."""
    step = steps[index]
    return _forward(steps, step) if step.kind == "forward" else _backward(steps, step, index)


def text(parts: Parts) -> str:
    """A sentence as plain text."""
    return "".join(str(part) for part in parts)


def _forward(steps: Steps, step: Step) -> Parts:
    value = steps.values[step.name]
    symbolic = written(step.expression, step.inputs, step.name)
    parts: Parts = [step.name, " = ", *symbolic]
    if told := settings(value.op, value.params):
        parts += [f" ({told})"]
    if all(np.ndim(arg) == 0 for arg in value.args):
        operands = [
            Number(f"value {parent}", arg) if parent else number(arg)
            for parent, arg in zip(value.parents, value.args, strict=True)
        ]
        substituted = written(step.expression, operands, step.name)
        if text(substituted) not in (text(symbolic), number(step.value)):
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
        how = handed_back(step, step.inputs, arrives)
        parts = [
            f"{wanted} receives ",
            *how,
            " = ",
            contribution,
            f"; in shapes, {shapes(step)}" if step.op == "matmul" else f" ({shapes(step)})",
        ]
    else:
        local = written(step.formula, step.inputs, step.output)
        alike = np.ndim(step.upstream) == 0 or np.shape(step.upstream) == np.shape(step.local)
        stretching = "" if alike else f", stretched to {shape(step.local)},"
        parts = [
            f"From {step.output} to {step.name}: upstream {arrives} = ",
            Number(f"step {index} upstream", step.upstream),
            stretching,
            f" times local ∂{step.output}/∂{step.name} = ",
            *local,
        ]
        if not says_it_all(text(local), step.local):
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
    return id(step) in steps.again
