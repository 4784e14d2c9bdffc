"""Steps as tables for a terminal: 80 columns, and nothing is told by colour."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .drawing import summary
from .formula import formula, number
from .steps import Step, Steps
from .story import sentence, used_again, written
from .story import text as as_text

WIDTH = 80


def to_table(steps: Steps) -> str:
    """Three tables as plain text: what was computed, each contribution, and the gradients."""
    f = steps.result
    given = _table("Given", "name", "value")
    for name, value in steps.leaves.items():
        given.add_row(Text(name), Text(number(value)))
    forward = _table("Forward", "#", "value", "numbers")
    backward = _table(
        f"Backward, from ∂{f}/∂{f} = {number(steps.seed)}", "#", "to", "upstream", "× local", "= contribution", "sum"
    )
    for i, step in enumerate(steps):
        row = _forward(steps, i) if step.kind == "forward" else _backward(steps, step)
        (forward if step.kind == "forward" else backward).add_row(*(Text(cell) for cell in (str(i + 1), *row)))
    gradients = _table("Gradients", "of", "value")
    for name in steps.leaves:
        gradient: Any = steps.gradients.get(name)
        gradients.add_row(Text(f"∂{f}/∂{name}"), Text(number(gradient, exact=not np.shape(gradient))))
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False)
    for table in (given, forward, backward, gradients):
        console.print(table)
        console.print()
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column == "#" else "left")
    return table


def _cell(value: Any) -> str:
    return number(value) if np.size(value) <= 6 else summary(value)


def _forward(steps: Steps, index: int) -> tuple[str, str]:
    step = steps[index]
    symbolic = as_text([step.name, " = ", *written(step.expression, step.inputs, step.name)])
    if np.ndim(step.value):
        return symbolic, _cell(step.value)
    return symbolic, as_text(sentence(steps, index)).removesuffix(".").removeprefix(symbolic).removeprefix(" = ")


def _backward(steps: Steps, step: Step) -> tuple[str, ...]:
    receiver, total = f"∂{steps.result}/∂{step.name}", _cell(step.total) if used_again(steps, step) else ""
    upstream, contribution = _cell(step.upstream), _cell(step.contribution)
    if step.kind == "unbroadcast":
        return receiver, upstream, "summed over copies", contribution, total
    if step.local is None:
        how = formula(step.formula, step.inputs, step.output, upstream="g")
        return receiver, f"g = {upstream}", how, contribution, total
    local = as_text(written(step.formula, step.inputs, step.output))
    numbers = "" if local == number(step.local) else f" = {_cell(step.local)}"
    return receiver, upstream, f"∂{step.output}/∂{step.name} = {local}{numbers}", contribution, total
