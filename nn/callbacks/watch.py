"""Watching a network learn: how large the gradients, the outputs and the updates of each layer are."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import checks
from ..layers.layer import Layer
from ..watching import measures
from ..watching.look import Look
from .callback import Callback, Logs

MOST = 256  # how many steps are remembered
MOST_EPOCHS = 2048  # and the losses of how many epochs


class Watch(Callback):
    """Looks at each layer in the first step of each epoch; made by `watch`.

    In such a step the layers' own code runs, to look into it; all others are replayed as ever. What it saw is of the
    weights before that step: that of the first epoch is of the network as it was initialized. ``layers`` are the
    names in the order in which they were first called, ``places`` the steps that were looked at, ``[epoch, step]`` from
    0. For each name and each statistic there is a list with one number for each of these:

    - ``gradients[name]``: the mean magnitude of the loss's gradient, before any clipping, with respect to the layer's
      weights, and
      ``gradient_norms[name]`` its Euclidean norm;
    - ``updates[name]``: by how much the step changes the layer's weights, norm of the change over norm of the weights;
    - ``means[name]``, ``spreads[name]``: mean and standard deviation of what the layer gives;
    - ``zeros[name]``: the share of exact zeros in it;
    - ``dead[name]``: the share of its units that gave 0 for all examples of the batch.

    NaN stands where nothing was computed: a layer without weights, or a frozen one, has no gradients.

    At most 256 steps are remembered, a kilobyte for each layer. Of more, every second is forgotten, and from then on
    only every second looked at, which a long training halves again and again (``interval``). A layer of ours that holds
    others, such as a `LSTM`, is one; models and layers of one's own are looked into. With ``steps_per_execution`` a
    step is an execution: outputs are those of all its batches, the gradient that of the last, the change of weights the
    mean over its steps.

    TypeError for what is no layer, ValueError unless ``every`` is None or a whole number from 1 on; `plot` and `save`
    raise ValueError before a training.

    >>> import nn
    >>> from nn.callbacks.watch import watch
    >>> layers = [nn.layers.Dense(4, "relu", name="hidden"), nn.layers.Dense(1)]
    >>> model = nn.Sequential([nn.Input(shape=(2,)), *layers])
    >>> model.compile("sgd", "mse")
    >>> watching = watch(model)
    >>> history = model.fit(np.ones((8, 2)), np.ones(8), epochs=3, verbose=0, callbacks=[watching])
    >>> len(watching.zeros["hidden"]), 0 <= watching.zeros["hidden"][0] <= 1
    (3, True)
    """

    remembers = (
        "layers", "places", "records", "interval", "candidates", "step", "epochs", "losses", "epochs_interval",
        "epochs_seen",
    )  # fmt: skip

    def __init__(self, model: Any, every: int | None = None) -> None:
        if not isinstance(model, Layer):
            raise TypeError(f"watch: expected the model (or a layer) to watch, got {type(model).__name__}")
        self.watched = model
        self.every = None if every is None else checks.whole(every, "every, unless it is None", 1)
        self._look: Look | None = None  # the step at hand, if it is looked into
        self._begin()

    def _begin(self) -> None:
        self.layers: list[str] = []
        self.places: list[list[int]] = []
        self.records: list[Any] = []  # of each place an array: a row for each layer that was known then
        self.interval, self.candidates, self.step = 1, 0, 0
        # The losses of epochs: each number, and those of validation, None where there is none.
        self.epochs: list[int] = []
        self.losses: list[list[float | None]] = []
        self.epochs_interval, self.epochs_seen = 1, 0
        self.epoch, self._first = 0, True

    # -- what was seen ---------------------------------------------------------------------------------

    @property
    def seen(self) -> Any:
        """All rows, (steps, layers, numbers); NaN where a layer was not there yet."""
        found = np.full((len(self.records), len(self.layers), measures.WIDTH), np.nan)
        for into, record in zip(found, self.records, strict=True):
            into[: len(record)] = record
        return found

    def _by_name(self, values: Any) -> dict[str, list[float]]:
        return {name: [float(v) for v in values[:, i]] for i, name in enumerate(self.layers)}

    def _statistic(self, name: str) -> dict[str, list[float]]:
        return self._by_name(self.seen[..., measures.AT[name]])

    @property
    def gradients(self) -> dict[str, list[float]]:
        """Mean magnitudes of gradients."""
        return self._statistic("gradient")

    @property
    def gradient_norms(self) -> dict[str, list[float]]:
        """Euclidean norms of gradients."""
        return self._statistic("gradient_norm")

    @property
    def updates(self) -> dict[str, list[float]]:
        """Changes of weights, relative to the weights."""
        return self._by_name(measures.ratio(self.seen))

    @property
    def means(self) -> dict[str, list[float]]:
        """Means of outputs."""
        return self._statistic("mean")

    @property
    def spreads(self) -> dict[str, list[float]]:
        """Standard deviations of outputs."""
        return self._statistic("spread")

    @property
    def zeros(self) -> dict[str, list[float]]:
        """Shares of exact zeros in outputs."""
        return self._statistic("zeros")

    @property
    def dead(self) -> dict[str, list[float]]:
        """Shares of units that gave 0 for all examples."""
        seen = self.seen
        return self._by_name(seen[..., measures.AT["dead"]] / seen[..., measures.AT["units"]])

    # -- when to look ----------------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._begin()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch, self._first = epoch, True

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        if self._first if self.every is None else self.step % self.every == 0:
            if self.candidates % self.interval == 0:
                self._look = Look(self.model, self.watched)
            self.candidates += 1
        self._first = False

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._look is not None:
            self._take(self._look)
        self.step += 1

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.epochs_seen % self.epochs_interval == 0:
            found = ((logs or {}).get(name) for name in ("loss", "val_loss"))
            self.epochs.append(epoch)
            self.losses.append([None if loss is None else float(loss) for loss in found])
            self.epochs_interval = _thin(MOST_EPOCHS, self.epochs_interval, self.epochs, self.losses)
        self.epochs_seen += 1

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._stop()  # a training that was interrupted in the middle of a batch

    def _take(self, look: Look) -> None:
        """Measure the step that was just made, and leave the model as it was."""
        self.records.append(look.record(self.layers))
        self.places.append([self.epoch, self.step])
        self.interval = _thin(MOST, self.interval, self.records, self.places)
        self._stop()

    def _stop(self) -> None:
        if self._look is not None:
            self._look.close()
        self._look = None

    # -- showing ---------------------------------------------------------------------------------------

    def plot(self, dark: bool = False) -> Any:
        """Draw the sizes of gradients, updates and outputs of each layer; a Matplotlib figure.

        Each layer is a row, the first at the top, and sizes are powers of ten: where gradients vanish on the way back,
        the line leans to the left at the top. At most five steps are drawn, from the first, the palest, to the last.

        Parameters
        ----------
        dark : bool
            Whether it is light on a dark ground.
        """
        self._check("plot")
        from ..watching.plot import plot

        return plot(self, dark)

    def save(self, path: Any, beside: Watch | None = None) -> Any:
        """Write a page that tells the training, epoch by epoch: one file, to look at in a browser without a network.

        Parameters
        ----------
        path : path
            It ends in .html.
        beside : Watch, optional
            That of another training, which is shown beside this one on the same scales. A run is called as its model.

        Returns
        -------
        pathlib.Path
            The path.

        Raises
        ------
        ValueError
            Before a training, and for another ending.
        TypeError
            For something else to show beside it.
        """
        from ..watching.page import save  # circle: pictures are of models, whose trainings have callbacks

        for run in (self, beside):
            if run is not None and not isinstance(run, Watch):
                raise TypeError(f"beside: expected what nn.watch(model) gave, of another training, got {run!r}")
            if run is not None:
                run._check("show")
        return save(path, [self] if beside is None else [self, beside])

    def _repr_html_(self) -> str | None:
        from ..watching.page import to_notebook  # circle: pictures are of models, whose trainings have callbacks

        return to_notebook(self) if self.records else None

    def _check(self, what: str) -> None:
        if not self.records:
            raise ValueError(f"there is nothing to {what}: nothing was trained with this callback yet")


def _thin(most: int, interval: int, *kept: list[Any]) -> int:
    """Drop every second of what is kept while that is more than ``most``; gives the interval from then on.

    What was the ``n * interval``-th stays so, because the first is kept.

    >>> kept = [0, 2, 4, 6, 8]
    >>> _thin(4, 2, kept), kept
    (4, [0, 4, 8])
    """
    while any(len(values) > most for values in kept):
        for values in kept:
            values[:] = values[::2]
        interval *= 2
    return interval


def watch(model: Any, every: int | None = None) -> Watch:
    """A callback that looks at how large the gradients, outputs and updates of each layer are, as it trains.

    Parameters
    ----------
    model : Layer
        The model, or a layer in it.
    every : int, optional
        After how many steps to look; None for the first step of each epoch.

    Returns
    -------
    Watch
        To be passed to ``fit(callbacks=[…])``; afterwards ``.save("training.html")`` tells the training.

    Raises
    ------
    TypeError
        For what is no model or layer.
    ValueError
        Unless ``every`` is None or a whole number from 1 on.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layers = [nn.layers.Dense(3, "tanh", name="a"), nn.layers.Dense(2, "softmax", name="b")]
    >>> model = nn.Sequential([nn.Input(shape=(2,)), *layers])
    >>> model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    >>> watching = nn.watch(model)
    >>> history = model.fit(np.ones((8, 2)), np.arange(8) % 2, epochs=2, verbose=0, callbacks=[watching])
    >>> watching.layers, len(watching.gradients["a"])
    (['a', 'b'], 2)
    """
    return Watch(model, every)
