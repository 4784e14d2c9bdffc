"""Reverse-mode automatic differentiation on NumPy that can explain each of its steps.

>>> from autograd_core import Tensor
>>> x, y, z = Tensor(-2.0), Tensor(5.0), Tensor(-4.0)
>>> f = (x + y) * z
>>> f.backward()
>>> print(x.grad, y.grad, z.grad)
-4.0 -4.0 3.0
"""

from . import ops
from .debugging import debug
from .errors import GradientLossError, GraphError, NonFiniteError, RuleError
from .explain import Step, Steps, explain
from .graph import Node, no_grad
from .op import REGISTRY, Domain, Op, composed, example, op, ufunc
from .ops.elementwise import relu, sigmoid
from .replay import replay
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

__version__ = "0.1.0"

__all__ = [
    "REGISTRY",
    "Domain",
    "GradientLossError",
    "GraphError",
    "Node",
    "NonFiniteError",
    "Op",
    "RuleError",
    "Step",
    "Steps",
    "Tensor",
    "composed",
    "debug",
    "elementwise_grad",
    "example",
    "explain",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "op",
    "ops",
    "relu",
    "replay",
    "sigmoid",
    "stop_gradient",
    "ufunc",
    "value_and_grad",
    "vjp",
]
