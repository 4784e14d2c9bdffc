"""What several programs share: state, which they find and leave in cells, and turns, in which they run."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, ClassVar, Protocol

from ..tensor import Tensor


class Cell(Protocol):
    """Something that holds an array between calls: state."""

    value: Any

    @property
    def name(self) -> str | None:
        """What people call it."""


class TensorCell:
    """The data of a Tensor."""

    __slots__ = ("node",)

    def __init__(self, tensor: Tensor):
        self.node = tensor.node

    @property
    def value(self) -> Any:
        return self.node.out

    @value.setter
    def value(self, new: Any) -> None:
        self.node.out = new

    @property
    def name(self) -> str | None:
        """The name of the Tensor."""
        return self.node.name


class EntryCell:
    """An entry of a dict."""

    __slots__ = ("entries", "key")

    def __init__(self, entries: dict[str, Any], key: str):
        self.entries, self.key = entries, key

    @property
    def value(self) -> Any:
        return self.entries[self.key]

    @value.setter
    def value(self, new: Any) -> None:
        self.entries[self.key] = new

    @property
    def name(self) -> str | None:
        """The key."""
        return self.key


class Turns:
    """A lock for all that share state: one of them records or runs at a time."""

    _all: ClassVar[weakref.WeakSet[Turns]] = weakref.WeakSet()

    def __init__(self) -> None:
        self._lock = threading.RLock()
        Turns._all.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc: object) -> None:
        self._lock.release()

    @staticmethod
    def renew() -> None:
        """In a process that was forked off: whoever held a lock then is not here."""
        for turns in list(Turns._all):
            turns._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Turns.renew)
