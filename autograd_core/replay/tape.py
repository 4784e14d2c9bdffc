"""The tape: what a function does, noted at the calls that reach NumPy.

A `Traced` stands in for each array. Every NumPy call that it meets is carried out and noted as an instruction, with
its operands known by where they lie in memory. So views need no declaration, and neither does an op: forwards and
rules run unchanged, and what they read and write is seen because they run.

Recording never changes what is computed. Where a value leaves the record there is a graph break, with the line and the
reason: nothing more is recorded, and the computation goes on with the value.
"""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from .. import tree
from ..caller import is_inside, line_of_caller, shown_line, what_for
from ..errors import ReplayError
from .checks import nobody_listens
from .effects import VIEWING, copied, name_of, raises_for_values
from .ir import Buffer, BufferView, Guard, Instruction, owner_of
from .traced import Traced, unwrapped


class _Active(threading.local):
    recording: Recording | None = None


active = _Active()


class Recording:
    """A context manager: the instructions between entering and leaving it that involve its Traced values.

    A ``strict`` one, of a function of that ``name``, raises a `ReplayError` where a value leaves the record. It keeps
    what the function overwrites, so that `undo` leaves nothing half-written.
    """

    def __init__(self, strict: bool = False, name: str = "the function") -> None:
        self.strict, self.name = strict, name
        self._before: dict[Buffer, tuple[Any, Any]] = {}  # what was overwritten, and what was there
        self.instructions: list[Instruction] = []
        self.guards: list[Guard] = []
        self.inputs: list[BufferView] = []
        self.written: set[Buffer] = set()  # those of the inputs that are written to
        self.states: list[Buffer] = []
        self.broken: str | None = None  # why there was a graph break
        self.transient: str | None = None  # what happened this time only, so that it is not what every call does
        self.changed_state = False
        self.finished = False
        self.thread = threading.get_ident()
        self.exposed: list[Any] = []  # what may be looked into by pointer
        self.errors = np.geterr()
        self.picked: tuple[int, int] | None = None  # which instruction took a part out of an array
        self.overwritten: tuple[BufferView, Any] | None = None  # where it put one, and what was there
        self.generators: dict[int, tuple[Any, Any]] = {}
        self.traced: list[weakref.ref[Traced]] = []
        # By the id of the array that owns the memory. Scratch is held weakly, so that a recording keeps no
        # more alive than the function itself; the weak reference takes the entry away with the array.
        self._known: dict[int, tuple[Buffer, Any]] = {}

    def __enter__(self) -> Recording:
        active.recording = self
        self._base = sys._getframe(1)
        return self

    def __exit__(self, *exc: object) -> None:
        active.recording = None
        self.finished = True
        self._known.clear()
        self.traced.clear()
        del self._base

    # -- what there is at the beginning ----------------------------------------------------------------

    def input(self, array: Any) -> Traced:
        """A value that each call brings anew: the caller's own memory, as an array that is nobody's view."""
        scalar = isinstance(array, np.generic)
        own = np.array(array) if scalar else np.asarray(memoryview(array))
        self._learn(own, "input")
        self.inputs.append(self.view_of(own))
        return Traced(own, self, scalar)

    def state(self, array: Any) -> Traced:
        """A value that stays where it is between calls, and may be changed there."""
        known = self._lookup(array)
        if known is None or known.kind != "state":
            self.states.append(self._learn(owner_of(array), "state"))
        return Traced(array, self)

    def _learn(self, owner: Any, kind: Literal["input", "state", "constant", "scratch"]) -> Buffer:
        low, high = np.lib.array_utils.byte_bounds(owner)
        buffer = Buffer(kind, high - low, low, owner if kind in ("state", "constant") else None)
        key = id(owner)
        if kind == "scratch":
            known = self._known

            def forget(_: Any) -> None:
                known.pop(key, None)

            self._known[key] = (buffer, weakref.ref(owner, forget))
        else:
            self._known[key] = (buffer, owner)
        return buffer

    def may_be_told_apart(self, a: Any, b: Any) -> bool:
        """Whether two arrays lie in different buffers that a caller might have made one."""
        buffers = {self.view_of(unwrapped(x)).buffer for x in (a, b)}
        return len(buffers) == 2 and not any(buffer.kind == "scratch" for buffer in buffers)

    def _lookup(self, array: Any) -> Buffer | None:
        found = self._known.get(id(owner_of(array)))
        return None if found is None else found[0]

    def view_of(self, array: Any) -> BufferView:
        """Where an array lies. What was never seen before came from outside the record: a constant."""
        buffer = self._lookup(array) or self._learn(owner_of(array), "constant")
        offset = array.__array_interface__["data"][0] - buffer.address
        return BufferView(buffer, offset, array.shape, array.strides, array.dtype)

    # -- noting calls ----------------------------------------------------------------------------------

    def run(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        *,
        noted: Callable[..., Any] | None = None,
        has_side_effects: bool = False,
    ) -> Any:
        """Carry out a call that makes something new, and note it unless all it made are views."""
        if args and function in VIEWING and isinstance(args[0], Traced) and args[0].scalar:
            return self._shaped(function, args, kwargs or {})
        plain, viewed, reads = self._operands(args, kwargs or {})
        value = self._carry_out(function, *plain)
        results: list[BufferView | None] = []
        traced = self._results(value, results, function)
        if any(p is not None for p in results) or has_side_effects:
            noted_args, noted_kwargs = (viewed[0][:1], {}) if noted is copied else viewed
            self._note(noted or function, noted_args, noted_kwargs, tuple(results), (), reads, has_side_effects)
        elif results:
            seen = {self.view_of(leaf).buffer for leaf in tree.leaves(value) if isinstance(leaf, np.ndarray)}
            if any(p.buffer not in seen and p.buffer.kind != "constant" for p in reads):
                self.graph_break(f"{name_of(function)} makes a view that depends on the data")
        return traced

    def _shaped(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A scalar in another shape: what NumPy makes of it is an array of its own, unless nobody can write to it."""
        scalar, *others = args
        value = function(*unwrapped(args), **unwrapped(kwargs))
        if isinstance(value, np.generic):
            return scalar
        writable = isinstance(value, np.ndarray) and value.flags.writeable
        array = self.run(np.array, (scalar,), noted=copied) if writable else Traced(scalar.array, self)
        return self.run(function, (array, *others), kwargs)

    def write(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], target: Any) -> None:
        """Carry out and note a call that changes ``target`` by itself."""
        plain, viewed, reads = self._operands(args, kwargs)
        self._carry_out(function, *plain)
        self._note(function, viewed[0], viewed[1], (), (self._view_of(target),), reads)

    def into(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], target: Any) -> None:
        """Carry out and note a ufunc whose result goes into memory that exists."""
        (plain, _), viewed, reads = self._operands(args, kwargs)
        self._carry_out(function, plain, {"out": unwrapped(target), **kwargs})
        self._note(function, viewed[0], viewed[1], (self._view_of(target),), (), reads)

    def _carry_out(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """The call itself. An error that values may raise is for the function to catch, and shows no usual way."""
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if raises_for_values(function) or not nobody_listens():
                self.transient = f"{name_of(function)} raised {type(error).__name__}, at {line_of_caller()}"
            raise

    def copy_into(self, target: Any, value: Any, casting: Any = "unsafe") -> None:
        """``target[...] = value``."""
        if isinstance(value, list | tuple):
            value = np.asarray(value)
        ((plain,), _), (viewed, _), reads = self._operands((value,), {})
        if viewed == (self._view_of(target),):  # x[0] += 1 ends in x[0] = x[0]
            return
        np.copyto(unwrapped(target), plain, casting=casting)
        self._note(copied, viewed, {}, (self._view_of(target),), (), reads)

    def guard(self, condition: Traced) -> bool:
        """The truth of a condition, which a replay must find again."""
        value = bool(condition.array)
        self.guards.append(
            Guard(self.view_of(condition.array), value, len(self.instructions), what_for(sys._getframe(1), self._base))
        )
        return value

    def graph_break(self, what: str, instead: str = "") -> None:
        """Note that a value leaves the record, where, and what to write instead.

        From here on each Traced is just the array that it holds; a strict recording ends here.
        """
        fix = f"; instead, {instead}" if instead else ""
        self.broken = self.broken or f"{what}, at {line_of_caller()}{fix}"
        if self.strict:
            raise self.error(self.broken)

    def error(self, reason: str) -> ReplayError:
        """What a strict recording raises."""
        return refusal(self.name, reason)

    def undo(self) -> None:
        """Put back what was overwritten, and let all generators stand where they stood."""
        for now, before in self._before.values():
            np.copyto(now, before)
        self.rewind()

    def used_in_other_thread(self, array: Any) -> None:
        """A graph break, because another thread than the one that records computes with a value."""
        if self._lookup(array) is None:  # of a recording that follows no memory
            return
        frame = sys._current_frames().get(self.thread)
        while frame is not None and is_inside(frame.f_code.co_filename):
            frame = frame.f_back
        where = f", at {shown_line(frame.f_code.co_filename, frame.f_lineno)}" if frame else ""
        self.broken = self.broken or f"another thread computes with a value that is being recorded{where}"

    def scan_for_kept(self) -> None:
        """The function is done: a graph break if something still holds a value, such as an attribute or a list.

        A replay does not pass there: what is held would stay that of the recorded batch. State is the exception,
        since it is what it is.
        """
        self.overwritten = None
        kept = self._alive()
        if kept and gc.collect() is not None:  # it may be a reference cycle
            kept = self._alive()
        if kept:
            made = (inst.where for inst in self.instructions for p in inst.results if p and p.buffer is kept[0].buffer)
            file, line = next(made, ("", 0))
            self.broken = (
                f"a value ({kept[0]}) is kept by the function, in an attribute or a list"
                + (f", made at {file}:{line}" if file else ", one of its arguments")
                + "; instead, return it"
            )

    def _alive(self) -> list[BufferView]:
        traced = (ref() for ref in self.traced)
        views = [self.view_of(t.array) for t in traced if t is not None]
        return [p for p in views if p.buffer.kind != "state"]

    def _note(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        results: tuple[BufferView | None, ...],
        writes: tuple[BufferView, ...],
        reads: tuple[BufferView, ...],
        has_side_effects: bool = False,
    ) -> None:
        errors: Any = np.geterr()
        if not nobody_listens():
            self.transient = self.transient or f"NumPy's warnings are errors or are collected, at {line_of_caller()}"
        self.instructions.append(
            Instruction(
                function,
                args,
                kwargs,
                results,
                writes,
                what_for(sys._getframe(1), self._base),
                errors if errors != self.errors else None,
                has_side_effects,
                reads,
            )
        )

    def _operands(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, tuple[BufferView, ...]]:
        """Arguments by position and by name: as arrays, as views of buffers; and what is read."""
        reads: list[BufferView] = []

        def plain(leaf: Any) -> Any:
            if isinstance(leaf, Traced | np.ndarray):
                reads.append(self._view_of(leaf))
            return leaf.plain if isinstance(leaf, Traced) else leaf

        both = (args, kwargs)
        return tree.map(plain, both), tree.map(self._view_of, both), tuple(reads)

    def _view_of(self, leaf: Any) -> Any:
        array = leaf.array if isinstance(leaf, Traced) else leaf
        return self.view_of(array) if isinstance(array, np.ndarray) else leaf

    def _results(self, value: Any, results: list[BufferView | None], function: Any) -> Any:
        scalar = isinstance(value, np.generic)
        if scalar:
            value = np.array(value)
        if isinstance(value, np.ndarray):
            if value.dtype.kind not in "biufc":
                self.graph_break(f"{name_of(function)} made an array of dtype {value.dtype}")
                return value
            if self._lookup(value) is None:
                self._learn(owner_of(value), "scratch")
                results.append(self.view_of(value))
            else:
                results.append(None)
            return Traced(value, self, scalar)
        if isinstance(value, tuple | list):
            return tree.map(lambda part: self._results(part, results, function), value)
        self.graph_break(f"{name_of(function)} gives a {type(value).__name__}, which depends on the data")
        return value

    def can_change(self, target: Any) -> bool:
        """Whether a write to ``target`` can be followed: to state, and to what was made here; else a graph break."""
        buffer = self._lookup(unwrapped(target)) if isinstance(target, Traced | np.ndarray) else None
        if buffer is None or buffer.kind == "constant":
            self.graph_break(
                "writing a value that is being recorded into a plain array", "write into a copy of it, or return it"
            )
            return False
        if buffer.kind in ("state", "input"):
            self.changed_state = True
            if buffer.kind == "input":
                self.written.add(buffer)
            if self.strict and buffer not in self._before:
                owner = owner_of(unwrapped(target))
                self._before[buffer] = owner, owner.copy(order="K")
        return True

    def rewind(self) -> None:
        """Let all generators stand where they stood before this recording drew from them."""
        for generator, state in self.generators.values():
            generator.bit_generator.state = state

    def will_draw(self, generator: Any) -> None:
        """Remember where a generator stood before this recording drew from it."""
        self.generators.setdefault(id(generator), (generator, generator.bit_generator.state))


def refusal(name: str, reason: str) -> ReplayError:
    """The error for a function of that name that was promised to be replayable and is not."""
    return ReplayError(
        f"{name} cannot be replayed: {reason}. Arguments and declared state are live in a replay, everything "
        "else is that of the recording"
    )


def refuse(reason: str) -> None:
    """Say in what must not be recorded why it must not be; while nothing is recorded this does nothing.

    It raises no error: the function runs on, and a `ReplayWarning` gives the reason.

    >>> refuse("it asks somebody")
    """
    if active.recording is not None:
        active.recording.graph_break(reason)
