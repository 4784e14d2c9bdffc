"""The faults of benchmarks/planted_faults.py are found in the default budget, and the right gradients pass."""

import importlib.util
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from autograd_core.domain import POSITIVE, REAL
from autograd_core.testing import GradientError, check_gradients, gradient_property
from autograd_core.testing.corners import at, corners

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("planted_faults", ROOT / "benchmarks" / "planted_faults.py")
planted = importlib.util.module_from_spec(SPEC)
sys.modules["planted_faults"] = planted  # for its dataclasses
SPEC.loader.exec_module(planted)


@pytest.mark.parametrize("case", planted.FAULTS, ids=lambda c: c.name)
def test_a_planted_fault_is_found_in_every_seed(case):
    for seed in (0, 1) if "THOROUGH" in os.environ else (0,):  # corners come first, and are the same in each
        assert planted.by_property(case, seed)


UNDECIDED = []


@pytest.mark.every(4)
@pytest.mark.parametrize("case", planted.NASTY, ids=lambda c: c.name)
def test_a_right_gradient_that_is_nasty_passes_at_every_corner(case):
    if planted.undecided(case):  # which raises where it is an alarm
        UNDECIDED.append(case.name)
    assert len(UNDECIDED) <= 6


def test_the_page_tells_of_all_of_them():
    page = (ROOT / "docs" / "checkers.md").read_text(encoding="utf-8")
    for case in planted.FAULTS:
        assert f"| {case.name} |".replace("|x|", "\\|x\\|") in page
    totals = re.search(r"\*\*faults found, of (\d+)\*\* \| (\d+)", page)
    assert int(totals[1]) == len(planted.FAULTS)
    assert int(totals[2]) >= 42  # in the seed that finds least
    alarms = re.search(r"\*\*alarms on what is right, of (\d+)\*\* \| (\S+)", page)
    assert (int(alarms[1]), alarms[2]) == (len(planted.NASTY), "0")


def test_every_corner_is_tried_in_the_default_budget():
    seen = set()

    def product(x, y):
        seen.add((np.shape(x), np.shape(y), float(np.sum(x)), float(np.sum(y))))
        return x * y

    gradient_property(product, grad=lambda g, x, y: (planted._to(g * y, x), planted._to(g * x, y)))()
    for corner in corners(2, None):
        x, y = at(corner, [REAL, REAL])
        assert (x.shape, y.shape, float(np.sum(x)), float(np.sum(y))) in seen, corner


def test_corners_stay_in_their_domains():
    for corner in corners(2, None):
        assert all((a > 0).all() for a in at(corner, [POSITIVE, POSITIVE]))
    for kind, shapes in corners(2, ((2, 3), (3,))):
        assert [a.shape for a in at((kind, shapes), [REAL, REAL])] == [(2, 3), (3,)]


@pytest.mark.parametrize(
    ("wrong", "smallest"),
    [
        (lambda x: x > 10, 321 / 32),  # the first number of the grid beyond 10
        (lambda x: np.abs(x) > 1e6, 1e6 + 1 / 32),
        (lambda x: x == 2, 2.0),
        (lambda x: x < -3, -97 / 32),
    ],
)
def test_what_fails_at_a_corner_is_told_by_the_smallest_number_that_does(wrong, smallest):
    test = gradient_property(np.square, grad=lambda g, x: np.where(wrong(x), 1.1 * g * 2 * x, g * 2 * x))
    with pytest.raises(GradientError) as raised:
        test()
    (x,) = raised.value.arguments
    assert np.size(x) == 1
    assert abs(float(x)) == pytest.approx(abs(smallest), abs=1e-9)


@pytest.mark.parametrize("shape", [(1030,), (2, 600), (10_007,)])
def test_a_failure_that_takes_many_numbers_is_printed_as_code_that_shows_it(shape):
    (x,) = at(("apart", (shape,)), [REAL])

    def grad(g, x):
        return g * np.cos(x) * (1.5 if x.size > 1000 else 1.0)

    with pytest.raises(GradientError, match=r"np\.resize\(np\.array\(") as raised:
        check_gradients(np.sin, x, grad=grad)
    code = str(raised.value).partition("To see it again:")[2]
    assert len(code) < 1000
    with pytest.raises(GradientError) as again:
        exec(code, {"__name__": "again"})
    assert again.value.got == raised.value.got
    assert np.array_equal(again.value.arguments[0], x)
