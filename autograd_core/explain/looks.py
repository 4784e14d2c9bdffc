"""What kinds of op and layer there are, and how they look, by day and by night.

The fills can be told apart with each of the usual kinds of colour blindness; what a box is stands in it all the same.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from ..op import Op

# From no gradient to the largest: ColorBrewer's Blues without the two that vanish on white.
RAMP = ("#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b")
DECADES = 4.0  # how many powers of ten the ramp and the widths span

INK, FAINT, PAPER, LINE = "#1a1a1a", "#555555", "#ffffff", "#767676"
LIT, LIT_LINE, WRONG = "#ffe08a", "#b35900", "#c62828"

# Of each kind: what a legend calls it, its fill by day and by night.
KINDS = {
    "input": ("input or weight", "#fff3b8", "#4f4712"),
    "linear": ("linear", "#a9cdf5", "#12467f"),
    "conv": ("convolution", "#f9b27c", "#8a4208"),
    "activation": ("activation", "#b4e3c0", "#1c5b33"),
    "norm": ("normalization", "#e2d5f2", "#4b3670"),
    "pool": ("pooling or sum", "#e58fa8", "#7d2440"),
    "shape": ("shape", "#c8c8c8", "#4a4f57"),
    "arithmetic": ("arithmetic", "#ffffff", "#24282f"),
    "other": ("other", "#f2f2f2", "#33373e"),
}

_FAMILIES = {
    "conv": "conv", "linalg": "linear", "decompositions": "linear", "reduce": "pool", "order": "pool",
    "shape": "shape", "index": "shape", "network": "activation",
}  # fmt: skip
_ARITHMETIC = frozenset(
    ("add", "subtract", "multiply", "divide", "negative", "positive", "reciprocal", "square", "sqrt", "power", "where",
     "maximum", "minimum", "astype", "copy", "identity", "clamp")
)  # fmt: skip
_STRONGEST = ("conv", "linear", "norm", "pool", "activation", "arithmetic", "shape")  # names a layer that has several


def kind_of_op(op: Op) -> str:
    """Which of the `KINDS` an op is of, by the family that it was written in.

    >>> from autograd_core.op import REGISTRY
    >>> kind_of_op(REGISTRY["matmul"]), kind_of_op(REGISTRY["tanh"]), kind_of_op(REGISTRY["add"])
    ('linear', 'activation', 'arithmetic')
    """
    if op.name in _ARITHMETIC:
        return "arithmetic"
    if op.name == "normalized":
        return "norm"
    if op.elementwise:
        return "activation"
    return _FAMILIES.get(op.__module__.rpartition(".")[2], "activation" if op.broadcasts else "other")


def kind_of_layer(name: str, ops: Collection[Op]) -> str:
    """Which kind a layer is of: one that the name of its class tells, or else that of its weightiest op."""
    for word, kind in (("Norm", "norm"), ("Pool", "pool"), ("Conv", "conv")):
        if word in name:
            return kind
    found = {kind_of_op(op) for op in ops}
    return next((kind for kind in _STRONGEST if kind in found), "other")


def strength(g: float | None, largest: float) -> float:
    """Where a gradient stands between vanished (0) and the largest (1), by powers of ten."""
    if not g or not math.isfinite(g) or not largest or not math.isfinite(largest):
        return 1.0 if g and not math.isfinite(g) else 0.0
    return min(1.0, max(0.0, 1 + math.log10(g / largest) / DECADES))


def shade(g: float | None, largest: float) -> int | None:
    """Which colour of the ramp a gradient has; None where there is none."""
    return None if g is None else round(strength(g, largest) * (len(RAMP) - 1))


def at_night() -> str:
    """The style sheet of an SVG for readers whose system is dark; the picture itself says how it looks by day."""
    rules = [
        ".graph > polygon { fill: #16181d; stroke: none; }",
        "text { fill: #e8e8e8; }",
        "polygon, path { stroke: #9a9fa8; }",
        ".edge polygon { fill: #9a9fa8; }",
        ".cluster path { fill: none; }",
    ]
    for kind, (_, day, night) in KINDS.items():
        rules.append(f".is_{kind} polygon, .is_{kind} path, .legend [fill='{day}'] {{ fill: {night}; }}")
    for i, colour in enumerate(reversed(RAMP)):  # the largest stands out from the paper, whichever that is
        rules.append(f".s{i} path, .s{i} polygon {{ stroke: {colour}; }} .edge.s{i} polygon {{ fill: {colour}; }}")
    rules.append(".lit polygon, .lit path { fill: #6b4e00; stroke: #ffb74d; }")
    rules.append(".wrong polygon, .wrong path { fill: #5c1616; stroke: #ff8a80; }")
    return f"@media (prefers-color-scheme: dark) {{ svg.drawing {{ {' '.join(rules)} }} }}"
