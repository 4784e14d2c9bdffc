"""A model from an ONNX file."""

from __future__ import annotations

import contextlib
import importlib
import math
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_core.optional import needed

from . import axes, elementwise, protos, shapes, windows
from .errors import OnnxFileError
from .graph import Graph
from .layer import OnnxModel
from .protos import FLOATING
from .rules import LIMIT, RULES

FAMILIES = elementwise, axes, shapes, windows  # which entered their rules
OLDEST = 7  # the operator set with NumPy's broadcasting; older files are brought to it by ONNX' own converter


def from_onnx(filepath: Any, *, any_batch: bool = False, dtype: Any = None, name: str | None = None) -> OnnxModel:
    """Read a model from an ONNX file, as a `Model` whose layers are the nodes of the file, under their names.

    Each node becomes recorded functions of NumPy, so the model is drawn, explained, trained and checked like any other.
    Floating initializers are weights that train, under their names; not so the means and variances of a
    BatchNormalization, single numbers whose names an exporter made up, and arrays that hold infinities, as masks do.
    ``model.get_layer(name).trainable = False`` freezes others.

    Parameters
    ----------
    filepath : path or onnx.ModelProto
        The file, or what `onnx.load` gave. Nothing in it is executed, no other file is opened, nothing is written.
    any_batch : bool
        Whether batches of any length are taken where the file declares one: right where nothing in it depends on that.
    dtype : dtype, optional
        The floating one to compute in, such as "float64" to check gradients; None for those of the file.
    name : str, optional
        What the model is called; by default as the graph in the file.

    Returns
    -------
    Model
        Built, not compiled. It takes what the file's inputs are called, in order or in a dict; several outputs are a
        dict by their names. Lengths that the file leaves open are None.

    Raises
    ------
    OnnxFileError
        It is no ONNX file, or damaged; it holds operators that are not known here, all named with their number; weights
        outside of it, sparse ones, or others than whole numbers, truths and float16 to float64; functions of its own;
        or arrays of more numbers than 2 ** 28 (a ValueError).
    ValueError
        For a ``dtype`` that is not floating.
    FileNotFoundError
        There is none.
    ImportError
        The extra `onnx` is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1, "tanh", name="last")])
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "model.onnx"
    >>> nn.export_onnx(model, file)  # doctest: +SKIP
    >>> again = nn.from_onnx(file)  # doctest: +SKIP
    >>> [layer.name for layer in again.layers]  # doctest: +SKIP
    ['input', 'last/Gemm', 'last/Tanh']
    """
    onnx = needed("onnx", "A file in the format of ONNX", "onnx")
    if dtype is not None and np.dtype(dtype).name not in FLOATING:
        raise ValueError(f"dtype: expected 'float16', 'float32' or 'float64', got {dtype!r}")
    path, proto = _read(onnx, filepath)
    with _valid(path):
        _refuse_what_is_not_read(path, proto)
        opset = _opset(proto)
        proto = _at_least(onnx, path, proto)
        if any_batch:
            _open_batches(proto)
        proto = _expanded(onnx, proto)
        _refuse_unknown(path, proto.graph)
        return Graph(path, proto.graph, opset, _inferred(onnx, path, proto), dtype).model(name)


# -- the file ----------------------------------------------------------------------------------------------


def _read(onnx: Any, filepath: Any) -> tuple[str, Any]:
    """The name of the file, and what it holds, for itself."""
    proto = onnx.ModelProto()
    if isinstance(filepath, onnx.ModelProto):
        proto.CopyFrom(filepath)
        return "the model", proto
    path = os.fspath(filepath)
    with open(path, "rb") as file:
        data = file.read()
    try:
        proto.ParseFromString(data)
    except Exception as error:  # of protobuf, which need not be importable by name
        raise OnnxFileError(f"{path} is no ONNX file, or was cut off or damaged: {protos.first_line(error)}") from error
    if not proto.HasField("graph"):
        raise OnnxFileError(f"{path} is no ONNX file, or was cut off or damaged: there is no graph in it")
    return path, proto


def _refuse_what_is_not_read(path: str, proto: Any) -> None:
    graph = proto.graph
    outside = [name for name, tensor in protos.tensors(graph) if tensor.data_location or tensor.external_data]
    if outside:
        raise OnnxFileError(
            f"{path}: expected all weights in the file, got {len(outside)} outside of it, such as {outside[0]!r}; "
            "no other file is opened: export with external_data=False, or write it whole, onnx.save(onnx.load(path), …)"
        )
    if graph.sparse_initializer or any(a.HasField("sparse_tensor") for n in graph.node for a in n.attribute):
        raise OnnxFileError(f"{path}: expected dense arrays, got sparse ones, which are not read here")
    if proto.functions:
        names = ", ".join(sorted({f.name for f in proto.functions}))
        raise OnnxFileError(
            f"{path}: expected operators alone, got functions of its own: {names}; onnx.inliner.inline_local_functions "
            "puts their nodes in their places"
        )
    kinds = {name: protos.dtype(tensor.data_type) for name, tensor in protos.tensors(graph)}
    others = [name for name, dtype in kinds.items() if dtype is None]
    if others:
        raise OnnxFileError(
            f"{path}: expected whole numbers, truths and float16 to float64, got another kind in {others[0]!r}"
        )


def _opset(proto: Any) -> int:
    """The operator set of the standard operators."""
    return next((i.version for i in proto.opset_import if i.domain in ("", "ai.onnx")), 1)


def _at_least(onnx: Any, path: str, proto: Any) -> Any:
    """The model in an operator set that is read here."""
    if _opset(proto) >= OLDEST:
        return proto
    try:
        return onnx.version_converter.convert_version(proto, OLDEST)
    except Exception as error:
        raise OnnxFileError(
            f"{path}: expected operator set {OLDEST} or a later one, got {_opset(proto)}, which ONNX' own converter "
            f"cannot bring there: {protos.first_line(error)}"
        ) from error


def _expanded(onnx: Any, proto: Any) -> Any:
    """The model with ONNX' own definitions in place of operators that are not known here, where there are some.

    In a definition may stand another operator that has one.
    """
    done: set[str] = set()
    while True:
        lacking = {n.op_type for n in proto.graph.node if n.domain in ("", "ai.onnx") and n.op_type not in RULES}
        defined = {kind for kind in lacking - done if _has_definition(onnx, kind, _opset(proto))}
        if not defined:
            return proto
        done |= defined
        ids = [("", kind) for kind in sorted(defined)]
        inliner = importlib.import_module("onnx.inliner")
        try:
            proto = inliner.inline_selected_functions(proto, ids, inline_schema_functions=True)
        except (TypeError, RuntimeError):  # before onnx 1.19, or other types: they are refused by their names
            return proto


def _has_definition(onnx: Any, kind: str, opset: int) -> bool:
    try:
        schema = onnx.defs.get_schema(kind, opset, "")
    except onnx.defs.SchemaError:
        return False
    return bool(schema.has_function or schema.has_context_dependent_function)


def _open_batches(proto: Any) -> None:
    """Let the first axis of all inputs have any length, and forget what was said of results."""
    known = {tensor.name for tensor in proto.graph.initializer}
    for value in proto.graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name not in known and dims:
            dims[0].dim_param = "batch"
    del proto.graph.value_info[:]
    for value in proto.graph.output:
        for length in value.type.tensor_type.shape.dim:
            length.Clear()


def _inferred(onnx: Any, path: str, proto: Any) -> dict[str, Any]:
    """The type of each value by its name, as ONNX infers it; an error for a file that contradicts itself.

    What ONNX knows of the numbers in shapes makes more lengths known, but it computes them, of a `Range` all. So first
    come the lengths alone, which tell that no array is too large.
    """
    onnx.checker.check_model(proto)
    types = _types(onnx, path, proto, numbers=False)
    if any(node.op_type == "Range" for node in proto.graph.node):
        return types
    return _types(onnx, path, proto, numbers=True)


def _types(onnx: Any, path: str, proto: Any, numbers: bool) -> dict[str, Any]:
    found = onnx.shape_inference.infer_shapes(proto, check_type=True, strict_mode=True, data_prop=numbers)
    types = {value.name: value.type for value in (*found.graph.input, *found.graph.value_info, *found.graph.output)}
    for name, kind in types.items():
        shape = protos.shape(kind)
        if shape is not None and math.prod(n or 1 for n in shape) > LIMIT:
            raise OnnxFileError(
                f"{path}: expected arrays of at most {LIMIT:,} numbers, got {name!r} of shape {list(shape)}"
            )
    return types


def _refuse_unknown(path: str, graph: Any) -> None:
    """Raise where there are operators that are not known here, and name them all."""
    unknown: Counter[str] = Counter()
    for node in graph.node:
        kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}::{node.op_type}"
        if kind not in RULES:
            unknown[kind] += 1
            continue
        attributes = {a.name: None if a.HasField("t") else protos.attribute(a) for a in node.attribute}
        gives = len(node.output) - next((i for i, o in enumerate(reversed(node.output)) if o), len(node.output))
        lacks = RULES[kind].lacks(attributes, gives)
        if not lacks and "another kind of number" in (attributes.get("to"), attributes.get("dtype")):
            lacks = " to a kind of number that NumPy lacks"
        if not lacks and kind == "Dropout" and len(node.input) > 2 and not _is_false(graph, node.input[2]):
            lacks = " with training_mode"
        if lacks:
            unknown[kind + lacks] += 1
    if unknown:
        said = ", ".join(f"{kind} ({count})" for kind, count in sorted(unknown.items()))
        raise OnnxFileError(
            f"{path}: {sum(unknown.values())} of its {len(graph.node)} nodes have operators that are not "
            f"known here: {said}"
        )


def _is_false(graph: Any, name: str) -> bool:
    """Whether there is nothing under a name, or a constant that is False."""
    found = [t for n, t in protos.tensors(graph) if n == name]
    found += [a.t for n in graph.node if n.op_type == "Constant" and name in n.output for a in n.attribute]
    return not name or (bool(found) and not any(found[0].raw_data) and not any(found[0].int32_data))


@contextlib.contextmanager
def _valid(path: str) -> Iterator[None]:
    """Say which file it was, of what ONNX' own checks raise, and of what parts of a wrong kind lead to."""
    try:
        yield
    except OnnxFileError:
        raise
    except Exception as error:
        raise OnnxFileError(f"{path} is no valid ONNX model: {protos.first_line(error)}") from error
