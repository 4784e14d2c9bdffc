"""A schedule for people: which line of the program became which calls, and which buffer each writes into."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from .calls import Call, Guard, Memory, Place, array_at, bytes_of, copied
from .compiled import Loop
from .cutting import REDUCTIONS
from .grouping import Unit
from .planning import Schedule
from .simplifying import elementwise

WIDTH = 80

Names = Mapping[Memory, str]


def text(schedule: Schedule, names: Names) -> str:
    """The calls under the lines that they came from, in 80 columns.

    Inputs are ``x0, x1, …``, constants ``c0, c1, …``, and state has its own names. ``@64[8, 3]`` is an array of that
    shape in scratch, from byte 64 of the arena on; ``x0@64[8, 3]`` one from byte 64 of ``x0`` on. ``.T`` is a transpose
    and ``.mT`` one of the last two axes; ``.view`` walks through memory in some other way: backwards, in steps, or over
    the same elements several times. Where several threads share the work, ``0:`` and ``1:`` say which makes a call.
    """
    words = _Words(schedule, names)
    lines = [_summary(schedule)]
    at = None
    for row in _rows(schedule):
        if row.call is None:
            lines.append(f"    {words.row(row)}")
            continue
        if row.call.where != at:
            at = row.call.where
            lines.append(_source(*at))
        if row.unit.rows and row.call is row.unit.calls[0]:
            lines.append(f"    {_blocks(row.unit)}, each through all of")
        lane = f"{row.unit.lane}: " if schedule.lanes > 1 else ""
        lines.append(f"    {lane}{'| ' if row.unit.rows else ''}{words.row(row)}")
    lines.append(words.returned())
    return "\n".join(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in lines)


@dataclass(frozen=True)
class _Row:
    """Something that happens: a call, a question, or else all lanes meet."""

    unit: Unit
    call: Call | None = None
    guard: Guard | None = None


def _rows(schedule: Schedule) -> Iterator[_Row]:
    """All that happens, in an order in which a single thread can do it."""
    for n, unit in enumerate(schedule.units):
        yield from (_Row(unit, guard=guard) for guard in schedule.asked.get(n, []))
        if n and unit.meetings != schedule.units[n - 1].meetings:
            yield _Row(unit)
        yield from (_Row(unit, call) for call in unit.calls)
    if schedule.units:
        yield from (_Row(schedule.units[-1], guard=guard) for guard in schedule.asked.get(len(schedule.units), []))


def _summary(schedule: Schedule) -> str:
    calls = sum(len(unit.calls) for unit in schedule.units)
    return f"{schedule.recorded} calls recorded, {calls} left; {_bytes(schedule.size)} of scratch in one arena"


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
    it, so boxes side by side are there at once, and one below another lies in memory that was used before. Where
    there are several lanes a box has the colour of the one that fills it. ``graph`` is an SVG picture.
    """
    words = _Words(schedule, names)
    rows = list(_rows(schedule))
    lines, at = [], None
    for number, row in enumerate(rows, 1):
        where = ""
        if row.call is not None and row.call.where != at:
            at = row.call.where
            where = _source(*at)
        kind = "call" if row.call else "guard" if row.guard else "meeting"
        lane = f'<b class="lane{row.unit.lane % LANES}">{row.unit.lane}</b>' if row.call and schedule.lanes > 1 else ""
        mark = f' <span title="{escape(_blocks(row.unit))}">block by block</span>' if row.call and row.unit.rows else ""
        lines.append(
            f'<tr class="{kind}"><td>{number}<td>{lane}<td><code>{escape(words.row(row))}</code>{mark}'
            f"<td><small>{escape(where)}</small>"
        )
    several = f". {schedule.lanes} lanes, a thread each, with a colour each" if schedule.lanes > 1 else ""
    return _PAGE.format(
        title=escape(title),
        summary=escape(_summary(schedule) + several),
        graph=graph[graph.find("<svg") :] if "<svg" in graph else "",
        rows="\n".join(lines),
        boxes="\n".join([*_scale(schedule, len(rows)), *_meetings(rows), *_boxes(schedule, rows)]),
        row=ROW,
        width=ACROSS + 2 * MARGIN,
        height=ROW * (len(rows) + 2),
        last=len(rows) + 1,
        result=escape(words.returned()),
    )


ROW = 24  # the height of a line of the table, in pixels; the first is its head
ACROSS, MARGIN = 320, 8  # the width of the arena, and what is left and right of it
LANES = 4  # how many colours there are


def _scale(schedule: Schedule, rows: int) -> Iterator[str]:
    """The arena from its first byte to its last, above, and lines that lead down from its ends and quarters."""
    for quarter in range(5):
        x = MARGIN + ACROSS * quarter / 4
        yield f'<line x1="{x}" y1="{ROW - 5 if quarter % 4 else ROW - 9}" x2="{x}" y2="{ROW * (rows + 2)}"/>'
    yield f'<text x="{MARGIN + 4}" y="{ROW - 8}">0</text>'
    yield f'<text x="{MARGIN + ACROSS - 4}" y="{ROW - 8}" text-anchor="end">{_bytes(schedule.size)}</text>'


def _meetings(rows: list[_Row]) -> Iterator[str]:
    """A line across all buffers where all lanes meet."""
    for i, row in enumerate(rows, 1):
        if row.call is None and row.guard is None:
            y = i * ROW + ROW // 2
            yield f'<line class="meeting" x1="{MARGIN}" y1="{y}" x2="{MARGIN + ACROSS}" y2="{y}"/>'


def _boxes(schedule: Schedule, rows: list[_Row]) -> Iterator[str]:
    """Each buffer as a rectangle: where it lies, and from when to when it is needed."""
    lives: dict[Memory, list[int]] = {}
    lanes: dict[Memory, int] = {}
    sizes = {memory: memory.size // u.rows * u.step for u in schedule.units for memory in u.local}  # of one block
    for i, row in enumerate(rows, 1):
        for place in (*row.call.reads, *row.call.defined) if row.call else [row.guard.condition] if row.guard else ():
            if place.memory in schedule.offsets:
                lives.setdefault(place.memory, [i, i])[1] = i
                lanes.setdefault(place.memory, row.unit.lane)
    for place in schedule.outputs:
        if place.memory in lives:
            lives[place.memory][1] = len(rows) + 1
    scale = ACROSS / max(schedule.size, 1)
    for memory, (born, died) in lives.items():
        size = sizes.get(memory, memory.size)
        x, width = MARGIN + schedule.offsets[memory] * scale, max(size * scale, 3)
        y, height = born * ROW + 2, (died - born + 1) * ROW - 4
        until = f"to {died}" if died <= len(rows) else "to the end"
        label = f"{_bytes(size)} at {schedule.offsets[memory]}, from {born} {until}"
        yield (
            f'<rect class="lane{lanes[memory] % LANES}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" '
            f'rx="2"><title>{label}</title></rect>'
        )


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 14px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 1.5rem; }}
.beside {{ display: flex; gap: 1rem; align-items: flex-start; overflow-x: auto; }}
.beside > svg {{ flex: none; }}
table {{ border-collapse: collapse; }}
th, td {{ box-sizing: border-box; height: {row}px; padding: 0 .5rem; white-space: nowrap; text-align: left; }}
th, td:first-child {{ font-weight: normal; color: #666; }}
td:first-child, th:first-child {{ text-align: right; font-variant-numeric: tabular-nums; }}
td {{ line-height: {row}px; overflow: hidden; }}
tr:nth-child(even) {{ background: #f4f6f8; }}
.guard code, .meeting code {{ color: #8a4b00; font-style: italic; }}
small, span, code, b {{ line-height: 1; vertical-align: baseline; }}
small, span {{ color: #666; }}
b {{ display: inline-block; width: 1.3rem; border-radius: 3px; text-align: center;
  padding: 2px 0; font-weight: 600; color: #fff; }}
text {{ font: 12px system-ui, sans-serif; fill: #666; }}
line {{ stroke: #dde1e5; }}
line.meeting {{ stroke: #c77700; stroke-dasharray: 4 3; }}
rect {{ fill-opacity: .5; }}
rect.lane0 {{ fill: #6baed6; stroke: #08519c; }} b.lane0 {{ background: #08519c; }}
rect.lane1 {{ fill: #fdae6b; stroke: #a63603; }} b.lane1 {{ background: #a63603; }}
rect.lane2 {{ fill: #74c476; stroke: #006d2c; }} b.lane2 {{ background: #006d2c; }}
rect.lane3 {{ fill: #9e9ac8; stroke: #54278f; }} b.lane3 {{ background: #54278f; }}
.graph {{ overflow-x: auto; margin: 1rem 0; }}
.graph svg {{ max-width: 100%; min-width: 40rem; height: auto; }}
</style>
<h1>{title}</h1>
<p>{summary}. Boxes are buffers in the arena, from the call that fills them to the last that reads them.</p>
<div class="graph">{graph}</div>
<div class="beside"><svg width="{width}" height="{height}" role="img" aria-label="the life of each buffer">
{boxes}
</svg>
<table>
<tr><th><th><th>what is done<th>for this line
{rows}
<tr><td>{last}<td><td><code>{result}</code><td>
</table></div>
</html>
"""


class _Words:
    """Calls and arrays in a few words."""

    def __init__(self, schedule: Schedule, names: Names):
        self.schedule = schedule
        self.names = {p.memory: f"x{i}" for i, p in enumerate(schedule.inputs)}
        self.names.update({m: f"s{i}" for i, m in enumerate(schedule.states)})
        self.names.update(_told_apart(names))
        self._constants = (f"c{i}" for i in itertools.count())

    def row(self, row: _Row) -> str:
        """What happens, in one line."""
        if row.call is not None:
            return self.call(row.call)
        return f"go on if {self.of(row.guard.condition)} is {row.guard.expected}" if row.guard else "all lanes meet"

    def returned(self) -> str:
        """The last line."""
        return "return " + (", ".join(self.of(p) for p in self.schedule.outputs) or "nothing")

    def call(self, call: Call) -> str:
        """``@0[8, 3] = matmul(x0[8, 4], kernel[4, 3])``."""
        name = "copy" if call.function is copied else getattr(call.function, "__name__", "call")
        owner = getattr(call.function, "__self__", None)
        if isinstance(owner, np.ufunc):
            name = f"{owner.__name__}.{name}"
        args = [*map(self.of, call.args), *(f"{key}={self.of(value)}" for key, value in call.kwargs.items())]
        return f"{', '.join(self.of(p) for p in call.defined)} = {name}({', '.join(args)})"

    def of(self, value: Any) -> str:
        """An operand."""
        if isinstance(value, Place):
            return self._place(value)
        if isinstance(value, list | tuple):
            return f"({', '.join(self.of(v) for v in value)}{',' * (len(value) == 1)})"
        if isinstance(value, np.generic):
            return str(value)
        return value.__name__ if isinstance(value, type) else repr(value)

    def _place(self, place: Place) -> str:
        """Whose memory, from which byte on, walked through how, and the shape."""
        memory = place.memory
        if memory.kind == "constant" and not place.shape:
            return f"{array_at(place, bytes_of(memory.array)).item():.6g}"
        if memory.kind == "scratch":
            where = f"@{self.schedule.offsets[memory] + place.offset}"
        else:
            if memory not in self.names:
                self.names[memory] = next(self._constants)
            where = self.names[memory] + (f"@{place.offset}" if place.offset else "")
        return f"{where}{_walk(place)}{list(place.shape)}"


def _walk(place: Place) -> str:
    """How the elements lie: one after another, as those of a transpose, or otherwise."""
    if place.contiguous or 0 in place.shape:
        return ""
    order = list(range(len(place.shape)))
    for name, axes in ((".T", order[::-1]), (".mT", [*order[:-2], *order[:-3:-1]])):
        shape, strides = (tuple(of[a] for a in axes) for of in (place.shape, place.strides))
        if replace(place, shape=shape, strides=strides).contiguous:
            return name
    return ".view"


def _told_apart(names: Names) -> dict[Memory, str]:
    """The names, with a number behind one that another memory has already."""
    taken, found = set(names.values()), {}
    given: set[str] = set()
    for memory, name in names.items():
        numbered = (f"{name}_{n}" for n in itertools.count(1))
        one = name if name not in given else next(new for new in numbered if new not in taken)
        found[memory] = one
        given.add(one)
        taken.add(one)
    return found


def _source(file: str, line: int) -> str:
    """``step.py:6  loss = np.mean(…)``."""
    return f"{Path(file).name}:{line}  {linecache.getline(file, line).strip()}" if file else "outside of any line"


def _blocks(unit: Unit) -> str:
    count = -(-unit.rows // unit.step)
    return f"{count} block{'s' * (count > 1)} of {unit.step} {'elements' if unit.flat else 'rows'}"


def _bytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size} bytes"
