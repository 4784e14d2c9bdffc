"""The pictures of the site. ``python docs/pictures.py`` draws the animation that the README shows and git keeps."""

import re
from pathlib import Path

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
    """Write the live page of the landing page, the playground, and the drawings of a page, from its own code."""
    folder.mkdir(parents=True, exist_ok=True)
    steps().save(folder / "step.html")
    playground.save(folder / "playground.html")
    page = (HERE / "howto" / "draw_a_big_model.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert code is not None
    names: dict[str, object] = {"np": np, "__name__": "page"}
    exec(compile(code[1], "draw_a_big_model.md", "exec"), names)
    for depth in (0, 1):
        draw(names["loss"], depth=depth, direction="TB").save(folder / f"depth{depth}.svg")  # type: ignore[arg-type]


if __name__ == "__main__":
    print(steps().to_gif(GIF))
