"""What of a graph opens and closes: its layers, and blocks of values where there are too many to be seen at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..boxes import Path, lines_of_layer, name_in, taken
from ..formula import shape
from ..looks import kind_of_layer

if TYPE_CHECKING:
    from ..steps import Steps
    from ..values import Value

MOST = 200  # what is seen at once, side by side
BLOCK = "\0"  # begins the name of a block, and no layer's


def places(values: Mapping[str, Value]) -> dict[str, Path]:
    """In which layers and blocks each value is, the outermost first.

    Where more than `MOST` stand side by side, those that were computed one after the other are a block, about as many
    blocks as there is in each. Nothing outside of a block is computed from one part of it and needed by another.
    """
    order: dict[str, None] = {}
    users: dict[str, list[str]] = {name: [] for name in values}
    for name, value in values.items():
        for parent in value.parents if value.op is not None else ():
            if parent in users:
                users[parent].append(name)
                if values[parent].op is None:
                    order.setdefault(parent)  # a leaf stands before what is first computed from it
        if value.op is not None:
            order[name] = None
    order |= dict.fromkeys(values)
    found = {name: values[name].layers for name in order}
    _split(found, list(order), 0, users, values)
    return found


def _split(
    paths: dict[str, Path],
    names: Sequence[str],
    depth: int,
    users: Mapping[str, Sequence[str]],
    values: Mapping[str, Value],
) -> None:
    inside: dict[tuple[bool, str], list[str]] = {}
    for name in names:
        inside.setdefault(_part(name, paths[name], depth), []).append(name)
    for (is_layer, _), members in inside.items():
        if is_layer:
            _split(paths, members, depth + 1, users, values)
    if len(inside) <= MOST:
        return
    size = math.isqrt(len(inside))
    parts = list(inside)
    block = {part: i // size for i, part in enumerate(parts)}
    titles: dict[int, list[str]] = {}
    for is_layer, name in parts:
        if is_layer or values[name].op is not None:
            titles.setdefault(block[is_layer, name], []).append(name)
    for part, members in inside.items():
        used = {block.get(_part(user, paths[user], depth)) for name in members for user in users[name]}
        leaf = not part[0] and values[part[1]].op is None
        title = titles.get(block[part])
        if title and not (leaf and len(used) > 1):
            for name in members:
                called = f"{BLOCK}{title[0]} … {title[-1]}"
                paths[name] = (*paths[name][:depth], called, *paths[name][depth:])


def _part(name: str, path: Path, depth: int) -> tuple[bool, str]:
    """What a value belongs to at this level: a layer, or itself."""
    return (True, path[depth]) if len(path) > depth else (False, name)


def levels(steps: Steps, paths: Mapping[str, Path]) -> tuple[list[Path], list[dict[str, Any]]]:
    """The paths of all layers and blocks in the order of what is computed there, and what a page tells of each."""
    inside: dict[Path, list[Value]] = {}
    for name, path in paths.items():
        for depth in range(1, len(path) + 1):
            inside.setdefault(path[:depth], []).append(steps.values[name])
    order = list(inside)
    at = {path: i for i, path in enumerate(order)}
    places = {name: i for i, name in enumerate(steps.values)}
    users: dict[str, list[str]] = {}
    for name, value in steps.values.items():
        for parent in value.parents:
            if parent is not None:
                users.setdefault(parent, []).append(name)
    return order, [
        _told(steps, path, inside[path], users, places) | {"parent": at.get(path[:-1], -1)} for path in order
    ]


def _told(
    steps: Steps, path: Path, inside: Sequence[Value], users: Mapping[str, Sequence[str]], places: Mapping[str, int]
) -> dict[str, Any]:
    own = {value.name for value in inside}
    real = tuple(name for name in path if not name.startswith(BLOCK))
    kind = "" if path[-1].startswith(BLOCK) else steps.kinds.get(real, "")
    title = path[-1].removeprefix(BLOCK)
    lines = lines_of_layer(real, inside, True, kind)
    outputs = [v for v in inside if v.op and (v.name == steps.result or not own.issuperset(users.get(v.name, ())))]
    return {
        "name": title,
        "kind": kind,
        "family": kind_of_layer(kind, [v.op for v in inside if v.op]),
        "lines": _lines(title, lines, inside, places),
        "weights": [[places[v.name], name_in(real, v)] for v in inside if v.op is None],
        "takes": [[name, places.get(name), shape(arg)] for name, arg in taken(inside).items()],
        "gives": [places[v.name] for v in outputs],
        "ops": sum(v.op is not None for v in inside),
    }


def _lines(
    title: str, lines: Sequence[str], inside: Sequence[Value], places: Mapping[str, int]
) -> list[dict[str, Any]]:
    """The lines of a closed layer, those with numbers that a page may change marked as such."""
    found: list[dict[str, Any]] = [{"text": f"+ {title}"}, *({"text": line} for line in lines)]
    weights = [v.name for v in inside if v.op is None]
    for line, name in zip(found[2:], weights, strict=False):
        before, known, _ = str(line["text"]).partition("mean |gradient| ")
        if known:
            line |= {"data-n": f"m{places[name]}", "data-prefix": before + known, "data-digits": "3"}
    ops = [v.name for v in inside if v.op is not None]
    if ops:
        before, arrow, _ = str(found[-1]["text"]).partition("→ ")
        found[-1] |= {"data-n": f"v{places[ops[-1]]}", "data-prefix": before + arrow, "data-brief": ""}
    return found
