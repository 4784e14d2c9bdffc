"""How far a function has come to a program, by name; and what `show` says where a check does not hold."""

from __future__ import annotations

import contextlib
import itertools
import re

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.replay import ReplayError, decide, replay
from autograd_core.replay.cache import IN_VAIN, Phase, Replay
from autograd_core.replay.checks import BEFORE_A_CALL, CHECKS, Then
from autograd_core.replay.state import TensorRef


def phases(made, arguments):
    """The phase after each call."""
    found = []
    for args in arguments:
        made(*args)
        (entry,) = made._entries.values()
        found.append(entry.phase)
    return found


def test_a_function_comes_to_a_program_in_four_calls():
    made = Replay(lambda x: np.tanh(x) * 2)
    found = phases(made, [(np.full(3, n),) for n in range(6)])
    assert found == [Phase.SEEN, Phase.RECORDED, Phase.AGREED, Phase.PROVED, Phase.PROVED, Phase.PROVED]


def test_what_asks_for_a_value_is_refused():
    made = Replay(lambda x: x * 2 if x.sum() > 0 else x)
    assert phases(made, [(np.ones(3),)] * 4) == [Phase.SEEN, *[Phase.REFUSED] * 3]
    assert "asking for the truth of a value" in made.show()


def test_a_number_from_outside_that_changes_is_recorded_once_more_and_then_refused():
    numbers = itertools.count()
    made = Replay(lambda x: x * float(next(numbers)))
    assert phases(made, [(np.ones(3),)] * 4) == [Phase.SEEN, Phase.RECORDED, Phase.RECORDED, Phase.REFUSED]
    assert "meets a number that differs" in made.show()


def test_what_cannot_be_planned_runs_as_it_is():
    def f(mask):
        return mask * 2 if decide(mask[0]) else mask * 3

    made = Replay(f)
    found = phases(made, [(np.ones(300_000, bool),)] * 5)
    assert found == [Phase.SEEN, Phase.RECORDED, Phase.AGREED, Phase.EAGER, Phase.EAGER]
    assert "a decision is an element of a large input" in made.show()


def test_recordings_that_tell_nothing_end_in_running_it_as_it_is():
    def f(x):
        try:
            return np.linalg.cholesky(x)
        except np.linalg.LinAlgError:
            return x * 2

    made = Replay(f)
    found = phases(made, [(-np.eye(2),)] * (IN_VAIN + 2))
    assert found == [*[Phase.SEEN] * IN_VAIN, Phase.EAGER, Phase.EAGER]
    assert "cholesky raised LinAlgError" in made.show()


def test_a_promise_that_proves_false_is_an_error_at_the_next_call():
    made = replay(lambda x: x * 2 if x.sum() > 0 else x)
    made(np.ones(3))
    for _ in range(2):
        with pytest.raises(ReplayError, match="asking for the truth"):
            made(np.ones(3))
    (entry,) = made._entries.values()
    assert entry.phase is Phase.REFUSED


# -- the checks --------------------------------------------------------------------------------------------


def heard(w, call):
    with np.errstate(over="raise"):
        call(np.ones(3))


def within(w, call):
    call(w.data[:])


def moved(w, call):
    w.data = w.data.copy()
    call(np.ones(3))


BEFORE = {"warnings": heard, "arguments": within, "state": moved}


def decided(x):
    return x * 2 if decide(x[0] > 0) else x * 3


def called(made, arrays):
    return [made(x) for x in arrays]


@pytest.mark.parametrize("made_by", [replay, Replay])
def test_a_function_that_decides_otherwise_in_turn_is_replayed_where_it_goes_one_way(made_by):
    runs, count = [], iter(range(1000))
    made = made_by(lambda x: (runs.append(1), decided(x))[1])
    for i in range(12):
        x = np.full(3, (-1.0) ** i * (1 + i))
        np.testing.assert_array_equal(made(x), decided(x))
    assert (len(made.programs), "came out otherwise" in made.show()) == (1, True)
    assert len(runs) == 9  # once as it is, three recordings, two comparisons, and each second call of the other six

    def wandering(x):  # each time another way, so that nothing agrees, and nobody is at fault
        y = x
        for k in range(5):
            y = y * 2 if decide(x[0] % 2 ** (k + 1) < 2**k) else y + 1
        return y

    made = made_by(wandering)
    called(made, [np.full(3, float(i)) for i in range(20)])
    assert (len(made.programs), "came out otherwise" in made.show()) == (0, True)

    def frozen(x):
        return decided(x * next(count))

    def asked_once_more(x):
        return decided(x) if next(count) % 2 else decided(x) + 0 * decide(x[0] > -5)

    alternating = [np.full(3, (-1.0) ** (i // 2)) for i in range(9)]
    for f in (frozen, asked_once_more):  # what no decision tells is found all the same
        with pytest.raises(ReplayError, match=r"a number that differs|took different ways"):
            called(replay(f), alternating)


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("function", [np.linalg.eigvals, lambda x: np.linalg.eig(x)[1]])
def test_numbers_that_are_complex_only_for_some_data(function, recorded):
    real, turning = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[1.0, 2.0], [-2.0, 1.0]])
    made = replay(lambda x: function(ag.Tensor(x)).data if recorded else function(x))
    for x in (real, turning, real, turning, real, real, turning, turning, real + 0j, turning, real):
        result, expected = made(x), function(x)
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)
    for f in (np.emath.sqrt, np.real_if_close):
        with pytest.raises(ReplayError, match=f"{f.__name__} gives real or complex numbers, as the data will have it"):
            called(replay(f), [real] * 3)


def written_to(x, y):
    x += 1
    return x * 2 + y


BASE = np.arange(5.0)
GAPS = np.ndarray((200, 200), np.float64, bytearray(200 * 3200), strides=(3200, 8))

# What a program is made for, what it does not stand for, and what is said of it.
WHILE = {
    "decision": (decided, [np.ones(3)], [-np.ones(3)], r"was decided at .*test_cache\.py:\d+ came out otherwise"),
    "written": (written_to, [np.ones(3), np.ones(3)], [BASE[:3], BASE[1:4]], "shares memory with another one"),
    "layout": (lambda x: x * 0.5, [np.ones((200, 400))[:, :200]], [GAPS], "memory that has gaps"),
    "error": (np.linalg.inv, [np.eye(2)], [np.zeros((2, 2))], "the program raised LinAlgError: Singular matrix"),
}


def test_each_check_has_a_case_here():
    assert [check.name for check in CHECKS] == [*BEFORE, *WHILE]


@pytest.mark.parametrize("check", [check for check, _ in BEFORE_A_CALL], ids=lambda check: check.name)
def test_where_a_check_does_not_hold_the_function_runs_and_it_is_said(check):
    w = ag.Tensor(np.arange(3.0), name="w")
    plain = []

    def f(x):
        plain.append(type(x) is np.ndarray)
        w.data[...] = w.data * 0.5 + x
        return w.data * 2

    made = Replay(f, lambda: [TensorRef(w)])
    for _ in range(5):
        made(np.ones(3))
    assert len(made.programs) == 1
    runs, before = len(plain), w.data.copy()
    BEFORE[check.name](w, made)
    assert plain[runs:] == [True]
    np.testing.assert_array_equal(w.data, before * 1.5 if check.name == "arguments" else before * 0.5 + 1)
    if check.then is Then.ANEW:
        assert not made.programs
        assert check.otherwise.format("w") in made.show()
        for _ in range(4):
            made(np.ones(3))
        assert "as it is" not in made.show()
    else:
        assert len(made.programs) == 1
        assert made.show().endswith(f"\nlast run as it is because {check.otherwise}")


@pytest.mark.parametrize("name", WHILE)
def test_what_a_program_finds_out_while_it_runs_leaves_the_call_to_the_function(name):
    function, usual, other, said = WHILE[name]
    made, runs = Replay(lambda *args: (runs.append(1), function(*args))[1]), []
    for _ in range(5):
        made(*map(np.ndarray.copy, usual)) if name != "layout" else made(*usual)
    assert (len(made.programs), len(runs)) == (1, 4)
    with contextlib.suppress(np.linalg.LinAlgError):
        made(*other)
    assert len(runs) == 5
    assert re.search(f"last run as it is because .*{said}", made.show())
