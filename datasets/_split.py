"""How a set becomes a training part and a test part."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Split: TypeAlias = tuple[tuple[Array, Array], tuple[Array, Array]]


def hold_out_every_fifth(x: Array, y: Array) -> Split:
    """`(x_train, y_train), (x_test, y_test)`, with examples 0, 5, 10, … as the test part."""
    test = np.arange(len(x)) % 5 == 0
    return (x[~test], y[~test]), (x[test], y[test])


def hold_out_the_end(x: Array, y: Array, test_split: float) -> Split:
    """`(x_train, y_train), (x_test, y_test)`, with the last `test_split` of the examples as the test part."""
    if not 0 <= test_split < 1:
        raise ValueError(f"test_split: expected the share of the test part, at least 0 and below 1, got {test_split}")
    end = int(len(x) * (1 - test_split))
    return (x[:end], y[:end]), (x[end:], y[end:])


def shuffle(x: Array, y: Array, random: np.random.RandomState) -> tuple[Array, Array]:
    """Both in the same new order, which is the one that Keras gives them for the same seed."""
    order = random.permutation(len(x))
    return x[order], y[order]
