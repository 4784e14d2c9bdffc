"""Noise while training."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import distributed, random
from ..checks import number
from ..tensors import plain
from .layer import Layer


class GaussianNoise(Layer):
    """Normally distributed numbers added while training; otherwise nothing happens. Any shape comes out as it is.

    Parameters
    ----------
    stddev : float
        Their standard deviation, from 0 to 1, as in Keras.
    seed : int, optional
        A whole number from 0 on adds the same in each training; None something new.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        When ``stddev`` is outside 0 … 1.

    Examples
    --------
    >>> GaussianNoise(0.1)(np.ones((1, 3))).numpy()
    array([[1., 1., 1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.stddev = number(stddev, "stddev of a GaussianNoise", 0, 1)
        self.seed = seed
        self.generator = random.generator_of(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.stddev == 0:
            return inputs
        noise = self.generator.standard_normal(distributed.whole(inputs.shape), np.float32)
        return inputs + plain(distributed.own(noise * np.float32(self.stddev))).astype(inputs.dtype)
