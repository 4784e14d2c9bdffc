"""What a step costs in a page of 400 numbers, in Chromium: going on by one, and computing everything again.

Each time is that of the script and of the layout after it, the median of 50; a frame of the screen has 16 ms. Run:
python -m benchmarks.step_in_a_page
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from autograd_core import Tensor, explain
from autograd_core.explain import Steps

TIMED = """(act) => {
  const leaf = nodes.findIndex((node) => node.live);
  const acts = { step: (i) => show(1 + (i % steps.length)), change: (i) => change(leaf, 0.1 * i, 0) };
  return Array.from({ length: 50 }, (_, i) => {
    const begun = performance.now();
    acts[act](i);
    document.body.offsetHeight; // lays the page out
    return performance.now() - begun;
  });
}"""


def network() -> Steps:
    """Softmax cross-entropy of a network 3-8-6, for five rows."""
    rng = np.random.default_rng(0)
    shapes = {"x": (5, 3), "W1": (3, 8), "b1": (8,), "W2": (8, 6), "b2": (6,)}
    x, w1, b1, w2, b2 = (Tensor(rng.normal(size=shape), name=name) for name, shape in shapes.items())
    e = np.exp(np.tanh(x @ w1 + b1) @ w2 + b2)
    return explain(-np.mean(np.log(e / np.sum(e, axis=1, keepdims=True))), names={})


def product() -> Steps:
    """A product of two matrices 9×9: few values, large tables."""
    rng = np.random.default_rng(0)
    x, w = (Tensor(rng.normal(size=(9, 9)), name=name) for name in "xw")
    return explain(np.sum(np.tanh(x @ w)), names={})


def chain() -> Steps:
    """300 single numbers, and 675 steps."""
    t = x = Tensor(0.3, name="x")
    for i in range(150):
        t = np.sin(t) * 1.01 + 0.1 if i % 2 else t * x
    return explain(t, names={})


def main() -> None:
    """Print a line for each page."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    print(f"{'page':<10}{'numbers':>9}{'steps':>7}{'a step':>12}{'a change':>12}")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for make in (network, product, chain):
            page, steps = browser.new_page(viewport={"width": 1366, "height": 768}), make()
            page.goto(steps.save(Path(folder) / f"{make.__name__}.html", "all").as_uri())
            size = sum(np.size(value.value) for value in steps.values.values())
            times = [statistics.median(page.evaluate(TIMED, act)) for act in ("step", "change")]
            print(f"{make.__name__:<10}{size:>9}{len(steps):>7}{times[0]:>9.1f} ms{times[1]:>9.1f} ms")
            page.close()


if __name__ == "__main__":
    main()
