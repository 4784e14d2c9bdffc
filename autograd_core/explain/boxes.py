"""What is drawn of a computation: its ops, layers that are closed, and what repeats, as boxes and arrows."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import to_numpy
from ..graph import Node, ancestors, failed_call, in_order
from ..graph import describe as _call
from ..op import is_complex
from ..tensor import wrap
from ..walk import conjugate, walk
from .drawing import Arrow, Box, Drawing
from .folding import folded
from .formula import Formula, Name, number, shape, summary
from .looks import kind_of_layer, kind_of_op
from .values import Value, describe, kinds_of, layers_of, name_all

if TYPE_CHECKING:
    from .steps import Steps

COLLAPSE_ABOVE = 50  # nodes: what one still takes in at a glance
MAX_NODES = 200
MAX_WALKED = 100_000  # beyond it gradients are shown where a backward() has left them,
NEAR = 5_000  # and only this many nodes around the result are looked at
WIDTH = 60  # letters in a line of what is said of an error
LINES = 12  # in a box, and boxes of constants beside one

# What a value handed back to one of its inputs: by the names of the input and the value, and the position.
Handed = dict[tuple[str, str, int], Any]


def check(direction: str, depth: int | None, max_nodes: int | None) -> None:
    """ValueError for what no drawing can be like."""
    if direction not in ("LR", "RL", "TB", "BT"):
        raise ValueError(f"expected direction LR, RL, TB or BT, got {direction!r}")
    if max_nodes is not None and max_nodes < 1:
        raise ValueError(f"expected max_nodes from 1 on, got {max_nodes}")
    if depth is not None and depth < 0:
        raise ValueError(f"expected depth from 0 on, got {depth}")


def drawn(
    roots: Sequence[Node],
    variables: Mapping[str, Any],
    direction: str = "LR",
    values: bool = True,
    gradients: bool = True,
    depth: int | None = None,
    max_nodes: int | None = None,
    fold: bool | None = None,
    formulas: bool = True,
    innermost: bool = False,
    wrong: tuple[str, ...] = (),
) -> Drawing:
    """What the first of ``roots`` was computed from, and the others; without ``formulas`` ops are called by name.

    ``innermost`` closes those layers that hold no others. ``wrong`` is what is said of the first of ``roots``, where
    it failed.
    """
    root = roots[0]
    limit = MAX_NODES if max_nodes is None else max_nodes
    everything = ancestors(roots) or {root}
    walked = len(everything) <= MAX_WALKED
    nodes = in_order(everything if walked else _front(root, max(limit, NEAR)))
    beyond = len(everything) - len(nodes)
    del everything
    names = name_all(root, nodes, variables)
    layers = layers_of(nodes)
    found: dict[Node, Any] = {}
    handed: Handed = {}
    if gradients and root.requires_grad and root.out.size == 1 and walked and not is_complex(root.out):
        for node, g, edges in walk({root: np.ones_like(root.out)[()]}, trace=True):
            found[node] = conjugate(g)
            for position, parent, _, contribution, _ in edges:
                handed[names[parent], names[node], position] = to_numpy(conjugate(contribution))
    elif gradients:
        found = {node: to_numpy(wrap(node).grad) for node in nodes if node.grad is not None}

    paths = set(layers.values())
    levels = list(_levels(paths))[1:2] if innermost else list(_levels(paths))
    if depth is not None:
        levels = [levels[0] | _to_depth(paths, depth)]
    for closed in levels:
        group = {node: _place(names[node], layers.get(node, ()), closed) for node in nodes}
        if len(set(group.values())) <= COLLAPSE_ABOVE:
            break
    own, often = group, dict[str, tuple[int, int]]()
    if fold or (fold is None and len(set(group.values())) > limit):
        group, often = _once(group, layers, 0 if fold else limit)
    shown, left_out = _nearest(root, group, limit)
    left_out += beyond
    once = [node for node, key in group.items() if key in shown and key == own[node]]
    described = describe(once, names, layers, found)
    placed = {names[node]: key for node, key in group.items() if key in shown}
    boxes, arrows = _boxes(
        described,
        placed,
        handed,
        names[root],
        values,
        gradients,
        shapes=True,
        formulas=formulas,
        kinds=kinds_of(layers),
    )
    if wrong:
        boxes = [
            replace(b, kind="wrong", title=_failed(b, root), lines=wrong) if b.key == group[root] else b for b in boxes
        ]
    at = {key: i for i, key in enumerate(_in_order(group))}
    boxes = sorted(counted(boxes, often), key=lambda box: at.get(box.key, len(at)))
    note = "what repeats is drawn once" if often else ""
    if left_out:
        pairs = ((n, p) for n in once for p in n.parents if p is not None and p.requires_grad)
        ends = {group[n] for n, p in pairs if group.get(p) not in shown}
        others, ways = more(left_out, ends)
        boxes.insert(0, others)
        arrows += ways
    return Drawing(tuple(boxes), tuple(arrows), direction, left_out, legend=True, note=note)


def more(count: int, ends: Iterable[str]) -> tuple[Box, list[Arrow]]:
    """The box that says how many others there are, and its arrows to those that are computed from any of them."""
    return Box("…", f"… {count:,} more", (), "more", (), None), [Arrow("…", end, "", None) for end in sorted(ends)]


def of_error(error: BaseException, variables: Mapping[str, Any], direction: str, **options: Any) -> Drawing:
    """What was computed before an error, with shapes, and the call that failed; ValueError where none is known."""
    failed = failed_call(error)
    if failed is None:
        raise ValueError(
            f"draw: expected an error of an op or a layer, got a {type(error).__name__} in which no Tensor was computed"
        )
    first, *_ = str(error).splitlines() or [""]
    said = textwrap.wrap(f"{type(error).__name__}: {first}", WIDTH, max_lines=3, placeholder=" …")
    call = [_call(failed.op, failed.args)] if failed.op is not None else []
    return drawn([failed], variables, direction, gradients=False, wrong=(*call, *said), **options)


def _failed(box: Box, root: Node) -> str:
    return f"{box.title} failed" if box.kind == "layer" or root.op is None else f"{root.op.name} failed"


def of_steps(steps: Steps) -> Drawing:
    """The drawing of a whole explanation, in which each value is a box, whose key is its name."""
    handed = {(s.name, s.output, s.position): s.contribution for s in steps if s.kind == "backward"}
    boxes, arrows = _boxes(steps.values, {name: name for name in steps.values}, handed, steps.result, True, True)
    return Drawing(tuple(boxes), tuple(arrows))


def _once(
    group: Mapping[Node, str], layers: Mapping[Node, tuple[str, ...]], limit: int
) -> tuple[dict[Node, str], dict[str, tuple[int, int]]]:
    """The boxes when what repeats is one: the box of each node, and how often those are there that stand for others."""
    members: dict[str, list[Node]] = {}
    for node, key in group.items():
        members.setdefault(key, []).append(node)
    order = _in_order(group)
    at = {key: i for i, key in enumerate(order)}
    inputs = [
        list(
            dict.fromkeys(at[group[p]] for n in members[key] for p in n.parents if p and p in group and group[p] != key)
        )
        for key in order
    ]
    looks = [tuple(_look(node, layers) for node in members[key]) for key in order]
    paths = [next((layers[n] for n in members[key] if n in layers), ()) for key in order]
    found = folded(looks, inputs, limit, paths)
    stands = {key: order[stand] for key, stand in zip(order, found.stands, strict=True)}
    return {node: stands[key] for node, key in group.items()}, {order[i]: times for i, times in found.times.items()}


def _in_order(group: Mapping[Node, str]) -> list[str]:
    """The boxes in the order in which they were computed; a leaf comes before what is first computed of it."""
    first: dict[str, tuple[int, bool]] = {}
    for node, key in group.items():
        if node.op is not None:
            for parent in node.parents:
                if parent is not None and parent.op is None and parent in group:
                    first.setdefault(group[parent], (node.born, False))
            first.setdefault(key, (node.born, True))
    return sorted(dict.fromkeys(group.values()), key=lambda key: first.get(key, (0, False)))


def _look(node: Node, layers: Mapping[Node, tuple[str, ...]]) -> tuple[Any, ...]:
    what = node.op.name + repr(node.params) if node.op is not None and node.params else node.op and node.op.name
    return what, np.shape(node.out), len(layers.get(node, ()))


def counted(boxes: Sequence[Box], often: Mapping[str, tuple[int, int]]) -> list[Box]:
    """The boxes that stand for others as well, with how often: one beside its title, several in a frame."""
    together = Counter(turn for turn, _ in often.values())
    labels: dict[int, str] = {}
    for turn, copies in often.values():
        label = f"{copies:,} times"
        labels.setdefault(turn, label if label not in labels.values() else f"{label} ({turn + 1})")
    found = []
    for box in boxes:
        turn, copies = often.get(box.key, (-1, 1))
        if together[turn] == 1:
            box = replace(box, title=f"{box.title}   × {copies:,}")
        elif turn >= 0:
            box = replace(box, layers=(labels[turn], *box.layers))
        found.append(box)
    return found


LAYER = "\0layer "  # begins the key of a layer's box, and no name of a value: a layer may be called "layer 1"
Path = tuple[str, ...]


def _place(name: str, path: Path, closed: Collection[Path]) -> str:
    """The key of the box that a value is drawn in: its own, or that of the outermost layer that is closed."""
    for depth in range(1, len(path) + 1):
        if path[:depth] in closed:
            return LAYER + "\0".join(path[:depth])
    return name


def _to_depth(paths: Iterable[Path], depth: int) -> set[Path]:
    """The layers that are closed where this many levels of them are open."""
    return {path[: depth + 1] for path in paths if len(path) > depth}


def _levels(paths: Collection[Path]) -> Iterator[set[Path]]:
    """Which layers are closed: none, the innermost, and then all of each level up to the outermost."""
    yield set()
    innermost = set(paths) - {path[:depth] for path in paths for depth in range(len(path))}
    for depth in range(max(map(len, paths), default=0), -1, -1):
        yield innermost | _to_depth(paths, depth)


def _front(root: Node, count: int) -> set[Node]:
    """The nodes nearest to the result, breadth first."""
    found, front = {root}, [root]
    while front and len(found) < count:
        front = [
            p for p in dict.fromkeys(p for n in front for p in n.parents) if p and p.requires_grad and p not in found
        ]
        found.update(front)
    return found


def _nearest(root: Node, group: Mapping[Node, str], limit: int) -> tuple[set[str], int]:
    """The boxes nearest to the result, breadth first, and how many others there are."""
    everything = len(set(group.values()))
    if everything <= limit:
        return set(group.values()), 0
    shown = {group[root]: None}
    front, seen = [root], {root}
    while front and len(shown) < limit:
        following = []
        for node in front:
            for parent in node.parents:
                if parent is not None and parent in group and parent not in seen:
                    if len(shown) >= limit and group[parent] not in shown:
                        continue
                    shown[group[parent]] = None
                    seen.add(parent)
                    following.append(parent)
        front = following
    return set(shown), everything - len(shown)


def size(g: Any) -> float | None:
    """The size of a gradient in one number: the mean magnitude of its elements."""
    if g is None:
        return None
    array = np.abs(np.asarray(g)).astype(float)
    return float(array.mean()) if array.size else 0.0


def _boxes(
    described: Mapping[str, Value],
    group: Mapping[str, str],
    handed: Handed,
    result: str,
    values: bool,
    gradients: bool,
    shapes: bool = False,
    formulas: bool = True,
    kinds: Mapping[Path, str] = MappingProxyType({}),
) -> tuple[list[Box], list[Arrow]]:
    members: dict[str, list[Value]] = {}
    for name, value in described.items():
        members.setdefault(group[name], []).append(value)
    boxes, arrows = [], []
    for key, inside in members.items():
        if key.startswith(LAYER):
            boxes.append(_layer(key, inside, gradients, kinds))
        else:
            boxes.append(_single(inside[0], result, values, gradients, formulas))
    drawn: dict[tuple[str, str, int], list[Any]] = {}
    flows: dict[tuple[str, str, int], str] = {}
    for value in described.values():
        if group[value.name] == value.name:
            constants = _constants(value)
            boxes += constants
            arrows += [Arrow(box.key, value.name, "", None) for box in constants]
        for position, parent in enumerate(value.parents):
            if parent is None or parent not in group:
                continue
            start, end = group[parent], group[value.name]
            if start != end:
                closed = start != parent or end != value.name
                edge = start, end, -1 if closed else position
                contributions = drawn.setdefault(edge, [])
                if np.ndim(value.args[position]):
                    flows[edge] = shape(value.args[position])
                if (parent, value.name, position) in handed:
                    contributions.append(handed[parent, value.name, position])
    together = Counter((start, end) for start, end, _ in drawn)
    many: dict[tuple[str, str], list[Any]] = {pair: [] for pair, count in together.items() if count > LINES}
    for (start, end, position), came in drawn.items():
        if (start, end) in many:
            many[start, end] += came
            continue
        label = number(came[0]) if len(came) == 1 and np.ndim(came[0]) == 0 else ""
        label = label or (flows.get((start, end, position), "") if shapes else "")
        arrows.append(Arrow(start, end, label, _largest(came), position))
    arrows += [Arrow(*pair, f"{together[pair]:,} times", _largest(came)) for pair, came in many.items()]
    return boxes, arrows


def _largest(contributions: Iterable[Any]) -> float | None:
    return max((size(c) or 0.0 for c in contributions), default=None)


def _constants(value: Value) -> list[Box]:
    """The constant arguments of an op; those that are plain numbers are shown by the formula in its node."""
    found = [i for i, p in enumerate(value.parents) if p is None and np.ndim(value.args[i])]
    key = f"{value.name} argument"
    boxes = [
        Box(f"{key} {i}", str(_brief(value.named(i))), (summary(value.args[i]),), "constant", value.layers, None)
        for i in (found if len(found) <= LINES else found[: LINES - 1])
    ]
    if len(boxes) < len(found):
        more = f"… {len(found) - len(boxes):,} more constants"
        boxes.append(Box(f"{key}s", more, (), "constant", value.layers, None))
    return boxes


def _single(value: Value, result: str, values: bool, gradients: bool, formulas: bool) -> Box:
    lines = []
    if values:
        lines.append(summary(value.value))
    if gradients:
        lines.append(
            f"∂{result}/∂{value.name} = {summary(value.gradient, gradient=True)}"
            if np.ndim(value.gradient) == 0
            else _norm(value)
        )
    title = value.name
    if value.op is not None:
        inputs = {i: _brief(name) for i, name in value.names.items()}
        title = f"{title} = {Formula(value.expression, inputs, value.name)}" if formulas else value.op.name
    kind, family = ("leaf", "input") if value.op is None else ("op", kind_of_op(value.op))
    return Box(value.name, title, tuple(lines), kind, value.layers, size(value.gradient), family)


def _norm(value: Value) -> str:
    found = size(value.gradient)
    return "gradient not computed" if found is None else f"mean |gradient| {found:.3g}"


def _brief(name: Name) -> Name:
    """An input in a title: its name; of a constant array the shape alone."""
    return replace(name, text=f"constant[{shape(name.value)}]") if name.constant and np.ndim(name.value) else name


def taken(inside: Sequence[Value]) -> dict[str, Any]:
    """What goes into a layer, by name: values from outside, or else the constant arrays that come first."""
    own = {value.name for value in inside}
    found = {p: v.args[i] for v in inside for i, p in enumerate(v.parents) if p is not None and p not in own}
    for value in () if found else inside:
        constants = (i for i, p in enumerate(value.parents) if p is None and np.ndim(value.args[i]))
        found = {value.inputs[i]: value.args[i] for i in constants}
        if found:
            break
    return found


def lines_of_layer(path: Path, inside: Sequence[Value], gradients: bool, kind: str) -> list[str]:
    """What a closed layer says: its class and ops, its weights by their names in it, what goes in and comes out."""
    ops = [v for v in inside if v.op is not None]
    lines = [f"{len(ops)} op{'s' if len(ops) != 1 else ''}: " + ", ".join(v.op.name for v in ops[:4] if v.op)]
    if len(ops) > 4:
        lines[0] += ", …"
    if kind:
        lines[0] = f"{kind}, {lines[0]}"
    weights = [v for v in inside if v.op is None]
    for weight in weights if len(weights) <= LINES else weights[: LINES - 1]:
        line = f"{name_in(path, weight)} {shape(weight.value)}"
        found = size(weight.gradient)
        if gradients:
            line += ", gradient not computed" if found is None else f", mean |gradient| {found:.3g}"
        lines.append(line)
    if len(weights) > LINES:
        lines.append(f"… {len(weights) - LINES + 1:,} more weights")
    if ops:
        given = ", ".join(filter(None, map(shape, list(taken(inside).values())[:3])))
        lines.append(f"{given} → {summary(ops[-1].value)}".strip())
    return lines


def _layer(key: str, inside: Sequence[Value], gradients: bool, kinds: Mapping[Path, str]) -> Box:
    path = tuple(key.removeprefix(LAYER).split("\0"))
    ops = [v for v in inside if v.op is not None]
    sizes = [found for v in inside if v.op is None and gradients and (found := size(v.gradient)) is not None]
    own = size(ops[-1].gradient) if ops and not sizes else None
    family = kind_of_layer(kinds.get(path, ""), [v.op for v in ops if v.op])
    lines = lines_of_layer(path, inside, gradients, kinds.get(path, ""))
    return Box(key, path[-1], tuple(lines), "layer", path[:-1], max(sizes, default=own), family)


def name_in(path: Path, weight: Value) -> str:
    """What a weight is called in a layer: that of an inner layer by its path there, query/kernel."""
    return "/".join((*weight.layers[len(path) :], weight.name.rpartition("/")[2]))
