"""A function that is composed, or answers for NumPy's, has NumPy's values, types and dtypes."""

import numpy as np
import pytest
from numpy.lib import NumpyVersion

from autograd_core import Tensor
from autograd_core.dispatch import NUMPY
from autograd_core.testing import check_gradients

# np.linalg has stricter twins of these, which refuse some of the examples.
STRICTER = {np.linalg.outer, np.linalg.cross}


def flat(result):
    return [r for part in result for r in flat(part)] if isinstance(result, list | tuple) else [result]


def functions_of(case):
    """NumPy's functions that are answered by that of a case."""
    functions = [f for f, ours in NUMPY.items() if ours is case.function and f not in STRICTER]
    return [f for f in functions if (getattr(f, "__module__", None) or "numpy").startswith("numpy")]


@pytest.mark.filterwarnings("ignore")
def test_values_of_complex_numbers_are_numpys_or_refused(cases):
    random, compared, refused = np.random.default_rng(0), set(), {}
    for case in cases:
        if case.name == "polydiv":  # which leaves out of the remainder what rounding makes small
            continue
        for dtype in (np.complex128, np.complex64):
            values = [np.asarray(v + 1j * random.uniform(-0.9, 0.9, np.shape(v)), dtype) for v in case.values]
            for function in functions_of(case):
                try:
                    expected = flat(function(*case.arguments(values), **case.params))
                except (TypeError, ValueError):  # of complex numbers, or of arguments in this form
                    continue
                try:
                    got = flat(function(*case.arguments([Tensor(v) for v in values]), **case.params))
                except TypeError as error:
                    refused[case] = str(error)
                    continue
                compared.add(case.name)
                for g, e in zip(got, expected, strict=True):
                    g = g.data if isinstance(g, Tensor) else g
                    assert (g.dtype.kind, np.shape(g)) == (e.dtype.kind, np.shape(e)), (case, function.__name__)
                    assert g.dtype == e.dtype or dtype is np.complex64, case  # which stays that
                    tolerance = 1e3 * np.finfo(dtype).eps
                    np.testing.assert_allclose(g, e, rtol=tolerance, atol=tolerance, err_msg=repr((case, dtype)))
    assert all("complex" in said for said in refused.values())
    assert {"vecmat", "vdot", "vecdot", "svd", "kron", "slogdet", "polyval", "std"} <= compared


@pytest.mark.filterwarnings("ignore:.trapz. is deprecated")  # before NumPy 2.4
def test_values_are_numpys(case):
    functions = functions_of(case)
    if not functions or "order" in case.params or (case.name == "clip" and len(case.inputs) < 3):
        pytest.skip("NumPy has no such function, or not with these arguments")
    for function in functions:
        params = () if function is not np.reshape else case.params.values()  # newshape= before NumPy 2.1
        keywords = case.params if not params else {}
        expected = function(*case.arguments(case.values), *params, **keywords)
        got = function(*case.arguments([Tensor(v) for v in case.values]), *params, **keywords)
        if isinstance(expected, list | tuple):
            assert type(got) is type(expected)
        for g, e in zip(flat(got), flat(expected), strict=True):
            g = g.data if isinstance(g, Tensor) else g
            assert np.shape(g) == np.shape(e)
            assert g.dtype == e.dtype
            np.testing.assert_allclose(g, e, rtol=1e-13, atol=1e-14)


# What NumPy computes in double precision whatever it is given, or beside whole numbers.
DOUBLE = {
    "block", "cov", "corrcoef", "geomspace", "interp", "percentile", "polyder", "polyfit", "polyint", "quantile",
    "vander",
}  # fmt: skip


def test_numbers_of_single_precision_stay_that_unless_numpy_has_it_otherwise(case):
    if case.name in ("float_power", "astype"):
        pytest.skip("it is made to change the dtype")
    params = {k: np.float32(v) if getattr(v, "dtype", None) == np.float64 else v for k, v in case.params.items()}
    values = [np.float32(v) for v in case.values]
    got = flat(case.function(*case.arguments([Tensor(v) for v in values]), **params))
    others = [r.dtype for r in got if r.dtype not in (np.float32, np.complex64) and r.dtype.kind != "i"]  # i: of ranks
    if others:
        for function in case.numpy:
            assert [r.dtype for r in got] == [r.dtype for r in flat(function(*case.arguments(values), **params))]
        assert case.name in DOUBLE


@pytest.mark.parametrize(
    "call",
    [
        lambda m, t: m.einsum("ij,jk", t, t.T),
        lambda m, t: m.einsum("ba", t),
        lambda m, t: m.einsum("...i,...i", t, t),
        lambda m, t: m.einsum("i...,ij -> ...j", t, t),
        lambda m, t: m.einsum("...,...->...", t, t[0]),
        lambda m, t: m.einsum("ij,kj,lj->ikl", t, t, t, optimize=True),
        lambda m, t: m.einsum(t, [0, 1], t, [2, 1]),
        lambda m, t: m.einsum(t, [0, 1], t, [2, 1], [2, 0]),
        lambda m, t: m.einsum(t, [Ellipsis, 1], t, [Ellipsis, 1], [Ellipsis]),
        lambda m, t: m.sum(t, 1),
        lambda m, t: m.max(a=t, axis=0),
        lambda m, t: m.concatenate((t, t), axis=None),
        lambda m, t: m.average(t, axis=0, returned=True),
        lambda m, t: m.gradient(t),
        lambda m, t: m.gradient(t, 0.5, m.array([0.0, 1.0, 3.0])),
        lambda m, t: m.split(t, 3, 1),
        pytest.param(
            lambda m, t: m.pad(t, {0: 1, -1: (2, 0)}),
            marks=pytest.mark.skipif(NumpyVersion(np.__version__) < "2.4.0", reason="NumPy takes it from 2.4 on"),
        ),
        lambda m, t: m.linalg.cholesky(t @ t.T, upper=True),
        lambda m, t: m.add.reduce(t),
        lambda m, t: m.add.reduce(t, axis=None),
        lambda m, t: m.multiply.reduce(t, 1),
        lambda m, t: m.maximum.reduce(t, axis=1, keepdims=True),
        lambda m, t: m.minimum.reduce(t),
        lambda m, t: m.add.accumulate(t),
        lambda m, t: m.multiply.accumulate(t, axis=1),
        lambda m, t: m.subtract.outer(t, t[0]),
        lambda m, t: m.atleast_2d(t[0], t),
        lambda m, t: m.broadcast_arrays(t, t[0]),
        lambda m, t: divmod(t, 0.3),
        lambda m, t: round(t[0, 0], 1),
        lambda m, t: 7.5 % t,
        lambda m, t: t // 0.25,
    ],
)
def test_other_ways_to_call_give_numpys_values(call):
    x = np.array([[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]])
    expected, got = call(np, x), call(np, Tensor(x))
    for g, e in zip(flat(got), flat(expected), strict=True):
        np.testing.assert_allclose(g.data if isinstance(g, Tensor) else g, e, rtol=1e-13)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("reshape", (3, 2)),
        ("reshape", ((-1,),)),
        ("ravel", ()),
        ("flatten", ()),
        ("transpose", ()),
        ("transpose", (1, 0)),
        ("swapaxes", (0, 1)),
        ("squeeze", ()),
        ("sum", (0,)),
        ("prod", (1,)),
        ("mean", ((0, 1),)),
        ("var", ()),
        ("std", (0,)),
        ("max", (1,)),
        ("min", ()),
        ("cumsum", (1,)),
        ("cumprod", ()),
        ("clip", (-0.5, 0.5)),
        ("round", (1,)),
        ("dot", (np.ones(3),)),
        ("diagonal", (1,)),
        ("trace", ()),
        ("repeat", (2, 1)),
        ("take", ([0, 2], 1)),
        ("copy", ()),
        ("argmax", (1,)),
        ("argmin", ()),
        ("argsort", (0,)),
        ("nonzero", ()),
        ("all", ()),
        ("any", (1,)),
    ],
)
def test_methods_are_those_of_arrays(method, arguments):
    x = np.array([[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]])
    expected, got = getattr(x, method)(*arguments), getattr(Tensor(x), method)(*arguments)
    for g, e in zip(flat(got), flat(expected), strict=True):
        np.testing.assert_allclose(g.data if isinstance(g, Tensor) else g, e, rtol=1e-14)


def test_functions_without_a_derivative_give_plain_arrays():
    t = Tensor([3.0, 1.0, np.nan])
    for result in (np.isnan(t), np.argsort(t), np.searchsorted([0.0, 2.0], t), t.argmax(), np.logical_not(t)):
        assert not isinstance(result, Tensor)
    assert np.less.outer(t, t).shape == (3, 3)


def test_moved_and_repeated_by_unusual_numbers():
    """Counts of nothing and of none, and shifts without a sign, of which the opposite is no number of theirs."""
    weights = np.arange(1.0, 7)
    for f, size in (
        *((lambda x, by=by: np.roll(x, by) * weights, 6) for by in (np.uint8(1), np.array(250, np.uint8), 20_000, -7)),
        (lambda x: np.roll(x.reshape(2, 3), np.array([1, 2], np.uint16), (0, 1)).ravel() * weights, 6),
        (lambda x: np.repeat(x, np.array([], int)), 0),
        *((lambda x, n=n: np.repeat(x, n), 6) for n in (0, [0], [0] * 6, np.uint8(2), [3, 0, 0, 1, 2, 0])),
    ):
        x = np.linspace(-1, 1, size)
        np.testing.assert_array_equal(f(Tensor(x)).data, f(x))
        assert check_gradients(f, x).verdict == "pass", f
