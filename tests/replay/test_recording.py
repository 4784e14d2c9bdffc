"""What a recording follows, and what it refuses to let go."""

from __future__ import annotations

import re
import threading
import weakref

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.replay import Replay, ReplayError, Source, decide, replay
from autograd_core.replay.state import TensorRef
from autograd_core.replay.tape import Recording

X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -6.0]])


def runs(f, batches, **options):
    """What ``f`` and its replay give for the same batches, and the replay."""
    replayed = replay(f, **options)
    return [f(*b) for b in batches], [replayed(*b) for b in batches], replayed


def batches(*shapes, n=6, dtype=np.float64):
    rng = np.random.default_rng(7)
    return [tuple(rng.uniform(0.1, 0.9, s).astype(dtype) for s in shapes) for _ in range(n)]


def each(made, given):
    return [made(*arguments) for arguments in given]


def assert_same(eager, replayed):
    for a, b in zip(eager, replayed, strict=True):
        a, b = (a, b) if isinstance(a, tuple | list) else ((a,), (b,))
        for u, v in zip(a, b, strict=True):
            assert np.asarray(u).dtype == np.asarray(v).dtype
            np.testing.assert_array_equal(u, v)


# -- views, writes, numbers --------------------------------------------------------------------------------


def test_views_of_every_kind_are_followed_by_their_memory():
    def f(x):
        y = np.exp(x)
        parts = [y.T[1:], y[::-1, ::2], np.broadcast_to(y[0], (4, 3)), np.expand_dims(y, 1)[..., 0], y.reshape(3, 2)]
        return [np.sum(p * p) for p in parts] + [np.swapaxes(y, 0, 1) + 0, y.ravel() + 0]

    eager, replayed, made = runs(f, batches((2, 3)))
    assert_same(eager, replayed)
    assert made.programs


def test_an_array_that_is_filled_in_pieces_is_recorded():
    def f(x):
        z = np.zeros_like(x)
        z[0] = x[1]
        z[1, 1:] += x[0, :2] * 2
        np.add.at(z, (np.array([0, 0]), np.array([2, 2])), x[1, :2])
        np.maximum(z, 0.5, out=z)
        np.copyto(z, -1, where=x > 0.8)
        z[np.array([1]), np.array([0])] = x[0, 0]
        return z

    eager, replayed, made = runs(f, batches((2, 3)))
    assert_same(eager, replayed)
    assert made.programs


def test_conversions_and_whole_numbers_are_recorded():
    def f(x):
        labels = np.argmax(x, axis=1)
        picked = x[np.arange(len(x)), labels]
        return picked, (x > 0.5).astype(np.float32).sum(0), x.astype(np.float32) ** 2, np.concatenate([x, x[:, ::-1]])

    eager, replayed, made = runs(f, batches((4, 3)))
    assert_same(eager, replayed)
    assert made.programs


@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (300, 500)])
def test_arrays_without_axes_without_elements_and_of_many_blocks(shape):
    def f(x, y):
        z = np.tanh(x * 2 - y) / (1 + y * y)
        return z, np.sum(z), z.T * 0.5 + 1, np.where(z > 0, z, 0.1 * z)

    eager, replayed, made = runs(f, batches(shape, shape))
    assert_same(eager, replayed)
    assert made.programs


def test_a_second_derivative_is_replayed():
    f = ag.grad(lambda x: np.sum(ag.grad(lambda y: np.sum(np.sin(y) * y))(x) ** 2))
    eager, replayed, made = runs(f, batches((5,)))
    assert_same(eager, replayed)
    assert made.programs


def test_each_combination_of_shapes_and_dtypes_has_a_program_of_its_own():
    f = replay(lambda x: np.sum(np.exp(x), axis=0))
    for dtype in (np.float32, np.float64):
        for n in (3, 5):
            for (x,) in batches((n, 2), dtype=dtype):
                got = f(x)
                np.testing.assert_array_equal(got, np.sum(np.exp(x), axis=0))
                assert got.dtype == dtype
    assert len(f.programs) == 4


def test_results_are_the_callers_own():
    f = replay(lambda x: (np.exp(x), x, np.exp(x).T))
    seen = []
    for (x,) in batches((3, 2), n=8):
        replayed = bool(f.programs)
        got = f(x)
        assert not any(np.shares_memory(g, x) for g in got if replayed)
        seen.append((got, [np.copy(g) for g in got]))
    for got, copies in seen:
        for g, c in zip(got, copies, strict=True):
            np.testing.assert_array_equal(g, c)


def test_a_large_input_is_read_where_it_lies():
    def f(x):
        return np.sum(x @ np.ones((x.shape[1], 3)), axis=0), x[::2, 1]

    eager, replayed, made = runs(f, [*batches((300, 400)), (np.asfortranarray(batches((300, 400))[0][0]),)])
    for a, b in zip(eager, replayed, strict=True):
        for u, v in zip(a, b, strict=True):
            np.testing.assert_allclose(u, v, rtol=1e-12)
    assert made.programs


def test_a_program_does_not_keep_the_callers_arrays_alive():
    made = replay(lambda x: np.sum(x * x, axis=0))
    for (x,) in batches((300, 400)):
        made(x)
    gone = weakref.ref(x)
    del x
    assert made.programs
    assert gone() is None


# -- what would escape -------------------------------------------------------------------------------------

PLAIN = np.zeros((2, 3))
ESCAPES = {
    "truth": lambda x: x * 2 if (x > 0.5).any() else x,
    "float": lambda x: x * float(x[0, 0]),
    "int": lambda x: x * int(x[0, 0]),
    "item": lambda x: x * x[0, 0].item(),
    "tolist": lambda x: x * x.tolist()[0][0],
    "index": lambda x: [1, 2, 3][np.argmax(x[0])] * x,
    "asarray": lambda x: np.asarray(x) * 2,
    "plain target": lambda x: PLAIN.__setitem__(0, x[0]),
    "out": lambda x: np.add(x, 1, out=PLAIN),
    "mask": lambda x: x[x > 0.5].sum(),
    "nonzero": lambda x: np.nonzero(x > 0.5)[0].sum(),
    "swallowed": lambda x: swallow(x),
}


def swallow(x):
    try:
        return x * float(x[0, 0])
    except TypeError:
        return x


@pytest.mark.parametrize("name", ESCAPES)
def test_what_would_leave_the_record_is_found_and_runs_as_it_is(name):
    f = ESCAPES[name]
    made = Replay(f)
    for x, y in zip(batches((2, 3)), batches((2, 3)), strict=True):
        want, got = f(*x), made(*y)
        np.testing.assert_array_equal(want, got)
    assert not made.programs
    assert re.search(r"has no program: .*test_recording\.py:\d+", made.show())


@pytest.mark.parametrize("name", ESCAPES)
def test_where_it_was_promised_not_to_it_is_an_error_at_the_line_and_nothing_is_half_written(name):
    w, source = ag.Tensor([1.0, 2.0]), Source(np.random.PCG64(0))

    def step(x):
        x[0] = 0.5
        w.data[...] = w.data + source.random(2)
        w.data = w.data * 2
        return ESCAPES[name](x)

    made = replay(step, state=[w])
    made(X.copy())
    before, stood = w.data.copy(), source.bit_generator.state
    for _ in range(3):
        x = X.copy()
        with pytest.raises(ReplayError, match=r"step cannot be replayed: .*test_recording\.py:\d+.*; instead, "):
            made(x)
        np.testing.assert_array_equal(w.data, before)
        np.testing.assert_array_equal(x, X)
        assert source.bit_generator.state == stood


def counter():
    count = iter(range(100))
    return lambda x: x * next(count)


def drawing():
    rng = np.random.default_rng(0)
    return lambda x: x * (rng.random(x.shape) > 0.5)


@pytest.mark.parametrize(
    ("make", "reason"), [(counter, "a number that differs"), (drawing, "a plain array that differs")]
)
def test_what_differs_from_call_to_call_is_found_by_recording_twice(make, reason):
    loose, f, strict = Replay(make()), make(), replay(make())
    for _ in range(8):
        np.testing.assert_array_equal(loose(X), f(X))
    assert not loose.programs
    assert reason in loose.show()
    with pytest.raises(ReplayError, match=reason):
        each(strict, [(X,)] * 8)


def test_what_has_just_been_changed_is_recorded_again():
    calls = []

    def f(x):
        calls.append(1)
        return x * 2 if len(calls) < 3 else x + 2

    made = replay(f)
    for _ in range(8):
        np.testing.assert_array_equal(made(X), X * 2 if len(calls) < 3 else X + 2)
    assert made.programs


def test_a_value_that_the_function_keeps_is_found_because_a_replay_would_not_keep_it():
    kept = []

    def f(x):
        kept.append(x * 2)
        return kept[-1] + 1

    made = Replay(f)
    given = batches((3,))
    each(made, given)
    assert re.search(r"is kept by the function.*test_recording\.py:\d+", made.show())
    for (x,), value in zip(given, kept, strict=True):
        np.testing.assert_array_equal(np.asarray(value), x * 2)


def test_giving_up_a_recording_repeats_nothing():
    seen = []

    def f(x):
        seen.append(1)
        return x * float(x[0])

    found = each(Replay(f), batches((3,), n=4))
    assert_same([x * x[0] for (x,) in batches((3,), n=4)], found)
    assert len(seen) == 4


def test_what_is_printed_is_printed_every_time(capsys):
    def f(x):
        print(x[0], f"{x[1]:.3f}")
        return x * 2

    made = Replay(f)
    each(made, batches((3,), n=4))
    assert "printing a value" in made.show()
    assert capsys.readouterr().out == "".join(f"{x[0]} {x[1]:.3f}\n" for (x,) in batches((3,), n=4))


def test_a_function_that_cannot_stand_recording_runs_as_it_is():
    def f(x):
        if type(x) is not np.ndarray:
            raise TypeError("an array, please")
        return x * 2

    made = Replay(f)
    assert_same([x * 2 for (x,) in batches((3,), n=4)], each(made, batches((3,), n=4)))
    assert "an array, please" in made.show()
    with pytest.raises(ReplayError, match="an array, please"):
        each(replay(f), batches((3,), n=4))


def test_an_error_of_the_function_is_its_own():
    made = replay(lambda x: np.linalg.inv(x))
    made(np.eye(2))
    with pytest.raises(np.linalg.LinAlgError):
        made(np.zeros((2, 2)))
    for _ in range(3):
        np.testing.assert_array_equal(made(2 * np.eye(2)), np.eye(2) / 2)


def test_in_another_thread_a_recorded_value_is_its_array():
    found = []
    with Recording() as recording:
        x = recording.input(np.array([1.0, 2.0]))
        thread = threading.Thread(target=lambda: found.append((np.asarray(x * 2), float(x[0]))))
        thread.start()
        thread.join()
    np.testing.assert_array_equal(found[0][0], [2.0, 4.0])
    assert found[0][1] == 1.0
    assert not recording.instructions
    assert recording.broken.startswith("another thread computes with a value that is being recorded")


# -- decisions, chance, state ------------------------------------------------------------------------------


def test_a_decision_that_comes_out_otherwise_leaves_the_batch_to_the_function():
    t = ag.Tensor([10.0])

    def f(x):
        t.data[...] = t.data + x.sum()
        if decide((x < 0).any()):
            return x * 0
        return x * 2

    made = replay(f, state=[t])
    total = 10.0
    for sign in (1, 1, 1, 1, -1, 1, -1, 1):
        x = sign * np.array([1.0, 2.0])
        np.testing.assert_array_equal(made(x), x * 2 if sign > 0 else x * 0)
        total += x.sum()
        assert t.data == total
    assert len(made.programs) == 1


def test_a_source_draws_at_each_replay_what_it_would_have_drawn():
    def run(wrap):
        source = Source(np.random.PCG64(3))

        def f(x):
            a = x * (source.random(x.shape, np.float32) > 0.5)
            source.normal(size=3)  # unused, and yet the generator moves on
            return a + source.standard_normal(x.shape), source.integers(0, 5, x.shape) + source.uniform(0, 2, x.shape)

        f = wrap(f)
        return [f(*b) for b in batches((3, 4))], source.random()

    (eager, after), (replayed, after_replay) = run(lambda f: f), run(replay)
    assert_same(eager, replayed)
    assert after == after_replay


def test_state_is_changed_in_place_and_outside_changes_are_seen():
    def trained(wrap):
        w = ag.Tensor([[0.5, -0.5], [0.25, 1.0], [1.0, 2.0]])
        memory = w.data

        def step(x):
            loss = np.mean(np.square(np.tanh(x @ w) - 1))
            loss.backward(release=True)
            w.data[...] = w.data - 0.5 * w.grad
            w.grad = None
            return loss

        step = wrap(step, w)
        losses = []
        for n, (x,) in enumerate(batches((5, 3), n=12)):
            losses.append(step(x).item())
            if n == 7:
                w.data[0] = 3.0
            if n == 9:
                w.data = w.data * 0.5  # other memory
        return losses, w.data, memory

    a, b = trained(lambda f, w: f), trained(lambda f, w: replay(f, state=[w]))
    assert a[0] == b[0]
    np.testing.assert_array_equal(a[1], b[1])
    np.testing.assert_array_equal(a[2], b[2])


def test_a_graph_recorded_before_a_replayed_step_cannot_be_walked_after_it():
    w = ag.Tensor([1.0, 2.0])

    def step(x):
        w.data[...] = w.data - x

    made = replay(step, state=[w])
    for (x,) in batches((2,), n=4):
        made(x)
    loss = np.sum(w * w)
    made(np.ones(2))
    with pytest.raises(ag.GraphError, match="changed in place"):
        loss.backward()


def test_a_refused_recording_leaves_state_and_chance_as_they_were():
    w, source = ag.Tensor([1.0, 2.0]), Source(np.random.PCG64(0))

    def step(x):
        w.data[...] = w.data + x * source.random(2)
        return float(x[0])

    made = Replay(step, lambda: [TensorRef(w)])
    each(made, [(np.ones(2),)] * 3)
    same = Source(np.random.PCG64(0))
    np.testing.assert_array_equal(w.data, np.array([1.0, 2.0]) + same.random(2) + same.random(2) + same.random(2))


def test_inside_a_recording_a_replayed_function_is_just_a_function():
    inner = replay(lambda x: np.exp(x) * 2)
    eager, replayed, made = runs(lambda x: np.sum(inner(x) * x), batches((3,)))
    assert_same(eager, replayed)
    assert made.programs


def test_what_is_none_keeps_its_place_in_what_a_replay_returns():
    f = replay(lambda x: ((ag.Tensor(x * 2, requires_grad=False), None), ag.Tensor(x + 1, requires_grad=False)))
    for n in range(6):
        (double, nothing), more = f(X + n)
        assert nothing is None
        np.testing.assert_array_equal(double.data, 2 * (X + n))
        np.testing.assert_array_equal(more.data, X + n + 1)
    assert f.programs
