"""Nested lists, tuples, dictionaries and slices: the one place that knows what is in them and how to build them again.

A tree is a leaf or a branch. Branches are lists, tuples (named ones too), dictionaries, the classes derived from
these, and slices, so that an index is a tree. None is a branch without anything in it: it comes back as None and no
function sees it. All else is a leaf: a number, an array, a Tensor, a set. What is built is of the class that it is
built from, and dictionaries keep their order. Where two trees are taken together, lists and tuples count as the same,
and dictionaries are matched key by key, however they are ordered.

A structure that contains itself, or is nested deeper than Python recurses, raises RecursionError, as ``==`` on it does.
"""

from __future__ import annotations

import builtins
import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

# As a tuple, which isinstance takes faster than a union of classes.
BRANCHES = list, tuple, dict, slice

# Of most leaves the class says in a third of the time that they are none of these.
_LEAVES = frozenset((int, float, bool, str, type(...), np.ndarray, np.float64, np.float32))


def leaves(tree: Any) -> list[Any]:
    """What a structure holds, from left to right.

    >>> leaves({"w": [1.0, None], "b": (2.0,)})
    [1.0, 2.0]
    """
    if _is_flat(tree):
        return [*tree]
    if not isinstance(tree, BRANCHES):
        return [] if tree is None else [tree]
    found: list[Any] = []
    _collect(tree, found)
    return found


def _is_flat(tree: Any) -> bool:
    """Whether this is a list of leaves, as the arguments of most functions are: they are all that is in it."""
    if type(tree) is not list:
        return False
    for branch in tree:
        if type(branch) not in _LEAVES and (branch is None or isinstance(branch, BRANCHES)):
            return False
    return True


def _collect(tree: Any, found: list[Any]) -> None:
    if isinstance(tree, BRANCHES):
        for branch in _parts(tree):
            _collect(branch, found)
    elif tree is not None:
        found.append(tree)


def map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """A structure like ``tree`` that holds ``function`` of each leaf, and of those at the same places in ``others``.

    ValueError where another has another structure.

    >>> map(lambda a, b: a + b, {"w": [1, 2], "b": 3}, {"b": 30, "w": (10, 20)})
    {'w': [11, 22], 'b': 33}
    """
    if others:
        columns = [aligned(other, tree, "each structure") for other in others]
        return rebuild(tree, builtins.map(function, leaves(tree), *columns))
    return _map(function, tree)


def _map(function: Callable[[Any], Any], tree: Any) -> Any:
    kind = type(tree)
    if kind in _LEAVES:
        return function(tree)
    if kind is tuple or kind is list:
        return kind([_map(function, branch) for branch in tree])
    if kind is slice:
        start, stop, step = tree.start, tree.stop, tree.step
        return slice(
            start if start is None else _map(function, start),
            stop if stop is None else _map(function, stop),
            step if step is None else _map(function, step),
        )
    if isinstance(tree, BRANCHES):
        return _joined(tree, [_map(function, part) for part in _parts(tree)])
    return None if tree is None else function(tree)


def rebuild(tree: Any, new: Iterable[Any]) -> Any:
    """A structure like ``tree`` that holds ``new``: as many values as there are leaves, else ValueError.

    >>> rebuild((0, {"a": 0, "b": [0]}), [1, 2, 3])
    (1, {'a': 2, 'b': [3]})
    """
    values = iter(new)
    if _is_flat(tree):
        flat = [*values]
        if len(flat) == len(tree):
            return flat
        values = iter(flat)
    try:
        built = _map(lambda _: next(values), tree)
    except StopIteration:
        raise ValueError(f"expected a value for each place in {sketch(tree)}, got fewer") from None
    for _ in values:
        raise ValueError(f"expected a value for each place in {sketch(tree)}, got more")
    return built


def aligned(given: Any, wanted: Any, what: str) -> list[Any]:
    """The leaves of ``given`` in the order of those of ``wanted``; ValueError where it has another structure.

    ``what`` is what the error calls it.

    >>> aligned({"b": 1, "a": [2]}, {"a": (0,), "b": 0}, "the gradient")
    [2, 1]
    """
    if not (isinstance(wanted, BRANCHES) or isinstance(given, BRANCHES) or wanted is None or given is None):
        return [given]
    found: list[Any] = []
    if not _align(given, wanted, found):
        raise ValueError(f"{what}: expected the structure {sketch(wanted)}, got {sketch(given)}")
    return found


def _align(given: Any, wanted: Any, found: list[Any]) -> bool:
    kind = _kind(wanted)
    if _kind(given) is not kind:
        return False
    if kind is dict:
        return given.keys() == wanted.keys() and all(_align(given[key], wanted[key], found) for key in wanted)
    if isinstance(wanted, BRANCHES):
        mine, others = _parts(given), _parts(wanted)
        return len(mine) == len(others) and all(builtins.map(_align, mine, others, [found] * len(others)))
    if wanted is not None:
        found.append(given)
    return True


def _kind(tree: Any) -> Any:
    """What two trees must agree in at one place."""
    if isinstance(tree, list | tuple):
        return list
    return dict if isinstance(tree, dict) else slice if isinstance(tree, slice) else tree is None


def structure(tree: Any) -> Any:
    """What is left of ``tree`` without its leaves, to compare and to look up: classes, keys in order, and None.

    >>> structure([1, {"a": 2}]) == structure([3, {"a": None}])
    False
    """
    if not isinstance(tree, BRANCHES):
        return tree is None
    keys = tuple([(type(key), key) for key in tree]) if isinstance(tree, dict) else ()
    return type(tree), keys, tuple([structure(branch) for branch in _parts(tree)])


def sketch(tree: Any) -> str:
    """A structure as text, with a dot for each leaf.

    >>> sketch({"w": [1.0, 2.0], "b": None})
    "{'w': [·, ·], 'b': None}"
    """
    return repr(_map(lambda _: _DOT, tree))


class _Dot:
    def __repr__(self) -> str:
        return "·"


_DOT = _Dot()


def named(tree: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The leaves with what Python calls them, where the whole is called ``name``.

    >>> list(named({"W": [1.0, 2.0]}, "params"))
    [("params['W'][0]", 1.0), ("params['W'][1]", 2.0)]
    """
    if isinstance(tree, BRANCHES):
        for way, branch in zip(_ways(tree), _parts(tree), strict=True):
            yield from named(branch, name + way)
    elif tree is not None:
        yield name, tree


def nested(values: Iterable[Any]) -> bool:
    """Whether any of these is a branch: what is asked of the arguments of a training step, at each step."""
    for value in values:  # noqa: SIM110 -- in half the time of any()
        if type(value) not in _LEAVES and isinstance(value, BRANCHES):
            return True
    return False


# -- one branch --------------------------------------------------------------------------------------------


def _parts(branch: Any) -> Sequence[Any]:
    """What a branch holds directly."""
    if isinstance(branch, dict):
        return list(branch.values())
    return (branch.start, branch.stop, branch.step) if isinstance(branch, slice) else branch


def _joined(branch: Any, parts: list[Any]) -> Any:
    """A branch like another with these parts."""
    kind = type(branch)
    if kind is dict:
        return dict(zip(branch, parts, strict=True))
    if isinstance(branch, tuple):
        return kind._make(parts) if hasattr(kind, "_fields") else kind(parts)
    other = copy.copy(branch)  # a defaultdict with its factory, or a class of the caller's own with its attributes
    for key, part in zip(branch if isinstance(branch, dict) else range(len(parts)), parts, strict=True):
        other[key] = part
    return other


def _ways(branch: Any) -> Iterator[str]:
    """What leads from a branch to its parts, as Python writes it."""
    if isinstance(branch, dict):
        return (f"[{key!r}]" for key in branch)
    fields = ("start", "stop", "step") if isinstance(branch, slice) else getattr(branch, "_fields", None)
    return (f".{field}" for field in fields) if fields else (f"[{i}]" for i in range(len(branch)))
