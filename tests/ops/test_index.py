"""Indexing of every kind, and changed copies in place of assignment."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core import Tensor, grad

INDICES = [
    0,
    -1,
    slice(1, None),
    slice(None, None, -2),
    Ellipsis,
    None,
    (slice(None), 1),
    (Ellipsis, 0, None),
    (None, 2, slice(0, 2), None),
    [0, 2, 2],
    np.array([[0, 1], [3, 3]]),
    (np.array([0, 0, 1]), np.array([1, 1, 2])),
    (np.array([0, 3]), slice(None), np.array([1, 0])),
    (slice(None), np.array([1, 1])),
    ([[0], [2]], [0, 2], 1),
    np.arange(4) % 2 == 0,
    (np.arange(4) % 2 == 0, slice(None), 0),
    (np.array([True, False, True, False]), np.array([0, 1])),
    np.add.outer(np.arange(4), np.arange(3)) % 2 == 0,
    np.zeros(4, bool),
    np.array([], int),
    (2, 1, 1),
    (),
    True,
]


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_an_element_gets_the_gradients_of_all_its_copies(index):
    random = np.random.default_rng(0)
    x = random.normal(size=(4, 3, 2))
    picked = Tensor(x)[index]
    np.testing.assert_array_equal(picked.data, x[index])
    g = random.normal(size=x[index].shape)
    # Where each picked element comes from, counted by hand.
    source = np.arange(x.size).reshape(x.shape)[index]
    expected = [np.sum(g[source == i]) for i in range(x.size)]
    got = grad(lambda x: np.sum(x[index] * g))(x)
    np.testing.assert_allclose(got.ravel(), expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_a_copy_with_a_place_set_is_what_assignment_makes(index):
    random = np.random.default_rng(0)
    x = random.normal(size=(4, 3, 2))
    v = random.normal(size=x[index].shape)
    expected = x.copy()
    expected[index] = v
    np.testing.assert_array_equal(Tensor(x).at[index].set(v).data, expected)
    weights = random.normal(size=x.shape)
    of_x, of_v = grad(lambda x, v: np.sum(x.at[index].set(v) * weights), (0, 1))(x, v)
    changed = np.zeros(x.shape, bool)
    changed[index] = True
    np.testing.assert_array_equal(of_x, np.where(changed, 0, weights))
    # Of several values for one place the last one counts.
    last = np.full(x.shape, -1)
    last[index] = np.arange(v.size).reshape(v.shape)
    counts = last[index] == np.arange(v.size).reshape(v.shape)
    np.testing.assert_array_equal(of_v, np.where(counts, weights[index], 0))


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_a_copy_with_something_added_adds_for_every_time_a_place_is_named(index):
    random = np.random.default_rng(0)
    x = random.normal(size=(4, 3, 2))
    v = random.normal(size=x[index].shape)
    expected = x.copy()
    np.add.at(expected, index, v)
    np.testing.assert_allclose(Tensor(x).at[index].add(v).data, expected, rtol=1e-14)
    weights = random.normal(size=x.shape)
    of_x, of_v = grad(lambda x, v: np.sum(x.at[index].add(v) * weights), (0, 1))(x, v)
    np.testing.assert_array_equal(of_x, weights)
    np.testing.assert_array_equal(of_v, weights[index])


def test_a_changed_copy_leaves_the_original_alone_and_keeps_its_dtype():
    x = Tensor(np.float32([1, 2, 3]))
    y = x.at[1:].set(np.float64(7.5))
    assert x.data.tolist() == [1, 2, 3]
    assert y.data.tolist() == [1, 7.5, 7.5]
    assert y.dtype == np.float32


def test_a_value_is_stretched_to_the_place_and_gets_the_sum_of_the_gradients():
    v = Tensor(5.0)
    np.sum(Tensor(np.ones((2, 3))).at[:, 1].set(v) * [1.0, 10.0, 100.0]).backward()
    assert v.grad == 20.0


def test_an_index_may_be_a_tensor():
    x = Tensor([1.0, 2.0, 3.0])
    assert x[Tensor(np.array([2, 0]))].data.tolist() == [3.0, 1.0]
    assert x[x > 1.5].data.tolist() == [2.0, 3.0]


def test_nested_lists_become_one_recorded_array():
    x, y, row = Tensor(2.0), Tensor(3.0), Tensor([4.0, 5.0])
    matrix = ac.array([[x, y], row, (x * y, 1), [np.float64(0.5), 7]])
    assert matrix.data.tolist() == [[2, 3], [4, 5], [6, 1], [0.5, 7]]
    np.sum(matrix * [[1, 2], [3, 4], [5, 6], [7, 8]]).backward()
    assert x.grad == 1 + 5 * 3
    assert y.grad == 2 + 5 * 2
    assert row.grad.tolist() == [3, 4]


def test_numbers_in_a_nested_list_take_the_dtype_beside_them():
    assert ac.array([Tensor(np.float32(1)), 2]).dtype == np.float32
    assert type(ac.array([1, 2.5])) is np.ndarray
    with pytest.raises(ValueError, match="stack: expected arrays of one shape"):
        ac.array([[Tensor(1.0), 2.0], [3.0]])
