"""A model of several outputs: a loss and its weight for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from autograd_core import tree
from autograd_core.replay import freeze

from .. import losses
from ..checks import number
from ..config import suggest
from ..tensors import plain


class Outputs(metaclass=freeze.Watched):
    """The losses of a model that gives several values, which are added up.

    Parameters
    ----------
    names : sequence of str
        Of the outputs: ``p`` makes ``p_loss``.
    of : sequence of Loss or None
        The loss of each output, None for one that has none.
    weights : sequence of float
        By how much each loss is multiplied.
    called : sequence of str, optional
        What each loss is called where outputs have no names; metrics then stand for themselves.

    Raises
    ------
    ValueError
        In a call, for targets or predictions of another structure.
    """

    untracked: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        names: Sequence[str],
        of: Sequence[losses.Loss | None],
        weights: Sequence[float],
        called: Sequence[str] | None = None,
    ):
        self.names, self.named = tuple(names), called is None
        self.losses, self.weights = tuple(of), tuple(weights)
        # What each loss is called by itself.
        each = zip(names if called is None else called, of, strict=True)
        self.names_of_losses = tuple(f"{n}_loss" for n, loss in each if loss is not None)

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The sum of the losses times their weights."""
        total: Any = None
        for loss, target, prediction, weights, factor in self._each(y, y_pred, sample_weight):
            one = loss(target, prediction, weights)
            one = one if factor == 1 else one * factor
            total = one if total is None else total + one
        return total

    def values(self, y: Any, y_pred: Any, sample_weight: Any) -> Iterator[float]:
        """Each loss by itself."""
        for loss, target, prediction, weights, _ in self._each(y, y_pred, sample_weight):
            yield float(plain(loss(target, prediction, weights)))

    def _each(self, y: Any, y_pred: Any, sample_weight: Any) -> Iterator[tuple[Any, ...]]:
        """Each loss, with its target, prediction, weights of examples, and factor."""
        for name, loss, factor, (target, prediction, weights) in zip(
            self.names, self.losses, self.weights, self.split(y, y_pred, sample_weight), strict=True
        ):
            if loss is None:
                continue
            if target is None:
                raise ValueError(f"output {name!r}: expected targets for its loss, got None")
            if np.shape(plain(prediction))[:1] != np.shape(target)[:1]:
                raise ValueError(
                    f"output {name!r}: expected as many predictions as targets, whose shape is {np.shape(target)}, "
                    f"got predictions of shape {np.shape(plain(prediction))}"
                )
            yield loss, target, prediction, weights, factor

    def split(self, y: Any, y_pred: Any, sample_weight: Any = None) -> list[tuple[Any, Any, Any]]:
        """Target, prediction and weights of examples of each output; weights may be one array for all."""
        if not isinstance(sample_weight, tree.BRANCHES):
            sample_weight = [sample_weight] * len(self.names)
        if not isinstance(y, tree.BRANCHES) and sum(loss is not None for loss in self.losses) == 1:
            y = [None if loss is None else y for loss in self.losses]  # the targets of the one output that has a loss
        parts = [
            per_output(given, self.names, what)
            for given, what in ((y, "the targets"), (y_pred, "the predictions"), (sample_weight, "sample_weight"))
        ]
        return list(zip(*parts, strict=True))


class NestedOutputs(Outputs):
    """The losses of a model whose outputs are a structure in a structure; a loss may be of a part of it.

    Parameters
    ----------
    names : sequence of str
        Of the outputs, one after another.
    structure : list, tuple or dict
        What the model gives.
    parts : sequence of tuple
        Of each loss the way to what it compares, the loss, its weight and its name.
    """

    untracked: ClassVar[frozenset[str]] = frozenset({"structure"})

    def __init__(self, names: Sequence[str], structure: Any, parts: Sequence[tuple[Any, ...]]):
        ways, of, weights, of_parts = zip(*parts, strict=True)
        super().__init__(of_parts, of, weights)
        self.names, self.ways, self.structure = tuple(names), ways, tree.map(lambda _: 0, structure)

    def _each(self, y: Any, y_pred: Any, sample_weight: Any) -> Iterator[tuple[Any, ...]]:
        y, y_pred = self._whole(y, "the targets"), self._whole(y_pred, "the predictions")
        for way, loss, factor in zip(self.ways, self.losses, self.weights, strict=True):
            weights = _at(sample_weight, way) if isinstance(sample_weight, tree.BRANCHES) else sample_weight
            yield loss, _at(y, way), _at(y_pred, way), weights, factor

    def _whole(self, given: Any, what: str) -> Any:
        return tree.rebuild(self.structure, tree.aligned(given, self.structure, what))

    def split(self, y: Any, y_pred: Any, sample_weight: Any = None) -> list[tuple[Any, Any, Any]]:
        """Target, prediction and weights of examples of each output; weights may be one array for all."""
        weights = [sample_weight] * len(self.names)
        if isinstance(sample_weight, tree.BRANCHES):
            weights = tree.aligned(sample_weight, self.structure, "sample_weight")
        targets = tree.aligned(y, self.structure, "the targets")
        predictions = tree.aligned(y_pred, self.structure, "the predictions")
        return list(zip(targets, predictions, weights, strict=True))


def _at(structure: Any, way: Sequence[Any]) -> Any:
    """What is at a place in a structure."""
    for key in way:
        structure = structure[key]
    return structure


class LossOfStructure(losses.LossFunction):
    """What a function makes of the targets and the predictions of several outputs, in the structure that they have."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred)


def parts_of(
    loss: Any, weight: Any, outputs: Any, names: Any, as_loss: Any, way: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, ...]]:
    """Each loss in a structure of losses, as `NestedOutputs` takes them, by Keras' rules.

    A loss stands for the part of the outputs at its place. A list of as many losses as there are outputs is one for
    each. A list or tuple where the outputs have something else holds several losses of the same part.
    """
    if loss is None:
        return
    if not isinstance(loss, list | tuple | dict) or "class_name" in loss:
        leaf = not isinstance(names, tree.BRANCHES)
        called = (*way[:-1], names) if leaf and way and isinstance(way[-1], int) else way
        name = "/".join(map(str, called)) or (names if leaf else "_".join(map(str, tree.leaves(names))))
        made = as_loss(loss) if leaf or not callable(loss) else LossOfStructure(loss)
        yield way, made, 1.0 if weight is None else number(weight, f"the weight of {name}"), name
        return
    flat = not any(isinstance(one, list | tuple | dict) for one in loss)
    if isinstance(loss, list | tuple) and flat and len(loss) == len(tree.leaves(outputs)):
        loss = tree.rebuild(outputs, loss)
        weight = None if weight is None else tree.rebuild(outputs, weight)
        if not isinstance(loss, tree.BRANCHES):
            yield from parts_of(loss, weight, outputs, names, as_loss, way)
            return
    elif isinstance(loss, list | tuple) and not isinstance(outputs, type(loss)):
        factors = weight if isinstance(weight, list | tuple) and len(weight) == len(loss) else [weight] * len(loss)
        for one, factor in zip(loss, factors, strict=True):
            yield from parts_of(one, factor, outputs, names, as_loss, way)
        return
    for key, one in loss.items() if isinstance(loss, dict) else enumerate(loss):
        place = "".join(f"[{k!r}]" for k in (*way, key))
        try:
            part, of_part = outputs[key], names[key]
        except (KeyError, IndexError, TypeError):
            raise ValueError(
                f"loss: expected losses at places of the outputs {tree.sketch(outputs)}, got one at {place}"
            ) from None
        try:
            factor = None if weight is None else weight[key]
        except (KeyError, IndexError, TypeError):
            raise ValueError(f"loss_weights: expected weights as the losses are, got none at {place}") from None
        yield from parts_of(one, factor, part, of_part, as_loss, (*way, key))


def per_output(given: Any, names: Sequence[str], what: str) -> list[Any]:
    """One for each output, from a list in their order or a dict by their names; None for what a dict lacks."""
    if isinstance(given, dict):
        unknown = sorted(given.keys() - set(names))
        if unknown:
            raise ValueError(
                f"{what}: expected names of the outputs {list(names)}, got {unknown[0]!r}; {suggest(unknown[0], names)}"
            )
        return [given.get(name) for name in names]
    if isinstance(given, list | tuple) and len(given) == len(names):
        return list(given)
    got = f"one {type(given).__name__}"
    if isinstance(given, list | tuple):  # arrays are not shown
        got = f"{len(given)} of them" if any(hasattr(v, "shape") for v in given) else f"{len(given)}: {given!r}"
    raise ValueError(f"{what}: expected {len(names)}, one for each of the outputs {list(names)}, got {got}")


def only(value: Any) -> Any:
    """What a model of one output gives in a list or dict of one; ValueError for several."""
    if not isinstance(value, tree.BRANCHES):
        return value
    leaves = tree.leaves(value)
    if len(leaves) != 1:
        raise ValueError(
            f"the loss: expected one output and one array of targets, got {len(leaves)}; pass compile() a loss for "
            "each, loss=[…] or loss={name: …}"
        )
    return leaves[0]
