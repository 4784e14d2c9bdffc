"""Functions of complex numbers as functions of their parts, which is how their derivatives are checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..tree import leaves, rebuild
from .arguments import is_complex, parameter_names

Function = Callable[..., Any]


def in_parts(f: Function, args: Sequence[Any], chosen: Sequence[int]) -> tuple[Function, list[Any]]:
    """``f`` as a function of the parts of complex arguments, and the arguments with ``{"real": a, "imag": b}`` in them.

    ``chosen`` are the positions of the arguments that are taken apart.
    """
    apart = [[n in chosen and is_complex(leaf) for leaf in leaves(arg)] for n, arg in enumerate(args)]
    taken = [rebuild(arg, map(_parts, leaves(arg), split)) for arg, split in zip(args, apart, strict=True)]

    def of_parts(*given: Any) -> Any:
        return f(*map(_whole, args, given, apart))

    of_parts.parameters = parameter_names(f, len(args))  # type: ignore[attr-defined]
    return of_parts, taken


def result_in_parts(f: Function) -> Function:
    """``f`` with the parts of each complex result in a pair."""

    def parts(*args: Any) -> Any:
        found = f(*args)
        return rebuild(found, ((np.real(v), np.imag(v)) if is_complex(v) else v for v in leaves(found)))

    return parts


def _parts(leaf: Any, split: bool) -> Any:
    return {"real": np.real(leaf), "imag": np.imag(leaf)} if split else leaf


def _whole(arg: Any, given: Any, apart: list[bool]) -> Any:
    """The argument of which ``given`` holds the parts, in the structure of ``arg``."""
    numbers = iter(leaves(given))
    return rebuild(arg, (_joined(next(numbers), next(numbers)) if split else next(numbers) for split in apart))


def _joined(a: Any, b: Any) -> Any:
    return a + 1j * b
