"""Models: a stack of layers, or a class of your own."""

from .model import Model
from .sequential import Sequential

__all__ = ["Model", "Sequential"]
