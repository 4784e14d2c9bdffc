"""Watching one of the measured values."""

from __future__ import annotations

import warnings
from typing import Any

from ..checks import number
from ..config import near
from .callback import Callback, Logs

# Parts of the names of values that are better when they are larger.
LARGER = ("acc", "precision", "recall", "auc", "top_k")


class Monitor(Callback):
    """A callback that compares the ``monitor`` value of an epoch with the best so far.

    ``mode`` is "min", "max", or "auto": larger is better for accuracies, precision and recall.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0):
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode is 'auto', 'min' or 'max'; {mode!r} came")
        if not isinstance(monitor, str):
            raise TypeError(f"monitor is the name of what is measured, such as 'val_loss'; {monitor!r} came")
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(number(min_delta, "min_delta"))
        self.larger = mode == "max" or (mode == "auto" and any(part in monitor for part in LARGER))
        self.best: float | None = None

    def value_in(self, logs: Logs | None) -> float | None:
        """The watched value, or None with a warning that says what there is."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which was not measured in this epoch; "
                f"{near(self.monitor, logs or {})}",
                stacklevel=2,
            )
        return value

    def better(self, value: float, than: Any) -> bool:
        """Whether ``value`` is better by more than ``min_delta``."""
        if than is None:
            return True
        return value - self.min_delta > than if self.larger else value + self.min_delta < than
