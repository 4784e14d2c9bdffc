"""Kinds of mistakes in gradients that were written by hand: the wrong are found, and what is right beside them passes.

Whether a gradient is wrong is decided here by finite differences of its own.
"""

import textwrap

import hypothesis
import numpy as np
import pytest

from autograd_core.domain import POSITIVE, REAL
from autograd_core.testing import GradientError, check_gradients, check_properties, gradient_property
from autograd_core.testing.corners import at, corners

X = np.array([[0.5, -1.25, 2.0], [0.75, -0.25, 1.5]])


def off(f, grad, *args):
    """How far a pullback is from the central difference along a random direction, relatively."""
    rng = np.random.default_rng(0)
    args = [np.asarray(a, float) for a in args]
    directions = [np.abs(a) * rng.uniform(0.5, 1.5, a.shape) for a in args]
    w = rng.normal(size=np.shape(f(*args)))
    h = 1e-5
    ahead, behind = (f(*(a + s * h * d for a, d in zip(args, directions, strict=True))) for s in (1, -1))
    expected = np.sum(w * (ahead / 2 - behind / 2)) / h
    got = grad(w, *args)
    got = got if isinstance(got, tuple) else (got,)
    return abs(sum(np.sum(g * d) for g, d in zip(got, directions, strict=True)) - expected) / abs(expected)


def summed(g, x):
    """``g`` summed to the shape of ``x``."""
    g = np.sum(g, axis=tuple(range(np.ndim(g) - np.ndim(x))))
    return np.sum(g, axis=tuple(i for i, n in enumerate(np.shape(x)) if n == 1), keepdims=True)


def found(f, **options):
    """The error of a property, in 40 examples and without shrinking."""
    test = gradient_property(f, **{"max_examples": 40, **options})
    test._hypothesis_internal_use_settings = hypothesis.settings(
        test._hypothesis_internal_use_settings,
        database=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    with pytest.raises(GradientError) as raised:
        test()
    return str(raised.value)


# -- broadcasting ------------------------------------------------------------------------------------------


def by_reshape(g, x):
    """Right where axes were added in front only."""
    return np.reshape(np.reshape(g, (np.size(g) // max(np.size(x), 1), *np.shape(x))).sum(0), np.shape(x))


def first_axis_of_one(g, x):
    """Right where at most one axis was stretched."""
    g = np.sum(g, axis=tuple(range(np.ndim(g) - np.ndim(x))))
    axes = [i for i, n in enumerate(np.shape(x)) if n == 1 and np.shape(g)[i] != 1]
    g = np.sum(g, axis=axes[0], keepdims=True) if axes else g
    return g[tuple(slice(0, n) for n in np.shape(x))]


def from_behind(g, x):
    """Sums over axes of 1, and takes the first of those that were added in front."""
    while np.ndim(g) > np.ndim(x):
        g = g[0] if len(g) else np.sum(g, 0)
    return summed(g, x)


@pytest.mark.parametrize(
    ("unbroadcast", "shapes"),
    [
        (by_reshape, ((2, 3), (2, 1))),
        (first_axis_of_one, ((2, 3), (1, 1))),
        (from_behind, ((2, 3), (3,))),
    ],
)
def test_a_sum_over_the_wrong_axes(unbroadcast, shapes):
    def grad(g, x, w):
        return unbroadcast(g * w, x), unbroadcast(g * x, w)

    args = [np.random.default_rng(1).normal(size=s) for s in shapes]
    assert off(lambda x, w: x * w, grad, *args) > 1e-3
    assert off(lambda x, w: x * w, lambda g, x, w: (summed(g * w, x), summed(g * x, w)), *args) < 1e-6
    found(lambda x, w: x * w, grad=grad)


def test_the_shapes_of_broadcasting_are_tried_whatever_chance_does():
    shapes = {shapes for _, shapes in corners(2, None)}
    for other in ((2, 1), (1, 3), (3,), (1, 1), (), (1,)):
        assert {((2, 3), other), (other, (2, 3))} <= shapes
    assert {((2, 1), (1, 3)), ((2, 3, 2), (2, 1, 2)), ((3, 1), (2, 3, 2)), ((2, 1, 2), (1, 3, 1))} <= shapes
    few = [kind for kind, _ in corners(2, None)[:12]]  # which are of all kinds
    assert few.count("apart") < 9
    assert any(isinstance(kind, float) for kind in few)


# -- dtypes ------------------------------------------------------------------------------------------------


def test_a_gradient_of_another_dtype():
    def wide(g, x):
        return np.asarray(g * np.cos(x), np.float64)

    def narrow(g, x):
        return np.asarray(g * np.cos(x), np.float32)

    assert off(np.sin, wide, X) < 1e-6
    strictly = {"keeps_dtype": True}
    assert "float32 does not stay float32: the gradient of x is float64" in found(np.sin, grad=wide, **strictly)
    assert "x is float64[], and its gradient is float32[]" in found(np.sin, grad=narrow)
    assert "does not stay float32" in found(lambda x: np.sum(x**2), grad=lambda x: np.asarray(2 * x, float), **strictly)
    for keeps in (None, False):  # its numbers are right
        gradient_property(np.sin, grad=wide, keeps_dtype=keeps, max_examples=20)()
        assert check_properties(np.sin, X, grad=wide, keeps_dtype=keeps).verdict == "pass"
    assert check_properties(np.sin, X, grad=narrow, keeps_dtype=False).verdict == "pass"
    with pytest.raises(GradientError) as raised:
        check_properties(np.sin, X, grad=lambda g, x: np.asarray(g * np.cos(x), np.float64), **strictly)
    with pytest.raises(GradientError, match="does not stay float32"):
        exec(textwrap.dedent(str(raised.value).partition("To see it again:")[2]), {})


def test_what_says_nothing_of_a_dtype_passes():
    assert check_properties(lambda x: 2.0 * x, 0.5, grad=lambda x: 2.0).verdict == "pass"  # a number of Python's
    assert check_properties(lambda x, w: np.sum(x) + 0 * w, X, 2.0, grad=lambda x, w: (np.ones_like(x), None))
    double = np.ones(3)  # the function computes in double precision in any case
    assert check_properties(lambda x: x * double, X, grad=lambda g, x: g * double).verdict == "pass"
    assert check_properties(np.sin, X, vjp=lambda x: (np.sin(x), lambda g: g * np.cos(x))).verdict == "pass"


@pytest.mark.parametrize("keys", ["shape", "size", "shape and dtype"])
def test_a_workspace_that_is_kept_from_call_to_call(keys):
    kept = {}
    key = {"shape": np.shape, "size": np.size, "shape and dtype": lambda x: (np.shape(x), np.asarray(x).dtype)}[keys]

    def grad(g, x):
        work = kept.setdefault(key(x), np.empty(np.size(x), np.asarray(x).dtype)).reshape(np.shape(x))
        np.multiply(g, np.cos(x), out=work, casting="same_kind")
        return work.copy()

    if keys == "shape and dtype":
        assert check_properties(np.sin, X, grad=grad).verdict == "pass"
        return
    with pytest.raises(GradientError, match="float"):  # in double precision after single
        check_properties(np.sin, X, grad=grad)
    kept.clear()
    grad(X, X)
    with pytest.raises(GradientError, match="float32 does not stay float32"):  # and the other way round
        check_properties(np.sin, X, grad=grad, keeps_dtype=True)


# -- magnitudes --------------------------------------------------------------------------------------------


def hypot_by_squares(g, x, y):
    r = np.sqrt(x * x + y * y)
    return summed(g * x / r, x), summed(g * y / r, y)


def hypot_by_ratio(g, x, y):
    r = np.hypot(x, y)
    r = np.where(r == 0, np.ones_like(r), r)
    return summed(g * (x / r), x), summed(g * (y / r), y)


@pytest.mark.parametrize("size", [1e165, 1e-165])
def test_squares_that_overflow_or_vanish(size):
    args = size * X[0], size * X[1]
    with np.errstate(all="ignore"):
        assert not off(np.hypot, hypot_by_squares, *args) < 1e-3
        assert off(np.hypot, hypot_by_ratio, *args) < 1e-6
    with pytest.raises(GradientError):
        check_properties(np.hypot, *args, grad=hypot_by_squares)
    assert check_properties(np.hypot, *args, grad=hypot_by_ratio).verdict == "pass"


@pytest.mark.parametrize("size", [1e22, 1e-22])
def test_squares_that_overflow_or_vanish_in_single_precision(size):
    args = size * X[0], size * X[1]
    assert off(np.hypot, hypot_by_squares, *args) < 1e-6  # in double precision it is right
    with pytest.raises(GradientError, match="float32 disagrees with float64"):
        check_properties(np.hypot, *args, grad=hypot_by_squares)
    assert check_properties(np.hypot, *args, grad=hypot_by_ratio).verdict == "pass"


def test_squares_that_overflow_are_found_by_a_property():
    """Where the origin, which has no derivative, and numbers of ordinary size give nothing away."""

    def grad(g, x, y):
        with np.errstate(all="ignore"):
            dx, dy = hypot_by_squares(g, x, y)
        return np.where(np.isnan(dx), g.dtype.type(0), dx), np.where(np.isnan(dy), g.dtype.type(0), dy)

    assert "hypot" in found(np.hypot, grad=grad, max_examples=100)


@pytest.mark.parametrize(
    ("f", "grad", "domain"),
    [
        (lambda x, y: x / y, lambda g, x, y: (summed(g / y, x), summed(-g * x / y**2, y)), POSITIVE),
        (np.floor, lambda g, x: 0 * g, REAL),
        (lambda x: x - np.floor(x), lambda g, x: g, REAL),
        (np.sin, lambda g, x: g * np.cos(x), REAL),
        (lambda x: x**3, lambda g, x: 3 * g * x**2, REAL),
        (lambda x: np.log1p(x * x), lambda g, x: 2 * g * x / (1 + x * x), REAL),
        (lambda x: x / np.sqrt(1 + x * x), lambda g, x: g * (1 + x * x) ** -1.5, REAL),
        (np.arctan2, lambda g, x, y: (summed(g * y / (x * x + y * y), x), summed(-g * x / (x * x + y * y), y)), REAL),
    ],
)
def test_a_right_gradient_may_overflow_where_its_numbers_do(f, grad, domain):
    count = grad.__code__.co_argcount - 1
    few = [place for place in corners(count, None) if isinstance(place[0], float)]
    assert {1e22, 1e-22, 1e165, 1e-165} <= {size for size, _ in few}
    for corner in few:
        assert check_properties(f, *at(corner, [domain] * count), grad=grad, domain=domain)


def test_a_function_may_refuse_numbers_that_large():
    def f(x):
        if np.max(np.abs(x)) > 1e100:
            raise OverflowError("too large")
        return x * 2.0

    assert check_properties(f, X, grad=lambda g, x: 2.0 * g).verdict == "pass"
    assert check_properties(f, 1e150 * X, grad=lambda g, x: 2.0 * g).verdict == "inconclusive"


# -- one array for two arguments, and one argument of two ----------------------------------------------------


def test_one_array_given_twice():
    def grad(g, x, w):
        gradients = {id(x): g * w, id(w): g * x}  # which one array for both makes one entry
        return gradients[id(x)], gradients[id(w)] if x is not w else 0 * g

    assert off(lambda x, w: x * w, grad, X, X + 1) < 1e-6
    with pytest.raises(GradientError, match="passed twice"):
        check_properties(lambda x, w: x * w, X, X + 1, grad=grad)


@pytest.mark.parametrize("mistake", ["copied condition", "swapped", "none"])
def test_a_rule_that_is_asked_for_one_gradient_alone(judge, mistake):
    torch = judge("torch")

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            first, second = ctx.needs_input_grad
            if mistake == "copied condition":
                second = first
            if mistake == "swapped":
                first, second = second, first
            return g * w if first else None, g * x if second else None

    a, b = torch.tensor(X), torch.tensor(X + 1)
    assert check_gradients(Product.apply, a, b).verdict == "pass"  # where all are asked for
    if mistake == "none":
        assert check_properties(Product.apply, a, b).verdict == "pass"
        return
    with pytest.raises(GradientError, match="alone"):
        check_properties(Product.apply, a, b)


# -- how a gradient is called --------------------------------------------------------------------------------


def with_g_and_the_rest(g, *args):
    x, w = args
    return g * w, g * x


def without_g(x, *rest):
    return (2 * x,)


@pytest.mark.parametrize(
    ("f", "grad", "args"),
    [
        (lambda x, w: x * w, with_g_and_the_rest, (3.0, 2.0)),
        (lambda x, w: x * w, with_g_and_the_rest, (X, X + 1)),
        (lambda x, w: x * w, lambda g, x, w=2.0: (g * w, g * x), (3.0, 2.0)),
        (lambda x, w: x * w, lambda g, x, *rest: (g * rest[0], g * x), (3.0, 2.0)),
        (lambda x: x * x, lambda g, *args: g * 2 * args[0], (3.0,)),
        (lambda x: x * x, lambda g, x: g * 2 * x, (3.0,)),
        (lambda x: np.sum(x * x), lambda *args: 2 * args[0], (X,)),
        (lambda x: np.sum(x * x), lambda x, *rest: 2 * x, (X,)),
        (lambda x: np.sum(x * x), lambda v, tolerance=1e-3: 2 * v, (X,)),
        (lambda x, w: np.sum(x * w), lambda x, w: (w, x), (X, X + 1)),
    ],
)
def test_whether_a_gradient_takes_g(f, grad, args):
    assert check_properties(f, *args, grad=grad).verdict == "pass"


def test_a_gradient_without_g_is_not_asked_where_the_function_returns_an_array():
    """As it does when all arguments are tiled to one shape, and when one array stands for both."""
    report = check_properties(lambda x, w: np.sum(x) * w, X, 2.0, grad=lambda x, w: (w * np.ones_like(x), np.sum(x)))
    assert report.verdict == "pass"


def test_a_pullback_with_the_rest_has_the_property():
    def grad(g, *args):
        x, w = args
        return summed(g * w, x), summed(g * x, w)

    gradient_property(lambda x, w: x * w, grad=grad, max_examples=20)()


def test_a_gradient_that_says_nothing_is_told_how_it_was_called():
    def grad(*args):
        g, x = args
        return g * 2 * x

    assert check_gradients(lambda x: x * x, X, grad=grad).verdict == "pass"
    with pytest.raises(ValueError, match="unpack") as raised:
        check_gradients(lambda x: x * x, 3.0, grad=grad)
    assert "grad was called as grad(x); one that takes g as well names it: grad(g, x)" in raised.value.__notes__[0]


# -- PyTorch and JAX -----------------------------------------------------------------------------------------


def test_a_backward_of_pytorch_that_changes_the_gradient_that_arrives(judge):
    torch = judge("torch")

    class Sine(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return torch.sin(x)

        @staticmethod
        def backward(ctx, g):
            return g.mul_(torch.cos(*ctx.saved_tensors))

    with pytest.raises(GradientError, match=r"its backward changed the gradient g that arrived.*g\.mul_"):
        check_gradients(Sine.apply, torch.tensor(X))
    for x in (torch.zeros(2, dtype=torch.float64), torch.zeros(0, dtype=torch.float64)):  # where no number changes
        with pytest.raises(GradientError, match="its backward changed the gradient g that arrived"):
            check_properties(Sine.apply, x)


def test_pytorch_draws_the_same_numbers_without_asking_every_device(judge, monkeypatch):
    torch = judge("torch")
    seeds = []
    monkeypatch.setattr(torch, "manual_seed", lambda seed: seeds.append(seed))
    mask = lambda x: x * (torch.rand(x.shape) < 0.5)  # noqa: E731
    assert check_gradients(mask, torch.tensor(X), order=1).verdict == "pass"
    assert len(seeds) == 0 or torch.cuda.is_initialized()


def test_jax_traces_a_function_once_for_each_shape(judge):
    jax = judge("jax")
    traced = []

    def f(x):
        traced.append(x.shape)
        return jax.numpy.tanh(x) * x

    check_properties(f, jax.numpy.asarray(X))
    first = len(traced)
    for scale in (2.0, 3.0, 4.0):
        check_properties(f, jax.numpy.asarray(scale * X))
    assert first <= 4
    assert len(traced) == first


def test_jax_functions_that_look_at_numbers_are_called_as_they_are(judge):
    jax = judge("jax")

    def f(x):
        return x * x if x[0, 0] > 0 else -x

    assert check_gradients(f, jax.numpy.asarray(X), order=1).verdict == "pass"

    def axis(x, n):
        return jax.numpy.cumsum(x, axis=n)

    assert check_gradients(axis, jax.numpy.asarray(X), 1).verdict == "pass"
