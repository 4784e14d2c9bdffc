"""Optimizers and schedules walk where Keras' walk; and a step of training can itself be differentiated."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core import Tensor
from nn.keras_files import optimizer_order

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
# What every optimizer can be told beside its rule.
AROUND = [
    {"gradient_accumulation_steps": 3},
    {"use_ema": True},
    {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 4},
    {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 2, "gradient_accumulation_steps": 3,
     "clipnorm": 0.7, "weight_decay": 0.1},
]  # fmt: skip
SCHEDULES = [
    ("ExponentialDecay", (0.1, 10, 0.5), {}),
    ("ExponentialDecay", (0.1, 10, 0.5, True), {}),
    ("PiecewiseConstantDecay", ([10, 20], [0.1, 0.05, 0.01]), {}),
    ("CosineDecay", (0.1, 30), {}),
    ("CosineDecay", (0.1, 30, 0.1), {}),
    ("CosineDecay", (0.0, 30), {"warmup_target": 0.2, "warmup_steps": 10}),
    ("InverseTimeDecay", (0.1, 10, 0.5), {}),
    ("InverseTimeDecay", (0.1, 10, 0.5, True), {}),
    ("PolynomialDecay", (0.1, 30), {}),
    ("PolynomialDecay", (0.1, 30, 0.01, 0.5), {}),
    ("PolynomialDecay", (0.1, 17, 0.01, 2.0, True), {}),
    ("CosineDecayRestarts", (0.1, 8), {}),
    ("CosineDecayRestarts", (0.1, 7, 1.0, 0.5, 0.1), {}),
    ("CosineDecayRestarts", (0.1, 5, 1.5, 0.9), {}),
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


def test_averages_and_gradients_that_are_gathered_are_those_of_keras_in_state_too(keras):
    for name, options, settings in [
        ("Adam", {"amsgrad": True}, AROUND),
        ("RMSprop", {"centered": True, "momentum": 0.5}, AROUND[3:]),
    ]:
        for around in settings:
            made = []
            for library in (nn, keras):
                rate = library.optimizers.schedules.ExponentialDecay(0.01, 5, 0.8)
                made.append(getattr(library.optimizers, name)(rate, **options, **around))
            mine, theirs = made
            ours, judged = [Tensor(v) for v in start()], [keras.Variable(v) for v in start()]
            for step in range(8):
                mine.apply(gradients(step), ours), theirs.apply(gradients(step), judged)
                assert mine.iterations == int(theirs.iterations)
            mine.finalize_variable_values(ours), theirs.finalize_variable_values(judged)
            order = optimizer_order(mine, len(mine.variables))
            states = [(mine.variables[i], v) for i, v in zip(order, theirs.variables, strict=True)]
            for a, b in [*((v.data, w) for v, w in zip(ours, judged, strict=True)), *states]:
                np.testing.assert_allclose(a, b.numpy(), rtol=2e-5, atol=2e-6, err_msg=f"{name} {around}")


@pytest.mark.parametrize(
    "around", [AROUND[3], *(pytest.param(a, marks=pytest.mark.thorough) for a in AROUND[:3])], ids=str
)
def test_averages_and_gathered_gradients_are_replayed_saved_and_what_a_training_of_keras_makes(keras, around, tmp_path):
    x = np.random.default_rng(0).normal(size=(36, 4)).astype("float32")
    y, weights = x[:, :1] ** 2, []
    start = [np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3), np.zeros(3, "float32"),
             np.ones((3, 1), "float32"), np.zeros(1, "float32")]  # fmt: skip
    for library, eager in ((nn, False), (nn, True), (keras, True)):
        model = library.Sequential([library.Input((4,)), library.layers.Dense(3, "tanh"), library.layers.Dense(1)])
        model.set_weights(start)
        model.compile(library.optimizers.Adam(0.01, **around), "mse", run_eagerly=eager)
        model.fit(x, y, batch_size=6, epochs=2, shuffle=False, verbose=0)
        if library is keras or not eager:  # and go on where a file says that it was left
            if library is nn:
                assert model.schedule.replayed == {"gradient": True, "update": True}
            model.save(tmp_path / "model.keras")
            model = (keras if library is nn else nn).models.load_model(tmp_path / "model.keras")
            model.run_eagerly = True
        model.fit(x, y, batch_size=6, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for replayed, eagerly, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(replayed, eagerly, rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(theirs, eagerly, rtol=2e-5, atol=1e-6)


def test_replay_has_the_bits_of_the_steps_that_it_replays_with_averages_and_gathered_gradients():
    x = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    weights = []
    for eager in (False, True):
        nn.utils.set_random_seed(0)
        model = nn.Sequential([nn.Input((4,)), nn.layers.Dense(3, "tanh"), nn.layers.Dense(1)])
        model.compile(nn.optimizers.AdamW(0.01, **AROUND[3] | {"weight_decay": 0.01}), "mse", run_eagerly=eager)
        model.fit(x, x[:, :1], batch_size=6, epochs=3, verbose=0)
        weights.append([*model.get_weights(), *model.optimizer.get_weights()])
    for replayed, eagerly in zip(*weights, strict=True):
        np.testing.assert_array_equal(replayed, eagerly)


def test_what_is_left_out_of_weight_decay_is_what_keras_leaves_out(keras):
    for by in ("names", "list", "nothing"):
        weights = []
        for library in (nn, keras):
            layer = library.layers.Dense(2, kernel_initializer="ones", bias_initializer="ones")
            layer.build((None, 3))
            optimizer = library.optimizers.AdamW(0.1, weight_decay=0.5)
            if by == "names":
                optimizer.exclude_from_weight_decay(var_names=["bia", "nothing"])
            elif by == "list":
                optimizer.exclude_from_weight_decay(var_list=[layer.kernel])
            for _ in range(3):
                optimizer.apply([np.ones((3, 2), "float32"), np.ones(2, "float32")], layer.trainable_weights)
            weights.append(layer.get_weights())
        for mine, theirs in zip(*weights, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    model = nn.Sequential([nn.Input((3,)), nn.layers.Dense(2, bias_initializer="ones")])
    model.compile(nn.optimizers.AdamW(0.0, weight_decay=0.5), "mse")
    model.optimizer.exclude_from_weight_decay(var_list=[model.layers[0].bias])
    model.fit(np.ones((40, 3)), np.ones((40, 2)), batch_size=4, verbose=0)
    assert model.schedule.replayed == {"gradient": True, "update": True}
    with pytest.raises(ValueError, match="exclude_from_weight_decay: expected to be called before the first step"):
        model.optimizer.exclude_from_weight_decay(var_names=["bias"])


def test_counts_of_steps_that_are_none_are_refused():
    for wrong in ({"gradient_accumulation_steps": 1}, {"ema_momentum": 1.5}, {"ema_overwrite_frequency": 0}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))}: expected"):
            nn.optimizers.SGD(use_ema=True, **wrong)
    optimizer = nn.optimizers.SGD()
    optimizer.apply([np.ones(1)], [Tensor(np.ones(1))])
    with pytest.raises(ValueError, match="use_ema decides what 'sgd"):
        optimizer.use_ema = True


def test_a_learning_rate_may_be_a_function_of_nothing_as_in_keras(keras):
    for library in (nn, keras):
        optimizer = library.optimizers.SGD(lambda: 0.5)
        v = library.Variable([1.0]) if library is keras else Tensor(np.ones(1, "float32"))
        optimizer.apply([np.ones(1, "float32")], [v])
        assert v.numpy().tolist() == [0.5]
        assert float(library.optimizers.SGD(0.25).learning_rate.value) == 0.25


@pytest.mark.parametrize(("name", "args", "options"), SCHEDULES)
def test_schedules_give_keras_rates(keras, name, args, options):
    mine = getattr(nn.optimizers.schedules, name)(*args, **options)
    theirs = getattr(keras.optimizers.schedules, name)(*args, **options)
    for step in range(60):
        assert float(mine(step)) == pytest.approx(float(theirs(step)), rel=1e-5, abs=1e-9)
    np.testing.assert_allclose(mine(np.arange(60)), [mine(step) for step in range(60)], rtol=1e-6)  # to be drawn
    again = nn.optimizers.schedules.deserialize(nn.optimizers.schedules.serialize(mine))
    assert float(again(17)) == float(mine(17))
    if (name, args, options) == SCHEDULES[0]:  # how an optimizer follows one
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
    with pytest.warns(UserWarning, match="no gradient came for v, which stay as they are"):
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


def test_a_rate_that_can_be_asked_for_without_the_steps_is(keras):
    rates = []
    for library in (nn, keras):
        rate = 0.5
        optimizer = library.optimizers.SGD(lambda rate=rate: rate)
        v = nn.Variable([0.0]) if library is nn else keras.Variable([0.0])
        for _ in range(3):
            optimizer.apply([np.ones(1, "float32")] if library is nn else [keras.ops.ones(1)], [v])
        rates.append(float(np.asarray(v)[0]))
    assert rates == [-1.5, -1.5]
    assert float(nn.optimizers.SGD(lambda step, slope=2.0: 1 + slope * step).learning_rate) == 1.0


def test_optimizers_are_counted_as_in_keras(keras):
    for k in (nn, keras):
        k.backend.clear_session()
        made = [getattr(k.optimizers, name)() for name in ("Adam", "Adam", "AdamW", "SGD", "RMSprop")]
        assert [o.name for o in made] == ["adam", "adam_1", "adam_w", "sgd", "rm_sprop"]
        assert k.optimizers.deserialize(k.optimizers.serialize(made[1])).name == "adam_1"


def test_complex_numbers_are_refused_wherever_a_rule_takes_squares_for_sizes():
    z, made = np.array([3 + 4j, 1j], "complex64"), Tensor(np.ones(2, "complex64"), name="z")

    class Wave(nn.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(2,), dtype="complex64")

    class Turned(nn.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(2,), initializer=lambda shape, dtype: np.full(shape, 1j))

    optimizers = [
        nn.optimizers.SGD(), nn.optimizers.SGD(momentum=0.9, clipnorm=1.0), nn.optimizers.Adam(amsgrad=True),
        nn.optimizers.AdamW(), nn.optimizers.RMSprop(), nn.optimizers.Adagrad(clipvalue=0.1), nn.optimizers.Adadelta(),
    ]  # fmt: skip
    calls = [
        *((lambda o=o: o.apply([z], [made])) for o in optimizers),
        *((lambda o=o: o.build([made])) for o in optimizers),
        *((lambda o=o: o.apply([z], [Tensor(np.ones(2, "float32"))])) for o in optimizers),
        lambda: nn.Variable(z),
        lambda: nn.Variable([1j, 2.0]),
        lambda: nn.Variable([1.0], dtype="complex128"),
        lambda: nn.Variable("zeros", (2,), "complex64"),
        lambda: nn.Variable(lambda shape, dtype: np.full(shape, 1j), (2,)),
        lambda: nn.Variable([1.0, 2.0]).assign(z),
        lambda: Wave().build((2,)),
        lambda: Turned().build((2,)),
        lambda: nn.layers.Dense(2)(z[None]),
        lambda: nn.activations.relu(z),
        lambda: nn.losses.mean_squared_error(z, z),
        *((lambda m=m: m().update_state(z)) for m in (nn.metrics.Mean, nn.metrics.Sum)),
        lambda: nn.metrics.R2Score().update_state(z[None], z[None].real),
        *((lambda i=i: getattr(nn.initializers, i)()((2, 2), "complex64")) for i in (
            "GlorotUniform", "HeNormal", "RandomNormal", "RandomUniform", "TruncatedNormal", "Orthogonal",
        )),
        *((lambda r=r, x=x: r(x)) for r in (
            nn.regularizers.L1(), nn.regularizers.L2(), nn.constraints.MaxNorm(), nn.constraints.MinMaxNorm(),
            nn.constraints.UnitNorm(), nn.constraints.NonNeg(),
        ) for x in (z, Tensor(z))),
    ]  # fmt: skip
    for place, call in enumerate(calls):
        with pytest.raises(TypeError, match=r"expected real numbers, got complex(64|128); train the two parts"):
            call(), pytest.fail(f"call {place} takes them")
    assert made.data.tolist() == [1, 1]
