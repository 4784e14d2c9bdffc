"""A function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Self

from .. import checks, config, keras_config
from .layer import Layer
from .symbolic import shape_of


class Lambda(Layer):
    """``function(x, **arguments)``; what it computes from NumPy functions and operators is recorded.

    A saved model holds only the function's name: hand the function in when loading,
    ``load_model(path, custom_objects={"double": double})``. Takes and gives the shapes that the function does.

    Parameters
    ----------
    function : callable
        Of an array.
    output_shape : tuple of int, optional
        What the function gives for an example, or a function of the shape of the inputs that tells that of what it
        gives; shapes are found by running the function, and must agree.
    mask : callable or array_like, optional
        The mask of the result, or a function of the inputs and their mask that gives it; None: it has none.
    arguments : dict, optional
        Further arguments of the function, by name.
    **kwargs
        As in `Layer`.

    Raises
    ------
    TypeError
        For what is no function.

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
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.mask, self._told_shape = mask, output_shape
        self.function = checks.function(function, "what a Lambda computes")
        self.arguments = arguments or {}
        self._told = _takes(function)

    @property
    def supports_masking(self) -> bool:  # type: ignore[override]
        """Whether it was said what the mask is."""
        return self.mask is not None

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        told = {name: value for name, value in (("training", training), ("mask", mask)) if name in self._told}
        return self.function(inputs, **self.arguments, **told)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """What running the function gives; ValueError where ``output_shape`` said something else."""
        found, told = super().compute_output_spec(*args, **kwargs), self._told_shape
        if told is not None:
            shape = shape_of(found)
            told = tuple(
                told(shape_of(args[0]))
                if callable(told)
                else (None, *(told if isinstance(told, list | tuple) else (told,)))
            )
            known = [n is None or m is None or n == m for n, m in zip(told, shape, strict=False)]
            if len(told) != len(shape) or not all(known):
                raise ValueError(f"output_shape of layer {self.name!r}: expected {shape}, which comes out, got {told}")
        return found

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """What was said of the mask: None, one, or what the function for it gives."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

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


def _takes(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except ValueError:  # written in C, as NumPy's are: it does not say, and knows nothing of a training
        return ()
