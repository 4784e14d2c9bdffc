"""The values of a computation as people meet them: with a name, a place in the layers, and a gradient."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays import in_numpy, to_numpy
from ..graph import Compared, Node, ancestors
from ..op import Op
from ..tensor import Tensor
from .formula import FEW, Name, number, outline, shape


@dataclass(frozen=True, eq=False)
class Value:
    """A leaf, or the result of an op: what a drawing shows as a node.

    ``inputs`` are the names of the arguments, with constants as numbers, and ``args`` the arguments; ``parents``
    names those that are values of the same computation (None for a constant). ``gradient`` is None where it was
    not computed. ``layers`` are the layers it belongs to, the outermost first; ``where`` is the line that
    computed it, under ``debug()``. ``asked`` says that it was compared or sorted before the result was there, which
    may have turned out otherwise with other numbers; ``conditions`` are those arguments (by position) that are
    comparisons: the function of NumPy's, and what was compared, the name of a value or a constant.
    """

    name: str
    op: Op | None
    value: Any
    gradient: Any
    expression: str
    inputs: tuple[str, ...]
    parents: tuple[str | None, ...]
    args: tuple[Any, ...]
    params: Mapping[str, Any]
    layers: tuple[str, ...]
    where: str | None
    asked: bool = False
    conditions: Mapping[int, tuple[Any, tuple[Any, ...]]] = field(default_factory=dict)

    def named(self, position: int) -> Name:
        """An input as a formula shows it."""
        text, arg = self.inputs[position], self.args[position]
        return Name(text, arg, constant=self.parents[position] is None and text == constant(arg))

    @property
    def names(self) -> dict[int, Name]:
        """The inputs that formulas show, by their positions."""
        return {i: self.named(i) for i in outline(len(self.inputs))}


def describe(
    nodes: Collection[Node],
    names: Names,
    layers: Mapping[Node, tuple[str, ...]],
    gradients: Mapping[Node, Any],
) -> dict[str, Value]:
    """A `Value` for each node, by name."""
    last = max((node.born for node in nodes), default=0)
    aside = _compared_aside(nodes, names)
    return {
        names[node]: Value(
            names[node],
            node.op,
            to_numpy(node.out),
            to_numpy(gradients.get(node)),
            expression(node.op, node) if node.op else "",
            inputs(node, names),
            tuple(names.get(p) if p is not None else None for p in node.parents),
            in_numpy(node.args),
            in_numpy(node.params),
            layers.get(node, ()),
            node.where,
            0 < node.asked < last or node in aside,
            _conditions(node, names),
        )
        for node in nodes
    }


def _compared(node: Node) -> dict[int, Compared]:
    return {i: arg for i, arg in enumerate(node.args) if isinstance(arg, Compared) and hasattr(arg, "function")}


def _conditions(node: Node, names: Names) -> dict[int, tuple[Any, tuple[Any, ...]]]:
    return {
        i: (arg.function, tuple(names[v] if isinstance(v, Node) else v for v in arg.operands))
        for i, arg in _compared(node).items()
        if all(v in names for v in arg.operands if isinstance(v, Node))
    }


def _compared_aside(nodes: Iterable[Node], names: Names) -> Collection[Node]:
    """What was compared, and all that this was computed from, where it is none of the values that are shown."""
    operands = [v for node in nodes for arg in _compared(node).values() for v in arg.operands if isinstance(v, Node)]
    return ancestors([v for v in operands if v not in names])


class Names(dict[Node, str]):
    """What nodes are called; ``arrays`` says it of constants, by the identity of their arrays."""

    def __init__(self, arrays: Mapping[int, str]) -> None:
        self.arrays = arrays


def inputs(node: Node, names: Names) -> tuple[str, ...]:
    """The names of what went into a node; a constant without a name is its value."""
    return tuple(
        names.arrays.get(id(arg)) or constant(arg)
        if parent is None
        else names.get(parent) or shown(parent.name or "") or constant(arg)
        for parent, arg in zip(node.parents, node.args, strict=True)
    )


def constant(value: Any) -> str:
    """What a constant without a name is called: a number or a few as they are, more of them by their shape."""
    if np.size(value) <= FEW:
        return number(value)
    return f"constant[{shape(value)}]"


def expression(op: Op, node: Node) -> str:
    """The op's formula in LaTeX, with x, y, … for its inputs."""
    if op.arity is None:
        letters = [f"x_{{{i + 1}}}" for i in outline(len(node.args))]
        if len(letters) < len(node.args):
            letters.insert(-1, r"\dots")
        return op.latex.replace(r"x, y, \dots", ", ".join(letters))
    return op.latex


LONGEST = 80  # letters of a name

# What no page and no picture can hold (XML's rule): control characters, halves of a character, and two that are none.
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def shown(name: str) -> str:
    """A name as every view shows it: what is no text as its code, and not much longer than a line.

    >>> shown("a\\0b"), len(shown("long " * 100))
    ('a\\\\x00b', 80)
    """
    text = _NO_TEXT.sub(lambda match: ascii(match[0])[1:-1], name)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 21]}…{text[-20:]}"


def name_all(root: Node, nodes: Sequence[Node], variables: Mapping[str, Any]) -> Names:
    """A name of its own for every node: the given one, else the variable that holds it, else v1, v2, ….

    Constants are called as the variables that hold their arrays, where no node is called so.

    Two values of one name are told apart as x and x_2; of a long one the middle is left out.
    """
    own = [(k, v) for k, v in reversed(list(variables.items())) if k.isidentifier() and not k.startswith("_")]
    held = {value.node: name for name, value in own if isinstance(value, Tensor)}
    wanted = {node: shown(node.name or held.get(node) or "") for node in nodes}
    if not wanted[root] and "f" not in wanted.values():
        wanted[root] = "f"
    reserved = set(wanted.values())
    arrays = {id(v): k for k, v in own if isinstance(v, np.ndarray) and v.ndim and k not in reserved}
    names = Names(arrays)
    taken: set[str] = set()
    counts: dict[str, int] = {}
    fresh = 0
    for node in nodes:
        name = wanted[node]
        if not name:
            while (name := f"v{(fresh := fresh + 1)}") in reserved:
                pass
        elif name in taken:
            count = counts.get(name, 2)
            while f"{name}_{count}" in reserved:
                count += 1
            counts[name] = count
            name = f"{name}_{count}"
            reserved.add(name)
        taken.add(name)
        names[node] = name
    return names


def layers_of(nodes: Collection[Node]) -> dict[Node, tuple[str, ...]]:
    """The layers that each node belongs to, the outermost first; ``nodes`` are in the order of their births.

    A layer owns what was born between the beginning and the end of its call, and its weights. A model
    that holds every layer is left out: a box around the whole picture says nothing.
    """
    calls = [(start, -node.born, shown(layer)) for node in nodes for layer, start, _ in node.scopes]
    spans = [(start, -end, layer) for start, end, layer in sorted(calls)]
    if len(spans) > 1 and spans[0][1] >= max(end for _, end, _ in spans):
        del spans[0]
    found: dict[Node, tuple[str, ...]] = {}
    seen: Counter[tuple[str, ...]] = Counter()
    open_now: list[tuple[int, str]] = []
    upcoming = iter([*spans, None])
    span = next(upcoming)
    for node in nodes:
        while span is not None and span[0] < node.born:
            while open_now and open_now[-1][0] < span[0]:
                open_now.pop()
            path = (*(layer for _, layer in open_now), span[2])
            seen[path] += 1  # a layer may be called again
            open_now.append((span[1], f"{span[2]} (call {seen[path]})" if seen[path] > 1 else span[2]))
            span = next(upcoming)
        while open_now and open_now[-1][0] < node.born:
            open_now.pop()
        if node.op is not None and open_now:
            found[node] = tuple(layer for _, layer in open_now)
    # A loss may compute from the logits and pass by the layer's own output: then the weights tell.
    for node in nodes:
        for parent in node.parents:
            if parent is not None and parent.op is None and parent.name and "/" in parent.name:
                owner = shown(parent.name.rpartition("/")[0])
                path = found.setdefault(node, (owner,))
                if owner in path:
                    found.setdefault(parent, path[: path.index(owner) + 1])
    return found


def kinds_of(layers: Mapping[Node, tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """The class of each layer, by its path, where the end of its call is among these nodes."""
    found = {}
    for node, path in layers.items():
        for layer, _, kind in node.scopes:
            for depth, name in enumerate(path, start=1):
                if name == shown(layer) or name.startswith(f"{shown(layer)} (call "):
                    found[path[:depth]] = kind
    return found
