"""Whether anybody listens: where NumPy's warnings are errors, are called or are collected, the function itself runs.

A program makes other calls than the function, and fewer. So it may warn once where the function warns more often, which
nobody minds who only reads it; but a function that decides by a warning, or ends with it, must see its own.
"""

from __future__ import annotations

import types
import warnings
from typing import Any

import numpy as np
from numpy._core import umath

# The object in it changes with the state, and to look whether it has takes a twentieth of the time of geterr.
_state: Any = getattr(umath, "_extobj_contextvar", None)

Modes = tuple[str, ...]

# The last state of each, and what it means; each a tuple, so that threads see both or neither.
_errors: tuple[Any, Modes] = (None, ())
_filters: tuple[list[Any], bool] = ([], True)


def error_modes() -> Modes:
    """What `numpy.geterr` says: for a division by zero, an overflow, an underflow, an invalid operation."""
    global _errors
    now = None if _state is None else _state.get()
    seen, modes = _errors
    if now is None or now is not seen:
        modes = tuple(map(str, np.geterr().values()))
        _errors = now, modes
    return modes


def nobody_listens(modes: Modes | None = None) -> bool:
    """Whether a warning of NumPy's is nothing or a line on the screen; ``modes`` are what `error_modes` gave just now.

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
