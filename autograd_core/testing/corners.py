"""Where gradients go wrong and chance seldom leads: each shape, size, tie, sign and magnitude of these is tried.

A corner is a way in which numbers lie and a shape for each argument; its numbers are the same at each call. They are
made from numbers that lie apart in their domains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from ..domain import Domain
from .calls import place

Array = Any
Shapes = tuple[tuple[int, ...], ...]
Corner = tuple[str | float, Shapes]

# Beyond so many a corner repeats its numbers, which a failure message then writes in a line.
_DISTINCT = 96
_PERIOD = 23

# Numbers that people write, and that a rule may treat apart.
_FAMILIAR = (
    *(0.0, 1.0, -1.0, 2.0, -2.0, -0.0, 0.5, 3.0, -3.0, 10.0, -0.5, 4.0, 5.0, -10.0, 100.0, 1.5, -4.0, -5.0, 8.0),
    *(0.1, 1e3),
)

# Lengths at which code takes another path: no axes, one, odd and even, squares, more axes, chunks and their ends.
_ONE_SHAPE: Shapes = (
    *((), (1,), (2,), (3,), (0,), (1, 1), (2, 2), (2, 3), (1, 3), (3, 1), (3, 3), (2, 0), (2, 1, 3), (2, 2, 2)),
    *((1, 2, 1, 2), (1, 1, 2, 1, 1), (17,), (5, 7), (64,), (2, 200), (1030,), (10_007,)),
)

# Beside arguments of shape (2, 3), each argument in turn; and all together.
_BROADCAST: Shapes = ((2, 1), (3,), (1, 3), (), (1, 1), (1,))
_TOGETHER: tuple[Shapes, ...] = (
    *(((2, 1), (1, 3)), ((3,), (2, 1)), ((1,), ()), ((0,), (1,)), ((2, 1, 3), (2, 1))),
    *(((2, 3, 2), (2, 1, 2)), ((3, 1), (2, 3, 2)), ((2, 1, 2), (1, 3, 1))),
)

# Sizes of numbers, the nearest to 1 first, so that a failure shrinks to it.
_MAGNITUDES = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1e3, 1e4, 1e6, 1e8, 1e-2, 1e-4, 1e-8, 1e-16)
# Those whose squares overflow or vanish, in single precision and in double.
_BEYOND = (1e22, 1e-22, 1e165, 1e-165)


def _whole(a: Array, n: int, of: int) -> Array:
    b = np.array(np.rint(a))
    b[(b == 0) & (a < 0)] = -0.0
    return b


def _equal(a: Array, n: int, of: int) -> Array:
    return np.full_like(a, a.flat[0]) if a.size else a


def _in_pairs(sign: float) -> Callable[[Array, int, int], Array]:
    """The second of each two is the first, or its opposite."""

    def laid(a: Array, n: int, of: int) -> Array:
        b = a.copy().reshape(-1)
        b[1::2] = sign * b[: b.size // 2 * 2 : 2]
        return b.reshape(a.shape)

    return laid


def _sorted(turn: int) -> Callable[[Array, int, int], Array]:
    return lambda a, n, of: np.sort(a, axis=None)[::turn].reshape(a.shape)


def _last(value: float, count: int = 1, everywhere: bool = False) -> Callable[[Array, int, int], Array]:
    """Some at the end of the first argument are another number."""

    def laid(a: Array, n: int, of: int) -> Array:
        b = a.copy()
        if everywhere or n == 0:
            b.reshape(-1)[max(0, b.size - count) :] = value
        return b

    return laid


def _familiar(a: Array, n: int, of: int) -> Array:
    """All pairs of the first of these where there are two arguments."""
    levels = max(1, int(a.size ** (1 / of) + 1e-9))
    return np.array(_FAMILIAR)[np.arange(a.size) // levels**n % levels % len(_FAMILIAR)].reshape(a.shape)


def _sized(size: float) -> Callable[[Array, int, int], Array]:
    """Numbers of one magnitude and either sign: in each argument beside ordinary ones, and in all.

    Beside an ordinary number the largest and smallest are lost, so these are not.
    """

    def laid(a: Array, n: int, of: int) -> Array:
        i = np.arange(a.size).reshape(a.shape)
        turn = i // 2 % (of + 1)
        own = (turn == n) | (turn == of) | (size in _BEYOND)
        return np.where(own, size * (1 + np.abs(a) / 8) * np.where(i % 2, -1, 1), a)

    return laid


_WAYS: dict[str, Callable[[Array, int, int], Array]] = {
    "apart": lambda a, n, of: a,
    "whole": _whole,
    "equal": _equal,
    "zero": lambda a, n, of: np.zeros_like(a),
    "tied": _in_pairs(1.0),
    "opposite": _in_pairs(-1.0),
    "positive": lambda a, n, of: np.abs(a) + 1 / 64,
    "negative": lambda a, n, of: -np.abs(a) - 1 / 64,
    "rising": _sorted(1),
    "falling": _sorted(-1),
    "shifted up": lambda a, n, of: a + 20,
    "shifted down": lambda a, n, of: a - 20,
    "large": lambda a, n, of: 1e3 * a,
    "huge": lambda a, n, of: 1e8 * a,
    "small": lambda a, n, of: 1e-3 * a,
    "one large": _last(3e4),
    "one zero": _last(0.0),
    "two zeros": _last(0.0, 2, True),
}

# How the numbers of an example lie, the simplest first, which is what failures shrink to.
LAYS = ("apart", "alike", *list(_WAYS)[1:])


def lay(kind: str | float, arrays: Sequence[Array], domains: Sequence[Domain]) -> list[Array]:
    """Numbers that lie apart in their domains, moved to where gradients go wrong: ties, zeros, other magnitudes.

    ``kind`` is one of `LAYS` ("alike": the same in all arguments), "familiar", or a magnitude. A number that would
    leave its domain stays.
    """
    if kind == "alike":
        first = arrays[0]
        same = list(domains).count(domains[0]) == len(domains)
        return [first.copy() if a.shape == first.shape and same else a for a in arrays]
    way = _familiar if kind == "familiar" else _sized(kind) if isinstance(kind, float) else _WAYS[str(kind)]
    moved = []
    for n, (a, domain) in enumerate(zip(arrays, domains, strict=True)):
        b = way(a, n, len(arrays))
        moved.append(np.array(np.where((b > domain.low) & (b < domain.high), b, a)))
    return moved


def corners(count: int, shapes: Shapes | None) -> list[Corner]:
    """All corners of a function of so many arguments: of these shapes, or of any that broadcast together.

    The simplest come first, and each kind has its turn, so that a few are some of all kinds.
    """
    if shapes is not None:
        kinds: list[str | float] = [*LAYS, *_BEYOND]
        return [(kind, shapes) for kind in kinds if kind != "alike" or len(set(shapes)) < count]
    alone: list[Corner] = [("apart", (shape,) * count) for shape in _ONE_SHAPE]
    together: list[Corner] = []
    if count > 1:
        base = (2, 3)
        turns = [(n, shape) for shape in _BROADCAST for n in range(count)]
        together += [("apart", (*(base,) * n, shape, *(base,) * (count - n - 1))) for n, shape in turns]
        together += [("apart", tuple(two[n % 2] for n in range(count))) for two in _TOGETHER]
        together += [("alike", (shape,) * count) for shape in ((), (3,), (2, 2))]
    lain: list[Corner] = [(kind, ((4,),) * count) for kind in LAYS if kind not in ("apart", "alike")]
    lain.append(("familiar", (({1: len(_FAMILIAR), 2: 49, 3: 64}.get(count, 2**count),),) * count))
    several = 2 * (count + 1) if count > 1 else 2
    sized: list[Corner] = [(size, ((several,),) * count) for size in (*_MAGNITUDES, *_BEYOND)]
    in_turn = zip_longest(alone, together[::2], together[1::2], lain, sized)
    return [corner for few in in_turn for corner in few if corner is not None]


def at(corner: Corner, domains: Sequence[Domain]) -> list[Array]:
    """The arguments of a corner."""
    kind, shapes = corner
    rng = np.random.default_rng(len(shapes))
    apart = []
    for shape, domain in zip(shapes, domains, strict=True):
        size = int(np.prod(shape))
        several = rng.permutation(np.arange(-_DISTINCT, _DISTINCT + 1))[: size if size <= _DISTINCT else _PERIOD]
        apart.append(np.resize([place(int(k), domain) for k in several], shape))
    return lay(kind, apart, domains)
