"""What the functions of all distributions do with their arguments first."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from ...dispatch import plain
from ...errors import RuleError
from ...graph import Recorded
from ...ops.shape import array

F = TypeVar("F", bound=Callable[..., Any])


def numbers(*values: Any) -> list[Any]:
    """Python's numbers and lists as arrays of the dtype of the others: float32 stays float32."""
    known = [v if hasattr(v, "dtype") or isinstance(v, float | int) else array(v) for v in values]
    dtype = np.result_type(*map(plain, known), 0.0)
    return [v if hasattr(v, "dtype") else np.asarray(v, dtype)[()] for v in known]


def of_numbers(function: F) -> F:
    """Give a function its arguments as `numbers` makes them, those that were left out too."""
    signature = inspect.signature(function)

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        return function(*numbers(*given.args))

    return called  # type: ignore[return-value]


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
