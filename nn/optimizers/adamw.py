"""Adam with weight decay."""

from __future__ import annotations

from typing import Any

from ..checks import number
from .adam import Adam


class AdamW(Adam):
    """`Adam` after taking ``rate · weight_decay · p`` off each parameter.

    Parameters
    ----------
    learning_rate
        As in `Optimizer`.
    weight_decay : float
        From 0 on.
    beta_1, beta_2, epsilon, amsgrad
        As in `Adam`.
    clipnorm, clipvalue, global_clipnorm, **kwargs
        As in `Optimizer`.

    Raises
    ------
    ValueError
        When ``weight_decay`` is below 0 or None, and as in `Adam`.

    References
    ----------
    I. Loshchilov, F. Hutter: Decoupled weight decay regularization. ICLR 2019.

    Examples
    --------
    >>> import nn
    >>> w = nn.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    >>> w.build((None, 2))
    >>> nn.optimizers.AdamW(learning_rate=0.1).apply([np.array([[1.0], [-3.0]])], w.weights)
    >>> w.get_weights()[0].round(4)
    array([[0.8996],
           [1.0996]], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        **kwargs: Any,
    ):
        number(weight_decay, "weight_decay of AdamW", 0)  # None would make it an Adam
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue, global_clipnorm,
            **kwargs,
        )  # fmt: skip
