"""Stopping when it gets no better."""

from __future__ import annotations

from typing import Any

from ..checks import number, whole
from .callback import Logs
from .monitor import Monitor


class EarlyStopping(Monitor):
    """Stops after ``patience`` epochs without a better value.

    A value that is not measured is warned of, as in Keras.

    Parameters
    ----------
    monitor : str
        The name of the value, as in `History`.
    min_delta : float
        By how much a value must be better to count.
    patience : int
        A whole number of epochs from 0 on.
    verbose : int
        1 says when training is stopped, and that weights are brought back.
    mode : str
        "min", "max" or "auto", which asks the metric.
    baseline : float, optional
        With one, only what is better than it counts as better.
    restore_best_weights : bool
        Whether the weights of the best epoch are brought back when training ends, stopped or run through.
    start_from_epoch : int
        How many epochs pass before values are looked at, from 0 on.

    Raises
    ------
    ValueError
        Unless ``patience`` and ``start_from_epoch`` are whole numbers from 0 on and ``mode`` is one of the three.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.linspace(-1, 1, 32)[:, None]
    >>> stop = nn.callbacks.EarlyStopping(monitor="loss", patience=2, min_delta=0.1)
    >>> history = model.fit(x, 2 * x, epochs=100, verbose=0, callbacks=[stop])
    >>> len(history.epoch) < 100
    True
    """

    remembers = ("best", "best_epoch", "wait", "stopped_epoch", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose = whole(patience, "patience"), verbose
        self.baseline = None if baseline is None else number(baseline, "baseline")
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = whole(start_from_epoch, "start_from_epoch")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        super().on_train_begin(logs)
        self.best, self.best_epoch, self.wait, self.stopped_epoch = None, 0, 0, 0
        self.best_weights: Any = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self.value_in(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
