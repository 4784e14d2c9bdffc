"""A network learns to read real handwriting, the way a script written for Keras says it."""

from __future__ import annotations

import numpy as np
import pytest

import nn as keras
from datasets import digits


@pytest.fixture(scope="module")
def data():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    return (x_train.reshape(len(x_train), -1) / 16.0, y_train), (x_test.reshape(len(x_test), -1) / 16.0, y_test)


def build():
    model = keras.Sequential(
        [
            keras.Input(shape=(64,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def test_a_dense_network_reads_held_out_digits(data):
    keras.utils.set_random_seed(0)
    model = build()
    history = model.fit(*data[0], epochs=12, verbose=0, validation_data=data[1])
    assert model.evaluate(*data[1], verbose=0)[1] > 0.95
    assert history.history["loss"][-1] < history.history["loss"][0] / 5
    assert len(history.history["val_accuracy"]) == 12


def test_the_same_seed_gives_the_same_training_to_the_last_bit(data):
    weights = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = build()
        model.fit(*data[0], epochs=2, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_computes_in_float32(data):
    model = build()
    model.fit(*data[0], epochs=1, verbose=0)
    assert {w.dtype for w in model.weights} == {np.dtype("float32")}
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    model.train_on_batch(*data[0])
    assert {w.grad.dtype for w in model.trainable_variables} == {np.dtype("float32")}
    assert model.predict(data[1][0], verbose=0).dtype == np.float32


def test_a_file_gets_one_plain_line_per_epoch(data, capsys):
    build().fit(*data[0], epochs=2, validation_data=data[1])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for epoch, line in enumerate(lines, 1):
        assert line.startswith(f"Epoch {epoch}/2 - 45/45 - ")
        names = [part.split(":")[0] for part in line.split(" - ")[4:]]
        assert names == ["accuracy", "loss", "val_accuracy", "val_loss"]
        assert "\x1b" not in line
        assert "\r" not in line
