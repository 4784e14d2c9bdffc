"""A drawing laid out: each of its rows or columns by Graphviz, and they beside each other."""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import layout
from .columns import GUTTER, LETTER, parts, ranks
from .dot import digraph, legend_of
from .looks import at_night

if TYPE_CHECKING:
    from .drawing import Box, Drawing

LANE, HEAD, ROUND = 7.0, 7.0, 7.0  # in points: between lines in a gutter, the head of an arrow, a corner
FAR = 20  # ranks: an arrow over more of them takes the gutter, as one to another column does
Point = tuple[float, float]
Places = dict[str, dict[str, str]]  # of what has an id, in Graphviz' words

# An id, or a text in quotes, in which an id is only words.
_ID = re.compile(r'(?<=[ \[])id="?((?:node|edge|cluster)-[\d-]+|legend)"?|"(?:\\.|[^"\\])*"')


def rendered(drawing: Drawing, format: str) -> bytes:
    """The picture as bytes, in one of the formats of Graphviz; an SVG knows how it looks by night."""
    columns = parts(drawing)
    if len(columns) > 1 or legend_of(drawing):
        picture = layout.rendered(with_places(drawing.source, places(drawing, columns)), format, placed=True)
    else:
        picture = layout.rendered(drawing.source, format)
    if format != "svg":
        return picture
    style = f"<style>{at_night()}</style>\n<g ".encode()
    return picture.replace(b"<svg ", b'<svg class="drawing" ', 1).replace(b"<g ", style, 1)


def with_places(source: str, found: Mapping[str, Mapping[str, str]]) -> str:
    """A graph with the place of each of its parts written beside its id."""

    def place(match: re.Match[str]) -> str:
        return match[0] + "".join(f' {name}="{value}"' for name, value in found.get(match[1], {}).items())

    return _ID.sub(place, source)


def places(drawing: Drawing, columns: Sequence[Sequence[Box]]) -> Places:
    """Where everything stands when the columns stand beside each other (or rows below), and a legend below all."""
    sideways = drawing.direction in ("LR", "RL")
    ids = {box.key: f"node-{i}" for i, box in enumerate(drawing.boxes)}
    column = {box.key: i for i, part in enumerate(columns) for box in part}
    rank = ranks(drawing) if len(columns) > 1 else {}
    crossing = {
        i: a
        for i, a in enumerate(drawing.arrows)
        if column[a.start] != column[a.end] or (rank and rank[a.end] - rank[a.start] > FAR)
    }
    lanes: dict[int, int] = defaultdict(int)  # how many lines are in the gutter behind each column
    room: dict[int, float] = defaultdict(float)  # for labels before them
    routes = {}
    for i, arrow in crossing.items():
        low, high = column[arrow.start], max(column[arrow.start], column[arrow.end] - 1)
        lanes[low] += 1
        lanes[high] += high != low
        routes[i] = low, lanes[low], high, lanes[high]
        room[low] = max(room[low], 0 if sideways else LETTER * len(arrow.label))

    found: Places = {}
    gutters, at = [], 0.0
    mine = drawing.digraph
    for i in range(len(columns)):
        part = digraph(drawing, columns, i, crossing)
        for kept in ("graph_attr", "node_attr", "edge_attr"):
            getattr(part, kept).update(getattr(mine, kept))
        laid = json.loads(layout.rendered(part.source, "json"))
        left, bottom, right, top = map(float, laid["bb"].split(","))
        if sideways:
            move = (-right if drawing.direction == "RL" else -left), at - top
            at -= top - bottom
            gutters.append(at)
            at -= GUTTER + LANE * lanes[i]
        else:
            move = at - left, (-bottom if drawing.direction == "BT" else -top)
            at += right - left
            gutters.append(at)
            at += GUTTER + LANE * lanes[i] + room[i]
        for part_of in (*laid.get("objects", ()), *laid.get("edges", ())):
            found[part_of["id"]] = _moved(part_of, move)

    turned = _TURNED[drawing.direction]
    boxes = {key: _turn_box(turned, _bounds(found[name])) for key, name in ids.items()}
    beside = [[boxes[box.key] for box in part] for part in columns]
    begin = min(box[0] for box in boxes.values())
    ways = []
    for n, (i, arrow) in enumerate(crossing.items()):
        low, lane, high, last = routes[i]
        out = _leaving(boxes[arrow.start], beside[low])
        if column[arrow.end] == low:  # far along, in the same column: out and in at the same side
            into = [(-u, -v) for u, v in _leaving(boxes[arrow.end], beside[low])]
        else:
            into = _leaving(_mirrored(boxes[arrow.end]), map(_mirrored, beside[high + 1]))
        gutter = [abs(gutters[g]) + room[g] + GUTTER / 2 + LANE * (k - 1) for g, k in ((low, lane), (high, last))]
        channel = [] if low == high else [(begin - 14 - 5.0 * n, v) for v in gutter]
        way = [*out, (out[-1][0], gutter[0]), *channel, (-into[-1][0], gutter[1]), *((-u, -v) for u, v in into[::-1])]
        ways.append([(turned[0] * u + turned[1] * v, turned[2] * u + turned[3] * v) for u, v in way])
        found[f"edge-{i}"] = {"pos": _spline(ways[-1])}
        if arrow.label:
            x, y = ways[-1][len(out) - 1]
            x, y = (x + 6, ways[-1][len(out)][1] + 8) if sideways else (x + 6, y + 8)
            found[f"edge-{i}"]["lp"] = f"{x + LETTER / 2 * len(arrow.label):.2f},{y:.2f}"
    if legend_of(drawing):
        _below(found, _extent(found, ways), mine.source)
    return found


def _moved(part: Mapping[str, Any], move: Point) -> dict[str, str]:
    def shifted(text: str) -> str:
        numbers = iter(move * (text.count(",") + 1))
        return re.sub(r"-?\d+(\.\d+)?(e[+-]?\d+)?", lambda m: f"{float(m[0]) + next(numbers):.3f}", text)

    kept = {name: part[name] for name in ("width", "height", "lwidth", "lheight") if name in part}
    return kept | {name: shifted(part[name]) for name in ("pos", "lp", "bb") if name in part}


def _bounds(place: Mapping[str, str]) -> tuple[float, float, float, float]:
    x, y = map(float, place["pos"].split(","))
    w, h = (36 * float(place[name]) for name in ("width", "height"))
    return x - w, y - h, x + w, y + h


# For each direction how a point lies in the picture (x right, y up) that is u along the flow and v across, towards the
# next column: x = a u + b v, y = c u + d v. Each is its own way back, but for the order of b and c.
_TURNED = {"TB": (0, 1, -1, 0), "BT": (0, 1, 1, 0), "LR": (1, 0, 0, -1), "RL": (-1, 0, 0, -1)}
Bounds = tuple[float, float, float, float]


def _turn_box(turned: tuple[int, int, int, int], box: Bounds) -> Bounds:
    """The ends of a box along and across: u from, v from, u to, v to."""
    a, b, c, d = turned
    u = sorted(a * x + c * y for x, y in (box[:2], box[2:]))
    v = sorted(b * x + d * y for x, y in (box[:2], box[2:]))
    return u[0], v[0], u[1], v[1]


def _mirrored(box: Bounds) -> Bounds:
    return -box[2], -box[3], -box[0], -box[1]


def _leaving(box: Bounds, others: Iterable[Bounds]) -> list[Point]:
    """How a line leaves a box across: at its side, or around those that stand there."""
    u, v = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    there = [other[2] for other in others if other[0] <= u <= other[2] and other[1] >= box[3]]
    return [(box[2], v), (max(there) + HEAD, v)] if there else [(u, box[3])]


def _spline(corners: Sequence[Point]) -> str:
    """A line with round corners and the head of an arrow, as Graphviz writes it: cubic curves."""
    *before, last, tip = corners
    points = [*before, last, _towards(tip, last, HEAD)]
    line = [points[0]]
    for (a, b), (_, c) in itertools.pairwise(itertools.pairwise(points)):
        enter, leave = _towards(b, a, ROUND), _towards(b, c, ROUND)
        line += [_between(line[-1], enter, 1 / 3), _between(line[-1], enter, 2 / 3), enter, b, b, leave]
    line += [_between(line[-1], points[-1], 1 / 3), _between(line[-1], points[-1], 2 / 3), points[-1]]
    return f"e,{tip[0]:.2f},{tip[1]:.2f} " + " ".join(f"{x:.2f},{y:.2f}" for x, y in line)


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _towards(a: Point, b: Point, far: float) -> Point:
    """The point that is this far from ``a`` on the way to ``b``, half of which is as far as it goes."""
    length = max(abs(b[0] - a[0]), abs(b[1] - a[1]))
    return _between(a, b, min(far / length, 0.5) if length else 0)


def _extent(found: Mapping[str, Mapping[str, str]], ways: Iterable[Sequence[Point]]) -> tuple[float, float]:
    """The left and the lower end of all that has a place."""
    frames = [tuple(map(float, place["bb"].split(","))) for place in found.values() if "bb" in place]
    frames += [_bounds(place) for place in found.values() if "width" in place]
    corners = [(f[0], f[1]) for f in frames] + [corner for way in ways for corner in way]
    return min(x for x, _ in corners), min(y for _, y in corners)


def _below(found: Places, corner: Point, source: str) -> None:
    """Find room for the legend below all, and as wide as it is."""
    line = next(line for line in source.splitlines() if line.startswith("\tlegend ["))
    laid = json.loads(layout.rendered(f"digraph {{ node [fontname=Helvetica]; {line} }}", "json"))
    width, height = (72 * float(laid["objects"][0][name]) for name in ("width", "height"))
    size = {name: laid["objects"][0][name] for name in ("width", "height")}
    found["legend"] = {**size, "pos": f"{corner[0] + width / 2:.2f},{corner[1] - 14 - height / 2:.2f}"}
