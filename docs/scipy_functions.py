"""The pages of the reference for SciPy's functions, one for each of its modules, each function with an example.

Public is what has the name of a function of SciPy's module. The examples run with the build.
"""

from __future__ import annotations

import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import functions
import numpy as np
from reference import rubrics, signature

from autograd_core import REGISTRY, Op, Tensor
from autograd_core.dispatch import full_name
from autograd_core.op import SCIPY

OURS = "autograd_core.scipy"
PAGES = ("special", "stats", "linalg", "signal", "integrate")

HEAD = (
    """The examples follow ``import numpy as np``, ``from autograd_core import Tensor`` and an import of the module."""
)

# What distributions, and functions whose docstring has no example, are shown with.
ARGUMENTS: dict[str, Any] = {
    "a": 2.0, "alpha": np.array([1.5, 2.0]), "b": 3.0, "d": 2, "df": 4.0, "k": 2, "mean": np.zeros(2), "mu": 1.5,
    "n": 1, "q": 0.25, "x": 0.5,
}  # fmt: skip
OF_VECTORS = {"dirichlet": np.array([0.25, 0.75]), "multivariate_normal": np.array([0.5, -1.0])}


def modules(page: str) -> list[str]:
    """The modules that stand on a page: one, or one for each distribution."""
    listed = getattr(importlib.import_module(f"{OURS}.{page}"), "__all__", ())
    return [f"{page}.{name}" for name in listed] or [page]


def public(name: str) -> dict[str, Callable[..., Any]]:
    """The functions of a module that SciPy has under the same names."""
    parent, _, last = f"scipy.{name}".rpartition(".")
    theirs = getattr(importlib.import_module(parent), last)
    written = vars(importlib.import_module(f"{OURS}.{name}"))
    return {
        key: value
        for key, value in written.items()
        if callable(value) and not key.startswith("_") and not inspect.isclass(value) and hasattr(theirs, key)
    }


def entry(module: ModuleType, name: str, value: Any) -> str:
    """One function."""
    short = module.__name__.removeprefix(f"{OURS}.")
    last = short.rpartition(".")[2]
    if isinstance(value, Op) and value.name == name:
        return functions.entry_of(f"{short}.{name}", value, OURS, {last: module})
    if inspect.isfunction(value) and value.__module__ == module.__name__:
        arguments, said = signature(value), rubrics(inspect.getdoc(value) or "")
        if ">>> " not in said:
            said = "\n".join((said, "", *example(value, f"{last}.{name}", last)))
    else:  # under SciPy's name
        arguments, said = "(x)" if isinstance(value, np.ufunc) else signature(value), f"The same as ``{home(value)}``."
    return f".. py:function:: {short}.{name}{arguments}\n   :module: {OURS}\n\n{textwrap.indent(said, '   ')}\n"


def home(function: Any) -> str:
    """Where a function stands that has a second name here."""
    if isinstance(function, Op):
        return f"{'autograd_core' if function.name not in SCIPY else 'special'}.{function.name}"
    return full_name(function)


def example(function: Callable[..., Any], spelled: str, module: str) -> Iterator[str]:
    """A call with numbers, and the derivative with respect to the first of them that has one."""
    required = [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    args = [OF_VECTORS.get(module, ARGUMENTS[p]) if p == "x" else ARGUMENTS[p] for p in required]
    shown = [
        f"Tensor({np.asarray(a).tolist()})" if n == 0 and p != "k" else functions.literal(a)
        for n, (p, a) in enumerate(zip(required, args, strict=True))
    ]
    if required[0] in ("k", "n"):
        yield f">>> print({spelled}({', '.join(shown)}))"
        yield str(function(*args))
        return
    x = Tensor(args[0])
    z = function(x, *args[1:])
    z.backward(np.ones(z.shape))
    yield f">>> x = {shown[0]}"
    yield f">>> z = {spelled}({', '.join(['x', *shown[1:]])})"
    yield ">>> z.backward(np.ones(z.shape))" if z.ndim else ">>> z.backward()"
    yield ">>> print(z.data, x.grad)"
    yield f"{z.data} {x.grad}"


def page(name: str) -> str:
    """The page of one of SciPy's modules."""
    whole = importlib.import_module(f"{OURS}.{name}")
    title = f"``{whole.__name__}``"
    parts = [
        title,
        "=" * len(title),
        "",
        f".. py:module:: {whole.__name__}",
        "",
        inspect.getdoc(whole) or "",
        "",
        HEAD,
        "",
    ]
    for inner in modules(name):
        module = importlib.import_module(f"{OURS}.{inner}")
        if inner != name:
            heading = inner.rpartition(".")[2]
            parts += [heading, "-" * len(heading), "", inspect.getdoc(module) or "", ""]
        parts += [entry(module, key, value) for key, value in public(inner).items()]
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """All of them by the names of their files."""
    with in_the_table():
        return {f"{OURS}.{name}.rst": page(name) for name in PAGES}


@contextmanager
def in_the_table() -> Iterator[None]:
    """SciPy's ops among the others, where those who make calls of examples look."""
    before = dict(REGISTRY)
    for name in PAGES:
        importlib.import_module(f"{OURS}.{name}")  # which fills the table
    REGISTRY.update(SCIPY)
    try:
        yield
    finally:
        REGISTRY.clear()
        REGISTRY.update(before)
