"""Worksheets: the steps of a computation on paper, with blanks where its numbers are."""

from __future__ import annotations

import csv
import html
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from .boxes import of_steps
from .drawing import Drawing
from .formula import number, shape
from .narration import Backward, Forward, Product, Unbroadcast

if TYPE_CHECKING:
    from .steps import Steps

CELLS = 16  # blanks of one array
STEPS = 60  # what two sides of paper hold
ROOM = 680, 560  # CSS pixels for the graph on a page of A4 or letter
LINE = "______"
SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class Sheet:
    """The numbers of one student, and where they can be checked."""

    number: int
    leaves: Mapping[str, Any]
    link: str


class Worksheet:
    """The blanks of one computation, which is that of every sheet, with other numbers.

    ``task`` is what is computed, as it was typed. Raises ValueError for more than paper holds.
    """

    def __init__(self, steps: Steps, task: str, sheets: Sequence[Sheet]) -> None:
        if len(steps) > STEPS:
            raise ValueError(
                f"a worksheet: expected at most {STEPS} steps, got {len(steps)}; take a smaller expression"
            )
        for name, value in steps.values.items():
            if np.size(value.value) > CELLS or np.ndim(value.value) > 2:
                given = f"{name} of shape {shape(value.value)}"
                raise ValueError(
                    f"a worksheet: expected numbers and matrices of up to {CELLS} cells, got {given}; take smaller ones"
                )
        self.task = task
        self.steps = steps
        self.blanks = _blanks(steps)
        longest = {name: max((number(s.leaves[name]) for s in sheets), key=len) for name in steps.leaves}
        try:
            self.graph, self.places = _graph(steps, longest)
        except ImportError:  # without the plots extra there is no picture
            self.graph, self.places = "", {}

    def page(self, sheets: Iterable[Sheet]) -> str:
        """A page for the printer, with so many sheets."""
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>Backprop by hand: {html.escape(self.task)}</title>\n"
            f"<style>\n{files(__package__).joinpath('worksheet.css').read_text(encoding='utf-8')}</style>\n"
            f"</head>\n<body>\n{self.graph}\n<main>\n"
            + "\n".join(map(self._sheet, sheets))
            + "\n</main>\n</body>\n</html>\n"
        )

    def _sheet(self, sheet: Sheet) -> str:
        given = ", ".join(f"{html.escape(name)} = {_given(value)}" for name, value in sheet.leaves.items())
        return (
            f'<article>\n<header><h1>Backprop by hand: <span class="task">{html.escape(self.task)}</span></h1>'
            f"<p><span>Sheet {sheet.number}</span><span>Name {_line(14)}</span></p></header>\n"
            f"<div>Given: {given}</div>\n{self._picture(sheet)}{self.blanks}\n"
            f'<footer>Check yourself, step by step: <a href="{html.escape(sheet.link)}">{html.escape(sheet.link)}</a>'
            "</footer>\n</article>"
        )

    def _picture(self, sheet: Sheet) -> str:
        if not self.graph:
            return ""
        view, move = self.places["view"], self.places["move"]
        numbers = "".join(
            f'<text x="{x}" y="{y}" font-size="11" text-anchor="middle">= {number(sheet.leaves[name])}</text>'
            for name, (x, y) in self.places["leaves"].items()
        )
        label = f"The graph of {self.task}, with lines to write on"
        return (
            f'<svg viewBox="{view}" role="img" aria-label="{html.escape(label)}" style="{self.places["style"]}">'
            f'<use href="#graph"/><g transform="{move}">{numbers}</g></svg>\n'
        )


def link(page: str, leaves: Mapping[str, Any], step: int) -> str:
    """The address of the quiz on a page, at a step, with the numbers of a student."""
    numbers = (f"{quote(name)}={quote(_plain(value), safe='[],-.')}" for name, value in leaves.items())
    return f"{page}#{'&'.join(['quiz', f'step={step}', *numbers])}"


def answers(sheets: Iterable[tuple[int, Steps]]) -> str:
    """The key: a line of comma-separated values for each sheet, a column for each blank."""
    out = io.StringIO()
    writer = csv.writer(out)
    header: list[str] = []
    for n, steps in sheets:
        row = {"sheet": str(n)}
        for name, value in steps.values.items():
            row |= _columns(name, value.value)
        for step, told in zip(steps, steps.narration, strict=True):
            if isinstance(told, Backward) and (told.total is not None or step.total is None):
                row |= _columns(f"{told.wanted} from {step.output}", step.contribution)
        for name, value in steps.values.items():
            if name != steps.result:
                row |= _columns(f"∂{steps.result}/∂{name}", value.gradient)
        if not header:
            writer.writerow(header := list(row))
        writer.writerow(row.values())
    return out.getvalue()


def _columns(name: str, value: Any) -> dict[str, str]:
    if np.ndim(value) == 0:
        return {name: number(value)}
    return {f"{name}[{','.join(map(str, index))}]": number(x) for index, x in np.ndenumerate(value)}


# -- the blanks --------------------------------------------------------------------------------------------


def _blanks(steps: Steps) -> str:
    forward = [told for told in steps.narration if isinstance(told, Forward)]
    backward = [told for told in steps.narration if isinstance(told, Backward)]
    short = "" if any(np.ndim(told.value.value) for told in forward) else ' class="short"'
    start = f"∂{steps.result}/∂{steps.result} = {number(steps.seed)}"
    gradients = [
        f"<li>{html.escape(f'∂{steps.result}/∂{name}')} = {_blank(v)}</li>" for name, v in steps.leaves.items()
    ]
    parts = {
        "Forward": f"<ol{short}>\n{''.join(map(_forward, forward))}</ol>",
        f"Backward: upstream × local, from {start}": f"<ol>\n{''.join(map(_backward, backward))}</ol>",
        "Gradients": f"<ul>\n{''.join(gradients)}</ul>",
    }
    return "\n".join(f"<h2>{html.escape(title)}</h2>\n{lines}" for title, lines in parts.items())


def _forward(told: Forward) -> str:
    settings = f" ({told.settings})" if told.settings else ""
    return f"<li>{html.escape(f'{told.name} = {told.formula}{settings}')} = {_blank(told.value.value)}</li>\n"


def _backward(told: Backward) -> str:
    brought = _blank(told.contribution.value)
    if isinstance(told, Product):
        factors = f"{told.arrives} · {told.by}"
        numbers = f"{_line()} · {_line()} = " if np.ndim(told.contribution.value) == 0 else ""
        line = f"{html.escape(factors)} = {numbers}{brought}"
    elif isinstance(told, Unbroadcast):
        line = f"the copies of {html.escape(told.name)} added up: {brought}"
    else:
        line = f"{html.escape(str(getattr(told, 'formula', '')))} = {brought}"
    total = f"; with what came before {_blank(told.total.value)}" if told.total is not None else ""
    return f"<li>{html.escape(f'{told.wanted} from {told.output}')}: {line}{total}</li>\n"


def _line(width: int = 5) -> str:
    return f'<span class="blank" style="width: {width}em"></span>'


def _blank(value: Any) -> str:
    """A line to write a number on, or a grid of cells."""
    if np.ndim(value) == 0:
        return _line()
    rows, columns = (1, *np.shape(value))[-2:]
    row = f"<tr>{'<td></td>' * columns}</tr>"
    return f"<table>{row * rows}</table>"


def _given(value: Any) -> str:
    if np.ndim(value) == 0:
        return f"<b>{html.escape(number(value))}</b>"
    rows = ("".join(f"<td>{number(x)}</td>" for x in row) for row in np.atleast_2d(value))
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _plain(value: Any) -> str:
    """A number or an array as JSON, without needless points."""
    return json.dumps([json.loads(_plain(v)) for v in value] if np.ndim(value) else _short(float(value))).replace(
        " ", ""
    )


def _short(x: float) -> float | int:
    return int(x) if x.is_integer() else x


# -- the graph ---------------------------------------------------------------------------------------------


def _graph(steps: Steps, longest: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The graph with lines to write on, once for all sheets, and where the numbers of leaves go."""
    drawing = of_steps(steps)
    boxes = []
    for box in drawing.boxes:
        value = steps.values.get(box.key)
        if value is not None and np.ndim(value.value):
            box = replace(box, lines=(shape(value.value),))
        elif value is not None:
            own = longest[box.key] if value.op is None else LINE
            gradient = number(steps.seed) if box.key == steps.result else LINE
            box = replace(box, lines=(f"= {own}", f"∂{steps.result}/∂{box.key} = {gradient}"))
        boxes.append(replace(box, gradient=0.0))
    arrows = tuple(replace(arrow, label="", gradient=0.0) for arrow in drawing.arrows)
    laid = [ET.fromstring(Drawing(tuple(boxes), arrows, way).render("svg")) for way in ("LR", "TB")]
    root = max(laid, key=_scale)
    _, _, width, height = map(float, str(root.get("viewBox")).split())
    moved = root.find(f"{{{SVG}}}g")
    assert moved is not None
    leaves = {}
    for i, box in enumerate(boxes):
        found = moved.find(f"{{{SVG}}}g[@id='node-{i}']")
        if found is not None and box.kind == "leaf" and len(box.lines) == 2:
            text = found.findall(f"{{{SVG}}}text")[-2]
            leaves[box.key] = (text.get("x"), text.get("y"))
            found.remove(text)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{SVG}}}title" or (child.get("fill"), child.get("stroke")) == ("white", "none"):
                parent.remove(child)
    for element in root.iter():
        for name in ("id", "fill", "stroke", "stroke-width", "font-family"):
            element.attrib.pop(name, None)
    parts = "".join(ET.tostring(child, encoding="unicode").strip() for child in moved)
    view, move = root.get("viewBox"), moved.get("transform")
    symbol = f'<symbol id="graph" viewBox="{view}"><g transform="{move}">{parts}</g></symbol>'
    places = {"view": view, "move": move, "leaves": leaves}
    places["style"] = f"width: {min(width * 4 / 3, ROOM[0], ROOM[1] * width / height):.0f}px"
    return f'<svg class="store" aria-hidden="true">{symbol}</svg>', places


def _scale(root: ET.Element) -> float:
    _, _, width, height = map(float, str(root.get("viewBox")).split())
    return min(ROOM[0] / width, ROOM[1] / height)
