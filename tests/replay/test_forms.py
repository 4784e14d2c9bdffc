"""Every form in which a program writes into memory that exists: the bits of the plain call, for all dtypes."""

from __future__ import annotations

import functools
import importlib

import numpy as np
import pytest

from autograd_core.replay import Source, replay

forms = importlib.import_module("autograd_core.replay.forms")

DTYPES = [np.bool_, np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, np.float16, np.float32, np.float64,
          np.longdouble, np.complex64, np.complex128]  # fmt: skip

LAYOUTS = {
    "rows": lambda x: x,
    "columns": lambda x: x.mT,
    "backwards in steps": lambda x: x[::-1, ::-2, 1:],
    "one axis": lambda x: x.reshape(-1),
}


def over_axes(function):
    return [lambda x, a=axis, k=keepdims: function(x, axis=a, keepdims=k)
            for axis in (None, 0, -1) for keepdims in (False, True)]  # fmt: skip


FORMS = {
    np.sum: over_axes(np.sum),
    np.prod: over_axes(np.prod),
    np.max: over_axes(np.max),
    np.min: over_axes(np.min),
    np.any: over_axes(np.any),
    np.all: over_axes(np.all),
    np.mean: over_axes(np.mean),
    np.argmax: [np.argmax, lambda x: np.argmax(x, axis=0), lambda x: np.argmax(x, -1)],
    np.reshape: [lambda x: np.reshape(x, -1), lambda x: np.reshape(x, (2, -1)), lambda x: np.reshape(x, -1, order="F")],
    np.where: [
        lambda x: np.where(x == x, x, x + 1),
        lambda x: np.where(x, x, 0),
        lambda x: np.where(x == 0, 1, x),
        lambda x: np.where(x == 0, np.float16(0.1), x),
    ],
    np.concatenate: [lambda x: np.concatenate([x, x[::-1]]), lambda x: np.concatenate([x, x * 1], -1)],
}


@functools.cache
def batch(dtype, seed):
    """Numbers of all sizes, zeros of both signs; in the last batch infinities and NaN, which hide others."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(6, 20, 34)) * 10.0 ** rng.integers(-3, 4, (6, 20, 34))
    x[rng.random(x.shape) < 0.2] = 0.0
    x[rng.random(x.shape) < 0.2] = -0.0
    if seed == 4:
        x[0, 0] = [np.inf, -np.inf, *[1e30] * 32]
        x[1, 1, 1] = np.nan
    with np.errstate(all="ignore"):
        return (x + 1j * x[::-1]).astype(dtype) if np.dtype(dtype).kind == "c" else x.astype(dtype)


def assert_same_bits(f, dtype, layout):
    made = replay(f, exact=True)
    with np.errstate(all="ignore"):
        for seed in range(5):
            mine, its = (g(LAYOUTS[layout](batch(dtype, seed))) for g in (f, made))
            assert (mine.dtype, mine.shape) == (its.dtype, its.shape)
            np.testing.assert_array_equal(mine, its)  # which takes a NaN for a NaN, and -0.0 for 0.0
            for part in (np.real, np.imag) if mine.dtype.kind in "fc" else ():
                known = ~np.isnan(part(mine))
                np.testing.assert_array_equal(np.signbit(part(mine))[known], np.signbit(part(its))[known])
    assert made.programs


def test_there_is_an_example_of_every_form():
    assert FORMS.keys() == forms.FORMS.keys()


@pytest.mark.every(2)
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("function", FORMS, ids=lambda f: f.__name__)
def test_a_form_gives_the_bits_of_the_plain_call(function, dtype):
    for layout in LAYOUTS:
        for f in FORMS[function]:
            assert_same_bits(f, dtype, layout)


UFUNCS = [np.add, np.multiply, np.maximum, np.minimum, np.logical_or, np.logical_and]


@pytest.mark.every(2)
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)
def test_the_methods_of_a_ufunc_give_the_bits_of_the_plain_call(ufunc, dtype):
    rows = np.array([0, 3])
    for layout in LAYOUTS:
        for f in (
            lambda x: ufunc(x, x[::-1]),
            lambda x: ufunc.reduce(x),
            lambda x: ufunc.reduce(x, axis=-1),
            lambda x: ufunc.reduce(array=x, axis=-1),
            lambda x: ufunc.accumulate(x),
            lambda x: ufunc.reduceat(x, rows),
        ):
            assert_same_bits(f, dtype, layout)


def test_ufuncs_of_arrays_of_one_row_give_the_bits_of_the_plain_call():
    def first(shape):
        return lambda x: np.resize(x, shape)

    for a, b in [((1, 5), (5,)), ((5,), (1, 5)), ((1, 1, 4), (4,)), ((1, 1, 4), (1, 1)), ((1, 1), (1,)), ((1, 3), ()),
                 ((1, 3), (1, 1)), ((1, 0), (0,)), ((1, 2, 3), (3,)), ((1, 3), (2, 3))]:  # fmt: skip
        left, right = first(a), first(b)
        for f in (
            lambda x, left=left, right=right: left(x) + right(x * 2),
            lambda x, left=left, right=right: np.maximum(right(x), left(x * 2)),
            lambda x, left=left: np.add(left(x), 1, where=left(x) == left(x), out=left(x) * 0),
            lambda x, left=left, right=right: np.hypot(left(x), right(x)) > 1,
        ):
            assert_same_bits(f, np.float32, "rows")


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.float64, np.complex64, np.int32], ids=lambda d: d.__name__
)
def test_small_products_of_matrices_give_the_bits_of_the_plain_call(dtype):
    for f in (lambda x: x[0] @ x[1].T, lambda x: x[0].T @ x[1], lambda x: np.matmul(x, x.mT), lambda x: x[0] @ x[1, 0]):
        assert_same_bits(f, dtype, "rows")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", ["random", "standard_normal"])
def test_random_numbers_written_in_place_are_those_of_the_plain_call(method, dtype):
    one, other = (Source(np.random.PCG64(0)) for _ in range(2))
    made = replay(lambda x: getattr(one, method)((3, 5), dtype) + x)
    for i in range(6):
        x = np.full((3, 5), i, dtype)
        np.testing.assert_array_equal(made(x), getattr(other, method)((3, 5), dtype) + x)
    assert made.programs
