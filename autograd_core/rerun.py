"""What a function must find as it was when it is run again: random numbers, state and settings."""

from __future__ import annotations

import contextvars
import functools
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from . import tree

if TYPE_CHECKING:
    from .graph import Node

T = TypeVar("T")


class _Watching(threading.local):
    def __init__(self) -> None:
        self.runs: list[Run] = []


watching = _Watching()


def watched() -> bool:
    """Whether this thread is in a function that will run, or runs, again."""
    return bool(watching.runs)


def will_draw(generator: Any) -> None:
    """Note where a generator of random numbers stands, before a number is drawn from it."""
    for run in watching.runs:
        run.will_draw(generator)


def will_stamp(node: Node) -> None:
    """Note when the data of a leaf was changed last, which it was just now."""
    for run in watching.runs:
        if node.born < run.start:
            run.changed.setdefault(node, (node.changed, node.changer))


class Run:
    """A context manager around a run of a function, of whose ``parts`` generators of random numbers may be.

    It notes which generators the run drew from and which leaves it changed. `again` is the context of a later run.
    That draws the same random numbers and leaves no trace: generators and leaves stand afterwards as before. Known are
    the generators of Python and NumPy, those that tell that they are drawn from, and those among the parts. What is set
    in context variables is as it was. ``clock`` gives the time in births of nodes.
    """

    def __init__(self, clock: Callable[[], int], parts: Iterator[Any]) -> None:
        self.clock, self.start = clock, clock()
        self.context = contextvars.copy_context()
        self.generators: dict[int, tuple[Any, Any]] = {}
        self.changed: dict[Node, tuple[int, tuple[str, int]]] = {}
        for part in parts:
            if _is_generator(part):
                self.will_draw(part)

    def will_draw(self, generator: Any) -> None:
        """Note where a generator stands, unless that was noted before."""
        if id(generator) not in self.generators:
            self.generators[id(generator)] = generator, _state(generator)

    def __enter__(self) -> Run:
        watching.runs.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        watching.runs.pop()
        self.generators = {
            key: (generator, before)
            for key, (generator, before) in self.generators.items()
            if not _same(before, _state(generator))
        }

    def again(self, function: Callable[[], T]) -> tuple[T, Run]:
        """What ``function`` gives in another run, and what was noted of that."""
        now = [(generator, _state(generator)) for generator, _ in self.generators.values()]
        data = [(node, node.out, node.out.copy()) for node in self.changed]
        other = Run(self.clock, iter(()))
        try:
            for generator, before in self.generators.values():
                _set(generator, before)
            with other:
                value = self.context.copy().run(function)
        finally:
            for generator, state in (*other.generators.values(), *now):
                _set(generator, state)
            for node, out, values in data:
                if not isinstance(out, np.generic):
                    np.copyto(out, values)
                node.out = out
            for node, (changed, changer) in other.changed.items():
                node.changed, node.changer = changed, changer
        return value, other


def parts_of(f: Any, *arguments: Any) -> Iterator[Any]:
    """What a function may find a generator in: its arguments, its variables, what it is a method of; attributes too."""
    yield sys.modules.get("random")
    yield np.random
    found = list(arguments)
    while isinstance(f, functools.partial):
        found += [f.args, f.keywords]
        f = f.func
    f = getattr(f, "__wrapped__", f)
    found.append(getattr(f, "__self__", f))
    code, names = getattr(f, "__code__", None), getattr(f, "__globals__", {})
    found += [names[name] for name in code.co_names if name in names] if code else []
    for cell in getattr(f, "__closure__", None) or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # a variable that has no value yet
            continue
    for part in found:
        if isinstance(part, types.ModuleType | type):
            continue
        for leaf in tree.leaves(part) if isinstance(part, tuple | dict) else (part,):
            yield leaf
            yield from getattr(leaf, "__dict__", {}).values()


def _is_generator(value: Any) -> bool:
    if isinstance(value, types.ModuleType):
        return value in (sys.modules.get("random"), np.random)
    return isinstance(value, _generators())


@functools.cache
def _generators() -> tuple[type, ...]:
    """Asked for late: ``np.random`` is a sixth of the time of an import."""
    import random

    return np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    if isinstance(generator, np.random.BitGenerator):
        return generator.state
    return generator.getstate() if hasattr(generator, "getstate") else generator.get_state(legacy=False)


def _set(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, np.random.BitGenerator):
        generator.state = state
    else:
        (generator.setstate if hasattr(generator, "setstate") else generator.set_state)(state)


def _same(state: Any, other: Any) -> bool:
    if isinstance(state, tuple):
        return bool(state == other)
    return all(np.array_equal(a, b) for a, b in zip(tree.leaves(state), tree.leaves(other), strict=True))
