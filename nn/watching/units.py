"""Which layers of a model are watched, by which names, and which comes behind which."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..layers.input import InputLayer
from ..layers.layer import Layer

_OURS = Layer.__module__.rpartition(".")[0] + "."  # nn.layers.


class Unit:
    """A layer that is watched as a whole, with the weights that count as its own."""

    def __init__(self, layer: Layer, whole: bool) -> None:
        self.layer, self.whole = layer, whole

    @property
    def weights(self) -> list[Any]:
        """All weights: those of layers in it, too, if nothing in it is watched by itself."""
        return list(self.layer.weights if self.whole else self.layer._weights)

    @property
    def axis(self) -> int | None:
        """Along which axis of what it gives its units are; None for what only hands on numbers."""
        from ..picture import family  # circle: pictures are of models, whose trainings have callbacks

        if not self.layer.weights and family(self.layer) != "activation":
            return None
        return 1 if getattr(self.layer, "data_format", None) == "channels_first" else -1


def units(model: Layer) -> list[Unit]:
    """The layers of a model, or of a layer of one's own, that hold no others; those of ours count as one each.

    What holds both layers and weights of its own is one beside them.

    >>> import nn
    >>> inner = nn.Sequential([nn.Input(shape=(3, 2)), nn.layers.LSTM(4, name="lstm")])
    >>> [unit.layer.name for unit in units(nn.Sequential([inner, nn.layers.Dense(1, name="out")]))]
    ['lstm', 'out']
    """
    found: dict[int, Unit] = {}
    inside: set[int] = set()
    for layer in model.walk_layers():
        if id(layer) in inside or isinstance(layer, InputLayer):
            continue
        whole = not layer._sublayers or _is_ours(layer)
        if whole or layer._weights:
            found[id(layer)] = Unit(layer, whole)
        if whole:
            inside.update(id(inner) for inner in layer.walk_layers() if inner is not layer)
    return list(found.values())


def names(found: Iterable[Unit]) -> list[str]:
    """What they are called, each by a name of its own: ``dense``, ``dense (2)``."""
    seen: dict[str, int] = {}
    told = []
    for unit in found:
        name = unit.layer.name
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told


def _is_ours(layer: Layer) -> bool:
    return any(kind.__module__.startswith(_OURS) for kind in type(layer).__mro__ if kind not in Layer.__mro__)
