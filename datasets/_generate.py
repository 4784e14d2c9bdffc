"""What the made-up sets have in common: examples of each class in turn, and every fifth for the test."""

import numpy as np

from ._fetch import About
from ._split import Array, Split, hold_out_every_fifth


def about(citation: str) -> About:
    """What the catalog says of a set of points."""
    return About("4/5 n + 1/5 n\n(2,) float64", licence="MIT (ours)", citation=citation, kept="made")


def begin(n: int, noise: float, seed: int | None, classes: int = 2) -> tuple[Array, np.random.Generator]:
    """The labels 0, 1, 0, 1, … of `n` examples, and the source of all that is random about them."""
    if n < 1:
        raise ValueError(f"n: expected the number of examples to make, at least 1, got {n}")
    if not noise >= 0:
        raise ValueError(f"noise: expected 0 or more, got {noise}")
    return np.arange(n, dtype=np.int64) % classes, np.random.default_rng(seed)


def finish(across: Array, up: Array, y: Array, noise: float, random: np.random.Generator) -> Split:
    """The points at `(across, up)`, moved about by `noise`, in a training and a test part."""
    x = np.stack([across, up], axis=1)
    return hold_out_every_fifth(x + random.normal(0.0, noise, x.shape), y)
