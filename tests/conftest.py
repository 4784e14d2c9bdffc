"""What all tests share."""

import gc
import importlib
import os
import signal
import sys

import hypothesis
import pytest

from autograd_core.dispatch import NUMPY
from autograd_core.op import COMPOSED, REGISTRY

# The same examples on every run, so that a red suite means a change; new ones with HYPOTHESIS_PROFILE=explore.
# No verdict depends on how fast a machine is, which "too slow" would.
untimed = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("same", derandomize=True, **untimed)
hypothesis.settings.register_profile("explore", **untimed)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="module", autouse=True)
def what_was_loaded_is_no_rubbish():
    """Each look for rubbish took a second once the judges were loaded; what is there before a module stays there."""
    gc.freeze()


@pytest.fixture(scope="session")
def patience():
    """Seconds after which what should have ended by itself hangs, on any machine: the only limit of time in the tests.

    Nothing is too slow here. How fast it is stands in benchmarks/; where a test asks how much is done, it counts.
    """
    return 900


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
    """Import a library that decides whether our numbers are right, or skip the test where it is missing.

    With AUTOGRAD_REQUIRE_JUDGES=1 a missing judge is a failure, so that a full run cannot pass by skipping.
    """

    def load(name):
        try:
            loaded = importlib.import_module(name)
            if name in ("keras", "tensorflow"):  # before it computes: afterwards the number cannot be changed
                threads = importlib.import_module("tensorflow").config.threading
                threads.set_intra_op_parallelism_threads(1)
                threads.set_inter_op_parallelism_threads(1)
            return loaded
        except ImportError as error:
            if os.environ.get("AUTOGRAD_REQUIRE_JUDGES") == "1":
                pytest.fail(f"{name} is needed here and not installed: {error}")
            pytest.skip(f"{name} is not installed: pip install 'autograd-core[judges]'")

    return load


@pytest.fixture
def the_registry_as_it_was():
    """Examples register ops of their own; no other test should meet them."""
    tables = (REGISTRY, COMPOSED, NUMPY)
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


@pytest.fixture
def python_s_own_ctrl_c():
    """What a person's terminal gives; a background job is started with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
