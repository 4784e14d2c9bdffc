"""Python that builds a value or names a function again: what a failure message is pasted from."""

from __future__ import annotations

import inspect
import keyword
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..op import COMPOSED, REGISTRY, Op
from ..tensor import Tensor

# Numbers that a message still prints whole.
LONGEST = 1000


def literal(value: Any) -> str:
    """An expression that evaluates to ``value`` exactly.

    >>> literal({"w": np.array([0.5, np.nan]), "axis": 1})
    "{'w': np.array([0.5, np.nan]), 'axis': 1}"
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, tuple):
        inner = ", ".join(map(literal, value))
        if hasattr(value, "_fields"):
            return f"{type(value).__name__}({inner})"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, Tensor):
        constant = "" if value.requires_grad or value.dtype.kind != "f" else ", requires_grad=False"
        return f"Tensor({literal(np.asarray(value.data))}{constant})"
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return _number(value.item()) if type(value) is np.float64 else f"np.{value.dtype}({_number(value.item())})"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, np.ufunc):
        return f"np.{value.__name__}"
    if value is np.float64 or value is np.float32:
        return f"np.{value.__name__}"
    if hasattr(value, "detach"):
        return f"torch.tensor({literal(value.detach().cpu().numpy().tolist())}, dtype={value.dtype})"
    return repr(value)


def _number(value: Any) -> str:
    text = repr(value)
    return f"float('{text}')" if text in ("nan", "inf", "-inf") else text


def _array(value: Any) -> str:
    if value.size > LONGEST:
        return f"...  # {value.dtype}{list(value.shape)}: the array is in error.arguments"
    if value.size == 0:
        return f"np.zeros({value.shape!r}, np.{value.dtype})"
    items = str(value.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    plain = value.dtype in (np.float64, np.bool_) or (value.dtype == np.int64)
    return f"np.array({items})" if plain else f"np.array({items}, np.{value.dtype})"


def function_code(f: Callable[..., Any], name: str) -> list[str]:
    """Lines after which ``name`` is ``f``: an import, its source, or a comment that says what it was."""
    source = getattr(f, "source", None)  # what generates functions may say how
    if isinstance(source, str):
        return [*source.rstrip().splitlines()]
    if isinstance(f, Op):
        if REGISTRY.get(f.name) is f:
            return ["from autograd_core import REGISTRY", f"{name} = REGISTRY[{f.name!r}]"]
        return [f"{name} = ...  # the op {f.name}"]
    if isinstance(f, np.ufunc):
        return [f"{name} = np.{f.__name__}"]
    made = getattr(f, "__name__", "")
    entry = COMPOSED.get(made)
    if entry is not None and entry.function is f:
        return ["from autograd_core.op import COMPOSED", f"{name} = COMPOSED[{made!r}].function"]
    module, path = getattr(f, "__module__", None), getattr(f, "__qualname__", "")
    if module and module != "__main__" and path.isidentifier() and getattr(f, "__closure__", None) is None:
        return [f"from {module} import {path}" + (f" as {name}" if path != name else "")]
    try:
        text = textwrap.dedent(inspect.getsource(f)).rstrip()
    except (OSError, TypeError):
        return [f"{name} = ...  # {f!r}"]
    if made == "<lambda>":
        return [f"{name} = ...  # the lambda in: {text.splitlines()[0].strip()}"]
    return [*text.splitlines(), *([f"{name} = {made}"] if made != name else [])]


def call_code(
    f: Callable[..., Any], args: Sequence[Any], names: Sequence[str], grad: Callable[..., Any] | None, extra: str
) -> str:
    """A script that runs this check again."""
    name = _identifier(getattr(f, "__name__", "f"), "f")
    variables = [_identifier(n, f"arg{i}") for i, n in enumerate(names)]
    taken = {name}
    for i, variable in enumerate(variables):
        if variable in taken:
            variables[i] = f"arg{i}"
        taken.add(variables[i])
    lines = ["import numpy as np"]
    values = [literal(a) for a in args]
    if any("Tensor(" in v for v in values):
        lines.append("from autograd_core import Tensor")
    if any("torch.tensor(" in v for v in values):
        lines.append("import torch")
    lines += ["from autograd_core.testing import check_gradients", *function_code(f, name)]
    if grad is not None:
        gradient = _identifier(getattr(grad, "__name__", "gradient"), "gradient")
        lines += function_code(grad, gradient)
        extra = f", grad={gradient}{extra}"
    lines += [f"{variable} = {value}" for variable, value in zip(variables, values, strict=True)]
    lines.append(f"check_gradients({', '.join([name, *variables])}{extra})")
    return "\n".join(lines)


def _identifier(name: str, otherwise: str) -> str:
    return name if name.isidentifier() and not keyword.iskeyword(name) else otherwise
