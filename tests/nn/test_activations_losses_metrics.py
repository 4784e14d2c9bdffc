"""Activations, losses and metrics have Keras' values, on random and on extreme inputs."""

from __future__ import annotations

import functools
import re
import warnings

import numpy as np
import pytest

import nn
from autograd_core import Tensor, elementwise_grad

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


CORNERS = [
    ("elu", {}, [0.0]),
    ("elu", {"alpha": 2.0}, [0.0]),
    ("selu", {}, [0.0]),
    ("relu", {}, [0.0]),
    ("relu", {"max_value": 6.0}, [0.0, 6.0]),
    ("leaky_relu", {}, [0.0]),
    ("hard_sigmoid", {}, [-3.0, 3.0]),
]


@pytest.mark.parametrize(("name", "options", "corners"), CORNERS)
def test_slopes_at_the_corners_are_those_of_keras(keras, tf, name, options, corners):
    x = np.float32([*corners, np.nan, -np.inf, np.inf, -200, 200])
    theirs = getattr(keras.activations, name)
    with tf.GradientTape() as tape:
        tx = tf.constant(x)
        tape.watch(tx)
        ty = theirs(tx, **options)
    t = Tensor(x)
    y = getattr(nn.activations, name)(t, **options)
    y.backward(np.ones_like(x))
    n = len(corners)
    np.testing.assert_allclose(t.grad[:n], tape.gradient(ty, tx).numpy()[:n], rtol=1e-6)
    np.testing.assert_allclose(y.data, ty.numpy(), rtol=1e-6)


def test_huber_at_its_corners_is_that_of_keras(keras, tf):
    target = np.zeros((6, 1), "float32")
    x = np.float32([[0], [2], [-2], [3], [-1], [1e30]])
    with tf.GradientTape() as outer:
        tx = tf.constant(x)
        outer.watch(tx)
        with tf.GradientTape() as tape:
            tape.watch(tx)
            ty = keras.losses.huber(target, tx, delta=2.0)
        slope = tape.gradient(ty, tx)
    bend = outer.gradient(slope, tx)
    f = elementwise_grad(lambda x: nn.losses.huber(target, x, delta=2.0)[:, None])
    np.testing.assert_array_equal(f(x), slope.numpy())
    assert elementwise_grad(f)(x)[:, 0].tolist()[:1] == [1]  # where Keras has it
    np.testing.assert_array_equal(elementwise_grad(f)(x)[[0, 3, 4]], bend.numpy()[[0, 3, 4]])


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
    if kind == "vectors":
        return [(a, b), (a, a + 0.1 * b), (100 + b, 100 + a)]
    return [(a, b), (a, a), (1e4 * a, b), (a[:, :1], b[:, 0]), (a[:, 0], b[:, :1])]


LOSSES = [
    ("CategoricalCrossentropy", "categorical", [{}, {"label_smoothing": 0.1}]),
    ("SparseCategoricalCrossentropy", "sparse", [{}, {"ignore_class": 1}]),
    ("BinaryCrossentropy", "binary", [{}, {"label_smoothing": 0.2}]),
    ("MeanSquaredError", "regression", [{}]),
    ("MeanAbsoluteError", "regression", [{}]),
    ("Huber", "regression", [{}, {"delta": 0.3}]),
    ("KLDivergence", "categorical", [{}]),
    ("MeanAbsolutePercentageError", "regression", [{}]),
    ("MeanSquaredLogarithmicError", "regression", [{}]),
    ("LogCosh", "regression", [{}]),
    ("CosineSimilarity", "regression", [{}]),
    ("CosineSimilarity", "categorical", [{"axis": 0, "name": "by_column"}]),
    ("Poisson", "categorical", [{}]),
    ("Hinge", "categorical", [{}]),
    ("SquaredHinge", "categorical", [{}]),
    ("CategoricalHinge", "categorical", [{}]),
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
                weights = np.arange(1, (p.shape[1] if options.get("axis") == 0 else len(t)) + 1).astype("float32")
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
    *(("AUC", "binary", {"curve": curve, "summation_method": method})
      for curve in ("ROC", "PR") for method in ("interpolation", "minoring", "majoring")),
    ("AUC", "binary", {"thresholds": [0.9, 0.1, 0.33]}),
    ("AUC", "binary", {"num_thresholds": 2}),
    ("AUC", "categorical", {"multi_label": True, "num_labels": 4, "label_weights": [1.0, 0.0, 2.0, 3.0]}),
    ("AUC", "categorical", {"multi_label": True, "curve": "PR"}),
    ("AUC", "categorical", {"label_weights": [1.0, 0.5, 2.0, 3.0], "from_logits": True}),
    *((name, "binary", options)
      for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
      for options in ({}, {"thresholds": [0.9, 0.2, 0.5]})),
    ("R2Score", "vectors", {}),
    ("R2Score", "vectors", {"class_aggregation": None, "num_regressors": 2}),
    ("R2Score", "vectors", {"class_aggregation": "variance_weighted_average"}),
    ("CosineSimilarity", "regression", {}),
    ("RootMeanSquaredError", "regression", {}),
    ("MeanAbsolutePercentageError", "regression", {}),
    ("MeanSquaredLogarithmicError", "regression", {}),
    ("LogCoshError", "regression", {}),
    *((name, "categorical", {}) for name in ("Poisson", "KLDivergence", "Hinge", "SquaredHinge", "CategoricalHinge")),
    ("BinaryCrossentropy", "binary", {"label_smoothing": 0.2}),
    ("BinaryCrossentropy", "binary", {"from_logits": True}),
    ("CategoricalCrossentropy", "categorical", {"label_smoothing": 0.1}),
    ("SparseCategoricalCrossentropy", "sparse", {"from_logits": True}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "options"), METRICS)
def test_metrics_have_keras_values(keras, name, kind, options):
    data = pairs(kind)
    if name == "Accuracy":
        data = [(t.ravel(), p.argmax(-1)) for t, p in data]
    for weighted in (False, True):
        mine, theirs = getattr(nn.metrics, name)(**options), getattr(keras.metrics, name)(**options)
        for t, p in data:  # running over several batches
            w = np.arange(1, len(t) + 1).astype("float32") if weighted else None
            if (
                w is not None
                and np.ndim(t) > 1
                and name
                in ("Precision", "Recall", "AUC", "TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
            ):
                w = w[:, None]
            if p.ndim != t.ndim and kind == "regression":
                continue
            mine.update_state(t, p, w), theirs.update_state(t, p, w)
            if name == "R2Score" and np.abs(t).max() > 50:
                continue  # Keras' sums in float32 cancel: the next test
            np.testing.assert_allclose(mine.result(), np.asarray(theirs.result()), rtol=1e-5, atol=1e-7)
        if not name.endswith(("Positives", "Negatives")):  # which Keras calls accumulator
            assert [v.name for v in mine.variables] == [v.name for v in theirs.variables]
        again = nn.metrics.deserialize(nn.metrics.serialize(mine))
        assert again.get_config() == mine.get_config()
        mine.reset_state(), theirs.reset_state()
        if name == "R2Score":
            continue  # nothing is explained of nothing: 0 here, NaN there
        np.testing.assert_allclose(mine.result(), np.asarray(theirs.result()))


@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_the_area_is_that_of_keras_at_ties_of_one_class_and_of_nothing(keras, curve):
    half = np.full(6, 0.5, "float32")
    edges = np.array([0, 0, 0.5, 0.5, 1, 1], "float32")
    cases = [
        ([0, 1] * 3, half), ([0, 1] * 3, edges), ([0, 0, 0, 1, 1, 1], edges), ([1, 1, 1, 0, 0, 0], edges),
        ([1] * 6, edges), ([0] * 6, edges), ([], np.zeros(0, "float32")),
    ]  # fmt: skip
    for n in (2, 3, 5, 200):
        for targets, predictions in cases:
            results = []
            for library in (nn, keras):
                metric = library.metrics.AUC(n, curve=curve)
                metric.update_state(np.array(targets, "float32"), predictions)
                results.append(np.asarray(metric.result()))
            np.testing.assert_allclose(*results, rtol=1e-6, atol=1e-7, err_msg=f"{n} {targets} {predictions}")


def test_the_area_of_many_thresholds_is_that_of_all_pairs():
    """How often a positive is above a negative, counting ties half."""
    rng = np.random.default_rng(0)
    p, y = rng.integers(0, 100, 300) / 99, rng.integers(0, 2, 300)
    above = p[y == 1][:, None] - p[y == 0]
    exact = np.mean((above > 0) + 0.5 * (above == 0))
    between = nn.metrics.AUC(thresholds=(np.arange(99) + 0.5) / 99)
    assert between(y, p) == pytest.approx(exact, rel=1e-12)
    far = nn.metrics.AUC(thresholds=(np.arange(99) + 0.5) / 99)
    for part in np.array_split(np.arange(300), 7):
        far.update_state(y[part], p[part])
    assert far.result() == pytest.approx(exact, rel=1e-12)


def test_a_prediction_that_is_no_number_is_positive_at_no_threshold():
    for name, expected in (("TruePositives", 1), ("FalseNegatives", 1), ("FalsePositives", 0), ("TrueNegatives", 1)):
        metric = getattr(nn.metrics, name)()
        assert metric([1, 1, 0], np.array([0.9, np.nan, np.nan])) == expected


def test_a_prediction_of_a_threshold_is_not_above_it_in_float32_as_in_keras(keras):
    for library in (nn, keras):
        metric = library.metrics.TruePositives(thresholds=0.3)
        metric.update_state([1.0, 1.0], np.array([0.3, 0.31], "float32"))
        assert float(np.asarray(metric.result())) == 1


def test_the_score_of_targets_far_from_zero_keeps_its_digits():
    rng = np.random.default_rng(0)
    t, e = rng.normal(size=(2, 50, 1))
    near, far = nn.metrics.R2Score(), nn.metrics.R2Score()
    near(t, t + e / 3), far(1e7 + t, 1e7 + t + e / 3)
    assert far.result() == pytest.approx(near.result(), rel=1e-6)


def test_what_a_metric_cannot_be_told_is_refused():
    for wrong, words in (
        (lambda: nn.metrics.AUC(curve="PRGAIN"), "curve: expected 'ROC' or 'PR', got 'PRGAIN'"),
        (lambda: nn.metrics.AUC(1), "num_thresholds: expected a whole number from 2 on"),
        (lambda: nn.metrics.AUC(thresholds=[2.0]), "a threshold: expected a number between 0 and 1"),
        (lambda: nn.metrics.AUC(num_labels=3), "num_labels: expected it beside multi_label=True"),
        (lambda: nn.metrics.AUC(multi_label=True)([1, 0], [0.5, 0.5]), r"predictions of shape \(batch, labels\)"),
        (lambda: nn.metrics.TruePositives(thresholds=-0.1), "a threshold: expected"),
        (lambda: nn.metrics.Recall(class_id=0)([1, 0], [0.5, 0.5]), "a class 0, the class_id"),
        (lambda: nn.metrics.R2Score("sum"), "class_aggregation: expected 'uniform_average' or"),
        (lambda: nn.metrics.R2Score()(np.ones(3), np.ones(3)), r"of shape \(batch, outputs\)"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()
    with pytest.warns(UserWarning, match="3 regressors need more than 4 targets"):
        nn.metrics.R2Score(num_regressors=3)([[1.0], [2.0]], [[1.0], [2.0]])


def test_a_sum_is_that_of_keras(keras):
    for weights in (None, [1.0, 0.0, 2.0]):
        sums = [library.metrics.Sum() for library in (nn, keras)]
        for metric in sums:
            for values in ([1.0, 3.0, 5.0], [0.5, 7.0, 7.0]):
                metric.update_state(values, weights)
        assert float(sums[0].result()) == float(sums[1].result())
        assert len(sums[0].variables) == len(sums[1].variables) == 1


def test_names_mean_the_metrics_that_they_mean_in_keras(keras):
    for name in ("mse", "MAPE", "msle", "bce", "cosine_similarity", "auc", "AUC", "root_mean_squared_error", "hinge",
                 "kl_divergence", "binary_accuracy", "r2_score"):  # fmt: skip
        mine, theirs = nn.metrics.get(name), keras.metrics.get(name)
        assert type(mine).__name__ == type(theirs).__name__
        assert mine.name == re.sub(r"_\d+$", "", theirs.name) or name in ("auc", "AUC")
        assert mine.direction in (None, theirs._direction)


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
        ({"metrics": {"c": "accuracy"}}, "metrics: expected no other names of outputs, because the one output is 'b'"),
        ({"weighted_metrics": {"c": "acc"}}, "the one output is 'b', got the dict {'c': 'acc'}"),
        ({"loss": {"c": "mse"}}, "the one output is 'b', got the dict {'c': 'mse'}"),
        ({"loss": ["mse", "mae"]}, "the model has one output, got ['mse', 'mae']"),
        ({"loss": []}, "the model has one output, got []"),
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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_loss_of_a_sure_logit_keeps_its_digits(judge, dtype):
    """softplus(x) - y · x cancels where the model is right, and is inf - inf where it is quite sure."""
    mp = judge("mpmath")
    logits = np.array([-700.0, -100, -40, -20, -1, -0.25, 0, 0.25, 1, 20, 40, 100, 700], dtype)
    logits = logits[np.abs(logits) < 0.99 * np.log(np.finfo(dtype).max)]
    for target in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = Tensor(logits[:, None])
        loss = nn.losses.binary_crossentropy(np.full(x.shape, target), x, from_logits=True)
        loss.sum().backward()
        e = [mp.exp(mp.mpf(float(v))) for v in logits]
        right = [target * mp.log1p(1 / v) + (1 - target) * mp.log1p(v) for v in e]
        np.testing.assert_allclose(loss.data, np.array(right, float), rtol=20 * np.finfo(dtype).eps)
        up, down = (np.array(part, float) for part in zip(*((v / (1 + v), 1 / (1 + v)) for v in e), strict=True))
        up, down = (1 - target) * up, target * down  # which cancel at the minimum only
        assert np.all(np.abs(x.grad[:, 0] - (up - down)) <= 20 * np.finfo(dtype).eps * np.maximum(up, down))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_infinite_logit_costs_what_its_limit_costs():
    inf = np.inf
    x = Tensor(np.array([[inf], [inf], [inf], [-inf], [-inf], [-inf]]))
    y = np.array([[1.0], [0], [0.5], [0], [1], [0.5]])
    loss = nn.losses.binary_crossentropy(y, x, from_logits=True)
    loss.sum().backward()
    np.testing.assert_array_equal(loss.data, [0, inf, inf, 0, inf, inf])
    np.testing.assert_array_equal(x.grad[:, 0], [0, 1, 0.5, 0, -1, -0.5])  # as PyTorch's and Keras' gradients
    assert not np.signbit(loss.data).any()
    y = Tensor(np.array([[0.0], [1.0]]))
    nn.losses.binary_crossentropy(y, np.array([[2.0], [-3.0]]), from_logits=True).sum().backward()
    np.testing.assert_allclose(y.grad[:, 0], [-2, 3])  # minus the logit


def test_from_logits_after_a_softmax_is_warned_of():
    model = nn.Sequential([nn.layers.Dense(3, "softmax")])
    model.compile("sgd", nn.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.warns(UserWarning, match="from_logits=True, but the model ends in softmax"):
        model.fit(np.ones((4, 2)), np.zeros(4), verbose=0)


WHOLE = ["bool", "int8", "uint8", "uint16", "int32", "uint64", "int64"]


@pytest.mark.parametrize("target", [*WHOLE, "float32"])
@pytest.mark.parametrize("prediction", WHOLE)
@pytest.mark.parametrize("name", ["mean_absolute_error", "mean_squared_error", "huber"])
def test_differences_of_whole_numbers_do_not_wrap_around(name, prediction, target):
    y, p = [[1, 0, 100], [0, 1, 1]], [[3, 1, 2], [0, 0, 120]]
    y, p = np.array(y).astype(target), np.array(p).astype(prediction)
    right = getattr(nn.losses, name)(y.astype("float64"), p.astype("float64")).numpy()
    np.testing.assert_allclose(getattr(nn.losses, name)(y, p).numpy(), right, rtol=1e-6)
    assert nn.metrics.as_metric(name)(y, p) == pytest.approx(right.mean())


def test_targets_between_whole_predictions_are_not_rounded():
    """They were brought to the dtype of the predictions, which rounds them down."""
    soft, logits = np.array([[0.25, 0.75]]), np.array([[2, 1]])
    for name in ("categorical_crossentropy", "binary_crossentropy"):
        right = getattr(nn.losses, name)(soft, logits.astype(float), from_logits=True).numpy()
        np.testing.assert_allclose(getattr(nn.losses, name)(soft, logits, from_logits=True).numpy(), right)
    assert nn.losses.mean_absolute_error([[0.5]], np.array([[1]])).numpy() == 0.5


@pytest.mark.filterwarnings("ignore:categorical_crossentropy of a single class")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_is_impossible_and_does_not_occur_costs_nothing(dtype):
    """A logit of -inf is a class that is masked: the others are what they are without it."""
    inf = np.inf
    logits = np.array([[-inf, 0, 0], [1, -inf, 2], [-inf, 3, -inf]], dtype)
    y = np.array([[0, 1, 0], [0.25, 0, 0.75], [0, 1, 0]], dtype)
    kept = [[1, 2], [0, 2], [1]]
    x = Tensor(logits)
    loss = nn.losses.categorical_crossentropy(y, x, from_logits=True)
    loss.sum().backward()
    for i, columns in enumerate(kept):
        z = Tensor(logits[i : i + 1, columns])
        right = nn.losses.categorical_crossentropy(y[i : i + 1, columns], z, from_logits=True)
        right.sum().backward()
        np.testing.assert_allclose(loss.numpy()[i], right.numpy()[0], rtol=1e-3)
        np.testing.assert_allclose(x.grad[i, columns], z.grad[0], rtol=1e-3, atol=1e-7)
        np.testing.assert_array_equal(np.delete(x.grad[i], columns), 0)
    sparse = nn.losses.sparse_categorical_crossentropy(np.array([1, 0, 1]), logits, from_logits=True)
    one_hot = nn.losses.categorical_crossentropy(np.eye(3, dtype=dtype)[[1, 0, 1]], logits, from_logits=True)
    np.testing.assert_allclose(one_hot.numpy(), sparse.numpy(), rtol=1e-3)
    certain = nn.losses.categorical_crossentropy(np.array([[1.0, 0, 0]]), logits[:1], from_logits=True)
    assert certain.numpy()[0] == inf  # what occurs though it is impossible
    probabilities = nn.activations.softmax(Tensor(logits))
    np.testing.assert_allclose(nn.losses.categorical_crossentropy(y, probabilities).numpy(), loss.numpy(), rtol=1e-3)


def test_the_derivative_by_a_target_is_the_logarithm_also_where_it_is_0():
    y, logits = Tensor(np.array([[0.0, 1.0, 0.0]])), np.array([[1.0, 2.0, -np.inf]])
    nn.losses.categorical_crossentropy(y, logits, from_logits=True).sum().backward()
    right = -nn.activations.log_softmax(logits[:, :2]).numpy()
    np.testing.assert_allclose(y.grad[:, :2], right)


def test_a_masked_class_is_trained_around():
    mask = nn.layers.Lambda(lambda x: np.where(np.arange(3) < 2, x, -np.inf))
    x = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
    y = np.eye(3, dtype="float32")[np.arange(24) % 2]
    models = []
    for eager in (False, True):
        nn.utils.set_random_seed(0)
        layers = [nn.layers.Dense(3), nn.layers.BatchNormalization(), nn.layers.Dropout(0.25, seed=1), mask]
        model = nn.Sequential([nn.Input((3,)), *layers])
        model.compile("adam", nn.losses.CategoricalCrossentropy(from_logits=True), run_eagerly=eager)
        model.fit(x, y, epochs=3, batch_size=8, verbose=0)
        models.append(model)
    for a, b in zip(*(m.get_weights() for m in models), strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.isfinite(a).all()


def test_top_k_of_what_has_diverged_is_missed_as_in_keras(keras):
    nan = np.nan
    rows = np.array([[nan] * 3, [nan, 0, 1], [0, nan, 1], [0, 1, nan], [0, 1, 2], [2, 1, 0]], "float32")
    for k in (1, 2, 3):
        for target in range(3):
            y = np.full(len(rows), target)
            theirs = keras.metrics.sparse_top_k_categorical_accuracy(y, rows, k=k)
            np.testing.assert_array_equal(nn.metrics.sparse_top_k_categorical_accuracy(y, rows, k=k), theirs)
    masked = np.array([[-np.inf, 1.0, 0.0]])  # an order there is
    assert nn.metrics.sparse_top_k_categorical_accuracy([1], masked, k=1) == 1
