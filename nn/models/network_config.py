"""A network of layers as plain data, in Keras' form, and made from that."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.tensor import Tensor

from .. import config, keras_config
from ..layers import deserialize
from ..layers.input import InputLayer
from ..layers.layer import Layer
from ..layers.operation import Operation
from ..layers.symbolic import Call, KerasTensor, source, symbols
from ..tensors import plain
from .network import Network, calls_between


def described(network: Network) -> dict[str, Any]:
    """The layers with their calls, the inputs and the outputs, as Keras writes them."""
    entries = symbols(network.inputs)
    of_layer: dict[int, list[Call]] = {}
    for call in [*map(source, entries), *calls_between(entries, symbols(network.outputs))]:
        of_layer.setdefault(id(call.layer), []).append(call)
    # Of each call among those of its layer in this network, in the order that they were made.
    place: dict[int, int] = {}
    for calls in of_layer.values():
        made = {id(call): i for i, call in enumerate(calls[0].layer._calls)}
        calls.sort(key=lambda call: made[id(call)])
        place |= {id(call): i for i, call in enumerate(calls)}

    def history(value: KerasTensor) -> list[Any]:
        return [value._keras_history.operation.name, place[id(source(value))], value._keras_history.tensor_index]

    def written(value: Any) -> Any:
        if isinstance(value, KerasTensor):
            made = {"shape": list(value.shape), "dtype": value.dtype.name, "keras_history": history(value)}
            return {"class_name": "__keras_tensor__", "config": made}
        if isinstance(value, slice):
            parts = {"start": value.start, "stop": value.stop, "step": value.step}
            return {"class_name": "__slice__", "config": {k: written(v) for k, v in parts.items()}}
        if value is Ellipsis:
            return {"class_name": "__ellipsis__"}
        if isinstance(value, np.ndarray | Tensor):
            array = plain(value)
            return {"class_name": "__numpy__", "config": {"value": array.tolist(), "dtype": array.dtype.name}}
        if isinstance(value, dict):
            return {k: written(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [written(v) for v in value]
        return config.serialize(value)

    def end(structure: Any) -> Any:
        if isinstance(structure, KerasTensor):
            return history(structure)
        if isinstance(structure, dict):
            return {k: end(v) for k, v in structure.items()}
        return [end(v) for v in structure]

    layers = []
    for layer in network.layers:
        calls = [] if isinstance(layer, InputLayer) else of_layer[id(layer)]
        nodes = [{"args": [written(a) for a in call.args], "kwargs": written(call.kwargs)} for call in calls]
        layers.append({**_described(layer), "name": layer.name, "inbound_nodes": nodes})
    return {"layers": layers, "input_layers": end(network.inputs), "output_layers": end(network.outputs)}


def _described(layer: Layer) -> dict[str, Any]:
    return layer.described() if isinstance(layer, Operation) else dict(config.serialize(layer))


def ends(description: dict[str, Any], custom_objects: Any = None) -> tuple[Any, Any]:
    """The inputs and outputs of the network that `described`, or Keras, wrote down; ValueError where it is none."""
    layers = _Layers()
    waiting: list[tuple[str, Any]] = []
    for one in description["layers"]:
        name = str(one.get("name"))
        layers.add(name, _made(one, custom_objects))
        waiting += [(name, node) for node in one.get("inbound_nodes", [])]
    # Calls of one layer keep their order; whichever can be made is made, until all are.
    while waiting:
        left: list[tuple[str, Any]] = []
        stuck: set[str] = set()
        for name, node in waiting:
            if name in stuck or not layers.call(name, node):
                stuck.add(name)
                left.append((name, node))
        if len(left) == len(waiting):
            raise ValueError(
                "the calls of layers: expected each after those that it needs, got a circle of "
                f"{', '.join(sorted(stuck))}"
            )
        waiting = left
    return layers.end(description["input_layers"]), layers.end(description["output_layers"])


def _made(one: dict[str, Any], custom_objects: Any) -> Layer:
    if str(one.get("module", "")).startswith("keras.src.ops") or one.get("class_name") == "Operation":
        return Operation.from_description(one)
    known = {k: v for k, v in one.items() if k not in ("name", "inbound_nodes")}
    made: Layer = deserialize(known, custom_objects)
    return made


class _NotYet(Exception):
    """What a call takes is not there yet."""


class _Layers:
    """The layers that were made from a description, by name, and what their calls gave so far."""

    def __init__(self) -> None:
        self.made: dict[str, Layer] = {}
        self.before: dict[str, int] = {}  # how often each was called elsewhere: it may be in another model, too

    def add(self, name: str, layer: Layer) -> None:
        if name in self.made:
            raise ValueError(f"the layers of a model: expected names of their own, got {name!r} twice")
        self.made[name] = layer
        self.before[name] = 0 if isinstance(layer, InputLayer) else len(layer._calls)

    def value(self, history: Any) -> KerasTensor:
        name, index, position = history
        if name not in self.made:
            raise ValueError(f"what a layer is called on: expected the name of a layer of the model, got {name!r}")
        calls = self.made[name]._calls
        index += self.before[name]
        if not self.before[name] <= index < len(calls):
            raise _NotYet
        return symbols(calls[index].outputs)[position]

    def call(self, name: str, node: Any) -> bool:
        """Call a layer as a node says; whether that was possible."""
        try:
            args, kwargs = [self.read(a) for a in node["args"]], self.read(node.get("kwargs") or {})
        except _NotYet:
            return False
        layer = self.made[name]
        if isinstance(layer, Operation):  # an index is a tuple
            args = [tuple(a) if isinstance(a, list) and not symbols(a) else a for a in args]
        else:  # of layers Keras writes "mask": null everywhere
            kwargs = {k: v for k, v in kwargs.items() if v is not None}
        layer(*args, **kwargs)
        return True

    def read(self, value: Any) -> Any:
        """An argument of a call, from plain data."""
        if isinstance(value, list):
            return [self.read(v) for v in value]
        if not isinstance(value, dict):
            return value
        kind = value.get("class_name")
        if kind == "__keras_tensor__":
            return self.value(value["config"]["keras_history"])
        if kind == "__slice__":
            return slice(*(self.read(value["config"][k]) for k in ("start", "stop", "step")))
        if kind == "__ellipsis__":
            return ...
        if kind == "__numpy__":
            return keras_config.plain(value)
        return {k: self.read(v) for k, v in value.items()}

    def end(self, structure: Any) -> Any:
        """What a model takes or gives."""
        if isinstance(structure, dict):
            return {k: self.end(v) for k, v in structure.items()}
        if len(structure) == 3 and isinstance(structure[0], str) and isinstance(structure[1], int):
            try:
                return self.value(structure)
            except _NotYet:
                raise ValueError(f"there is no call {structure[1]} of layer {structure[0]!r}") from None
        return [self.end(part) for part in structure]
