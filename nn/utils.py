"""Small helpers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .checks import whole
from .config import custom_object_scope
from .random import set_random_seed
from .tensors import class_numbers, plain
from .torch_weights import from_torch_state_dict, to_torch_state_dict

__all__ = [
    "custom_object_scope",
    "from_torch_state_dict",
    "plot_model",
    "set_random_seed",
    "to_categorical",
    "to_torch_state_dict",
]


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class numbers as one-hot rows, in float32.

    Takes any shape, (…, 1) without the 1, and gives (…, classes). ValueError for what is no whole number from 0 to
    ``num_classes - 1``, which by default is the largest that came.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    labels = class_numbers(np.asarray(plain(x)), "to_categorical")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    classes = int(labels.max(initial=-1)) + 1 if num_classes is None else whole(num_classes, "num_classes", 1)
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(f"class numbers must lie in 0 … {classes - 1}; {labels.min()} … {labels.max()} came")
    return np.eye(classes, dtype=np.float32)[labels]


def plot_model(model: Any, to_file: Any = "model.png", rankdir: str = "TB") -> Any:
    """Draw the graph that a model records for one example, into a picture file, and return the drawing.

    ``rankdir`` is the direction of reading, "TB" for downwards and "LR" to the right; ``to_file=None`` writes
    nothing. Raises ValueError when the model does not know its input.

    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> nn.utils.plot_model(model, to_file=None).source.startswith("digraph")
    True
    """
    from autograd_core import draw

    if model.called_with is None:
        raise ValueError(
            f"{model.name!r} is not built, so its graph is not known; pass Input(shape=…), or call it once"
        )
    shapes = model.called_with if isinstance(model.called_with, list) else [model.called_with]
    zeros = [np.zeros([n or 1 for n in (1, *shape[1:])], np.float32) for shape in shapes]
    drawing = draw(
        model(zeros if isinstance(model.called_with, list) else zeros[0]),
        direction=rankdir,
        values=False,
        gradients=False,
    )
    if to_file is not None:
        drawing.save(to_file)
    return drawing
