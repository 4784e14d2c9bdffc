"""Between arrays and Tensors: what layers are given, what they hold, and how what they hold is replaced."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.arrays import is_foreign, like
from autograd_core.graph import Node
from autograd_core.replay import Traced
from autograd_core.tensor import Tensor, wrap

from .checks import real
from .device import here, is_cpu


def constant(value: Any, dtype: Any = None) -> Tensor:
    """``value`` as a Tensor that records nothing; a Tensor stays what it is. Arrays are not copied."""
    if isinstance(value, Tensor):
        return value if dtype is None or value.dtype == dtype else value.astype(dtype)
    array = plain(value)
    real(array, "a layer")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a layer: expected numbers, got {type(value).__name__} data of dtype {array.dtype}")
    return wrap(Node(array if dtype is None else array.astype(dtype, copy=False), False))


def plain(value: Any) -> Any:
    """The array in a Tensor, or ``value`` as an array, on the present device; there no copy is made.

    A sparse one stays sparse, and one of another library where it is.
    """
    if type(value) is np.ndarray:
        return here(value)
    data = value.data if isinstance(value, Tensor) else value
    if type(data) is not np.ndarray:
        if is_sparse(data) and not is_cpu():
            raise TypeError('SciPy\'s sparse arrays are for the CPU; pass x.toarray(), or call nn.set_device("cpu")')
        if isinstance(data, Traced) or is_foreign(data) or is_sparse(data):
            return data
        data = np.asarray(data)
    return here(data)


def class_numbers(values: Any, owner: str) -> Any:
    """An array of whole numbers, which may have come as floats; rounding others would hide a mistake."""
    if values.dtype.kind != "f":
        return values.astype(np.int64, copy=False)
    with np.errstate(invalid="ignore"):
        index = values.astype(np.int64)
    # While recording nobody looks: the first call with such an input was made on the values themselves, and an
    # exported model takes whole numbers where floats are put to no other use.
    if not isinstance(values, Traced) and np.any(index != values):
        raise ValueError(f"{owner}: expected whole numbers, got {values[index != values][0]}")
    return index


def is_sparse(value: Any) -> bool:
    """Whether this is a sparse array of SciPy, which a product with a matrix can begin with."""
    return hasattr(value, "tocsr")


def assign(variable: Tensor, value: Any) -> None:
    """Replace the values of a variable, in the memory that it has."""
    real(value, "the values of a variable")
    np.copyto(variable.data, like(variable.data, value))
    variable.data = variable.data  # tells the engine that what was computed from the old values is stale
