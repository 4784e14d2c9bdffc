"""Steps in the unit of the parameter."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import number
from .memory import State
from .optimizer import Optimizer


class Adadelta(Optimizer):
    """``p - rate · g · rms(changes) / rms(g)``, of moving averages of squares.

    Parameters
    ----------
    learning_rate
        As in `Optimizer`; 1.0 is that of the paper.
    rho : float
        How much of an average is left after a step, from 0 to 1.
    epsilon : float
        Is added to the averages before the root is taken; from 0 on.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **kwargs
        As in `Optimizer`.

    Raises
    ------
    ValueError
        When ``rho`` is outside 0 … 1 or ``epsilon`` below 0, and as in `Optimizer`.

    References
    ----------
    M. Zeiler: ADADELTA: an adaptive learning rate method. 2012.

    Examples
    --------
    >>> import nn
    >>> w = nn.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    >>> w.build((None, 2))
    >>> nn.optimizers.Adadelta(learning_rate=1.0).apply([np.array([[1.0], [-3.0]])], w.weights)
    >>> w.get_weights()[0].round(4)
    array([[0.9986],
           [1.0014]], dtype=float32)
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **kwargs)
        self.rho, self.epsilon = number(rho, "rho", 0, 1), number(epsilon, "epsilon", 0)
        self.slots = {"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}

    def update(self, parameter: Any, gradient: Any, state: State, learning_rate: Any, step: Any) -> tuple[Any, State]:
        gradients, changes = state["accumulated_grad"], state["accumulated_delta_var"]
        gradients = self.rho * gradients + (1 - self.rho) * np.square(gradient)
        change = -np.sqrt(changes + self.epsilon) * gradient / np.sqrt(gradients + self.epsilon)
        changes = self.rho * changes + (1 - self.rho) * np.square(change)
        after = {"accumulated_grad": gradients, "accumulated_delta_var": changes}
        return parameter + learning_rate * change, after
