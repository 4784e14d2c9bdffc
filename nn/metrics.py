"""Metrics: what is reported beside the loss. They see plain arrays and are averaged over an epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.arrays import to_numpy
from autograd_core.replay import freeze

from . import absent, checks, config, losses
from .checks import number, whole
from .losses import (
    binary_crossentropy,
    categorical_crossentropy,
    huber,
    kl_divergence,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from .tensors import class_numbers, plain
from .variables import Variable

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "huber",
    "kl_divergence",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


class Result(float):
    """What a metric has measured: a number, with the ``numpy`` that TensorFlow's have."""

    def numpy(self) -> Any:
        """The number in NumPy's float32."""
        return np.float32(self)


class Metric(config.Configurable):
    """A running value: `update_state` for each batch, `result` when asked, `reset_state` for each epoch.

    One of your own defines `update_state`; what it hands to `add` is averaged, or it keeps variables of its own and
    defines `result`, as in Keras. Its ``direction`` tells callbacks whether more of it is better ("up") or less
    ("down"). Targets and predictions are (batch, …), weights (batch,) or (batch, …). NotImplementedError where
    `update_state` or `result` is not defined, ValueError for weights that do not fit.

    >>> import nn
    >>> class Largest(nn.metrics.Metric):
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.add(np.max(np.abs(y_true - y_pred)))
    >>> worst = Largest()
    >>> worst.update_state(np.zeros(3), np.array([1.0, -4.0, 2.0]))
    >>> worst.result()
    4.0

    >>> class Examples(nn.metrics.Metric):
    ...     def __init__(self, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.seen = self.add_variable(shape=(), initializer="zeros", name="seen")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.seen.assign_add(len(y_true))
    ...     def result(self):
    ...         return self.seen
    >>> float(Examples()(np.zeros(3), np.zeros(3)))
    3.0
    """

    keras_module = "keras.metrics"

    # Whether more of it is better, "up", or less, "down"; None where a callback that watches it must be told.
    direction: str | None = None

    untracked = None  # a metric measures what was computed, and decides nothing

    _mean: tuple[Variable, Variable] | None = None

    def __init__(self, dtype: Any = None, name: str | None = None):
        self.name = name or config.snake_case(type(self).__name__)
        self.dtype = dtype
        self._variables: list[Variable] = []

    # -- its state -------------------------------------------------------------------------------------

    def add_variable(
        self, shape: Any = (), initializer: Any = "zeros", dtype: Any = None, aggregation: Any = None, name: Any = None
    ) -> Variable:
        """Make a variable that holds what was seen so far.

        Parameters
        ----------
        shape : tuple of int
            A tuple of lengths; () makes a number.
        initializer : str or Initializer
            What it begins with.
        dtype : dtype, optional
            None for float32.
        aggregation : str, optional
            Taken for Keras' sake: a metric is given the whole batch, also where several processes share it.
        name : str, optional
            By default "variable".

        Returns
        -------
        Variable
            To be kept as an attribute, and to `Variable.assign` to.
        """
        shape = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
        made = Variable(initializer or "zeros", shape, dtype or "float32", False, f"{self.name}/{name or 'variable'}")
        made.held = "metric"
        self._variables = [*self._variables, made]
        return made

    def add_weight(self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: Any = None) -> Variable:
        """Another name of `add_variable`, where the initializer may be left out.

        Parameters
        ----------
        shape, initializer, dtype, name
            As in `add_variable`.

        Returns
        -------
        Variable
            As by `add_variable`.
        """
        return self.add_variable(shape, initializer, dtype, name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Variable | list | tuple | dict) and name != "_variables":
            for variable in tree.leaves(value):
                if isinstance(variable, Variable) and not variable.held:
                    variable.held = "metric"
                    self._variables = [*self._variables, variable]
        if isinstance(value, Metric | list | dict) and name != "_variables":
            self.__dict__["_searched"] = True
        super().__setattr__(name, value)

    _searched = False  # whether there may be metrics in its attributes

    @property
    def variables(self) -> list[Variable]:
        """Its state, and that of the metrics in its attributes."""
        if not self._searched:
            return self._variables
        inner = [m for value in vars(self).values() for m in tree.leaves(value) if isinstance(m, Metric)]
        return [*self._variables, *(v for m in dict.fromkeys(inner) for v in m.variables)]

    def reset_state(self) -> None:
        """Begin again: all variables become 0."""
        for v in self.variables:
            v.node.out[...] = 0

    # -- what it measures ------------------------------------------------------------------------------

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account: what a metric of your own defines.

        Parameters
        ----------
        y_true, y_pred : array_like
            Targets and predictions; their shapes are those of the metric.
        sample_weight : array_like, optional
            How much each example counts, numbers from 0 on; None: all the same.

        Raises
        ------
        NotImplementedError
            Where it is not defined.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update_state(y_true, y_pred, sample_weight)")

    def result(self) -> Any:
        """The value so far: the mean of what was handed to `add`."""
        if self._mean is None:
            if type(self).update_state is Metric.update_state or self._variables:
                raise NotImplementedError(f"{type(self).__name__} must define result()")
            return Result(0.0)
        total, count = self._mean
        count_ = float(count.node.out)
        return Result(float(total.node.out) / count_ if count_ else 0.0)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()

    def _sums(self) -> tuple[Variable, Variable]:
        """The variables of the running mean: what was added up, and how much of it there was."""
        if self._mean is None:
            self._mean = (
                self.add_variable((), dtype="float64", name="total"),
                self.add_variable((), dtype="float64", name="count"),
            )
        return self._mean

    def add(self, values: Any, sample_weight: Any = None) -> None:
        """Take numbers into the running mean, with their weights."""
        if freeze.PROMISED.get():
            freeze.refuse_assignment(self, "total")
        total, count = self._mean or self._sums()
        if type(values) is float and type(sample_weight) is int:  # the mean loss of a batch of so many examples
            total.node.out += values * sample_weight
            count.node.out += sample_weight
            return
        values = plain(values).astype(np.float64, copy=False)
        if sample_weight is None:
            total.node.out += float(values.sum())
            count.node.out += values.size
            return
        values, weights = losses.align(values, plain(sample_weight).astype(np.float64, copy=False))
        weights = stretched(weights, values.shape, self.name)
        total.node.out += float((values * weights).sum())
        count.node.out += float(weights.sum())

    # -- set aside -------------------------------------------------------------------------------------

    def set_aside(self) -> Callable[[], None]:
        """Keep what was seen so far; what is returned brings it back."""
        attributes, kept = vars(self).copy(), [(v, np.array(plain(v))) for v in self.variables]

        def bring_back() -> None:
            self.__dict__.clear()
            self.__dict__.update(attributes)
            for v, value in kept:
                v.assign(value)

        return bring_back


def stretched(weights: Any, shape: tuple[int, ...], owner: str) -> Any:
    """The weights of examples, one for each of the numbers that belong to them."""
    column = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
    if column.ndim != len(shape) or any(w not in (1, n) for w, n in zip(column.shape, shape, strict=True)):
        raise ValueError(
            f"sample_weight of {owner}: expected one for each of the values of shape {shape}, got shape {weights.shape}"
        )
    return np.broadcast_to(column, shape)


class Mean(Metric):
    """The mean of the numbers that it is given.

    Takes any shape, weights likewise; ValueError when they do not fit.

    >>> import nn
    >>> mean = nn.metrics.Mean()
    >>> mean.update_state([1.0, 2.0])
    >>> mean.update_state([6.0])
    >>> mean.result()
    3.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__(dtype, name)
        self.total, self.count = self._sums()

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        self.add(values, sample_weight)


class MeanMetricWrapper(Metric):
    """The mean of a function of targets and predictions, which gets the given options.

    Parameters
    ----------
    fn : callable
        From targets and predictions to one number for each example.
    name : str, optional
        By default that of the function.
    dtype : dtype, optional
        Kept for the configuration; a result is a Python float.
    **options
        Further arguments of ``fn``.

    Raises
    ------
    TypeError
        Unless ``fn`` is a function.
    ValueError
        For weights that do not fit what it gives.

    Examples
    --------
    >>> import nn
    >>> near = nn.metrics.MeanMetricWrapper(lambda y_true, y_pred: np.abs(y_true - y_pred) < 0.5, name="near")
    >>> near(np.array([0.0, 1.0]), np.array([0.2, 3.0]))
    0.5
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **options: Any):
        super().__init__(dtype, name)
        self.total, self.count = self._sums()
        self.fn, self.options = checks.function(fn, "what a metric computes"), tuple(options)
        if fn in losses.FUNCTIONS or isinstance(getattr(fn, "__self__", None), losses.Loss):
            self.direction = "down"
        elif fn is accuracy or fn in FUNCTIONS:
            self.direction = "up"
        for option, value in options.items():
            setattr(self, option, value)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        options = {option: getattr(self, option) for option in self.options}
        self.add(self.fn(y_true, y_pred, **options), sample_weight)


# -- functions: one number for each example ----------------------------------------------------------------


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether targets and predictions are equal, element by element.

    Takes two arrays of one shape and gives that shape. ValueError when they do not fit.

    >>> import nn
    >>> nn.metrics.accuracy([[1], [2]], [[1], [3]])
    array([[1.],
           [0.]], dtype=float32)
    """
    y_true, y_pred = losses.fit(*losses.align(plain(y_true), plain(y_pred)), "accuracy")
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
    y_true, y_pred = losses.fit(*losses.align(plain(y_true), plain(y_pred)), "binary_accuracy")
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


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Whether the class whose number is the target is among the k largest predictions.

    A number that is no class counts as missed, and so does a target beside predictions of NaN.

    Parameters
    ----------
    y_true : array_like
        Class numbers, (batch,).
    y_pred : array_like
        Predictions, (batch, classes).
    k : int
        A whole number from 1 on.

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
    return losses.fit(y_true, y_pred, metric)


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

    def __init__(self, k: int = 5, name: str | None = "sparse_top_k_categorical_accuracy", dtype: Any = None):
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=whole(k, "k", 1))


class MeanSquaredError(MeanMetricWrapper):
    """The mean of the squared errors.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.MeanSquaredError()([[0.0], [1.0]], [[2.0], [1.0]])
    2.0
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None):
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of the absolute errors.

    Shapes as for the function; ValueError when they, or the weights, do not fit.

    >>> import nn
    >>> nn.metrics.MeanAbsoluteError()([[0.0], [1.0]], [[2.0], [1.0]])
    1.0
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None):
        super().__init__(losses.mean_absolute_error, name, dtype)


class _Hits(Metric):
    """Counts how often the positive predictions and the positive targets meet.

    ``thresholds`` is a number or several (0.5 by default): a prediction above it is positive. ``top_k`` leaves
    only the k largest predictions of an example positive, ``class_id`` looks at one class.
    """

    direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        for limit in thresholds if isinstance(thresholds, list | tuple) else () if thresholds is None else [thresholds]:
            number(limit, "a threshold", 0, 1)
        self.thresholds = thresholds
        self.top_k = None if top_k is None else whole(top_k, "top_k", 1)
        self.class_id = None if class_id is None else whole(class_id, "class_id")
        super().__init__(dtype, name)
        limits = np.shape(self._limits())
        self.true_positives = self.add_variable(limits, dtype="float64", name="true_positives")
        #: What was counted beside them: positives that were not so, or not found.
        self.missed = self.add_variable(limits, dtype="float64", name=self.counts)
        setattr(self, self.counts, self.missed)

    counts: str

    def _limits(self) -> Any:
        default = 0.5 if self.top_k is None else -np.inf
        return np.atleast_1d(default if self.thresholds is None else self.thresholds)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = losses.align(to_numpy(plain(y_true)).astype(bool), to_numpy(plain(y_pred)).astype(np.float64))
        if y_true.shape != y_pred.shape:
            raise ValueError(
                f"{self.name}: expected targets in the shape of the predictions, {y_pred.shape}, got {y_true.shape}. "
                "For class numbers pass nn.utils.to_categorical(y)"
            )
        if self.top_k is not None:
            order = np.argsort(-y_pred, axis=-1, kind="stable")[..., : self.top_k]
            kept = np.zeros(y_pred.shape, bool)
            np.put_along_axis(kept, order, True, -1)
            y_pred = np.where(kept, y_pred, -np.inf)
        weights = np.ones(y_pred.shape)
        if sample_weight is not None:
            weights = stretched(to_numpy(plain(sample_weight)).astype(np.float64), y_pred.shape, self.name)
        if self.class_id is not None:
            if not y_pred.ndim or self.class_id >= y_pred.shape[-1]:
                raise ValueError(
                    f"{self.name}: expected predictions with a class {self.class_id}, the class_id, got shape "
                    f"{y_pred.shape}"
                )
            y_true, y_pred, weights = (a[..., self.class_id] for a in (y_true, y_pred, weights))
        limits = self._limits()
        positive = y_pred.ravel() > limits[:, None]
        true, w = y_true.ravel(), weights.ravel()
        hits = (positive & true) @ w
        self.true_positives.assign_add(hits)
        self.missed.assign_add((positive @ w if self.counts == "false_positives" else true @ w) - hits)

    def result(self) -> Any:
        """The value so far."""
        hits = self.true_positives.node.out
        of = hits + self.missed.node.out
        share = np.divide(hits, of, out=np.zeros_like(hits), where=of > 0)
        return Result(share[0]) if share.size == 1 else share


class Precision(_Hits):
    """How many of the positive predictions are right.

    Targets, which are 0 or not, and predictions have one shape.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        A prediction above it is positive: a number from 0 to 1, or several, for one result each. None: 0.5, or none
        when ``top_k`` is given.
    top_k : int, optional
        Only the so many largest predictions of an example are positive; a whole number from 1 on.
    class_id : int, optional
        The class, a place along the last axis, that alone is looked at.
    name, dtype
        As in `Metric`.

    Raises
    ------
    ValueError
        When a threshold is outside 0 … 1 or ``top_k`` below 1; later, when shapes or weights do not fit, or there is
        no class ``class_id``.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.Precision()([1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1])
    0.5
    """

    counts = "false_positives"


class Recall(_Hits):
    """How many of the positive targets are found.

    Targets, which are 0 or not, and predictions have one shape.

    Parameters
    ----------
    thresholds, top_k, class_id
        As in `Precision`.
    name, dtype
        As in `Metric`.

    Raises
    ------
    ValueError
        As in `Precision`.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.Recall()([1, 0, 1, 1], [0.9, 0.8, 0.2, 0.1])
    0.3333333333333333
    """

    counts = "false_negatives"


CLASSES: tuple[Any, ...] = (
    Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy,
    SparseTopKCategoricalAccuracy, MeanSquaredError, MeanAbsoluteError, Precision, Recall, Mean,
)  # fmt: skip
FUNCTIONS: tuple[Any, ...] = (
    binary_accuracy, categorical_accuracy, sparse_categorical_accuracy, top_k_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
)  # fmt: skip
registry = config.registry("metric").add(*CLASSES, *losses.FUNCTIONS, *FUNCTIONS, **losses.ALIASES)
registry.accepted = {type(None): lambda _: None}
get, serialize, deserialize = registry.functions(
    __name__, "Precision(thresholds=0.7)", "thresholds == 0.7", none="none", serialize="metric"
)


def as_metric(identifier: Any) -> Metric:
    """A `Metric` for whatever `compile(metrics=[…])` was given; a string stays its name."""
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        return ChosenAccuracy(name=identifier)
    found = registry.get(identifier)
    if isinstance(found, losses.Loss):
        found = MeanMetricWrapper(found.call, found.name)
    elif not isinstance(found, Metric):
        found = MeanMetricWrapper(found, config.function_name(found))
    if isinstance(identifier, str):
        found.name = identifier
    return found


__getattr__ = absent.getattr_of("metrics")
