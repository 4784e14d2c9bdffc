"""Ways to train that are more than one step after another: by default and with the promise, each as eager."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import nn
from nn import layers, optimizers

rng = np.random.default_rng(0)
X = rng.normal(size=(16, 4)).astype(np.float32)
Y = rng.normal(size=(16, 1)).astype(np.float32)
MODES = {"default": {}, "promised": {"jit_compile": True}}


def compared(run, mode, exact=True):
    """What ``run`` leaves behind in this mode and eagerly: arrays that have to be equal."""
    found = []
    for compiling in (MODES[mode], {"run_eagerly": True}):
        nn.utils.set_random_seed(1)
        found.append(run(**compiling))
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def small(*between, last=1, **options):
    return nn.Sequential([layers.Input((4,)), layers.Dense(5, "tanh"), *between, layers.Dense(last, **options)])


@pytest.mark.parametrize("mode", MODES)
class TestEachIsRight:
    def test_adversarial_networks(self, mode):
        def run(**compiling):
            generator = small(last=4)
            critic = small(activation="sigmoid")
            critic.compile(optimizers.Adam(0.01), "binary_crossentropy", **compiling)
            both = nn.Sequential([layers.Input((4,)), generator, critic])
            both.compile(optimizers.Adam(0.01), "binary_crossentropy", **compiling)
            losses = []
            for n in range(8):
                noise = np.random.default_rng(n).normal(size=(16, 4)).astype(np.float32)
                critic.trainable = True
                x = np.concatenate([X, generator.predict(noise, verbose=0)])
                losses.append(critic.train_on_batch(x, np.repeat([1.0, 0.0], 16)[:, None]))
                critic.trainable = False
                before = critic.get_weights()
                losses.append(both.train_on_batch(noise, np.ones((16, 1))))
                for a, b in zip(before, critic.get_weights(), strict=True):
                    np.testing.assert_array_equal(a, b)
            if not compiling.get("run_eagerly"):
                assert both.schedule.replayed == {"gradient": True, "update": True}
            return losses, *both.get_weights()

        compared(run, mode)

    def test_a_moving_average_of_the_weights(self, mode):
        class Average(nn.callbacks.Callback):
            def on_train_begin(self, logs=None):
                self.weights = self.model.get_weights()

            def on_train_batch_end(self, batch, logs=None):
                self.weights = [0.9 * a + 0.1 * w for a, w in zip(self.weights, self.model.get_weights(), strict=True)]

            def on_epoch_end(self, epoch, logs=None):
                if epoch == 3:
                    self.model.set_weights(self.weights)

        def run(**compiling):
            model = small()
            model.compile("adam", "mse", **compiling)
            model.fit(X, Y, batch_size=4, epochs=6, verbose=0, callbacks=[Average()])
            return model.get_weights()

        compared(run, mode)

    def test_gradients_that_are_accumulated(self, mode):
        class Accumulating(nn.Sequential):
            def train_step(self, data):
                x, y = data
                if not hasattr(self, "seen"):
                    self.seen, self.sums = 0, [np.zeros(v.shape, v.dtype) for v in self.trainable_variables]
                self.zero_grad()
                loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
                loss.backward()
                self.sums = [s + v.grad for s, v in zip(self.sums, self.trainable_variables, strict=True)]
                self.seen += 1
                if self.seen % 2 == 0:
                    self.optimizer.apply([s / 2 for s in self.sums], self.trainable_variables)
                    self.sums = [s * 0 for s in self.sums]
                return {"loss": loss.item()}

        def run(**compiling):
            model = Accumulating([layers.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(1)])
            model.compile("adam", "mse", **compiling)
            history = model.fit(X, Y, batch_size=4, epochs=3, verbose=0)
            assert model.optimizer.iterations == 6
            return history.history["loss"], *model.get_weights()

        compared(run, mode)

    def test_tied_weights(self, mode):
        class Tied(layers.Layer):
            def __init__(self, of):
                super().__init__()
                self.of = of

            def call(self, x):
                return x @ np.swapaxes(self.of.kernel, 0, 1)

        def run(**compiling):
            first = layers.Dense(3, "tanh")
            model = nn.Sequential([layers.Input((4,)), first, Tied(first)])
            model.compile("adam", "mse", **compiling)
            model.fit(X, X, batch_size=4, epochs=4, verbose=0)
            return model.get_weights()

        compared(run, mode)

    def test_a_layer_in_two_places_and_models_in_models(self, mode):
        class Twice(nn.Model):
            def __init__(self):
                super().__init__()
                self.shared, self.inner, self.last = layers.Dense(4, "tanh"), small(last=4), layers.Dense(1)
                self.blocks = [layers.Dense(4), layers.Dense(4)]

            def call(self, x):
                x = self.shared(self.inner(self.shared(x)))
                for block in self.blocks:
                    x = x + block(x)
                return self.last(x)

        def run(**compiling):
            model = Twice()
            model.compile("adam", "mse", **compiling)
            history = model.fit(X, Y, batch_size=4, epochs=4, verbose=0)
            replayed = {"gradient": bool(compiling.get("jit_compile")), "update": True}
            if not compiling.get("run_eagerly"):
                assert model.schedule.replayed == replayed
            return history.history["loss"], *model.get_weights(), model.predict(X, verbose=0)

        compared(run, mode)

    def test_control_flow_by_a_setting(self, mode):
        class Deep(nn.Model):
            def __init__(self):
                super().__init__()
                self.depth, self.hidden, self.last = 3, layers.Dense(4, "tanh"), layers.Dense(1)

            def call(self, x, training=False):
                for i in range(self.depth):
                    x = self.hidden(x) if i % 2 or not training else x + self.hidden(x)
                return self.last(x)

        class Deeper(nn.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                self.model.depth = 1 + epoch % 3

        def run(**compiling):
            model = Deep()
            model.compile("adam", "mse", **compiling)
            history = model.fit(X, Y, batch_size=4, epochs=7, verbose=0, callbacks=[Deeper()], validation_data=(X, Y))
            return history.history["loss"], history.history["val_loss"], *model.get_weights()

        compared(run, mode)

    def test_statistics_and_dropout_with_seeds(self, mode):
        class Noisy(layers.Layer):
            def __init__(self):
                super().__init__()
                self.drop, self.norm = layers.Dropout(0.3, seed=5), layers.BatchNormalization(momentum=0.5)

            def call(self, x):
                return self.norm(self.drop(x))

        def run(**compiling):
            model = small(Noisy())
            model.compile("adam", "mse", **compiling)
            history = model.fit(X, Y, batch_size=5, epochs=5, verbose=0)
            return history.history["loss"], *model.get_weights(), model.predict(X, verbose=0)

        compared(run, mode)


# -- a step of one's own -----------------------------------------------------------------------------------


class Own(nn.Sequential):
    """The step of Keras' guide for PyTorch."""

    def train_step(self, data):
        x, y = data
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        loss.backward()
        variables = list(self.trainable_weights)
        self.optimizer.apply([v.grad for v in variables], variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


def test_a_step_of_one_s_own_is_the_model_s_step():
    found = []
    for cls in (Own, nn.Sequential):
        nn.utils.set_random_seed(1)
        model = cls([layers.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"])
        history = model.fit(X, Y, batch_size=4, epochs=3, verbose=0, validation_data=(X, Y))
        found.append((history.history, model.get_weights(), model.train_on_batch(X, Y)))
    (history, weights, last), (same, same_weights, same_last) = found
    assert history.keys() == same.keys()
    for name in history:
        np.testing.assert_allclose(history[name], same[name], rtol=1e-6)
    for a, b in zip(weights, same_weights, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(last, same_last, rtol=1e-6)


def test_the_steps_of_one_s_own_are_asked():
    class All(nn.Sequential):
        def train_step(self, data):
            assert [part.shape for part in data] == [(4, 4), (4, 1), (4,)]
            return {**super().train_step(data), "more": 1.0}

        def test_step(self, data):
            return {"loss": 2.0, "other": 3.0}

        def predict_step(self, data):
            return super().predict_step(data) + 100

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            assert x.shape == (4, 4)
            return 3 * super().compute_loss(x, y, y_pred, sample_weight)

    model = All([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    weights = np.ones(16, np.float32)
    history = model.fit(X, Y, sample_weight=weights, batch_size=4, epochs=2, verbose=0, validation_data=(X, Y))
    assert history.history.keys() == {"loss", "more", "val_loss", "val_other"}
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == {"loss": 2.0, "other": 3.0}
    assert model.predict(X, verbose=0).min() > 50
    plain = nn.Sequential(model.layers)
    plain.compile("sgd", "mse")
    loss = plain.test_on_batch(X[:4], Y[:4])
    assert model.train_on_batch(X[:4], Y[:4], weights[:4], return_dict=True)["loss"] == pytest.approx(3 * loss)


def test_a_step_that_returns_no_dict_and_the_tape_of_another_library_are_refused_by_name():
    class Wrong(nn.Sequential):
        def train_step(self, data):
            return 0.5

    model = Wrong([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"train_step: expected what was measured, a dict .* got 0\.5"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(AttributeError, match=r"it is TensorFlow's.*loss\.backward\(\)"):
        nn.GradientTape


# -- what stands still, and what belongs to a thread --------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*has no trainable weights")
@pytest.mark.parametrize("mode", MODES)
def test_with_all_layers_frozen_the_counter_and_the_schedule_stand_still(mode):
    def run(**compiling):
        model = small()
        model.compile(optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)), "mse", **compiling)
        model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
        for frozen in (True, False):
            model.trainable = not frozen
            model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
            assert model.optimizer.iterations == (8 if frozen else 16)
        return [model.optimizer.iterations, model.optimizer.learning_rate], *model.get_weights()

    compared(run, mode)


def trained_alone(seed, eagerly):
    """A model with seeds of its own, trained and used."""
    parts = [layers.BatchNormalization(), layers.Dropout(0.4, seed=seed)]
    initializer = nn.initializers.GlorotUniform(seed)
    model = nn.Sequential([layers.Input((4,)), layers.Dense(6, "tanh", kernel_initializer=initializer), *parts,
                           layers.Dense(1, kernel_initializer=initializer)])  # fmt: skip
    model.compile("adam", "mse", run_eagerly=eagerly)
    predicted = []
    for _ in range(12):
        model.train_on_batch(X, Y)
        predicted.append(model.predict_on_batch(X))
    return [*model.get_weights(), *predicted]


@pytest.mark.parametrize("eagerly", [False, True])
def test_models_in_eight_threads_give_what_each_gives_alone(eagerly):
    import sys

    before, found = sys.getswitchinterval(), {}
    alone = {seed: trained_alone(seed, eagerly) for seed in range(8)}
    sys.setswitchinterval(1e-6)
    try:
        threads = [
            threading.Thread(target=lambda seed=seed: found.update({seed: trained_alone(seed, eagerly)}))
            for seed in range(8)
        ]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(before)
    assert found.keys() == alone.keys()
    for seed, arrays in alone.items():
        for a, b in zip(arrays, found[seed], strict=True):
            np.testing.assert_array_equal(a, b)


def test_what_a_block_sets_is_seen_in_its_thread_alone():
    from nn import config
    from nn.layers.making import limited_weights

    seen = {}

    def look():
        seen["names"] = dict(config._custom.get())
        layers.Dense(50).build((None, 50))

    with nn.utils.custom_object_scope({"mine": abs}), limited_weights(3):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        with pytest.raises(ValueError, match="more weights than it holds"):
            layers.Dense(2).build((None, 2))
    assert seen["names"] == {}
