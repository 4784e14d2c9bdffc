"""Write docs/ops.md, the table of all functions, from the registry: ``python docs/table_of_ops.py``.

Formulas and derivatives are the ones beside the rules; what a rule gives at a kink is found by running it.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core import REGISTRY, grad, hessian, one_hot
from autograd_core.dispatch import OUT_OF_SCOPE, WITHOUT_DERIVATIVE, full_name, short_name
from autograd_core.domain import Domain
from autograd_core.op import COMPOSED, SCIPY, Composed, JointRule, Op

FILE = Path(__file__).with_name("ops.md")
FAMILIES = {
    "elementwise": "Elementwise",
    "network": "For neural networks",
    "reduce": "Reductions and scans",
    "missing": "Passing over NaN",
    "order": "Order",
    "sample": "Samples",
    "polynomial": "Polynomials",
    "grid": "Rows and grids",
    "shape": "Shape",
    "index": "Indexing",
    "linalg": "Linear algebra",
    "decompositions": "Decompositions of matrices",
    "complex": "Complex numbers",
    "fft": "Fourier transforms",
    "conv": "Convolution",
    "applied": "Functions of yours",
}
HEAD = """# The table of ops

Generated from the registry by `python docs/table_of_ops.py`; a test fails when it is out of date.

In a derivative, $x, y$ are the arguments, $z$ is the result and, where a plain factor cannot say it, $g$ the gradient
that arrives. A name that begins with `np.` is NumPy's and ours; where NumPy calls it otherwise, that stands below. The
last column says where the arguments may lie, and what the derivatives are at ties and kinks and at the edges of the
domain, which is found by running the rules there.

Behind a kink the curvature of what is smooth again is lost: at 0 the second derivatives of $\\left|x\\right|^2$, of a
squared norm, and of other smooth functions of them such as $e^{-z^2}$ and $\\cosh z$, are 0 here, where 2 (or -2, or 1)
is right. The table says so as $(z^2)''$. Write the square itself: `x * x`, `np.sum(x * x)`, `np.var(x)`.

What is composed of other functions has no rule of its own.
"""


def numpy_names(entry: Any) -> str:
    """The NumPy functions that an entry answers for."""
    return ", ".join(sorted({f"`{full_name(function)}`" for function in entry.numpy}))


def domains_of(entry: Op | Composed) -> list[Domain]:
    """Where each argument may lie, of which nothing is said where all numbers will do."""
    if isinstance(entry.domain, Domain):
        return [entry.domain] * (entry.arity or 1 if isinstance(entry, Op) else 1)
    return list(entry.domain or ())


def domain(entry: Op | Composed) -> str:
    """Where the arguments may lie."""
    domains = domains_of(entry)
    texts = []
    for letter, d in zip("xywv", domains, strict=False):
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


# Where functions of several numbers have ties: arguments, and how a reader would say it.
TIES: dict[str, tuple[tuple[Any, ...], str]] = {
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), ((1.0, 1.0), "$x = y$")),
    "clip": ((1.0, 0.0, 1.0), "$x = b$"),
    "power": ((0.0, 0.0), "$x = y = 0$"),
    "nan_to_num": ((np.nan,), "NaN"),
    **dict.fromkeys(("max", "min", "ptp", "std"), (([2.0, 2.0],), "$x_1 = x_2$")),
    **dict.fromkeys(("nanmax", "nanmin", "nanstd", "median", "nanmedian"), (([2.0, 2.0],), "$x_1 = x_2$")),
    **dict.fromkeys(("length", "norm", "vector_norm", "root_mean_square"), (([0.0, 0.0],), "$x = 0$")),
    "matrix_norm": (([[0.0, 0.0]],), "$x = 0$"),
}


# What has a kink that its square has not, and where.
SQUARED: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("absolute", "fabs"), (0.0,)),
    **dict.fromkeys(("hypot",), (0.0, 0.0)),
    **dict.fromkeys(("length", "norm", "vector_norm"), ([0.0, 0.0],)),
    "matrix_norm": ([[0.0, 0.0]],),
    **dict.fromkeys(("std", "root_mean_square"), ([0.0, 0.0],)),
}


def curvature(name: str, entry: Op | Composed) -> Iterator[str]:
    """The second derivatives of the square, where the result itself has a kink that its square has not."""
    if name in SQUARED:
        f = entry if isinstance(entry, Op) else entry.function
        xs = [np.array(v)[()] for v in SQUARED[name]]
        found = (hessian(lambda *xs: f(*xs) ** 2, i)(*xs) for i in range(len(xs)))
        slopes = [number(v) for h in found for v in np.diag(np.reshape(h, (math.isqrt(np.size(h)),) * 2))]
        yield f"$(z^2)''$: {', '.join(slopes)}"


def at_kinks(name: str, entry: Op | Composed) -> Iterator[str]:
    """What the derivatives are at ties and kinks and at the edges of the domain."""
    if name in TIES:
        args, said = TIES[name]
        yield f"{said}: {slopes(entry, *args)}"
        return
    domains = domains_of(entry)
    places = [d.kinks or tuple(edge for edge in (d.low, d.high) if np.isfinite(edge)) for d in domains]
    if len(places) == 1:
        yield from (f"$x = {in_pi(place)}$: {slopes(entry, place)}" for place in places[0])
    elif places and all(places):
        if len(places) == 2:
            with contextlib.suppress(ValueError):  # which it refuses there
                yield f"$x = y = 0$: {slopes(entry, 0.0, 0.0)}"
    elif any(places) and len(places) == 2:
        x, y = (where[0] if where else 1.0 for where in places)
        yield f"$x = {x:g}, y = {y:g}$: {slopes(entry, x, y)}"


def slopes(entry: Op | Composed, *values: Any) -> str:
    """The derivative with respect to each argument at one point."""
    f = entry if isinstance(entry, Op) else entry.function
    rules = entry.rules if isinstance(entry, Op) and not isinstance(entry.rules, JointRule) else values
    argnums = tuple(n for n in range(len(values)) if rules[n] is not None)

    def first(*xs: Any) -> Any:  # of several results
        z = f(*xs)
        return np.sum(z[0]) if isinstance(z, tuple) else z

    with np.errstate(all="ignore"):
        found = grad(first, argnums=argnums)(*(np.array(v)[()] for v in values))
    return " and ".join(", ".join(number(v) for v in np.ravel(g)) for g in found)


def number(slope: float) -> str:
    """A derivative as one writes it; a pole is met as near to it as floating numbers come."""
    if np.isnan(slope):
        return "none"
    return f"{slope + 0.0:.3g}" if abs(slope) < 1e15 else "$\\infty$" if slope > 0 else "$-\\infty$"


def in_pi(value: float) -> str:
    """A number as a short fraction of π where it is one."""
    for denominator in (1, 2, 3, 4):
        times = value * denominator / np.pi
        if value and times == round(times):
            top = "\\pi" if times == 1 else f"{times:g}\\pi"
            return top if denominator == 1 else f"\\frac{{{top}}}{{{denominator}}}"
    return f"{value:g}"


def first_line(function: Any) -> str:
    """The first line of a docstring."""
    return (inspect.getdoc(function) or "").partition("\n")[0]


def row(name: str, entry: Op | Composed) -> str:
    """One line of the table."""
    function = entry if isinstance(entry, Op) else entry.function
    ours = not isinstance(entry.function, np.ufunc)  # a ufunc's docstring is NumPy's
    said = first_line(function) if ours else ""
    if isinstance(entry, Op) and entry.note:
        said = f"{entry.note[0].upper()}{entry.note[1:]}."
    if isinstance(entry, Op):
        derivatives = ", ".join(f"${formula}$" if formula else "none" for formula in entry.formulas)
    else:
        derivatives = "composed"
    names = numpy_names(entry).split(", ")
    own = f"`np.{name}`"
    names = [own, *(n for n in names if n != own)] if own in names else [f"`{name}`", *names]
    if entry in SCIPY.values():
        names = [n for n in names if n.startswith("`scipy.")] or [f"`autograd_core.scipy.{family(entry)}.{name}`"]
    where = [domain(entry), *at_kinks(name, entry), *curvature(name, entry), said]
    cells = ("<br>".join(filter(None, names)), f"${entry.latex}$", derivatives, "<br>".join(filter(None, where)))
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def out_of_scope() -> dict[str, list[str]]:
    """The functions that are left out, by the reason."""
    reasons: dict[str, list[str]] = {}
    for function, why in OUT_OF_SCOPE.items():
        name = short_name(function) if isinstance(function, str) else full_name(function)
        reasons.setdefault(why, []).append(f"`{name}`")
    return reasons


def family(entry: Op | Composed) -> str:
    """The file that an entry stands in: that of its rules, which are always ours."""
    of_op: Any = [entry.function] if isinstance(entry, Composed) else entry.rules
    rule = of_op.rule if isinstance(of_op, JointRule) else next(rule for rule in of_op if rule is not None)
    return str(getattr(rule, "func", rule).__module__).rpartition(".")[2]


def composed_of_scipy() -> list[tuple[str, list[str]]]:
    """The modules of SciPy's functions, with those of their functions that have no rule of their own."""
    found = []
    distributions = importlib.import_module("autograd_core.scipy.stats").__all__
    for name in (
        "special",
        "linalg",
        "signal",
        "integrate",
        *(f"stats.{distribution}" for distribution in distributions),
    ):
        module = importlib.import_module(f"autograd_core.scipy.{name}")
        own = [n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__]
        found.append((name, [n for n in own if not n.startswith("_")]))
    return found


def table() -> str:
    """The whole page."""
    lines = [HEAD]
    made = composed_of_scipy()
    entries: dict[str, Any] = {**REGISTRY, **COMPOSED}
    for module, title in FAMILIES.items():
        lines += [
            f"## {title}\n",
            "| name | formula | local derivative | where, and what it is at a kink |",
            "|---|---|---|---|",
            *(row(name, entry) for name, entry in entries.items() if family(entry) == module),
            "",
        ]
    lines += [
        "## SciPy's functions\n",
        "The ufuncs of `scipy.special` take Tensors, and stand in `autograd_core.scipy.special` under the same names; "
        "what is no ufunc in SciPy has a function of the same name and arguments in `autograd_core.scipy`. Where the "
        "derivative is *none*, a Tensor that records is refused.\n",
        "| name | formula | local derivative | where, and what it is at a kink |",
        "|---|---|---|---|",
        *(row(*item) for module in ("special", "linalg") for item in SCIPY.items() if family(item[1]) == module),
        "",
        "Composed of these, or NumPy's:\n",
        *(f"- `autograd_core.scipy.{module}`: {', '.join(f'`{name}`' for name in names)}" for module, names in made),
        "",
        "## Of complex numbers\n",
        "These take complex numbers, too, and what is composed of them. Between complex numbers the derivative is the "
        "formula's conjugate, with which [the gradient that people see](howto/complex_numbers.md) is multiplied. "
        "All others refuse them by name.\n",
        ", ".join(f"`{name}`" for name, entry in sorted(REGISTRY.items()) if entry.complex) + "\n",
        "## Without a derivative\n",
        "These see the data of Tensors, and give plain arrays, numbers and truth values; a call whose result would "
        "have a derivative, such as a histogram with weights, or with bins that follow the numbers, is an error:",
        ", ".join(sorted(f"`{full_name(f)}`" for f in WITHOUT_DERIVATIVE))
        + f"; and `one_hot`: {first_line(one_hot)}\n",
        "## Out of scope\n",
        "These raise an error that says why:",
        *(f"- {', '.join(names)}: {why}" for why, names in out_of_scope().items()),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
