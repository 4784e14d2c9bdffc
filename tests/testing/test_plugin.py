"""The decorator makes tests of functions, and the plugin says which op is to blame."""

import importlib
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import find, given, settings

from autograd_core import REGISTRY, Domain, op
from autograd_core.domain import POSITIVE, example
from autograd_core.testing import GradientError, check_gradients, gradient_property, programs
from autograd_core.testing.graphs import diagnose
from autograd_core.testing.report import describe, page
from autograd_core.testing.reproduce import function_code


@gradient_property(domain=(Domain(), POSITIVE), max_examples=20)
def test_a_decorated_function_is_a_test(x, y):
    return np.tanh(x) / y


@gradient_property(shapes=((2, 3), (3, 4)), max_examples=10)
def test_shapes_can_be_given(x, w):
    return np.maximum(x @ w, 0) + np.sum(x * x)


@gradient_property(max_examples=10)
def test_one_argument_of_any_shape(x):
    return np.sin(x) * x


@pytest.fixture
def broken(monkeypatch):
    """tanh with a rule that is right only where x is not the largest element."""

    def rule(g, z, x):
        return g * (1 - z * z) * np.where(x > 1, 1.01, 1.0)

    monkeypatch.setattr(REGISTRY["tanh"], "rules", [rule])


def test_a_failure_is_shrunk_to_the_smallest_example(broken):
    @gradient_property(max_examples=200)
    def gated(x, y):
        return np.tanh(x) * y

    with pytest.raises(GradientError) as raised:
        gated()
    x, y = raised.value.arguments
    assert x.size * y.size <= 2
    assert np.max(x) == pytest.approx(33 / 32)  # the first number of the grid beyond 1


def test_the_guilty_op_is_the_one_whose_rule_contradicts_its_values(broken):
    diagnosis = diagnose(lambda x, y: np.sum(np.tanh(x * y) + np.exp(y)), (2.0, 0.75))
    assert diagnosis.guilty.op.name == "tanh"
    marked = [line for line in str(diagnosis).splitlines() if line.startswith("✗")]
    assert len(marked) == 1
    assert "tanh(v0)" in marked[0]


def test_no_op_is_guilty_where_all_are_right():
    assert diagnose(lambda x: np.exp(np.tanh(x)) * x, (0.5,)).guilty is None


def test_wrong_numbers_of_arguments_are_explained():
    with pytest.raises(TypeError, match=r"one for each of 2 arguments of .*, got 1"):
        gradient_property(domain=[POSITIVE])(lambda x, y: x)
    with pytest.raises(TypeError, match="a tuple of lengths for each of x, y"):
        gradient_property(shapes=[(2,)])(lambda x, y: x)


FAILING = """
import numpy as np
from autograd_core import op
from autograd_core.domain import ELEMENTWISE
from autograd_core.testing import check_gradients, gradient_property

@op("x^3", broadcasts=True, examples=ELEMENTWISE)
def cube(x):
    return x * x * x

@cube.vjp("2x^2")
def _(g, z, x):
    return g * 2 * x * x

@gradient_property
def test_cubes(x, y):
    return np.tanh(cube(x) * y)

def test_markup():
    check_gradients(lambda x: x, {"<script>alert(1)</script>": 1.0}, grad=lambda p: {"<script>alert(1)</script>": 2.0})

def test_fine():
    check_gradients(np.tanh, 1.0)
"""


def run(folder, *options):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(folder)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


@pytest.fixture
def project(tmp_path):
    (tmp_path / "test_cubes.py").write_text(FAILING)
    (tmp_path / "conftest.py").write_text(
        "def pytest_configure(config):\n"
        "    import _autograd_core_pytest as plugin\n"
        "    assert config.pluginmanager.is_registered(plugin)\n"
    )
    return tmp_path


def plugged():
    """The plugin by name, unless the installed entry point loads it already."""
    from importlib.metadata import entry_points

    return () if "autograd_core" in entry_points(group="pytest11").names else ("-p", "_autograd_core_pytest")


def test_a_failing_property_shows_its_graph_and_the_guilty_op(project):
    output = run(project, *plugged()).stdout
    assert "graph of the smallest failing example" in output
    assert "guilty: cube" in output
    assert "To see it again" in output
    assert "2 failed, 1 passed" in output


def test_the_page_stands_alone_and_is_escaped(project):
    path = project / "report.html"
    run(project, *plugged(), f"--gradient-report={path}")
    text = path.read_text()
    assert "guilty: cube" in text
    assert "2 failing tests" in text

    class Tags(HTMLParser):
        def __init__(self):
            super().__init__()
            self.seen, self.links, self.frames = set(), [], []

        def handle_starttag(self, tag, attributes):
            self.seen.add(tag)
            self.frames += [dict(attributes)] if tag == "iframe" else []
            self.links += [value for key, value in attributes if key in ("src", "href")]

    tags = Tags()
    tags.feed(text)
    assert "script" not in tags.seen
    assert not tags.links
    for frame in tags.frames:  # the explained steps of each, which can reach nothing but themselves
        assert frame["sandbox"] == "allow-scripts"
        assert frame["srcdoc"].startswith("<!doctype html>")
    assert any("tanh" in frame["srcdoc"] for frame in tags.frames)


def test_a_wrong_gradient_that_was_given_is_marked_at_its_argument():
    with pytest.raises(GradientError) as raised:
        check_gradients(lambda w, b: np.exp(w) * b, 1.0, 2.0, grad=lambda w, b: {"dw": np.exp(w) * b, "db": 1.0})
    marked = [line for line in describe(raised.value).splitlines() if line.startswith(("✗", "guilty"))]
    assert marked[0].startswith("✗ b ")
    assert marked[1] == "guilty: db, as grad= gave it"


def test_a_message_fits_a_terminal_of_80_columns(broken):
    with pytest.raises(GradientError) as raised:
        check_gradients(lambda x, y: np.tanh(x) * y, np.linspace(0, 2, 30).reshape(5, 6), np.linspace(0, 1, 6))
    assert max(map(len, str(raised.value).splitlines())) <= 80 - len("E       ")
    assert max(map(len, describe(raised.value).splitlines())) <= 80


def test_the_code_of_an_op_of_somebody_else_imports_it_from_there(project, monkeypatch):
    monkeypatch.syspath_prepend(project)
    module = importlib.import_module("test_cubes")
    try:
        assert function_code(module.cube, "f") == ["from test_cubes import cube as f"]
    finally:
        del REGISTRY["cube"], sys.modules["test_cubes"]


def test_programs_of_ops_of_ones_own_find_the_wrong_one(broken):
    @settings(max_examples=100, database=None)
    @given(programs(["tanh", "add"]))
    def holds(program):
        check_gradients(program, *program.inputs)

    with pytest.raises(GradientError) as raised:
        holds()
    assert [s.op for s in raised.value.function.statements] == ["tanh"]
    assert describe(raised.value).endswith("guilty: tanh, in v0")
    with pytest.raises(ValueError, match="any shape, got 'where'"):
        find(programs(["where"]), lambda p: True)


def test_a_page_without_failures_says_so():
    assert "Every gradient passed." in page([])


def test_the_plugin_imports_nothing_until_a_gradient_fails():
    code = "import sys, _autograd_core_pytest; assert not {'numpy', 'autograd_core', 'hypothesis'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_check_gradients_needs_neither_hypothesis_nor_pytest():
    code = (
        "import sys; sys.modules['hypothesis'] = sys.modules['pytest'] = None\n"
        "import autograd_core.testing as t, numpy as np\n"
        "assert t.check_gradients(np.tanh, 1.0).verdict == 'pass'\n"
        "try: t.programs\n"
        "except ModuleNotFoundError as e: assert 'pip install' in str(e)\n"
        "else: raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_users_op_is_tested_by_its_examples():
    @op("x y", examples=(example((2,), (2,)),), broadcasts=True)
    def product(x, y):
        return x * y

    try:
        product.vjp("y")(lambda g, z, x, y: g * y)
        product.vjp("x")(lambda g, z, x, y: g * x)
        gradient_property(max_examples=10)(lambda x, y: product(x, y))()
    finally:
        del REGISTRY["product"]
