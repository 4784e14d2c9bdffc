"""The libraries whose gradients can be checked, recognised by what is given or said by ``of=``.

One small file each. None is imported before a function or an array of its own was seen, or it was asked for.
"""

from __future__ import annotations

import importlib
import inspect
import types
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from .library import Library
from .ours import Ours

__all__ = ["NAMES", "Library", "find", "of_value"]

# What ``of=`` takes: the file and class of the library, and how it is installed.
_KNOWN = {
    "torch": ("torch", "Torch", "torch"),
    "jax": ("jax", "Jax", "jax"),
    "tensorflow": ("tensorflow", "TensorFlow", "tensorflow"),
    "autograd": ("hips", "Hips", "autograd"),
    "mygrad": ("mygrad", "MyGrad", "mygrad"),
}
_ALIASES = {"pytorch": "torch", "jaxlib": "jax", "tf": "tensorflow", "keras": "tensorflow", "hips": "autograd"}
_OURS = Ours()
_NUMPY = Library()

NAMES = ("autograd_core", "numpy", *_KNOWN)


@lru_cache
def named(name: str) -> Library:
    """The library called so. ValueError for a name that is none, ImportError where it is not installed."""
    name = _ALIASES.get(name, name)
    if name in ("autograd_core", "numpy"):
        return _OURS if name == "autograd_core" else _NUMPY
    if name not in _KNOWN:
        raise ValueError(f"of: expected one of {', '.join(map(repr, NAMES))}, got {name!r}")
    file, cls, package = _KNOWN[name]
    try:
        module = importlib.import_module(f".{file}", __name__)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"of={name!r} needs {package}: pip install {package}", name=error.name) from error
    return getattr(module, cls)()


def find(of: str | None, f: Any, values: Iterable[Any], given: bool = False) -> Library:
    """The library of a function and its arguments.

    ``of`` says which; otherwise an array or an object of a library tells, and then the modules that the function's
    code names. With ``given`` the gradient is handed over, and only arrays tell how the function wants to be called.
    """
    if of is not None:
        return named(of)
    for value in values:
        name = _root(type(value))
        if name is not None:
            return named(name)
    name = None if given else _of_function(f)
    if name is not None:
        return named(name)
    return _NUMPY if given else _OURS


def of_value(value: Any) -> Library | None:
    """The library that an array is from, if it is one of the others."""
    name = _root(type(value))
    return None if name is None else named(name)


def _root(cls: type) -> str | None:
    """The library whose class this is, or a class derived from one of its own."""
    for base in cls.__mro__:
        name = base.__module__.partition(".")[0]
        name = _ALIASES.get(name, name)
        if name in _KNOWN:
            return name
    return None


def _of_function(f: Any) -> str | None:
    """The library that an object is from (a module, a ``custom_vjp``, ``Function.apply``), or that its code names."""
    owner = getattr(f, "__self__", None)
    for candidate in (f, owner):
        cls = candidate if isinstance(candidate, type) else type(candidate)
        if candidate is not None and (name := _root(cls)) is not None:
            return name
    code = inspect.unwrap(f) if callable(f) else f
    if not isinstance(code, types.FunctionType):
        code = getattr(code, "__func__", None) or vars(type(f)).get("__call__")
    if not isinstance(code, types.FunctionType):
        return None
    try:
        used = inspect.getclosurevars(code)
    except (TypeError, ValueError):
        return None
    for value in (*used.nonlocals.values(), *used.globals.values()):
        if isinstance(value, types.ModuleType):
            name = value.__name__.partition(".")[0]
        else:
            owner = getattr(value, "__self__", None)
            name = _root(owner) if isinstance(owner, type) else _root(type(value))
        name = _ALIASES.get(name, name) if name else None
        if name in _KNOWN:
            return name
    return None
