"""Metrics: what is reported beside the loss. They see plain arrays and are averaged over an epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import config, losses
from .tensors import plain


class Metric(config.Configurable):
    """A running value: `update_state` for each batch, `result` when asked, `reset_state` for each epoch."""

    def __init__(self, name: str | None = None, dtype: Any = None):
        self.name = name or config.snake_case(type(self).__name__)
        self.dtype = dtype
        self.reset_state()

    def reset_state(self) -> None:
        """Begin again."""
        self.total = self.count = 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        raise TypeError(f"{type(self).__name__} must define update_state(y_true, y_pred, sample_weight)")

    def result(self) -> float:
        """The value so far."""
        return self.total / self.count if self.count else 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> float:
        self.update_state(*args, **kwargs)
        return self.result()

    def add(self, values: Any, sample_weight: Any = None) -> None:
        """Take numbers into the running mean, with their weights."""
        values = np.asarray(plain(values), np.float64)
        if sample_weight is None:
            self.total += float(values.sum())
            self.count += values.size
            return
        values, weights = losses.align(values, np.asarray(plain(sample_weight), np.float64))
        while weights.ndim < values.ndim:
            weights = weights[..., None]
        weights = np.broadcast_to(weights, values.shape)
        self.total += float((values * weights).sum())
        self.count += float(weights.sum())


class Mean(Metric):
    """The mean of the numbers that it is given."""

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__(name, dtype)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        self.add(values, sample_weight)


class MeanMetricWrapper(Metric):
    """The mean of a function of targets and predictions, which gets the given options."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **options: Any):
        super().__init__(name or getattr(fn, "__name__", "metric"), dtype)
        self.fn, self.options = fn, options

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.add(self.fn(y_true, y_pred, **self.options), sample_weight)


# -- functions: one number for each example ----------------------------------------------------------------


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether targets and predictions are equal, element by element."""
    y_true, y_pred = losses.align(plain(y_true), plain(y_pred))
    return np.equal(y_true, y_pred).astype(np.float32)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Whether probabilities are on the right side of a threshold."""
    y_true, y_pred = losses.align(plain(y_true), plain(y_pred))
    return np.equal(y_true, y_pred > threshold).astype(np.float32)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest prediction is at the largest target."""
    return np.equal(np.argmax(plain(y_true), -1), np.argmax(plain(y_pred), -1)).astype(np.float32)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest prediction is at the class whose number is the target."""
    y_true, y_pred = plain(y_true), plain(y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    return np.equal(y_true, np.argmax(y_pred, -1)).astype(np.float32)


# -- classes -----------------------------------------------------------------------------------------------


class Accuracy(Metric):
    """How often targets and predictions are equal."""

    def __init__(self, name: str | None = "accuracy", dtype: Any = None):
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.add(accuracy(y_true, y_pred), sample_weight)


class BinaryAccuracy(Metric):
    """How often probabilities are on the right side of a threshold."""

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5):
        super().__init__(name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.add(binary_accuracy(y_true, y_pred, self.threshold), sample_weight)


class CategoricalAccuracy(Metric):
    """How often the largest prediction is at the one in one-hot targets."""

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None):
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.add(categorical_accuracy(y_true, y_pred), sample_weight)


class SparseCategoricalAccuracy(Metric):
    """How often the largest prediction is at the class whose number is the target."""

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None):
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.add(sparse_categorical_accuracy(y_true, y_pred), sample_weight)


class ChosenAccuracy(Metric):
    """The accuracy that fits the shapes, as the string "accuracy" asks: binary, sparse or categorical."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        target, prediction = np.shape(plain(y_true)), np.shape(plain(y_pred))
        fn: Callable[..., Any] = categorical_accuracy
        if prediction[-1:] == (1,) or not prediction[1:]:
            fn = binary_accuracy
        elif len(target) < len(prediction) or target[-1] == 1:
            fn = sparse_categorical_accuracy
        self.add(fn(y_true, y_pred), sample_weight)


CLASSES = (Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, Mean)
FUNCTIONS = (binary_accuracy, categorical_accuracy, sparse_categorical_accuracy)
KNOWN: dict[str, Any] = {
    **{cls.__name__: cls for cls in CLASSES},
    **{f.__name__: f for f in (*losses.FUNCTIONS, *FUNCTIONS)},
}


def get(identifier: Any) -> Any:
    """The metric that a name, class, configuration or function means; None is none."""
    return None if identifier is None else config.resolve(identifier, KNOWN, "metric")


def as_metric(identifier: Any) -> Metric:
    """A `Metric` for whatever `compile(metrics=[…])` was given; a string stays its name."""
    if identifier in ("accuracy", "acc"):
        return ChosenAccuracy(identifier)
    found = config.resolve(identifier, {**KNOWN, "accuracy": ChosenAccuracy}, "metric")
    if isinstance(found, losses.Loss):
        found = MeanMetricWrapper(found.call, found.name)
    elif not isinstance(found, Metric):
        found = MeanMetricWrapper(found)
    if isinstance(identifier, str):
        found.name = identifier
    return found


def serialize(metric: Any) -> Any:
    """A metric as plain data."""
    return config.serialize(metric)


def deserialize(configuration: Any) -> Any:
    """The metric that plain data describes."""
    return get(configuration)
