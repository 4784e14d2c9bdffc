"""What is computed again instead of remembered: the same gradients, in less memory."""

import functools
import random
import threading
import tracemalloc

import numpy as np
import pytest

import nn
from autograd_core import GraphError, Tensor, checkpoint, grad, hessian, jvp, no_grad
from autograd_core.errors import ReplayError
from autograd_core.replay import replay


def bend(x):
    return np.tanh(x) * x


def test_derivatives_of_any_order_are_those_of_the_function():
    x = 0.7
    for order in range(1, 5):
        plain, frugal = bend, checkpoint(bend)
        for _ in range(order):
            plain, frugal = grad(plain), grad(frugal)
        assert frugal(x) == pytest.approx(plain(x), rel=1e-12)


def test_it_nests():
    twice = checkpoint(lambda x: np.sin(checkpoint(bend)(x)))
    assert grad(twice)(0.7) == pytest.approx(grad(lambda x: np.sin(bend(x)))(0.7), rel=1e-13)
    x = np.array([0.1, -0.4, 2.0])
    got, expected = (hessian(lambda v, h=h: np.sum(h(v) ** 2))(x) for h in (twice, lambda v: np.sin(bend(v))))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_forward_derivatives_pass_through():
    np.testing.assert_allclose(jvp(checkpoint(bend), (0.7,), (2.0,)), jvp(bend, (0.7,), (2.0,)), rtol=1e-13)


def test_what_the_function_closes_over_gets_its_gradient():
    weight, x = Tensor([2.0, 3.0]), Tensor([0.5, -1.0])
    np.sum(checkpoint(lambda v: v * weight)(x)).backward()
    assert weight.grad.tolist() == [0.5, -1.0]
    assert x.grad.tolist() == [2.0, 3.0]


def test_a_tensor_that_is_an_argument_and_closed_over_gets_both_gradients():
    x = Tensor(3.0)
    checkpoint(lambda v: v * x)(x).backward()
    assert x.grad == 6.0


def test_a_closed_over_intermediate_passes_its_gradient_on_when_the_graph_is_released():
    x = Tensor(3.0)
    middle = x * x
    checkpoint(lambda v: v * middle)(x).backward(release=True)
    assert x.grad == 27.0


def test_structures_go_in_and_come_out():
    def f(pair, *, scale):
        return {"sum": pair[0] + pair[1], "rest": [scale * pair[0] * pair[1], "label", None]}

    x, y = Tensor([1.0, 2.0]), Tensor(np.float32([3.0, 4.0]))
    out = checkpoint(f)((x, y), scale=2.0)
    assert out["rest"][1:] == ["label", None]
    assert out["rest"][0].dtype == np.float64
    np.sum(out["sum"] * out["rest"][0]).backward()
    # d/dx of 2 (x + y) x y is 2 y (2 x + y)
    assert x.grad.tolist() == [30.0, 64.0]
    assert y.grad.tolist() == [14.0, 40.0]
    assert y.grad.dtype == np.float32


def test_a_result_that_is_an_argument_is_left_alone():
    x = Tensor(2.0)
    same, square = checkpoint(lambda v: (v, v * v))(x)
    assert same is x
    (same * square).backward()
    assert x.grad == 12.0


def test_a_function_of_constants_records_nothing():
    assert checkpoint(bend)(2.0) == bend(2.0)
    with no_grad():
        assert not checkpoint(bend)(Tensor(2.0)).requires_grad


def test_the_function_runs_once_more_for_each_backward_walk_and_not_once_for_each_argument():
    calls = []

    def f(x, y, w):
        calls.append(1)
        return x * y * w

    checkpoint(f)(Tensor(2.0), Tensor(3.0), Tensor(4.0)).backward()
    assert len(calls) == 2


def test_memory_is_that_of_the_ends_and_of_one_part():
    def part(x):
        for _ in range(10):
            x = np.tanh(x)
        return x

    def peak(part):
        def whole(x):
            for _ in range(10):
                x = part(x)
            return np.sum(x)

        x = np.full(100_000, 0.5)
        tracemalloc.start()
        grad(whole)(x)
        peak = tracemalloc.get_traced_memory()[1] / x.nbytes
        tracemalloc.stop()
        return peak

    assert peak(part) > 100
    assert peak(checkpoint(part)) < 30


# -- a second run that finds everything as the first did --------------------------------------------------------


class Noisy:
    """What has a generator as an attribute."""

    def __init__(self, generator):
        self.generator = generator

    def drop(self, x):
        return x * (self.generator.random(np.shape(x)) < 0.5) * 2


own = np.random.default_rng(4)
noisy = Noisy(np.random.default_rng(5))


def drawers():
    closed, legacy, python, inside = np.random.default_rng(1), np.random.RandomState(2), random.Random(3), Noisy(own)
    dropout = nn.layers.Dropout(0.5)
    bits = np.random.MT19937(3)
    return {
        "of nn, with dropout": lambda x: dropout(x, training=True),
        "of NumPy": lambda x: x * (np.random.random(np.shape(x)) < 0.5) * 2,  # noqa: NPY002
        "of Python": lambda x: x * np.array([random.random() < 0.5 for _ in range(x.size)]) * 2,
        "in a variable": lambda x: x * (closed.random(np.shape(x)) < 0.5) * 2,
        "of the module": lambda x: x * (own.random(np.shape(x)) < 0.5) * 2,
        "an old one": lambda x: x * (legacy.random_sample(np.shape(x)) < 0.5) * 2,
        "one of Python's own": lambda x: (
            x * np.array([python.random() < 0.5 for _ in range(x.size)]).reshape(x.shape) * 2
        ),
        "its bits": lambda x: x * (np.random.Generator(bits).random(np.shape(x)) < 0.5) * 2,
        "an attribute of a variable": lambda x: inside.drop(x),
        "an attribute of what it is a method of": noisy.drop,
        "an argument": functools.partial(lambda g, x: x * (g.random(np.shape(x)) < 0.5) * 2, np.random.default_rng(6)),
        "drawn from several times": lambda x: dropout(dropout(x, training=True), training=True) + closed.normal(size=6),
    }


@pytest.mark.parametrize("name", drawers())
def test_the_second_run_draws_the_random_numbers_of_the_first(name):
    afterwards = []
    for made in (checkpoint, lambda f: f):
        nn.utils.set_random_seed(0)
        drop = made(drawers()[name])
        x = Tensor(np.arange(1.0, 7.0)[None])
        y = drop(x)
        between = random.random(), np.random.random()  # noqa: NPY002
        y.sum().backward()
        if name == "drawn from several times":
            assert set(x.grad.ravel().tolist()) <= {0, 4}
        else:
            np.testing.assert_array_equal(x.grad * x.data, y.data)  # 2 exactly where the output is not 0
        afterwards.append((between, random.random(), np.random.random()))  # noqa: NPY002
    assert afterwards[0] == afterwards[1]  # everyone draws then what they would have drawn without it


def test_every_derivative_sees_the_same_random_numbers():
    rng = np.random.default_rng(0)

    def f(x):
        return np.sum((x * (rng.random(5) < 0.5)) ** 3)

    x = np.arange(1.0, 6.0)
    matrix = hessian(checkpoint(f))(x)
    kept = np.diag(matrix) != 0
    assert 0 < kept.sum() < 5
    np.testing.assert_allclose(matrix, np.diag(6 * x * kept))


def test_state_is_changed_once():
    norm = nn.layers.BatchNormalization(momentum=0.5)
    norm.build((None, 1))
    x = Tensor(np.full((4, 1), 8.0, "float32"))
    y = checkpoint(lambda t: norm(t, training=True))(x)
    before, memory = norm.moving_mean.data.copy(), norm.moving_mean.data
    (norm.moving_mean * 1).sum()  # nothing that was computed from it in between is stale
    z = norm.gamma * 1 + norm.moving_variance
    y.sum().backward()
    z.sum().backward()
    assert before == norm.moving_mean.data == 4
    assert norm.moving_mean.data is memory


def test_a_part_of_a_model_in_training_is_in_training_again():
    dropout = nn.layers.Dropout(0.5, seed=1)

    class Part(nn.layers.Layer):
        def call(self, x):
            return checkpoint(lambda t: dropout(t))(x)

    x = Tensor(np.arange(1.0, 41.0)[None])
    y = Part()(x, training=True)
    y.sum().backward()
    assert 0 < np.count_nonzero(y.data) < 40
    np.testing.assert_array_equal(x.grad * x.data, y.data)


unknown = [np.random.default_rng(0)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_has_changed_in_between_is_an_error_that_names_it(dtype):
    k, x = {"v": dtype(1)}, Tensor(np.array([1.0, 2.0], dtype))

    def scaled(t):
        return t * k["v"]

    y = checkpoint(scaled)(x)
    k["v"] = dtype(1.001)
    with pytest.raises(GraphError, match=r"scaled, which checkpoint ran again .*: 1.001 now, 1 then at index \[0\]"):
        y.sum().backward()
    assert x.grad is None
    k["v"] = dtype(1)
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, n: t[: n + 1] * 2, r"float64\[1\] was recorded, and now float64\[2\]"),
        (lambda t, n: t * 2 if n == 0 else np.ones(4), "and now nothing"),
        (lambda t, n: t * (1 if n == 0 else np.nan), "nan now, 0 then"),
        (lambda t, n: t * unknown[0].random(4), "from a generator that is not known"),
    ],
)
def test_a_second_run_that_goes_another_way_is_an_error(change, message):
    runs = iter(range(5))
    y = checkpoint(lambda t: change(t, next(runs)))(Tensor(np.arange(4.0)))
    with pytest.raises(GraphError, match=message):
        y.sum().backward()


def test_state_that_only_the_second_run_changes_is_an_error():
    state, runs = Tensor([0.0], requires_grad=False), iter(range(5))

    def f(x):
        if next(runs):
            state.data = [1.0]
        return x * 2

    y = checkpoint(f)(Tensor([1.0]))
    with pytest.raises(GraphError, match=r"changed a constant .* which it did not change the first time"):
        y.sum().backward()


def test_leaves_made_and_changed_inside_are_nobodys_state():
    def f(x):
        inner = Tensor([1.0], requires_grad=False)
        inner.data = [3.0]
        return x * inner

    x = Tensor([2.0])
    checkpoint(f)(x).sum().backward()
    assert x.grad.tolist() == [3]


def test_infinities_and_nans_are_the_same_the_second_time():
    x = Tensor([0.0, 1.0, -1.0])
    with np.errstate(all="ignore"):
        checkpoint(lambda t: np.log(t) * 1)(x).sum().backward()
    assert x.grad.tolist()[:2] == [np.inf, 1]


def test_after_an_error_in_the_second_run_generators_stand_as_before():
    runs = iter(range(5))

    def f(x):
        np.random.random()  # noqa: NPY002
        if next(runs):
            raise KeyError("stop")
        return x * 2

    np.random.seed(3)  # noqa: NPY002
    y = checkpoint(f)(Tensor([1.0]))
    with pytest.raises(KeyError):
        y.sum().backward()
    after = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    assert after == np.random.random(2)[1]  # noqa: NPY002


def test_threads_watch_their_own_runs():
    results = []

    def work(seed):
        drop = nn.layers.Dropout(0.5, seed=seed)
        for _ in range(20):
            x = Tensor(np.arange(1.0, 9.0)[None])
            y = checkpoint(lambda t: drop(t, training=True))(x)
            y.sum().backward()
            results.append(np.array_equal(x.grad * x.data, y.data))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 40


def test_a_replayed_step_that_draws_in_a_checkpoint_is_refused():
    drop, twin = (nn.layers.Dropout(0.5, seed=1) for _ in range(2))
    slope = grad(lambda x: np.sum(checkpoint(lambda t: drop(t, training=True))(x) * x))
    plain = grad(lambda x: np.sum(twin(x, training=True) * x))
    replayed, x = replay(slope), np.arange(6.0)[None]
    np.testing.assert_array_equal(replayed(x), plain(x))  # the first call runs as it is
    with pytest.raises(ReplayError, match="what checkpoint runs again draws random numbers"):
        replayed(x)
    np.testing.assert_array_equal(slope(x), plain(x))  # nothing was drawn


def test_a_replayed_step_with_a_pure_checkpoint_and_state_is_replayed():
    def made():
        norm = nn.layers.BatchNormalization(momentum=0.5, center=False, scale=False)
        norm.build((None, 2))
        return norm

    norms = made(), made()
    slopes = [
        grad(lambda x: np.sum(checkpoint(lambda t: norms[0](t, training=True))(x) ** 3)),
        grad(lambda x: np.sum(norms[1](x, training=True) ** 3)),
    ]
    fast = replay(slopes[0], state=norms[0].weights)
    rng = np.random.default_rng(0)
    for _ in range(8):
        x = rng.normal(size=(5, 2)).astype("float32")
        np.testing.assert_allclose(fast(x), slopes[1](x), rtol=1e-5)
        np.testing.assert_array_equal(norms[0].moving_mean.data, norms[1].moving_mean.data)


def test_a_change_that_leaves_the_values_as_they_were_is_not_noticed():
    factors, x = np.ones(2), Tensor(np.zeros(2))
    z = np.sum(checkpoint(lambda v: v * factors)(x))
    factors[:] = 5
    z.backward()
    np.testing.assert_array_equal(x.grad, [5, 5])  # as its docstring says
