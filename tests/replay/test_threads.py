"""Programs in several threads: what runs beside what, and that nothing shows but the time."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import subprocess
import sys
import textwrap
import threading
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

import autograd_core as ag
import nn
from autograd_core.replay import replay
from nn import layers

blas, spread, parallel = (
    importlib.import_module(f"autograd_core.replay.{name}") for name in ("blas", "threads.spread", "threads.parallel")
)


@contextlib.contextmanager
def in_so_many(n):
    """Every program with workers, however small, and every group cut that can be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "workers", lambda: n)
        patch.setattr(spread, "SHORT", -1)
        patch.setattr(spread, "BARRIER", 0)
        patch.setattr(spread, "LARGE", 0)
        yield


@pytest.fixture(params=[2, 3])
def in_threads(request):
    with in_so_many(request.param):
        yield request.param


def products():
    """The threads of NumPy's products; SciPy, which a test may have loaded since, has others of its own."""
    ours = {library.filepath for library in blas.products()}
    return [library["num_threads"] for library in threadpool_info() if library["filepath"] in ours]


@pytest.fixture(scope="module", autouse=True)
def products_in_two_threads():
    """So that it shows whether they have got their threads back."""
    with threadpool_limits(2, "blas"):
        assert 1 not in products()
        yield


# -- functions in parallel ---------------------------------------------------------------------------------


def test_all_have_come_to_a_barrier_before_any_leaves_it():
    counts = [0, 0, 0]
    seen = []

    def run(i, wait):
        for _ in range(300):
            counts[i] += 1
            wait()
            seen.append(max(counts) - min(counts))
            wait()

    parallel.run_parallel([lambda wait, i=i: run(i, wait) for i in range(3)])
    assert counts == [300] * 3
    assert set(seen) == {0}


def test_products_keep_to_one_thread_meanwhile_and_no_thread_is_left():
    before, running, found = products(), threading.active_count(), []
    with threadpool_limits(3, "blas"):
        parallel.run_parallel([lambda wait: found.append(products()), lambda wait: found.append(products())])
        assert set(products()) == {3}
    assert found == [[1] * len(before)] * 2
    assert products() == before
    assert threading.active_count() == running


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_stops_the_others_at_their_next_barrier(failing):
    reached, before = [], products()

    def run(i, wait):
        wait()
        if i == failing:
            raise ValueError(f"worker {i}")
        wait()
        reached.append("after")

    with pytest.raises(ValueError, match=f"worker {failing}"):
        parallel.run_parallel([lambda wait, i=i: run(i, wait) for i in range(2)])
    assert reached == []
    assert products() == before


def test_what_errstate_says_holds_in_all_threads():
    found = []
    with np.errstate(over="ignore", divide="call"):
        parallel.run_parallel([lambda wait: None, lambda wait: found.append(np.geterr())])
    assert (found[0]["over"], found[0]["divide"]) == ("ignore", "call")


def test_who_limited_products_to_one_thread_gets_one_worker():
    with threadpool_limits(1, "blas"):
        assert parallel.workers() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_forked_meanwhile_may_use_all_threads_again():
    code = """
        import importlib, os, numpy, warnings
        warnings.simplefilter("ignore")
        blas = importlib.import_module("autograd_core.replay.blas")
        libraries = blas.products()
        before = [library.get_num_threads() for library in libraries]
        with blas.limited():
            child = os.fork()
            if not child:
                os._exit([library.get_num_threads() for library in libraries] != before or blas.limited.used)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(libraries))
    """
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, env=environment
    )
    assert done.stdout.split()[0] == "0", done.stderr


# -- schedules with workers ------------------------------------------------------------------------------------


def elements(view, schedule):
    """The address of each element, in the arena or in the buffer that it belongs to."""
    base = schedule.offsets.get(view.buffer)
    owner = "arena" if base is not None else view.buffer
    steps = [np.arange(n) * s for n, s in zip(view.shape, view.strides, strict=True)]
    addresses = (base or 0) + view.offset + sum(np.ix_(*steps)) if steps else np.array((base or 0) + view.offset)
    return owner, set(np.asarray(addresses).ravel().tolist())


def touched(group, views, schedule):
    found = defaultdict(set)
    for view in views:
        if view.buffer in group.local:  # blocks of it, one after another at the same addresses
            start, size = schedule.offsets[view.buffer], view.buffer.size // group.rows * group.block
            found["arena"].update(range(start, start + size))
        else:
            owner, addresses = elements(view, schedule)
            found[owner].update(addresses)
    return found


def assert_no_race(schedule):
    """Between two barriers no worker changes what another reads or changes."""
    stretches = defaultdict(list)
    for group in schedule.groups:
        stretches[group.barriers].append(group)
    for groups in stretches.values():
        reads = {group: touched(group, group.reads, schedule) for group in groups}
        writes = {group: touched(group, group.writes, schedule) for group in groups}
        for a, b in itertools.permutations(groups, 2):
            if a.worker != b.worker:
                for owner, addresses in writes[a].items():
                    assert addresses.isdisjoint(reads[b][owner] | writes[b][owner])


UNARY = [np.tanh, np.negative, lambda x: np.maximum(x, 0.2), lambda x: x.T, lambda x: x @ x, lambda x: x - x.mean(0),
         lambda x: np.sum(x, axis=1, keepdims=True) + x, lambda x: np.concatenate([x[2:], np.exp(x[:2])])]  # fmt: skip
BINARY = [np.add, np.multiply, np.matmul]


@settings(max_examples=120, deadline=None)
@given(
    n=st.integers(2, 3),
    choices=st.lists(st.tuples(st.integers(0, 10), st.integers(0, 99), st.integers(0, 99)), min_size=2, max_size=12),
)
def test_any_program_computes_the_same_without_races(n, choices):
    def run(x, y, state):
        values = [x, y]
        for kind, i, j in choices:
            a, b = values[i % len(values)], values[j % len(values)]
            if kind < len(UNARY):
                values.append(np.tanh(UNARY[kind](a)))
            else:
                values.append(np.tanh(BINARY[kind - len(UNARY)](a, b)))
            if j % 4 == 0:
                state.data[...] = state.data * 0.5 + values[-1]
                values.append(state.data * 1)
        return values[-1], values[len(values) // 2] * 1

    rng = np.random.default_rng(0)
    batches = [(rng.normal(size=(6, 6)), rng.normal(size=(6, 6))) for _ in range(5)]
    states = [ag.Tensor(np.full((6, 6), 0.3)) for _ in range(2)]
    replayed = replay(lambda x, y: run(x, y, states[1]), state=[states[1]])
    with in_so_many(n):
        for x, y in batches:
            for a, b in zip(run(x, y, states[0]), replayed(x, y), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(states[0].data, states[1].data, rtol=1e-12, atol=1e-12)
        for program in replayed.programs:
            assert_no_race(program.schedule)


def network(eagerly):
    nn.utils.set_random_seed(0)
    model = nn.Sequential(
        [
            layers.Input((12, 12, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(20, activation="tanh"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=eagerly)
    return model


def test_a_network_trains_the_same(in_threads):
    rng = np.random.default_rng(0)
    batches = [(rng.normal(size=(9, 12, 12, 1)).astype("float32"), rng.integers(0, 3, 9)) for _ in range(7)]
    eager, replayed = network(True), network(False)
    for x, y in batches:
        a, b = eager.train_on_batch(x, y), replayed.train_on_batch(x, y)
        np.testing.assert_allclose(a, b, rtol=1e-5)
    for u, v in zip(eager.get_weights(), replayed.get_weights(), strict=True):
        np.testing.assert_allclose(u, v, rtol=1e-5, atol=1e-6)
    (program,) = replayed.schedule.programs
    assert program.schedule.workers == in_threads
    assert_no_race(program.schedule)


def test_no_state_is_changed_by_one_worker_before_another_has_done_what_may_fail(in_threads):
    w = ag.Tensor(np.zeros(4))

    def f(x, i):
        w.data[...] = w.data + np.tanh(x[0])
        return np.take(np.exp(x), i, axis=0) + w.data

    def late(x, i):
        taken = np.take(np.exp(x), i, axis=0)
        w.data[...] = w.data + np.tanh(x[0])
        return taken * 1

    made = replay(late, state=[w])
    for _ in range(4):
        made(np.ones((3, 4)), np.array([0, 2]))
    before = w.data.copy()
    with pytest.raises(IndexError):
        made(np.ones((3, 4)), np.array([0, 3]))
    np.testing.assert_array_equal(w.data, before)


def test_small_programs_and_single_threads_have_one_worker(monkeypatch):
    f = replay(lambda x: np.tanh(x @ x) + 1)
    for _ in range(4):
        f(np.ones((20, 20)))
    assert f.programs[0].schedule.workers == 1
    g = replay(lambda x: np.tanh(x @ x) + 1)
    monkeypatch.setattr(parallel, "workers", lambda: 1)
    for _ in range(4):
        g(np.ones((500, 500)))
    assert g.programs[0].schedule.workers == 1


def test_large_groups_are_cut_and_a_batch_stays_with_its_worker(monkeypatch):
    monkeypatch.setattr(parallel, "workers", lambda: 2)
    f = replay(lambda x: np.sum(np.tanh(np.tanh(x) * x) @ np.ones((3000, 2)), axis=0))
    for _ in range(4):
        f(np.ones((800, 3000)))
    (program,) = f.programs
    chains = [group for group in program.schedule.groups if group.rows]
    assert {group.worker for group in chains} == {0, 1}
    assert sum(group.rows for group in chains) == 800 * 3000
    assert program.schedule.groups[-1].barriers == 1


def test_ctrl_c_while_products_get_their_threads_back_gives_them_back(monkeypatch):
    before, restore = blas.limited.usual(), blas._Limit.restore
    pressed = []

    def interrupted(limit):
        if not pressed:
            pressed.append(True)
            raise KeyboardInterrupt
        restore(limit)

    monkeypatch.setattr(blas._Limit, "restore", interrupted)
    with pytest.raises(KeyboardInterrupt), blas.limited():
        assert all(p.get_num_threads() == 1 for p in blas.products())
    assert not blas.limited.used
    assert [p.get_num_threads() for p in blas.products()] == before


@pytest.fixture
def threads_run_out(monkeypatch):
    """After so many no further thread can be started, as at a limit of the system, or at once in a browser."""
    start, left = threading.Thread.start, []

    def begin(thread):
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", begin)
    return lambda n: left.extend([None] * n)


@pytest.mark.parametrize("n", [0, 1])
def test_where_a_thread_cannot_start_nothing_is_run(threads_run_out, n):
    threads_run_out(n)
    found = []
    with pytest.raises(parallel.NoThreads, match="expected threads that can be started, got can't start new thread"):
        parallel.run_parallel([lambda wait, i=i: found.append(i) for i in range(3)])
    assert found == []
    assert threading.active_count() == 1
    assert 1 not in products()


@pytest.mark.parametrize("n", [0, 1])
def test_where_a_thread_cannot_start_one_does_all_the_work(threads_run_out, n):
    x = np.linspace(-1, 1, 36).reshape(6, 6)

    def step(x, state):
        state.data[...] = state.data * 0.5 + np.tanh(x @ x)
        return np.exp(x) @ np.sin(x) + state.data

    ours, theirs = (ag.Tensor(np.zeros((6, 6))) for _ in range(2))
    replayed = replay(lambda x: step(x, ours), state=[ours])
    with in_so_many(3):
        for _ in range(6):
            threads_run_out(n)
            np.testing.assert_allclose(replayed(x), step(x, theirs), rtol=1e-12)
            np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-12)
    assert replayed.programs[0].schedule.workers > 1
    assert threading.active_count() == 1


def test_an_error_of_a_function_does_not_hide_ctrl_c():
    begun, failed = threading.Event(), threading.Event()

    def fails(wait):
        begun.wait()
        failed.set()
        raise ValueError("an error that somebody catches")

    def pressed(wait):
        begun.set()
        failed.wait()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parallel.run_parallel([pressed, fails])
    assert threading.active_count() == 1


def test_a_thread_that_comes_to_life_late_does_nothing(monkeypatch):
    """Ctrl-C can come in the middle of starting it, when nobody can know yet that it runs."""
    found, start = [], threading.Thread.start

    def interrupted(thread):
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    made = []
    init = threading.Thread.__init__
    monkeypatch.setattr(threading.Thread, "__init__", lambda self, *a, **k: (made.append(self), init(self, *a, **k))[1])
    with pytest.raises(KeyboardInterrupt):
        parallel.run_parallel([lambda wait: found.append(0), lambda wait: found.append(1)])
    monkeypatch.undo()
    start(made[0])
    made[0].join()
    assert found == []
