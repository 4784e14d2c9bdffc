"""A function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Self

from .. import checks, config, keras_config
from .layer import Layer


class Lambda(Layer):
    """``function(x, **arguments)``; what it computes from NumPy functions and operators is recorded.

    A saved model holds only the function's name: hand the function in when loading,
    ``load_model(path, custom_objects={"double": double})``. Takes and gives the shapes that the function does.

    Parameters
    ----------
    function : callable
        Of an array.
    output_shape : tuple of int, optional
        Taken for Keras' sake; shapes are found by running the function.
    mask : None
        There are no masks here.
    arguments : dict, optional
        Further arguments of the function, by name.
    **kwargs
        As in `Layer`.

    Raises
    ------
    TypeError
        For what is no function.
    ValueError
        For a mask.

    Examples
    --------
    >>> import numpy as np
    >>> Lambda(lambda x: x * 2)(np.array([[1.0]])).numpy()
    array([[2.]], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: None = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if mask is not None:
            raise ValueError("there are no masks here; multiply by a mask inside the function")
        self.function = checks.function(function, "what a Lambda computes")
        self.arguments = arguments or {}
        self._told = _takes_training(function)

    def call(self, x: Any, training: bool = False) -> Any:
        told = {"training": training} if self._told else {}
        return self.function(x, **self.arguments, **told)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this; of the function its name."""
        settings = super().get_config()
        settings.pop("output_shape", None)
        return settings

    @classmethod
    def from_config(cls, settings: dict[str, Any]) -> Self:
        """One made from what `get_config` gave, with the function that has been handed in under its name."""
        settings = keras_config.arguments_of(settings, config.arguments(cls))
        name = settings.get("function")
        if isinstance(name, str):
            try:
                function = config.registry("function").lookup(name)
            except ValueError:
                raise ValueError(
                    f"a Lambda layer in this model calls the function {name!r}, and code is never loaded from a "
                    f"file; hand the function in: custom_objects={{{name!r}: the_function}}"
                ) from None
            settings = {**settings, "function": function}
        return cls(**settings)


def _takes_training(function: Callable[..., Any]) -> bool:
    try:
        return "training" in inspect.signature(function).parameters
    except ValueError:  # written in C, as NumPy's are: it does not say, and knows nothing of a training
        return False
