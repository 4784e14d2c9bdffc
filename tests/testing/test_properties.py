"""Each property that a gradient is held to can fail: for each stands a function that has all the others."""

import re

import numpy as np
import pytest

from autograd_core import REGISTRY, Tensor, op, stop_gradient
from autograd_core.domain import ELEMENTWISE
from autograd_core.testing import GradientError, check_gradients, check_properties, gradient_property, mutants

X = np.array([[0.5, -1.25], [2.0, 0.75], [-0.25, 1.5]])


@pytest.fixture
def cube():
    """Make x³ an op with a rule of the test's own."""

    def make(rule, forward=lambda x: x * x * x):
        @op("x^3", broadcasts=True, examples=ELEMENTWISE)
        def cube(x):
            return forward(x)

        cube.vjp("3x^2")(rule)
        return cube

    yield make
    REGISTRY.pop("cube", None)


def right(g, z, x):
    return g * (3 * x * x)


def fails(f, *args, because, **options):
    with pytest.raises(GradientError, match=re.escape(because)):
        check_properties(f, *args, **options)


def test_the_right_rule_has_every_property(cube):
    assert check_properties(cube(right), X).verdict == "pass"
    gradient_property(max_examples=20)(lambda x: cube(right)(x))()


def test_first_order(cube):
    fails(cube(lambda g, z, x: g * (3 * x * x) * 1.00001), X, because="the gradient of cube is wrong: dx")


def test_second_order(cube):
    unrecorded = cube(lambda g, z, x: g * (3 * stop_gradient(x) ** 2))
    assert check_properties(unrecorded, X, order=1).verdict == "pass"
    fails(unrecorded, X, because="the second derivative of cube is wrong")


def test_linear_in_the_gradient_that_arrives(cube):
    """It is right for the weights that the oracles use, and for no others."""

    def rule(g, z, x):
        used = (g == 0) | (g == 0.5) | (g == -2)
        return g * (3 * x * x) * np.where(used, 1.0, 1.0 + 1e-3 * np.abs(g))

    assert check_gradients(cube(rule), X, order=1).verdict == "pass"
    fails(cube(rule), X, because="not linear", order=1)


def test_the_pullback_is_the_transpose_of_the_pushforward(cube):
    one_way = cube(lambda g, z, x: stop_gradient(g) * (3 * x * x))  # the pushforward differentiates it by g
    assert check_gradients(one_way, X, order=1).verdict == "pass"
    fails(one_way, X, because="⟨Jv, w⟩ = 0", order=1)


def test_broadcasting_is_tiling():
    """The rule is right for arguments of different shapes, and wrong for those of one shape."""

    @op("x y", broadcasts=True, examples=())
    def product(x, y):
        return x * y

    product.vjp("y")(lambda g, z, x, y: g * y * (1.01 if np.shape(x) == np.shape(y) else 1.0))
    product.vjp("x")(lambda g, z, x, y: g * x)
    try:
        assert check_gradients(product, X, X[0]).verdict == "pass"
        fails(product, X, X[0], because="a broadcast argument does not get the sum")
    finally:
        del REGISTRY["product"]


def test_a_value_used_twice_is_two_values():
    """A walk that forgets what arrived before is right for every value that is used once."""
    kept = next(m for m in mutants.WALK if m[0] == "accumulation replaced by assignment")
    with mutants.broken_walk(*kept[1:]):
        assert check_gradients(np.exp, X).verdict == "pass"
        fails(np.exp, X, because="a value used twice is not two")


def test_an_argument_passed_twice_is_two_arguments():
    def f(x, y):
        return np.exp(x) * (2.0 if x is y else 1.0)

    fails(f, X, X + 1, because="an argument that is passed twice is not two arguments")


def test_arguments_are_not_changed():
    def f(x):
        y = x * x
        if isinstance(x, np.ndarray):
            x *= 2
        return y

    fails(f, X, because="it changed its argument x")


def test_the_gradient_that_arrives_is_not_changed(cube):
    def rule(g, z, x):
        if isinstance(g, Tensor):
            return g * (3 * x * x)
        g *= 3 * x * x  # a sum gives the same array to its other parts
        return g

    assert check_gradients(cube(rule), X).verdict == "pass"
    fails(cube(rule), X, because="changed the gradient that it was given")


def test_the_value_is_not_changed(cube):
    def rule(g, z, x):
        gradient = g * (3 * x * x)
        if isinstance(z, np.ndarray):
            z[...] = 0
        return gradient

    fails(cube(rule), X, because="changed the value")


def test_recording_does_not_change_the_value():
    def f(x):
        return x * x + (1e-3 if isinstance(x, Tensor) else 0.0)

    fails(f, X, because="recording changes the value", order=1)


def test_float32_stays_float32(cube):
    wide = cube(right, lambda x: x * x * x * np.ones((), np.float64).reshape((1,) * np.ndim(x)))
    fails(wide, X, because="float32 does not stay float32: result 0 is float64")
    assert check_properties(wide, X, keeps_dtype=False).verdict == "pass"


def test_float32_agrees_with_float64(cube):
    narrow = cube(lambda g, z, x: g * (3 * x * x) * (1.01 if x.dtype == np.float32 else 1.0))
    fails(narrow, X, because="float32 disagrees with float64")


def test_arrays_that_are_not_contiguous(cube):
    def rule(g, z, x):
        return g * (3 * x * x) * (1.0 if isinstance(x, Tensor) or x.flags.c_contiguous else 1.01)

    fails(cube(rule), X, because="give other numbers")


def test_deterministic(cube):
    noise = np.random.default_rng(0)
    drawn = cube(lambda g, z, x: g * (3 * x * x) * (1 + 1e-13 * noise.normal()))
    assert check_gradients(drawn, X).verdict == "pass"
    fails(drawn, X, because="the same call gave two different gradients")


@pytest.mark.parametrize("wrong", [(), (0,)], ids=["without axes", "of size 0"])
def test_arrays_of_size_0_and_without_axes_are_drawn(wrong):
    @gradient_property(max_examples=100)
    def f(x):
        if np.shape(x) == wrong:
            raise ZeroDivisionError
        return x * 2.0

    with pytest.raises(ZeroDivisionError):
        f()
