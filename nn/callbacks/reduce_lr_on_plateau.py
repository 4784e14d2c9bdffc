"""Smaller steps when it gets no better."""

from __future__ import annotations

from typing import Any

from ..checks import number, whole
from .callback import Logs
from .monitor import Monitor


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by ``factor`` after ``patience`` epochs without a better value.

    A value that is not measured is warned of, as in Keras.

    Parameters
    ----------
    monitor : str
        The name of the value, as in `History`.
    factor : float
        From 0 on and below 1.
    patience : int
        A whole number of epochs from 0 on.
    verbose : int
        1 says when the rate changes.
    mode : str
        "min", "max" or "auto", which asks the metric.
    min_delta : float
        By how much a value must be better to count.
    cooldown : int
        How many epochs after a change are not counted, from 0 on.
    min_lr : float
        What the rate does not fall below, from 0 on.

    Raises
    ------
    ValueError
        Unless ``factor`` is from 0 on and below 1, ``patience`` and ``cooldown`` are whole numbers from 0 on, and
        ``min_lr`` is from 0 on.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.linspace(-1, 1, 32)[:, None]
    >>> slower = nn.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.1, patience=1, min_delta=10.0)
    >>> history = model.fit(x, 2 * x, epochs=2, verbose=0, callbacks=[slower])
    >>> round(float(model.optimizer.learning_rate), 6)
    0.001
    """

    remembers = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ):
        super().__init__(monitor, mode, min_delta)
        self.factor = number(factor, "factor of ReduceLROnPlateau", 0, 1, below=True)
        self.patience, self.verbose = whole(patience, "patience"), verbose
        self.cooldown, self.min_lr = whole(cooldown, "cooldown"), number(min_lr, "min_lr", 0)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        super().on_train_begin(logs)
        self.best, self.wait, self.cooldown_counter = None, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = {} if logs is None else logs
        optimizer: Any = self.model.optimizer
        logs["learning_rate"] = float(optimizer.learning_rate)
        value = self.value_in(logs)
        if value is None:
            return
        if self.cooldown_counter:
            self.cooldown_counter, self.wait = self.cooldown_counter - 1, 0
        if self.better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.cooldown_counter:
            self.wait += 1
            old = float(optimizer.learning_rate)
            if self.wait >= self.patience and old > self.min_lr:
                new = optimizer.learning_rate = max(old * self.factor, self.min_lr)
                if self.verbose:
                    print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
                self.cooldown_counter, self.wait = self.cooldown, 0
