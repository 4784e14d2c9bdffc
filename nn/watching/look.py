"""A look into one step of a training: what the layers give in it, and what it makes of their weights."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.arrays import to_numpy
from autograd_core.tensor import Tensor

from ..layers.layer import Layer
from ..tensors import plain
from . import measures
from .units import Unit, names, units


class Look:
    """The next step of a model, run by its layers' own code, and what is seen of a layer and those in it.

    Parameters
    ----------
    model : Model
        What is trained. It is as it was after `close`.
    watched : Layer
        The model, or a layer in it.
    """

    def __init__(self, model: Any, watched: Layer):
        self.model, self.watched = model, watched
        self.outputs: dict[int, list[Any]] = {}  # what the layers gave, in the order of calls
        self.before: dict[int, list[Any]] = {}  # their weights
        self.updates = self._updates()
        self._inside = ExitStack()
        self._inside.enter_context(model._steps.plans.looked_into())
        for unit in units(watched):
            layer = unit.layer
            own = vars(layer).get("call")  # somebody's, in place of that of the class, or a wrapper of another look
            own = getattr(own, "watched", own)
            watching = self._watching(layer, layer.call)
            watching.watched = own
            layer.call = watching  # type: ignore[method-assign]
            self._inside.callback(_put_back, layer, own)
            if layer.built:
                self.before[id(layer)] = [np.array(to_numpy(plain(w))) for w in _trained(unit)]

    def _updates(self) -> int:
        return int(getattr(self.model.optimizer, "iterations", 0))

    def _watching(self, layer: Layer, call: Any) -> Any:
        def watched(*args: Any, **kwargs: Any) -> Any:
            out = call(*args, **kwargs)
            arrays = (to_numpy(plain(leaf)) for leaf in tree.leaves(out) if isinstance(leaf, Tensor | np.ndarray))
            self.outputs.setdefault(id(layer), []).extend(a for a in arrays if a.dtype.kind == "f")
            return out

        return watched

    def record(self, layers: list[str]) -> Any:
        """Measure the step that was just made: a row for each layer; those that are new are put to the names."""
        found = units(self.watched)
        called = dict(zip((id(unit.layer) for unit in found), names(found), strict=True))
        order = {key: i for i, key in enumerate(self.outputs)}
        for key in sorted(called, key=lambda key: order.get(key, len(order))):
            if called[key] not in layers:
                layers.append(called[key])
        made = self._updates() - self.updates
        record = np.full((len(layers), measures.WIDTH), np.nan)
        for unit in found:
            key, trained = id(unit.layer), _trained(unit)
            before = self.before.get(key, [])
            record[layers.index(called[key])] = measures.row(
                self.outputs.get(key, []),
                unit.axis,
                sum(w.size for w in unit.weights),
                before if len(before) == len(trained) else [],
                [to_numpy(plain(w)) for w in trained],
                [None if w.grad is None else to_numpy(plain(w.grad)) for w in trained],
                max(made, 1),
            )
        return record

    def close(self) -> None:
        """Leave the model as it was."""
        self._inside.close()


def _put_back(layer: Layer, call: Any) -> None:
    if call is None:
        vars(layer).pop("call", None)
    else:
        layer.call = call  # type: ignore[method-assign]


def _trained(unit: Unit) -> list[Any]:
    return [w for w in unit.weights if w.requires_grad]
