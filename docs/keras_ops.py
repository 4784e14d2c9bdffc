"""The page of the reference for `nn.ops`: Keras' name and arguments of each function, and what it calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import nn
from autograd_core.dispatch import full_name

HEAD = """``nn.ops``
==========

.. py:module:: nn.ops

{doc}

Every name is written in ``nn/ops.py``. What is not said to call another function is computed as its line says.

.. list-table::
   :header-rows: 1

   * - call
     - what it is
"""


def functions() -> dict[str, Callable[..., Any]]:
    """The functions of `nn.ops` by their names."""
    found = {name: value for name, value in vars(nn.ops).items() if inspect.isfunction(value)}
    return {n: f for n, f in sorted(found.items(), key=str) if n[0] != "_" and f.__module__ == "nn.ops"}


def call(name: str, function: Callable[..., Any]) -> str:
    """A call with the names of the arguments, and the defaults that are said: ``gelu(x, approximate=True)``."""
    parameters = inspect.signature(function).parameters.values()
    table = hasattr(function, "calls")  # which has no defaults of its own
    bare = [p.replace(annotation=p.empty, default=p.empty if table else p.default) for p in parameters]
    return f"{name}{inspect.Signature(bare)}"


def what(function: Callable[..., Any]) -> str:
    """What it calls, or the first line of its docstring."""
    called: Any = getattr(function, "calls", function)
    module = getattr(called, "__module__", None) or "numpy"
    if module == "nn.ops":
        return (inspect.getdoc(called) or "").partition("\n")[0]
    if module.startswith("numpy"):
        return f"``{full_name(called)}``"
    return f"``{'autograd_core' if module.startswith('autograd_core') else module}.{called.__name__}``"


def page() -> str:
    """The page, in reStructuredText."""
    rows = [f"   * - ``{call(name, f)}``\n     - {what(f)}\n" for name, f in functions().items()]
    return HEAD.format(doc=inspect.getdoc(nn.ops)) + "".join(rows)
