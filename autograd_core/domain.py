"""Where the arguments of an op may lie, and examples of its calls: what tests, tables and drawings ask of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Domain:
    """Where an argument may lie, and the points at which the op has a kink or a jump there.

    Parameters
    ----------
    low, high : float
        The open ends of the interval.
    kinks : tuple of float
        Single points inside it that tests and step sizes keep away from.
    period : float, optional
        The distance at which ``kinks`` repeat: a ``tan`` has its poles at π/2 + kπ, which is
        ``Domain(kinks=(pi / 2,), period=pi)``. None: they do not.

    Examples
    --------
    >>> import autograd_core as ag
    >>> ag.Domain(low=0.0)
    Domain(low=0.0, high=inf, kinks=(), period=None)
    >>> ag.REGISTRY["tan"].domain.period
    3.141592653589793
    """

    low: float = -np.inf
    high: float = np.inf
    kinks: tuple[float, ...] = ()
    period: float | None = None


REAL = Domain()
POSITIVE = Domain(low=0.0)
NONZERO = Domain(kinks=(0.0,))


@dataclass(frozen=True)
class Example:
    """One call of an op: a shape for each input (an array is taken as it is), and the parameters."""

    inputs: tuple[Any, ...]
    params: dict[str, Any] = field(default_factory=dict)


def example(*inputs: Any, **params: Any) -> Example:
    """An example for ``@op(examples=…)``: ``example((2, 3), axis=1)``.

    >>> example((2, 3), axis=1).params
    {'axis': 1}
    """
    return Example(inputs, params)


# A shape or two for an op of one argument that works element by element but is no NumPy ufunc.
ELEMENTWISE = (example((2, 3)), example(()), example((0, 2)))
