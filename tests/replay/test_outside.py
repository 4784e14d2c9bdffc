"""What a function reads, returns and does beside computing: a replay sees it, or the function runs as it is."""

from __future__ import annotations

import random
import types
import warnings
from functools import partial, singledispatch

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.replay import ReplayWarning, replay
from nn import layers, optimizers

X = np.array([1.0, 2.0, 3.0])


def assert_same_before_and_after(f, change):
    """A replay of ``f`` is right in each call, before and after a change, and it is one."""
    replayed = replay(f)
    for _ in range(2):
        for i in range(6):
            np.testing.assert_array_equal(replayed(X + i), f(X + i))
        assert replayed.programs
        change()
    np.testing.assert_array_equal(replayed(X), f(X))


def each(f, n):
    return [f(X + i) for i in range(n)]


# -- what is read ------------------------------------------------------------------------------------------

factor = ag.Tensor(np.ones(3))
large = np.ones(20_000)
table = {"deep": {"er": {"factor": 2.0}}}


class Scaled:
    def __init__(self, factor):
        self._factor = factor

    @property
    def factor(self):
        return self._factor

    def __call__(self, x):
        return x * self.factor


class Slotted:
    __slots__ = ("factor",)

    def __call__(self, x):
        return x * self.factor


def test_a_tensor_from_outside_with_new_values_is_noticed():
    assert_same_before_and_after(lambda x: np.sum(factor * x).data, lambda: setattr(factor, "data", factor.data * 0.5))
    assert_same_before_and_after(lambda x: np.sum((factor * 2) * x).data, lambda: factor.data.__setitem__(..., 5))


def test_an_array_from_outside_is_noticed_although_it_is_computed_with_before_it_meets_the_arguments():
    assert_same_before_and_after(lambda x: x[0] + large * 2, lambda: large.__setitem__(7, 5))


def test_numbers_in_properties_slots_defaults_partials_and_containers_are_noticed():
    scaled, slotted, box = Scaled(2.0), Slotted(), [2.0]
    slotted.factor = 2.0
    assert_same_before_and_after(scaled, lambda: setattr(scaled, "_factor", 5.0))
    assert_same_before_and_after(slotted, lambda: setattr(slotted, "factor", 5.0))
    assert_same_before_and_after(partial(lambda x, b: x * b[0], b=box), lambda: box.__setitem__(0, 5.0))
    assert_same_before_and_after(
        lambda x: x * table["deep"]["er"]["factor"], lambda: table["deep"]["er"].update(factor=5.0)
    )


def test_a_number_in_an_object_in_a_list_is_noticed():
    chain = [Scaled(2.0), Scaled(3.0)]

    def f(x):
        for part in chain:
            x = x * part._factor
        return x

    assert_same_before_and_after(f, lambda: setattr(chain[0], "_factor", 7.0))


def test_a_dict_with_containers_in_it_does_not_count_as_changed_each_time():
    f = replay(lambda x: x * table["deep"]["er"]["factor"])
    for i in range(6):
        f(X + i)
    (program,) = f.programs
    f(X)
    assert f.programs == [program]


def test_a_setting_of_a_layer_is_noticed():
    model = nn.Sequential([layers.Input(shape=(3,)), layers.Dense(2), layers.Rescaling(2.0)])
    x = np.ones((2, 3), np.float32)
    f = replay(lambda x: model(x).data)
    for i in range(6):
        f(x + i)
    assert f.programs
    model.layers[-1].scale = 7.0
    np.testing.assert_array_equal(f(x), model(x).data)


@pytest.mark.parametrize("optimizer", [optimizers.SGD, optimizers.Adam])
def test_an_optimizer_in_a_step_of_ones_own_counts_and_follows_its_rate(optimizer):
    found = []
    for wrap in (lambda f, state: f, lambda f, state: replay(f, state=state)):
        nn.utils.set_random_seed(0)
        model = nn.Sequential([layers.Input(shape=(3,)), layers.Dense(2)])
        opt = optimizer(0.1)

        def step(x, model=model, opt=opt):
            loss = np.mean((model(x) - 1) ** 2)
            loss.backward()
            opt.apply([v.grad for v in model.trainable_variables], model.trainable_variables)
            model.zero_grad()
            return loss.data

        run = wrap(step, model.trainable_variables)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            losses = [float(run(np.ones((2, 3), np.float32))) for _ in range(6)]
            opt.learning_rate = 0.0
            losses += [float(run(np.ones((2, 3), np.float32))) for _ in range(4)]
        found.append((losses, opt.iterations))
    assert found[0] == found[1]
    assert "counts its steps" in str(caught[0].message)


# -- who asks what a value is ------------------------------------------------------------------------------


@singledispatch
def times(x):
    return x * 3


@times.register
def _(x: np.ndarray):
    return x * 2


@pytest.mark.parametrize(
    "f",
    [lambda x: x * (2 if isinstance(x, np.ndarray) else 3), times, lambda x: x * (2 if type(x) is np.ndarray else 3)],
)
def test_a_function_that_asks_for_the_type_of_its_argument_runs_as_it_is(f):
    replayed = replay(f)
    with pytest.warns(ReplayWarning, match="other values than the function itself"):
        found = [replayed(X + i) for i in range(6)]
    assert not replayed.programs
    np.testing.assert_array_equal(found[4:], [f(X + i) for i in (4, 5)])


def test_subclasses_of_arrays_compute_in_their_own_way():
    f = replay(lambda x: x * x)
    for i in range(6):
        masked = np.ma.masked_array([1.0 + i, 2.0], [False, True])
        assert f(masked).mask.tolist() == [False, True]
    assert "a MaskedArray is among its arguments" in f.show()


def test_what_depends_on_the_order_in_memory_is_right_for_either_order():
    def f(x):
        return np.ravel(x, order="K") * 1

    replayed = replay(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in range(6):
            for x in (np.arange(6.0).reshape(2, 3) + i, np.asfortranarray(np.arange(6.0).reshape(2, 3) + i)):
                np.testing.assert_array_equal(replayed(x), f(x))


def test_minus_zero_is_another_number_and_nan_the_same():
    f = replay(np.copysign)
    for i in range(12):
        sign = [0.0, -0.0][i % 2]
        np.testing.assert_array_equal(f(X, sign), np.copysign(X, sign))
    g = replay(lambda x, y: x + y)
    for _ in range(6):
        g(X, float("nan"))
    assert len(g.programs) == 1


# -- what is returned --------------------------------------------------------------------------------------


def test_a_constant_result_is_the_callers_own():
    f = replay(lambda x: (x * 2, np.zeros(3)))
    for i in range(8):
        constant = f(X + i)[1]
        np.testing.assert_array_equal(constant, [0, 0, 0])
        constant[0] = 7


def test_a_result_with_a_graph_is_left_to_the_function():
    weight = ag.Tensor(np.ones(3), requires_grad=True)
    f = replay(lambda x: np.sum(weight * x))
    with pytest.warns(ReplayWarning, match="needs a gradient"):
        f(X)
    for i in range(6):
        weight.grad = None
        f(X + i).backward()
        np.testing.assert_array_equal(weight.grad, X + i)


def test_a_function_inside_may_use_what_was_computed_outside_of_it():
    def f(x):
        y = x * 2

        def inner(t):
            return t * y

        return inner(x) + 1

    assert_same_before_and_after(f, lambda: None)


# -- what is done beside -----------------------------------------------------------------------------------

count = 0


def counting(x):
    global count
    count += 1
    return x * 2


def test_what_a_function_counts_it_goes_on_counting():
    f = replay(counting)
    with pytest.warns(ReplayWarning, match="count changes from one call to the next"):
        each(f, 8)
    assert count == 8


@pytest.mark.parametrize("draw", [random.random, lambda: np.random.random()])  # noqa: NPY002
def test_what_is_drawn_elsewhere_is_drawn_each_time(draw):
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    f = replay(lambda x: x * 0 if draw() < 0.05 else x * 1)
    with pytest.warns(ReplayWarning, match="draws numbers from random or np.random"):
        zeros = sum(f(X)[0] == 0 for _ in range(500))
    assert 5 < zeros < 60


def test_a_generator_that_is_asked_now_and_then_is_noticed():
    generator = np.random.default_rng(0)
    f = replay(lambda x: x * 0 if generator.random() < 0.05 else x * 1)
    with pytest.warns(ReplayWarning, match="generator changes from one call to the next"):
        zeros = sum(f(X)[0] == 0 for _ in range(500))
    assert 5 < zeros < 60


# -- what is said ------------------------------------------------------------------------------------------


def test_a_warning_points_to_the_line_that_called():
    f = replay(lambda x: x * float(x[0]))
    with pytest.warns(ReplayWarning) as caught:
        each(f, 3)
    assert caught[0].filename == __file__
    model = nn.Sequential([layers.Input(shape=(3,)), layers.Activation(lambda x: x * float(x[0, 0].data))])
    model.compile("sgd", "mse")
    with pytest.warns(ReplayWarning) as caught:
        model.fit(np.ones((8, 3)), np.ones((8, 3)), batch_size=2, verbose=0)
    assert caught[0].filename == __file__


def test_numbers_that_change_with_every_call_belong_in_arrays():
    f = replay(lambda x, rate: x * rate)
    with pytest.warns(ReplayWarning, match=r"combinations of shapes and numbers; hand a number .* np.asarray"):
        found = [f(X, 0.1 * i) for i in range(40)]
    np.testing.assert_array_equal(found, [X * (0.1 * i) for i in range(40)])
    g = replay(lambda x, rate: x * rate)
    for i in range(40):
        np.testing.assert_array_equal(g(X, np.asarray(0.1 * i)), X * (0.1 * i))
    assert len(g.programs) == 1


def test_a_number_may_be_state():
    total = ag.Tensor(0.0)

    def add(x):
        total.data = total.data + np.sum(x)
        return total.data * 1

    f = replay(add, state=[total])
    assert [float(f(np.array([1.0, i]))) for i in range(8)] == [n + 1 + sum(range(n + 1)) for n in range(8)]
    assert f.programs


@pytest.mark.parametrize("state", [X, [X], ag.Tensor(X), 3])
def test_state_is_a_list_of_tensors(state):
    with pytest.raises(TypeError, match="state is a list of the Tensors that the function changes, not"):
        replay(np.tanh, state=state)


def test_modules_that_only_look_like_numba_do_no_harm(monkeypatch):
    import sys

    from autograd_core.replay import compiled

    monkeypatch.setitem(sys.modules, "numba", types.ModuleType("numba"))
    compiled.available.cache_clear()
    try:
        assert not compiled.available()
    finally:
        compiled.available.cache_clear()
