"""What was measured, as a table in a file."""

from __future__ import annotations

import csv
import io
import os
from typing import Any

from autograd_core.files import written_whole

from .callback import Callback, Logs


class CSVLogger(Callback):
    """Writes a line for each epoch.

    A value that was not measured in an epoch is NA. What is measured for the first time, such as a validation every
    second epoch, gets a column beside those that are there.

    Parameters
    ----------
    filename : path
        The file to write.
    separator : str
        One character.
    append : bool
        Whether to add to what is in the file, as a training that goes on does anyway.

    Raises
    ------
    ValueError
        Unless ``separator`` is one character, or where the file to append to has other headings than such a table.
    OSError
        Where the file cannot be written.

    Examples
    --------
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
            raise ValueError(f"separator: expected one character, got {separator!r}")
        self.filename, self.separator, self.append = os.fspath(filename), separator, append
        self.columns: list[str] | None = None
        self.end = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.columns = None
        self.end = 0  # where the last complete line ends
        if self.append and self._size():
            self._headings()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if self.columns is None:
            self.columns = self._begin()
        new = sorted(logs.keys() - set(self.columns))
        if new:
            self._widen(new)
        with open(self.filename, "a", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.separator).writerow(
                [epoch if name == "epoch" else logs.get(name, "NA") for name in self.columns]
            )
        self.end = self._size()

    def _begin(self) -> list[str]:
        """The headings of the file that is gone on with, or of one that is new and empty."""
        size = self._size()
        restored = 0 < self.end <= size
        if not restored and not (self.append and size):
            open(self.filename, "w").close()
            return []
        with open(self.filename, "rb+") as file:
            if restored:  # a line of an epoch that is trained again goes
                file.truncate(self.end)
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        return self._headings()

    def _headings(self) -> list[str]:
        with open(self.filename, newline="", encoding="utf-8") as file:
            first = next(csv.reader(file, delimiter=self.separator), [])
        if "epoch" not in first or len(set(first)) < len(first):
            raise ValueError(
                f"{self.filename}: expected the headings of a CSVLogger, one of which is 'epoch', got "
                f"{self.separator.join(first)!r}. Log to another file, or pass the separator that this one was written "
                "with"
            )
        return first

    def _widen(self, new: list[str]) -> None:
        """Add columns, in which all lines so far have NA."""
        assert self.columns is not None
        with open(self.filename, newline="", encoding="utf-8") as file:
            lines = list(csv.reader(file, delimiter=self.separator))
        if not self.columns:
            self.columns, lines = ["epoch"], [["epoch"]]
        width = len(self.columns)
        self.columns += new
        text = io.StringIO(newline="")
        table = csv.writer(text, delimiter=self.separator)
        table.writerow(self.columns)
        table.writerows([*line[:width], *["NA"] * (len(self.columns) - len(line[:width]))] for line in lines[1:])
        with written_whole(self.filename) as file:
            file.write(text.getvalue().encode())

    def _size(self) -> int:
        return os.path.getsize(self.filename) if os.path.exists(self.filename) else 0
