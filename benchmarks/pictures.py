"""How large pictures of models are, and how long they take: ours, torchview's and Netron's of the same models.

Run: python -m benchmarks.pictures. torchview draws with the system's ``dot``; it and Netron show what torch, onnx,
playwright and Chromium bring them. What is not installed is not measured.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd_core import Tensor, draw, explain

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
    return f"{pixels(width, height)} | {min(times):.2f}"


def pixels(width: float, height: float) -> str:
    """A size as the table shows it."""
    return f"{width:,.0f} × {height:,.0f}"


@contextmanager
def chromium() -> Iterator[Any]:
    """A page of a browser, 1,920 × 1,080 pixels, that reaches nothing but this machine; None where there is none."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None or find_spec("playwright") is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        # Netron takes eval away, with which pages are asked what is on them.
        kept = "{ const own = window.eval; Object.defineProperty(window, 'eval', { get: () => own, set: () => {} }); }"
        page.add_init_script(kept)
        page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
        yield page
        browser.close()


def clock(page: Any, address: str, selector: str) -> float:
    """Seconds from the address until the graph is there, the best of three."""
    times = []
    for _ in range(3):
        page.goto("about:blank")
        begun = time.perf_counter()
        page.goto(address)
        asked = page.locator(":text-is('Accept'):visible")  # Netron, of its cookies
        asked.or_(page.locator(selector)).first.wait_for(state="attached")
        if asked.count():
            asked.click()
        page.wait_for_selector(selector, state="attached")
        times.append(time.perf_counter() - begun)
    return min(times)


def of_page(page: Any, f: Tensor, folder: Path) -> str:
    """Kilobytes of the page of an explanation, and seconds until its graph is there."""
    file = explain(f).save(folder / "page.html")
    return f"{file.stat().st_size / 1000:,.0f} | {clock(page, file.as_uri(), '.picture .node'):.1f}"


def in_netron(page: Any, file: Path) -> str:
    """Pixels of the graph that Netron draws of a file, without its margins, and seconds until it is there."""
    import netron

    _, port = netron.start(str(file), address=("127.0.0.1", 0), browse=False)
    try:
        seconds = clock(page, f"http://127.0.0.1:{port}", "#canvas:not([width='100%']) .node-item")
        size = page.evaluate("['width', 'height'].map((side) => document.getElementById('canvas').getAttribute(side))")
        return f"{pixels(*(float(side) - 200 for side in size))} | {seconds:.1f}"
    finally:
        netron.stop()


def exported(model: Any, shape: tuple[int, ...], file: Path) -> Path:
    """What PyTorch's exporter writes."""
    import torch

    with warnings.catch_warnings(action="ignore"):
        torch.onnx.export(model.eval(), (torch.zeros(shape),), file, dynamo=False, verbose=False)
    return file


ONNX = "ONNX file, from PyTorch"
SHAPES: Mapping[str, tuple[int, ...]] = {
    "CNN": (2, 28, 28, 1),
    "ResNet, 3 blocks": (2, 32, 32, 16),
    "transformer, 1 block": (2, 6, 16),
    "transformer, 12 blocks": (2, 6, 16),
    "MLP, 30 layers": (2, 64),
    ONNX: (1, 6, 16),
}


def main() -> None:
    """Print a table in Markdown."""
    models = {
        "CNN": cnn(),
        "ResNet, 3 blocks": resnet(),
        "transformer, 1 block": transformer(1),
        "transformer, 12 blocks": transformer(12),
        "MLP, 30 layers": mlp(),
    }
    theirs = torch_models() if find_spec("torch") else {}
    none = " | "
    with tempfile.TemporaryDirectory() as folder, chromium() as page:
        files = {}
        if find_spec("onnx") and theirs:
            for i, (name, (module, shape)) in enumerate(theirs.items()):
                files[name] = exported(module, shape, Path(folder) / f"{i}.onnx")
            files[ONNX] = files["transformer, 1 block"]
            models[ONNX] = nn.from_onnx(files[ONNX])
        print("| model | `draw(model)`: pixels | s | page: kB | s | torchview: pixels | s | Netron: pixels | s |")
        print("|---|---|---|---|---|---|---|---|---|")
        for name, model in models.items():
            row = [measured(lambda model=model: draw(model).render("svg"))]  # type: ignore[misc]
            f = np.mean(model(np.random.default_rng(0).random(SHAPES[name]).astype("float32")) ** 2)
            row.append(of_page(page, f, Path(folder)) if page else none)
            row.append(of_torchview(*theirs[name]) if find_spec("torchview") and name in theirs else none)
            row.append(in_netron(page, files[name]) if page and find_spec("netron") and name in files else none)
            print(f"| {name} | {' | '.join(row)} |", flush=True)
        for ops, options in ((2_000, {"max_nodes": 10_000, "fold": False}), (20_000, {})):
            f = unrolled(ops)
            how = "whole" if options else "folded"
            ours = measured(lambda f=f, options=options: draw(f, **options).render("svg"))  # type: ignore[misc, arg-type]
            paged = of_page(page, f, Path(folder)) if page and ops == 2_000 else none
            print(f"| {ops:,} ops, {how} | {ours} | {paged} | {none} | {none} |", flush=True)


def of_torchview(module: Any, shape: tuple[int, ...]) -> str:
    """Pixels and seconds of torchview's picture, its modules open."""
    from torchview import draw_graph

    options: dict[str, Any] = {"input_size": shape, "device": "cpu", "expand_nested": True}
    return measured(lambda: draw_graph(module, **options).visual_graph.pipe("svg"))


if __name__ == "__main__":
    main()
