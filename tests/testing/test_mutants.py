"""The negative control: wrong rules are noticed, and those that only look wrong are told apart."""

from contextlib import suppress

import numpy as np
import pytest

from autograd_core import REGISTRY
from autograd_core.testing import mutants
from autograd_core.testing.calls import calls


def table(name):
    return [call for call in calls([name]) if call.argnums]


def test_the_original_rules_are_not_noticed():
    assert not any(mutants.noticed(table(name)) for name in ("tanh", "multiply", "sum", "matmul"))


def test_every_kind_of_mutant_is_made():
    made = {mutants.family(m) for op in REGISTRY.values() for m in mutants.mutants_of(op)}
    assert made == {*mutants.VALUES, *mutants.OTHERS, "one place in the source"}


def test_every_rule_has_at_least_five_mutants():
    for op in REGISTRY.values():
        made = {}
        for mutant in mutants.mutants_of(op):
            made.setdefault(mutant.position, set()).add(mutant.kind)
        assert made, op.name
        assert all(len(kinds) >= 5 for kinds in made.values()), op.name


@pytest.mark.every(3)  # make check tries them all
@pytest.mark.parametrize("what", mutants.WALK, ids=lambda what: what[0])
def test_a_broken_walk_is_noticed(what):
    _, function, right, wrong = what
    everyday = [call for name in ("add", "multiply", "matmul", "divide") for call in table(name)]
    with mutants.broken_walk(function, right, wrong):
        assert mutants.noticed(everyday)
    assert not mutants.noticed(table("add"))


def test_a_mutant_that_computes_the_same_numbers_is_told_apart():
    flat = {m.kind: m for m in mutants.mutants_of(REGISTRY["add"])}["wrong in second order"]
    before = mutants.numbers(table("add"))
    with mutants.installed(flat):
        assert not mutants.noticed(table("add"))
        after = mutants.numbers(table("add"))
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.thorough  # make check takes a larger one
def test_a_sample_has_no_survivors_and_adds_up():
    with np.errstate(all="ignore"):  # some of the wrong rules divide by 0
        score = mutants.run(sample=12, seed=5)
    assert score.survivors == []
    assert sum(score.tried.values()) == 12 + len(mutants.WALK)
    assert sum(score.caught.values()) + sum(score.equivalent.values()) == sum(score.tried.values())
    assert sum(score.caught.values()) > sum(score.equivalent.values())


def test_rules_are_restored():
    def rules():
        return {name: list(op.rules) if op.arity is not None else op.rules.rule for name, op in REGISTRY.items()}

    before = rules()
    for op in REGISTRY.values():
        mutant = next(mutants.mutants_of(op))
        with suppress(KeyboardInterrupt), mutants.installed(mutant):
            assert rules() != before
            raise KeyboardInterrupt
        assert rules() == before


def test_edits_of_the_source_are_made_where_there_is_something_to_edit():
    kinds = {m.kind for m in mutants.mutants_of(REGISTRY["tan"])}
    assert "dropped the left of 1 + z * z" in kinds
    assert "1 became 2" in kinds
