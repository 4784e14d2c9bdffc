"""Explaining costs nothing to those who do not ask for it."""

import subprocess
import sys

import numpy as np
import pytest

import nn
from autograd_core import Tensor, walk
from autograd_core.explain import boxes, narration, steps, values

TRAIN = """
import sys
import numpy as np, nn
layers = [nn.layers.Dense(8, "relu"), nn.layers.Dense(3, "softmax")]
model = nn.Sequential([nn.Input(shape=(4,)), *layers])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(np.ones((32, 4)), np.arange(32) % 3, epochs=2, verbose=0)
print(*sorted(name for name in sys.modules if name.startswith("autograd_core.explain.") or "." not in name))
"""

HEAVY = {"graphviz", "pygraphviz", "matplotlib", "PIL", "sympy", "playwright", "hypothesis", "webbrowser"}


def test_a_training_imports_no_view_and_nothing_that_views_need():
    done = subprocess.run([sys.executable, "-c", TRAIN], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "nn" in loaded
    assert loaded.isdisjoint(HEAVY)
    views = {name.rpartition(".")[2] for name in loaded if name.startswith("autograd_core.explain.")}
    assert views <= {"boxes", "formula", "steps", "typeset", "values"}  # what they call comes later


def test_a_training_step_calls_nothing_of_explain(monkeypatch):
    ours = {vars(module)["__file__"] for module in (boxes, narration, steps, values)}
    model = nn.Sequential([nn.Input(shape=(4,)), nn.layers.Dense(8, "relu"), nn.layers.Dense(3)])
    model.compile("adam", "mse")
    x, y = np.ones((8, 4)), np.ones((8, 3))
    called = set()
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, arg: called.add(frame.f_code.co_filename))
    try:
        model.train_on_batch(x, y)
    finally:
        sys.setprofile(before)
    assert walk.__file__ in called
    assert called.isdisjoint(ours)


@pytest.mark.parametrize("release", [False, True])
def test_a_walk_that_is_not_traced_keeps_no_edges(release):
    x = Tensor(2.0)
    f = np.sin(x) * x
    kept = [edges for _, _, edges in walk.walk({f.node: np.float64(1)}, release=release)]
    assert kept
    assert not any(kept)
