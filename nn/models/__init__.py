"""Models: a stack of layers, or a class of your own."""

from ..saving import load_model, save_model
from .model import Model
from .sequential import Sequential

__all__ = ["Model", "Sequential", "load_model", "save_model"]
