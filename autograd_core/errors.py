"""The errors that are ours; everything else keeps the type that NumPy or Python gave it."""

from __future__ import annotations


class GraphError(RuntimeError):
    """A graph cannot be walked: released, changed after it was recorded, or not recorded at all."""


class RuleError(RuntimeError):
    """A gradient rule broke its contract: a wrong shape, or no rule where one is needed."""


class GradientLossError(TypeError):
    """A conversion to a plain number or array would drop the gradient without a word."""


class OperandError(TypeError):
    """An op was given something that is neither Tensor, array nor number."""


class NonFiniteError(FloatingPointError):
    """Under ``debug()``: an op or its gradient made the first NaN or Inf."""
