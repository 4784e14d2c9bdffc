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
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """The first and the last examples of arrays, or of a dataset of TensorFlow or PyTorch.

    Parameters
    ----------
    dataset : array_like, tf.data.Dataset or torch.utils.data.Dataset
        An array, or a tuple, list or dict of arrays of as many examples each; or what gives examples one by one and
        knows how many.
    left_size, right_size : float, optional
        How many examples the parts have, or, between 0 and 1, which shares of all; None: those that the other leaves.
    shuffle : bool
        Whether the examples are taken in a random order.
    seed : int, optional
        Of this order; None: it is drawn like everything random, after `set_random_seed`.
    preferred_backend : str, optional
        None only: what was given says what comes back.

    Returns
    -------
    tuple
        Two datasets of the structure or the kind that was given. Of tf.data the parts are ``take`` and ``skip``, of a
        dataset of PyTorch they are a ``Subset``.

    Raises
    ------
    ValueError
        For sizes that do not fit the data or each other or leave a part empty, for none, for arrays of different
        lengths, and for a ``preferred_backend``.
    TypeError
        For other data, and such as does not know how many examples it has: `itertools.islice` takes some.

    Examples
    --------
    >>> import nn
    >>> (x, y), (x_test, y_test) = nn.utils.split_dataset((np.ones((10, 3)), np.arange(10)), left_size=0.8)
    >>> x.shape, y_test
    ((8, 3), array([8, 9]))
    """
    if preferred_backend is not None:
        raise ValueError(
            f"preferred_backend: expected None, got {preferred_backend!r}: the parts are of the kind of the dataset"
        )
    tensorflow, pytorch = (_is_from(package, dataset) for package in ("tensorflow", "torch"))
    if tensorflow or pytorch:
        total = len(dataset)
    elif is_arrays(dataset):
        data = arrays_of(dataset, "dataset")
        total = length_of(data, "dataset")
    else:
        raise TypeError(
            "split_dataset: expected an array, a tuple, list or dict of them, or a dataset of TensorFlow or PyTorch, "
            f"got {type(dataset).__name__}; of what gives batches itertools.islice takes some"
        )
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
    chance = random.generator if seed is None else np.random.default_rng(seed)
    if tensorflow:
        if shuffle:
            drawn = int(chance.integers(2**31))
            dataset = dataset.shuffle(total, seed=drawn, reshuffle_each_iteration=False)
        return dataset.take(first), dataset.skip(total - last)
    order = chance.permutation(total) if shuffle else np.arange(total)
    if pytorch:
        from torch.utils.data import Subset

        return Subset(dataset, order[:first].tolist()), Subset(dataset, order[total - last :].tolist())
    one, two = cut(data, order[:first]), cut(data, order[total - last :])
    return (tuple(one), tuple(two)) if isinstance(dataset, tuple) and isinstance(data, list) else (one, two)


def _is_from(package: str, dataset: Any) -> bool:
    """Whether it is a dataset of TensorFlow's or PyTorch's, or of a class made from theirs."""
    return any(
        base.__module__.partition(".")[0] == package and base.__name__ in ("DatasetV2", "Dataset")
        for base in type(dataset).__mro__
    )


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
