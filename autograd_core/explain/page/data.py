"""What the scripts of a page read: every number of every step, and each array once."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..boxes import size
from ..formula import signs, written
from ..narration import Forward, derivative
from ..symbol import letters
from .live import MAX_NUMBERS, Program, rules_shown

if TYPE_CHECKING:
    from ..steps import Steps
    from ..values import Value

WHOLE = 400_000  # bytes of all arrays together that a page holds; of what is beyond, a corner of each
CORNER = 12
SQUARES = 12  # in a row of a small picture
LONGEST = 300  # letters of LaTeX of a rule as it runs that one still reads: not the tables that erf computes by


class _Arrays:
    """Each different array once, exact, in base64; a corner of it where the page would grow too large."""

    def __init__(self) -> None:
        self.table: list[Any] = []
        self.places: dict[Any, int] = {}
        self.left = WHOLE

    def add(self, value: Any, grid: tuple[int, int] | None = None) -> Any:
        """A number as it is, an array as its place in the table; ``grid`` are the axes of its rows and columns."""
        if value is None:
            return None
        if np.ndim(value) == 0:
            return _number(value)
        array = np.ascontiguousarray(value)
        key = array.shape, str(array.dtype), array.tobytes(), grid
        if key not in self.places:
            self.places[key] = len(self.table)
            self.table.append(self._entry(array, grid) | ({"grid": grid} if grid else {}))
        return {"array": self.places[key]}

    def _entry(self, array: Any, grid: tuple[int, int] | None) -> dict[str, Any]:
        flat = array.reshape((-1, array.shape[-1] if array.ndim > 1 else array.size) if array.size else (0, 0))
        kind = "f4" if array.dtype == np.float32 else "f8"
        entry: dict[str, Any] = {"shape": array.shape, "kind": kind}
        if array.size:
            entry |= {k: _number(getattr(array, k)() + 0.0) for k in ("min", "max", "mean")}
        if flat.size * int(kind[1]) > self.left and flat.size > MAX_NUMBERS:
            flat = flat[:CORNER, :CORNER]
            entry |= {"size": _number(size(array)), "small": self._entry(_sampled(array, grid), None)}
        self.left -= flat.size * int(kind[1])
        entry |= {"rows": flat.shape[0], "columns": flat.shape[1]}
        entry["data"] = base64.b64encode(flat.astype(f"<{kind}").tobytes()).decode()
        return entry


def _sampled(array: Any, grid: tuple[int, int] | None) -> Any:
    """Each second, third, … row and column of the first plane of an array, for a small picture of it."""
    long = [i for i, n in enumerate(array.shape) if n > 1]
    last = long[-2:] if len(long) > 1 else [*long, array.ndim - 1][:1]
    axes = list(grid or last)
    plane = array[tuple(slice(None) if i in axes else 0 for i in range(array.ndim))]
    every = tuple(slice(None, None, -(-n // SQUARES)) for n in plane.shape)
    return np.ascontiguousarray(plane[every])


def _number(value: Any) -> float | str:
    x = float(value)
    return x if math.isfinite(x) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(x)]


def data_of(steps: Steps, live: Program) -> dict[str, Any]:
    arrays = _Arrays()
    images = images_of(steps)

    def add(value: Any) -> Any:
        return arrays.add(value, images.get(np.shape(value)))

    index = {name: i for i, name in enumerate(steps.values)}
    forward = {step.name: step for step in steps.narration if isinstance(step, Forward)}
    nodes = []
    for name, value in steps.values.items():
        node: dict[str, Any] = {
            "name": name,
            "value": add(value.value),
            "gradient": add(value.gradient),
            "layer": " › ".join(value.layers),
            "where": value.where,
        }
        if name in live.leaves:
            node["live"] = True
        if value.op is not None:
            node |= {
                "op": value.op.name,
                "formula": forward[name].formula.mathml(written),
                "signs": signs(" ".join((value.op.latex, *value.op.formulas))),
                "settings": forward[name].settings,
                "inputs": value.inputs,
                "parents": [index.get(p) if p is not None else None for p in value.parents],
                "constants": [_number(a) if np.ndim(a) == 0 else None for a in value.args],
                "derivatives": [_derivative(value, i, rule) for i, rule in enumerate(rules_shown(value))],
                "call": live.calls.get(name),
            }
            if live.conditions.get(name):
                operands = {i: [index.get(str(v)) for v in found] for i, (_, found) in value.conditions.items()}
                node["asks"] = {i: [call, operands[i]] for i, call in live.conditions[name].items()}
            if name in live.calls and any(map(np.ndim, (value.value, *value.args))):
                node["letters"] = letters(value.op, len(value.args))
        nodes.append({k: v for k, v in node.items() if v not in ("", [], None) or k in ("value", "gradient")})
    entries = []
    for step in steps:
        entry: dict[str, Any] = {"kind": step.kind, "node": index[step.name], "out": index[step.output]}
        if step.kind != "forward":
            entry |= {
                "position": step.position,
                "upstream": add(step.upstream),
                "local": add(step.local),
                "contribution": add(step.contribution),
                "total": add(step.total),
            }
        entries.append(entry)
    return {
        "result": index[steps.result],
        "seed": add(steps.seed),
        "nodes": nodes,
        "steps": entries,
        "arrays": arrays.table,
        "single": live.single,
    }


def images_of(steps: Steps) -> dict[tuple[int, ...], tuple[int, int]]:
    """Of the shapes of images and of their windows which axes are rows and columns.

    What is an image nothing says but the ops of two spatial axes, (batch, rows, columns, channels), and the kernels
    that they take; what has the same shape is taken for one too.
    """
    found: dict[tuple[int, ...], tuple[int, int]] = {}
    for value in steps.values.values():
        name = value.op.name if value.op is not None else ""
        if name in ("conv", "conv_transpose") and np.ndim(value.value) == 4:
            x, kernel = (np.shape(arg) for arg in value.args)
            found |= {x: (1, 2), np.shape(value.value): (1, 2)}
            found.setdefault(kernel, (0, 1))
        elif name == "windows" and np.ndim(value.value) == 6:
            n, down, across, *_, channels = windows = np.shape(value.value)
            found |= {np.shape(value.args[0]): (1, 2), windows: (3, 4), (n, down, across, channels): (1, 2)}
    return found


def _derivative(value: Value, position: int, rule: str) -> list[Any]:
    """What the card says of one input: its name, if that is no local derivative; its formula, and the rule as run."""
    called, formula = derivative(value, position)
    as_run = replace(formula, latex=rule if len(rule) <= LONGEST else "")
    return [called if isinstance(called, str) else "", formula.mathml(written), as_run.mathml(written)]


def to_json(data: Any) -> str:
    """JSON that nothing in it can end: no ``<`` and no ``&`` is left to be read as markup."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
