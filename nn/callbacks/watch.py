"""Watching a network learn: how large the gradients and the activations of each layer are."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.optional import needed

from ..layers.layer import Layer
from ..tensors import plain
from .callback import Callback, Logs


class Watch(Callback):
    """Records statistics of each layer, averaged over each epoch; made by `watch`.

    ``layers`` are the names in order. For each name and each statistic there is a list with one number an epoch:

    - ``gradients[name]``: the mean magnitude of the loss's gradient with respect to the layer's weights;
    - ``means[name]``, ``spreads[name]``: mean and standard deviation of what the layer gives;
    - ``zeros[name]``: the share of exact zeros in it (1.0 for a layer of dead ReLUs).

    NaN stands where nothing was computed: a layer without weights has no gradients.

    TypeError for what is no layer; `plot` raises ValueError before a training.

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

    eager = True
    remembers = ("layers", "gradients", "means", "spreads", "zeros")

    def __init__(self, model: Any) -> None:
        if not isinstance(model, Layer):
            raise TypeError(f"watch: expected the model (or a layer) to watch, got {type(model).__name__}")
        self.watched = model
        self.layers: list[str] = []
        self.gradients: dict[str, list[float]] = {}
        self.means: dict[str, list[float]] = {}
        self.spreads: dict[str, list[float]] = {}
        self.zeros: dict[str, list[float]] = {}
        self._seen: dict[str, dict[str, list[float]]] = {}
        self._wrapped: list[Layer] = []

    @property
    def _innermost(self) -> list[Layer]:
        return [layer for layer in self.watched.walk_layers() if not layer.sublayers]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.layers = []
        self.gradients, self.means, self.spreads, self.zeros = {}, {}, {}, {}

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._seen = {layer.name: {} for layer in self._innermost}

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        for layer in self._innermost:
            layer.call = self._watching(layer, layer.call)  # type: ignore[method-assign]
            self._wrapped.append(layer)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._unwrap()
        for layer in self._innermost:
            sizes = [np.abs(w.grad) for w in layer.trainable_weights if w.grad is not None]
            if sizes:
                mean = sum(float(np.sum(s, dtype=np.float64)) for s in sizes) / sum(s.size for s in sizes)
                self._note(layer, "gradients", mean)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        for layer in self._innermost:
            if layer.name not in self.layers:
                self.layers.append(layer.name)
            for statistic in ("gradients", "means", "spreads", "zeros"):
                values = self._seen.get(layer.name, {}).get(statistic)
                mean = float(np.mean(values)) if values else float("nan")
                getattr(self, statistic).setdefault(layer.name, []).append(mean)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._unwrap()  # a training that was interrupted in the middle of a batch

    def _unwrap(self) -> None:
        while self._wrapped:
            vars(self._wrapped.pop()).pop("call", None)

    def _watching(self, layer: Layer, call: Any) -> Any:
        def watched(*args: Any, **kwargs: Any) -> Any:
            out = call(*args, **kwargs)
            values = plain(out)
            self._note(layer, "means", float(np.mean(values, dtype=np.float64)))
            self._note(layer, "spreads", float(np.std(values, dtype=np.float64)))
            self._note(layer, "zeros", float(np.mean(values == 0)))
            return out

        return watched

    def _note(self, layer: Layer, statistic: str, value: float) -> None:
        self._seen.setdefault(layer.name, {}).setdefault(statistic, []).append(value)

    def plot(self) -> Any:
        """Draw gradients and activations over the depth of the network, a line an epoch; a Matplotlib figure.

        A gradient that vanishes falls from right to left by powers of ten. Later epochs are darker and thicker,
        and the first and the last are labelled.
        """
        if not self.layers:
            raise ValueError("there is nothing to plot: nothing was trained with this callback yet")
        figure = needed("matplotlib.figure", "A picture of the gradients", "plots").Figure(
            figsize=(10, 4), layout="constrained"
        )
        learning = [name for name in self.layers if np.isfinite(self.gradients[name]).any()]
        _lines(figure.add_subplot(1, 2, 1), self.gradients, learning, "mean |gradient| of the weights", "log")
        _lines(figure.add_subplot(1, 2, 2), self.spreads, self.layers, "standard deviation of the output", "linear")
        return figure


def watch(model: Any) -> Watch:
    """A callback that records how large the gradients and the activations of each layer are, for each epoch.

    TypeError for what is no model or layer.

    >>> import numpy as np, nn
    >>> layers = [nn.layers.Dense(3, "tanh", name="a"), nn.layers.Dense(2, "softmax", name="b")]
    >>> model = nn.Sequential([nn.Input(shape=(2,)), *layers])
    >>> model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    >>> watching = nn.watch(model)
    >>> history = model.fit(np.ones((8, 2)), np.arange(8) % 2, epochs=2, verbose=0, callbacks=[watching])
    >>> watching.layers, len(watching.gradients["a"])
    (['a', 'b'], 2)
    """
    return Watch(model)


def _lines(axes: Any, values: dict[str, list[float]], names: list[str], label: str, scale: str) -> None:
    epochs = len(values[names[0]]) if names else 0
    places = range(len(names))
    for epoch in range(epochs):
        age = (epoch + 1) / epochs
        axes.plot(
            places,
            [values[name][epoch] for name in names],
            marker="o",
            markersize=2 + 3 * age,
            linewidth=0.5 + 2 * age,
            color=str(0.75 * (1 - age)),
            label=f"epoch {epoch + 1}" if epoch in (0, epochs - 1) else None,
        )
    axes.set_xticks(list(places), names, rotation=30, ha="right")
    axes.set_yscale(scale)
    axes.set_ylabel(label)
    axes.set_xlabel("layer, from input to output")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if epochs:
        axes.legend(frameon=False)
