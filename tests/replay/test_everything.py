"""Every op of the table, and programs of them at random: replayed, they make the same bits. No op is named here."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings

import autograd_core as ag
from autograd_core import tree
from autograd_core.op import COMPOSED, REGISTRY
from autograd_core.replay import replay
from autograd_core.replay.numba.loops import Loop
from autograd_core.testing import programs
from autograd_core.testing.calls import entries, examples_of, make_call, random_numbers, shapes_of, size_of

NAMES = [name for name, _ in entries()]
CALLS = 5  # the first as it is, two recorded, two replayed
ENOUGH = 4  # examples that any elementwise function has


def value_and_gradient(f):
    """From a gradient of the value and the arguments to the value and the gradients of the arguments."""

    def both(given, *args):
        value, pullback = ag.vjp(f, *args)
        return value, pullback(given)

    return both


def seeds(value, n):
    """A gradient to arrive at a value, the n-th."""
    return tree.map(lambda z: np.cos(np.arange(np.size(z)) + n).reshape(np.shape(z)), value)


def bits(value):
    arrays = [np.asarray(leaf) for leaf in tree.leaves(value)]
    return [(a.shape, a.dtype, a.tobytes()) for a in arrays]


def assert_same_bits(f, batches, **options):
    """The function itself and its replay, value and gradients; returns the replayed one."""
    itself = value_and_gradient(f)
    replayed = replay(itself, **options)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is not replayed is told by its having no programs
        for n, batch in enumerate(batches):
            given = seeds(ag.vjp(f, *batch)[0], n)
            assert bits(replayed(given, *batch)) == bits(itself(given, *batch))
    return replayed


# -- every op ----------------------------------------------------------------------------------------------


def examples(name):
    entry = REGISTRY[name] if name in REGISTRY else COMPOSED[name]
    own = len(entry.examples or ())
    return entry, list(examples_of(entry))[: own or ENOUGH]


def replays(name):
    """The examples of an op, replayed with other numbers in each call; the first in single precision too."""
    entry, given = examples(name)
    for example, dtype in [*((e, np.float64) for e in given), (given[0], np.float32)]:
        count = size_of(shapes_of(entry, example))
        calls = [make_call(name, example, random_numbers(count, np.random.default_rng(n))) for n in range(CALLS)]
        varied = calls[0].argnums

        def f(*args, call=calls[0], varied=varied):
            filled = list(call.args)
            for position, value in zip(varied, args, strict=True):
                filled[position] = value
            return call(*filled)

        def narrowed(value, dtype=dtype):
            return tree.map(lambda leaf: np.asarray(leaf, dtype), value)

        yield example, assert_same_bits(f, [[narrowed(call.args[n]) for n in varied] for call in calls])


@pytest.mark.parametrize("name", NAMES)
def test_every_op_and_its_gradients_replay_to_the_last_bit(name):
    for example, replayed in replays(name):
        assert replayed.programs, (example, replayed.show())


# -- programs of them --------------------------------------------------------------------------------------


def batches_of(program):
    return [[x * (1 - n / 64) + n / 128 for x in program.inputs] for n in range(CALLS)]


@settings(max_examples=200, deadline=None)
@given(programs())
def test_any_program_of_ops_replays_to_the_last_bit(program):
    replayed = assert_same_bits(program, batches_of(program))
    assert replayed.programs, replayed.show()


ARITHMETIC = ["add", "subtract", "multiply", "divide", "negative", "square", "sqrt", "absolute", "tanh", "sum"]


def test_any_program_of_arithmetic_makes_the_same_bits_compiled(judge):
    judge("numba")
    compiled = 0

    @settings(max_examples=40, deadline=None)
    @given(programs(ARITHMETIC, max_statements=9, max_inputs=2))
    def check(program):
        nonlocal compiled
        replayed = assert_same_bits(program, batches_of(program), numba=True)
        (made,) = replayed.programs
        assert made.schedule.hot
        compiled += any(isinstance(inst.function, Loop) for inst in made.schedule.instructions)

    check()
    assert compiled > 5
