"""A function of NumPy as a layer: what operators and functions become on values that are not computed yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.dispatch import NUMPY, WITHOUT_DERIVATIVE

from .. import config, ops
from ..keras_config import OPERATIONS
from ..names import unique_name
from .layer import Layer
from .symbolic import KerasTensor, getitem

_OURS = {name: ours for ours, (name, _) in OPERATIONS.items()} | {"Divide": "divide", "Abs": "absolute"}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in [*NUMPY, *WITHOUT_DERIVATIVE, getitem, *(f for f, _ in ops.OTHERS.values())]
    if callable(f) and hasattr(f, "__name__")
}
_FUNCTIONS |= {n: vars(np)[n] for n in _FUNCTIONS if vars(np).get(n) in NUMPY}  # np.matmul before np.linalg.matmul


class Operation(Layer):
    """A function of NumPy as a layer, as ``x + y`` and ``np.exp(x)`` make one of a `KerasTensor`.

    Parameters
    ----------
    function : callable
        Of NumPy's, one that Tensors can be given.
    settings : dict, optional
        Further arguments of the function, by name.
    **kwargs : dict
        As in `Layer`.

    Raises
    ------
    TypeError
        For a function that Tensors cannot be given.

    Examples
    --------
    >>> import nn
    >>> x = nn.Input(shape=(3,))
    >>> model = nn.Model(x, np.mean(x * 2, axis=1))
    >>> model(np.ones((2, 3), "float32")).numpy()
    array([2., 2.], dtype=float32)
    """

    autocast = False
    converts = False  # a number beside an array has no dtype of its own, and an index is none of both

    def __init__(self, function: Callable[..., Any], settings: dict[str, Any] | None = None, **kwargs: Any):
        if kwargs.get("name") is None:
            name = getattr(function, "__name__", "")
            kwargs["name"] = unique(OPERATIONS.get(name, (name,))[0])
        super().__init__(**kwargs)
        if _FUNCTIONS.get(getattr(function, "__name__", "")) is not function:
            raise TypeError(
                f"a layer of a function: expected one of NumPy's that Tensors can be given, got {function!r}; use "
                "nn.layers.Lambda(function)"
            )
        self.function = function
        self.settings = settings or {}

    def build(self, input_shape: Any) -> None:
        """There are no weights to make."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs, **self.settings)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: a function knows nothing of steps."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data; of the function its name."""
        return {**super().get_config(), "function": self.function.__name__}

    @classmethod
    def from_config(cls, settings: dict[str, Any]) -> Operation:
        """One made from what `get_config` gave; ValueError for a function that is none of NumPy's."""
        name = settings["function"]
        if name not in _FUNCTIONS:
            raise ValueError(f"expected a function of NumPy's that Tensors can be given, got {name!r}")
        made = {k: _tuples(v) for k, v in (settings.get("settings") or {}).items()}
        return super().from_config({**settings, "function": _FUNCTIONS[name], "settings": made})

    # -- files -----------------------------------------------------------------------------------------

    def described(self) -> dict[str, Any]:
        """What this layer is in a file: an operation of Keras, where Keras has the same."""
        name = self.function.__name__
        if name not in OPERATIONS or not self.settings.keys() <= OPERATIONS[name][1].keys():
            return config.description(self)
        keras, arguments = OPERATIONS[name]
        settings = {arguments[k]: config.serialize(v) for k, v in self.settings.items()}
        return {
            "module": "keras.src.ops.numpy",
            "class_name": keras,
            "config": {"name": self.name, **settings},
            "registered_name": keras,
        }

    @classmethod
    def from_description(cls, description: dict[str, Any]) -> Operation:
        """One made of what `described` gave, or Keras; ValueError for an operation that is not there."""
        kind, settings = str(description.get("class_name")), dict(description["config"])
        if kind == "Operation":
            return cls.from_config(settings)
        name, function = settings.pop("name", None), _OURS.get(kind)
        ours = {keras: own for own, keras in OPERATIONS[function][1].items()} if function else {}
        unknown = [k for k, v in settings.items() if k not in ours and v is not None]
        if function is None or unknown:
            what = f"the operation {kind}" + (f" with {', '.join(unknown)}" if unknown else "")
            raise ValueError(f"{what} of Keras has no layer here; write it as a layer, or as NumPy's function")
        found = {ours[k]: _tuples(v) for k, v in settings.items() if k in ours}
        return cls(_FUNCTIONS[function], found, name=name)


def unique(keras: str) -> str:
    """What Keras calls the layer of an operation: ``add``, then ``add_1``."""
    return unique_name(config.snake_case(keras) or "operation")


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def as_layer(function: Any) -> Callable[..., Any]:
    """What calls a function on values that are not computed yet: a new layer, with its settings taken apart."""

    def call(*args: Any, **kwargs: Any) -> Any:
        names = list(OPERATIONS.get(getattr(function, "__name__", ""), ("", {}))[1])
        settings = {n: kwargs.pop(n) for n in names if n in kwargs}
        if len(args) == 2 and names:  # the second argument of each of these functions is the first of its settings
            settings[names[0]], args = args[1], args[:1]
        return Operation(function, settings)(*args, **kwargs)

    return call


KerasTensor.as_layer = staticmethod(as_layer)
