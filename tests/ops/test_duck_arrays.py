"""The rules run unchanged on an array of another library, which has CuPy's functions and manners and no others."""

import math
import pickle
from copy import copy, deepcopy

import numpy as np
import pytest

from autograd_core import (
    DeviceError,
    NonFiniteError,
    Tensor,
    checkpoint,
    debug,
    draw,
    elementwise_grad,
    explain,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    one_hot,
    replay,
    stop_gradient,
    value_and_grad,
    vjp,
)
from autograd_core.arrays import asarray_like, to_numpy
from autograd_core.testing import strict
from autograd_core.testing.strict import StrictArray
from autograd_core.walk import walk


def on_device(value):
    """All of NumPy's arrays in an argument as strict ones."""
    if isinstance(value, list | tuple):
        return type(value)(on_device(v) for v in value)
    return strict.array(value) if isinstance(value, np.ndarray) else value


def gradients(case, values, seed, lift=None):
    """The gradient of the last result with respect to each value."""
    tensors = [Tensor(v) for v in values]
    result = [r for r in case.call(*tensors) if isinstance(r, Tensor)][-1]
    given = seed(result.data)
    nodes = [t.node for t in tensors]
    found = {node: g for node, g, _ in walk({result.node: given}, to=nodes, lift=lift) if node in nodes}
    return result, [found[node] for node in nodes if node in found]


def ones(out):
    return np.full_like(out, 0.5)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_values_and_gradients_are_ducks_with_the_same_numbers(case):
    ducks = [strict.array(v) for v in case.values]
    there = copy(case)
    there.inputs, there.params = on_device(case.inputs), {k: on_device(v) for k, v in case.params.items()}
    result, got = gradients(there, ducks, ones)
    expected_result, expected = gradients(case, case.values, ones)
    assert type(result.data) is StrictArray
    np.testing.assert_array_equal(result.data.inside, expected_result.data)
    assert len(got) == len(expected)
    for g, e in zip(got, expected, strict=True):
        assert type(g) is StrictArray
        np.testing.assert_array_equal(g.inside, e)


def test_second_derivatives_are_ducks_too():
    x = strict.array(np.array([0.5, -1.0]))
    second = grad(lambda x: np.sum(grad(lambda x: np.sum(np.tanh(x) ** 3))(x)))(x)
    expected = grad(lambda x: np.sum(grad(lambda x: np.sum(np.tanh(x) ** 3))(x)))(x.inside)
    assert type(second) is StrictArray
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
    got = derivative(strict.array(x))
    assert type(got) is StrictArray
    np.testing.assert_allclose(got.inside, derivative(x), rtol=1e-12)


def test_backward_takes_a_duck_and_leaves_one():
    x = Tensor(strict.array(np.array([1.0, 2.0])))
    for _ in range(2):
        (x * x).backward(strict.array(np.array([1.0, 10.0])))
    assert type(x.grad) is StrictArray
    assert x.grad.inside.tolist() == [4, 80]


def test_debug_meets_the_first_infinity_in_a_duck():
    x = Tensor(strict.array(np.array([1.0, 0.0])), name="x")
    with pytest.raises(NonFiniteError, match=r"log made the first inf: 'x' = float64\[2\]"), debug():
        np.log(x)
    with debug():
        y = np.sum(np.sqrt(x))
        with pytest.raises(NonFiniteError, match=r"gradient of sqrt for its argument 'x' is the first inf"):
            y.backward()


def test_classes_in_a_duck_become_a_duck():
    assert one_hot(strict.array(np.array([0, 2])), 3).inside.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_a_number_beside_a_duck_keeps_its_gradient_on_the_cpu():
    k, x = Tensor(3.0), Tensor(strict.array([1.0, 2.0]))
    np.sum(np.sqrt(k) * x).backward()
    assert type(k.grad) is np.float64
    assert k.grad == pytest.approx(3 / (2 * math.sqrt(3)))
    assert type(x.grad) is StrictArray


def test_numpys_arrays_are_brought_to_a_leaf_that_is_given_them():
    x = Tensor(strict.array([1.0, 2.0]))
    x.data = np.array([3.0, 4.0])
    (x * x).backward(np.ones(2))
    assert type(x.data) is type(x.grad) is StrictArray
    assert x.grad.get().tolist() == [6, 8]


def test_a_changed_copy_of_a_duck():
    x = Tensor(strict.array([1.0, 2.0, 3.0]))
    last = x.at[strict.array([0, 0])].set(strict.array([5.0, 6.0]))
    assert last.numpy().tolist() == [6, 2, 3]
    assert x.at[np.array([1, 1])].add(1.0).numpy().tolist() == [1, 4, 3]


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        (
            lambda x, y: x + y,
            r"^add .*: tensor 'x' is on strict:0 \(a strict .*\), tensor 'y' on the CPU \(NumPy\)",
        ),
        (lambda x, y: y.data / x, "^divide .*: argument 1 is on the CPU .NumPy., tensor 'x' on strict:0"),
        (lambda x, y: x.data - y, "^subtract .*: argument 1 is on strict:0 .*, tensor 'y' on the CPU"),
        (lambda x, y: x @ y, "^matmul .*tensor 'x' is on strict:0"),
        (lambda x, y: np.concatenate([y, x]), "^concatenate .*: tensor 'y' is on the CPU .*, tensor 'x' on strict:0"),
        (lambda x, y: np.where(y > 0, x, 0.0), "^where .*: argument 1 is on the CPU .*, tensor 'x' on strict:0"),
        (lambda x, y: np.einsum("i,i->", x, y), "^einsum .*tensor 'x' is on strict:0"),
    ],
)
def test_mixing_devices_says_which_tensor_is_where(mix, said):
    with pytest.raises(DeviceError, match=said):
        mix(Tensor(strict.array([1.0, 2.0]), name="x"), Tensor(np.ones(2), name="y"))


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        (lambda x, y: x > y, r"gt cannot .*tensor 'x' is on strict:0 .*, tensor 'y' on the CPU"),
        (lambda x, y: y == x, r"eq cannot .*tensor 'y' is on the CPU .*, tensor 'x' on strict:0"),
        (lambda x, y: x != np.ones(2), r"tensor 'x' is on strict:0 .*, argument 2 on the CPU"),
        (lambda x, y: y[x.data > 0], r"indexing cannot .*tensor 'y' is on the CPU .*, its index on strict:0"),
        (lambda x, y: np.where(x > 0, x, y), r"where .*tensor 'x' is on strict:0 .*, tensor 'y' on the CPU"),
        (lambda x, y: np.stack([x, y]), r"a result of \w+ from tensor 'x' is on strict.* from tensor 'y' on the CPU"),
        (lambda x, y: np.exp(Tensor(x.data)) * y, r"a result of exp is on strict:0 .*, tensor 'y' on the CPU"),
    ],
)
def test_comparing_indexing_and_choosing_across_devices_say_which_tensor_is_where(mix, said):
    with pytest.raises(DeviceError, match=said):
        mix(Tensor(strict.array([1.0, 2.0]), name="x"), Tensor(np.ones(2), name="y"))


def test_an_index_out_of_range_is_no_matter_of_devices():
    with pytest.raises(IndexError):
        Tensor(strict.array([1.0, 2.0]), name="x")[np.array([5])]


class Stranger:
    """An array of a library that nobody registered; it computes nothing."""

    __module__ = "elsewhere.core"

    dtype = np.dtype(float)
    shape, ndim, size = (2,), 1, 2

    def __array_ufunc__(self, *args, **kwargs):
        raise TypeError("not with those")

    def __array_function__(self, function, types, args, kwargs):
        return Stranger() if function is np.asarray else NotImplemented

    def get(self):
        return np.array([1.0, 2.0])

    def copy(self):
        return Stranger()


def test_a_library_that_nobody_registered_is_met_with_what_the_protocols_promise():
    assert type(asarray_like(Stranger(), np.zeros(2))) is Stranger
    assert to_numpy(Stranger()).tolist() == [1, 2]
    assert repr(Tensor(Stranger())) == "Tensor([1., 2.], on another device (elsewhere))"
    with pytest.raises(DeviceError, match=r"argument 1 is on another device \(elsewhere\), argument 2 on the CPU"):
        np.add(Tensor(Stranger()), np.ones(2))


def test_an_error_of_another_kind_stays_itself():
    x = Tensor(strict.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="could not be broadcast"):
        x + Tensor(strict.array([1.0, 2.0, 3.0]))


def test_what_people_are_shown_of_a_duck_is_what_they_are_shown_of_an_array():
    def shown(a):
        x, w = Tensor(a, name="x"), Tensor(a * 2, name="w")
        f = np.sum(np.maximum(x @ w + a[0], 0.5)) / 3
        steps = explain(f)
        y = x * 2
        y.backward(a)
        return [draw(f).source, draw(y).source, steps.to_text(), steps.to_latex(), str(steps), steps.to_html()]

    a = np.array([[0.5, -1.0], [2.0, 0.25]])
    assert shown(strict.array(a)) == shown(a)


def test_ducks_are_copied_and_pickled():
    x = Tensor(strict.array([1.0, 2.0]), name="x")
    for again in (deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(again.data) is StrictArray
        assert again.data is not x.data
        assert again.tolist() == [1, 2]


def test_a_constant_duck_becomes_a_numpy_array_only_when_asked():
    x = Tensor(strict.array([1.0, 2.0]), requires_grad=False)
    with pytest.raises(TypeError, match=r"this Tensor is on strict:0 \(a strict library\); t\.numpy\(\) copies it"):
        np.asarray(x)
    assert x.numpy().tolist() == [1, 2]
    assert (x.item(1), float(x[0])) == (2, 1)


def test_a_replayed_function_of_ducks_runs():
    f = replay(lambda x: np.sum(np.tanh(x) * x))
    for k in range(5):
        a = np.array([1.0, k])
        assert f(strict.array(a)).get() == pytest.approx(np.sum(np.tanh(a) * a))


def test_a_duck_shows_itself():
    x = Tensor(strict.array(np.ones(2)), name="x")
    assert repr(x) == "Tensor([1., 1.], on strict:0 (a strict library), name='x')"
    assert f"{x:.2f}" == "[1.00 1.00]"
