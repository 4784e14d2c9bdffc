"""`predict` computes several batches as one where no example depends on another, and nowhere else."""

from __future__ import annotations

import functools
import io
import sys

import numpy as np
import pytest

import nn
from nn import layers
from nn.models import joining


@pytest.fixture
def rows(monkeypatch):
    """How many examples each step of a prediction was given."""
    seen = []
    step = nn.models.training_step.TrainingStep.predict_step
    monkeypatch.setattr(nn.models.steps.Steps, "predict", counted(nn.models.steps.Steps.predict, seen))
    assert nn.Sequential.predict_step is step  # an own one would keep the batches
    return seen


def counted(predict, seen):
    def noted(self, x):
        seen.append(len(x))
        return predict(self, x)

    return noted


def stack(*inner, shape=(6,), **options):
    return nn.Sequential([nn.Input(shape=shape, **options), *inner])


def examples(n, *shape, dtype="float32"):
    return np.random.default_rng(n).normal(size=(n, *shape)).astype(dtype)


def test_batches_behind_the_first_are_joined_and_give_what_each_gives(rows):
    bn = layers.BatchNormalization()
    model = stack(
        layers.Dense(5, "relu"), bn, layers.Dropout(0.5), nn.Sequential([layers.Dense(3, "softmax"), layers.ReLU()])
    )
    bn.moving_mean.data[...], bn.moving_variance.data[...] = examples(1, 5)[0], 1.5
    for n, expected in ((4, [4]), (8, [4, 4]), (23, [4, 19]), (1, [1]), (3, [3])):
        x = examples(n, 6)
        rows.clear()
        found = model.predict(x, batch_size=4, verbose=0)
        assert rows == expected
        apart = np.concatenate([model.predict_on_batch(x[i : i + 4]) for i in range(0, n, 4)])
        np.testing.assert_allclose(found, apart, rtol=1e-5, atol=1e-7)
    again = [model.predict(examples(23, 6), batch_size=4, verbose=0) for _ in range(6)]  # op by op, recorded, replayed
    assert all(np.array_equal(again[0], other) for other in again)
    assert rows[-2:] == [4, 19]


def test_as_many_are_joined_as_caches_hold(rows):
    width = joining.AT_ONCE // (3 * 2 * 4) - 1  # three batches of two are less than it, four are more
    model = stack(layers.Dense(width, use_bias=False), layers.ReLU(), layers.Dense(1), shape=(1,))
    model.predict(examples(17, 1), batch_size=2, verbose=0)
    assert rows == [2, 6, 6, 3]
    rows.clear()
    model.predict(examples(9, 1), batch_size=8, verbose=0)  # more than that is the user's word
    assert rows == [8, 1]


def coupled():
    """Models of which some part looks at several examples, or may."""

    class Own(layers.Dense):
        pass

    def centred(x):
        return x - np.mean(x, axis=0)

    yield stack(layers.Dense(3), layers.Softmax(axis=(0, 1)))
    yield stack(layers.Dense(3, functools.partial(nn.activations.log_softmax, axis=0)))
    yield stack(layers.Dense(3, nn.pure(centred)))
    yield stack(layers.Dense(3, centred))
    yield stack(layers.Dense(3), layers.Lambda(centred))
    yield nn.Sequential([layers.Rescaling(np.ones((4, 1))), layers.Dense(3)])
    yield stack(Own(3))
    yield stack(layers.Activation("log_softmax"), shape=())
    yield stack(layers.Dense(3), batch_size=4)
    yield stack(layers.SimpleRNN(3, stateful=True), shape=(2, 3), batch_size=4)
    inputs = nn.Input(shape=(6,))
    yield nn.Model(inputs, layers.Dropout(0.5)(inputs, training=True))
    yield nn.Model(inputs, centred(layers.Dense(3)(inputs)))


def test_where_examples_may_depend_on_each_other_batches_stay_as_they_are(rows):
    for model in coupled():
        shape = (model.input_shape or (None, 6))[1:]  # without an Input it is not known yet
        rows.clear()
        for _ in range(5):
            model.predict(examples(12, *shape), batch_size=4, verbose=0)
        assert rows == [4, 4, 4] * 5, model.layers


def test_who_could_tell_is_told_of_each_batch(rows):
    model = stack(layers.Dense(3), layers.Dense(1))
    model.compile("sgd", "mse")
    x = examples(12, 6)
    told = []
    listening = nn.callbacks.LambdaCallback(on_train_begin=print)
    listening.on_predict_batch_end = lambda batch, logs=None: told.append((batch, len(logs["outputs"])))
    model.predict(x, batch_size=4, verbose=0, callbacks=[listening])
    assert told == [(0, 4), (1, 4), (2, 4)]
    model.predict(x, batch_size=4, steps=3, verbose=0)
    model.predict(iter([(x[:4],), (x[4:8],), (x[8:],)]), verbose=0)  # somebody's own batches
    with model._steps.plans.looked_into():
        model.predict(x, batch_size=4, verbose=0)
    model.compile("sgd", "mse", steps_per_execution=2)
    model.predict(x, batch_size=4, verbose=0)
    assert rows == [4] * 15


def test_a_model_that_runs_eagerly_joins_the_same_batches_and_so_gives_the_same_bits(rows):
    found = []
    for eagerly in (True, False):
        nn.utils.set_random_seed(1)
        model = stack(layers.Dense(64, "tanh"), layers.Dense(3))
        model.compile("sgd", "mse", run_eagerly=eagerly)
        rows.clear()
        found += [model.predict(examples(22, 6), batch_size=8, verbose=0) for _ in range(5)]
        assert rows == [8, 14] * 5
    assert all(np.array_equal(found[0], other) for other in found)


def test_an_own_step_keeps_its_batches():
    seen = []

    class Own(nn.Sequential):
        def predict_step(self, data):
            seen.append(len(data[0]))
            return super().predict_step(data)

    Own([nn.Input(shape=(6,)), layers.Dense(3)]).predict(examples(12, 6), batch_size=4, verbose=0)
    assert seen == [4, 4, 4]


def test_a_bar_counts_the_batches_that_were_asked_for(rows, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "150")
    stack(layers.Dense(3)).predict(examples(23, 6), batch_size=4)
    assert rows == [4, 19]
    assert "6/6" in screen.getvalue()
    assert "2/6" not in screen.getvalue()


def test_each_layer_that_says_so_predicts_an_example_alone():
    """With the other examples changed, and shuffled, an example keeps its prediction."""
    images, numbers, line = (8, 8, 2), (6,), (8, 2)
    cases = {
        layers.Dense: ((3, "tanh"), numbers), layers.BatchNormalization: ((), images),
        layers.Dropout: ((0.5,), numbers),
        layers.SpatialDropout1D: ((0.5,), line), layers.SpatialDropout2D: ((0.5,), images),
        layers.ReLU: ((), numbers), layers.ELU: ((), numbers), layers.LeakyReLU: ((), numbers),
        layers.Identity: ((), numbers), layers.Flatten: ((), images), layers.Reshape: (((3, -1),), numbers),
        layers.Rescaling: ((0.5,), images),
        layers.LayerNormalization: (((1, -1),), images), layers.Activation: (("softmax",), numbers),
    }  # fmt: skip
    for n, shape in ((1, line), (2, images)):
        cases |= {
            getattr(layers, f"{kind}{n}D"): (arguments, shape)
            for kind, arguments in {
                "Conv": (3, 3), "DepthwiseConv": (3,), "SeparableConv": (3, 3), "MaxPooling": (2,),
                "AveragePooling": (2,), "GlobalAveragePooling": (), "GlobalMaxPooling": (),
            }.items()
            for arguments in [arguments if isinstance(arguments, tuple) else (arguments,)]
        }  # fmt: skip
        cases[getattr(layers, f"Conv{n}DTranspose")] = ((3, 3), shape)
    named = {v for v in vars(layers).values() if isinstance(v, type) and issubclass(v, layers.Layer)}
    assert {v for v in named if v.each_alone and v is not layers.Rescaling} <= cases.keys()
    for kind, (arguments, shape) in cases.items():
        model = stack(kind(*arguments), shape=shape)
        x, others = examples(5, *shape), examples(7, *shape)
        whole = model.predict_on_batch(x)
        mixed = model.predict_on_batch(np.concatenate([others, x[::-1]]))[7:][::-1]
        np.testing.assert_allclose(mixed, whole, rtol=1e-5, atol=1e-6, err_msg=kind.__name__)
        assert joining.batches_at_once(model, x, 5) > 1, kind
