"""Masks: which steps of a sequence count. They go from layer to layer beside the values, as in Keras.

A layer that knows which steps are padding, such as an Embedding with ``mask_zero``, attaches a mask to what it gives.
The next one is handed it as ``mask`` if its ``call`` takes one, and the loss looks at that of the predictions.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.graph import Node
from autograd_core.tensor import Tensor

from .device import here
from .tensors import plain

# The mask of a value, by its node, for as long as that lives: True where a step counts.
MASKS: weakref.WeakKeyDictionary[Node, Any] = weakref.WeakKeyDictionary()


def mask_of(value: Any) -> Any:
    """The mask of a value, or None; of several values their masks.

    >>> import nn
    >>> embedding = nn.layers.Embedding(10, 4, mask_zero=True)
    >>> mask_of(embedding(np.array([[3, 5, 0]])))
    array([[ True,  True, False]])
    """
    if isinstance(value, list | tuple):
        return [mask_of(v) for v in value]
    if isinstance(value, dict):
        return {k: mask_of(v) for k, v in value.items()}
    return MASKS.get(value.node) if isinstance(value, Tensor) else None


def set_mask(value: Any, mask: Any) -> None:
    """Attach a mask to a value, or to each of several, where there is none yet."""
    for one, of_one in zip(_flat(value), _flat(mask), strict=False):
        if of_one is not None and isinstance(one, Tensor) and one.node not in MASKS:
            MASKS[one.node] = truth(of_one)


def _flat(value: Any) -> list[Any]:
    """What is in a structure, with None for what is not there."""
    if isinstance(value, list | tuple | dict):
        return [leaf for part in (value.values() if isinstance(value, dict) else value) for leaf in _flat(part)]
    return [value]


def truth(mask: Any) -> Any:
    """A mask as an array of True and False on the present device."""
    array = here(plain(mask))
    return array if array.dtype == np.bool_ else array != 0


def weights_of(value: Any, weights: Any) -> tuple[Any, Any]:
    """A value as an array, and the weights of its steps, with 0 for what its mask leaves out."""
    mask = mask_of(value)
    if mask is None:
        return value, weights
    return plain(value), together(weights, plain(mask).astype(np.float32))


def together(weights: Any, mask: Any) -> Any:
    """Weights of examples or of their steps, times a mask of numbers."""
    if weights is None:
        return mask
    weights = plain(weights)
    while weights.ndim < mask.ndim:
        weights = weights[..., None]
    return weights * (mask if weights.ndim == mask.ndim else mask[..., None])


def hand_in(names: Sequence[str], inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Give a call the masks of its arguments, if it takes them; returns what a mask of its result comes from.

    It is ``mask`` of the first value or list of values, and ``query_mask``, ``value_mask``, … of several.
    """
    arguments = dict(zip(names, inputs, strict=False)) | kwargs
    values = {name: value for name, value in arguments.items() if any(map(_is_value, tree.leaves(value)))}
    first = next(iter(values.values()), None)
    for name, value in ({f"{n}_mask": v for n, v in values.items()} | {"mask": first}).items():
        if name in names and arguments.get(name) is None:
            kwargs[name] = mask_of(value)
    return mask_of(first) if kwargs.get("mask") is None else kwargs["mask"]


def _is_value(leaf: Any) -> bool:
    return isinstance(leaf, Tensor | np.ndarray)
