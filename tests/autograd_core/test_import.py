"""NumPy is all that an import needs, and nothing is loaded that is not used."""

import ast
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import autograd_core
import datasets
import nn
from autograd_core import Tensor, draw, explain
from autograd_core.command import main

ROOT = Path(__file__).parents[2]

# A process in which nothing is installed but NumPy and this distribution.
ALONE = """
import sys

class NumpyAlone:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        there = {"numpy", "autograd_core", "nn", "datasets", *sys.stdlib_module_names}
        return self.finder.find_spec(name, path, target) if name.partition(".")[0] in there else None

sys.meta_path[:] = map(NumpyAlone, sys.meta_path)
"""


def alone(code):
    command = [sys.executable, "-c", ALONE + code]
    own = {name: value for name, value in os.environ.items() if name != "AUTOGRAD_DATA_DIR"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=own, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_numpy_is_all_that_gradients_explanations_and_checks_need():
    said = alone("""
import numpy as np
from autograd_core import Tensor, explain, grad, jacobian, replay
from autograd_core.testing import check_gradients

x, y, z = Tensor(-2.0), Tensor(5.0), Tensor(-4.0)
q = x + y
f = q * z
f.backward()
print(x.grad, y.grad, z.grad)
print(grad(grad(np.tanh))(0.5))
print(explain(f).to_text() == str(explain(f)))
print(explain(f).to_text())
check_gradients(lambda a, b: np.sum(np.tanh(a @ b)), np.eye(3), np.ones((3, 2)))
half = replay(lambda v: v / 2)
print([float(half(np.array(n))) for n in range(6)])
""")
    assert said.splitlines()[:3] == ["-4.0 -4.0 3.0", "-0.7268619813835873", "True"]
    assert "∂f/∂q:  1 × (-4) = -4   with ∂f/∂q = z" in said
    assert said.endswith("[0.0, 0.5, 1.0, 1.5, 2.0, 2.5]\n")


def test_numpy_is_all_that_a_training_and_the_data_inside_need():
    said = alone("""
import datasets, nn
(x, y), _ = datasets.boston_housing.load_data()
(x, y), _ = datasets.digits.load_data()
model = nn.Sequential([nn.layers.Flatten(), nn.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
losses = model.fit(x / 16, y, epochs=2, verbose=0).history["loss"]
print(losses[1] < losses[0])
try:
    model.fit(x, y)
except ImportError as error:
    print(error)
""")
    assert said.splitlines() == ["True", "The progress of a training needs rich: pip install rich"]


def zipped(path):
    """A file that begins as one of ours."""
    with zipfile.ZipFile(path, "w") as archive:
        for part in nn.saving.PARTS:
            archive.writestr(part, "{}")
    return path


@pytest.mark.parametrize(
    ("library", "call"),
    [
        ("rich", lambda path: nn.Sequential([nn.layers.Dense(1)]).summary()),
        ("rich", lambda path: datasets.catalog()),
        ("safetensors", lambda path: nn.Sequential([nn.Input((2,)), nn.layers.Dense(1)]).save(path / "model.autograd")),
        ("safetensors", lambda path: nn.models.load_model(zipped(path / "model.autograd"))),
        ("pooch", lambda path: datasets.mnist.load_data()),
        ("matplotlib", lambda path: nn.callbacks.History().plot()),
        ("graphviz", lambda path: draw(Tensor(1.0) * 2).save(path / "f.svg")),
    ],
)
def test_a_missing_library_is_one_sentence_with_what_installs_it(library, call, tmp_path, monkeypatch):
    for name in [library, *(name for name in sys.modules if name.startswith(library + "."))]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("AUTOGRAD_DATA_DIR", "HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(ImportError) as caught:
        call(tmp_path)
    assert re.fullmatch(
        rf'[\w \'.]+ needs {library}: pip install ({library}|"autograd-core\[\w+\]")', str(caught.value)
    )


def test_the_command_says_what_is_missing_in_a_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich", None)
    assert main(["explain", "x * x", "x=3"]) == 1
    assert capsys.readouterr().err == "autograd: The command autograd needs rich: pip install rich\n"


def test_an_import_loads_no_more_than_the_engine():
    """What it takes beside NumPy is the time of these modules; benchmarks/import_time.py measures it."""
    listed = "import sys, numpy; before = {*sys.modules}; import autograd_core; print(*{*sys.modules} - before)"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = set(done.stdout.split())
    ours = {name for name in loaded if name.startswith("autograd_core")}
    assert len(ours) <= 50
    parts = {name for name in ours if re.match(r"autograd_core\.(explain|replay|testing|command)\.", name)}
    assert not {name for name in parts if not name.startswith("autograd_core.replay.freeze")}
    others = loaded - ours
    others = {name for name in others if not name.startswith("numpy.fft")}  # two milliseconds
    # Those of Python that NumPy has not loaded in some version of either.
    light = {
        "ast",
        "bisect",
        "contextlib",
        "copy",
        "dataclasses",
        "dis",
        "heapq",
        "inspect",
        "opcode",
    }
    assert {name for name in others if not name.startswith("_")} <= light | {
        "linecache",
        "threading",
        "token",
        "tokenize",
        "zlib",
    }


def test_the_command_loads_what_it_is_asked_for_and_no_more():
    """Three ops in tables: no page, no worksheet, no browser, no masked arrays, beside what a console of rich takes."""
    code = (
        "import sys, numpy, rich.console, rich.table; before = {*sys.modules}; from autograd_core.command import main\n"
        "main(['explain', '(x + y) * z', 'x=-2', 'y=5', 'z=-4']); print(*{*sys.modules} - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "Gradients" in done.stdout
    ours = {name for name in loaded if name.startswith(("autograd_core.command.", "autograd_core.explain."))}
    assert {name.partition(".")[2] for name in ours} == {
        *(f"command.{name}" for name in ("arguments", "explaining", "expression", "functions", "grammar", "parser")),
        *(f"explain.{name}" for name in ("formula", "narration", "steps", "table", "typeset", "values")),
    }
    assert loaded.isdisjoint({"numpy.ma", "subprocess", "tempfile", "webbrowser", "hashlib", "rich._emoji_codes"})


def test_what_a_user_may_catch_is_at_the_front_door():
    """Each error and warning of the engine, so that nobody has to look for the room that raises it."""
    alone_in_the_command = {"ExpressionError"}
    raised = {
        node.name
        for file in (ROOT / "autograd_core").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and node.name[0] != "_"
        and node.name.endswith(("Error", "Warning"))
        and any(ast.unparse(base).endswith(("Error", "Warning", "Exception")) for base in node.bases)
    }
    assert {"GradientError", "ReplayWarning", "GraphError"} <= raised
    for name in raised - alone_in_the_command:
        assert name in autograd_core.__all__
        assert issubclass(getattr(autograd_core, name), Exception)
    for package, names in (
        (nn.saving, ["ModelFileError"]),
        (nn.export, ["ExportError"]),
        (nn.importing, ["OnnxFileError"]),
        (datasets, ["DataFileError"]),
    ):
        assert {*names} <= {*package.__all__}


def test_what_is_loaded_late_is_there():
    import autograd_core.replay

    for module in (autograd_core, sys.modules["autograd_core.explain"], sys.modules["autograd_core.replay"]):
        for name in module.__all__:
            assert getattr(module, name) is not None
        with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
            _ = module.nothing
    assert autograd_core.Steps is type(explain(Tensor(2.0) * np.float64(3)))
