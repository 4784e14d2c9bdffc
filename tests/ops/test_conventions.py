"""What a gradient is at ties, kinks, zeros and infinities, to the exact value."""

import math

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core import Tensor, elementwise_grad, grad, hessian, jacobian, vjp
from autograd_core.testing import check_gradients

INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (np.abs, 0.0, 0.0),
        (np.fabs, 0.0, 0.0),
        (np.sign, 0.0, 0.0),
        (np.floor, 2.0, 0.0),
        (np.round, 0.5, 0.0),
        (np.rint, 0.5, 0.0),
        (lambda x: np.heaviside(x, 0.5), 0.0, 0.0),
        (lambda y: np.heaviside(0.0, y), 0.5, 1.0),
        (lambda y: np.heaviside(2.0, y), 0.5, 0.0),
        (lambda x: np.divmod(x, 2.0)[0], 3.0, 0.0),
        (lambda x: np.divmod(7.5, x)[1], 2.0, -3.0),
        (ac.relu, 0.0, 0.0),
        (np.sinc, 0.0, 0.0),
        (lambda x: np.hypot(x, 0.0), 0.0, 0.0),
        (lambda x: np.arctan2(x, 0.0), 0.0, 0.0),
        (lambda x: np.arctan2(0.0, x), 0.0, 0.0),
        (lambda x: np.maximum(x, 1.0), 1.0, 0.5),
        (lambda x: np.minimum(1.0, x), 1.0, 0.5),
        (lambda x: np.fmax(x, 1.0), 1.0, 0.5),
        (lambda x: np.maximum(x, x), 1.0, 1.0),
        (lambda x: np.fmax(x, NAN), 1.0, 1.0),
        (lambda x: np.fmin(NAN, x), 1.0, 1.0),
        (lambda x: np.fmin(x, 1.0), NAN, 0.0),
        (lambda x: np.clip(x, 0.0, 1.0), 1.0, 0.5),
        (np.nan_to_num, NAN, 0.0),
        (np.nan_to_num, INF, 0.0),
        (np.nan_to_num, -INF, 0.0),
        (np.nan_to_num, 3.0, 1.0),
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: x**1, 0.0, 1.0),
        (lambda x: x**2, 0.0, 0.0),
        (lambda x: x**2.0, -3.0, -6.0),
        (lambda x: np.power(x, 3), -2.0, 12.0),
        (lambda x: 0.0**x, 2.0, 0.0),
        (lambda x: 0.0**x, 0.0, 0.0),
        (lambda x: 2.0**x, 0.0, math.log(2)),
        # 1 / 0.1 rounds to 10, but the float 0.1 is more than a tenth and fits in only nine times.
        (lambda y: np.fmod(1.0, y), 0.1, -9.0),
        (lambda y: np.remainder(1.0, y), 0.1, -9.0),
        (lambda x: np.logaddexp(x, -INF), 1.0, 1.0),
        (lambda x: np.logaddexp(x, -INF), -INF, 0.0),
        (lambda x: np.logaddexp(x, 0.0), INF, 1.0),
        (lambda x: np.logaddexp(x, 900.0), -INF, 0.0),
        (lambda x: np.logaddexp(900.0, x), INF, 1.0),
        (lambda x: np.logaddexp2(x, INF), 0.0, 0.0),
        (lambda x: np.clip(x, 1.0, 1.0), 1.0, 0.25),
        (lambda low: np.clip(0.0, low, 1.0), 0.5, 1.0),
        (lambda high: np.clip(3.0, 0.0, high), 0.5, 1.0),
        (lambda low: np.clip(0.0, low, 0.5), 0.75, 0.0),
        (lambda x: np.fmax(x, 1.0), NAN, 0.0),
        (ac.relu, NAN, 0.0),
        (ac.softplus, -700.0, math.exp(-700)),
        (lambda x: np.copysign(x, -2.0), 3.0, -1.0),
        (np.arccosh, INF, 0.0),
        (lambda x: np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0), 0.0, 0.0),
    ],
)
def test_slope(f, x, slope):
    assert grad(f)(x) == slope


@pytest.mark.parametrize(
    ("f", "x", "slopes"),
    [
        (np.max, [2.0, 1.0, 2.0], [0.5, 0.0, 0.5]),
        (np.min, [3.0, 3.0, 3.0, 4.0], [1 / 3, 1 / 3, 1 / 3, 0.0]),
        (np.linalg.norm, [0.0, 0.0], [0.0, 0.0]),
        (np.linalg.norm, [[3.0, 0.0], [0.0, 4.0]], [[0.6, 0.0], [0.0, 0.8]]),
        (lambda x: np.linalg.norm(x, 3), [0.0, 0.0], [0.0, 0.0]),
        (lambda x: np.linalg.norm(x, 1), [0.0, -2.0], [0.0, -1.0]),
        (lambda x: np.linalg.norm(x, np.inf), [2.0, -2.0, 1.0], [0.5, -0.5, 0.0]),
        (lambda x: np.linalg.norm(x, 0), [2.0, 0.0], [0.0, 0.0]),
        (np.std, [5.0, 5.0], [0.0, 0.0]),
        (np.std, [1.0, 3.0], [-0.5, 0.5]),
        (np.prod, [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
        (np.prod, [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
        (lambda x: np.sum(np.cumprod(x)), [2.0, 0.0, 3.0], [1.0, 8.0, 0.0]),
        (lambda x: np.sum(np.sort(x) * [1.0, 2.0, 3.0]), [5.0, 5.0, 1.0], [2.0, 3.0, 1.0]),
        (lambda x: np.partition(x, 1)[1], [7.0, 9.0, 5.0], [1.0, 0.0, 0.0]),
        (lambda x: np.linalg.det(x), [[1.0, 2.0], [2.0, 4.0]], [[4.0, -2.0], [-2.0, 1.0]]),
        (lambda x: np.linalg.det(x), [[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]),
        (ac.logsumexp, [-INF, 0.0], [0.0, 1.0]),
        (ac.logsumexp, [-INF, -INF], [0.0, 0.0]),
    ],
)
def test_slopes(f, x, slopes):
    np.testing.assert_allclose(grad(f)(np.array(x)), slopes, rtol=1e-14)


def test_all_derivatives_of_a_norm_by_an_element_that_is_zero_are_those_of_its_power():
    # Of |x|^1.5 the second derivative at 0 would be infinite, and is 0 by convention, as that of |x| is.
    second = hessian(lambda x: np.linalg.norm(x, 1.5))(np.array([0.0, 4.0]))
    np.testing.assert_allclose(second, np.zeros((2, 2)), atol=1e-15)
    fourth = grad(grad(grad(grad(lambda x: np.linalg.norm(np.stack([x, 1.0]), 4)))))  # (1 + x⁴)^¼ = 1 + x⁴/4 - …
    assert fourth(0.0) == 6
    np.testing.assert_array_equal(grad(lambda x: np.linalg.norm(x, -1))(np.array([0.0, 4.0])), [0, 0])


@pytest.mark.parametrize(
    "size", [np.abs, np.fabs, np.linalg.norm, np.linalg.vector_norm, lambda x: np.hypot(x[0], x[1])]
)
def test_behind_a_kink_the_curvature_of_a_square_is_lost_as_the_table_says(size):
    origin = np.zeros(2)
    for smooth in (np.square, np.cosh, lambda z: np.exp(-z * z)):
        np.testing.assert_array_equal(hessian(lambda x, f=smooth: np.sum(f(size(x))))(origin), np.zeros((2, 2)))
    np.testing.assert_array_equal(hessian(lambda x: np.sum(x * x))(origin), 2 * np.eye(2))
    off = 1e-8 * np.ones(2)  # beside the kink all is there
    np.testing.assert_allclose(np.trace(hessian(lambda x: np.sum(np.square(size(x))))(off)), 4)


def test_float32_stays_float32_where_a_choice_is_made():
    x = np.float32([0.5, 1.0])
    for f in (lambda x: np.clip(x, 0.0, 0.7), lambda x: np.maximum(x, 0.5), lambda x: np.copysign(x, 0.5)):
        _, backward = vjp(f, x)
        assert backward(np.ones(2, np.float32))[0].dtype == np.float32


@pytest.mark.parametrize("of", [np.float64, np.int64, np.float32])
def test_float32_stays_float32_beside_numbers_of_numpy_where_numpys_does(of):
    x = np.float32([[1, 2, 3], [4, 1, 2]])
    for f in (
        lambda x: np.var(x, axis=1, ddof=of(1)),
        lambda x: np.std(x, axis=1, correction=of(1)),
        lambda x: np.linalg.norm(x, of(3), axis=1),
        lambda x: np.linalg.vector_norm(x, ord=of(-2), axis=0),
    ):
        np.testing.assert_allclose(f(Tensor(x)).data, f(x), rtol=1e-6, strict=True)


def test_the_second_derivative_of_a_product_is_right_where_factors_are_zero():
    # d²(xyz)/dx dy = z
    np.testing.assert_array_equal(hessian(np.prod)(np.array([0.0, 0.0, 3.0])), [[0, 3, 0], [3, 0, 0], [0, 0, 0]])
    cumulative = hessian(lambda x: np.cumprod(x)[-1])(np.array([0.0, 0.0, 3.0]))
    np.testing.assert_array_equal(cumulative, [[0, 3, 0], [3, 0, 0], [0, 0, 0]])


def test_the_second_derivative_of_a_determinant_is_right_where_it_is_zero():
    # d²(ad - bc)/da dd = 1, d²/db dc = -1
    second = hessian(np.linalg.det)(np.zeros((2, 2)))
    assert second[0, 0, 1, 1] == second[1, 1, 0, 0] == 1
    assert second[0, 1, 1, 0] == second[1, 0, 0, 1] == -1
    assert np.count_nonzero(second) == 4


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_both_derivatives_of_the_cube_root_are_infinite_at_zero():
    assert grad(np.cbrt)(0.0) == INF
    assert grad(grad(np.cbrt))(0.0) == -INF
    assert grad(grad(np.cbrt))(8.0) == pytest.approx(-2 / 9 * 8 ** (-5 / 3), rel=1e-14)


def test_running_results_may_begin_with_that_of_nothing():
    if not hasattr(np, "cumulative_sum"):
        pytest.skip("NumPy has these two from 2.1 on")
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.cumulative_sum(x, axis=1, include_initial=True).tolist() == [[0, 1, 3], [0, 3, 7]]
    assert np.cumulative_prod(x, axis=0, include_initial=True).tolist() == [[1, 1], [1, 2], [3, 8]]
    with pytest.raises(ValueError, match="axis="):
        np.cumulative_sum(x)


def test_every_derivative_of_sinc_is_right_at_zero():
    # sin(πx) / (πx) = 1 - (πx)²/3! + (πx)⁴/5! - …
    f, expected = np.sinc, [1.0, 0.0, -(np.pi**2) / 3, 0.0, np.pi**4 / 5, 0.0, -(np.pi**6) / 7]
    for value in expected:
        assert f(0.0) == pytest.approx(value, abs=1e-12)
        f = grad(f)


def test_derivatives_of_sinc_are_smooth_where_the_series_ends():
    mpmath = pytest.importorskip("mpmath")
    f = np.sinc
    for order in range(1, 5):
        f = elementwise_grad(f)
        x = np.array([0.01, 0.2, 0.4999, 0.5001, 0.7499, 0.7501, 1.0, 1.2499, 1.2501, 3.7, 25.3])
        with mpmath.workdps(40):
            expected = [float(mpmath.diff(lambda t: mpmath.sincpi(t), mpmath.mpf(v), order)) for v in x]
        np.testing.assert_allclose(f(x), expected, rtol=1e-11, atol=1e-11)


def test_erf_is_precise_to_the_last_digits():
    x = np.concatenate([np.linspace(-7, 7, 20001), np.logspace(-300, 0, 1000)])
    expected = np.array([math.erf(v) for v in x])
    assert np.max(np.abs(ac.erf(x) - expected) / np.spacing(np.abs(expected))) <= 4
    assert ac.erf(np.array([-INF, INF])).tolist() == [-1.0, 1.0]
    assert np.isnan(ac.erf(np.array(NAN)))
    assert np.signbit(ac.erf(np.array(-0.0)))
    single = ac.erf(np.float32(x))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-6, atol=1e-44)


@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_a_slope_beside_nan_hides_no_nan(judge):
    torch = judge("torch")
    for x, y in ((INF, NAN), (NAN, INF), (-INF, NAN), (1.0, NAN)):
        t = torch.tensor([x, y], dtype=torch.float64, requires_grad=True)
        torch.logaddexp(t[0], t[1]).backward()
        np.testing.assert_array_equal(grad(np.logaddexp, (0, 1))(x, y), t.grad)
        assert np.isnan(grad(np.logaddexp2, (0, 1))(x, y)).all()
        assert np.isnan(grad(ac.logsumexp)(np.array([x, y]))).all()


@pytest.mark.parametrize(("dtype", "precision"), [(np.float64, 3e-13), (np.float32, 2e-5)])
def test_the_tail_of_the_normal_distribution_keeps_its_digits(judge, dtype, precision):
    special, least = judge("scipy.special"), np.finfo(dtype).tiny
    x = np.concatenate(
        [np.linspace(-37, 9, 5001), [0.477, 0.4769, 4, -4, -np.nextafter(4, 0)], -np.logspace(-300, 1, 99)]
    )
    x = x.astype(dtype)
    tail = special.erfc(-np.float64(x))
    np.testing.assert_allclose(ac.erfc(-x), tail, rtol=precision, atol=least)
    assert ac.erfc(-x).dtype == dtype
    value = nn.activations.gelu(x)
    np.testing.assert_allclose(value.data, x * special.ndtr(np.float64(x)), rtol=precision, atol=10 * least)
    assert ac.erfc(np.array([-INF, -1e300, 1e300, INF])).tolist() == [2.0, 2.0, 0.0, 0.0]
    assert np.isnan(ac.erfc(np.array(NAN)))


@pytest.mark.parametrize(
    ("f", "at", "values", "slopes"),
    [
        (ac.sigmoid, [-1e4, 1e4], [0.0, 1.0], [0.0, 0.0]),
        (ac.softplus, [-1e4, 1e4], [0.0, 1e4], [0.0, 1.0]),
        (lambda x: np.logaddexp(x, 0.0), [-1e4, 1e4], [0.0, 1e4], [0.0, 1.0]),
        (np.tanh, [-1e4, 1e4], [-1.0, 1.0], [0.0, 0.0]),
        (ac.erf, [-1e4, 1e4], [-1.0, 1.0], [0.0, 0.0]),
        (np.log1p, [1e-20, 1e-300], [1e-20, 1e-300], [1.0, 1.0]),
        (np.expm1, [1e-20, -1e4], [1e-20, -1.0], [1.0, 0.0]),
        (np.arctan, [-1e200, 1e200], [-np.pi / 2, np.pi / 2], [0.0, 0.0]),
        (np.arcsinh, [1e200], [np.arcsinh(1e200)], [1e-200]),
        (np.arccosh, [1e200], [np.arccosh(1e200)], [1e-200]),
        (lambda x: np.arctan2(x, 1e-200), [1e-200], [np.pi / 4], [5e199]),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in multiply")
def test_nothing_overflows_or_cancels_far_out(f, at, values, slopes):
    x = np.array(at)
    np.testing.assert_allclose(f(x), values, rtol=1e-15)
    np.testing.assert_allclose(elementwise_grad(f)(x), slopes, rtol=1e-14)


def test_softmax_far_out():
    x = np.array([1e4, 0.0, -1e4])
    assert ac.softmax(x).tolist() == [1.0, 0.0, 0.0]
    assert ac.log_softmax(x).tolist() == [0.0, -1e4, -2e4]
    assert ac.logsumexp(x) == 1e4
    np.testing.assert_array_equal(jacobian(ac.log_softmax)(x), np.eye(3) - [1, 0, 0])


def test_cholesky_reads_the_lower_triangle_and_only_that_has_a_gradient(judge):
    jax = judge("jax")
    x = np.array([[4.0, 99.0], [1.0, 3.0]])
    np.testing.assert_array_equal(np.linalg.cholesky(Tensor(x)).data, np.linalg.cholesky(x))
    upper = np.linalg.cholesky(Tensor(x.T), upper=True)
    np.testing.assert_array_equal(upper.data, np.linalg.cholesky(x).T)
    weights = np.array([[0.3, 0.0], [-1.2, 0.7]])
    g = grad(lambda x: np.sum(weights * np.linalg.cholesky(x)))(x)
    check_gradients(lambda x: np.sum(weights * np.linalg.cholesky(x)), x)
    assert g[0, 1] == 0
    # JAX reads both triangles, and so gives each half.
    symmetric = np.array([[4.0, 1.0], [1.0, 3.0]])
    expected = jax.grad(lambda x: jax.numpy.sum(weights * jax.numpy.linalg.cholesky(x)))(symmetric)
    np.testing.assert_allclose((g + g.T) / 2, expected, rtol=1e-6)


def test_one_hot_and_array_say_what_they_cannot_take():
    with pytest.raises(TypeError, match=r"one_hot: expected whole numbers, got an array of <U1"):
        ac.one_hot(["a"], 2)
    with pytest.raises(ValueError, match=r"num_classes: expected a whole number from 0 on, got -1"):
        ac.one_hot([0, 1], -1)
    for nothing in (None, "a", [Tensor(1.0), None], [Tensor(1.0), "a"], [[1.0, None]]):
        with pytest.raises(
            TypeError, match=r"array: expected Tensors, arrays, numbers and lists of them, got (None|'a')"
        ):
            ac.array(nothing)


def test_one_hot():
    assert ac.one_hot([[0], [2]], 3).tolist() == [[[1, 0, 0]], [[0, 0, 1]]]
    assert ac.one_hot(Tensor([1.0, 5.0]), 2, dtype=np.float32).tolist() == [[0, 1], [0, 0]]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_first_derivatives_at_the_edges_of_the_numbers_are_those_of_pytorch_or_the_limit(judge):
    torch = judge("torch")
    limits = np.finfo(float)
    edges = np.array([0, INF, np.nan, 5e-324, limits.tiny / 3, limits.tiny, limits.max, 1, 0.5, 1e200])
    edges = np.concatenate([edges, -edges])
    for f in (torch.sin, torch.exp, torch.expm1, torch.log, torch.log1p, torch.sqrt, torch.reciprocal, torch.square,
              torch.atan, torch.sinh, torch.cosh, torch.tanh, torch.sigmoid, torch.erf, torch.erfc, torch.exp2,
              torch.asin, torch.acos, torch.atanh, torch.log2, torch.sign, torch.floor):  # fmt: skip
        t = torch.tensor(edges, requires_grad=True)
        f(t).sum().backward()
        name = f.__name__.replace("asin", "arcsin").replace("acos", "arccos").replace("atan", "arctan")
        ours = elementwise_grad(ac.REGISTRY[name])(edges)
        np.testing.assert_allclose(ours, t.grad, rtol=1e-12, atol=2e-323, err_msg=name)
    for infinite in ([INF, 1.0], [-INF, -INF], [1.0, INF, -INF]):  # no number is the spread of these, nor a slope
        t = torch.tensor(infinite, requires_grad=True)
        t.std().backward()
        np.testing.assert_array_equal(grad(lambda x: np.std(x, ddof=1))(np.array(infinite)), t.grad)
    for f, alone in ((np.fmax, -INF), (np.fmin, INF)):  # what is no number takes nothing, not even from an infinity
        for given in ((alone, np.nan), (np.nan, alone)):
            first, second = (torch.tensor(v, requires_grad=True) for v in given)
            getattr(torch, f.__name__)(first, second).backward()
            np.testing.assert_array_equal(grad(f, (0, 1))(*given), [first.grad, second.grad])
    tiny = np.array([5e-324, -1e-310, 0, 1e-200])
    np.testing.assert_array_equal(elementwise_grad(np.power)(tiny, np.zeros(4)), np.zeros(4))
