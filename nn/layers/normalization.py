"""Data brought to mean 0 and variance 1, by statistics that are taken beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.arrays import to_numpy

from .. import config
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
        self.input_mean = None if mean is None else np.asarray(mean, self.dtype)
        self.input_variance = None if variance is None else np.asarray(variance, self.dtype)
        self.invert = invert

    @property
    def mean(self) -> Any:
        """The means, with an axis for each of the inputs, once it is built; those that were given until then."""
        return self._seen(self.input_mean, "adapt_mean")

    @property
    def variance(self) -> Any:
        """The variances likewise."""
        return self._seen(self.input_variance, "adapt_variance")

    def _seen(self, given: Any, weight: str) -> Any:
        if self.built_for is None:
            return given
        kept, lengths = self._own_axes(len(self.built_for)), self.built_for
        whole = [lengths[i] if i in kept else 1 for i in range(len(lengths))]
        return np.broadcast_to(self._over(getattr(self, weight) if given is None else given, len(lengths)), whole)

    def _over(self, values: Any, ndim: int) -> Any:
        """Means or variances with an axis for each of an input; they belong to the last of the layer's own axes."""
        values, kept = plain(values), self._own_axes(ndim)
        lengths, first = iter(values.shape), len(kept) - values.ndim
        shape = [next(lengths) if i in kept[first:] else 1 for i in range(ndim)] if values.ndim else ()
        return values.reshape(shape).copy()

    def _own_axes(self, ndim: int) -> tuple[int, ...]:
        return tuple(sorted(axis_in(a, ndim, f"axis of layer {self.name!r}") for a in self.axis))

    def build(self, input_shape: Any) -> None:
        if self.input_mean is None:
            shape = tuple(input_shape[a] for a in self._own_axes(len(input_shape)))
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", "int32", trainable=False, name="count")  # which Keras' files have

    def adapt(self, data: Any) -> None:
        """Take mean and variance from data: an array, or an iterable of batches; of a tuple the first part counts.

        TypeError for batches that are no arrays; ValueError for none, and for other axes than it was built for.
        """
        number, mean, variance = 0, np.float64(0), np.float64(0)
        for batch in _batches(data):
            batch = batch[0] if isinstance(batch, list | tuple) else batch
            if not hasattr(batch, "shape"):
                raise TypeError(f"the data of layer {self.name!r}: expected arrays, got {type(batch).__name__}")
            x = np.asarray(to_numpy(plain(batch)), np.float64)
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
        if self.input_mean is None:
            assign(self.adapt_mean, mean)
            assign(self.adapt_variance, variance)

    def call(self, inputs: Any) -> Any:
        given = self.input_mean, self.input_variance
        used = (self.adapt_mean, self.adapt_variance) if self.input_mean is None else given
        mean, variance = (self._over(values, inputs.ndim) for values in used)
        deviation = np.maximum(np.sqrt(variance), mean.dtype.type(1e-7))
        return inputs * deviation + mean if self.invert else (inputs - mean) / deviation

    def _given_settings(self) -> dict[str, Any]:
        return {**super()._given_settings(), "mean": self.input_mean, "variance": self.input_variance}

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data."""
        given = {"mean": config.serialize(self.input_mean), "variance": config.serialize(self.input_variance)}
        return {**super().get_config(), **given}


def _batches(data: Any) -> Any:
    """The batches of an array, of what gives them by number, as a PyDataset does, or of an iterable."""
    if hasattr(data, "shape"):
        return [data]
    if hasattr(data, "element_spec"):  # of TensorFlow, perhaps single examples
        spec = data.element_spec[0] if isinstance(data.element_spec, tuple) else data.element_spec
        return data.batch(128) if len(spec.shape) == 1 else data
    by_number = hasattr(data, "__getitem__") and hasattr(data, "__len__") and not hasattr(data, "__iter__")
    return (data[i] for i in range(len(data))) if by_number else data
