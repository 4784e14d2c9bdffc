"""The nodes of an ONNX file as the layers of a model."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.mode import no_grad
from autograd_core.replay import freeze

from ..layers.symbolic import TRIED, Call, KerasTensor, shape_of
from ..tensors import plain
from ..variables import Variable
from . import protos
from .errors import OnnxFileError
from .layer import Computed, OnnxInput, OnnxModel, Step
from .protos import FLOATING

# Names that exporters make up for the numbers in formulas, which are no weights: "val_7", "onnx::Mul_12", "0.5".
_MADE_UP = re.compile(r"(.*/)?(val_\d+|constant(_\d+)?|onnx::\w+|scalar_tensor\w*|[-+]?\d[-+.\de ]*)")


class Graph:
    """The nodes of a file, told apart: what is constant, what is computed of lengths and weights, what of numbers.

    Parameters
    ----------
    path : str
        What the file is called in errors.
    graph : onnx.GraphProto
        Of operators that are known here.
    opset : int
        The set that they are of.
    types : dict
        The type of each value by its name, as far as ONNX knows it.
    dtype : dtype, optional
        That of all floating numbers, instead of those of the file.

    Raises
    ------
    OnnxFileError
        From `model`, where a shape or a constant cannot be computed, and without inputs or outputs.
    """

    def __init__(self, path: str, graph: Any, opset: int, types: dict[str, Any], dtype: Any):
        self.path, self.graph, self.opset, self.types, self.precision = path, graph, opset, types, Precision(dtype)
        held = {tensor.name for tensor in self.graph.initializer}
        self.inputs = [value for value in self.graph.input if value.name not in held]
        self.used = {i for node in self.graph.node for i in node.input} | {o.name for o in self.graph.output}
        self.constants, self.weights = _held(graph, self.precision)
        self.data: dict[str, Any] = {}  # what depends on the numbers of the inputs, as values of a model
        self.helpers: dict[str, tuple[int, Step]] = {}  # what gives one that does not, by its name, in their order
        self.lengths: set[str] = set()  # what is computed of lengths, and of weights, among those
        self.weighed = set(self.weights)
        self.layers: list[Computed] = []
        self.scopes: dict[Computed, tuple[str, ...]] = {}
        self.zeros: OnZeros | None = None  # where ONNX does not know what shapes come out

    def model(self, name: str | None) -> OnnxModel:
        """The nodes as layers of a model."""
        if not self.inputs or not self.graph.output:
            lacking = "outputs" if self.inputs else "inputs"
            raise OnnxFileError(f"{self.path}: expected {lacking}, got none: there is nothing to compute")
        for value in self.inputs:
            self._begin(value)
        names: Counter[str] = Counter(value.name for value in self.inputs)
        for node in self.graph.node:
            attributes = freeze.settled({a.name: self.precision.of(protos.attribute(a)) for a in node.attribute})
            if node.op_type == "ConstantOfShape" and not attributes:  # which means float32
                attributes = freeze.settled({"value": self.precision.of(np.zeros(1, np.float32))})
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
                self._layer([step], _free(node.name or node.op_type, names))
                self.scopes[self.layers[-1]] = _scope(node)
        self._frame()
        self._sharpen()
        for layer in self.layers:  # whichever ran on zeros says so
            layer.output_shape = shape_of(layer._calls[0].outputs)
        outputs = {o.name: self._result(o.name, names) for o in self.graph.output}
        inputs = [self.data[value.name] for value in self.inputs]
        return OnnxModel(
            inputs if len(inputs) > 1 else inputs[0],
            outputs if len(outputs) > 1 else next(iter(outputs.values())),
            name=name or self.graph.name or None,
        )

    def _looks_up(self, given: list[str]) -> bool:
        """Whether a node puts lengths and weights together, as one that looks up places in a table does."""
        return bool(self.lengths.intersection(given) and self.weighed.intersection(given))

    def _begin(self, value: Any) -> None:
        """An input of the model."""
        shape = protos.shape(self.types[value.name])
        dtype = self.precision.dtype(value.type) if value.type.HasField("tensor_type") else None
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
        self.constants |= {n: freeze.settled(self.precision.of(array)) for n, array in found.items()}

    def _layer(self, steps: list[Step], name: str) -> None:
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
        self._call(layer, [self.data[i] for i in takes])

    def _call(self, layer: Computed, args: list[Any]) -> None:
        """Call a layer on values of the model; the shapes of what it gives are those that ONNX inferred, if it did."""
        self.layers.append(layer)
        found = [protos.shape(self.types[g]) if g in self.types else None for g in layer.gives]
        if all(shape is not None for shape in found):
            values = [
                KerasTensor(shape, self.precision.dtype(self.types[g]), layer.name)
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
            zeros = self._on_zeros()
        except Exception:  # a table of fewer places, say
            return
        for g, value in given.items():
            pairs = zip(value.shape, zeros.shape(g), strict=True)
            value.shape = tuple(found if known is None else known for known, found in pairs)

    def _tried(self, layer: Computed) -> list[KerasTensor]:
        """What comes out of a layer for zeros: lengths that differ for inputs of different sizes are not known."""
        try:
            zeros = self._on_zeros()
        except Exception as error:
            raise OnnxFileError(
                f"{self.path}: the shape of what {layer.name!r} gives depends on the numbers of an input: "
                f"{protos.first_line(error)}"
            ) from error
        return [KerasTensor(zeros.shape(g), zeros.runs[0][g].dtype, layer.name) for g in layer.gives]

    def _on_zeros(self) -> OnZeros:
        if self.zeros is None:
            self.zeros = OnZeros({value.name: self.data[value.name] for value in self.inputs})
        self.zeros.run(self.layers)
        return self.zeros

    def _frame(self) -> None:
        """Tell layers which modules they belong to, where a module has more than one of them."""
        sizes = Counter(scope[:n] for scope in self.scopes.values() for n in range(1, len(scope) + 1))
        for layer, scope in self.scopes.items():
            layer.scope = tuple(name for n, name in enumerate(scope, 1) if sizes[scope[:n]] > 1)

    def _result(self, name: str, names: Counter[str]) -> Any:
        """An output of the model; one that no number of the inputs reaches is given by a layer of its own."""
        if name not in self.data:
            self._layer([Step("Identity", self.opset, (name,), (f"{name} as it is",), {})], _free(name, names))
            name = f"{name} as it is"
        return self.data[name]


class Precision:
    """That of all floating numbers, if one was asked for, instead of those of the file."""

    def __init__(self, dtype: Any):
        self.asked = None if dtype is None else np.dtype(dtype)

    def of(self, value: Any) -> Any:
        """An array, or the name of a dtype, in this precision if it is one of floating numbers."""
        if self.asked is None:
            return value
        if isinstance(value, np.ndarray):
            return value.astype(self.asked) if value.dtype.kind == "f" else value
        return self.asked.name if isinstance(value, str) and value in FLOATING else value

    def dtype(self, kind: Any) -> Any:
        """The dtype of values of this type."""
        found = protos.dtype(kind.tensor_type.elem_type)
        return found if found is None else np.dtype(self.of(found.name))


def _held(graph: Any, precision: Precision) -> tuple[dict[str, Any], dict[str, Variable]]:
    """The initializers: those that are constants, and those that are weights."""
    from onnx import numpy_helper

    state = {i for node in graph.node if node.op_type == "BatchNormalization" for i in node.input[3:5]}
    constants: dict[str, Any] = {}
    weights: dict[str, Variable] = {}
    for tensor in graph.initializer:
        array = precision.of(numpy_helper.to_array(tensor))
        made_up = _MADE_UP.fullmatch(tensor.name) is not None
        number = made_up and (array.size <= 1 or "constant" in tensor.name)
        if array.dtype.kind != "f" or number or not _ordinary(array):
            constants[tensor.name] = freeze.settled(array)
        else:
            weights[tensor.name] = Variable(array, trainable=tensor.name not in state, name=tensor.name)
    return constants, weights


class OnZeros:
    """Layers that are run on zeros of two sizes, to see what shapes come out."""

    def __init__(self, inputs: dict[str, KerasTensor]):
        self.runs: list[dict[str, Any]] = [
            {name: _zeros(value, lengths) for name, value in inputs.items()} for lengths in TRIED
        ]

    def run(self, layers: Sequence[Computed]) -> None:
        """Run all of them that did not yet."""
        with no_grad(), np.errstate(all="ignore"):
            for run in self.runs:
                for one in layers:
                    if not all(g in run for g in one.gives):
                        run.update(zip(one.gives, tree.leaves(one(*(run[i] for i in one.takes))), strict=True))

    def shape(self, name: str) -> tuple[int | None, ...]:
        """The lengths of a value; None where they are not the same in both runs."""
        each = zip(*(run[name].shape for run in self.runs), strict=True)
        return tuple(n[0] if len(set(n)) == 1 else None for n in each)


def _zeros(value: KerasTensor, lengths: tuple[int, int]) -> Any:
    return np.zeros([lengths[i > 0] if n is None else n for i, n in enumerate(value.shape)], value.dtype)


def _scope(node: Any) -> tuple[str, ...]:
    """The modules that a node belongs to, as PyTorch's newer exporter notes them, or as its name says."""
    noted = next((p.value for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"), "")
    *paths, _ = re.findall(r"'([^']*)'", noted) or [""]  # '', 'block', 'block.attn', and the node itself
    if not paths:
        return tuple(filter(None, node.name.split("/")[:-1]))
    return tuple(path.removeprefix(f"{before}.") for before, path in itertools.pairwise(paths) if path)


def _ordinary(array: Any) -> bool:
    """Whether an array holds neither infinities, NaN nor the largest number of its dtype, as masks do."""
    return bool(np.all(np.abs(array) < np.finfo(array.dtype).max))


def _free(name: str, names: Counter[str]) -> str:
    """``name``, with a number where it is taken."""
    names[name] += 1
    return name if names[name] == 1 else _free(f"{name}_{names[name] - 1}", names)
