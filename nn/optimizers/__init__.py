"""Optimizers, one a file: each is one pure function from a parameter, its gradient and state to the next."""

from .. import absent, config
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

registry = config.registry("optimizer").add(SGD, RMSprop, Adagrad, Adadelta, Adam, AdamW)
registry.base = Optimizer
registry.accepted = {type(None): lambda _: None}
get, serialize, deserialize = registry.functions(
    __name__, "SGD(momentum=0.9)", "momentum == 0.9", serialize="optimizer"
)

__getattr__ = absent.getattr_of("optimizers")
