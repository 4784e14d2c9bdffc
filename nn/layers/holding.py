"""What a layer holds: other layers, weights and metrics."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_core import tree
from autograd_core.arrays import to_numpy
from autograd_core.replay import freeze

from ..metrics import Metric
from ..tensors import assign, plain
from ..variables import Variable

if TYPE_CHECKING:
    from .layer import Layer

# The layers that may hold metrics, if there are any: most models have none, and are not searched for them at each step.
_with_metrics: weakref.WeakSet[Any] | None = None

_NO_LAYERS = frozenset(
    (
        "_weights", "_kept", "_regularizers", "_constraints", "_carried", "_holders", "input_shape", "output_shape",
        "called_with", "built_for", "_calls", "_input", "_added",
    )
)  # fmt: skip


class Holds(metaclass=freeze.Watched):
    """The layers in a layer's attributes, and the weights and metrics of all of them."""

    name: str
    built: bool
    untracked: frozenset[str] | None
    _trainable: bool
    _weights: tuple[Variable, ...]
    _kept: tuple[Variable, ...]
    _hold: Any
    _holders: dict[str, None]  # the attributes that may hold layers: each step of a training asks for them

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in _NO_LAYERS:
            return
        if isinstance(value, Holds | list | tuple | dict):
            self.__dict__.setdefault("_holders", {})[name] = None
            if self.__dict__.get("_trainable") is False:  # says so for the layers in it, too
                for layer in _layers_in(value):
                    layer.trainable = False
        changeable = isinstance(value, list | dict) and type(self) not in freeze.OURS  # a metric may be put there later
        if (isinstance(value, Metric) or changeable) and name not in (type(self).untracked or ()):
            global _with_metrics
            _with_metrics = weakref.WeakSet() if _with_metrics is None else _with_metrics
            _with_metrics.add(self)
        if isinstance(value, Variable | list | tuple | dict):
            for variable in tree.leaves(value):
                if isinstance(variable, Variable) and not variable.held:
                    self._hold(variable, kept=not variable.trainable)

    @property
    def _sublayers(self) -> list[Layer]:
        """The layers in this one's attributes, lists and dicts of them included, in order of assignment."""
        found: dict[int, Layer] = {}
        for name in self._holders:
            for layer in _layers_in(getattr(self, name, None)):
                found.setdefault(id(layer), layer)
        return list(found.values())

    def walk_layers(self) -> Iterator[Layer]:
        """This layer and all in it, each once."""
        seen: set[int] = set()
        stack: list[Any] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                yield layer
                stack.extend(reversed(layer._sublayers))

    @property
    def weights(self) -> list[Variable]:
        """All weights, of each layer first those that train and then its state."""
        found: list[Variable] = []
        for layer in self.walk_layers():
            kept = set(map(id, layer._kept))
            found += sorted(layer._weights, key=lambda w: id(w) in kept) if kept else layer._weights
        return found

    variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [w for layer in self.walk_layers() for w in layer._weights if w.node.requires_grad]

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """State, and the weights of layers that are frozen."""
        return [w for w in self.weights if not w.requires_grad]

    non_trainable_variables = non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether training changes this layer; assigning says so for all layers in it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.walk_layers():
            layer._train(bool(value))

    def _train(self, value: bool) -> None:
        self._trainable = value
        kept = set(map(id, self._kept))
        for w in self._weights:
            w.node.requires_grad = value and id(w) not in kept

    def get_weights(self) -> list[Any]:
        """Copies of all weights as arrays, in Keras' order."""
        return [np.array(to_numpy(w.data)) for w in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Replace all weights, given in the order of `get_weights`."""
        own, weights = self.weights, [plain(w) for w in weights]
        if len(own) != len(weights):
            unbuilt = "" if self.built else "; it is not built yet: pass Input(shape=…) first, or call it once"
            raise ValueError(f"{self.name!r}: expected {len(own)} weights, got {len(weights)}{unbuilt}")
        for variable, value in zip(own, weights, strict=True):
            if variable.shape != value.shape:
                raise ValueError(f"{variable.path}: expected an array of shape {variable.shape}, got {value.shape}")
        for variable, value in zip(own, weights, strict=True):
            assign(variable, value)

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        if not self.built:
            raise ValueError(
                f"{self.name!r} is not built, so it has no weights to count yet; pass Input(shape=…), or call it once"
            )
        return sum(w.size for w in self.weights)

    @property
    def metrics(self) -> list[Any]:
        """The metrics in the attributes of this layer and of all in it, which a training tells and begins again."""
        if _with_metrics is None:
            return []
        now = freeze.version()
        if self._holding[0] != now:  # found once for all steps, for another layer is another setting
            self.__dict__["_holding"] = now, [layer for layer in self.walk_layers() if layer in _with_metrics]
        if not self._holding[1]:
            return []
        found: dict[int, Metric] = {}
        for layer in self._holding[1]:
            for name, value in vars(layer).items():
                if name not in (type(layer).untracked or ()) and isinstance(value, Metric | list | tuple | dict):
                    found |= {id(leaf): leaf for leaf in tree.leaves(value) if isinstance(leaf, Metric)}
        return list(found.values())

    _holding: tuple[Any, Sequence[Layer]] = (None, ())  # which layers may have metrics, and when that was found

    @property
    def metrics_variables(self) -> list[Variable]:
        """What the `metrics` have seen."""
        return [v for metric in self.metrics for v in metric.variables]


def _layers_in(value: Any) -> list[Any]:
    return [leaf for leaf in tree.leaves(value) if isinstance(leaf, Holds)]
