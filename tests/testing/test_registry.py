"""What is true of every op in the table. An op is covered by being registered; nothing here names one."""

import numpy as np
import pytest
from hypothesis import given, settings

from autograd_core.op import COMPOSED, REGISTRY, Op, op
from autograd_core.testing import check_gradients, programs, registry_calls
from autograd_core.testing.calls import calls, entries, examples_of, special_calls
from autograd_core.testing.properties import check_call

NAMES = [name for name, _ in entries()]


@pytest.mark.parametrize("name", NAMES)
def test_every_example_of_every_entry_has_a_right_gradient(name):
    verdicts = [check_call(call).verdict for call in calls([name]) if call.argnums]
    assert "pass" in verdicts


@pytest.mark.parametrize("name", [name for name in NAMES if name in REGISTRY and REGISTRY[name].elementwise])
def test_every_elementwise_op_is_right_at_ties_kinks_edges_and_whole_numbers(name):
    assert {check_call(call).verdict for call in special_calls([name])} <= {"pass", "inconclusive"}


@settings(max_examples=200, deadline=None)
@given(registry_calls())
def test_any_call_of_any_entry_has_a_right_gradient(call):
    if call.argnums:
        check_call(call)


@settings(max_examples=150, deadline=None)
@given(programs())
def test_any_program_of_ops_has_a_right_gradient(program):
    check_gradients(program, *program.inputs)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_is_reached_by_some_example(name):
    entry = REGISTRY.get(name)
    if isinstance(entry, Op) and entry.arity is not None:
        reached = {n for call in calls([name]) for n in call.argnums}
        assert reached == {n for n, rule in enumerate(entry.rules) if rule is not None}


def test_an_op_that_says_nothing_about_how_to_call_it_fails():
    @op("x^5")
    def fifth(x):
        return x**5

    try:
        with pytest.raises(ValueError, match="fifth: expected examples to test it with, got none; add examples="):
            examples_of(REGISTRY["fifth"])
    finally:
        del REGISTRY["fifth"]


def test_an_elementwise_ufunc_needs_no_examples():
    assert REGISTRY["exp"].examples is None
    shapes = {np.shape(call.args[0]) for call in calls(["exp"])}
    assert {(), (0, 2)} < shapes


def test_the_table_is_not_empty():
    assert len(REGISTRY) > 20
    assert COMPOSED
