"""A network of layers as plain data, in Keras' form, and made from that."""

from __future__ import annotations

from typing import Any

from .. import config
from ..layers import deserialize
from ..layers.input import InputLayer
from ..layers.layer import Layer
from ..layers.operation import Operation
from ..layers.symbolic import Call, KerasTensor, source, symbols
from ..objects import read, written
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

    def end(structure: Any) -> Any:
        if isinstance(structure, KerasTensor):
            return history(structure)
        if isinstance(structure, dict):
            return {k: end(v) for k, v in structure.items()}
        parts = [end(v) for v in structure]
        return tuple(parts) if isinstance(structure, tuple) else parts

    layers = []
    for layer in network.layers:
        calls = [] if isinstance(layer, InputLayer) else of_layer[id(layer)]
        nodes = [{"args": written(list(call.args), history), "kwargs": written(call.kwargs, history)} for call in calls]
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
            args, kwargs = read(node["args"], self.value), read(node.get("kwargs") or {}, self.value)
        except _NotYet:
            return False
        layer = self.made[name]
        if isinstance(layer, Operation):  # an index is a tuple
            args = [tuple(a) if isinstance(a, list) and not symbols(a) else a for a in args]
        else:  # of layers Keras writes "mask": null everywhere
            kwargs = {k: v for k, v in kwargs.items() if v is not None}
        layer(*args, **kwargs)
        return True

    def end(self, structure: Any) -> Any:
        """What a model takes or gives."""
        if isinstance(structure, dict):
            return {k: self.end(v) for k, v in structure.items()}
        if len(structure) == 3 and isinstance(structure[0], str) and isinstance(structure[1], int):
            try:
                return self.value(structure)
            except _NotYet:
                raise ValueError(f"there is no call {structure[1]} of layer {structure[0]!r}") from None
        parts = [self.end(part) for part in structure]
        return tuple(parts) if isinstance(structure, tuple) else parts
