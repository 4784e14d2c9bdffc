"""What decides a step and is no plain attribute of a layer: other optimizers, metrics as losses, gradients, slots."""

import functools

import numpy as np
import pytest

import nn

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


def model(*layers, optimizer=None, loss="mse", **options):
    nn.utils.set_random_seed(0)
    made = nn.Sequential([nn.Input(shape=(4,)), nn.layers.Dense(1, "sigmoid"), *layers])
    made.compile(optimizer or nn.optimizers.SGD(0.1, momentum=0.9), loss, **options)
    return made


def trained(change, *layers, steps=12, **options):
    """Weights and losses, eagerly and not, where ``change(model)`` happens in mid-training."""
    found = []
    for eagerly in (True, False):
        m = model(*[layer() for layer in layers], run_eagerly=eagerly, **{k: v() for k, v in options.items()})
        losses = []
        for step in range(steps):
            if step == steps // 2:
                change(m)
            losses.append(m.train_on_batch(X, Y))
        found.append([np.array(losses), *m.get_weights()])
    return found


def same(found):
    return all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


def test_another_optimizer_is_taken_though_it_was_made_before():
    def change(m):
        other = nn.optimizers.SGD(0.5)
        other.build(m.trainable_variables)
        m.train_on_batch(X, Y)
        m.optimizer = other

    assert same(trained(change))


def test_a_metric_of_ones_own_as_a_loss_runs_op_by_op():
    class Scaled(nn.metrics.Metric):
        k = 1.0

        def update_state(self, *args):
            pass

        def result(self):
            return 0.0

        def reset_state(self):
            pass

        def __call__(self, y, p):
            return np.mean((y - p) ** 2) * self.k

    metrics = []

    def loss():
        metrics.append(Scaled("scaled"))
        return metrics[-1]

    def change(m):
        metrics[-1].k = 100.0

    assert same(trained(change, loss=loss))


def test_gradients_are_gone_after_a_step_whether_it_was_replayed_or_not():
    m = model(optimizer=nn.optimizers.SGD(0.0))
    found = []
    for _ in range(6):
        m.train_on_batch(X, Y)
        assert m.layers[0].kernel.grad is None
        m.compute_loss(x=X, y=Y, y_pred=m(X)).backward()
        found.append(m.layers[0].kernel.grad.copy())
    assert all(np.array_equal(g, found[0]) for g in found)


def test_a_public_number_of_a_module_of_ours():
    eager, replayed = [], []
    for found, eagerly in ((eager, True), (replayed, False)):
        nn.losses.pairs.EPSILON = 1e-7
        m = model(loss="binary_crossentropy", run_eagerly=eagerly)
        for step in range(12):
            if step == 6:
                nn.losses.pairs.EPSILON = 0.4
            found.append(m.train_on_batch(X, Y))
    assert eager == replayed


@pytest.fixture(autouse=True)
def _epsilon_as_it_was():
    before = nn.losses.pairs.EPSILON
    yield
    nn.losses.pairs.EPSILON = before


def test_a_partial_function_that_becomes_another():
    made = []

    def layer():
        made.append(functools.partial(nn.activations.elu))
        return nn.layers.Activation(made[-1])

    assert same(trained(lambda m: made[-1].__setstate__((nn.activations.relu, (), {}, None)), layer))


class Slotted(nn.layers.Layer):
    __slots__ = ("k",)

    def __init__(self):
        super().__init__()
        self.k = 1.0

    def call(self, x):
        return x * self.k


class Described(nn.layers.Layer):
    class Kept:
        def __get__(self, owner, kind=None):
            return owner._kept[0]

        def __set__(self, owner, value):
            owner._kept[0] = value

    k = Kept()

    def __init__(self):
        super().__init__()
        self._kept = [1.0]

    def call(self, x):
        return x * self.k


class Named(nn.layers.Layer):
    def __init__(self):
        super().__init__()
        self.scale_initializer = 1.0

    def call(self, x):
        return x * self.scale_initializer


@pytest.mark.parametrize(("layer", "name"), [(Slotted, "k"), (Described, "k"), (Named, "scale_initializer")])
@pytest.mark.parametrize("promise", ["auto", True])
def test_what_is_set_by_assignment_is_live_wherever_it_is_kept(layer, name, promise):
    found = trained(lambda m: setattr(m.layers[1], name, 0.1), layer, jit_compile=lambda: promise)
    assert same(found)
