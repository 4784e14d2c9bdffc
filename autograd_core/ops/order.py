"""Order: elements change places, and each gradient goes back the way its element came."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import example
from ..op import composed


@composed(
    r"\operatorname{sort} x",
    numpy=np.sort,
    examples=(example((5,)), example((2, 3), axis=0), example((2, 3), axis=None), example((0, 3)), example((4, 0))),
)
def sort(x: Any, axis: int | None = -1, *, kind: Any = None, stable: Any = None) -> Any:
    """The elements in ascending order along an axis; whatever is asked for, tied elements keep their order."""
    if axis is None:
        x, axis = np.ravel(x), -1
    return np.take_along_axis(x, np.argsort(x, axis=axis, kind="stable"), axis)


@composed(
    r"\operatorname{partition} x",
    numpy=np.partition,
    examples=(example((5,), 2), example((4, 3), 1, axis=0), example((2, 3), kth=(0, 4), axis=None)),
)
def partition(x: Any, kth: Any, axis: int | None = -1) -> Any:
    """The element that sorting would put at ``kth`` stands there, no larger ones before it, no smaller after."""
    if axis is None:
        x, axis = np.ravel(x), -1
    return np.take_along_axis(x, np.argpartition(x, kth, axis=axis), axis)
