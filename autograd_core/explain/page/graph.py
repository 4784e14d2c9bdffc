"""The graph of a page: its boxes, arrows and layers, and, where there is nothing to open, laid out as SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import layout
from ..boxes import of_steps
from ..drawing import Arrow, Box, Drawing
from ..looks import shade
from .levels import levels, places

if TYPE_CHECKING:
    from ..steps import Steps

XML = "http://www.w3.org/XML/1998/namespace"
# What the stylesheet says instead, by day and by night.
LOOKS = ("height", "font-family", "font-size", "text-anchor", f"{{{XML}}}space", "fill", "stroke")
COORDINATES = {"d", "points", "x", "y"}
SVG = "http://www.w3.org/2000/svg"
ET.register_namespace("", SVG)


def graph(steps: Steps) -> tuple[str, dict[str, Any]]:
    """The graph as SVG, and what a page knows of it.

    A graph with layers or blocks has no SVG here, and none has where Graphviz is missing: the page lays them out, as
    they are opened and closed.
    """
    drawing = replace(of_steps(steps), wrapped=False)  # the page does that, for the room that it has
    paths = places(steps.values)
    order, layers = levels(steps, paths)
    node = {name: i for i, name in enumerate(steps.values)}
    level = {path: i for i, path in enumerate(order)}
    user = {arrow.start: arrow.end for arrow in drawing.arrows}  # where a constant stands, too
    boxes: list[dict[str, Any]] = []
    for box in drawing.boxes:
        path = paths[box.key if box.key in paths else user[box.key]]
        told = {"kind": box.kind, "lines": _lines(box, steps, node), "layer": level.get(path, -1)}
        told |= {"node": node[box.key]} if box.key in node else {}
        boxes.append(told | ({"dashed": True} if box.gradient is None and box.kind in ("leaf", "op") else {}))
    at = {box.key: i for i, box in enumerate(drawing.boxes)}
    edges = _edges(steps, drawing)
    handed = {edge: i for i, edge in edges.items() if steps[i].kind == "backward"}
    arrows: list[tuple[Any, ...]] = [
        (at[a.start], at[a.end], a.label, f"c{handed[i]}" if a.label and i in handed else None, a.gradient is None)
        for i, a in enumerate(drawing.arrows)
    ]
    svg = ""
    if not layers:
        try:
            svg = _svg(drawing, boxes, arrows)
        except ImportError:
            pass
        else:  # which says all that the page does not look for
            boxes = [{name: box[name] for name in ("node", "layer") if name in box} for box in boxes]
            arrows = [arrow[:2] for arrow in arrows]
    return svg, {"boxes": boxes, "arrows": arrows, "edges": edges, "layers": layers}


def _lines(box: Box, steps: Steps, node: Mapping[str, int]) -> list[dict[str, Any]]:
    """The lines of a box, those with numbers that the page may change marked as such."""
    lines: list[dict[str, Any]] = [{"text": line} for line in "\n".join((box.title, *box.lines)).split("\n")]
    if box.key in node:
        value, i = steps.values[box.key], node[box.key]
        lines[-2] |= {"data-n": f"v{i}", "data-brief": ""}
        if np.ndim(value.gradient) == 0:
            lines[-1] |= {"data-n": f"g{i}", "data-prefix": f"∂{steps.result}/∂{value.name} = "}
        else:
            lines[-1] |= {"data-n": f"m{i}", "data-prefix": "mean |gradient| ", "data-digits": "3"}
    return lines


def _edges(steps: Steps, drawing: Drawing) -> dict[int, int]:
    """The arrow of each step back, by the places of both."""
    arrows = {(a.start, a.end, a.position): i for i, a in enumerate(drawing.arrows)}
    found = {}
    for i, step in enumerate(steps):
        ends = step.name, step.output
        edge = arrows.get((*ends, step.position), arrows.get((*ends, -1)))  # one stands for many arguments
        if step.kind != "forward" and edge is not None:
            found[i] = edge
    return found


def _svg(drawing: Drawing, boxes: Sequence[Mapping[str, Any]], arrows: Sequence[tuple[Any, ...]]) -> str:
    largest = drawing.largest
    root = ET.fromstring(layout.rendered(drawing.source, "svg"))  # without a style, for pages have their own
    parts: dict[str, Box | Arrow] = {f"node-{i}": box for i, box in enumerate(drawing.boxes)}
    parts |= {f"edge-{i}": arrow for i, arrow in enumerate(drawing.arrows)}
    lines = {f"node-{i}": box["lines"] for i, box in enumerate(boxes)}
    lines |= {f"edge-{i}": [{"data-n": key}] for i, (_, _, _, key, _) in enumerate(arrows) if key}
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
        texts = element.findall(f"{{{SVG}}}text")
        if key in parts:
            dark = shade(parts[key].gradient, largest)
            names = [what, *([part.kind] if isinstance(part := parts[key], Box) else [])]
            element.set("class", " ".join(names if dark is None else [*names, f"s{dark}"]))
        for text, line in zip(reversed(texts), reversed(lines.get(key, [])), strict=False):
            text.attrib |= {name: value for name, value in line.items() if name != "text"}
        for text in texts if key.startswith("edge") else ():
            text.text = str(text.text).strip()  # room for the arrow's head
        for name in COORDINATES & element.attrib.keys():
            element.set(name, re.sub(r"\d+\.\d+", _rounded, element.attrib[name]))
    root.attrib |= {"role": "group", "aria-label": "Computation graph"}
    root.attrib.pop("width", None)
    return ET.tostring(root, encoding="unicode")


def _rounded(number: re.Match[str]) -> str:
    """A coordinate to a tenth of a point, which is less than one sees."""
    return f"{float(number[0]):.1f}".removesuffix(".0")
