"""What a model takes."""

from __future__ import annotations

from typing import Any

from ..checks import lengths
from ..config import Configurable


class Input(Configurable):
    """The shape of one example, first in a `Sequential`: with it the model is built at once.

    ``shape`` is without the batch axis; None stands for a length that varies. ValueError unless it is a tuple of whole
    numbers from 0 on and None.

    >>> Input(shape=(28, 28)).batch_shape
    (None, 28, 28)
    """

    def __init__(self, shape: Any = None, batch_size: int | None = None, dtype: Any = None, *, name: str | None = None):
        if shape is None:
            raise ValueError("Input needs the shape of one example, without the batch axis: Input(shape=(784,))")
        if isinstance(shape, int):
            raise ValueError(f"Input needs a tuple as its shape: Input(shape=({shape},))")
        self.shape = lengths(tuple(shape), "the shape of an Input")
        self.batch_size = batch_size
        self.dtype = dtype
        self.name = name

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch, whose length is not known."""
        return (None, *self.shape)
