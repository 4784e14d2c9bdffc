"""What the parts of an ONNX file hold, as Python and NumPy have it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

FLOATING = ("float16", "float32", "float64")


def tensors(graph: Any) -> Iterator[tuple[str, Any]]:
    """All arrays in a graph, with their names."""
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        for attribute in node.attribute:
            for tensor in (*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors):
                yield f"{node.op_type} {node.name}".strip(), tensor


@functools.cache
def _dtypes() -> dict[int, np.dtype[Any]]:
    """The dtypes that are computed with here, by the numbers that ONNX has for them."""
    from onnx import helper

    whole = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
    return {helper.np_dtype_to_tensor_dtype(np.dtype(name)): np.dtype(name) for name in ("bool", *whole, *FLOATING)}


def dtype(kind: int) -> np.dtype[Any] | None:
    """The dtype of a kind of ONNX'; None for one that is not computed with here."""
    return _dtypes().get(kind)


def attribute(attribute: Any) -> Any:
    """The value of an attribute: numbers, text and arrays as Python has them; a dtype by its name."""
    from onnx import helper, numpy_helper

    value = helper.get_attribute_value(attribute)
    if attribute.name in ("to", "dtype"):
        found = dtype(value)
        return "another kind of number" if found is None else found.name
    if attribute.HasField("t"):
        return numpy_helper.to_array(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, str | int | float):
        return tuple(v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in value)
    return value


def shape(kind: Any) -> tuple[int | None, ...] | None:
    """The lengths of the axes, None for those that vary; None where not even their number is known."""
    if not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    return tuple(d.dim_value if d.HasField("dim_value") else None for d in kind.tensor_type.shape.dim)


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
