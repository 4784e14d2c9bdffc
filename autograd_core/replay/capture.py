"""The door: when a function is recorded, when its program is trusted, and when it simply runs."""

from __future__ import annotations

import functools
import itertools
import operator
import os
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from .. import graph
from ..debugging import place_of_caller
from ..graph import Node, mode
from ..tensor import Tensor, wrap
from ..transforms import leaves, rebuild
from .planning import Unplannable, plan
from .recording import Escape, Place, Recording, Traced, active
from .running import GuardFailed, Program, _bytes

# How many programs one function keeps; beyond that the oldest goes.
KEPT = 16


class ReplayWarning(UserWarning):
    """A function that cannot be replayed, and so runs as it is: right, but slower.

    >>> import warnings, autograd_core as ag
    >>> f = ag.replay(lambda x: x * 2 if x[0] > 0 else x)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     y = [f(np.array([1.0])) for i in range(3)]
    >>> caught[0].category.__name__
    'ReplayWarning'
    """


class Cell(Protocol):
    """Something that holds an array between calls: state."""

    value: Any


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


class _Captured:
    """What is known of one combination of shapes and dtypes."""

    def __init__(self) -> None:
        self.calls = 0
        self.first: tuple[Recording, _Results] | None = None
        self.program: Program | None = None
        self.results: _Results | None = None
        self.refused: str | None = None


class _Results:
    """What a recorded function returned: a structure, with arrays from the record where they came from there."""

    def __init__(self, value: Any, recording: Recording):
        self.tree = rebuild(value, itertools.repeat(0))
        self.is_tensor = [isinstance(v, Tensor) for v in leaves(value)]
        arrays = [v.data if isinstance(v, Tensor) else v for v in leaves(value)]
        self.places = [recording.place(a.array) if isinstance(a, Traced) else None for a in arrays]
        # The most frequent form, in a quicker way.
        self.flat_tensors = type(value) is tuple and all(self.is_tensor) and None not in self.places
        self.flat_tensors = self.flat_tensors and len(value) == len(arrays)
        # What is not in the record is the same for every batch.
        self.fixed = [None if isinstance(a, Traced) else a for a in arrays]
        self.values = [a.array if isinstance(a, Traced) else a for a in arrays]

    def with_values(self, found: Sequence[Any]) -> Any:
        """The structure, holding these values where the record gave them."""
        if self.flat_tensors:
            return tuple([wrap(Node(v, False)) for v in found])
        new = iter(found)
        filled = [f if p is None else next(new) for p, f in zip(self.places, self.fixed, strict=True)]
        return rebuild(
            self.tree,
            (wrap(Node(v, False)) if t else v for v, t in zip(filled, self.is_tensor, strict=True)),
        )


_all: weakref.WeakSet[Replay] = weakref.WeakSet()


def _renew_locks() -> None:
    """In a process that was forked off: whoever held a lock then is not here."""
    for made in list(_all):
        made._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


class Replay:
    """A function of arrays that is recorded on its second and third call with the same shapes, then replayed.

    ``state`` gives the cells that the function may change; they are changed in place. Nothing is trusted before
    two recordings agreed and one replay gave what the function itself gave. A function that cannot be captured
    runs as it is, and a `ReplayWarning` says so once, with the line and the reason.

    >>> import autograd_core as ag
    >>> f = ag.replay(lambda x: np.tanh(x) * 2)
    >>> for i in range(4):
    ...     y = f(np.array([1.0 * i]))
    >>> len(f.programs), np.array_equal(y, 2 * np.tanh([3.0]))
    (1, True)
    """

    def __init__(self, function: Callable[..., Any], state: Callable[[], Iterable[Cell]] = tuple, name: str = ""):
        self.function = function
        self.name = name or getattr(function, "__name__", "the function")
        self._state_of = state
        self._cells: list[Cell] = []
        self._arrays: list[Any] = []
        self._captured: dict[Any, _Captured] = {}
        self._warned = False
        self._lock = threading.RLock()
        _all.add(self)

    def __call__(self, *args: Any) -> Any:
        if mode.debugging or active.recording is not None:
            return self.function(*args)
        nested = any(isinstance(a, list | tuple | dict) for a in args)
        given = list(leaves(args)) if nested else args
        key = self._key(args, given, nested)
        if key is None:
            return self.function(*args)
        with self._lock:
            return self._call(key, args, given)

    def _key(self, args: Any, given: Sequence[Any], nested: bool) -> Any:
        """Shapes and dtypes, and whatever else is no array; None where there is nothing to replay on."""
        key: list[Any] = [mode.recording]
        for value in given:
            if isinstance(value, np.ndarray | np.generic):
                key += (value.shape, value.dtype)
            elif isinstance(value, Tensor):
                if value.requires_grad and mode.recording:
                    return None
                key.append((value.shape, value.dtype, "Tensor"))
            elif value is None or isinstance(value, int | float | str):
                key.append((type(value), value))
            else:
                return None
        if nested:
            key.append(repr(rebuild(args, iter(range(len(given))))))
        return tuple(key)

    def _call(self, key: Any, args: Any, given: Sequence[Any]) -> Any:
        captured = self._captured.get(key)
        if captured is None:
            captured = self._captured[key] = _Captured()
            while len(self._captured) > KEPT:
                del self._captured[next(iter(self._captured))]
        program = captured.program
        if program is not None:
            if self._unmoved():
                try:
                    return self._run(captured, program, given)
                except GuardFailed:
                    return self._eagerly(args)
            self.forget()
            captured = self._captured[key] = _Captured()
        captured.calls += 1
        if captured.refused is not None or captured.calls == 1:
            return self._eagerly(args)
        if captured.first is not None and not self._unmoved():
            self.forget()
            captured = self._captured[key] = _Captured()
        return self._record(captured, args, given)

    def _eagerly(self, args: Any) -> Any:
        """The function itself; what it put in other memory goes back to where the programs look for it."""
        if not self._unmoved():
            self.forget()
        try:
            return self.function(*args)
        finally:
            for cell, array in zip(self._cells, self._arrays, strict=True):
                if cell.value is not array and cell.value.shape == array.shape and cell.value.dtype == array.dtype:
                    np.copyto(array, cell.value)
                    cell.value = array

    def forget(self) -> None:
        """Drop all programs: what they were recorded from has changed."""
        self._captured.clear()
        self._cells, self._arrays = [], []

    def _unmoved(self) -> bool:
        """Whether state is where it was when it was recorded."""
        return all(map(operator.is_, [cell.value for cell in self._cells], self._arrays))

    def _run(self, captured: _Captured, program: Program, given: Sequence[Any]) -> Any:
        found = program([_array(v) for v in given if isinstance(v, np.ndarray | np.generic | Tensor)])
        self._stamp()
        assert captured.results is not None
        return captured.results.with_values(found)

    def _stamp(self) -> None:
        """Tell the engine that graphs recorded before this step are of other values."""
        graph.stamp([cell.node for cell in self._cells if type(cell) is TensorCell], place_of_caller()[:2])

    # -- recording -------------------------------------------------------------------------------------

    def _record(self, captured: _Captured, args: Any, given: Sequence[Any]) -> Any:
        if captured.first is None and not self._cells:
            self._cells = list(self._state_of())
            self._arrays = [cell.value for cell in self._cells]
        recording = Recording()
        try:
            results = self._recorded(recording, args, given)
        except Escape as escape:
            recording.undo()
            return self._refuse(captured, recording.escaped or str(escape), args)
        if recording.escaped:  # the function caught the exception
            recording.undo()
            return self._refuse(captured, recording.escaped, args)
        returned = results.with_values([v for v, p in zip(results.values, results.places, strict=True) if p])
        if captured.first is None:
            _forget_saved(recording)
            results.values = []
            captured.first = recording, results
            return _owned(returned)
        try:
            difference = _difference(*captured.first, recording, results)
            if difference is None:
                difference = self._trust(captured, recording, results)
        except Unplannable as error:
            difference = str(error)
        captured.first = None
        if difference is not None:
            captured.refused = difference
            self._warn(difference)
        _forget_saved(recording)
        results.values = []
        return _owned(returned)

    def _recorded(self, recording: Recording, args: Any, given: Sequence[Any]) -> _Results:
        """Run the function on Traced values, with state Traced as well."""
        replaced: list[Any] = []
        for value in given:
            if isinstance(value, Tensor):
                replaced.append(wrap(Node(recording.input(np.asarray(value.data)), False)))
            elif isinstance(value, np.ndarray | np.generic):
                replaced.append(recording.input(value))
            else:
                replaced.append(value)
        try:
            for cell, array in zip(self._cells, self._arrays, strict=True):
                cell.value = recording.state(array)
            with recording:
                value = self.function(*rebuild(args, iter(replaced)))
                for cell, array in zip(self._cells, self._arrays, strict=True):
                    now = cell.value
                    if not (isinstance(now, Traced) and now.array is array):  # rebound to a new value
                        recording.copy_into(Traced(array, recording), now)
                return _Results(value, recording)
        finally:
            for cell, array in zip(self._cells, self._arrays, strict=True):
                cell.value = array

    def _trust(self, captured: _Captured, recording: Recording, results: _Results) -> str | None:
        """Plan the program, and replay the recorded call with it; what differs, if anything does."""
        places = [p for p in results.places if p is not None]
        inputs = [memory.array for memory in recording.inputs]
        program = Program(plan(recording, places))
        after = {id(g): g.bit_generator.state for g, _ in recording.generators.values()}
        changed = [memory for memory in recording.states if memory.saved is not None]
        for generator, state in recording.generators.values():
            generator.bit_generator.state = state
        for memory in changed:
            _swap(memory.array, memory.saved)  # now the state is as before, and what was computed is kept
        try:
            found = program(inputs)
        except GuardFailed:
            found = []
        expected = [v for v, p in zip(results.values, results.places, strict=True) if p is not None]
        wrong = None
        if len(found) != len(expected):
            wrong = "a decision came out otherwise in the replay"
        elif not all(_close(a, b) for a, b in zip(found, expected, strict=True)):
            wrong = "the replay returned other values"
        elif not all(_close(memory.array, memory.saved) for memory in changed):
            wrong = "the replay left another state"
        elif any(g.bit_generator.state != after[id(g)] for g, _ in recording.generators.values()):
            wrong = "the replay drew other random numbers"
        for memory in changed:
            memory.array[...] = memory.saved
        for generator, _ in recording.generators.values():
            generator.bit_generator.state = after[id(generator)]
        if wrong is not None:
            return f"{wrong} than {self.name} itself"
        captured.program, captured.results = program, results
        return None

    def _refuse(self, captured: _Captured, reason: str, args: Any) -> Any:
        captured.refused, captured.first = reason, None
        self._warn(reason)
        return self._eagerly(args)

    def _warn(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"{self.name} cannot be replayed and runs eagerly, which is slower and gives the same: {reason}",
                ReplayWarning,
                stacklevel=5,
            )

    # -- looking in ------------------------------------------------------------------------------------

    @property
    def programs(self) -> list[Program]:
        """The programs so far, one for each combination of shapes and dtypes."""
        return [c.program for c in self._captured.values() if c.program is not None]

    def show(self) -> str:
        """The schedule of the program that was recorded last, as text."""
        from .showing import text

        if not self.programs:
            reasons = [c.refused for c in self._captured.values() if c.refused]
            return f"{self.name} has no program: {reasons[-1] if reasons else 'it needs three calls of one shape'}"
        return text(self.programs[-1].schedule)


def replay(function: Callable[..., Any], *, state: Sequence[Any] = ()) -> Any:
    """``function``, recorded at its NumPy calls and replayed for arguments of the same shapes and dtypes.

    ``function`` takes and returns numbers, arrays, and lists, tuples and dicts of them, and always computes the
    same way. ``state`` lists the Tensors that it changes. The first call with new shapes runs as it is; the
    second and third are recorded and compared.

    >>> import autograd_core as ag
    >>> slope = replay(ag.grad(lambda x: np.sum(np.sin(x))))
    >>> for n in range(5):
    ...     g = slope(np.array([0.0, n]))
    >>> print(np.allclose(g, np.cos([0.0, 4.0])), len(slope.programs))
    True 1
    """
    made = Replay(function, lambda: [TensorCell(t) for t in state])
    functools.update_wrapper(made, function)
    return made


# -- comparing ---------------------------------------------------------------------------------------------


def _forget_saved(recording: Recording) -> None:
    for memory in recording.states:
        memory.saved = None


def _owned(tree: Any) -> Any:
    """``tree`` with arrays that are nobody's view."""

    def own(value: Any) -> Any:
        if isinstance(value, Tensor):
            return wrap(Node(own(value.data), False))
        if isinstance(value, np.ndarray):
            return value.copy(order="K") if value.ndim else value[()]
        return value

    return rebuild(tree, (own(v) for v in leaves(tree)))


def _array(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def _swap(a: Any, b: Any) -> None:
    kept = a.copy()
    a[...] = b
    b[...] = kept


def _close(a: Any, b: Any) -> bool:
    """Whether two results agree up to the order of sums."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"):
        return True
    if a.dtype.kind not in "fc":
        return False
    tolerance = 100 * np.finfo(a.dtype).eps
    with np.errstate(all="ignore"):
        scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=0))
        return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance * scale, equal_nan=True))


def _difference(a: Recording, a_results: _Results, b: Recording, b_results: _Results) -> str | None:
    """What two recordings do not agree in, which a replay would freeze; None when they agree."""
    pairs: dict[Any, Any] = {}
    for m, n in zip((*a.inputs, *a.states), (*b.inputs, *b.states), strict=True):
        pairs[m] = n
    for x, y in zip(a.calls, b.calls, strict=False):
        name = getattr(x.function, "__name__", "a function")
        if x.function != y.function or len(x.results) != len(y.results):
            return f"two recordings took different ways, at {_where(y)}"
        what = (
            _unequal((x.args, x.kwargs), (y.args, y.kwargs), pairs)
            or _unequal(x.results, y.results, pairs)
            or _unequal(x.writes, y.writes, pairs)
        )
        if what:
            return f"{name} at {_where(y)} {what} from one call to the next, and a replay would freeze it"
    if len(a.calls) != len(b.calls) or [(g.expected, g.position) for g in a.guards] != [
        (g.expected, g.position) for g in b.guards
    ]:
        return "two recordings took different ways"
    if _unequal((a_results.places, a_results.fixed), (b_results.places, b_results.fixed), pairs):
        return "what it returns is not computed from what it was given alone"
    return None


def _where(call: Any) -> str:
    return f"{call.where[0]}:{call.where[1]}"


def _unequal(x: Any, y: Any, pairs: dict[Any, Any]) -> str | None:
    """How two operands differ, in words that follow the name of a function."""
    if isinstance(x, Place) and isinstance(y, Place):
        if (x.shape, x.dtype) != (y.shape, y.dtype):
            return f"meets different shapes ({x} and {y})"
        partner = pairs.setdefault(x.memory, y.memory)
        if partner is not y.memory or (x.offset, x.strides) != (y.offset, y.strides):
            return "meets different arrays"
        if x.memory.kind == "constant" and x.memory.array is not y.memory.array:
            a, b = _constant(x), _constant(y)
            if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                return "meets a plain array that differs"
        return None
    if type(x) is not type(y):
        return "meets different values"
    if isinstance(x, list | tuple):
        if len(x) != len(y):
            return "meets different numbers of values"
        return next((what for u, v in zip(x, y, strict=True) if (what := _unequal(u, v, pairs))), None)
    if isinstance(x, dict):
        if x.keys() != y.keys():
            return "meets different options"
        return next((what for k in x if (what := _unequal(x[k], y[k], pairs))), None)
    if isinstance(x, slice):
        return _unequal((x.start, x.stop, x.step), (y.start, y.stop, y.step), pairs)
    if isinstance(x, np.ndarray):
        return None if np.array_equal(x, y) else "meets a plain array that differs"
    return None if x == y or (x != x and y != y) else f"meets a number that differs ({x!r}, then {y!r})"


def _constant(place: Place) -> Any:
    return np.ndarray(place.shape, place.dtype, _bytes(place.memory.array), place.offset, place.strides)
