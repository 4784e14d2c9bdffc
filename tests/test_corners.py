"""The page "Where libraries disagree" says what our code gives now, and what the judges give."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent

# Where ours is not the one right answer, and the page says why.
KNOWN = {"√x where x > 0, else 0, at −1", "|x| squared, at 0 (f″)", "2-norm squared, at [0 0] (f″)"}


@pytest.fixture
def corners(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import corners

    return corners


@pytest.fixture
def told(corners):
    return json.loads(corners.RESULTS.read_text(encoding="utf-8"))


@pytest.fixture
def everything(corners):
    return [question for rows in corners.GROUPS.values() for question in corners.questions(rows)]


@pytest.fixture
def ours(corners):
    with np.errstate(all="ignore"):
        return corners.answers(corners.LIBRARIES[0]())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_our_column_is_what_our_code_gives(corners, told, ours):
    stored = told["ours"]["answers"]
    assert stored.keys() == ours.keys()
    changed = {q: (stored[q], ours[q]) for q in ours if not corners.same(ours[q], stored[q])}
    assert not changed, "run: python benchmarks/corners.py --only ours"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_where_one_answer_is_right_it_is_ours(corners, everything, ours):
    wrong = {q.name for q in everything if q.name in ours and corners.is_wrong(q, ours[q.name])}
    assert wrong == KNOWN
    assert sum(q.right is not None for q in everything) > 80


def test_the_page_is_that_of_the_stored_answers(corners, told):
    assert corners.PAGE.read_text(encoding="utf-8") == corners.page(told), "run: python benchmarks/corners.py"


def test_every_question_has_one_name_and_a_sentence(everything):
    names = [q.name for q in everything]
    assert len(set(names)) == len(names) > 150
    assert all(q.says.endswith(".") and len(q.says) > 1 for q in everything)


def test_answers_are_the_same_but_for_rounding(corners):
    assert corners.same([1.0, [np.nan, np.inf]], [1.00001, [np.nan, np.inf]])
    assert corners.same([[6.0, 1e-15]], [[6.0, 0.0]])
    assert not corners.same([0.0], [1.7e-17])
    assert not corners.same([0.0], [np.nan])
    assert not corners.same([None], [0.0])
    assert not corners.same("an error", [0.0])


@pytest.mark.parametrize("name", ["PyTorch", "JAX"])
def test_other_columns_are_what_the_libraries_give(name, corners, told, judge):
    judge({"PyTorch": "torch", "JAX": "jax"}[name])
    command = [sys.executable, str(ROOT / "benchmarks" / "corners.py"), "--answer", name, "--every", "6"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    now = json.loads(done.stdout.splitlines()[-1])
    if now["version"] != told[name]["version"]:
        pytest.skip(f"the page is about {told[name]['version']}; installed is {now['version']}")
    assert len(now["answers"]) > 20
    assert not {q for q, answer in now["answers"].items() if not corners.same(answer, told[name]["answers"].get(q, ""))}
