"""The numbers of a page of arrays are those of Python, whatever is changed: its own JavaScript is run by Node.js."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_core import REGISTRY, Tensor, explain
from autograd_core.explain import page
from autograd_core.explain.page.data import data_of
from autograd_core.explain.page.live import program
from autograd_core.op import COMPOSED
from autograd_core.testing import programs
from autograd_core.testing.calls import domains_of, examples_of, is_shape, place
from autograd_core.testing.program import _choices

COMPUTING = ("state", "numbers", "maths", "tape")
KEYS = ("upstream", "local", "contribution", "total")
EXAMPLES = int(os.environ.get("AUTOGRAD_EXAMPLES", "150"))


@pytest.fixture(scope="module")
def computed():
    """``computed(steps, {"x": …})`` gives every number of the page when these leaves have been changed."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed: apt-get install nodejs")
    script = "\n".join(page._file(f"scripts/{name}.js") for name in COMPUTING)
    command = [node, str(Path(__file__).with_name("computing.mjs"))]

    def run(steps, changes):
        live, names = program(steps), list(steps.values)
        order = {
            "data": data_of(steps, live, []),
            "program": live.code,
            "script": script,
            "changes": [(names.index(n), [written(x) for x in np.ravel(v)]) for n, v in changes.items()],
        }
        print(json.dumps(order), file=driver.stdin, flush=True)
        answer = json.loads(driver.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as driver:
        yield run
        driver.stdin.close()


def written(x):
    """A number as JavaScript reads it."""
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(str(x), repr(float(x)))


def numbers_of(steps):
    """Every number that Python tells, as the page answers: values, gradients and what each step tells."""
    told = [[getattr(s, key) for key in KEYS] for s in steps]
    return [v.value for v in steps.values.values()], [v.gradient for v in steps.values.values()], told


def agrees(answer, steps, rtol=1e-12):
    """The page has what Python has, beside the largest of all numbers; a gradient that it does not know it says so."""
    values, gradients, told = numbers_of(steps)
    known = [v for v in (*values, *gradients, *(v for step in told for v in step)) if v is not None]
    everything = np.concatenate([np.ravel(np.asarray(v, float)) for v in known])
    largest = np.max(np.abs(everything[np.isfinite(everything)]), initial=0.0)

    def close(found, expected, what):
        if found == "frozen":
            return
        assert (found is None) == (expected is None), what
        if found is not None:
            theirs = np.ravel(np.asarray(expected, float))
            ours = np.array(found, float)
            np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * largest, err_msg=str(what))

    for i, name in enumerate(steps.values):
        close(answer["values"][i], values[i], name)
        close(answer["gradients"][i], gradients[i], f"gradient of {name}")
    for i, step in enumerate(steps):
        for key, found, expected in zip(KEYS, answer["steps"][i], told[i], strict=True):
            if key != "local" or (found is not None and expected is not None):  # a factor for some numbers only
                close(found, expected, (i, step.name, key))


# -- every op ------------------------------------------------------------------------------------------------------


def calls_of(o):
    """Each example of an op twice, with other numbers: arguments, changed arguments, parameters."""
    for example in examples_of(o):
        rng = np.random.default_rng(len(str(example)))
        pair = []
        for _ in range(2):
            args = []
            for value, domain in zip(example.inputs, domains_of(o, len(example.inputs)), strict=True):
                if is_shape(value):
                    unit = rng.permutation(64)[: int(np.prod(value))] if np.prod(value) <= 64 else None
                    args.append(np.array([place(int(u) - 32, domain) for u in unit], float).reshape(value)[()])
                else:
                    args.append(np.asarray(value)[()])
            pair.append(args)
        yield *pair, example.params


def story(o, args, params):
    leaves = [Tensor(a, name=f"leaf{i}") if np.asarray(a).dtype.kind == "f" else a for i, a in enumerate(args)]
    with np.errstate(all="ignore"):
        z = o(*leaves, **params)
        weights = 1 + np.cos(np.arange(z.size, dtype=float)).reshape(z.shape)
        return explain(np.sum(z * weights), names={})


# What the page cannot compute, and why.
NOT_LIVE = {
    "cholesky": "cholesky is no formula of the elements",
    "det": "det is no formula of the elements",
    "inv": "inv is no formula of the elements",
    "logabsdet": "slogdet is no formula of the elements",
    "solve": "solve is no formula of the elements",
}
OPS = sorted(n for n in REGISTRY if not n.startswith("test_"))


@pytest.mark.parametrize("name", OPS)
def test_a_page_computes_every_op_and_its_rules_or_says_why_not(computed, name):
    o = REGISTRY[name]
    count = 0
    for first, second, params in calls_of(o):
        steps = story(o, first, params)
        frozen = program(steps).frozen
        if name in NOT_LIVE:
            assert NOT_LIVE[name] in frozen or not any(map(np.size, first))
            continue
        assert not frozen
        changes = {f"leaf{i}": a for i, a in enumerate(second) if f"leaf{i}" in steps.values}
        agrees(computed(steps, changes), story(o, second, params))
        count += 1
    assert count or name in NOT_LIVE


# -- programs ------------------------------------------------------------------------------------------------------


def explained(drawn, inputs):
    with np.errstate(all="ignore"):
        z = drawn(*(Tensor(x, name=f"x{i}") for i, x in enumerate(inputs)))
        return explain(np.sum(z * (1 + np.cos(np.arange(z.size, dtype=float)).reshape(z.shape))), names={})


CALLED = [calls[0].name for calls in _choices((*REGISTRY, *COMPOSED)) if not calls[0].name.startswith("test_")]


# Of a few functions each, not of all that there are: among these the common ones would take the place of most.
@given(st.lists(st.sampled_from(CALLED), min_size=1, max_size=3, unique=True).flatmap(programs), st.integers(0, 1000))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_page_of_a_program_computes_what_python_computes(computed, drawn, seed):
    steps = explained(drawn, drawn.inputs)
    live, rng = program(steps), np.random.default_rng(seed)
    changed = [
        np.round(x + rng.normal(size=x.shape), 3) if f"x{i}" in live.leaves else x for i, x in enumerate(drawn.inputs)
    ]
    expected = explained(drawn, changed)
    agrees(computed(steps, {f"x{i}": x for i, x in enumerate(changed) if f"x{i}" in live.leaves}), expected)
