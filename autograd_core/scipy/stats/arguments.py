"""What the functions of all distributions do with their arguments first."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from math import nan
from typing import Any, TypeVar

import numpy as np

from ...arrays import decide
from ...dispatch import plain
from ...errors import RuleError
from ...graph import Recorded
from ...ops.shape import array

ABOVE_0 = ("a", "b", "df", "scale")

F = TypeVar("F", bound=Callable[..., Any])


def numbers(*values: Any) -> list[Any]:
    """Python's numbers and lists as arrays of the dtype of the others: float32 stays float32."""
    known = [v if hasattr(v, "dtype") or isinstance(v, float | int) else array(v) for v in values]
    dtype = np.result_type(*map(plain, known), 0.0)
    return [v if hasattr(v, "dtype") else np.asarray(v, dtype)[()] for v in known]


def of_numbers(function: F) -> F:
    """Give a function its arguments as `numbers` makes them, those that were left out too.

    Its result is NaN for NaN and for parameters of which there is no distribution, as SciPy has it.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        values = dict(zip(given.arguments, numbers(*given.args), strict=True))
        found = function(**values)
        wrong = np.False_
        for name, value in values.items():
            v = plain(value)
            wrong = wrong | (~(v > 0) if name in ABOVE_0 else ~(v >= 0) if name == "mu" else np.isnan(v))
        return np.where(wrong, nan, found) if decide(np.any(wrong)) else found

    return called  # type: ignore[return-value]


def density(function: F) -> F:
    """`of_numbers` for a density, which is 0 at an infinite ``x``, and so are its slopes."""

    @wraps(function)
    def called(**given: Any) -> Any:
        far = np.isinf(plain(given["x"]))
        if not decide(np.any(far)):
            return function(**given)
        near = np.where(far, given["loc"] + given["scale"] / 2, given["x"])
        return np.where(far, 0.0, function(**{**given, "x": near}))

    return of_numbers(called)  # type: ignore[return-value]


def without_derivative(*values: Any) -> list[Any]:
    """Whole numbers, with respect to which there is no derivative: a Tensor that records is refused."""
    for value in values:
        if isinstance(value, Recorded) and value.node.requires_grad:
            raise RuleError(
                f"expected whole numbers, which have no derivative, got {value.node.label()}; pass its .data"
            )
    return [plain(value) for value in values]


def standard(x: Any, loc: Any, scale: Any) -> Any:
    """``(x - loc) / scale``."""
    return (x - loc) / scale
