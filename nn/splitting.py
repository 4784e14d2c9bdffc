"""Data in two parts, one to train on and one to test on."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import random
from .models.batches import arrays_of, cut, is_arrays, length_of


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Any, Any]:
    """The first and the last examples of arrays.

    Parameters
    ----------
    dataset : array_like
        An array, or a tuple, list or dict of arrays of as many examples each.
    left_size, right_size : float, optional
        How many examples the parts have, or, between 0 and 1, which shares of all; None: those that the other leaves.
    shuffle : bool
        Whether the examples are taken in a random order.
    seed : int, optional
        Of this order; None: it is drawn like everything random, after `set_random_seed`.

    Returns
    -------
    tuple
        Two datasets of the structure that was given.

    Raises
    ------
    ValueError
        For sizes that do not fit the data or each other or leave a part empty, for none, and for arrays of different
        lengths.
    TypeError
        For what is no array: of what gives batches, or examples one by one, some may be taken by `itertools.islice`.

    Examples
    --------
    >>> import nn
    >>> (x, y), (x_test, y_test) = nn.utils.split_dataset((np.ones((10, 3)), np.arange(10)), left_size=0.8)
    >>> x.shape, y_test
    ((8, 3), array([8, 9]))
    """
    if not is_arrays(dataset):
        raise TypeError(
            f"split_dataset: expected an array, or a tuple, list or dict of them, got {type(dataset).__name__}; of "
            "what gives batches itertools.islice takes some"
        )
    data = arrays_of(dataset, "dataset")
    total = length_of(data, "dataset")
    left, right = (_examples(size, total, name) for size, name in ((left_size, "left"), (right_size, "right")))
    if left is None and right is None:
        raise ValueError("left_size and right_size: expected at least one of them, got none")
    first = total - (right or 0) if left is None else left
    last = total - first if right is None else right
    if min(first, last) < 1 or first + last > total:
        raise ValueError(
            f"left_size and right_size: expected two parts of {total} examples that both hold some, got "
            f"{left_size!r} and {right_size!r}: {first} and {last} of them"
        )
    order = np.arange(total)
    if shuffle:
        order = (random.generator if seed is None else np.random.default_rng(seed)).permutation(total)
    one, two = cut(data, order[:first]), cut(data, order[total - last :])
    return (tuple(one), tuple(two)) if isinstance(dataset, tuple) and isinstance(data, list) else (one, two)


def _examples(size: Any, total: int, name: str) -> int | None:
    """How many examples a size means."""
    if size is None:
        return None
    share = isinstance(size, float | np.floating)
    if not share and (isinstance(size, bool) or not isinstance(size, int | np.integer)):
        raise TypeError(f"{name}_size: expected a whole number of examples, or a share of them, got {size!r}")
    if not 0 < size < (1 if share else total):
        raise ValueError(
            f"{name}_size: expected a share between 0 and 1, or fewer examples than there are, {total}, got {size!r}"
        )
    return round(size * total) if share else int(size)
