"""What matters in a step of a training: a sentence, said only where it is true by a threshold with a source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .measures import AT, GRADIENT_BARS, OUTPUT_BARS, ratio

# A sigmoid's slope is at most 1/4, so a gradient that comes back through five of them is at most 4⁻⁵ of what it was.
APART = 4.0**-5
# "As much as 40% of your network can be dead": CS231n, Neural Networks Part 1, on ReLU.
DEAD = 0.4
ENOUGH = 10  # values of each unit: one that gives 0 half the time gives nothing else in 1 of 1,024 such batches
# "A rough heuristic is that this ratio should be somewhere around 1e-3": CS231n, Neural Networks Part 3, on the ratio
# of weights and updates. Said where it is a hundred times more or less.
USUAL, FAR = 1e-3, 100.0

THRESHOLDS = (
    "The sentence on a step is the first of these that is true. Something is not finite. The mean gradients of two "
    f"layers are more than {1 / APART:,.0f} times apart, as five sigmoids leave them, whose slopes are at most ¼. "
    "40 % of a layer’s units are dead, where each gave ten values or more (CS231n: “as much as 40% of your network can "
    "be ‘dead’”). An update is more than a hundred times the thousandth of the weights that is usual, or all are less "
    "than a hundredth of it (CS231n: “this ratio should be somewhere around 1e-3”). Otherwise it says how far apart "
    "gradients are."
)


def sentence(layers: Sequence[str], rows: Any) -> str:
    """One sentence on a step: rows of numbers of its layers, in the order of ``layers``.

    >>> import nn
    >>> from nn.watching.measures import row
    >>> near, far = (row([], None, 1, [], [np.ones(1)], [np.full(1, g)]) for g in (1.0, 4e-6))
    >>> sentence(["a", "b"], np.stack([far, near]))
    'The gradients vanish on the way back: a’s are 4 × 10⁻⁶ of b’s.'
    """
    for name, row in zip(layers, rows, strict=True):
        for bars, what, count in ((OUTPUT_BARS, "gave", "outputs"), (GRADIENT_BARS, "got", "reached")):
            nan, infinite = row[bars][:2]
            if nan + infinite > 0:
                of = "outputs" if what == "gave" else "gradients"
                kinds = [f"{n:,.0f} are {kind}" for n, kind in ((nan, "NaN"), (infinite, "infinite")) if n]
                return f"Of the {row[AT[count]]:,.0f} {of} of {name}, {' and '.join(kinds)}."
    sizes = rows[:, AT["gradient"]]
    known = np.flatnonzero(np.isfinite(sizes))
    if len(known):
        low, high = known[np.argmin(sizes[known])], known[np.argmax(sizes[known])]
        if sizes[high] == 0:
            return "All gradients are exactly 0: nothing is learned in this step."
        if sizes[low] == 0:
            others = int(np.sum(sizes[known] == 0)) - 1
            more = f" and {others} other layer{'s' if others > 1 else ''}" if others else ""
            they = "they learn" if others else "it learns"
            return f"The gradients of {layers[low]}{more} are exactly 0: {they} nothing in this step."
        if sizes[low] < APART * sizes[high]:
            how = "vanish" if low < high else "grow"
            small, large = (low, high) if low < high else (high, low)
            return (
                f"The gradients {how} on the way back: {layers[small]}’s are {written(sizes[small] / sizes[large])} "
                f"{'of' if low < high else 'times'} {layers[large]}’s."
            )
    with np.errstate(all="ignore"):
        share = rows[:, AT["dead"]] / rows[:, AT["units"]]
    worst = _largest(share)
    if worst is not None and share[worst] >= DEAD and rows[worst, AT["outputs"]] >= ENOUGH * rows[worst, AT["units"]]:
        dead, units = rows[worst, AT["dead"]], rows[worst, AT["units"]]
        return f"{dead:,.0f} of {units:,.0f} units of {layers[worst]} are dead: they gave 0 for the whole batch."
    updates = ratio(rows)
    most, least = _largest(updates), _largest(-updates)
    if most is not None and updates[most] > USUAL * FAR:
        how = "begin at 0 and move" if np.isinf(updates[most]) else f"move by {written(updates[most])} of their size"
        return f"Large updates: the weights of {layers[most]} {how} in this step."
    if least is not None and most is not None and updates[most] < USUAL / FAR:
        return f"Hardly anything moves: {written(updates[most])} of the weights’ size at most, in {layers[most]}."
    if len(known) > 1:
        apart = sizes[high] / sizes[low]
        return f"The mean gradients of all layers are within a factor of {apart:.3g} of each other."
    return ""


def written(x: float) -> str:
    """A number as one says it, to two digits.

    >>> [written(x) for x in (0.0, 4.04e-6, 0.0312, 12.0, 5e12, float("inf"))]
    ['0', '4 × 10⁻⁶', '0.031', '12', '5 × 10¹²', '∞']
    """
    if not np.isfinite(x):
        return "NaN" if np.isnan(x) else "∞" if x > 0 else "−∞"
    if x == 0 or 1e-3 <= abs(x) < 1e4:
        return f"{float(f'{x:.2g}'):g}"
    mantissa, _, exponent = f"{x:.1e}".partition("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{float(mantissa):g} × 10{raised}"


def _largest(values: Any) -> int | None:
    """Where the largest number stands; None where there is none."""
    return None if np.isnan(values).all() else int(np.nanargmax(values))
