"""What a training has measured."""

from __future__ import annotations

from typing import Any

from autograd_core.optional import needed

from ..config import suggest
from .callback import Callback, Logs


class Record(dict[str, list[float]]):
    """What was measured, a list for each name; asking for another name says which there are."""

    def __missing__(self, key: str) -> list[float]:
        if not self:
            raise KeyError(f"there is no {key!r} in this history: nothing was trained yet")
        raise KeyError(f"there is no {key!r} in this history; {suggest(str(key), self)}")


class History(Callback):
    """Collects the logs of all epochs; `Model.fit` returns it.

    ``history`` maps each name to a list with one value per epoch, ``epoch`` holds the numbers of the epochs. Asking
    ``history`` for what was not measured is a KeyError that says what was.

    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.linspace(-1, 1, 32)[:, None]
    >>> history = model.fit(x, 2 * x, epochs=3, verbose=0)
    >>> history.epoch, list(history.history), len(history.history["loss"])
    ([0, 1, 2], ['loss'], 3)
    """

    def __init__(self) -> None:
        self.history: Record = Record()
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.history, self.epoch = Record(), []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def plot(self, *names: str) -> Any:
        """Draw curves, a panel for each name with its validation beside it, and return the Matplotlib figure."""
        plt = needed("matplotlib.pyplot", "A picture of the curves", "plots")
        panels = list(names) or [n for n in self.history if not n.startswith("val_")]
        if not panels:
            raise ValueError("there is nothing to plot: nothing was trained yet")
        figure, axes = plt.subplots(1, len(panels), figsize=(5 * len(panels), 3.5), squeeze=False, layout="constrained")
        for axis, name in zip(axes[0], panels, strict=True):
            epochs = [e + 1 for e in self.epoch]
            axis.plot(epochs, self.history[name], label=name)
            if f"val_{name}" in self.history:
                validated = self.history[f"val_{name}"]
                axis.plot(epochs[-len(validated) :], validated, "--", label=f"val_{name}")
            axis.set_xlabel("epoch")
            axis.set_ylabel(name)
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.grid(alpha=0.3)
            axis.legend()
        return figure

    def __repr__(self) -> str:
        return f"<History of {len(self.epoch)} epochs: {', '.join(self.history) or 'nothing measured'}>"
