"""One self-contained page: the whole story to read, to step through and, up to some hundred numbers, to change."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from ...op import is_complex
from ..formula import SIGNS, Filling, Formula, Number, Part, Partial, number, shape, signs, summary, written
from ..looks import KINDS
from ..narration import Parts
from ..typeset import Markup, element
from .data import data_of, to_json
from .graph import graph
from .live import Program, program

if TYPE_CHECKING:
    from ..steps import Steps

MAX_STEPS = 6000
REVEAL = ("step", "all")
RESERVED = ("step", "reveal", "quiz", "open")  # what the address of a page says, beside leaves by their names

# The scripts of a page, in the order in which they are joined: a later one may use what an earlier one has.
SCRIPTS = (
    "state",
    "address",
    "numbers",
    "maths",
    "tape",
    "reveal",
    "write",
    "graph",
    "thumbs",
    "layout",
    "wrap",
    "levels",
    "stage",
    "player",
    "arrays",
    "formulas",
    "tables",
    "card",
    "layers",
    "cells",
    "leaves",
    "plot",
    "descend",
    "nudge",
    "why",
    "quiz",
    "transcript",
    "start",
)


def to_html(steps: Steps, reveal: str = "all") -> str:
    """The page as text; see `Steps.save`."""
    if reveal not in REVEAL:
        raise ValueError(f"reveal: expected {' or '.join(map(repr, REVEAL))}, got {reveal!r}")
    if len(steps) > MAX_STEPS:
        raise ValueError(
            f"expected at most {MAX_STEPS:,} steps, which a browser shows on a page, got {len(steps):,}; explain "
            "a smaller part, or draw(f).save('graph.svg'), which leaves out what is far from the result"
        )
    name = next((name for name, value in steps.values.items() if is_complex(value.value)), None)
    if name is not None:
        raise TypeError(
            f"the page: expected real numbers, which its tables and pictures show, got complex ones in {name}; "
            "print(steps), steps.to_text() and steps.to_latex() show them"
        )
    return filled(parts(steps, reveal))


def filled(parts: Mapping[str, str]) -> str:
    """The page with these parts in it."""
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], _file("page.html"))


def parts(steps: Steps, reveal: str = "all") -> dict[str, str]:
    """What belongs to one computation, by the names of its places in page.html."""
    live = program(steps)
    drawn, known = graph(steps)
    return {
        "title": html.escape(f"How {steps.result} was computed, and its gradients"),
        "result": html.escape(steps.result),
        "style": style(_has_arrays(steps)),
        "summary": _summary(steps),
        "change": "" if live.frozen else ", and the numbers of the leaves can be changed there",
        "status": html.escape(_status(live)),
        "liveness": "frozen" if live.frozen else "live",
        "picture": drawn,
        "leaves": _leaves(steps, live),
        "steps": transcript(steps),
        "gradients": _gradients(steps),
        "signs": meanings(steps),
        "kinds": kinds(known["layers"]),
        "data": to_json(data_of(steps, live) | {"graph": known, "reveal": reveal, "reserved": RESERVED}),
        "program": live.code,
        "script": _scripts(steps, live, not drawn),
    }


def to_notebook(steps: Steps) -> str:
    """The page inside a frame of its own, so that neither it nor the notebook can disturb the other.

    It reveals step by step: a notebook is where lessons are, and who wants all numbers at once has the page's switch,
    and ``print(steps)`` beside it.
    """
    if any(is_complex(value.value) for value in steps.values.values()):
        return f"<pre>{html.escape(steps.to_text())}</pre>"
    return in_frame(to_html(steps, "step"), f"Steps of {steps.result}", 720)


def in_frame(page: str, title: str, height: int) -> str:
    """A page inside a frame for a notebook, which scripts cannot leave."""
    return (
        f'<iframe srcdoc="{html.escape(page, quote=True)}" sandbox="allow-scripts" allowfullscreen '
        f'title="{html.escape(title, quote=True)}" '
        f'style="width: 100%; height: {height}px; border: 1px solid #999"></iframe>'
    )


def _scripts(steps: Steps, live: Program, unplaced: bool) -> str:
    """All scripts as one, without what only those read who change them: indentation and lines of comments.

    What a page without arrays, whose formulas call no function of ours, or whose pictures have their layout, has no use
    for is left out.
    """
    unused = set() if _has_arrays(steps) else {"arrays", "formulas", "tables", "cells"}
    ours = "|".join(re.findall(r"^(?:const|function) (\w+)", _file("scripts/maths.js"), re.M))
    if not re.search(rf"\b({ours})\(", live.code):
        unused.add("maths")
    if not unplaced:
        unused |= {"layout", "thumbs", "levels", "layers"}
    lines = (line.strip() for n in SCRIPTS if n not in unused for line in _file(f"scripts/{n}.js").splitlines())
    return (dagre() if unplaced else "") + _short(lines)


def engine() -> str:
    """What lays a graph out in a browser: dagre, and our pictures of boxes and arrows."""
    return dagre() + _short(line.strip() for line in _file("scripts/layout.js").splitlines())


def _short(lines: Iterable[str]) -> str:
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def dagre() -> str:
    """The layout engine for browsers."""
    return _file("vendor/dagre.min.js").partition("//# sourceMappingURL")[0]


def _has_arrays(steps: Steps) -> bool:
    return any(np.ndim(value.value) for value in steps.values.values())


@cache
def style(arrays: bool) -> str:
    """The style of a page, with that of arrays and of kinds of layers or without."""
    fills = "".join(
        f".picture .is_{kind} polygon, #legend .is_{kind} {{ fill: light-dark({day}, {night}); }}"
        for kind, (_, day, night) in KINDS.items()
    )
    return base() + styled(_file("page.css") + (fills + _file("arrays.css") if arrays else ""))


@cache
def base() -> str:
    """The style that all pages share: colours by day and by night, letters, buttons."""
    return styled(_file("base.css"))


def styled(sheet: str) -> str:
    """A style sheet without comments and indentation."""
    text = re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)
    return re.sub(r"\s*([{};])\s*", r"\1", re.sub(r"\s+", " ", text)).strip()


@cache
def _file(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _summary(steps: Steps) -> str:
    forward = sum(step.kind == "forward" for step in steps)
    leaves = ", ".join(
        f"{name} = {number(value)}" if np.size(value) <= 4 else f"{name} ({shape(value)})"
        for name, value in list(steps.leaves.items())[:6]
    )
    more = ", …" if len(steps.leaves) > 6 else ""
    result = Number("value", steps.result, steps.values[steps.result].value)
    counts = f"{forward} ops forward, {len(steps) - forward} steps back."
    return _marked((f"{counts} From {leaves}{more} comes {steps.result} = ", result, "."), _places(steps))


def _status(live: Program) -> str:
    if live.frozen:
        return f"The numbers of this page are frozen: {live.frozen}."
    how = " in float32, rounded after each operation" if live.single else ""
    but = f" Not so all of it: {next(iter(live.still.values()))}." if live.still else ""
    return f"The numbers of this page are live: change a leaf, and everything is computed again{how}.{but}"


# -- numbers with a name each, so that the script can change them ------------------------------------------


def _marked(parts: Parts, values: Mapping[Any, int]) -> str:
    return "".join(_part(part, values) for part in parts)


def _places(steps: Steps) -> dict[Any, int]:
    return {name: i for i, name in enumerate(steps.values)}


def _part(part: Part, values: Mapping[Any, int]) -> str:
    if isinstance(part, str):
        return html.escape(part)
    if isinstance(part, Number):
        return element(_number(part, values, "span"))
    if isinstance(part, Partial):  # a fraction amid words would be tiny
        return f"<var>{html.escape(str(part))}</var>"
    filled = part.mathml(lambda inner: _filling(inner, values)) if isinstance(part, Formula) else [written(part)]
    return element(["math", *filled])


def _filling(part: Filling, values: Mapping[Any, int]) -> Markup:
    return _number(part, values, "mn") if isinstance(part, Number) else written(part)


def _number(n: Number, values: Mapping[Any, int], tag: str) -> Markup:
    """A number, or an array of them, as an element that the script finds again."""
    key = f"{n.kind[0]}{values.get(n.of, n.of)}"
    operand = {"data-operand": ""} if n.operand else {}
    text = str(n).replace("-", "−") if tag == "mn" else str(n)
    return [tag, {"class": "n array" if np.ndim(n.value) else "n", "data-n": key} | operand, text]


def transcript(steps: Steps) -> str:
    """The rows of all steps, one a line."""
    values = _places(steps)
    words = {"forward": "Forward", "backward": "Backward", "unbroadcast": "Undo broadcasting"}
    return "\n".join(
        f'<li id="step-{i}" class="{step.kind}"><button type="button" class="go" data-go="{i}" '
        f'aria-label="Go to step {i + 1}">{i + 1}</button><p><strong>{words[step.kind]}.</strong> '
        f"{_marked(narrated.sentence, values)}</p></li>"
        for i, (step, narrated) in enumerate(zip(steps, steps.narration, strict=True))
    )


def meanings(steps: Steps) -> str:
    """What the signs in the formulas of this page mean."""
    used = {i for v in steps.values.values() if v.op for latex in (v.op.latex, *v.op.formulas) for i in signs(latex)}
    told = list(SIGNS.values())
    return "\n".join(f'<li id="sign-{i}">{html.escape(told[i])}.</li>' for i in sorted(used))


def kinds(layers: Sequence[Mapping[str, Any]]) -> str:
    """What the colours of closed layers mean."""
    used = {layer["family"] for layer in layers}
    box = '<rect class="is_{}" x="2" y="2" width="56" height="16"/>'
    swatch = f'<svg viewBox="0 0 60 20" aria-hidden="true">{box}</svg>'
    return "\n".join(f"<li>{swatch.format(kind)} {KINDS[kind][0]}</li>" for kind in KINDS if kind in used)


def _gradients(steps: Steps) -> str:
    rows = []
    for i, (name, value) in enumerate(steps.values.items()):
        if value.op is None:
            cells = "".join(
                f'<td class="n array" data-n="{key}{i}" data-brief="">{html.escape(summary(shown, key == "g"))}</td>'
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
        if name not in live.leaves:
            continue
        if np.ndim(value.value):
            rows.append(f'<div class="cells" data-cells="{i}"><span>{html.escape(name)}</span></div>')
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
