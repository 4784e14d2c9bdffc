"""What the lessons share: figures with a text alternative, stored trainings, and exercises not yet done."""

from __future__ import annotations

import ast
import base64
import hashlib
import html
import inspect
import io
import os
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.figure import Figure

from autograd_core import Drawing

# Okabe and Ito's colours, told apart by everybody; and pictures that are the same bytes every time.
BLUE, ORANGE, GREEN, PURPLE, RED, GREY = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#d55e00",
    "#767676",
)
matplotlib.rcParams.update(
    {
        "axes.prop_cycle": matplotlib.cycler(
            color=[BLUE, ORANGE, GREEN, PURPLE, RED, GREY]
        ),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 11,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "white",
        "font.size": 10,
        "legend.frameon": False,
        "lines.linewidth": 1.8,
        "svg.hashsalt": "autograd",
    }
)
RESULTS = Path(__file__).with_name("results")


class Picture:
    """A figure and the words that stand for it where it cannot be seen."""

    def __init__(self, data: bytes, kind: str, alt: str):
        self.data, self.kind, self.alt = data, kind, alt

    def __repr__(self) -> str:
        return f"[Figure: {self.alt}]"

    def _repr_html_(self) -> str:
        source = base64.b64encode(self.data).decode()
        alt = html.escape(self.alt, quote=True)
        return f'<img src="data:image/{self.kind};base64,{source}" alt="{alt}" style="max-width: 100%">'


def show(figure: Figure | Drawing, alt: str, *, kind: str = "svg") -> None:
    """Display a Matplotlib figure or a drawing with ``alt``, which says in words what there is to see.

    ``kind`` is "svg" for lines, "png" for figures of many pixels. Raises ValueError without a real ``alt``.
    """
    if len(alt.split()) < 5:
        raise ValueError(
            f"alt says what the figure shows to those who cannot see it; {alt!r} does not"
        )
    if isinstance(figure, Drawing):
        try:
            data = figure.render(kind)
        except ImportError:  # Graphviz is missing, as in a browser
            display({"text/html": figure.to_frame(alt)}, raw=True)
            return
    else:
        out = io.BytesIO()
        figure.savefig(
            out,
            format=kind,
            dpi=110,
            metadata={"Date": None} if kind == "svg" else {"Software": None},
        )
        plt.close(figure)
        data = out.getvalue()
    display(Picture(data, "svg+xml" if kind == "svg" else kind, " ".join(alt.split())))


def images(
    axes: Any, pictures: Any, titles: Any = None, *, limit: float | None = None
) -> None:
    """Draw one picture into each of ``axes``: grey for images; with ``limit``, -limit to limit, orange to purple."""
    look: dict[str, Any] = (
        {"cmap": "gray_r"}
        if limit is None
        else {"cmap": "PuOr", "vmin": -limit, "vmax": limit}
    )
    for i, axis in enumerate(np.ravel(axes)):
        axis.set_axis_off()
        if i < len(pictures):
            axis.imshow(pictures[i], interpolation="nearest", **look)
            if titles is not None:
                axis.set_title(str(titles[i]), fontsize=9)


def remember(
    name: str, compute: Callable[[], dict[str, Any]], *, redo: bool | None = None
) -> dict[str, Any]:
    """What ``compute()`` returns, a dictionary of arrays: as stored in results/, or with ``redo`` made again.

    "seconds" says how long it took. The code that made it is stored as a fingerprint, so that a result of other
    code is never shown in silence. The environment variable AUTOGRAD_REDO=1 makes all of them again.
    """
    path = RESULTS / f"{name}.npz"
    made_by = _fingerprint(compute)
    if redo or (redo is None and os.environ.get("AUTOGRAD_REDO") == "1"):
        begin = time.perf_counter()
        found = {key: np.asarray(value) for key, value in compute().items()}
        found["seconds"] = np.asarray(round(time.perf_counter() - begin))
        RESULTS.mkdir(exist_ok=True)
        np.savez_compressed(path, **found, made_by=np.asarray(made_by))
        return found
    with np.load(path, allow_pickle=False) as stored:
        found = dict(stored)
    if str(found.pop("made_by")) != made_by:
        print(
            f"{path.name} was made by other code than {compute.__name__} now is; redo=True makes it again"
        )
    return found


def _fingerprint(compute: Callable[..., Any]) -> str:
    """A hash of the source of a function and of what it calls from beside it, whatever the layout and the comments."""
    found: dict[str, str] = {}
    pending: list[Any] = [compute]
    while pending:
        thing = pending.pop()
        if isinstance(thing, type):
            pending += [m for m in vars(thing).values() if inspect.isfunction(m)]
            continue
        if thing.__qualname__ in found:
            continue
        found[thing.__qualname__] = ast.unparse(
            ast.parse(textwrap.dedent(inspect.getsource(thing)))
        )
        beside = [thing.__globals__.get(name) for name in _names(thing.__code__)]
        pending += [
            b
            for b in beside
            if inspect.isroutine(b) or isinstance(b, type)
            if b.__module__ == compute.__module__
        ]
    return hashlib.sha256(
        "\n".join(found[name] for name in sorted(found)).encode()
    ).hexdigest()[:16]


def _names(code: CodeType) -> set[str]:
    inner = (_names(c) for c in code.co_consts if isinstance(c, CodeType))
    return set(code.co_names).union(*inner)


def answered(*functions: Callable[..., Any]) -> bool:
    """Whether you have replaced the dots in these functions; those of an index, ``x[..., 0]``, may stay."""
    open_ones = [f.__name__ for f in functions if _has_dots(f)]
    if open_ones:
        print(f"{' and '.join(open_ones)}: replace the dots, then run this cell")
    return not open_ones


def _has_dots(function: Callable[..., Any]) -> bool:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    indices = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        for part in ast.walk(node.slice)
    }
    return any(
        isinstance(node, ast.Constant) and node.value is ... and id(node) not in indices
        for node in ast.walk(tree)
    )
