"""The layers of a model as a drawing: one box a layer, and which is called on what another gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_core import Tensor, tree
from autograd_core.explain.boxes import LAYER, MAX_NODES, counted, drawn, more
from autograd_core.explain.drawing import Arrow, Box, Drawing
from autograd_core.explain.folding import folded

from .layers.input import InputLayer
from .layers.layer import Layer
from .layers.symbolic import shape_of, source, symbols, undisturbed
from .models.network import Slot
from .summary import kind_of, shown

ALL = 10**9
AT_A_GLANCE = 50  # boxes: beyond, models in the model are closed, and what repeats is drawn once

# What kind of layer stands in which file of `nn.layers`, by how its name begins.
_FAMILIES = {
    "input": "input", "dense": "linear", "embedding": "linear", "multi_head": "linear", "attention": "linear",
    "conv": "conv", "separable": "conv", "depthwise": "conv", "batch_norm": "norm", "layer_norm": "norm",
    "group_norm": "norm", "activation": "activation", "softmax": "activation", "leaky": "activation",
    "average_pool": "pool", "max_pool": "pool", "global": "pool", "pooling": "pool", "flatten": "shape",
    "reshape": "shape", "zero_padding": "shape", "merging": "arithmetic", "operation": "arithmetic",
    "rescaling": "arithmetic",
}  # fmt: skip
_OF_LAYERS = Layer.__module__.rpartition(".")[0] + "."


def family(layer: Layer) -> str:
    """Which kind of layer this is, as it says itself or by the one of ours that its class comes from."""
    if hasattr(layer, "family"):
        return str(layer.family)
    for kind in type(layer).__mro__:
        begins = (what for begin, what in _FAMILIES.items() if kind.__module__.startswith(_OF_LAYERS + begin))
        found = next(begins, None)
        if found is not None:
            return found
    return "other"


# -- of which layer which is called ------------------------------------------------------------------------


class _Calls:
    """The boxes of a model's layers, and the arrows between them, with the shapes of what flows there."""

    def __init__(self, depth: int | None) -> None:
        self.depth = depth
        self.layers: dict[str, tuple[Layer, tuple[str, ...]]] = {}
        self.arrows: dict[tuple[str, str], str] = {}

    def model(self, model: Any, path: tuple[str, ...], came: Sequence[Any]) -> list[Any]:
        """The layers of a model that is called on ``came``, keys of boxes with shapes; gives such for each output."""
        if model._network is None:  # a Sequential
            gives = came[:1]
            for layer in model.layers:
                gives = self.call(layer, path, gives, [shown_shape(layer)])
            return list(gives)
        network = model._network
        values: dict[int, Any] = {}
        for i, value in enumerate(symbols(network.inputs)):
            begin = source(value).layer
            first = begin if isinstance(begin, InputLayer) else InputLayer(batch_shape=value.shape, name=value.name)
            (values[i],) = self.call(first, path, came[i : i + 1], [shown(value.shape)])
        for layer, args, kwargs, gives in network.calls:
            slots = [leaf for leaf in tree.leaves((args, kwargs)) if type(leaf) is Slot]
            slots = slots[: getattr(layer, "flows", None)]  # of what follows it asks the lengths, and no number flows
            shapes = [shown(network.values[number][0]) for number in gives]
            found = self.call(layer, path, [values[slot.number] for slot in slots], shapes)
            values |= dict(zip(gives, found, strict=True))
        return [values[slot.number] for slot in tree.leaves(network.results)]

    def call(self, layer: Layer, path: tuple[str, ...], came: Sequence[Any], shapes: Sequence[str]) -> list[Any]:
        """A layer that is called on ``came``: a box, or its own layers in a frame."""
        if (self.depth is None or len(path) < self.depth) and known(layer):
            return self.model(layer, (*path, layer.name), came)
        key = f"layer {id(layer)}"
        self.layers.setdefault(key, (layer, (*path, *getattr(layer, "scope", ()))))
        for start, shape in came:
            self.arrows.setdefault((start, key), shape)
        return [(key, shape) for shape in shapes]


def known(model: Any) -> bool:
    """Whether it is known without a call which layers of a model are called on which."""
    return getattr(model, "_network", None) is not None or bool(getattr(model, "_layers", ()))


def shown_shape(layer: Layer) -> str:
    """The shape of what a layer gives."""
    return "" if layer.output_shape is None else shown(layer.output_shape)


def model_drawn(model: Any, direction: str, depth: int | None, max_nodes: int | None, fold: bool | None) -> Drawing:
    """What `draw` makes of a model: models in it are open, and nothing is folded, while all is taken in at a glance."""
    check_built(model)
    limit = AT_A_GLANCE if max_nodes is None else max_nodes
    drawing = layers_drawn(model, in_short, depth, direction)
    if fold or (fold is None and len(drawing.boxes) > limit):
        drawing = once(drawing, 0 if fold else limit)
    if depth is None and not fold and len(drawing.boxes) > limit:
        drawing = layers_drawn(model, in_short, 0, direction)
        if fold is None and len(drawing.boxes) > limit:
            drawing = once(drawing, limit)
    return nearest(drawing, MAX_NODES if max_nodes is None else max_nodes)


def check_built(model: Any) -> None:
    """Raise where it is not known what goes into a model."""
    if model.called_with is None:
        raise ValueError(
            f"{model.name!r} is not built, so its graph is not known; pass Input(shape=…), or call it once"
        )


def layers_drawn(model: Any, described: Any, depth: int | None, direction: str, begin: bool = True) -> Drawing:
    """The layers of a model, of which so many levels of models in it are open; all of them, if None.

    ``described(layer)`` is what stands in a box, the title first; ``begin`` draws the input of a Sequential, too.
    """
    if not known(model):
        return _recorded(model, described, depth, direction)
    calls = _Calls(depth)
    first = getattr(model, "_input", None)
    if begin and model._network is None and first is not None:
        came = calls.call(first, (), (), [shown(first.batch_shape)])
    else:
        came = []
    calls.model(model, (), came)
    boxes = [
        Box(key, title, tuple(lines), "leaf" if isinstance(layer, InputLayer) else "layer", path, None, family(layer))
        for key, (layer, path) in calls.layers.items()
        for title, *lines in [described(layer)]
    ]
    arrows = [Arrow(start, end, shape, None) for (start, end), shape in calls.arrows.items()]
    return Drawing(tuple(boxes), tuple(arrows), direction, legend=True)


def _recorded(model: Any, described: Any, depth: int | None, direction: str) -> Drawing:
    """The same of a model with a ``call`` of its own, from what one call on zeros computes.

    It is a call in training, where all layers do something. What no layer computes is a box of its own.
    """
    shapes = model.called_with

    def zeros(shape: Any) -> Any:
        if isinstance(shape, dict):
            return {name: zeros(s) for name, s in shape.items()}
        if isinstance(shape, list):
            return [zeros(s) for s in shape]
        return Tensor(np.zeros([n or 1 for n in (1, *shape[1:])], np.float32), name="input")

    given = zeros(shapes)
    with np.errstate(all="ignore"), undisturbed(model):
        out = model(given, training=True)
    roots = [leaf.node for leaf in tree.leaves(out) if isinstance(leaf, Tensor)]
    drawing = drawn(
        roots, {}, direction, values=False, gradients=False, depth=depth, max_nodes=ALL, fold=False,
        formulas=False, innermost=True,
    )  # fmt: skip
    boxes = []
    for box in drawing.boxes:
        layer = _found(model, box.key.removeprefix(LAYER).split("\0")) if box.key.startswith(LAYER) else None
        if layer is not None:
            title, *lines = described(layer)
            box = replace(box, title=title, lines=tuple(lines), family=family(layer))
        boxes.append(box)
    return replace(drawing, boxes=tuple(boxes))


def _found(model: Layer, path: Iterable[str]) -> Layer | None:
    """The layer of that path; one that is called twice is told by the call there."""
    layer: Layer | None = model
    for name in path:
        name = name.partition(" (call ")[0]
        inside = [] if layer is None else [inner for inner in layer.walk_layers() if inner.name == name]
        layer = inside[0] if inside else None
    return layer


# -- what stands in a box ----------------------------------------------------------------------------------


def in_short(layer: Layer) -> list[str]:
    """What a slide says of a layer: its name, its class and activation, and how many weights it has."""
    count = sum(w.size for w in layer.weights)
    lines = [layer.name, " · ".join(filter(None, [kind_of(layer), activation(layer)]))]
    if count:
        lines.append(f"{count:,} weights{'' if layer.trainable else ', not trained'}")
    return lines


def in_full(layer: Layer, *, names: bool, activations: bool, shapes: bool, dtypes: bool, trainable: bool) -> list[str]:
    """What Keras says of a layer in `plot_model`, in its words."""
    kind = kind_of(layer)
    lines = [f"{layer.name} ({kind})" if names else kind]
    if activations and getattr(layer, "activation", None) is not None:
        lines.append(f"Activation: {activation(layer) or 'linear'}")
    first = layer._calls[0] if layer._calls else None
    if shapes:
        came, gave = ("?", shown_shape(layer) or "?")
        if first is not None:
            came, gave = (str(shape_of(value)) for value in (layer.input, layer.output))
        lines += [] if isinstance(layer, InputLayer) else [f"Input shape: {came}"]
        lines.append(f"Output shape: {gave}")
    if dtypes:
        found = [layer.dtype.name] if first is None else [value.dtype.name for value in symbols(first.outputs)]
        lines.append(f"Output dtype: {found if len(found) > 1 else found[0]}")
    if trainable and layer.weights:
        lines.append("Trainable" if layer.trainable else "Non-trainable")
    return lines


def activation(layer: Layer) -> str:
    """The name of a layer's activation, empty where it has none."""
    found = getattr(layer, "activation", None)
    name = found if isinstance(found, str) else getattr(found, "__name__", "")
    return "" if name == "linear" else name


def once(drawing: Drawing, limit: int) -> Drawing:
    """A drawing of layers in which what repeats is one box, or one frame, until there are at most so many boxes."""
    at = {box.key: i for i, box in enumerate(drawing.boxes)}
    inputs: list[list[int]] = [[] for _ in drawing.boxes]
    for arrow in drawing.arrows:
        inputs[at[arrow.end]].append(at[arrow.start])
    looks = [(box.kind == "op" and box.title, box.lines, len(box.layers)) for box in drawing.boxes]
    found = folded(looks, inputs, limit, [box.layers for box in drawing.boxes])
    keys = [box.key for box in drawing.boxes]
    stands = {key: keys[i] for key, i in zip(keys, found.stands, strict=True)}
    boxes = [box for box in drawing.boxes if stands[box.key] == box.key]
    arrows: dict[tuple[str, str], Arrow] = {}
    for arrow in drawing.arrows:
        if stands[arrow.end] == arrow.end and stands[arrow.start] != arrow.end:
            moved = replace(arrow, start=stands[arrow.start])
            arrows.setdefault((moved.start, moved.end), moved)
    often = {keys[i]: times for i, times in found.times.items()}
    note = "what repeats is drawn once" if often else ""
    return replace(drawing, boxes=tuple(counted(boxes, often)), arrows=tuple(arrows.values()), note=note)


def nearest(drawing: Drawing, limit: int) -> Drawing:
    """The layers nearest to what the model gives, at most so many, and a box that says how many others there are."""
    if len(drawing.boxes) <= limit:
        return drawing
    before: dict[str, list[str]] = {box.key: [] for box in drawing.boxes}
    for arrow in drawing.arrows:
        before[arrow.end].append(arrow.start)
    used = {arrow.start for arrow in drawing.arrows}
    found = [key for key in before if key not in used] or [drawing.boxes[-1].key]  # all are, in a circle
    for key in found:  # breadth first, while it grows
        if len(found) >= limit:
            break
        found += [start for start in dict.fromkeys(before[key]) if start not in found]
    shown = set(found[:limit])
    left_out = len(before) - len(shown)
    others, ways = more(left_out, {a.end for a in drawing.arrows if a.end in shown and a.start not in shown})
    arrows = [arrow for arrow in drawing.arrows if {arrow.start, arrow.end} <= shown]
    boxes = (box for box in drawing.boxes if box.key in shown)
    return replace(drawing, boxes=(others, *boxes), arrows=(*arrows, *ways), left_out=left_out)
