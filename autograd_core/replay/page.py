"""A schedule as a page: the calls in order, beside the life of each buffer."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from .ir import Buffer, Schedule
from .show import Names, Row, Words, blocks_of, rows_of, size_of, source_line, spelled_out, summary


def page(schedule: Schedule, names: Names, graph: str = "", title: str = "A recorded step") -> str:
    """A page without anything from elsewhere: the graph, and the calls in order beside the life of each buffer.

    Time goes down and the arena to the right. A box is a buffer, from the call that fills it to the last that reads
    it, so boxes side by side are there at once, and one below another lies in memory that was used before. Where
    there are several workers a box has the colour of the one that fills it. ``graph`` is an SVG picture.
    """
    schedule = spelled_out(schedule)
    words = Words(schedule, names)
    rows = list(rows_of(schedule))
    lines, at = [], None
    for number, row in enumerate(rows, 1):
        where = ""
        if row.instruction is not None and row.instruction.where != at:
            at = row.instruction.where
            where = source_line(*at)
        kind = "call" if row.instruction else "guard" if row.guard else "barrier"
        worker = mark = ""
        if row.instruction is not None and schedule.workers > 1:
            worker = f'<b class="worker{row.group.worker % COLOURS}">{row.group.worker}</b>'
        if row.instruction is not None and row.group.rows:
            mark = f' <span title="{escape(blocks_of(row.group))}">block by block</span>'
        lines.append(
            f'<tr class="{kind}"><td>{number}<td>{worker}<td><code>{escape(words.row(row))}</code>{mark}'
            f"<td><small>{escape(where)}</small>"
        )
    several = f". {schedule.workers} workers, a thread each, with a colour each" if schedule.workers > 1 else ""
    return _PAGE.format(
        title=escape(title),
        summary=escape(summary(schedule) + several),
        graph=graph[graph.find("<svg") :] if "<svg" in graph else "",
        rows="\n".join(lines),
        boxes="\n".join([*_scale(schedule, len(rows)), *_barriers(rows), *_boxes(schedule, rows)]),
        row=ROW,
        width=ACROSS + 2 * MARGIN,
        height=ROW * (len(rows) + 2),
        last=len(rows) + 1,
        result=escape(words.returned()),
    )


ROW = 24  # the height of a line of the table, in pixels; the first is its head
ACROSS, MARGIN = 320, 8  # the width of the arena, and what is left and right of it
COLOURS = 4  # how many colours there are


def _scale(schedule: Schedule, rows: int) -> Iterator[str]:
    """The arena from its first byte to its last, above, and lines that lead down from its ends and quarters."""
    for quarter in range(5):
        x = MARGIN + ACROSS * quarter / 4
        yield f'<line x1="{x}" y1="{ROW - 5 if quarter % 4 else ROW - 9}" x2="{x}" y2="{ROW * (rows + 2)}"/>'
    yield f'<text x="{MARGIN + 4}" y="{ROW - 8}">0</text>'
    yield f'<text x="{MARGIN + ACROSS - 4}" y="{ROW - 8}" text-anchor="end">{size_of(schedule.size)}</text>'


def _barriers(rows: list[Row]) -> Iterator[str]:
    """A line across all buffers where all workers wait for each other."""
    for i, row in enumerate(rows, 1):
        if row.instruction is None and row.guard is None:
            y = i * ROW + ROW // 2
            yield f'<line class="barrier" x1="{MARGIN}" y1="{y}" x2="{MARGIN + ACROSS}" y2="{y}"/>'


def _boxes(schedule: Schedule, rows: list[Row]) -> Iterator[str]:
    """Each buffer as a rectangle: where it lies, and from when to when it is needed."""
    lives: dict[Buffer, list[int]] = {}
    workers: dict[Buffer, int] = {}  # which fills it
    sizes = {buffer: buffer.size // g.rows * g.block for g in schedule.groups for buffer in g.local}  # of one block
    for i, row in enumerate(rows, 1):
        for view in row.views:
            if view.buffer in schedule.offsets:
                lives.setdefault(view.buffer, [i, i])[1] = i
                workers.setdefault(view.buffer, row.group.worker)
    for view in schedule.outputs:
        if view.buffer in lives:
            lives[view.buffer][1] = len(rows) + 1
    scale = ACROSS / max(schedule.size, 1)
    for buffer, (born, died) in lives.items():
        size = sizes.get(buffer, buffer.size)
        x, width = MARGIN + schedule.offsets[buffer] * scale, max(size * scale, 3)
        y, height = born * ROW + 2, (died - born + 1) * ROW - 4
        until = f"to {died}" if died <= len(rows) else "to the end"
        label = f"{size_of(size)} at {schedule.offsets[buffer]}, from {born} {until}"
        yield (
            f'<rect class="worker{workers[buffer] % COLOURS}" x="{x:.1f}" y="{y}" width="{width:.1f}" '
            f'height="{height}" rx="2"><title>{label}</title></rect>'
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
.guard code, .barrier code {{ color: #8a4b00; font-style: italic; }}
small, span, code, b {{ line-height: 1; vertical-align: baseline; }}
small, span {{ color: #666; }}
b {{ display: inline-block; width: 1.3rem; border-radius: 3px; text-align: center;
  padding: 2px 0; font-weight: 600; color: #fff; }}
text {{ font: 12px system-ui, sans-serif; fill: #666; }}
line {{ stroke: #dde1e5; }}
line.barrier {{ stroke: #c77700; stroke-dasharray: 4 3; }}
rect {{ fill-opacity: .5; }}
rect.worker0 {{ fill: #6baed6; stroke: #08519c; }} b.worker0 {{ background: #08519c; }}
rect.worker1 {{ fill: #fdae6b; stroke: #a63603; }} b.worker1 {{ background: #a63603; }}
rect.worker2 {{ fill: #74c476; stroke: #006d2c; }} b.worker2 {{ background: #006d2c; }}
rect.worker3 {{ fill: #9e9ac8; stroke: #54278f; }} b.worker3 {{ background: #54278f; }}
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
