"""Any object as plain data, and back: what a ``get_config`` of one's own holds, in the form of Keras' files.

Things of this package are described as their own rooms describe them (`config`). What JSON has no word for (bytes,
slices, arrays, values of a model that is being written down) has a description of Keras' form here. No code is read or
written: a function is its name.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_core import caller
from autograd_core.tensor import Tensor

from . import checks, keras_config, keras_files
from .config import (
    Configurable,
    Registry,
    custom_object,
    custom_object_scope,
    is_ours,
    registered_name,
    registered_object,
    registry,
    serialize,
    sharing,
    unknown_registration,
)
from .layers.symbolic import KerasTensor
from .tensors import plain

# What Keras calls a room, and the registries that know what is in it: for one that is not told, all in this order.
ROOMS = {
    "layers": ("layer",),
    "models": ("model",),
    "activations": ("activation",),
    "losses": ("loss",),
    "metrics": ("metric",),
    "optimizers": ("optimizer", "learning rate schedule"),
    "initializers": ("initializer",),
    "regularizers": ("regularizer",),
    "constraints": ("constraint",),
}


def serialize_keras_object(obj: Any) -> Any:
    """What describes an object, as plain data that JSON can write.

    Parameters
    ----------
    obj : object
        A layer, model, loss, optimizer or anything else of this package, an object of your own with a ``get_config``, a
        function with a name, numbers, text, bytes, arrays, slices, and lists and dicts of all these.

    Returns
    -------
    object
        Numbers, text, lists and dicts; of an object ``{"class_name": …, "config": {…}, …}``, as Keras writes it.

    Raises
    ------
    TypeError
        For an object without ``get_config``.
    ValueError
        For a lambda, which has no name.

    Examples
    --------
    >>> import nn
    >>> class Twice(nn.layers.Layer):
    ...     def __init__(self, inner, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.inner = inner
    ...     def call(self, x):
    ...         return self.inner(self.inner(x))
    ...     def get_config(self):
    ...         return {**super().get_config(), "inner": nn.saving.serialize_keras_object(self.inner)}
    ...     @classmethod
    ...     def from_config(cls, config):
    ...         config["inner"] = nn.saving.deserialize_keras_object(config["inner"])
    ...         return cls(**config)
    >>> Twice.from_config(Twice(nn.layers.Dense(4)).get_config()).inner.units
    4
    """
    with sharing():
        return written(obj, lambda value: None)


def written(value: Any, history: Callable[[KerasTensor], Any]) -> Any:
    """Plain data for a value; ``history`` tells where one comes from that is not computed yet."""
    if isinstance(value, KerasTensor):
        of = {"shape": list(value.shape), "dtype": value.dtype.name, "keras_history": history(value)}
        return {"class_name": "__keras_tensor__", "config": of}
    if isinstance(value, slice):
        parts = {"start": value.start, "stop": value.stop, "step": value.step}
        return {"class_name": "__slice__", "config": {k: written(v, history) for k, v in parts.items()}}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, bytes):
        return {"class_name": "__bytes__", "config": {"value": value.decode()}}
    if isinstance(value, np.ndarray | Tensor):
        array = plain(value)
        return {"class_name": "__numpy__", "config": {"value": array.tolist(), "dtype": array.dtype.name}}
    if isinstance(value, dict):
        return {str(k): written(v, history) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [written(v, history) for v in value]
    if isinstance(value, Configurable) and hasattr(value, "compiled"):
        return keras_files.described(value)  # a model
    if callable(value) and hasattr(value, "__name__") and not isinstance(value, Configurable | type):
        if value.__name__ == "<lambda>":
            raise ValueError("a lambda has no name to be found by, and code is never written: give it one with def")
        return keras_config.of_function(registered_name(value))
    found = serialize(value)
    if found is value and not isinstance(value, str | int | float | None):
        if not hasattr(value, "get_config"):
            raise TypeError(f"an object to be serialized: expected one with a get_config(), got {value!r}")
        kind = type(value)
        return {
            "module": None,
            "class_name": kind.__name__,
            "config": written(value.get_config(), history),
            "registered_name": registered_name(kind),
        }
    return found


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """The object that `serialize_keras_object`, ours or Keras', described.

    Parameters
    ----------
    config : object
        Plain data.
    custom_objects : dict, optional
        Classes and functions of your own by name, beside those that `register_keras_serializable` knows.
    safe_mode : bool
        Taken so that scripts run: code is never run, so what holds some is refused with False too.

    Returns
    -------
    object
        A new one; numbers and text as they are.

    Raises
    ------
    ValueError
        For an unknown name, and for code.
    TypeError
        For a description that is none, and for a class without ``from_config``.

    Examples
    --------
    >>> import nn
    >>> described = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}
    >>> nn.saving.deserialize_keras_object(described).units
    3
    """
    with custom_object_scope(custom_objects), sharing():
        return read(config)


def read(value: Any, symbol: Callable[[Any], Any] | None = None) -> Any:
    """What plain data describes; ``symbol`` gives, by its history, a value that is not computed yet."""
    if isinstance(value, list | tuple):
        return [read(v, symbol) for v in value]
    if isinstance(value, str):
        return custom_object(value, value)
    if not isinstance(value, dict):
        return value
    kind, inside = value.get("class_name"), value.get("config", {})
    if kind == "__ellipsis__":
        return ...
    if kind is None or "config" not in value:
        return {k: read(v, symbol) for k, v in value.items()}
    if kind == "__keras_tensor__":
        return KerasTensor(inside["shape"], inside["dtype"]) if symbol is None else symbol(inside["keras_history"])
    if kind == "__slice__":
        return slice(*(read(inside[k], symbol) for k in ("start", "stop", "step")))
    if kind == "__bytes__":
        return inside["value"].encode()
    if kind == "function":
        return _function(value)
    value = keras_config.plain(value)
    return _thing(value) if isinstance(value, dict) else value


def _function(described: Mapping[str, Any]) -> Any:
    name, registered = described["config"], described.get("registered_name")
    if not isinstance(name, str):
        raise TypeError(f"a function: expected its name as the config, got {name!r}")
    own = custom_object(str(registered))
    if own is not None:
        return own
    found = _known(described, name).lookup(name)
    if is_ours(found) and registered not in (None, "", name, "function"):
        raise ValueError(unknown_registration(name, registered))
    return found


def _thing(described: dict[str, Any]) -> Any:
    name, settings = described["class_name"], described["config"]
    if not isinstance(settings, dict | None):
        raise TypeError(f"{name!r}: expected a dict as its config, got {settings!r}")
    known = _known(described, name)
    if known.kind == "model":
        return model_from(described, compile=True)
    made = known.from_description(described)
    if not isinstance(made, type):
        return made
    if not hasattr(made, "from_config"):
        raise TypeError(f"{name!r}: expected a class with from_config(config), which makes one of it, got {made!r}")
    return made.from_config(settings or {})


def _known(described: Mapping[str, Any], name: str) -> Registry:
    """The registry that knows the name, of the room that is told or else of any."""
    module = str(described.get("module"))
    room = next((room for room in ROOMS if f".{room}" in module), None)
    kinds = ROOMS[room] if room else [kind for kinds in ROOMS.values() for kind in kinds]
    return next((registry(kind) for kind in kinds if name in registry(kind).known), registry(kinds[0]))


# -- models -------------------------------------------------------------------------------------------------


def class_of(content: Mapping[str, Any]) -> Any:
    """The class of the model that a configuration describes."""
    known = registered_object(str(content.get("registered_name")))
    return registry("model").lookup(str(content.get("class_name"))) if known is None else known


def model_from(content: Any, compile: bool) -> Any:
    """The model that Keras' configuration of one describes, with new weights."""
    if not isinstance(content, dict) or not isinstance(content.get("config"), dict):
        raise ValueError('expected the configuration of a model, {"class_name": …, "config": {…}}')
    model = class_of(content).from_config(content["config"])
    build, settings = content.get("build_config"), content.get("compile_config")
    shape = shape_told(build.get("input_shape")) if isinstance(build, dict) else None
    if not model.built and shape is not None:
        model.build(shape)
    if compile and settings:
        if not isinstance(settings, dict):
            raise ValueError(f"expected a dict of what the model was compiled with, got {settings!r}")
        compile_as_told(model, settings)
    return model


def compile_as_told(model: Any, settings: dict[str, Any]) -> None:
    """Compile a model as a file says; where its class does that in its own way, warn and leave it to the caller."""
    if not is_ours(type(model).compile):
        warnings.warn(
            f"{type(model).__name__} has a compile() of its own, of which files tell nothing: the model is not "
            "compiled; call compile() again",
            stacklevel=caller.level_of_caller(),
        )
        return
    known = inspect.signature(type(model).compile).parameters
    model.compile(**keras_config.compile_arguments(settings, known))


def shape_told(shape: Any) -> Any:
    """The shape of the inputs, or a list or dict of the shapes of several."""
    if shape is None:
        return None
    if isinstance(shape, dict):
        return {str(name): shape_told(s) for name, s in shape.items()}
    if isinstance(shape, list | tuple) and any(isinstance(s, list | tuple | dict) for s in shape):
        return [shape_told(s) for s in shape]
    return checks.lengths(shape, "the shape of the inputs")
