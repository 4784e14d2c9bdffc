"""The computation graph as a picture: described with Graphviz' language, laid out by pygraphviz."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import to_numpy
from ..files import written_whole
from ..graph import Node, ancestors, in_order
from ..optional import needed
from ..tensor import wrap
from ..walk import walk
from .formula import Formula, Name, number, shape, summary
from .values import Value, describe, layers_of, name_all

if TYPE_CHECKING:
    import graphviz

    from .steps import Steps

COLLAPSE_ABOVE = 50  # nodes: what one still takes in at a glance
MAX_NODES = 200
MAX_WALKED = 100_000  # beyond it gradients are shown where a backward() has left them,
NEAR = 5_000  # and only this many nodes around the result are looked at
LAID_OUT = 1_000  # nodes of a picture, which take half a minute; its edges may be three times as many
QUICKLY = 250  # nodes beyond which the layout is looked for less long
ROW = 12  # ranks: as many as one reads beside each other
LINES = 12  # in a box, and boxes of constants beside one
FORMATS = ("svg", "png", "pdf", "dot", "gif")

# From no gradient to the largest: ColorBrewer's Blues without the two that vanish on white.
RAMP = ("#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b")
DECADES = 4.0  # how many powers of ten the ramp and the widths span


# What a value handed back to one of its inputs: by the names of the input and the value, and the position.
Handed = dict[tuple[str, str, int], Any]


@dataclass(frozen=True)
class Box:
    """A node of the picture: a value, or a whole layer."""

    key: str
    title: str
    lines: tuple[str, ...]
    kind: str  # "leaf", "op", "constant", "layer" or "more"
    layers: tuple[str, ...]
    gradient: float | None


@dataclass(frozen=True)
class Arrow:
    """An edge of the picture: what flows forward along it, and how much came back; into which argument of ``end``."""

    start: str
    end: str
    label: str
    gradient: float | None
    position: int = -1


@dataclass
class Drawing:
    """A computation graph, laid out when it is looked at or saved; made by `draw`. Notebooks show the picture.

    ``digraph`` is a `graphviz.Digraph` to change to one's taste, ``source`` its text.

    Parameters
    ----------
    boxes, arrows : tuple of Box, tuple of Arrow
        Its nodes and edges.
    direction : str
        Of reading: LR, RL, TB or BT.
    left_out : int
        How many nodes are not shown.
    highlighted : frozenset of str
        The nodes in colour, by name.
    legend : bool
        Whether a legend is drawn.
    wrapped : bool
        Whether a chain of many ops goes on in another row.

    Raises
    ------
    ValueError
        When saving, for another ending than .svg, .png, .pdf, .dot and .gif, and for more than 1,000 nodes or 3,000
        edges in all but .dot.

    Examples
    --------
    >>> x = Tensor(3.0, name="x")
    >>> picture = draw(x * x)
    >>> print(picture)
    <drawing of 2 nodes and 2 edges; .save("graph.svg")>
    """

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    direction: str = "LR"
    left_out: int = 0
    highlighted: frozenset[str] = frozenset()
    legend: bool = False
    wrapped: bool = True
    _digraph: Any = field(default=None, repr=False)

    def __repr__(self) -> str:
        more = f", {self.left_out} more left out" if self.left_out else ""
        return f'<drawing of {len(self.boxes)} nodes and {len(self.arrows)} edges{more}; .save("graph.svg")>'

    __str__ = __repr__

    @property
    def largest(self) -> float:
        """The size of the largest gradient that is finite; 0 where there is none."""
        numbers = [*(box.gradient for box in self.boxes), *(arrow.gradient for arrow in self.arrows)]
        return max((g for g in numbers if g is not None and math.isfinite(g)), default=0.0)

    @property
    def layers(self) -> list[tuple[str, ...]]:
        """The paths of the layers that are open, the ``cluster-0``, ``cluster-1``, … of the SVG."""
        return list(dict.fromkeys(box.layers[:depth] for box in self.boxes for depth in range(1, len(box.layers) + 1)))

    @property
    def digraph(self) -> graphviz.Digraph:
        """The graph in the words of the ``graphviz`` package."""
        if self._digraph is None:
            self._digraph = _digraph(self)
        return self._digraph

    @property
    def source(self) -> str:
        """The graph in Graphviz' own language."""
        return str(self.digraph.source)

    def render(self, format: str = "svg") -> bytes:
        """The picture as bytes in one of the formats svg, png, pdf, gif and dot."""
        if format not in FORMATS:
            raise ValueError(f"expected one of the formats {', '.join(FORMATS)} of a drawing, got {format!r}")
        if format == "dot":
            return self.source.encode()
        if len(self.boxes) > LAID_OUT or len(self.arrows) > 3 * LAID_OUT:
            raise ValueError(
                f"a picture: expected at most {LAID_OUT:,} nodes and {3 * LAID_OUT:,} edges, got {len(self.boxes):,} "
                f"and {len(self.arrows):,}, more than a person reads and the work of many minutes to lay out; "
                "draw(f, max_nodes=200) shows what is nearest to f, draw(f, depth=0) each layer as one node; "
                '.save("graph.dot") describes all of it to another program'
            )
        from .layout import rendered  # when a picture is looked at

        return rendered(self.source, format)

    def save(self, path: str | Path) -> Path:
        """Write the picture to ``path``, whole or not at all; its ending says how: .svg, .png, .pdf, .gif or .dot."""
        path = Path(path)
        picture = self.render(path.suffix.removeprefix(".").lower())
        with written_whole(path) as file:
            file.write(picture)
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        try:
            return {"image/svg+xml": self.render("svg").decode(), "text/plain": repr(self)}
        except (ImportError, ValueError) as error:
            return {"text/plain": f"{self!r}\n{error}"}


def drawn(
    root: Node,
    variables: Mapping[str, Any],
    direction: str,
    values: bool,
    gradients: bool,
    depth: int | None,
    max_nodes: int | None,
) -> Drawing:
    if direction not in ("LR", "RL", "TB", "BT"):
        raise ValueError(f"expected direction LR, RL, TB or BT, got {direction!r}")
    limit = MAX_NODES if max_nodes is None else max_nodes
    if limit < 1:
        raise ValueError(f"expected max_nodes from 1 on, got {max_nodes}")
    if depth is not None and depth < 0:
        raise ValueError(f"expected depth from 0 on, got {depth}")
    everything = ancestors([root]) or {root}
    walked = len(everything) <= MAX_WALKED
    nodes = in_order(everything if walked else _front(root, max(limit, NEAR)))
    beyond = len(everything) - len(nodes)
    del everything
    names = name_all(root, nodes, variables)
    layers = layers_of(nodes)
    found: dict[Node, Any] = {}
    handed: Handed = {}
    if gradients and root.requires_grad and root.out.size == 1 and walked:
        for node, g, edges in walk({root: np.ones_like(root.out)[()]}, trace=True):
            found[node] = g
            for position, parent, _, contribution, _ in edges:
                handed[names[parent], names[node], position] = to_numpy(contribution)
    elif gradients:
        found = {node: to_numpy(wrap(node).grad) for node in nodes if node.grad is not None}

    if depth is None:
        deepest = max(map(len, layers.values()), default=0)
        depths = [d for d in range(deepest, -1, -1) if _count(nodes, layers, d) <= COLLAPSE_ABOVE]
        depth = depths[0] if depths else 0
    group = {node: _place(names[node], layers.get(node, ()), depth) for node in nodes}
    shown, left_out = _nearest(root, group, limit)
    left_out += beyond
    kept = [node for node in nodes if group[node] in shown]
    described = describe(kept, names, layers, found)
    boxes, arrows = _boxes(described, {names[n]: group[n] for n in kept}, handed, names[root], values, gradients, depth)
    if left_out:
        boxes.insert(0, Box("…", f"… {left_out:,} more", (), "more", (), None))
        pairs = ((n, p) for n in kept for p in n.parents if p is not None and p.requires_grad)
        ends = {group[n] for n, p in pairs if group.get(p) not in shown}
        arrows += [Arrow("…", end, "", None) for end in sorted(ends)]
    return Drawing(tuple(boxes), tuple(arrows), direction, left_out, legend=gradients)


def of_steps(steps: Steps, closed: Collection[str] = ()) -> tuple[Drawing, dict[str, str]]:
    """The drawing of a whole explanation, and the key of the box that each of its values is in.

    Each of the outermost layers that are ``closed`` is one box.
    """
    group = {
        name: _place(name, value.layers, 0 if value.layers and value.layers[0] in closed else len(value.layers))
        for name, value in steps.values.items()
    }
    handed = {(s.name, s.output, s.position): s.contribution for s in steps if s.kind == "backward"}
    boxes, arrows = _boxes(steps.values, group, handed, steps.result, True, True, 0)
    return Drawing(tuple(boxes), tuple(arrows)), group


LAYER = "\0layer "  # begins the key of a layer's box, and no name of a value: a layer may be called "layer 1"


def _place(name: str, path: tuple[str, ...], depth: int) -> str:
    """The key of the box that a value is drawn in: its own, or that of the outermost layer that is closed."""
    return LAYER + "/".join(path[: depth + 1]) if len(path) > depth else name


def _count(nodes: Iterable[Node], layers: Mapping[Node, tuple[str, ...]], depth: int) -> int:
    return len({path[: depth + 1] if len(path := layers.get(n, ())) > depth else n for n in nodes})


def _front(root: Node, count: int) -> set[Node]:
    """The nodes nearest to the result, breadth first."""
    found, front = {root}, [root]
    while front and len(found) < count:
        front = [
            p for p in dict.fromkeys(p for n in front for p in n.parents) if p and p.requires_grad and p not in found
        ]
        found.update(front)
    return found


def _nearest(root: Node, group: Mapping[Node, str], limit: int) -> tuple[set[str], int]:
    """The boxes nearest to the result, breadth first, and how many others there are."""
    everything = len(set(group.values()))
    if everything <= limit:
        return set(group.values()), 0
    shown = {group[root]: None}
    front, seen = [root], {root}
    while front and len(shown) < limit:
        following = []
        for node in front:
            for parent in node.parents:
                if parent is not None and parent in group and parent not in seen:
                    if len(shown) >= limit and group[parent] not in shown:
                        continue
                    shown[group[parent]] = None
                    seen.add(parent)
                    following.append(parent)
        front = following
    return set(shown), everything - len(shown)


def size(g: Any) -> float | None:
    """The size of a gradient in one number: the mean magnitude of its elements."""
    if g is None:
        return None
    array = np.abs(np.asarray(g, float))
    return float(array.mean()) if array.size else 0.0


def _boxes(
    described: Mapping[str, Value],
    group: Mapping[str, str],
    handed: Handed,
    result: str,
    values: bool,
    gradients: bool,
    depth: int,
) -> tuple[list[Box], list[Arrow]]:
    members: dict[str, list[Value]] = {}
    for name, value in described.items():
        members.setdefault(group[name], []).append(value)
    boxes, arrows = [], []
    for key, inside in members.items():
        if key.startswith(LAYER):
            boxes.append(_layer(key, inside, result, gradients, depth))
        else:
            boxes.append(_single(inside[0], result, values, gradients))
    drawn: dict[tuple[str, str, int], list[Any]] = {}
    for value in described.values():
        if group[value.name] == value.name:
            constants = _constants(value)
            boxes += constants
            arrows += [Arrow(box.key, value.name, "", None) for box in constants]
        for position, parent in enumerate(value.parents):
            if parent is None or parent not in described:
                continue
            start, end = group[parent], group[value.name]
            if start != end:
                closed = start != parent or end != value.name
                contributions = drawn.setdefault((start, end, -1 if closed else position), [])
                if (parent, value.name, position) in handed:
                    contributions.append(handed[parent, value.name, position])
    together = Counter((start, end) for start, end, _ in drawn)
    many: dict[tuple[str, str], list[Any]] = {pair: [] for pair, count in together.items() if count > LINES}
    for (start, end, position), came in drawn.items():
        if (start, end) in many:
            many[start, end] += came
            continue
        label = number(came[0]) if len(came) == 1 and np.ndim(came[0]) == 0 else ""
        arrows.append(Arrow(start, end, label, _largest(came), position))
    arrows += [Arrow(*pair, f"{together[pair]:,} times", _largest(came)) for pair, came in many.items()]
    return boxes, arrows


def _largest(contributions: Iterable[Any]) -> float | None:
    return max((size(c) or 0.0 for c in contributions), default=None)


def _constants(value: Value) -> list[Box]:
    """The constant arguments of an op; those that are plain numbers are shown by the formula in its node."""
    found = [i for i, p in enumerate(value.parents) if p is None and np.ndim(value.args[i])]
    key = f"{value.name} argument"
    boxes = [
        Box(f"{key} {i}", str(_brief(value.named(i))), (summary(value.args[i]),), "constant", value.layers, None)
        for i in (found if len(found) <= LINES else found[: LINES - 1])
    ]
    if len(boxes) < len(found):
        more = f"… {len(found) - len(boxes):,} more constants"
        boxes.append(Box(f"{key}s", more, (), "constant", value.layers, None))
    return boxes


def _single(value: Value, result: str, values: bool, gradients: bool) -> Box:
    lines = []
    if values:
        lines.append(summary(value.value))
    if gradients:
        lines.append(
            f"∂{result}/∂{value.name} = {summary(value.gradient, gradient=True)}"
            if np.ndim(value.gradient) == 0
            else _norm(value)
        )
    title = value.name
    if value.op is not None:
        inputs = {i: _brief(name) for i, name in value.names.items()}
        title += f" = {Formula(value.expression, inputs, value.name)}"
    kind = "leaf" if value.op is None else "op"
    return Box(value.name, title, tuple(lines), kind, value.layers, size(value.gradient))


def _norm(value: Value) -> str:
    found = size(value.gradient)
    return "gradient not computed" if found is None else f"mean |gradient| {found:.3g}"


def _brief(name: Name) -> Name:
    """An input in a title: its name; of a constant array the shape alone."""
    return replace(name, text=f"constant[{shape(name.value)}]") if name.constant and np.ndim(name.value) else name


def _layer(key: str, inside: list[Value], result: str, gradients: bool, depth: int) -> Box:
    path = next(v.layers for v in inside if v.layers)[: depth + 1]
    ops = [v for v in inside if v.op is not None]
    lines = [f"{len(ops)} op{'s' if len(ops) != 1 else ''}: " + ", ".join(v.op.name for v in ops[:4] if v.op)]
    if len(ops) > 4:
        lines[0] += ", …"
    weights = [v for v in inside if v.op is None]
    sizes = [found for v in weights if gradients and (found := size(v.gradient)) is not None]
    for weight in weights if len(weights) <= LINES else weights[: LINES - 1]:
        line = f"{weight.name.rpartition('/')[2]} {shape(weight.value)}"
        found = size(weight.gradient)
        if gradients:
            line += ", gradient not computed" if found is None else f", mean |gradient| {found:.3g}"
        lines.append(line)
    if len(weights) > LINES:
        lines.append(f"… {len(weights) - LINES + 1:,} more weights")
    if ops:
        lines.append("gives " + summary(ops[-1].value))
    own = size(ops[-1].gradient) if ops and not sizes else None
    return Box(key, path[-1], tuple(lines), "layer", path[:-1], max(sizes, default=own))


# -- in Graphviz' words ------------------------------------------------------------------------------------


def strength(g: float | None, largest: float) -> float:
    """Where a gradient stands between vanished (0) and the largest (1), by powers of ten."""
    if not g or not math.isfinite(g) or not largest or not math.isfinite(largest):
        return 1.0 if g and not math.isfinite(g) else 0.0
    return min(1.0, max(0.0, 1 + math.log10(g / largest) / DECADES))


def shade(g: float | None, largest: float) -> int | None:
    """Which colour of the ramp a gradient has; None where there is none."""
    return None if g is None else round(strength(g, largest) * (len(RAMP) - 1))


def _pen(g: float | None, largest: float) -> dict[str, str]:
    dark = shade(g, largest)
    if dark is None:
        return {"color": "#767676", "penwidth": "1", "style": "dashed"}
    return {"color": RAMP[dark], "penwidth": f"{1 + 4 * strength(g, largest) ** 2:.2f}"}


_SHAPES = {
    "leaf": {"shape": "box", "style": "rounded,filled", "fillcolor": "#fff8e1"},
    "op": {"shape": "box", "style": "filled", "fillcolor": "#ffffff"},
    "layer": {"shape": "box3d", "style": "filled", "fillcolor": "#eef4fb"},
    "constant": {"shape": "plaintext", "style": "", "fillcolor": "#ffffff"},
    "more": {"shape": "plaintext", "style": "", "fillcolor": "#ffffff"},
}


def _digraph(drawing: Drawing) -> graphviz.Digraph:
    graphviz = needed("graphviz", "A drawing", "plots")
    largest = drawing.largest
    graph = graphviz.Digraph(
        graph_attr={"rankdir": drawing.direction, "bgcolor": "white", "nodesep": "0.18", "ranksep": "0.45"},
        node_attr={"fontname": "Helvetica", "fontsize": "11", "fontcolor": "#1a1a1a", "margin": "0.14,0.08"},
        edge_attr={"fontname": "Helvetica", "fontsize": "10", "fontcolor": "#1a1a1a", "arrowsize": "0.7"},
    )
    if len(drawing.boxes) + len(drawing.arrows) > 2 * QUICKLY:
        graph.attr(nslimit="1", mclimit="0.1", searchsize="5")
    ids: dict[Any, str] = {box.key: f"n{i}" for i, box in enumerate(drawing.boxes)}
    ids |= {path: f"cluster-{i}" for i, path in enumerate(drawing.layers)}
    _level(graph, drawing, drawing.boxes, ids, largest)
    if drawing.legend and largest:
        legend = f"\nThick and dark: the largest gradient, {largest:.3g}.\nThinner and paler by each power of ten."
        graph.attr(label=escaped(legend), fontname="Helvetica", fontsize="10", fontcolor="#555555")
    rows = _rows(drawing)
    for i, arrow in enumerate(drawing.arrows):
        look = _pen(arrow.gradient, largest)
        if rows.get(arrow.start) != rows.get(arrow.end):
            look["constraint"] = "false"
        if {arrow.start, arrow.end} <= drawing.highlighted:
            look |= {"color": "#b35900", "penwidth": "3"}
        label = {"label": escaped(f" {arrow.label}    ")} if arrow.label else {}
        graph.edge(ids[arrow.start], ids[arrow.end], id=f"edge-{i}", **label, **look)
    return graph


def _rows(drawing: Drawing) -> dict[str, int]:
    """In which row of a wide graph each box stands: a chain of two hundred ops is read as lines of text are.

    Empty where there are few ranks, or open layers, whose frames would reach over several rows.
    """
    if not drawing.wrapped or any(box.layers for box in drawing.boxes):
        return {}
    before: dict[str, set[str]] = {box.key: set() for box in drawing.boxes}
    after: dict[str, set[str]] = {box.key: set() for box in drawing.boxes}
    for arrow in drawing.arrows:
        before[arrow.end].add(arrow.start)
        after[arrow.start].add(arrow.end)
    rank: dict[str, int] = {}
    waiting = {key: len(starts) for key, starts in before.items()}
    ready = [key for key, count in waiting.items() if not count]
    while ready:
        key = ready.pop()
        rank[key] = max((rank[start] + 1 for start in before[key]), default=0)
        for end in after[key]:
            waiting[end] -= 1
            if not waiting[end]:
                ready.append(end)
    if len(rank) < len(before) or max(rank.values(), default=0) < 2 * ROW:
        return {}
    # What nothing leads to, a weight say, stands in the row of the first that uses it.
    first = {k: min((rank[end] for end in after[k]), default=0) if not before[k] else rank[k] for k in rank}
    return {key: at // ROW for key, at in first.items()}


def _level(
    into: graphviz.Digraph,
    drawing: Drawing,
    boxes: Sequence[Box],
    ids: Mapping[Any, str],
    largest: float,
    path: tuple[str, ...] = (),
) -> None:
    """Write the boxes of the layer ``path``, and its inner layers as clusters."""
    inner: dict[str, list[Box]] = {}
    for box in boxes:
        if len(box.layers) > len(path):
            inner.setdefault(box.layers[len(path)], []).append(box)
        else:
            _node(into, drawing, box, ids[box.key], largest)
    for layer, inside in inner.items():
        key = ids[(*path, layer)]
        with into.subgraph(name=key) as cluster:
            look = {"style": "rounded", "color": "#8a8a8a", "fontname": "Helvetica", "fontsize": "11"}
            cluster.attr(id=key, label=escaped(layer), **look)
            _level(cluster, drawing, inside, ids, largest, (*path, layer))


def _node(into: graphviz.Digraph, drawing: Drawing, box: Box, key: str, largest: float) -> None:
    look = {**_SHAPES[box.kind], **{k: v for k, v in _pen(box.gradient, largest).items() if k != "style"}}
    if box.gradient is None and box.kind in ("leaf", "op", "layer"):
        look["style"] += ",dashed"
    if box.key in drawing.highlighted:
        look |= {"fillcolor": "#ffe08a", "peripheries": "2" if box.kind != "layer" else "1"}
    into.node(key, escaped("\n".join((box.title, *box.lines))), id=f"node-{key[1:]}", **look)


def escaped(text: str) -> str:
    r"""Text as Graphviz shows it: a backslash is one, and names hold no entities and no HTML."""
    # An empty line first in a label makes Graphviz 14 free memory that it does not own: a blank stands in it.
    text = "\n".join(line or " " for line in text.split("\n"))
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace("\n", "\\n")
    # A label that begins with < and ends with > would be taken for HTML.
    return f" {text}" if text.startswith("<") else text
