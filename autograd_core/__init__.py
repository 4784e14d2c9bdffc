"""Reverse-mode automatic differentiation on NumPy that can explain each of its steps.

>>> from autograd_core import Tensor
>>> x, y, z = Tensor(-2.0), Tensor(5.0), Tensor(-4.0)
>>> f = (x + y) * z
>>> f.backward()
>>> print(x.grad, y.grad, z.grad)
-4.0 -4.0 3.0
"""

import importlib
from typing import TYPE_CHECKING, Any

from . import ops
from .checkpoint import checkpoint
from .debugging import debug
from .domain import Domain, example
from .errors import (
    DeviceError,
    GradientLossError,
    GraphError,
    NonFiniteError,
    OperandError,
    ReplayError,
    RuleError,
)
from .explain import draw, explain
from .graph import Node
from .memory import keep_freed_memory
from .mode import no_grad
from .op import REGISTRY, Op, composed, op, ufunc
from .ops.conv import conv, conv_transpose, fold, windows
from .ops.elementwise import sigmoid
from .ops.network import erf, erfc, log_softmax, logsumexp, one_hot, relu, softmax, softplus
from .ops.shape import array
from .replay import replay
from .replay.freeze import own_engine
from .tensor import Tensor
from .transforms import (
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)

if TYPE_CHECKING:
    from .explain import Drawing, Step, Steps
    from .replay import ReplayWarning
    from .testing import GradientError

__version__ = "0.1.0"

keep_freed_memory()

__all__ = [
    "REGISTRY",
    "DeviceError",
    "Domain",
    "Drawing",
    "GradientError",
    "GradientLossError",
    "GraphError",
    "Node",
    "NonFiniteError",
    "Op",
    "OperandError",
    "ReplayError",
    "ReplayWarning",
    "RuleError",
    "Step",
    "Steps",
    "Tensor",
    "array",
    "checkpoint",
    "composed",
    "conv",
    "conv_transpose",
    "debug",
    "draw",
    "elementwise_grad",
    "erf",
    "erfc",
    "example",
    "explain",
    "fold",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "log_softmax",
    "logsumexp",
    "no_grad",
    "one_hot",
    "op",
    "ops",
    "relu",
    "replay",
    "sigmoid",
    "softmax",
    "softplus",
    "stop_gradient",
    "ufunc",
    "value_and_grad",
    "vjp",
    "windows",
]


# Imported with the first that is asked for: who neither explains nor checks waits for nothing.
_ROOMS = {
    "Drawing": ".explain",
    "GradientError": ".testing",
    "ReplayWarning": ".replay",
    "Step": ".explain",
    "Steps": ".explain",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_ROOMS[name], __name__), name)


own_engine()  # what is defined from now on is somebody's own
del own_engine
