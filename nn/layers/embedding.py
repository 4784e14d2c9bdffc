"""A vector for each whole number."""

from __future__ import annotations

from typing import Any

from autograd_core.replay import decide

from .. import initializers, regularizers
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
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        Unless the lengths are whole numbers from 1 on; in a call, for a number that is no row, or not whole.

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
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.input_dim = whole(input_dim, "input_dim of an Embedding", 1)
        self.output_dim = whole(output_dim, "output_dim of an Embedding", 1)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)

    def build(self, input_shape: Any) -> None:
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            name="embeddings",
        )

    def call(self, x: Any) -> Any:
        index = class_numbers(plain(x), f"layer {self.name!r}")
        if index.size and decide((index.min() < 0) | (index.max() >= self.input_dim)):
            raise ValueError(
                f"layer {self.name!r}: expected numbers of its {self.input_dim} rows, from 0 to {self.input_dim - 1}, "
                f"got {(index.min() if index.min() < 0 else index.max())}"
            )
        return self.embeddings[index]
