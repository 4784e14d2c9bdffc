"""How often predictions are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..checks import number, whole
from ..losses.pairs import align, fit
from ..masks import MASKS, weights_of
from ..tensors import class_numbers, plain
from .metric import RISING, MeanMetricWrapper, Metric

# -- functions: one number for each example ----------------------------------------------------------------


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether targets and predictions are equal, element by element.

    Takes two arrays of one shape and gives that shape. ValueError when they do not fit.

    >>> import nn
    >>> nn.metrics.accuracy([[1], [2]], [[1], [3]])
    array([[1.],
           [0.]], dtype=float32)
    """
    y_true, y_pred = fit(*align(plain(y_true), plain(y_pred)), "accuracy")
    return np.equal(y_true, y_pred).astype(np.float32)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Whether probabilities are on the right side of a threshold.

    Parameters
    ----------
    y_true, y_pred : array_like
        Targets that are 0 or 1, and predictions, of one shape.
    threshold : float
        A larger prediction stands for 1.

    Returns
    -------
    array
        1 or 0 for each, in the same shape.

    Raises
    ------
    ValueError
        When the shapes do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.binary_accuracy([[1.0], [0.0]], [[0.8], [0.7]])
    array([[1.],
           [0.]], dtype=float32)
    """
    limit = number(threshold, "threshold")
    y_true, y_pred = fit(*align(plain(y_true), plain(y_pred)), "binary_accuracy")
    return np.equal(y_true, y_pred > limit).astype(np.float32)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest prediction is at the largest target.

    Takes predictions (batch, …, classes), gives (batch, …). ValueError when the targets, one-hot, have another shape.

    >>> import nn
    >>> nn.metrics.categorical_accuracy(np.eye(3)[[1, 2]], np.array([[0.1, 0.9, 0.0], [0.8, 0.0, 0.2]]))
    array([1., 0.], dtype=float32)
    """
    y_true, y_pred = _one_hot(y_true, y_pred, "categorical_accuracy")
    return np.equal(np.argmax(y_true, -1), np.argmax(y_pred, -1)).astype(np.float32)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest prediction is at the class whose number is the target.

    Takes predictions (batch, …, classes), gives (batch, …). ValueError when the targets are not (batch, …) and whole; a
    number that is no class counts as missed.

    >>> import nn
    >>> nn.metrics.sparse_categorical_accuracy(np.array([1, 2]), np.array([[0.1, 0.9, 0.0], [0.8, 0.0, 0.2]]))
    array([1., 0.], dtype=float32)
    """
    y_true, y_pred = _class_numbers(y_true, y_pred, "sparse_categorical_accuracy")
    return np.equal(y_true, np.argmax(y_pred, -1)).astype(np.float32)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Whether the largest target is among the k largest predictions.

    Parameters
    ----------
    y_true, y_pred : array_like
        Targets and predictions of one shape, (batch, classes).
    k : int
        A whole number from 1 on.

    Returns
    -------
    array
        1 or 0 for each example, (batch,).

    Raises
    ------
    ValueError
        When the shapes differ, or ``k`` is no whole number from 1 on.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.top_k_categorical_accuracy(np.eye(3)[[1, 2]], np.array([[0.1, 0.9, 0.0], [0.8, 0.0, 0.2]]), k=2)
    array([1., 1.], dtype=float32)
    """
    y_true, y_pred = _one_hot(y_true, y_pred, "top_k_categorical_accuracy")
    return sparse_top_k_categorical_accuracy(np.argmax(y_true, -1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """Whether the class whose number is the target is among the k largest predictions.

    A number that is no class counts as missed, and so does a target beside predictions of NaN.

    Parameters
    ----------
    y_true : array_like
        Class numbers, (batch,).
    y_pred : array_like
        Predictions, (batch, classes); with ``from_sorted_ids`` the numbers of classes, the best first.
    k : int
        A whole number from 1 on.
    from_sorted_ids : bool
        Whether the predictions are numbers of classes.

    Returns
    -------
    array
        1 or 0 for each example, (batch,).

    Raises
    ------
    ValueError
        When the shapes do not fit, or ``k`` is no whole number from 1 on.

    Examples
    --------
    >>> import nn
    >>> predicted = np.array([[0.1, 0.9, 0.0], [0.8, 0.0, 0.2]])
    >>> nn.metrics.sparse_top_k_categorical_accuracy(np.array([1, 2]), predicted, k=2)
    array([1., 1.], dtype=float32)
    """
    whole(k, "k", 1)
    y_true, y_pred = _class_numbers(y_true, y_pred, "sparse_top_k_categorical_accuracy")
    if from_sorted_ids:
        return np.any(y_pred[..., :k] == y_true[..., None], -1).astype(np.float32)
    there = (y_true >= 0) & (y_true < y_pred.shape[-1])  # nobody can predict a class that is not
    own = np.take_along_axis(y_pred, np.where(there, y_true, 0)[..., None], -1)
    there &= ~np.isnan(y_pred).any(-1)  # as in Keras: among what is no number nothing is first
    return (there & (np.sum(y_pred > own, -1) < k)).astype(np.float32)


def _one_hot(y_true: Any, y_pred: Any, metric: str) -> tuple[Any, Any]:
    """One-hot targets beside predictions, in one shape."""
    y_true, y_pred = plain(y_true), plain(y_pred)
    if y_true.ndim == y_pred.ndim - 1 or (y_true.ndim == y_pred.ndim and y_true.shape[-1:] == (1,) < y_pred.shape[-1:]):
        raise ValueError(
            f"{metric}: expected one-hot targets in the shape of the predictions, {y_pred.shape}, got {y_true.shape}: "
            f"for class numbers use sparse_{metric}"
        )
    return fit(y_true, y_pred, metric)


def _class_numbers(y_true: Any, y_pred: Any, metric: str) -> tuple[Any, Any]:
    """Class numbers, one for each row of predictions."""
    y_true, y_pred = plain(y_true), plain(y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1:] == (1,):
        y_true = y_true[..., 0]
    if not y_pred.ndim or y_true.shape != y_pred.shape[:-1]:
        one_hot = f": for one-hot targets use {metric.removeprefix('sparse_')}" if y_true.shape == y_pred.shape else ""
        raise ValueError(
            f"{metric}: expected one class number per prediction, shape {y_pred.shape[:-1]}, got "
            f"{y_true.shape}{one_hot}"
        )
    return class_numbers(y_true, metric), y_pred


RISING |= {
    accuracy, binary_accuracy, categorical_accuracy, sparse_categorical_accuracy, top_k_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
}  # fmt: skip

# -- classes -----------------------------------------------------------------------------------------------


class Accuracy(MeanMetricWrapper):
    """How often targets and predictions are equal.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.Accuracy()([[1], [2]], [[1], [3]])
    0.5
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often probabilities are on the right side of a threshold.

    Parameters
    ----------
    name, dtype
        As in `Metric`.
    threshold
        As in `binary_accuracy`.

    Raises
    ------
    ValueError
        When ``threshold`` is no finite number; later, when shapes or weights do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.BinaryAccuracy()([[1.0], [0.0]], [[0.8], [0.7]])
    0.5
    """

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5):
        super().__init__(binary_accuracy, name, dtype, threshold=number(threshold, "threshold"))


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is at the one in one-hot targets.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.CategoricalAccuracy()(np.eye(3)[[1, 2]], np.array([[0.1, 0.9, 0.0], [0.8, 0.0, 0.2]]))
    0.5
    """

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is at the class whose number is the target.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.SparseCategoricalAccuracy()(np.array([1, 2]), np.array([[0.1, 0.9, 0.0], [0.8, 0.0, 0.2]]))
    0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class ChosenAccuracy(Metric):
    """The accuracy that fits the shapes, as the string "accuracy" asks: binary, sparse or categorical."""

    direction = "up"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if MASKS:
            y_pred, sample_weight = weights_of(y_pred, sample_weight)
        target, prediction = np.shape(plain(y_true)), np.shape(plain(y_pred))
        fn: Callable[..., Any] = categorical_accuracy
        if prediction[-1:] == (1,) or not prediction[1:]:
            fn = binary_accuracy
        elif len(target) < len(prediction) or target[-1] == 1:
            fn = sparse_categorical_accuracy
        self.add(fn(y_true, y_pred), sample_weight)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the one in one-hot targets is among the k largest predictions.

    Parameters
    ----------
    k : int
        A whole number from 1 on.
    name, dtype
        As in `Metric`.

    Raises
    ------
    ValueError
        When ``k`` is no whole number from 1 on; later, when shapes or weights do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.TopKCategoricalAccuracy(k=2)(np.eye(3)[[1, 2]], np.array([[0.1, 0.9, 0.0], [0.8, 0.0, 0.2]]))
    1.0
    """

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=whole(k, "k", 1))


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class whose number is the target is among the k largest predictions.

    Parameters
    ----------
    k : int
        A whole number from 1 on.
    name, dtype
        As in `Metric`.
    from_sorted_ids : bool
        Whether the predictions are numbers of classes, the best first.

    Raises
    ------
    ValueError
        When ``k`` is no whole number from 1 on; later, when shapes or weights do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.SparseTopKCategoricalAccuracy(k=2)(np.array([1, 2]), np.array([[0.1, 0.9, 0.0], [0.8, 0.0, 0.2]]))
    1.0
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ):
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=whole(k, "k", 1), from_sorted_ids=bool(from_sorted_ids)
        )
