"""Small helpers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.tensor import Tensor

from . import absent
from .checks import one_of, whole
from .config import custom_object_scope, register_keras_serializable
from .downloads import get_file
from .models.batches import PyDataset, unpack_x_y_sample_weight
from .objects import deserialize_keras_object, serialize_keras_object
from .preprocessing.sequence import pad_sequences
from .progress import Progbar
from .random import set_random_seed
from .splitting import split_dataset
from .tensors import class_numbers, constant, plain
from .torch_weights import from_torch_state_dict, to_torch_state_dict

__all__ = [
    "Progbar",
    "PyDataset",
    "custom_object_scope",
    "deserialize_keras_object",
    "from_torch_state_dict",
    "get_file",
    "normalize",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "to_categorical",
    "to_torch_state_dict",
    "unpack_x_y_sample_weight",
]


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class numbers as one-hot rows, in float32; of a Tensor as a Tensor.

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
    rows = np.eye(classes, dtype=np.float32)[labels]
    return constant(rows) if isinstance(x, Tensor) else rows


def normalize(x: Any, axis: int = -1, order: Any = 2) -> Any:
    """``x`` divided by its norms along an axis; where all is 0 it stays 0.

    Parameters
    ----------
    x : array_like
        Numbers, of any shape.
    axis : int
        That of the vectors whose norm becomes 1.
    order : float
        2 for lengths, 1 for sums of sizes, ``np.inf`` for the largest size.

    Returns
    -------
    array
        In the same shape, but a single vector as one row; of a Tensor a Tensor.

    Raises
    ------
    ValueError
        For an axis that is none.

    Examples
    --------
    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    x = np.atleast_1d(x if isinstance(x, Tensor) else plain(x))
    norm = np.linalg.norm(x, ord=order, axis=axis, keepdims=True)
    x = x / np.where(plain(norm) == 0, 1, norm)
    return x if x.ndim > 1 else x[None]


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
    splines: str = "ortho",
) -> Any:
    """Draw the layers of a model into a picture file, as Keras does: a box a layer.

    A model with a ``call`` of its own, of which Keras draws one box, is drawn as what one call on zeros computes: with
    a box for each of its layers and for each op between them.

    Parameters
    ----------
    model : Model
        A built one.
    to_file : path, optional
        The file, whose ending is .png, .svg, .pdf, .dot or .gif; None writes nothing.
    show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable : bool
        What stands in a layer's box besides its class: the shapes of its input and output, the dtype of its output, its
        name, its activation, and whether it trains.
    rankdir : {"TB", "BT", "LR", "RL"}
        The direction of reading, "TB" for downwards and "LR" to the right.
    expand_nested : bool
        Whether models in the model are frames around their layers, instead of boxes; so are layers that hold others, in
        a model with a ``call`` of its own.
    dpi : int
        The resolution of a picture of pixels, in dots per inch.
    splines : {"ortho", "spline", "curved", "polyline", "line", "none"}
        How the lines of a file run: "ortho" across and down only.

    Returns
    -------
    Drawing
        The graph.

    Raises
    ------
    ValueError
        When the model does not know its input; for other ``splines``.
    ImportError
        Without the plots extra.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1, name="last")])
    >>> drawing = nn.utils.plot_model(model, to_file=None, show_shapes=True)
    >>> drawing.boxes[0].title, drawing.boxes[0].lines
    ('Dense', ('Input shape: (None, 2)', 'Output shape: (None, 1)'))
    """
    from autograd_core.explain.boxes import check

    from .picture import check_built, in_full, layers_drawn

    whole(dpi, "dpi", 1)
    splines = one_of(splines, "splines", ("ortho", "spline", "curved", "polyline", "line", "none"))
    check_built(model)
    check(rankdir, None, None)
    asked = {
        "names": show_layer_names, "activations": show_layer_activations, "shapes": show_shapes, "dtypes": show_dtype,
        "trainable": show_trainable,
    }  # fmt: skip
    drawing = layers_drawn(
        model, lambda layer: in_full(layer, **asked), None if expand_nested else 0, rankdir, begin=False
    )
    drawing = replace(drawing, arrows=tuple(replace(arrow, label="") for arrow in drawing.arrows))
    if to_file is not None:
        picture = replace(drawing)  # a vector drawing, as the one that is returned, has no dots
        picture.digraph.graph_attr["splines"] = splines
        if Path(to_file).suffix.lower() in (".png", ".gif"):
            picture.digraph.graph_attr["dpi"] = str(dpi)
        picture.save(to_file)
    return drawing


__getattr__ = absent.getattr_of("utils")
