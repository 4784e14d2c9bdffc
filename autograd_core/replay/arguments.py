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


def key_of(args: Any, given: Sequence[Any], nested: bool) -> Any:
    """Shapes and dtypes, and whatever else is no array; a sentence where an argument is nothing to replay on.

    ``given`` are the leaves of ``args``. What follows the first two entries is about them alone.
    """
    key: list[Any] = [mode.recording, error_modes()]
    for value in given:
        kind = type(value)
        if kind is np.ndarray or isinstance(value, _ARRAYS):
            dtype = value.dtype
            if dtype.kind not in "biufc":
                return _unsuitable(value)
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
                return _unsuitable(value)  # which may compute in a way of its own
        elif value is None:
            key.append(None)
        elif isinstance(value, Tensor):
            data = value.data
            if (value.requires_grad and mode.recording) or not isinstance(data, _ARRAYS):
                return _unsuitable(value)
            flags = data.flags
            key.append((type(data), data.shape, data.dtype, flags.c_contiguous or data.strides, flags.writeable))
        elif kind in _NUMBERS:  # and no subclass, which may compute in a way of its own
            key.append((kind, value))
        elif kind is float:
            key.append((float, repr(value)))  # which tells -0.0 from 0.0, and where NaN is NaN
        else:
            return _unsuitable(value)
    if len(set(map(id, given))) < len(given):
        key.append(_repeated(given))
    if nested:
        key.append(tree.structure(args))
    return tuple(key)


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


def arrays_of(given: Sequence[Any]) -> list[Any]:
    """Those of the arguments that are arrays."""
    found: list[Any] = []
    for value in given:
        if type(value) is np.ndarray:
            found.append(value)
        elif isinstance(value, Tensor):
            found.append(value.data)
        elif isinstance(value, _ARRAYS):
            found.append(value)
    return found


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
