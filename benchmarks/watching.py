"""What watching costs a training: how long a step takes, and one that `nn.watch` looks at, on one processor.

Run: python -m benchmarks.watching
"""

from __future__ import annotations

import time

import numpy as np
from threadpoolctl import threadpool_limits

import nn

ROUNDS, EPOCHS, STEPS = 5, 12, 10
NETWORKS = {"784-512-512-10, batch 128": ([512, 512], 128), "784-32-32-32-32-32-10, batch 32": ([32] * 5, 32)}


def seconds(widths: list[int], batch: int, watched: bool) -> float:
    """Of processor time for short epochs, after one in which steps are recorded."""
    nn.utils.set_random_seed(0)
    hidden = [nn.layers.Dense(width, "relu") for width in widths]
    model = nn.Sequential([nn.Input(shape=(784,)), *hidden, nn.layers.Dense(10, "softmax")])
    model.compile("rmsprop", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    x, y = rng.random((batch * STEPS, 784), np.float32), rng.integers(0, 10, batch * STEPS)
    model.fit(x, y, batch, 1, verbose=0)
    callbacks = [nn.watch(model)] if watched else []
    begin = time.process_time()
    model.fit(x, y, batch, EPOCHS, verbose=0, callbacks=callbacks)
    return time.process_time() - begin


def main() -> None:
    """A row for each network, as the how-to page shows them."""
    with threadpool_limits(1):
        for name, (widths, batch) in NETWORKS.items():
            times = [[seconds(widths, batch, watched) for watched in (False, True)] for _ in range(ROUNDS)]
            bare, watched = np.min(times, axis=0)
            step = bare / (EPOCHS * STEPS)
            looked_at = (watched - bare) / EPOCHS + step
            print(f"| {name} | {1000 * step:.2f} | {1000 * looked_at:.1f} |")


if __name__ == "__main__":
    main()
