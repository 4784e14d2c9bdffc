"""A network of layers between inputs and outputs: which calls lead from the ones to the others, and how they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from autograd_core import tree
from autograd_core.replay import freeze

from .. import config
from ..layers import deserialize
from ..layers.input import InputLayer
from ..layers.layer import Layer, show
from ..layers.operation import Operation
from ..layers.symbolic import Call, KerasTensor, source, symbols
from ..tensors import constant, is_sparse


@dataclass(frozen=True)
class Slot(metaclass=freeze.Watched):
    """The place of a value while a network runs."""

    number: int
    untracked: ClassVar[frozenset[str]] = frozenset()


class Network(metaclass=freeze.Watched):
    """The calls of layers that lead from ``inputs`` to ``outputs``, in an order in which they can run.

    Parameters
    ----------
    inputs, outputs : KerasTensor, or list or dict of them
        What `Input` gives and what comes of it, one each or a list, tuple or dict of them.

    Raises
    ------
    ValueError
        Where an output depends on something that is none of the inputs, or an input comes twice.
    TypeError
        For what is no `KerasTensor`.
    """

    untracked: ClassVar[frozenset[str]] = frozenset({"inputs", "outputs", "values"})

    def __init__(self, inputs: Any, outputs: Any):
        for name, given in (("inputs", inputs), ("outputs", outputs)):
            others = [leaf for leaf in tree.leaves(given) if not isinstance(leaf, KerasTensor)]
            if others or not tree.leaves(given):
                raise TypeError(
                    f"{name} of a model: expected what Input(shape=…) gives, and layers called on it, got "
                    f"{others[0] if others else given!r}"
                )
        self.inputs, self.outputs = inputs, outputs
        entries = symbols(inputs)
        if len({id(v) for v in entries}) < len(entries):
            raise ValueError(f"inputs of a model: expected each once, got {inputs!r}")
        calls = _calls_between(entries, symbols(outputs))
        self.layers = _in_order(entries, symbols(outputs), calls)
        slots = {id(value): Slot(i) for i, value in enumerate(entries)}
        for call in calls:
            for value in symbols(call.outputs):
                slots.setdefault(id(value), Slot(len(slots)))
        self.entries, self.size = len(entries), len(slots)
        # What is in each slot, by its shape, dtype and name.
        self.values = [(v.shape, v.dtype.name, v.name) for v in entries]
        self.values += [(v.shape, v.dtype.name, v.name) for call in calls for v in symbols(call.outputs)]

        def place(value: Any) -> Any:
            return slots[id(value)] if isinstance(value, KerasTensor) else value

        self.calls = freeze.settled(
            tuple(
                (
                    call.layer,
                    tree.map(place, call.args),
                    tree.map(place, call.kwargs),
                    tuple(slots[id(v)].number for v in symbols(call.outputs)),
                )
                for call in calls
            )
        )
        self.results = freeze.settled(tree.map(place, outputs))

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """What comes out for these inputs, in the order of the leaves of ``inputs``."""
        values: list[Any] = [*inputs, *[None] * (self.size - self.entries)]

        def value(leaf: Any) -> Any:
            return values[leaf.number] if type(leaf) is Slot else leaf

        for layer, args, kwargs, gives in self.calls:
            # Most layers are called on one value and give one.
            found = layer(*[_taken(arg, value) for arg in args], **{k: _taken(v, value) for k, v in kwargs.items()})
            if len(gives) == 1:
                values[gives[0]] = found if not isinstance(found, tree.BRANCHES) else tree.leaves(found)[0]
            else:
                for number, one in zip(gives, tree.leaves(found), strict=True):
                    values[number] = one
        return _built_like(self.outputs, [value(leaf) for leaf in tree.leaves(self.results)])

    # -- copies ----------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        # One after another, for calls lead to calls without end.
        places = {id(v): Slot(i) for i, v in enumerate(symbols(self.inputs))}
        begins = [v._keras_history.operation for v in symbols(self.inputs)]
        return {
            **{k: v for k, v in vars(self).items() if k not in ("inputs", "outputs")},
            "inputs": tree.map(lambda v: places[id(v)], self.inputs),
            "outputs": tree.rebuild(self.outputs, tree.leaves(self.results)),
            "begins": [layer if isinstance(layer, InputLayer) else None for layer in begins],
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        begins, inputs, outputs = (state.pop(name) for name in ("begins", "inputs", "outputs"))
        vars(self).update(state)
        values = [KerasTensor(*spec) for spec in self.values]
        for i, layer in enumerate(begins):
            if layer is None:  # it began with what another model computes
                shape, dtype, name = self.values[i]
                layer = InputLayer(batch_shape=shape, dtype=dtype, name=name)
            values[i] = layer.output

        def value(leaf: Any) -> Any:
            return values[leaf.number] if type(leaf) is Slot else leaf

        for layer, args, kwargs, gives in self.calls:
            given: Any = [values[number] for number in gives]
            taken = tuple(_taken(arg, value) for arg in args), {k: _taken(v, value) for k, v in kwargs.items()}
            Call(layer, *taken, given[0] if len(given) == 1 else given)
        self.inputs = tree.map(value, inputs)
        self.outputs = tree.map(value, outputs)

    # -- names -----------------------------------------------------------------------------------------

    @property
    def input_names(self) -> list[str]:
        """The names of the layers that the inputs come from."""
        return [v._keras_history.operation.name for v in symbols(self.inputs)]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that the outputs come from."""
        return [v._keras_history.operation.name for v in symbols(self.outputs)]


def _taken(arg: Any, value: Any) -> Any:
    """An argument of a call with its slots filled. Settings are tuples; who was called on a list is given a list."""
    if type(arg) is Slot:
        return value(arg)
    if not any(type(leaf) is Slot for leaf in tree.leaves(arg)):
        return arg
    if isinstance(arg, dict):
        return {k: _taken(v, value) for k, v in arg.items()}
    return [_taken(v, value) for v in arg]


def _built_like(structure: Any, values: list[Any]) -> Any:
    return values[0] if isinstance(structure, KerasTensor) else tree.rebuild(structure, values)


def fitted(values: Sequence[Any], entries: Sequence[KerasTensor], owner: str) -> list[Any]:
    """Inputs with a last axis of length one added or removed where that makes them what the model takes."""
    return [fit(x, entry.shape, owner, None) for x, entry in zip(values, entries, strict=True)]


def fit(x: Any, expected: tuple[int | None, ...], owner: str, first: str | None) -> Any:
    """One input, likewise; ValueError for another shape. ``first`` is the layer that will take it."""
    x = constant(x)
    if x.ndim == len(expected) - 1 and expected[-1] == 1:
        x = np.expand_dims(x, -1)
    elif x.ndim == len(expected) + 1 and x.shape[-1] == 1 and not is_sparse(x.data):
        x = np.reshape(x, x.shape[:-1])
    if x.ndim != len(expected) or any(e not in (None, n) for e, n in zip(expected[1:], x.shape[1:], strict=True)):
        flat = int(np.prod(x.shape[1:])) == int(np.prod([n or 1 for n in expected[1:]])) and x.shape[1:]
        hint = f"; x.reshape({('-1', *map(str, expected[1:]))}) would make it fit".replace("'", "") if flat else ""
        where = f" (first layer {first!r})" if first else ""
        raise ValueError(
            f"{owner!r}{where} expected inputs of shape {show((None, *expected[1:]))}, got "
            f"{show((None, *x.shape[1:]))}{hint}"
        )
    return x


# -- from outputs back to inputs ---------------------------------------------------------------------------


def _calls_between(entries: list[KerasTensor], outputs: list[KerasTensor]) -> list[Call]:
    """The calls that the outputs need, each after those that it needs itself."""
    known = {id(v) for v in entries}
    order: list[Call] = []
    done: set[int] = set()
    stack: list[tuple[KerasTensor, bool]] = [(v, False) for v in reversed(outputs)]
    while stack:
        value, ready = stack.pop()
        if id(value) in known:
            continue
        call = source(value)
        if id(call) in done:
            continue
        if ready:
            done.add(id(call))
            order.append(call)
            continue
        if isinstance(call.layer, InputLayer):
            raise ValueError(
                f"the model: expected outputs that depend on its inputs alone, got one that needs {value!r} as well; "
                "put it among the inputs"
            )
        stack.append((value, True))
        stack.extend((v, False) for v in reversed(call.inputs))
    return order


def _in_order(entries: list[KerasTensor], outputs: list[KerasTensor], calls: list[Call]) -> tuple[Layer, ...]:
    """The layers as Keras lists them: those far from the outputs first, then as they are met from the outputs on.

    The names of groups in its files depend on this order.
    """
    between = {id(call) for call in calls}
    met: dict[int, int] = {}
    seen: set[int] = set()
    stack = list(reversed(outputs))
    while stack:
        call = source(stack.pop())
        if id(call) not in seen:
            seen.add(id(call))
            met.setdefault(id(call.layer), len(met))
            if id(call) in between:
                stack.extend(reversed(call.inputs))
    depths: dict[int, int] = {}  # of each call, and of each layer
    layers: dict[int, Layer] = {}
    begun = {id(call): call for call in map(source, entries) if isinstance(call.layer, InputLayer)}
    for call in [*reversed(calls), *begun.values()]:
        depth = max(depths.get(id(call), 0), depths.get(id(call.layer), 0))
        depths[id(call)] = depths[id(call.layer)] = depth
        layers[id(call.layer)] = call.layer
        for value in call.inputs:
            before = id(source(value))
            depths[before] = max(depths.get(before, 0), depth + 1)
    return tuple(sorted(layers.values(), key=lambda layer: (-depths[id(layer)], met.get(id(layer), -1))))


# -- files -------------------------------------------------------------------------------------------------


def described(network: Network) -> dict[str, Any]:
    """The layers with their calls, the inputs and the outputs, as Keras writes them."""
    calls = _calls_between(symbols(network.inputs), symbols(network.outputs))
    of_layer: dict[int, list[Call]] = {}
    for value in symbols(network.inputs):
        of_layer.setdefault(id(value._keras_history.operation), []).append(source(value))
    for call in calls:
        of_layer.setdefault(id(call.layer), []).append(call)
    for found in of_layer.values():
        found.sort(key=lambda call: call.layer._calls.index(call))

    def history(value: KerasTensor) -> list[Any]:
        layer, index, position = value._keras_history
        return [layer.name, of_layer[id(layer)].index(layer._calls[index]), position]

    def written(value: Any) -> Any:
        if isinstance(value, KerasTensor):
            made = {"shape": list(value.shape), "dtype": value.dtype.name, "keras_history": history(value)}
            return {"class_name": "__keras_tensor__", "config": made}
        if isinstance(value, slice):
            parts = {"start": value.start, "stop": value.stop, "step": value.step}
            return {"class_name": "__slice__", "config": {k: written(v) for k, v in parts.items()}}
        if value is Ellipsis:
            return {"class_name": "__ellipsis__"}
        if isinstance(value, dict):
            return {k: written(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [written(v) for v in value]
        return config.serialize(value)

    layers = []
    for layer in network.layers:
        made = layer.described() if isinstance(layer, Operation) else dict(config.serialize(layer))
        inbound = [
            {"args": [written(a) for a in call.args], "kwargs": written(call.kwargs)}
            for call in of_layer[id(layer)]
            if not isinstance(layer, InputLayer)
        ]
        layers.append({**made, "name": layer.name, "inbound_nodes": inbound})
    return {
        "layers": layers,
        "input_layers": _histories(network.inputs, history),
        "output_layers": _histories(network.outputs, history),
    }


def _histories(structure: Any, history: Any) -> Any:
    if isinstance(structure, KerasTensor):
        return history(structure)
    if isinstance(structure, dict):
        return {k: _histories(v, history) for k, v in structure.items()}
    return [_histories(v, history) for v in structure]


def ends(description: dict[str, Any], custom_objects: Any = None) -> tuple[Any, Any]:
    """The inputs and outputs of the network that `described`, or Keras, wrote down; ValueError where it is none."""
    made: dict[str, Layer] = {}
    first: dict[str, int] = {}
    waiting: list[tuple[str, Any]] = []
    for one in description["layers"]:
        kind = str(one.get("module", ""))
        if kind.startswith("keras.src.ops") or one.get("class_name") == "Operation":
            layer: Any = Operation.from_description(one)
        else:
            layer = deserialize({k: v for k, v in one.items() if k not in ("name", "inbound_nodes")}, custom_objects)
        name = str(one.get("name"))
        if name in made:
            raise ValueError(f"the layers of a model: expected names of their own, got {name!r} twice")
        made[name], first[name] = layer, len(layer._calls)
        if isinstance(layer, InputLayer):
            first[name] = 0
        waiting += [(name, node) for node in one.get("inbound_nodes", [])]

    def found(history: Any) -> KerasTensor | None:
        name, index, position = history
        if name not in made:
            raise ValueError(f"what a layer is called on: expected the name of a layer of the model, got {name!r}")
        calls = made[name]._calls[first[name] :]
        return symbols(calls[index].outputs)[position] if index < len(calls) else None

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            kind = value.get("class_name")
            if kind == "__keras_tensor__":
                tensor = found(value["config"]["keras_history"])
                if tensor is None:
                    raise LookupError
                return tensor
            if kind == "__slice__":
                return slice(*(read(value["config"][k]) for k in ("start", "stop", "step")))
            if kind == "__ellipsis__":
                return ...
            return {k: read(v) for k, v in value.items()}
        if isinstance(value, list):
            return [read(v) for v in value]
        return value

    # Calls of one layer keep their order; whichever can be made is made, until all are.
    while waiting:
        left, stuck = [], set()
        for name, node in waiting:
            try:
                if name in stuck:
                    raise LookupError
                args, kwargs = [read(a) for a in node["args"]], read(node.get("kwargs") or {})
                kwargs = {k: v for k, v in kwargs.items() if v is not None}  # the masks that Keras writes everywhere
            except LookupError:
                stuck.add(name)
                left.append((name, node))
                continue
            layer = made[name]
            if isinstance(layer, Operation):
                args = [tuple(a) if isinstance(a, list) and not symbols(a) else a for a in args]
            layer(*args, **kwargs)
        if len(left) == len(waiting):
            stuck_on = ", ".join(sorted({name for name, _ in left}))
            raise ValueError(
                f"the calls of layers: expected each after those that it needs, got a circle of {stuck_on}"
            )
        waiting = left

    def end(structure: Any) -> Any:
        if isinstance(structure, dict):
            return {k: end(v) for k, v in structure.items()}
        if len(structure) == 3 and isinstance(structure[0], str) and isinstance(structure[1], int):
            value = found(structure)
            if value is None:
                raise ValueError(f"there is no call {structure[1]} of layer {structure[0]!r}")
            return value
        return [end(part) for part in structure]

    return end(description["input_layers"]), end(description["output_layers"])
