"""The graph of a page as SVG: its layers closed or open, and where each value and step is in each picture."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import layout
from ..boxes import of_steps
from ..drawing import Arrow, Box, Drawing
from ..looks import shade
from ..values import Value

if TYPE_CHECKING:
    from ..steps import Steps

DRAWN = 200
FREELY, ALONE = 3, 20  # up to how many layers are opened in every combination, and each alone

XML = "http://www.w3.org/XML/1998/namespace"
# What the stylesheet says instead, by day and by night.
LOOKS = ("height", "font-family", "font-size", "text-anchor", f"{{{XML}}}space", "fill", "stroke")
COORDINATES = {"d", "points", "x", "y"}
SVG = "http://www.w3.org/2000/svg"
ET.register_namespace("", SVG)


def pictures(steps: Steps) -> tuple[str, list[Any]]:
    """The graph as SVG with its layers closed or open, and where each value and step is in each picture.

    Where nothing here can lay it out, Graphviz is missing then, the places of the pictures are empty, and what is drawn
    in them stands beside where each value is: the page lays it out.
    """
    layers = list(dict.fromkeys(v.layers[0] for v in steps.values.values() if v.layers))
    shown: list[str] = []
    maps: list[Any] = []
    notes = []
    for opened in _choices(len(layers)):
        closed = [layer for i, layer in enumerate(layers) if i not in opened]
        drawing, group = of_steps(steps, closed)
        drawing = replace(drawing, wrapped=False)  # the page does that, for the room that it has
        if len(drawing.boxes) > DRAWN:
            notes.append((opened, len(drawing.boxes)))
            continue
        where, edges = _where(steps, drawing, group)
        marks = [_marked(box, steps, group, layers) for box in drawing.boxes]
        try:
            svg = _svg(drawing, marks, edges, layers, f"picture-{len(shown)}")
        except ImportError:
            svg = ""
            where |= _unplaced(drawing, marks, edges, layers)
        hidden = " hidden" if shown else ""
        state = " ".join(map(str, opened))
        shown.append(f'<div class="picture" data-open="{state}" tabindex="0"{hidden}>{svg}</div>')
        maps.append(where)
    if notes:
        opened, count = notes[-1]
        what = f"with {'all layers' if len(opened) > 1 else layers[opened[0]]} open " if opened else ""
        shown.append(
            _note(
                f"The graph {what}has {count:,} boxes, and a picture is drawn up to {DRAWN}. "
                "draw(f, max_nodes=…).save('graph.svg') draws the part nearest to the result."
            )
        )
    return "\n".join(shown), maps


def _choices(count: int) -> list[tuple[int, ...]]:
    """Which layers are open in a picture each: every choice of a few, else none, each alone, and all."""
    if count <= FREELY:
        return [c for n in range(count + 1) for c in combinations(range(count), n)]
    alone = [(i,) for i in range(count)] if count <= ALONE else []
    return [(), *alone, tuple(range(count))]


def _note(text: str) -> str:
    return f'<p class="note">{html.escape(text)}</p>'


def _changing(texts: Sequence[ET.Element], i: int, value: Value, result: str) -> None:
    """Mark the lines of a box that hold numbers which a page may change."""
    texts[-2].attrib |= {"data-n": f"v{i}", "data-brief": ""}
    if np.ndim(value.gradient) == 0:
        texts[-1].attrib |= {"data-n": f"g{i}", "data-prefix": f"∂{result}/∂{value.name} = "}
    else:
        texts[-1].attrib |= {"data-n": f"m{i}", "data-prefix": "mean |gradient| ", "data-digits": "3"}


def _changing_layer(texts: Sequence[ET.Element], inside: Sequence[tuple[int, Value]]) -> None:
    """The same for a layer that is closed: the gradients of its weights, and what it gives."""
    weights = [i for i, v in inside if v.op is None]
    for text, i in zip(texts[2:], weights, strict=False):
        before, known, _ = str(text.text).partition("mean |gradient| ")
        if known:
            text.attrib |= {"data-n": f"m{i}", "data-prefix": before + known, "data-digits": "3"}
    if len(weights) < len(inside):
        texts[-1].attrib |= {"data-n": f"v{inside[-1][0]}", "data-prefix": "gives ", "data-brief": ""}


def _marked(box: Box, steps: Steps, group: dict[str, str], layers: Sequence[str]) -> ET.Element:
    """The element of a box with a text for each line, with what the page needs to write its numbers anew."""
    element = ET.Element("g")
    for line in "\n".join((box.title, *box.lines)).split("\n"):
        ET.SubElement(element, "text").text = line
    texts = list(element)
    places = {name: i for i, name in enumerate(steps.values)}
    if box.kind == "layer":
        element.attrib |= {"data-layer": str(layers.index(box.title)), "aria-expanded": "false"}
        texts[0].text = f"+ {texts[0].text}"
        _changing_layer(texts, [(places[n], steps.values[n]) for n, key in group.items() if key == box.key])
    elif box.key in places:
        _changing(texts, places[box.key], steps.values[box.key], steps.result)
    return element


def _frame(layer: str, layers: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The title of the frame around a layer that is open, and what closes it."""
    place = {"data-layer": str(layers.index(layer)), "aria-label": f"Close the layer {layer}"}
    return f"− {layer}", {**place, "tabindex": "0", "role": "button", "aria-expanded": "true"}


def _where(steps: Steps, drawing: Drawing, group: dict[str, str]) -> tuple[dict[str, Any], dict[int, int]]:
    """Where each value and step is in a picture, and the step whose contribution an arrow tells, by its place."""
    arrows = {(a.start, a.end, a.position): i for i, a in enumerate(drawing.arrows)}
    edges, told = {}, {}
    for i, step in enumerate(steps):
        if step.kind == "forward":
            continue
        start, end = group[step.name], group[step.output]
        position = step.position if (start, end) == (step.name, step.output) else -1
        if (start, end, position) in arrows:
            edges[i] = arrows[start, end, position]
            if step.kind == "backward":
                told[edges[i]] = i
    places = {box.key: i for i, box in enumerate(drawing.boxes)}
    ends = [(places[arrow.start], places[arrow.end]) for arrow in drawing.arrows]
    return {"nodes": [places[group[name]] for name in steps.values], "edges": edges, "arrows": ends}, told


def _unplaced(drawing: Drawing, marks: Sequence[ET.Element], told: dict[int, int], layers: Sequence[str]) -> Any:
    """What a picture is made of, for the page to lay out."""
    paths = drawing.layers
    boxes = [
        {
            "kind": box.kind,
            "lines": [{"text": text.text, **text.attrib} for text in mark],
            "layers": [paths.index(box.layers[:depth]) for depth in range(1, len(box.layers) + 1)],
            "attributes": mark.attrib,
            "dashed": box.gradient is None and box.kind in ("leaf", "op", "layer"),
        }
        for box, mark in zip(drawing.boxes, marks, strict=True)
    ]
    places = {box.key: i for i, box in enumerate(drawing.boxes)}
    arrows = [
        (places[a.start], places[a.end], a.label, f"c{told[i]}" if a.label and i in told else None, a.gradient is None)
        for i, a in enumerate(drawing.arrows)
    ]
    frames = [_frame(path[0], layers) if len(path) == 1 else (path[-1], {}) for path in paths]
    return {"boxes": boxes, "arrows": arrows, "frames": frames}


def _svg(
    drawing: Drawing, marks: Sequence[ET.Element], told: dict[int, int], layers: Sequence[str], prefix: str
) -> str:
    root = ET.fromstring(layout.rendered(drawing.source, "svg"))  # without a style, for pages have their own
    parts: dict[str, Box | Arrow] = {f"node-{i}": box for i, box in enumerate(drawing.boxes)}
    parts |= {f"edge-{i}": arrow for i, arrow in enumerate(drawing.arrows)}
    marked = {f"node-{i}": mark for i, mark in enumerate(marks)}
    keys = {f"edge-{i}": f"c{step}" for i, step in told.items()}
    outermost = {f"cluster-{i}": path[0] for i, path in enumerate(drawing.layers) if len(path) == 1}
    parents = {child: parent for parent in root.iter() for child in parent}
    for title in list(root.iter(f"{{{SVG}}}title")):
        parents[title].remove(title)
    for element in root.iter():
        for name in LOOKS:
            element.attrib.pop(name, None)
        what = element.get("class", "").partition(" ")[0]  # then how it looks, which pages say themselves
        if what == "graph":
            element.find(f"{{{SVG}}}polygon").set("class", "background")  # type: ignore[union-attr]
        key = str(element.get("id"))
        texts = element.findall(f"{{{SVG}}}text") if element.get("id") else []
        if key in outermost:
            said, attributes = _frame(outermost[key], layers)
            element.attrib |= attributes
            for text in texts:
                text.text = said
        if key in parts:
            dark = shade(parts[key].gradient, drawing.largest)
            names = [what, *([part.kind] if isinstance(part := parts[key], Box) else [])]
            element.set("class", " ".join(names if dark is None else [*names, f"s{dark}"]))
        if key in marked:
            element.attrib |= marked[key].attrib
            for text, mark in zip(reversed(texts), reversed(marked[key]), strict=False):
                text.attrib |= mark.attrib
            if "data-layer" in element.attrib:
                texts[0].text = marked[key][0].text
        for text in texts if key.startswith("edge") else ():
            text.text = str(text.text).strip()  # room for the arrow's head
            if key in keys:
                text.set("data-n", keys[key])
    for element in root.iter():
        if element.get("id"):
            element.set("id", f"{prefix}-{element.get('id')}")
    root.attrib |= {"role": "group", "aria-label": "Computation graph"}
    root.attrib.pop("width", None)
    for element in root.iter():
        for name in COORDINATES & element.attrib.keys():
            element.set(name, re.sub(r"\d+\.\d+", _rounded, element.attrib[name]))
    return ET.tostring(root, encoding="unicode")


def _rounded(number: re.Match[str]) -> str:
    """A coordinate to a tenth of a point, which is less than one sees."""
    return f"{float(number[0]):.1f}".removesuffix(".0")
