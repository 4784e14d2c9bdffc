"""Losses of numbers: of errors, counts and directions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.graph import compared

from ..checks import axis_in, number
from . import pairs
from .loss import LossFunction, LossOfPair
from .pairs import at_least, pair


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


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of ``100 |y_true - y_pred| / |y_true|`` over the last axis.

    Takes two shapes (batch, …, n), gives (batch, …). A target smaller than 1e-7 counts as 1e-7. Raises ValueError when
    the shapes do not fit.

    >>> import nn
    >>> nn.losses.mean_absolute_percentage_error([[2.0, 4.0]], [[3.0, 4.0]]).numpy().round(4)
    array([25.])
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_absolute_percentage_error")
    return 100 * np.mean(np.abs((y_true - y_pred) / at_least(np.abs(y_true), pairs.EPSILON)), axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of ``(log(1 + y_true) - log(1 + y_pred))²`` over the last axis.

    Takes two shapes (batch, …, n), gives (batch, …). What is below 1e-7 counts as 1e-7. Raises ValueError when the
    shapes do not fit.

    >>> import nn
    >>> nn.losses.mean_squared_logarithmic_error([[0.0, 1.0]], [[np.e - 1, 1.0]]).numpy().round(4)
    array([0.5])
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_logarithmic_error")
    error = np.log1p(at_least(y_true, pairs.EPSILON)) - np.log1p(at_least(y_pred, pairs.EPSILON))
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
    return np.mean(y_pred - y_true * np.log(y_pred + pairs.EPSILON), axis=-1)


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
    units = [v / at_least(np.linalg.norm(v, axis=axis, keepdims=True), pairs.EPSILON) for v in (y_true, y_pred)]
    return -np.sum(units[0] * units[1], axis=axis)


class MeanSquaredError(LossOfPair):
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


class MeanAbsoluteError(LossOfPair):
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


class MeanAbsolutePercentageError(LossOfPair):
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


class MeanSquaredLogarithmicError(LossOfPair):
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


class LogCosh(LossOfPair):
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


class Poisson(LossOfPair):
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
