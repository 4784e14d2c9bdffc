"""Replays where a replay went wrong once, each beside the plain function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.replay import ReplayError


def replayed(function: Any, *args: Any, **kwargs: Any) -> Any:
    """A replay of a function that has its program for such arguments."""
    g = ag.replay(function, **kwargs)
    for _ in range(4):
        g(*args)
    assert g.programs
    return g


def bits(value: Any) -> Any:
    return np.asarray(value).tobytes()


# -- state that is assigned ---------------------------------------------------------------------------------


def test_a_shape_that_was_seen_once_meets_the_state_that_was_assigned_since() -> None:
    w = ag.Tensor(np.array([1.0]))
    g = replayed(lambda x: x * w.data, np.ones(3), state=[w])
    g(np.ones(2))
    w.data = np.array([5.0])
    for _ in range(5):
        assert g(np.ones(2)).tolist() == [5.0, 5.0]
        assert w.data.tolist() == [5.0]
    assert g(np.ones(3)).tolist() == [5.0, 5.0, 5.0]


@pytest.mark.parametrize("calls", range(1, 6))
def test_a_shape_at_any_stage_meets_the_state_that_was_assigned_since(calls: int) -> None:
    w = ag.Tensor(np.array([1.0]))

    def step(x: Any) -> Any:
        w.data = w.data + x.sum()
        return w.data * x

    g = replayed(step, np.ones(3), state=[w])
    for n in range(calls):
        g(np.ones(2))
        w.data = np.array([10.0 * n])
        if n % 2:
            assert g(np.ones(3)).tolist() == [10.0 * n + 3] * 3
            assert w.data.tolist() == [10.0 * n + 3]
    w.data = np.array([100.0])
    assert [g(np.ones(2)).tolist() for _ in range(5)] == [[100.0 + 2 * n] * 2 for n in range(1, 6)]
    assert w.data.tolist() == [110.0]


def test_an_assigned_weight_stays_where_a_last_batch_was_smaller() -> None:
    model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    x = np.ones((9, 2), "f4")
    model.predict(x, batch_size=2, verbose=0)
    model.layers[0].kernel.data = np.full((2, 1), 7, "f4")
    assert model.predict(x[:1], verbose=0).tolist() == [[14.0]]
    assert model.get_weights()[0].ravel().tolist() == [7.0, 7.0]


# -- numbers by their bits ----------------------------------------------------------------------------------

ZEROS = {
    "where": lambda x, z: np.where(x > 9, x, z),
    "clip": lambda x, z: np.clip(x, z, None) * z,
    "pad": lambda x, z: np.pad(x, 1, constant_values=z),
    "nan_to_num": lambda x, z: np.nan_to_num(x * np.nan, nan=z),
    "outer": lambda x, z: np.outer(x, z),
    "stack": lambda x, z: np.stack([x, np.full(1, z)]),
    "complex": lambda x, z: x * complex(0.0, z),
    "keywords": lambda x, z: np.multiply(x, z, dtype="f8"),
    "float32": lambda x, z: np.where(x > 9, x, np.float32(z)),
    "longdouble": lambda x, z: np.where(x > 9, x, np.longdouble(z)),
}


@pytest.mark.parametrize("name", ZEROS)
def test_zero_and_minus_zero_are_two_numbers(name: str) -> None:
    of = ZEROS[name]

    def f(x: Any) -> Any:
        return [of(x, z) for z in (0.0, -0.0)]

    g = replayed(f, np.ones(1))
    for mine, its in zip(g(np.ones(1)), f(np.ones(1)), strict=True):
        assert (mine == its).all()
        assert np.signbit(mine.real).tolist() == np.signbit(its.real).tolist()
        assert np.signbit(mine.imag).tolist() == np.signbit(its.imag).tolist()


@pytest.mark.parametrize("of", [float, np.float32, np.longdouble, complex, lambda z: np.array([z])])
def test_a_zero_that_changes_its_sign_from_one_recording_to_the_next_is_found(of: Any) -> None:
    zeros = iter([0.0, 0.0, -0.0, 0.0, -0.0])
    g = ag.replay(lambda x: np.where(x > 9, x, of(next(zeros))))
    g(np.ones(1))
    g(np.ones(1))
    g(np.ones(1))
    with pytest.raises(ReplayError, match="differs"):
        g(np.ones(1))


def test_a_nan_is_the_same_number_in_both_recordings() -> None:
    g = replayed(lambda x: (np.where(x > 9, x, np.nan), np.where(x > 9, x, float("nan")), float("nan")), np.ones(1))
    assert np.isnan(g(np.ones(1))[1]).all()


# -- errors, and where they leave a step --------------------------------------------------------------------


def calls_until_error(g: Any, *args: Any) -> int:
    """How many calls of a replay go well."""
    for n in range(10):
        try:
            g(*args)
        except ReplayError:
            return n
    raise AssertionError("no error")


def after(step: Any, w: Any, n: int) -> Any:
    """What a weight is after so many steps of the plain function."""
    before, w.data = w.data, np.zeros_like(w.data)
    for _ in range(n):
        step(np.ones(2))
    found, w.data = w.data, before
    return found


def own_type(w: Any, x: Any) -> Any:
    return 1 if type(x) is np.ndarray else 2


def graph(w: Any, x: Any) -> Any:
    return ag.Tensor(x, requires_grad=True) * 2


def stubborn(w: Any, x: Any) -> Any:
    if type(x) is not np.ndarray:
        raise TypeError("an array, please")
    return x


def asking(w: Any, x: Any) -> Any:
    return float(x[0])


def asking_late(w: Any, x: Any) -> Any:
    return float((w.data * 1)[0])


@pytest.mark.parametrize("why", [own_type, graph, stubborn, asking, asking_late])
def test_an_error_leaves_a_step_done_or_not_begun(why: Any) -> None:
    w = ag.Tensor(np.zeros(2))

    def step(x: Any) -> Any:
        w.data = w.data + x
        found = why(w, x)
        w.data = w.data * 2
        return found

    g = ag.replay(step, state=[w])
    done = calls_until_error(g, np.ones(2))
    assert w.data.tolist() == after(step, w, done).tolist()
    for _ in range(3):  # and it stays one
        with pytest.raises(ReplayError):
            g(np.ones(2))
        assert w.data.tolist() == after(step, w, done).tolist()


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: np.array([x[0], 2.0]),
        lambda x: np.array([[x.max()]], "f4"),
        lambda x: np.fromiter(x, "f8"),
        lambda x: np.full(2, x[0]),
        lambda x: [np.zeros(2), np.asarray(x[0], "i4")],
    ],
)
def test_an_error_of_numpys_about_a_value_is_one_that_names_the_line(ask: Any) -> None:
    g = ag.replay(ask)
    g(np.ones(2))
    with pytest.raises(ReplayError, match=r"test_refuted\.py:\d+"):
        g(np.ones(2))


# -- what is part of the key --------------------------------------------------------------------------------


class Doubled(float):
    def __mul__(self, other: Any) -> Any:
        return 2 * float(self) * other


class Count(int):
    def __mul__(self, other: Any) -> Any:
        return 2 * int(self) * other


@pytest.mark.parametrize("kind", [Doubled, Count])
def test_a_number_of_a_class_of_ones_own_runs_as_it_is(kind: Any) -> None:
    g = replayed(lambda x, s: s * x, np.ones(2), kind.__base__(3))
    assert g(np.ones(2), kind(3)).tolist() == [6.0, 6.0]
    assert g(np.ones(2), kind.__base__(3)).tolist() == [3.0, 3.0]


def test_an_array_that_nobody_may_write_to_is_another_argument() -> None:
    def f(x: Any) -> Any:
        return x * (2 if x.flags.writeable else 3)

    g = replayed(f, np.ones(2))
    fixed = np.ones(2)
    fixed.flags.writeable = False
    for _ in range(6):
        assert g(fixed).tolist() == [3.0, 3.0]
        assert g(np.ones(2)).tolist() == [2.0, 2.0]


def test_a_tensor_with_other_strides_is_another_argument() -> None:
    g = replayed(lambda x: x.data * 2, ag.Tensor(np.arange(6.0).reshape(2, 3), requires_grad=False))
    x = np.arange(6.0).reshape(3, 2).T
    for _ in range(6):
        assert g(ag.Tensor(x, requires_grad=False)).tolist() == (x * 2).tolist()
        assert g(ag.Tensor(x, requires_grad=False)).strides == (x * 2).strides


# -- what is shown ------------------------------------------------------------------------------------------


def test_state_that_is_assigned_in_each_step_is_the_reason_that_is_shown() -> None:
    w = ag.Tensor(np.ones(2), name="kernel")
    g = ag.replay(lambda x: x * w.data, state=[w])
    for _ in range(30):
        w.data = np.ones(2)
        g(np.ones(2))
    assert "kernel was assigned another array" in g.show()
    for _ in range(4):
        g(np.ones(2))
    assert "calls recorded" in g.show()


def test_what_python_does_with_a_scalar_goes_on() -> None:
    def f(x: Any) -> Any:
        s = x.max()
        s += 1
        s *= x[0]
        a = x.copy()
        a += s
        a[0] = s
        return a, s, [v * 2 for v in a], x.device, x.__array_priority__, len(x)

    g = replayed(f, np.arange(3.0))
    for mine, its in zip(g(np.arange(1.0, 4.0)), f(np.arange(1.0, 4.0)), strict=True):
        assert np.array_equal(mine, its) if not isinstance(its, str) else mine == its
