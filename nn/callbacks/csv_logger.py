"""What was measured, as a table in a file."""

from __future__ import annotations

import csv
import os
from typing import Any

from .callback import Callback, Logs


class CSVLogger(Callback):
    """Writes a line for each epoch; ``append`` adds to what is in the file."""

    def __init__(self, filename: Any, separator: str = ",", append: bool = False):
        self.filename, self.separator, self.append = os.fspath(filename), separator, append
        self.writer: Any = None
        self.file: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        continues = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self.file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")  # noqa: SIM115 -- open while training
        self.writer, self.header = None, not continues

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if self.writer is None:
            names = ["epoch", *sorted(logs)]
            self.writer = csv.DictWriter(self.file, names, "NA", "ignore", delimiter=self.separator)
            if self.header:
                self.writer.writeheader()
        self.writer.writerow({"epoch": epoch, **logs})
        self.file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        self.file.close()
