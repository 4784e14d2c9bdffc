"""A learning rate for each epoch."""

from __future__ import annotations

from collections.abc import Callable

from .callback import Callback, Logs


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch to ``schedule(epoch, learning_rate)``."""

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        try:
            rate = self.schedule(epoch, optimizer.learning_rate)
        except TypeError:  # one that takes the epoch only
            rate = self.schedule(epoch)
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate
