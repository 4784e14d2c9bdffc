"""The promise of `replay`: what is live, what is frozen, what is an error; and that nothing else differs."""

from __future__ import annotations

import collections
import dataclasses
import functools
import numbers
import operator
import os
import random
import types
import weakref
from functools import singledispatch

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.replay import Replay, ReplayError, ReplayWarning, Source, replay
from autograd_core.replay.state import TensorRef
from nn import layers, optimizers

X = np.array([1.0, 2.0, 3.0])


def each(f, n):
    return [f(X + i) for i in range(n)]


def assert_bits(a, b):
    a, b = np.asarray(a), np.asarray(b)
    assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


# -- what is frozen ----------------------------------------------------------------------------------------

number = 2.0


class Holder:
    k = 2.0

    def __init__(self):
        self.own = 2.0
        self._hidden = 2.0
        self.holders = [[self]]

    @property
    def asked(self):
        return self._hidden

    def __call__(self, x):
        return x * self.own

    def __getitem__(self, key):
        return self.own


@dataclasses.dataclass
class Record:
    k: float = 2.0


def of_a_default(x, d=[2.0]):  # noqa: B006
    return x * d[0]


def of_itself(x):
    return x * of_itself.k


of_itself.k = 2.0


def passing_through(holder):
    return lambda x: x if holder.own == 2.0 else x * 2


def places():
    """Where a number may come from that is no argument: (a function of it and x, what makes it 4.0 instead of 2.0)."""
    h, r, box, deep = Holder(), Record(), [2.0], {"a": {"b": [2.0]}}
    queue, user, chain = collections.deque([2.0]), collections.UserDict(k=2.0), collections.ChainMap({"k": 2.0})
    memory, table = bytearray(b"\x02"), np.full(5000, 2.0)
    at, ns = weakref.ref(h), types.SimpleNamespace(k=2.0)
    cell = 2.0

    def enclosing(x):
        return x * cell

    def change_enclosing():
        nonlocal cell
        cell = 4.0

    return {
        "a global variable": (lambda x: x * number, lambda: globals().update(number=4.0)),
        "an enclosing function's": (enclosing, change_enclosing),
        "an attribute": (lambda x: x * h.own, lambda: setattr(h, "own", 4.0)),
        "an attribute of a class": (lambda x: x * h.k, lambda: setattr(Holder, "k", 4.0)),
        "getattr": (lambda x: x * getattr(h, "ow" + "n"), lambda: setattr(h, "own", 4.0)),
        "vars": (lambda x: x * vars(h)["own"], lambda: setattr(h, "own", 4.0)),
        "attrgetter": (lambda x: x * operator.attrgetter("own")(h), lambda: setattr(h, "own", 4.0)),
        "a property": (lambda x: x * h.asked, lambda: setattr(h, "_hidden", 4.0)),
        "a call": (h, lambda: setattr(h, "own", 4.0)),
        "an item": (lambda x: x * h[0], lambda: setattr(h, "own", 4.0)),
        "an object in lists": (lambda x: x * h.holders[0][0].own, lambda: setattr(h, "own", 4.0)),
        "a weak reference": (lambda x: x * at().own, lambda: setattr(h, "own", 4.0)),
        "a partial function": (functools.partial(lambda h, x: x * h.own, h), lambda: setattr(h, "own", 4.0)),
        "a dataclass": (lambda x: x * dataclasses.asdict(r)["k"], lambda: setattr(r, "k", 4.0)),
        "a namespace": (lambda x: x * ns.k, lambda: setattr(ns, "k", 4.0)),
        "a list": (lambda x: x * box[0], lambda: box.__setitem__(0, 4.0)),
        "dicts in dicts": (lambda x: x * deep["a"]["b"][0], lambda: deep["a"]["b"].__setitem__(0, 4.0)),
        "a deque": (lambda x: x * queue[0], lambda: queue.appendleft(4.0)),
        "a UserDict": (lambda x: x * user["k"], lambda: user.update(k=4.0)),
        "a ChainMap": (lambda x: x * chain["k"], lambda: chain.update(k=4.0)),
        "a bytearray": (lambda x: x * float(memory[0]), lambda: memory.__setitem__(0, 4)),
        "a number of an array": (lambda x: x * float(table.max()), lambda: table.__setitem__(0, 4.0)),
        "a default": (of_a_default, lambda: of_a_default.__defaults__[0].__setitem__(0, 4.0)),
        "an attribute of the function": (of_itself, lambda: setattr(of_itself, "k", 4.0)),
        "the environment": (
            lambda x: x * float(os.environ.get("AUTOGRAD_TEST_NUMBER", "2")),
            lambda: os.environ.update(AUTOGRAD_TEST_NUMBER="4"),
        ),
        "a way taken without a call": (lambda x: (x if h.own == 2.0 else x * 2) * 2, lambda: setattr(h, "own", 4.0)),
        "what passes its argument through": (passing_through(h), lambda: setattr(h, "own", 4.0)),
    }


@pytest.fixture
def two_again(monkeypatch):
    """What a test makes four is two for the next one."""
    monkeypatch.setenv("AUTOGRAD_TEST_NUMBER", "2")
    yield
    globals().update(number=2.0)
    Holder.k, of_itself.k = 2.0, 2.0
    of_a_default.__defaults__[0][0] = 2.0


@pytest.mark.usefixtures("two_again")
@pytest.mark.parametrize("place", places())
def test_what_is_no_argument_and_no_state_is_that_of_the_recording_and_a_check_finds_it(place):
    for check in (0, 1):
        f, change = places()[place]
        made = replay(f, check=check)
        before = [made(X) for _ in range(6)][-1]
        assert made.programs
        change()
        if check:
            with pytest.raises(ReplayError, match=r"in result 0.*has changed since it was recorded"):
                made(X)
        else:
            np.testing.assert_array_equal(made(X), before)
            np.testing.assert_array_equal(f(X), 2 * before)
        globals().update(number=2.0)
        Holder.k, of_itself.k = 2.0, 2.0
        of_a_default.__defaults__[0][0] = 2.0
        os.environ["AUTOGRAD_TEST_NUMBER"] = "2"


@pytest.mark.parametrize("check", [0, 1])
def test_what_moves_on_by_itself_stands_still(check):
    numbers = iter([2.0] * 4 + [4.0] * 20)
    made = replay(lambda x: x * next(numbers), check=check)
    each(made, 4)
    if check:
        with pytest.raises(ReplayError, match="in result 0"):
            made(X)
    else:
        np.testing.assert_array_equal(made(X), X * 2)


def test_an_array_from_elsewhere_is_read_where_it_lies_and_another_one_under_its_name_is_not():
    box = [np.ones(3)]
    made = replay(lambda x: x * box[0])
    each(made, 5)
    box[0][1] = 5.0
    np.testing.assert_array_equal(made(X), X * [1, 5, 1])
    box[0] = np.zeros(3)
    np.testing.assert_array_equal(made(X), X * [1, 5, 1])


def test_it_is_recorded_anew_when_it_is_made_anew():
    holder = Holder()

    def f(x):
        return x * holder.own

    first = replay(f)
    each(first, 5)
    holder.own = 4.0
    second = replay(f)
    each(second, 5)
    np.testing.assert_array_equal(first(X), X * 2)
    np.testing.assert_array_equal(second(X), X * 4)


# -- what is asked of a type, and of a place -----------------------------------------------------------------


@singledispatch
def times(x):
    return x * 3


@times.register
def _(x: np.ndarray):
    return np.maximum(x, 0)


def matched(x):
    match x:
        case np.ndarray():
            return np.maximum(x, 0)
        case float():
            return x * 5
        case _:
            return x * 3


TYPES = {
    "isinstance": lambda x: np.maximum(x, 0) if isinstance(x, np.ndarray) else x * 3,
    "a union": lambda x: np.maximum(x, 0) if isinstance(x, np.ndarray | list) else x * 3,
    "match": matched,
    "singledispatch": times,
    "__class__": lambda x: np.maximum(x, 0) if x.__class__.__name__ == "ndarray" else x * 3,
    "isscalar": lambda x: np.maximum(x, 0) if not np.isscalar(x) else x * 3,
    "Number": lambda x: np.maximum(x, 0) if not isinstance(x, numbers.Number) else x * 3,
    "float": lambda x: np.maximum(x, 0) if not isinstance(x, float) else x * 3,
    "a scalar in between": lambda x: np.maximum(x, 0) if isinstance(np.sum(x), np.floating) else x * 3,
    "an element": lambda x: np.maximum(x, 0) if np.isscalar(np.reshape(x, -1)[0]) else x * 3,
    "hasattr of a method": lambda x: np.maximum(x, 0) if hasattr(x, "tobytes") and not hasattr(x, "hex") else x * 3,
    "hasattr": lambda x: np.maximum(x, 0) if hasattr(x, "__array_interface__") else x * 3,
    "an interface that is none": lambda x: x * 3 if hasattr(x, "__cuda_array_interface__") else np.maximum(x, 0),
}


@pytest.mark.parametrize("name", TYPES)
def test_a_question_about_a_type_is_answered_as_for_what_the_function_gets(name):
    f = TYPES[name]
    made = replay(f)
    kinds = [np.abs, lambda x: x[0], lambda x: x[0, ...], lambda x: x.astype(np.float32), lambda x: np.float32(x[1])]
    for i in range(12):  # in turns, negative at last, so that a program of one kind would meet another kind
        for kind in kinds:
            x = kind(X + i) if i < 8 else kind(-(X + i))
            assert type(made(x)) is type(f(x))
            assert_bits(made(x), f(x))
    assert len(made.programs) == len(kinds)


def test_what_type_itself_says_is_that_of_the_recording_and_found_in_the_first_comparison():
    made = replay(lambda x: x * (2 if type(x) is np.ndarray else 3))
    with pytest.raises(ReplayError, match="other values than the function itself"):
        each(made, 6)


def test_the_same_array_twice_is_another_call_than_two_arrays():
    def f(x, y):
        return x + 1 if x is y else x - y

    made = replay(f)
    for i in range(12):
        a, b = X + i, X * i
        for args in ((a, a), (a, b), (ag.Tensor(a, requires_grad=False).data,) * 2):
            np.testing.assert_array_equal(made(*args), f(*args))
    assert len(made.programs) == 2


@pytest.mark.parametrize("ask", [np.shares_memory, np.may_share_memory])
def test_where_the_arrays_of_the_caller_lie_is_nothing_to_replay(ask):
    def f(x, y):
        return x * 0 if ask(x, y) else x + y

    loose = Replay(f)
    for i in range(12):
        a = np.arange(6.0) + i
        for args in ((a[:3], a[3:]), (a[:3], a[1:4]), (a[::2], a[1:4])):
            np.testing.assert_array_equal(loose(*args), f(*args))
    with pytest.raises(ReplayError, match=f"{ask.__name__}.*test_promise"):
        each(replay(lambda x: f(x, X)), 3)
    own = replay(lambda x: x * 2 if ask(x * 1, x) else x * 3)
    np.testing.assert_array_equal(each(own, 6)[-1], (X + 5) * 3)
    assert own.programs


def test_an_argument_that_lies_in_the_memory_of_state_is_what_the_function_finds_there():
    found = []
    for wrap in (lambda f, w: f, lambda f, w: replay(f, state=[w])):
        w = ag.Tensor(np.arange(1.0, 5.0))

        def step(x, w=w):
            w.data *= 2
            y = x + 0
            w.data[...] = w.data - 1
            return y + x

        made = wrap(step, w)
        results = [made(np.ones(4)) for _ in range(6)]
        results += [made(w.data), made(w.data[:4]), made(w.data[::-1]), made(np.ones(4))]
        found.append((results, w.data))
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


# -- arguments that are written to ---------------------------------------------------------------------------


def written(x, y):
    x += 1
    x[..., :1] = y
    y *= 2
    return x * y


ARRAYS = {
    "small": lambda i: np.arange(6.0).reshape(2, 3) + i,
    "without axes": lambda i: np.array(1.0 + i),
    "in columns": lambda i: np.asfortranarray(np.arange(6.0).reshape(2, 3) + i),
    "with gaps": lambda i: (np.arange(24.0).reshape(4, 6) + i)[::2, 1::2],
    "backwards": lambda i: (np.arange(24.0).reshape(4, 6) + i)[::-2, ::-2],
    "large": lambda i: np.arange(300 * 400.0).reshape(300, 400) + i,
    "large, with gaps": lambda i: (np.arange(600 * 800.0).reshape(600, 800) + i)[::2, ::2],
    "without elements": lambda i: np.zeros((0, 3)),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_what_is_written_into_an_argument_the_caller_finds_there(kind):
    made = replay(written)
    for i in range(7):
        x, y = ARRAYS[kind](i), np.array(3.0 + i)
        if x.ndim == 0:
            with pytest.raises(IndexError):
                written(x.copy(), y.copy())
            x = x.reshape(1)
        mine, its = (x.copy(order="K"), y.copy()), (ARRAYS[kind](i).reshape(x.shape), y.copy())
        assert_bits(made(*its), written(*mine))
        for a, b in zip(mine, its, strict=True):
            assert_bits(a, b)
    assert made.programs


def test_an_argument_that_cannot_be_written_to_raises_what_the_function_raises():
    made = replay(lambda x: np.add(x, 1, out=x))
    for i in range(6):
        made(X + i)
    fixed = X.copy()
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        made(fixed)


def test_arguments_that_share_memory_share_what_is_written():
    def f(x, y):
        x *= 2
        return x + y

    made = replay(f)
    for i in range(8):
        for overlapping in (False, True):
            a, b = (np.arange(8.0) + i for _ in range(2))
            mine = f(a[:4], a[2:6] if overlapping else a[4:].copy())
            np.testing.assert_array_equal(made(b[:4], b[2:6] if overlapping else b[4:].copy()), mine)
            np.testing.assert_array_equal(a, b)
    assert made.programs


# -- bits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.int8, np.int32, bool])
@pytest.mark.parametrize(
    "layout",
    [
        lambda x: x,
        lambda x: x.T,
        lambda x: x[:, :37],
        lambda x: x[::2, ::3],
        lambda x: x[::-1, ::-1],
        lambda x: np.swapaxes(x.reshape(50, 4, 30), 1, 2),
        lambda x: np.broadcast_to(x[:1], (50, 120)),
    ],
    ids=["rows", "columns", "some columns", "steps", "backwards", "swapped", "broadcast"],
)
def test_sums_have_the_same_bits_however_an_argument_lies_in_memory(layout, dtype):
    """A sum goes along memory, and where that has gaps it adds up in another order."""

    def f(x):
        return [np.sum(x), np.sum(x, axis=0), np.mean(x, axis=1), np.exp(x), x * x, np.max(x), np.sum(x * 1, axis=-1)]

    made = replay(f, exact=True)
    rng = np.random.default_rng(0)
    for rows in (50,) * 6:
        with np.errstate(all="ignore"):
            x = layout((rng.normal(size=(rows, 120)) * 9).astype(dtype))
            for mine, its in zip(f(x), made(x), strict=True):
                assert_bits(mine, its)
    assert made.programs


def test_float16_has_the_mean_that_numpy_gives_it():
    """NumPy adds up in float32; into an `out=` of float16 it would not."""
    made = replay(lambda x: np.mean(x, axis=0) * 1)
    for value in (1, 2, 3, 4, 5, 1000):
        x = np.full((100, 2), value, np.float16)
        np.testing.assert_array_equal(made(x), np.full(2, value, np.float16))
    assert made.programs


# -- check and exact -------------------------------------------------------------------------------------------


def test_a_check_runs_the_function_beside_every_so_manieth_replay_and_commits_what_it_did():
    def train(wrap):
        w, source, calls = ag.Tensor(np.ones(3)), Source(np.random.PCG64(0)), []

        def step(x):
            calls.append(1)
            x += 1
            w.data *= 0.5
            w.data = w.data + source.random(3) * x
            return w.data * 1

        made = wrap(step, w)
        given = [X + i for i in range(12)]
        return [*map(made, given), *given, w.data, source.random()], len(calls)

    mine, _ = train(lambda f, w: f)
    its, calls = train(lambda f, w: replay(f, state=[w], check=3))
    for a, b in zip(mine, its, strict=True):
        np.testing.assert_array_equal(a, b)
    assert calls == 4 + 2  # the eight replays are checked at the third and the sixth


@pytest.mark.parametrize("what", ["result", "state", "argument", "chance", "error", "structure"])
def test_a_check_that_finds_a_difference_names_it_and_leaves_all_as_it_was(what):
    w = ag.Tensor(np.ones(3), name="weight")
    source, now = Source(np.random.PCG64(0)), []

    def step(x):
        x *= 2 if "argument" not in now else 3
        w.data *= 1 if "state" not in now else 2
        if "chance" in now:
            source.random(1)
        if "error" in now:
            raise KeyError("gone")
        y = x * source.random(3) * (1 if "result" not in now else 2)
        return (y, y) if "structure" in now else y

    made = replay(step, state=[w], check=1)
    for i in range(6):
        made(X + i)
    stood, x = source.bit_generator.state, X.copy()
    now.append(what)
    words = {
        "result": "in result 0",
        "state": "in weight",
        "argument": "to argument 0|in result 0",
        "chance": "other random numbers|in result 0",
        "error": "the function itself raised KeyError",
        "structure": "another structure",
    }
    with pytest.raises(ReplayError, match=words[what]):
        made(x)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(w.data, np.ones(3))
    assert source.bit_generator.state == stood
    now.clear()
    made(x)
    np.testing.assert_array_equal(x, X * 2)


def test_exact_runs_in_one_thread_and_compiles_nothing(monkeypatch):
    import importlib

    parallel, loops = (
        importlib.import_module(f"autograd_core.replay.{n}") for n in ("threads.parallel", "numba.loops")
    )
    monkeypatch.setattr(parallel, "workers", lambda: 2)
    monkeypatch.setattr(loops, "with_loops", lambda *_: pytest.fail("compiled"))

    def f(x):
        return np.sum(np.tanh(x @ x.T) * 2 + 1 - x.sum() * 3)

    made, shared = replay(f, exact=True, numba=True), replay(f, numba=False)
    rng = np.random.default_rng(0)
    for _ in range(6):
        x = rng.normal(size=(1500, 300))
        assert_bits(made(x), f(x))
        shared(x)
    assert made.programs[0].schedule.workers == 1
    assert shared.programs[0].schedule.workers == 2


@pytest.mark.parametrize("word", ["always", 1, None, np.array([1, 2])])
def test_another_word_for_numba_is_refused(word):
    with pytest.raises(ValueError, match='numba: expected True, False or "auto", got '):
        replay(np.tanh, numba=word)


@pytest.mark.parametrize("check", [-1, 0.5, True, "often"])
def test_another_check_is_refused(check):
    with pytest.raises(ValueError, match="check: expected how many replays"):
        replay(np.tanh, check=check)


@pytest.mark.parametrize("state", [X, [X], ag.Tensor(X), 3])
def test_state_is_a_list_of_tensors(state):
    with pytest.raises(TypeError, match="state is a list of the Tensors that the function changes, not"):
        replay(np.tanh, state=state)


# -- arguments and results -------------------------------------------------------------------------------------


def test_subclasses_of_arrays_compute_in_their_own_way():
    f = replay(lambda x: x * x)
    for i in range(6):
        masked = np.ma.masked_array([1.0 + i, 2.0], [False, True])
        assert f(masked).mask.tolist() == [False, True]
    assert "a MaskedArray is among its arguments" in f.show()
    g = replay(lambda x: x + np.timedelta64(1, "D"))
    for i in range(6):
        day = np.array(["2026-01-01"], "datetime64[D]") + i
        np.testing.assert_array_equal(g(day), day + 1)
    assert "an array of dtype datetime64[D] is among its arguments" in g.show()


def test_what_depends_on_the_order_in_memory_is_right_for_either_order():
    def f(x):
        return np.ravel(x, order="K") * 1

    replayed = replay(f)
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


def test_true_is_another_number_than_one():
    f = replay(lambda x, y: x * 2 if y is True else x * 3)
    for _ in range(6):
        for y in (True, 1, 1.0):
            np.testing.assert_array_equal(f(X, y), X * (2 if y is True else 3))


def test_a_constant_result_is_the_callers_own():
    f = replay(lambda x: (x * 2, np.zeros(3)))
    for i in range(8):
        constant = f(X + i)[1]
        np.testing.assert_array_equal(constant, [0, 0, 0])
        constant[0] = 7


def test_a_result_with_a_graph_is_left_to_the_function():
    weight = ag.Tensor(np.ones(3), requires_grad=True)

    def f(x):
        return np.sum(weight * x)

    made = Replay(f)
    for i in range(6):
        weight.grad = None
        made(X + i).backward()
        np.testing.assert_array_equal(weight.grad, X + i)
    assert "needs a gradient" in made.show()
    with pytest.raises(ReplayError, match="needs a gradient"):
        each(replay(f), 2)


def test_a_function_inside_may_use_what_was_computed_outside_of_it():
    def f(x):
        y = x * 2

        def inner(t):
            return t * y

        return inner(x) + 1

    made = replay(f)
    np.testing.assert_array_equal(each(made, 6), each(f, 6))
    assert made.programs


@pytest.mark.parametrize("draw", [random.random, lambda: np.random.random()])  # noqa: NPY002
def test_what_is_drawn_elsewhere_is_drawn_each_time(draw):
    def f(x):
        return x * 0 if draw() < 0.05 else x * 1

    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    made = Replay(f)
    zeros = sum(made(X)[0] == 0 for _ in range(500))
    assert 5 < zeros < 60
    assert "draws numbers from random or np.random" in made.show()
    with pytest.raises(ReplayError, match=r"draws numbers from random or np.random"):
        each(replay(f), 3)


def test_numbers_that_change_with_every_call_belong_in_arrays():
    f = replay(lambda x, rate: x * rate)
    with pytest.warns(ReplayWarning, match=r"combinations of shapes and numbers; hand a number .* np.asarray") as said:
        found = [f(X, 0.1 * i) for i in range(40)]
    assert len(said) == 1
    assert said[0].filename == __file__
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


def test_an_optimizer_in_a_step_of_ones_own_counts_in_python_and_so_is_an_error():
    model = nn.Sequential([layers.Input(shape=(3,)), layers.Dense(2)])
    adam = optimizers.Adam(0.1)

    def step(x):
        np.mean((model(x) - 1) ** 2).backward()
        adam.apply([v.grad for v in model.trainable_variables], model.trainable_variables)
        model.zero_grad()

    made = Replay(step, lambda: [TensorRef(v) for v in model.trainable_variables], strict=True)
    with pytest.raises(ReplayError, match="counts its steps"):
        [made(np.ones((2, 3), np.float32)) for _ in range(4)]


def test_modules_that_only_look_like_numba_do_no_harm(monkeypatch):
    import sys

    from autograd_core.replay.numba import loops

    monkeypatch.setitem(sys.modules, "numba", types.ModuleType("numba"))
    loops.available.cache_clear()
    try:
        assert not loops.available()
    finally:
        loops.available.cache_clear()
