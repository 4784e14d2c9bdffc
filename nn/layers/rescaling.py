"""Another scale for the data, inside the model."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..settings import image_data_format
from ..tensors import plain
from .layer import Layer


class Rescaling(Layer):
    """``x · scale + offset``: pixels from 0 … 255 to 0 … 1 with ``Rescaling(1 / 255)``.

    Parameters
    ----------
    scale, offset : float or array_like
        Numbers, or arrays that broadcast with the input; a ``scale`` of one axis has a number for each channel, which
        `nn.backend.image_data_format` says the place of.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For what is no number and no array of numbers.

    Examples
    --------
    >>> Rescaling(1 / 255)(np.array([[0, 255]], "uint8")).numpy()
    array([[0., 1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = image_data_format()  # as it is now
        self.scale, self.offset = scale, offset
        for name, value in (("scale", scale), ("offset", offset)):
            if np.asarray(value).dtype.kind not in "biuf":
                raise ValueError(f"{name} of a Rescaling: expected a number, or an array of them, got {value!r}")

    @property
    def each_alone(self) -> bool:  # type: ignore[override]
        """Of arrays one axis may be the batch's."""
        return np.ndim(self.scale) == np.ndim(self.offset) == 0

    def call(self, inputs: Any) -> Any:
        scale, offset = (plain(np.asarray(v, self.dtype)) for v in (self.scale, self.offset))
        if scale.ndim == 1 and inputs.ndim > 1 and self.data_format == "channels_first":
            scale = scale.reshape(-1, *[1] * (inputs.ndim - 2))  # a number for each channel
        return inputs * scale + offset
