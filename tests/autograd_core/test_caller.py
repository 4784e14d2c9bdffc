"""Which line an error names: a person's own, past the packages that registered themselves."""

import sys
from pathlib import Path

import numpy as np
import pytest

import autograd_core
from autograd_core import caller


@pytest.fixture
def register(monkeypatch):
    """`caller.register`, forgotten after the test."""
    for name in ("_packages", "_inside", "_silent"):
        monkeypatch.setattr(caller, name, type(getattr(caller, name))(getattr(caller, name)))
    yield caller.register
    caller._files.clear()


def call_in(file):
    """A function that calls another one, in the second line of a file."""
    names = {}
    exec(compile("def call(f, *rest):\n    return f(*rest)\n", str(file), "exec"), names)
    return names["call"]


def test_a_package_that_registered_itself_is_passed_over(register, tmp_path):
    layer = call_in(tmp_path / "layers.py")
    assert layer(caller.place_of_caller)[:2] == (str(tmp_path / "layers.py"), 2)
    assert layer(caller.level_of_caller) == 1
    register(str(tmp_path / "__init__.py"))
    assert layer(caller.place_of_caller)[0] == __file__
    assert layer(caller.level_of_caller) == 2
    line = layer(caller.line_of_caller)
    assert line.endswith(": line = layer(caller.line_of_caller)")


def test_what_a_call_is_for_is_said_by_a_person_or_by_the_package_that_stands_highest(register, tmp_path):
    base = sys._getframe()
    engine = Path(autograd_core.__file__).parent
    layers, rule = tmp_path / "layers.py", engine / "rule.py"
    files = layers, tmp_path / "loop" / "fit.py", rule, engine / "replay" / "tape.py"
    in_layer, in_loop, in_rule, in_tape = map(call_in, files)

    def look():
        return caller.what_for(sys._getframe(1), base)

    assert in_layer(in_rule, look) == (str(layers), 2)  # a person's own, while nobody has registered it
    register(str(tmp_path / "__init__.py"), silent=["loop"])
    assert in_loop(in_rule, in_layer, in_rule, in_tape, look) == (str(layers), 2)
    assert in_loop(in_rule, in_tape, look) == (str(rule), 2)
    assert in_loop(in_tape, look)[0] == __file__  # of whoever called
    own = tmp_path.parent / "own.py"
    assert call_in(own)(in_layer, in_rule, look) == (str(own), 2)


def test_numpy_s_own_lines_and_those_of_its_dispatch_are_nobody_s():
    assert caller.is_inside(np.linalg.__file__)
    assert caller.is_inside("<__array_function__ internals>")
    assert not caller.is_inside(__file__)
