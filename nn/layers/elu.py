"""The exponential linear unit as a layer."""

from __future__ import annotations

from typing import Any

from .. import activations
from ..checks import number
from .layer import Layer


class ELU(Layer):
    """``x`` where it is positive, ``alpha · (exp(x) - 1)`` elsewhere.

    Takes any shape, and gives the same. ValueError unless ``alpha`` is a number.

    >>> import numpy as np
    >>> ELU()(np.array([[-2.0, 3.0]])).numpy().round(3)
    array([[-0.865,  3.   ]], dtype=float32)
    """

    supports_masking = True
    each_alone = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = number(alpha, "alpha of an ELU")

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, self.alpha)
