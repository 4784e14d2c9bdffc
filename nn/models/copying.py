"""Another model like one: from itself, or from JSON."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograd_core import tree

from ..config import custom_object_scope
from ..keras_config import compile_arguments
from ..layers import Input, Operation
from ..layers.layer import Layer
from ..layers.symbolic import KerasTensor
from ..objects import model_from
from .model import Model
from .sequential import Sequential


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """A new model with the same layers and new weights; a Sequential is compiled as the model was.

    Parameters
    ----------
    model : Model
        Also one of a class of your own, if it can be made from its `get_config`; then nothing else may be given.
    input_tensors : KerasTensor, or list or dict of them, optional
        What the new model begins with; None: new inputs like those of the model.
    clone_function : callable, optional
        What gives the layer that takes the place of one of the model's; None: one with the same settings.
    call_function : callable, optional
        ``call_function(layer, *args, **kwargs)`` gives what a new layer gives in the new model, for a
        ``Model(inputs, outputs)``; None: ``layer(*args, **kwargs)``.
    recursive : bool
        Whether models in the model are gone through likewise, and not given to ``clone_function`` as one layer.

    Returns
    -------
    Model
        The new one.

    Raises
    ------
    ValueError, TypeError
        For arguments that this kind of model does not take, and where a class of your own cannot be made from its
        `get_config`.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> [w.shape for w in clone_model(model).weights]
    [(2, 1), (1,)]
    >>> wider = clone_model(model, clone_function=lambda layer: nn.layers.Dense(2 * layer.units))
    >>> [w.shape for w in wider.weights]
    [(2, 2), (2,)]
    """
    if not any((clone_function, call_function, recursive, input_tensors is not None)):
        made = type(model).from_config(model.get_config())
        if model.called_with is not None and not made.built:
            made.build(model.called_with)
    else:
        made = _cloned(model, input_tensors, _Clones(clone_function or _like, call_function, recursive))
    if isinstance(model, Sequential) and model.compiled:
        settings = model.get_compile_config()
        made.compile(**compile_arguments(settings, inspect.signature(type(made).compile).parameters))
    return made


@dataclass
class _Clones:
    """The layers that take the place of others, each made once, and how they are called."""

    make: Callable[[Layer], Any]
    call: Callable[..., Any] | None
    recursive: bool
    made: dict[int, Any] = field(default_factory=dict)

    def of(self, layer: Layer) -> Any:
        if id(layer) not in self.made:
            inside = self.recursive and (isinstance(layer, Sequential) or getattr(layer, "_network", None) is not None)
            self.made[id(layer)] = _cloned(layer, None, self) if inside else self.make(layer)
        return self.made[id(layer)]

    def run(self, layer: Layer, *args: Any, **kwargs: Any) -> Any:
        other = _like(layer) if isinstance(layer, Operation) else self.of(layer)
        return other(*args, **kwargs) if self.call is None else self.call(other, *args, **kwargs)


def _like(layer: Layer) -> Layer:
    return type(layer).from_config(layer.get_config())


def _cloned(model: Any, inputs: Any, clones: _Clones) -> Any:
    """A model of other layers, which begins with these inputs or with new ones."""
    if isinstance(model, Sequential):
        if clones.call is not None and not clones.recursive:
            raise ValueError(
                "call_function: expected none, because the layers of a Sequential are not called one by one"
            )
        first = [] if model._input is None else [Input(**_described(model._input.output))]
        given = first if inputs is None else tree.leaves(inputs)
        layers = [*given, *map(clones.of, model.layers)]
        made: Any = Sequential(layers, name=model.name)
        made._trainable = model.trainable
        return made
    if model._network is None:
        raise ValueError(
            f"clone_model: expected a Sequential or a Model(inputs, outputs) beside further arguments, got {model!r}"
        )
    network = model._network
    begin = tree.map(lambda v: Input(**_described(v)), network.inputs) if inputs is None else inputs
    values = tree.aligned(begin, network.inputs, f"input_tensors for {model.name!r}")
    if not all(isinstance(v, KerasTensor) for v in values):
        raise ValueError(f"input_tensors: expected what Input(shape=…) gives, and layers called on it, got {inputs!r}")
    made = Model(begin, network(values, clones.run), name=model.name)
    made._trainable = model.trainable
    return made


def _described(value: KerasTensor) -> dict[str, Any]:
    return {"batch_shape": value.shape, "dtype": value.dtype, "name": value._keras_history.operation.name}


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `Model.to_json`, ours or Keras', described, with new weights; compiled if that one was.

    ValueError for what describes no model. No code in it is run.

    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> model_from_json(model.to_json()).count_params()
    3
    """
    with custom_object_scope(custom_objects):
        return model_from(json.loads(json_string), compile=True)
