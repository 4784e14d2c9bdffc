"""The rules run unchanged on an array of another library, which NumPy cannot turn into one of its own."""

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

from autograd_core import Tensor, grad
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
