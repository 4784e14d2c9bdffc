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


# -- gradients that were given -------------------------------------------------------------------------------

A = np.array([[0.5, -1.25, 2.0], [0.75, -0.25, 1.5]])


def product(x, y):
    return x * y


def said_of(f, grad, *args, **form):
    with pytest.raises(GradientError) as raised:
        check_properties(f, *args, **({"grad": grad} if grad is not None else form))
    return str(raised.value)


@pytest.mark.parametrize(
    "bent",
    [
        lambda g: np.clip(g, -1e6, 1e6),
        lambda g: np.where(np.abs(g) < 1e-6, 0.0, g),
        lambda g: g if np.linalg.norm(g) < 1e3 else g / np.linalg.norm(g),
        lambda g: np.where((g == 1).all(), 1.5, 1.0) * g,
        lambda g: np.where((g < 0).all(), 1.5, 1.0) * g,
    ],
)
def test_a_given_gradient_is_linear_for_large_small_and_plain_gradients(bent):
    assert "not linear" in said_of(np.sin, lambda g, x: bent(g) * np.cos(x), A)


def test_a_buffer_that_is_used_again_and_what_is_kept_from_call_to_call():
    buffer = np.zeros(A.shape)

    def shared(g, x):
        buffer[...] = g * np.cos(x)
        return buffer

    assert "a later call changes the gradient" in said_of(np.sin, shared, A)
    kept = [A]

    def late(g, x):  # as what writes its cache after it was read
        kept.append(np.asarray(x, float))
        return g * np.cos(kept[-2]).astype(g.dtype)

    assert "something is kept from call to call" in said_of(np.sin, late, A)


@pytest.mark.parametrize("wrong", [{1}, set(range(3, 2000, 50))], ids=["the first", "one in 50"])
def test_a_call_that_is_unlike_the_others(wrong):
    calls = []

    def grad(g, x):
        calls.append(1)
        return g * np.cos(x) * (1.5 if len(calls) in wrong else 1.0)

    def thrice():
        for seed in range(3):
            check_properties(np.sin, A, grad=grad, seed=seed)

    with pytest.raises(GradientError):
        thrice()


def test_the_global_state_is_kept():
    def seeded(g, x):
        np.random.seed(0)  # noqa: NPY002
        return g * np.cos(x)

    before = np.random.get_state()  # noqa: NPY002
    assert "the state of np.random" in said_of(np.sin, seeded, A)
    np.random.set_state(before)  # noqa: NPY002
    assert check_properties(np.sin, A, grad=lambda g, x: g * np.cos(x)).verdict == "pass"
    assert np.random.get_state()[2] == before[2]  # noqa: NPY002


def test_one_array_given_twice():
    def grad(g, x, y):
        return (g * y * (2 if x is y else 1), g * x)

    assert "passed twice" in said_of(product, grad, A, A + 1)


@pytest.mark.parametrize("layout", ["F", "spread"])
def test_a_gradient_that_arrives_in_another_layout_than_the_argument(layout):
    def grad(g, x):
        odd = g.flags.f_contiguous and not g.flags.c_contiguous and x.flags.c_contiguous
        odd = odd if layout == "F" else not any(g.strides)
        return g * np.cos(x) * (1.1 if odd else 1.0)

    assert "a gradient that arrives" in said_of(np.sin, grad, A)


def test_an_argument_that_is_one_number_seen_everywhere():
    def grad(g, x):
        return g * np.cos(x) * (1.0 if any(x.strides) else 1.1)

    assert "spread" in said_of(np.sin, grad, np.full((2, 3), 0.5))


@pytest.mark.parametrize(
    "bent", [lambda t: t * t, lambda t: np.abs(t), lambda t: np.where(np.count_nonzero(t) > 1, 2 * t, t)]
)
def test_a_given_forward_mode_is_linear_in_the_tangents(bent):
    def jvp(args, tangents):
        return np.cos(args[0]) * bent(tangents[0])

    said_of(np.sin, None, A, jvp=jvp)
    assert check_properties(np.sin, A, jvp=lambda args, tangents: np.cos(args[0]) * tangents[0]).verdict == "pass"


def test_a_gradient_in_single_precision_is_held_to_single_precision():
    def grad(g, x):
        return np.float32(g) * np.cos(np.float32(x))

    said = said_of(np.sin, grad, A)  # older NumPy's ufuncs have no names for their arguments
    assert re.search(r"(x|argument 0) is float64\[2, 3\], and its gradient is float32\[2, 3\]", said)
    assert check_properties(np.sin, A, grad=grad, keeps_dtype=False).verdict == "pass"
    assert "wrong" in said_of(np.sin, lambda g, x: grad(g, x) * np.float32(1.05), A)


@pytest.mark.parametrize("x", [A + 1j, 1j, [A + 1j, 2]], ids=["array", "number", "list"])
def test_a_gradient_that_is_handed_over_is_of_real_numbers(x):
    with pytest.raises(TypeError, match=r"z: expected real .*, got complex ones; .*lambda re, im: f\(re \+ 1j \* im\)"):
        check_gradients(lambda z: np.abs(z[0]), x, grad=lambda g, z: g)
    assert check_properties(lambda re, im: np.abs(np.exp(re + 1j * im)) ** 2, A, A, grad=_of_modulus).verdict == "pass"


def _of_modulus(g, re, im):
    return 2 * g * np.exp(2 * re), 0 * im
