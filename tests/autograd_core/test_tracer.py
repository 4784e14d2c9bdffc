"""What imitates an array does so by one table: NumPy's own classes say what stands in it."""

import operator

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

import nn.export.tracing
from autograd_core import Tensor
from autograd_core.explain.symbol import Symbol
from autograd_core.replay.traced import Traced
from autograd_core.testing.strict import StrictArray
from autograd_core.tracer import COMPARISONS, OPERATORS, InPlace, Operators, Tracer


class Spy(NDArrayOperatorsMixin):
    """What NumPy's own operators call."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return ufunc, [type(x).__name__ for x in inputs], sorted(kwargs)


class Own(InPlace):
    """What ours call."""

    def process(self, function, args, kwargs):
        return function, [type(x).__name__.replace("Own", "Spy") for x in args], sorted(kwargs)


METHODS = [name for name, value in vars(NDArrayOperatorsMixin).items() if callable(value)]


@pytest.mark.parametrize("name", METHODS)
def test_each_operator_is_that_of_numpy_s_mixin(name):
    unary = name.strip("_") in ("neg", "pos", "abs", "invert")
    other = () if unary else (2,)
    assert getattr(Own(), name) is not None
    if name.startswith("__i") and name != "__invert__":
        changed = Own()
        assert getattr(changed, name)(*other) is changed  # which was given as out=
    else:
        assert getattr(Own(), name)(*other) == getattr(Spy(), name)(*other)


def test_the_tables_hold_all_operators_and_python_s_names_for_them():
    assert {*OPERATORS, *COMPARISONS} == {
        getattr(Spy(), name)(*(() if name.strip("_") in ("neg", "pos", "abs", "invert") else (2,)))[0]
        for name in METHODS
    }
    for function, name in (OPERATORS | COMPARISONS).items():
        if name != "divmod":
            python = getattr(operator, name, None) or getattr(operator, f"{name}_")
            a = np.array([True, False]) if name in ("and", "or", "xor", "invert") else np.array([[3, 2], [5, 4]])
            args = (a,) if function.nin == 1 else (a, a)
            assert np.array_equal(python(*args), function(*args))


class Held(Tracer):
    """An array inside, on which all that comes is carried out."""

    def __init__(self, array):
        self.array = array

    def process(self, function, args, kwargs):
        return function(*[x.array if isinstance(x, Held) else x for x in args], **kwargs)

    def __getitem__(self, index):
        return self.array[index]

    def __len__(self):
        return len(self.array)


ARGUMENTS = {
    "reshape": [(6,), ((3, 2),), (3, -1)],
    "transpose": [(), (1, 0), ((1, 0),), (None,)],
    "clip": [(1, 3), (None, 2)],
    "compress": [([True, False],), ([True, False, True], 1)],
    "dot": [(np.ones(3),)],
    "swapaxes": [(0, 1)],
    "repeat": [(2,), (2, 1)],
    "take": [([0, 2],), ([0], 1)],
    "choose": [(np.arange(60).reshape(10, 2, 3),)],
    "argpartition": [(1,)],
    "flatten": [(), ("F",)],
}
NAMES = [name for name in vars(Tracer) if not name.startswith("_")]


@pytest.mark.parametrize("name", NAMES)
def test_each_method_gives_what_that_of_an_array_gives(name):
    if name == "searchsorted":
        array, given = np.array([1, 3, 5]), [(2,), ([0, 9], "right")]
    else:
        array, given = np.array([[3, 1, 2], [6, 4, 5]]), ARGUMENTS.get(name, [()])
    ours, theirs = getattr(Held(array), name), getattr(array, name)
    if not callable(ours):
        assert np.array_equal(ours, theirs)
        return
    assert ours.__doc__
    for args in given:
        expected = theirs(*args)
        if name == "argpartition":  # any order of the rest is right
            expected = np.argpartition(array, *args)
        assert np.array_equal(ours(*args), expected)
        assert np.shape(ours(*args)) == np.shape(expected)


def test_an_array_of_an_unknown_class_answers_itself():
    class Other:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "theirs"

        def __lt__(self, other):
            return "theirs"

    assert Own() + Other() == "theirs"
    assert (Own() > Other()) == "theirs"
    with pytest.raises(TypeError, match="unsupported operand"):
        Own() - Other()
    assert np.add(np.ones(2), Own())[1] == ["ndarray", "Spy"]
    with pytest.raises(TypeError, match=r"must define process"):
        Operators() + 1


def test_all_that_imitates_an_array_is_made_from_it():
    for kind in (Tensor, Traced, Symbol, nn.export.tracing.Symbol, StrictArray):
        assert issubclass(kind, Operators), kind
        written = {name for name in vars(kind) if name.strip("_") in {*OPERATORS.values()}}
        # But for what an op binds to a Tensor, hardly any operator is written again.
        assert kind is Tensor or not written, (kind, written)


def test_a_tensor_s_operators_are_the_ops_themselves():
    for function, name in OPERATORS.items():
        if function in (np.divmod, np.positive, np.power, np.left_shift, np.right_shift):
            continue
        assert f"__{name}__" in vars(Tensor), name
