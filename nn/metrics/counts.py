"""Metrics of how often positive predictions and positive targets meet at thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.arrays import to_numpy

from .. import activations
from ..checks import number, one_of, whole
from ..losses.pairs import align, predictions
from ..tensors import plain
from . import confusion
from .metric import Metric, Result, stretched


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
        y_true, y_pred = align(to_numpy(plain(y_true)).astype(bool), to_numpy(predictions(y_pred).data))
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
        self.curve = one_of(curve, "curve", ("ROC", "PR"))
        self.summation_method = one_of(summation_method, "summation_method", ("interpolation", "minoring", "majoring"))
        if num_labels is not None and not multi_label:
            raise ValueError(f"num_labels: expected it beside multi_label=True only, got {num_labels!r}")
        self.multi_label, self.from_logits = multi_label, from_logits
        self.num_labels = None if num_labels is None else whole(num_labels, "num_labels", 1)
        self.label_weights = None if label_weights is None else tuple(float(w) for w in label_weights)
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
            parts[2] = parts[2] * np.asarray(self.label_weights)
        super()._count(*(parts if self.multi_label else (a.ravel() for a in parts)))

    def result(self) -> Any:
        """The value so far."""
        if not self.variables:
            return Result(0.0)
        tp, fp, tn, fn = self._so_far()
        area = confusion.area(tp, fp, tn, fn, self.curve, self.summation_method)
        return Result(np.average(area, weights=self.label_weights) if self.multi_label else area)
