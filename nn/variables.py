"""Values that Keras' scripts read as numbers: the weights, and what models and losses return.

A Tensor of the engine refuses to become a plain number or array where that would drop a gradient without a word:
``math.exp(t)`` in the middle of a computation is a mistake. What a model or a loss returns to who called it is looked
at far more often than it is computed with (``print(float(loss))``, ``plt.plot(model(x))``), and so are weights. So
these two convert, outside. Inside the ``call`` of a layer and inside a step of training they refuse as any Tensor does,
and so does whatever is computed from them.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import Any, Final, Literal

import numpy as np

from autograd_core import tree
from autograd_core.arrays import like, to_numpy
from autograd_core.elsewhere import conversion
from autograd_core.replay import freeze
from autograd_core.tensor import Tensor

from . import constraints, initializers, settings
from .checks import one_of, real
from .tensors import assign, plain

# Whether what runs is a part of training (True), of prediction (False), of a layer's call of which nobody said either
# (UNSAID), or of no layer's call and no step (None).
UNSAID: Final = 0
TRAINING: ContextVar[bool | Literal[0] | None] = ContextVar("training", default=None)


class Readable(Tensor):
    """A Tensor that becomes a number or an array where that is asked outside of all layers and steps."""

    __slots__ = ()

    def _drops_gradient(self) -> bool:
        return TRAINING.get() is not None and super()._drops_gradient()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self._drops_gradient():
            self._refuse(*conversion(sys._getframe(1)))
        if copy is False:
            raise ValueError("an array of a weight is a copy; for its memory write t.data")
        return np.array(to_numpy(self.node.out), dtype=dtype)  # a copy: what is written there changes no weight


def readable(value: Any) -> Any:
    """What a layer or a loss returns, for who called it from outside."""
    if type(value) is Tensor:
        if value.node.op is None or not value.node.requires_grad:
            return value
        shown = _new(Readable)
        shown.node = value.node
        return shown
    return tree.map(readable, value) if isinstance(value, tree.BRANCHES) else value


_new = object.__new__


def aggregated(how: str | None) -> None:
    """Refuse what is no way of Keras to bring together the values that several processes have for a variable."""
    if how is not None:
        one_of(how, "aggregation", ("none", "mean", "sum", "only_first_replica"))


class Variable(Readable):
    """A Tensor that keeps its values until others are assigned: the weight of a layer, the state of a metric.

    Parameters
    ----------
    initializer : array_like, str or callable
        The values, or what makes them for a ``shape``: a function of ``(shape, dtype)``, or the name of an initializer.
    shape : tuple of int, optional
        Only beside what makes values.
    dtype : dtype, optional
        By default that of an array; of Python's numbers `nn.config.floatx`, int32 or bool.
    trainable : bool
        Whether it gets a gradient, where it is floating.
    autocast : bool
        Nothing: values have one dtype here, and are never brought to another for a computation.
    aggregation, synchronization : str, optional
        How Keras brings the values of several devices together, "none", "mean", "sum" or "only_first_replica", and
        when, "none", "auto", "on_read" or "on_write". They are checked and change nothing: there is one device here,
        and of processes that train together each keeps what it was assigned.
    name : str, optional
        By default "variable".

    Raises
    ------
    ValueError
        For a ``shape`` beside values of another one, or none beside what makes them; in `assign`, for values of another
        shape; for another ``aggregation`` or ``synchronization``.
    TypeError
        For complex numbers, which the rules of optimizers are not made for.

    Examples
    --------
    >>> import nn
    >>> v = nn.Variable([1.0, 2.0], name="v")
    >>> v.assign_add([1.0, 1.0]).numpy()
    array([2., 3.], dtype=float32)
    """

    __slots__ = ("around", "held")
    held: str  # who counts it as its own: a "layer", a "metric", or nobody
    around: str  # the layers in which that layer was built, as in "outer/inner"

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
    ):
        aggregated(aggregation)
        if synchronization is not None:
            one_of(synchronization, "synchronization", ("none", "auto", "on_read", "on_write"))
        if callable(initializer) or isinstance(initializer, str):
            if shape is None:
                raise ValueError(f"a Variable: expected a shape beside the initializer {initializer!r}, got None")
            made: Any = initializers.get(initializer)
            dtype = np.dtype(dtype or settings.floatx())
            real(dtype, "a Variable")
            values = plain(made(tuple(shape), dtype))
            real(values, "a Variable")
            values = values.astype(dtype, copy=False)
        else:
            values = plain(initializer)
            real(values, "a Variable")
            real(dtype or values.dtype, "a Variable")
            if dtype is None and not hasattr(initializer, "dtype") and values.dtype.kind in "fiu":
                dtype = settings.floatx() if values.dtype.kind == "f" else "int32"
            values = values if dtype is None else values.astype(dtype)
            if shape is not None and tuple(shape) != values.shape:
                raise ValueError(f"a Variable: expected values of shape {tuple(shape)}, got shape {values.shape}")
        super().__init__(values, requires_grad=trainable and values.dtype.kind == "f", name=name or "variable")
        self.held = self.around = ""

    def numpy(self) -> Any:
        """A copy of the values: what was looked at before a step stays what it was."""
        return np.array(to_numpy(self.node.out))

    def assign(self, value: Any) -> Variable:
        """Replace the values by others of the same shape."""
        if freeze.PROMISED.get() and self.held != "layer":  # a weight is part of what a recorded step changes
            freeze.refuse_assignment(self, "value")
        value = plain(value)
        if value.shape != self.shape:
            raise ValueError(f"{self.path}: expected values of shape {self.shape} to assign, got shape {value.shape}")
        assign(self, value)
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to the values."""
        return self.assign(self.node.out + like(self.node.out, plain(value)))

    def assign_sub(self, value: Any) -> Variable:
        """Take off the values."""
        return self.assign(self.node.out - like(self.node.out, plain(value)))

    @property
    def value(self) -> Variable:
        """Itself, which is what is computed with."""
        return self

    @property
    def trainable(self) -> bool:
        """Whether training changes it."""
        return self.node.requires_grad

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.node.requires_grad = bool(value) and self.dtype.kind == "f"

    @property
    def constraint(self) -> Any:
        """What it is held to after each step of an optimizer: None, or a `Constraint`."""
        return constraints.HELD.get(self.node)

    @constraint.setter
    def constraint(self, value: Any) -> None:
        constraints.HELD[self.node] = constraints.get(value)

    @property
    def name(self) -> str:
        """What it is called in its layer: ``kernel``."""
        return (self.node.name or "").rpartition("/")[2]

    @name.setter
    def name(self, value: str) -> None:
        self.node.name = value

    @property
    def path(self) -> str:
        """The name with those of the layers that it is in: ``outer/dense/kernel``."""
        return "/".join(filter(None, (self.around, self.node.name)))

    def __copy__(self) -> Variable:
        twin = _new(Variable)
        twin.node, twin.held, twin.around = super().__copy__().node, self.held, self.around
        return twin

    def __reduce__(self) -> Any:
        return restored, (self.node.out, self.node.requires_grad, self.node.name, self.held, self.around)


def restored(data: Any, trainable: bool, name: str | None, held: str, around: str = "") -> Variable:
    """A variable with a copy of these values."""
    new = _new(Variable)
    Tensor.__init__(new, data, requires_grad=trainable, name=name)
    new.held, new.around = held, around
    return new
