"""A layer, called on each step of a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import config
from ..masks import truth
from ..tensors import plain
from .input_spec import InputSpec
from .layer import Layer


class TimeDistributed(Layer):
    """A layer, called on each step of a sequence: (batch, steps, …) gives (batch, steps, …).

    Parameters
    ----------
    layer : Layer
        It is given (batch, …), one step after another.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For what is no layer; in a call, for fewer than three axes, or no steps, and for a mask of other steps.

    Examples
    --------
    >>> import nn
    >>> TimeDistributed(nn.layers.Conv2D(4, 3))(np.ones((2, 5, 8, 8, 1))).shape
    (2, 5, 6, 6, 4)
    """

    supports_masking = True

    def __init__(self, layer: Any, **kwargs: Any):
        super().__init__(**kwargs)
        layer = config.registry("layer").from_description(layer) if isinstance(layer, dict) else layer
        if not isinstance(layer, Layer):
            raise ValueError(f"the layer of a TimeDistributed: expected a layer, such as Dense(3), got {layer!r}")
        self.layer = layer
        self.input_spec = InputSpec(min_ndim=3)

    def build(self, input_shape: Any) -> None:
        if not self.layer.built:
            self.layer._build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if inputs.shape[1] == 0:
            raise ValueError(f"layer {self.name!r}: expected at least one step, got a sequence of none")
        if mask is not None and np.shape(plain(mask))[:2] != inputs.shape[:2]:
            raise ValueError(
                f"the mask of layer {self.name!r}: expected one for each step, {inputs.shape[:2]}, got "
                f"{np.shape(plain(mask))}"
            )
        told = mask is not None and "mask" in self.layer._call_takes
        steps = range(inputs.shape[1])
        return np.stack(
            [self.layer(inputs[:, t], **({"mask": truth(mask)[:, t]} if told else {})) for t in steps], axis=1
        )
