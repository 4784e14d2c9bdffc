"""Settings are values: nothing changes without an assignment, and assignments are counted."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NoReturn

import numpy as np

from ...caller import line_of_caller
from ...errors import ReplayError
from ...op import Op

# A number that is another one after each change of a setting, anywhere.
changes = 0
_clock = itertools.count(1)


def touch() -> None:
    """Note that a setting has changed. To be called after the change, so that who looks in between looks again."""
    global changes
    changes = next(_clock)


# Whether what runs was promised to be pure.
PROMISED: ContextVar[bool] = ContextVar("promised", default=False)


def promised(function: Callable[..., Any], *args: Any, kept: bool = True) -> Any:
    """Call a function that is pure on its author's word, or, with ``kept=False``, one inside it that need not be."""
    before = PROMISED.set(kept)
    try:
        return function(*args)
    finally:
        PROMISED.reset(before)


def assigned(owner: Any, name: str) -> None:
    """Note that an attribute has got another value."""
    touch()
    if PROMISED.get():
        refuse_assignment(owner, name)


def refuse_assignment(owner: Any, name: str) -> NoReturn:
    """Raise because an attribute is set in what was promised to be pure."""
    raise ReplayError(
        f"{type(owner).__name__}.{name} is set in what is promised to be pure, at {line_of_caller()}; return what a "
        "step computes, or keep it in a weight: add_weight(…, trainable=False), and assign to that"
    )


def version() -> tuple[int, int]:
    """Something that is equal to what it was before as long as no setting, and no rule of an op, was changed."""
    return changes, Op.rewritten


class Settings(dict[Any, Any]):
    """A dictionary that cannot be changed: to change a setting, assign another one.

    >>> Settings(a=1)["a"] = 2
    Traceback (most recent call last):
    TypeError: settings are values, and this dictionary is one; assign a new one: layer.name = {**layer.name, 'a': 2}
    """

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        more = f"{args[0]!r}: {args[1]!r}" if len(args) == 2 else "…"
        raise TypeError(
            "settings are values, and this dictionary is one; assign a new one: layer.name = {**layer.name, "
            + more + "}"
        )  # fmt: skip

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> Any:
        return Settings, (dict(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> Settings:
        return Settings(copy.deepcopy(dict(self), memo))


def settled(value: Any) -> Any:
    """A setting as a value: lists as tuples, dictionaries and arrays read-only. What is one already stays itself."""
    kind = type(value)
    if kind is list or kind is tuple:
        items = tuple(map(settled, value))
        return value if kind is tuple and all(map(same, items, value)) else items
    if kind is dict:
        return Settings({k: settled(v) for k, v in value.items()})
    if kind is np.ndarray and value.dtype.kind in "biufc" and not constant(value):
        return np.frombuffer(value.tobytes(), value.dtype).reshape(value.shape)
    return value


def same(a: Any, b: Any) -> bool:
    return a is b


def constant(array: Any) -> bool:
    """Whether nobody can write into an array: its memory is that of bytes."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, bytes)
