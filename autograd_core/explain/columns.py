"""Where a long picture is cut, so that it goes on in another row or column and fits a slide."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .drawing import Box, Drawing


SLIDE = (1430.0, 755.0)  # points: 1,920 × 1,080 pixels, less the legend
LETTER, LINE, MARGIN = 5.7, 13.5, (22.0, 14.0)  # of a box, in points: a letter, a line, and around them
BETWEEN, GUTTER = (30.0, 13.0), 45.0  # ranks, boxes of a rank, and columns
FRAMED = (26.0, 10.0)  # what a frame takes where its name is, and where not
FRAME = 4  # how many arrows an open frame is worth that a cut goes through


def parts(drawing: Drawing) -> list[list[Box]]:
    """The boxes by the row or column that they stand in: one, where all fits a slide as it is."""
    boxes = list(drawing.boxes)
    rank = ranks(drawing) if drawing.wrapped else {}
    if len(rank) < len(boxes) or not boxes:
        return [boxes]
    depth = max(rank.values()) + 1
    along, across = [0.0] * depth, [0.0] * depth
    sideways = drawing.direction in ("LR", "RL")
    label = [0.0] * depth  # a label is on an arrow's way
    for arrow in drawing.arrows:
        i = rank[arrow.end]
        label[i] = max(label[i], (len(arrow.label) + 5) * LETTER if sideways else LINE * bool(arrow.label))
    for box in boxes:
        extent = size(box)
        i = rank[box.key]
        along[i] = max(along[i], extent[0 if sideways else 1] + BETWEEN[0] + label[i])
        across[i] += extent[1 if sideways else 0] + BETWEEN[1]
    room, beside = SLIDE if sideways else SLIDE[::-1]
    for low, high in _spans(drawing, rank).values():
        along[low] += FRAMED[sideways]
        along[high] += FRAMED[1]
        across[low] += FRAMED[not sideways]
    length, width = sum(along), max(across) + GUTTER
    count = min(range(1, depth + 1), key=lambda k: max(length / k / room, k * width / beside, 1))
    bounds = _cuts(drawing, rank, along, count)
    stands = {arrow.end for arrow in drawing.arrows}
    home = dict(rank)  # what nothing leads to, a weight say, stands beside the first that uses it
    for arrow in sorted(drawing.arrows, key=lambda arrow: -rank[arrow.end]):
        if arrow.start not in stands:
            home[arrow.start] = rank[arrow.end]
    found = ([b for b in boxes if low <= home[b.key] < high] for low, high in itertools.pairwise(bounds))
    return [part for part in found if part]


def size(box: Box) -> tuple[float, float]:
    """How wide and how high a box is, about, in points."""
    lines = (box.title, *box.lines)
    lines = tuple(itertools.chain.from_iterable(line.split("\n") for line in lines))
    return max(map(len, lines)) * LETTER + MARGIN[0], len(lines) * LINE + MARGIN[1]


def ranks(drawing: Drawing) -> dict[str, int]:
    """How far from the beginning each box stands: behind all that it needs, and close before the first that needs it.

    What is in a circle, or behind one, has no rank.
    """
    before: dict[str, set[str]] = {box.key: set() for box in drawing.boxes}
    after: dict[str, set[str]] = {box.key: set() for box in drawing.boxes}
    for arrow in drawing.arrows:
        before[arrow.end].add(arrow.start)
        after[arrow.start].add(arrow.end)
    rank: dict[str, int] = {}
    waiting = {key: len(starts) for key, starts in before.items()}
    ready = [key for key, count in waiting.items() if not count]
    while ready:
        key = ready.pop()
        rank[key] = max((rank[start] + 1 for start in before[key]), default=0)
        for end in after[key]:
            waiting[end] -= 1
            if not waiting[end]:
                ready.append(end)
    for key in sorted(rank, key=rank.__getitem__, reverse=True):
        rank[key] = min((rank[end] - 1 for end in after[key] if end in rank), default=rank[key])
    return rank


def _spans(drawing: Drawing, rank: Mapping[str, int]) -> dict[tuple[str, ...], tuple[int, int]]:
    """The first and the last rank in each frame."""
    spans: dict[tuple[str, ...], tuple[int, int]] = {}
    for box in drawing.boxes:
        i = rank[box.key]
        for level in range(1, len(box.layers) + 1):
            low, high = spans.get(box.layers[:level], (i, i))
            spans[box.layers[:level]] = min(low, i), max(high, i)
    return spans


def _cuts(drawing: Drawing, rank: Mapping[str, int], along: Sequence[float], count: int) -> list[int]:
    """The ranks at which parts begin, and the end: about equally long, through few arrows and few frames."""
    depth = len(along)
    cost = [0] * (depth + 1)  # of a cut before this rank

    def reaches(low: int, high: int, worth: int) -> None:
        if high > low:
            cost[low + 1] += worth
            cost[high + 1] -= worth

    for arrow in drawing.arrows:
        reaches(rank[arrow.start], rank[arrow.end], 1)
    for low, high in _spans(drawing, rank).values():
        reaches(low, high, FRAME)
    cost = list(itertools.accumulate(cost))
    ends = list(itertools.accumulate(along))
    cuts = [0]
    for i in range(1, count):
        ideal, window = ends[-1] * i / count, ends[-1] / count * 0.3
        near = [r for r in range(cuts[-1] + 1, depth) if abs(ends[r - 1] - ideal) <= window]
        if near:
            cuts.append(min(near, key=lambda r: cost[r] + abs(ends[r - 1] - ideal) / window))
    return [*cuts, depth]
