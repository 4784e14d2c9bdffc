"""Watching one of the measured values."""

from __future__ import annotations

import re
import warnings
from typing import Any

from ..checks import number
from ..config import suggest
from .callback import Callback, Logs

# The last word of a name that says which way is better, where no metric does.
UP = {"acc", "accuracy", "precision", "recall", "auc"}
DOWN = {"loss", "error", "mse", "mae"}


class Monitor(Callback):
    """A callback that compares the ``monitor`` value of an epoch with the best so far.

    ``mode`` is "min", "max", or "auto": the metric says which way is better (see `nn.metrics.Metric`), a loss is better
    when it is smaller, and of a metric that does not say, or a value that a callback adds, the last word of the name
    does, as in ``my_accuracy``. ValueError when training begins where none of them does.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0):
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode: expected 'auto', 'min' or 'max', got {mode!r}")
        if not isinstance(monitor, str):
            raise TypeError(f"monitor: expected the name of what is measured, such as 'val_loss', got {monitor!r}")
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(number(min_delta, "min_delta"))
        self.larger: bool | None = None
        self.best: float | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.larger = self.larger_is_better()

    def larger_is_better(self) -> bool:
        """Which way is better; ValueError where nothing tells."""
        if self.mode != "auto":
            return self.mode == "max"
        of = self.model
        measured = dict(zip(of.metrics_names, of.metrics, strict=True)) if hasattr(of, "metrics_names") else {}
        name = self.monitor.removeprefix("val_")
        direction = getattr(measured.get(name), "direction", None)
        word = re.split(r"[\W_]+", re.sub(r"_\d+$", "", name).lower())[-1]
        if direction is None and (word in UP or word in DOWN):
            direction = "up" if word in UP else "down"
        if direction is None:
            there = {*measured, *(f"val_{n}" for n in measured)}
            raise ValueError(
                f"{type(self).__name__} watches {self.monitor!r}, and nothing says whether more of it is better; pass "
                f"mode='max' or mode='min'"
                + ("" if name in measured else f". No metric of the model is called so; {suggest(self.monitor, there)}")
            )
        return bool(direction == "up")

    def value_in(self, logs: Logs | None) -> float | None:
        """The watched value, or None with a warning that says what there is."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which was not measured in this epoch; "
                f"{suggest(self.monitor, logs or {})}",
                stacklevel=2,
            )
        return value

    def better(self, value: float, than: Any) -> bool:
        """Whether ``value`` is better by more than ``min_delta``."""
        if than is None:
            return True
        if self.larger is None:
            self.larger = self.larger_is_better()
        return value - self.min_delta > than if self.larger else value + self.min_delta < than
