"""The ops of SciPy's functions as if they stood in the table of all: what is asked of those is then asked of these."""

import pytest

from autograd_core.op import REGISTRY, SCIPY


@pytest.fixture
def in_the_table():
    pytest.importorskip("scipy")
    pytest.importorskip("autograd_core.scipy.special")
    pytest.importorskip("autograd_core.scipy.linalg")
    before = dict(REGISTRY)
    REGISTRY.update(SCIPY)
    yield SCIPY
    REGISTRY.clear()
    REGISTRY.update(before)
