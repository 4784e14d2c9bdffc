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
import zlib
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import numpy as np

from ..caller import is_inside
from ..tensor import Tensor
from .calls import owner_of
from .traced import Traced

# Containers with more entries, and arrays with more elements, count as changed only when they are other ones.
ENTRIES = 1000
ELEMENTS = 100_000

# What tells how often the settings of layers, optimizers and the like were changed, of all there are.
versions: list[Callable[[], int]] = []


def settings_now() -> tuple[int, ...]:
    """Another value than before when any setting was changed."""
    return tuple([version() for version in versions])


_MISSING = object()
_KNOWN = ("builtins", "numpy", "autograd_core")  # whose objects are values, and no places where values are kept


class Outside:
    """Values that a person's functions look up by name, as they were when they were recorded.

    Our own layers, losses and optimizers go by their settings, which are looked after elsewhere. Not looked at are
    the environment's variables, what a container holds in its fifth level, and arrays of more than 100,000 elements.
    """

    def __init__(self) -> None:
        self._seen: set[Any] = set()
        self._reads: dict[Any, tuple[str, Callable[[], Any]]] = {}
        self._live: Collection[int] = ()
        self._closely = False
        self._before: list[Any] = []

    def settle(self, live: Collection[int]) -> None:
        """Note all values. ``live`` are the ids of arrays in which a replay sees what is written to them later."""
        self._live = live
        # What was computed in the recording is nothing from outside, though a function inside looks it up there.
        self._reads = {key: (name, read) for key, (name, read) in self._reads.items() if not _recorded(read())}
        self._note_all()
        self._seen.clear()

    def look_closely(self) -> None:
        """Note what Tensors and larger arrays hold as well: something was computed from it before it was recorded."""
        self._closely = True
        self._note_all()

    def _note_all(self) -> None:
        self._before = [self._noted(read(), 0) for _, read in self._reads.values()]

    def changed(self) -> str | None:
        """The name of something that has another value by now, or None."""
        for (name, read), before in zip(self._reads.values(), self._before, strict=True):
            if self._noted(read(), 0) != before:
                return name
        return None

    def difference(self, other: Outside) -> str | None:
        """The name of something that had another value for another recording, or None."""
        for (key, (name, _)), before in zip(self._reads.items(), self._before, strict=True):
            if key in other._reads and other._before[list(other._reads).index(key)] != before:
                return name
        return None

    def of(self, function: Callable[..., Any]) -> None:
        """Note what comes with a function: the arguments that a partial one has already."""
        code = getattr(getattr(function, "func", None), "__code__", None)
        if isinstance(function, partial) and not (code and is_inside(code.co_filename)):
            self._meet("an argument of the function", id(function), lambda: function, ())

    def look(self, frame: Any, base: Any) -> None:
        """Find out what the functions that are running look up, from ``frame`` outwards to ``base``."""
        while frame is not None and frame is not base:
            if not is_inside(frame.f_code.co_filename):
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
            if isinstance(value, property):  # which is not asked: it may do anything
                getter = value.fget
                if isinstance(getter, types.FunctionType) and name not in getter.__code__.co_names:
                    self._look_at(owner, getter.__code__.co_names, path)
                    self._look_into(getter.__code__, getter.__globals__, getter.__closure__ or ())
            elif value is not _MISSING:
                self._meet(f"{path}.{name}", (id(owner), name), _attribute(owner, name), names)

    def _meet(self, name: str, key: Any, read: Callable[[], Any], names: Collection[str]) -> None:
        if key in self._reads:
            return
        value = read()
        if isinstance(value, partial):
            self._reads[key] = name, read
            self._meet(name, (key, "func"), lambda: value.func, names)
            return
        function = getattr(value, "__func__", value)
        code = getattr(function, "__code__", None)
        if code is not None and is_inside(code.co_filename):
            return
        if isinstance(value, types.ModuleType) and is_inside(value.__file__ or ""):
            return
        self._reads[key] = name, read
        if code is not None:
            self._look_into(code, function.__globals__, function.__closure__ or ())
            self._look_at(getattr(value, "__self__", None), code.co_names, name)
            if function.__defaults__:
                self._meet(f"a default of {name}", (key, "defaults"), lambda: function.__defaults__, ())
        elif isinstance(value, list | tuple | dict) and len(value) <= ENTRIES:
            for i, item in enumerate(value.values() if isinstance(value, dict) else value):
                self._look_at(item, names, f"{name}[{i}]")
        else:
            self._look_at(value, names, name)

    def _noted(self, value: Any, depth: int) -> Any:
        """``value`` as something that can be compared with a later one, and that holds on to as little as possible."""
        if value is None or isinstance(value, str | int | float | complex | np.generic):
            return [value]  # in a list, where NaN equals itself
        if isinstance(value, list | tuple | set | frozenset | dict) and len(value) <= ENTRIES and depth < 4:
            items = [*value, *value.values()] if isinstance(value, dict) else value
            return [type(value), *(self._noted(item, depth + 1) for item in items)]
        if isinstance(value, Tensor):
            return [_Same(value), self._noted(value.node.out, depth) if self._closely else _Same(value.node.out)]
        few = ELEMENTS if self._closely else ENTRIES
        if isinstance(value, np.ndarray) and value.size <= few and id(owner_of(value)) not in self._live:
            return [value.shape, value.dtype, _contents(value)]
        if isinstance(value, partial):
            return [_Same(value.func), self._noted(value.args, depth + 1), self._noted(value.keywords, depth + 1)]
        if type(value) is np.random.Generator:  # a Source is recorded
            return [_Same(value), repr(value.bit_generator.state)]
        return _Same(value)


def _contents(array: Any) -> Any:
    """The bytes of a small array; of a larger one a number that other contents would hardly have."""
    data = array.tobytes()
    return data if len(data) <= ENTRIES else zlib.crc32(data)


def _recorded(value: Any) -> bool:
    data = value.node.out if isinstance(value, Tensor) else value
    return isinstance(data, Traced)


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
