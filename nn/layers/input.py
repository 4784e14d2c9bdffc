"""What a model takes."""

from __future__ import annotations

from typing import Any

from ..checks import lengths
from ..config import Configurable


class Input(Configurable):
    """The shape of one example, first in a `Sequential`: with it the model is built at once.

    Parameters
    ----------
    shape : tuple of int, optional
        A tuple of lengths without the batch axis, whole numbers from 0 on; None stands for a length that varies.
    batch_size : int, optional
        Of the batch axis, in ``batch_shape``; None: any.
    dtype : dtype, optional
        Of the input, in ``dtype``.
    batch_shape : tuple of int, optional
        The shape with the batch axis, instead of ``shape`` and ``batch_size``.
    name : str, optional
        By default "input" with a number.

    Raises
    ------
    ValueError
        Unless ``shape`` is a tuple of whole numbers from 0 on and None, and where both shapes are given.

    Examples
    --------
    >>> Input(shape=(28, 28)).batch_shape
    (None, 28, 28)
    """

    keras_module, keras_name = "keras.layers", "InputLayer"

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        *,
        batch_shape: Any = None,
        name: str | None = None,
    ):
        if batch_shape is not None:
            if shape is not None or batch_size is not None:
                raise ValueError("batch_shape tells both: pass shape (and batch_size) or batch_shape, not both")
            batch_size, *shape = lengths(tuple(batch_shape), "the batch_shape of an Input") or [None]
        if shape is None:
            raise ValueError(
                "shape of Input: expected that of one example, without the batch axis, got nothing; Input(shape=(784,))"
            )
        if isinstance(shape, int):
            raise ValueError(f"shape of Input: expected a tuple, got {shape!r}; Input(shape=({shape},))")
        self.shape = lengths(tuple(shape), "the shape of an Input")
        self.batch_size = batch_size
        self.dtype = dtype
        self.name = name

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch, whose length is not known."""
        return (None, *self.shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data."""
        return {"batch_shape": [self.batch_size, *self.shape], "dtype": self.dtype, "name": self.name}
