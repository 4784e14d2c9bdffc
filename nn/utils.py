"""Small helpers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .checks import whole
from .config import custom_object_scope, register_keras_serializable
from .models.batches import PyDataset, unpack_x_y_sample_weight
from .random import set_random_seed
from .summary import shown
from .tensors import class_numbers, plain
from .torch_weights import from_torch_state_dict, to_torch_state_dict

__all__ = [
    "PyDataset",
    "custom_object_scope",
    "from_torch_state_dict",
    "plot_model",
    "register_keras_serializable",
    "set_random_seed",
    "to_categorical",
    "to_torch_state_dict",
    "unpack_x_y_sample_weight",
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
        raise ValueError(f"class numbers: expected 0 … {classes - 1}, got {labels.min()} … {labels.max()}")
    return np.eye(classes, dtype=np.float32)[labels]


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """Draw the graph that a model records for one example, into a picture file.

    Each layer is a box with its name around its operations, the activation and those of inner layers among them.

    Parameters
    ----------
    model : Model
        A built one.
    to_file : path, optional
        The file, whose ending is .png, .svg, .pdf, .dot or .gif; None writes nothing.
    show_shapes, show_dtype, show_trainable : bool
        Whether the shape of its output, its dtype and whether it trains stand beside the name of a layer.
    show_layer_names, show_layer_activations, expand_nested : bool
        Taken for Keras' sake: every drawing has these.
    rankdir : str
        The direction of reading, "TB" for downwards and "LR" to the right.
    dpi : int
        The resolution of a picture of pixels, in dots per inch.

    Returns
    -------
    Drawing
        The graph.

    Raises
    ------
    ValueError
        When the model does not know its input.
    ImportError
        Without the plots extra.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1, name="last")])
    >>> drawing = nn.utils.plot_model(model, to_file=None, show_shapes=True)
    >>> drawing.boxes[0].layers
    ('last: (None, 1)',)
    """
    from autograd_core import Tensor, draw

    whole(dpi, "dpi", 1)
    if model.called_with is None:
        raise ValueError(
            f"{model.name!r} is not built, so its graph is not known; pass Input(shape=…), or call it once"
        )
    shapes = model.called_with if isinstance(model.called_with, list) else [model.called_with]
    # Inputs that record, so that layers which do not train are drawn too.
    zeros = [Tensor(np.zeros([n or 1 for n in (1, *shape[1:])], np.float32), name="input") for shape in shapes]
    drawing = draw(
        model(zeros if isinstance(model.called_with, list) else zeros[0]),
        direction=rankdir,
        values=False,
        gradients=False,
    )
    if show_shapes or show_dtype or show_trainable:
        boxes = [_labelled(box, model, show_shapes, show_dtype, show_trainable) for box in drawing.boxes]
        drawing = replace(drawing, boxes=tuple(boxes))
    if to_file is not None:
        picture = replace(drawing)  # a vector drawing, as the one that is returned, has no dots
        if Path(to_file).suffix.lower() in (".png", ".gif"):
            picture.digraph.graph_attr["dpi"] = str(dpi)
        picture.save(to_file)
    return drawing


def _labelled(box: Any, model: Any, shapes: bool, dtypes: bool, trainable: bool) -> Any:
    """A box of a drawing, the layers that it lies in, or that it is, with what was asked for beside their names."""
    inside, labels = model.sublayers, []
    closed = box.kind == "layer"
    for name in (*box.layers, box.title) if closed else box.layers:
        layer = next((x for x in inside if x.name == name), None)
        facts = []
        if layer is not None:
            inside = layer.sublayers
            facts += [shown(layer.output_shape)] if shapes and layer.output_shape is not None else []
            facts += [layer.dtype.name] if dtypes else []
            facts += ["trainable" if layer.trainable else "not trainable"] if trainable and layer.weights else []
        labels.append(f"{name}: {', '.join(facts)}" if facts else name)
    title = labels.pop() if closed else box.title
    return replace(box, title=title, layers=tuple(labels))
