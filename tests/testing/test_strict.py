"""A strict array has CuPy's functions and manners, and no more."""

import importlib.util

import numpy as np
import pytest

from autograd_core.testing import strict


@pytest.fixture
def x():
    return strict.array([[3.0, 1.0], [2.0, 4.0]])


@pytest.mark.parametrize(
    "mix",
    [
        lambda x, a: x + a,
        lambda x, a: a * x,
        lambda x, a: x @ a,
        lambda x, a: np.maximum(a, x),
        lambda x, a: np.where(a > 0, x, 0.0),
        lambda x, a: np.concatenate([x, a]),
        lambda x, a: np.linalg.solve(x, a),
        lambda x, a: np.einsum("ij,jk->ik", x, a),
        lambda x, a: np.copyto(x, a),
        lambda x, a: np.multiply(x, 2, out=a),
        lambda x, a: x.sum(out=a),
        lambda x, a: x.__setitem__(0, a[0]),
    ],
)
def test_numpys_arrays_are_refused(x, mix):
    with pytest.raises(TypeError, match=r"Unsupported type|Only cupy arrays"):
        mix(x, np.ones((2, 2)))


def test_it_is_turned_into_a_numpy_array_on_demand_only(x):
    for convert in (np.asarray, np.array, lambda v: np.ones((2, 2)).__setitem__(0, v)):
        with pytest.raises((TypeError, ValueError)):
            convert(x)
    assert type(x.get()) is np.ndarray
    assert x.get() is not x.inside


def test_numbers_and_indices_of_numpys_are_taken(x):
    assert (x * np.float64(2)).get().tolist() == [[6, 2], [4, 8]]
    assert x[np.array([1, 0])].get().tolist() == [[2, 4], [3, 1]]
    assert np.take(x, np.array([0]), axis=1).get().tolist() == [[3], [2]]
    assert (x > np.array(2.5)).get().tolist() == [[True, False], [False, True]]


def test_results_without_axes_are_arrays_that_numbers_are_made_of(x):
    total = np.sum(x)
    assert type(total) is strict.StrictArray
    assert (total.shape, float(total), int(total), bool(total), total.item()) == ((), 10, 10, True, 10)
    with pytest.raises(TypeError):
        total.item(0)
    with pytest.raises(TypeError, match=r"len\(\) of unsized object"):
        len(total)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.insert(x, 0, 1.0),  # which CuPy has not
        lambda x: np.vecdot(x, x),
        lambda x: np.min(x, initial=0.0),  # without this argument
        lambda x: np.add(x, x, where=x > 0),
        lambda x: np.add.at(x, (np.array([0]), np.array([1])), 1.0),  # the index is a tuple
        lambda x: x.newbyteorder(),
    ],
)
def test_what_cupy_has_not_is_missing(x, call):
    with pytest.raises((TypeError, AttributeError)):
        call(x)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: np.lib.stride_tricks.sliding_window_view(x, 1, 0, writeable=True), "Writeable views"),
        (lambda x: np.maximum.reduce(x), r"reduce` is not supported"),
        (lambda x: np.multiply.at(x, np.array([0]), 2.0), r"at` is not supported"),
        (lambda x: x[np.array([True, False]), np.array([True, False])], "more than one boolean"),
    ],
)
def test_what_cupy_does_not_implement(x, call, said):
    with pytest.raises(NotImplementedError, match=said):
        call(x)


def test_linear_algebra_is_cupys(x):
    with pytest.raises(ValueError, match=r"a must have \(\.\.\., M, M\)"):
        np.linalg.solve(x, strict.array(np.ones((3, 2, 1))))  # it does not stretch stacks
    assert type(np.linalg.slogdet(x)) is tuple


def test_the_table_is_that_of_the_installed_cupy():
    if importlib.util.find_spec("cupy") is None:  # no GPU is needed
        pytest.skip("cupy is not installed")
    made, kept = ({*text.splitlines()[1:]} for text in (strict.table(), strict.TABLE.read_text(encoding="utf-8")))
    assert kept <= made  # of which a later version may have more
