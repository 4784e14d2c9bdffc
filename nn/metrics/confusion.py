"""How often positive predictions and positive targets meet at thresholds, and the area under what is made of it."""

from __future__ import annotations

from typing import Any

import numpy as np

NAMES = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def counts(limits: Any, y_true: Any, y_pred: Any, weights: Any) -> tuple[Any, Any, Any, Any]:
    """True and false positives and negatives, in the order of `NAMES`, at each of some limits.

    A prediction above a limit is positive there, and NaN is above none. What comes is (examples,), or
    (examples, labels), where each label is counted for itself; what is returned is (limits,) or (limits, labels).

    >>> tp, fp, tn, fn = counts(np.array([0.5]), np.array([True, False]), np.array([0.9, 0.7]), np.ones(2))
    >>> tp, fp, tn, fn
    (array([1.]), array([1.]), array([0.]), array([0.]))
    """
    if y_pred.ndim > 1:
        columns = [counts(limits, *parts) for parts in zip(y_true.T, y_pred.T, weights.T, strict=True)]
        tp, fp, tn, fn = (np.stack(side, -1) for side in zip(*columns, strict=True))
        return tp, fp, tn, fn
    order = np.argsort(limits)
    # How many limits each prediction is above. So no table of limits by examples is needed.
    place = np.where(np.isnan(y_pred), 0, np.searchsorted(limits[order], y_pred))
    above, below = np.empty((2, 2, len(limits)))
    for truth in (0, 1):
        here = np.bincount(place, np.where(y_true == truth, weights, 0), len(limits) + 1)
        above[truth, order] = np.cumsum(here[::-1])[-2::-1]
        below[truth, order] = np.cumsum(here)[:-1]
    return above[1], above[0], below[0], below[1]


def only_largest(y_pred: Any, k: int) -> Any:
    """Predictions, of which all but the k largest along the last axis, of equal ones the first, become -inf.

    >>> only_largest(np.array([0.2, 0.5, 0.3]), 1)
    array([-inf,  0.5, -inf])
    """
    kept = np.zeros(y_pred.shape, bool)
    np.put_along_axis(kept, np.argsort(-y_pred, axis=-1, kind="stable")[..., :k], True, -1)
    return np.where(kept, y_pred, -np.inf)


def share(part: Any, rest: Any) -> Any:
    """``part / (part + rest)``, and 0 where that is 0 / 0.

    >>> share(np.array([1.0, 0.0]), np.array([3.0, 0.0]))
    array([0.25, 0.  ])
    """
    return quotient(part, part + rest)


def quotient(part: Any, whole: Any) -> Any:
    """``part / whole``, and 0 where ``whole`` is 0.

    >>> quotient(np.array([1.0]), np.array([0.0]))
    array([0.])
    """
    shape = np.broadcast_shapes(np.shape(part), np.shape(whole))
    return np.divide(part, whole, out=np.zeros(shape), where=whole != 0)


def area(tp: Any, fp: Any, tn: Any, fn: Any, curve: str, summation: str) -> Any:
    """The area under a curve, whose points are the limits from the lowest to the highest, for each label.

    ``curve`` is "ROC" or "PR"; ``summation`` is "interpolation", by trapezes, or for "PR" as Davis and Goadrich do it,
    "minoring" or "majoring", by the lower or the higher side of each step.

    >>> counted = np.array([2.0, 1, 0]), np.array([1.0, 0, 0]), np.array([0.0, 1, 1]), np.array([0.0, 1, 2])
    >>> area(*counted, "ROC", "interpolation")
    np.float64(0.75)
    """
    if curve == "PR" and summation == "interpolation":
        positive = tp + fp
        gained, more = -np.diff(tp, axis=0), -np.diff(positive, axis=0)
        slope = quotient(gained, np.maximum(more, 0))
        start = tp[1:] - slope * positive[1:]
        both = (positive[:-1] > 0) & (positive[1:] > 0)
        ratio = np.where(both, quotient(positive[:-1], np.maximum(positive[1:], 0)), 1)
        return np.sum(quotient(slope * (gained + start * np.log(ratio)), (tp + fn)[1:]), axis=0)
    recall = share(tp, fn)
    x, y = (share(fp, tn), recall) if curve == "ROC" else (recall, share(tp, fp))
    sides = y[:-1], y[1:]
    heights = {
        "interpolation": (sides[0] + sides[1]) / 2, "minoring": np.minimum(*sides), "majoring": np.maximum(*sides)
    }  # fmt: skip
    return np.sum(-np.diff(x, axis=0) * heights[summation], axis=0)
