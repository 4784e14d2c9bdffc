"""The decorator makes tests of functions, and the plugin says which op is to blame."""

import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from autograd_core import REGISTRY, Domain, op
from autograd_core.op import POSITIVE, example
from autograd_core.testing import GradientError, gradient_property
from autograd_core.testing.graphs import diagnose
from autograd_core.testing.report import page


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
    with pytest.raises(TypeError, match="2 arguments, and 1 domains"):
        gradient_property(domain=[POSITIVE])(lambda x, y: x)
    with pytest.raises(TypeError, match="one tuple for each of x, y"):
        gradient_property(shapes=[(2,)])(lambda x, y: x)


FAILING = """
import numpy as np
from autograd_core import op
from autograd_core.op import ELEMENTWISE
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
            self.seen, self.links = set(), []

        def handle_starttag(self, tag, attributes):
            self.seen.add(tag)
            self.links += [value for key, value in attributes if key in ("src", "href")]

    tags = Tags()
    tags.feed(text)
    assert "script" not in tags.seen
    assert not tags.links


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
