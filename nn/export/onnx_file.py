"""A model as an ONNX file."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from autograd_core.arrays import is_foreign, place_of
from autograd_core.files import written_whole
from autograd_core.optional import needed

from ..layers.layer import Layer
from ..layers.symbolic import symbols
from .errors import ExportError
from .idioms import recognise
from .rules import RULES, TAKES_PENDING, Product, materialised
from .tracing import Constant, Ref, Step, Trace, Varying, trace
from .writing import Value, Writer, straight

# What most runtimes of the last years read: the operator set of ONNX 1.13, and its file format.
OPSET, IR_VERSION = 18, 8
LIMIT = 2**31 - 2**20  # bytes in a protocol buffer, with room for all but the weights


def export_onnx(model: Layer, filepath: Any) -> None:
    """Write what the model predicts into an ONNX file, for runtimes that know nothing of Python.

    It is read from the graph that a prediction records, so a `Model` with a ``call`` of its own, a `Lambda` and layers
    of your own come along. The first axis of all inputs and outputs is the batch, of any length. One input is called
    "input" or what `Input` calls it, of several each after its place or its key; so are the outputs, "output".
    An input of which only the whole numbers are used (an `Embedding` comes first) is int64.

    The file has operator set 18, and is checked before it is written, under a temporary name that is then changed.
    Raises ExportError where a layer computes something that has no counterpart, ValueError when the model is not
    built, ImportError when the extra `onnx` is not installed.

    >>> import pathlib, tempfile
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1, name="last")])
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "model.onnx"
    >>> nn.export_onnx(model, file)  # doctest: +SKIP
    >>> file.stat().st_size > 0  # doctest: +SKIP
    True
    """
    path = os.fspath(filepath)
    if not path:
        raise ValueError(
            "filepath of export_onnx: expected the name of the file to write, such as 'model.onnx', got nothing"
        )
    onnx = _onnx()
    shapes = getattr(model, "called_with", None)
    if not model.built or shapes is None:
        raise ValueError(
            f"{model.name!r} is not built, so the shape of its input is not known; call it once, or pass Input(…)"
        )
    elsewhere = next((w.data for w in model.weights if is_foreign(w.data)), None)
    if elsewhere is not None:
        raise ExportError(
            f"{model.name!r} is on {place_of(elsewhere)}, and what is written is what NumPy computes; save it, load "
            'it again after nn.set_device("cpu"), and export that one'
        )
    proto = to_proto(model, shapes)
    onnx.checker.check_model(proto, full_check=True)
    with written_whole(path) as file:
        file.write(proto.SerializeToString(deterministic=True))


def _onnx() -> Any:
    return needed("onnx", "A file in the format of ONNX", "onnx")


def to_proto(model: Layer, shapes: Any) -> Any:
    """The model as the message that the file holds."""
    from onnx import helper, numpy_helper, shape_inference

    from autograd_core import __version__

    traced = trace(model, shapes)
    recognise(traced)
    inputs = traced.steps[: traced.inputs]
    declared = _inputs_of(model) or [None] * len(inputs)
    names = _names(shapes, declared)
    writer = Writer(_symbols(inputs, names))
    dtypes = _dtypes(traced, declared)
    results = _write(traced, names, dtypes, writer)
    outputs = _outputs(traced.result, results, writer, names)

    def described(name: str, value: Value) -> Any:
        shape = [writer.dimension(n) for n in value.shape]
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), shape)

    size = sum(array.nbytes for array in writer.initializers.values())
    if size > LIMIT:
        raise ExportError(f"the weights of {model.name!r} take {size:,} bytes, and an ONNX file holds 2 GB at most")
    graph = helper.make_graph(
        writer.nodes,
        model.name,
        [described(name, results[i]) for i, name in enumerate(names)],
        [described(name, value) for name, value in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in writer.initializers.items()],
    )
    proto = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="autograd-core",
        producer_version=__version__,
    )
    return shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)


# -- inputs ------------------------------------------------------------------------------------------------


def _inputs_of(model: Any) -> list[Any]:
    """The layers that begin a model, where it says so."""
    network = getattr(model, "_network", None)
    if network is not None:
        return [value._keras_history.operation for value in symbols(network.inputs)]
    first = getattr(model, "_input", None)
    return [] if first is None else [first]


def _names(shapes: Any, declared: list[Any]) -> list[str]:
    """What the inputs are called: as the caller named them, else by their places."""
    if isinstance(shapes, dict):
        return [str(key) for key in shapes]
    several = isinstance(shapes, list)
    given = [getattr(layer, "name", "") for layer in declared]
    if any(re.fullmatch(r"input_layer(_\d+)?|", name) for name in given):  # names that nobody gave
        return [f"input_{i}" for i in range(len(shapes))] if several else ["input"]
    return given


def _symbols(inputs: list[Step], names: list[str]) -> list[tuple[Varying, str, str, int]]:
    """The lengths that vary: how they are recognised, what they are called, and of which input they are."""
    batch = inputs[0].shape[0]
    assert isinstance(batch, Varying)
    symbols = [(batch, "batch", names[0], 0)]
    for step, name in zip(inputs, names, strict=True):
        for axis, length in enumerate(step.shape[1:], 1):
            if isinstance(length, Varying):
                symbols.append((length, f"{name}_axis_{axis}", name, axis))
    return symbols


def _dtypes(traced: Trace, declared: list[Any]) -> list[Any]:
    """The dtype of each input: as declared, int64 where only the whole numbers in it are used, else float32."""
    found: list[Any] = []
    for i, step in enumerate(traced.steps[: traced.inputs]):
        users = [s for s in traced.steps[traced.inputs :] if Ref(i) in s.args or Ref(i) in s.params.values()]
        whole = users and all(s.op == "astype" and s.dtype.kind in "iu" for s in users)
        said = getattr(declared[i], "dtype", None)
        kind = None if said == np.float32 else said  # which is what an Input says that nobody told its dtype
        found.append(np.dtype(kind or (np.int64 if whole and traced.uses[i] == len(users) else step.dtype)))
    return found


# -- nodes -------------------------------------------------------------------------------------------------


def _write(traced: Trace, names: list[str], dtypes: list[Any], w: Writer) -> list[Any]:
    """The result of each step, written."""
    results: list[Any] = []

    def found(value: Any, pending: bool) -> Any:
        if isinstance(value, Ref):
            result = results[value.step]
            return result if pending else materialised(w, result)
        if isinstance(value, tuple | list):
            return type(value)(found(v, pending) for v in value)
        return value

    for i, step in enumerate(traced.steps):
        w.step = step
        if i < traced.inputs:
            results.append(Value(w.fresh(names[i]), step.shape, dtypes[i], straight(len(step.shape))))
            continue
        if step.op == "nothing":
            results.append(None)
            continue
        rule = RULES.get(step.op)
        if rule is None:
            raise w.fail(
                "has no counterpart in ONNX here; write it with functions that have one (arithmetic, elementary "
                "functions, sums, maxima, matrix products, convolutions, np.where), or export the model up to this "
                "layer and compute the rest behind it"
            )
        pending = rule in TAKES_PENDING
        params = {name: found(value, pending) for name, value in step.params.items()}
        try:
            result = rule(w, step, *(found(value, pending) for value in step.args), **params)
        except TypeError as error:  # a parameter that the rule does not take
            raise w.fail(f"is called in a way that has no counterpart in ONNX here: {error}") from error
        if isinstance(result, Product):
            result.shared = traced.uses[i] > 1
        results.append(result)
    return results


def _outputs(result: Any, results: list[Any], w: Writer, inputs: list[str]) -> dict[str, Value]:
    """What the model returns, by name; the last nodes get these names."""
    several = isinstance(result, list | tuple | dict)
    parts = result if isinstance(result, dict) else dict(enumerate(result)) if several else {"": result}
    found: dict[str, Value] = {}
    renamed: dict[str, str] = {}
    for key, part in parts.items():
        if not isinstance(part, Ref):
            raise ExportError(
                f"output {key} of the model does not depend on its input; a file needs one that does"
                if isinstance(part, Constant)
                else "the model returns values inside of values; return a Tensor, or a list or dict of Tensors"
            )
        name = key if isinstance(key, str) and key else f"output_{key}" if several else "output"
        value = materialised(w, results[part.step])
        last = w.plain(value)
        if last in renamed or last in inputs:
            last = w.node("Identity", [last])
        name = renamed[last] = w.fresh(name)
        found[name] = Value(name, value.shape, value.dtype, straight(len(value.shape)))
    for node in w.nodes:
        for names in (node.input, node.output):
            names[:] = [renamed.get(name, name) for name in names]
    return found
