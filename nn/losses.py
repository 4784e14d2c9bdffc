"""Losses: functions from targets and predictions to one number per example, and classes that average them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.graph import Node, compared
from autograd_core.ops.network import normalized
from autograd_core.replay import decide, freeze
from autograd_core.tensor import Tensor

from . import absent, activations, checks, config, distributed, settings
from .checks import axis_in, number
from .masks import MASKS, mask_of, together
from .tensors import class_numbers, constant, plain
from .variables import readable

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunction",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
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
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

# What probabilities are kept away from 0 and 1 by, where there are no logits to compute from.
EPSILON = settings.epsilon()


def align(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Give two arrays whose numbers of axes differ by a last axis of length one the same shape.

    So targets (N,) beside predictions (N, 1) are N pairs, and never broadcast to (N, N).
    """
    t, p = np.ndim(y_true), np.ndim(y_pred)
    if t == p + 1 and np.shape(y_true)[-1] == 1:
        return (y_true, y_pred[..., None]) if p == 1 else (y_true[..., 0], y_pred)
    if p == t + 1 and np.shape(y_pred)[-1] == 1:
        return (y_true[..., None], y_pred) if t == 1 else (y_true, y_pred[..., 0])
    return y_true, y_pred


def pair(y_true: Any, y_pred: Any, loss: str) -> tuple[Any, Any]:
    """Targets and predictions as Tensors of one shape and dtype, or an error that names both shapes."""
    y_pred = predictions(y_pred)
    y_true = constant(y_true, y_pred.dtype)
    return fit(*align(y_true, y_pred), loss)


def predictions(y_pred: Any) -> Tensor:
    """Predictions as a Tensor of a floating dtype: whole ones would wrap around, and round the targets."""
    y_pred = constant(y_pred)
    return y_pred if y_pred.dtype.kind == "f" else y_pred.astype(np.result_type(y_pred.dtype, np.float32))


def fit(y_true: Any, y_pred: Any, what: str) -> tuple[Any, Any]:
    """Targets and predictions as they are, or an error that names both shapes."""
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"{what}: expected targets and predictions of one shape, got targets {y_true.shape} and predictions "
            f"{y_pred.shape}"
        )
    if not y_pred.ndim:
        raise ValueError(f"{what}: expected arrays whose first axis is the batch, got a single number")
    return y_true, y_pred


# -- probabilities and what they were computed from --------------------------------------------------------


def logits_of(y_pred: Tensor, activation: str) -> tuple[Tensor, int] | None:
    """What ``y_pred`` was computed from by ``activation``, and along which axis; None when it was not."""
    made = activations.LOGITS.get(_moved_from(y_pred.node))
    if made is None or made[0] != activation:
        return None
    _, logits, axis = made
    if activation == "softmax" and activations.LOGITS.get(_moved_from(logits.node), ("",))[0] == "softmax":
        warnings.warn(
            "softmax is applied twice: to the output of a softmax. Probabilities of probabilities are nearly equal, "
            "and training crawls; leave one of them out",
            stacklevel=2,
        )
    return (logits if y_pred.shape == logits.shape else logits.reshape(y_pred.shape)), axis


def _moved_from(node: Node) -> Node:
    """The node before reshapes that only add or drop axes of length one, which leave the last axis in place."""
    while node.op is not None and node.op.name in ("reshape", "identity", "expand_dims") and node.parents[0]:
        parent = node.parents[0]
        if [n for n in parent.out.shape if n != 1] != [n for n in node.out.shape if n != 1]:
            break
        node = parent
    return node


def log_probabilities(y_pred: Tensor, from_logits: bool, axis: int, loss: str) -> Any:
    """The logarithms of the class probabilities, from logits wherever they are known; None where they are not."""
    known = logits_of(y_pred, "softmax")
    if from_logits:
        if known is not None:
            _warn_from_logits(loss, "softmax")
        return activations.log_softmax(y_pred, axis)
    if known is not None and known[1] % y_pred.ndim == axis % y_pred.ndim:
        return activations.log_softmax(known[0], axis)
    return None


def inside(probabilities: Any) -> Any:
    """Probabilities kept away from 0 and 1, where logarithms are infinite."""
    return _held(probabilities, EPSILON, 1 - EPSILON)


def _held(x: Any, low: float, high: float) -> Any:
    """``x`` held between two numbers. At these the gradient is whole, as in Keras, where `np.clip` would halve it."""
    x = _at_least(x, low)
    return np.where(compared(np.greater, x, high), high, x)


def _at_least(x: Any, low: float) -> Any:
    """``x``, or ``low`` where that is more; likewise."""
    x = constant(x)
    return np.where(compared(np.less, x, low), low, x)


def smoothing_of(label_smoothing: Any) -> float:
    """A ``label_smoothing``, if it is one."""
    return float(number(label_smoothing, "label_smoothing", 0, 1))


def _warn_from_logits(loss: str, activation: str) -> None:
    warnings.warn(
        f"{loss} was told from_logits=True, but the model ends in {activation}, so what it gets are probabilities; "
        f"leave out one of the two",
        stacklevel=2,
    )


# -- classification ----------------------------------------------------------------------------------------


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """``-Σ y_true log(y_pred)`` over the classes; targets are one-hot or probabilities.

    Parameters
    ----------
    y_true, y_pred : array_like
        Targets and predictions of one shape, (batch, …, classes).
    from_logits : bool
        Whether predictions are logits; with False they are probabilities.
    label_smoothing : float
        The share of each target that is spread over all classes, from 0 to 1.
    axis : int
        That of the classes.

    Returns
    -------
    Tensor
        One loss for each example, (batch, …).

    Raises
    ------
    ValueError
        When the shapes do not fit, or ``label_smoothing`` is outside 0 … 1.

    Examples
    --------
    >>> import nn
    >>> predicted = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    >>> nn.losses.categorical_crossentropy(np.eye(3)[[0, 1]], predicted).numpy().round(4)
    array([0.6931, 0.    ])
    """
    y_pred = predictions(y_pred)
    y_true = constant(y_true, y_pred.dtype)
    if y_true.shape != y_pred.shape:
        integers = y_true.ndim == y_pred.ndim - 1 or (y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1)
        raise ValueError(
            f"categorical_crossentropy: expected one-hot targets in the shape of the predictions, {y_pred.shape}, got "
            f"{y_true.shape}"
            + (
                ": for class numbers use loss='sparse_categorical_crossentropy', or nn.utils.to_categorical(y)"
                if integers
                else ""
            )
        )
    if y_pred.shape[axis_in(axis, y_pred.ndim, "categorical_crossentropy")] == 1:
        warnings.warn(
            "categorical_crossentropy of a single class is always 0; for one probability use "
            "loss='binary_crossentropy' with a sigmoid",
            stacklevel=2,
        )
    if smoothing_of(label_smoothing):
        y_true = y_true * (1 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    log_p = log_probabilities(y_pred, from_logits, axis, "categorical_crossentropy")
    if log_p is None:
        log_p = np.log(inside(normalized(y_pred, axis)))
        return -np.sum(y_true * log_p, axis=axis)
    return -np.sum(_occurring(y_true, log_p), axis=axis)


def _occurring(y_true: Any, cost: Any) -> Any:
    """``y_true * cost``; what does not occur costs nothing, as a class that is masked by -inf."""
    absent = y_true.data == 0
    if y_true.requires_grad:  # elsewhere the derivative by a target is the cost
        absent = (y_true == 0) & np.isinf(cost)
    return y_true * np.where(absent, cost.dtype.type(0), cost)  # a number goes with arrays on any device


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """``-log(y_pred[class])``; targets are class numbers.

    Parameters
    ----------
    y_true : array_like
        Class numbers, (batch, …).
    y_pred : array_like
        Predictions, (batch, …, classes).
    from_logits : bool
        Whether predictions are logits; with False they are probabilities.
    ignore_class : int, optional
        A number among the targets whose examples have the loss 0.
    axis : int
        That of the classes.

    Returns
    -------
    Tensor
        One loss for each example, (batch, …).

    Raises
    ------
    ValueError
        When the shapes do not fit, or a target is no class.

    Examples
    --------
    >>> import nn
    >>> predicted = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    >>> nn.losses.sparse_categorical_crossentropy(np.array([0, 1]), predicted).numpy().round(4)
    array([0.6931, 0.    ])
    """
    y_pred = predictions(y_pred)
    labels = plain(y_true)
    if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    place = axis_in(axis, y_pred.ndim, "sparse_categorical_crossentropy")
    classes, expected = y_pred.shape[place], (*y_pred.shape[:place], *y_pred.shape[place + 1 :])
    if labels.shape != expected:
        one_hot = labels.shape == y_pred.shape
        raise ValueError(
            f"sparse_categorical_crossentropy: expected one class number per prediction, shape {expected}, got "
            f"{labels.shape}" + (": for one-hot targets use loss='categorical_crossentropy'" if one_hot else "")
        )
    labels = class_numbers(labels, "sparse_categorical_crossentropy")
    ignored = labels == ignore_class if ignore_class is not None else np.False_
    outside = ((labels < 0) | (labels >= classes)) & ~ignored
    if decide(outside.any()):
        raise ValueError(
            f"sparse_categorical_crossentropy: expected class numbers from 0 to {classes - 1}, because the model "
            f"predicts {classes} classes, got {labels[outside][0]}"
            + ("; for a single sigmoid output use loss='binary_crossentropy'" if classes == 1 else "")
        )
    log_p = log_probabilities(y_pred, from_logits, axis, "sparse_categorical_crossentropy")
    if log_p is None:
        log_p = activations.log_softmax(np.log(inside(y_pred)), axis)
    safe = np.where(ignored, 0, labels)
    index = list(np.indices(labels.shape, sparse=True))
    index.insert(place, safe)
    loss = -log_p[tuple(index)]
    return np.where(ignored, np.zeros((), loss.dtype), loss) if ignore_class is not None else loss


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """The mean of ``-y_true log(y_pred) - (1 - y_true) log(1 - y_pred)``.

    Parameters
    ----------
    y_true : array_like
        Targets between 0 and 1, (batch, …, n).
    y_pred : array_like
        Predictions of the same shape.
    from_logits : bool
        Whether predictions are logits; with False they are probabilities.
    label_smoothing : float
        The share of each target that is moved to 1/2, from 0 to 1.
    axis : int
        Along which the mean is taken.

    Returns
    -------
    Tensor
        One loss for each example, (batch, …).

    Raises
    ------
    ValueError
        When the shapes do not fit, a target is outside 0 … 1, or ``label_smoothing`` is.

    Examples
    --------
    >>> import nn
    >>> nn.losses.binary_crossentropy([[1.0, 0.0]], [[0.5, 0.25]]).numpy().round(4)
    array([0.4904])
    """
    y_pred = constant(y_pred)
    target, prediction = np.shape(plain(y_true)), y_pred.shape
    if len(prediction) == len(target) + 1 and prediction[-1] > 1:
        raise ValueError(
            f"binary_crossentropy: expected targets in the shape of the predictions, {prediction}, got {target}: for "
            "class numbers use loss='sparse_categorical_crossentropy'"
        )
    y_true, y_pred = pair(y_true, y_pred, "binary_crossentropy")
    outside = (y_true.data < 0) | (y_true.data > 1)
    if decide(outside.any()):
        raise ValueError(
            f"binary_crossentropy: expected targets between 0 and 1, got {y_true.data[outside][0]:g}; for class "
            "numbers use loss='sparse_categorical_crossentropy' with one output for each class"
        )
    if smoothing_of(label_smoothing):
        y_true = y_true * (1 - label_smoothing) + 0.5 * label_smoothing
    known = logits_of(y_pred, "sigmoid")
    if from_logits and known is not None:
        _warn_from_logits("binary_crossentropy", "sigmoid")
    if from_logits or known is not None:
        logits = y_pred if from_logits or known is None else known[0]
        # -log of both probabilities; softplus(logit) - y_true · logit would cancel where the model is sure.
        positive, negative = ag.softplus(-logits), ag.softplus(logits)
        return np.mean(_occurring(y_true, positive) + _occurring(1 - y_true, negative), axis=axis)
    p = inside(y_pred)
    return -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p), axis=axis)


# -- regression --------------------------------------------------------------------------------------------


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of ``(y_true - y_pred)²`` over the last axis.

    Takes two shapes (batch, …, n), gives (batch, …). Raises ValueError when they do not fit.

    >>> import nn
    >>> nn.losses.mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]]).numpy().round(4)
    array([2.])
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_error")
    return np.mean(np.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of ``|y_true - y_pred|`` over the last axis.

    Takes two shapes (batch, …, n), gives (batch, …). Raises ValueError when they do not fit.

    >>> import nn
    >>> nn.losses.mean_absolute_error([[0.0, 1.0]], [[2.0, 1.0]]).numpy().round(4)
    array([1.])
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_absolute_error")
    return np.mean(np.abs(y_true - y_pred), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Half the squared error up to ``delta``, growing linearly beyond it.

    Parameters
    ----------
    y_true, y_pred : array_like
        Targets and predictions of one shape, (batch, …, n).
    delta : float
        The size of an error, above 0, from which on it counts linearly.

    Returns
    -------
    Tensor
        The mean along the last axis, (batch, …).

    Raises
    ------
    ValueError
        When the shapes do not fit.

    References
    ----------
    P. Huber: Robust estimation of a location parameter. Annals of Mathematical Statistics 35, 1964.

    Examples
    --------
    >>> import nn
    >>> nn.losses.huber([[0.0, 1.0]], [[3.0, 1.5]]).numpy().round(4)
    array([1.3125])
    """
    number(delta, "delta", 0, above=True)
    y_true, y_pred = pair(y_true, y_pred, "huber")
    error = y_pred - y_true
    size = np.abs(error)
    small = compared(np.less_equal, size, delta)
    inner = np.where(small, error, 0)  # the square must not overflow where it is not used
    return np.mean(np.where(small, 0.5 * np.square(inner), delta * size - 0.5 * delta**2), axis=-1)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """``Σ y_true log(y_true / y_pred)`` over the last axis.

    Takes two shapes (batch, …, n), gives (batch, …). Raises ValueError when they do not fit.

    >>> import nn
    >>> nn.losses.kl_divergence([[0.5, 0.5]], [[0.5, 0.5]]).numpy().round(4)
    array([0.])
    """
    y_true, y_pred = pair(y_true, y_pred, "kl_divergence")
    y_true, y_pred = _held(y_true, EPSILON, 1), _held(y_pred, EPSILON, 1)
    return np.sum(y_true * np.log(y_true / y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of ``100 |y_true - y_pred| / |y_true|`` over the last axis.

    Takes two shapes (batch, …, n), gives (batch, …). A target smaller than 1e-7 counts as 1e-7. Raises ValueError when
    the shapes do not fit.

    >>> import nn
    >>> nn.losses.mean_absolute_percentage_error([[2.0, 4.0]], [[3.0, 4.0]]).numpy().round(4)
    array([25.])
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_absolute_percentage_error")
    return 100 * np.mean(np.abs((y_true - y_pred) / _at_least(np.abs(y_true), EPSILON)), axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of ``(log(1 + y_true) - log(1 + y_pred))²`` over the last axis.

    Takes two shapes (batch, …, n), gives (batch, …). What is below 1e-7 counts as 1e-7. Raises ValueError when the
    shapes do not fit.

    >>> import nn
    >>> nn.losses.mean_squared_logarithmic_error([[0.0, 1.0]], [[np.e - 1, 1.0]]).numpy().round(4)
    array([0.5])
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_logarithmic_error")
    error = np.log1p(_at_least(y_true, EPSILON)) - np.log1p(_at_least(y_pred, EPSILON))
    return np.mean(np.square(error), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """The mean of ``log cosh(y_pred - y_true)`` over the last axis: half the square near 0, linear far away.

    Takes two shapes (batch, …, n), gives (batch, …). Raises ValueError when they do not fit.

    >>> import nn
    >>> nn.losses.log_cosh([[0.0, 0.0]], [[0.1, 100.0]]).numpy().round(4)
    array([49.6559])
    """
    y_true, y_pred = pair(y_true, y_pred, "log_cosh")
    error = y_pred - y_true
    return np.mean(np.logaddexp(error, -error) - math.log(2), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """The mean of ``y_pred - y_true log(y_pred)`` over the last axis, for counts and the rates that predict them.

    Takes two shapes (batch, …, n), gives (batch, …). Raises ValueError when they do not fit.

    >>> import nn
    >>> nn.losses.poisson([[1.0, 0.0]], [[1.0, 2.0]]).numpy().round(4)
    array([1.5])
    """
    y_true, y_pred = pair(y_true, y_pred, "poisson")
    return np.mean(y_pred - y_true * np.log(y_pred + EPSILON), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between targets and predictions: -1 where they point the same way.

    Parameters
    ----------
    y_true, y_pred : array_like
        Targets and predictions of one shape, (batch, …, n).
    axis : int
        That of the vectors.

    Returns
    -------
    Tensor
        A number from -1 to 1 for each vector; 0 where either is 0.

    Raises
    ------
    ValueError
        When the shapes do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.cosine_similarity([[0.0, 1.0], [1.0, 1.0]], [[0.0, 3.0], [1.0, 0.0]]).numpy().round(4)
    array([-1.    , -0.7071])
    """
    y_true, y_pred = pair(y_true, y_pred, "cosine_similarity")
    axis_in(axis, y_pred.ndim, "cosine_similarity")
    units = [v / _at_least(np.linalg.norm(v, axis=axis, keepdims=True), EPSILON) for v in (y_true, y_pred)]
    return -np.sum(units[0] * units[1], axis=axis)


# -- margins -----------------------------------------------------------------------------------------------


def hinge(y_true: Any, y_pred: Any) -> Any:
    """The mean of ``max(1 - y_true · y_pred, 0)`` over the last axis; targets are -1 or 1.

    Takes two shapes (batch, …, n), gives (batch, …). Where all targets are 0 or 1, 0 stands for -1. Raises ValueError
    when the shapes do not fit.

    >>> import nn
    >>> nn.losses.hinge([[1.0, -1.0]], [[0.5, -3.0]]).numpy().round(4)
    array([0.25])
    """
    return np.mean(_shortfall(y_true, y_pred, "hinge"), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """The mean of ``max(1 - y_true · y_pred, 0)²`` over the last axis; targets are -1 or 1.

    Takes two shapes (batch, …, n), gives (batch, …). Where all targets are 0 or 1, 0 stands for -1. Raises ValueError
    when the shapes do not fit.

    >>> import nn
    >>> nn.losses.squared_hinge([[1.0, -1.0]], [[0.5, -3.0]]).numpy().round(4)
    array([0.125])
    """
    return np.mean(np.square(_shortfall(y_true, y_pred, "squared_hinge")), axis=-1)


def _shortfall(y_true: Any, y_pred: Any, loss: str) -> Any:
    """How much each prediction lacks to be on the side of its target by 1."""
    y_true, y_pred = pair(y_true, y_pred, loss)
    binary = np.all((y_true.data == 0) | (y_true.data == 1))
    return _at_least(1 - np.where(binary, 2 * y_true - 1, y_true) * y_pred, 0)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """``max(1 + the largest prediction of another class - that of the class, 0)``; targets are one-hot.

    Takes two shapes (batch, …, classes), gives (batch, …). Raises ValueError when they do not fit.

    >>> import nn
    >>> nn.losses.categorical_hinge([[0.0, 1.0, 0.0]], [[0.1, 0.9, 0.6]]).numpy().round(4)
    array([0.7])
    """
    y_true, y_pred = pair(y_true, y_pred, "categorical_hinge")
    own = np.sum(y_true * y_pred, axis=-1)
    other = np.max((1 - y_true) * y_pred, axis=-1)
    return _at_least(other - own + 1, 0)


# -- classes -----------------------------------------------------------------------------------------------


class Loss(config.Configurable):
    """Averages what ``call(y_true, y_pred)`` gives for each example, with weights when there are any.

    One of your own defines ``call``. Called with ``sample_weight``, a number for each example, it weighs them.
    Targets and predictions are (batch, …). Where predictions have a mask, the mean is over what counts.

    Parameters
    ----------
    name : str, optional
        What errors and `History` call it; by default that of the class.
    reduction : str or None
        "sum_over_batch_size" (the mean), "mean_with_sample_weight" (the sum divided by that of the weights), "sum",
        or None for one number per example.
    dtype : dtype, optional
        Kept for the configuration; a result has the dtype of the predictions.

    Raises
    ------
    ValueError
        For another ``reduction``; in a call, for weights that do not fit.
    TypeError
        In a call, where ``call`` is not defined.

    Examples
    --------
    >>> import nn
    >>> class FourthPower(nn.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return np.mean((y_true - y_pred) ** 4, axis=-1)
    >>> FourthPower()(np.zeros((2, 1)), np.array([[1.0], [2.0]])).numpy()
    array(8.5)
    """

    keras_module = "keras.losses"

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None):
        self.name = name or config.snake_case(type(self).__name__)
        if reduction not in ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None):
            raise ValueError(
                "reduction: expected 'sum_over_batch_size', 'mean_with_sample_weight', 'sum' or None, got "
                f"{reduction!r}"
            )
        self.reduction = reduction
        self.dtype = dtype

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One number for each example."""
        raise TypeError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return readable(self._reduced(y_true, y_pred, sample_weight))

    def _reduced(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        ours = type(self) in freeze.OURS and freeze.is_ours(getattr(self, "fn", None))
        losses = self.call(y_true, y_pred) if ours else distributed.checked_loss(lambda: self.call(y_true, y_pred))
        losses = constant(losses)
        weights = None if sample_weight is None else plain(sample_weight)
        mask = mask_of(y_pred) if MASKS else None
        if mask is not None:
            weights = self._with_mask(weights, plain(mask).astype(losses.dtype))
        if weights is not None:
            losses = weighted(losses, weights)
        if self.reduction in (None, "none"):
            return losses
        total: Any = np.sum(losses)
        # What is no mean over the examples is brought to what the step multiplies again by this share of them.
        share = distributed.fraction() or 1.0
        if self.reduction == "sum":
            return total if share == 1 else total / share
        if self.reduction == "mean_with_sample_weight" and weights is not None:
            weight = distributed.sum_of(np.sum(weights.astype(total.dtype)))
            return total / np.maximum(weight * share if share != 1 else weight, 1e-30)
        return total / max(losses.size, 1)

    def _with_mask(self, weights: Any, mask: Any) -> Any:
        """Weights that leave out what does not count; a mean is over the rest."""
        if self.reduction in ("sum_over_batch_size", "mean"):
            share = distributed.fraction() or 1.0
            mask = mask * (mask.size / share) / np.maximum(distributed.sum_of(np.sum(mask)), 1e-30)
        return together(weights, mask)


def weighted(losses: Tensor, weights: Any) -> Tensor:
    """Losses times the weights of their examples."""
    weights = weights.astype(losses.dtype, copy=False)
    given = weights.shape
    losses, weights = align(losses, weights)
    while weights.ndim < losses.ndim:
        weights = weights[..., None]
    if weights.ndim > losses.ndim or any(w not in (1, n) for w, n in zip(weights.shape, losses.shape, strict=True)):
        raise ValueError(
            "sample_weight: expected one weight for each example, or one for each loss, for losses of shape "
            f"{losses.shape}, got shape {given}"
        )
    return losses * weights


class LossFunction(Loss):
    """A `Loss` made from a function, which gets the given options.

    Where targets are (batch,) and predictions (batch, 1), or the other way round, it gets both in one shape.

    Parameters
    ----------
    fn : callable
        From targets and predictions to one number for each example.
    reduction, name, dtype
        As in `Loss`; the name is by default that of the function.
    **options
        Further arguments of ``fn``.

    Raises
    ------
    TypeError
        Unless ``fn`` is a function.
    ValueError
        As in `Loss`.

    Examples
    --------
    >>> import nn
    >>> strict = nn.losses.LossFunction(nn.losses.huber, delta=0.5)
    >>> strict([[0.0]], [[2.0]]).numpy()
    array(0.875)
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ):
        super().__init__(name or config.function_name(fn), reduction, dtype)
        self.fn, self.options = checks.function(fn, "what a loss computes"), tuple(options)
        for option, value in options.items():
            setattr(self, option, value)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if not freeze.is_ours(self.fn):  # ours do it themselves, or have an error that says more
            arrays = (value if hasattr(value, "ndim") else plain(value) for value in (y_true, y_pred))
            y_true, y_pred = align(*arrays)
        return self.fn(y_true, y_pred, **{option: getattr(self, option) for option in self.options})


class CategoricalCrossentropy(LossFunction):
    """The mean of `categorical_crossentropy`: targets are one-hot.

    Parameters
    ----------
    from_logits, label_smoothing, axis
        As in `categorical_crossentropy`.
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        When ``label_smoothing`` is outside 0 … 1; in a call, where the function does.

    Examples
    --------
    >>> import nn
    >>> predicted = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    >>> nn.losses.CategoricalCrossentropy()(np.eye(3)[[0, 1]], predicted).numpy().round(4)
    np.float64(0.3466)
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ):
        options = {"from_logits": from_logits, "label_smoothing": smoothing_of(label_smoothing), "axis": axis}
        super().__init__(categorical_crossentropy, reduction, name, dtype, **options)


class SparseCategoricalCrossentropy(LossFunction):
    """The mean of `sparse_categorical_crossentropy`: targets are class numbers.

    Parameters
    ----------
    from_logits, ignore_class, axis
        As in `sparse_categorical_crossentropy`.
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for what is no class number, and shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> loss = nn.losses.SparseCategoricalCrossentropy(from_logits=True)
    >>> loss(np.array([0, 1]), np.array([[2.0, 1.0, 1.0], [0.0, 9.0, 0.0]])).numpy().round(4)
    np.float64(0.2758)
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ):
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(sparse_categorical_crossentropy, reduction, name, dtype, **options)


class BinaryCrossentropy(LossFunction):
    """The mean of `binary_crossentropy`: targets lie between 0 and 1.

    Parameters
    ----------
    from_logits, label_smoothing, axis
        As in `binary_crossentropy`.
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        When ``label_smoothing`` is outside 0 … 1; in a call, where the function does.

    Examples
    --------
    >>> import nn
    >>> nn.losses.BinaryCrossentropy()([[1.0, 0.0]], [[0.5, 0.25]]).numpy().round(4)
    np.float64(0.4904)
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ):
        options = {"from_logits": from_logits, "label_smoothing": smoothing_of(label_smoothing), "axis": axis}
        super().__init__(binary_crossentropy, reduction, name, dtype, **options)


class _LossOfPair(LossFunction):
    """The mean of ``function``, which takes a pair of targets and predictions and no settings."""

    function: Callable[..., Any]

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None):
        super().__init__(type(self).function, reduction, name, dtype)


class MeanSquaredError(_LossOfPair):
    """The mean of `mean_squared_error`.

    Parameters
    ----------
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.MeanSquaredError()([[0.0], [1.0]], [[2.0], [1.0]]).numpy().round(4)
    np.float64(2.0)
    """

    function = staticmethod(mean_squared_error)


class MeanAbsoluteError(_LossOfPair):
    """The mean of `mean_absolute_error`.

    Parameters
    ----------
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.MeanAbsoluteError(reduction="sum")([[0.0], [1.0]], [[2.0], [1.0]]).numpy().round(4)
    np.float64(2.0)
    """

    function = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(_LossOfPair):
    """The mean of `mean_absolute_percentage_error`.

    Parameters
    ----------
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.MeanAbsolutePercentageError()([[2.0], [4.0]], [[3.0], [4.0]]).numpy().round(4)
    np.float64(25.0)
    """

    function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(_LossOfPair):
    """The mean of `mean_squared_logarithmic_error`.

    Parameters
    ----------
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.MeanSquaredLogarithmicError()([[0.0], [1.0]], [[np.e - 1], [1.0]]).numpy().round(4)
    np.float64(0.5)
    """

    function = staticmethod(mean_squared_logarithmic_error)


class LogCosh(_LossOfPair):
    """The mean of `log_cosh`.

    Parameters
    ----------
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.LogCosh()([[0.0], [0.0]], [[0.1], [100.0]]).numpy().round(4)
    np.float64(49.6559)
    """

    function = staticmethod(log_cosh)


class Poisson(_LossOfPair):
    """The mean of `poisson`.

    Parameters
    ----------
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.Poisson()([[1.0], [0.0]], [[1.0], [2.0]]).numpy().round(4)
    np.float64(1.5)
    """

    function = staticmethod(poisson)


class KLDivergence(_LossOfPair):
    """The mean of `kl_divergence`.

    Parameters
    ----------
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]).numpy().round(4)
    np.float64(0.1438)
    """

    function = staticmethod(kl_divergence)


class Hinge(_LossOfPair):
    """The mean of `hinge`: targets are -1 or 1, or 0 or 1.

    Parameters
    ----------
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.Hinge()([[1.0], [-1.0]], [[0.5], [-3.0]]).numpy().round(4)
    np.float64(0.25)
    """

    function = staticmethod(hinge)


class SquaredHinge(_LossOfPair):
    """The mean of `squared_hinge`: targets are -1 or 1, or 0 or 1.

    Parameters
    ----------
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.SquaredHinge()([[1.0], [-1.0]], [[0.5], [-3.0]]).numpy().round(4)
    np.float64(0.125)
    """

    function = staticmethod(squared_hinge)


class CategoricalHinge(_LossOfPair):
    """The mean of `categorical_hinge`: targets are one-hot.

    Parameters
    ----------
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.CategoricalHinge()([[0.0, 1.0, 0.0]], [[0.1, 0.9, 0.6]]).numpy().round(4)
    np.float64(0.7)
    """

    function = staticmethod(categorical_hinge)


class CosineSimilarity(LossFunction):
    """The mean of `cosine_similarity`: -1 where targets and predictions point the same way.

    Parameters
    ----------
    axis
        As in `cosine_similarity`.
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        In a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.CosineSimilarity()([[0.0, 1.0]], [[0.0, 3.0]]).numpy().round(4)
    np.float64(-1.0)
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ):
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class Huber(LossFunction):
    """The mean of `huber`.

    Parameters
    ----------
    delta
        As in `huber`, above 0.
    reduction, name, dtype
        As in `Loss`.

    Raises
    ------
    ValueError
        Unless ``delta`` is above 0; in a call, for shapes that do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.losses.Huber()([[0.0], [1.0]], [[3.0], [1.5]]).numpy().round(4)
    np.float64(1.3125)
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ):
        super().__init__(huber, reduction, name, dtype, delta=number(delta, "delta", 0, above=True))


CLASSES: tuple[Any, ...] = (
    CategoricalCrossentropy, SparseCategoricalCrossentropy, BinaryCrossentropy, MeanSquaredError, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanSquaredLogarithmicError, LogCosh, Poisson, KLDivergence, Hinge, SquaredHinge,
    CategoricalHinge, CosineSimilarity, Huber,
)  # fmt: skip
FUNCTIONS: tuple[Any, ...] = (
    categorical_crossentropy, sparse_categorical_crossentropy, binary_crossentropy, mean_squared_error,
    mean_absolute_error, mean_absolute_percentage_error, mean_squared_logarithmic_error, log_cosh, poisson,
    kl_divergence, hinge, squared_hinge, categorical_hinge, cosine_similarity, huber,
)  # fmt: skip
SHORT: dict[str, Any] = {
    "mse": mean_squared_error, "mae": mean_absolute_error, "mape": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error, "kld": kl_divergence, "bce": binary_crossentropy,
}  # fmt: skip
ALIASES = SHORT | {name.upper(): function for name, function in SHORT.items()}
registry = config.registry("loss").add(*CLASSES, *FUNCTIONS, **ALIASES)
registry.accepted = {type(None): lambda _: None}
get, serialize, deserialize = registry.functions(
    __name__, "Huber(delta=2.0)", "delta == 2.0", none="none", serialize="loss", deserialize="name"
)

__getattr__ = absent.getattr_of("losses")
