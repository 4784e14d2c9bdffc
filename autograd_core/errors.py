"""The errors that are ours; everything else keeps the type that NumPy or Python gave it."""

from __future__ import annotations


class GraphError(RuntimeError):
    """A graph cannot be walked: released, changed after it was recorded, or not recorded at all.

    >>> from autograd_core import Tensor
    >>> x = Tensor(2.0)
    >>> y = x * x
    >>> y.backward(release=True)
    >>> y.backward()
    Traceback (most recent call last):
    autograd_core.errors.GraphError: the graph of a result of multiply (float64[]) was released by an earlier ...
    """


class RuleError(RuntimeError):
    """A gradient rule broke its contract: a wrong shape, or no rule where one is needed.

    >>> from autograd_core import Tensor, op
    >>> @op(r"x + 1")
    ... def increment(x):
    ...     return x + 1
    >>> increment(Tensor(2.0))
    Traceback (most recent call last):
    autograd_core.errors.RuleError: increment has no gradient rule for its argument 'x', which here is a leaf ...
    """


class GradientLossError(TypeError):
    """A conversion to a plain number or array would drop the gradient without a word.

    >>> from autograd_core import Tensor
    >>> float(Tensor(2.0))
    Traceback (most recent call last):
    autograd_core.errors.GradientLossError: float(t) would drop the gradient of a leaf (float64[]) without a word; ...
    """


class OperandError(TypeError):
    """An op was given something that is neither Tensor, array nor number.

    >>> from autograd_core import REGISTRY
    >>> REGISTRY["exp"]("two")
    Traceback (most recent call last):
    autograd_core.errors.OperandError: exp: expected Tensors, arrays and numbers, got a str
    """


class NonFiniteError(FloatingPointError):
    """Under ``debug()``: an op or its gradient made the first NaN or Inf.

    >>> from autograd_core import Tensor, debug
    >>> with debug():
    ...     y = Tensor(1.0, name="x") / 0.0
    Traceback (most recent call last):
    autograd_core.errors.NonFiniteError: divide made the first inf: 'x' = 1, y = 0, at ...
    """


class DeviceError(TypeError):
    """Arrays that lie on different devices met in one expression, or there is no such device.

    >>> from autograd_core import Tensor
    >>> from autograd_core.testing import strict
    >>> Tensor(strict.array([1.0, 2.0]), name="x") + Tensor([1.0, 2.0], name="y")
    Traceback (most recent call last):
    autograd_core.errors.DeviceError: add cannot compute with arrays on two devices: tensor 'x' is ...
    """


class ReplayError(RuntimeError):
    """A function that was promised to be replayable is not: it asks for a value, or does not do the same each time.

    >>> import numpy as np
    >>> from autograd_core.replay import Replay
    >>> f = Replay(lambda x: x * 2 if x[0] > 0 else x, strict=True)
    >>> y = f(np.array([1.0]))  # with new shapes it runs as it is
    >>> f(np.array([1.0]))
    Traceback (most recent call last):
    autograd_core.errors.ReplayError: <lambda> cannot be replayed: asking for the truth of a value ...
    """
