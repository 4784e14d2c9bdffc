"""A node of a file as a layer, and the model that such layers make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from autograd_core.replay import freeze
from autograd_core.tensor import Tensor

from ..layers.input import InputLayer
from ..layers.input_spec import show
from ..layers.layer import Layer
from ..layers.symbolic import symbols
from ..models import Model
from ..tensors import class_numbers, constant, plain
from .rules import apply, family


@dataclass(frozen=True)
class Step(metaclass=freeze.Watched):
    """One node: an operator, the names of what it takes and gives (empty for none), and its attributes."""

    kind: str
    opset: int
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    attributes: Mapping[str, Any]
    untracked: ClassVar[frozenset[str]] = frozenset()

    def run(self, values: dict[str, Any]) -> None:
        """Compute from ``values``, by their names, and put the results there."""
        inputs = [values[name] if name else None for name in self.takes]
        while inputs and inputs[-1] is None:
            inputs.pop()
        found = apply(self.kind, self.opset, len(self.gives), inputs, self.attributes)
        values.update(zip(self.gives, found, strict=False))


class Computed(Layer):
    """A node that computes with numbers of the model's inputs, and the steps that it alone waits for.

    Those are of lengths, or of weights before they are used: `Shape`, `Concat`, `Reshape` of the one, `Transpose` of
    the other. What a node takes from others are the layer's inputs.
    """

    autocast = False
    converts = False  # whole numbers are places and lengths, which functions want as they are

    def __init__(
        self,
        steps: Sequence[Step],
        takes: Sequence[str],
        gives: Sequence[str],
        values: Mapping[str, Any],
        flows: int = 1,
        scope: Sequence[str] = (),
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.flows = flows  # of the inputs those whose numbers count, which come first; of the others only lengths
        self.scope = tuple(scope)  # the modules that the file says it belongs to
        self.steps, self.takes, self.gives = tuple(steps), tuple(takes), tuple(gives)
        self.values = dict(values)  # weights and constants, by their names

    @property
    def keras_name(self) -> str | None:  # type: ignore[override]
        """The operator, as summaries and drawings call it."""
        return self.steps[-1].kind

    @property
    def family(self) -> str:
        """What a drawing takes it for; rows that are looked up in a table are an embedding."""
        kind = self.steps[-1].kind
        return "linear" if kind == "Gather" and self.weights else family(kind)

    def call(self, *inputs: Any) -> Any:
        values = {**self.values, **dict(zip(self.takes, map(_operand, inputs), strict=True))}
        for step in self.steps:
            step.run(values)
        found = [constant(values[name]) for name in self.gives]
        return found if len(found) > 1 else found[0]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: a file knows nothing of masks."""
        return None


def _operand(x: Any) -> Any:
    """What a rule is given: whole numbers and truths as arrays, other numbers as Tensors."""
    return x if isinstance(x, Tensor) and x.dtype.kind == "f" else plain(x)


class OnnxInput(InputLayer):
    """An input of any shape, also of one number, as a file declares it."""

    keras_name = "InputLayer"

    def __init__(self, declared: Sequence[int | None], dtype: Any, name: str):
        self.declared = tuple(declared)
        super().__init__(batch_shape=self.declared or (None,), dtype=dtype, name=name)

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch; None where a length may be any."""
        return self.declared


class OnnxModel(Model):
    """What `nn.from_onnx` gives: a `Model` whose layers are the nodes of a file."""

    keras_module = None
    keras_name = None

    def call(self, inputs: Any) -> Any:
        """What the nodes compute, of inputs of the declared shapes that are brought to the declared dtypes."""
        assert self._network is not None
        given = self._network.given(inputs, self.name)
        entries = symbols(self._network.inputs)
        return self._network([self._taken(x, entry) for x, entry in zip(given, entries, strict=True)])

    def _taken(self, x: Any, entry: Any) -> Any:
        x = constant(x)
        fits = [e in (None, n) for e, n in zip(entry.shape, x.shape, strict=False)]
        if x.ndim != len(entry.shape) or not all(fits):
            hint = ""
            if x.ndim == len(entry.shape) and all(fits[1:]):
                hint = (
                    "; the file is for batches of this length: export it with a batch axis that varies, or, where "
                    "nothing in it depends on the length, read it with any_batch=True"
                )
            raise ValueError(
                f"{self.name!r}: expected {entry.name!r} of shape {show(entry.shape)}, got {show(x.shape)}{hint}"
            )
        if x.dtype == entry.dtype:
            return x
        if entry.dtype.kind == "f":
            return x.astype(entry.dtype)
        if entry.dtype.kind == "b":
            return constant(plain(x).astype(bool))
        return constant(class_numbers(plain(x), f"{self.name!r}, input {entry.name!r}").astype(entry.dtype))

    def get_config(self) -> NoReturn:
        """Nothing: what describes it is the file that it was read from."""
        raise ValueError(
            f"{self.name!r} was read from an ONNX file, which alone describes it: save its weights with "
            "save_weights(path), to load them into what nn.from_onnx reads, or write it with "
            "nn.export_onnx(model, path)"
        )
