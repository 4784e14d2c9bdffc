"""Steps as tables for a terminal: 80 columns, and nothing is told by colour."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from .formula import FEW, Partial, number, summary
from .narration import Backward, Forward, Product, VectorJacobian, gradients

if TYPE_CHECKING:
    from .steps import Steps

WIDTH = 80
MAX_ROWS = 2000


def to_table(steps: Steps) -> str:
    """The tables as plain text, of 80 columns."""
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False, emoji=False)
    console.print(tables(steps))
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())


def tables(steps: Steps) -> Group:
    """What was given, what was computed, each contribution, and the gradients, for any console of rich's."""
    start = Partial(steps.result, steps.result)
    given = _table("Given", name="bold", value="")
    for name, value in steps.leaves.items():
        given.add_row(Text(name), Text(number(value)))
    forward = _table("Forward", **{"#": "dim", "value": "", "numbers": ""})
    sums = any(isinstance(step, Backward) and step.total is not None for step in steps.narration)
    columns = {"#": "dim", "to": "bold", "upstream": "magenta", "× local": "cyan", "= contribution": "green"}
    backward = _table(f"Backward, from {start} = {number(steps.seed)}", **columns, **({"sum": "bold"} if sums else {}))
    if max((len(step.name) for step in steps.narration), default=0) <= 16:  # a name is not broken where there is room
        backward.columns[1].no_wrap = True
    for i, step in enumerate(steps.narration):
        if MAX_ROWS // 2 <= i < len(steps) - MAX_ROWS // 2:
            if i == MAX_ROWS // 2:
                backward.add_row("…", Text(f"{len(steps) - MAX_ROWS:,} more: .to_text()"))
        elif isinstance(step, Forward):
            forward.add_row(*map(Text, (str(i + 1), *_forward(step))))
        else:
            backward.add_row(*map(Text, (str(i + 1), *_backward(step)[: 5 if sums else 4])))
    found = _table("Gradients", of="bold", value="green")
    for partial, written in gradients(steps):
        found.add_row(Text(str(partial)), Text(written))
    return Group(given, "", forward, "", backward, "", found)


def _table(title: str, **columns: str) -> Table:
    """A table with these columns, each of a style of its own where there is colour."""
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column, style in columns.items():
        table.add_column(column, style=style, overflow="fold", justify="right" if column == "#" else "left")
    return table


def _cell(value: Any, gradient: bool = True) -> str:
    return number(value, gradient=gradient) if np.size(value) <= FEW else summary(value, gradient)


def _forward(step: Forward) -> tuple[str, str]:
    symbolic = f"{step.name} = {step.formula}" + (f" ({step.settings})" if step.settings else "")
    return symbolic, _cell(step.value.value, False) if step.numbers is None else f"{step.numbers} = {step.value}"


def _backward(step: Backward) -> tuple[str, ...]:
    upstream = _cell(step.upstream.value)
    if isinstance(step, Product):
        how = f"{step.by} = {step.formula}" + ("" if step.is_its_number else f" = {_cell(step.local.value)}")
    elif isinstance(step, VectorJacobian):
        upstream = f"g = {upstream}"
        how = f"{replace(step.formula, upstream='g')}" + (f"\n{step.product}" if step.product else "")
    else:
        how = "summed over copies"
    total = "" if step.total is None else _cell(step.total.value)
    return str(step.wanted), upstream, how, _cell(step.contribution.value), total
