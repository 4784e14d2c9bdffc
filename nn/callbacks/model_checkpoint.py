"""Saving while training."""

from __future__ import annotations

import os
from typing import Any

from .. import saving
from ..checks import whole
from .callback import Logs
from .monitor import Monitor


class ModelCheckpoint(Monitor):
    """Saves the model after each epoch, after so many batches, or only when it is the best so far.

    Parameters
    ----------
    filepath : path or file object
        May name the epoch and what was measured: ``"{epoch:02d}-{val_loss:.2f}.keras"``. Its ending says
        the format, as for `nn.models.save_model` and, with ``save_weights_only``, for `nn.saving.save_weights`.
    monitor : str
        The name of the value that ``save_best_only`` looks at, as in `History`.
    verbose : int
        1 says what was saved.
    save_best_only : bool
        Whether to save only when the value is better than any before; one that is not measured is warned of, and the
        model is saved.
    save_weights_only : bool
        Whether to save the weights without the model.
    mode : str
        "min", "max" or "auto", which asks the metric.
    save_freq : str or int
        "epoch", or a whole number of batches from 1 on.
    initial_value_threshold : float, optional
        What the first value must be better than; None: nothing.

    Raises
    ------
    ValueError
        Unless ``save_freq`` is "epoch" or a whole number from 1 on.
    KeyError
        In training, for a name in ``filepath`` that was not measured.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.linspace(-1, 1, 32)[:, None]
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "best.zip"
    >>> best = nn.callbacks.ModelCheckpoint(file, monitor="loss", save_best_only=True)
    >>> history = model.fit(x, 2 * x, epochs=2, verbose=0, callbacks=[best])
    >>> np.array_equal(nn.models.load_model(file).get_weights()[0], model.get_weights()[0])
    True
    """

    remembers = ("best", "seen")
    writes = True

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode)
        if save_freq != "epoch":
            whole(save_freq, "save_freq, unless it is 'epoch'", 1)
        saving.is_keras(filepath, weights=save_weights_only)  # a name that is no good is told before the training
        self.filepath, self.verbose = os.fspath(filepath), verbose
        self.save_best_only, self.save_weights_only, self.save_freq = save_best_only, save_weights_only, save_freq
        self.best = initial_value_threshold
        self.epoch = self.seen = 0
        self.last_batch = -1

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if self.save_best_only:
            super().on_train_begin(logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch, self.last_batch = epoch, -1

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        # Of several batches in one execution it is told of the last.
        self.seen, self.last_batch = self.seen + batch - self.last_batch, batch
        if self.save_freq != "epoch" and self.seen >= self.save_freq:
            self.seen = 0
            self._save(logs or {}, batch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(logs or {})

    def _save(self, logs: Logs, batch: int = 0) -> None:
        what = "saving model"
        if self.save_best_only:
            value = self.value_in(logs)  # without one there is nothing to compare, and better one file too many
            before = "None" if self.best is None else f"{self.best:.5f}"
            if value is not None and not self.better(value, self.best):
                self._say(f"{self.monitor} did not improve from {before}")
                return
            if value is not None:
                self.best = value
                what = f"{self.monitor} improved from {before} to {value:.5f}, {what}"
        try:
            path = self.filepath.format(epoch=self.epoch + 1, batch=batch + 1, **logs)
        except KeyError as error:
            raise KeyError(
                f"the filepath {self.filepath!r} names {error}, which was not measured; there are {', '.join(logs)}"
            ) from None
        self._say(f"{what} to {path}")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        self._say(f"finished saving model to {path}")

    def _say(self, message: str) -> None:
        if self.verbose:
            print(f"\nEpoch {self.epoch + 1}: {message}")
