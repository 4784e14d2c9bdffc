"""What an argument must be, said in one sentence where it is not."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite
from typing import Any

import numpy as np


class WrongKind(TypeError, ValueError):
    """Something of another kind than was asked for: what Python calls a TypeError, and Keras often a ValueError."""


def whole(value: Any, what: str, minimum: int = 0) -> int:
    """A whole number from ``minimum`` on; True and False are none.

    >>> whole(3, "patience")
    3
    >>> whole(-1, "patience")
    Traceback (most recent call last):
    ValueError: patience is a whole number from 0 on; -1 came
    """
    known = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not known or value < minimum:
        kind = ValueError if known else WrongKind
        raise kind(f"{what}: expected a whole number from {minimum} on, got {value!r}")
    return int(value)


def lengths(value: Any, what: str) -> tuple[int | None, ...]:
    """A shape: whole numbers from 0 on, and None for lengths that vary.

    >>> lengths([None, 28, 28], "shape")
    (None, 28, 28)
    >>> lengths([-1, 28], "shape")
    Traceback (most recent call last):
    ValueError: shape holds whole numbers from 0 on, or None; [-1, 28] came
    """
    if not isinstance(value, list | tuple) or not all(
        n is None or (isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 0) for n in value
    ):
        raise ValueError(f"{what}: expected whole numbers from 0 on, or None, got {value!r}")
    return tuple(None if n is None else int(n) for n in value)


def number(
    value: Any, what: str, low: float = -inf, high: float = inf, *, above: bool = False, below: bool = False
) -> Any:
    """A finite number between two bounds, which are allowed themselves unless ``above`` or ``below`` is set.

    >>> number(1.0, "beta_1", 0, 1, below=True)
    Traceback (most recent call last):
    ValueError: beta_1 is a number from 0 on and below 1; 1.0 came
    """
    real = isinstance(value, float | int | np.floating | np.integer) and not isinstance(value, bool)
    fits = real and isfinite(value) and low <= value <= high
    if not fits or (above and value == low) or (below and value == high):
        raise ValueError(f"{what}: expected a number {_range(low, high, above, below)}, got {value!r}")
    return value


def optional(check: Callable[..., Any], value: Any, *args: Any, **kwargs: Any) -> Any:
    """None, or what another check makes of a value.

    >>> optional(whole, None, "top_k", 1), optional(whole, 3, "top_k", 1)
    (None, 3)
    """
    return None if value is None else check(value, *args, **kwargs)


def real(value: Any, what: str) -> None:
    """Refuse complex numbers, or a dtype of them, of which the rules here would take squares for squares of sizes.

    >>> real(np.dtype("complex64"), "a weight")
    Traceback (most recent call last):
    TypeError: a weight: expected real numbers, got complex64; train the two parts as two weights, or ...
    """
    if not isinstance(value, np.dtype | str | type):
        value = value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype
    if np.dtype(value).kind == "c":
        raise TypeError(
            f"{what}: expected real numbers, got {np.dtype(value)}; train the two parts as two weights, or write the "
            "step by hand: x -= rate * x.grad"
        )


def axis_in(axis: Any, ndim: int, owner: str) -> int:
    """The place of an axis, counted from the front.

    >>> axis_in(2, 2, "layer 'norm'")
    Traceback (most recent call last):
    ValueError: layer 'norm': expected an axis of its input, from -2 to 1, got axis 2
    """
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer) or not -ndim <= axis < ndim:
        there = f"an axis of its input, from {-ndim} to {ndim - 1}" if ndim else "an input with axes"
        raise ValueError(f"{owner}: expected {there}, got axis {axis!r}")
    return int(axis) % ndim


def one_of(word: Any, what: str, known: tuple[str, ...]) -> str:
    """A word in any case, if it is one of those known.

    >>> one_of("roc", "curve", ("ROC", "PR"))
    'ROC'
    >>> one_of("P", "curve", ("ROC", "PR"))
    Traceback (most recent call last):
    ValueError: curve: expected 'ROC' or 'PR', got 'P'
    """
    for name in known:
        if isinstance(word, str) and word.lower() == name.lower():
            return name
    raise ValueError(f"{what}: expected {' or '.join(map(repr, known))}, got {word!r}")


def function(value: Any, what: str) -> Any:
    """Something that can be called.

    >>> function(3, "schedule")
    Traceback (most recent call last):
    TypeError: schedule is a function; 3 came
    """
    if not callable(value):
        raise TypeError(f"{what}: expected a function, got {value!r}")
    return value


def _range(low: float, high: float, above: bool = False, below: bool = False) -> str:
    if isfinite(low) and isfinite(high) and not (above or below):
        return f"between {low:g} and {high:g}"
    parts = [f"above {low:g}" if above else f"from {low:g} on"] if isfinite(low) else []
    parts += [f"below {high:g}" if below else f"up to {high:g}"] if isfinite(high) else []
    return " and ".join(parts) or "that is finite"
