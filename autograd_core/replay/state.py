"""State: what holds it between calls, the arrays that programs change in place, and the lock of all that share it."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter, getitem
from typing import Any, ClassVar, Protocol

import numpy as np

from .. import graph
from ..caller import place_of_caller
from ..tensor import Tensor
from .ir import owner_of


class StateRef(Protocol):
    """Something that holds an array between calls: state."""

    value: Any

    @property
    def name(self) -> str | None:
        """What people call it."""


class TensorRef:
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


class EntryRef:
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


_QUICK: dict[type, int] = {TensorRef: 0, EntryRef: 1}
_out, _value = attrgetter("out"), attrgetter("value")


class State:
    """The state of a function: what holds it, and the arrays that were in there when it was recorded."""

    def __init__(self, find: Callable[[], Iterable[StateRef]]):
        self._find = find
        self.forget()

    def forget(self) -> None:
        """Know of none, until it is found again."""
        self.refs: list[StateRef] = []
        self.arrays: list[Any] = []
        # What is asked in less time than a ref: those to a Tensor come first, those to an entry next, then the others.
        self.nodes: list[graph.Node] = []
        self._dicts: list[dict[str, Any]] = []
        self._keys: list[str] = []
        self._others: list[StateRef] = []
        self.owners: set[int] = set()  # the ids of the arrays in which state lies

    def find(self) -> None:
        """Ask which state there is, unless it is known."""
        if self.refs:
            return
        self.refs = sorted(self._find(), key=lambda ref: _QUICK.get(type(ref), len(_QUICK)))
        self.nodes = [ref.node for ref in self.refs if type(ref) is TensorRef]
        entries = [ref for ref in self.refs if type(ref) is EntryRef]
        self._dicts, self._keys = [ref.entries for ref in entries], [ref.key for ref in entries]
        self._others = self.refs[len(self.nodes) + len(entries) :]
        for ref in self.refs:
            if isinstance(ref.value, np.generic):  # which nothing could be written into
                ref.value = np.array(ref.value)
        self.arrays = [ref.value for ref in self.refs]
        self.owners = {id(owner_of(array)) for array in self.arrays}

    def values(self) -> Iterator[Any]:
        """What every ref holds now, in their order; no line of Python runs for any of the quick ones."""
        return chain(map(_out, self.nodes), map(getitem, self._dicts, self._keys), map(_value, self._others))

    def moved(self) -> str:
        """What is another array than the one that was found."""
        names = [ref.name for ref, array in zip(self.refs, self.arrays, strict=True) if ref.value is not array]
        return names[0] or "its state"

    def put_back(self) -> None:
        """Let every ref hold the array that was found."""
        for ref, array in zip(self.refs, self.arrays, strict=True):
            ref.value = array

    def keep_in_place(self) -> None:
        """Copy what was put in other memory to where programs look for it."""
        for ref, array in zip(self.refs, self.arrays, strict=True):
            if ref.value is not array and ref.value.shape == array.shape and ref.value.dtype == array.dtype:
                np.copyto(array, ref.value)
                ref.value = array

    def stamp(self) -> None:
        """Tell the engine that graphs recorded before this step are of other values."""
        graph.stamp(self.nodes, place_of_caller()[:2])


class SharedLock:
    """A lock for all that share state: one of them records or runs at a time."""

    _all: ClassVar[weakref.WeakSet[SharedLock]] = weakref.WeakSet()

    def __init__(self) -> None:
        self._lock = threading.RLock()
        SharedLock._all.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc: object) -> None:
        self._lock.release()

    @staticmethod
    def after_fork() -> None:
        """In a forked process: the threads of the parent that held a lock do not exist."""
        for shared in list(SharedLock._all):
            shared._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SharedLock.after_fork)
