"""Neural networks with Keras' names, in which nothing has a gradient written by hand.

>>> import nn
>>> model = nn.Sequential([nn.Input(shape=(4,)), nn.layers.Dense(3, "softmax")])
>>> model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
"""

from typing import Any

from autograd_core import __version__ as __version__
from autograd_core import caller
from autograd_core.replay.freeze import own, pure

from . import (
    absent,
    activations,
    backend,
    callbacks,
    config,
    constraints,
    distributed,
    export,
    importing,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    preprocessing,
    regularizers,
    saving,
    utils,
)
from . import ops as ops
from .callbacks import watch
from .device import get_device, set_device
from .export import export_onnx
from .importing import from_onnx
from .initializers import Initializer
from .layers import Input, InputSpec, Layer
from .layers.symbolic import KerasTensor
from .losses import Loss
from .metrics import Metric
from .models import Model, Sequential
from .optimizers import Optimizer
from .plots import plot_decision_boundary
from .regularizers import Regularizer
from .variables import Variable

# Errors and warnings point past these files, to the line that called them.
caller.register(__file__, silent=["models"])

__all__ = [
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Variable",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "distributed",
    "export",
    "export_onnx",
    "from_onnx",
    "get_device",
    "importing",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "plot_decision_boundary",
    "preprocessing",
    "pure",
    "regularizers",
    "saving",
    "set_device",
    "utils",
    "watch",
]


_absent = absent.getattr_of("", above=2)


def __getattr__(name: str) -> Any:
    if name != "datasets":
        return _absent(name)
    import importlib

    return importlib.import_module("nn.datasets")  # another package, imported when it is first asked for


own("nn")  # what is defined from now on is somebody's own
del own
