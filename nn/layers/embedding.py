"""A vector for each whole number."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd_core.caller import level_of_caller
from autograd_core.replay import decide

from ..checks import whole
from ..tensors import class_numbers, plain
from .layer import Layer


class Embedding(Layer):
    """The rows of a table that whole numbers ask for: (batch, …) gives (batch, …, output_dim).

    Parameters
    ----------
    input_dim, output_dim : int
        How many rows the table has, and how long they are; from 1 on.
    embeddings_initializer : str or Initializer
        A name or an `Initializer`.
    embeddings_regularizer : str or Regularizer, optional
        A name or a `Regularizer`; None: none.
    embeddings_constraint : str or Constraint, optional
        What the weight is held to after each step: a name or an instance of `Constraint`; None: nothing.
    mask_zero : bool
        Whether 0 is no word but fills up short sequences: then a mask goes on to the layers behind.
    **kwargs
        As in `Layer`; and ``weights``, the table to begin with, (input_dim, output_dim), alone or in a list. Of
        ``input_length``, which older scripts have, is said that it does nothing, as by Keras.

    Raises
    ------
    ValueError
        Unless the lengths are whole numbers from 1 on, and the ``weights`` of that shape; in a call, for a number
        that is no row, or not whole.

    Examples
    --------
    >>> Embedding(1000, 8)(np.array([[4, 20]])).shape
    (1, 2, 8)
    """

    autocast = False

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        **kwargs: Any,
    ):
        weights = kwargs.pop("weights", None)  # no setting: they change
        if kwargs.pop("input_length", None) is not None:
            warnings.warn(
                "Embedding: input_length does nothing, here and in Keras 3: leave it out", stacklevel=level_of_caller()
            )
        super().__init__(**kwargs)
        self.input_dim = whole(input_dim, "input_dim of an Embedding", 1)
        self.output_dim = whole(output_dim, "output_dim of an Embedding", 1)
        self._plan_weight("embeddings", embeddings_initializer, embeddings_regularizer, embeddings_constraint)
        self.mask_zero = bool(mask_zero)
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list | tuple) else [weights])

    @property
    def supports_masking(self) -> bool:  # type: ignore[override]
        """Whether 0 is padding."""
        return self.mask_zero

    def build(self, input_shape: Any = None) -> None:
        self.embeddings = self._make_weight("embeddings", (self.input_dim, self.output_dim))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Which of the numbers are no padding, where ``mask_zero`` says that 0 is."""
        return np.not_equal(inputs, 0) if self.mask_zero else None

    def call(self, inputs: Any) -> Any:
        index = class_numbers(plain(inputs), f"layer {self.name!r}")
        if index.size and decide((index.min() < 0) | (index.max() >= self.input_dim)):
            raise ValueError(
                f"layer {self.name!r}: expected numbers of its {self.input_dim} rows, from 0 to {self.input_dim - 1}, "
                f"got {(index.min() if index.min() < 0 else index.max())}"
            )
        return self.embeddings[index]
