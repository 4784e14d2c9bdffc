"""The digits that ship inside the package."""

import numpy as np

from datasets import digits


def test_shapes_and_dtypes():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1437, 8, 8)
    assert x_test.shape == (360, 8, 8)
    assert y_train.shape == (1437,)
    assert y_test.shape == (360,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}


def test_every_fifth_image_is_held_out():
    (_, y_train), (_, y_test) = digits.load_data()
    # The file begins with the digits 0 to 9 in order, three times.
    assert y_test[:6].tolist() == [0, 5, 0, 5, 0, 5]
    assert y_train[:8].tolist() == [1, 2, 3, 4, 6, 7, 8, 9]


def test_the_file_has_the_published_counts():
    """The class counts of optdigits.tes, as optdigits.names states them."""
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    counts = np.bincount(np.concatenate([y_train, y_test]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert max(x_train.max(), x_test.max()) == 16


def test_the_first_image_is_a_zero():
    _, (x_test, _) = digits.load_data()
    assert x_test[0].tolist() == [
        [0, 0, 5, 13, 9, 1, 0, 0],
        [0, 0, 13, 15, 10, 15, 5, 0],
        [0, 3, 15, 2, 0, 11, 8, 0],
        [0, 4, 12, 0, 0, 8, 8, 0],
        [0, 5, 8, 0, 0, 9, 8, 0],
        [0, 4, 11, 0, 1, 12, 7, 0],
        [0, 2, 14, 5, 10, 12, 0, 0],
        [0, 0, 6, 13, 10, 0, 0, 0],
    ]


def test_the_arrays_can_be_written_to():
    for x, y in digits.load_data():
        x[0] += 1
        y[0] += 1
