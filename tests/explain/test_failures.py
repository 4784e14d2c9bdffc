"""What was computed before an error, with shapes, and what failed in red."""

import copy
import gc
import pickle
import subprocess
import sys
import weakref

import numpy as np
import pytest

import nn
from autograd_core import NonFiniteError, Tensor, debug, draw


class Mixed(nn.Model):
    """The last product does not fit."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.layers.Dense(8, "relu", name="first"), nn.layers.Dense(6, name="second")
        self.mixing = Tensor(np.ones((5, 3), "float32"), name="mixing")

    def call(self, x):
        return self.second(self.first(x)) @ self.mixing


def failure(f, *kinds):
    with pytest.raises(kinds or Exception) as caught:
        f()
    return caught.value


def wrong(drawing):
    (box,) = (box for box in drawing.boxes if box.kind == "wrong")
    return box


def test_where_shapes_do_not_fit_the_op_is_drawn_in_red_behind_what_was_computed():
    drawing = draw(failure(lambda: Mixed()(np.ones((4, 3), "float32")), ValueError))
    box = wrong(drawing)
    assert box.title == "matmul failed"
    assert box.lines[0] == "matmul(float32[4, 6], float32[5, 3])"
    assert "size 5 is different from 6" in " ".join(box.lines)
    came = {(arrow.start, arrow.label) for arrow in drawing.arrows if arrow.end == box.key}
    assert {("mixing", "5×3")} < came
    assert {label for _, label in came} == {"5×3", "4×6"}
    assert {layers for b in drawing.boxes for layers in [b.layers]} >= {("first",), ("second",)}
    assert 'color="#c62828"' in drawing.source


def test_a_layer_that_refuses_its_input_is_drawn_by_its_name():
    dense, conv = nn.layers.Dense(8, name="dense"), nn.layers.Conv2D(3, 2, name="conv")
    drawing = draw(failure(lambda: conv(dense(np.ones((4, 3)))), ValueError))
    box = wrong(drawing)
    assert box.title == "conv failed"
    assert "4 axes" in " ".join(box.lines)
    assert [arrow.label for arrow in drawing.arrows if arrow.end == box.key] == ["4×8"]


def test_a_closed_layer_in_which_something_failed_is_red():
    class Odd(nn.layers.Layer):
        def call(self, x):
            return np.tanh(x) @ np.ones((7, 7))

    x = nn.layers.Dense(8, name="dense")(np.ones((4, 3)))
    error = failure(lambda: Odd(name="odd")(x), ValueError)
    assert wrong(draw(error, depth=0)).title == "odd failed"
    opened = wrong(draw(error))
    assert opened.title == "matmul failed"
    assert opened.layers == ("odd",)


def test_each_way_to_call_an_op_keeps_what_failed():
    x, y = Tensor(np.ones((2, 3)), name="x"), Tensor(np.ones((4, 5)), name="y")
    calls = {
        "add": lambda: x + y,
        "matmul": lambda: x @ y,
        "reshape": lambda: np.reshape(x, (7,)),
        "concatenate": lambda: np.concatenate([x, y]),
        "sum": lambda: np.sum(x, axis=5),
        "maximum": lambda: np.maximum(x, np.ones(9)),
    }
    for name, call in calls.items():
        drawing = draw(failure(call))
        assert wrong(drawing).title == f"{name} failed"
        assert any(arrow.end == wrong(drawing).key for arrow in drawing.arrows)
    without = draw(failure(lambda: np.ones(3) + Tensor(np.ones(2), requires_grad=False)))
    assert wrong(without).title == "add failed"


def test_debug_draws_the_first_nan_forwards_and_backwards():
    x = Tensor([1.0, 0.0], name="x")
    with debug():
        box = wrong(draw(failure(lambda: np.sum(np.log(x) * 2), NonFiniteError)))
        assert box.title == "log failed"
        assert "log made the first -inf" in " ".join(box.lines)
        y = np.sum(np.sqrt(x))
        drawing = draw(failure(y.backward, NonFiniteError))
        assert wrong(drawing).title == "sqrt failed"


def test_what_came_of_an_error_leads_to_it_and_other_errors_are_refused():
    def other():
        try:
            Tensor(np.ones(2)) + np.ones(3)
        except ValueError as error:
            raise RuntimeError("training failed") from error

    assert wrong(draw(failure(other, RuntimeError))).lines[-1] == "RuntimeError: training failed"
    with pytest.raises(ValueError, match="expected an error of an op or a layer, got a KeyError"):
        draw(KeyError("x"))
    circular = ValueError()
    circular.__context__ = RuntimeError()
    circular.__context__.__context__ = circular
    with pytest.raises(ValueError, match="got a ValueError"):
        draw(circular)


def test_an_error_holds_what_it_shows_no_longer_than_it_lives_and_may_be_pickled():
    def told():
        try:
            return np.exp(Tensor(np.ones(2), name="x")) + np.ones(3)
        except ValueError as error:
            return weakref.ref(error.failed_call.node), str(error), pickle.dumps(error)

    gc.disable()
    try:
        node, text, pickled = told()
        assert node() is None
    finally:
        gc.enable()
    assert draw(copy.copy(failure(lambda: Tensor(np.ones(2)) + np.ones(3)))).boxes
    again = pickle.loads(pickled)
    assert str(again) == text
    with pytest.raises(ValueError, match="no Tensor was computed"):
        draw(again)


NOTEBOOK = """
import sys, types
sys.modules["ipykernel"] = types.ModuleType("ipykernel")
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance(colors="NoColor")
with capture_output() as seen:
    shell.run_cell("import numpy as np\\nfrom autograd_core import Tensor\\nx = Tensor(np.ones(2), name='x') * 2")
    shell.run_cell("y = x + np.ones(3)")
    shell.run_cell("1 / 0")
svgs = [o.data["image/svg+xml"] for o in seen.outputs if "image/svg+xml" in o.data]
assert len(svgs) == 1, seen.outputs
assert "add failed" in svgs[0]
assert "could not be broadcast" in seen.stdout and "y = x + np.ones(3)" in seen.stdout
assert "ZeroDivisionError" in seen.stdout
"""


def test_in_a_notebook_the_error_comes_with_the_picture(judge):
    """IPython itself runs the cells."""
    judge("IPython")
    judge("pygraphviz")
    done = subprocess.run([sys.executable, "-c", NOTEBOOK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
