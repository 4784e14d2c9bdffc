"""Going on after a crash."""

from __future__ import annotations

import os
from typing import Any

from autograd_core.files import clear_unfinished

from .. import distributed, saving
from ..checks import whole
from .callback import Callback, Logs


class BackupAndRestore(Callback):
    """Saves the whole state of a training after each epoch, and goes on from there when it is started again.

    A training of which it saves more often begins again with the epoch that was not complete, as Keras' does, from the
    weights that it had then.

    Restored are the weights, the optimizer's state, the generators behind shuffling and dropout, the history, and
    what the other callbacks remember (the patience that is left, the best value so far), so the result is the same
    to the last bit as that of a training that was never interrupted. A callback of one's own lists in ``remembers``
    the attributes to keep. A backup takes the place of the one before when it is complete.

    Parameters
    ----------
    backup_dir : path
        A folder of its own, which is made where it is missing.
    save_freq : str or int
        "epoch", or after how many batches to save, a whole number from 1 on.
    double_checkpoint : bool
        Whether the backup before the last is kept as well, to go on from where the last one cannot be read. A
        backup is replaced when the next one is complete, so this is for disks that lose what was written.
    delete_checkpoint : bool
        Whether the backup is deleted when all epochs are done, and the folder when it is empty then; the backup of an
        interrupted training is kept.

    Raises
    ------
    ValueError
        Unless ``save_freq`` is "epoch" or a whole number from 1 on, and without a ``backup_dir``.
    ModelFileError
        When training begins, where the backup is of another model (a ValueError).

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.linspace(-1, 1, 32)[:, None]
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> backup = nn.callbacks.BackupAndRestore(folder)
    >>> history = model.fit(x, 2 * x, epochs=2, verbose=0, callbacks=[backup])
    >>> len(history.history["loss"])
    2
    """

    last = True  # after all that is to be saved has happened

    def __init__(
        self,
        backup_dir: Any,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        if save_freq != "epoch":
            whole(save_freq, "save_freq, unless it is 'epoch'", 1)
        if not backup_dir:
            raise ValueError(f"backup_dir: expected a folder for the backup, got {backup_dir!r}")
        self.backup_dir, self.save_freq, self.delete_checkpoint = os.fspath(backup_dir), save_freq, delete_checkpoint
        self.double_checkpoint = double_checkpoint
        self.path = os.path.join(self.backup_dir, "training.autograd")
        # The last backup, and the one before it.
        self.paths = [self.path, os.path.join(self.backup_dir, "before.autograd")][: 1 + double_checkpoint]
        self.resume_from = self.epoch = self.seen = self.saved = 0
        self.others: list[Callback] = []

    def set_others(self, others: list[Callback]) -> None:
        self.others = others

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.resume_from = 0
        backups = distributed.from_first(self._prepare, "looking for a backup")
        for path in backups:
            try:
                self.resume_from = saving.restore_training(self.model, path, self.others)
                break
            except (OSError, saving.ModelFileError):
                if path == backups[-1]:
                    raise
        if backups and self.model.stop_training:  # it was killed after its last epoch
            self.resume_from = self.params["epochs"]

    def _prepare(self) -> list[str]:
        """Make the folder tidy; the backups in it, the last first."""
        os.makedirs(self.backup_dir, exist_ok=True)
        clear_unfinished(self.path)  # what a killed training was writing
        return [path for path in self.paths if os.path.exists(path)]

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch, self.seen = epoch, -1

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.saved, self.seen = self.saved + batch - self.seen, batch
        if not isinstance(self.save_freq, str) and self.saved >= self.save_freq:
            self.saved = 0
            self._save(self.epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch + 1)

    def _save(self, epoch: int) -> None:
        if self.double_checkpoint and not distributed.rank() and os.path.exists(self.path):
            os.replace(self.path, self.paths[1])
        saving.save_training(self.model, self.path, epoch, self.others)

    def on_train_end(self, logs: Logs | None = None) -> None:
        done = self.model.history.epoch and self.model.history.epoch[-1] + 1 >= self.params["epochs"]
        unused = self.delete_checkpoint and (done or self.model.stop_training) and not distributed.rank()
        for path in self.paths if unused else ():
            if os.path.exists(path):
                os.remove(path)
                if not os.listdir(self.backup_dir):
                    os.rmdir(self.backup_dir)
