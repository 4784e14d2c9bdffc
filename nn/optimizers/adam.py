"""Momentum, divided by the recent size of the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import number
from .memory import State
from .optimizer import Optimizer


class Adam(Optimizer):
    """``p - rate · m / (√v + epsilon)``, with averages m of g and v of g² corrected for their start at zero.

    Parameters
    ----------
    learning_rate
        As in `Optimizer`.
    beta_1, beta_2 : float
        How much of m and of v is left after a step, from 0 on and below 1.
    epsilon : float
        Keeps the divisor from 0; from 0 on.
    amsgrad : bool
        Whether to divide by the largest v so far.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **kwargs
        As in `Optimizer`.

    Raises
    ------
    ValueError
        Unless ``beta_1`` and ``beta_2`` are from 0 on and below 1 and ``epsilon`` is from 0 on, and as in
        `Optimizer`.

    References
    ----------
    D. Kingma, J. Ba: Adam: a method for stochastic optimization. ICLR 2015. S. Reddi, S. Kale, S. Kumar: On the
    convergence of Adam and beyond. ICLR 2018.

    Examples
    --------
    >>> import nn
    >>> w = nn.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    >>> w.build((None, 2))
    >>> nn.optimizers.Adam(learning_rate=0.1).apply([np.array([[1.0], [-3.0]])], w.weights)
    >>> w.get_weights()[0].round(4)
    array([[0.9],
           [1.1]], dtype=float32)
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **kwargs)
        self.beta_1 = number(beta_1, "beta_1", 0, 1, below=True)
        self.beta_2 = number(beta_2, "beta_2", 0, 1, below=True)
        self.epsilon, self.amsgrad = number(epsilon, "epsilon", 0), amsgrad
        self.slots = {"momentum": 0.0, "velocity": 0.0, **({"velocity_hat": 0.0} if amsgrad else {})}

    def update(self, parameter: Any, gradient: Any, state: State, learning_rate: Any, step: Any) -> tuple[Any, State]:
        m = state["momentum"] + (1 - self.beta_1) * (gradient - state["momentum"])
        v = state["velocity"] + (1 - self.beta_2) * (np.square(gradient) - state["velocity"])
        after, size = {"momentum": m, "velocity": v}, v
        if self.amsgrad:
            size = after["velocity_hat"] = np.maximum(state["velocity_hat"], v)
        rate = learning_rate * np.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        return parameter - rate * m / (np.sqrt(size) + self.epsilon), after
