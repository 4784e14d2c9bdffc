"""Chains of arithmetic as compiled loops: the same bits, or else not used."""

from __future__ import annotations

import importlib
import os
import re
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_core as ag
import nn
from autograd_core.replay import replay
from nn import layers, losses, optimizers

cache, loops, parallel, spread = (
    importlib.import_module(f"autograd_core.replay.{name}")
    for name in ("cache", "numba.loops", "threads.parallel", "threads.spread")
)

rng = np.random.default_rng(0)
X = rng.normal(size=(22, 6)).astype(np.float32)
Y = rng.normal(size=(22, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def numba(judge):
    return judge("numba")


@pytest.fixture
def compiled_at_once():
    nn.config.set_numba(True)
    yield
    nn.config.set_numba("auto")


def loops_of(program):
    return [inst for inst in program.schedule.instructions if isinstance(inst.function, loops.Loop)]


def lasting(x):
    """A chain of eight calls."""
    return np.sqrt(np.square(x * 3 + 1) / 7 - x) * -x


STEPS = [np.add, np.subtract, np.multiply, np.divide, lambda x, y: x * 0.3, lambda x, y: 1 - y, lambda x, y: np.sqrt(x),
         lambda x, y: np.square(y), lambda x, y: abs(x), lambda x, y: -x, lambda x, y: np.tanh(x)]  # fmt: skip


@st.composite
def programs(draw):
    """Choices of a random chain: which step, and from which values."""
    n = draw(st.integers(4, 16))
    kinds = st.sampled_from(["value"] * 4 + ["state", "row", "turned"])
    return [
        (draw(kinds), draw(st.sampled_from(STEPS)), draw(st.integers(0, i + 1)), draw(st.integers(0, i + 1)))
        for i in range(n)
    ]


def run(steps, x, y, state):
    values = [x, y]
    for kind, function, i, j in steps:
        if kind == "state":
            state.data[...] = function(values[i], state.data)
            values.append(state.data * 2)
        elif kind == "row":
            values.append(function(values[i], values[j][0]))
        elif kind == "turned":
            values.append(function(values[i], values[j].T))
        else:
            values.append(function(values[i], values[j]))
    return values[-1], values[len(values) // 2]


@given(programs(), st.sampled_from([3, 40, 300]), st.sampled_from([np.float32, np.float64]))
@settings(max_examples=40, deadline=None)
def test_any_chain_makes_the_same_bits(steps, n, dtype):
    draws = [np.random.default_rng(i).normal(size=(n, n)).astype(dtype) for i in range(4)]
    mine, plain = (ag.Tensor(draws[3].copy()) for _ in range(2))
    replayed = replay(lambda x, y: run(steps, x, y, mine), state=[mine], numba=True)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in range(5):
            x, y = draws[i % 3], draws[(i + 1) % 3]
            for a, b in zip(replayed(x, y), run(steps, x, y, plain), strict=True):
                np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(mine.data, plain.data)
    assert all(program.schedule.hot for program in replayed.programs)


@pytest.mark.parametrize("n", [5, 40_000, 200_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_long_chain_is_one_loop(n, dtype):
    f = replay(lasting, numba=True)
    for i in range(5):
        x = np.random.default_rng(i).random(n).astype(dtype)
        with np.errstate(invalid="ignore"):
            assert f(x).tobytes() == lasting(x).tobytes()
    (program,) = f.programs
    reads_the_callers = n * np.dtype(dtype).itemsize > 1 << 18  # and is bound to another array each time
    assert len(loops_of(program)) == (0 if reads_the_callers else 1)
    if not reads_the_callers:
        assert "loop of 8" in f.show()
        assert "chains" in f.profile(x)
        assert program.schedule.size <= np.dtype(dtype).itemsize * n + 64  # the result and nothing in between


def test_short_chains_integers_and_what_is_no_arithmetic_stay_with_numpy():
    for f in (lambda x: np.sqrt(x * 2), lambda x: np.tanh(x * 2) + 1, lambda x: np.exp(x)):
        short = replay(f, numba=True)
        for i in range(5):
            short(np.ones(5) * i)
        assert short.programs
        assert not loops_of(short.programs[0])
    whole = replay(lambda x: ((x * 3 + 1) * x - 2) * x, numba=True)
    for i in range(5):
        assert whole(np.arange(5) + i).tolist() == [((x * 3 + 1) * x - 2) * x for x in range(i, i + 5)]
    assert not loops_of(whole.programs[0])


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.05),
    "momentum": lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "rmsprop": lambda: optimizers.RMSprop(momentum=0.5, centered=True),
    "adam": optimizers.Adam,
    "amsgrad": lambda: optimizers.Adam(amsgrad=True, clipnorm=0.5),
    "adamw": optimizers.AdamW,
    "adagrad": optimizers.Adagrad,
    "adadelta": optimizers.Adadelta,
}


@pytest.mark.every(2)
@pytest.mark.usefixtures("compiled_at_once")
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("in_threads", [False, True])
def test_each_optimizer_trains_the_same(name, in_threads, monkeypatch):
    monkeypatch.setattr(parallel, "workers", lambda: 1 + in_threads)
    monkeypatch.setattr(spread, "SHORT", -1)
    monkeypatch.setattr(spread, "BARRIER", 0)
    monkeypatch.setattr(spread, "LARGE", 0)
    found = []
    for eagerly in (True, False):
        nn.utils.set_random_seed(1)
        middle = [layers.Dense(64, "tanh"), layers.BatchNormalization(), layers.Dense(600, "relu")]
        model = nn.Sequential([layers.Input(shape=(6,)), *middle, layers.Dropout(0.3), layers.Dense(3)])
        model.compile(OPTIMIZERS[name](), losses.MeanSquaredError(), run_eagerly=eagerly)
        history = model.fit(X, Y, batch_size=8, epochs=8, verbose=0).history
        found.append((history["loss"], model.get_weights(), model.optimizer.get_weights()))
    compare = np.testing.assert_array_equal if not in_threads else close  # sums in two halves
    for mine, plain in zip(*(([*f[1], *f[2], np.array(f[0])]) for f in found), strict=True):
        compare(plain, mine)
    assert [len(loops_of(p)) > 0 for p in model.schedule.programs] == [True] * 2  # the slope of tanh, and most rules
    assert [p.schedule.saved for p in model.schedule.programs] == [[]] * 2  # a loop cannot fail: no weight is copied


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_what_was_handed_out_before_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(cache, "HOT_AFTER", 0.0)
    f = replay(lasting)
    found = [f(np.full(5, 1.0 + i)) for i in range(8)]
    assert f.programs[0].schedule.hot
    assert loops_of(f.programs[0])
    np.testing.assert_array_equal(found, [lasting(np.full(5, 1.0 + i)) for i in range(8)])


def test_nothing_is_compiled_before_it_is_worth_it_nor_where_it_is_turned_off(monkeypatch):
    patient, never = replay(lasting), replay(lasting, numba=False)
    for f in (patient, never):
        for _ in range(6):
            f(np.ones(4))
        assert not f.programs[0].schedule.hot
    monkeypatch.setattr(cache, "HOT_AFTER", 0.0)
    never = replay(lasting, numba=False)
    for _ in range(6):
        never(np.ones(4))
    assert not never.programs[0].schedule.hot


@pytest.mark.parametrize(
    ("function", "formula"),
    [(np.divide, "{} * (1 / {})"), (np.sqrt, "sqrt({}) * 1.0000001"), (np.multiply, "{} * {} * 1.0000001")],
)
def test_a_loop_that_makes_other_bits_is_not_used(function, formula, monkeypatch):
    monkeypatch.setitem(loops._FORMULAS, function, formula)
    f = replay(lasting, numba=True)
    for i in range(6):
        x = np.random.default_rng(i).random(1000)
        assert f(x).tobytes() == lasting(x).tobytes()
    assert f.programs[0].schedule.hot
    assert not loops_of(f.programs[0])


@pytest.mark.usefixtures("compiled_at_once")
@pytest.mark.parametrize("optimizer", [optimizers.Adam, optimizers.Adadelta])
def test_a_wrong_root_is_found_in_an_optimizers_long_chain_too(optimizer, monkeypatch):
    monkeypatch.setitem(loops._FORMULAS, np.sqrt, "sqrt({}) * 1.0000001")
    model = nn.Sequential([layers.Input(shape=(6,)), layers.Dense(3)])
    model.compile(optimizer(), "mse")
    for _ in range(6):
        model.train_on_batch(X, Y)
    (program,) = model.schedule.programs
    assert program.schedule.hot
    assert any(inst.function is np.sqrt for inst in program.schedule.instructions)


def test_a_first_call_that_reads_what_it_overwrites_elsewhere_is_no_loop():
    def shifted(a, t):
        np.add(t[:-1], a, out=t[1:])
        return ((a * 3 + 1) / 7 - a) * a

    state, plain = ag.Tensor(rng.random(20)), None
    plain = state.data.copy()
    f = replay(lambda a: shifted(a, state.data), state=[state], numba=True)
    for _ in range(7):
        a = rng.random(19)
        np.testing.assert_array_equal(f(a), shifted(a, plain))
        np.testing.assert_array_equal(state.data, plain)
    assert f.programs[0].schedule.hot


def test_a_long_computation_is_cut_into_loops_of_a_hundred_calls():
    def flow(x):
        for _ in range(120):
            x = x + 0.01 * (1.0 - x * x)
        return x

    f = replay(flow, numba=True)
    for i in range(6):
        x = np.full(7, i / 6)
        assert f(x).tobytes() == flow(x).tobytes()
    assert [call.function.__name__ for call in loops_of(f.programs[0])] == ["loop of 100"] * 4 + ["loop of 80"]


def test_without_its_compiler_numba_is_of_no_use(numba, monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    f = replay(lasting, numba=True)
    for i in range(6):
        np.testing.assert_array_equal(f(np.full(5, 1.0 + i)), lasting(np.full(5, 1.0 + i)))
    assert not loops_of(f.programs[0])


def test_where_numba_fails_everything_runs_on_and_it_is_said(monkeypatch, warnings_are_only_shown):
    def broken(source):
        raise ImportError("Numba needs NumPy 1.0 or less")

    monkeypatch.setattr(loops, "_compile", broken)
    f = replay(lasting, numba=True)
    for _ in range(5):
        f(np.ones(5))
    assert re.search(r"lasting is not compiled.*Numba needs NumPy 1\.0", warnings_are_only_shown.pop())
    for i in range(3):
        np.testing.assert_array_equal(f(np.full(5, 1.0 + i)), lasting(np.full(5, 1.0 + i)))
    assert f.programs


def test_ctrl_c_while_it_is_compiled_leaves_a_function_that_runs_on(monkeypatch):
    looped = loops._looped
    interrupts = iter([KeyboardInterrupt])

    def interrupted(group, own):
        for error in interrupts:
            raise error
        return looped(group, own)

    monkeypatch.setattr(loops, "_looped", interrupted)
    state = ag.Tensor(np.ones(5))

    def count(x):
        state.data[...] = np.tanh(lasting(state.data + x))
        return state.data * 1

    f = replay(count, state=[state], numba=True)
    expected, seen = np.ones(5), 0
    for i in range(12):
        try:
            found = f(np.full(5, float(i)))
        except KeyboardInterrupt:  # before anything was done
            seen += 1
        else:
            expected = np.tanh(lasting(expected + i))
            np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(state.data, expected)
    assert seen == 1
    assert loops_of(f.programs[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_forked_off_while_another_thread_compiles_does_not_wait_for_it(monkeypatch):
    monkeypatch.setattr(loops, "_compiling", [True])
    monkeypatch.setattr(loops, "_forked_off", [])
    f = replay(lasting, numba=True)
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are threads
        child = os.fork()
    if not child:
        for i in range(6):
            f(np.full(5, 1.0 + i))
        os.write(write, bytes([f.programs[0].schedule.hot, len(loops_of(f.programs[0]))]))
        os._exit(0)
    os.waitpid(child, 0)
    assert list(os.read(read, 2)) == [1, 0]


def test_without_numba_everything_runs_as_it_is_and_nothing_is_said(monkeypatch):
    monkeypatch.setattr(loops, "available", lambda: False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f = replay(lasting, numba=True)
    for _ in range(5):
        np.testing.assert_array_equal(f(np.ones(3)), lasting(np.ones(3)))
    assert f.programs
