"""Where a call raises an error or warns, all is as the function itself leaves it."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.replay import Source, replay
from nn import layers

X = np.array([1.0, 2.0, 3.0])


def each(f, n):
    return [f(X + i) for i in range(n)]


# -- exceptions ------------------------------------------------------------------------------------------------

SINGULAR, REGULAR = np.zeros((2, 2)), np.array([[2.0, 1.0], [1.0, 3.0]])


def or_else(function, error):
    """The function's own answer to what raises an error."""

    def f(*args):
        try:
            return function(*args)
        except error:
            return np.full((2, 2), 7.0)

    return f


def divided(a):
    with np.errstate(divide="raise"):
        return 1 / a


FALLBACKS = {
    "cholesky": (or_else(np.linalg.cholesky, np.linalg.LinAlgError), REGULAR, np.ones((2, 2))),
    "inv": (or_else(np.linalg.inv, np.linalg.LinAlgError), REGULAR, SINGULAR),
    "solve": (or_else(lambda a: np.linalg.solve(a, a + 1), np.linalg.LinAlgError), REGULAR, SINGULAR),
    "errstate": (or_else(divided, FloatingPointError), REGULAR, SINGULAR),
    "take": (or_else(lambda a: np.take(a * 0 + REGULAR, a.astype(int)[0], axis=0), IndexError), SINGULAR, SINGULAR + 9),
    "index": (or_else(lambda a: (a * 0 + REGULAR)[a.astype(int)[0]], IndexError), SINGULAR, SINGULAR + 9),
    "power": (or_else(lambda a: np.power(2, a.astype(int)), ValueError), SINGULAR, SINGULAR - 1),
    "digitize": (
        or_else(lambda a: np.digitize(a, a[0]) * 2.0, ValueError),
        SINGULAR,
        np.array([[1.0, 2], [3, 4]]) * 0 + [[1, 2], [3, 4]],
    ),
}


@pytest.mark.parametrize("name", FALLBACKS)
@pytest.mark.parametrize("when", range(6))
def test_where_a_call_raises_an_error_the_function_itself_runs(name, when):
    f, good, bad = FALLBACKS[name]
    made = replay(f)
    for i in range(14):
        a = bad if i == when or i in (9, 12) else good
        np.testing.assert_array_equal(made(a), f(a))
    assert bool(made.programs) == (name != "errstate")


TURNING = np.array([[0.0, 1.0], [-1.0, 0.0]])  # its eigenvalues are i and -i


@pytest.mark.parametrize(
    ("f", "seen", "other"),
    [
        (np.linalg.eigvals, REGULAR, TURNING),
        (np.linalg.eigvals, TURNING, REGULAR),
        (lambda a: np.linalg.eig(a)[1] * 2, REGULAR, TURNING),
        (lambda a: np.linalg.lstsq(np.vstack([a, a]), np.arange(4.0))[1] * 2, REGULAR, SINGULAR),
        (lambda a: np.linalg.lstsq(np.vstack([a, a]), np.arange(4.0))[1] * 2, SINGULAR, REGULAR),
    ],
)
def test_a_result_of_another_shape_or_kind_than_the_recorded_is_the_functions_own(f, seen, other):
    made = replay(f)
    for i in range(12):
        a = other if i in (7, 9, 10) else seen
        np.testing.assert_array_equal(made(a), f(a), strict=True)
    assert made.programs


def test_an_error_leaves_state_and_chance_as_the_function_leaves_them():
    def train(wrap):
        w, v, source = ag.Tensor([[2.0, 0.0], [0.0, 2.0]]), ag.Tensor([1.0, 1.0]), Source(np.random.PCG64(0))

        def step(a):
            w.data *= 2  # before
            noise = source.random(2)
            inverse = np.linalg.inv(a * w.data)  # needs it
            v.data = v.data + noise + inverse[0]
            return inverse

        made = wrap(step, [w, v])
        found = []
        for i in range(12):
            try:
                found.append(made(SINGULAR if i in (7, 9) else REGULAR + i))
            except np.linalg.LinAlgError:
                found.append(SINGULAR)
        return [*found, w.data, v.data, source.random(3)], made

    mine, _ = train(lambda f, state: f)
    its, made = train(lambda f, state: replay(f, state=state))
    for a, b in zip(mine, its, strict=True):
        np.testing.assert_array_equal(a, b)
    (program,) = made.programs
    assert [view.shape for view in program.schedule.saved] == [(4,)]  # w, and not v, which is written at last


def test_state_is_written_after_the_last_call_that_may_fail_where_that_is_possible():
    w, v = ag.Tensor([1.0, 1.0]), ag.Tensor(np.zeros((5, 2)))

    def step(x, index):
        w.data = 0.9 * w.data + 0.1 * np.mean(x, axis=0)  # as a batch normalization does
        rows = np.take(v.data, index, axis=0)
        v.data = v.data - 0.1 * rows.sum()
        return rows

    made = replay(step, state=[w, v])
    for i in range(6):
        made(np.ones((3, 2)) * i, np.array([0, 1]))
    (program,) = made.programs
    assert program.schedule.saved == []
    before = w.data.copy(), v.data.copy()
    with pytest.raises(IndexError):
        program([np.ones((3, 2)), np.array([0, 9])])
    for a, b in zip(before, (w.data, v.data), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_with_an_embedding_copies_no_weights_in_a_step():
    model = nn.Sequential(
        [layers.Input(shape=(4,)), layers.Embedding(9, 3), layers.Flatten(), layers.Dense(8),
         layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(2)]
    )  # fmt: skip
    model.compile("adam", "mse")
    model.fit(np.ones((40, 4), int), np.ones((40, 2)), batch_size=8, verbose=0)
    (program,) = model.schedule.programs
    assert program.schedule.saved == []


# -- who listens to warnings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["raise", "call", "print", "log", "error", "record"])
def test_where_somebody_listens_to_warnings_nothing_is_replayed(what, capsys):
    import warnings

    calls = []

    def f(x):
        calls.append(1)
        return x * 2

    made = replay(f)
    each(made, 5)
    before = len(calls)
    made(X)
    assert len(calls) == before
    if what == "error":
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            each(made, 3)
    elif what == "record":
        with warnings.catch_warnings(record=True):
            each(made, 3)
    else:
        handler = np.seterrcall(lambda *_: None) if what == "call" else None
        try:
            with np.errstate(over=what):
                each(made, 3)
        finally:
            np.seterrcall(handler)
    assert len(calls) == before + 3
    made(X)
    assert len(calls) == before + 3


def test_a_function_that_decides_by_a_warning_is_not_replayed():
    import warnings

    def f(x):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            y = 1 / x
        return y if not said else y * np.nan

    made = replay(f)
    for i in range(20):
        x = X * (i % 4 > 0)
        np.testing.assert_array_equal(made(x), f(x))
    assert not made.programs
    assert "warnings are errors" in made.show()
