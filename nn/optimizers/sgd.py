"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from ..checks import number
from .memory import State
from .optimizer import Optimizer


class SGD(Optimizer):
    """``p - rate · g``, or with a velocity that remembers earlier gradients.

    Parameters
    ----------
    learning_rate
        As in `Optimizer`.
    momentum : float
        How much of its velocity is left after a step, from 0 to 1.
    nesterov : bool
        Whether the gradient is taken as if the velocity had been followed already.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **kwargs
        As in `Optimizer`.

    Raises
    ------
    ValueError
        When ``momentum`` is outside 0 … 1, and as in `Optimizer`.

    References
    ----------
    B. Polyak: Some methods of speeding up the convergence of iteration methods. 1964.
    I. Sutskever, J. Martens, G. Dahl, G. Hinton: On the importance of initialization and momentum in deep learning.
    ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> SGD(0.5).update(np.float32(1), np.float32(1), {}, np.float32(0.5), np.float32(1))[0]
    np.float32(0.5)
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **kwargs)
        self.momentum, self.nesterov = number(momentum, "momentum", 0, 1), nesterov
        self.slots = {"momentum": 0.0} if momentum else {}

    def update(self, parameter: Any, gradient: Any, state: State, learning_rate: Any, step: Any) -> tuple[Any, State]:
        if not self.momentum:
            return parameter - learning_rate * gradient, state
        velocity = self.momentum * state["momentum"] - learning_rate * gradient
        if self.nesterov:
            return parameter + self.momentum * velocity - learning_rate * gradient, {"momentum": velocity}
        return parameter + velocity, {"momentum": velocity}
