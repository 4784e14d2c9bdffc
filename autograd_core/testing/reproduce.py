"""Python that builds a value or names a function again: what a failure message is pasted from."""

from __future__ import annotations

import ast
import inspect
import keyword
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from ..domain import Domain
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
    if isinstance(value, Domain):
        given = [f"{f.name}={literal(v)}" for f in fields(value) if (v := getattr(value, f.name)) != f.default]
        return f"Domain({', '.join(given)})"
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


def function_code(f: Callable[..., Any], name: str, within: tuple[Any, ...] = ()) -> list[str]:
    """Lines after which ``name`` is ``f``: an import, its source, or a comment that says what it was.

    ``within`` are the functions whose code is being written: what calls itself is written once.
    """
    if any(f is other for other in within):
        return []
    source = getattr(f, "source", None)  # what generates functions may say how
    if isinstance(source, str):
        return [*source.rstrip().splitlines()]
    if isinstance(f, Op):
        if getattr(sys.modules.get(f.__module__), f.name, None) is f and f.__module__ not in ("__main__", "numpy"):
            return [f"from {f.__module__} import {f.name}" + (f" as {name}" if f.name != name else "")]
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
    if module and module != "__main__" and getattr(sys.modules.get(module), path, None) is f:
        return [f"from {module} import {path}" + (f" as {name}" if path != name else "")]
    text = source_of(f)
    if text is None:
        return [f"{name} = ...  # {f!r}"]
    lines = [*_surroundings(f, (*within, f)), *text.splitlines()]
    if made == "<lambda>":
        return [*lines[:-1], f"{name} = {lines[-1]}"] if "\n" not in text else [f"{name} = ({text})"]
    return [*lines, *([f"{name} = {made}"] if made != name else [])]


def source_of(f: Callable[..., Any]) -> str | None:
    """The text of a function without its decorators, or of a lambda alone; None where there is none."""
    tree = definition_of(f)
    return ast.unparse(tree) if tree is not None else None


def definition_of(f: Callable[..., Any]) -> ast.FunctionDef | ast.Lambda | None:
    """The syntax tree of a function without its decorators and docstring, or of a lambda among several on a line."""
    code = getattr(f, "__code__", None)
    if code is None:
        return None
    try:
        lines, first = inspect.findsource(f)
        block = "".join(inspect.getblock(lines[first:])) if code.co_name != "<lambda>" else "".join(lines)
        tree = ast.parse(textwrap.dedent(block))
    except (OSError, SyntaxError, TypeError, IndentationError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and code.co_name == node.name:
            node.decorator_list = []
            return node
        if isinstance(node, ast.Lambda) and _is_body_of(node.body, code):
            return node
    return None


def _is_body_of(body: ast.expr, code: Any) -> bool:
    """Whether ``code`` has an instruction that spans exactly this expression."""
    span = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
    return span in set(code.co_positions())


def _surroundings(f: Callable[..., Any], within: tuple[Any, ...]) -> list[str]:
    """What a function uses from outside, where it can be written down: modules, functions, numbers and arrays."""
    try:
        used = inspect.getclosurevars(f)
    except TypeError:
        return []
    lines = []
    for name, value in {**used.globals, **used.nonlocals}.items():
        if inspect.ismodule(value):
            if name != "np":
                lines.append(f"import {value.__name__} as {name}")
        elif isinstance(value, np.ndarray | float | int | list | tuple):
            lines.append(f"{name} = {literal(value)}")
        elif callable(value):
            lines += function_code(value, name, within)
    return lines


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
    if "Domain(" in extra:
        lines.append("from autograd_core import Domain")
    if any("torch.tensor(" in v for v in values):
        lines.append("import torch")
    lines += ["from autograd_core.testing import check_gradients", *function_code(f, name)]
    if grad is not None:
        gradient = _identifier(getattr(grad, "__name__", "gradient"), "gradient")
        lines += function_code(grad, gradient)
        extra = f", grad={gradient}{extra}"
    lines += [_wrapped(f"{variable} = {value}") for variable, value in zip(variables, values, strict=True)]
    lines.append(f"check_gradients({', '.join([name, *variables])}{extra})")
    return "\n".join(lines)


def _wrapped(line: str) -> str:
    """A long line of numbers on several that fit a terminal; whatever holds text or a comment stays as it is."""
    if any(mark in line for mark in "'\"#"):
        return line
    return "\n".join(textwrap.wrap(line, 66, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False))


def _identifier(name: str, otherwise: str) -> str:
    return name if name.isidentifier() and not keyword.iskeyword(name) else otherwise
