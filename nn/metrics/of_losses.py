"""The means of losses, as metrics."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import losses
from ..losses.classification import smoothing_of
from ..losses.pairs import pair
from ..tensors import plain
from .metric import MeanMetricWrapper, Result


class _MeanOf(MeanMetricWrapper):
    """The mean of ``function``, which takes targets and predictions and no settings."""

    function: Callable[..., Any]
    called: str | None = None

    def __init__(self, name: str | None = None, dtype: Any = None):
        super().__init__(type(self).function, name or self.called, dtype)


class MeanSquaredError(_MeanOf):
    """The mean of the squared errors.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.MeanSquaredError()([[0.0], [1.0]], [[2.0], [1.0]])
    2.0
    """

    function = staticmethod(losses.mean_squared_error)


def _squared_error(y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = pair(y_true, y_pred, "root_mean_squared_error")
    return np.square(y_true - y_pred)


class RootMeanSquaredError(_MeanOf):
    """The root of the mean of the squared errors.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.RootMeanSquaredError()([[0.0], [1.0]], [[2.0], [1.0]])
    1.4142135623730951
    """

    function = staticmethod(_squared_error)
    direction = "down"

    def result(self) -> Any:
        """The value so far."""
        return Result(np.sqrt(super().result()))


class MeanAbsoluteError(_MeanOf):
    """The mean of the absolute errors.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.MeanAbsoluteError()([[0.0], [1.0]], [[2.0], [1.0]])
    1.0
    """

    function = staticmethod(losses.mean_absolute_error)


class MeanAbsolutePercentageError(_MeanOf):
    """The mean of the errors in percent of the targets.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.MeanAbsolutePercentageError()([[2.0], [4.0]], [[3.0], [4.0]])
    25.0
    """

    function = staticmethod(losses.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(_MeanOf):
    """The mean of the squared errors of the logarithms.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.MeanSquaredLogarithmicError()([[1.0], [0.0]], [[1.0], [0.0]])
    0.0
    """

    function = staticmethod(losses.mean_squared_logarithmic_error)


class LogCoshError(_MeanOf):
    """The mean of ``log cosh`` of the errors.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.LogCoshError()([[0.0], [0.0]], [[0.0], [0.0]])
    0.0
    """

    function = staticmethod(losses.log_cosh)
    called = "logcosh"


class Poisson(_MeanOf):
    """The mean of ``y_pred - y_true log(y_pred)``.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.Poisson()([[0.0], [0.0]], [[1.0], [2.0]])
    1.5
    """

    function = staticmethod(losses.poisson)


class KLDivergence(_MeanOf):
    """The mean of ``Σ y_true log(y_true / y_pred)``.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]])
    0.0
    """

    function = staticmethod(losses.kl_divergence)


class Hinge(_MeanOf):
    """The mean of what predictions lack to be on the side of their targets by 1.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.Hinge()([[1.0], [-1.0]], [[0.5], [-3.0]])
    0.25
    """

    function = staticmethod(losses.hinge)


class SquaredHinge(_MeanOf):
    """The mean of the square of what `Hinge` measures.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.SquaredHinge()([[1.0], [-1.0]], [[0.5], [-3.0]])
    0.125
    """

    function = staticmethod(losses.squared_hinge)


class CategoricalHinge(_MeanOf):
    """The mean of what the predictions of the right classes lack to be the largest by 1.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.CategoricalHinge()([[0.0, 1.0, 0.0]], [[0.5, 1.0, 0.25]])
    0.5
    """

    function = staticmethod(losses.categorical_hinge)


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions: 1 where they point the same way.

    Parameters
    ----------
    name, dtype
        As in `Metric`.
    axis
        As in `losses.cosine_similarity`.

    Raises
    ------
    ValueError
        When shapes or weights do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.CosineSimilarity()([[0.0, 1.0], [1.0, 0.0]], [[0.0, 3.0], [0.0, 1.0]])
    0.5
    """

    direction = "up"

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1):
        super().__init__(_cosine, name, dtype, axis=operator.index(axis))


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    return -losses.cosine_similarity(y_true, y_pred, axis)


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of `losses.binary_crossentropy`.

    Parameters
    ----------
    name, dtype
        As in `Metric`.
    from_logits, label_smoothing
        As in `losses.binary_crossentropy`.

    Raises
    ------
    ValueError
        When ``label_smoothing`` is outside 0 … 1; later, where the function does, and for weights that do not fit.

    Examples
    --------
    >>> import nn
    >>> round(nn.metrics.BinaryCrossentropy()([[1.0, 0.0]], [[0.5, 0.25]]), 4)
    0.4904
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        options = {"from_logits": from_logits, "label_smoothing": smoothing_of(label_smoothing)}
        super().__init__(losses.binary_crossentropy, name, dtype, **options)


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.categorical_crossentropy`: targets are one-hot.

    Parameters
    ----------
    name, dtype
        As in `Metric`.
    from_logits, label_smoothing, axis
        As in `losses.categorical_crossentropy`.

    Raises
    ------
    ValueError
        When ``label_smoothing`` is outside 0 … 1; later, where the function does, and for weights that do not fit.

    Examples
    --------
    >>> import nn
    >>> round(nn.metrics.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ):
        options = {
            "from_logits": from_logits,
            "label_smoothing": smoothing_of(label_smoothing),
            "axis": operator.index(axis),
        }
        super().__init__(losses.categorical_crossentropy, name, dtype, **options)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.sparse_categorical_crossentropy`: targets are class numbers.

    Parameters
    ----------
    name, dtype
        As in `Metric`.
    from_logits, ignore_class, axis
        As in `losses.sparse_categorical_crossentropy`.

    Raises
    ------
    ValueError
        Later, where the function does, and for weights that do not fit.

    Examples
    --------
    >>> import nn
    >>> round(nn.metrics.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ):
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": operator.index(axis)}
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, **options)
        self.ignore_class = ignore_class

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if sample_weight is not None and self.ignore_class is not None:  # as in Keras, what is ignored weighs nothing
            sample_weight = plain(sample_weight) * (plain(y_true).reshape(np.shape(sample_weight)) != self.ignore_class)
        super().update_state(y_true, y_pred, sample_weight)
