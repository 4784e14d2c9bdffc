"""Small programs as one compiled function: what is in it, what it computes, and where it is not used."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import nn
from autograd_core.arrays import decide
from autograd_core.replay import passes, replay
from nn import layers

whole = importlib.import_module("autograd_core.replay.numba.whole")


@pytest.fixture(autouse=True)
def numba(judge):
    return judge("numba")


def trained(compiled, optimizer, steps=7):
    before = nn.config.get_numba()
    nn.config.set_numba(compiled)
    try:
        nn.utils.set_random_seed(1)
        model = nn.Sequential(
            [layers.Input(shape=(5,)), layers.Dense(6, "relu", name="first"), layers.Dense(4, "relu"), layers.Dense(1)]
        )
        model.compile(optimizer, "mse")
        rng = np.random.default_rng(0)
        losses = []
        for i in range(steps):
            x, y = rng.normal(size=(1, 5)).astype("float32"), rng.normal(size=(1, 1)).astype("float32")
            model.optimizer.learning_rate = 0.01 / (1 + i)  # an input of the program, not a number in it
            losses.append(model.train_on_batch(x, y))
        return model, [np.array(losses), *model.get_weights(), *model.optimizer.get_weights()]
    finally:
        nn.config.set_numba(before)


@pytest.mark.parametrize(
    "optimizer", ["sgd", *(pytest.param(n, marks=pytest.mark.thorough) for n in ("adam", "rmsprop"))]
)
def test_a_step_of_a_small_network_is_one_call_and_trains_the_same(optimizer, tmp_path):
    model, found = trained(True, optimizer)
    (program,) = model.schedule.programs
    assert len(program.steps) == len(program.schedule.instructions) == 1
    assert isinstance(program.schedule.instructions[0].function, whole.Whole)
    assert program.schedule.saved == []  # it cannot fail: no weight is copied
    model.schedule.save(tmp_path / "step.html")
    assert "matmul(x0[1, 5], first/kernel[5, 6])" in (tmp_path / "step.html").read_text(encoding="utf-8")
    shown = model.schedule.show()
    assert "matmul(x0[1, 5], first/kernel[5, 6])" in shown  # what it stands for
    assert shown.endswith(
        "compiled as one function of " + str(len(program.schedule.instructions[0].function.made_of.instructions))
    )
    plain, expected = trained(False, optimizer)
    assert len(plain.schedule.programs[0].steps) > 20
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def many(x, y, rate):
    """All that there is a formula for, on views of all kinds."""
    z = x @ y + (y.T @ x.T).T  # a product of two transposes
    z = np.maximum(z, x) - np.minimum(x, 0) + np.maximum(0, y.T) * rate
    z = np.sqrt(np.square(z) + abs(y) / 3) * (z > 0) + (x[1:2] >= y) * z - (x < y[:, :1]) * y + (y <= 2) * rate
    return z, -z @ y[:, 1:2], x[::-1] * z


@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.thorough)])
def test_each_formula_computes_what_numpy_does_at_all_corners(dtype):
    compiled = replay(many, numba=True)
    rng = np.random.default_rng(1)
    corners = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, np.finfo(dtype).max, np.finfo(dtype).tiny])
    rtol = 1e-5 if dtype == np.float32 else 1e-12
    with np.errstate(all="ignore"):
        for i in range(9):
            x, y = (rng.normal(size=(3, 3)).astype(dtype) for _ in range(2))
            if i > 5:
                x, y = (
                    np.where(rng.random((3, 3)) < 0.5, v, rng.choice(corners, (3, 3))).astype(dtype) for v in (x, y)
                )
            rate = np.array(0.5 * i, dtype)
            found, expected = compiled(x, y, rate), many(x, y, rate)
            for a, b in zip(found, expected, strict=True):
                assert a.dtype == b.dtype
                np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)
    (inst,) = compiled.programs[0].schedule.instructions
    assert isinstance(inst.function, whole.Whole)


def small(x, y):
    for _ in range(3):
        x = np.maximum(x @ y + 1, 0) * 2 - x
    return x


def schedule_of(function, *args):
    f = replay(function, numba=False)
    for _ in range(5):
        f(*args)
    (program,) = f.programs
    return program.schedule


def compiled(schedule):
    return len(whole.in_one(schedule).groups) == 1


def test_what_is_large_or_has_no_formula_stays_as_it_is():
    x = np.eye(3, dtype=np.float32)
    wide = int(whole.ELEMENTS**0.5) + 1
    cases = [
        (small, x.astype(np.float16)),
        (small, x.astype(np.int64)),
        (small, np.ones((wide, wide), np.float32)),
        (small, np.ones((0, 0), np.float32)),
        (lambda x, y: np.exp(small(x, y)), x),
        (lambda x, y: small(x, y).sum(0), x),
        (lambda x, y: small(np.stack([x, x]), y), x),
        (lambda x, y: x @ y + 1, x),  # few calls
        (lambda x, y: ((((((x * y + 1) * x - 2) * y + 3) * x - 1) * y + 2) * x - y) * x + 1, x),  # a chain is a loop
        (lambda x, y: small(x, y) if decide(x[0, 0] > 0) else x, x),
    ]
    for function, array in cases:
        schedule = schedule_of(function, array, array)
        assert whole.in_one(schedule) is schedule


def test_exact_replays_and_those_without_numba_keep_numpys_calls():
    x = np.eye(3, dtype=np.float32)
    for f in (replay(small, exact=True, numba=True), replay(small, numba=False)):
        for _ in range(6):
            assert np.array_equal(f(x, x), small(x, x))
        assert len(f.programs[0].steps) > 1


def test_a_function_that_computes_something_else_is_not_used(monkeypatch):
    schedule = schedule_of(small, np.eye(3, dtype=np.float32), np.ones((3, 3), np.float32))
    monkeypatch.setitem(whole._FORMULAS, np.maximum, "({0} if {0} >= {1} else {1} * 1.01 + 0.01)")
    assert whole.in_one(schedule) is schedule
    assert len(passes.refine(schedule, passes.Stage.HOT).groups) > 1
    monkeypatch.undo()
    assert compiled(schedule)
