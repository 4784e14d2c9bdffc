"""What the views cost a training that asks for none of them: a step with the layers' notes, and one without.

All that explaining leaves in a training step is one note for each call of a layer (`autograd_core.graph.mark`). Steps
with and without it are timed in turn, so that a slow moment of the machine meets both. Run: python -m
benchmarks.cost_of_explaining
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

import nn
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


def main() -> None:
    """Print the comparison for a network that is nearly all overhead and for one that is nearly all arithmetic."""
    print(f"{'network':<16}{'batch':>6}{'with notes':>14}{'without':>14}{'ratio':>8}")
    for sizes, batch in (((4, 8, 8, 3), 1), ((784, 50, 10), 100), ((784, 512, 512, 10), 128)):
        noted, bare = compared(steps(sizes, batch))
        name = "-".join(map(str, sizes))
        print(f"{name:<16}{batch:>6}{noted * 1e6:>11.0f} µs{bare * 1e6:>11.0f} µs{noted / bare:>8.3f}")


if __name__ == "__main__":
    main()
