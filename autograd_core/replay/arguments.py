"""The arguments of a call, and what is made of them: the key of a program, arrays for it, stand-ins, results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import tree
from ..graph import Node
from ..mode import mode
from ..tensor import Tensor, wrap
from .checks import error_modes
from .tape import Recording
from .traced import Traced

# For isinstance at each call, where a union of classes would be made anew.
_ARRAYS = np.ndarray, np.generic
_NUMBERS = frozenset({bool, int, str})


def key_and_arrays(args: Any, flat: Sequence[Any] | None = None) -> tuple[Any, list[Any]]:
    """The key of a program for these arguments, and those of them that are arrays.

    The key is shapes and dtypes, and whatever else is no array; a sentence where an argument is nothing to replay on.
    What follows its first two entries is about the arguments alone. All is found in one go, which each call makes.
    ``flat`` are the leaves, where it is known that there are structures among the arguments.
    """
    given = args if flat is None else flat
    key: list[Any] = [mode.recording, error_modes()]
    arrays: list[Any] = []
    for value in given:
        kind = type(value)
        if kind is np.ndarray or isinstance(value, _ARRAYS):
            dtype = value.dtype
            if dtype.kind not in "biufc":
                return _unsuitable(value), arrays
            arrays.append(value)
            key += (value.shape, dtype)
            if kind is np.ndarray or kind is np.memmap:
                flags = value.flags
                if not flags.carray:  # as nearly all are: C-contiguous, aligned and writeable
                    if not flags.c_contiguous:
                        key.append(value.strides)
                    if not flags.writeable:
                        key.append("read-only")
            elif isinstance(value, np.generic):
                key.append("scalar")  # which nobody writes into, and which is a number
            else:
                return _unsuitable(value), arrays  # which may compute in a way of its own
        elif value is None:
            key.append(None)
        elif isinstance(value, Tensor):
            data = value.data
            if (value.requires_grad and mode.recording) or not isinstance(data, _ARRAYS):
                return _unsuitable(value), arrays
            arrays.append(data)
            flags = data.flags
            key.append((type(data), data.shape, data.dtype, flags.c_contiguous or data.strides, flags.writeable))
        elif kind in _NUMBERS:  # and no subclass, which may compute in a way of its own
            key.append((kind, value))
        elif kind is float:
            key.append((float, repr(value)))  # which tells -0.0 from 0.0, and where NaN is NaN
        elif flat is None and isinstance(value, tree.BRANCHES):
            return key_and_arrays(args, tree.leaves(args))
        else:
            return _unsuitable(value), arrays
    if len(set(map(id, given))) < len(given):
        key.append(_repeated(given))
    if flat is not None:
        key.append(tree.structure(args))
    return tuple(key), arrays


def _unsuitable(value: Any) -> str:
    what = f"a {type(value).__name__}"
    if isinstance(value, Tensor):
        what = f"a Tensor that {'needs a gradient' if value.requires_grad else 'lies on another device'}"
    if isinstance(value, _ARRAYS) and value.dtype.kind not in "biufc":
        what = f"an array of dtype {value.dtype}"
    return f"{what} is among its arguments, which are arrays, numbers and text where it is replayed"


def _repeated(given: Sequence[Any]) -> tuple[int, ...]:
    """Which arrays are given several times, for whom `is` tells."""
    first: dict[int, int] = {}
    return tuple(first.setdefault(id(v), i) if isinstance(v, (*_ARRAYS, Tensor)) else i for i, v in enumerate(given))


def traced(recording: Recording, given: Sequence[Any]) -> list[Any]:
    """The arguments with Traced arrays; one that is given twice is one."""
    known: dict[int, tuple[Any, Traced]] = {}
    found: list[Any] = []
    for value in given:
        array = value.data if isinstance(value, Tensor) else value
        if not isinstance(array, _ARRAYS):
            found.append(value)
        elif id(value) in known:
            same, stand_in = known[id(value)]
            found.append(same)
            recording.inputs.append(recording.view_of(stand_in.array))
        else:
            stand_in = recording.input(array)
            found.append(wrap(Node(stand_in, False)) if isinstance(value, Tensor) else stand_in)
            known[id(value)] = found[-1], stand_in
    return found


def owned(value: Any) -> Any:
    """``value`` with arrays that are nobody's view."""

    def own(leaf: Any) -> Any:
        if isinstance(leaf, Tensor):
            return wrap(Node(own(leaf.data), False))
        if isinstance(leaf, np.ndarray):
            return leaf.copy(order="K") if leaf.ndim else leaf[()]
        return leaf

    return tree.map(own, value)
