"""What decides a step, as a key and a verdict: the closed set, and everything by which something leaves it."""

from __future__ import annotations

import collections
import contextlib
import copy
import enum
import functools
import gc
import pickle
import sys
import threading
import types
import unittest.mock
from abc import ABC, abstractmethod

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.replay import ReplayError, freeze
from nn import layers, optimizers, regularizers

rng = np.random.default_rng(0)
X = rng.normal(size=(8, 4)).astype(np.float32)
Y = rng.normal(size=(8, 1)).astype(np.float32)


def model_of(*between, optimizer="adam", loss="mse", inputs=4, **compiling):
    nn.utils.set_random_seed(1)
    model = nn.Sequential([layers.Input((inputs,)), layers.Dense(3, "tanh", name="first"), *between, layers.Dense(1)])
    model.compile(optimizer, loss, **compiling)
    return model


def steps(model, n=5):
    return [model.train_on_batch(X, Y) for _ in range(n)]


def foreign(*between, **options):
    """The first line of what is shown of a model that was trained a little."""
    model = model_of(*between, **options)
    steps(model)
    return model.schedule.show().splitlines()[0]


# -- the key -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b"),
    [(0.0, -0.0), (1, True), (1, 1.0), (0, False), ("1", 1), (None, 0), (np.float32(1), np.float64(1)), ((1,), (1, 1)),
     ((1, (2,)), ((1, 2),)), (np.dtype("f4"), np.dtype("f8")), (float("nan"), 0.0), (np.tanh, np.sin), (2**70, 2**71)],
)  # fmt: skip
def test_values_are_told_apart_by_type_and_bits(a, b):
    assert freeze.freeze(a).foreign is freeze.freeze(b).foreign is None
    assert freeze.freeze(a).key != freeze.freeze(b).key


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.5, float("nan"), "text", 1j, np.float16(2), np.dtype("f2"), (1, (2.0, "x")), np.exp, ag.relu],
)
def test_a_value_is_known_and_equal_to_itself(value):
    first, again = freeze.freeze(value), freeze.freeze(value)
    assert first.foreign is None
    assert first.key == again.key
    assert hash(first.key) == hash(again.key)


class Few(enum.IntEnum):
    ONE = 1


class Own(float):
    pass


@pytest.mark.parametrize(
    "value",
    [[1], {"a": 1}, {1}, collections.deque(), Few.ONE, Own(1.0), lambda x: x, object(), np.arange(3), len, iter(()),
     np.random.default_rng(0), functools.partial(lambda x: x), np.frompyfunc(abs, 1, 1), threading.Lock(), types],
)  # fmt: skip
def test_all_else_is_foreign(value):
    assert freeze.freeze(value, "it").foreign.startswith("it is ")
    trusted = freeze.freeze(value, "it", trusting=True)
    assert trusted.foreign is None
    assert trusted.promised


def test_a_weight_is_known_by_identity_and_by_whether_it_trains():
    w, v = ag.Tensor(np.ones(2), requires_grad=True), ag.Tensor(np.ones(2), requires_grad=True)
    found = freeze.freeze(w)
    assert found.key == freeze.freeze(w).key != freeze.freeze(v).key
    assert found.holds()
    w.node.requires_grad = False
    assert not found.holds()
    assert freeze.freeze(w).key != found.key
    assert freeze.freeze(v * 2, "it").foreign == "it is a value that was computed, and no weight"


def test_what_is_shared_and_what_is_merely_equal_have_other_keys():
    one, other = layers.Dropout(0.5, name="a"), layers.Dropout(0.5, name="a")
    assert freeze.freeze((one, one)).key != freeze.freeze((one, other)).key


def test_a_partial_function_is_its_parts_and_looked_at_before_each_step():
    part = functools.partial(nn.activations.leaky_relu, negative_slope=0.1)
    found = freeze.freeze(part)
    assert found.foreign is None
    assert found.holds()
    part.keywords["negative_slope"] = 0.2
    assert not found.holds()
    assert freeze.freeze(part).key != found.key
    model, eager = (model_of(layers.Activation(functools.partial(nn.activations.leaky_relu, negative_slope=0.1)),
                             run_eagerly=eagerly) for eagerly in (False, True))  # fmt: skip
    assert steps(model) == steps(eager)
    for m in (model, eager):
        m.layers[1].activation.keywords["negative_slope"] = 0.7
    assert steps(model) == steps(eager)
    assert model.schedule.replayed == {"gradient": True, "update": True}


# -- what is ours ------------------------------------------------------------------------------------------


def test_everything_public_is_ours():
    for module in (layers, optimizers, nn.losses, regularizers, nn.initializers, nn.metrics, optimizers.schedules):
        for name in module.__all__:
            value = getattr(module, name)
            assert not isinstance(value, type | types.FunctionType) or value in freeze.OURS, name
    for name in nn.activations.__all__:
        assert getattr(nn.activations, name) in freeze.OURS
    assert {*ag.REGISTRY.values()} >= {op for op in freeze.OURS if isinstance(op, ag.Op)} > set()


def a_class_of_one_s_own():
    class Dense(layers.Dense):
        pass

    return Dense(3, name="own")


class Scaled(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.factor, self.table, self.numbers = 2.0, [1.0, 2.0], {"k": 3.0}

    def call(self, x):
        return x * self.factor * self.table[0] * self.numbers["k"]


def with_another(attribute, value):
    layer = layers.Dense(3)
    setattr(layer, attribute, value)
    return layer


def my_relu(x):
    return np.maximum(x, 0)


REASONS = [
    (lambda: layers.Dense(3, my_relu), "layers[1].activation is my_relu, a function of your own"),
    (lambda: layers.Lambda(my_relu), "layers[1].function is my_relu, a function of your own"),
    (a_class_of_one_s_own, "layers[1] is a Dense, a class of your own"),
    (Scaled, "layers[1] is a Scaled, a class of your own"),
    (lambda: with_another("call", my_relu), "layers[1].call was set on the object itself"),
    (lambda: with_another("note", collections.deque()), "layers[1].note is a deque"),
    (lambda: layers.Dense(3, kernel_regularizer=lambda w: np.sum(w * w)), "layers[1].kernel_regularizer is <lambda>"),
    (lambda: nn.Sequential([layers.Dense(3, my_relu)]), "layers[1].layers[0].activation is my_relu"),
    (lambda: with_another("generator", np.random.default_rng(0)), "layers[1].generator is a Generator"),
]


@pytest.mark.parametrize(("make", "reason"), REASONS, ids=[reason for _, reason in REASONS])
@pytest.mark.filterwarnings("ignore:no gradient came")  # for the layer whose call is another
def test_the_schedule_names_what_is_foreign_by_its_path_and_says_what_to_write(make, reason):
    shown = foreign(make())
    assert shown.startswith(reason)
    assert "@nn.pure" in shown
    assert "jit_compile=True" in shown


def test_being_registered_or_found_by_name_makes_nothing_ours():
    with nn.utils.custom_object_scope({"my_relu": my_relu}):
        assert "my_relu" in foreign(layers.Dense(3, "my_relu"))


@contextlib.contextmanager
def written_to(owner, name, value):
    with unittest.mock.patch.object(owner, name, value):
        yield


def twice(self, x):
    return 2 * (x @ self.kernel + self.bias)


def test_a_class_that_is_written_to_is_not_ours_until_it_is_what_it_was():
    class Derived(layers.Conv1D):
        pass

    model, eager = model_of(), model_of(run_eagerly=True)
    assert steps(model) == steps(eager)
    with written_to(layers.Dense, "call", twice):
        assert steps(model) == steps(eager)
        assert model.schedule.replayed == {"gradient": False, "update": True}
        assert "layers[0] is a Dense, and Dense.call was replaced" in model.schedule.show()
        assert freeze.freeze(layers.Dropout(0.5)).foreign is None
    assert steps(model) == steps(eager)
    assert model.schedule.replayed == {"gradient": True, "update": True}
    with written_to(layers.Layer, "compute_output_shape", twice):  # all that derive from it leave with it
        assert freeze.freeze(layers.Dropout(0.5)).foreign is not None


def test_an_attribute_of_a_class_that_is_deleted_counts_too():
    itself = vars(optimizers.SGD)["elementwise"]
    try:
        del optimizers.SGD.elementwise
        assert "SGD.elementwise was replaced" in freeze.freeze(optimizers.SGD()).foreign
    finally:
        optimizers.SGD.elementwise = itself
    assert freeze.freeze(optimizers.SGD()).foreign is None


def test_a_function_that_is_replaced_in_its_module_counts_wherever_it_is_called():
    models = [model_of(layers.Activation("selu"), run_eagerly=e) for e in (0, 1)]
    assert steps(models[0]) == steps(models[1])
    with written_to(nn.activations, "elu", lambda x, alpha=1.0: x * 3):  # which selu calls
        assert steps(models[0]) == steps(models[1])
        assert models[0].schedule.replayed == {"gradient": False, "update": False}
        assert "nn.activations.elu was replaced" in models[0].schedule.show()
    assert steps(models[0]) == steps(models[1])
    assert models[0].schedule.replayed == {"gradient": True, "update": True}


def test_another_rule_of_an_op_counts(the_registry_as_it_was):
    model, eager = model_of(layers.Activation("relu")), model_of(layers.Activation("relu"), run_eagerly=True)
    assert steps(model) == steps(eager)
    rule, formula = ag.relu.rules[0], ag.relu.formulas[0]
    ag.relu.vjp("5", 0)(lambda g, z, x: g * 5)
    assert steps(model) == steps(eager)
    assert "the op relu got another rule" in model.schedule.show()
    ag.relu.vjp(formula, 0)(rule)
    assert steps(model) == steps(eager)
    assert model.schedule.replayed == {"gradient": True, "update": True}


def test_an_op_of_one_s_own_is_foreign_and_disturbs_nothing(the_registry_as_it_was):
    @ag.op("x")
    def mine(x):
        """x itself."""
        return x * 1

    mine.vjp("1")(lambda g, z, x: g)
    assert foreign(layers.Activation(mine)).startswith("layers[1].activation is mine, an op of your own")
    model = model_of()
    steps(model)
    assert model.schedule.replayed == {"gradient": True, "update": True}


def test_a_class_of_one_s_own_may_be_abstract():
    class Base(layers.Layer, ABC):
        @abstractmethod
        def factor(self): ...

        def call(self, x):
            return x * self.factor()

    class Two(Base):
        def factor(self):
            return 2.0

    assert Two()(np.ones((1, 2))).numpy().tolist() == [[2.0, 2.0]]
    with pytest.raises(TypeError, match="abstract"):
        Base()


# -- settings are values -----------------------------------------------------------------------------------


def test_settings_are_values():
    layer = layers.LayerNormalization(axis=[1])
    assert layer.axis == (1,)
    function = layers.Lambda(nn.activations.leaky_relu, arguments={"negative_slope": [0.1]})
    assert function.arguments == {"negative_slope": (0.1,)}
    with pytest.raises(TypeError, match="assign a new one"):
        function.arguments["negative_slope"] = 0.2
    for change in (lambda d: d.update(a=1), lambda d: d.pop("negative_slope"), lambda d: d.clear()):
        with pytest.raises(TypeError, match="settings are values"):
            change(function.arguments)
    numbers = np.array([1.0, 2.0])
    layer = layers.Rescaling(1.0)
    layer.scale_of = numbers
    numbers[0] = 5.0
    assert layer.scale_of.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        layer.scale_of[0] = 3.0
    with pytest.raises(ValueError, match="WRITEABLE"):
        layer.scale_of.flags.writeable = True
    with pytest.raises(TypeError, match="assign a new one"):
        layers.InputSpec(axes={1: 2}).axes[1] = 3


def test_those_of_a_class_of_one_s_own_stay_what_they_are():
    layer = Scaled()
    layer.table.append(3.0)
    layer.numbers["j"] = 1.0
    assert layer.table == [1.0, 2.0, 3.0]
    assert layer.numbers == {"k": 3.0, "j": 1.0}


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_has_values_too(copied):
    layer = layers.Lambda(nn.activations.leaky_relu, arguments={"negative_slope": 0.1})
    layer.numbers = np.arange(3.0)
    other = copied(layer)
    found = freeze.freeze(other)
    assert found.foreign is None
    assert other.arguments == layer.arguments
    assert freeze.freeze(layer).foreign is None


def test_a_copy_knows_which_weights_are_state():
    layer = layers.BatchNormalization()
    layer.build((None, 3))
    other = copy.deepcopy(layer)
    other.trainable = False
    other.trainable = True
    assert [w.requires_grad for w in other.weights] == [True, True, False, False]


# -- the user's word ---------------------------------------------------------------------------------------


def test_pure_makes_exactly_this_class_replayed():
    @nn.pure
    class Doubled(layers.Layer):
        factor = 2.0

        def call(self, x):
            return x * self.factor

    class Derived(Doubled):
        pass

    model = model_of(Doubled())
    steps(model)
    assert model.schedule.replayed == {"gradient": True, "update": True}
    assert "a Derived, a class of your own" in foreign(Derived())


@pytest.mark.parametrize("promise", ["pure", "jit_compile"])
def test_what_is_live_and_what_is_frozen_under_a_promise(promise):
    scale = [2.0]

    class Layer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.factor = 1.0

        def call(self, x):
            return x * (self.factor * scale[0])

    compiling = {}
    if promise == "pure":
        nn.pure(Layer)
    else:
        compiling["jit_compile"] = True
    model, eager = model_of(Layer(), **compiling), model_of(Layer(), run_eagerly=True)
    assert steps(model) == steps(eager)
    assert model.schedule.replayed == {"gradient": True, "update": True}
    for m in (model, eager):
        m.layers[1].factor = 0.5  # an attribute that is assigned to is live
        m.set_weights([w * 0.5 for w in m.get_weights()])
    assert steps(model) == steps(eager)
    scale[0] = 1.0  # all else is frozen
    assert steps(model, 1) != steps(eager, 1)
    for m in (model, eager):
        m.layers[1].factor = 0.25  # until it is recorded again
        m.set_weights(eager.get_weights())
        m.optimizer.set_weights(eager.optimizer.get_weights())
    assert steps(model) == steps(eager)


def asking(layer, x):
    return x * 2 if float(x.data[0, 0]) > 0 else x


def keeping(layer, x):
    layer.last = x * 1
    return x


def measuring(layer, x):
    layer.mean.update_state(x)
    return x


@pytest.mark.parametrize(("code", "message"), [
    (asking, r"return x \* 2 if float"),
    (keeping, r"Broken\.last is set .*layer\.last = x \* 1"),
    (measuring, r"Mean\.\w+ is set .*update_state"),
])  # fmt: skip
def test_what_a_promise_cannot_keep_is_an_error_at_its_line(code, message):
    class Broken(layers.Layer):
        def __init__(self):
            super().__init__()
            self.mean = nn.metrics.Mean()

        def call(self, x):
            return code(self, x)

    model = model_of(Broken(), jit_compile=True)
    with pytest.raises(ReplayError, match=message):
        steps(model)
    model = model_of(Broken())  # and without one it runs
    steps(model)


def test_a_weight_that_is_assigned_to_in_call_is_state():
    class Counting(layers.Layer):
        def build(self, shape):
            self.count = self.add_weight((), "zeros", trainable=False, name="count")

        def call(self, x):
            self.count.data = self.count.data + np.float32(1)
            return x * self.count

    model, eager = model_of(Counting(), jit_compile=True), model_of(Counting(), run_eagerly=True)
    assert steps(model, 8) == steps(eager, 8)
    assert model.schedule.replayed == {"gradient": True, "update": True}
    assert model.layers[1].count.data == eager.layers[1].count.data


def test_jit_compile_false_replays_nothing_and_run_eagerly_wins():
    for options in ({"jit_compile": False}, {"run_eagerly": True, "jit_compile": True}):
        model = model_of(**options)
        steps(model)
        assert not model._steps.plans.kept
    with pytest.raises(ValueError, match="jit_compile: expected 'auto', True or False, got 'yes'"):
        model_of(jit_compile="yes")
    with pytest.raises(TypeError, match="pure: expected a function or a class"):
        nn.pure(3)


def test_numba_is_a_setting_of_its_own():
    try:
        for numba in (True, False, "auto"):
            nn.config.set_numba(numba)
            model = model_of()
            steps(model)
            assert model.schedule.replayed == {"gradient": True, "update": True}
    finally:
        nn.config.set_numba("auto")
    with pytest.raises(ValueError, match=r"numba: expected 'auto', True or False, got 1\.5"):
        nn.config.set_numba(1.5)


def test_settings_that_are_gone_leave_no_programs_behind():
    model = model_of()
    for n in range(12):
        model.layers[0].note = n
        steps(model, 4)
    assert len(model._steps.plans.kept) <= 4
    gc.collect()


def test_recursion_is_no_deeper_than_the_models():
    model = nn.Sequential([layers.Input((4,)), layers.Dense(1)])
    for _ in range(40):
        model = nn.Sequential([layers.Input((4,)), model])
    assert freeze.freeze(model).foreign is None
    assert sys.getrecursionlimit() >= 1000


def test_a_step_of_ours_changes_no_setting():
    """Or else all settings would be looked at before each step."""
    model = model_of(layers.BatchNormalization(), layers.Dropout(0.5), optimizer=optimizers.SGD(0.1, momentum=0.9))
    model.compile("rmsprop", "mse", metrics=["mae"])
    steps(model, 8)
    before = freeze.version()
    steps(model)
    model.fit(X, Y, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert freeze.version() == before
