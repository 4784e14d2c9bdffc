"""The watched layers in the order of computing, and which works on what which gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..summary import kind_of
from .units import names, units


class Line(NamedTuple):
    """One layer of the graph, or one op that joins what several give."""

    name: str
    kind: str
    path: tuple[str, ...]  # the models that it stands in
    layer: int  # which of the watched layers it is; -1 for an op


class Graph(NamedTuple):
    """Lines in the order of computing, and pairs of their numbers: the second takes what the first gives."""

    lines: list[Line]
    arrows: list[tuple[int, int]]


def graph(watching: Any) -> Graph:
    """The graph of what was watched; without arrows where it is not known, as of a layer alone.

    Inputs are left out, and ops that no layer computes unless they join what comes along several ways.

    >>> import nn
    >>> x = nn.Input(shape=(3,))
    >>> y = nn.layers.Dense(3, name="a")(x)
    >>> model = nn.Model(x, nn.layers.Add(name="sum")([x, y]))
    >>> model.compile("sgd", "mse")
    >>> watching = nn.watch(model)
    >>> history = model.fit(np.ones((4, 3)), np.ones((4, 3)), verbose=0, callbacks=[watching])
    >>> [line.name for line in graph(watching).lines], graph(watching).arrows
    (['a', 'sum'], [(0, 1)])
    """
    found = units(watching.watched)
    called = {id(u.layer): name for u, name in zip(found, names(found), strict=True)}
    whole = {id(inner): called[id(u.layer)] for u in found if u.whole for inner in u.layer.walk_layers()} | called
    kinds = {called[id(u.layer)]: kind_of(u.layer) for u in found}
    layers = {name: i for i, name in enumerate(watching.layers)}
    lines: dict[str, Line] = {}  # by what stands for them: the name of a layer, the key of an op's box
    comes: dict[str, list[Any]] = {}  # from each box to the lines from which something comes to it
    arrows = []
    boxes, before = _drawn(watching.watched)
    stands = {box.key: whole.get(int(box.title)) if box.title.isdecimal() else None for box in boxes}
    # Known beforehand, for a layer may be called again, on what a later one gives.
    comes |= {key: [name] for key, name in stands.items() if name in layers}
    for box in boxes:
        name = stands[box.key] or ""
        came = list(dict.fromkeys(line for start in before.get(box.key, ()) for line in comes.get(start, ())))
        if name in layers:
            lines.setdefault(name, Line(name, kinds[name], box.layers, layers[name]))
        elif not name and box.kind == "op" and len(came) > 1:
            lines[name := box.key] = Line(
                box.lines[0].partition("(")[0] if box.lines else box.title, "", box.layers, -1
            )
        else:
            comes[box.key] = came
            continue
        comes[box.key] = [name]
        arrows += [(line, name) for line in came if line != name]
    for name, i in layers.items():  # what is gone from the model, or not drawn
        lines.setdefault(name, Line(name, kinds.get(name, ""), (), i))
    at = {name: i for i, name in enumerate(lines)}
    return Graph(list(lines.values()), sorted({(at[a], at[b]) for a, b in arrows}))


def _drawn(model: Any) -> tuple[Sequence[Any], dict[str, list[str]]]:
    """The boxes of a drawing of the model, a layer's titled with its id, and from which others each has input."""
    from ..picture import layers_drawn  # circle: pictures are of models, whose trainings have callbacks

    try:
        drawing = layers_drawn(model, lambda layer: [str(id(layer))], None, "TB")
    except Exception:  # a layer alone, or a call of one's own that does not run on zeros: its graph is not known
        return (), {}
    before: dict[str, list[str]] = {}
    for arrow in drawing.arrows:
        before.setdefault(arrow.end, []).append(arrow.start)
    return drawing.boxes, before


def lanes(arrows: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """The arrows that do not lead to the next line, each with its lane beside the lines; overlapping ones have others.

    >>> lanes([(0, 1), (0, 2), (3, 1), (3, 5)])
    [(0, 2, 0), (3, 1, 1), (3, 5, 0)]
    """
    taken: list[list[tuple[int, int]]] = []
    found = []
    for start, end in sorted((a for a in arrows if a[1] - a[0] != 1), key=lambda a: (abs(a[1] - a[0]), a)):
        low, high = min(start, end), max(start, end)
        free = (i for i, others in enumerate(taken) if all(high <= a or b <= low for a, b in others))
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        found.append((start, end, lane))
    return found
