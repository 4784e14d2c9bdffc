"""Stopping when the loss is no number any more."""

from __future__ import annotations

import math

from .callback import Callback, Logs


class TerminateOnNaN(Callback):
    """Stops the training after a batch whose loss is NaN or infinite.

    With ``raise_error`` it ends with a RuntimeError, and the backup of a `BackupAndRestore` is kept.

    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.layers.Dense(1)])
    >>> model.compile(nn.optimizers.SGD(learning_rate=1e30), "mse")
    >>> x = np.linspace(-1, 1, 32)[:, None]
    >>> with np.errstate(all="ignore"):
    ...     history = model.fit(x, 2 * x, epochs=100, verbose=0, callbacks=[nn.callbacks.TerminateOnNaN()])
    Batch ...: Invalid loss, terminating training
    >>> len(history.epoch) < 100
    True
    """

    def __init__(self, raise_error: bool = False):
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            if self.raise_error:
                raise RuntimeError(f"the loss of batch {batch}: expected a finite number, got {loss}; training ends")
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True
