"""Optimizers, one a file: each is one pure function from a parameter, its gradient and state to the next."""

from typing import Any

from .. import config
from ..config import custom_object_scope
from . import schedules
from .adadelta import Adadelta
from .adagrad import Adagrad
from .adam import Adam
from .adamw import AdamW
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

config.registered("optimizer").update({cls.__name__: cls for cls in (SGD, RMSprop, Adagrad, Adadelta, Adam, AdamW)})


def get(identifier: Any) -> Optimizer:
    """The optimizer that a name, class or configuration means.

    An unknown name is a ValueError that suggests the nearest one.

    >>> import nn
    >>> nn.optimizers.get("adam").name
    'adam'
    """
    found = config.resolve(identifier, "optimizer")
    if not isinstance(found, Optimizer):
        raise ValueError(f"an optimizer is given by name, class or configuration; {identifier!r} came")
    return found


def serialize(optimizer: Optimizer) -> Any:
    """An optimizer as plain data, without its state.

    TypeError for what is no optimizer.

    >>> import nn
    >>> nn.optimizers.serialize(nn.optimizers.SGD(momentum=0.9))["config"]["momentum"]
    0.9
    """
    return config.described(optimizer, "optimizer")


def deserialize(config: Any, custom_objects: Any = None) -> Optimizer:
    """The optimizer that plain data describes.

    ValueError for an unknown name, as in `get`.

    >>> import nn
    >>> nn.optimizers.deserialize(nn.optimizers.serialize(nn.optimizers.SGD(momentum=0.9))).momentum
    0.9
    """
    with custom_object_scope(custom_objects):
        return get(config)
