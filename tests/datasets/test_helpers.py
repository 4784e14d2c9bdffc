"""multi_hot and draw_examples."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import digits, draw_examples, multi_hot


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9))), st.sampled_from(["float32", "float64", "uint8", bool]))
def test_a_column_is_one_where_its_number_occurs(sequences, dtype):
    hot = multi_hot(sequences, 10, dtype)
    assert hot.shape == (len(sequences), 10)
    assert hot.dtype == dtype
    for row, sequence in zip(hot, sequences, strict=True):
        assert set(np.flatnonzero(row)) == set(sequence)
        assert set(row[row != 0]) <= {1}


def test_rows_may_be_lists_in_an_array_or_arrays(lists_of):
    expected = [[0, 1, 1], [1, 0, 0]]
    assert multi_hot(lists_of([[1, 2], [0]]), 3).tolist() == expected
    assert multi_hot([np.array([1, 2], np.uint8), np.array([0])], 3).tolist() == expected
    assert multi_hot([[1, 2], [0]], 3).dtype == np.float32


@pytest.mark.parametrize("number", [4, -1, 10**6])
def test_a_number_without_a_column_is_an_error(number):
    with pytest.raises(ValueError, match=rf"sequences\[1\]: expected numbers from 0 to 3, got {number} .* num_words=4"):
        multi_hot([[0], [1, number]], 4)


@pytest.mark.parametrize("dimension", [0, -2])
def test_there_is_at_least_one_column(dimension):
    with pytest.raises(ValueError, match=rf"expected the number of columns, at least 1, got {dimension}"):
        multi_hot([[0]], dimension)


@pytest.mark.parametrize("wrong", [[[1.5]], [["the"]], [[[1]]], [[None]], [3]])
def test_only_lists_of_integers_are_hot(wrong):
    with pytest.raises(ValueError, match=r"sequences\[0\]: expected a list of integers"):
        multi_hot(wrong, 4)


@pytest.mark.parametrize(("count", "grid"), [(1, (1, 1)), (3, (2, 2)), (4, (2, 2)), (23, (5, 5))])
def test_examples_are_drawn_in_a_grid_with_their_captions(tmp_path, count, grid):
    (x, y), _ = digits.load_data()
    figure = draw_examples(x[:count], y[:count])
    assert [axes.get_xlabel() for axes in figure.axes] == [str(label) for label in y[:count]]
    assert figure.axes[0].get_gridspec().get_geometry() == grid
    for axes, picture in zip(figure.axes, x, strict=False):
        assert (axes.images[0].get_array() == picture).all()
        assert axes.images[0].get_clim() == (x[:count].min(), x[:count].max())
    figure.savefig(tmp_path / "examples.png")


def test_examples_may_be_coloured_and_without_captions(tmp_path):
    figure = draw_examples(np.random.default_rng(0).uniform(size=(2, 3, 4, 3)))
    assert [axes.get_xlabel() for axes in figure.axes] == ["", ""]
    figure.savefig(tmp_path / "examples.png")


def test_drawing_opens_no_window_and_keeps_no_figure():
    import matplotlib.pyplot as plt

    draw_examples(np.zeros((1, 2, 2)))
    assert plt.get_fignums() == []


@pytest.mark.parametrize("shape", [(0, 2, 2), (2, 2), (3,), (1, 2, 2, 2), (1, 2, 2, 2, 3)])
def test_only_images_can_be_drawn(shape):
    with pytest.raises(ValueError, match="expected images of shape"):
        draw_examples(np.zeros(shape))


def test_each_image_has_one_caption():
    with pytest.raises(ValueError, match="the 2 images, got 3"):
        draw_examples(np.zeros((2, 2, 2)), "abc")


def test_without_matplotlib_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "autograd-core\[plots\]"'):
        draw_examples(np.zeros((1, 2, 2)))
