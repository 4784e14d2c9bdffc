"""A model of several outputs: a loss, its weight and metrics for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from autograd_core import tree
from autograd_core.replay import freeze

from .. import losses, metrics
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

    Raises
    ------
    ValueError
        In a call, for targets or predictions of another structure.
    """

    untracked: ClassVar[frozenset[str]] = frozenset({"means"})

    def __init__(self, names: Sequence[str], of: Sequence[losses.Loss | None], weights: Sequence[float]):
        self.names = tuple(names)
        self.losses, self.weights = tuple(of), tuple(weights)
        #: The mean of each loss by itself, where there are several.
        self.means = [metrics.Mean(f"{n}_loss") for n, loss in zip(names, of, strict=True) if loss is not None]
        if len(self.means) == 1:
            self.means = []

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The sum of the losses times their weights."""
        total: Any = None
        for (loss, target, prediction, weights), factor in zip(
            self._each(y, y_pred, sample_weight), self.weights, strict=True
        ):
            if loss is None:
                continue
            one = loss(target, prediction, weights)
            one = one if factor == 1 else one * factor
            total = one if total is None else total + one
        return total

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any, examples: int) -> None:
        """Take a batch into the mean of each loss."""
        means = iter(self.means)
        for loss, target, prediction, weights in self._each(y, y_pred, sample_weight) if self.means else ():
            if loss is not None:
                next(means).update_state(float(plain(loss(target, prediction, weights))), examples)

    def _each(self, y: Any, y_pred: Any, sample_weight: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
        for name, loss, (target, prediction, weight) in zip(
            self.names, self.losses, self.split(y, y_pred, sample_weight), strict=True
        ):
            if loss is not None:
                if target is None:
                    raise ValueError(f"output {name!r}: expected targets for its loss, got None")
                if np.shape(plain(prediction))[:1] != np.shape(target)[:1]:
                    raise ValueError(
                        f"output {name!r}: expected as many predictions as targets, whose shape is {np.shape(target)}, "
                        f"got predictions of shape {np.shape(plain(prediction))}"
                    )
            yield loss, target, prediction, weight

    def split(self, y: Any, y_pred: Any, sample_weight: Any) -> list[tuple[Any, Any, Any]]:
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


class MetricsOfOutputs:
    """Metrics for the outputs of a model, each called after its output."""

    def __init__(self, given: Any, outputs: Outputs, what: str, as_metrics: Any):
        self.outputs = outputs
        self.of: list[list[metrics.Metric]] = [[] for _ in outputs.names]
        if given is not None and not isinstance(given, list | tuple | dict):
            raise ValueError(f"{what}: expected a list with metrics for each output, or a dict by their names")
        if given is not None and len(given):
            self.of = [as_metrics(one, what) for one in per_output(given, outputs.names, what)]

    @property
    def flat(self) -> list[metrics.Metric]:
        """All metrics, output by output."""
        return [metric for of_one in self.of for metric in of_one]

    @property
    def names(self) -> list[str]:
        """What they are called: ``p_mae`` for the metric mae of output p."""
        return self.names_beside(())

    def names_beside(self, taken: Sequence[str]) -> list[str]:
        """What they are called where these names are taken: ``p_weighted_mae``."""
        pairs = [(n, m.name) for n, of_one in zip(self.outputs.names, self.of, strict=True) for m in of_one]
        return [f"{n}_weighted_{own}" if f"{n}_{own}" in taken else f"{n}_{own}" for n, own in pairs]

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        """Take a batch into account."""
        if not self.flat:
            return
        for of_one, (target, prediction, weight) in zip(
            self.of, self.outputs.split(y, y_pred, sample_weight), strict=True
        ):
            for metric in of_one:
                metric.update_state(target, prediction, weight)
