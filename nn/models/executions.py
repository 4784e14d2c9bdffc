"""The batches of an epoch, a few at a time, and who is told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..callbacks import CallbackList
from ..progress import Progress
from .batches import Batch, Feed

Logs = dict[str, Any]

# What callbacks are told of, as Keras calls it; two names for a training.
EVENTS = {"train": ("train_batch", "batch"), "test": ("test_batch",), "predict": ("predict_batch",)}


class Executions:
    """The batches of an epoch; callbacks are told of every so many, as ``steps_per_execution`` says.

    Parameters
    ----------
    told : CallbackList
        The callbacks.
    what : str
        "train", "test" or "predict".
    size : int
        How many batches make an execution: callbacks are told before the first and after the last of them.
    progress : Progress, optional
        What shows how far it is.
    stopped : callable
        Whether to end after the execution that was just told of.
    interrupted : list, optional
        Not empty where to end after the batch at hand.
    told_of : callable, optional
        What callbacks are told when an execution ends; by default the logs of its last batch, which are shown.
    """

    def __init__(
        self,
        told: CallbackList,
        what: str,
        size: int,
        progress: Progress | None,
        stopped: Callable[[], bool],
        interrupted: list[int] | None = None,
        told_of: Callable[[], Logs] | None = None,
    ):
        self.told, self.size, self.progress = told, size, progress
        self.begins = [f"on_{event}_begin" for event in EVENTS[what]]
        self.ends = [f"on_{event}_end" for event in EVENTS[what]]
        self.stopped, self.interrupted = stopped, [] if interrupted is None else interrupted
        self.told_of = told_of or (lambda: self.logs)
        self.logs: Logs = {}  # of the last batch: set by who runs it
        self.steps = 0

    def over(self, feed: Feed) -> Iterator[Batch]:
        """The batches of the next epoch; who is given one sets ``logs`` before asking for another."""
        for batch in feed.epoch():
            if self.steps % self.size == 0:
                for event in self.begins:
                    self.told.tell(event, self.steps, {})
            yield batch
            self.steps += feed.given
            if self.steps % self.size == 0 or self.interrupted:
                self._end()
                if self.stopped() or self.interrupted:
                    return
        if self.steps % self.size:
            self._end()

    def _end(self) -> None:
        # As in Keras an execution is told by its last batch, also where the data ended before that.
        last = -(-self.steps // self.size) * self.size - 1
        logs = self.told_of()
        for event in self.ends:
            self.told.tell(event, last, logs)
        if self.progress is not None:
            self.progress.update(self.steps, self.logs)
