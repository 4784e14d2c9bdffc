"""A picture of boxes and arrows, whatever they stand for: ops, layers, or layers that have been folded."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import written_whole

if TYPE_CHECKING:
    import graphviz

LAID_OUT = 5_000  # nodes of a picture, which take some seconds; its edges may be three times as many
FORMATS = ("svg", "png", "pdf", "dot", "gif")


@dataclass(frozen=True)
class Box:
    """A node of the picture: a value, or a whole layer."""

    key: str
    title: str
    lines: tuple[str, ...]
    kind: str  # "leaf", "op", "constant", "layer", "more" or "wrong", of a call that failed
    layers: tuple[str, ...]  # the frames that it stands in, the outermost first
    gradient: float | None
    family: str = "other"  # what it computes, one of `looks.KINDS`


@dataclass(frozen=True)
class Arrow:
    """An edge of the picture: what flows forward along it, and how much came back; into which argument of ``end``."""

    start: str
    end: str
    label: str
    gradient: float | None
    position: int = -1


@dataclass
class Drawing:
    """A computation graph, laid out when it is looked at or saved; made by `draw`. Notebooks show the picture.

    ``digraph`` is a `graphviz.Digraph` to change to one's taste, ``source`` its text.

    Parameters
    ----------
    boxes, arrows : tuple of Box, tuple of Arrow
        Its nodes and edges.
    direction : str
        Of reading: LR, RL, TB or BT.
    left_out : int
        How many nodes are not shown.
    highlighted : frozenset of str
        The nodes in colour, by name.
    legend : bool
        Whether a legend is drawn.
    wrapped : bool
        Whether what is longer than a slide goes on in another row or column.
    note : str
        What was folded, in words, below the picture.

    Raises
    ------
    ValueError
        When saving, for another ending than .svg, .png, .pdf, .dot and .gif, and for more than 5,000 nodes or 15,000
        edges in all but .dot.

    Examples
    --------
    >>> x = Tensor(3.0, name="x")
    >>> picture = draw(x * x)
    >>> print(picture)
    <drawing of 2 nodes and 2 edges; .save("graph.svg")>
    """

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    direction: str = "LR"
    left_out: int = 0
    highlighted: frozenset[str] = frozenset()
    legend: bool = False
    wrapped: bool = True
    note: str = ""
    _digraph: Any = field(default=None, init=False, repr=False, compare=False)  # made when it is asked for

    def __repr__(self) -> str:
        more = f", {self.left_out} more left out" if self.left_out else ""
        more += f", {self.note}" if self.note else ""
        return f'<drawing of {len(self.boxes)} nodes and {len(self.arrows)} edges{more}; .save("graph.svg")>'

    __str__ = __repr__

    @property
    def largest(self) -> float:
        """The size of the largest gradient that is finite; 0 where there is none."""
        numbers = [*(box.gradient for box in self.boxes), *(arrow.gradient for arrow in self.arrows)]
        return max((g for g in numbers if g is not None and math.isfinite(g)), default=0.0)

    @property
    def layers(self) -> list[tuple[str, ...]]:
        """The paths of the layers that are open, the ``cluster-0``, ``cluster-1``, … of the SVG."""
        return list(dict.fromkeys(box.layers[:depth] for box in self.boxes for depth in range(1, len(box.layers) + 1)))

    @property
    def digraph(self) -> graphviz.Digraph:
        """The graph in the words of the ``graphviz`` package."""
        if self._digraph is None:
            from .columns import parts
            from .dot import digraph

            self._digraph = digraph(self, parts(self))
        return self._digraph

    @property
    def source(self) -> str:
        """The graph in Graphviz' own language."""
        return str(self.digraph.source)

    def render(self, format: str = "svg") -> bytes:
        """The picture as bytes in one of the formats svg, png, pdf, gif and dot."""
        if format not in FORMATS:
            page = "; explain(f).save('page.html') makes the page to look around in" if format.startswith("htm") else ""
            raise ValueError(f"expected one of the formats {', '.join(FORMATS)} of a drawing, got {format!r}{page}")
        if format == "dot":
            return self.source.encode()
        if len(self.boxes) > LAID_OUT or len(self.arrows) > 3 * LAID_OUT:
            raise ValueError(
                f"a picture: expected at most {LAID_OUT:,} nodes and {3 * LAID_OUT:,} edges, got {len(self.boxes):,} "
                f"and {len(self.arrows):,}, more than a person reads; "
                "draw(f, max_nodes=200) folds what repeats and shows what is nearest to f, draw(f, depth=0) each layer "
                'as one node; .save("graph.dot") describes all of it to another program'
            )
        from .placing import rendered  # when a picture is looked at

        return rendered(self, format)

    def save(self, path: str | Path) -> Path:
        """Write the picture to ``path``, whole or not at all; its ending says how: .svg, .png, .pdf, .gif or .dot."""
        path = Path(path)
        picture = self.render(path.suffix.removeprefix(".").lower())
        with written_whole(path) as file:
            file.write(picture)
        return path

    def to_frame(self, title: str = "") -> str:
        """The picture as a frame for a notebook, laid out by the browser: it needs no Graphviz, and has no rows.

        ``title`` says what there is to see to those who cannot see it.

        >>> x = Tensor(3.0, name="x")
        >>> draw(x * x).to_frame("x times itself")[:15]
        '<iframe srcdoc='
        """
        from .page.picture import framed  # circle: pages show drawings

        return framed(self, title)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        try:
            return {"image/svg+xml": self.render("svg").decode(), "text/plain": repr(self)}
        except ImportError as error:
            return {"text/html": self.to_frame(repr(self)), "text/plain": f"{self!r}\n{error}"}
        except ValueError as error:
            return {"text/plain": f"{self!r}\n{error}"}
