"""Regularizers: a penalty on the size of a weight, added to the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import config


class Regularizer(config.Configurable):
    """A function from a weight to a number."""

    def __call__(self, x: Any) -> Any:
        raise TypeError(f"{type(self).__name__} must define __call__(weight)")


class L1L2(Regularizer):
    """``l1 · Σ|x| + l2 · Σx²``."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1, self.l2 = _factor(l1), _factor(l2)

    def __call__(self, x: Any) -> Any:
        penalty = 0.0
        if self.l1:
            penalty = penalty + self.l1 * np.sum(np.abs(x))
        if self.l2:
            penalty = penalty + self.l2 * np.sum(np.square(x))
        return penalty


class L1(L1L2):
    """``l1 · Σ|x|``."""

    def __init__(self, l1: float = 0.01):
        super().__init__(l1=l1)


class L2(L1L2):
    """``l2 · Σx²``."""

    def __init__(self, l2: float = 0.01):
        super().__init__(l2=l2)


def _factor(value: float) -> float:
    if not (isinstance(value, float | int) and 0 <= value < np.inf):
        raise ValueError(f"a regularization factor is a number from 0 on; {value!r} came")
    return float(value)


l1, l2, l1_l2 = L1, L2, L1L2
KNOWN: dict[str, Any] = {"L1": L1, "L2": L2, "L1L2": L1L2, "l1_l2": L1L2}


def get(identifier: Any) -> Any:
    """The regularizer that a name, class, configuration or function means; None is none."""
    return None if identifier is None else config.resolve(identifier, KNOWN, "regularizer")


def serialize(regularizer: Any) -> Any:
    """A regularizer as plain data."""
    return config.serialize(regularizer)


def deserialize(configuration: Any) -> Any:
    """The regularizer that plain data describes."""
    return get(configuration)
