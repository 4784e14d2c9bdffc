"""Metrics: what is reported beside the loss. They see plain arrays and are averaged over an epoch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.arrays import to_numpy
from autograd_core.caller import level_of_caller
from autograd_core.replay import freeze

from . import absent, activations, checks, config, confusion, losses
from .checks import number, whole
from .losses import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from .tensors import class_numbers, plain
from .variables import Variable

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "accuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_hinge",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
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


class Sum(Metric):
    """The sum of the numbers that it is given.

    Takes any shape, weights likewise; ValueError when they do not fit.

    >>> import nn
    >>> total = nn.metrics.Sum()
    >>> total.update_state([1.0, 2.0])
    >>> total([6.0])
    9.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None):
        super().__init__(dtype, name)
        self.total, self.count = self._sums()

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        self.add(values, sample_weight)

    def result(self) -> Any:
        """The value so far."""
        return Result(self.total.node.out)


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
    y_true, y_pred = losses.pair(y_true, y_pred, "root_mean_squared_error")
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
        super().__init__(_cosine, name, dtype, axis=axis)


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
        options = {"from_logits": from_logits, "label_smoothing": losses.smoothing_of(label_smoothing)}
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
        options = {"from_logits": from_logits, "label_smoothing": losses.smoothing_of(label_smoothing), "axis": axis}
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
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, **options)
        self.ignore_class = ignore_class

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if sample_weight is not None and self.ignore_class is not None:  # as in Keras, what is ignored weighs nothing
            sample_weight = plain(sample_weight) * (plain(y_true).reshape(np.shape(sample_weight)) != self.ignore_class)
        super().update_state(y_true, y_pred, sample_weight)


class _Counts(Metric):
    """Counts at thresholds how often positive predictions and positive targets meet; of what is counted, `result`.

    A prediction above a threshold, 0.5 by default, is positive there. ``top_k`` leaves only the k largest predictions
    of an example positive, ``class_id`` looks at one class.
    """

    counted: tuple[str, ...]  # of `confusion.NAMES`
    thresholds: Any = None
    top_k: int | None = None
    class_id: int | None = None

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None):
        for limit in thresholds if isinstance(thresholds, list | tuple) else () if thresholds is None else [thresholds]:
            number(limit, "a threshold", 0, 1)
        self.thresholds = thresholds
        super().__init__(dtype, name)
        self._begin(np.shape(self._limits()))

    def _begin(self, shape: tuple[int, ...]) -> None:
        for name in self.counted:
            setattr(self, name, self.add_variable(shape, dtype="float64", name=name))

    def _limits(self) -> Any:
        default = 0.5 if self.top_k is None else -np.inf
        return np.atleast_1d(default if self.thresholds is None else self.thresholds)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = losses.align(to_numpy(plain(y_true)).astype(bool), to_numpy(losses.predictions(y_pred).data))
        if y_true.shape != y_pred.shape:
            raise ValueError(
                f"{self.name}: expected targets in the shape of the predictions, {y_pred.shape}, got {y_true.shape}. "
                "For class numbers pass nn.utils.to_categorical(y)"
            )
        weights = np.ones(y_pred.shape)
        if sample_weight is not None:
            weights = stretched(to_numpy(plain(sample_weight)).astype(np.float64), y_pred.shape, self.name)
        if self.top_k is not None:
            y_pred = confusion.only_largest(y_pred, self.top_k)
        if self.class_id is not None:
            if y_pred.ndim < 2 or self.class_id >= y_pred.shape[-1]:
                raise ValueError(
                    f"{self.name}: expected predictions with a class {self.class_id}, the class_id, got shape "
                    f"{y_pred.shape}"
                )
            y_true, y_pred, weights = (a[..., self.class_id] for a in (y_true, y_pred, weights))
        self._count(y_true.ravel(), y_pred.ravel(), weights.ravel())

    def _count(self, y_true: Any, y_pred: Any, weights: Any) -> None:
        limits = self._limits().astype(y_pred.dtype)  # or else 0.3 in float32 is above 0.3
        counts = confusion.counts(limits, y_true, y_pred, weights)
        for name, count in zip(confusion.NAMES, counts, strict=True):
            if name in self.counted:
                getattr(self, name).assign_add(count)

    def _so_far(self) -> Any:
        return [getattr(self, name).node.out for name in self.counted]

    def result(self) -> Any:
        """The value so far."""
        return _number(self._so_far()[0])


def _number(values: Any) -> Any:
    """One value as a number, several as an array."""
    return Result(values[0]) if values.shape == (1,) else np.array(values)


class TruePositives(_Counts):
    """How many positive predictions are right.

    Parameters
    ----------
    thresholds
        As in `Precision`.
    name, dtype
        As in `Metric`.

    Raises
    ------
    ValueError
        When a threshold is outside 0 … 1; later, when shapes or weights do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.TruePositives()([1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1])
    1.0
    """

    counted, direction = ("true_positives",), "up"


class FalsePositives(_Counts):
    """How many positive predictions are wrong.

    Parameters
    ----------
    thresholds
        As in `Precision`.
    name, dtype
        As in `Metric`.

    Raises
    ------
    ValueError
        As in `TruePositives`.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.FalsePositives()([1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1])
    1.0
    """

    counted, direction = ("false_positives",), "down"


class TrueNegatives(_Counts):
    """How many negative predictions are right.

    Parameters
    ----------
    thresholds
        As in `Precision`.
    name, dtype
        As in `Metric`.

    Raises
    ------
    ValueError
        As in `TruePositives`.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.TrueNegatives()([1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1])
    1.0
    """

    counted, direction = ("true_negatives",), "up"


class FalseNegatives(_Counts):
    """How many negative predictions are wrong.

    Parameters
    ----------
    thresholds
        As in `Precision`.
    name, dtype
        As in `Metric`.

    Raises
    ------
    ValueError
        As in `TruePositives`.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.FalseNegatives()([1, 0, 1, 1], [0.9, 0.8, 0.2, 0.1])
    2.0
    """

    counted, direction = ("false_negatives",), "down"


class _Hits(_Counts):
    """The share of the true positives in what was counted."""

    direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        self.top_k = None if top_k is None else whole(top_k, "top_k", 1)
        self.class_id = None if class_id is None else whole(class_id, "class_id")
        super().__init__(thresholds, name, dtype)

    def result(self) -> Any:
        """The value so far."""
        return _number(confusion.share(*self._so_far()))


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

    counted = ("true_positives", "false_positives")


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

    counted = ("true_positives", "false_negatives")


class AUC(_Counts):
    """The area under a curve of what is found and what is wrong, as the threshold falls.

    Targets, which are 0 or not, and predictions have one shape. Predictions of many thresholds are counted alike, so
    memory does not grow with the data, and the area is that of the thresholds, not of all predictions.

    Parameters
    ----------
    num_thresholds : int
        How many, from 0 to 1 with both ends, from 2 on.
    curve : {"ROC", "PR"}
        Of the share of the positives that are found, over that of the negatives that are not; or of the share of
        positive predictions that are right, over that of the positives that are found.
    summation_method : {"interpolation", "minoring", "majoring"}
        Between two thresholds: a straight line (for "PR" Davis and Goadrich's curve), the lower, or the higher side.
    name, dtype
        As in `Metric`.
    thresholds : sequence of float, optional
        Those between the ends, from 0 to 1, in place of ``num_thresholds``.
    multi_label : bool
        Whether each place along the last axis has a curve of its own; the result is the mean of their areas.
    num_labels : int, optional
        How many such places there are; by default found by the first batch.
    label_weights : sequence of float, optional
        How much each place counts.
    from_logits : bool
        Whether predictions are logits, of a sigmoid.

    Raises
    ------
    ValueError
        For a count below 2, another word, a threshold outside 0 … 1, ``num_labels`` without ``multi_label``; later,
        when shapes or weights do not fit.

    References
    ----------
    J. Davis, M. Goadrich: The relationship between precision-recall and ROC curves. ICML 2006.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.AUC()([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])
    0.75
    """

    counted = confusion.NAMES
    direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ):
        between = None if thresholds is None else tuple(sorted(number(t, "a threshold", 0, 1) for t in thresholds))
        n = whole(num_thresholds, "num_thresholds", 2) if between is None else len(between) + 2
        self.num_thresholds, self._between = n, between
        inner = tuple((i + 1) / (n - 1) for i in range(n - 2)) if between is None else between
        # The ends are there for all that is or is not positive: below and above whatever is predicted.
        self._ends = np.array([-np.inf, *inner, np.inf])
        self.curve = _one_of(curve, "curve", ("ROC", "PR"))
        self.summation_method = _one_of(summation_method, "summation_method", ("interpolation", "minoring", "majoring"))
        if num_labels is not None and not multi_label:
            raise ValueError(f"num_labels: expected it beside multi_label=True only, got {num_labels!r}")
        self.multi_label, self.from_logits = multi_label, from_logits
        self.num_labels = None if num_labels is None else whole(num_labels, "num_labels", 1)
        self.label_weights = None if label_weights is None else np.asarray(label_weights, np.float64)
        Metric.__init__(self, dtype, name)
        if not multi_label or num_labels:
            self._begin((n, num_labels) if num_labels else (n,))

    def _limits(self) -> Any:
        return self._ends

    @property
    def thresholds(self) -> list[float]:
        """The thresholds, with ends that are below and above all probabilities."""
        return [-1e-7, *self._ends[1:-1].tolist(), 1 + 1e-7]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data."""
        return {**super().get_config(), "thresholds": None if self._between is None else list(self._between)}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if self.from_logits:
            y_pred = activations.sigmoid(y_pred)
        if self.multi_label:
            shape = np.shape(plain(y_pred))
            if len(shape) != 2 or shape[1] != (self.num_labels or shape[1]):
                labels = self.num_labels or "labels"
                raise ValueError(f"{self.name}: expected predictions of shape (batch, {labels}), got {shape}")
            if self.num_labels is None:
                self.num_labels = shape[1]
                self._begin((self.num_thresholds, shape[1]))
        self._shape = np.shape(plain(y_pred))
        super().update_state(y_true, y_pred, sample_weight)

    def _count(self, y_true: Any, y_pred: Any, weights: Any) -> None:
        parts = [a.reshape(self._shape) for a in (y_true, y_pred, weights)]
        if self.label_weights is not None and not self.multi_label:
            parts[2] = parts[2] * self.label_weights
        super()._count(*(parts if self.multi_label else (a.ravel() for a in parts)))

    def result(self) -> Any:
        """The value so far."""
        if not self.variables:
            return Result(0.0)
        tp, fp, tn, fn = self._so_far()
        area = confusion.area(tp, fp, tn, fn, self.curve, self.summation_method)
        return Result(np.average(area, weights=self.label_weights) if self.multi_label else area)


def _one_of(word: Any, what: str, known: tuple[str, ...]) -> str:
    """A word in any case, if it is one of those known."""
    for name in known:
        if isinstance(word, str) and word.lower() == name.lower():
            return name
    raise ValueError(f"{what}: expected {' or '.join(map(repr, known))}, got {word!r}")


class R2Score(Metric):
    """How much of the variance of the targets the predictions explain: 1 for all of it, 0 for none.

    Parameters
    ----------
    class_aggregation : {"uniform_average", "variance_weighted_average"} or None
        How the scores of several outputs become one: their mean, weighed by the variance of each; None keeps them.
    num_regressors : int
        How many inputs the predictions were made from, for the adjusted score; 0 does not adjust it.
    name, dtype
        As in `Metric`.

    Raises
    ------
    ValueError
        For another word, and a count below 0; later, when targets or predictions are not (batch, outputs), or weights
        do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
    0.5714285714285714
    """

    direction = "up"
    sum: Variable
    squared_sum: Variable
    total_mse: Variable
    count: Variable

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ):
        if class_aggregation is not None:
            class_aggregation = _one_of(
                class_aggregation, "class_aggregation", ("uniform_average", "variance_weighted_average")
            )
        self.class_aggregation, self.num_regressors = class_aggregation, whole(num_regressors, "num_regressors")
        super().__init__(dtype, name)
        self.num_samples = self.add_variable((), dtype="float64", name="num_samples")
        self._origin: Any = None

    def reset_state(self) -> None:
        """Begin again."""
        super().reset_state()
        self._origin = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = (to_numpy(plain(y)).astype(np.float64) for y in losses.align(plain(y_true), plain(y_pred)))
        if y_true.ndim != 2 or y_true.shape != y_pred.shape:
            raise ValueError(
                f"{self.name}: expected targets and predictions of shape (batch, outputs), got {y_true.shape} and "
                f"{y_pred.shape}"
            )
        weights = np.ones(y_true.shape)
        if sample_weight is not None:
            weights = stretched(to_numpy(plain(sample_weight)).astype(np.float64), y_true.shape, self.name)
        if len(self.variables) == 1:
            for name in ("squared_sum", "sum", "total_mse", "count"):
                called = "residual" if name == "total_mse" else name
                setattr(self, name, self.add_variable(y_true.shape[1:], dtype="float64", name=called))
        if self._origin is None:  # sums of squares of what lies far from 0 would cancel
            self._origin = y_true[:1].sum(0)
        moved = y_true - self._origin
        self.sum.assign_add((weights * moved).sum(0))
        self.squared_sum.assign_add((weights * moved**2).sum(0))
        self.total_mse.assign_add((weights * (y_true - y_pred) ** 2).sum(0))
        self.count.assign_add(weights.sum(0))
        self.num_samples.assign_add(y_true.size)

    def result(self) -> Any:
        """The value so far."""
        if len(self.variables) == 1:
            return Result(0.0)
        total, squares, error, count = (v.node.out for v in (self.sum, self.squared_sum, self.total_mse, self.count))
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = squares - total * (total / count)
            scores = 1 - error / spread
            scores = np.where(np.isinf(scores), 0, scores)
            if self.class_aggregation == "uniform_average":
                scores = np.mean(scores)
            elif self.class_aggregation is not None:
                scores = np.sum(spread * scores) / np.sum(spread)
        free = float(self.num_samples.node.out) - self.num_regressors - 1
        if self.num_regressors and free > 0:
            scores = 1 - (1 - scores) * (free + self.num_regressors) / free
        elif self.num_regressors:
            warnings.warn(
                f"{self.name}: {self.num_regressors} regressors need more than {self.num_regressors + 1} targets to "
                "adjust the score, which is left as it is",
                stacklevel=level_of_caller(),
            )
        return Result(scores) if np.ndim(scores) == 0 else scores


CLASSES: tuple[Any, ...] = (
    Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy,
    SparseTopKCategoricalAccuracy, MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanSquaredLogarithmicError, LogCoshError, Poisson, KLDivergence, Hinge, SquaredHinge,
    CategoricalHinge, CosineSimilarity, BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy,
    TruePositives, FalsePositives, TrueNegatives, FalseNegatives, Precision, Recall, AUC, R2Score, Mean, Sum,
)  # fmt: skip
FUNCTIONS: tuple[Any, ...] = (
    binary_accuracy, categorical_accuracy, sparse_categorical_accuracy, top_k_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
)  # fmt: skip
# A name means the class of that name, as in Keras: cosine_similarity is what grows with it, and no loss.
SHORT: dict[str, Any] = {
    "mse": MeanSquaredError, "mae": MeanAbsoluteError, "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError, "kld": KLDivergence, "bce": BinaryCrossentropy,
}  # fmt: skip
registry = config.registry("metric").add(*CLASSES, huber, **SHORT, **{n.upper(): cls for n, cls in SHORT.items()})
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
