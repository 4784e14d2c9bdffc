"""A drawing as a small page that the browser lays out, with the layout of the page: what is shown without Graphviz."""

from __future__ import annotations

import html
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ..columns import ranks, size
from ..dot import told
from ..looks import shade, strength
from . import engine, in_frame, style
from .data import to_json

if TYPE_CHECKING:
    from ..drawing import Drawing

WIDE, HIGH = 900.0, 1000.0  # pixels of a notebook's column, and of a screen
BETWEEN = 24.0, 54.0  # what dagre leaves between boxes beside each other, and from one rank to the next

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>{style} main {{ padding: 4px; max-width: none; }} .picture {{ max-height: none; overflow: auto; }}
.picture > svg {{ width: auto; height: auto; max-width: 100%; margin: auto; }}
.picture .wrong polygon {{ fill: var(--lit); stroke: var(--outline); stroke-width: 2.5px; }} p {{ margin: 0.2rem 0.6rem; font-size: 0.8rem; }}
</style>
</head>
<body>
<main>
<h1 class="hidden">{title}</h1>
<div class="picture" tabindex="0"></div>
{words}
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}
const {{ boxes, arrows, frames, direction, looks }} = JSON.parse(document.getElementById("data").textContent);
const place = document.querySelector(".picture");
place.innerHTML = laidOut(boxes, arrows, frames, direction);
const drawn = place.firstElementChild, {{ x, y, width, height }} = drawn.getBBox(); // with the titles of frames
drawn.setAttribute("viewBox", `${{x - 3}} ${{y - 3}} ${{width + 6}} ${{height + 6}}`);
drawn.style.width = `${{width}}px`;
drawn.style.minWidth = `${{0.6 * width}}px`; // below it nobody reads
looks.forEach(([shade, pen], i) => {{
if (shade === null) return;
const line = document.getElementById(`edge-${{i}}`);
line.classList.add(shade);
line.firstElementChild.style.strokeWidth = `${{pen}}px`;
}});
</script>
</body>
</html>
"""  # noqa: E501


def to_html(drawing: Drawing, title: str) -> str:
    """The page as text."""
    words = "".join(f"<p>{html.escape(text)}</p>" for text in told(drawing))
    described = html.escape(title or "A drawing of a computation", quote=True)
    return PAGE.format(title=described, style=style(True), words=words, data=to_json(_data(drawing)), script=engine())


def framed(drawing: Drawing, title: str) -> str:
    """The page in a frame, about as high as it is."""
    sideways = drawing.direction in ("LR", "RL")
    rank = ranks(drawing)
    along, across = defaultdict[int, float](float), defaultdict[int, float](float)
    for box in drawing.boxes:
        extent, i = size(box), rank.get(box.key, 0)
        along[i] = max(along[i], extent[not sideways] + BETWEEN[1])
        across[i] += extent[sideways] + BETWEEN[0]
    length, breadth = sum(along.values()), max(across.values(), default=0.0)
    wide, high = (length, breadth) if sideways else (breadth, length)
    frames = 24 * max((len(box.layers) for box in drawing.boxes), default=0)
    high = high * min(1.0, max(0.6, WIDE / (wide + 1))) + frames + 30 + 24 * len(told(drawing))
    return in_frame(to_html(drawing, title), title or repr(drawing), round(min(HIGH, high)))


def _data(drawing: Drawing) -> dict[str, Any]:
    """Boxes, arrows and frames as layout.js takes them, and of each arrow how strong it is."""
    largest = drawing.largest
    at = {box.key: i for i, box in enumerate(drawing.boxes)}
    frame = {path: i for i, path in enumerate(drawing.layers)}
    boxes = []
    for box in drawing.boxes:
        dark = shade(box.gradient, largest)
        names = ["node", box.kind, *([] if box.kind in ("constant", "more", "wrong") else [f"is_{box.family}"])]
        names += ([f"s{dark}"] if dark is not None else []) + (["lit"] if box.key in drawing.highlighted else [])
        boxes.append(
            {
                "kind": box.kind,
                "lines": [{"text": line} for line in "\n".join((box.title, *box.lines)).split("\n")],
                "layers": [frame[box.layers[:depth]] for depth in range(1, len(box.layers) + 1)],
                "dashed": bool(largest) and box.gradient is None and box.kind in ("leaf", "op", "layer"),
                "attributes": {"class": " ".join(names)},
            }
        )
    arrows, looks = [], []
    for arrow in drawing.arrows:
        arrows.append([at[arrow.start], at[arrow.end], arrow.label, None, bool(largest) and arrow.gradient is None])
        dark = shade(arrow.gradient, largest)
        looks.append([None if dark is None else f"s{dark}", round(1 + 4 * strength(arrow.gradient, largest) ** 2, 2)])
    frames = [[path[-1], {}] for path in drawing.layers]
    return {"boxes": boxes, "arrows": arrows, "frames": frames, "direction": drawing.direction, "looks": looks}
