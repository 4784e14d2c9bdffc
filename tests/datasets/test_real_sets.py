"""The real sets are what everybody else's copies of them are.

The facts are published with the data or, where a comment says so, were computed by Keras.
"""

import hashlib
import json

import numpy as np
import pytest

from datasets import boston_housing, imdb, mnist, reuters

# Computed by Keras 3.15.1 from the rebuilt archives, with the digest below.
IMDB_BY_KERAS = "1b974feab17191d1"
REUTERS_BY_KERAS = [
    ({}, "b50ee0e9548f8df7"),
    ({"num_words": 10000}, "889aad301f60dc08"),
    ({"num_words": 5000, "skip_top": 20, "seed": 7, "test_split": 0.33}, "ce03b5df3c50e826"),
    ({"maxlen": 100, "oov_char": None, "num_words": 200}, "d24d79e9b895648f"),
    ({"start_char": None, "index_from": 0}, "c884f00ce39d5048"),
]


def digest(split):
    """One number for all the texts and labels in their order."""
    everything = [[[*map(int, text)] for text in x] + [[*map(int, y)]] for x, y in split]
    return hashlib.sha256(json.dumps(everything).encode()).hexdigest()[:16]


def test_mnist(real):
    real("mnist")
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert y_train.shape == (60000,)
    assert y_test.shape == (10000,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert y_train[:7].tolist() == [5, 0, 4, 1, 9, 2, 1]
    assert y_test[:4].tolist() == [7, 2, 1, 0]
    # The published mean and standard deviation of the training images, with which everybody normalizes.
    assert x_train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert x_train.std() / 255 == pytest.approx(0.3081, abs=5e-5)
    x_train[0] += 1  # the arrays are the user's


def test_imdb(real):
    real("imdb")
    split = (x_train, y_train), (x_test, y_test) = imdb.load_data()
    assert x_train.shape == y_train.shape == x_test.shape == y_test.shape == (25000,)
    assert x_train.dtype == x_test.dtype == object
    assert y_train.dtype == y_test.dtype == np.int64
    assert [len(text) for text in x_train[:10]] == [218, 189, 141, 550, 147, 43, 123, 562, 233, 130]
    assert type(x_train[0]) is list
    assert type(x_train[0][0]) is int
    assert y_train.sum() == y_test.sum() == 12500
    assert digest(split) == IMDB_BY_KERAS


def test_imdb_words(real):
    real("imdb")
    words = imdb.get_word_index()
    assert len(words) == 88584
    assert sorted(words, key=words.__getitem__)[:4] == ["the", "and", "a", "of"]


def test_reuters(real):
    real("reuters")
    (x_train, y_train), (x_test, y_test) = reuters.load_data()
    assert len(x_train) == len(y_train) == 8982
    assert len(x_test) == len(y_test) == 2246
    assert y_train[:5].tolist() == [3, 4, 3, 4, 4]
    assert y_train.dtype == y_test.dtype == np.int64
    assert sorted({*y_train, *y_test}) == list(range(46))


def test_the_first_reuters_wire_can_be_read(real):
    real("reuters")
    (x_train, y_train), _ = reuters.load_data(num_words=10000)
    words = {rank + 3: word for word, rank in reuters.get_word_index().items()}
    text = " ".join(words.get(number, "?") for number in x_train[0])
    assert text.startswith("? ? ? said as a result of its december acquisition of space co")
    assert reuters.get_label_names()[y_train[0]] == "earn"


def test_reuters_topics_are_in_the_order_of_the_labels(real):
    topics = json.loads((real("reuters") / "reuters_topics.json").read_text())
    assert {name: i for i, name in enumerate(reuters.get_label_names())} == topics


@pytest.mark.parametrize(("arguments", "by_keras"), REUTERS_BY_KERAS, ids=str)
def test_reuters_is_what_keras_makes_of_it(real, arguments, by_keras):
    real("reuters")
    assert digest(reuters.load_data(**arguments)) == by_keras


def test_boston_housing_ships_inside(alone):
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data()
    assert x_train.shape == (404, 13)
    assert x_test.shape == (102, 13)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.float64)}
    assert x_train[0, :3].tolist() == [1.23247, 0.0, 8.14]
    assert y_train[0] == 15.2


def test_boston_housing_is_statlibs(real):
    numbers = np.loadtxt(real("boston_housing") / "housing.data")
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data(test_split=0.5, seed=2)
    ours = np.column_stack([np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])])
    assert sorted(ours.tolist()) == sorted(numbers.tolist())


@pytest.mark.parametrize("test_split", [-0.1, 1.0, 20, float("nan")])
def test_a_test_split_is_a_share(test_split):
    with pytest.raises(ValueError, match="test_split: expected the share"):
        boston_housing.load_data(test_split=test_split)
