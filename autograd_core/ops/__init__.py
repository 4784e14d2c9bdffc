"""The table of ops, a family a file. Importing a family registers it."""

from . import elementwise, index, linalg, plain, reduce, shape

__all__ = ["elementwise", "index", "linalg", "plain", "reduce", "shape"]
