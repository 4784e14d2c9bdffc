"""Training that a script makes its own: steps, losses, metrics, variables and data, as Keras has them."""

import copy
import itertools
import math
import pickle
import warnings

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.errors import GradientLossError, ReplayError
from nn import layers

rng = np.random.default_rng(0)
X = rng.normal(size=(12, 3)).astype("float32")
Y = rng.normal(size=(12, 1)).astype("float32")


def small(*more, **compiled):
    model = nn.Sequential([nn.Input(shape=(3,)), *more, layers.Dense(1, kernel_initializer="ones")])
    model.compile(**({"optimizer": "sgd", "loss": "mse"} | compiled))
    return model


# -- values that are read as numbers ----------------------------------------------------------------------------------


def test_what_models_and_losses_return_is_read_outside_and_guarded_inside():
    model, loss_of = small(), nn.losses.MeanSquaredError()
    prediction = model(X)
    loss = loss_of(Y, prediction)
    assert float(loss) == loss.item() == pytest.approx(np.mean((prediction.numpy() - Y) ** 2))
    assert math.sqrt(loss) == pytest.approx(loss.item() ** 0.5)
    np.testing.assert_array_equal(np.array(prediction), prediction.numpy())
    assert np.asarray(prediction, "float64").dtype == np.float64
    loss.backward()  # it is recorded as before
    assert all(w.grad is not None for w in model.weights)
    # What is computed of them, and the engine's own Tensors, go on refusing.
    for lost in (loss * 2, prediction[0, 0], ag.Tensor(1.0) * 1, np.mean(prediction)):
        with pytest.raises(GradientLossError):
            float(lost)

    class Reads(layers.Layer):
        def __init__(self, of):
            super().__init__()
            self.of, self.inner = of, layers.Dense(1)

        def call(self, x):
            return self.inner(x) * self.of(self.inner)

    for read in (lambda d: float(d(X)[0, 0]), lambda d: np.array(d.kernel), lambda d: float(loss_of(Y, d(X)))):
        with pytest.raises(GradientLossError):
            Reads(read)(X)

    class OwnLoss(nn.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return super().compute_loss(x, y, y_pred) + float(loss_of(y, y_pred))

    model = OwnLoss([nn.Input(shape=(3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(GradientLossError):
        model.train_on_batch(X, Y)
    leaf = ag.Tensor([[1.0, 2.0, 3.0]], dtype="float32")
    assert type(layers.Dropout(0.5)(leaf)) is type(leaf)  # what came in is not a model's


def test_a_copied_variable_is_another():
    kernel = nn.Variable(np.ones(2), name="w")
    kernel.grad = np.array([1.0, 2.0])
    array = np.array(kernel)
    array[:] = 7  # a copy
    assert kernel.numpy().tolist() == [1, 1]
    for twin in (copy.deepcopy(kernel), pickle.loads(pickle.dumps(kernel))):
        twin.assign([5.0, 6.0])
        assert (type(twin), twin.name, kernel.numpy().tolist()) == (nn.Variable, "w", [1, 1])
    assert copy.copy(kernel).grad.tolist() == [1, 2]


# -- losses that layers add -------------------------------------------------------------------------------------------


class Penalized(layers.Layer):
    def call(self, x):
        self.add_loss(0.5 * np.mean(x * x))
        return x


def test_losses_are_added_for_the_call_at_hand():
    model = small(Penalized(), layers.Dense(3, kernel_regularizer="l2"))
    for scale in (1.0, 2.0):
        model(scale * X)
        assert len(model.losses) == 2
        assert model.losses[0].item() == pytest.approx(0.5 * scale**2 * np.mean(X * X), rel=1e-5)
    assert [len(layer.losses) for layer in model.layers] == [1, 1, 0]
    shared = Penalized()
    twice = nn.Sequential([shared, shared])
    twice(X)
    assert len(twice.losses) == 2
    model.fit(X, Y, epochs=6, batch_size=6, verbose=0)
    assert len(model.losses) == 1  # what a step added is gone with the step
    x = nn.Input(shape=(3,))
    assert not nn.Model(x, layers.Dense(1, activity_regularizer="l2")(x)).losses
    for wrong in (1.0, np.ones(2), ag.Tensor([1.0, 2.0])):
        with pytest.raises(ValueError, match="add_loss: expected"):
            shared.add_loss(wrong)


def test_another_activity_regularizer_is_another_program():
    model = small(layers.Dense(3, activity_regularizer=nn.regularizers.L2(0.1)))
    eager = nn.models.clone_model(model)
    eager.set_weights(model.get_weights())
    eager.compile("sgd", "mse", run_eagerly=True)
    for factor in (0.1, 0.1, 0.1, 0.1, 3.0, 0.0):
        for m in (model, eager):
            m.layers[0].activity_regularizer.l2 = factor
        losses = [m.train_on_batch(X, Y) for m in (model, eager) for _ in range(4)]
        assert losses[:4] == losses[4:]
    again = nn.Sequential.from_config(model.get_config())
    assert again.layers[0].activity_regularizer.l2 == 0.0


def test_what_is_promised_to_be_pure_may_add_losses():
    model = small(nn.pure(type("Pure", (Penalized,), {}))(), layers.Dense(2, activity_regularizer="l1"))
    eager = copy.deepcopy(model)
    eager.compile("sgd", "mse", run_eagerly=True)
    fit = {"batch_size": 4, "epochs": 4, "shuffle": False, "verbose": 0, "validation_data": (X, Y)}
    assert model.fit(X, Y, **fit).history == eager.fit(X, Y, **fit).history
    assert model.schedule.replayed == {"gradient": True, "update": True}
    assert model.losses == []


def test_a_model_without_a_loss_trains_on_what_its_layers_add():
    model = small(layers.Dense(2, kernel_regularizer="l2"), loss=None)
    with pytest.warns(UserWarning, match=r"no gradient came for .*bias"):
        history = model.fit(X, epochs=5, verbose=0).history["loss"]
    assert history == sorted(history, reverse=True)
    with pytest.warns(UserWarning, match="no gradient came"):  # targets beside it are not looked at
        assert model.fit(X, Y, verbose=0).history["loss"][0] < history[-1]
    assert model.evaluate(X, verbose=0) > 0
    with pytest.raises(ValueError, match="was compiled without a loss, and no layer adds one"):
        small(loss=None).fit(X, Y, verbose=0)


# -- metrics ----------------------------------------------------------------------------------------------------------


class Hits(nn.metrics.Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.n = self.add_weight(name="n")
        self.inner = nn.metrics.Mean()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.n.assign_add(len(y_true))
        self.inner.update_state(y_pred)

    def result(self):
        return {"n": self.n, "mean": self.inner.result()}


def test_a_metric_of_ones_own_keeps_variables():
    hits = Hits(name="hits")
    hits.update_state(Y, Y)
    assert [v.name for v in hits.variables] == ["n", "total", "count"]
    assert float(hits.result()["n"]) == 12
    hits.reset_state()
    assert [float(v) for v in hits.variables] == [0, 0, 0]
    model = small(metrics=[hits], weighted_metrics=["mae"])
    history = model.fit(X, Y, batch_size=4, epochs=2, validation_split=0.25, verbose=0).history
    assert (history["n"], history["val_n"]) == ([9, 9], [3, 3])
    assert all(type(v) is float for values in history.values() for v in values)
    assert nn.metrics.Mean()(2.0).numpy().dtype == np.float32
    assert isinstance(model.optimizer.iterations.numpy(), np.int64)
    model.optimizer.iterations.assign(40)
    assert model.optimizer.iterations == 40
    with pytest.raises(NotImplementedError):
        nn.metrics.Metric().update_state(1, 1)


class Counting(layers.Layer):
    def __init__(self):
        super().__init__()
        self.seen = [nn.metrics.Mean("seen")]
        self.later = []

    def call(self, x):
        for metric in (*self.seen, *self.later):
            metric.update_state(x)
        return x


def test_metrics_of_layers_are_told_and_begin_again():
    model = small(counting := Counting(), metrics=["mae"])
    for epochs in (1, 5):
        history = model.fit(X, Y, batch_size=4, epochs=epochs, validation_data=(X[:4], Y[:4]), verbose=0).history
        np.testing.assert_allclose(history["seen"], np.mean(X), rtol=1e-5)
        np.testing.assert_allclose(history["val_seen"], np.mean(X[:4]), rtol=1e-5)
    assert model.schedule.replayed == {"gradient": False, "update": True}
    counting.later.append(nn.metrics.Mean("later"))
    assert "later" in model.fit(X, Y, verbose=0).history
    assert [m.name for m in counting.metrics] == ["seen", "later"]
    assert [m.name for m in small(Counting()).metrics] == ["loss", "seen"]


def test_a_metric_inside_what_is_promised_to_be_pure_is_an_error():
    model = small(Counting(), jit_compile=True)
    variable = nn.Variable(0.0)
    other = small(layers.Lambda(lambda x: x * variable.assign_add(1.0)), jit_compile=True)
    for m in (model, other):
        with pytest.raises(ReplayError, match="promised to be pure"):
            m.fit(X, Y, epochs=4, verbose=0)


def test_a_model_with_metrics_and_a_step_of_its_own():
    class Own(nn.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)
            self.tracker = nn.metrics.Mean(name="mine")

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            self.zero_grad()
            loss = nn.losses.MeanSquaredError()(y, self(x, training=True))
            loss.backward()
            self.optimizer.apply([w.grad for w in self.trainable_weights], self.trainable_weights)
            self.tracker.update_state(loss)
            return {"mine": self.tracker.result(), "raw": loss}

        @property
        def metrics(self):
            return [self.tracker]

    model = Own()
    model.compile("sgd")
    history = model.fit(X, Y, epochs=3, verbose=0).history
    assert list(history) == ["mine", "raw"]
    assert history["mine"][0] > history["mine"][-1]

    class Metrics(nn.Sequential):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "largest": np.max(y_pred)}

    model = Metrics([nn.Input(shape=(3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert set(model.fit(X, Y, verbose=0).history) == {"loss", "largest"}
    assert set(model.evaluate(X, Y, return_dict=True, verbose=0)) == {"loss", "largest"}


# -- how often, how long ----------------------------------------------------------------------------------------------


class Told(nn.callbacks.Callback):
    def __init__(self, stop=None):
        self.batches, self.stop, self.outputs = [], stop, []

    def note(self, batch, logs=None):
        self.batches.append(batch)
        if self.stop is not None:
            setattr(self.model, self.stop, True)

    on_train_batch_end = on_test_batch_end = note

    def on_predict_batch_end(self, batch, logs=None):
        self.note(batch)
        self.outputs.append(logs["outputs"])


@pytest.mark.parametrize("every", [1, 2, 3, 5, 100])
def test_callbacks_are_told_of_executions(every):
    model, told = small(steps_per_execution=every), [Told() for _ in range(3)]
    model.fit(X, Y, batch_size=3, verbose=0, callbacks=told[:1])
    model.evaluate(X, Y, batch_size=3, verbose=0, callbacks=told[1:2])
    predicted = model.predict(X, batch_size=3, verbose=0, callbacks=told[2:])
    ends = [begin + every - 1 for begin in range(0, 4, every)]  # the last one as if it were whole, as in Keras
    assert [t.batches for t in told] == [ends] * 3
    assert [len(part) for part in told[2].outputs] == [min(3 * every, 12 - 3 * begin) for begin in range(0, 4, every)]
    np.testing.assert_array_equal(np.concatenate(told[2].outputs), predicted)


def test_predictions_of_an_execution_are_joined_once(monkeypatch):
    model, joined = small(steps_per_execution=12), []
    whole = np.concatenate
    monkeypatch.setattr(np, "concatenate", lambda parts, *args: joined.append(len(parts)) or whole(parts, *args))
    model.predict(X, batch_size=1, verbose=0)
    assert joined == [12, 12]  # what callbacks are told, and what is returned


def test_a_callback_stops_what_does_not_end():
    def endless():
        while True:
            yield X[:4], Y[:4]

    model = small(steps_per_execution=2)
    for run, stop in ((model.fit, "stop_training"), (model.evaluate, "stop_evaluating")):
        told = Told(stop)
        run(endless(), verbose=0, callbacks=[told])
        assert told.batches == [1]
    told = Told("stop_predicting")
    assert model.predict((X[:4] for _ in itertools.count()), verbose=0, callbacks=[told]).shape == (8, 1)
    for wrong in (0, 1.5, "auto", True):
        with pytest.raises(ValueError, match="steps_per_execution"):
            small(steps_per_execution=wrong)


class Rows(nn.utils.PyDataset):
    def __init__(self, length, **kwargs):
        super().__init__(**kwargs)
        self.length, self.asked, self.told = length, [], []

    @property
    def num_batches(self):
        return self.length

    def __getitem__(self, index):
        self.asked.append(index)
        return [X[index % 12 :][:1], Y[index % 12 :][:1]]

    def on_epoch_begin(self):
        self.told.append("begin")

    def on_epoch_end(self):
        self.told.append("end")


def test_data_of_ones_own_comes_in_batches():
    model = small()
    rows = Rows(12)
    model.fit(rows, epochs=2, verbose=0)
    assert sorted(rows.asked[:12]) == sorted(rows.asked[12:]) == list(range(12))
    assert rows.asked[:12] != list(range(12))
    assert rows.told == ["begin", "end"] * 2
    rows = Rows(5)
    model.fit(rows, shuffle=False, verbose=0)
    assert rows.asked == list(range(5))
    assert model.predict(Rows(12), verbose=0).shape == (12, 1)
    model.fit(Rows(None), steps_per_epoch=3, verbose=0)
    assert len(model.fit([*zip(X[:, None], Y[:, None], strict=True)].__iter__(), verbose=0).epoch) == 1
    history = model.fit(X, Y, validation_data=[X, Y], verbose=0).history
    assert list(history) == ["loss", "val_loss"]
    with pytest.raises(ValueError, match="workers=1"):
        Rows(1, workers=2)
    with pytest.raises(ValueError, match="got 4 parts"):
        model.fit(iter([[X, Y, Y, Y]]), verbose=0)

    class Unsized:
        def __len__(self):
            raise TypeError("the dataset is infinite")

        def __iter__(self):
            return itertools.repeat((X, Y))

    assert len(model.fit(Unsized(), steps_per_epoch=2, epochs=3, verbose=0).epoch) == 3

    class Counted:  # which says how many there are, and cannot be asked for one of them
        num_batches = 2

        def __iter__(self):
            return iter([(X, Y)] * 2)

    assert len(model.fit(Counted(), epochs=3, verbose=0).epoch) == 3


def test_lengths_may_vary_where_no_input_says_one():
    model = nn.Sequential([layers.Conv1D(4, 3), layers.GlobalMaxPooling1D(), layers.Dense(1)])
    for length in (10, 20, 3):
        assert model.predict(np.zeros((2, length, 3), "float32"), verbose=0).shape == (2, 1)
    for wrong in (np.zeros((2, 10, 4)), np.zeros((2, 10))):
        with pytest.raises(ValueError, match="conv1d"):
            model.predict(wrong, verbose=0)
    dense = layers.Dense(3)
    model = nn.Sequential([nn.Input(shape=(3,)), dense, dense])
    assert model.count_params() == 12
    model.compile("sgd", "mse")
    model.fit(X, X, epochs=5, verbose=0)
    again = nn.Sequential.from_config(model.get_config())
    assert again.layers[0] is again.layers[1]
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("ending", [".keras", ".autograd"])
def test_a_model_that_is_not_built_is_saved_so(tmp_path, judge, ending):
    if ending == ".keras":
        judge("h5py")
    model = nn.Sequential([layers.Dense(2), layers.Dense(1)])
    model.compile("adam", "mse")
    model.save(tmp_path / f"unbuilt{ending}")
    again = nn.models.load_model(tmp_path / f"unbuilt{ending}")
    assert (again.built, again.weights, len(again.layers)) == (False, [], 2)
    assert len(again.fit(X, Y, verbose=0).epoch) == 1
    model.layers[0].build((None, 3))
    with pytest.raises(ValueError, match="is not built as a whole"):
        model.save(tmp_path / f"half{ending}")


def test_nothing_of_it_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = small(Penalized(), Counting(), metrics=[Hits()], steps_per_execution=2)
        model.fit(X, Y, validation_data=(X, Y), epochs=2, batch_size=4, verbose=0)
        copy.deepcopy(model).fit(X, Y, verbose=0)
        pickle.loads(pickle.dumps(small(layers.Dense(2, activity_regularizer="l1")))).fit(X, Y, verbose=0)
