"""The steps of a model over batches of data, a few at a time, and who is told of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from autograd_core import tree
from autograd_core.arrays import in_numpy, to_numpy

from .. import distributed
from ..callbacks import CallbackList
from ..progress import Progress
from ..tensors import plain
from .arguments import by_class, ordered
from .batches import Feed, length_of, refuse_nan
from .joining import batches_at_once

if TYPE_CHECKING:
    from .trainer import Trainer

Logs = dict[str, Any]


class Run:
    """The steps over the batches of an epoch; callbacks are told of every so many, as ``steps_per_execution`` says.

    Parameters
    ----------
    model : Model
        Whose steps these are.
    told : CallbackList
        The callbacks.
    progress : Progress, optional
        What shows how far it is.
    interrupted : list, optional
        Not empty where to end after the batch at hand.
    """

    # The step, what callbacks are told of, as Keras calls it, and the attribute of the model that says to stop.
    step: ClassVar[str]
    events: ClassVar[Sequence[str]]
    stopped: ClassVar[str]

    def __init__(
        self, model: Trainer, told: CallbackList, progress: Progress | None = None, interrupted: Sequence[int] = ()
    ):
        self.model, self.told, self.progress, self.interrupted = model, told, progress, interrupted
        self.size = model.steps_per_execution  # how many batches make an execution
        self.steps = 0
        self.logs: Logs = {}  # what was measured up to the last batch

    def over(self, feed: Feed) -> Iterator[Any]:
        """The batches of the next epoch, as a step takes them; what it gave is told by `took` before the next one."""
        for x, y, weights, share in feed.epoch():
            if self.steps % self.size == 0:
                for event in self.events:
                    self.told.tell(f"on_{event}_begin", self.steps, {})
            self.model._steps.share = share
            yield self.data(x, y, weights)
            self.steps += 1
            if self.steps % self.size == 0 or self.interrupted:
                self._end()
                if getattr(self.model, self.stopped) or self.interrupted:
                    return
        if self.steps % self.size:
            self._end()

    def data(self, x: Any, y: Any, weights: Any) -> tuple[Any, ...]:
        """A batch as a step takes it."""
        return packed(x, y, weights)

    def took(self, found: Any) -> None:
        """Take what a step gave."""
        self.logs = measured(found, self.step)

    def _end(self, outputs: Logs | None = None) -> None:
        # As in Keras an execution is told by its last batch, also where the data ended before that.
        last = -(-self.steps // self.size) * self.size - 1
        logs = self.logs if outputs is None else outputs
        for event in self.events:
            self.told.tell(f"on_{event}_end", last, logs)
        if self.progress is not None:
            self.progress.update(self.steps, self.logs)


class TrainingRun(Run):
    """Steps of training."""

    step, events, stopped = "train_step", ("train_batch", "batch"), "stop_training"
    class_weight: dict[int, float] | None = None

    def data(self, x: Any, y: Any, weights: Any) -> tuple[Any, ...]:
        return to_train(x, y, weights, self.class_weight)


class EvaluationRun(Run):
    """Steps of evaluation, between their own beginning and end."""

    step, events, stopped = "test_step", ("test_batch",), "stop_evaluating"

    def over(self, feed: Feed) -> Iterator[Any]:
        self.model.reset_metrics()
        self.model.stop_evaluating = False
        self.told.tell("on_test_begin", {})
        yield from super().over(feed)
        self.told.tell("on_test_end", self.logs)
        if self.progress is not None:
            self.progress.finish(self.steps, ordered(self.logs))


class PredictionRun(Run):
    """Steps of prediction, between their own beginning and end; ``predictions`` are those of all batches."""

    step, events, stopped = "predict_step", ("predict_batch",), "stop_predicting"

    def over(self, feed: Feed) -> Iterator[Any]:
        self.feed = feed
        self.parts: list[Any] = []
        self._told = 0  # how many of them callbacks were told of
        self.model.stop_predicting = False
        self.told.tell("on_predict_begin", {})
        yield from super().over(feed)
        if self.progress is not None:
            self.progress.finish(self.steps, {})
        self.told.tell("on_predict_end", {})

    def data(self, x: Any, y: Any, weights: Any) -> tuple[Any, ...]:
        self.x = x
        return (x,)

    def took(self, found: Any) -> None:
        self.parts.append(as_arrays(found))
        self.steps += self.feed.given - 1  # batches that came as one
        if len(self.parts) == 1 and not self.told.callbacks and self.size == 1:
            self.feed.join(self._at_once(self.x))

    def _end(self, outputs: Logs | None = None) -> None:
        begin, self._told = self._told, len(self.parts)
        super()._end({"outputs": joined(self.parts[begin:])})

    def _at_once(self, x: Any) -> int:
        """How many batches like this first one are predicted as one: several only where all that computes is known."""
        steps = self.model._steps
        if steps.together.has_own("predict_step") or not steps.plans.unseen or distributed.size() > 1:
            return 1
        return batches_at_once(self.model, x, length_of(x, "x"))

    @property
    def predictions(self) -> Any:
        """What the model made of all the data."""
        return joined(self.parts)


# -- between a step and those who ask for one --------------------------------------------------------------


def to_train(x: Any, y: Any, weights: Any, class_weight: Any) -> tuple[Any, ...]:
    """A batch as a step of training takes it; ValueError for NaN in it."""
    refuse_nan(x, "x")
    refuse_nan(y, "y")
    if weights is not None:
        refuse_nan(weights, "sample_weight")
    if class_weight is not None:
        weights = by_class(y, class_weight, weights)
    return (x, y) if weights is None and y is not None else packed(x, y, weights)


def packed(x: Any, y: Any, weights: Any) -> tuple[Any, ...]:
    """A batch as a step takes it."""
    if weights is not None:
        return x, y, weights
    return (x,) if y is None else (x, y)


def measured(logs: Any, step: str) -> Logs:
    """What a step returned, if that is what was measured, by name."""
    if not isinstance(logs, dict):
        raise TypeError(f"{step}: expected what was measured, a dict such as {{'loss': 0.5}}, got {logs!r}")
    return {name: _as_number(value) for name, value in logs.items()}


def _as_number(value: Any) -> Any:
    """What was measured as a plain number; of several numbers an array."""
    if isinstance(value, float):
        return float(value)
    array = to_numpy(plain(value))
    return array.item() if array.size == 1 else array


def as_arrays(predictions: Any) -> Any:
    """Predictions as NumPy's arrays; a list of one is that one."""
    if isinstance(predictions, list | tuple) and len(predictions) == 1:
        predictions = predictions[0]
    return in_numpy(tree.map(plain, predictions))


def joined(parts: Sequence[Any]) -> Any:
    """The predictions for several batches as those for one."""
    return parts[0] if len(parts) == 1 else tree.map(lambda *column: np.concatenate(column), *parts)


def returned(logs: Logs, return_dict: bool) -> Any:
    """What was measured, as the methods for one batch return it."""
    if return_dict:
        return ordered(logs)
    return next(iter(logs.values())) if len(logs) == 1 else list(logs.values())
