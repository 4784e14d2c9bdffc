"""Whether what was recorded still stands for its function: one list of checks, each with its name and its sentence.

Three are made before each call that might be replayed. What a program finds out only while it runs ends the run: all is
then as it was, and the function itself is called. What a key tells apart needs no check, for another key has another
program: shapes, dtypes, numbers and the error state of a function, and the settings of a model, which `freeze` finds.

NumPy's warnings are among the checks because a program makes other calls than the function, and fewer. It may warn once
where the function warns more often, which nobody minds who only reads it; but a function that decides by a warning, or
ends with it, must see its own.
"""

from __future__ import annotations

import operator
import types
import warnings
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

import numpy as np
from numpy._core import umath

from .ir import owner_of
from .state import State

# The object in it changes with the state, and to look whether it has takes a twentieth of the time of geterr.
_errstate: Any = getattr(umath, "_extobj_contextvar", None)

Modes = tuple[str, ...]

# The last state of each, and what it means; each a tuple, so that threads see both or neither.
_errors: tuple[Any, Modes] = (None, ())
_filters: tuple[list[Any], bool] = ([], True)


class Then(Enum):
    """What happens where a check does not hold."""

    AS_IT_IS = auto()  # the function itself is called, this time
    ANEW = auto()  # all that was recorded is dropped


class Check(NamedTuple):
    """Something that must hold for a program to stand for its function."""

    name: str
    otherwise: str  # why the function is called; {} is what it was this time
    then: Then = Then.AS_IT_IS
    # By the state, the arrays among the arguments, and what `error_modes` gave. None for what a program finds out while
    # it runs.
    holds: Callable[[State, Sequence[Any], Modes], bool] | None = None


class CheckFailed(Exception):
    """A program found out while it ran that it does not stand for its function this time."""

    def __init__(self, check: Check, what: str = ""):
        super().__init__(check.otherwise.format(what))


def error_modes() -> Modes:
    """What `numpy.geterr` says: for a division by zero, an overflow, an underflow, an invalid operation."""
    global _errors
    now = None if _errstate is None else _errstate.get()
    seen, modes = _errors
    if now is None or now is not seen:
        modes = tuple(map(str, np.geterr().values()))
        _errors = now, modes
    return modes


def nobody_listens(state: State | None = None, arrays: Sequence[Any] = (), modes: Modes | None = None) -> bool:
    """Whether a warning of NumPy's is nothing or a line on the screen.

    >>> nobody_listens()
    True
    >>> with np.errstate(divide="raise"):
    ...     nobody_listens()
    False
    """
    global _filters
    modes = modes or error_modes()
    if modes != _WARN and not _MILD.issuperset(modes):
        return False
    seen, quiet = _filters
    if warnings.filters != seen:
        seen = list(warnings.filters)
        quiet = not any(action == "error" and _concerns(category) for action, _, category, *_ in seen)
        _filters = seen, quiet
    # `catch_warnings(record=True)` puts the append of a list there.
    return quiet and type(getattr(warnings, "_showwarnmsg_impl", None)) is not types.BuiltinMethodType


_WARN = ("warn", "warn", "ignore", "warn")
_MILD = {"ignore", "warn"}


def _concerns(category: Any) -> bool:
    """Whether a filter for this category is met by a warning of a computation."""
    return issubclass(RuntimeWarning, category) or issubclass(category, RuntimeWarning)


def _arguments_apart(state: State, arrays: Sequence[Any], modes: Modes) -> bool:
    """Whether no argument lies in the memory of state, which a program changes."""
    owners = state.owners
    for array in arrays if owners else ():
        base = array.base  # of views NumPy keeps the owner only
        if id(array if base is None else base if type(base) is np.ndarray else owner_of(array)) in owners:
            return False
    return True


def state_in_place(state: State, arrays: Sequence[Any] = (), modes: Modes = ()) -> bool:
    """Whether every array of state is the one that was recorded."""
    return all(map(operator.is_, state.values(), state.arrays))


WARNINGS = Check("warnings", "NumPy's warnings are errors, or are called or collected", holds=nobody_listens)
ARGUMENTS = Check("arguments", "an argument lies in the memory of state", holds=_arguments_apart)
STATE = Check("state", "{} was assigned another array since, and all begins anew", Then.ANEW, state_in_place)
DECISION = Check("decision", "what was decided at {} came out otherwise for this batch")
WRITTEN = Check("written", "an argument that is written to is read-only, or shares memory with another one")
LAYOUT = Check("layout", "an argument lies in memory that has gaps")
ERROR = Check("error", "the program raised {}")

# In the order in which they are made.
CHECKS = (WARNINGS, ARGUMENTS, STATE, DECISION, WRITTEN, LAYOUT, ERROR)
BEFORE_A_CALL = tuple((check, check.holds) for check in CHECKS if check.holds is not None)
