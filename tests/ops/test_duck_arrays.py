"""The rules run unchanged on an array of another library, which NumPy cannot turn into one of its own."""

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

from autograd_core import (
    NonFiniteError,
    Tensor,
    checkpoint,
    debug,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    one_hot,
    stop_gradient,
    value_and_grad,
    vjp,
)
from autograd_core.walk import walk


class Duck(NDArrayOperatorsMixin):
    """An array that only answers to NumPy's two protocols."""

    def __init__(self, inside):
        self.inside = inside

    shape = property(lambda self: self.inside.shape)
    dtype = property(lambda self: self.inside.dtype)
    ndim = property(lambda self: self.inside.ndim)
    size = property(lambda self: self.inside.size)

    def __array__(self, *args, **kwargs):
        raise AssertionError("a strict array was turned into a NumPy array")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return wrap(getattr(ufunc, method)(*unwrap(inputs), **unwrap(kwargs)))

    def __array_function__(self, function, types, args, kwargs):
        return wrap(function(*unwrap(args), **unwrap(kwargs)))

    def __getitem__(self, index):
        return wrap(self.inside[unwrap(index)])

    def __setitem__(self, index, value):
        self.inside[unwrap(index)] = unwrap(value)

    def __bool__(self):
        return bool(self.inside)

    def astype(self, dtype):
        return Duck(self.inside.astype(dtype))

    def copy(self):
        return Duck(self.inside.copy())


def wrap(value):
    if isinstance(value, list | tuple):
        parts = [wrap(v) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, np.ndarray | np.generic):
        return Duck(np.asarray(value))
    return value


def unwrap(value):
    if isinstance(value, Duck):
        return value.inside
    if isinstance(value, list | tuple):
        return type(value)(unwrap(v) for v in value)
    return {k: unwrap(v) for k, v in value.items()} if isinstance(value, dict) else value


def gradients(case, values, seed, lift=None):
    """The gradient of the last result with respect to each value."""
    tensors = [Tensor(v) for v in values]
    result = case.call(*tensors)[-1]
    given = seed(result.data)
    nodes = [t.node for t in tensors]
    found = {node: g for node, g, _ in walk({result.node: given}, to=nodes, lift=lift) if node in nodes}
    return result, [found[node] for node in nodes if node in found]


def ones(out):
    return np.full_like(out, 0.5)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_values_and_gradients_are_ducks_with_the_same_numbers(case):
    ducks = [Duck(v.copy()) for v in case.values]
    result, got = gradients(case, ducks, ones)
    expected_result, expected = gradients(case, case.values, ones)
    assert type(result.data) is Duck
    np.testing.assert_array_equal(result.data.inside, expected_result.data)
    assert len(got) == len(expected)
    for g, e in zip(got, expected, strict=True):
        assert type(g) is Duck
        np.testing.assert_array_equal(g.inside, e)


def test_second_derivatives_are_ducks_too():
    x = Duck(np.array([0.5, -1.0]))
    second = grad(lambda x: np.sum(grad(lambda x: np.sum(np.tanh(x) ** 3))(x)))(x)
    expected = grad(lambda x: np.sum(grad(lambda x: np.sum(np.tanh(x) ** 3))(x)))(x.inside)
    assert type(second) is Duck
    np.testing.assert_array_equal(second.inside, expected)


def cubes(x):
    return np.sum(np.tanh(x) ** 3 * x)


@pytest.mark.parametrize(
    "derivative",
    [
        grad(cubes),
        lambda x: value_and_grad(cubes)(x)[1],
        elementwise_grad(np.tanh),
        jacobian(lambda x: np.tanh(x) * np.sum(x)),
        jacobian(lambda x: x[:0] * 2),
        hessian(cubes),
        lambda x: hvp(cubes, (x,), (x,)),
        lambda x: jvp(np.tanh, (x,), (x,))[1],
        lambda x: vjp(np.tanh, x)[1](x)[0],
        grad(checkpoint(cubes)),
        hessian(checkpoint(cubes)),
        grad(lambda x: np.sum(x * stop_gradient(x))),
        grad(lambda x: np.linalg.slogdet(np.outer(x, x) + np.diag(x * x))[1]),
        debug()(grad(cubes)),
    ],
)
def test_every_transform_gives_ducks(derivative):
    x = np.array([0.5, -1.0, 2.0])
    got = derivative(Duck(x))
    assert type(got) is Duck
    np.testing.assert_allclose(got.inside, derivative(x), rtol=1e-12)


def test_backward_takes_a_duck_and_leaves_one():
    x = Tensor(Duck(np.array([1.0, 2.0])))
    for _ in range(2):
        (x * x).backward(Duck(np.array([1.0, 10.0])))
    assert type(x.grad) is Duck
    assert x.grad.inside.tolist() == [4, 80]


def test_debug_meets_the_first_infinity_in_a_duck():
    x = Tensor(Duck(np.array([1.0, 0.0])), name="x")
    with pytest.raises(NonFiniteError, match=r"log made the first inf: 'x' = float64\[2\]"), debug():
        np.log(x)
    with debug():
        y = np.sum(np.sqrt(x))
        with pytest.raises(NonFiniteError, match=r"gradient of sqrt for its argument 'x' is the first inf"):
            y.backward()


def test_classes_in_a_duck_become_a_duck():
    assert one_hot(Duck(np.array([0, 2])), 3).inside.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_a_duck_shows_itself():
    x = Tensor(Duck(np.ones(2)), name="x")
    assert repr(x) == f"Tensor({x.data!r}, name='x')"
