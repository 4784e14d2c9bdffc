"""The page of a training: one file that needs no network."""

from __future__ import annotations

import base64
import html
import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.explain.page import base, styled
from autograd_core.explain.page.data import to_json
from autograd_core.files import written_whole

from .graph import Graph, graph, lanes
from .measures import AT, GRADIENT_BARS, GRADIENTS, OUTPUT_BARS, OUTPUTS, SPECIAL, ratio
from .sentences import THRESHOLDS, sentence, written

ROWS = 8_000  # of all layers and steps of a run that a page holds, about 250 bytes each
ROW = 46.4  # pixels, the --row of page.css
LANE = 9
FEWEST = 20  # bars of a histogram


def save(path: Any, runs: Sequence[Any]) -> Path:
    """Write the page of one or several trainings to ``path``, whole or not at all."""
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"path: expected a file that ends in .html, for the page of a training, got {path.name!r}")
    page = to_html(runs).encode()
    with written_whole(path) as file:
        file.write(page)
    return path


def to_html(runs: Sequence[Any]) -> str:
    """The page as text."""
    named = [str(run.watched.name) for run in runs]
    if len(set(named)) < len(named):
        named = [f"{name} ({i + 1})" for i, name in enumerate(named)]
    graphs = [graph(run) for run in runs]
    steps = any(run.every is not None for run in runs)
    parts = {
        "title": html.escape(f"How {' and '.join(named)} learned"),
        "names": " | ".join(f'<span class="name">{html.escape(name)}</span>' for name in named),
        "summary": _summary(runs, steps),
        "style": base() + styled(_file("page.css")),
        "many": "two" if len(runs) > 1 else "one",
        "runs": "\n".join(_run(i, *pair) for i, pair in enumerate(zip(named, graphs, strict=True))),
        "when": _when(runs),
        "graph": _ways(graphs),
        "thresholds": html.escape(THRESHOLDS),
        "data": to_json(data_of(runs, named, graphs, steps)),
        "script": "\n".join(
            line for line in map(str.strip, _file("page.js").splitlines()) if line and not line.startswith("//")
        ),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], _file("page.html"))


def to_notebook(run: Any) -> str:
    """The page inside a frame of its own, so that neither it nor the notebook can disturb the other."""
    page = html.escape(to_html([run]), quote=True)
    return (
        f'<iframe srcdoc="{page}" sandbox="allow-scripts" allowfullscreen title="How '
        f'{html.escape(str(run.watched.name), quote=True)} learned" '
        'style="width: 100%; height: 720px; border: 1px solid #999"></iframe>'
    )


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


# -- words -------------------------------------------------------------------------------------------------


def _summary(runs: Sequence[Any], steps: bool) -> str:
    layers = list(dict.fromkeys(len(run.layers) for run in runs))
    looks = list(dict.fromkeys(len(run.places) for run in runs))

    def told(counts: list[int], what: str) -> str:
        return f"{' and '.join(f'{n:,}' for n in counts)} {what}{'' if counts == [1] else 's'}"

    return f"{told(layers, 'layer')}, looked at in {told(looks, 'step' if steps else 'epoch')}."


def _when(runs: Sequence[Any]) -> str:
    told = (
        "The numbers of an epoch are those of its first step, of the weights before it: those of epoch 1 are of the "
        "network as it was initialized. The loss is the mean over the epoch, as fit says it."
        if all(run.every is None for run in runs)
        else "The numbers are those of one step, of the weights before it; the loss is the mean over its epoch."
    )
    thinned = [run.interval * _every(run) for run in runs]
    if max(thinned) > 1:
        told += f" Of those steps one in {' and one in '.join(map(str, dict.fromkeys(thinned)))} is here."
    return told


def _ways(graphs: Sequence[Graph]) -> str:
    if not all(found.arrows for found in graphs):
        return "The layers stand in the order in which they were called; which takes what another gives is not known."
    return (
        "The arrows lead from what gives to what takes it; one that passes layers by goes further to the left. Inputs "
        "are left out, and of ops that no layer computes those are shown that join several."
    )


# -- rows --------------------------------------------------------------------------------------------------


def _run(number: int, name: str, found: Graph) -> str:
    """The table of a run: a row for each layer, and beside them the lines that lead from one to another."""
    rows = []
    for i, line in enumerate(found.lines):
        ways = f'<td class="ways" rowspan="{len(found.lines)}">{_lines(found)}</td>' if i == 0 else ""
        title = html.escape(line.name, quote=True)
        about = html.escape(" · ".join((*line.path, line.kind) if line.kind else line.path))
        if line.layer < 0:
            rows.append(
                f'<tr class="op">{ways}<th scope="row"><div class="box">{title}</div></th><td colspan="6"></td></tr>'
            )
            continue
        shown = html.escape(_shortened(re.sub(r" \(\d+\)$", "", line.name) if line.path else line.name))
        numbers = "".join(f'<td class="number" data-of="{of}"></td>' for of in ("gradient", "update"))
        outputs = "".join(f'<td class="number" data-of="{of}"></td>' for of in ("spread", "dead"))
        rows.append(
            f'<tr data-layer="{line.layer}">{ways}<th scope="row"><div class="box" title="{title}"><span>{shown}</span>'
            f'<small>{about}</small></div></th>{numbers}<td class="bars" data-of="gradient"></td>{outputs}'
            '<td class="bars" data-of="output"></td></tr>'
        )
    head = (
        '<tr><td></td><th scope="col">layer</th><th scope="col" class="number" data-of="gradient">mean |gradient|</th>'
        '<th scope="col" class="number" data-of="update">update / weight</th><th scope="col" class="bars" '
        'data-of="gradient">|gradients|<div class="ticks" data-of="gradient"></div></th><th scope="col" class="number" '
        'data-of="spread">std of outputs</th><th scope="col" class="number" data-of="dead">dead units</th>'
        '<th scope="col" class="bars" data-of="output">outputs<div class="ticks" data-of="output"></div></th></tr>'
    )
    return (
        f'<section id="run{number}" class="run{number}" aria-labelledby="run{number}-title" tabindex="0"><h2 '
        f'id="run{number}-title"><span class="of">{html.escape(name)}</span> <span class="ended"></span></h2><table>'
        f"<thead>{head}</thead><tbody>{''.join(rows)}</tbody></table></section>"
    )


def _shortened(name: str) -> str:
    """A name in which the middle is left out if it is long: names are often told apart by their end."""
    return name if len(name) <= 18 else f"{name[:8]}…{name[-9:]}"


def _lines(found: Graph) -> str:
    """The lines between layers, as an SVG whose rows are as high as those of the table."""
    beside = lanes(found.arrows)
    width = 16 + LANE * (1 + max((lane for _, _, lane in beside), default=-1))
    middle = width - 8
    drawn = []
    for a, b in found.arrows:
        if b - a == 1:
            top, bottom = (a + 0.5) * ROW, (b + 0.5) * ROW
            drawn.append(
                f'<path d="M{width} {top + 7:.1f}H{middle}V{bottom - 7:.1f}H{width}"/>{_head(width, bottom - 7)}'
            )
    for a, b, lane in beside:
        start, end = (a + 0.5) * ROW, (b + 0.5) * ROW
        x = middle - LANE * (lane + 1)
        drawn.append(f'<path d="M{width} {start:.1f}H{x}V{end:.1f}H{width}"/>{_head(width, end)}')
    height = ROW * len(found.lines)
    return (
        f'<svg viewBox="0 0 {width} {height:.1f}" style="width:{width / 16}rem;height:{height / 16:.3f}rem" '
        f'aria-hidden="true">{"".join(drawn)}</svg>'
    )


def _head(x: float, y: float) -> str:
    return f'<polygon points="{x},{y:.1f} {x - 6},{y - 3:.1f} {x - 6},{y + 3:.1f}"/>'


# -- numbers -----------------------------------------------------------------------------------------------


def _every(run: Any) -> int:
    """Which of the steps that a run remembers the page shows: each, every second, every fourth, …"""
    every = 1
    while math.ceil(len(run.records) / every) * len(run.layers) > ROWS and every < len(run.records):
        every *= 2
    return every


def data_of(runs: Sequence[Any], named: Sequence[str], graphs: Sequence[Graph], steps: bool) -> dict[str, Any]:
    """What the script reads."""
    # Runs whose epochs have different numbers of steps are compared epoch by epoch, unless steps were asked for.
    kept = [
        (run, run.seen[:: _every(run)], [(epoch, step if steps else 0) for epoch, step in run.places[:: _every(run)]])
        for run in runs
    ]
    places = sorted({place for _, _, found in kept for place in found})
    measured = {
        "gradient": [seen[..., AT["gradient"]] for _, seen, _ in kept],
        "update": [ratio(seen) for _, seen, _ in kept],
        "spread": [seen[..., AT["spread"]] for _, seen, _ in kept],
    }
    gradients = [seen[..., GRADIENT_BARS][..., len(SPECIAL) :] for _, seen, _ in kept]
    outputs = [seen[..., OUTPUT_BARS][..., len(SPECIAL) :] for _, seen, _ in kept]
    used, reach = _used(gradients), _reach(outputs)
    half = len(OUTPUTS)
    of_outputs = slice(half - 1 - reach, half + 1 + reach)
    told = []
    for i, (run, seen, found) in enumerate(kept):
        last = max((epoch for epoch, _ in run.places), default=0)
        ends = max([last, *run.epochs])
        told.append(
            {
                "name": named[i],
                "layers": len(run.layers),
                "order": [line.layer for line in graphs[i].lines if line.layer >= 0],
                "at": [max(bisect_right(found, place) - 1, 0) for place in places],
                "ended": next((k - 1 for k, place in enumerate(places) if place[0] > ends), None),
                "values": _values(seen),
                "states": [[_state(row) for row in record] for record in seen],
                "said": [sentence(run.layers, record) for record in seen],
                "epochs": run.epochs,
                **{name: [_number(pair[k]) for pair in run.losses] for k, name in enumerate(("loss", "val_loss"))},
                "gradientBars": _heights(gradients[i][..., used], gradients),
                "outputBars": _heights(outputs[i][..., of_outputs], outputs),
            }
        )
    return {
        "runs": told,
        "places": places,
        "last": 1 + max(max([epoch, *run.epochs]) for run in runs for epoch, _ in run.places),
        "steps": steps,
        "decades": {name: _decades(values) for name, values in measured.items()},
        "bars": {
            "gradient": _axis([2.0**e for e in GRADIENTS[used]], GRADIENTS[used][0]),
            "output": _signed_axis(reach),
        },
    }


def _values(seen: Any) -> dict[str, Any]:
    columns = {name: seen[..., AT[at]] for name, at in (("gradient", "gradient"), ("spread", "spread"))}
    with np.errstate(all="ignore"):
        columns |= {"update": ratio(seen), "dead": seen[..., AT["dead"]] / seen[..., AT["units"]]}
    there = {
        "gradient": seen[..., AT["reached"]] > 0,
        "spread": seen[..., AT["outputs"]] > 0,
        "update": seen[..., AT["compared"]] > 0,
        "dead": seen[..., AT["units"]] > 0,
    }
    told: dict[str, Any] = {
        name: [
            [_number(v) if known else None for v, known in zip(row, knowns, strict=True)]
            for row, knowns in zip(values, there[name], strict=True)
        ]
        for name, values in columns.items()
    }
    for name, at in (("units", "units"), ("silent", "dead")):
        told[name] = [[None if np.isnan(v) else int(v) for v in row] for row in seen[..., AT[at]]]
    for name, bars, count in (("gradientSpecial", GRADIENT_BARS, "reached"), ("outputSpecial", OUTPUT_BARS, "outputs")):
        told[name] = [[_special(row[bars], row[AT[count]]) for row in record] for record in seen]
    return told


def _special(bars: Any, count: float) -> str:
    """What has no bar in a histogram, in words."""
    nan, infinite, zero = bars[:3]
    if not count or np.isnan(count):
        return ""
    share = zero / count
    zeros = f"0: {'< 1' if share < 0.01 else '> 99' if 0.99 < share < 1 else round(100 * share)} %" if zero else ""
    parts = (f"{nan:,.0f} NaN" if nan else "", f"{infinite:,.0f} ∞" if infinite else "", zeros)
    return ", ".join(filter(None, parts))


def _state(row: Any) -> str:
    """Why a layer has no gradient; empty where it has one."""
    if np.isnan(row[AT["weights"]]):
        return "not there"
    if not row[AT["weights"]]:
        return "no weights"
    if not row[AT["trained"]]:
        return "frozen"
    return "" if row[AT["reached"]] else "none arrived"


def _number(value: Any) -> float | str | None:
    if value is None:
        return None
    x = float(value)
    return float(f"{x:.4g}") if math.isfinite(x) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(x)]


def _decades(values: Sequence[Any]) -> tuple[int, int]:
    """Between which powers of ten all lie."""
    flat = np.concatenate([v.ravel() for v in values])
    flat = flat[np.isfinite(flat) & (flat > 0)]
    if not flat.size:
        return -1, 0
    low, high = math.floor(math.log10(flat.min())), math.ceil(math.log10(flat.max()))
    return low, max(high, low + 1)


# -- histograms --------------------------------------------------------------------------------------------


def _heights(bars: Any, every: Sequence[Any]) -> str:
    """Shares of what has a bar, as bytes: 255 is the tallest bar of all runs; what is there at all is seen."""

    def shares(counts: Any) -> Any:
        return counts / np.maximum(np.nansum(counts, axis=-1, keepdims=True), 1)

    tallest = max(float(np.nanmax(shares(counts), initial=0.0)) for counts in every) or 1.0
    height = np.ceil(255 * np.nan_to_num(shares(bars)) / tallest)
    return base64.b64encode(np.clip(height, 0, 255).astype(np.uint8).tobytes()).decode()


def _used(every: Sequence[Any]) -> slice:
    """From the first bar that is used anywhere to the last."""
    there = np.flatnonzero(sum(np.nan_to_num(counts).sum(axis=(0, 1)) for counts in every))
    first, last = (int(there[0]), int(there[-1])) if there.size else (len(GRADIENTS) // 2, len(GRADIENTS) // 2)
    wider = max(0, FEWEST - (last - first + 1))  # or few bars would be as wide as the page
    first = max(0, min(first - wider // 2, len(GRADIENTS) - FEWEST))
    return slice(first, max(last + 1, first + FEWEST))


def _reach(every: Sequence[Any]) -> int:
    """How far from the middle the bars of outputs go, at least to where 1 is."""
    half = len(OUTPUTS)
    there = np.flatnonzero(sum(np.nan_to_num(counts).sum(axis=(0, 1)) for counts in every))
    furthest = max((int(max(half - 1 - i, i - half)) for i in there), default=0)
    return min(max(furthest, 1 - OUTPUTS[0]), half - 1)


def _axis(starts: Sequence[float], lowest: int) -> dict[str, Any]:
    """Names of bars, and where powers of ten stand among them, from 0 to 1."""
    count = len(starts)
    first, last = lowest * math.log10(2), (lowest + count) * math.log10(2)
    within = range(math.ceil(first), math.floor(last) + 1)
    step = max(1, math.ceil(len(within) / 4))
    ticks = [((n / math.log10(2) - lowest) / count, _power(n)) for n in within[::step]]
    return {"count": count, "names": [written(start) for start in starts], "ticks": ticks}


def _signed_axis(reach: int) -> dict[str, Any]:
    half = reach + 1
    values = [2.0 ** (OUTPUTS[0] + i) for i in range(half)]
    names = [f"−{written(v)}" for v in reversed(values)] + [written(v) for v in values]
    exponents = [n for n in (-3, 0, 3) if OUTPUTS[0] < n / math.log10(2) <= OUTPUTS[0] + half]
    right = [((half + n / math.log10(2) - OUTPUTS[0]) / (2 * half), _power(n)) for n in exponents]
    left = [(1 - at, f"−{text}") for at, text in reversed(right)]
    return {"count": 2 * half, "names": names, "ticks": [*left, (0.5, "0"), *right]}


def _power(n: int) -> str:
    return "1" if n == 0 else f"10{str(n).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
