"""Small helpers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .config import custom_object_scope
from .random import set_random_seed

__all__ = ["custom_object_scope", "set_random_seed", "to_categorical"]


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class numbers as one-hot rows, in float32.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    labels = np.asarray(x).astype(np.int64)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    classes = int(labels.max(initial=-1)) + 1 if num_classes is None else num_classes
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(f"class numbers must lie in 0 … {classes - 1}; {labels.min()} … {labels.max()} came")
    return np.eye(classes, dtype=np.float32)[labels]
