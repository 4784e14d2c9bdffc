"""What all tests share."""

import importlib
import os

import hypothesis
import pytest

# The same examples on every run, so that a red suite means a change; new ones with HYPOTHESIS_PROFILE=explore.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture
def judge():
    """Import a library that decides whether our numbers are right, or skip the test where it is missing.

    With AUTOGRAD_REQUIRE_JUDGES=1 a missing judge is a failure, so that a full run cannot pass by skipping.
    """

    def load(name):
        try:
            return importlib.import_module(name)
        except ImportError as error:
            if os.environ.get("AUTOGRAD_REQUIRE_JUDGES") == "1":
                pytest.fail(f"{name} is needed here and not installed: {error}")
            pytest.skip(f"{name} is not installed: pip install 'autograd-core[judges]'")

    return load
