"""One self-contained page: the whole story to read, to step through, and, for single numbers, to change."""

from __future__ import annotations

import base64
import html
import json
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from ..drawing import Arrow, Box, Drawing, of_steps, shade
from ..formula import Number, number, shape, summary
from ..narration import Forward, Parts, derivative
from .live import Program, program, rules_shown

if TYPE_CHECKING:
    from ..steps import Steps
    from ..values import Value

MAX_STEPS = 3000
WHOLE = 1_100_000  # bytes of all arrays together that a page holds; of what is beyond, a corner of each
CORNER = 24
DRAWN = 200
FREELY, ALONE = 3, 20  # up to how many layers are opened in every combination, and each alone

# What the stylesheet says instead, by day and by night.
LOOKS = ("height", "font-family", "fill", "stroke")
SVG = "http://www.w3.org/2000/svg"
ET.register_namespace("", SVG)


def to_html(steps: Steps) -> str:
    """The page as text; see `Steps.save`."""
    if len(steps) > MAX_STEPS:
        raise ValueError(
            f"expected at most {MAX_STEPS:,} steps, which a browser shows on a page, got {len(steps):,}; explain "
            "a smaller part, or draw(f).save('graph.svg'), which leaves out what is far from the result"
        )
    live = program(steps)
    pictures, maps = _pictures(steps)
    template = _file("page.html")
    parts = {
        "title": html.escape(f"How {steps.result} was computed, and its gradients"),
        "result": html.escape(steps.result),
        "style": _file("page.css"),
        "summary": html.escape(_summary(steps)),
        "status": html.escape(_status(live)),
        "liveness": "frozen" if live.frozen else "live",
        "pictures": pictures,
        "leaves": _leaves(steps, live),
        "steps": _steps(steps),
        "gradients": _gradients(steps),
        "data": _json(_data(steps, live, maps)),
        "program": live.code,
        "script": _file("page.js"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], template)


def to_notebook(steps: Steps) -> str:
    """The page inside a frame of its own, so that neither it nor the notebook can disturb the other."""
    page = html.escape(to_html(steps), quote=True)
    return (
        f'<iframe srcdoc="{page}" sandbox="allow-scripts" title="Steps of {html.escape(steps.result, quote=True)}" '
        'style="width: 100%; height: 720px; border: 1px solid #999"></iframe>'
    )


def _file(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _summary(steps: Steps) -> str:
    forward = sum(step.kind == "forward" for step in steps)
    leaves = ", ".join(
        f"{name} = {number(value)}" if np.size(value) <= 4 else f"{name} ({shape(value)})"
        for name, value in list(steps.leaves.items())[:6]
    )
    more = ", …" if len(steps.leaves) > 6 else ""
    result = number(steps.values[steps.result].value)
    counts = f"{forward} ops forward, {len(steps) - forward} steps back."
    return f"{counts} From {leaves}{more} comes {steps.result} = {result}."


def _status(live: Program) -> str:
    if live.frozen:
        return f"The numbers of this page are frozen: {live.frozen}."
    how = " in float32, rounded after each operation" if live.single else ""
    return f"The numbers of this page are live: change a leaf, and everything is computed again{how}."


# -- numbers with a name each, so that the script can change them ------------------------------------------


def _marked(parts: Parts, values: Mapping[Any, int]) -> str:
    return "".join(_span(p, values) if isinstance(p, Number) else html.escape(str(p)) for p in parts)


def _span(n: Number, values: Mapping[Any, int]) -> str:
    operand = ' data-operand=""' if n.operand else ""
    if np.ndim(n.value):  # arrays are never changed in the page
        return f'<span class="n array">{html.escape(str(n))}</span>'
    return f'<span class="n" data-n="{n.kind[0]}{values.get(n.of, n.of)}"{operand}>{html.escape(str(n))}</span>'


def _steps(steps: Steps) -> str:
    values = {name: i for i, name in enumerate(steps.values)}
    words = {"forward": "Forward", "backward": "Backward", "unbroadcast": "Undo broadcasting"}
    return "\n".join(
        f'<li id="step-{i}" class="{step.kind}"><button type="button" class="go" data-go="{i}" '
        f'aria-label="Go to step {i + 1}">{i + 1}</button><p><strong>{words[step.kind]}.</strong> '
        f"{_marked(narrated.sentence, values)}</p></li>"
        for i, (step, narrated) in enumerate(zip(steps, steps.narration, strict=True))
    )


def _gradients(steps: Steps) -> str:
    rows = []
    for i, (name, value) in enumerate(steps.values.items()):
        if value.op is None:
            cells = "".join(
                f'<td class="n array">{html.escape(summary(shown))}</td>'
                if np.ndim(shown)
                else f'<td class="n" data-n="{key}{i}">{html.escape(number(shown))}</td>'
                for key, shown in (("v", value.value), ("g", value.gradient))
            )
            rows.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
    return "\n".join(rows)


def _leaves(steps: Steps, live: Program) -> str:
    if live.frozen:
        return ""
    rows = []
    for i, (name, value) in enumerate(steps.values.items()):
        if value.op is not None:
            continue
        x = float(value.value)
        shown = str(value.value) if live.single else repr(x)
        reach = max(1.0, 2 * abs(x)) if math.isfinite(x) else 1.0
        middle = x if math.isfinite(x) else 0.0
        label = html.escape(name)
        rows.append(
            f'<div class="leaf"><label for="box-{i}">{label}</label>'
            f'<input id="box-{i}" data-leaf="{i}" type="number" step="any" value="{shown}">'
            f'<input data-leaf="{i}" type="range" step="any" min="{middle - reach!r}" max="{middle + reach!r}" '
            f'value="{middle!r}" aria-label="slider for {html.escape(name, quote=True)}"></div>'
        )
    return "\n".join(rows)


# -- the graph ---------------------------------------------------------------------------------------------


def _pictures(steps: Steps) -> tuple[str, list[Any]]:
    """The graph as SVG with its layers closed or open, and where each value and step is in each picture."""
    layers = list(dict.fromkeys(v.layers[0] for v in steps.values.values() if v.layers))
    shown: list[str] = []
    maps: list[Any] = []
    notes = []
    for opened in _choices(len(layers)):
        closed = [layer for i, layer in enumerate(layers) if i not in opened]
        drawing, group = of_steps(steps, closed)
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
            if part.kind in ("leaf", "op", "layer"):
                element.attrib |= {
                    "tabindex": "0",
                    "role": "button",
                    "aria-label": ", ".join((part.title, *part.lines)),
                }
            if part.kind == "layer":
                element.attrib |= {"data-layer": str(layers.index(part.title)), "aria-expanded": "false"}
            texts = element.findall(f"{{{SVG}}}text")
            if part.kind == "layer":
                texts[0].text = f"+ {texts[0].text}"
            if part.key in index and np.ndim(steps.values[part.key].value) == 0:
                i = index[part.key]
                texts[-2].set("data-n", f"v{i}")
                texts[-1].attrib |= {"data-n": f"g{i}", "data-prefix": f"∂{steps.result}/∂{part.key} = "}
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
    where = {"nodes": [places[group[name]] for name in steps.values], "edges": edges}
    for element in root.iter():
        if element.get("id"):
            element.set("id", f"{prefix}-{element.get('id')}")
    root.attrib |= {"role": "group", "aria-label": "Computation graph"}
    root.attrib.pop("width", None)
    root.set("style", f"--width: {float(str(root.get('viewBox')).split()[2]) * 4 / 3:.0f}px")
    return ET.tostring(root, encoding="unicode"), where


# -- what the script reads ---------------------------------------------------------------------------------


class _Arrays:
    """Each different array once, exact, in base64; a corner of it where the page would grow too large."""

    def __init__(self) -> None:
        self.table: list[Any] = []
        self.places: dict[Any, int] = {}
        self.left = WHOLE

    def add(self, value: Any) -> Any:
        """A number as it is, an array as its place in the table."""
        if value is None:
            return None
        if np.ndim(value) == 0:
            return _number(value)
        array = np.ascontiguousarray(value)
        key = array.shape, str(array.dtype), array.tobytes()
        if key not in self.places:
            self.places[key] = len(self.table)
            self.table.append(self._entry(array))
        return {"array": self.places[key]}

    def _entry(self, array: Any) -> dict[str, Any]:
        flat = array.reshape(-1, array.shape[-1] if array.ndim > 1 and array.size else array.size)
        kind = "f4" if array.dtype == np.float32 else "f8"
        entry: dict[str, Any] = {"shape": array.shape, "kind": kind, "text": number(array)}
        if array.size:
            entry |= {k: _number(getattr(array, k)() + 0.0) for k in ("min", "max", "mean")}
        if flat.size * int(kind[1]) > self.left:
            flat = flat[:CORNER, :CORNER]
        self.left -= flat.size * int(kind[1])
        entry |= {"rows": flat.shape[0], "columns": flat.shape[1]}
        entry["data"] = base64.b64encode(flat.astype(f"<{kind}").tobytes()).decode()
        return entry


def _number(value: Any) -> float | str:
    x = float(value)
    return x if math.isfinite(x) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(x)]


def _data(steps: Steps, live: Program, maps: list[Any]) -> dict[str, Any]:
    arrays = _Arrays()
    index = {name: i for i, name in enumerate(steps.values)}
    forward = {step.name: step for step in steps.narration if isinstance(step, Forward)}
    nodes = []
    for name, value in steps.values.items():
        node: dict[str, Any] = {
            "name": name,
            "value": arrays.add(value.value),
            "gradient": arrays.add(value.gradient),
            "layer": " › ".join(value.layers),
            "where": value.where,
        }
        if value.op is not None:
            node |= {
                "op": value.op.name,
                "formula": str(forward[name].formula),
                "settings": forward[name].settings,
                "inputs": value.inputs,
                "parents": [index.get(p) if p is not None else None for p in value.parents],
                "constants": [_number(a) if np.ndim(a) == 0 else None for a in value.args],
                "derivatives": [_derivative(value, i, rule) for i, rule in enumerate(rules_shown(value))],
                "call": (live.calls or {}).get(name),
            }
        nodes.append(node)
    entries = []
    for step in steps:
        entry: dict[str, Any] = {"kind": step.kind, "node": index[step.name], "out": index[step.output]}
        if step.kind != "forward":
            entry |= {
                "position": step.position,
                "upstream": arrays.add(step.upstream),
                "local": arrays.add(step.local),
                "contribution": arrays.add(step.contribution),
                "total": arrays.add(step.total),
            }
        entries.append(entry)
    return {
        "result": index[steps.result],
        "seed": arrays.add(steps.seed),
        "nodes": nodes,
        "steps": entries,
        "arrays": arrays.table,
        "pictures": maps,
        "live": not live.frozen,
        "single": live.single,
    }


def _derivative(value: Value, position: int, rule: str) -> list[str]:
    """What the card says of one input: the name of a derivative, its formula, and the rule as it runs."""
    called, formula = derivative(value, position)
    return [called, str(formula), str(replace(formula, latex=rule))]


def _json(data: Any) -> str:
    """JSON that nothing in it can end: no ``<`` and no ``&`` is left to be read as markup."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
