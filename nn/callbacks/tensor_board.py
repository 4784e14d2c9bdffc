"""Curves and histograms for TensorBoard."""

from __future__ import annotations

import itertools
import os
import time
import warnings
from typing import Any

import numpy as np

from autograd_core.arrays import to_numpy
from autograd_core.caller import level_of_caller
from autograd_core.optional import needed

from ..checks import whole
from ..tensors import plain
from .callback import Callback, Logs

# Tells files apart that one process begins in one second; the name that tensorboardX gives them ends at the second.
_files = itertools.count()


class TensorBoard(Callback):
    """Writes TensorBoard's event files: the measured values of each epoch, in ``train`` and ``validation``.

    The tags are Keras': ``epoch_loss``, ``epoch_learning_rate``, ``evaluation_loss_vs_iterations``, ``batch_loss``.

    Each training writes files of its own beside those that are there.

    Parameters
    ----------
    log_dir : path
        A folder, which is made where it is missing.
    histogram_freq : int
        After how many epochs to add a histogram of each weight, of what in it is a finite number; 0: never.
    write_graph : bool
        Whether to write which layers the model has and how they are connected, as Keras does, of a Sequential and of
        a ``Model(inputs, outputs)``. What a class of one's own computes in its ``call`` is not known.
    write_images : bool
        Whether weights are shown as pictures, where there are histograms.
    write_steps_per_second : bool
        Whether to add how many steps a second are made, for each epoch, and how many executions a second.
    update_freq : str or int
        "epoch", or to add the running values in between "batch" or a whole number of batches from 1 on.
    profile_batch, embeddings_freq : int
        0, because neither is written; `Schedule.profile` tells where the time of a step goes.
    embeddings_metadata : optional
        None.

    Raises
    ------
    ValueError
        For a number below its first, and where a profile or embeddings are asked for.
    ImportError
        Without tensorboardX.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.linspace(-1, 1, 32)[:, None]
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> board = nn.callbacks.TensorBoard(log_dir=folder)  # doctest: +SKIP
    >>> history = model.fit(x, 2 * x, verbose=0, callbacks=[board])  # doctest: +SKIP
    """

    writes = True

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: int = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ):
        for name, asked, instead in (
            ("profile_batch", profile_batch, "use model.schedule.profile(…)"),
            ("embeddings_freq", embeddings_freq, "save the weights with ModelCheckpoint"),
            ("embeddings_metadata", embeddings_metadata, "save the weights with ModelCheckpoint"),
        ):
            if asked:
                raise ValueError(
                    f"{name}: expected none, because TensorBoard here writes no such, got {asked!r}; {instead}"
                )
        if update_freq not in ("epoch", "batch"):
            whole(update_freq, "update_freq, unless it is 'epoch' or 'batch'", 1)
        self.log_dir, self.update_freq, self.write_graph = os.fspath(log_dir), update_freq, write_graph
        self.histogram_freq = whole(histogram_freq, "histogram_freq")
        self.write_images, self.write_steps_per_second = write_images, write_steps_per_second
        self.writers: dict[str, Any] = {}
        self.step = self.before = 0
        self.begun = self.batch_begun = 0.0

    def writer(self, part: str) -> Any:
        """The writer of the training's or the validation's event file."""
        if part not in self.writers:
            board = needed("tensorboardX", "TensorBoard", "tensorboard")
            self.writers[part] = board.SummaryWriter(
                os.path.join(self.log_dir, part), filename_suffix=f".{os.getpid()}.{next(_files)}"
            )
        return self.writers[part]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.writer("train")
        self.step = 0
        if self.write_graph and self.model.keras_module is not None:
            self._graph()

    def _graph(self) -> None:
        """Add the model's configuration, of which TensorBoard makes a drawing."""
        from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboardX.proto.tensor_pb2 import TensorProto

        try:
            described = self.model.to_json().encode()
        except (TypeError, ValueError) as error:  # it has something of one's own in it
            warnings.warn(f"TensorBoard shows no graph of {self.model.name!r}: {error}", stacklevel=level_of_caller())
            return
        kind = SummaryMetadata.PluginData(plugin_name="graph_keras_model", content=b"1")
        value = Summary.Value(
            tag="keras",
            metadata=SummaryMetadata(plugin_data=kind),
            tensor=TensorProto(dtype="DT_STRING", string_val=[described]),
        )
        self.writer("train").file_writer.add_summary(Summary(value=[value]), 0)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.before, self.begun = self.model.optimizer.iterations, time.perf_counter()

    def on_test_end(self, logs: Logs | None = None) -> None:
        for name, value in (logs or {}).items():
            step = int(self.model.optimizer.iterations)
            self.writer("validation").add_scalar(f"evaluation_{name}_vs_iterations", value, step)
        if "train" not in self.writers:  # no training closes them
            self.on_train_end()

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self.batch_begun = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.step += 1
        if self.write_steps_per_second:
            rate = 1 / max(time.perf_counter() - self.batch_begun, 1e-9)
            self.writer("train").add_scalar("batch_steps_per_second", rate, self.step)
        every = {"epoch": 0, "batch": 1}.get(self.update_freq, self.update_freq)
        if every and self.step % every == 0:
            for name, value in (logs or {}).items():
                self.writer("train").add_scalar(f"batch_{name}", value, self.step)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        measured = {**(logs or {}), "learning_rate": float(self.model.optimizer.learning_rate)}
        if self.write_steps_per_second:
            seconds = max(time.perf_counter() - self.begun, 1e-9)
            measured["steps_per_second"] = (self.model.optimizer.iterations - self.before) / seconds
        for name, value in measured.items():
            part = "validation" if name.startswith("val_") else "train"
            self.writer(part).add_scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for weight in self.model.weights:
                values = to_numpy(plain(weight))
                if self.write_images:
                    self._picture(f"{weight.path}/image", values, epoch)
                finite = values[np.isfinite(values)]  # there is no bar for NaN
                if finite.size:
                    self.writer("train").add_histogram(f"{weight.path}/histogram", finite, epoch)
        for writer in self.writers.values():
            writer.flush()

    def _picture(self, name: str, values: Any, epoch: int) -> None:
        """Add a weight of at most three axes as pictures, its smallest number black and its largest white."""
        values = np.squeeze(values)
        if values.ndim > 3 or not values.size or not np.isfinite(values).all():
            return
        pictures = np.moveaxis(values, -1, 0) if values.ndim == 3 else np.atleast_2d(values)[None]
        pictures = (pictures - pictures.min()) / (float(np.ptp(pictures)) or 1.0)
        self.writer("train").add_images(name, pictures[..., None], epoch, dataformats="NHWC")

    def on_train_end(self, logs: Logs | None = None) -> None:
        for writer in self.writers.values():
            writer.close()
        self.writers.clear()
