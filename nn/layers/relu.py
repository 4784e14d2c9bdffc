"""The rectifier as a layer."""

from __future__ import annotations

from typing import Any

from .. import activations
from ..checks import number
from .layer import Layer


class ReLU(Layer):
    """``max(x, 0)``; with a slope below the threshold and a ceiling when they are given.

    Takes any shape, and gives the same.

    Parameters
    ----------
    max_value : float, optional
        The ceiling, from 0 on; None: none.
    negative_slope : float
        That below the threshold, from 0 on.
    threshold : float
        From 0 on.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For a number below 0.

    Examples
    --------
    >>> import numpy as np
    >>> ReLU(max_value=2.0)(np.array([[-1.0, 1.0, 3.0]])).numpy()
    array([[0., 1., 2.]], dtype=float32)
    """

    supports_masking = True
    each_alone = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else number(max_value, "max_value of a ReLU", 0)
        self.negative_slope = number(negative_slope, "negative_slope of a ReLU", 0)
        self.threshold = number(threshold, "threshold of a ReLU", 0)

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)
