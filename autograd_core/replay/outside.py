"""What a recorded function reads beside its arguments, and a replay would not read again.

A number in a global variable, in a variable of an enclosing function, in an attribute or in a dict takes part in
the recorded calls as a number, and nothing in these calls says where it came from. So the functions that were run
are asked which names they look up, and what these mean is compared before each replay.
"""

from __future__ import annotations

import gc
import inspect
import types
import weakref
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import numpy as np

from ..debugging import INSIDE

# Arrays with more elements, and containers with more entries, count as changed only when they are other ones.
SMALL = 1000

_MISSING = object()
_KNOWN = ("builtins", "numpy", "autograd_core")  # whose objects are values, and no places where values are kept


class Outside:
    """Values that a person's functions look up by name, as they were when they were recorded.

    Our own layers, losses and optimizers go by their settings, which are looked after elsewhere.
    """

    def __init__(self) -> None:
        self._seen: set[Any] = set()
        self._reads: dict[Any, tuple[str, Callable[[], Any]]] = {}
        self._live: Collection[int] = ()
        self._before: list[Any] = []

    def settle(self, live: Collection[int]) -> None:
        """Note all values. ``live`` are the ids of arrays in which a replay sees what is written to them later."""
        self._live = live
        self._before = [self._noted(read(), 0) for _, read in self._reads.values()]
        self._seen.clear()

    def changed(self) -> str | None:
        """The name of something that has another value by now, or None."""
        for (name, read), before in zip(self._reads.values(), self._before, strict=True):
            if self._noted(read(), 0) != before:
                return name
        return None

    def look(self, frame: Any, base: Any) -> None:
        """Find out what the functions that are running look up, from ``frame`` outwards to ``base``."""
        while frame is not None and frame is not base:
            if not frame.f_code.co_filename.startswith(INSIDE):
                self._look_at_frame(frame)
            frame = frame.f_back

    def _look_at_frame(self, frame: Any) -> None:
        code = frame.f_code
        owners = [frame.f_locals.get(name) for name in code.co_varnames[: code.co_argcount]]
        key = (code, *map(id, owners[:1]))
        if key in self._seen:
            return
        self._seen.add(key)
        self._look_into(code, frame.f_globals)
        for function in gc.get_referrers(code) if code.co_freevars else ():
            if isinstance(function, types.FunctionType):
                self._look_into(code, {}, function.__closure__ or ())
        for owner in owners:
            self._look_at(owner, code.co_names, type(owner).__name__)

    def _look_into(self, code: Any, names: dict[str, Any], closure: Collection[Any] = ()) -> None:
        """The global variables and those of enclosing functions."""
        for name in code.co_names:
            if name in names:
                self._meet(name, (id(names), name), partial(names.get, name), code.co_names)
        for name, cell in zip(code.co_freevars if closure else (), closure, strict=True):
            self._meet(name, id(cell), partial(_inside_of, cell), code.co_names)

    def _look_at(self, owner: Any, names: Collection[str], path: str) -> None:
        """Those attributes of an object, a class or a module that are among ``names``."""
        if not isinstance(owner, type | types.ModuleType) and type(owner).__module__.split(".")[0] in _KNOWN:
            return
        for name in names:
            value = inspect.getattr_static(owner, name, _MISSING)
            if value is not _MISSING and not isinstance(value, property | types.MemberDescriptorType):
                self._meet(f"{path}.{name}", (id(owner), name), _attribute(owner, name), names)

    def _meet(self, name: str, key: Any, read: Callable[[], Any], names: Collection[str]) -> None:
        if key in self._reads:
            return
        value = read()
        function = getattr(value, "__func__", value)
        code = getattr(function, "__code__", None)
        if code is not None and code.co_filename.startswith(INSIDE):
            return
        if isinstance(value, types.ModuleType) and (value.__file__ or "").startswith(INSIDE):
            return
        self._reads[key] = name, read
        if code is not None:
            self._look_into(code, function.__globals__, function.__closure__ or ())
            self._look_at(getattr(value, "__self__", None), code.co_names, name)
        else:
            self._look_at(value, names, name)

    def _noted(self, value: Any, depth: int) -> Any:
        """``value`` as something that can be compared with a later one, and that holds on to as little as possible."""
        if value is None or isinstance(value, str | int | float | complex | np.generic):
            return [value]  # in a list, where NaN equals itself
        if isinstance(value, list | tuple | set | frozenset | dict) and len(value) <= SMALL and depth < 3:
            items = value.items() if isinstance(value, dict) else value
            return [type(value), *(self._noted(item, depth + 1) for item in items)]
        if isinstance(value, np.ndarray) and value.size <= SMALL and id(value) not in self._live:
            return [value.shape, value.dtype, value.tobytes()]
        return _Same(value)


class _Same:
    """Equal for one and the same object, which it does not keep alive if that can be helped."""

    def __init__(self, value: Any):
        self._of = _reference(getattr(value, "__func__", value))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._of() is other._of()

    __hash__ = object.__hash__


def _reference(value: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value


def _attribute(owner: Any, name: str) -> Callable[[], Any]:
    reference = _reference(owner)
    return lambda: getattr(reference(), name, None)


def _inside_of(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # nothing was assigned yet
        return None
