"""Losses that ask for a margin: hinges."""

from __future__ import annotations

from typing import Any

import numpy as np

from .loss import LossOfPair
from .pairs import at_least, pair


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
    return at_least(1 - np.where(binary, 2 * y_true - 1, y_true) * y_pred, 0)


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
    return at_least(other - own + 1, 0)


class Hinge(LossOfPair):
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


class SquaredHinge(LossOfPair):
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


class CategoricalHinge(LossOfPair):
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
