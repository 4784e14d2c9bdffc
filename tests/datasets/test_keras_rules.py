"""Texts are numbered, cut and split by Keras' rules.

What is expected was computed by Keras 3.15.1 from the same two archives.
"""

import numpy as np
import pytest

from datasets import imdb, reuters

TRAIN = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [1, 1, 9, 300], [2, 70000, 1]]
TEST = [[3, 2], [9, 8, 7, 6], [1], [5, 5, 5]]

# fmt: off
IMDB_BY_KERAS = [
    ({}, [
        ([[1, 7], [1, 4, 5, 6], [1, 4, 4, 12, 303], [1, 8, 9, 10, 11, 12], [1, 5, 2, 4]], [1, 0, 1, 0, 1]),
        ([[1, 6, 5], [1, 12, 11, 10, 9], [1, 8, 8, 8], [1, 4]], [1, 1, 0, 0]),
    ]),
    ({"num_words": 8}, [
        ([[1, 7], [1, 4, 5, 6], [1, 4, 4, 2, 2], [1, 2, 2, 2, 2, 2], [1, 5, 2, 4]], [1, 0, 1, 0, 1]),
        ([[1, 6, 5], [1, 2, 2, 2, 2], [1, 2, 2, 2], [1, 4]], [1, 1, 0, 0]),
    ]),
    ({"num_words": 8, "skip_top": 5, "oov_char": None}, [
        ([[7], [5, 6], [], [], [5]], [1, 0, 1, 0, 1]),
        ([[6, 5], [], [], []], [1, 1, 0, 0]),
    ]),
    ({"maxlen": 4, "seed": 1}, [
        ([[1, 2]], [1]),
        ([[1, 6, 5], [1, 4]], [1, 0]),
    ]),
    ({"start_char": None, "index_from": 0, "num_words": 9}, [
        ([[4], [1, 2, 3], [1, 1, 2, 2], [5, 6, 7, 8, 2], [2, 2, 1]], [1, 0, 1, 0, 1]),
        ([[3, 2], [2, 8, 7, 6], [5, 5, 5], [1]], [1, 1, 0, 0]),
    ]),
    ({"start_char": 7, "index_from": 1, "oov_char": 0, "skip_top": 3, "seed": 5}, [
        ([[7, 3, 0, 0], [7, 0, 3, 4], [7, 5], [7, 6, 7, 8, 9, 10], [7, 0, 0, 10, 301]], [1, 0, 1, 0, 1]),
        ([[7, 6, 6, 6], [7, 10, 9, 8, 7], [7, 4, 3], [7, 0]], [0, 1, 1, 0]),
    ]),
]
REUTERS_BY_KERAS = [
    ({}, [
        ([[1, 4, 5, 6], [1, 7], [1, 4, 4, 12, 303], [1, 8, 8, 8], [1, 4], [1, 12, 11, 10, 9],
          [1, 8, 9, 10, 11, 12]], [0, 1, 3, 8, 7, 6, 2]),
        ([[1, 5, 2, 4], [1, 6, 5]], [4, 5]),
    ]),
    ({"num_words": 8, "test_split": 0.4}, [
        ([[1, 4, 5, 6], [1, 7], [1, 4, 4, 2, 2], [1, 2, 2, 2], [1, 4]], [0, 1, 3, 8, 7]),
        ([[1, 2, 2, 2, 2], [1, 2, 2, 2, 2, 2], [1, 5, 2, 4], [1, 6, 5]], [6, 2, 4, 5]),
    ]),
    ({"maxlen": 4, "seed": 1}, [
        ([[1, 4], [1, 2]], [7, 1]),
        ([[1, 6, 5]], [5]),
    ]),
    ({"start_char": None, "index_from": 0, "num_words": 9, "oov_char": None, "test_split": 0.5}, [
        ([[1, 2, 3], [4], [1, 1], [5, 5, 5]], [0, 1, 3, 8]),
        ([[1], [8, 7, 6], [5, 6, 7, 8], [2, 1], [3, 2]], [7, 6, 2, 4, 5]),
    ]),
]
# fmt: on


def plain(split):
    return [([list(text) for text in x], y.tolist()) for x, y in split]


@pytest.fixture
def imdb_file(tmp_path, lists_of):
    path = tmp_path / "imdb.npz"
    arrays = {"x_train": lists_of(TRAIN), "x_test": lists_of(TEST)}
    np.savez(path, **arrays, y_train=[0, 1, 0, 1, 1], y_test=[1, 1, 0, 0])
    return str(path)


@pytest.fixture
def reuters_file(tmp_path, lists_of):
    path = tmp_path / "reuters.npz"
    np.savez(path, x=lists_of(TRAIN + TEST), y=np.arange(9))
    return str(path)


@pytest.mark.parametrize(("arguments", "by_keras"), IMDB_BY_KERAS, ids=str)
def test_imdb(imdb_file, arguments, by_keras):
    assert plain(imdb.load_data(imdb_file, **arguments)) == by_keras


@pytest.mark.parametrize(("arguments", "by_keras"), REUTERS_BY_KERAS, ids=str)
def test_reuters(reuters_file, arguments, by_keras):
    assert plain(reuters.load_data(reuters_file, **arguments)) == by_keras


def test_texts_stay_lists_where_all_have_the_same_length(reuters_file):
    (x_train, _), _ = reuters.load_data(reuters_file, maxlen=3, test_split=0.0)
    assert x_train.shape == (2,)
    assert [type(text) for text in x_train] == [list, list]


@pytest.mark.parametrize("loader", [imdb, reuters])
def test_a_maxlen_that_keeps_nothing_is_an_error(loader, imdb_file, reuters_file):
    with pytest.raises(ValueError, match="got 1: increase maxlen"):
        loader.load_data({imdb: imdb_file, reuters: reuters_file}[loader], maxlen=1)


def test_an_argument_that_is_none_is_an_error(imdb_file):
    with pytest.raises(TypeError, match="no argument 'nb_words'; it is called num_words now"):
        imdb.load_data(imdb_file, nb_words=8)
    with pytest.raises(TypeError, match=r"no argument 'max_len'$"):
        imdb.load_data(imdb_file, max_len=8)
