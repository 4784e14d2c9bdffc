"""Published experiments, reduced: on small real data both libraries do as well as each other."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import numpy as np
import pytest

import datasets
import nn

FOLDER = pathlib.Path(__file__).parents[2] / "benchmarks" / "experiments"
SEEDS = 3


def _load():
    spec = importlib.util.spec_from_file_location("experiments", FOLDER / "experiments.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["experiments"] = module
    spec.loader.exec_module(module)
    return module


experiments = _load()


def handwriting():
    """The digits of 8 × 8 pixels, from 0 to 255 as MNIST's."""
    return tuple((x * (255 / 16), y) for x, y in datasets.digits.load_data())


def enlarged(x):
    """As 28 × 28 pixels."""
    return np.pad(np.kron(x, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2)))


def words(classes, seed=0):
    """Texts whose words come from one part of the vocabulary or another, with much noise, as multi-hot rows."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, 1200)
    typical = rng.random((classes, 300)) < 0.12
    x = (rng.random((1200, 300)) < np.where(typical[y], 0.12, 0.03)).astype("float32")
    return (x[:800], y[:800]), (x[800:], y[800:])


def make(name):
    if name == "mnist":
        return handwriting()
    if name == "boston":
        return datasets.boston_housing.load_data()
    if name == "camera":
        return datasets.camera.load_data(n=5000)
    return words(2 if name == "imdb" else 8)


# Epochs for data of a fraction of the size; the deep and the wide ones are for the benchmark.
REDUCED = {
    "mnist 512-512 dropout": 3,
    "imdb 16-16": 10,
    "reuters sparse": 10,
    "boston final": 15,
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", REDUCED)
def test_both_libraries_do_as_well_as_each_other(keras, name):
    experiment, data = experiments.EXPERIMENTS[name], make(experiments.EXPERIMENTS[name].data)
    values = {}
    for library in (nn, keras):
        values[library] = []
        for seed in range(SEEDS):
            library.utils.set_random_seed(seed)
            values[library].append(experiment.run(library, data, REDUCED[name])[0])
    mine, theirs = (np.array(values[library]) for library in (nn, keras))
    error = np.sqrt((mine.var(ddof=1) + theirs.var(ddof=1)) / SEEDS)
    better = -1 if name.startswith("boston") else 1
    # Two standard errors, and no less than the grain of so small a test set.
    assert better * (mine.mean() - theirs.mean()) > -max(2 * error, 0.02 * theirs.mean()), (mine, theirs)


@pytest.mark.parametrize("name", [n for n in experiments.EXPERIMENTS if n.startswith(("imdb", "reuters"))])
def test_every_experiment_with_texts_runs_and_learns(name):
    experiment = experiments.EXPERIMENTS[name]
    nn.utils.set_random_seed(0)
    _, curves = experiment.run(nn, make(experiment.data), 3)
    assert curves["loss"][-1] < curves["loss"][0]


@pytest.mark.thorough
def test_the_others_run_and_learn():
    tiny = tuple((enlarged(x[:64]), y[:64]) for x, y in handwriting())
    nn.utils.set_random_seed(0)
    for run, epochs in (
        (experiments.mnist_conv, 3),
        (experiments.using(experiments.mnist_dense, units=(40, 30, 20), activation="tanh"), 3),
        (experiments.using(experiments.mnist_dense, units=(16,), activation="relu", dropout=0.4, optimizer="adam"), 3),
    ):
        _, curves = run(nn, tiny, epochs)
        assert curves["loss"][-1] < curves["loss"][0]
    (x, y), test = make("boston")
    folds, curves = experiments.boston_folds(nn, ((x[:80], y[:80]), test), 3)
    assert len(curves["val_mae"]) == 3
    assert curves["val_mae"][-1] < curves["val_mae"][0]
    assert folds == pytest.approx(curves["val_mae"][-1], rel=1e-4)


def test_without_dropout_the_validation_loss_turns_up_and_the_less_the_more_dropout():
    rises = []
    for rate in (0.0, 0.8):
        nn.utils.set_random_seed(0)
        data = words(2)
        _, curves = experiments.mnist_dense(
            nn,
            tuple((x * 255, y) for x, y in data),
            60,
            units=(128,),
            activation="relu",
            dropout=rate,
            optimizer="adam",
        )
        rises.append(curves["val_loss"][-1] - min(curves["val_loss"]))
    assert rises[0] > 0.05
    assert rises[1] < rises[0] / 2


def test_the_camera_with_weights_set_by_hand_sees_a_horizontal_picture(keras):
    """The published numbers, from both libraries."""
    horizontal = np.array([[1, 1, -1, -1]], "float32")
    for library in (nn, keras):
        model = experiments.camera_model(library)
        model.set_weights(experiments.camera_weights())
        prediction = model.predict(horizontal, verbose=0)
        np.testing.assert_allclose(prediction, [[0.17831734, 0.17831734, 0.17831734, 0.465048]], rtol=1e-6)
        assert model.evaluate(horizontal, np.eye(4)[[3]], verbose=0)[0] == pytest.approx(0.7656, abs=5e-5)
        pictures = np.concatenate([datasets.camera.PICTURES, -datasets.camera.PICTURES]).reshape(8, 4)
        assert model.predict(pictures, verbose=0).argmax(1).tolist() == [0, 1, 2, 3] * 2


def test_plain_gradient_descent_learns_digits():
    nn.utils.set_random_seed(0)
    value, curves = experiments.mnist_sgd(nn, handwriting(), 150)
    assert value > 0.9
    assert curves["loss"][-1] < curves["loss"][0] / 3


def test_the_camera_learns_to_see_everything():
    nn.utils.set_random_seed(0)
    assert experiments.camera(nn, make("camera"), 8)[0] == 1.0
