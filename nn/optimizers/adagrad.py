"""Steps divided by the size of all gradients so far."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import number
from .memory import State
from .optimizer import Optimizer


class Adagrad(Optimizer):
    """``p - rate · g / √(Σ g² + epsilon)``.

    Parameters
    ----------
    learning_rate
        As in `Optimizer`.
    initial_accumulator_value : float
        What the sum begins with, from 0 on.
    epsilon : float
        Keeps the divisor from 0; from 0 on.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **kwargs
        As in `Optimizer`.

    Raises
    ------
    ValueError
        When ``initial_accumulator_value`` or ``epsilon`` is below 0, and as in `Optimizer`.

    References
    ----------
    J. Duchi, E. Hazan, Y. Singer: Adaptive subgradient methods for online learning and
    stochastic optimization. JMLR 2011.

    Examples
    --------
    >>> import nn
    >>> w = nn.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    >>> w.build((None, 2))
    >>> nn.optimizers.Adagrad(learning_rate=0.1).apply([np.array([[1.0], [-3.0]])], w.weights)
    >>> w.get_weights()[0].round(4)
    array([[0.9047],
           [1.0994]], dtype=float32)
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **kwargs)
        self.initial_accumulator_value = number(initial_accumulator_value, "initial_accumulator_value", 0)
        self.epsilon = number(epsilon, "epsilon", 0)
        self.slots = {"accumulator": initial_accumulator_value}

    def update(self, parameter: Any, gradient: Any, state: State, learning_rate: Any, step: Any) -> tuple[Any, State]:
        total = state["accumulator"] + np.square(gradient)
        return parameter - learning_rate * gradient / np.sqrt(total + self.epsilon), {"accumulator": total}
