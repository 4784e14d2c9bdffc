"""The door: when a function is recorded, when its program is trusted, and when it simply runs."""

from __future__ import annotations

import functools
import operator
import random
import warnings
from collections.abc import Callable, Iterable, Sequence
from enum import Enum, auto
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from .. import graph, tree
from ..caller import level_of_caller, line_of_error, place_of_caller
from ..errors import ReplayError
from ..graph import Node
from ..mode import mode
from ..tensor import Tensor, wrap
from . import compiled, threads
from .calls import Memory, Unplannable, owner_of
from .comparing import Results, difference, has_a_graph, mistake
from .conditions import Modes, error_modes, nobody_listens
from .planning import plan, shared_out
from .recording import Recording, active
from .running import Program, give_back
from .state import Cell, TensorCell, Turns
from .threads import limited
from .traced import Traced, unwrapped

# How many programs one function keeps; beyond that the oldest goes.
KEPT = 16

# Seconds that a program has run when its chains are compiled, which takes one or two: it will run for longer.
WORTH_IT = 5.0

# After so many recordings or rehearsals that told nothing, because calls raised errors, no more are made.
IN_VAIN = 8

# Why there is no program yet.
FOUR = "it needs four calls of one shape, from the same state on"

# For isinstance at each call, where a union of classes would be made anew.
_ARRAYS = np.ndarray, np.generic
_PLAIN = np.ndarray, np.memmap
_NUMBERS = frozenset({bool, int, str})


class ReplayWarning(UserWarning):
    """Something that costs time and that nobody asked for: as many programs as there are numbers, or numba that fails.

    >>> import warnings, autograd_core as ag
    >>> f = ag.replay(lambda x, rate: x * rate)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     y = [f(np.array([1.0]), 0.1 * i) for i in range(20)]
    >>> caught[0].category.__name__
    'ReplayWarning'
    """


class Stage(Enum):
    """How far a function has come with one combination of shapes, dtypes and numbers."""

    NEW = auto()  # never called
    SEEN = auto()  # called once, as it is
    RECORDED = auto()  # recorded once
    AGREED = auto()  # two recordings are the same
    PROVED = auto()  # its program gave what the function gives
    EAGER = auto()  # it runs as it is, and nobody is at fault
    REFUSED = auto()  # it is no function that could be replayed: an error, if that was promised


class _Captured:
    """What is known of one combination."""

    def __init__(self) -> None:
        self.stage = Stage.NEW
        self.retried = False  # two recordings may differ because something had just been changed
        self.in_vain = 0  # how many recordings or rehearsals told nothing
        self.first: tuple[Recording, Results] | None = None
        self.program: Program | None = None
        self.results: Results | None = None
        self.runs = 0
        self.seconds = 0.0  # that its program has run
        self.reason = ""  # why it is refused, or why it ran as it is the last time


class Replay:
    """A function of arrays that is recorded on its second and third call with the same shapes, then replayed.

    ``state`` gives the cells that the function may change; they are changed in place. Nothing is trusted before
    two recordings agreed and one replay gave what the function itself, unrecorded, gave for the fourth. Where a
    function cannot be captured, a ``strict`` one raises a `ReplayError`, and any other one runs it as it is; `show`
    tells why. ``turns`` is shared by those that share state. For ``numba``, ``check`` and ``exact`` see `replay`.

    >>> import autograd_core as ag
    >>> f = ag.replay(lambda x: np.tanh(x) * 2)
    >>> for i in range(4):
    ...     y = f(np.array([1.0 * i]))
    >>> len(f.programs), np.array_equal(y, 2 * np.tanh([3.0]))
    (1, True)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        state: Callable[[], Iterable[Cell]] = tuple,
        name: str = "",
        turns: Turns | None = None,
        numba: bool | str = "auto",
        strict: bool = False,
        check: int = 0,
        exact: bool = False,
    ):
        self.function = function
        self.name = name or getattr(function, "__name__", "the function")
        self._state_of = state
        self._cells: list[Cell] = []
        self._arrays: list[Any] = []
        self._nodes: list[Node] = []  # of those cells that hold a Tensor, which come first
        self._owners: set[int] = set()  # the ids of the arrays in which state lies
        self._captured: dict[Any, _Captured] = {}
        self._warned = False
        self._declined = ""  # why the last call could not even be tried
        self._moved = ""  # why everything was forgotten the last time
        self._turns = turns or Turns()
        self._strict, self._check, self._exact = strict, check, exact
        self._compiles = bool(numba) and not exact and compiled.available()
        self._patience = WORTH_IT if numba == "auto" else 0.0

    def __call__(self, *args: Any) -> Any:
        if mode.debugging or active.recording is not None:
            return self.function(*args)
        nested = tree.nested(args)
        given = tree.leaves(args) if nested else args
        key = self._key(args, given, nested)
        if key is None:
            return self.function(*args)
        with self._turns:
            return self._call(key, args, given)

    def _key(self, args: Any, given: Sequence[Any], nested: bool) -> Any:
        """Shapes and dtypes, and whatever else is no array; None where there is nothing to replay on."""
        key: list[Any] = [mode.recording, error_modes()]
        for value in given:
            if type(value) is np.ndarray or isinstance(value, _ARRAYS):
                key += (value.shape, value.dtype)
                if isinstance(value, np.generic):
                    key.append("scalar")  # which nobody writes into, and which is a number
                elif type(value) not in _PLAIN:
                    return self._decline(value)  # which may compute in a way of its own
                else:
                    flags = value.flags
                    if not flags.c_contiguous:
                        key.append(value.strides)
                    if not flags.writeable:
                        key.append("read-only")
                if value.dtype.kind not in "biufc":
                    return self._decline(value)
            elif value is None:
                key.append(None)
            elif isinstance(value, Tensor):
                data = value.data
                if (value.requires_grad and mode.recording) or not isinstance(data, _ARRAYS):
                    return self._decline(value)
                flags = data.flags
                key.append((type(data), data.shape, data.dtype, flags.c_contiguous or data.strides, flags.writeable))
            elif type(value) in _NUMBERS:  # and no subclass, which may compute in a way of its own
                key.append((type(value), value))
            elif type(value) is float:
                key.append((float, repr(value)))  # which tells -0.0 from 0.0, and where NaN is NaN
            else:
                return self._decline(value)
        if len(set(map(id, given))) < len(given):
            key.append(_twice(given))
        if nested:
            key.append(tree.structure(args))
        return tuple(key)

    def _decline(self, value: Any) -> None:
        what = f"a {type(value).__name__}"
        if isinstance(value, Tensor):
            what = f"a Tensor that {'needs a gradient' if value.requires_grad else 'lies on another device'}"
        if isinstance(value, _ARRAYS) and value.dtype.kind not in "biufc":
            what = f"an array of dtype {value.dtype}"
        self._declined = f"{what} is among its arguments, which are arrays, numbers and text where it is replayed"

    def _call(self, key: Any, args: Any, given: Sequence[Any]) -> Any:
        captured = self._captured.get(key)
        if captured is None:
            captured = self._begin(key)
        if captured.stage is Stage.REFUSED and self._strict:
            raise self._error(captured.reason)
        if captured.stage in (Stage.REFUSED, Stage.EAGER):
            return self._eagerly(args)
        why = self._not_now(given, key[1])
        if why:
            captured.reason = why
            return self._eagerly(args)
        if not self._unmoved():  # what is known, of any shape, is of other arrays than those that are state now
            self._forget_moved()
            captured = self._begin(key)
        program = captured.program
        if program is not None:
            return self._replayed(captured, program, args, given)
        if captured.stage is Stage.NEW:
            return self._seen(captured, args)
        if captured.stage is Stage.AGREED:
            return self._prove(captured, args, given)
        return self._record(captured, args, given)

    def _begin(self, key: Any) -> _Captured:
        captured = self._captured[key] = _Captured()
        while len(self._captured) > KEPT:
            if self._captured.pop(next(iter(self._captured))).program is None:
                self._warn(
                    f"{self.name} runs as it is, which is slower and gives the same: it was called with more than "
                    f"{KEPT} combinations of shapes and numbers; hand a number that changes over as an array without "
                    "axes, np.asarray(0.1)"
                )
        return captured

    def _not_now(self, given: Sequence[Any], modes: Modes) -> str:
        """Why this call has to be the function's own, or nothing."""
        if not nobody_listens(modes):
            return "NumPy's warnings are errors, or are called or collected"
        owners = self._owners
        for value in given if owners else ():
            if type(value) is np.ndarray:
                base = value.base  # of views NumPy keeps the owner only
                if id(value if base is None else base if type(base) is np.ndarray else owner_of(value)) in owners:
                    return "an argument lies in the memory of state"
        return ""

    def _eagerly(self, args: Any) -> Any:
        """The function itself; what it put in other memory goes back to where the programs look for it."""
        if not self._unmoved():
            self._forget_moved()
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
        self._cells, self._arrays, self._nodes = [], [], []
        self._owners.clear()

    def _forget_moved(self) -> None:
        """Drop all programs, and note which state lies elsewhere now."""
        moved = [c.name for c, array in zip(self._cells, self._arrays, strict=True) if c.value is not array]
        self.forget()
        self._moved = f"{moved[0] or 'its state'} was assigned another array since, and all begins anew: {FOUR}"

    def _unmoved(self) -> bool:
        """Whether state is where it was when it was recorded."""
        now = [node.out for node in self._nodes]
        now += [cell.value for cell in self._cells[len(now) :]]
        return all(map(operator.is_, now, self._arrays))

    # -- replaying -------------------------------------------------------------------------------------

    def _replayed(self, captured: _Captured, program: Program, args: Any, given: Sequence[Any]) -> Any:
        if self._check:
            captured.runs += 1
            if captured.runs % self._check == 0:
                return self._checked(captured, program, args, given)
        try:
            found = self._run(captured, program, given)
        except Exception as error:  # a guard, or what the function will raise too: all is as it was before
            captured.reason = f"the program raised {type(error).__name__}: {error}"
            return self._eagerly(args)
        self._stamp()
        assert captured.results is not None
        return captured.results.with_values(found)

    def _run(self, captured: _Captured, program: Program, given: Sequence[Any]) -> list[Any]:
        if not self._compiles or program.compiled:
            return program(_arrays(given))
        if captured.seconds >= self._patience:
            program = self._compiled(captured, program)
        begin = perf_counter()
        found = program(_arrays(given))
        captured.seconds += perf_counter() - begin
        return found

    def _checked(self, captured: _Captured, program: Program, args: Any, given: Sequence[Any]) -> Any:
        """What the function itself returns, if the program does the same; else an error, and all is as it was."""
        assert captured.results is not None
        arrays = _arrays(given)
        overwritten = [a for a in (*self._arrays, *arrays) if isinstance(a, np.ndarray) and a.flags.writeable]
        before = [array.copy(order="K") for array in overwritten]
        stood = [(g, g.bit_generator.state) for g in program.schedule.generators]
        try:
            rehearsal = program.rehearse(arrays)
        except Exception:  # a replay would be the function's own call too
            return self._eagerly(args)
        error: Exception | None = None
        try:
            returned = self._eagerly(args)
            reason = mistake(rehearsal, captured.results, returned, arrays, self._exact, self._names(program))
        except Exception as raised:
            reason, error = f"the function itself raised {type(raised).__name__}: {raised}", raised
        if reason is None:
            return returned
        for cell, array in zip(self._cells, self._arrays, strict=True):
            cell.value = array
        for array, was in zip(overwritten, before, strict=True):
            np.copyto(array, was)
        for generator, state in stood:
            generator.bit_generator.state = state
        raise ReplayError(
            f"a replay of {self.name} is not what the function does: {reason}. Something that it reads has changed "
            "since it was recorded, and is no argument and no declared state"
        ) from error

    def _compiled(self, captured: _Captured, program: Program) -> Program:
        """A program that has run for long, compiled."""
        try:
            schedule = compiled.with_loops(program.schedule)
        except Exception as error:  # of numba, which may not go with this NumPy or this machine
            self._compiles = False
            self._warn(
                f"{self.name} is not compiled and runs as before, with the same results: "
                f"{type(error).__name__}: {error}"
            )
            return program
        captured.program = None  # if this is interrupted it is recorded again
        program.renew(schedule)
        captured.program = program
        return program

    def _stamp(self) -> None:
        """Tell the engine that graphs recorded before this step are of other values."""
        graph.stamp(self._nodes, place_of_caller()[:2])

    # -- recording -------------------------------------------------------------------------------------

    def _seen(self, captured: _Captured, args: Any) -> Any:
        """The first call, as it is."""
        captured.stage = Stage.SEEN
        returned = self._eagerly(args)
        if has_a_graph(returned):
            self._refuse(
                captured,
                "it returns a Tensor that needs a gradient, and a replay makes no graph to walk back through; call "
                "backward() or grad inside the function, or return its data",
            )
        return returned

    def _record(self, captured: _Captured, args: Any, given: Sequence[Any]) -> Any:
        """Run the function, and note what it does; the second time hold it against the first."""
        if captured.first is None and not self._cells:
            self._find_state()
        recording = Recording(self._strict, self.name)
        try:
            results = self._recorded(recording, args, given)
        except Exception as error:
            if recording.escaped is not None and self._strict:
                recording.undo()
                self._refuse(captured, recording.escaped)
                if isinstance(error, ReplayError):
                    raise
                raise self._error(recording.escaped) from error  # NumPy has put an error of its own in its place
            if recording.changed_state and not self._strict:
                raise
            recording.undo()
            returned = self._eagerly(args)  # which raises it too, unless it is the recording that it cannot stand
            what = f"it raised {type(error).__name__} while it was recorded{line_of_error(error)}"
            self._refuse(captured, f"{what}: {error}")
            return returned
        reason = recording.escaped
        if reason is None and recording.passing is not None:
            self._in_vain(captured, recording.passing)
        elif reason is None and captured.first is None:
            captured.stage, captured.first = Stage.RECORDED, (recording, results)
        elif reason is None:
            assert captured.first is not None
            reason = difference(*captured.first, recording, results)
            if reason is None:
                captured.stage = Stage.AGREED
            elif captured.retried:
                captured.first = None
            else:
                captured.retried, captured.first, reason = True, (recording, results), None
        if reason is not None:
            self._refuse(captured, reason)
            if self._strict:
                recording.undo()
                raise self._error(reason)
        returned = _owned(results.with_values(results.values))
        results.values = []
        return returned

    def _find_state(self) -> None:
        """The cells, and the arrays in them, which programs change in place."""
        cells = list(self._state_of())
        self._nodes = [cell.node for cell in cells if type(cell) is TensorCell]
        # Those that hold a Tensor first, since a node is asked in less time than a cell.
        self._cells = sorted(cells, key=lambda cell: type(cell) is not TensorCell)
        for cell in self._cells:
            if isinstance(cell.value, np.generic):  # which nothing could be written into
                cell.value = np.array(cell.value)
        self._arrays = [cell.value for cell in self._cells]
        self._owners = {id(owner_of(array)) for array in self._arrays}

    def _prove(self, captured: _Captured, args: Any, given: Sequence[Any]) -> Any:
        """Run a program, take back what it changed, run the function as it is, and compare."""
        assert captured.first is not None
        recording, results = captured.first
        arrays = _arrays(given)
        reason: str | None
        try:
            schedule = plan(recording, [p for p in results.places if p is not None])
            give_back()  # a program needs memory of its own beside what the function itself used and has freed
            rehearsal = Program(schedule).rehearse(arrays)
        except Unplannable as error:
            captured.stage, captured.reason, captured.first = Stage.EAGER, str(error), None
            return self._eagerly(args)
        except Exception as error:  # this batch goes another way, or the function will raise it too
            returned = self._eagerly(args)
            self._in_vain(captured, f"its replay raised {type(error).__name__}: {error}")
            return returned
        returned = self._eagerly(args)
        reason = mistake(rehearsal, results, returned, arrays, self._exact, {})
        if reason is None:
            give_back()
            shared = schedule if self._exact else shared_out(schedule, threads.lanes())
            captured.program, captured.results = Program(shared), results
            captured.stage, captured.first = Stage.PROVED, None
        else:
            self._refuse(captured, reason)
        return returned

    def _in_vain(self, captured: _Captured, reason: str) -> None:
        """Note that this call told nothing about the usual one; after some such calls there is none."""
        captured.in_vain += 1
        captured.reason = reason
        if captured.in_vain == IN_VAIN:
            captured.stage, captured.first = Stage.EAGER, None

    def _recorded(self, recording: Recording, args: Any, given: Sequence[Any]) -> Results:
        """Run the function on Traced values, with state Traced as well."""
        replaced = _traced(recording, given)
        try:
            for cell, array in zip(self._cells, self._arrays, strict=True):
                cell.value = recording.state(array)
            chance = _chance()
            with recording:
                value = self.function(*(tree.rebuild(args, replaced) if tree.nested(args) else replaced))
                for cell, array in zip(self._cells, self._arrays, strict=True):
                    if unwrapped(cell.value) is not array:  # rebound to a new value
                        Traced(array, recording)[...] = cell.value
                    cell.value = array
                if _chance() != chance:
                    recording.give_up(
                        "it draws numbers from random or np.random, which a replay would not",
                        "draw from an autograd_core.replay.Source, or hand the numbers over",
                    )
                results = Results(value, recording)
                del value
                replaced.clear()
                if recording.escaped is None:
                    recording.look_for_kept()
                return results
        finally:
            for cell, array in zip(self._cells, self._arrays, strict=True):
                cell.value = array

    def _refuse(self, captured: _Captured, reason: str) -> None:
        """Note that this cannot be replayed; where it was promised that it can, the next call begins with the error.

        The present call has changed state, and its caller finishes the step with what it returns.
        """
        captured.stage, captured.reason, captured.first = Stage.REFUSED, reason, None

    def _error(self, reason: str) -> ReplayError:
        return Recording(name=self.name).error(reason)

    def _warn(self, message: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(message, ReplayWarning, stacklevel=level_of_caller())

    # -- looking in ------------------------------------------------------------------------------------

    @property
    def programs(self) -> list[Program]:
        """The programs so far, one for each combination of shapes and dtypes."""
        return [c.program for c in self._captured.values() if c.program is not None]

    def show(self) -> str:
        """The schedule of the program that was recorded last, as text."""
        from .showing import text

        if not self.programs:
            reasons = [c.reason for c in self._captured.values() if c.reason]
            reason = reasons[-1] if reasons else self._declined or self._moved or FOUR
            return f"{self.name} has no program: {reason}"
        return text(self.programs[-1].schedule, self._names(self.programs[-1]))

    def profile(self, *args: Any, runs: int = 5) -> str:
        """How long each kind of call takes in the program for these arguments, in one thread, as text.

        Each call counts with the shortest of so many runs, none of which changes any state. Raises RuntimeError
        while there is no program for such arguments.

        >>> f = replay(lambda x: np.tanh(x @ x))
        >>> for i in range(4):
        ...     y = f(np.eye(3))
        >>> sorted(line.split()[-1] for line in f.profile(np.eye(3)).splitlines())
        ['altogether', 'chains', 'products']
        """
        from .showing import times

        nested = tree.nested(args)
        given = tree.leaves(args) if nested else args
        wanted = (self._key(args, given, nested) or ())[2:]  # whatever the error state
        captured = next((c for key, c in self._captured.items() if key[2:] == wanted and c.program), None)
        if captured is None or captured.program is None:
            others = "those it has are for other numbers, shapes or dtypes" if self.programs else self.show()
            raise RuntimeError(f"{self.name} has no program for such arguments: {others}")
        found: list[list[float]] = [[] for _ in range(runs)]
        with self._turns, limited():
            for each in found:
                captured.program.rehearse(_arrays(given), each)
        return times(captured.program.schedule, [min(each) for each in zip(*found, strict=True)])

    def save(self, path: Any, graph: Any = None) -> None:
        """Write a page that draws the schedule and its buffers; ``graph``, from `draw`, stands beside it.

        Raises RuntimeError while there is no program yet.
        """
        from .showing import page

        if not self.programs:
            raise RuntimeError(self.show())
        picture = "" if graph is None else graph.render("svg").decode()
        html = page(self.programs[-1].schedule, self._names(self.programs[-1]), picture, self.name)
        Path(path).write_text(html, encoding="utf-8")

    def _names(self, program: Program) -> dict[Memory, str]:
        """What the state of a program is called."""
        names: dict[Memory, str] = {}
        owners = {id(memory.array): memory for memory in program.schedule.states}
        for cell, array in zip(self._cells, self._arrays, strict=True):
            memory, name = owners.get(id(owner_of(array))), cell.name
            if memory is not None and name:
                names.setdefault(memory, name)
        return names


def recorded(function: Callable[..., Any], state: Sequence[Any], numba: bool | str, check: int, exact: bool) -> Any:
    """What `replay` makes of a function."""
    cells = [TensorCell(t) for t in _tensors(state)]
    made = Replay(function, lambda: cells, numba=numba, strict=True, check=check, exact=exact)
    functools.update_wrapper(made, function)
    return made


def _tensors(state: Any) -> Sequence[Tensor]:
    """``state``, if it is what can be changed in place."""
    if isinstance(state, Tensor) or not isinstance(state, Sequence) or not all(isinstance(t, Tensor) for t in state):
        odd = next((t for t in state if not isinstance(t, Tensor)), state) if isinstance(state, Sequence) else state
        raise TypeError(f"state is a list of the Tensors that the function changes, not {type(odd).__name__}")
    return state


# -- arguments and results --------------------------------------------------------------------------------


def _owned(value: Any) -> Any:
    """``value`` with arrays that are nobody's view."""

    def own(leaf: Any) -> Any:
        if isinstance(leaf, Tensor):
            return wrap(Node(own(leaf.data), False))
        if isinstance(leaf, np.ndarray):
            return leaf.copy(order="K") if leaf.ndim else leaf[()]
        return leaf

    return tree.map(own, value)


def _chance() -> Any:
    """Where Python's and NumPy's common random numbers stand."""
    state: Any = np.random.get_state()  # noqa: NPY002 -- who draws from it is found out here
    return random.getstate(), state[1].tobytes(), state[2]


def _arrays(given: Sequence[Any]) -> list[Any]:
    """Those of the arguments that are arrays."""
    found: list[Any] = []
    for value in given:
        if type(value) is np.ndarray:
            found.append(value)
        elif isinstance(value, Tensor):
            found.append(value.data)
        elif isinstance(value, _ARRAYS):
            found.append(value)
    return found


def _traced(recording: Recording, given: Sequence[Any]) -> list[Any]:
    """The arguments with Traced arrays; one that is given twice is one."""
    known: dict[int, tuple[Any, Traced]] = {}
    found: list[Any] = []
    for value in given:
        array = value.data if isinstance(value, Tensor) else value
        if not isinstance(array, _ARRAYS):
            found.append(value)
        elif id(value) in known:
            same, traced = known[id(value)]
            found.append(same)
            recording.inputs.append(recording.place(traced.array))
        else:
            traced = recording.input(array)
            found.append(wrap(Node(traced, False)) if isinstance(value, Tensor) else traced)
            known[id(value)] = found[-1], traced
    return found


def _twice(given: Sequence[Any]) -> tuple[int, ...]:
    """Which arrays are given several times, for whom `is` tells."""
    first: dict[int, int] = {}
    return tuple(first.setdefault(id(v), i) if isinstance(v, (*_ARRAYS, Tensor)) else i for i, v in enumerate(given))
