"""What a model measures as it is trained or evaluated: its mean loss and the metrics that it was compiled with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_core import tree

from .. import losses, metrics
from .arguments import as_metrics, unique_names
from .outputs import Outputs, only, per_output


class OfOneOutput:
    """Metrics of a model of one output."""

    def __init__(self, given: Any, what: str, names: list[str] | None):
        self.metrics = as_metrics(given, what, names)

    def update_state(self, y: Any, y_pred: Any, *sample_weight: Any) -> None:
        """Take a batch into account."""
        for metric in self.metrics:
            metric.update_state(y, y_pred, *sample_weight)


class OfOutputs:
    """Metrics for the outputs of a model, each called after its output."""

    def __init__(self, given: Any, what: str, outputs: Outputs):
        self.outputs = outputs
        of: list[list[metrics.Metric]] = [[] for _ in outputs.names]
        if given is not None and not isinstance(given, list | tuple | dict):
            raise ValueError(f"{what}: expected a list with metrics for each output, or a dict by their names")
        if given is not None and len(given):
            of = [as_metrics(one, what) for one in per_output(given, outputs.names, what)]
        self.metrics = [metric for of_one in of for metric in of_one]
        # Of each metric the place of its output among all.
        self.places = [place for place, of_one in enumerate(of) for _ in of_one]

    def names_beside(self, taken: Sequence[str]) -> list[str]:
        """What they are called where these names are taken: ``p_mae``, or ``p_weighted_mae``, of output p."""
        if not self.outputs.named:
            return [f"weighted_{m.name}" if m.name in taken else m.name for m in self.metrics]
        pairs = [(self.outputs.names[place], m.name) for place, m in zip(self.places, self.metrics, strict=True)]
        return [f"{n}_weighted_{own}" if f"{n}_{own}" in taken else f"{n}_{own}" for n, own in pairs]

    def update_state(self, y: Any, y_pred: Any, *sample_weight: Any) -> None:
        """Take a batch into account."""
        if self.metrics:
            of = self.outputs.split(y, y_pred, *sample_weight)
            for place, metric in zip(self.places, self.metrics, strict=True):
                metric.update_state(*of[place][: 2 + len(sample_weight)])


class Measures:
    """The mean loss of a model, that of each output where there are several, and its metrics.

    Parameters
    ----------
    loss : Loss or Outputs, optional
        What the model is trained by.
    metrics, weighted_metrics
        As in `Model.compile`; the second take the weights of examples into account.
    names : list of str, optional
        Of the outputs, where the model knows them.

    Raises
    ------
    ValueError, TypeError
        For what is no metric, and metrics of outputs that there are not.
    """

    def __init__(
        self,
        loss: losses.Loss | Outputs | None = None,
        metrics_: Any = None,
        weighted_metrics: Any = None,
        names: list[str] | None = None,
    ):
        self.loss = metrics.Mean("loss")
        self.outputs = loss if isinstance(loss, Outputs) else None
        self.means: list[metrics.Mean] = []
        pair = (metrics_, "metrics"), (weighted_metrics, "weighted_metrics")
        self.plain: Any
        self.weighted: Any
        if self.outputs is None:
            self.plain, self.weighted = (OfOneOutput(given, what, names) for given, what in pair)
        else:
            self.plain, self.weighted = (OfOutputs(given, what, self.outputs) for given, what in pair)
            own = self.outputs.names_of_losses
            self.means = [metrics.Mean(name) for name in own if len(own) > 1]
        self.all = [self.loss, *self.means, *self.plain.metrics, *self.weighted.metrics]

    def names_of(self, listed: Sequence[Any]) -> list[str]:
        """What metrics are called, these or others, each by a name of its own."""
        names = [metric.name for metric in listed]
        if self.outputs is not None:
            plain = self.plain.names_beside(())
            own = (self.plain.metrics, plain), (self.weighted.metrics, self.weighted.names_beside(plain))
            called = {id(metric): name for pair in own for metric, name in zip(*pair, strict=True)}
            names = [called.get(id(metric), name) for metric, name in zip(listed, names, strict=True)]
        if len(set(names)) == len(names):
            return names
        weighted = set(map(id, self.weighted.metrics))
        return unique_names(names, {place for place, metric in enumerate(listed) if id(metric) in weighted})

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        """Take a batch into all but the mean loss."""
        if self.outputs is None:
            y, y_pred = only(y), only(y_pred)
        elif self.means:
            values, examples = self.outputs.values(y, y_pred, sample_weight), len(tree.leaves(y_pred)[0])
            for mean, value in zip(self.means, values, strict=True):
                mean.update_state(value, examples)
        self.plain.update_state(y, y_pred)
        self.weighted.update_state(y, y_pred, sample_weight)
