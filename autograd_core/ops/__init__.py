"""The table of ops, a family a file. Importing a family registers it."""

from ..op import REGISTRY as _REGISTRY
from ..tensor import Tensor as _Tensor
from . import (
    applied,
    complex,
    conv,
    decompositions,
    elementwise,
    fft,
    grid,
    index,
    linalg,
    missing,
    network,
    order,
    plain,
    polynomial,
    reduce,
    refused,
    sample,
    shape,
)

__all__ = [
    "applied",
    "complex",
    "conv",
    "decompositions",
    "elementwise",
    "fft",
    "grid",
    "index",
    "linalg",
    "missing",
    "network",
    "order",
    "plain",
    "polynomial",
    "reduce",
    "refused",
    "sample",
    "shape",
]

# What works element by element on one array is also a method of a Tensor, as t.exp().
for _op in _REGISTRY.values():
    if _op.arity == 1 and _op.broadcasts and not (_op.params or hasattr(_Tensor, _op.name)):
        setattr(_Tensor, _op.name, _op.quick)
