"""The walk over settings: what decides a computation, as a key, and the first thing in it that is foreign."""

from __future__ import annotations

import functools
import operator
import struct
import types
from typing import Any

import numpy as np

from ...op import Op
from ...tensor import Tensor
from .ours import LISTED, OURS, PURE, REPLACED, SETTINGS, Watched, engine_changed
from .settings import Settings, constant

_PLAIN = frozenset({bool, int, str, bytes})

# Of each weight at each step, so without a call of Python's.
_requires_grad = operator.attrgetter("requires_grad")


class Identity:
    """Equal to the very same object only; and that object lives as long as this, so that no other takes its id."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)

    def __repr__(self) -> str:
        return f"Identity({self.value!r})"


class Frozen:
    """What `freeze` found: a ``key`` to compare, and the first ``foreign`` thing, with its path, or None.

    ``promised`` says whether something in it is pure on its author's word alone.
    """

    def __init__(self, trusting: bool = False):
        self.key: tuple[Any, ...] = ()
        self.foreign: str | None = None
        self.promised = False
        self._trusting = trusting
        self.entries: list[Any] = []
        self._seen: dict[int, int] = {}
        # What decides and is no attribute: which weights record, and the keywords of partial functions.
        self._weights: list[Any] = []
        self._record: list[bool] = []
        self._partials: list[tuple[Any, Any, Any, Any]] = []

    @property
    def alive(self) -> bool:
        """Whether there is anything that `holds` has to look at."""
        return bool(self._weights or self._partials)

    def holds(self) -> bool:
        """Whether what is no attribute, so that no assignment is counted, is still as it was found."""
        return list(map(_requires_grad, self._weights)) == self._record and (
            not self._partials
            or all(
                p.func is function and p.args is args and dict(p.keywords) == keywords
                for p, function, args, keywords in self._partials
            )
        )

    def disturbed(self, what: str) -> None:
        """Note something that may be in the way of everything."""
        if not self._trusting:
            raise _Foreign(what)

    def _refuse_foreign(self, path: str, what: str) -> None:
        """Meet something foreign: the end, or something to be trusted."""
        if not self._trusting:
            raise _Foreign(f"{path.lstrip('.') or 'the model'} {what}")
        self.promised = True

    def visit(self, value: Any, path: str) -> None:
        kind = type(value)
        if value is None or kind in _PLAIN:
            self.entries.append((kind, value))
        elif kind is float:
            self.entries.append((kind, struct.pack("d", value)))  # which tells -0.0 from 0.0, and where NaN is NaN
        elif kind is complex or (issubclass(kind, np.generic) and kind.__module__ == "numpy"):
            self.entries.append((kind, np.asarray(value).tobytes()))
        elif isinstance(value, np.dtype):
            self.entries.append((np.dtype, value))
        elif kind is tuple or kind is list:
            if kind is list:
                self._refuse_foreign(path, "is a list, which can be changed without an assignment; assign a tuple")
            self.entries.append((tuple, len(value)))
            for i, item in enumerate(value):
                self.visit(item, f"{path}[{i}]")
        elif kind is Settings or kind is dict:
            if kind is dict:
                self._refuse_foreign(path, "is a dictionary, which can be changed without an assignment")
            self.entries.append((dict, len(value)))
            for name, item in value.items():
                self.visit(name, f"{path}[{name!r}]")
                self.visit(item, f"{path}[{name!r}]")
        elif issubclass(kind, Tensor):
            self._visit_weight(value, path)
        elif id(value) in self._seen:
            self.entries.append((Identity, self._seen[id(value)]))
        else:
            self._seen[id(value)] = len(self._seen)
            self._visit_object(value, kind, path)

    def _visit_weight(self, weight: Any, path: str) -> None:
        node = weight.node
        if node.op is not None:
            self._refuse_foreign(path, "is a value that was computed, and no weight")
        self.entries.append((Tensor, Identity(weight), node.out.shape, node.out.dtype, node.requires_grad))
        self._weights.append(node)
        self._record.append(node.requires_grad)

    def _visit_object(self, value: Any, kind: type, path: str) -> None:
        if isinstance(kind, Watched):
            if kind.untracked is None:  # a metric, whose state is no setting: as a loss it would decide
                self._refuse_foreign(
                    path, f"is {_article(kind.__name__)} {kind.__name__}, which keeps what it has seen"
                )
                self.entries.append(Identity(value))
                return
            self._check_class(value, kind, path)
            self.entries.append(kind)
            self._visit_attributes(value, kind, path)
        elif kind is functools.partial:
            self._partials.append((value, value.func, value.args, dict(value.keywords)))
            self.entries.append(kind)
            self.visit(value.func, path)
            for i, item in enumerate(value.args):
                self.visit(item, f"{path}.args[{i}]")
            for name, item in value.keywords.items():
                self.entries.append(name)
                self.visit(item, f"{path}.{name}")
        elif kind in SETTINGS or (kind is np.ndarray and constant(value)) or (kind in LISTED and value in OURS):
            self.entries.append(Identity(value))
        else:
            if (isinstance(value, type | types.FunctionType) and value in PURE) or kind in PURE:
                self.promised = True
            else:
                self._refuse_foreign(path, _named(value))
            self.entries.append(Identity(getattr(value, "__func__", value)))
            if kind is types.MethodType:  # another one at each look
                self.visit(value.__self__, f"{path}.__self__")

    def _check_class(self, value: Any, kind: Any, path: str) -> None:
        if kind not in OURS:
            if kind in PURE:
                self.promised = True
            else:
                self._refuse_foreign(path, f"is {_article(kind.__name__)} {kind.__name__}, a class of your own")
        for owner, name in list(REPLACED):
            if owner in kind.__mro__:
                whose = f"{_article(kind.__name__)} {kind.__name__}"
                self._refuse_foreign(path, f"is {whose}, and {owner.__name__}.{name} was replaced")
        for name in vars(value):
            if callable(getattr(kind, name, None)):
                self._refuse_foreign(f"{path}.{name}", "was set on the object itself, in place of its class' method")

    def _visit_attributes(self, value: Any, kind: Any, path: str) -> None:
        public = sorted(vars(value).items(), key=lambda pair: pair[0].startswith("_"))
        # Initializers have done their work.
        made = {n for n, item in public if kind in OURS or isinstance(type(item), Watched)}
        done = {n for n in made if n.endswith("_initializer")}
        found = [(n, item) for n, item in public if n not in kind.untracked and n not in done]
        self.entries.append(len(found))
        for name, item in found:
            self.entries.append(name)
            self.visit(item, f"{path}.{name.lstrip('_')}")


def freeze(value: Any, path: str = "", trusting: bool = False) -> Frozen:
    """What decides what ``value`` computes.

    Parameters
    ----------
    value : array
        A thing made of settings, or a tuple of some.
    path : str
        What it is called in a reason.
    trusting : bool
        Whether what is foreign is taken to be pure, by its author's word.

    Returns
    -------
    Frozen
        The key, and the path of the first foreign thing unless it is to be trusted.
    """
    found = Frozen(trusting)
    try:
        for owner, name in list(REPLACED):
            if not isinstance(owner, type):
                found.disturbed(f"{owner.__name__}.{name} was replaced")
        reason = engine_changed()
        if reason is not None:
            found.disturbed(reason)
        found.visit(value, path)
    except _Foreign as error:
        found.foreign = str(error)
    found.key = tuple(found.entries)
    return found


class _Foreign(Exception):
    """The walk has met something foreign."""


def _named(value: Any) -> str:
    """What something foreign is, in words that follow its path."""
    if isinstance(value, types.FunctionType | types.MethodType):
        return f"is {value.__name__}, a function of your own"
    if isinstance(value, Op):
        return f"is {value.name}, an op of your own"
    if isinstance(value, np.ndarray):
        return "is an array, which can be changed without an assignment"
    name = type(value).__name__
    return f"is {_article(name)} {name}"


def _article(name: str) -> str:
    return "an" if name[0] in "aeiouAEIOU" else "a"
