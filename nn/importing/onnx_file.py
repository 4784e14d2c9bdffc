"""A model from an ONNX file."""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import math
import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.mode import no_grad
from autograd_core.optional import needed
from autograd_core.replay import freeze

from ..layers.symbolic import TRIED, Call, KerasTensor, shape_of
from ..tensors import plain
from ..variables import Variable
from . import axes, elementwise, shapes, windows
from .errors import OnnxFileError
from .layer import Computed, OnnxInput, OnnxModel, Step
from .rules import LIMIT, RULES

FAMILIES = elementwise, axes, shapes, windows  # which entered their rules
OLDEST = 7  # the operator set with NumPy's broadcasting; older files are brought to it by ONNX' own converter

_FLOATING = ("float16", "float32", "float64")

# Names that exporters make up for the numbers in formulas, which are no weights: "val_7", "onnx::Mul_12", "0.5".
_MADE_UP = re.compile(r"(.*/)?(val_\d+|constant(_\d+)?|onnx::\w+|scalar_tensor\w*|[-+]?\d[-+.\de ]*)")


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
    if dtype is not None and np.dtype(dtype).name not in _FLOATING:
        raise ValueError(f"dtype: expected 'float16', 'float32' or 'float64', got {dtype!r}")
    path, proto = _read(onnx, filepath)
    with _valid(path):
        _refuse_what_is_not_read(path, proto)
        opset = _opset(proto)
        proto = _at_least(onnx, path, proto)
        if any_batch:
            _open_batches(proto)
        graph = _Graph(path, _expanded(onnx, proto), opset, dtype)
        graph.refuse_unknown()
        return graph.model(_inferred(onnx, path, graph.proto), name)


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
        raise OnnxFileError(f"{path} is no ONNX file, or was cut off or damaged: {_first_line(error)}") from error
    if not proto.HasField("graph"):
        raise OnnxFileError(f"{path} is no ONNX file, or was cut off or damaged: there is no graph in it")
    return path, proto


def _tensors(graph: Any) -> Iterator[tuple[str, Any]]:
    """All arrays in a graph, with their names."""
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        for attribute in node.attribute:
            for tensor in (*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors):
                yield f"{node.op_type} {node.name}".strip(), tensor


def _refuse_what_is_not_read(path: str, proto: Any) -> None:
    graph = proto.graph
    outside = [name for name, tensor in _tensors(graph) if tensor.data_location or tensor.external_data]
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
    kinds = {name: _dtype(tensor.data_type) for name, tensor in _tensors(graph)}
    others = [name for name, dtype in kinds.items() if dtype is None]
    if others:
        raise OnnxFileError(
            f"{path}: expected whole numbers, truths and float16 to float64, got another kind in {others[0]!r}"
        )


@functools.cache
def _dtypes() -> dict[int, np.dtype[Any]]:
    """The dtypes that are computed with here, by the numbers that ONNX has for them."""
    from onnx import helper

    whole = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
    return {helper.np_dtype_to_tensor_dtype(np.dtype(name)): np.dtype(name) for name in ("bool", *whole, *_FLOATING)}


def _dtype(kind: int) -> np.dtype[Any] | None:
    """The dtype of a kind of ONNX'; None for one that is not computed with here."""
    return _dtypes().get(kind)


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
            f"cannot bring there: {_first_line(error)}"
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


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


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
        shape = _shape(kind)
        if shape is not None and math.prod(n or 1 for n in shape) > LIMIT:
            raise OnnxFileError(
                f"{path}: expected arrays of at most {LIMIT:,} numbers, got {name!r} of shape {list(shape)}"
            )
    return types


@contextlib.contextmanager
def _valid(path: str) -> Iterator[None]:
    """Say which file it was, of what ONNX' own checks raise, and of what parts of a wrong kind lead to."""
    try:
        yield
    except OnnxFileError:
        raise
    except Exception as error:
        raise OnnxFileError(f"{path} is no valid ONNX model: {_first_line(error)}") from error


def _shape(kind: Any) -> tuple[int | None, ...] | None:
    """The lengths of the axes, None for those that vary; None where not even their number is known."""
    if not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    return tuple(d.dim_value if d.HasField("dim_value") else None for d in kind.tensor_type.shape.dim)


# -- the graph ---------------------------------------------------------------------------------------------


def _attribute(attribute: Any) -> Any:
    """The value of an attribute: numbers, text and arrays as Python has them; a dtype by its name."""
    from onnx import helper, numpy_helper

    value = helper.get_attribute_value(attribute)
    if attribute.name in ("to", "dtype"):
        dtype = _dtype(value)
        return "another kind of number" if dtype is None else dtype.name
    if attribute.HasField("t"):
        return numpy_helper.to_array(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, str | int | float):
        return tuple(v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in value)
    return value


class _Graph:
    """The nodes of a file, told apart: what is constant, what is computed of lengths and weights, what of numbers."""

    def __init__(self, path: str, proto: Any, opset: int, dtype: Any):
        self.dtype = None if dtype is None else np.dtype(dtype)  # of all floating numbers, instead of those of the file
        self.path, self.proto, self.graph, self.opset = path, proto, proto.graph, opset
        held = {tensor.name for tensor in self.graph.initializer}
        self.inputs = [value for value in self.graph.input if value.name not in held]
        self.used = {i for node in self.graph.node for i in node.input} | {o.name for o in self.graph.output}
        self.constants: dict[str, Any] = {}
        self.weights: dict[str, Variable] = {}
        self.data: dict[str, Any] = {}  # what depends on the numbers of the inputs, as values of a model
        self.helpers: dict[str, tuple[int, Step]] = {}  # what gives one that does not, by its name, in their order
        self.lengths: set[str] = set()  # what is computed of lengths, and of weights, among those
        self.weighed: set[str] = set()
        self.layers: list[Computed] = []
        self.scopes: dict[Computed, tuple[str, ...]] = {}
        self.runs: list[dict[str, Any]] = []  # of all layers on zeros, where ONNX does not know what shapes come out

    def refuse_unknown(self) -> None:
        """Raise where there are operators that are not known here, and name them all."""
        unknown: Counter[str] = Counter()
        for node in self.graph.node:
            kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}::{node.op_type}"
            if kind not in RULES:
                unknown[kind] += 1
                continue
            attributes = {a.name: None if a.HasField("t") else _attribute(a) for a in node.attribute}
            gives = len(node.output) - next((i for i, o in enumerate(reversed(node.output)) if o), len(node.output))
            lacks = RULES[kind].lacks(attributes, gives)
            if not lacks and "another kind of number" in (attributes.get("to"), attributes.get("dtype")):
                lacks = " to a kind of number that NumPy lacks"
            if not lacks and kind == "Dropout" and len(node.input) > 2 and not self._is_false(node.input[2]):
                lacks = " with training_mode"
            if lacks:
                unknown[kind + lacks] += 1
        if unknown:
            said = ", ".join(f"{kind} ({count})" for kind, count in sorted(unknown.items()))
            raise OnnxFileError(
                f"{self.path}: {sum(unknown.values())} of its {len(self.graph.node)} nodes have operators that are not "
                f"known here: {said}"
            )

    def _is_false(self, name: str) -> bool:
        """Whether there is nothing under a name, or a constant that is False."""
        found = [t for n, t in _tensors(self.graph) if n == name]
        found += [a.t for n in self.graph.node if n.op_type == "Constant" and name in n.output for a in n.attribute]
        return not name or (bool(found) and not any(found[0].raw_data) and not any(found[0].int32_data))

    # -- what is in it ---------------------------------------------------------------------------------

    def _initialize(self) -> None:
        """Constants and weights of the initializers."""
        from onnx import numpy_helper

        state = {i for node in self.graph.node if node.op_type == "BatchNormalization" for i in node.input[3:5]}
        for tensor in self.graph.initializer:
            array = self._precise(numpy_helper.to_array(tensor))
            made_up = _MADE_UP.fullmatch(tensor.name) is not None
            number = made_up and (array.size <= 1 or "constant" in tensor.name)
            if array.dtype.kind != "f" or number or not _ordinary(array):
                self.constants[tensor.name] = freeze.settled(array)
            else:
                self.weights[tensor.name] = Variable(array, trainable=tensor.name not in state, name=tensor.name)

    def model(self, types: dict[str, Any], name: str | None) -> OnnxModel:
        """The nodes as layers of a model."""
        if not self.inputs or not self.graph.output:
            lacking = "outputs" if self.inputs else "inputs"
            raise OnnxFileError(f"{self.path}: expected {lacking}, got none: there is nothing to compute")
        self._initialize()
        self.weighed.update(self.weights)
        for value in self.inputs:
            self._begin(value, types)
        names: Counter[str] = Counter(value.name for value in self.inputs)
        for node in self.graph.node:
            attributes = freeze.settled({a.name: self._precise(_attribute(a)) for a in node.attribute})
            if node.op_type == "ConstantOfShape" and not attributes:  # which means float32
                attributes = freeze.settled({"value": self._precise(np.zeros(1, np.float32))})
            gives = tuple(node.output)
            step = Step(node.op_type, self.opset, tuple(node.input), gives, attributes)
            given = [i for i in node.input if i]
            if all(i in self.constants for i in given):
                self._fold(step)
            elif node.op_type in ("Shape", "Size"):
                self.lengths.update(gives)
                self.helpers |= dict.fromkeys(gives, (len(self.helpers), step))
            elif not any(i in self.data for i in given) and not self._looks_up(given):
                for made in (self.lengths, self.weighed):
                    made.update(gives if made.intersection(given) else ())
                self.helpers |= dict.fromkeys(gives, (len(self.helpers), step))
            else:
                self._layer([step], _free(node.name or node.op_type, names), types)
                self.scopes[self.layers[-1]] = _scope(node)
        self._frame()
        self._sharpen()
        for layer in self.layers:  # whichever ran on zeros says so
            layer.output_shape = shape_of(layer._calls[0].outputs)
        outputs = {o.name: self._result(o.name, names, types) for o in self.graph.output}
        inputs = [self.data[value.name] for value in self.inputs]
        return OnnxModel(
            inputs if len(inputs) > 1 else inputs[0],
            outputs if len(outputs) > 1 else next(iter(outputs.values())),
            name=name or self.graph.name or None,
        )

    def _precise(self, value: Any) -> Any:
        """An array, or the name of a dtype, in the precision that was asked for if it is one of floating numbers."""
        if self.dtype is None:
            return value
        if isinstance(value, np.ndarray):
            return value.astype(self.dtype) if value.dtype.kind == "f" else value
        return self.dtype.name if isinstance(value, str) and value in _FLOATING else value

    def _dtype(self, kind: Any) -> Any:
        """The dtype of values of this type."""
        dtype = _dtype(kind.tensor_type.elem_type)
        return dtype if dtype is None else np.dtype(self._precise(dtype.name))

    def _looks_up(self, given: list[str]) -> bool:
        """Whether a node puts lengths and weights together, as one that looks up places in a table does."""
        return bool(self.lengths.intersection(given) and self.weighed.intersection(given))

    def _begin(self, value: Any, types: dict[str, Any]) -> None:
        """An input of the model."""
        shape = _shape(types[value.name])
        dtype = self._dtype(value.type) if value.type.HasField("tensor_type") else None
        if shape is None or dtype is None:
            raise OnnxFileError(
                f"{self.path}: expected inputs that are arrays of whole numbers, truths or float16 to float64, got "
                f"{value.name!r}, which is {'of any number of axes' if dtype is not None else 'another kind of value'}"
            )
        self.data[value.name] = OnnxInput(shape, dtype, value.name).output

    def _fold(self, step: Step) -> None:
        """Compute a node that needs no input."""
        values = {i: self.constants[i] for i in step.takes if i}
        try:
            with no_grad(), np.errstate(all="ignore"):
                step.run(values)
        except Exception as error:
            raise OnnxFileError(f"{self.path}: {step.kind} of constants cannot be computed: {error}") from error
        found = {n: np.asarray(plain(values[n])) for n in step.gives if n in values}
        self.constants |= {n: freeze.settled(self._precise(array)) for n, array in found.items()}

    def _layer(self, steps: list[Step], name: str, types: dict[str, Any]) -> None:
        """A layer for the last of some steps, with the helpers that it waits for."""
        wanted = [i for step in steps for i in step.takes if i]
        before: dict[int, Step] = {}
        for i in wanted:  # grows while it is gone through
            place, helper = self.helpers.get(i, (-1, None))
            if helper is not None and place not in before:
                before[place] = helper
                wanted += [j for j in helper.takes if j]
        steps = [*(before[place] for place in sorted(before)), *steps]
        last = steps[-1]
        flowing = list(dict.fromkeys(i for i in last.takes if i in self.data))
        takes = list(dict.fromkeys([*flowing, *(i for i in wanted if i in self.data)])) or [self.inputs[0].name]
        known = {i: held[i] for held in (self.constants, self.weights) for i in wanted if i in held}
        gives = [g for g in last.gives if g and (g in self.used or len(last.gives) == 1)]
        layer = Computed(steps, takes, gives, known, len(flowing), name=name)
        layer.built = True
        self._call(layer, [self.data[i] for i in takes], types)

    def _call(self, layer: Computed, args: list[Any], types: dict[str, Any]) -> None:
        """Call a layer on values of the model; the shapes of what it gives are those that ONNX inferred, if it did."""
        self.layers.append(layer)
        found = [_shape(types[g]) if g in types else None for g in layer.gives]
        if all(shape is not None for shape in found):
            values = [
                KerasTensor(shape, self._dtype(types[g]), layer.name)
                for g, shape in zip(layer.gives, found, strict=True)
            ]
        else:
            values = self._tried(layer)
        outputs = values if len(values) > 1 else values[0]
        Call(layer, tuple(args), {}, outputs)
        layer.output_shape = shape_of(outputs)
        self.data |= dict(zip(layer.gives, values, strict=True))

    def _sharpen(self) -> None:
        """Make lengths known that ONNX could not tell and that are the same for zeros of two sizes, if these run."""
        open_ends = max(self.data[value.name].shape.count(None) for value in self.inputs)
        given = {g: self.data[g] for layer in self.layers for g in layer.gives}
        if all(value.shape.count(None) <= open_ends for value in given.values()):
            return
        try:
            self._run_on_zeros()
        except Exception:  # a table of fewer places, say
            return
        for g, value in given.items():
            shapes = zip(value.shape, *(run[g].shape for run in self.runs), strict=True)
            value.shape = tuple(one if known is None and one == other else known for known, one, other in shapes)

    def _tried(self, layer: Computed) -> list[KerasTensor]:
        """What comes out of a layer for zeros: lengths that differ for inputs of different sizes are not known."""
        try:
            self._run_on_zeros()
        except Exception as error:
            raise OnnxFileError(
                f"{self.path}: the shape of what {layer.name!r} gives depends on the numbers of an input: "
                f"{_first_line(error)}"
            ) from error
        found = []
        for g in layer.gives:
            each = zip(*(run[g].shape for run in self.runs), strict=True)
            lengths = tuple(n[0] if len(set(n)) == 1 else None for n in each)
            found.append(KerasTensor(lengths, self.runs[0][g].dtype, layer.name))
        return found

    def _run_on_zeros(self) -> None:
        """Run all layers that there are on zeros of two sizes, so far as they did not."""
        if not self.runs:
            self.runs = [{v.name: _zeros(self.data[v.name], lengths) for v in self.inputs} for lengths in TRIED]
        with no_grad(), np.errstate(all="ignore"):
            for run in self.runs:
                for one in self.layers:
                    if not all(g in run for g in one.gives):
                        run.update(zip(one.gives, tree.leaves(one(*(run[i] for i in one.takes))), strict=True))

    def _frame(self) -> None:
        """Tell layers which modules they belong to, where a module has more than one of them."""
        sizes = Counter(scope[:n] for scope in self.scopes.values() for n in range(1, len(scope) + 1))
        for layer, scope in self.scopes.items():
            layer.scope = tuple(name for n, name in enumerate(scope, 1) if sizes[scope[:n]] > 1)

    def _result(self, name: str, names: Counter[str], types: dict[str, Any]) -> Any:
        """An output of the model; one that no number of the inputs reaches is given by a layer of its own."""
        if name not in self.data:
            self._layer([Step("Identity", self.opset, (name,), (f"{name} as it is",), {})], _free(name, names), types)
            name = f"{name} as it is"
        return self.data[name]


def _scope(node: Any) -> tuple[str, ...]:
    """The modules that a node belongs to, as PyTorch's newer exporter notes them, or as its name says."""
    noted = next((p.value for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"), "")
    *paths, _ = re.findall(r"'([^']*)'", noted) or [""]  # '', 'block', 'block.attn', and the node itself
    if not paths:
        return tuple(filter(None, node.name.split("/")[:-1]))
    return tuple(path.removeprefix(f"{before}.") for before, path in itertools.pairwise(paths) if path)


def _zeros(value: KerasTensor, lengths: tuple[int, int]) -> Any:
    return np.zeros([lengths[i > 0] if n is None else n for i, n in enumerate(value.shape)], value.dtype)


def _ordinary(array: Any) -> bool:
    """Whether an array holds neither infinities, NaN nor the largest number of its dtype, as masks do."""
    return bool(np.all(np.abs(array) < np.finfo(array.dtype).max))


def _free(name: str, names: Counter[str]) -> str:
    """``name``, with a number where it is taken."""
    names[name] += 1
    return name if names[name] == 1 else _free(f"{name}_{names[name] - 1}", names)
