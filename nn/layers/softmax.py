"""Softmax as a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ag

from .. import activations
from ..masks import truth
from .layer import Layer


class Softmax(Layer):
    """``exp(x) / Σ exp(x)`` along an axis.

    Takes any shape, and gives the same. What a ``mask`` leaves out gets no share. ValueError when there is no such
    axis, and for a mask that does not stretch to the inputs.

    >>> import nn
    >>> nn.layers.Softmax()(np.array([[0.0, 0.0]])).numpy()
    array([[0.5, 0.5]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis: Any = tuple(axis) if isinstance(axis, list | tuple) else axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is not None:
            mask = truth(mask)
            fits = mask.ndim <= inputs.ndim and all(
                m in (1, n) for m, n in zip(mask.shape[::-1], inputs.shape[::-1], strict=False)
            )
            if not fits:
                raise ValueError(
                    f"the mask of layer {self.name!r}: expected one that stretches to the shape of the inputs, "
                    f"{inputs.shape}, got {mask.shape}"
                )
            inputs = np.where(mask, inputs, inputs.dtype.type(-3e4 if inputs.dtype == np.float16 else -1e9))
        if isinstance(self.axis, tuple) and len(self.axis) > 1:
            y = np.exp(inputs - ag.logsumexp(inputs, axis=self.axis, keepdims=True))
        else:
            y = activations.softmax(inputs, self.axis[0] if isinstance(self.axis, tuple) else self.axis)
        return y if mask is None else np.where(mask, y, y.dtype.type(0))  # where all are left out, too
