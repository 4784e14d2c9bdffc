"""Losses of class probabilities, computed from the logits behind them wherever these are known."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.graph import Node
from autograd_core.ops.network import normalized
from autograd_core.replay import decide
from autograd_core.tensor import Tensor

from .. import activations
from ..checks import axis_in, number
from ..tensors import class_numbers, constant, plain
from . import pairs
from .loss import LossFunction, LossOfPair
from .pairs import held, inside, pair, predictions


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


def smoothing_of(label_smoothing: Any) -> float:
    """A ``label_smoothing``, if it is one."""
    return float(number(label_smoothing, "label_smoothing", 0, 1))


def _warn_from_logits(loss: str, activation: str) -> None:
    warnings.warn(
        f"{loss} was told from_logits=True, but the model ends in {activation}, so what it gets are probabilities; "
        f"leave out one of the two",
        stacklevel=2,
    )


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


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """``Σ y_true log(y_true / y_pred)`` over the last axis.

    Takes two shapes (batch, …, n), gives (batch, …). Raises ValueError when they do not fit.

    >>> import nn
    >>> nn.losses.kl_divergence([[0.5, 0.5]], [[0.5, 0.5]]).numpy().round(4)
    array([0.])
    """
    y_true, y_pred = pair(y_true, y_pred, "kl_divergence")
    y_true, y_pred = held(y_true, pairs.EPSILON, 1), held(y_pred, pairs.EPSILON, 1)
    return np.sum(y_true * np.log(y_true / y_pred), axis=-1)


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


class KLDivergence(LossOfPair):
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
