"""Steps as pictures, one for each, for slides: the graph with what is known so far."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import written_whole
from ..optional import needed
from . import layout
from .boxes import of_steps
from .dot import escaped
from .drawing import Box, Drawing
from .formula import summary

if TYPE_CHECKING:
    from .steps import Steps

MAX_FRAMES = 300
WRAP, LINES, CAPTION = 64, 4, (37.0, 6.0)  # characters in a line, lines; width and height in font sizes


def drawing(steps: Steps) -> Drawing:
    """The picture of the whole computation that the steps are of."""
    return of_steps(steps)


def save_frames(steps: Steps, folder: Path) -> list[Path]:
    """Write ``step_001.png``, … into ``folder``, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for i, image in enumerate(frames(steps), start=1):
        files.append(folder / f"step_{i:03}.png")
        with written_whole(files[-1]) as file:
            image.save(file, format="PNG")
    return files


def to_gif(steps: Steps, path: Path, seconds: float) -> Path:
    """Write an animated GIF."""
    first, *others = list(frames(steps))
    shown = [round(1000 * seconds)] * len(others) + [round(3000 * seconds)]  # the last is read longest
    with written_whole(path) as file:
        first.save(file, format="GIF", save_all=True, append_images=others, duration=shown, loop=0)
    return path


def frames(steps: Steps) -> Iterator[Any]:
    """A picture for each step, all of one size."""
    if len(steps) > MAX_FRAMES:
        raise ValueError(
            f"expected at most {MAX_FRAMES} steps, as many frames, got {len(steps):,}; explain a smaller part, or "
            "save the page with .save('backprop.html')"
        )
    pygraphviz = needed("pygraphviz", "A picture for each step", "plots")
    image = needed("PIL.Image", "A picture for each step", "plots")
    whole = drawing(steps)
    # Laid out once, with everything written: what appears in a frame then moves nothing.
    boxes = tuple(_roomy(box, steps) for box in whole.boxes)
    places = pygraphviz.AGraph(string=replace(whole, boxes=boxes).source)
    layout.place(places)
    left, bottom, right, top = (float(n) for n in places.graph_attr["bb"].split(","))
    font = min(max(14.0, (right - left) / 70), 36.0)  # readable where a wide picture is shown on a slide
    width, height = (f"{font * n / 72:.2f}" for n in CAPTION)
    below = f"{(left + right) / 2},{bottom - 3 * font}"
    look = {"shape": "plaintext", "style": "", "fixedsize": "true", "fontsize": f"{font:.0f}"}
    places.add_node("caption", width=width, height=height, pos=below, **look)
    # A highlighted line is wider; these keep the edges of the picture where they are.
    for corner, at in (("first corner", (left, top)), ("second corner", (right, bottom))):
        x, y = (n + (12 if n in (right, top) else -12) for n in at)
        places.add_node(corner, shape="point", style="invis", width="0.01", height="0.01", pos=f"{x},{y}")
    values: set[str] = {name for name, value in steps.values.items() if value.op is None}
    handed: set[tuple[str, str, int]] = set()
    gradients: dict[str, Any] = {steps.result: steps.seed}
    for i, step in enumerate(steps):
        if step.kind == "forward":
            values.add(step.name)
            lit = {step.name, *(p for p in steps.values[step.name].parents if p)}
        else:
            if (
                step.total is not None
            ):  # else it is of the copies that broadcasting made, and is summed in the next step
                gradients[step.name] = step.total
            lit = {step.output, step.name}
            handed.add((step.name, step.output, step.position))
        boxes = tuple(_so_far(box, steps, values, gradients) for box in whole.boxes)
        arrows = tuple(
            arrow if (arrow.start, arrow.end, arrow.position) in handed else replace(arrow, label="", gradient=None)
            for arrow in whole.arrows
        )
        caption = textwrap.fill("".join(map(str, steps.narration[i].sentence)), WRAP, max_lines=LINES, placeholder=" …")
        frame = replace(whole, boxes=boxes, arrows=arrows, highlighted=frozenset(lit))
        yield image.open(io.BytesIO(_render(places, frame, caption))).convert("RGB")


def _so_far(box: Box, steps: Steps, values: set[str], gradients: dict[str, Any]) -> Box:
    value = steps.values.get(box.key)
    if value is None:
        return box
    known = summary(value.value) if box.key in values else "?"
    g = gradients.get(box.key)
    arrived = f"∂{steps.result}/∂{box.key} = {'?' if g is None else summary(g, gradient=True)}"
    return replace(box, lines=(known, arrived), gradient=None if g is None else box.gradient)


def _roomy(box: Box, steps: Steps) -> Box:
    """A box with the longest of all that is ever written in it."""
    sums = [{}, *({s.name: s.total} for s in steps if s.name == box.key and s.total is not None)]
    written = [
        _so_far(box, steps, known, g) for known in (set(), {box.key}) for g in [*sums, {steps.result: steps.seed}]
    ]
    return replace(box, lines=tuple(max(lines, key=len) for lines in zip(*(b.lines for b in written), strict=True)))


def _render(places: Any, frame: Drawing, caption: str) -> bytes:
    """``frame`` in the places that another picture of the same graph was laid out in."""
    import pygraphviz

    placed = pygraphviz.AGraph(string=places.to_string())  # its copy() takes what is as usual away from each node
    now = pygraphviz.AGraph(string=frame.source)
    placed.get_node("caption").attr["label"] = escaped(caption)
    for node in now.nodes():
        for attribute in ("label", "fillcolor", "color", "penwidth", "peripheries", "style"):
            value = node.attr[attribute]
            if attribute != "peripheries":
                placed.get_node(node).attr[attribute] = value or ""
            elif node.attr["shape"] != "plaintext":  # which has none
                placed.get_node(node).attr[attribute] = value or "1"
    others = {other.attr["id"]: other for other in placed.edges()}
    for edge in now.edges():
        other = others[edge.attr["id"]]
        for attribute in ("label", "color", "penwidth", "style"):
            other.attr[attribute] = edge.attr[attribute] or ""
    return layout.draw(placed, "png", "nop2")
