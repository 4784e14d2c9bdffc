"""Each pass makes of one schedule another that gives the same bits; passes from outside are applied in their time."""

from __future__ import annotations

import importlib
import math
import os
import subprocess
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.replay import passes, replay
from autograd_core.replay.execute import Program
from autograd_core.replay.passes import PASSES, Extension, Stage
from autograd_core.replay.tape import Recording

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 5))
W = rng.normal(size=(5, 5))


def momentum(x, w):
    """Something for each pass to do."""
    slope = ag.grad(lambda v: np.mean(np.tanh(x @ v) ** 2) * 1)(w)
    twice = np.exp(x) + np.exp(x)
    joined = np.concatenate([np.ravel(twice * 2), np.ravel(slope.copy())])
    return joined, np.sum(twice, axis=1, keepdims=True), slope * (1 / 3)


def large(x, w):
    """A chain that is cut into blocks, and a reduction."""
    rows = np.broadcast_to(x, (2000, *x.shape)) * 2
    return np.sqrt(np.abs(rows) + 1).sum(axis=0) @ w


def recorded(function):
    """What a function does to inputs, and to state, as a schedule without any pass; and what it gives."""
    state = rng.normal(size=(5, 5))
    before = state.copy()
    with Recording() as recording:
        x, w = recording.input(X), recording.state(state)
        found = function(x, w)
        found = found if isinstance(found, tuple) else (found,)
        w[...] = w * 0.9 + W
        outputs = [recording.view_of(value.array) for value in found]
    values, after = [np.array(value.array) for value in found], state.copy()
    schedule = passes.lower(recording, outputs)
    return schedule, values, state, before, after


@pytest.mark.parametrize("function", [momentum, large])
@pytest.mark.parametrize("some", [PASSES[:n] for n in range(len(PASSES) + 1)])
def test_so_many_passes_keep_every_bit(function, some):
    schedule, values, state, before, after = recorded(function)
    program = Program(passes.optimize(schedule, some))
    for _ in range(2):
        np.copyto(state, before)
        for mine, its in zip(program([X]), values, strict=True):
            assert np.asarray(mine).tobytes() == its.tobytes()
        assert state.tobytes() == after.tobytes()


@pytest.mark.parametrize("left_out", [each.__name__ for each in PASSES])
def test_each_pass_can_be_left_out(left_out):
    for function in (momentum, large):
        schedule, values, state, before, after = recorded(function)
        program = Program(passes.optimize(schedule, tuple(each for each in PASSES if each.__name__ != left_out)))
        np.copyto(state, before)
        assert all(np.asarray(a).tobytes() == b.tobytes() for a, b in zip(program([X]), values, strict=True))
        assert state.tobytes() == after.tobytes()


def test_each_pass_finds_something_to_do():
    """Or else the two tests above would say nothing of it."""
    idle = {each.__name__ for each in PASSES}
    for function in (momentum, large, small_parameters):
        schedule, *_ = recorded(function)
        for each in PASSES:
            after = each(schedule)
            if described(after) != described(schedule):
                idle.discard(each.__name__)
            schedule = after
    assert idle == {"sink_state_changes"}  # there is nothing here that may raise; test_promise.py has it


def small_parameters(x, w):
    """Three equal chains over parts of one array of state."""
    for row in w[:3]:
        row[...] = row * 0.5 + 1
    return x * 2


def described(schedule):
    """What runs, together with what, on what: the buffers by the order in which they are met."""
    numbers = {}
    return [
        (
            group.rows,
            [
                (
                    inst.function,
                    [
                        (numbers.setdefault(p.buffer, len(numbers)), p.offset, p.shape)
                        for p in (*inst.reads, *inst.defined)
                    ],
                    [type(a) for a in inst.args],
                )
                for inst in group.instructions
            ],
        )
        for group in schedule.groups
    ]


# -- passes from outside -----------------------------------------------------------------------------------


@pytest.fixture
def alone(monkeypatch):
    """The core, without any pass from outside."""
    for name in ("threads", "numba"):
        importlib.import_module(f"autograd_core.replay.{name}")
    monkeypatch.setattr(passes, "_extensions", {})


@pytest.mark.usefixtures("alone")
def test_the_core_replays_without_passes_from_outside():
    f = replay(lambda x: np.sqrt(np.abs(np.tanh(x @ x) * 3 + 1) / 2), numba=True)
    for _ in range(6):
        x = rng.normal(size=(400, 400))
        assert np.array_equal(f(x), f.function(x))
    (program,) = f.programs
    assert (program.schedule.workers, program.schedule.hot) == (1, False)


def test_the_core_imports_no_pass_from_outside():
    code = """
        import sys
        import numpy as np
        from autograd_core.replay.cache import Replay

        f = Replay(lambda x: np.tanh(x @ x))
        for _ in range(6):
            f(np.eye(3))
        f.profile(np.eye(3)), f.show(), f.save(sys.argv[1])
        names = [name for name in sys.modules if name.startswith("autograd_core.replay.")]
        print(len(f.programs), *(name for name in names if "threads" in name or "numba" in name))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), os.devnull],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.stdout, done.returncode) == ("1\n", 0), done.stderr


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("stage", [Stage.PROVED, Stage.HOT])
@pytest.mark.parametrize("exact", [False, True])
def test_a_pass_is_applied_at_its_stage_unless_all_is_to_be_exact(stage, exact):
    applied = []

    def doubled(schedule):
        applied.append(len(schedule.groups))
        return replace(schedule, groups=list(schedule.groups))

    passes.register(Extension("for a test", stage, doubled))
    f = replay(lambda x: np.tanh(x) @ x, numba=True, exact=exact)
    calls = []
    for _ in range(6):
        f(np.eye(3))
        calls.append(len(applied))
    late = 4 if stage is Stage.PROVED else 5  # the call that proves it, and the first replay
    assert calls == [0 if exact or n < late else 1 for n in range(1, 7)]


@pytest.mark.usefixtures("alone")
def test_a_pass_that_is_not_available_is_not_applied():
    passes.register(Extension("for a test", Stage.PROVED, lambda schedule: pytest.fail("applied"), lambda: False))
    f = replay(np.tanh)
    for _ in range(5):
        f(np.ones(2))
    assert len(f.programs) == 1


def test_blocks_cover_a_chain_once():
    schedule, *_ = recorded(large)
    chains = [group for group in passes.optimize(schedule).groups if group.rows]
    assert chains
    for group in chains:
        assert math.ceil(group.rows / group.block) > 1
