"""A network of layers between inputs and outputs: which calls lead from the ones to the others, and how they run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from autograd_core import tree
from autograd_core.caller import level_of_caller
from autograd_core.replay import freeze

from ..checks import WrongKind
from ..layers.input import InputLayer
from ..layers.layer import Layer
from ..layers.symbolic import Call, KerasTensor, source, symbols


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
                raise WrongKind(
                    f"{name} of a model: expected what Input(shape=…) gives, and layers called on it, got "
                    f"{others[0] if others else given!r}"
                )
        self.inputs, self.outputs = inputs, outputs
        entries = symbols(inputs)
        if len({id(v) for v in entries}) < len(entries):
            raise ValueError(f"inputs of a model: expected each once, got {inputs!r}")
        calls = calls_between(entries, symbols(outputs))
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

    def __call__(self, inputs: Sequence[Any], run: Callable[..., Any] | None = None) -> Any:
        """What comes out for these inputs, in the order of the leaves of ``inputs``.

        Another ``run(layer, *args, **kwargs)`` may take the place of the calls of the layers.
        """
        values: list[Any] = [*inputs, *[None] * (self.size - self.entries)]

        for layer, args, kwargs, gives in self.calls:
            taken, more = [_filled(arg, values) for arg in args], _filled(kwargs, values)
            found = layer(*taken, **more) if run is None else run(layer, *taken, **more)
            for number, one in zip(gives, tree.leaves(found), strict=True):
                values[number] = one
        found = [values[slot.number] for slot in tree.leaves(self.results)]
        return tree.rebuild(self.outputs, found)

    def given(self, inputs: Any, owner: str) -> list[Any]:
        """Inputs one by one, which may be told by name or in a list; ValueError where one is missing."""
        wanted = self.inputs
        if isinstance(inputs, dict):
            names = list(wanted) if isinstance(wanted, dict) else self.input_names
            missing = [n for n in names if n not in inputs]
            if missing and not isinstance(wanted, dict):
                raise ValueError(
                    f"{owner!r}: expected inputs called {names}, got {sorted(inputs)}; {missing[0]!r} is missing"
                )
            _warn_of_more(inputs, names, owner)
            if not isinstance(wanted, dict):
                return [inputs[n] for n in names]
            inputs = {n: inputs[n] for n in names if n in inputs}
        if isinstance(wanted, KerasTensor) and isinstance(inputs, list | tuple) and len(inputs) == 1:
            inputs = inputs[0]
        if isinstance(wanted, list | tuple) and len(wanted) == 1 and not isinstance(inputs, tree.BRANCHES):
            inputs = [inputs]
        found = tree.leaves(inputs)
        as_many = len(found) == len(tree.leaves(wanted)) and all(hasattr(leaf, "shape") for leaf in found)
        if as_many and not _has_dicts(inputs) and not _has_dicts(wanted):
            return found  # whatever lists in lists they are in, as Keras takes them
        return tree.aligned(inputs, wanted, f"the inputs of {owner!r}")

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

        for layer, args, kwargs, gives in self.calls:
            given: Any = [values[number] for number in gives]
            taken = tuple(_filled(arg, values) for arg in args), dict(_filled(kwargs, values))
            Call(layer, *taken, given[0] if len(given) == 1 else given)
        self.inputs, self.outputs = (tree.map(lambda slot: values[slot.number], end) for end in (inputs, outputs))

    # -- names -----------------------------------------------------------------------------------------

    @property
    def input_names(self) -> list[str]:
        """The names of the layers that the inputs come from."""
        return [v._keras_history.operation.name for v in symbols(self.inputs)]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that the outputs come from."""
        return [v._keras_history.operation.name for v in symbols(self.outputs)]


def _warn_of_more(inputs: Any, names: list[str], owner: str) -> None:
    """Say which inputs nobody asked for, so that a mistake is seen."""
    unknown = inputs.keys() - set(names)
    if unknown:
        warnings.warn(
            f"{owner!r}: expected no inputs beside {names}, got {sorted(unknown)} too, which change nothing",
            stacklevel=level_of_caller(),
        )


def _has_dicts(given: Any) -> bool:
    return isinstance(given, dict) or (isinstance(given, list | tuple) and any(map(_has_dicts, given)))


def _filled(arg: Any, values: Sequence[Any]) -> Any:
    """An argument of a call with its slots filled. Settings are tuples; who was called on a list is given a list."""
    if type(arg) is Slot:
        return values[arg.number]
    if not any(type(leaf) is Slot for leaf in tree.leaves(arg)):
        return arg
    if isinstance(arg, dict):
        return {k: _filled(v, values) for k, v in arg.items()}
    return [_filled(v, values) for v in arg]


# -- from outputs back to inputs ---------------------------------------------------------------------------


def calls_between(entries: list[KerasTensor], outputs: list[KerasTensor]) -> list[Call]:
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
