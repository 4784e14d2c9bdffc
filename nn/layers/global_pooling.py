"""The average and the largest value over all positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.ops.half import in_float32

from ..masks import truth
from .images import data_format_of
from .input_spec import InputSpec
from .layer import Layer


class GlobalPooling(Layer):
    """One number for each channel."""

    rank: int
    each_alone = True
    _reduce: Callable[..., Any]

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = data_format_of(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        return self._reduce(inputs, axis=tuple(range(first, first + self.rank)), keepdims=self.keepdims)


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of each channel over all positions: (batch, length, channels) gives (batch, channels).

    Where there is a mask, the mean of those that count.

    Parameters
    ----------
    data_format : str, optional
        "channels_last" or "channels_first"; None for that of `nn.backend.image_data_format`.
    keepdims : bool
        Whether the axes of the positions stay, with length 1.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For an unknown ``data_format``; in a call, for an input with another number of axes.

    Examples
    --------
    >>> import nn
    >>> nn.layers.GlobalAveragePooling1D()(np.ones((2, 5, 3), "float32")).shape
    (2, 3)
    """

    rank, _reduce = 1, staticmethod(np.mean)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return super().call(inputs) if mask is None else in_float32(self._mean)(inputs, mask)

    def _mean(self, x: Any, mask: Any) -> Any:
        axis = 1 if self.data_format == "channels_last" else 2
        counts = np.expand_dims(truth(mask), 3 - axis)
        x = np.where(counts, x, x.dtype.type(0))
        number = np.sum(counts.astype(x.dtype), axis=axis, keepdims=self.keepdims)
        return np.sum(x, axis=axis, keepdims=self.keepdims) / number

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: the steps are gone."""
        return None


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each channel over all positions: (batch, height, width, channels) gives (batch, channels).

    Parameters
    ----------
    data_format, keepdims, **kwargs
        As in `GlobalAveragePooling1D`.

    Raises
    ------
    ValueError
        As in `GlobalAveragePooling1D`.

    Examples
    --------
    >>> import nn
    >>> nn.layers.GlobalAveragePooling2D()(np.ones((2, 5, 5, 3), "float32")).shape
    (2, 3)
    """

    rank, _reduce = 2, staticmethod(np.mean)


class GlobalMaxPooling1D(GlobalPooling):
    """The largest value of each channel over all positions: (batch, length, channels) gives (batch, channels).

    Equal ones share the gradient.

    Parameters
    ----------
    data_format, keepdims, **kwargs
        As in `GlobalAveragePooling1D`.

    Raises
    ------
    ValueError
        As in `GlobalAveragePooling1D`.

    Examples
    --------
    >>> import nn
    >>> nn.layers.GlobalMaxPooling1D()(np.ones((2, 5, 3), "float32")).shape
    (2, 3)
    """

    rank, _reduce = 1, staticmethod(np.max)


class GlobalMaxPooling2D(GlobalPooling):
    """The largest value of each channel over all positions: (batch, height, width, channels) gives (batch, channels).

    Equal ones share the gradient.

    Parameters
    ----------
    data_format, keepdims, **kwargs
        As in `GlobalAveragePooling1D`.

    Raises
    ------
    ValueError
        As in `GlobalAveragePooling1D`.

    Examples
    --------
    >>> import nn
    >>> nn.layers.GlobalMaxPooling2D()(np.ones((2, 5, 5, 3), "float32")).shape
    (2, 3)
    """

    rank, _reduce = 2, staticmethod(np.max)
