"""The sizes of gradients, updates and outputs of each layer, as a Matplotlib figure."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.optional import needed

from .measures import AT, ratio

SHOWN = 5  # steps
INK, NIGHT = ("#1b1b1f", "#55565e", "#d4d6dc", "#ffffff"), ("#e9eaee", "#b3b6c0", "#3a3e48", "#15171c")
# From the first step to the last, by day and by night: ColorBrewer's Blues, the last stands out from the ground.
RAMPS = (
    ("#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08306b"),
    ("#44617a", "#4f7b9e", "#5f9ccb", "#7fbaf0", "#dcedff"),
)


def plot(watching: Any, dark: bool) -> Any:
    """The figure; see `Watch.plot`."""
    figures = needed("matplotlib.figure", "A picture of the gradients", "plots")
    ink, quiet, line, ground = NIGHT if dark else INK
    seen, layers = watching.seen, watching.layers
    steps = np.unique(np.linspace(0, len(seen) - 1, SHOWN).round().astype(int))
    ramp = [RAMPS[dark][i] for i in (np.linspace(0, 4, len(steps)).round().astype(int) if len(steps) > 1 else [4])]
    panels = (
        ("mean |gradient|", seen[..., AT["gradient"]]),
        ("update / weight", ratio(seen)),
        ("std of outputs", seen[..., AT["spread"]]),
    )
    height = 1.5 + 0.26 * max(len(layers), 3)
    figure = figures.Figure(figsize=(9, height), layout="constrained", facecolor=ground)
    axes = figure.subplots(1, 3, sharey=True)
    for panel, (title, values) in zip(axes, panels, strict=True):
        panel.set_facecolor(ground)
        panel.set_title(title, loc="left", fontsize=10, color=ink)
        low, high = decades(values[steps])
        panel.set(xscale="log", xlim=(low / 2, high * 2), ylim=(len(layers) - 0.4, -0.6))
        panel.set_yticks(range(len(layers)), layers)
        places = np.logspace(np.log10(low), np.log10(high), round(float(np.log10(high / low))) + 1)
        panel.set_xticks(places[:: -(-len(places) // 5)])
        panel.minorticks_off()
        panel.grid(color=line, linewidth=0.6)
        panel.set_axisbelow(True)
        panel.tick_params(colors=quiet, labelsize=9, length=0)
        panel.spines[:].set_visible(False)
        for at, colour in zip(steps, ramp, strict=True):
            _line(panel, values[at], low, high, colour, at == steps[-1])
        if np.isnan(values[steps]).all():
            panel.text(0.5, 0.5, "none", transform=panel.transAxes, ha="center", color=quiet)
    axes[0].tick_params(axis="y", colors=ink)
    texts = [_place(watching, at) for at in steps]
    texts[0] = f"{'epoch' if watching.every is None else 'step'} {texts[0]}"
    _legend(figure, texts, ramp, quiet)
    return figure


def decades(values: Any) -> tuple[float, float]:
    """The powers of ten that hold all numbers above 0.

    >>> decades(np.array([0.02, 3.0, 0.0, np.nan]))
    (0.01, 10.0)
    """
    positive = values[np.isfinite(values) & (values > 0)]
    if not positive.size:
        return 0.1, 1.0
    low, high = np.floor(np.log10(positive.min())), np.ceil(np.log10(positive.max()))
    return float(10.0**low), float(10.0 ** max(high, low + 1))


def _line(axes: Any, values: Any, low: float, high: float, colour: str, last: bool) -> None:
    """A line down the layers; what is no number above 0 is a mark of its own at the edge."""
    rows = np.arange(len(values))
    usual = np.isfinite(values) & (values > 0)
    look = {"color": colour, "linewidth": 2.2 if last else 1.2, "markersize": 5 if last else 3.5}
    axes.plot(values[usual], rows[usual], marker="o", zorder=3 if last else 2, **look)
    for mark, where, at in (("$0$", values == 0, low / 1.5), ("$\\infty$", np.isinf(values), high * 1.5)):
        axes.plot(np.full(where.sum(), at), rows[where], linestyle="", marker=mark, color=colour, markersize=7)


def _place(watching: Any, at: int) -> str:
    epoch, step = watching.places[at]
    return f"{epoch + 1}" if watching.every is None else f"{step + 1}"


def _legend(figure: Any, texts: list[str], ramp: list[str], quiet: str) -> None:
    """The steps below the panels, each in its colour, from the first to the last."""
    lines = needed("matplotlib.lines", "A picture of the gradients", "plots")
    handles = [lines.Line2D([], [], color=c, marker="o", markersize=4, linewidth=2) for c in ramp]
    figure.legend(
        handles, texts, loc="outside lower center", ncols=len(texts), frameon=False, fontsize=9, labelcolor=quiet
    )
