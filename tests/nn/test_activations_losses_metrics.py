"""Activations, losses and metrics have Keras' values, on random and on extreme inputs."""

from __future__ import annotations

import functools
import re
import warnings

import numpy as np
import pytest

import nn
from autograd_core import Tensor

ACTIVATIONS = [
    "linear", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "softplus", "softsign", "sigmoid",
    "hard_sigmoid", "tanh", "exponential", "softmax", "log_softmax",
]  # fmt: skip
OPTIONS = [
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 1.5}),
    ("relu", {"threshold": 0.5, "negative_slope": 0.2}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("elu", {"alpha": 0.5}),
    ("gelu", {"approximate": True}),
    ("softmax", {"axis": 0}),
]


@pytest.mark.parametrize(("name", "options"), [*((n, {}) for n in ACTIVATIONS), *OPTIONS])
def test_activations_have_keras_values_and_gradients(keras, tf, name, options):
    rng = np.random.default_rng(0)
    x = rng.normal(scale=3, size=(4, 5)).astype("float32")
    g = rng.normal(size=(4, 5)).astype("float32")
    theirs = getattr(keras.activations, name, None) or keras.activations.get(name)
    with tf.GradientTape() as tape:
        tx = tf.constant(x)
        tape.watch(tx)
        ty = theirs(tx, **options)
    t = Tensor(x)
    y = nn.activations.get(name)(t, **options)
    y.backward(g)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.numpy(), ty.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(t.grad, tape.gradient(ty, tx, g).numpy(), rtol=1e-5, atol=3e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_finite_at_the_extremes(name):
    x = Tensor(np.array([[-1e4, -50, 0, 50, 80]], "float32"))
    y = nn.activations.get(name)(x)
    y.backward(np.ones_like(x.data))
    assert np.isfinite(y.numpy()).all() or name == "exponential"
    assert np.isfinite(x.grad).all()


def one_hot(rng, n, classes):
    return np.eye(classes, dtype="float32")[rng.integers(0, classes, n)]


def probabilities(rng, *shape):
    p = rng.uniform(0.01, 1, shape).astype("float32")
    return p / p.sum(-1, keepdims=True)


def pairs(kind):
    """Targets and predictions: random, certain (0 and 1), of one class."""
    rng = np.random.default_rng(1)
    if kind == "categorical":
        p = probabilities(rng, 6, 4)
        certain = np.eye(4, dtype="float32")[[0, 1, 2, 3, 0, 1]]
        return [(one_hot(rng, 6, 4), p), (one_hot(rng, 6, 4), certain), (np.eye(4, dtype="float32")[[2] * 6], p)]
    if kind == "sparse":
        return [(t.argmax(-1), p) for t, p in pairs("categorical")] + [(np.array([[1], [0]]), probabilities(rng, 2, 3))]
    if kind == "binary":
        p = rng.uniform(0, 1, (6, 1)).astype("float32")
        t = rng.integers(0, 2, (6, 1)).astype("float32")
        return [(t, p), (t, np.array([[0], [1], [0], [1], [0], [1]], "float32")), (np.zeros((6, 1), "float32"), p)]
    a, b = rng.normal(size=(2, 6, 3)).astype("float32")
    return [(a, b), (a, a), (1e4 * a, b), (a[:, :1], b[:, 0]), (a[:, 0], b[:, :1])]


LOSSES = [
    ("CategoricalCrossentropy", "categorical", [{}, {"label_smoothing": 0.1}]),
    ("SparseCategoricalCrossentropy", "sparse", [{}, {"ignore_class": 1}]),
    ("BinaryCrossentropy", "binary", [{}, {"label_smoothing": 0.2}]),
    ("MeanSquaredError", "regression", [{}]),
    ("MeanAbsoluteError", "regression", [{}]),
    ("Huber", "regression", [{}, {"delta": 0.3}]),
    ("KLDivergence", "categorical", [{}]),
]


@pytest.mark.parametrize(("name", "kind", "settings"), LOSSES)
def test_losses_have_keras_values_with_and_without_weights(keras, name, kind, settings):
    for options in settings:
        for reduction in ("sum_over_batch_size", "sum", None, "mean_with_sample_weight"):
            if "ignore_class" in options and reduction != "sum":
                continue  # a mean over what is left, which Keras counts by masks that it attaches to tensors
            mine = getattr(nn.losses, name)(reduction=reduction, **options)
            theirs = getattr(keras.losses, name)(reduction=reduction, **options)
            for t, p in pairs(kind):
                weights = np.arange(1, len(t) + 1).astype("float32")
                for w in (None, weights):
                    got, expected = mine(t, p, w).numpy(), np.asarray(theirs(t, p, w))
                    assert got.shape == expected.shape
                    assert got.dtype == np.float32
                    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=1e-6)


def test_losses_from_logits_have_keras_values_up_to_ten_thousand(keras, tf):
    rng = np.random.default_rng(2)
    for scale in (1, 1e4):
        z = (scale * rng.normal(size=(6, 4))).astype("float32")
        t = one_hot(rng, 6, 4)
        cases = [
            ("CategoricalCrossentropy", t, z),
            ("SparseCategoricalCrossentropy", t.argmax(-1), z),
            ("BinaryCrossentropy", t, z),
        ]
        for name, target, logits in cases:
            mine = getattr(nn.losses, name)(from_logits=True)
            theirs = getattr(keras.losses, name)(from_logits=True)
            x = Tensor(logits)
            loss = mine(target, x)
            loss.backward()
            with tf.GradientTape() as tape:
                tx = tf.constant(logits)
                tape.watch(tx)
                expected = theirs(target, tx)
            assert float(loss.item()) == pytest.approx(float(expected), rel=1e-5)
            np.testing.assert_allclose(x.grad, tape.gradient(expected, tx).numpy(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("activation", "loss", "target", "logits"),
    [
        ("softmax", "categorical_crossentropy", [[1, 0, 0]], [[-1e4, 0, 1e4]]),
        ("softmax", "sparse_categorical_crossentropy", [0], [[-1e4, 0, 1e4]]),
        ("sigmoid", "binary_crossentropy", [[1]], [[-1e4]]),
    ],
)
def test_a_confident_wrong_answer_gives_a_large_finite_loss_in_training_and_in_evaluation(
    activation, loss, target, logits
):
    model = nn.Sequential([nn.layers.Activation(activation)])
    model.compile("sgd", loss)
    expected = 2e4 if activation == "softmax" else 1e4
    assert model.evaluate(np.array(logits), np.array(target), verbose=0) == pytest.approx(expected)
    x = Tensor(np.array(logits, "float32"))
    value = nn.losses.get(loss)(np.array(target), model(x))
    np.sum(value).backward()
    assert np.abs(x.grad).max() == pytest.approx(1)


METRICS = [
    ("Accuracy", "sparse", {}),
    ("BinaryAccuracy", "binary", {}),
    ("BinaryAccuracy", "binary", {"threshold": 0.3}),
    ("CategoricalAccuracy", "categorical", {}),
    ("SparseCategoricalAccuracy", "sparse", {}),
    ("TopKCategoricalAccuracy", "categorical", {"k": 2}),
    ("SparseTopKCategoricalAccuracy", "sparse", {"k": 2}),
    ("MeanSquaredError", "regression", {}),
    ("MeanAbsoluteError", "regression", {}),
    ("Precision", "binary", {}),
    ("Recall", "binary", {}),
    ("Precision", "binary", {"thresholds": [0.2, 0.5, 0.8]}),
    ("Recall", "binary", {"thresholds": 0.3}),
    ("Precision", "categorical", {"top_k": 2}),
    ("Recall", "categorical", {"class_id": 1, "thresholds": 0.2}),
]


@pytest.mark.parametrize(("name", "kind", "options"), METRICS)
def test_metrics_have_keras_values(keras, name, kind, options):
    data = pairs(kind)
    if name == "Accuracy":
        data = [(t.ravel(), p.argmax(-1)) for t, p in data]
    for weighted in (False, True):
        mine, theirs = getattr(nn.metrics, name)(**options), getattr(keras.metrics, name)(**options)
        for t, p in data:  # running over several batches
            w = np.arange(1, len(t) + 1).astype("float32") if weighted else None
            if w is not None and np.ndim(t) > 1 and name in ("Precision", "Recall"):
                w = w[:, None]
            if p.ndim != t.ndim and kind == "regression":
                continue
            mine.update_state(t, p, w), theirs.update_state(t, p, w)
            np.testing.assert_allclose(mine.result(), np.asarray(theirs.result()), rtol=1e-5, atol=1e-7)
        mine.reset_state(), theirs.reset_state()
        np.testing.assert_allclose(mine.result(), np.asarray(theirs.result()))


def test_accuracy_chooses_by_the_shapes_as_keras_does(keras):
    rng = np.random.default_rng(3)
    cases = [
        (one_hot(rng, 8, 3), probabilities(rng, 8, 3)),
        (rng.integers(0, 3, 8), probabilities(rng, 8, 3)),
        (rng.integers(0, 3, (8, 1)), probabilities(rng, 8, 3)),
        (rng.integers(0, 2, (8, 1)), rng.uniform(size=(8, 1)).astype("float32")),
        (rng.integers(0, 2, 8), rng.uniform(size=(8, 1)).astype("float32")),
    ]
    for t, p in cases:
        results = {}
        for library in (nn, keras):
            model = library.Sequential([library.layers.Activation("linear")])
            model.compile("sgd", "mse" if t.shape == p.shape or p.shape[-1] == 1 else "sparse_categorical_crossentropy",
                          metrics=["acc"])  # fmt: skip
            results[library] = model.evaluate(p, t, verbose=0, return_dict=True)
        assert results[nn]["acc" if "acc" in results[nn] else "accuracy"] == pytest.approx(results[keras]["acc"])


def test_things_are_found_by_string_function_and_class():
    for name in ("mse", "mean_squared_error", "MeanSquaredError", "mae", "huber", "kld", "bce"):
        assert callable(nn.losses.get(name))
    assert nn.losses.get(nn.losses.MeanSquaredError).name == "mean_squared_error"
    assert nn.losses.get(None) is None
    own = lambda t, p: np.mean(np.abs(t - p), axis=-1)  # noqa: E731
    model = nn.Sequential([nn.layers.Dense(1)])
    model.compile("sgd", own, metrics=["acc", "mae", nn.metrics.MeanSquaredError(), nn.metrics.binary_accuracy, own])
    history = model.fit(np.ones((4, 2)), np.ones(4), verbose=0).history
    assert set(history) == {"loss", "acc", "mae", "mean_squared_error", "binary_accuracy", "lambda"}
    assert history["loss"] == pytest.approx(history["lambda"])


class Largest:
    def __call__(self, y_true, y_pred):
        return y_pred[:, 0]


def MyOwnTop5(y_true, y_pred):  # a name that snake case changes
    return y_pred[:, 0]


@pytest.mark.parametrize(
    "compiled",
    [
        lambda library: {"metrics": [lambda a, b: b[:, 0], MyOwnTop5, Largest(), functools.partial(MyOwnTop5)]},
        lambda library: {"metrics": ["accuracy", "acc", "Accuracy", "ACC", "SparseCategoricalAccuracy"]},
        lambda library: {"metrics": [["accuracy"]], "weighted_metrics": [("acc",)]},
        lambda library: {"metrics": [["accuracy"], ["accuracy"]]},
        lambda library: {"loss": ["sparse_categorical_crossentropy"]},
    ],
    ids=["functions", "any case", "in lists", "in two lists", "a loss in a list"],
)
def test_what_compile_is_given_is_called_as_in_keras(keras, compiled):
    x, y, histories = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2]), []
    for library in (nn, keras):
        model = library.Sequential([library.Input(shape=(4,)), library.layers.Dense(3, "softmax")])
        model.set_weights([np.linspace(-1, 1, 12).reshape(4, 3), np.zeros(3)])
        model.compile("sgd", **{"loss": "sparse_categorical_crossentropy"} | compiled(library))
        histories.append(model.fit(x, y, verbose=0, shuffle=False).history)
    mine, theirs = histories
    assert list(mine) == list(theirs)
    for name, values in mine.items():
        np.testing.assert_allclose(values, theirs[name], rtol=1e-4, err_msg=name)


def test_wrappers_of_functions_have_names_as_in_keras(keras):
    theirs = keras.metrics.MeanMetricWrapper(MyOwnTop5).name  # numbered, from the second on
    assert theirs.startswith(nn.metrics.MeanMetricWrapper(MyOwnTop5).name)
    assert nn.metrics.MeanMetricWrapper(MyOwnTop5).name == "mean_metric_wrapper"
    assert nn.losses.LossFunction(MyOwnTop5).name == "my_own_top5"


@pytest.mark.parametrize(
    ("compiled", "words"),
    [
        ({"metrics": {"b": "accuracy"}}, "metrics=['accuracy']; the dict {'b': 'accuracy'} came"),
        ({"metrics": [{"b": "accuracy"}]}, "metrics=['accuracy']; the dict {'b': 'accuracy'} came"),
        ({"weighted_metrics": {"b": "acc"}}, "weighted_metrics=['accuracy']; the dict {'b': 'acc'} came"),
        ({"loss": {"b": "mse"}}, "loss='mse'; the dict {'b': 'mse'} came"),
        ({"loss": ["mse", "mae"]}, "a model has one output; ['mse', 'mae'] came"),
        ({"loss": []}, "a model has one output; [] came"),
    ],
    ids=str,
)
def test_what_is_for_several_outputs_is_refused(compiled, words):
    model = nn.Sequential([nn.layers.Dense(1, name="b")])
    with pytest.raises(ValueError, match=re.escape(words)):
        model.compile("sgd", **{"loss": "mse"} | compiled)


def test_predictions_with_a_last_axis_of_one_are_compared_one_by_one():
    """Never (N, 1) against (N,) to (N, N)."""
    t, p = np.arange(5.0), np.arange(5.0)[:, None]
    for loss in ("mse", "mae", "huber"):
        assert np.all(nn.losses.get(loss)(t, p).numpy() == 0)
        assert np.all(nn.losses.get(loss)(p, t).numpy() == 0)


@pytest.mark.parametrize("targets", [np.arange(5.0), np.arange(5.0)[:, None], np.arange(5)], ids=["N", "N,1", "whole"])
def test_a_loss_that_is_a_plain_function_gets_pairs_too_as_in_keras(keras, targets):
    x, found = np.random.default_rng(0).normal(size=(5, 4)), []
    start = [np.linspace(-1, 1, 4)[:, None], np.zeros(1)]
    for library in (nn, keras):
        model = library.Sequential([library.Input(shape=(4,)), library.layers.Dense(1)])
        model.set_weights(start)
        model.compile("sgd", loss=lambda a, b: abs(a - b) ** 2)
        found.append((model.fit(x, targets, epochs=3, shuffle=False, verbose=0).history["loss"], model.get_weights()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    for mine, theirs in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
    loss = nn.losses.LossFunction(lambda a, b: abs(a - b))
    assert loss([0.0, 1.0], [[0.0], [1.0]]).numpy() == loss([[0.0], [1.0]], [0.0, 1.0]).numpy() == 0


def test_softmax_twice_is_found_and_warned_of():
    model = nn.Sequential([nn.layers.Dense(3, "softmax"), nn.layers.Softmax()])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.warns(UserWarning, match="softmax is applied twice"):
        model.fit(np.ones((4, 2)), np.zeros(4), verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        once = nn.Sequential([nn.layers.Dense(3, "softmax")])
        once.compile("sgd", "sparse_categorical_crossentropy")
        once.fit(np.ones((4, 2)), np.zeros(4), verbose=0)


def test_from_logits_after_a_softmax_is_warned_of():
    model = nn.Sequential([nn.layers.Dense(3, "softmax")])
    model.compile("sgd", nn.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.warns(UserWarning, match="from_logits=True, but the model ends in softmax"):
        model.fit(np.ones((4, 2)), np.zeros(4), verbose=0)
