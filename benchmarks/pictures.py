"""How large pictures of models are, in pixels, and how long they take: ours, and torchview's of the same models.

Run: python -m benchmarks.pictures. torchview draws with the system's ``dot``; without it, or without torch, ours alone
are measured.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np

import nn
from autograd_core import Tensor, draw

L = nn.layers


class Block(L.Layer):
    """Attention and two dense layers, each with a way around it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.norm_1, self.norm_2 = L.LayerNormalization(name="norm_1"), L.LayerNormalization(name="norm_2")
        self.query, self.key, self.value, self.out = (L.Dense(16, name=n) for n in ("query", "key", "value", "out"))
        self.up, self.down = L.Dense(64, "relu", name="up"), L.Dense(16, name="down")

    def call(self, x: Any) -> Any:
        """Two sums."""
        y = self.norm_1(x)
        weights = nn.activations.softmax(self.query(y) @ np.transpose(self.key(y), (0, 2, 1)) / np.float32(4))
        x = x + self.out(weights @ self.value(y))
        return x + self.down(self.up(self.norm_2(x)))


class Transformer(nn.Model):
    """Blocks, and a dense layer at the end."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.blocks, self.head = [Block(name=f"block_{i + 1}") for i in range(blocks)], L.Dense(10, name="head")

    def call(self, x: Any) -> Any:
        """One after the other."""
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def cnn() -> Any:
    """Two convolutions."""
    return nn.Sequential(
        [nn.Input(shape=(28, 28, 1)), L.Conv2D(32, 3, activation="relu"), L.MaxPooling2D(),
         L.Conv2D(64, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dropout(0.5), L.Dense(10)]
    )  # fmt: skip


def resnet() -> Any:
    """Three residual blocks."""
    x = begin = nn.Input(shape=(32, 32, 16))
    for _ in range(3):
        y = L.Activation("relu")(L.BatchNormalization()(L.Conv2D(16, 3, padding="same")(x)))
        x = L.Activation("relu")(L.Add()([x, L.BatchNormalization()(L.Conv2D(16, 3, padding="same")(y))]))
    return nn.Model(begin, L.Dense(10)(L.GlobalAveragePooling2D()(x)))


def transformer(blocks: int) -> Any:
    """So many blocks, built."""
    model = Transformer(blocks)
    model(np.zeros((1, 6, 16), "float32"))
    return model


def mlp() -> Any:
    """Thirty layers."""
    return nn.Sequential([nn.Input(shape=(64,)), *[L.Dense(64, "tanh") for _ in range(30)], L.Dense(10)])


def unrolled(ops: int) -> Any:
    """A recurrent network, op by op."""
    h, u, w = (Tensor(np.ones((4, 4)) / 8, name=name) for name in "huw")
    for _ in range(ops // 4):
        h = np.tanh(np.ones((4, 4)) @ u + h @ w)
    return np.sum(h)


def torch_models() -> dict[str, tuple[Any, tuple[int, ...]]]:
    """The same in PyTorch, with the shapes of their inputs."""
    import torch
    from torch import nn as t

    class Residual(t.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = t.Sequential(
                t.Conv2d(16, 16, 3, padding=1), t.BatchNorm2d(16), t.ReLU(), t.Conv2d(16, 16, 3, padding=1),
                t.BatchNorm2d(16),
            )  # fmt: skip

        def forward(self, x: Any) -> Any:
            return torch.relu(x + self.inner(x))

    class TorchBlock(t.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm_1, self.norm_2 = t.LayerNorm(16), t.LayerNorm(16)
            self.query, self.key, self.value, self.out = (t.Linear(16, 16) for _ in range(4))
            self.up, self.down = t.Linear(16, 64), t.Linear(64, 16)

        def forward(self, x: Any) -> Any:
            y = self.norm_1(x)
            weights = torch.softmax(self.query(y) @ self.key(y).transpose(1, 2) / 4, -1)
            x = x + self.out(weights @ self.value(y))
            return x + self.down(torch.relu(self.up(self.norm_2(x))))

    convolutions = t.Sequential(
        t.Conv2d(1, 32, 3), t.ReLU(), t.MaxPool2d(2), t.Conv2d(32, 64, 3), t.ReLU(), t.MaxPool2d(2), t.Flatten(),
        t.Dropout(), t.Linear(1600, 10),
    )  # fmt: skip
    hidden = [layer for _ in range(30) for layer in (t.Linear(64, 64), t.Tanh())]
    blocks = {n: t.Sequential(*(TorchBlock() for _ in range(n)), t.Linear(16, 10)) for n in (1, 12)}
    residual = t.Sequential(Residual(), Residual(), Residual(), t.AdaptiveAvgPool2d(1), t.Flatten(), t.Linear(16, 10))
    return {
        "CNN": (convolutions, (1, 1, 28, 28)),
        "ResNet, 3 blocks": (residual, (1, 16, 32, 32)),
        "transformer, 1 block": (blocks[1], (1, 6, 16)),
        "transformer, 12 blocks": (blocks[12], (1, 6, 16)),
        "MLP, 30 layers": (t.Sequential(*hidden, t.Linear(64, 10)), (1, 64)),
    }


def measured(picture: Callable[[], bytes]) -> str:
    """Pixels, 96 to the inch, and seconds of the processor's, programs that were called included: the best of three."""
    times = []
    for _ in range(3):
        begun = sum(os.times()[:4])
        svg = picture()
        times.append(sum(os.times()[:4]) - begun)
    size = re.search(rb'width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    assert size is not None
    width, height = (float(side) * 4 / 3 for side in size.groups())
    return f"{width:,.0f} × {height:,.0f} | {min(times):.2f}"


def main() -> None:
    """Print a table in Markdown."""
    models = {
        "CNN": cnn(),
        "ResNet, 3 blocks": resnet(),
        "transformer, 1 block": transformer(1),
        "transformer, 12 blocks": transformer(12),
        "MLP, 30 layers": mlp(),
    }
    theirs: dict[str, str] = {}
    try:
        from torchview import draw_graph
    except ImportError:
        print("torchview is not installed: ours alone\n")
    else:
        for name, (model, shape) in torch_models().items():
            theirs[name] = measured(
                lambda model=model, shape=shape: (  # type: ignore[misc]
                    draw_graph(model, input_size=shape, device="cpu", expand_nested=True).visual_graph.pipe("svg")
                )
            )
    print("| model | ours: pixels | s | torchview: pixels | s |\n|---|---|---|---|---|")
    for name, model in models.items():
        ours = measured(lambda model=model: draw(model).render("svg"))  # type: ignore[misc]
        print(f"| {name} | {ours} | {theirs.get(name, ' | ')} |", flush=True)
    for ops, options in ((2_000, {"max_nodes": 10_000, "fold": False}), (20_000, {})):
        f = unrolled(ops)
        how = "whole" if options else "folded"
        ours = measured(lambda f=f, options=options: draw(f, **options).render("svg"))  # type: ignore[misc, arg-type]
        print(f"| {ops:,} ops, {how} | {ours} | | |", flush=True)


if __name__ == "__main__":
    main()
