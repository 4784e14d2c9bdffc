"""Where in a person's own code something happens: the line that an error, a warning or a schedule names."""

from __future__ import annotations

import dis
import linecache
import math
import os
import sys
from collections.abc import Collection
from typing import Any

import numpy as np

# What stands between a person's line and the op: the folders of these packages, each above those before it.
_packages: list[str] = []
_silent: tuple[str, ...] = ()
# With what NumPy compiles its dispatch in.
_inside: tuple[str, ...] = ("<__array",)
# Python's own modules, which call what they are handed: collections, functools, threading.
_LIBRARY = os.path.dirname(os.__file__) + os.sep


class _Files(dict[str, bool]):
    """Whether files are of this project, of NumPy or of Python: each is asked about at every step of a training."""

    def __missing__(self, file: str) -> bool:
        self[file] = file.startswith(_inside) or (file.startswith(_LIBRARY) and "-packages" not in file)
        return self[file]


_files = _Files()


def register(package: str, silent: Collection[str] = ()) -> None:
    """Make a package, by the ``__file__`` of its ``__init__``, one whose lines are not a person's own.

    Lines in its files and folders ``silent`` never say what a call is for, see `what_for`.
    """
    global _inside, _silent
    folder = os.path.dirname(package) + os.sep
    _packages.append(folder)
    _inside = (*_inside, folder)
    _files.clear()
    _silent = (*_silent, *(folder + name + ("" if name.endswith(".py") else os.sep) for name in silent))


def is_inside(file: str) -> bool:
    """Whether a file is of this project, of NumPy or of Python, and not a person's own."""
    return _files[file]


register(np.__file__)
register(__file__, silent=["replay", "tracer.py"])


def line_of_caller() -> str:
    """``file.py:12: y = np.log(x)`` for the innermost frame that is neither ours nor NumPy's nor Python's."""
    return shown_line(*place_of_caller())


def line_of_error(error: BaseException) -> str:
    """``, at file.py:12: y = np.log(x)`` for the innermost line of a person's own that raised it, or nothing."""
    found = ""
    link = error.__traceback__
    while link is not None:
        code = link.tb_frame.f_code
        if not is_inside(code.co_filename):
            found = f", at {shown_line(code.co_filename, link.tb_lineno, link.tb_frame.f_globals)}"
        link = link.tb_next
    return found


def shown_line(file: str, line: int, names: Any = None) -> str:
    """A place in somebody's code as an error shows it."""
    if not file:
        return "an unknown line"
    source = linecache.getline(file, line, names).strip()
    return f"{file}:{line}" + (f": {source}" if source else "")


def place_of_caller() -> tuple[str, int, Any]:
    """The file, the line and the names of that frame; an empty file name when there is none."""
    frame: Any = sys._getframe(1)
    while frame and _files[frame.f_code.co_filename]:  # once a step of training, so without a call for each
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno, frame.f_globals) if frame else ("", 0, None)


def function_of_math() -> str | None:
    """The function of `math` that the line of the person who called us is calling, where NumPy has one of its name.

    It is the last that the line's bytecode loads before the call, so the inner one of ``math.exp(math.tanh(t))``.
    """
    frame: Any = sys._getframe(1)
    while frame and is_inside(frame.f_code.co_filename):
        frame = frame.f_back
    found = None
    for step in dis.get_instructions(frame.f_code) if frame else ():
        here = step.offset < frame.f_lasti and step.positions and step.positions.lineno == frame.f_lineno
        name = step.argval if here and step.opname.startswith("LOAD_") else None
        if isinstance(name, str) and callable(getattr(math, name, None)) and hasattr(np, name):
            found = name
    return found


def level_of_caller() -> int:
    """What ``stacklevel`` makes a warning of the calling function point to the line of the person who called us."""
    frame: Any = sys._getframe(1)
    level = 1
    while frame.f_back and is_inside(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    return level


def variables_of_caller() -> dict[str, Any]:
    """The variables, global and local, of the innermost function outside the folder of the function that asks."""
    frame: Any = sys._getframe(1)
    folder = os.path.dirname(frame.f_code.co_filename) + os.sep
    while frame.f_back and frame.f_code.co_filename.startswith(folder):
        frame = frame.f_back
    return {**frame.f_globals, **frame.f_locals}


def what_for(frame: Any, base: Any) -> tuple[str, int]:
    """The line that says what a call is for, between ``frame`` and its caller ``base``.

    A person's own, if there is any; else the innermost of the package that stands highest: of a layer, a loss or an
    optimizer before that of a rule.
    """
    rank, found = 0, ("", 0)
    while frame is not None and frame is not base:
        file = frame.f_code.co_filename
        if not is_inside(file):
            return file, frame.f_lineno
        if not file.startswith(_silent):
            for higher in range(rank + 1, len(_packages)):
                if file.startswith(_packages[higher]):
                    rank, found = higher, (file, frame.f_lineno)
        frame = frame.f_back
    return found if rank else place_of_caller()[:2]
