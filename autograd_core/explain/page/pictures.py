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

from ..drawing import Arrow, Box, Drawing, of_steps, shade
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
    """The graph as SVG with its layers closed or open, and where each value and step is in each picture."""
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
        try:
            svg, where = _picture(steps, drawing, group, f"picture-{len(shown)}", layers)
        except ImportError as error:
            return _note(str(error)), []
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


def _picture(
    steps: Steps, drawing: Drawing, group: dict[str, str], prefix: str, layers: Sequence[str]
) -> tuple[str, Any]:
    root = ET.fromstring(drawing.render("svg"))
    parts: dict[str, Box | Arrow] = {f"node-{i}": box for i, box in enumerate(drawing.boxes)}
    parts |= {f"edge-{i}": arrow for i, arrow in enumerate(drawing.arrows)}
    outermost = {f"cluster-{i}": path[0] for i, path in enumerate(drawing.layers) if len(path) == 1}
    index = {name: i for i, name in enumerate(steps.values)}
    parents = {child: parent for parent in root.iter() for child in parent}
    for title in list(root.iter(f"{{{SVG}}}title")):
        parents[title].remove(title)
    for element in root.iter():
        for name in LOOKS:
            element.attrib.pop(name, None)
        if element.get("class") == "graph":
            element.find(f"{{{SVG}}}polygon").set("class", "background")  # type: ignore[union-attr]
        layer = outermost.get(str(element.get("id")))
        if layer is not None:
            for text in element.findall(f"{{{SVG}}}text"):
                text.text = f"− {text.text}"
            place = {"data-layer": str(layers.index(layer)), "aria-label": f"Close the layer {layer}"}
            element.attrib |= {**place, "tabindex": "0", "role": "button", "aria-expanded": "true"}
        part = parts.get(str(element.get("id")))
        if part is not None:
            dark = shade(part.gradient, drawing.largest)
            names = [str(element.get("class")), *([part.kind] if isinstance(part, Box) else [])]
            element.set("class", " ".join(names if dark is None else [*names, f"s{dark}"]))
        if isinstance(part, Box):
            if part.kind == "layer":
                element.attrib |= {"data-layer": str(layers.index(part.title)), "aria-expanded": "false"}
            texts = element.findall(f"{{{SVG}}}text")
            if part.kind == "layer":
                texts[0].text = f"+ {texts[0].text}"
            if part.key in index:
                _changing(texts, index[part.key], steps.values[part.key], steps.result)
            elif part.kind == "layer":
                _changing_layer(texts, [(index[n], steps.values[n]) for n, key in group.items() if key == part.key])
    arrows = {(a.start, a.end, a.position): i for i, a in enumerate(drawing.arrows)}
    edges = {}
    for i, step in enumerate(steps):
        if step.kind == "forward":
            continue
        start, end = group[step.name], group[step.output]
        position = step.position if (start, end) == (step.name, step.output) else -1
        if (start, end, position) in arrows:
            edges[i] = arrows[start, end, position]
            if step.kind == "backward":
                found = root.find(f".//{{{SVG}}}g[@id='edge-{edges[i]}']")
                for text in () if found is None else found.findall(f"{{{SVG}}}text"):
                    text.set("data-n", f"c{i}")
    places = {box.key: i for i, box in enumerate(drawing.boxes)}
    ends = [(places[arrow.start], places[arrow.end]) for arrow in drawing.arrows]
    where = {"nodes": [places[group[name]] for name in steps.values], "edges": edges, "arrows": ends}
    for element in root.iter():
        if element.get("id"):
            element.set("id", f"{prefix}-{element.get('id')}")
    root.attrib |= {"role": "group", "aria-label": "Computation graph"}
    root.attrib.pop("width", None)
    for element in root.iter():
        for name in COORDINATES & element.attrib.keys():
            element.set(name, re.sub(r"\d+\.\d+", _rounded, element.attrib[name]))
    return ET.tostring(root, encoding="unicode"), where


def _rounded(number: re.Match[str]) -> str:
    """A coordinate to a tenth of a point, which is less than one sees."""
    return f"{float(number[0]):.1f}".removesuffix(".0")
