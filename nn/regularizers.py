"""Regularizers: a penalty on the size of a weight, added to the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import absent, config
from .checks import number, real

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "serialize",
]


class Regularizer(config.Configurable):
    """A function from a weight to a number.

    One of your own defines ``__call__(x)``. TypeError when it does not.

    >>> import nn
    >>> class Unit(nn.regularizers.Regularizer):
    ...     def __call__(self, x):
    ...         return (np.sum(x * x) - 1) ** 2
    >>> layer = nn.layers.Dense(1, kernel_initializer="ones", kernel_regularizer=Unit())
    >>> layer.build((None, 3))
    >>> layer.losses[0].item()
    4.0
    """

    keras_module = "keras.regularizers"

    def __call__(self, x: Any) -> Any:
        raise TypeError(f"{type(self).__name__} must define __call__(weight)")


class L1L2(Regularizer):
    """``l1 · Σ|x| + l2 · Σx²``.

    Takes any shape, gives a number. ValueError when a factor is below 0.

    >>> import nn
    >>> round(float(nn.regularizers.L1L2(l1=0.1, l2=0.1)(np.array([3.0, -4.0]))), 4)
    3.2
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1 = float(number(l1, "l1, the factor of a regularizer", 0))
        self.l2 = float(number(l2, "l2, the factor of a regularizer", 0))

    def __call__(self, x: Any) -> Any:
        real(x, "a regularizer")
        penalty = 0.0
        if self.l1:
            penalty = penalty + self.l1 * np.sum(np.abs(x))
        if self.l2:
            penalty = penalty + self.l2 * np.sum(np.square(x))
        return penalty


class L1(L1L2):
    """``l1 · Σ|x|``.

    Takes any shape, gives a number. ValueError when the factor is below 0.

    >>> import nn
    >>> round(float(nn.regularizers.L1(0.1)(np.array([3.0, -4.0]))), 4)
    0.7
    """

    def __init__(self, l1: float = 0.01):
        super().__init__(l1=l1)


class L2(L1L2):
    """``l2 · Σx²``.

    Takes any shape, gives a number. ValueError when the factor is below 0.

    >>> import nn
    >>> round(float(nn.regularizers.L2(0.1)(np.array([3.0, -4.0]))), 4)
    2.5
    """

    def __init__(self, l2: float = 0.01):
        super().__init__(l2=l2)


l1, l2, l1_l2 = L1, L2, L1L2
registry = config.registry("regularizer").add(L1, L2, L1L2, l1_l2=L1L2)
registry.accepted = {type(None): lambda _: None}
get, serialize, deserialize = registry.functions(__name__, "L2(0.5)", "l2 == 0.5", none="none", serialize="regularizer")

__getattr__ = absent.getattr_of("regularizers")
