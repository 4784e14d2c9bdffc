"""What a page costs, and what the views cost a training that asks for none: a step with the layers' notes or without.

All that explaining leaves in a training step is one note for each call of a layer (`autograd_core.graph.mark`). Steps
with and without it are timed in turn, so that a slow moment of the machine meets both. Run: python -m
benchmarks.cost_of_explaining
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import nn
from autograd_core import Tensor, explain
from nn.layers import layer as layers

ROUNDS = 300


def steps(sizes: tuple[int, ...], batch: int) -> Callable[[], object]:
    """A function that makes one training step of a dense network."""
    nn.utils.set_random_seed(0)
    hidden = [nn.layers.Dense(n, "sigmoid") for n in sizes[1:-1]]
    model = nn.Sequential([nn.Input(shape=sizes[:1]), *hidden, nn.layers.Dense(sizes[-1], "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).random((batch, sizes[0]), dtype="float32")
    y = np.arange(batch) % sizes[-1]
    return lambda: model.train_on_batch(x, y)


def compared(step: Callable[[], object]) -> tuple[float, float]:
    """Seconds of a step with the notes and without them: medians of many, taken in turn."""
    times: dict[bool, list[float]] = {True: [], False: []}
    mark = layers.mark
    try:
        for i in range(2 * ROUNDS + 20):
            noted = i % 2 == 0
            layers.mark = mark if noted else lambda node, layer, start: None
            begun = time.perf_counter()
            step()
            if i >= 20:  # the first ones build and warm up
                times[noted].append(time.perf_counter() - begun)
    finally:
        layers.mark = mark
    return statistics.median(times[True]), statistics.median(times[False])


def neuron() -> Callable[[], int]:
    """A function that explains a neuron and writes its page; it gives the size of that."""
    given = {"w0": 2.0, "w1": -3.0, "w2": -3.0, "x0": -1.0, "x1": -2.0}
    w0, w1, w2, x0, x1 = (Tensor(value, name=name) for name, value in given.items())
    path = Path(tempfile.mkdtemp()) / "neuron.html"
    return lambda: explain(1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2))), names={}).save(path).stat().st_size


def main() -> None:
    """Print what a page costs, and the notes in a network that is nearly all overhead and one nearly all arithmetic."""
    save = neuron()
    size, times = save(), []
    for _ in range(40):
        begun = time.process_time()  # of this process alone, so that others on the machine count less
        save()
        times.append(time.process_time() - begun)
    print(f"explain(neuron).save: {statistics.median(times) * 1e3:.1f} ms, a page of {size / 1000:.0f} kB\n")
    print(f"{'network':<16}{'batch':>6}{'with notes':>14}{'without':>14}{'ratio':>8}")
    for sizes, batch in (((4, 8, 8, 3), 1), ((784, 50, 10), 100), ((784, 512, 512, 10), 128)):
        noted, bare = compared(steps(sizes, batch))
        name = "-".join(map(str, sizes))
        print(f"{name:<16}{batch:>6}{noted * 1e6:>11.0f} µs{bare * 1e6:>11.0f} µs{noted / bare:>8.3f}")


if __name__ == "__main__":
    main()
