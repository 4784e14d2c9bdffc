"""What repeats, as twelve blocks of a transformer do or the steps of an unrolled loop, found once and counted."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

ROUNDS = 20  # repetitions that are folded in one picture
LONGEST = 2_000  # items that repeat


@dataclass(frozen=True)
class Folded:
    """What is left of a sequence.

    ``stands[i]`` is the item that is shown for item ``i``, which may be itself; ``times[i]`` says of the shown items of
    a repetition which one it is, counted from 0, and how often it is there.
    """

    stands: list[int]
    times: dict[int, tuple[int, int]]

    @property
    def shown(self) -> int:
        """How many items are left."""
        return sum(i == stand for i, stand in enumerate(self.stands))


def folded(
    looks: Sequence[Hashable],
    inputs: Sequence[Sequence[int]],
    limit: int = 0,
    frames: Sequence[tuple[str, ...]] = (),
) -> Folded:
    """Fold what repeats until at most ``limit`` items are left, the longest repetition first.

    Items stand in an order in which they can be computed. Two are alike that look alike and have inputs at the same
    distance before them, or the very same ones. Each item is folded once: there is no repetition in a repetition.
    ``frames`` are the paths of the frames that items stand in; a repetition begins where one does, if it may.

    >>> folded(["x", "sin", "mul", "sin", "mul", "sin", "mul"], [[], [0], [1], [2], [3], [4], [5]]).stands
    [0, 1, 2, 1, 2, 1, 2]
    """
    count = len(looks)
    stands, times = list(range(count)), dict[int, tuple[int, int]]()
    uses = [0] * count
    for given in inputs:
        for i in set(given):
            uses[i] += 1
    kinds: dict[Hashable, int] = {}

    def kind(i: int) -> int:
        if uses[i] > 1 and not inputs[i]:
            return kinds.setdefault(("shared", i), len(kinds))
        came = tuple(("all", j) if uses[j] > 1 and not inputs[j] else i - j for j in inputs[i])
        return kinds.setdefault((looks[i], came), len(kinds))

    alike = np.array([kind(i) for i in range(count)], dtype=np.int64)
    left, computed = np.arange(count), np.array([bool(given) for given in inputs], dtype=bool)
    for turn in range(ROUNDS):
        if len(left) <= limit:
            break
        start, period, copies, slack = _longest(alike[left], computed[left])
        if slack and frames:
            start += min(range(slack + 1), key=lambda i: _shared(frames, left, start + i))
        gained = period * (copies - 1)
        if not gained or gained * (ROUNDS - turn) < len(left) - limit > 0 < limit:  # the others are no longer
            break
        whole = left[start : start + period * copies]
        for i, item in enumerate(whole):
            stands[item] = int(whole[i % period])
        times |= {int(item): (turn, copies) for item in whole[:period]}
        alike[whole[:period]] = -1 - whole[:period]  # like nothing else from now on
        left = np.delete(left, slice(start + period, start + period * copies))
    return Folded(stands, times)


def _shared(frames: Sequence[tuple[str, ...]], left: np.ndarray, i: int) -> int:
    """In how many frames an item stands together with the one before it."""
    if not i:
        return 0
    pairs = zip(frames[left[i - 1]], frames[left[i]], strict=False)
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _longest(alike: np.ndarray, computed: np.ndarray) -> tuple[int, int, int, int]:
    """The repetition that leaves least when it is folded: where it begins, its length, how often it is there, and how
    much later it may begin."""
    best, found = 0, (0, 1, 1, 0)
    for period in range(1, min(len(alike) // 2, LONGEST) + 1):
        if len(alike) - period <= best:
            break
        same = alike[:-period] == alike[period:]
        if np.count_nonzero(same) <= best:
            continue
        ends = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]])))
        starts, lengths = ends[::2], ends[1::2] - ends[::2]
        i = int(np.argmax(lengths // period))
        copies = int(lengths[i]) // period + 1
        alone = not np.any(computed[starts[i] : starts[i] + period])  # leaves side by side are no repetition
        if period * (copies - 1) > best and not alone:
            best, found = period * (copies - 1), (int(starts[i]), period, copies, int(lengths[i]) % period)
    return found
