"""Write docs/ops.md, the table of all functions, from the registry: ``python docs/table_of_ops.py``.

Formulas and derivatives are the ones beside the rules; what a rule gives at a kink is found by running it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core import REGISTRY
from autograd_core.op import COMPOSED, Composed, Domain, Op
from autograd_core.tensor import NUMPY

FILE = Path(__file__).with_name("ops.md")
FAMILIES = {
    "elementwise": "Elementwise",
    "network": "For neural networks",
    "reduce": "Reductions and scans",
    "order": "Order",
    "shape": "Shape",
    "index": "Indexing",
    "linalg": "Linear algebra",
    "conv": "Convolution",
}
HEAD = """# The table of ops

Generated from the registry by `python docs/table_of_ops.py`; a test fails when it is out of date.

In a derivative, $x, y$ are the arguments, $z$ is the result and, where a plain factor cannot say it, $g$ the gradient
that arrives. "At a kink" says what the rule gives where there is no derivative; it is found by running the rule there.
What is composed of other functions has no rule of its own.
"""


def numpy_names(entry: Any) -> str:
    """The NumPy functions that an entry answers for."""
    names = set()
    for function, answer in NUMPY.items():
        if answer is entry and function.__module__.startswith("numpy"):
            place = "np.linalg." if function.__module__.startswith("numpy.linalg") else "np."
            names.add(f"`{place}{function.__name__}`")
    return ", ".join(sorted(names))


def domain(entry: Op | Composed) -> str:
    """Where the arguments may lie."""
    domains = entry.domain if isinstance(entry.domain, tuple | list) else [entry.domain] * (entry.domain is not None)
    texts = []
    for letter, d in zip("xyw", domains, strict=False):
        parts = []
        if np.isfinite(d.low) and np.isfinite(d.high):
            parts.append(f"${d.low:g} < {letter} < {d.high:g}$")
        elif np.isfinite(d.low):
            parts.append(f"${letter} > {d.low:g}$")
        elif np.isfinite(d.high):
            parts.append(f"${letter} < {d.high:g}$")
        for kink in d.kinks:
            every = f" + {in_pi(d.period)} k".replace(" 1 k", " k") if d.period else ""
            parts.append(f"${letter} \\ne {in_pi(kink)}{every}$".replace("0 + k", "k"))
        texts += parts
    return ", ".join(texts)


def at_kinks(op: Op) -> Iterator[str]:
    """What the rules of an elementwise op give at its kinks, and for equal arguments."""
    if op.arity is None or not op.broadcasts or ("g" in "".join(op.formulas) and op.name == "matmul"):
        return
    domains = op.domain if isinstance(op.domain, tuple | list) else [op.domain] * op.arity
    if op.arity == 1 and isinstance(domains[0], Domain):
        for kink in domains[0].kinks[:1]:
            yield f"$x = {in_pi(kink)}$: {slope(op, 0, kink)}"
    if op.name in ("maximum", "minimum"):
        yield f"$x = y$: {slope(op, 0, 1.0, 1.0)} and {slope(op, 1, 1.0, 1.0)}"


def slope(op: Op, position: int, *values: float) -> str:
    """The local derivative at one point."""
    with np.errstate(all="ignore"):
        args = [np.float64(v) for v in values]
        local = float(op.rules[position](np.float64(1), op.function(*args), *args))  # type: ignore[misc]
    if abs(local) > 1e15:  # a pole, as near to it as floating numbers come
        return "$\\infty$" if local > 0 else "$-\\infty$"
    return f"{local:.3g}"


def in_pi(value: float) -> str:
    """A number as a short fraction of π where it is one."""
    for denominator in (1, 2, 3, 4):
        times = value * denominator / np.pi
        if value and times == round(times):
            top = "\\pi" if times == 1 else f"{times:g}\\pi"
            return top if denominator == 1 else f"\\frac{{{top}}}{{{denominator}}}"
    return f"{value:g}"


def row(name: str, entry: Op | Composed) -> str:
    """One line of the table."""
    function = entry if isinstance(entry, Op) else entry.function
    ours = not isinstance(entry.function, np.ufunc)  # a ufunc's docstring is NumPy's
    said = (inspect.getdoc(function) or "").partition("\n")[0] if ours else ""
    if isinstance(entry, Op) and entry.note:
        said = f"{entry.note[0].upper()}{entry.note[1:]}."
    if isinstance(entry, Op):
        derivatives = ", ".join(f"${formula}$" if formula else "none" for formula in entry.formulas)
        kinks = "; ".join(at_kinks(entry))
    else:
        derivatives, kinks = "composed", ""
    names = numpy_names(entry if isinstance(entry, Op) else entry.function)
    cells = (f"`{name}`", names, f"${entry.latex}$", derivatives, domain(entry), kinks, said)
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def family(entry: Op | Composed) -> str:
    """The file that an entry stands in: that of its rules, which are always ours."""
    rules: Any = [entry.function] if isinstance(entry, Composed) else [entry.rules[i] for i in range(entry.arity or 1)]
    rule = next(rule for rule in rules if rule is not None)
    return str(getattr(rule, "func", rule).__module__).rpartition(".")[2]


def table() -> str:
    """The whole page."""
    lines = [HEAD]
    entries: dict[str, Any] = {**REGISTRY, **COMPOSED}
    for module, title in FAMILIES.items():
        lines += [
            f"## {title}\n",
            "| name | NumPy | formula | local derivative | domain | at a kink | |",
            "|---|---|---|---|---|---|---|",
            *(row(name, entry) for name, entry in entries.items() if family(entry) == module),
            "",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
