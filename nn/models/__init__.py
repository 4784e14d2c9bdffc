"""Models: a stack of layers, or a class of your own."""

from .. import config
from ..saving import load_model, save_model
from .copying import clone_model, model_from_json
from .model import Model
from .sequential import Sequential

config.registry("model").add(Sequential, Model, Functional=Model)
config.registry("layer").add(Sequential, Model, Functional=Model)

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
