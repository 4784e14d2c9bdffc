"""A schedule for people: which line of the program became which calls, and which buffer each writes into."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from .calls import Call, Memory, Place, copied
from .compiled import Loop
from .cutting import REDUCTIONS
from .grouping import Unit
from .planning import Schedule
from .simplifying import elementwise

WIDTH = 80

Names = Mapping[Memory, str]


def text(schedule: Schedule, names: Names) -> str:
    """The calls under the lines that they came from, in 80 columns.

    Inputs are ``x0, x1, …``, state has its own names, and ``@64`` is the scratch that begins at byte 64 of the arena.
    Where several threads share the work, ``0:`` and ``1:`` say which of them makes a call.
    """
    words = _Words(schedule, names)
    calls = sum(len(unit.calls) for unit in schedule.units)
    lines = [f"{schedule.recorded} calls recorded, {calls} left; {_bytes(schedule.size)} of scratch in one arena"]
    at = None
    for n, unit in enumerate(schedule.units):
        lines.extend(f"    go on if {words.of(g.condition)} is {g.expected}" for g in schedule.asked.get(n, []))
        if n and unit.meetings != schedule.units[n - 1].meetings:
            lines.append("    all lanes meet")
        for i, call in enumerate(unit.calls):
            if call.where != at:
                at = call.where
                lines.append(_source(*at))
            if unit.rows and i == 0:
                lines.append(f"    {_blocks(unit)}, each through all of")
            lane = f"{unit.lane}: " if schedule.lanes > 1 else ""
            lines.append(f"    {lane}{'| ' if unit.rows else ''}{words.call(call)}")
    lines.append("return " + (", ".join(words.of(p) for p in schedule.outputs) or "nothing"))
    return "\n".join(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in lines)


def times(schedule: Schedule, seconds: Sequence[float]) -> str:
    """Milliseconds by the kind of call, the largest first."""
    kinds: dict[str, float] = {}
    for unit, time in zip(schedule.units, seconds, strict=True):
        kinds[_kind(unit)] = kinds.get(_kind(unit), 0.0) + 1e3 * time
    total = sum(kinds.values())
    lines = [f"{total:9.3f} ms        altogether"]
    for kind, time in sorted(kinds.items(), key=lambda item: -item[1]):
        lines.append(f"{time:9.3f} ms {time / total:5.0%}  {kind}")
    return "\n".join(lines)


def _kind(unit: Unit) -> str:
    call = unit.calls[0]
    if call.function is np.matmul:
        return "products"
    if call.function in (copied, np.reshape, np.concatenate) and len(unit.calls) == 1:
        return "copies"
    if elementwise(call) or isinstance(call.function, Loop):
        return "chains"  # of elementwise calls, or one
    return "reductions" if call.function in REDUCTIONS else "others"


def page(schedule: Schedule, names: Names, graph: str = "", title: str = "A recorded step") -> str:
    """A page without anything from elsewhere: the graph, and the calls in order beside the life of each buffer.

    Time goes down and the arena to the right. A box is a buffer, from the call that fills it to the last that reads
    it, so boxes side by side are there at once, and one below another lies in memory that was used before. ``graph``
    is an SVG picture.
    """
    words = _Words(schedule, names)
    calls = [(n, unit, call) for n, unit in enumerate(schedule.units) for call in unit.calls]
    rows = []
    for i, (_, unit, call) in enumerate(calls):
        where = _source(*call.where) if i == 0 or call.where != calls[i - 1][2].where else ""
        mark = f'<span title="{escape(_blocks(unit))}">block by block </span>' if unit.rows else ""
        rows.append(
            f"<tr><td>{i + 1}<td><code>{escape(words.call(call))}</code> {mark}<td><small>{escape(where)}</small>"
        )
    return _PAGE.format(
        title=escape(title),
        summary=escape(text(schedule, names).splitlines()[0]),
        graph=graph[graph.find("<svg") :] if "<svg" in graph else "",
        rows="\n".join(rows),
        boxes="\n".join(_boxes(schedule, [call for _, _, call in calls])),
        height=ROW * len(calls),
        result=escape("returns " + (", ".join(words.of(p) for p in schedule.outputs) or "nothing")),
    )


ROW = 24  # the height of a line of the table, in pixels
ACROSS = 320  # the width of the arena


def _boxes(schedule: Schedule, calls: list[Call]) -> Iterator[str]:
    """Each buffer as a rectangle: where it lies, and from when to when it is needed."""
    lives: dict[Memory, list[int]] = {}
    for i, call in enumerate(calls):
        for place in (*call.reads, *call.defined):
            if place.memory in schedule.offsets:
                lives.setdefault(place.memory, [i, i])[1] = i
    for place in schedule.outputs:
        if place.memory in lives:
            lives[place.memory][1] = len(calls)
    scale = ACROSS / max(schedule.size, 1)
    for memory, (born, died) in lives.items():
        x, width = schedule.offsets[memory] * scale, max(memory.size * scale, 3)
        y, height = born * ROW + 2, (died - born + 1) * ROW - 4
        label = f"{_bytes(memory.size)} at {schedule.offsets[memory]}, from call {born + 1} to {died + 1}"
        yield (f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" rx="2"><title>{label}</title></rect>')


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 14px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 1.5rem; }}
.beside {{ display: flex; gap: 1rem; align-items: flex-start; overflow-x: auto; }}
.beside > svg {{ flex: none; }}
table {{ border-collapse: collapse; }}
td {{ height: 24px; padding: 0 .5rem; white-space: nowrap; }}
tr:nth-child(odd) {{ background: #f4f6f8; }}
small, span {{ color: #666; }}
rect {{ fill: #6baed6; fill-opacity: .55; stroke: #08519c; }}
.graph {{ overflow-x: auto; margin: 1rem 0; }}
.graph svg {{ max-width: 100%; min-width: 40rem; height: auto; }}
</style>
<h1>{title}</h1>
<p>{summary}. Boxes are buffers in the arena, from the call that fills them to the last that reads them.</p>
<div class="graph">{graph}</div>
<div class="beside"><svg width="330" height="{height}" role="img" aria-label="the life of each buffer">
{boxes}
</svg>
<table>
{rows}
</table></div>
<p>{result}</p>
</html>
"""


class _Words:
    """Calls and arrays in a few words."""

    def __init__(self, schedule: Schedule, names: Names):
        self.schedule = schedule
        self.names = {p.memory: f"x{i}" for i, p in enumerate(schedule.inputs)}
        self.names.update({m: f"s{i}" for i, m in enumerate(schedule.states)})
        self.names.update(names)

    def call(self, call: Call) -> str:
        """``@0[8, 3] = matmul(x0[8, 4], kernel[4, 3])``."""
        name = "copy" if call.function is copied else getattr(call.function, "__name__", "call")
        args = ", ".join(self.of(a) for a in (*call.args, *call.kwargs.values()))
        return f"{', '.join(self.of(p) for p in call.defined)} = {name}({args})"

    def of(self, value: Any) -> str:
        """An operand."""
        if isinstance(value, Place):
            if value.memory.kind == "constant":
                return f"{value.memory.array.item():.6g}" if not value.shape else f"constant{list(value.shape)}"
            name = self.names.get(value.memory) or f"@{self.schedule.offsets.get(value.memory, 0)}"
            return f"{name}{list(value.shape)}"
        if isinstance(value, list | tuple):
            return f"({', '.join(self.of(v) for v in value)})"
        return repr(value)


def _source(file: str, line: int) -> str:
    """``step.py:6  loss = np.mean(…)``."""
    return f"{Path(file).name}:{line}  {linecache.getline(file, line).strip()}" if file else "outside of any line"


def _blocks(unit: Unit) -> str:
    return f"{-(-unit.rows // unit.step)} blocks of {unit.step} {'elements' if unit.flat else 'rows'}"


def _bytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size} bytes"
