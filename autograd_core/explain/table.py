"""Steps as tables for a terminal: 80 columns, and nothing is told by colour."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from .drawing import summary
from .formula import number
from .story import handed_back, says_it_all, sentence, settings, shapes, used_again, written
from .story import text as as_text

if TYPE_CHECKING:
    from .steps import Step, Steps

WIDTH = 80
MAX_ROWS = 2000


def to_table(steps: Steps) -> str:
    """The tables as plain text, of 80 columns."""
    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False).print(tables(steps))
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())


def tables(steps: Steps) -> Group:
    """What was given, what was computed, each contribution, and the gradients, for any console of rich's."""
    f = steps.result
    given = _table("Given", name="bold", value="")
    for name, value in steps.leaves.items():
        given.add_row(Text(name), Text(number(value)))
    forward = _table("Forward", **{"#": "dim", "value": "", "numbers": ""})
    sums = any(used_again(steps, step) for step in steps if step.kind != "forward")
    columns = {"#": "dim", "to": "bold", "upstream": "magenta", "× local": "cyan", "= contribution": "green"}
    backward = _table(
        f"Backward, from ∂{f}/∂{f} = {number(steps.seed)}", **columns, **({"sum": "bold"} if sums else {})
    )
    if max((len(step.name) for step in steps), default=0) <= 16:  # a name is not broken where there is room
        backward.columns[1].no_wrap = True
    for i, step in enumerate(steps):
        if MAX_ROWS // 2 <= i < len(steps) - MAX_ROWS // 2:
            if i == MAX_ROWS // 2:
                backward.add_row("…", Text(f"{len(steps) - MAX_ROWS:,} more: .to_text()"))
            continue
        row = _forward(steps, i) if step.kind == "forward" else _backward(steps, step)[: 5 if sums else 4]
        (forward if step.kind == "forward" else backward).add_row(*(Text(cell) for cell in (str(i + 1), *row)))
    gradients = _table("Gradients", of="bold", value="green")
    for name in steps.leaves:
        gradient: Any = steps.gradients.get(name)
        gradients.add_row(Text(f"∂{f}/∂{name}"), Text(number(gradient, exact=not np.shape(gradient))))
    return Group(given, "", forward, "", backward, "", gradients)


def _table(title: str, **columns: str) -> Table:
    """A table with these columns, each of a style of its own where there is colour."""
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column, style in columns.items():
        table.add_column(column, style=style, overflow="fold", justify="right" if column == "#" else "left")
    return table


def _cell(value: Any) -> str:
    return number(value) if np.size(value) <= 6 else summary(value)


def _forward(steps: Steps, index: int) -> tuple[str, str]:
    step = steps[index]
    symbolic = as_text([step.name, " = ", *written(step.expression, step.inputs, step.name)])
    if told := settings(steps.values[step.name].op, steps.values[step.name].params):
        symbolic += f" ({told})"
    if np.ndim(step.value):
        return symbolic, _cell(step.value)
    return symbolic, as_text(sentence(steps, index)).removesuffix(".").removeprefix(symbolic).removeprefix(" = ")


def _backward(steps: Steps, step: Step) -> tuple[str, ...]:
    receiver, total = f"∂{steps.result}/∂{step.name}", _cell(step.total) if used_again(steps, step) else ""
    upstream, contribution = _cell(step.upstream), _cell(step.contribution)
    if step.kind == "unbroadcast":
        return receiver, upstream, "summed over copies", contribution, total
    if step.local is None:
        how = as_text(handed_back(step, step.inputs, "g"))
        if step.op == "matmul":
            how += f"\n{shapes(step).partition(' = ')[2].partition(',')[0]}"
        return receiver, f"g = {upstream}", how, contribution, total
    local = as_text(written(step.formula, step.inputs, step.output))
    numbers = "" if says_it_all(local, step.local) else f" = {_cell(step.local)}"
    return receiver, upstream, f"∂{step.output}/∂{step.name} = {local}{numbers}", contribution, total
