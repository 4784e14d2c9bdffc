"""A drawing in Graphviz' language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from ..optional import needed
from .looks import FAINT, INK, KINDS, LINE, LIT, LIT_LINE, PAPER, RAMP, WRONG, shade, strength

if TYPE_CHECKING:
    import graphviz

    from .drawing import Arrow, Box, Drawing

SMALL = {"fontname": "Helvetica", "fontsize": "10", "fontcolor": FAINT}
_SHAPES = {
    "leaf": {"shape": "box", "style": "rounded,filled"},
    "op": {"shape": "box", "style": "filled"},
    "layer": {"shape": "box", "style": "filled"},
    "wrong": {"shape": "box", "style": "filled"},
    "constant": {"shape": "plaintext", "style": ""},
    "more": {"shape": "plaintext", "style": ""},
}

# Graphviz keeps places free for labels in ranks of their own, so that arrows pass twice as many, and its time grows
# with a high power of that. Where they pass more than so many together, as from a leaf that is used a hundred times,
# they have no labels (what arrives is in the steps), and it stops looking for better places sooner.
LONG = 800
SOONER = {"nslimit": "2", "nslimit1": "2", "mclimit": "0.2"}


def digraph(
    drawing: Drawing, parts: Sequence[Sequence[Box]], only: int | None = None, without: Collection[int] = ()
) -> graphviz.Digraph:
    """The drawing, or one of its parts only; a frame that reaches over several parts is drawn in each of them.

    ``without`` are the numbers of arrows that are left out.
    """
    graphviz = needed("graphviz", "A drawing", "plots")
    largest = drawing.largest
    graph = graphviz.Digraph(
        graph_attr={
            "rankdir": drawing.direction, "bgcolor": PAPER, "nodesep": "0.18", "ranksep": "0.4", "class": "drawing",
            "outputorder": "edgesfirst",
        },
        node_attr={"fontname": "Helvetica", "fontsize": "11", "fontcolor": INK, "margin": "0.14,0.08"},
        edge_attr={"fontname": "Helvetica", "fontsize": "10", "fontcolor": INK, "arrowsize": "0.7"},
    )  # fmt: skip
    ids: dict[Any, str] = {box.key: f"n{i}" for i, box in enumerate(drawing.boxes)}
    ids |= {path: f"cluster-{i}" for i, path in enumerate(drawing.layers)}
    begun: set[tuple[str, ...]] = set()
    for number, part in enumerate(parts):
        if only in (None, number):
            _level(graph, drawing, part, ids, largest, f"-{number}", begun)
        begun.update(box.layers[:depth] for box in part for depth in range(1, len(box.layers) + 1))
    inside = None if only is None else {box.key for box in parts[only]}
    arrows = [
        (i, arrow)
        for i, arrow in enumerate(drawing.arrows)
        if i not in without and (inside is None or {arrow.start, arrow.end} <= inside)
    ]
    labelled = _reach([(arrow.start, arrow.end) for _, arrow in arrows]) <= LONG
    if not labelled:
        graph.graph_attr.update(SOONER)
    for i, arrow in arrows:
        graph.edge(ids[arrow.start], ids[arrow.end], id=f"edge-{i}", **_line(drawing, arrow, largest, labelled))
    legend = legend_of(drawing) if only is None else ""
    if legend:
        graph.node("legend", legend, id="legend", shape="plaintext", margin="0", **{"class": "legend"}, **SMALL)
    return graph


def _reach(arrows: Iterable[tuple[Any, Any]]) -> int:
    """How many ranks arrows pass together, each from its start to its end; they begin as far left as they can.

    >>> _reach([("a", "b"), ("b", "c"), ("a", "c")])
    4
    """
    into: dict[Any, list[Any]] = {}
    for start, end in arrows:
        into.setdefault(start, [])
        into.setdefault(end, []).append(start)
    rank: dict[Any, int] = {}
    try:
        order = list(TopologicalSorter(into).static_order())
    except CycleError:  # what repeats, drawn once
        return 0
    for key in order:
        rank[key] = max((rank[start] + 1 for start in into[key]), default=0)
    return sum(rank[key] - rank[start] for key, starts in into.items() for start in starts)


def _line(drawing: Drawing, arrow: Arrow, largest: float, labelled: bool) -> dict[str, str]:
    look = _pen(arrow.gradient, largest)
    if arrow.gradient is None and largest:
        look["style"] = "dashed"
    if {arrow.start, arrow.end} <= drawing.highlighted:
        look |= {"color": LIT_LINE, "penwidth": "3", "class": "lit"}
    # The blanks keep a label away from its line, and from the head of the arrow.
    return look | ({"label": escaped(f"  {arrow.label}   ")} if arrow.label and labelled else {})


def _pen(g: float | None, largest: float) -> dict[str, str]:
    dark = shade(g, largest)
    if dark is None:
        return {"color": LINE, "penwidth": "1"}
    return {"color": RAMP[dark], "penwidth": f"{1 + 4 * strength(g, largest) ** 2:.2f}", "class": f"s{dark}"}


def _level(
    into: graphviz.Digraph,
    drawing: Drawing,
    boxes: Sequence[Box],
    ids: Mapping[Any, str],
    largest: float,
    part: str,
    begun: Collection[tuple[str, ...]],
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
        goes_on = (*path, layer) in begun
        key = ids[(*path, layer)] + (part if goes_on else "")
        with into.subgraph(name=key) as cluster:
            look = {"style": "rounded", "color": "#8a8a8a", "fontname": "Helvetica", "fontsize": "11"}
            cluster.attr(id=key, label=escaped(f"… {layer}" if goes_on else layer), **look)
            _level(cluster, drawing, inside, ids, largest, part, begun, (*path, layer))


def _node(into: graphviz.Digraph, drawing: Drawing, box: Box, key: str, largest: float) -> None:
    look = {**_SHAPES[box.kind], **_pen(box.gradient, largest)}
    shaded = look.get("class", "")
    look |= {"class": f"{box.kind} is_{box.family} {shaded}".strip(), "fillcolor": KINDS[box.family][1]}
    if box.kind in ("constant", "more"):
        look["class"] = f"{box.kind} {shaded}".strip()
    elif box.gradient is None and largest:
        look["style"] += ",dashed"
    if box.kind == "wrong":
        look |= {"class": "wrong", "fillcolor": "#ffe3e3", "color": WRONG, "penwidth": "2.5"}
    if box.key in drawing.highlighted:
        look |= {"fillcolor": LIT, "peripheries": "2", "class": f"{look['class']} lit"}
    into.node(key, escaped("\n".join((box.title, *box.lines))), id=f"node-{key[1:]}", **look)


def legend_of(drawing: Drawing) -> str:
    """What the colours and lines mean, and what was folded, as Graphviz' imitation of HTML; empty without need."""
    shown = {box.family for box in drawing.boxes if box.kind in ("leaf", "op", "layer")}
    kinds = [(name, fill) for kind, (name, fill, _) in KINDS.items() if kind in shown]
    rows = []
    if drawing.legend and len(kinds) > 2:
        cells = (
            f'<TD BGCOLOR="{fill}" BORDER="1" COLOR="{LINE}" WIDTH="18" FIXEDSIZE="TRUE" HEIGHT="10"></TD>'
            f'<TD ALIGN="LEFT">{name}  </TD>'
            for name, fill in kinds
        )
        table = f'<TABLE BORDER="0" CELLSPACING="4" CELLPADDING="1"><TR>{"".join(cells)}</TR></TABLE>'
        rows.append(f"<TR><TD>{table}</TD></TR>")
    rows += [f'<TR><TD ALIGN="LEFT">{_as_html(text)}</TD></TR>' for text in told(drawing)]
    return f'<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">{"".join(rows)}</TABLE>>' if rows else ""


def told(drawing: Drawing) -> list[str]:
    """What stands in words below a drawing: what was folded, and what thickness means."""
    texts = [f"{drawing.note[:1].upper()}{drawing.note[1:]}."] if drawing.note else []
    if drawing.legend and drawing.largest:
        largest = f"{drawing.largest:.3g}"
        texts.append(f"Thick and dark: the largest gradient, {largest}. Thinner and paler by each power of ten.")
    return texts


def _as_html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escaped(text: str) -> str:
    r"""Text as Graphviz shows it: a backslash is one, and names hold no entities and no HTML."""
    # An empty line first in a label makes Graphviz 14 free memory that it does not own: a blank stands in it.
    text = "\n".join(line or " " for line in text.split("\n"))
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace("\n", "\\n")
    # A label that begins with < and ends with > would be taken for HTML.
    return f" {text}" if text.startswith("<") else text
