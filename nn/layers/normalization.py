"""Data brought to mean 0 and variance 1, by statistics that are taken beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.arrays import to_numpy

from ..checks import axis_in
from ..tensors import assign, plain
from .layer import Layer


class Normalization(Layer):
    """``(x - mean) / √variance``, where mean and variance are given, or found by `adapt` in data; they do not train.

    Takes any shape with these axes, and gives the same.

    Parameters
    ----------
    axis : int or sequence of int, optional
        The axes along which each place has a mean of its own: -1 for each feature; None for one mean of all.
    mean, variance : float or array_like, optional
        Both or none: numbers, or arrays that fit these axes.
    invert : bool
        Whether the other way is gone: ``x · √variance + mean``.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For one of mean and variance without the other, and for two shapes of them; in a call, for an input without
        these axes.

    Examples
    --------
    >>> layer = Normalization()
    >>> layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> layer(np.array([[1.0, 40.0]])).numpy()
    array([[-1.,  2.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        given = () if axis is None else axis
        self.axis: Any = tuple(given) if isinstance(given, list | tuple) else (given,)
        if (mean is None) != (variance is None) or np.shape(mean) != np.shape(variance):
            raise ValueError(f"mean and variance: expected both, of one shape, or none, got {mean!r} and {variance!r}")
        self.mean = None if mean is None else np.asarray(mean, self.dtype)
        self.variance = None if variance is None else np.asarray(variance, self.dtype)
        self.invert = invert

    def _own_axes(self, ndim: int) -> tuple[int, ...]:
        return tuple(sorted(axis_in(a, ndim, f"axis of layer {self.name!r}") for a in self.axis))

    def build(self, input_shape: Any) -> None:
        if self.mean is None:
            shape = tuple(input_shape[a] for a in self._own_axes(len(input_shape)))
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", "int32", trainable=False, name="count")  # which Keras' files have

    def adapt(self, data: Any) -> None:
        """Take mean and variance from data: an array, or an iterable of batches; of a tuple the first part counts."""
        batches = [data] if hasattr(data, "shape") else data
        number, mean, variance = 0, np.float64(0), np.float64(0)
        for batch in batches:
            x = np.asarray(to_numpy(plain(batch[0] if isinstance(batch, list | tuple) else batch)), np.float64)
            if not self.built:
                self._build((None, *x.shape[1:]))
            others = tuple(i for i in range(x.ndim) if i not in self._own_axes(x.ndim))
            more = x.size // max(1, int(np.prod([x.shape[a] for a in self._own_axes(x.ndim)])))
            if not more:
                continue
            share, shift = more / (number + more), np.mean(x, axis=others) - mean
            variance = variance + share * (np.var(x, axis=others) - variance + (1 - share) * np.square(shift))
            number, mean = number + more, mean + share * shift
        if not number:
            raise ValueError(f"the data of layer {self.name!r}: expected some to take a mean of, got none")
        if self.mean is None:
            assign(self.adapt_mean, mean)
            assign(self.adapt_variance, variance)

    def call(self, x: Any) -> Any:
        kept = self._own_axes(x.ndim)
        mean, variance = (self.adapt_mean, self.adapt_variance) if self.mean is None else (self.mean, self.variance)
        if np.ndim(mean):
            lengths = iter(np.shape(mean)[-len(kept) :] if self.mean is None else np.shape(mean))
            first = len(kept) - np.ndim(mean)  # those that are given belong to the last axes
            shape = [next(lengths) if i in kept[first:] else 1 for i in range(x.ndim)]
            mean, variance = (plain(m).reshape(shape).copy() for m in (mean, variance))
        else:
            mean, variance = plain(mean).copy(), plain(variance).copy()
        deviation = np.maximum(np.sqrt(variance), mean.dtype.type(1e-7))
        return x * deviation + mean if self.invert else (x - mean) / deviation
