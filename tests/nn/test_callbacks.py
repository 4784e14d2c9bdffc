"""Callbacks act at the moments, and on the values, at which Keras' act."""

from __future__ import annotations

import csv
import json
import math
import shutil

import numpy as np
import pytest

import nn


def model(rate=0.1):
    nn.utils.set_random_seed(0)
    model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(4, "tanh"), nn.layers.Dense(1)])
    model.compile(nn.optimizers.SGD(rate), "mse", metrics=["mae"])
    return model


X = np.random.default_rng(0).normal(size=(32, 2))
Y = X[:, 0] * X[:, 1]


def script(values, name="loss"):
    """A callback that pretends that these values were measured."""
    return nn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update({name: values[epoch]}))


VALUES = [5.0, 4.0, 4.5, 4.2, 3.9, 4.0, 4.1, 4.2, 4.3, 4.4, 4.5, 4.6]


@pytest.mark.parametrize(
    "options",
    [{"patience": 2}, {"patience": 3}, {"patience": 2, "min_delta": 0.2}, {"patience": 1, "start_from_epoch": 3},
     {"patience": 2, "mode": "max"}, {"patience": 3, "baseline": 3.0}],
)  # fmt: skip
def test_early_stopping_stops_when_keras_stops(keras, options):
    """Fed the same values by hand, both stop at the same epoch and keep the same best."""
    ends = []
    for library in (nn, keras):
        callback = library.callbacks.EarlyStopping(monitor="loss", restore_best_weights=True, **options)
        small = library.Sequential([library.Input(shape=(1,)), library.layers.Dense(1)])
        small.compile("sgd", "mse")
        callback.set_model(small)
        callback.on_train_begin()
        for epoch, value in enumerate(VALUES):
            small.set_weights([np.full((1, 1), epoch), np.zeros(1)])
            callback.on_epoch_end(epoch, {"loss": value})
            if small.stop_training:
                break
        callback.on_train_end()
        ends.append((epoch, small.get_weights()[0].item()))
    assert ends[0] == ends[1]


def test_the_best_weights_come_back_even_without_an_early_stop():
    m = model()
    seen = []
    keep = nn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(m.get_weights()))
    best = nn.callbacks.EarlyStopping(monitor="loss", patience=100, restore_best_weights=True)
    m.fit(X, Y, epochs=4, verbose=0, callbacks=[keep, script([3, 1, 2, 2]), best])
    assert m.history.epoch == [0, 1, 2, 3]
    for a, b in zip(seen[1], m.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # inside Keras
@pytest.mark.parametrize(
    "options", [{"patience": 2}, {"patience": 1, "cooldown": 2}, {"factor": 0.5, "patience": 1, "min_lr": 0.02}]
)
def test_reduce_lr_on_plateau_reduces_when_keras_reduces(keras, options):
    rates = []
    for library in (nn, keras):
        callback = library.callbacks.ReduceLROnPlateau(monitor="loss", **options)
        small = library.Sequential([library.Input(shape=(1,)), library.layers.Dense(1)])
        small.compile(library.optimizers.SGD(0.1), "mse")
        callback.set_model(small)
        callback.on_train_begin()
        for epoch, value in enumerate(VALUES):
            callback.on_epoch_end(epoch, {"loss": value})
            rate = small.optimizer.learning_rate
            rates.append(rate if library is nn else float(rate.numpy()))
    np.testing.assert_allclose(rates[: len(VALUES)], rates[len(VALUES) :], rtol=1e-6)


def test_a_reduced_rate_takes_effect_in_mid_training_and_is_in_the_history():
    m = model(1e-3)
    plateau = nn.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, factor=0.0 + 1e-9)
    seen = []
    keep = nn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(m.get_weights()[0]))
    h = m.fit(X, Y, epochs=4, verbose=0, callbacks=[script([1.0, 1.0, 1.0, 1.0]), plateau, keep]).history
    assert h["learning_rate"][:2] == pytest.approx([1e-3, 1e-3])
    assert not np.array_equal(seen[0], seen[1])
    np.testing.assert_allclose(seen[2], seen[3], atol=1e-8)


def test_learning_rate_scheduler_sets_the_rate_of_each_epoch():
    m = model()
    schedule = nn.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
    h = m.fit(X, Y, epochs=3, verbose=0, callbacks=[schedule]).history
    assert h["learning_rate"] == pytest.approx([0.1, 0.05, 0.025])


def test_model_checkpoint_saves_each_epoch_or_the_best(tmp_path):
    m = model()
    every = nn.callbacks.ModelCheckpoint(tmp_path / "{epoch:02d}-{loss:.1f}.autograd")
    best = nn.callbacks.ModelCheckpoint(
        tmp_path / "best.autograd", monitor="loss", save_best_only=True, save_weights_only=True
    )
    seen = []
    keep = nn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(m.get_weights()))
    m.fit(X, Y, epochs=3, verbose=0, callbacks=[script([3, 1, 2]), keep, every, best])
    assert sorted(p.name for p in tmp_path.glob("0*")) == ["01-3.0.autograd", "02-1.0.autograd", "03-2.0.autograd"]
    other = model()
    other.load_weights(tmp_path / "best.autograd")
    for a, b in zip(other.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(a, b)
    again = nn.models.load_model(tmp_path / "03-2.0.autograd")
    for a, b in zip(again.get_weights(), seen[2], strict=True):
        np.testing.assert_array_equal(a, b)


MESSAGES = {
    "the best": lambda k, path: k.ModelCheckpoint(
        path, monitor="loss", verbose=1, save_best_only=True, save_weights_only=True
    ),
    "a threshold": lambda k, path: k.ModelCheckpoint(
        path, "loss", 1, True, initial_value_threshold=3.95, save_weights_only=True
    ),
    "each": lambda k, path: k.ModelCheckpoint(path, verbose=1, save_weights_only=True),
    "a plateau": lambda k, path: k.ReduceLROnPlateau("loss", patience=2, verbose=1),
    "a schedule": lambda k, path: k.LearningRateScheduler(lambda epoch, rate: 0.5 / (epoch + 1), verbose=1),
    "an early stop": lambda k, path: k.EarlyStopping("loss", 0, 1, 1, restore_best_weights=True),
}


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # inside Keras
@pytest.mark.parametrize("make", MESSAGES.values(), ids=MESSAGES)
def test_callbacks_say_what_keras_says(keras, tmp_path, capsys, make):
    said = []
    for library in (nn, keras):
        callback = make(library.callbacks, tmp_path / "{epoch}.weights.h5")
        small = library.Sequential([library.Input(shape=(1,)), library.layers.Dense(1)])
        small.compile(library.optimizers.SGD(0.25), "mse")
        callback.set_model(small)
        callback.on_train_begin()
        for epoch, value in enumerate(VALUES[:6]):
            callback.on_epoch_begin(epoch)
            callback.on_epoch_end(epoch, {"loss": value})
        callback.on_train_end()
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert "Epoch" in said[0]


def test_csv_logger_writes_a_table_and_can_go_on_with_it(tmp_path):
    path = tmp_path / "log.csv"
    m = model()
    h = m.fit(X, Y, epochs=2, verbose=0, callbacks=[nn.callbacks.CSVLogger(path)])
    m.fit(X, Y, epochs=4, initial_epoch=2, verbose=0, callbacks=[nn.callbacks.CSVLogger(path, append=True)])
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [int(r["epoch"]) for r in rows] == [0, 1, 2, 3]
    assert float(rows[0]["loss"]) == h.history["loss"][0]


@pytest.mark.parametrize("frequency", [2, [2, 3], [4]])
def test_a_csv_log_has_columns_for_validations_that_come_later(keras, tmp_path, frequency):
    tables = []
    for library in (nn, keras):
        path = str(tmp_path / f"{library.__name__}.csv")
        small = library.Sequential([library.Input(shape=(2,)), library.layers.Dense(1)])
        small.compile("sgd", "mse", metrics=["mae"])
        small.fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y), validation_freq=frequency,
                  callbacks=[library.callbacks.CSVLogger(path)])  # fmt: skip
        with open(path, newline="") as file:
            tables.append(list(csv.reader(file)))
    assert tables[0][0] == tables[1][0] == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    measured = [[[value == "NA" for value in line] for line in table] for table in tables]
    assert measured[0] == measured[1]


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_csv_log_goes_on_under_the_right_headings(tmp_path, separator):
    path = tmp_path / "log.csv"
    m = model()
    first = m.fit(X, Y, epochs=2, verbose=0, callbacks=[nn.callbacks.CSVLogger(path, separator)]).history
    m.compile("sgd", "mse", metrics=[nn.metrics.MeanSquaredError(name="a")])  # more, fewer and others
    log = nn.callbacks.CSVLogger(path, separator, append=True)
    slower = nn.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    second = m.fit(X, Y, epochs=4, initial_epoch=2, verbose=0, validation_data=(X, Y), callbacks=[slower, log]).history
    rows = list(csv.DictReader(path.read_text().splitlines(), delimiter=separator))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    for name in ("loss", "mae", "a", "val_loss", "val_a", "learning_rate"):
        wanted = [*first.get(name, ["NA"] * 2), *second.get(name, ["NA"] * 2)]
        assert [row[name] for row in rows] == [str(value) for value in wanted]


def test_a_csv_log_of_something_else_is_not_appended_to(tmp_path):
    path, m = tmp_path / "log.csv", model()
    for text, separator in (("name,price\n", ","), ("epoch,loss\n0,1.0\n", ";")):
        path.write_text(text)
        with pytest.raises(ValueError, match="expected the headings of a CSVLogger"):
            m.fit(X, Y, verbose=0, callbacks=[nn.callbacks.CSVLogger(path, separator, append=True)])
        assert path.read_text() == text
        assert m.optimizer.iterations == 0
    path.write_text("epoch,loss\n0,1.0")  # cut off before the end of its line
    m.fit(X, Y, verbose=0, callbacks=[nn.callbacks.CSVLogger(path, append=True)])
    assert path.read_text().splitlines()[1] == "0,1.0,NA"


def test_terminate_on_nan_stops_at_the_first_loss_that_is_none(capsys):
    m = model(1e30)
    with np.errstate(all="ignore"):
        m.fit(X, Y, epochs=50, batch_size=8, verbose=0, callbacks=[nn.callbacks.TerminateOnNaN()])
    assert len(m.history.epoch) < 3
    assert not math.isfinite(m.history.history["loss"][-1])
    assert "Invalid loss" in capsys.readouterr().out


def test_all_moments_come_in_order():
    moments = []
    names = ["on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_train_batch_begin",
             "on_train_batch_end", "on_test_begin", "on_test_end"]  # fmt: skip
    callback = nn.callbacks.LambdaCallback(**{n: (lambda *a, n=n: moments.append(n)) for n in names})
    model().fit(X, Y, batch_size=16, epochs=1, verbose=0, validation_data=(X, Y), callbacks=[callback])
    batch = ["on_train_batch_begin", "on_train_batch_end"]
    assert moments == ["on_train_begin", "on_epoch_begin", *batch, *batch, "on_test_begin", "on_test_end",
                       "on_epoch_end", "on_train_end"]  # fmt: skip


def test_a_watched_value_that_was_not_measured_is_warned_of_with_near_matches():
    with pytest.warns(UserWarning, match="'val_los'.*did you mean 'val_loss'"):
        model().fit(
            X, Y, verbose=0, validation_data=(X, Y), callbacks=[nn.callbacks.EarlyStopping("val_los", mode="min")]
        )


def doubled_error(y_true, y_pred):
    return 2 * np.abs(y_true - y_pred)


METRICS = {
    "a recall by another name": (lambda L: [L.metrics.Recall(name="hits")], "val_hits"),
    "an error called accuracy": (lambda L: [L.metrics.MeanSquaredError(name="acc_error")], "acc_error"),
    "an error that ends so": (lambda L: [L.metrics.MeanAbsoluteError(name="mean_accuracy")], "val_mean_accuracy"),
    "accuracy": (lambda L: ["accuracy"], "val_accuracy"),
    "acc": (lambda L: ["acc"], "acc"),
    "mse": (lambda L: ["mse"], "val_mse"),
    "a loss as a metric": (
        lambda L: [L.metrics.BinaryAccuracy(name="x"), "binary_crossentropy"],
        "binary_crossentropy",
    ),
    "top k": (lambda L: [L.metrics.TopKCategoricalAccuracy(k=1, name="best_of_one")], "best_of_one"),
    "the loss": (lambda L: None, "val_loss"),
    "an unknown function": (lambda L: [lambda y_true, y_pred: abs(y_true - y_pred)], "val_lambda"),
    "a mean": (lambda L: [L.metrics.Recall(name="hits")], "val_hist"),
}


@pytest.mark.every(3)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Skipping:UserWarning")  # inside Keras
@pytest.mark.parametrize("callback", ["EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"])
@pytest.mark.parametrize("what", METRICS)
def test_which_way_is_better_is_asked_of_the_metric_as_in_keras(keras, tmp_path, what, callback):
    metrics, watched = METRICS[what]
    better = []
    for library in (nn, keras):
        small = library.Sequential([library.Input(shape=(1,)), library.layers.Dense(1, "sigmoid")])
        small.compile("sgd", "mse", metrics=metrics(library))
        small.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0)
        make = getattr(library.callbacks, callback)
        if callback == "ModelCheckpoint":
            watch = make(str(tmp_path / "m.weights.h5"), watched, save_best_only=True, save_weights_only=True)
        else:
            watch = make(monitor=watched)
        watch.set_model(small)
        try:
            watch.on_train_begin()
            if library is keras:
                watch._set_monitor_op()
        except ValueError:
            better.append(None)
        else:
            improves = watch.better if library is nn else watch._is_improvement
            better.append([bool(improves(new, 0.5)) for new in (0.25, 0.75)])
    assert better[0] == better[1]


def test_a_name_that_says_which_way_is_better_is_believed_where_no_metric_does():
    for name, up in (("val_my_accuracy", True), ("val_f_recall", True), ("my_acc_1", True), ("rms_error", False)):
        watch = nn.callbacks.EarlyStopping(name)
        watch.set_model(model())
        watch.on_train_begin()
        assert watch.larger is up
    m = model()
    m.compile("sgd", "mse", metrics=[doubled_error])
    for name in ("val_accidents", "auction", "f1", "learning_rate", "val_los"):
        with pytest.raises(ValueError, match="pass mode='max' or mode='min'"):
            m.fit(X, Y, verbose=0, callbacks=[nn.callbacks.EarlyStopping(name)])
    with pytest.raises(ValueError, match="did you mean 'val_loss'"):
        m.fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[nn.callbacks.EarlyStopping("val_los")])
    assert m.optimizer.iterations == 0  # nothing was trained before it was said

    class F1(nn.metrics.Metric):
        direction = "up"

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.add(np.ones(1))

    m.compile("sgd", "mse", metrics=[F1(name="f1")])
    watch = nn.callbacks.EarlyStopping("val_f1")
    watch.set_model(m)
    watch.on_train_begin()
    assert watch.larger


def test_early_stopping_lets_a_metric_rise(keras):
    """Recall under another name: guessed from the name it stopped after two epochs."""
    x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
    y = (x > 0).astype("float32")
    epochs = []
    for library in (keras, nn):
        small = library.Sequential([
            library.Input((1,)),
            library.layers.Dense(1, "sigmoid", kernel_initializer="ones",
                                 bias_initializer=library.initializers.Constant(-0.6)),
        ])  # fmt: skip
        small.compile(library.optimizers.SGD(0.5), "binary_crossentropy", metrics=[library.metrics.Recall(name="hits")])
        stop = library.callbacks.EarlyStopping(monitor="val_hits", patience=1)
        history = small.fit(x, y, epochs=12, batch_size=64, verbose=0, validation_data=(x, y), callbacks=[stop])
        epochs.append(np.round(history.history["val_hits"], 5).tolist())
    assert epochs[0] == epochs[1]


def test_tensor_board_writes_what_tensorboard_reads(tmp_path, judge):
    judge("tensorboardX")
    reader = judge("tensorboard.backend.event_processing.event_accumulator")
    m = model()
    h = m.fit(X, Y, epochs=3, verbose=0, validation_data=(X, Y),
              callbacks=[nn.callbacks.TensorBoard(tmp_path, histogram_freq=1)]).history  # fmt: skip
    for part, prefix in (("train", ""), ("validation", "val_")):
        events = reader.EventAccumulator(str(tmp_path / part), size_guidance={"histograms": 0, "scalars": 0})
        events.Reload()
        for name in ("loss", "mae"):
            read = [(e.step, e.value) for e in events.Scalars(f"epoch_{name}")]
            assert [s for s, _ in read] == [0, 1, 2]
            np.testing.assert_allclose([v for _, v in read], h[prefix + name], rtol=1e-6)
        if part == "train":
            assert len(events.Histograms(f"{m.weights[0].path}/histogram")) == 3


def test_tensor_board_writes_an_evaluation_that_no_training_follows(tmp_path, judge):
    judge("tensorboardX")
    reader = judge("tensorboard.backend.event_processing.event_accumulator")
    m, board = model(), nn.callbacks.TensorBoard(tmp_path)
    loss = m.evaluate(X, Y, verbose=0, return_dict=True, callbacks=[board])["loss"]
    events = reader.EventAccumulator(str(tmp_path / "validation"))
    events.Reload()
    (event,) = events.Scalars("evaluation_loss_vs_iterations")
    assert (event.step, event.value) == (0, pytest.approx(loss, rel=1e-6))


def test_trainings_that_begin_in_one_second_keep_their_curves(tmp_path, judge):
    judge("tensorboardX")
    reader = judge("tensorboard.backend.event_processing.event_accumulator")
    m = model()
    losses = []
    for k in range(4):
        m.fit(X, Y, epochs=2 * k + 2, initial_epoch=2 * k, verbose=0, validation_data=(X, Y),
              callbacks=[nn.callbacks.TensorBoard(tmp_path)])  # fmt: skip
        losses += m.history.history["loss"]
    for part in ("train", "validation"):
        assert len(list((tmp_path / part).iterdir())) == 4
    found = {}
    for file in (tmp_path / "train").iterdir():
        events = reader.EventAccumulator(str(file))
        events.Reload()
        found |= {e.step: e.value for e in events.Scalars("epoch_loss")}
    np.testing.assert_allclose([found[step] for step in range(8)], losses, rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("throughout", [True, False])
def test_weights_that_are_no_numbers_do_not_stop_a_training(tmp_path, judge, value, throughout):
    judge("tensorboardX")
    reader = judge("tensorboard.backend.event_processing.event_accumulator")
    m = model()

    def spoil(epoch, logs):
        kernel = m.layers[0].kernel.data
        kernel[... if throughout else 0] = value

    with np.errstate(all="ignore"):
        board, spoiler = nn.callbacks.TensorBoard(tmp_path, histogram_freq=1), nn.callbacks.LambdaCallback
        h = m.fit(X, Y, epochs=2, verbose=0, callbacks=[spoiler(on_epoch_end=spoil), board])
    assert h.epoch == [0, 1]
    events = reader.EventAccumulator(str(tmp_path / "train"), size_guidance={"histograms": 0})
    events.Reload()
    name = f"{m.weights[0].path}/histogram"
    assert (name in events.Tags()["histograms"]) is not throughout
    if not throughout:
        assert events.Histograms(name)[0].histogram_value.num == 4  # of 2 x 4, half are numbers


def test_a_history_draws_its_curves():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    figure = model().fit(X, Y, epochs=3, verbose=0, validation_data=(X, Y)).plot()
    assert [a.get_ylabel() for a in figure.axes] == ["loss", "mae"]
    assert [len(line.get_xdata()) for line in figure.axes[0].lines] == [3, 3]
    matplotlib.pyplot.close(figure)


def test_tensor_board_draws_the_layers_of_a_model(tmp_path, judge):
    """TensorBoard itself makes of what is written the graph that it shows."""
    judge("tensorboardX")
    reader = judge("tensorboard.backend.event_processing.event_file_loader")
    drawn = judge("tensorboard.plugins.graph.keras_util").keras_model_to_graph_def
    begin = nn.Input(shape=(2,), name="begin")
    sides = [nn.layers.Dense(3, name=name)(begin) for name in "ab"]
    network = nn.Model(begin, nn.layers.Dense(1, name="end")(nn.layers.Add(name="sum")(sides)), name="net")

    class Own(nn.Model):
        def __init__(self):
            super().__init__()
            self.network = network

        def call(self, x):
            return self.network(x)

    for number, each in enumerate((network, model(), Own())):
        each.compile("sgd", "mse")
        for asked in (True, False):
            folder = tmp_path / f"{number}{asked}"
            each.fit(X, Y, verbose=0, callbacks=[nn.callbacks.TensorBoard(folder, write_graph=asked)])
            (file,) = (folder / "train").iterdir()
            values = [v for event in reader.EventFileLoader(str(file)).Load() for v in event.summary.value]
            found = [v for v in values if v.metadata.plugin_data.plugin_name == "graph_keras_model"]
            assert len(found) == (asked and not isinstance(each, Own))
            if found and each is network:
                nodes = drawn(json.loads(found[0].tensor.string_val[0])).node
                assert {node.name: list(node.input) for node in nodes} == {
                    "net/begin": [], "net/a": ["net/begin"], "net/b": ["net/begin"], "net/sum": ["net/a", "net/b"],
                    "net/end": ["net/sum"],
                }  # fmt: skip


@pytest.mark.parametrize("damage", ["nothing", "the last one", "the last one is gone", "both"])
def test_of_two_backups_the_one_before_is_gone_on_from_where_the_last_cannot_be_read(tmp_path, damage):
    def fit(epochs, *callbacks, **backup):
        m = model()
        kept = nn.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False, **backup)
        history = m.fit(X, Y, epochs=epochs, verbose=0, callbacks=[*callbacks, kept])
        return m.get_weights(), history.history

    weights, history = fit(5, double_checkpoint=True)
    shutil.rmtree(tmp_path / "backup")
    fit(3, double_checkpoint=True)
    last, before = (tmp_path / "backup" / f"{name}.autograd" for name in ("training", "before"))
    assert {*(tmp_path / "backup").iterdir()} == {last, before}
    if damage in ("the last one", "both"):
        last.write_bytes(last.read_bytes()[:200])
    if damage == "the last one is gone":  # killed between the two
        last.unlink()
    if damage == "both":
        before.write_bytes(b"")
        with pytest.raises(nn.saving.ModelFileError):
            fit(5, double_checkpoint=True)
        return
    if damage == "the last one":
        with pytest.raises(nn.saving.ModelFileError):
            fit(5)
    begun = []
    again = fit(5, nn.callbacks.LambdaCallback(on_epoch_begin=lambda e, logs: begun.append(e)), double_checkpoint=True)
    assert begun == ([3, 4] if damage == "nothing" else [2, 3, 4])
    np.testing.assert_equal(again, (weights, history))


def test_two_backups_are_deleted_together(tmp_path):
    model().fit(X, Y, epochs=3, verbose=0, callbacks=[nn.callbacks.BackupAndRestore(tmp_path / "b", 1, True)])
    assert not (tmp_path / "b").exists()


def test_predict_tells_how_far_it_is_where_it_is_asked_to(capsys):
    for verbose, told in (("auto", ""), (0, ""), (1, "2/2 "), (2, "2/2 - ")):
        model().predict(X, batch_size=16, verbose=verbose)
        assert capsys.readouterr().out.startswith(told)
        assert bool(told) == (verbose in (1, 2))


def test_metrics_of_one_name_are_told_apart_beside_those_of_layers(keras):
    """Weighted metrics are called so wherever they stand; a layer's own metric comes last."""

    class Counting(nn.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seen = nn.metrics.Mean(name="seen")

        def call(self, x):
            return x

    names = []
    for library, more in ((nn, [Counting()]), (keras, [])):
        dense = library.layers.Dense(1)
        m = library.Sequential([library.Input(shape=(2,)), dense, *more])
        m.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae", "mse"])
        names.append([*m.evaluate(X, Y, verbose=0, return_dict=True)])
    assert [n for n in names[0] if n != "seen"] == names[1]
    assert "seen" in names[0]
