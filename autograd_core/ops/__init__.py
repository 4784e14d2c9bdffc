"""The table of ops, a family a file. Importing a family registers it."""

from . import conv, elementwise, index, linalg, network, order, plain, reduce, shape

__all__ = ["conv", "elementwise", "index", "linalg", "network", "order", "plain", "reduce", "shape"]
