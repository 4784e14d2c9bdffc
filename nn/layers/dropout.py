"""Leaving out units at random while training."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import checks, distributed, random
from ..checks import number
from ..tensors import plain
from .layer import Layer


class Dropout(Layer):
    """Sets each number to 0 with probability ``rate`` while training; otherwise nothing happens.

    The others are scaled up by ``1 / (1 - rate)``, so that their expected value stays. Any shape comes out as it is.

    Parameters
    ----------
    rate : float
        From 0 to 1.
    noise_shape : tuple of int, optional
        A 1, None or the length for each axis of the input: one decision is repeated along the axes where it has a 1.
    seed : int, optional
        A whole number from 0 on makes the same decisions in each training; None makes new ones.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        When ``rate`` is outside 0 … 1; in a call, where ``noise_shape`` does not fit the input.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov: Dropout: a simple way to prevent neural
    networks from overfitting. JMLR 2014.

    Examples
    --------
    >>> Dropout(0.5)(np.ones((1, 3))).numpy()
    array([[1., 1., 1.]], dtype=float32)
    """

    supports_masking = True
    each_alone = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = number(rate, "the rate of Dropout, the fraction to leave out", 0, 1)
        self.noise_shape = None if noise_shape is None else checks.lengths(noise_shape, "noise_shape")
        if 0 in (self.noise_shape or ()):
            raise ValueError(f"noise_shape: expected a 1, None or the length for each axis, got {noise_shape!r}")
        self.seed = seed
        self.generator = random.generator_of(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return inputs * inputs.dtype.type(0)
        shape = distributed.whole(inputs.shape)
        if self.noise_shape is not None:
            if len(self.noise_shape) != inputs.ndim or any(
                m not in (None, 1, n) for m, n in zip(self.noise_shape, shape, strict=True)
            ):
                raise ValueError(
                    f"noise_shape of layer {self.name!r}: expected a 1, None or the length for each axis of its input, "
                    f"whose shape is {shape}, got {self.noise_shape}"
                )
            shape = tuple(n if m is None else m for n, m in zip(shape, self.noise_shape, strict=True))
        # Drawn for the whole batch, so that it does not matter how many processes share it.
        kept = plain(distributed.own(self.generator.random(shape, np.float32)) >= self.rate)
        return inputs * (kept * inputs.dtype.type(1 / (1 - self.rate)))
