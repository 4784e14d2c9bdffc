"""What was measured, as a table in a file."""

from __future__ import annotations

import csv
import os
from typing import Any

from .callback import Callback, Logs


class CSVLogger(Callback):
    """Writes a line for each epoch; ``append`` adds to what is in the file, and so does a training that goes on.

    ValueError unless ``separator`` is one character; OSError where the file cannot be written.

    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.linspace(-1, 1, 32)[:, None]
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "log.csv"
    >>> history = model.fit(x, 2 * x, epochs=3, verbose=0, callbacks=[nn.callbacks.CSVLogger(file)])
    >>> file.read_text().splitlines()[0], len(file.read_text().splitlines())
    ('epoch,loss', 4)
    """

    remembers = ("end",)
    writes = True

    def __init__(self, filename: Any, separator: str = ",", append: bool = False):
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"separator is one character; {separator!r} came")
        self.filename, self.separator, self.append = os.fspath(filename), separator, append
        self.writer: Any = None
        self.file: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.file = self.writer = None
        self.end = 0  # where the last complete line ends

    def _open(self) -> bool:
        """Open the file for what comes; whether it needs a header first."""
        size = os.path.getsize(self.filename) if os.path.exists(self.filename) else 0
        restored = 0 < self.end <= size
        mode = "r+" if restored else "a" if self.append else "w"
        self.file = open(self.filename, mode, newline="", encoding="utf-8")  # noqa: SIM115 -- open while training
        if restored:  # a line of an epoch that is trained again goes
            self.file.seek(self.end)
            self.file.truncate()
        return not restored and not (self.append and size)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if self.writer is None:
            header, names = self._open(), ["epoch", *sorted(logs)]
            self.writer = csv.DictWriter(self.file, names, "NA", "ignore", delimiter=self.separator)
            if header:
                self.writer.writeheader()
        self.writer.writerow({"epoch": epoch, **logs})
        self.file.flush()
        self.end = os.fstat(self.file.fileno()).st_size

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.file is not None:
            self.file.close()
