"""Networks on sparse inputs: the same numbers as on dense ones."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_core as ag
import nn
from datasets import multi_hot

scipy_sparse = pytest.importorskip("scipy.sparse")

WORDS = [[0, 3, 3, 9], [], [11, 1], [5, 6, 7], [2, 0], [10], [4, 4, 4], [8, 1, 3]]
DENSE, SPARSE = (multi_hot(WORDS, 12, sparse=s) for s in (False, True))
TARGETS = np.arange(8) % 2


def test_the_sparse_form_holds_the_same_ones():
    assert isinstance(SPARSE, scipy_sparse.csr_array)
    assert SPARSE.dtype == np.float32
    np.testing.assert_array_equal(SPARSE.toarray(), DENSE)
    with pytest.raises(ValueError, match=r"sequences\[1\]: expected .*got 12"):
        multi_hot([[1], [12]], 12, sparse=True)


def test_a_product_with_a_sparse_constant_has_the_gradients_of_the_dense_one():
    y = np.random.default_rng(0).normal(size=(12, 3))
    for product in (lambda a, t: np.matmul(a, t), lambda a, t: np.matmul(np.swapaxes(t, 0, 1), a.T)):
        found, expected = (
            ag.value_and_grad(lambda t, a=a, product=product: np.sum(np.sin(product(a, t))))(y) for a in (SPARSE, DENSE)
        )
        np.testing.assert_allclose(found[0], expected[0])
        np.testing.assert_allclose(found[1], expected[1])
    hessians = (ag.hvp(lambda t, a=a: np.sum(np.sin(np.matmul(a, t))), (y,), (y,)) for a in (SPARSE, DENSE))
    np.testing.assert_allclose(*hessians)


def test_a_network_trains_on_sparse_inputs_as_on_dense_ones():
    found = []
    for x in (SPARSE, DENSE):
        nn.utils.set_random_seed(0)
        model = nn.Sequential([nn.Input(shape=(12,)), nn.layers.Dense(4, "relu"), nn.layers.Dense(1, "sigmoid")])
        model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
        history = model.fit(x, TARGETS, batch_size=3, epochs=3, verbose=0, validation_data=(x, TARGETS)).history
        found.append(
            (history["loss"], history["val_accuracy"], model.predict(x, verbose=0), model.train_on_batch(x, TARGETS))
        )
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_missing_values_in_sparse_inputs_are_refused():
    x = SPARSE.copy()
    x.data[2] = np.nan
    model = nn.Sequential([nn.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="x holds NaN"):
        model.fit(x, TARGETS, verbose=0)


def test_a_layer_that_is_no_matrix_product_says_that_it_needs_a_dense_array():
    with pytest.raises(TypeError, match=r"expected a dense array, got a sparse one.*toarray\(\)"):
        nn.layers.Activation("relu")(SPARSE)
