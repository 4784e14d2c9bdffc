"""The pictures of the site. ``python docs/pictures.py`` draws the animation that the README shows and git keeps."""

import contextlib
import re
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core import Steps, Tensor, draw, explain
from autograd_core.command import playground

HERE = Path(__file__).parent
GIF = HERE / "_static" / "step.gif"


def steps() -> Steps:
    """Every step of (x + y) · z."""
    x, y, z = Tensor(-2.0), Tensor(5.0), Tensor(-4.0)
    q = x + y
    f = q * z
    return explain(f)


def save_all(folder: Path) -> None:
    """Write the live pages of the site, and the drawings of its pages, from their own code."""
    folder.mkdir(parents=True, exist_ok=True)
    steps().save(folder / "step.html")
    playground.save(folder / "playground.html")
    with contextlib.chdir(folder):  # what a page saves belongs there
        run("watch_a_training.md", 0, 2)
        loss = run("draw_a_big_model.md", 0)["loss"]
        explain(loss).save("model.html")
        for depth in (0, 1):
            draw(loss, depth=depth, direction="TB").save(f"depth{depth}.svg")


def run(page: str, *blocks: int) -> dict[str, Any]:
    """Run some of the Python on a page, and give what it defines."""
    text = (HERE / "howto" / page).read_text(encoding="utf-8")
    found = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {"np": np, "__name__": "page"}
    for block in blocks:
        exec(compile(found[block], page, "exec"), names)
    return names


if __name__ == "__main__":
    print(steps().to_gif(GIF))
