"""Which steps of a sequence count."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import number
from .layer import Layer


class Masking(Layer):
    """Zeros, and a mask that leaves them out, for the steps that hold nothing but ``mask_value``.

    Takes (batch, steps, features), and gives the same. ValueError unless ``mask_value`` is a number.

    >>> import nn
    >>> x = Masking(-1.0)(np.array([[[1.0, 2.0], [-1.0, -1.0]]]))
    >>> x.numpy()[0, 1], nn.layers.GlobalAveragePooling1D()(x).numpy()
    (array([0., 0.], dtype=float32), array([[1., 2.]], dtype=float32))
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = number(mask_value, "mask_value of a Masking")

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Which steps hold something else."""
        return np.any(np.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        counts = np.expand_dims(self.compute_mask(inputs), -1)
        return np.where(counts, inputs, inputs.dtype.type(0))
