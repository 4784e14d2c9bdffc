"""Medians and quantiles, what passes over NaN, samples, polynomials and grids: NumPy's values, and every corner."""

import itertools
import re
import warnings

import numpy as np
import pytest

from autograd_core import Tensor, grad, hessian, vjp
from autograd_core.op import REGISTRY
from autograd_core.replay import replay
from autograd_core.testing import check_gradients

NAN, INF = np.nan, np.inf
rng = np.random.default_rng(0)
X, HOLES = rng.normal(size=(3, 5)), np.where(rng.random((3, 5)) < 0.3, NAN, rng.normal(size=(3, 5)))
METHODS = (
    "inverted_cdf averaged_inverted_cdf closest_observation interpolated_inverted_cdf hazen weibull linear "
    "median_unbiased normal_unbiased lower higher midpoint nearest"
)


def flat(result):
    return [r for part in result for r in flat(part)] if isinstance(result, list | tuple) else [result]


def same(call, *values, rtol=1e-13, atol=1e-14):
    """A call has NumPy's values, shapes and dtypes."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected, got = flat(call(*values)), flat(call(*map(Tensor, values)))
    assert any(isinstance(g, Tensor) for g in got)
    for g, e in zip(got, expected, strict=True):
        g = g.data if isinstance(g, Tensor) else g
        np.testing.assert_allclose(g, e, rtol=rtol, atol=atol)
        assert (np.shape(g), np.asarray(g).dtype) == (np.shape(e), np.asarray(e).dtype)


# -- ranks -----------------------------------------------------------------------------------------------------


def test_quantiles_of_every_method_are_numpys_with_slopes_of_differences():
    places = np.array([[0.0, 0.13, 0.5], [0.77, 0.25, 1.0]])
    for method in METHODS.split():
        for function, x in ((np.quantile, X), (np.nanquantile, HOLES)):
            for axis in (None, 1, (0, 1)):
                same(lambda x, f=function, a=axis, m=method: f(x, places, axis=a, method=m, keepdims=True), x)
        value, pull = vjp(lambda x, m=method: np.quantile(x, places, axis=1, method=m), X)
        direction, g, step = (
            np.cos(np.arange(15)).reshape(3, 5),
            np.sin(np.arange(value.size)).reshape(value.shape),
            1e-6,
        )
        ends = [np.quantile(X + s * direction, places, axis=1, method=method) for s in (step, -step)]
        slope = np.sum(g * (ends[0] - ends[1])) / (2 * step)
        assert np.sum(pull(g)[0] * direction) == pytest.approx(slope, rel=1e-6), method


def test_what_a_median_can_be_asked():
    for x in (X, np.array([3, 1, 2]), np.array(2.5), np.zeros((0, 3)), np.float32(X), np.float16(X), X > 0):
        if x.size:
            same(np.median, x)
            same(np.nanmedian, x)
        if x.ndim == 2:
            same(lambda x: np.median(x, axis=1, keepdims=True), x)
            same(lambda x: np.percentile(x, [10, 60], axis=1), x.astype(float))
            if x.size:
                same(lambda x: np.median(x, axis=()), x)
                same(lambda x: np.nanmedian(x, axis=()), x)
    same(np.median, np.zeros(0))
    same(lambda x: np.nanmedian(x, axis=1), np.zeros((2, 0)))
    for x in (np.array([1.0, INF, INF]), np.array([-INF, 1.0, 2.0, INF]), HOLES):
        same(np.median, x)
        same(np.nanmedian, x)
    assert np.quantile(Tensor([1.0, INF]), 0.0).item() == 1  # where NumPy's is the NaN of 0 · ∞
    for call in (
        lambda x: np.quantile(x, 1.5),
        lambda x: np.quantile(x, 0.5, method="middle"),
        lambda x: np.median(x, axis=2),
        lambda x: np.quantile(x[:0], 0.5),
    ):
        with pytest.raises((ValueError, IndexError)) as error:
            call(X)
        with pytest.raises(error.type):
            call(Tensor(X))


def test_quantiles_have_the_slope_between_neighbours_with_respect_to_their_place():
    places, w, steps = np.array([0.13, 0.42, 0.77, 0.01, 0.99]), rng.normal(size=(5, 3)), 1e-6 * np.eye(5)
    for method in METHODS.split():
        for function, x, whole in (
            (np.quantile, X, 1), (np.percentile, X, 100), (np.nanquantile, HOLES, 1), (np.nanpercentile, HOLES, 100)
        ):  # fmt: skip
            f = lambda q, f=function, x=x, s=whole, m=method: np.sum(np.cos(f(x, q * s, axis=1, method=m)) * w)  # noqa: E731
            slopes = [(f(places + step) - f(places - step)) / 2e-6 for step in steps]
            np.testing.assert_allclose(grad(f)(places), slopes, rtol=1e-6, atol=1e-7, err_msg=method)
    check_gradients(lambda x, q: np.quantile(x, q, axis=1, keepdims=True) ** 2, X, np.array([0.13, 0.4]))
    five = np.array([5.0, 1.0, 4.0, 2.0, 3.5])
    for at, slope in (
        (0.0, 4),
        (0.25, 6),
        (0.5, 2),
        (1.0, 4),
    ):  # at an element that to its right, at the last to its left
        q = Tensor(at)
        value = np.quantile(five, q)
        value.backward()
        assert (value.data, q.grad) == (np.quantile(five, at), slope)
    for lane, at, slope in (([1.0, INF], 0.0, 1e308), ([INF, INF], 0.3, 0), ([1.0], 0.3, 0)):
        assert grad(lambda q, x=lane: np.quantile(np.array(x), q))(at) >= slope
    assert np.isnan(grad(lambda q: np.quantile(np.array([1.0, NAN]), q))(0.3))
    for dtype in (np.float32, np.float16):
        q = Tensor(dtype(0.3))
        value = np.quantile(five.astype(dtype), q)
        value.backward()
        assert value.dtype == q.grad.dtype == dtype
    step = lambda x, q: np.sum(grad(lambda q: np.quantile(x, q, axis=1)[0])(q) * x)  # noqa: E731
    again = replay(step)
    for n in range(5):
        assert again(X + n, 0.3 + n / 20) == step(X + n, 0.3 + n / 20)


def test_weights_of_quantiles_are_numpys_and_choose_the_element_that_has_the_gradient():
    weights, of_five, of_three = rng.integers(0, 4, (3, 5)) + 0.5, np.array([1, 2, 0.5, 3, 1]), np.array([1.0, 2, 3])
    ways = ((1, weights), (1, of_five), (0, of_three), (None, weights), ((1, 0), weights.T), (-1, of_five))
    for axis, w in ways:
        for x in (X, np.round(X), HOLES):
            for q in (0.2, [0.1, 0.6, 0.9]):
                same(lambda x, q=q, a=axis, w=w: np.quantile(x, q, axis=a, weights=w, method="inverted_cdf"), x)
                if np.shape(w) == np.shape(x):  # of others NumPy's own raises an IndexError
                    same(lambda x, q=q, a=axis, w=w: np.nanquantile(x, q, axis=a, weights=w, method="inverted_cdf"), x)
    assert grad(lambda x: np.percentile(x, 50, weights=of_five, method="inverted_cdf"))(X[0]).sum() == 1
    check_gradients(lambda x: np.nanpercentile(x, 40, axis=1, weights=weights, method="inverted_cdf") ** 2, X)
    for bad in (
        lambda x: np.quantile(x, 0.3, weights=of_five), lambda x: np.quantile(x, 0.3, weights=-weights, axis=1),
        lambda x: np.quantile(x, 0.3, axis=0, weights=of_five, method="inverted_cdf"),
        lambda x: np.quantile(x, 0.3, weights=of_five, method="inverted_cdf"),
    ):  # fmt: skip
        with pytest.raises((ValueError, TypeError)) as error:
            bad(X)
        with pytest.raises(error.type, match=re.escape(str(error.value))):
            bad(Tensor(X))
    with pytest.raises(TypeError, match=r"weights: expected numbers.*'w'.*write t\.data"):
        np.quantile(X, 0.3, axis=1, weights=Tensor(of_five, name="w"), method="inverted_cdf")


def test_infinity_is_no_missing_number_and_the_middle_of_two_is_that():
    lanes = (
        [INF], [INF, INF], [-INF, -INF], [-INF, INF], [1.0, INF], [-INF, 1.0], [1.0, INF, INF, INF], [INF, NAN],
        [-INF, -INF, 3.0, 4.0], [-INF, 1.0, NAN], [NAN, NAN], [2.0, 2.0, INF],
    )  # fmt: skip
    for x in map(np.array, lanes):
        for function in (np.median, np.nanmedian, np.nanmean, np.nanvar, np.nanstd, np.nansum, np.nanmax):
            same(function, x)
            same(function, x.astype(np.float32))
    for call in (lambda x: np.percentile(x, [20, 75]), lambda x: np.nanquantile(x, 0.3)):
        assert np.isposinf(call(Tensor([INF, INF, INF])).data).all()  # where NumPy's is the NaN of ∞ - ∞
        assert np.isneginf(call(Tensor([-INF, -INF])).data).all()
    assert np.median(Tensor([-1e308, 1.5e308])).item() == 2.5e307  # the difference has no room, the middle has
    assert grad(np.median)(np.array([1.0, 2.0, INF, INF])).tolist() == [0, 0.5, 0.25, 0.25]


def test_the_spread_of_complex_numbers_is_real():
    for dtype in (np.complex64, np.complex128):
        z = np.array([[1 + 2j, complex(NAN, 1), 3 - 1j], [0.5j, 2.0, -1 - 1j]], dtype)
        tolerance = 1e-6 if dtype == np.complex64 else 1e-14
        for function in (np.nanvar, np.nanstd, np.nanmean, np.nansum, np.nanprod, np.var, np.std):
            same(function, z, rtol=tolerance)
            same(lambda z, f=function: f(z, axis=1, keepdims=True), z, rtol=tolerance)
        for function in (np.nanvar, np.nanstd):
            same(lambda z, f=function: f(z, axis=0, ddof=1), z, rtol=tolerance)
            same(lambda z, f=function: f(z, mean=z[1:, :1]), z, rtol=tolerance)
            same(function, np.array([complex(INF, 1), 1], dtype))
            same(function, np.full(2, NAN, dtype))
    for function in (np.nanvar, np.nanstd):
        check_gradients(lambda z, f=function: f(np.where([True, False, True], z, NAN)), np.array([1 + 2j, 5, 3 - 1j]))


def test_tied_elements_share_and_a_place_that_is_exact_is_of_one():
    for f, x, slopes in (
        (np.median, [1.0, 1.0, 2.0], [0.5, 0.5, 0.0]),
        (np.median, [1.0, 1.0, 1.0, 1.0], [0.25] * 4),
        (np.median, [4.0, 1.0, 3.0, 2.0], [0.0, 0.0, 0.5, 0.5]),
        (np.median, [7.0], [1.0]),
        (lambda x: np.quantile(x, 1.0), [2.0, 2.0, 1.0], [0.5, 0.5, 0.0]),
        (lambda x: np.quantile(x, 0.25), [5.0, 1.0, 4.0, 2.0, 3.0], [0.0, 0.0, 0.0, 1.0, 0.0]),
        (np.median, [1.0, NAN, 2.0], [NAN] * 3),
        (np.nanmedian, [1.0, NAN, 2.0], [0.5, 0.0, 0.5]),
        (np.nanmedian, [NAN, NAN], [0.0, 0.0]),
        (np.nanmax, [NAN, 2.0, 2.0], [0.0, 0.5, 0.5]),
        (np.nanmin, [NAN, NAN], [0.0, 0.0]),
        (np.nansum, [NAN, NAN], [0.0, 0.0]),
        (np.nanmean, [NAN, 1.0, 3.0], [0.0, 0.5, 0.5]),
        (np.nanmean, [NAN, NAN], [0.0, 0.0]),
        (np.nanprod, [NAN, 0.0, 3.0], [0.0, 3.0, 0.0]),
        (np.nanstd, [NAN, 4.0, 4.0], [0.0, 0.0, 0.0]),
        (np.nanstd, [NAN, 1.0, 3.0], [0.0, -0.5, 0.5]),
    ):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            np.testing.assert_allclose(grad(f)(np.array(x)), slopes, rtol=1e-15)


def test_a_replayed_median_goes_with_the_numbers():
    def f(x):
        value, pull = vjp(lambda x: np.quantile(x, [0.2, 0.5], axis=1) ** 2, x)
        return value, pull(np.ones_like(value))[0]

    replayed = replay(f)
    for n in range(6):
        x = np.random.default_rng(n).normal(size=(3, 4))
        for a, b in zip(replayed(x), f(x), strict=True):
            np.testing.assert_array_equal(a, b)
    assert replayed.programs


# -- what passes over NaN --------------------------------------------------------------------------------------


def test_what_passes_over_nan_has_numpys_values():
    for function in (np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin):
        for x in (HOLES, np.float32(HOLES), np.full((2, 2), NAN), np.array([[1, 2], [3, 4]]), np.array(NAN)):
            tolerance = 1e-5 if x.dtype == np.float32 else 1e-13
            same(function, x, rtol=tolerance)
            if x.ndim:
                same(lambda x, f=function: f(x, axis=1, keepdims=True), x, rtol=tolerance)
                same(lambda x, f=function: f(x, axis=(0, 1)), x, rtol=tolerance)
    for function in (np.nancumsum, np.nancumprod):
        same(function, HOLES)
        same(lambda x, f=function: f(x, axis=0), HOLES)
    same(lambda x: np.nanvar(x, axis=1, ddof=1), HOLES)
    same(lambda x: np.nanstd(x, axis=0, ddof=2), HOLES)
    same(lambda x: np.nansum(x, axis=0), np.zeros((0, 3)))
    tall = np.float16([6e4, NAN, 6e4])
    assert np.nanmean(Tensor(tall)).item() == np.float16(6e4)  # the sum of them is infinite in float16
    for call, said in (
        (lambda x: np.nansum(x, where=x > 0), r"np\.nansum\(np\.where\(mask, t, np\.nan\)\)"),
        (lambda x: np.nanmax(x, initial=0), r"np\.maximum\(np\.nanmax\(t\), initial\)"),
    ):
        with pytest.raises(TypeError, match=said):
            call(Tensor(X))
    with pytest.raises(ValueError, match="zero-size"):
        np.nanmax(Tensor(np.zeros(0)))


# -- samples ---------------------------------------------------------------------------------------------------


def test_samples_have_numpys_values():
    xp, fp = np.array([0.0, 1.0, 2.5, 4.0]), np.array([1.0, -1.0, 3.0, 0.0])
    x = np.array([-1.0, 0.0, 0.3, 1.0, 2.5, 3.9, 4.0, 7.0, NAN])
    same(lambda x: np.interp(x, xp, fp), x)
    same(lambda x: np.interp(x, xp, fp, left=9.0, right=-9.0), x)
    same(lambda x: np.interp(x, [0.7, 3.1, 2.0], [1.0, 2.0, 0.0], period=3.5), x)
    same(lambda x: np.interp(x, [1.0], [5.0]), x)
    same(lambda x: np.interp(x, [1.0], [5.0], left=0.0, right=1.0), x)
    same(lambda x: np.interp(x, [0.0, 1.0, 1.0, 2.0], [0.0, 1.0, 5.0, 6.0]), x)
    same(lambda f: np.interp(0.5, xp, f), fp)
    same(lambda x: np.interp(x, xp, fp), np.float32(x[:-1]))
    same(np.i0, np.array([-700.0, -8.0, 0.0, 1e-9, 3.0, 8.0, 50.0]), rtol=1e-12)
    assert np.isfinite(np.i0(Tensor(712.0)).item())  # where NumPy's is infinite too early
    for n in range(1, 6):
        for m in range(1, 6):
            a, v = rng.normal(size=n), rng.normal(size=m)
            for mode in ("full", "same", "valid"):
                same(lambda a, v, m=mode: np.convolve(a, v, m), a, v)
                same(lambda a, v, m=mode: np.correlate(a, v, m), a, v)
    turns = np.array([[0.0, 3.0, 7.0, -2.0, np.pi], [1.0, 1.0 + np.pi, 9.0, 20.0, 0.0]])
    same(np.unwrap, turns)
    same(lambda x: np.unwrap(x, discont=5, axis=0), turns)
    same(lambda x: np.unwrap(x, period=4), np.array([0, 3, 6, 9]))
    for y, x in ((X, None), (X, np.array([0.0, 1.0, 1.5, 4.0, 5.0])), (X, np.cumsum(X**2, 1))):
        same(lambda y, x=x: np.trapezoid(y, x), y)
    same(lambda y: np.trapezoid(y, [0.0, 2.0, 3.0], axis=0), X)
    same(lambda y: np.trapezoid(y, dx=0.1, axis=0), X[:1])
    same(lambda x: np.ediff1d(x, to_end=[1, 2], to_begin=9), X)
    same(np.ediff1d, np.array([1, 5, 2]))
    for call in (
        np.cov, np.corrcoef, lambda x: np.cov(x, rowvar=False), lambda x: np.cov(x[0], x[1]), lambda x: np.cov(x[0]),
        lambda x: np.cov(x, bias=True), lambda x: np.cov(x, ddof=0, aweights=[1, 2, 3, 4, 5.0]),
        lambda x: np.cov(x, fweights=[1, 2, 0, 1, 1], aweights=[1, 2, 3, 4, 5.0]), lambda x: np.cov(x, -x),
        lambda x: np.corrcoef(x[0]), lambda x: np.corrcoef(x, x**2, rowvar=False),
    ):  # fmt: skip
        same(call, X)


def test_a_point_is_its_own_whatever_stands_beside_it():
    places = np.array([-1.0, 0.0, 0.25, 1.0, 1.3, 2.0, 3.0, NAN, INF, -INF])
    for values in itertools.product((5.0, 2.0, NAN, INF, -INF), repeat=3):
        same(lambda f: np.interp(places, [0.0, 1.0, 2.0], f), np.array(values))
    for xp in ([-INF, 0, 1], [0, 1, INF], [-INF, 1, INF], [0, 0, 1], [0, 1, 1], [0, 0, 0], [0]):
        same(lambda x, xp=xp: np.interp(x, xp, [4.0, 5.0, 7.0][: len(xp)]), places)
    slopes = grad(lambda f: np.interp(0.0, [0.0, 1.0, 2.0], f))(np.array([5.0, INF, 2.0]))
    assert slopes.tolist() == [1, 0, 0]


def test_a_correlation_that_rounding_put_beyond_one_keeps_its_derivatives():
    line = np.arange(4.0) / 32
    for other in (line + 1 / 8, -line, 3 * line - 1, line * 1e-3, line + 1e5, np.array([1.0, 2.0, 0.5, 3.0])):
        x = np.stack((line, other))
        assert np.abs(np.corrcoef(Tensor(x)).data).max() <= 1
        same(np.corrcoef, x)
        if np.abs(other).max() < 10:  # beyond, the differences that judge are rounding
            check_gradients(np.corrcoef, x)
    z = np.stack((line + 1j * line**2, (2 - 1j) * (line + 1j * line**2)))
    same(np.corrcoef, z)


def test_a_series_of_one_number_may_be_written_without_its_axis():
    for a, v in ((2.0, 3.0), (np.array(2.0), X[0]), (X[0], np.array([[2.0]])[0, 0])):
        same(np.convolve, np.asarray(a), np.asarray(v))
        check_gradients(np.convolve, np.asarray(a), np.asarray(v))
    with pytest.raises(ValueError, match=r"convolve: expected two series along one axis, got shapes \[\] and \[1\]"):
        REGISTRY["convolve"](Tensor(2.0), Tensor([1.0]))


def test_what_numpy_refuses_is_refused():
    calls = [
        *(lambda x, w=w: np.cov(x, aweights=w) for w in ([1, -1, 1, 1, 1.0], np.ones((1, 5)), np.ones(4), np.ones(1))),
        *(lambda x, w=w: np.cov(x, fweights=w) for w in ([1.5, 1, 1, 1, 1], [-1, 1, 1, 1, 1], [1, 1], np.ones((1, 5)))),
        lambda x: np.cov(x, fweights=[1, 1, 1, 1, 1], aweights=[1]),
        lambda x: np.cov(x[None]), lambda x: np.cov(x, x[None]), lambda x: np.corrcoef(x[None]),
        lambda x: np.cov(x, ddof=0.5),
        *(lambda x, d=d: np.polyfit(x[0], x[1], d) for d in (-1, "a", [1])),
        lambda x: np.polyfit(x, x, 1), lambda x: np.polyfit(x[0, :0], x[0, :0], 1),
        lambda x: np.polyfit(x[0], x[1, :3], 1), lambda x: np.polyfit(x[0], x[None], 1),
        lambda x: np.polyfit(x[0], x[1], 1, w=x), lambda x: np.polyfit(x[0], x[1], 1, w=x[0, :2]),
        lambda x: np.interp(x, [0, 1.0], [0, 1.0], period=0), lambda x: np.interp(x * 1j, [0, 1.0], [0, 1.0]),
        lambda x: np.interp(x, [0, 1j], [0, 1.0]), lambda x: np.vander(x[0], -1),
        *(
            lambda x, f=f, a=a: f(x[0, 0], axis=a)
            for f in (np.median, np.nanmedian, np.nanmean, np.nanvar, np.sum, np.std)
            for a in (3, -2, (0, 0), 1.5)
        ),
        lambda x: np.quantile(x[0, 0], 0.5, axis=3), lambda x: np.nanpercentile(x[0, 0], 5, axis=3),
    ]  # fmt: skip
    for place, call in enumerate(calls):
        for x in (X, Tensor(X)):
            with pytest.raises((ValueError, TypeError, RuntimeError)):
                call(x), pytest.fail(f"call {place} passes with {type(x).__name__}")
    with pytest.raises(TypeError, match="second derivatives of a real function pass the parts as two arguments"):
        hessian(lambda z: np.sum(np.abs(z) ** 2))(np.array([1 + 2j, 3j]))
    same(lambda x: np.cov(x, fweights=[2.0, 1, 1, 0, 1]), X)
    same(lambda x: np.polyfit(x[0], x[1], 1.5), X, rtol=1e-11)
    for y in (2.0, 1 - 1j, np.complex64(2j)):
        same(lambda x, y=y: np.float_power(x, y), np.abs(X))
        same(lambda x, y=y: np.float_power(x, y), (X + 1j).astype(np.complex64))


def test_slopes_between_samples():
    xp, fp = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 5.0])
    slopes = [grad(lambda x: np.interp(x, xp, fp))(x) for x in (-0.5, 0.0, 0.5, 1.0, 2.0, 2.5)]
    assert slopes == [0, 1, 1, 4, 4, 0]  # at a point to its right, at the last one to its left
    assert grad(lambda f: np.interp(1.0, xp, f))(fp).tolist() == [0, 1, 0]
    assert grad(lambda f: np.interp(3.0, xp, f))(fp).tolist() == [0, 0, 1]
    assert grad(lambda r: np.interp(3.0, xp, fp * r, right=r))(2.0) == 1
    check_gradients(lambda x, xp, fp: np.interp(x, xp, fp), np.array([0.2, 1.7, -3.0]), xp, fp)
    assert grad(lambda x: np.sum(np.unwrap(x) * [1, 2, 3]))(np.array([0.0, 4.0, 9.0])).tolist() == [1, 2, 3]


def test_every_derivative_of_the_bessel_function_is_right(judge):
    mpmath, f = judge("mpmath"), np.i0
    for order in range(4):
        for x in (0.0, 1e-8, -0.7, 3.0, 20.0, -300.0, 700.0):
            with mpmath.workdps(30):
                expected = float(mpmath.diff(lambda t: mpmath.besseli(0, t), mpmath.mpf(x), order))
            assert f(np.float64(x)) == pytest.approx(expected, rel=3e-13, abs=1e-15), (order, x)
        f = grad(f)


# -- polynomials, grids, and what is put together --------------------------------------------------------------


def test_polynomials_and_grids_have_numpys_values():
    p, q = np.array([2.0, -1.0, 0.5, 3.0]), np.array([1.0, 2.0])
    for call in (
        lambda p, q: np.polyval(p, q), lambda p, q: np.polyadd(p, q),
        lambda p, q: np.polysub(q, p), lambda p, q: np.polymul(p, q), lambda p, q: np.polymul([0.0, 0.0, 2.0], q),
        lambda p, q: np.polydiv(p, q), lambda p, q: np.polydiv(q, p), lambda p, q: np.polydiv(np.polymul(p, q), q),
        lambda p, q: np.polyder(p), lambda p, q: np.polyder(p, 2), lambda p, q: np.polyder(p, 0),
        lambda p, q: np.polyint(p), lambda p, q: np.polyint(p, 3, k=[1, 2, 3]), lambda p, q: np.polyint(p, 2, k=5.0),
        lambda p, q: np.poly(p), lambda p, q: np.vander(p), lambda p, q: np.vander(p, 2, increasing=True),
        lambda p, q: np.vander(p, 0), lambda p, q: np.linspace(q, p[:2], 4, axis=1),
        lambda p, q: np.linspace(q[0], 7, 5, endpoint=False, retstep=True), lambda p, q: np.linspace(q[0], 3, 0),
        lambda p, q: np.linspace(q[0], 3, 1), lambda p, q: np.linspace(q[0], 3, 1, retstep=True),
        lambda p, q: np.logspace(q, 3, 4), lambda p, q: np.logspace(0, q, 4, base=q),
        lambda p, q: np.logspace(0, 1, 3, base=q),
        lambda p, q: np.geomspace(q, 1000, 7), lambda p, q: np.geomspace(-q, [-1000, -1], 3, axis=-1),
        lambda p, q: np.meshgrid(p, q), lambda p, q: np.meshgrid(p, q, 5.0, indexing="ij"),
        lambda p, q: np.meshgrid(p, q, sparse=True), lambda p, q: np.ix_(q, [True, False]),
    ):  # fmt: skip
        same(call, p, q, rtol=1e-12, atol=1e-12)
    with pytest.raises(ValueError, match="one sign"):
        np.geomspace(Tensor(1.0), -2)
    assert np.geomspace(Tensor(1e-300), 1e300, 3).data[[0, -1]].tolist() == [1e-300, 1e300]
    ends = grad(lambda a: np.sum(np.linspace(a, 2.0, 5) * [1, 0, 0, 0, 100]))
    assert ends(1.0) == 1  # the last number is the other end, to the last digit
    assert hessian(lambda x: np.sum(np.vander(x, 4)))(np.array([0.0])) == 2  # of x³ + x² + x + 1


def test_what_is_put_together_has_numpys_values():
    y = np.array([7.0, 8.0])
    for call in (
        lambda x, y: np.delete(x, 1), lambda x, y: np.delete(x, [0, -1], axis=1),
        lambda x, y: np.delete(x, slice(None, None, 2), axis=0), lambda x, y: np.delete(x, np.arange(5) > 2, axis=1),
        lambda x, y: np.insert(x, 2, 9.0), lambda x, y: np.insert(x, [1, 3], y),
        lambda x, y: np.insert(x, 1, y[0], axis=1),
        lambda x, y: np.insert(x, [0, 2], y, axis=1), lambda x, y: np.insert(x, -1, x[0], axis=0),
        lambda x, y: np.insert(x, slice(0, 2), y), lambda x, y: np.resize(x, (4, 7)), lambda x, y: np.resize(x, 3),
        lambda x, y: np.resize(x[:0], (2, 2)), lambda x, y: np.resize(x, 0), lambda x, y: np.block([[x], [2 * x]]),
        lambda x, y: np.block([x, x[:, :1]]), lambda x, y: np.block([[[y]], [[y]]]), lambda x, y: np.block(x),
        lambda x, y: np.extract(np.arange(15) % 2, x), lambda x, y: np.modf(x), lambda x, y: np.modf(-y),
        lambda x, y: np.modf(y * INF), lambda x, y: np.frexp(x), lambda x, y: np.frexp(y * 0),
        lambda x, y: np.ldexp(x, [1, 2, -3, 0, 4]), lambda x, y: np.ldexp(y, 2000), lambda x, y: np.ldexp(y, -1073),
        lambda x, y: np.apply_along_axis(np.sort, 0, x), lambda x, y: np.apply_along_axis(np.outer, 1, x, [1.0, 2.0]),
        lambda x, y: np.apply_over_axes(np.max, x, [0, -1]),
        lambda x, y: np.piecewise(x, [x < 0, x > 1], [np.square, 3.0, np.cos]),
        lambda x, y: np.piecewise(y, y > 7, [np.exp]), lambda x, y: np.piecewise(y, [True, False], [np.exp, 0]),
    ):  # fmt: skip
        same(call, X, y)
    assert grad(lambda x: np.sum(np.modf(x)[0]))(3.0) == 1  # at a jump as beside it
    assert grad(lambda x: np.ldexp(x, 5))(1.5) == 32
    assert grad(lambda x: np.sum(np.resize(x, 5)))(np.ones(3)).tolist() == [2, 2, 1]
