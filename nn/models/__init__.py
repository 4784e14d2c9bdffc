"""Models: a stack of layers, or a class of your own."""

from .. import config
from ..saving import load_model, save_model
from .model import Model
from .sequential import Sequential

config.registered("model").update(Sequential=Sequential, Model=Model)
config.registered("layer").update(Sequential=Sequential)

__all__ = ["Model", "Sequential", "load_model", "save_model"]
