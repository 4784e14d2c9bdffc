"""Stopping when the loss is no number any more."""

from __future__ import annotations

import math

from .callback import Callback, Logs


class TerminateOnNaN(Callback):
    """Stops the training after a batch whose loss is NaN or infinite."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True
