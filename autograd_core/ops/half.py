"""float16, whose largest number is 65,504: what adds, counts or squares is computed in float32 and rounded once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)
F = TypeVar("F", bound=Callable[..., Any])


def in_float32(function: F) -> F:
    """Decorate a forward function, or one made of ops: it sees float32 in place of float16.

    What comes out goes back to float16, unless something was of float32 already.

    >>> length = in_float32(lambda x: np.sqrt(np.sum(x * x)))
    >>> print(length(np.full(9, 300, np.float16)))  # the sum of the squares is 810,000
    900.0
    """

    @functools.wraps(function)
    def computed(*args: Any, **params: Any) -> Any:
        for a in args:
            if getattr(a, "dtype", None) is HALF:
                break
        else:
            return function(*args, **params)
        result = function(*map(_wide, args), **{name: _wide(value) for name, value in params.items()})
        mixed = any(getattr(a, "dtype", None) is SINGLE for a in args)
        return result if mixed else _narrow(result)

    return computed  # type: ignore[return-value]


def rule_in_float32(op: Callable[..., Any] | None = None) -> Callable[[F], F]:
    """Decorate a rule: it sees float32 in place of float16, and the walk brings its gradient to the argument's dtype.

    With ``op`` it gets the result that this has in float32, where that of float16 may have lost its digits, or be
    infinite.
    """

    def decorate(rule: F) -> F:
        @functools.wraps(rule)
        def computed(g: Any, z: Any, *xs: Any, **params: Any) -> Any:
            for x in xs:
                if getattr(x, "dtype", None) is HALF:
                    break
            else:
                return rule(g, z, *xs, **params)
            xs = tuple(map(_wide, xs))
            return rule(_wide(g), _wide(z) if op is None else op(*xs, **params), *xs, **params)

        return computed  # type: ignore[return-value]

    return decorate


def _wide(value: Any) -> Any:
    return value.astype(SINGLE) if getattr(value, "dtype", None) is HALF else value


def _narrow(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_narrow, value))
    return value.astype(HALF) if getattr(value, "dtype", None) is SINGLE else value
