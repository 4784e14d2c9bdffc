"""The main job, from one multiplication to a network that reads: ``autograd demo``."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from .. import Tensor, explain, sigmoid
from .. import draw as draw_graph
from ..siblings import sibling

MAX_MISTAKES = 20


def run(options: argparse.Namespace) -> int:
    """Show it all; returns the exit status."""
    demonstrate(options.folder, options.seed)
    return 0


def demonstrate(folder: Path, seed: int = 0) -> None:
    """Explain two expressions, train on the digits that ship with the package, write pictures to ``folder``."""
    console = Console(highlight=False)
    section(console, "1. Backprop, one step at a time")
    console.print("f = (x + y) · z\n", markup=False)
    console.print(explained_product(), markup=False)
    section(console, "2. A neuron, written with +, ×, exp and ÷")
    console.print("f = 1 / (1 + exp(-(w0·x0 + w1·x1 + w2)))\n", markup=False)
    console.print(explained_neuron(), markup=False)
    section(console, "3. The same neuron with the sigmoid op: four ops are one")
    console.print(explained_neuron_with_sigmoid(), markup=False)
    section(console, "4. The same walk trains a network: 1,437 handwritten digits, 360 held out")
    model, history, test = train(seed)
    x_test, y_test = test
    predicted = np.argmax(model.predict(x_test, verbose=0), axis=-1)
    accuracy = float(np.mean(predicted == y_test))
    wrong = np.flatnonzero(predicted != y_test)
    console.print(f"\nHeld-out accuracy: {accuracy:.4f} ({len(wrong)} of {len(y_test)} wrong)", markup=False)
    section(console, "5. How it went, in pictures")
    for file in draw(folder, history, x_test, y_test, predicted, wrong, console):
        console.print(f"  {file}", markup=False, soft_wrap=True)
    section(console, "6. The neuron to step through and to change, and the network's graph")
    for file in pages(folder, model, (x_test, y_test), console):
        console.print(f"  {file}", markup=False, soft_wrap=True)
    section(console, "Try next")
    if shutil.which("autograd") is None:  # run as .venv/bin/autograd, as `make demo` does
        console.print("  source .venv/bin/activate\n", markup=False)
    console.print(
        "  from autograd_core import Tensor, explain\n"
        "  x = Tensor(2.0)\n"
        "  y = x * x + 3 * x      # anything you like, NumPy functions included\n"
        "  print(explain(y))      # every step, forward and backward\n"
        "  explain(y).save('backprop.html')   # the same as a page to step through\n"
        "\n"
        '  autograd explain "(x + y) * z" x=-2 y=5 z=-4\n'
        "  autograd demo --seed 1 starts the network from other weights.",
        markup=False,
    )


def section(console: Console, title: str) -> None:
    """A heading that reads as one in a log file too."""
    console.print()
    console.rule(f"[bold]{title}[/bold]", align="left")
    console.print()


def explained_product() -> str:
    """The first example of every lecture."""
    x, y, z = Tensor(-2.0), Tensor(5.0), Tensor(-4.0)
    q = x + y
    f = q * z
    return explain(f).to_text()


def neuron_inputs() -> tuple[Tensor, ...]:
    """The weights and inputs of the neuron in Stanford's CS231n notes on backpropagation."""
    values = {"w0": 2.0, "w1": -3.0, "w2": -3.0, "x0": -1.0, "x1": -2.0}
    return tuple(Tensor(value, name=name) for name, value in values.items())


def neuron() -> Tensor:
    """The neuron op by op."""
    w0, w1, w2, x0, x1 = neuron_inputs()
    f: Any = 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))
    return f


def explained_neuron() -> str:
    """The steps of the neuron op by op."""
    return explain(neuron(), names={}).to_text()


def explained_neuron_with_sigmoid() -> str:
    """The neuron with its activation as one op."""
    w0, w1, w2, x0, x1 = neuron_inputs()
    s = w0 * x0 + w1 * x1 + w2
    f = sigmoid(s)
    return explain(f).to_text()


def train(seed: int, verbose: Any = "auto") -> tuple[Any, Any, tuple[Any, Any]]:
    """A network of one hidden layer on the digits; returns the model, its history and the held-out set."""
    nn, digits = sibling("nn"), sibling("datasets").digits
    nn.utils.set_random_seed(seed)
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    x_train, x_test = x_train.reshape(-1, 64) / 16, x_test.reshape(-1, 64) / 16
    model = nn.Sequential(
        [
            nn.Input(shape=(64,)),
            nn.layers.Dense(128, activation="relu"),
            nn.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=nn.optimizers.SGD(learning_rate=0.05, momentum=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(x_train, y_train, batch_size=32, epochs=20, validation_data=(x_test, y_test), verbose=verbose)
    return model, history, (x_test, y_test)


def draw(
    folder: Path, history: Any, x_test: Any, y_test: Any, predicted: Any, wrong: Any, console: Console
) -> list[Path]:
    """Write the learning curves and the mistakes as pictures; returns the files."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        console.print('  The pictures need matplotlib: pip install "autograd-core[plots]"', markup=False)
        return []
    folder.mkdir(parents=True, exist_ok=True)
    files = [(folder / "curves.png").resolve()]
    curves(Figure, history).savefig(files[0], dpi=150)
    if len(wrong):
        files.append((folder / "mistakes.png").resolve())
        shown = wrong[:MAX_MISTAKES]
        captions = [f"a {y_test[i]}, read as {predicted[i]}" for i in shown]
        sibling("datasets").draw_examples(x_test[shown].reshape(-1, 8, 8), captions).savefig(files[1], dpi=150)
    return files


def pages(folder: Path, model: Any, test: tuple[Any, Any], console: Console) -> list[Path]:
    """Write the page of the neuron, and the page and the graph of the network's loss on a few digits."""
    folder.mkdir(parents=True, exist_ok=True)
    x, y = (part[:16] for part in test)
    loss = sibling("nn").losses.SparseCategoricalCrossentropy()(y, model(x))
    files = [
        explain(neuron(), names={}).save(folder / "neuron.html").resolve(),
        explain(loss).save(folder / "network.html").resolve(),
    ]
    try:
        files.append(draw_graph(loss, depth=0).save(folder / "network.svg").resolve())
    except ImportError as error:
        console.print(f"  {error}", markup=False)
    return files


def curves(figure_type: Any, history: Any) -> Any:
    """Loss and accuracy over the epochs, each for training and held-out digits."""
    figure = figure_type(figsize=(9, 3.6), layout="constrained")
    epochs = [epoch + 1 for epoch in history.epoch]
    for place, (key, label) in enumerate([("loss", "loss (cross-entropy)"), ("accuracy", "accuracy")], start=1):
        axes = figure.add_subplot(1, 2, place, xlabel="epoch", ylabel=label)
        axes.plot(epochs, history.history[key], "o-", markersize=3, label="training")
        axes.plot(epochs, history.history[f"val_{key}"], "s--", markersize=3, label="held out")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return figure
