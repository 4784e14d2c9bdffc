"""The networks that every contender trains, and data for them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Net:
    """A network: convolutions, then dense layers; trained with RMSprop."""

    inputs: tuple[int, ...]
    dense: tuple[int, ...]
    batch: int
    activation: str = "relu"
    loss: str = "classes"  # or "binary", "square"
    conv: tuple[int, ...] = ()  # 3×3, valid, then one 2×2 max-pooling
    density: float = 1.0  # the part of the inputs that is not 0

    def data(self, n: int | None = None) -> tuple[Any, Any]:
        """Inputs and targets: made up, and the same for everybody."""
        rng, n = np.random.default_rng(0), n or self.batch
        x = rng.random((n, *self.inputs), np.float32)
        if self.density < 1:
            x = (x < self.density).astype(np.float32)
        if self.loss == "classes":
            return x, rng.integers(0, self.dense[-1], n)
        y = rng.random((n, 1), np.float32)
        return x, np.round(y) if self.loss == "binary" else y

    def weights(self, channels_first: bool = False) -> list[Any]:
        """Kernels and biases in turn, the same for everybody, in Keras' layout.

        With ``channels_first`` for libraries whose images are (channels, height, width): the kernels of convolutions
        are (out, in, 3, 3), and the first dense layer meets its inputs in another order.
        """
        rng, (*size, width), made = np.random.default_rng(0), self.inputs, []
        for filters in self.conv:
            kernel = rng.normal(size=(3, 3, width, filters)) / (9 * width) ** 0.5
            made += [kernel.transpose(3, 2, 0, 1) if channels_first else kernel, np.zeros(filters)]
            width, size = filters, [n - 2 for n in size]
        size, channels = [n // 2 for n in size], width
        width *= math.prod(size) if self.conv else 1
        for layer, units in enumerate(self.dense):
            kernel = rng.normal(size=(width, units)) / width**0.5
            if self.conv and channels_first and layer == 0:
                kernel = kernel.reshape(*size, channels, units).transpose(2, 0, 1, 3).reshape(width, units)
            made += [kernel, np.zeros(units)]
            width = units
        return [np.ascontiguousarray(w, np.float32) for w in made]


WORKLOADS = {
    "W1": Net((784,), (512, 512, 10), 128),
    "W2": Net((28, 28, 1), (128, 10), 128, conv=(32, 64)),
    "W3": Net((10000,), (16, 16, 1), 512, loss="binary", density=0.02),
    "W4": Net((784,), (2500, 2000, 1500, 1000, 500, 10), 128, activation="tanh"),
    "W7": Net((13,), (64, 64, 1), 1, loss="square"),
}

# The same in small, to see that everything still runs.
SMOKE = {
    "W1": Net((12,), (8, 8, 3), 4),
    "W2": Net((8, 8, 1), (5, 3), 4, conv=(2, 3)),
    "W3": Net((40,), (4, 4, 1), 4, loss="binary", density=0.1),
    "W4": Net((12,), (9, 8, 7, 3), 4, activation="tanh"),
    "W7": Net((13,), (6, 6, 1), 1, loss="square"),
}


def scaled(kind: str, factor: int) -> Net:
    """W9: a dense network whose batch, width or depth is so many times as large."""
    batch, width, depth = 32, 128, 2
    batch, width, depth = (
        batch * (factor if kind == "batch" else 1),
        width * (factor if kind == "width" else 1),
        depth * (factor if kind == "depth" else 1),
    )
    return Net((64,), (width,) * depth + (10,), batch)
