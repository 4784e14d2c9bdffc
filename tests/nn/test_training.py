"""fit, evaluate and predict do what Keras' do, from the same weights on the same batches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import nn

# How Keras runs a few steps: to trace them takes longer.
UNTRACED = {"run_eagerly": True}


def data(n=50, classes=3):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4))
    return x, np.argmax(x[:, :classes] + 0.3 * rng.normal(size=(n, classes)), 1)


def twins(keras, **compiled):
    """A model of ours and one of Keras', with the same weights."""
    models = []
    for library in (nn, keras):
        model = library.Sequential(
            [library.Input(shape=(4,)), library.layers.Dense(8, "tanh"), library.layers.Dense(3, "softmax")]
        )
        models.append(model)
    models[0].set_weights(models[1].get_weights())
    for model, how in zip(models, ({}, UNTRACED), strict=True):
        model.compile(**{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", **how, **compiled})
    return models


def same_histories(mine, theirs, rel=2e-4):
    assert list(mine.history) == list(theirs.history)
    for name, values in mine.history.items():
        np.testing.assert_allclose(values, theirs.history[name], rtol=rel, atol=1e-6, err_msg=name)
    assert mine.epoch == theirs.epoch


FITS = [
    {"epochs": 3},
    {"epochs": 2, "batch_size": 7, "validation_split": 0.3},
    {"epochs": 2, "class_weight": {0: 1.0, 1: 5.0, 2: 0.5}},
    {"epochs": 2, "sample_weight": np.linspace(0.1, 3, 50)},
    {"epochs": 4, "initial_epoch": 2},
    {"epochs": 3, "steps_per_epoch": 2, "batch_size": 16},
    {"epochs": 4, "validation_data": data(20), "validation_freq": 2},
    {"epochs": 2, "validation_data": (*data(20), np.arange(20.0)), "validation_batch_size": 6},
]


@pytest.mark.parametrize("options", FITS, ids=lambda o: ",".join(sorted(o)))
def test_fit_has_keras_history(keras, options):
    mine, theirs = twins(keras, metrics=["accuracy"], weighted_metrics=["acc"])
    x, y = data()
    a = mine.fit(x, y, shuffle=False, verbose=0, **options)
    b = theirs.fit(x, y, shuffle=False, verbose=0, **options)
    same_histories(a, b)
    for v, w in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(v, w, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(mine.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(mine.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), rtol=1e-3, atol=1e-5)


def test_generators_and_batches_train_as_keras_trains(keras):
    x, y = data(48)

    def endless():
        while True:
            for i in range(0, 48, 16):
                yield x[i : i + 16].astype("float32"), y[i : i + 16]

    mine, theirs = twins(keras)
    same_histories(
        mine.fit(endless(), steps_per_epoch=3, epochs=2, verbose=0),
        theirs.fit(endless(), steps_per_epoch=3, epochs=2, verbose=0, shuffle=False),
    )
    batches = [(x[i : i + 16], y[i : i + 16]) for i in range(0, 48, 16)]

    class Batches:
        def __iter__(self):
            return iter(batches)

    again = nn.Sequential.from_config(mine.get_config())
    again.set_weights(mine.get_weights())
    for model in (mine, again):
        model.compile("sgd", "sparse_categorical_crossentropy")
    a = mine.fit(Batches(), epochs=2, verbose=0).history
    b = again.fit(x, y, batch_size=16, shuffle=False, epochs=2, verbose=0).history
    assert a == b


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 6, 9])
def test_steps_end_where_the_data_ends_as_in_keras(keras, steps):
    """No example counts twice in an epoch, in an evaluation or in a prediction."""
    x = np.arange(64, dtype="float32")[:, None] / 64
    found = []
    for library in (keras, nn):
        made, measured = [], []
        note = library.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs, made=made: made.append(0),
            on_train_batch_end=lambda batch, logs, made=made: made.append(made.pop() + 1),
        )
        note.on_test_batch_end = lambda batch, logs=None, measured=measured: measured.append(batch)
        model = library.Sequential([library.Input((1,)), library.layers.Dense(1, kernel_initializer="ones")])
        model.compile("sgd", "mse", **(UNTRACED if library is keras else {}))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loss = model.evaluate(x, 2 * x, batch_size=16, steps=steps, verbose=0)
            shape = model.predict(x, batch_size=16, steps=steps, verbose=0).shape
            model.fit(x, 2 * x, batch_size=16, steps_per_epoch=steps, epochs=5, verbose=0, callbacks=[note],
                      validation_data=(x, x), validation_steps=steps, validation_batch_size=16)  # fmt: skip
        ended = sum("ran out of data" in str(w.message) or "the data ended" in str(w.message) for w in caught)
        found.append((round(float(loss), 5), shape, made, measured, int(model.optimizer.iterations), ended))
    assert found[0] == found[1]


def test_each_validation_of_some_steps_begins_at_the_front_as_in_keras(keras):
    x, y = data(5)
    options = {"validation_steps": 1, "validation_batch_size": 2, "shuffle": False, "verbose": 0, "epochs": 4}
    mine, theirs = twins(keras)
    same_histories(*(m.fit(x, y, validation_data=(x, y), **options) for m in (mine, theirs)))

    pairs = [(x[i : i + 2], y[i : i + 2]) for i in (0, 2, 4)]
    started = []

    class Batches:
        def __iter__(self):
            started.append(True)
            return iter(pairs)

    mine.fit(x, y, validation_data=Batches(), **options)
    assert len(started) == 4

    given = []
    mine.fit(x, y, validation_data=(given.append(i) or pairs[i % 3] for i in range(9)), **options)
    assert given == [0, 1, 2, 3]  # a generator cannot be started again


def test_regularizers_count_in_the_loss_as_in_keras(keras):
    models = []
    for library in (nn, keras):
        models.append(
            library.Sequential([
                library.Input(shape=(4,)),
                library.layers.Dense(8, "relu", kernel_regularizer=library.regularizers.L2(0.1)),
                library.layers.Dense(1, kernel_regularizer="l1"),
            ])
        )  # fmt: skip
        models[-1].compile("rmsprop", "mse", metrics=["mae"])
    models[0].set_weights(models[1].get_weights())
    x, y = data()
    same_histories(*(m.fit(x, y, epochs=2, shuffle=False, verbose=0) for m in models))


def test_single_batches_give_keras_numbers(keras):
    mine, theirs = twins(keras, metrics=["accuracy"])
    x, y = data(16)
    for _ in range(3):
        got, expected = mine.train_on_batch(x, y), theirs.train_on_batch(x.astype("float32"), y)
        np.testing.assert_allclose(got, expected, rtol=1e-4)
    np.testing.assert_allclose(mine.test_on_batch(x, y), theirs.test_on_batch(x.astype("float32"), y), rtol=1e-4)
    assert mine.train_on_batch(x, y, return_dict=True).keys() == {"loss", "accuracy"}


def accuracies(library, *ks):
    return [library.metrics.SparseTopKCategoricalAccuracy(k) for k in ks]


@pytest.mark.parametrize(
    "compiled",
    [
        lambda library: {"metrics": ["accuracy", "accuracy"]},
        lambda library: {"metrics": accuracies(library, 1, 2)},
        lambda library: {"metrics": ["accuracy"], "weighted_metrics": ["accuracy"]},
        lambda library: {"metrics": ["acc"] * 2, "weighted_metrics": ["acc"] * 3},
        lambda library: {"weighted_metrics": accuracies(library, 2, 1, 2)},
    ],
    ids=["two", "top k", "weighted", "weighted, three", "weighted only"],
)
def test_metrics_of_one_name_are_told_apart_as_in_keras(keras, compiled):
    mine, theirs = twins(keras)
    x, y = data(16)
    x, weights, found = x.astype("float32"), np.linspace(0, 1, 16), []
    for library, model in ((nn, mine), (keras, theirs)):
        model.compile("sgd", "sparse_categorical_crossentropy", **compiled(library))
        found.append(model.fit(x, y, sample_weight=weights, validation_data=(x, y), shuffle=False, verbose=0))
    same_histories(*found)
    measured = mine.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True)
    assert measured == pytest.approx(
        theirs.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True), rel=1e-3
    )
    assert dict(zip(mine.metrics_names, mine.evaluate(x, y, sample_weight=weights, verbose=0), strict=True)) == measured


def test_a_metric_loses_its_value_to_no_other_whatever_their_names():
    model = nn.Sequential([nn.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[nn.metrics.MeanSquaredError(n) for n in ("a_1", "a", "a", "loss")])
    assert list(model.fit(np.ones((2, 2)), np.ones(2), verbose=0).history) == ["a", "a_1", "a_2", "loss", "loss_1"]


def test_results_in_a_dict_are_in_keras_order(keras):
    x, y = data(16)
    orders = []
    for model in twins(keras):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy", "accuracy"])
        calls = (model.train_on_batch, model.test_on_batch, lambda *a, of=model, **k: of.evaluate(*a, verbose=0, **k))
        orders.append([list(call(x.astype("float32"), y, return_dict=True)) for call in calls])
    assert orders[0] == orders[1]


def test_a_trained_model_moves_to_keras_and_back(keras):
    def build(library):
        layers = library.layers
        return library.Sequential([
            library.Input(shape=(8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(),
            layers.MaxPooling2D(2), layers.Flatten(), layers.Dropout(0.2), layers.Dense(3, activation="softmax"),
        ])  # fmt: skip

    x = np.random.default_rng(0).normal(size=(64, 8, 8, 1)).astype("float32")
    y = (x.sum((1, 2, 3)) > 0).astype(int)
    mine, theirs = build(nn), build(keras)
    mine.compile("adam", "sparse_categorical_crossentropy")
    mine.fit(x, y, epochs=3, verbose=0)
    theirs.set_weights(mine.get_weights())
    np.testing.assert_allclose(mine.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    theirs.compile("adam", "sparse_categorical_crossentropy")
    theirs.fit(x, y, epochs=2, verbose=0)
    mine.set_weights(theirs.get_weights())
    np.testing.assert_allclose(mine.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    assert [w.shape for w in mine.get_weights()] == [w.shape for w in theirs.get_weights()]
    assert mine.count_params() == theirs.count_params()


def test_batch_normalization_and_frozen_layers_train_as_in_keras(keras):
    models = []
    for library in (nn, keras):
        model = library.Sequential([
            library.Input(shape=(4,)), library.layers.Dense(6), library.layers.BatchNormalization(momentum=0.8),
            library.layers.Dense(3, "softmax"),
        ])  # fmt: skip
        model.layers[0].trainable = False
        model.compile(library.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        models.append(model)
    models[0].set_weights(models[1].get_weights())
    before = models[0].layers[0].get_weights()
    x, y = data()
    same_histories(*(m.fit(x, y, epochs=3, shuffle=False, verbose=0) for m in models))
    for a, b in zip(*(m.get_weights() for m in models), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    for a, b in zip(before, models[0].layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(models[0].trainable_variables) == len(models[1].trainable_variables) == 4


def test_the_loop_by_hand_takes_the_same_steps_as_fit():
    x, y = (a.astype("float32") for a in data(20))
    nn.utils.set_random_seed(0)
    model = nn.Sequential([nn.Input(shape=(4,)), nn.layers.Dense(5, "tanh"), nn.layers.Dense(1)])
    other = nn.Sequential.from_config(model.get_config())
    other.set_weights(model.get_weights())
    model.compile(nn.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.fit(x, y, epochs=3, batch_size=20, shuffle=False, verbose=0)
    optimizer = nn.optimizers.SGD(0.1, momentum=0.9)
    for _ in range(3):
        other.zero_grad()
        loss = np.mean(np.square(other(x, training=True)[:, 0] - y))
        loss.backward()
        optimizer.apply([v.grad for v in other.trainable_variables], other.trainable_variables)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    assert next(v.path for v in model.trainable_variables).split("/")[1].startswith("dense")


@pytest.mark.usefixtures("python_s_own_ctrl_c")
def test_a_small_step_of_training_makes_few_calls(count_calls):
    """Where the arithmetic takes no time a step takes as long as its calls, of which each was thought about."""
    model = nn.Sequential(
        [nn.Input(shape=(13,)), nn.layers.Dense(64, "relu"), nn.layers.Dense(64, "relu"), nn.layers.Dense(1)]
    )
    model.compile("rmsprop", "mse")
    x, y = np.ones((10, 13), "float32"), np.ones((10, 1), "float32")
    for _ in range(6):
        model.train_on_batch(x[:1], y[:1])
    assert len(model.schedule.programs) == 1
    single = count_calls(lambda: model.train_on_batch(x[:1], y[:1]))
    assert single <= 150

    def fit(steps):
        return count_calls(lambda: model.fit(x[:steps], y[:steps], batch_size=1, shuffle=False, verbose=0))

    fit(2)
    assert fit(10) - fit(9) <= 165  # a batch is cut, and callbacks are told of it


def test_compiling_again_keeps_the_weights():
    model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.compile("adam", "mae")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_of_ones_own_has_two_inputs_and_a_shortcut():
    class Two(nn.Model):
        def __init__(self):
            super().__init__()
            self.left, self.right = nn.layers.Dense(4, "tanh"), nn.layers.Dense(4, "tanh")
            self.blocks = [nn.layers.Dense(4, "relu") for _ in range(2)]
            self.drop = nn.layers.Dropout(0.1)
            self.last = nn.layers.Dense(1)

        def call(self, inputs, training=False):
            a, b = inputs
            z = self.left(a) * self.right(b)
            for block in self.blocks:
                z = z + block(z)
            return self.last(self.drop(z))

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(80, 3)), rng.normal(size=(80, 2))
    nn.utils.set_random_seed(1)
    model = Two()
    model.compile("adam", "mse")
    history = model.fit([a, b], a[:, 0] * b[:, 1], epochs=30, verbose=0).history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    assert model.predict([a, b], verbose=0).shape == (80, 1)
    assert len(model.weights) == 10
    assert len(model.layers) == 6


def test_a_big_array_of_float64_is_never_copied_whole():
    import tracemalloc

    x = np.zeros((20_000, 500))  # 80 MB
    model = nn.Sequential([nn.Input(shape=(500,)), nn.layers.Dense(1)])
    model.compile("sgd", "mse")
    tracemalloc.start()
    model.fit(x, np.zeros(20_000), epochs=1, verbose=0, batch_size=1000, steps_per_epoch=5, validation_split=0.1)
    model.predict(x, verbose=0, batch_size=2000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes / 4


def test_the_bar_in_a_terminal_looks_like_keras_bar(monkeypatch):
    import io

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "150")
    model = nn.Sequential([nn.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(np.ones((64, 2)), np.ones(64), epochs=2)
    import re

    text = re.sub(r"\x1b\[[0-9;]*[mK]", "", screen.getvalue())
    assert text.count("Epoch ") == 2
    assert re.search(r"\r2/2 ━{20} \d+s \d+[mu]?s/step - loss: [\d.e+-]+ - mae: [\d.e+-]+\n", text)

    # Of predictions it shows how far they are, and of several numbers that a step returns their mean.
    assert model.predict(np.ones((64, 2))).shape == (64, 1)
    text = re.sub(r"\x1b\[[0-9;]*[mK]", "", screen.getvalue())
    assert re.search(r"\r2/2 ━{20} \d+s \d+[mu]?s/step\n$", text)

    class Several(nn.Sequential):
        def train_step(self, data):
            return {"each": np.array([1.0, 3.0])}

    model = Several([nn.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 2)), np.ones(2))
    assert re.search(r"each: 2\.0000\x1b\[K\n$", screen.getvalue())


@pytest.mark.usefixtures("python_s_own_ctrl_c")
def test_ctrl_c_ends_cleanly_and_leaves_a_usable_model():
    model = nn.Sequential([nn.layers.Dense(1)])
    model.compile("sgd", "mse")
    stop = nn.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: (
            signal.raise_signal(signal.SIGINT) if len(model.history.epoch) == 3 else 0
        )
    )
    before = signal.getsignal(signal.SIGINT)
    history = model.fit(np.ones((64, 2)), np.ones(64), epochs=100, verbose=0, callbacks=[stop])
    assert history.epoch == [0, 1, 2]
    assert len(history.history["loss"]) == 3
    assert signal.getsignal(signal.SIGINT) is before
    assert np.isfinite(model.evaluate(np.ones((4, 2)), np.ones(4), verbose=0))


def test_fit_works_in_a_thread():
    model = nn.Sequential([nn.layers.Dense(1)])
    model.compile("sgd", "mse")
    thread = threading.Thread(target=lambda: model.fit(np.ones((64, 2)), np.ones(64), verbose=0))
    thread.start()
    thread.join()
    assert model.history.epoch == [0]


KILLER = """
import os, random, signal, sys
import numpy as np, nn

def train(folder, result):
    nn.utils.set_random_seed(7)
    layers = nn.layers
    model = nn.Sequential([nn.Input(shape=(6,)), layers.Dense(16, "relu"), layers.Dropout(0.3),
                           layers.BatchNormalization(), layers.Dense(1)])
    model.compile(nn.optimizers.Adam(0.01), "mse")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 6))
    history = model.fit(x, x[:, 0] * x[:, 1], epochs=20, verbose=0, batch_size=16, validation_split=0.1,
                        callbacks=[nn.callbacks.EarlyStopping(patience=15, restore_best_weights=True),
                                   nn.callbacks.ReduceLROnPlateau(patience=1),
                                   nn.callbacks.BackupAndRestore(folder)])
    np.savez(result, *model.get_weights(), *model.optimizer.get_weights(), *history.history.values())

calls = 0

def run(folder, result, killed_at=None):
    def see(frame, event, argument):
        global calls
        calls += event in ("call", "c_call")
        if calls == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        sys.setprofile(see)
        train(folder, result)
        sys.setprofile(None)
        with open(folder + " calls", "w") as file:
            file.write(str(calls))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return status != 0

folder = sys.argv[1]
run(folder + "/whole", folder + "/whole.npz")
calls_of_all = int(open(folder + "/whole calls").read())
random.seed(0)
kills = finished = 0
while kills < 20 or not finished:
    moment = int(random.uniform(0.1, 0.7) * calls_of_all) if kills < 20 else None
    if run(folder + "/backup", f"{folder}/killed{finished}.npz", moment):
        kills += 1
    else:
        assert not os.path.exists(folder + "/backup")
        finished += 1
print(kills, finished)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_training_that_is_killed_twenty_times_ends_with_the_same_bits(tmp_path):
    """SIGKILL at random calls; BackupAndRestore goes on as if nothing had happened."""
    done = subprocess.run([sys.executable, "-c", KILLER, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kills, finished = map(int, done.stdout.split())
    assert kills == 20
    for number in range(finished):
        with np.load(tmp_path / "whole.npz") as whole, np.load(tmp_path / f"killed{number}.npz") as killed:
            assert whole.files == killed.files
            assert len(whole.files) > 20
            for name in whole.files:
                np.testing.assert_array_equal(whole[name], killed[name])


class Cut(nn.callbacks.Callback):
    """Breaks a training off after an epoch, as a power cut would: before or after the backup of that epoch."""

    def __init__(self, epoch, last):
        self.epoch, self.last = epoch, last

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise ConnectionAbortedError


def with_memory(folder, *more):
    """A training whose callbacks all change its course, or remember what it did."""
    nn.utils.set_random_seed(3)
    layers = [nn.layers.Dense(8, "tanh", name="a"), nn.layers.Dropout(0.2, name="b"), nn.layers.Dense(1, name="c")]
    model = nn.Sequential([nn.Input(shape=(4,)), *layers])
    model.compile(nn.optimizers.Adam(0.05), "mse")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 4))
    callbacks = [
        nn.callbacks.EarlyStopping(patience=6, restore_best_weights=True),
        nn.callbacks.ReduceLROnPlateau(patience=1, factor=0.5, cooldown=1),
        nn.callbacks.ModelCheckpoint(folder / "best.autograd", save_best_only=True),
        nn.callbacks.CSVLogger(folder / "log.csv"),
        nn.watch(model),
        nn.callbacks.BackupAndRestore(folder / "backup"),
        *more,
    ]
    y = x @ [1.0, -0.5, 0.3, 0.0] + 0.5 * rng.normal(size=60)
    history = model.fit(x, y, epochs=40, verbose=0, batch_size=8, validation_split=0.4, callbacks=callbacks)
    return model, history, callbacks


def outcome(folder, trained):
    model, history, callbacks = trained
    best = nn.models.load_model(folder / "best.autograd").get_weights()
    remembered = [{name: getattr(c, name) for name in c.remembers if name != "end"} for c in callbacks]
    everything = [*model.get_weights(), *model.optimizer.get_weights(), *best]
    return everything, history.history, (folder / "log.csv").read_text("utf-8"), remembered


@pytest.mark.parametrize("last", [False, True])
def test_callbacks_go_on_with_what_they_remember(tmp_path, last):
    """However often a training is cut, its stopping, its learning rates, its best model and its log are the same."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir(), cut.mkdir()
    weights, history, log, remembered = outcome(whole, with_memory(whole))
    epochs = len(history["loss"])
    assert 7 < epochs < 40  # it was stopped early,
    assert len(set(history["learning_rate"])) > 2  # and had slowed down before
    for epoch in range(0, epochs, 2 if last else 1):
        with pytest.raises(ConnectionAbortedError):
            with_memory(cut, Cut(epoch, last))
    again = outcome(cut, with_memory(cut))
    for a, b in zip(weights, again[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert again[1] == history
    assert again[2] == log
    np.testing.assert_equal(again[3], remembered)
    assert not (cut / "backup").exists() or not any((cut / "backup").iterdir())


BACKENDS = """
import json, warnings
warnings.simplefilter("ignore")
import numpy as np, keras

def measured(library):
    last = library.layers.Dense(1, use_bias=False, kernel_initializer=library.initializers.Constant([[1.0], [3.0]]))
    table = library.layers.Embedding(2, 1, "ones")
    model = library.Sequential([library.Input((2,)), table, library.layers.Flatten(), last])
    last.trainable = False
    model.compile(library.optimizers.Adam(0.1), "mse")
    for _ in range(3):
        model.train_on_batch(np.array([[1, 1], [0, 1]]), np.zeros((2, 1)))
    twice = [float(v) for v in model.get_weights()[0].ravel()]

    bias = library.initializers.Constant([0.0, 1.0])
    model = library.Sequential([library.Input((2,)), library.layers.Dense(2, "softmax", True, "ones", bias)])
    model.compile("sgd", "binary_crossentropy")
    loss = float(model.evaluate(np.ones((1, 2)), np.array([[1.0, 0.0]]), verbose=0))

    model = library.Sequential([library.Input((1,)), library.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    kernels = []
    for trainable in (True, False):
        model.layers[0].trainable = trainable
        try:
            model.fit(np.ones((4, 1)), np.zeros((4, 1)), verbose=0)
        except ValueError:
            return twice, loss, None
        kernels.append(model.get_weights()[0].item())
    return twice, loss, kernels[0] == kernels[1]
"""


@pytest.mark.filterwarnings("ignore:.*has no trainable weights")
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_where_keras_on_tensorflow_gives_another_number(keras, judge, backend):
    """As "Coming from Keras" says: its JAX backend gives what we give."""
    judge(backend)
    here = {}
    exec(BACKENDS.replace("import numpy as np, keras", "import numpy as np"), here)
    mine = here["measured"](nn)
    if backend == keras.config.backend():
        theirs = here["measured"](keras)
    else:  # a process has one backend
        env = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
        program = BACKENDS + "\nprint(json.dumps(measured(keras)))"
        told = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
        theirs = json.loads(told.stdout.splitlines()[-1])
    for a, b in zip(mine[:2], theirs[:2], strict=True):
        assert np.allclose(a, b, rtol=1e-5) is (backend == "jax")
    assert mine[2] is True
    assert theirs[2] is (None if backend == "jax" else False)


def test_a_variable_has_the_methods_of_keras(keras):
    for given in (1, 1.5, [1, 2], True, np.ones(2), np.ones((2, 0)), np.float64(3), np.array([True])):
        ours, theirs = nn.Variable(given), keras.Variable(given)
        assert (str(ours.dtype), ours.shape) == (theirs.dtype, tuple(theirs.shape)), given
    for library in (nn, keras):
        dense = library.layers.Dense(2, name="d")
        dense.build((None, 3))
        assert [(w.name, w.path) for w in dense.weights] == [("kernel", "d/kernel"), ("bias", "d/bias")]
        dense.kernel.assign(np.ones((3, 2)))
        dense.kernel.assign_add(np.full((3, 2), 2.0))
        dense.kernel.assign_sub(np.full((3, 2), 0.5))
        np.testing.assert_array_equal(dense.get_weights()[0], np.full((3, 2), 2.5, "float32"))
        np.testing.assert_array_equal(dense.kernel.value.numpy()[0], [2.5, 2.5])
        with pytest.raises(ValueError, match="shape"):
            dense.kernel.assign(np.ones(2))
        with pytest.raises(ValueError, match="shape"):
            library.Variable("zeros")
        dense.kernel.trainable = False
        assert [w.name for w in dense.trainable_weights] == ["bias"]
        layer = library.layers.Layer()
        layer.table, layer.several = library.Variable([1.0]), [library.Variable([2.0]), library.Variable(1)]
        assert len(layer.weights) == 3


def test_a_training_with_losses_that_layers_add_is_keras(keras):
    x, y = (a.astype("float32") for a in data(12))

    def made(library):
        class Added(library.layers.Layer):
            def call(self, x):
                self.add_loss((np if library is nn else keras.ops).mean(x * x))
                return x

        first = library.layers.Dense(4, "tanh", activity_regularizer="l2")
        model = library.Sequential([library.Input(shape=(4,)), first, Added(), library.layers.Dense(1)])
        model.compile(library.optimizers.SGD(0.1), "mse", steps_per_execution=2)
        return model

    ours, theirs = made(nn), made(keras)
    theirs.set_weights(ours.get_weights())
    fit = {"epochs": 5, "batch_size": 5, "shuffle": False, "verbose": 0, "validation_data": (x, y)}
    a, b = (model.fit(x, y, **fit).history for model in (ours, theirs))
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(a[name], b[name], rtol=1e-5)
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-4, atol=1e-6)
