"""What is known of a function: for each combination of shapes, dtypes and numbers how far it has come to a program.

::

    NEW ──runs──▶ SEEN ──recorded──▶ RECORDED ──recorded the same──▶ AGREED ──does what the function does──▶ PROVED

From anywhere it may end in EAGER, where the function runs as it is and nobody is at fault, or in REFUSED, where it is
no function that could be replayed. A call takes one of these steps, once all `checks` hold.
"""

from __future__ import annotations

import functools
import random
import warnings
from collections.abc import Callable, Iterable, Sequence
from enum import Enum, auto
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from .. import tree
from ..caller import level_of_caller, line_of_error
from ..errors import ReplayError
from ..mode import mode
from ..tensor import Tensor
from . import passes
from .arguments import key_and_arrays, owned, traced
from .blas import limited
from .checks import BEFORE_A_CALL, DECISION, ERROR, STATE, CheckFailed, Then, state_in_place
from .execute import Program, trim
from .ir import Buffer, Guard, Unplannable, owner_of
from .state import SharedLock, State, StateRef, TensorRef
from .tape import Recording, active, refusal
from .traced import Traced, unwrapped
from .verify import Results, difference, has_a_graph, mistake, parting

# How many programs one function keeps; beyond that the oldest goes.
KEPT = 16

# Seconds that a program has run when it is hot, which is when its chains are compiled: that takes one or two.
HOT_AFTER = 5.0

# After so many recordings or dry runs that told nothing, because calls raised errors, no more are made.
IN_VAIN = 8

# Why there is no program yet.
FOUR = "it needs four calls of one shape, from the same state on"


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


class Phase(Enum):
    """How far a function has come with one combination of shapes, dtypes and numbers."""

    NEW = auto()  # never called
    SEEN = auto()  # called once, as it is
    RECORDED = auto()  # recorded once
    AGREED = auto()  # two recordings are the same
    PROVED = auto()  # its program gave what the function gives
    EAGER = auto()  # it runs as it is, and nobody is at fault
    REFUSED = auto()  # it is no function that could be replayed: an error, if that was promised


class Entry:
    """What is known of one combination."""

    def __init__(self) -> None:
        self.phase = Phase.NEW
        self.reason = ""  # why there is no program
        self.first: tuple[Recording, Results] | None = None  # what the next recording is held against
        self.other: tuple[Recording, Results] | None = None  # one for which something was decided otherwise
        self.retried = False  # two recordings may differ because something had just been changed
        self.in_vain = 0  # how many recordings or dry runs told nothing
        self.program: Program | None = None
        self.results: Results | None = None
        self.runs = 0
        self.seconds = 0.0  # that its program has run

    def recorded(self, recording: Recording, results: Results) -> str | None:
        """Take a recording that has gone well: the first one, or one to hold against that. Returns what differs."""
        if self.other is not None and parting(self.other[0], recording) is None:
            self.first, self.other = self.other, self.first
        if self.first is not None:
            reason = difference(*self.first, recording, results)
            if reason is None:
                self.phase, self.other = Phase.AGREED, None
                return None
            if isinstance(reason, Guard):
                self.other = self.first
                self.told_nothing(DECISION.otherwise.format("{}:{}".format(*reason.where)))
                if self.phase is Phase.EAGER:
                    return None
            elif self.retried:
                return reason
            else:
                self.retried = True
        self.phase, self.first = Phase.RECORDED, (recording, results)
        return None

    def proved(self, program: Program, results: Results) -> None:
        """The program is trusted from now on."""
        self.phase, self.program, self.results, self.first = Phase.PROVED, program, results, None

    def eager(self, reason: str) -> None:
        """Run as it is from now on."""
        self.phase, self.reason, self.first, self.other = Phase.EAGER, reason, None, None

    def refuse(self, reason: str) -> None:
        """Note that this cannot be replayed; where it was promised that it can, the next call begins with the error.

        The present call has changed state, and its caller finishes the step with what it returns.
        """
        self.phase, self.reason, self.first, self.other = Phase.REFUSED, reason, None, None

    def told_nothing(self, reason: str) -> None:
        """Note that this call told nothing about the usual one; after some such calls there is none."""
        self.in_vain += 1
        self.reason = reason
        if self.in_vain == IN_VAIN:
            self.eager(reason)


class Replay:
    """A function of arrays that is recorded on its second and third call with the same shapes, then replayed.

    Nothing is trusted before two recordings agreed and one replay gave what the function itself, unrecorded, gave for
    the fourth call.

    Parameters
    ----------
    function : callable
        Takes and returns numbers, arrays, and lists, tuples and dicts of them.
    state : callable
        Gives what holds the arrays that the function may change; they are changed in place.
    name : str
        What errors call the function.
    lock : SharedLock
        One for all that share state.
    strict : bool
        Whether a function that cannot be recorded is an error; else it runs as it is, and `show` tells why.
    numba, check, exact
        See `replay`.

    Raises
    ------
    ReplayError
        In a call, if strict; and where a check finds a difference.

    Examples
    --------
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
        state: Callable[[], Iterable[StateRef]] = tuple,
        name: str = "",
        lock: SharedLock | None = None,
        numba: bool | str = "auto",
        strict: bool = False,
        check: int = 0,
        exact: bool = False,
    ):
        self.function = function
        self.name = name or getattr(function, "__name__", "the function")
        self._state = State(state)
        self._entries: dict[Any, Entry] = {}
        self._warned = False
        self._why = ""  # the last call that might have been replayed was not
        self._lock = lock or SharedLock()
        self._strict, self._check, self._exact = strict, check, exact
        self._heats = bool(numba) and not exact and bool(passes.registered(passes.Stage.HOT))
        self._hot_after = HOT_AFTER if numba == "auto" else 0.0

    def __call__(self, *args: Any) -> Any:
        if mode.debugging or active.recording is not None:
            return self.function(*args)
        key, arrays = key_and_arrays(args)
        if type(key) is str:
            self._why = key
            return self.function(*args)
        with self._lock:
            return self._call(key, args, arrays)

    def _call(self, key: Any, args: Any, arrays: Sequence[Any]) -> Any:
        entry = self._entries.get(key) or self._begin(key)
        if entry.phase is not Phase.PROVED:
            if entry.phase is Phase.REFUSED and self._strict:
                raise refusal(self.name, entry.reason)
            if entry.phase is Phase.REFUSED or entry.phase is Phase.EAGER:
                return self._eagerly(args)
        for check, holds in BEFORE_A_CALL:
            if holds(self._state, arrays, key[1]):
                continue
            if check.then is Then.AS_IT_IS:
                entry.reason = self._why = check.otherwise
                return self._eagerly(args)
            self._forget_moved()
            entry = self._begin(key)
        if entry.phase is Phase.PROVED:
            return self._replay(entry, args, arrays)
        return _STEPS[entry.phase](self, entry, args, arrays)

    def _begin(self, key: Any) -> Entry:
        entry = self._entries[key] = Entry()
        while len(self._entries) > KEPT:
            if self._entries.pop(next(iter(self._entries))).program is None:
                self._warn(
                    f"{self.name} runs as it is, which is slower and gives the same: it was called with more than "
                    f"{KEPT} combinations of shapes and numbers; hand a number that changes over as an array without "
                    "axes, np.asarray(0.1)"
                )
        return entry

    def forget(self) -> None:
        """Drop all programs: what they were recorded from has changed."""
        self._entries.clear()
        self._state.forget()

    def _forget_moved(self) -> None:
        """Drop all programs, of any shape: what is known is of other arrays than those that are state now."""
        moved = self._state.moved()
        self.forget()
        self._why = f"{STATE.otherwise.format(moved)}: {FOUR}"

    def _warn(self, message: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(message, ReplayWarning, stacklevel=level_of_caller())

    # -- the steps -------------------------------------------------------------------------------------

    def _eagerly(self, args: Any) -> Any:
        """The function itself; what it put in other memory goes back to where the programs look for it."""
        if not state_in_place(self._state):
            self._forget_moved()
        try:
            return self.function(*args)
        finally:
            self._state.keep_in_place()

    def _see(self, entry: Entry, args: Any, arrays: Sequence[Any]) -> Any:
        """The first call, as it is."""
        entry.phase = Phase.SEEN
        returned = self._eagerly(args)
        if has_a_graph(returned):
            entry.refuse(
                "it returns a Tensor that needs a gradient, and a replay makes no graph to walk back through; call "
                "backward() or grad inside the function, or return its data"
            )
        return returned

    def _record(self, entry: Entry, args: Any, arrays: Sequence[Any]) -> Any:
        """Run the function, and note what it does; the second time hold it against the first."""
        if entry.first is None:
            self._state.find()
        recording = Recording(self._strict, self.name)
        try:
            results = self._recorded(recording, args)
        except Exception as error:
            return self._record_raised(entry, args, recording, error)
        reason = recording.broken
        if reason is None and recording.transient is not None:
            entry.told_nothing(recording.transient)
        elif reason is None:
            reason = entry.recorded(recording, results)
        if reason is not None:
            entry.refuse(reason)
            if self._strict:
                recording.undo()
                raise refusal(self.name, reason)
        returned = owned(results.with_values(results.values))
        results.values = []
        return returned

    def _record_raised(self, entry: Entry, args: Any, recording: Recording, error: Exception) -> Any:
        """What the function itself returns, or raises, where a recording raised an error, which is being handled."""
        if recording.broken is not None and self._strict:
            recording.undo()
            entry.refuse(recording.broken)
            if isinstance(error, ReplayError):
                raise
            raise refusal(self.name, recording.broken) from error  # NumPy has put an error of its own in its place
        if recording.changed_state and not self._strict:
            raise
        recording.undo()
        returned = self._eagerly(args)  # which raises it too, unless it is the recording that it cannot stand
        entry.refuse(f"it raised {type(error).__name__} while it was recorded{line_of_error(error)}: {error}")
        return returned

    def _recorded(self, recording: Recording, args: Any) -> Results:
        """Run the function on Traced values, with state Traced as well."""
        nested = tree.nested(args)
        replaced = traced(recording, tree.leaves(args) if nested else args)
        state = self._state
        try:
            for ref, array in zip(state.refs, state.arrays, strict=True):
                ref.value = recording.state(array)
            chance = _chance()
            with recording:
                value = self.function(*(tree.rebuild(args, replaced) if nested else replaced))
                for ref, array in zip(state.refs, state.arrays, strict=True):
                    if unwrapped(ref.value) is not array:  # rebound to a new value
                        Traced(array, recording)[...] = ref.value
                    ref.value = array
                if _chance() != chance:
                    recording.graph_break(
                        "it draws numbers from random or np.random, which a replay would not",
                        "draw from an autograd_core.replay.Source, or hand the numbers over",
                    )
                results = Results(value, recording)
                del value
                replaced.clear()
                if recording.broken is None:
                    recording.scan_for_kept()
                return results
        finally:
            state.put_back()

    def _verify(self, entry: Entry, args: Any, arrays: Sequence[Any]) -> Any:
        """Run a program, take back what it changed, run the function as it is, and compare."""
        assert entry.first is not None
        recording, results = entry.first
        try:
            schedule = passes.optimize(passes.lower(recording, [p for p in results.views if p is not None]))
            trim()  # a program needs memory of its own beside what the function itself used and has freed
            dry = Program(schedule).dry_run(arrays)
        except Unplannable as error:
            entry.eager(str(error))
            return self._eagerly(args)
        except CheckFailed as failed:  # this batch goes another way
            returned = self._eagerly(args)
            entry.told_nothing(str(failed))
            return returned
        except Exception as error:  # the function will raise it too
            returned = self._eagerly(args)
            entry.told_nothing(f"its replay raised {type(error).__name__}: {error}")
            return returned
        returned = self._eagerly(args)
        reason = mistake(dry, results, returned, arrays, self._exact, {})
        if reason is None:
            trim()
            refined = schedule if self._exact else passes.refine(schedule, passes.Stage.PROVED)
            entry.proved(Program(refined), results)
            self._why = ""
        else:
            entry.refuse(reason)
        return returned

    def _replay(self, entry: Entry, args: Any, arrays: Sequence[Any]) -> Any:
        """What a program gives; where it ends with an error, what the function does."""
        if self._check:
            entry.runs += 1
            if entry.runs % self._check == 0:
                return self._compare(entry, args, arrays)
        try:
            found = self._run(entry, arrays)
        except CheckFailed as failed:
            self._why = str(failed)
            return self._eagerly(args)
        except Exception as error:  # what the function will raise too; all is as it was before
            self._why = ERROR.otherwise.format(f"{type(error).__name__}: {error}")
            return self._eagerly(args)
        self._state.stamp()
        assert entry.results is not None
        return entry.results.with_values(found)

    def _run(self, entry: Entry, arrays: Sequence[Any]) -> list[Any]:
        assert entry.program is not None
        if not self._heats or entry.program.schedule.hot:
            return entry.program(arrays)
        if entry.seconds >= self._hot_after:
            self._heat(entry)
        begin = perf_counter()
        found = entry.program(arrays)
        entry.seconds += perf_counter() - begin
        return found

    def _heat(self, entry: Entry) -> None:
        """Make a program anew that has run for long, by what is worth its time now."""
        assert entry.program is not None
        try:
            schedule = passes.refine(entry.program.schedule, passes.Stage.HOT)
        except Exception as error:  # of numba, which may not go with this NumPy or this machine
            self._heats = False
            self._warn(
                f"{self.name} is not compiled and runs as before, with the same results: "
                f"{type(error).__name__}: {error}"
            )
            return
        entry.phase, entry.program = Phase.SEEN, None  # whose memory goes first; interrupted, it is recorded again
        entry.program = Program(schedule)
        entry.phase = Phase.PROVED

    def _compare(self, entry: Entry, args: Any, arrays: Sequence[Any]) -> Any:
        """What the function itself returns, if the program does the same; else an error, and all is as it was."""
        assert entry.program is not None
        assert entry.results is not None
        program = entry.program
        overwritten = [a for a in (*self._state.arrays, *arrays) if isinstance(a, np.ndarray) and a.flags.writeable]
        before = [array.copy(order="K") for array in overwritten]
        stood = [(g, g.bit_generator.state) for g in program.schedule.generators]
        try:
            dry = program.dry_run(arrays)
        except Exception:  # a replay would be the function's own call too
            return self._eagerly(args)
        error: Exception | None = None
        try:
            returned = self._eagerly(args)
            reason = mistake(dry, entry.results, returned, arrays, self._exact, self._names(program))
        except Exception as raised:
            reason, error = f"the function itself raised {type(raised).__name__}: {raised}", raised
        if reason is None:
            return returned
        self._state.put_back()
        for array, was in zip(overwritten, before, strict=True):
            np.copyto(array, was)
        for generator, state in stood:
            generator.bit_generator.state = state
        raise ReplayError(
            f"a replay of {self.name} is not what the function does: {reason}. Something that it reads has changed "
            "since it was recorded, and is no argument and no declared state"
        ) from error

    # -- looking in ------------------------------------------------------------------------------------

    @property
    def programs(self) -> list[Program]:
        """The programs so far, one for each combination of shapes and dtypes."""
        return [entry.program for entry in self._entries.values() if entry.program is not None]

    def show(self) -> str:
        """The schedule of the program that was recorded last, as text, and why a call since was not replayed.

        Where there is no program, why there is none.
        """
        from .show import text

        if not self.programs:
            reasons = [entry.reason for entry in self._entries.values() if entry.reason]
            reason = reasons[-1] if reasons else self._why or FOUR
            return f"{self.name} has no program: {reason}"
        shown = text(self.programs[-1].schedule, self._names(self.programs[-1]))
        return f"{shown}\nlast run as it is because {self._why}" if self._why else shown

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
        from .show import times

        key, arrays = key_and_arrays(args)
        wanted = key[2:]  # whatever the error state
        entry = next((entry for key, entry in self._entries.items() if key[2:] == wanted and entry.program), None)
        if entry is None or entry.program is None:
            others = "those it has are for other numbers, shapes or dtypes" if self.programs else self.show()
            raise RuntimeError(f"{self.name} has no program for such arguments: {others}")
        found: list[list[float]] = [[] for _ in range(runs)]
        with self._lock, limited():
            for each in found:
                entry.program.dry_run(arrays, each)
        return times(entry.program.schedule, [min(each) for each in zip(*found, strict=True)])

    def save(self, path: Any, graph: Any = None) -> None:
        """Write a page that draws the schedule and its buffers; ``graph``, from `draw`, stands beside it.

        Raises RuntimeError while there is no program yet.
        """
        from .page import page

        if not self.programs:
            raise RuntimeError(self.show())
        picture = "" if graph is None else graph.render("svg").decode()
        html = page(self.programs[-1].schedule, self._names(self.programs[-1]), picture, self.name)
        Path(path).write_text(html, encoding="utf-8")

    def _names(self, program: Program) -> dict[Buffer, str]:
        """What the state of a program is called."""
        names: dict[Buffer, str] = {}
        owners = {id(buffer.array): buffer for buffer in program.schedule.states}
        for ref, array in zip(self._state.refs, self._state.arrays, strict=True):
            buffer, name = owners.get(id(owner_of(array))), ref.name
            if buffer is not None and name:
                names.setdefault(buffer, name)
        return names


# The step that a call takes on the way to a program.
_STEPS: dict[Phase, Callable[[Replay, Entry, Any, Sequence[Any]], Any]] = {
    Phase.NEW: Replay._see,
    Phase.SEEN: Replay._record,
    Phase.RECORDED: Replay._record,
    Phase.AGREED: Replay._verify,
}


def recorded(function: Callable[..., Any], state: Sequence[Any], numba: bool | str, check: int, exact: bool) -> Any:
    """What `replay` makes of a function."""
    refs = [TensorRef(t) for t in _tensors(state)]
    made = Replay(function, lambda: refs, numba=numba, strict=True, check=check, exact=exact)
    functools.update_wrapper(made, function)
    return made


def _tensors(state: Any) -> Sequence[Tensor]:
    """``state``, if it is what can be changed in place."""
    if isinstance(state, Tensor) or not isinstance(state, Sequence) or not all(isinstance(t, Tensor) for t in state):
        odd = next((t for t in state if not isinstance(t, Tensor)), state) if isinstance(state, Sequence) else state
        raise TypeError(f"state is a list of the Tensors that the function changes, not {type(odd).__name__}")
    return state


def _chance() -> Any:
    """Where Python's and NumPy's common random numbers stand."""
    state: Any = np.random.get_state()  # noqa: NPY002 -- who draws from it is found out here
    return random.getstate(), state[1].tobytes(), state[2]
