"""How the weights of a layer are made."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from autograd_core.replay import freeze

from .. import constraints, initializers, regularizers
from ..checks import real
from ..names import path_to
from ..tensors import plain
from ..variables import Variable, aggregated


def _shape_first(add_weight: Any) -> Any:
    """``add_weight`` for scripts that are older than Keras 3, in which the name came first."""

    @functools.wraps(add_weight)
    def checked(self: MakesWeights, *args: Any, **kwargs: Any) -> Variable:
        if args and isinstance(args[0], str):
            raise ValueError(
                f"add_weight: expected a tuple of lengths as the shape, got {args[0]!r}; write add_weight(shape, "
                f"name={args[0]!r})"
            )
        if args and "shape" in kwargs:
            raise ValueError(f"add_weight: expected one shape, got {args[0]!r} by its place and {kwargs['shape']!r}")
        made: Variable = add_weight(self, *args, **kwargs)
        return made

    return checked


class MakesWeights(metaclass=freeze.Watched):
    """What a layer does to have weights: `add_weight`, in ``build``."""

    dtype: Any
    name: str
    _trainable: bool
    _weights: tuple[Variable, ...] = ()
    _kept: tuple[Variable, ...] = ()  # those of them that are state, which training never changes
    _regularizers: tuple[tuple[Variable, Any], ...]
    _constraints: tuple[tuple[Variable, Any], ...]

    @_shape_first
    def add_weight(
        self,
        shape: tuple[int, ...] = (),
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str | None = "none",
        name: str = "weight",
    ) -> Variable:
        """Make a weight, in ``build``.

        Parameters
        ----------
        shape : tuple of int
            A tuple of lengths; () makes a number.
        initializer : str or Initializer, optional
            A name, or an `Initializer`, or a function of ``(shape, dtype)``; None for "glorot_uniform", and for zeros
            where ``dtype`` is not floating.
        dtype : dtype, optional
            None for that of the layer.
        trainable : bool
            One that is not trainable is state: it is saved, and no gradient is computed.
        autocast : bool
            Nothing, as in `Variable`; likewise ``aggregation``, which is checked.
        regularizer : str or Regularizer, optional
            A name or a `Regularizer`, whose penalty is added to the loss.
        constraint : str or Constraint, optional
            A name or a `Constraint`, which the weight is held to after each step of an optimizer.
        aggregation : str, optional
            As in `Variable`.
        name : str
            What errors and saved files call it.

        Returns
        -------
        Variable
            A leaf, to be kept as an attribute of the layer.

        Raises
        ------
        ValueError
            Where the initializer gives another shape, for a name in place of the shape, and for another
            ``aggregation``.
        TypeError
            For complex numbers.
        """
        aggregated(aggregation)
        shape = () if shape is None else (shape,) if isinstance(shape, int | np.integer) else shape
        real(dtype or self.dtype, f"{self.name}/{name}")
        if initializer is None:
            initializer = "glorot_uniform" if np.dtype(dtype or self.dtype).kind == "f" else "zeros"
        if None in shape:
            raise ValueError(
                f"{self.name}/{name}: expected a known length of each axis of the input, got a weight of shape "
                f"{shape}; give the Input a length there"
            )
        _spend(math.prod(shape))
        made: Any = initializers.get(initializer)
        if ONLY_SHAPES.get():  # zeros that take no memory
            made = _no_values
        values = made(tuple(shape), dtype or self.dtype)
        values = plain(values)
        real(values, f"{self.name}/{name}")
        values = values.astype(dtype or self.dtype, copy=False)
        if values.shape != tuple(shape):
            raise ValueError(
                f"the initializer of {self.name}/{name}: expected an array of shape {tuple(shape)}, got {values.shape}"
            )
        weight = Variable(values, None, values.dtype, trainable and self._trainable, name=f"{self.name}/{name}")
        weight.around = "/".join(path_to(self)[:-1])
        self._hold(weight, kept=not trainable)
        if regularizer is not None:
            self._regularizers = (*self._regularizers, (weight, regularizers.get(regularizer)))
        if constraint is not None:
            self._constraints = (*self._constraints, (weight, constraints.get(constraint)))
            self._hold_to_constraints()
        return weight

    add_variable = add_weight

    def _plan_weight(self, name: str, initializer: Any, regularizer: Any = None, constraint: Any = None) -> None:
        """Keep what was said of a weight in the attributes that are called after it, such as kernel_initializer."""
        setattr(self, f"{name}_initializer", initializers.get(initializer))
        setattr(self, f"{name}_regularizer", regularizers.get(regularizer))
        setattr(self, f"{name}_constraint", constraints.get(constraint))

    def _make_weight(
        self, name: str, shape: tuple[int, ...], called: str | None = None, initializer: Any = None
    ) -> Variable:
        """The weight of which `_plan_weight` was told, perhaps called otherwise, or begun with other values."""
        planned, regularizer, constraint = (
            getattr(self, f"{name}_{what}") for what in ("initializer", "regularizer", "constraint")
        )
        return self.add_weight(
            shape, initializer or planned, regularizer=regularizer, constraint=constraint, name=called or name
        )

    def _hold_to_constraints(self) -> None:
        """Let optimizers know what the weights are held to; a copied layer has weights of its own."""
        for weight, constraint in self._constraints:
            constraints.HELD[weight.node] = constraint

    def _hold(self, weight: Variable, kept: bool) -> None:
        """Count a variable among the weights."""
        weight.held = "layer"
        self._weights = (*self._weights, weight)
        if kept:
            self._kept = (*self._kept, weight)


# How many numbers the weights made from now on may hold, if there is a limit: set while a file is loaded, whose
# configuration could ask for any amount of memory, to what its weights hold.
_budget: ContextVar[list[int] | None] = ContextVar("the numbers that new weights may hold", default=None)


@contextmanager
def limited_weights(size: int) -> Iterator[None]:
    """Let the layers made inside a ``with`` block hold at most ``size`` numbers."""
    before = _budget.set([size])
    try:
        yield
    finally:
        _budget.reset(before)


# Whether the weights of a layer are made to see their shapes only.
ONLY_SHAPES: ContextVar[bool] = ContextVar("only_shapes", default=False)


def _no_values(shape: tuple[int, ...], dtype: Any) -> Any:
    return np.broadcast_to(np.zeros((), dtype), shape)


def _spend(size: int) -> None:
    left = _budget.get()
    if left is not None:
        left[0] -= size
        if left[0] < 0:
            raise ValueError("its configuration describes more weights than it holds")
