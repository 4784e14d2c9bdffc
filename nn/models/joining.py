"""Which batches `predict` may compute as one: where no example depends on another, the batches are the user's alone.

A product of few rows takes longer for each of them than one of many. So after the first batch, which shows what comes
out of each layer, batches are joined while the widest value of a layer still is of a size that caches hold. Products of
other sizes may be rounded otherwise, in the last digit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from .. import activations
from ..layers.layer import Layer

# Bytes of the widest value: with more of them each row takes as long, and memory is the user's.
AT_ONCE = 4 << 20


def batches_at_once(model: Any, x: Any, batch_size: int) -> int:
    """How many batches of so many examples like ``x`` are computed as one, after a first one; 1 where any may couple.

    Only a `Sequential` whose layers all say ``each_alone`` is asked, with the activations of this package, which go
    along the last axis at most: no call in it says anything but the values.

    >>> import numpy as np, nn
    >>> model = nn.Sequential([nn.Input(shape=(1024,)), nn.layers.Dense(8), nn.layers.Dense(2)])
    >>> x = np.zeros((32, 1024), "float32")
    >>> batches_at_once(model, x, 32), batches_at_once(model, x, 3000)
    (32, 1)
    """
    layers = list(_chain(model))
    shapes = [getattr(x, "shape", None), *(layer.output_shape for layer in layers)]
    if not all(type(shape) is tuple and len(shape) > 1 and None not in shape[1:] for shape in shapes):
        return 1
    if not all(layer.each_alone and _along_one_example(layer) for layer in layers):
        return 1
    widest = max(math.prod(shape[1:]) for shape in shapes) * model.dtype.itemsize
    return max(1, AT_ONCE // max(1, widest * batch_size))


def _along_one_example(layer: Layer) -> bool:
    """Whether a layer has no activation, or one by a name: with settings it might go along the batch."""
    activation = getattr(layer, "activation", None)
    return activation is None or any(activation is known for known in activations.registry.known.values())


def _chain(layer: Any) -> Iterator[Layer]:
    """The layers of a `Sequential`, those of one inside of it in its place; anything else as it is."""
    links = getattr(layer, "_links", None)
    if links is None:
        yield layer
        return
    for link in links:
        yield from _chain(link)
