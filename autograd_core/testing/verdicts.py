"""After a gradient was found wrong: which arguments' gradients are, and what a wrong one looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arguments import split
from .oracle import SMOOTH
from .trial import Side, along

Array = Any

# Numbers of one argument that are looked at; what is wrong with a gradient shows in some of them.
LOOKED_AT = 64
CLOSE = 1e-5


@dataclass(frozen=True)
class Verdict:
    """One gradient: ``right`` is None where nothing could be known, ``looks_like`` says what a wrong one may be."""

    gradient: str
    right: bool | None
    looks_like: str = ""

    def __str__(self) -> str:
        if self.right is None:
            return f"{self.gradient} unknown"
        return f"{self.gradient} {'right' if self.right else 'wrong'}" + (
            f": {self.looks_like}" * bool(self.looks_like)
        )


@dataclass
class Leaf:
    """A gradient and what it should be; nan where that was not looked at or is not known."""

    name: str
    got: Array
    expected: Array

    @property
    def known(self) -> Array:
        """Where it is known what it should be."""
        return np.isfinite(self.expected)

    def close(self, other: Array) -> bool:
        """Whether the expected numbers are ``other``, where they are known."""
        a, b = self.expected[self.known], other[self.known]
        scale = max(float(np.max(np.abs(a), initial=0.0)), float(np.max(np.abs(b), initial=0.0)))
        return bool(np.all(np.abs(a - b) <= CLOSE * (np.maximum(np.abs(a), np.abs(b)) + 1e-3 * scale)))


def verdicts(
    side: Side, names: Sequence[str], shapes: Sequence[tuple[int, ...]], rng: np.random.Generator
) -> list[Verdict]:
    """What can be said of each gradient at the point of ``side``, for one random gradient that arrives."""
    u = rng.uniform(0.5, 1.5, side.value.size) * rng.choice([-1.0, 1.0], side.value.size)
    got = split(side.pull(u), shapes)
    expected = np.full(side.x.size, np.nan)
    start = 0
    for shape in shapes:
        size = int(np.prod(shape))
        for i in rng.permutation(size)[:LOOKED_AT] + start:
            d = np.zeros(side.x.size)
            d[i] = side.units[i]
            found = along(side, (d, side.ladders[i]))
            if (found.state == SMOOTH).all():
                expected[i] = float(u @ found.low) / side.units[i]
        start += size
    leaves = [
        Leaf(name, np.asarray(g), np.asarray(e)) for name, g, e in zip(names, got, split(expected, shapes), strict=True)
    ]
    lengths = {n for shape in shapes for n in shape[:1]} | {side.value.size}
    return [_verdict(leaf, leaves, lengths) for leaf in leaves]


def _verdict(leaf: Leaf, leaves: list[Leaf], lengths: set[int]) -> Verdict:
    known = leaf.known
    if not known.any() or not np.isfinite(leaf.got[known]).all():
        nan = known.any() and not np.isfinite(leaf.got[known]).all()
        return Verdict(leaf.name, False, "not finite") if nan else Verdict(leaf.name, None)
    if leaf.close(leaf.got):
        return Verdict(leaf.name, True)
    return Verdict(leaf.name, False, looks_like(leaf, leaves, lengths))


def looks_like(leaf: Leaf, leaves: Sequence[Leaf], lengths: set[int]) -> str:
    """What a wrong gradient may be, in words; nothing where it is like nothing that is known here."""
    known = leaf.known
    got, expected = leaf.got[known], leaf.expected[known]
    if not got.any():
        return "it is 0"
    large = np.abs(expected) > 1e-3 * float(np.max(np.abs(expected), initial=0.0))
    if large.any():
        ratios = got[large] / expected[large]
        ratio = float(np.median(ratios))
        if leaf.close(leaf.got / ratio) if ratio else False:
            return _factor(ratio, lengths)
    if leaf.got.ndim > 1 and leaf.got.shape == leaf.got.shape[::-1] and leaf.close(leaf.got.T):
        return "it is the transpose of the right one"
    for other in leaves:
        if other is not leaf and other.got.shape == leaf.got.shape and other.known.any() and other.close(leaf.got):
            return f"it is what {other.name} should be"
    wrong = np.abs(got - expected) > CLOSE * (np.maximum(np.abs(got), np.abs(expected)))
    if got.size > 1 and wrong.sum() < got.size:
        share = "" if known.all() else f" that were looked at (of {leaf.got.size})"
        return f"{int(wrong.sum())} of {got.size} elements{share}"
    return ""


def _factor(ratio: float, lengths: set[int]) -> str:
    """A constant factor, by the mistake that makes it."""
    if abs(ratio + 1) < 1e-4:
        return "the sign is wrong"
    for value, said in ((2.0, "twice the right one"), (0.5, "half the right one")):
        if abs(ratio - value) < 1e-4:
            return said
    for power, what in ((1, "a division by it, as in a mean, is missing"), (-1, "it was divided by it once too often")):
        n = round(ratio**power)
        if 2 < n < 1e7 and abs(ratio**power - n) < 1e-4 * n:
            count = f"{n} times" if power == 1 else f"1/{n} of"
            return f"{count} the right one: {what if n in lengths else f'if {n} is a number of examples, {what}'}"
    return f"{ratio:.6g} times the right one, throughout"


def told(found: Sequence[Verdict]) -> list[str]:
    """Lines for a message: nothing where one argument was looked at and it looks like nothing."""
    if len(found) < 2 and not any(v.looks_like for v in found):
        return []
    wrong = [v for v in found if not v.right and v.right is not None]
    alike = {v.looks_like for v in wrong}
    lines = [f"    {'verdicts' if i == 0 else '':<9} {v}" for i, v in enumerate(found)]
    if len(wrong) == len(found) > 1 and len(alike) == 1 and alike != {""}:
        lines.append("    they are all wrong in one way: look at the first line of the backward pass")
    return lines
