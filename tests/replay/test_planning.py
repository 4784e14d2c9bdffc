"""What a plan may and may not do with what was recorded."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_core as ag
from autograd_core.replay import replay
from autograd_core.replay.memory import ALIGNMENT
from autograd_core.replay.passes.fuse import BLOCK

spread, parallel = (importlib.import_module(f"autograd_core.replay.threads.{name}") for name in ("spread", "parallel"))

UNARY = [np.exp, np.tanh, np.negative, lambda x: x * 0.5, lambda x: 1 - x, np.square, lambda x: np.maximum(x, 0.2)]
BINARY = [np.add, np.subtract, np.multiply, np.maximum, lambda x, y: np.where(x > y, x, y * 0.5)]
MOVING = [lambda x: x.T.T, lambda x: x[::-1], lambda x: np.swapaxes(x, 0, 1) @ x, lambda x: x - np.mean(x, axis=0),
          lambda x: np.broadcast_to(np.sum(x, axis=1, keepdims=True), x.shape), np.copy]  # fmt: skip


@st.composite
def programs(draw):
    """A random straight-line function of two square matrices, as a list of choices."""
    steps = []
    for n in range(draw(st.integers(2, 14))):
        kind = draw(st.sampled_from(["unary", "binary", "moving", "write"]))
        table = {"unary": UNARY, "binary": BINARY, "moving": MOVING, "write": BINARY}[kind]
        steps.append((kind, draw(st.sampled_from(table)), draw(st.integers(0, n + 1)), draw(st.integers(0, n + 1))))
    return steps


def run(steps, x, y, state):
    values = [x, y]
    for kind, function, i, j in steps:
        if kind == "binary":
            values.append(function(values[i], values[j]))
        elif kind == "write":  # state is read before and after it changes, in any order
            state.data[...] = np.tanh(function(values[i], state.data) * 0.1)
            values.append(state.data * 1)
        else:
            values.append(np.tanh(function(values[i])))
    return values[-1], values[len(values) // 2] * 1


@settings(max_examples=60, deadline=None)
@given(steps=programs(), size=st.sampled_from([1, 3, 200]))
def test_any_straight_line_function_replays_to_the_last_bit(steps, size):
    rng = np.random.default_rng(0)
    batches = [(rng.normal(size=(size, size)), rng.normal(size=(size, size))) for _ in range(5)]
    found = []
    for wrap in (lambda f, s: f, lambda f, s: replay(f, state=[s])):
        state = ag.Tensor(np.full((size, size), 0.3))
        f = wrap(lambda x, y, state=state: run(steps, x, y, state), state)
        found.append(([f(*b) for b in batches], state.data))
    for a, b in zip(found[0][0], found[1][0], strict=True):
        for u, v in zip(a, b, strict=True):
            np.testing.assert_array_equal(u, v)
    np.testing.assert_array_equal(found[0][1], found[1][1])


def scheduled(f, *shapes, state=()):
    made = replay(f, state=state)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        made(*(rng.normal(size=s) for s in shapes))
    (program,) = made.programs
    return program.schedule


def names(schedule):
    return [call.function.__name__ for group in schedule.groups for call in group.instructions]


def test_what_nobody_needs_is_left_out():
    assert names(scheduled(lambda x: (np.exp(x), np.cos(x))[1], (3,))) == ["cos"]


def test_what_was_computed_before_is_shared():
    assert names(scheduled(lambda x: np.exp(x.T) * 2 + np.exp(x.T) * 2, (3, 2))) == ["exp", "multiply", "add"]


def test_what_was_written_to_in_between_is_not_shared():
    def f(x):
        y = np.zeros_like(x)
        a = np.exp(y)
        y[0] = x[0]
        return a + np.exp(y)

    assert names(scheduled(f, (3,))).count("exp") == 2


def test_a_state_is_updated_where_it_is_without_a_copy():
    w = ag.Tensor(np.zeros((4, 3)))

    def f(x):
        w.data[...] = w.data * 0.9 - x

    assert names(scheduled(f, (4, 3), state=[w])) == ["multiply", "subtract"]


def test_a_parameter_is_updated_as_soon_as_its_gradient_is_known():
    weights = [ag.Tensor(np.eye(300)) for _ in range(6)]

    def f(x):
        h = x
        for w in weights:
            h = np.tanh(h @ w)
        np.sum(h).backward(release=True)
        for w in weights:
            w.data[...] = w.data - 0.1 * w.grad
            w.grad = None

    # One gradient is alive at a time, beside what the backward pass itself needs.
    schedule = scheduled(f, (8, 300), state=weights)
    assert schedule.size < 2 * weights[0].data.nbytes + 20 * 8 * 300 * 8


def test_a_long_chain_runs_block_by_block_with_scratch_for_one_block():
    n = 4 * BLOCK + 5
    schedule = scheduled(lambda x: np.tanh(x * 2) * x + np.exp(-x), (n,))
    (group,) = schedule.groups
    assert len(group.instructions) == 6
    assert group.rows == n
    assert schedule.size < 8 * (n + 6 * (BLOCK + ALIGNMENT))


def test_buffers_that_are_alive_together_do_not_overlap_and_begin_at_cache_lines():
    w = [ag.Tensor(np.random.default_rng(i).normal(size=(20, 20))) for i in range(4)]

    def loss(x, *ws):
        for a in ws:
            x = np.tanh(x @ a) + np.mean(x, axis=0)
        return np.sum(x * x)

    slope = ag.value_and_grad(loss, argnums=(0, 1, 2, 3, 4))
    schedule = scheduled(slope, (7, 20), *[(20, 20)] * 4)
    assert all(offset % ALIGNMENT == 0 for offset in schedule.offsets.values())
    assert all(offset + m.size <= schedule.size for m, offset in schedule.offsets.items())
    assert sum(m.size for m in schedule.offsets) > schedule.size  # and memory is used again
    del w


def test_what_is_concatenated_is_computed_where_it_ends_up():
    schedule = scheduled(lambda x: np.concatenate([np.tanh(x) * 2, np.exp(x)[::-1]]) @ np.ones((4, 2)), (3, 4))
    assert "concatenate" not in names(schedule)
    assert names(schedule).count("copied") == 1  # of the part that is turned around


@pytest.mark.parametrize("reduce", [np.max, np.min, np.sum])
@pytest.mark.parametrize("axes", [(1, 2), (0,), (2, 0), (1,), (3,)])
def test_windows_are_reduced_as_numpy_reduces_them(reduce, axes):
    f = replay(lambda x: reduce(x, axis=axes, keepdims=len(axes) == 1))
    for seed in range(5):
        x = np.random.default_rng(seed).normal(size=(3, 2, 4, 40))
        np.testing.assert_array_equal(f(x), reduce(x, axis=axes, keepdims=len(axes) == 1))


def test_the_larger_of_a_long_array_and_a_number():
    f = replay(lambda x: (np.maximum(x, 0.25), np.minimum(0.5, x)))
    for seed in range(5):
        x = np.random.default_rng(seed).normal(size=5000)
        x[:2] = np.nan, np.inf
        for got, expected in zip(f(x), (np.maximum(x, 0.25), np.minimum(0.5, x)), strict=True):
            np.testing.assert_array_equal(got, expected)


def test_small_parameters_are_updated_together_where_their_state_lies_side_by_side():
    velocity = np.zeros(20)
    weights = [ag.Tensor(np.ones(s)) for s in ((3, 4), (4,), (4, 1))]
    slots = [ag.Tensor(0.0) for _ in weights]
    for slot, begin, w in zip(slots, (0, 12, 16), weights, strict=True):
        slot.node.out = velocity[begin : begin + w.size].reshape(w.shape)

    def f(x):
        np.sum(np.square(np.tanh(x @ weights[0] + weights[1]) @ weights[2])).backward(release=True)
        for w, slot in zip(weights, slots, strict=True):
            slot.data[...] = 0.9 * slot.data + 0.1 * np.square(w.grad)
            w.data[...] = w.data - w.grad / np.sqrt(slot.data + 1e-7)
            w.grad = None

    schedule = scheduled(f, (5, 3), state=[*weights, *slots])
    assert names(schedule).count("sqrt") == 1
    assert names(schedule).count("subtract") == len(weights)


def bits(array):
    return np.ascontiguousarray(array).tobytes()


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("reduce", [np.sum, np.mean, np.prod, np.max, np.min, np.any, np.all])
def test_a_reduction_over_one_element_gives_the_same_bits_without_reducing(reduce, dtype, keepdims):
    values = np.array([-0.0, 0.0, 1.5, -2.0, np.inf, 0.0 if dtype[0] != "f" else np.nan])
    x = np.where(np.isinf(values) & (dtype[0] != "f"), 7, values).astype(dtype).reshape(3, 1, 2)
    f = replay(lambda x: reduce(x, axis=1, keepdims=keepdims))
    for _ in range(4):
        got, expected = f(x), reduce(x, axis=1, keepdims=keepdims)
        assert (got.shape, got.dtype, bits(got)) == (expected.shape, expected.dtype, bits(expected))
    assert f.programs
    if expected.dtype == x.dtype and x.dtype.kind == "f":
        assert f"= {reduce.__name__}(" not in f.show()


def into_a_buffer(x):
    buffer = np.zeros_like(x[0])
    np.sum(x, axis=0, out=buffer)
    return buffer * 1


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    "f",
    [
        into_a_buffer,
        lambda x: np.sum(a=x, axis=0),
        lambda x: np.max(axis=0, a=x),
        lambda x: np.sum(x, 0, None, None, True),
        lambda x: np.mean(x, 0, None, None, True),
        lambda x: np.sum(x, axis=0, dtype=np.float32),
        lambda x: np.sum(x, axis=0, initial=2.0),
        lambda x: np.sum(x, axis=0, where=x > 2),
        lambda x: np.sum(x, axis=()),
        lambda x: x.sum(0) + x.mean(axis=0, keepdims=True) + np.amax(x, 0),
    ],
)
def test_a_reduction_is_replayed_however_it_is_written(f, rows):
    x = np.random.default_rng(0).normal(size=(rows, 3))
    replayed = replay(f)
    for n in range(4):
        assert replayed(x * n).tobytes() == f(x * n).tobytes()
    assert replayed.programs


def test_a_history_is_pushed_on_as_if_on_a_copy():
    state, plain = ag.Tensor(np.zeros((1000, 64))), np.zeros((1000, 64))

    def push(history, x):
        history[1:] = history[:-1]
        history[0] = x
        return np.sum(history)

    f = replay(lambda x: push(state.data, x), state=[state])
    for i in range(700):  # in the end the history is longer than a block
        x = np.full(64, i + 1.0)
        assert f(x) == push(plain, x)
    np.testing.assert_array_equal(state.data, plain)
    assert f.programs


def test_a_row_that_a_later_block_reads_is_not_written_over():
    def f(x):
        t = np.tanh(x)
        a = x - t[0]
        b = t / 2.0
        return np.sum(a, axis=1), np.sum(b, axis=1), b.T @ b

    replayed = replay(f)
    random = np.random.default_rng(0)
    for i in range(6):
        x = random.normal(size=(400, 83)) * (i > 2)
        for a, b in zip(replayed(x), f(x), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    assert replayed.programs


@pytest.mark.parametrize(
    "f", [lambda x: (x + 0) * 1.0, lambda x: (x * 2) / 1.0, lambda x: np.prod(x[:, None], axis=1) * 2]
)
def test_one_does_nothing_to_a_number_but_to_a_complex_one(f):
    replayed = replay(f)
    with np.errstate(all="ignore"):
        for x in [*np.random.default_rng(0).normal(size=(4, 2)), [1 - 0j, np.inf + 1j]]:
            x = np.array(x, complex)
            np.testing.assert_array_equal(replayed(x).view(float), f(x).view(float))
    assert replayed.programs


def test_what_is_the_same_for_every_batch_is_worked_out_once():
    f = replay(lambda x: (x * np.divide(np.ones_like(x), 4), x * np.divide(np.full_like(x, 2), 2)))
    x = np.array([[-0.0, np.nan, 3.0]])
    for _ in range(4):
        assert list(map(bits, f(x))) == [bits(x / 4), bits(x)]
    assert "= divide(" not in f.show()
    assert f.show().count("= multiply(") == 1


def test_what_numpy_warns_of_is_computed_and_warned_of_each_time(warnings_are_only_shown):
    f = replay(lambda x: x + 1 / np.zeros_like(x))
    for _ in range(5):
        np.testing.assert_array_equal(f(np.ones(3)), np.full(3, np.inf))
        assert "divide by zero" in warnings_are_only_shown[0]
        warnings_are_only_shown.clear()
    assert f.programs


def test_a_constant_that_somebody_writes_to_is_read_again():
    ones = np.ones(3)
    f = replay(lambda x: x * ones)
    for factor in (1, 1, 1, 1, 2, 3):
        ones[...] = factor
        np.testing.assert_array_equal(f(np.arange(3.0)), factor * np.arange(3.0))


sides = st.sampled_from([0, 1, 2, 3, 5, 8, 13, 64])


@settings(max_examples=60, deadline=None)
@given(
    m=sides,
    k=sides,
    n=sides,
    dtype=st.sampled_from(["float32", "float64", "int64"]),
    ways=st.tuples(*[st.sampled_from(["C", "F", "sliced"])] * 2),
)
def test_products_of_small_matrices_are_numpys_to_the_last_bit(m, k, n, dtype, ways):
    rng = np.random.default_rng(m + 100 * k)

    def laid_out(x, way):
        if way == "sliced":
            return np.concatenate([x, x], 1)[:, ::2]
        return x.T.copy().T if way == "F" else x.copy()

    f = replay(lambda a, b: laid_out(a, ways[0]) @ laid_out(b, ways[1]))
    for _ in range(4):
        a, b = (rng.normal(size=size).astype(dtype) for size in ((m, k), (k, n)))
        assert bits(f(a, b)) == bits(laid_out(a, ways[0]) @ laid_out(b, ways[1]))
    assert f.programs
