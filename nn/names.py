"""What layers are called, and where they are: in which other layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_names: Counter[str] = Counter()


def unique_name(name: str) -> str:
    """``dense``, then ``dense_1``, ``dense_2``, …"""
    count = _names[name]
    _names[name] += 1
    return f"{name}_{count}" if count else name


def forget_names() -> None:
    """Count names from the start again."""
    _names.clear()


# The layers that are being built or called, the innermost first, each with those around it.
SCOPE: ContextVar[Any] = ContextVar("scope", default=None)


def path_to(layer: Any) -> list[str]:
    """Where a layer is being built: the names of the layers around it, the outermost first, and its own."""
    names, scope, inner = [layer.name], SCOPE.get(), layer
    while scope is not None:
        around, scope = scope
        if around is not inner:  # the call of a layer builds it
            names.append(around.name)
        inner = around
    return names[::-1]


@contextmanager
def inside(layer: Any) -> Iterator[None]:
    """What is built inside a ``with`` block belongs to this layer."""
    before = SCOPE.set((layer, SCOPE.get()))
    try:
        yield
    finally:
        SCOPE.reset(before)
