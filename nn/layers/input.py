"""What a model takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import config, settings
from ..checks import lengths
from .layer import Layer
from .symbolic import Call, KerasTensor


class InputLayer(Layer):
    """The first layer of a model: it gives what the model was given. `Input` makes one and calls it.

    Parameters
    ----------
    shape : tuple of int, optional
        A tuple of lengths without the batch axis, whole numbers from 0 on; None stands for a length that varies.
    batch_size : int, optional
        Of the batch axis; None: any.
    dtype : dtype, optional
        Of the input; None for `nn.config.floatx`.
    batch_shape : tuple of int, optional
        The shape with the batch axis, instead of ``shape`` and ``batch_size``.
    name : str, optional
        By default "input_layer", with a number.
    **unknown : dict
        Nothing: further arguments of Keras', such as ``sparse``, are errors that say what to use, unless they are False
        or None.

    Raises
    ------
    TypeError
        For an argument that it does not have.
    ValueError
        Unless ``shape`` is a tuple of whole numbers from 0 on and None, and where both shapes are given.

    Examples
    --------
    >>> InputLayer(shape=(28, 28)).batch_shape
    (None, 28, 28)
    """

    keras_module = "keras.layers"
    autocast = False
    takes_sparse = True
    decided = frozenset({"trainable", "input_shape", "activity_regularizer"})

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        *,
        batch_shape: Any = None,
        name: str | None = None,
        **unknown: Any,
    ):
        super().__init__(name=name)
        config.reject(self, unknown)
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
        self.dtype = np.dtype(dtype or settings.floatx())
        self.output_shape = self.batch_shape
        self.built = True
        self._begin()

    def _begin(self) -> None:
        Call(self, (), {}, KerasTensor(self.batch_shape, self.dtype, self.name))

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch; None where its length may be any."""
        return (self.batch_size, *self.shape)

    def call(self, inputs: Any) -> Any:
        return inputs

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._begin()

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data."""
        return {"batch_shape": [self.batch_size, *self.shape], "dtype": self.dtype.name, "name": self.name}


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    *,
    batch_shape: Any = None,
    name: str | None = None,
    **unknown: Any,
) -> Any:
    """What a model takes: the first of a `Sequential`, or what layers are called on to make a `Model`.

    Parameters
    ----------
    shape : tuple of int, optional
        Of one example, as in `InputLayer`.
    batch_size : int, optional
        Of the batch axis; None: any.
    dtype : dtype, optional
        Of the input; None for `nn.config.floatx`.
    batch_shape : tuple of int, optional
        The shape with the batch axis, instead of ``shape`` and ``batch_size``.
    name : str, optional
        By default "input_layer", with a number.
    **unknown : dict
        Nothing: further arguments of Keras', such as ``sparse``, are errors that say what to use, unless they are False
        or None.

    Returns
    -------
    KerasTensor
        A value that is not computed yet, of that shape with the batch axis.

    Raises
    ------
    TypeError, ValueError
        Where `InputLayer` raises them.

    Examples
    --------
    >>> Input(shape=(28, 28)).shape
    (None, 28, 28)
    """
    return InputLayer(shape, batch_size, dtype, batch_shape=batch_shape, name=name, **unknown).output
