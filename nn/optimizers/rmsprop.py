"""Steps divided by the recent size of the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import number
from .memory import State
from .optimizer import Optimizer


class RMSprop(Optimizer):
    """``p - rate · g / √(average of g² + epsilon)``.

    Parameters
    ----------
    learning_rate
        As in `Optimizer`.
    rho : float
        How much of the average is left after a step, from 0 to 1.
    momentum : float
        How much of a velocity is left after a step, from 0 to 1.
    epsilon : float
        Is added to the average before the root is taken; from 0 on.
    centered : bool
        Whether the variance of g is used instead of its mean square.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **kwargs
        As in `Optimizer`.

    Raises
    ------
    ValueError
        When ``rho`` or ``momentum`` is outside 0 … 1 or ``epsilon`` below 0, and as in `Optimizer`.

    References
    ----------
    G. Hinton: Neural networks for machine learning, lecture 6e. 2012.

    Examples
    --------
    >>> import nn
    >>> w = nn.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    >>> w.build((None, 2))
    >>> nn.optimizers.RMSprop(learning_rate=0.1).apply([np.array([[1.0], [-3.0]])], w.weights)
    >>> w.get_weights()[0].round(4)
    array([[0.6838],
           [1.3162]], dtype=float32)
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **kwargs)
        self.rho, self.momentum = number(rho, "rho", 0, 1), number(momentum, "momentum", 0, 1)
        self.epsilon, self.centered = number(epsilon, "epsilon", 0), centered
        slots = ["velocity", *(["momentum"] if momentum > 0 else []), *(["average_gradient"] if centered else [])]
        self.slots = dict.fromkeys(slots, 0.0)

    def update(self, parameter: Any, gradient: Any, state: State, learning_rate: Any, step: Any) -> tuple[Any, State]:
        velocity = self.rho * state["velocity"] + (1 - self.rho) * np.square(gradient)
        after, size = {"velocity": velocity}, velocity
        if self.centered:
            average = self.rho * state["average_gradient"] + (1 - self.rho) * gradient
            after["average_gradient"] = average
            size = velocity - np.square(average)
        change = learning_rate * gradient / np.sqrt(size + self.epsilon)
        if self.momentum > 0:
            change = after["momentum"] = self.momentum * state["momentum"] + change
        return parameter - change, after
