"""How Keras writes a configuration: read here, and written for files that Keras reads.

Keras 3 describes a thing as ``{"module": …, "class_name": …, "config": {…}, "registered_name": …}``; tuples, functions,
arrays and dtypes have descriptions of that form as well (``keras.saving.serialize_keras_object``).
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np

# Arguments of Keras that we lack, at the values at which they change nothing. At None any argument changes nothing.
WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "autocast": (True,),
    "flash_attention": (False,),
    "optional": (False,),
    "ragged": (False,),
    "renorm": (False,),
    "renorm_momentum": (0.99,),
    "rms_scaling": (False,),
    "sparse": (False,),
    "synchronized": (False,),
    "use_cudnn": ("auto", False),
}

# What Keras tells of every layer, at its default.
OF_EVERY_LAYER = [
    ("activity_regularizer", None),
    ("autocast", True),
    ("dtype", "float32"),
    ("quantization_config", None),
    ("trainable", True),
]

# What `Model.compile` of Keras takes and ours does not, likewise.
COMPILED_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {"auto_scale_loss": (True,), "steps_per_execution": (1,)}

# What Keras calls the same function in files, and the arguments that it keeps in the configuration instead of the
# call (``keras.src.ops.numpy``), with ours for each.
OPERATIONS: dict[str, tuple[str, dict[str, str]]] = {
    "absolute": ("Absolute", {}),
    "add": ("Add", {}),
    "any": ("Any", {"axis": "axis", "keepdims": "keepdims"}),
    "concatenate": ("Concatenate", {"axis": "axis"}),
    "cos": ("Cos", {}),
    "divide": ("TrueDivide", {}),
    "exp": ("Exp", {}),
    "expand_dims": ("ExpandDims", {"axis": "axis"}),
    "getitem": ("GetItem", {}),
    "log": ("Log", {}),
    "log1p": ("Log1p", {}),
    "matmul": ("Matmul", {}),
    "max": ("Max", {"axis": "axis", "keepdims": "keepdims"}),
    "maximum": ("Maximum", {}),
    "mean": ("Mean", {"axis": "axis", "keepdims": "keepdims"}),
    "min": ("Min", {"axis": "axis", "keepdims": "keepdims"}),
    "minimum": ("Minimum", {}),
    "multiply": ("Multiply", {}),
    "negative": ("Negative", {}),
    "not_equal": ("NotEqual", {}),
    "power": ("Power", {}),
    "reshape": ("Reshape", {"shape": "newshape"}),
    "sin": ("Sin", {}),
    "sqrt": ("Sqrt", {}),
    "square": ("Square", {}),
    "squeeze": ("Squeeze", {"axis": "axis"}),
    "stack": ("Stack", {"axis": "axis"}),
    "subtract": ("Subtract", {}),
    "sum": ("Sum", {"axis": "axis", "keepdims": "keepdims"}),
    "tanh": ("Tanh", {}),
    "transpose": ("Transpose", {"axes": "axes"}),
}


def plain(value: Any) -> Any:
    """A value in a configuration of Keras, with what it only writes for JSON's sake undone.

    Tuples and arrays come back, a function and a dtype are told by name. What describes an object stays. ValueError
    for what holds code.

    >>> plain({"class_name": "__tuple__", "items": [1, {"class_name": "function", "config": "relu"}]})
    (1, 'relu')
    """
    if isinstance(value, list | tuple):
        return type(value)(plain(v) for v in value)
    if not isinstance(value, dict):
        return value
    kind, config = value.get("class_name"), value.get("config")
    if kind == "__tuple__" and isinstance(value.get("items"), list):
        return tuple(plain(v) for v in value["items"])
    if kind in ("__numpy__", "__tensor__") and isinstance(config, dict):
        return np.array(config.get("value"), str(config.get("dtype")))
    if kind == "__lambda__":
        raise ValueError(
            "it holds a function as Python code, which is never run, whatever safe_mode says; give the function a "
            "name, save again, and hand it in: custom_objects={name: function}"
        )
    if kind == "function" and isinstance(config, str):
        return config
    if isinstance(kind, str) and kind.endswith("Policy") and isinstance(config, dict):
        return dtype_of(config)
    return value


def dtype_of(policy: dict[str, Any]) -> str:
    """The dtype of a policy; ValueError where it computes in another one than it keeps the weights in.

    >>> dtype_of({"name": "float32"})
    'float32'
    """
    name = str(policy.get("name"))
    if name not in ("float16", "float32", "float64"):
        raise ValueError(
            f"expected a dtype policy of float16, float32 or float64, got {name!r}: weights and results have one dtype "
            "here"
        )
    return name


def arguments_of(config: dict[str, Any], known: Container[str], ours: bool = True) -> dict[str, Any]:
    """The arguments in a configuration, of Keras or of ours, without those that we lack and that change nothing.

    A class of somebody's own (``ours=False``) may do anything with an argument, None too, so only those go that
    every layer of Keras has.

    >>> arguments_of({"units": 3, "kernel_constraint": None, "ragged": False, "lora_rank": 4}, {"units"})
    {'units': 3, 'lora_rank': 4}
    """
    values = {name: plain(value) for name, value in config.items()}
    return {
        name: value
        for name, value in values.items()
        if name in known or not (without_effect(name, value) if ours else (name, value) in OF_EVERY_LAYER)
    }


def without_effect(name: str, value: Any, table: dict[str, tuple[Any, ...]] = WITHOUT_EFFECT) -> bool:
    """Whether an argument that we lack changes nothing at this value.

    >>> without_effect("use_cudnn", "auto"), without_effect("use_cudnn", True), without_effect("sparse", 0)
    (True, False, False)
    """
    return value is None or any(type(value) is type(known) and value == known for known in table.get(name, ()))


def compile_arguments(config: dict[str, Any], known: Container[str]) -> dict[str, Any]:
    """What a model of Keras was compiled with, as our `compile` takes it.

    ``jit_compile=True`` tells Keras to compile for its backend, and us that all code of the user's is pure, which
    nobody promised: it becomes "auto".

    >>> compile_arguments({"loss": "mse", "jit_compile": True, "steps_per_execution": 1}, {"loss", "jit_compile"})
    {'loss': 'mse', 'jit_compile': 'auto'}
    """
    found = {
        name: _inside(value)
        for name, value in config.items()
        if name in known or not without_effect(name, value, COMPILED_WITHOUT_EFFECT)
    }
    if found.get("jit_compile") is True:
        found["jit_compile"] = "auto"
    return found


def _inside(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, list | tuple):
        return [_inside(v) for v in value]
    return {k: _inside(v) for k, v in value.items()} if isinstance(value, dict) and "config" not in value else value


def of_function(name: str) -> dict[str, Any]:
    """What describes a function of somebody's own.

    >>> of_function("swish_2")["config"]
    'swish_2'
    """
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
