"""However NumPy lets a call be spelled, it is the same call; what Tensors cannot do names what to write instead."""

import contextlib
import inspect

import numpy as np
import pytest

import autograd_core as ac
from autograd_core import Tensor

A = np.array([[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]])
WHOLE = np.array([[3, 1, 2], [0, 5, -4]])


def flat(result):
    return [r for part in result for r in flat(part)] if isinstance(result, list | tuple) else [result]


def lifted(value):
    if isinstance(value, list):
        return [lifted(v) for v in value]
    return Tensor(value) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def agree(got, expected):
    for g, e in zip(flat(got), flat(expected), strict=True):
        g = g.data if isinstance(g, Tensor) else g
        assert np.shape(g) == np.shape(e)
        assert np.asarray(g).dtype == np.asarray(e).dtype
        np.testing.assert_allclose(g, e, rtol=1e-13, atol=1e-14)


def spellings(function, args, kwargs):
    """The call with everything by position, as much as possible by keyword, and each default said out loud."""
    parameters = inspect.signature(function).parameters
    given = inspect.signature(function).bind(*args, **kwargs).arguments
    placed = [p for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if all(p.kind is not p.VAR_POSITIONAL for p in parameters.values()):
        values = {p.name: given.get(p.name, p.default) for p in placed}
        rest = {name: v for name, v in kwargs.items() if name not in values}
        if np._NoValue not in [v for v in values.values() if not isinstance(v, np.ndarray | list)]:
            yield [*values.values()], rest
        silent = [p.name for p in placed if p.kind is p.POSITIONAL_ONLY]
        named = {name: v for name, v in given.items() if name in values and name not in silent}
        yield [given[name] for name in silent if name in given], {**named, **rest}
    for p in parameters.values():
        if p.default not in (p.empty, np._NoValue) and p.name not in given and p.kind is not p.POSITIONAL_ONLY:
            yield args, {**kwargs, p.name: p.default}


def test_any_spelling_is_the_same_call(case, function):
    args = case.arguments(case.values)
    expected = function(*args, **case.params)
    calls = [(args, case.params)]
    with contextlib.suppress(ValueError):  # before NumPy 2.4, what is written in C did not say what it takes
        calls += spellings(function, args, case.params)
    for some, named in calls:
        agree(function(*lifted(list(some)), **{k: lifted(v) for k, v in named.items()}), expected)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(x, 0, None),
        lambda x: np.sum(x, 0, np.float32),
        lambda x: np.sum(x, dtype=None),
        lambda x: np.max(x, 0, None),
        lambda x: np.max(x, 0, None, True),
        lambda x: np.cumsum(x, 0, np.float32),
        lambda x: np.var(x, 0, np.float32, None, 1),
        lambda x: np.var(x, correction=1),
        lambda x: np.std(x, axis=0, mean=np.mean(x, axis=0, keepdims=True)),
        lambda x: np.mean(x, dtype=np.float32),
        lambda x: np.mean(x, dtype=int),
        lambda x: np.take(x, [7], 0, None, "wrap"),
        lambda x: np.trace(x, 0, 0, 1, np.float32),
        lambda x: np.clip(x, 0, 1, None),
        lambda x: np.round(x, 1, None),
        lambda x: np.where(x),
        lambda x: np.where(x > 0),
        lambda x: np.where(x, 1, 0),
        lambda x: np.where(x, x, 0),
        lambda x: np.vstack(tup=(x, x)),
        lambda x: np.sort(x, 0, "stable"),
        lambda x: np.sort(x, kind="mergesort"),
        lambda x: np.sort(x, stable=True),
        lambda x: np.reshape(x, (3, 2), "F"),
        lambda x: np.ravel(x, order="F"),
        lambda x: np.copy(x, "K"),
        lambda x: np.concatenate((x, x), dtype=np.float32),
        lambda x: np.concatenate((x, WHOLE), 1, out=None),
        lambda x: np.stack([x, x], dtype=np.float32),
        lambda x: np.exp(x, dtype=np.float32),
        lambda x: np.add(x, [1, 2, 3], dtype=np.float32),
        lambda x: np.average(x, np.int64(0), [1.0, 2.0]),
        lambda x: np.average(x, (1, 0), np.arange(6.0).reshape(3, 2)),
        lambda x: np.average(x, axis=1, weights=[1, 2, 4], returned=True),
        lambda x: np.linalg.matmul(x, x.T),
        lambda x: np.linalg.trace(x @ x.T),
        lambda x: np.linalg.diagonal(x, offset=1),
        lambda x: np.linalg.vector_norm(x),
        lambda x: np.linalg.vector_norm(x, axis=(0, 1), keepdims=True, ord=3),
        lambda x: np.linalg.matrix_norm(x),
        lambda x: np.linalg.outer(x[0], x[1]),
        lambda x: np.linalg.cross(x[0], x[1]),
        lambda x: np.linalg.tensordot(x, x, axes=2),
        lambda x: np.linalg.vecdot(x, x),
        lambda x: np.compress([True, False], x, axis=0),
        lambda x: np.choose([1, 0, 1], [x, -x]),
        lambda x: np.real(x),
        lambda x: np.imag(x),
        lambda x: np.conj(x),
        lambda x: np.float_power(x**2, [1, 2, 3]),
        lambda x: np.diff(x, n=0, prepend=0),
        lambda x: np.repeat(x[0, 0], 2, axis=0),
        lambda x: np.tril(x > 0),
        lambda x: np.argmax(x, 0, None),
        lambda x: np.any(x, where=x > 0),
    ],
)
def test_a_call_is_numpys(call):
    agree(call(Tensor(A)), call(A))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.fabs(x),
        lambda x: np.nan_to_num(x),
        lambda x: np.gradient(x, axis=1),
        lambda x: np.gradient(x[0], [0.0, 0.5, 2.0]),
        lambda x: np.linalg.norm(x),
        lambda x: np.linalg.norm(x, 1, axis=0),
        lambda x: np.linalg.norm(x * x + 1, -1, axis=0),
        lambda x: np.linalg.vector_norm(x),
        lambda x: np.mean(x, axis=0),
        lambda x: np.std(x),
        lambda x: np.average(x, weights=x**2),
        lambda x: np.diff(x),
        lambda x: np.tril(x),
        lambda x: np.sum(x, axis=1),
        lambda x: np.cumprod(x),
        lambda x: np.diff(x, prepend=0.5),
        lambda x: x & 1,
        lambda x: 6 ^ x,
        lambda x: ~x,
        lambda x: np.concatenate((x, A), dtype=np.float32),
    ],
)
def test_whole_numbers_are_computed_with_as_in_numpy(call):
    agree(call(Tensor(WHOLE)), call(WHOLE))


@pytest.mark.parametrize("call", [np.diff, np.nan_to_num, np.real, np.triu, np.sum, np.mean, np.linalg.norm, np.fabs])
def test_booleans_are_computed_with_as_in_numpy(call):
    agree(call(Tensor(A > 0)), call(A > 0))


def test_single_precision_stays_that_beside_places_of_double_precision():
    x, places = np.float32([1.0, 2.0, 4.0]), np.array([0.0, 0.5, 2.0])
    agree(np.gradient(Tensor(x), places), np.gradient(x, places))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.repeat(x, 2, axis=2),
        lambda x: np.diff(x, axis=-3),
        lambda x: np.gradient(x, axis=2),
        lambda x: np.linalg.norm(x, axis=2),
        lambda x: np.linalg.norm(x, 1, axis=(0, 5)),
        lambda x: np.linalg.vector_norm(x, axis=2),
        lambda x: np.rollaxis(x, 3),
        lambda x: np.rollaxis(x, 0, 4),
        lambda x: np.moveaxis(x, 2, 0),
        lambda x: np.swapaxes(x, 0, 2),
        lambda x: np.take(x, [0], axis=2),
        lambda x: np.roll(x, 1, axis=2),
        lambda x: np.take_along_axis(x, np.zeros((2, 1), int), axis=3),
        lambda x: np.tensordot(x, x, axes=((5,), (0,))),
        lambda x: np.average(x, axis=2, weights=[1.0, 2.0]),
        lambda x: np.average(x[0, 0], axis=0),
        lambda x: np.sum(x, axis=2),
        lambda x: np.sort(x, axis=2),
        lambda x: np.array_split(x, 2, axis=2),
        lambda x: np.flip(x, 2),
    ],
)
def test_an_axis_that_is_not_there_is_numpys_error(call):
    with pytest.raises(IndexError) as numpys:
        call(A)
    with pytest.raises(numpys.type):
        call(Tensor(A))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: np.rot90(x, 1, (0, 0)), ValueError),
        (lambda x: np.diag(x[None]), ValueError),
        (lambda x: np.pad(x, 1.5), TypeError),
        (lambda x: np.tile(x, 1.5), TypeError),
        (lambda x: np.average(x, axis=0, weights=[1.0, -1.0]), ZeroDivisionError),
        (lambda x: np.average(x, weights=[1.0, 2.0]), TypeError),
        (lambda x: np.sum(x, axis=(0, 0)), ValueError),
        (lambda x: np.tensordot(x, x, 1), ValueError),
        (lambda x: np.concatenate((x, x), dtype=int), TypeError),
        (lambda x: x.astype(int, casting="safe"), TypeError),
        (lambda x: x**None, TypeError),
        (lambda x: x ** "a", TypeError),
        (lambda x: x < "a", TypeError),
    ],
)
def test_what_numpy_refuses_is_refused(call, error):
    with pytest.raises(error):
        call(A)
    with pytest.raises(error):
        call(Tensor(A))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.sum(0, None, None, True),
        lambda x: x.sum(axis=1, dtype=np.float32),
        lambda x: x.mean(dtype=np.float32),
        lambda x: x.var(0, None, None, 1),
        lambda x: x.std(axis=0, ddof=1, keepdims=True),
        lambda x: x.cumsum(0, np.float32),
        lambda x: x.clip(max=1),
        lambda x: x.reshape(3, 2, order="F"),
        lambda x: x.reshape([3, 2]),
        lambda x: x.ravel("F"),
        lambda x: x.flatten("F"),
        lambda x: x.transpose(None),
        lambda x: x.transpose([1, 0]),
        lambda x: x.copy(order="F"),
        lambda x: x.astype(np.float32, copy=False),
        lambda x: x.astype(int),
        lambda x: x.take([7], 0, mode="wrap"),
        lambda x: x.repeat([1, 2], 0),
        lambda x: x.compress([True, False], axis=0),
        lambda x: x.astype(int).choose([10, 20, 30], mode="clip"),
        lambda x: x.argsort(kind="stable"),
        lambda x: x.argpartition(1, axis=0),
        lambda x: x.argmax(axis=1, keepdims=True),
        lambda x: x[0].searchsorted(1.0, side="right"),
        lambda x: x.conj(),
        lambda x: x.conjugate(),
        lambda x: x.real,
        lambda x: x.imag,
        lambda x: x.flat[2],
        lambda x: [*x.flat],
        lambda x: (x.nbytes, x.itemsize, x.strides, x.item(1), x.item(1, 2), x.tolist()),
        lambda x: divmod(2.0, x),
        lambda x: x == "a",
        lambda x: x != None,  # noqa: E711
        lambda x: x.sum() == "a",
    ],
)
def test_a_method_is_that_of_arrays(call):
    agree(call(Tensor(A)), call(A))


def test_the_bytes_are_those_of_the_array():
    assert Tensor(A).tobytes() == A.tobytes()


def test_a_power_leaves_the_other_its_turn():
    class Other:
        def __rpow__(self, base):
            return "mine"

    assert Tensor(2.0) ** Other() == "mine"


def test_numbers_in_a_nested_list_keep_what_follows_the_point():
    assert ac.array([np.int64(2), 1.5]).tolist() == [2, 1.5]
    assert ac.array([np.float32(2), 1.5]).dtype == np.float32
    assert ac.array([Tensor(np.float32(2)), 1]).dtype == np.float32
    assert ac.array([1, 2]).dtype == np.float64
    assert ac.array([np.int64(1), 2]).dtype == np.int64


def test_our_own_functions_take_and_show_their_arguments_by_name():
    x, k = Tensor(np.arange(6.0).reshape(1, 6, 1)), np.ones((2, 1, 1))
    np.testing.assert_array_equal(ac.conv(x, kernel=k, strides=2).data, ac.conv(x, k, strides=2).data)
    np.testing.assert_array_equal(ac.conv(kernel=k, x=x).data, ac.conv(x, k).data)
    np.testing.assert_array_equal(ac.windows(x, window=2).data, ac.windows(x, 2).data)
    np.testing.assert_array_equal(ac.softmax(x=x, axis=1).data, ac.softmax(x, 1).data)
    np.testing.assert_array_equal(ac.sigmoid(x=x).data, ac.sigmoid(x).data)
    assert str(inspect.signature(ac.conv)) == "(x, kernel, *, strides=1, padding='valid', dilation=1, groups=1)"
    assert "kernel" in repr(ac.conv)
    for call in (lambda: ac.conv(x), lambda: ac.relu(x, 1), lambda: ac.sigmoid(y=x)):
        with pytest.raises(TypeError, match=r"expected a call as|unexpected"):
            call()
