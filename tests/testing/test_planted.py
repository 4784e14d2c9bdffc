"""The faults of benchmarks/planted_faults.py are found in the default budget, and the right gradients pass."""

import importlib.util
import sys
from pathlib import Path

import hypothesis
import pytest

from autograd_core.testing import GradientError, gradient_property

SPEC = importlib.util.spec_from_file_location(
    "planted_faults", Path(__file__).parents[2] / "benchmarks" / "planted_faults.py"
)
planted = importlib.util.module_from_spec(SPEC)
sys.modules["planted_faults"] = planted  # for its dataclasses
SPEC.loader.exec_module(planted)

# Too rare to be drawn in each hundred examples: which of these is found is chance.
RARE = {"a rare value, 2", "all elements equal", "more than 1,000 elements"}


def budget(test):
    """Without shrinking: whether it is found, not how small it can be made."""
    phases = [hypothesis.Phase.generate]
    test._hypothesis_internal_use_settings = hypothesis.settings(
        test._hypothesis_internal_use_settings, phases=phases, database=None
    )
    return test


@pytest.mark.parametrize("case", [c for c in planted.FAULTS if c.name not in RARE], ids=lambda c: c.name)
def test_a_planted_fault_is_found(case):
    with pytest.raises(GradientError):
        budget(gradient_property(case.f, grad=case.grad, domain=case.domain, shapes=case.shapes))()


@pytest.mark.parametrize("case", planted.NASTY, ids=lambda c: c.name)
def test_a_right_gradient_that_is_nasty_passes(case):
    budget(gradient_property(case.f, grad=case.grad, domain=case.domain, shapes=case.shapes, max_examples=40))()
