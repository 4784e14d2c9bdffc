"""Optimizers and schedules walk where Keras' walk; and a step of training can itself be differentiated."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core import Tensor

CASES = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"rho": 0.8, "momentum": 0.5}),
    ("RMSprop", {"centered": True, "learning_rate": 0.01, "momentum": 0.3}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adagrad", {"initial_accumulator_value": 0.5, "clipvalue": 0.3}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adadelta", {"rho": 0.8, "weight_decay": 0.01}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "learning_rate": 0.01, "beta_1": 0.8}),
    ("Adam", {"clipnorm": 0.5}),
    ("Adam", {"global_clipnorm": 0.5, "weight_decay": 0.01}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.1, "learning_rate": 0.05}),
]
SCHEDULES = [
    ("ExponentialDecay", (0.1, 10, 0.5), {}),
    ("ExponentialDecay", (0.1, 10, 0.5, True), {}),
    ("PiecewiseConstantDecay", ([10, 20], [0.1, 0.05, 0.01]), {}),
    ("CosineDecay", (0.1, 30), {}),
    ("CosineDecay", (0.1, 30, 0.1), {}),
    ("CosineDecay", (0.0, 30), {"warmup_target": 0.2, "warmup_steps": 10}),
]


def start():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(4, 3)).astype("float32"), rng.normal(size=3).astype("float32")]


def gradients(step):
    rng = np.random.default_rng(step)
    return [rng.normal(size=(4, 3)).astype("float32"), 10 * rng.normal(size=3).astype("float32")]


def walk(optimizer, variables, steps=50):
    for step in range(steps):
        optimizer.apply(gradients(step), variables)
    return variables


def compare(keras, mine, theirs):
    ours = [v.numpy() for v in walk(mine, [Tensor(v) for v in start()])]
    judged = [v.numpy() for v in walk(theirs, [keras.Variable(v) for v in start()])]
    for a, b in zip(ours, judged, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_fifty_updates_lead_where_keras_updates_lead(keras, name, options):
    compare(keras, getattr(nn.optimizers, name)(**options), getattr(keras.optimizers, name)(**options))


@pytest.mark.parametrize(("name", "args", "options"), SCHEDULES)
def test_schedules_give_keras_rates(keras, name, args, options):
    mine = getattr(nn.optimizers.schedules, name)(*args, **options)
    theirs = getattr(keras.optimizers.schedules, name)(*args, **options)
    for step in range(60):
        assert float(mine(step)) == pytest.approx(float(theirs(step)), rel=1e-5, abs=1e-9)
    again = nn.optimizers.schedules.deserialize(nn.optimizers.schedules.serialize(mine))
    assert float(again(17)) == float(mine(17))
    compare(keras, nn.optimizers.Adam(mine), keras.optimizers.Adam(theirs))


def test_optimizers_have_keras_arguments_in_keras_order(keras):
    import inspect

    for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW"):
        theirs = inspect.signature(getattr(keras.optimizers, name).__init__).parameters
        mine = inspect.signature(getattr(nn.optimizers, name).__init__).parameters
        own = [n for n in mine if n not in ("self", "kwargs")]
        assert [n for n in theirs if n in own] == own
        for n in own:
            assert mine[n].default == theirs[n].default, (name, n)
        assert set(nn.config.arguments(getattr(nn.optimizers, name))) >= {
            "learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "name",
        }  # fmt: skip


@pytest.mark.parametrize(("name", "options"), CASES)
def test_an_update_can_be_differentiated_with_respect_to_the_learning_rate(name, options):
    """Through the training step itself: the loss after the step, as a function of the rate."""
    optimizer = getattr(nn.optimizers, name)(**options)
    x, t = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[1.0], [0.0]])
    weight = np.array([[0.3], [-0.2]])

    def loss(w):
        return np.mean(np.square(np.tanh(x @ w) - t))

    def loss_after(rate):
        w, state = weight, {slot: np.full((2, 1), value + 0.1) for slot, value in optimizer.slots.items()}
        for step in (1.0, 2.0):
            gradient = ag.grad(loss)(w)
            w, state = optimizer.update(optimizer.decay(w, rate), optimizer.clip([gradient])[0], state, rate, step)
        return loss(w)

    slope = ag.grad(loss_after)(0.05)
    assert slope != 0
    assert slope == pytest.approx((loss_after(0.05 + 1e-6) - loss_after(0.05 - 1e-6)) / 2e-6, rel=1e-5)


def test_updates_leave_what_they_are_given_unchanged():
    for name, options in CASES:
        optimizer = getattr(nn.optimizers, name)(**options)
        parameter, gradient = np.ones(3), np.arange(3.0)
        state = {slot: np.full(3, value) for slot, value in optimizer.slots.items()}
        before = {slot: value.copy() for slot, value in state.items()}
        optimizer.update(parameter, gradient, state, np.float64(0.1), np.float64(1))
        assert parameter.tolist() == [1, 1, 1]
        assert gradient.tolist() == [0, 1, 2]
        for slot, value in state.items():
            np.testing.assert_array_equal(value, before[slot])


def test_the_learning_rate_can_be_assigned_in_the_middle_of_training():
    optimizer = nn.optimizers.SGD(0.5)
    v = Tensor(np.array([0.0], "float32"))
    optimizer.apply([np.ones(1)], [v])
    optimizer.learning_rate = 0.25
    optimizer.apply_gradients([(np.ones(1), v)])
    assert v.numpy().tolist() == [-0.75]
    assert optimizer.learning_rate == 0.25
    assert optimizer.iterations == 2


def test_a_schedule_cannot_be_overwritten_by_a_number():
    optimizer = nn.optimizers.SGD(nn.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))
    with pytest.raises(TypeError, match="follows a learning rate schedule"):
        optimizer.learning_rate = 0.1


def test_the_old_name_of_the_learning_rate_is_told_the_new_one():
    for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW"):
        with pytest.raises(TypeError, match=f"{name} has no argument 'lr'; .*learning_rate"):
            getattr(nn.optimizers, name)(lr=0.1)


def test_optimizers_come_by_name_class_and_configuration():
    for identifier in (
        "rmsprop",
        "RMSprop",
        nn.optimizers.RMSprop,
        nn.optimizers.serialize(nn.optimizers.RMSprop(0.5)),
    ):
        assert isinstance(nn.optimizers.get(identifier), nn.optimizers.RMSprop)
    assert nn.optimizers.deserialize(nn.optimizers.serialize(nn.optimizers.Adam(0.5, amsgrad=True))).amsgrad
    with pytest.raises(ValueError, match="unknown optimizer 'addam'; did you mean 'Adam'"):
        nn.optimizers.get("addam")


def test_the_state_of_an_optimizer_moves_to_another():
    a, b = nn.optimizers.Adam(0.1), nn.optimizers.Adam(0.1)
    v, w = [Tensor(p) for p in start()], [Tensor(p) for p in start()]
    walk(a, v, 5)
    b.build(w)
    for variable, value in zip(w, v, strict=True):
        variable.data = value.data
    b.set_weights(a.get_weights())
    walk(a, v, 5), walk(b, w, 5)
    for p, q in zip(v, w, strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())


def test_gradients_that_are_missing_are_skipped_or_named():
    v, w = Tensor(np.ones(2, "float32"), name="v"), Tensor(np.ones(2, "float32"), name="w")
    optimizer = nn.optimizers.SGD(0.5)
    optimizer.apply([None, np.ones(2)], [v, w])
    assert v.numpy().tolist() == [1, 1]
    assert w.numpy().tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match=r"none of the variables has a gradient \(v, w\)"):
        optimizer.apply([None, None], [v, w])
    with pytest.raises(ValueError, match="other is unknown to this optimizer"):
        optimizer.apply([np.ones(2)], [Tensor(np.ones(2), name="other")])


def test_a_learning_rate_is_assigned_and_read_as_keras_variable_is(keras):
    rates = []
    for library in (nn, keras):
        optimizer = library.optimizers.Adam(0.25)
        optimizer.learning_rate.assign(0.1)
        rates.append((optimizer.learning_rate.numpy(), float(optimizer.learning_rate)))
    assert rates[0] == rates[1]
    optimizer = nn.optimizers.SGD(nn.optimizers.schedules.CosineDecay(0.1, 10))
    with pytest.raises(TypeError, match="follows a learning rate schedule"):
        optimizer.learning_rate.assign(0.5)


def test_a_copy_of_a_learning_rate_is_a_number():
    assert type(copy.deepcopy(nn.optimizers.SGD(0.25).learning_rate)) is float
