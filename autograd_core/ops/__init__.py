"""The table of ops, a family a file. Importing a family registers it."""

from ..op import REGISTRY as _REGISTRY
from ..tensor import Tensor as _Tensor
from . import complex, conv, decompositions, elementwise, fft, index, linalg, network, order, plain, reduce, shape

__all__ = [
    "complex", "conv", "decompositions", "elementwise", "fft", "index", "linalg", "network", "order", "plain", "reduce",
    "shape",
]  # fmt: skip

# What works element by element on one array is also a method of a Tensor, as t.exp().
for _op in _REGISTRY.values():
    if _op.arity == 1 and _op.broadcasts and not (_op.params or hasattr(_Tensor, _op.name)):
        setattr(_Tensor, _op.name, _op.quick)
