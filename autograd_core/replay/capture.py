"""The door: when a function is recorded, when its program is trusted, and when it simply runs."""

from __future__ import annotations

import functools
import operator
import random
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from .. import graph, tree
from ..caller import level_of_caller, place_of_caller
from ..errors import ReplayError
from ..graph import Node
from ..mode import mode
from ..tensor import Tensor, wrap
from . import compiled, threads
from .calls import Memory, Unplannable, owner_of
from .comparing import Results, anything_made_anew, difference, has_a_graph, mistake
from .outside import Outside, settings_now
from .planning import Schedule, plan, shared_out
from .recording import Recording, active
from .running import GuardFailed, Program, Rehearsal, give_back
from .state import Cell, TensorCell, Turns
from .threads import limited
from .traced import Traced, unwrapped

# How many programs one function keeps; beyond that the oldest goes.
KEPT = 16

# Seconds that a program has run when its chains are compiled, which takes one or two: it will run for longer.
WORTH_IT = 5.0

# Two recordings may differ because something has just been changed; after so many the function is at fault.
TRIES = 2

# For isinstance at each call, where a union of classes would be made anew.
_ARRAYS = np.ndarray, np.generic
_PLAIN = np.ndarray, np.memmap


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


class _Captured:
    """What is known of one combination of shapes and dtypes."""

    def __init__(self) -> None:
        self.calls = 0
        self.tries = 0
        self.first: tuple[Recording, Results] | None = None
        self.agreed = False  # with a second recording
        self.program: Program | None = None
        self.seconds = 0.0  # that its program has run
        self.results: Results | None = None
        self.outside = Outside()
        self.settings: Any = None
        self.refused: str | None = None


class Replay:
    """A function of arrays that is recorded on its second and third call with the same shapes, then replayed.

    ``state`` gives the cells that the function may change; they are changed in place. Nothing is trusted before
    two recordings agreed and one replay gave what the function itself, unrecorded, gave for the fourth. A function
    that cannot be captured runs as it is, and a `ReplayWarning` says so once, with the line and the reason. ``turns``
    is shared by those that share state. ``settings`` tells what else the function goes by. ``numba`` says when
    chains of arithmetic are compiled, see `replay`. A ``strict`` one raises a `ReplayError` instead of running a
    function as it is.

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
        settings: Callable[[], Any] = tuple,
    ):
        self.function = function
        self.name = name or getattr(function, "__name__", "the function")
        self._state_of = state
        self._cells: list[Cell] = []
        self._arrays: list[Any] = []
        self._captured: dict[Any, _Captured] = {}
        self._settings = settings
        self._warned = False
        self._declined = ""  # why the last call could not even be tried
        self._turns = turns or Turns()
        self._strict = strict
        self._compiles = bool(numba) and compiled.available()
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
        key: list[Any] = [mode.recording]
        for value in given:
            if type(value) is np.ndarray or isinstance(value, _ARRAYS):
                key += (value.shape, value.dtype)
                if type(value) not in _PLAIN and not isinstance(value, np.generic):
                    return self._decline(value)  # which may compute in a way of its own
                if not value.flags.c_contiguous:
                    key.append(value.flags.f_contiguous)
            elif value is None:
                key.append(None)
            elif isinstance(value, Tensor):
                if value.requires_grad and mode.recording:
                    return self._decline(value)
                key.append((value.shape, value.dtype, "Tensor"))
            elif isinstance(value, int | str):
                key.append((type(value), value))
            elif isinstance(value, float):
                key.append(repr(value))  # which tells -0.0 from 0.0, and where NaN is NaN
            else:
                return self._decline(value)
        if nested:
            key.append(tree.structure(args))
        return tuple(key)

    def _decline(self, value: Any) -> None:
        what = "a Tensor that needs a gradient" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        self._declined = f"{what} is among its arguments, which are arrays, numbers and text where it is replayed"

    def _call(self, key: Any, args: Any, given: Sequence[Any]) -> Any:
        captured = self._captured.get(key)
        if captured is None:
            captured = self._captured[key] = _Captured()
            while len(self._captured) > KEPT:
                if self._captured.pop(next(iter(self._captured))).program is None:
                    self._warn(
                        f"it was called with more than {KEPT} combinations of shapes and numbers; hand a number that "
                        "changes over as an array without axes, np.asarray(0.1)"
                    )
        program = captured.program
        if program is not None:
            if "raise" in np.geterr().values():  # then any call may fail, and no state may have changed before it
                return self._eagerly(args)
            if self._unmoved() and captured.outside.changed() is None and captured.settings == self._settings():
                try:
                    return self._run(captured, program, given)
                except GuardFailed:
                    return self._eagerly(args)
            self.forget()
            captured = self._captured[key] = _Captured()
        captured.calls += 1
        if captured.refused is not None:
            if self._strict:
                self._refuse(captured, captured.refused)
            return self._eagerly(args)
        if captured.calls == 1:
            returned = self._eagerly(args)
            if has_a_graph(returned):
                self._refuse(
                    captured,
                    "it returns a Tensor that needs a gradient, and a replay makes no graph to walk back through; call "
                    "backward() or grad inside the function, or return its data",
                )
            return returned
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
        if not self._compiles or program.compiled:
            found = program(_arrays(given))
        else:
            if captured.seconds >= self._patience:  # before this step changes anything
                program = self._compiled(captured, program)
            begin = perf_counter()
            found = program(_arrays(given))
            captured.seconds += perf_counter() - begin
        self._stamp()
        assert captured.results is not None
        return captured.results.with_values(found)

    def _compiled(self, captured: _Captured, program: Program) -> Program:
        """A program that has run for long, compiled."""
        try:
            schedule = compiled.with_loops(program.schedule)
        except Exception as error:  # of numba, which may not go with this NumPy or this machine
            self._compiles = False
            warnings.warn(
                f"{self.name} is not compiled and runs as before, with the same results: "
                f"{type(error).__name__}: {error}",
                ReplayWarning,
                stacklevel=level_of_caller(),
            )
            return program
        captured.program = None  # if this is interrupted it is recorded again
        program.renew(schedule)
        captured.program = program
        return program

    def _stamp(self) -> None:
        """Tell the engine that graphs recorded before this step are of other values."""
        graph.stamp([cell.node for cell in self._cells if type(cell) is TensorCell], place_of_caller()[:2])

    # -- recording -------------------------------------------------------------------------------------

    def _record(self, captured: _Captured, args: Any, given: Sequence[Any]) -> Any:
        """Run the function, and note what it does; the second time hold it against the first."""
        if captured.agreed:
            return self._prove(captured, args, given)
        if captured.first is None and not self._cells:
            self._cells = list(self._state_of())
            for cell in self._cells:
                if isinstance(cell.value, np.generic):  # which nothing could be written into
                    cell.value = np.array(cell.value)
            self._arrays = [cell.value for cell in self._cells]
        recording = Recording(self._strict, self.name)
        try:
            results = self._recorded(recording, args, given)
        except ReplayError:
            recording.undo()
            captured.refused = recording.escaped
            raise
        except Exception as error:
            if self._strict:
                recording.undo()
            elif recording.changed_state:
                raise
            recording.rewind()  # perhaps it is the recording that it cannot stand
            returned = self._eagerly(args)
            self._refuse(captured, f"it raised {type(error).__name__}: {error}")
            return returned
        reason = recording.escaped
        if reason is not None:
            if self._strict:
                recording.undo()
            self._refuse(captured, reason)
        elif captured.first is None:
            captured.first = recording, results
        else:
            reason = difference(*captured.first, recording, results)
            captured.tries += 1
            if reason is None:
                captured.agreed, captured.settings = True, self._settings()
                if anything_made_anew(captured.first[0], recording):
                    captured.first[0].outside.look_closely()
            elif captured.tries < TRIES:
                captured.first = recording, results
            else:
                self._refuse(captured, reason)
        returned = _owned(results.with_values(results.values))
        results.values = []
        return returned

    def _prove(self, captured: _Captured, args: Any, given: Sequence[Any]) -> Any:
        """Run a program, take back what it changed, run the function as it is, and compare."""
        assert captured.first is not None
        recording, results = captured.first
        if recording.outside.changed() is not None or captured.settings != self._settings():
            self.forget()
            return self._eagerly(args)
        try:
            rehearsal = self._rehearse(recording, results, given)
        except GuardFailed:  # this batch goes another way; the next one may tell
            return self._eagerly(args)
        returned = self._eagerly(args)
        reason = mistake(rehearsal, results, returned)
        if reason is None:
            assert isinstance(rehearsal, Rehearsal)
            captured.results, captured.first, captured.agreed = results, None, False
            schedule = shared_out(rehearsal.schedule, threads.lanes())
            captured.program, captured.outside = self._program(schedule), recording.outside
        elif recording.outside.changed() is None:
            self._refuse(captured, reason)
        else:
            self.forget()
        return returned

    def _recorded(self, recording: Recording, args: Any, given: Sequence[Any]) -> Results:
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
            chance = _chance()
            recording.outside.of(self.function)
            with recording:
                value = self.function(*(tree.rebuild(args, replaced) if tree.nested(args) else replaced))
                for cell, array in zip(self._cells, self._arrays, strict=True):
                    if unwrapped(cell.value) is not array:  # rebound to a new value
                        Traced(array, recording)[...] = cell.value
                    cell.value = array
                if _chance() != chance:
                    recording.give_up("it draws numbers from random or np.random, which a replay would not")
                results = Results(value, recording)
                del value
                replaced.clear()
                if recording.escaped is None:
                    recording.settle()
                return results
        finally:
            for cell, array in zip(self._cells, self._arrays, strict=True):
                cell.value = array
            if recording.escaped is not None and not self._strict:
                _write_back(recording, given)
            recording.arguments.clear()

    @staticmethod
    def _program(schedule: Schedule) -> Program:
        """A program, which needs memory of its own beside what the function itself used and has freed."""
        give_back()
        return Program(schedule)

    def _rehearse(self, recording: Recording, results: Results, given: Sequence[Any]) -> Rehearsal | str:
        """Plan a program and run it on the inputs of a call that the function itself will answer, or say why not."""
        try:
            schedule = plan(recording, [p for p in results.places if p is not None])
            return self._program(schedule).rehearse(_arrays(given))
        except Unplannable as error:
            return str(error)
        except GuardFailed:
            raise
        except Exception as error:  # which the function will raise too, or else this is the reason
            return f"its replay raised {type(error).__name__}: {error}"

    def _refuse(self, captured: _Captured, reason: str) -> None:
        captured.refused, captured.first = reason, None
        if self._strict:
            raise Recording(name=self.name).error(reason)
        self._warn(reason)

    def _warn(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"{self.name} cannot be replayed and runs eagerly, which is slower and gives the same: {reason}",
                ReplayWarning,
                stacklevel=level_of_caller(),
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
            reason = reasons[-1] if reasons else self._declined or "it needs four calls of one shape"
            return f"{self.name} has no program: {reason}"
        return text(self.programs[-1].schedule, self._names())

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
        captured = self._captured.get(self._key(args, given, nested))
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
        html = page(self.programs[-1].schedule, self._names(), picture, self.name)
        Path(path).write_text(html, encoding="utf-8")

    def _names(self) -> dict[Memory, str]:
        """What the state of the program that was recorded last is called."""
        names: dict[Memory, str] = {}
        owners = {id(memory.array): memory for memory in self.programs[-1].schedule.states}
        for cell, array in zip(self._cells, self._arrays, strict=True):
            memory, name = owners.get(id(owner_of(array))), cell.name
            if memory is not None and name:
                names.setdefault(memory, name)
        return names


def replay(function: Callable[..., Any], *, state: Sequence[Any] = (), jit_compile: bool | str = "auto") -> Any:
    """``function``, recorded at its NumPy calls and replayed for arguments of the same shapes and dtypes.

    ``function`` takes and returns numbers, arrays, and lists, tuples and dicts of them, and always computes the
    same way. ``state`` lists the Tensors that it changes. The first call with new shapes runs as it is, the
    second and third are recorded, and in the fourth a replay is compared with the function.

    Where numba is installed (``pip install "autograd-core[fast]"``) long chains of arithmetic are compiled, once a
    program has run for 5 seconds; with ``jit_compile=True`` at once, with False never. Results have the same bits,
    but NumPy's warnings of overflows are lost in such chains, and the sign of a NaN is anything.

    What it reads beside its arguments (variables of its module or of enclosing functions, attributes, the settings
    of layers) is looked at before each replay, and recorded anew when it has changed. What it does beside computing,
    such as printing, happens in the first four calls only.

    What cannot be replayed is no error but a `ReplayWarning`, and runs as it is. Raises ValueError for another
    ``jit_compile``, and TypeError for a state that is no list of Tensors.

    >>> import autograd_core as ag
    >>> slope = replay(ag.grad(lambda x: np.sum(np.sin(x))))
    >>> for n in range(5):
    ...     g = slope(np.array([0.0, n]))
    >>> print(np.allclose(g, np.cos([0.0, 4.0])), len(slope.programs))
    True 1
    """
    compiled.check(jit_compile)
    cells = [TensorCell(t) for t in _tensors(state)]
    made = Replay(function, lambda: cells, numba=jit_compile, settings=settings_now)
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


def _write_back(recording: Recording, given: Sequence[Any]) -> None:
    """Show the caller what a function that was not recorded after all did to its arguments."""
    for array, own in zip(_arrays(given), recording.arguments, strict=True):
        if own.flags.writeable and not np.array_equal(array, own, equal_nan=array.dtype.kind == "f"):
            array[...] = own
