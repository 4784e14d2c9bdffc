"""What is no ufunc in SciPy has a twin here: SciPy's own values, gradients by differences, and errors that name it."""

import importlib
import warnings

import numpy as np
import pytest

from autograd_core import GradientLossError, Tensor, grad
from autograd_core.errors import RuleError
from autograd_core.replay import replay
from autograd_core.testing import check_gradients

pytest.importorskip("scipy")

RNG = np.random.default_rng(0)
X = RNG.uniform(0.3, 0.9, (2, 3))
A = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
SPD = A @ A.T


def test_a_word_that_is_no_transposition_is_refused():
    solve = importlib.import_module("autograd_core.scipy.linalg").solve_triangular
    for a in (np.triu(A), Tensor(np.triu(A))):
        for trans in (5, -1, "X", "t", None):
            with pytest.raises(ValueError, match=r'trans: expected 0 or "N", 1 or "T", 2 or "C", got'):
                solve(a, X[0], trans=trans)


def pair(name):
    """A function of ours and SciPy's own of the same name."""
    package, _, function = name.partition(".")
    ours = importlib.import_module(f"autograd_core.scipy.{package}")
    theirs = importlib.import_module(f"scipy.{package}")
    for part in function.split("."):
        ours = getattr(ours, part, None) or importlib.import_module(f"{ours.__name__}.{part}")
        theirs = getattr(theirs, part)
    return ours, theirs


# A call of each, and which arguments have a derivative.
CALLS = {
    "special.logsumexp": [((X,), {}), ((X,), {"axis": 1, "keepdims": True}), ((X, 0, X - 0.5), {}), ((X, 1, 2.0), {})],
    "special.softmax": [((X,), {}), ((X, 0), {}), ((X, (0, 1)), {})],
    "special.log_softmax": [((X,), {}), ((X, 1), {})],
    "special.multigammaln": [((X + 2, 3), {}), ((4.5, 2), {})],
    "special.polygamma": [((0, X), {}), ((2, X), {}), ((np.array([0, 1, 5]), X), {})],
    "linalg.solve_triangular": [((A, X.T), {}), ((A, X[0]), {"lower": True, "trans": 1})],
    "linalg.solve_banded": [(((1, 1), A, X.T), {}), (((0, 2), A + 1, X[0]), {})],
    "linalg.solve_sylvester": [((A, SPD, X.T @ X), {})],
    "linalg.expm": [((A,), {}), ((A[None] * [[[1.0]], [[-1.0]]],), {})],
    "linalg.sqrtm": [((SPD,), {}), ((A @ A + 9 * np.eye(3),), {}), ((np.diag([0.01, 1.0, 100.0]),), {})],
    "linalg.inv": [((A,), {})],
    "linalg.norm": [((A,), {})],
    "signal.convolve": [
        ((X[0], X[1]), {}),
        ((X, A), {}),
        ((X, A), {"mode": "same"}),
        ((A, X), {"mode": "same"}),
        ((A, X), {"mode": "valid"}),
        ((X, A), {"mode": "valid"}),
        ((X[0], X[1, :1]), {"mode": "same"}),
    ],
    "stats.norm.pdf": [((X,), {}), ((X, X[0], X), {}), ((X,), {"scale": 2.0})],
    "stats.norm.logpdf": [((X * 50, 0.5, X), {})],
    "stats.norm.cdf": [((X, 0.5, X), {})],
    "stats.norm.logcdf": [((-X * 50, 0.5, X), {})],
    "stats.norm.sf": [((X, 0.5, X), {})],
    "stats.norm.logsf": [((X * 50, 0.5, X), {})],
    "stats.norm.ppf": [((X, 0.5, X), {})],
    "stats.t.pdf": [((X, 2.5, 0.5, X), {}), ((X, X + 1), {})],
    "stats.t.logpdf": [((X * 50, X + 3, 0.5, X), {}), ((X, np.inf), {})],
    "stats.t.cdf": [((X, 2.5, 0.5, X), {})],
    "stats.t.logcdf": [((X, 2.5), {})],
    "stats.t.sf": [((X, 2.5), {})],
    "stats.gamma.pdf": [((X, X + 1), {}), ((X, 2.5, 0.1, X), {})],
    "stats.gamma.logpdf": [((X * 50, X + 3, 0.1, X), {}), ((np.array([-1.0, 2.0]), 2.5), {})],
    "stats.gamma.cdf": [((X, 2.5, 0.1, X), {}), ((np.array([-1.0, 2.0]), 2.5), {})],
    "stats.gamma.sf": [((X, 2.5, 0.1, X), {}), ((np.array([-1.0, 2.0]), 2.5), {})],
    "stats.beta.pdf": [((X, X + 1, X + 2), {})],
    "stats.beta.logpdf": [((X, 2.5, 0.5, -0.5, 2.0), {}), ((np.array([-1.0, 0.5, 2.0]), 2.5, 1.5), {})],
    "stats.beta.cdf": [((X, 2.5, 0.5), {}), ((np.array([-1.0, 0.5, 2.0]), 2.5, 1.5), {})],
    "stats.chi2.pdf": [((X, X + 1), {})],
    "stats.chi2.logpdf": [((X * 50, 3, 0.1, X), {})],
    "stats.chi2.cdf": [((X, 3), {})],
    "stats.chi2.sf": [((X, 3), {})],
    "stats.expon.pdf": [((X, 0.1, X), {})],
    "stats.expon.logpdf": [((X, 0.1, X), {}), ((np.array([-1.0, 2.0]),), {})],
    "stats.expon.cdf": [((X, 0.1, X), {}), ((np.array([-1.0, 2.0]),), {})],
    "stats.expon.sf": [((X, 0.1, X), {}), ((np.array([-1.0, 2.0]),), {})],
    "stats.poisson.pmf": [((np.array([0, 2, 5]), X), {}), ((2, X), {"loc": 1})],
    "stats.poisson.logpmf": [((np.array([0, 2, -1]), X), {})],
    "stats.poisson.cdf": [((np.array([0, 2, 5]), X), {}), ((-1, X), {})],
    "stats.dirichlet.pdf": [((np.array([0.2, 0.3, 0.5]), X[0]), {})],
    "stats.dirichlet.logpdf": [((np.array([0.2, 0.3, 0.5]), X[0]), {}), ((np.array([0.2, 0.3]), X[0]), {})],
    "stats.multivariate_normal.pdf": [((X,), {"cov": SPD}), ((X, X[0], SPD), {})],
    "stats.multivariate_normal.logpdf": [((X, X[0], SPD), {}), ((X[0], None, 2.0), {}), ((X[0], X[1], X[0]), {})],
    "stats.multivariate_normal.entropy": [((None, SPD), {})],
}  # fmt: skip

# The arguments without a derivative: whole numbers, and the orders of incomplete functions.
PLAIN = {
    **{"special.multigammaln": {1}, "stats.beta.cdf": {1, 2}},
    **{name: {0} for name in ("special.polygamma", "stats.poisson.pmf", "stats.poisson.logpmf", "stats.poisson.cdf")},
    **{f"stats.{name}.{of}": {1} for name in ("t", "gamma", "chi2") for of in ("cdf", "logcdf", "sf")},
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("part", range(3))
def test_a_twin_has_scipys_values_and_a_right_gradient(part):
    for name in [*CALLS][part::3]:
        ours, theirs = pair(name)
        for args, options in CALLS[name]:
            said = f"{name} {args} {options}"
            expected = theirs(*args, **options)
            np.testing.assert_allclose(ours(*args, **options), expected, rtol=1e-10, atol=1e-13, err_msg=said)
            varied = [
                i for i, a in enumerate(args)
                if isinstance(a, float | np.ndarray) and np.asarray(a).dtype.kind == "f" and np.all(np.isfinite(a))
                and i not in PLAIN.get(name, set()) and not (name.startswith("stats.dirichlet") and i == 0)
            ]  # fmt: skip

            def f(*values, args=args, varied=varied, options=options, ours=ours):
                given = [*args]
                for i, value in zip(varied, values, strict=True):
                    given[i] = value
                return ours(*given, **options)

            point = [np.array(args[i], float) for i in varied]
            recorded = f(*map(Tensor, point))
            np.testing.assert_allclose(recorded.data, expected, rtol=1e-10, atol=1e-13, err_msg=said)
            verdict = check_gradients(f, *point).verdict
            assert verdict == "pass" or not np.all(np.isfinite(expected)), (said, verdict)
            single = [Tensor(p.astype(np.float32)) for p in point]
            result = f(*single)
            beside = [a for i, a in enumerate([*args, *options.values()]) if i not in varied]
            if not any(isinstance(a, np.ndarray) for a in beside):  # nor arrays of float64
                assert result.dtype == np.float32, said


def test_complex_numbers_are_convolved_as_by_scipy():
    ours, theirs = pair("signal.convolve")
    for x, y, mode in ((X + 1j * X[::-1], A, "same"), (X, A - 2j, "valid"), (X[:, :2] * 1j, X + 1j, "full")):
        np.testing.assert_allclose(ours(Tensor(x), y, mode).data, theirs(x, y, mode), rtol=1e-12)
        check_gradients(lambda u, v, mode=mode: ours(u, v, mode), x, y, order=2)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_corners_of_the_twins():
    special, stats = pair("special.softmax")[0].__module__, importlib.import_module("autograd_core.scipy.stats")
    special = importlib.import_module(special)
    inf = np.inf
    judge = importlib.import_module("scipy.special").logsumexp
    for a, factor in (([0.0, 0.0], [1.0, 0.0]), ([3.0, 800.0], [0.0, 2.0]), ([1.0, -inf], [2.0, 0.0])):
        slopes = grad(lambda b, a=a: special.logsumexp(a, b=b))(np.array(factor))
        np.testing.assert_allclose(slopes, np.exp(np.array(a) - judge(a, b=factor)), err_msg=str(factor))
    slopes = grad(lambda a: special.logsumexp(a, b=np.array([1.0, 0.0, 2.0])))(np.array([0.0, inf, -inf]))
    np.testing.assert_array_equal(slopes, [1, 0, 0])  # what has the factor 0 is left out
    assert special.logsumexp(Tensor([-inf, -inf])).data == -inf
    total, sign = special.logsumexp(Tensor([0.0, 0.0]), b=[1.0, -3.0], return_sign=True)
    assert (float(total.data), float(sign)) == (pytest.approx(np.log(2)), -1)
    assert np.isnan(special.logsumexp(Tensor([0.0, 0.0]), b=[1.0, -3.0]).data)
    np.testing.assert_array_equal(special.softmax(Tensor([1e300, -1e300])).data, [1, 0])
    assert grad(special.kl_div, (0, 1))(0.0, 0.0) == (0, 0)  # two distributions that are alike
    assert grad(special.xlogy, (0, 1))(0.0, 0.0) == (0, 0)
    for name, x, slope in (("log_ndtr", -inf, inf), ("log_ndtr", inf, 0), ("exprel", -inf, 0), ("erfcx", inf, 0)):
        assert grad(getattr(special, name))(x) == slope, name
        assert np.isnan(grad(getattr(special, name))(np.nan)), name
    # Outside of where a density lives nothing follows from the parameters.
    for density in (stats.gamma.logpdf, stats.beta.logpdf):
        args = (-1.0, 2.0) if density is stats.gamma.logpdf else (-1.0, 2.0, 3.0)
        assert density(*args) == -inf
        assert grad(density, tuple(range(len(args))))(*args) == (0,) * len(args)
    assert stats.norm.rvs is not None  # the rest is SciPy's
    with pytest.raises(AttributeError, match=r"scipy\.stats\.norm has no function 'pdff', nor has SciPy's"):
        stats.norm.pdff
    with pytest.raises(ValueError, match="expected a covariance of shape"):
        stats.multivariate_normal.logpdf(X, X[0], np.eye(2))
    theirs = importlib.import_module("scipy.stats").multivariate_normal
    for cov in (-np.eye(2), [[1.0, 2.0], [2.0, 1.0]], np.ones((2, 2)), [[1.0, 0.0], [0.0, np.nan]], np.zeros((2, 2))):
        for density, given in ((stats.multivariate_normal, Tensor(cov)), (theirs, cov)):
            with pytest.raises(ValueError, match=r"definite|NaN"):
                density.logpdf(X[0, :2], X[1, :2], given)
    slope = grad(lambda cov: stats.multivariate_normal.logpdf([1.0, 2.0], None, cov))
    again = replay(slope)
    for scale in (1.0, 2.0, 3.0):
        np.testing.assert_array_equal(again(scale * SPD[:2, :2]), slope(scale * SPD[:2, :2]))
    with pytest.raises(ValueError, match="positive definite"):
        again(-SPD[:2, :2])
    with pytest.raises(ValueError, match="of sum 1"):
        stats.dirichlet.logpdf([0.5, 0.6], [1.0, 1.0])
    for alpha in ([1.0, -1.0], [1.0, np.nan]):
        with pytest.raises(ValueError, match="expected an alpha above 0"):
            stats.dirichlet.logpdf([0.5, 0.5], alpha)
    with pytest.raises(RuleError, match="expected whole numbers, which have no derivative"):
        stats.poisson.logpmf(Tensor(2.0), 3.0)
    with pytest.raises(ValueError, match="above"):
        special.multigammaln(Tensor(0.5), 2)


def test_a_normal_distribution_whose_covariance_is_singular():
    ours, theirs = pair("stats.multivariate_normal")
    random = np.random.default_rng(1)
    basis, mean = random.normal(size=(4, 2)), random.normal(size=4)
    cov, x = basis @ basis.T, mean + random.normal(size=(5, 2)) @ basis.T
    outside = x + np.array([[1.0], [0.0], [1e-20], [1e-3], [-1.0]])
    corners = ([outside, mean, cov], [x, mean, cov + np.eye(4)], *(
        [np.array([[0.5, 0.0], [0.5, 1e-8], [0.5, 1e-6], [0.5, 1.0]]), None, np.diag(d)]
        for d in ([1.0, 0.0], [1.0, 1e-11], [1.0, 1e-9], [0.0, 0.0])
    ))  # fmt: skip
    for args in corners:
        expected = theirs.logpdf(*args, allow_singular=True)
        np.testing.assert_allclose(ours.logpdf(*args, allow_singular=True), expected, rtol=1e-10)
        np.testing.assert_allclose(ours.pdf(*args, allow_singular=True), np.exp(expected), rtol=1e-10)
        np.testing.assert_allclose(ours.entropy(None, args[-1]), theirs.entropy(None, args[-1]), rtol=1e-10)
    slopes = grad(lambda x: ours.logpdf(x, mean, cov, allow_singular=True).sum())(outside)
    np.testing.assert_array_equal(np.any(slopes, axis=-1), [False, True, True, False, False])
    assert ours.logpdf(np.float32(x), np.float32(mean), np.float32(cov), True).dtype == np.float32

    def within(t, s, basis):
        return ours.logpdf(mean + basis @ t, mean + basis @ s, basis @ basis.T, allow_singular=True)

    assert check_gradients(within, random.normal(size=2), random.normal(size=2), basis).order == 2
    assert check_gradients(lambda basis: ours.entropy(None, basis @ basis.T), basis).order == 2
    again = replay(lambda x, cov: ours.logpdf(x, mean, cov, allow_singular=True))
    for scale in (1, 2, 3, 4, 5):
        for args in ((outside, scale * cov), (x, scale * cov + np.eye(4))):  # of another rank
            np.testing.assert_allclose(again(*args), theirs.logpdf(args[0], mean, args[1], True), rtol=1e-10)
    for cov in (np.diag([1.0, -1.0]), np.full((2, 2), np.nan)):
        for call in (lambda c: ours.logpdf(X[0, :2], None, c, True), lambda c: ours.entropy(None, c)):
            with pytest.raises(ValueError, match="expected a covariance without eigenvalues below 0"):
                call(Tensor(cov))


def complex_array(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def test_complex_numbers_and_matrices(judge):
    z, square = complex_array(5), complex_array(3, 3)
    special, linalg = (importlib.import_module(f"autograd_core.scipy.{name}") for name in ("special", "linalg"))
    mpmath = judge("mpmath")
    for f, exact in ((special.erf, mpmath.erf), (special.erfc, mpmath.erfc)):
        np.testing.assert_allclose(f(Tensor(z)).data, [complex(exact(complex(v))) for v in z], rtol=1e-13)
        slopes = grad(lambda v, f=f: f(v).sum(), holomorphic=True)(z)
        np.testing.assert_allclose(slopes, [complex(mpmath.diff(exact, complex(v))) for v in z], rtol=1e-9)
        assert f(z.astype(np.complex64)).dtype == np.complex64
        np.testing.assert_array_equal(f(z.real), np.real(f(z.real)))

    def seen(f):
        return lambda *args: np.sum(np.real(f(*args)) * np.arange(1, 4) + np.imag(f(*args)) ** 2)

    below = A @ np.diag([-1.0, 2.0, 3.0]) @ np.linalg.inv(A)
    np.testing.assert_allclose(linalg.sqrtm(below) @ linalg.sqrtm(below), below, atol=1e-12)
    stack = np.stack((SPD, np.diag([1.0, 0.0, 4.0]), np.zeros((3, 3))))  # two are singular: an infinite slope
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        slopes = grad(lambda a: linalg.sqrtm(a).sum())(stack)
    np.testing.assert_allclose(slopes[0], grad(lambda a: linalg.sqrtm(a).sum())(SPD), rtol=1e-12)
    assert np.isnan(slopes[1:]).all()
    for f, *args in (
        *((getattr(special, name), z[:3]) for name in ("erf", "erfc", "erfi", "exp1", "expi")),
        *((lambda x, name=name: getattr(special, name)(1.5, x), z[:3]) for name in ("jv", "yv", "iv", "kv", "kve")),
        *((linalg.expm, square), (linalg.sqrtm, square), (linalg.sqrtm, below)),
        (linalg.solve_sylvester, square, square + 4 * np.eye(3), complex_array(3, 3)),
        (lambda ab, b: linalg.solve_banded((1, 1), ab, b), square + 3, z[:3]),
        *((lambda a, b, t=t, k=k: linalg.solve_triangular(a, b, t, k), square + 3 * np.eye(3), z[:3])
          for t in (0, 1, "C") for k in (False, True)),
    ):  # fmt: skip
        assert check_gradients(seen(f), *args).order == 2, (f, args)
    torch = judge("torch")
    for ours, theirs in (
        (linalg.expm, torch.matrix_exp),
        (lambda a: linalg.solve_triangular(a, square, 2, True),
         lambda a: torch.linalg.solve_triangular(torch.tril(a).mH, torch.tensor(square), upper=True)),
    ):  # fmt: skip
        point = torch.tensor(square, requires_grad=True)
        result = theirs(point)
        (result.real.sum() + (result.imag**2).sum()).backward()
        slopes = grad(lambda a, f=ours: np.sum(np.real(f(a)) + np.imag(f(a)) ** 2))(square)
        np.testing.assert_allclose(slopes, point.grad.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_densities_at_the_edge_and_for_parameters_of_no_distribution_are_scipys():
    stats, theirs = importlib.import_module("autograd_core.scipy.stats"), importlib.import_module("scipy.stats")
    odd = np.array([-1.0, 0.0, 1.5, np.nan])
    for name, of, count in (
        ("norm", "pdf logpdf cdf sf", 0), ("t", "pdf logpdf cdf sf", 1), ("gamma", "pdf logpdf cdf sf", 1),
        ("chi2", "pdf logpdf cdf sf", 1), ("beta", "pdf logpdf cdf", 2), ("expon", "pdf logpdf cdf sf", 0),
    ):  # fmt: skip
        grid = np.meshgrid(*[odd] * count, [0.0], odd[[0, 2, 3]], np.array([0.3, 2.0, np.nan]), indexing="ij")
        for function in of.split():
            mine, right = (getattr(getattr(m, name), function)(grid[-1], *grid[:-1]) for m in (stats, theirs))
            np.testing.assert_allclose(mine, right, rtol=1e-9, err_msg=f"{name}.{function}")
    k, mu = np.meshgrid([-1.0, 0.0, 1.0, 1.5, np.nan], odd)
    np.testing.assert_allclose(stats.poisson.pmf(k, mu), theirs.poisson.pmf(k, mu), rtol=1e-12)
    for f, x, slope in (
        (lambda x: stats.gamma.pdf(x, 4.0), 0.0, 0), (lambda x: stats.gamma.pdf(x, 2.0), 0.0, 1),
        (lambda x: stats.chi2.pdf(x, 4.0), 0.0, 0.25), (lambda x: stats.beta.pdf(x, 2.0, 2.0), 0.0, 6),
        (lambda x: stats.beta.pdf(x, 2.0, 2.0), 1.0, -6), (stats.norm.pdf, np.inf, 0), (stats.norm.pdf, -np.inf, 0),
        (lambda s: stats.norm.pdf(np.inf, 0.0, s), 2.0, 0), (lambda x: stats.t.pdf(x, 3.0), np.inf, 0),
        (lambda m: stats.poisson.pmf(1, m), 0.0, 1), (lambda m: stats.poisson.pmf(0, m), 0.0, -1),
        (lambda m: stats.poisson.pmf(3, m), 0.0, 0),
    ):  # fmt: skip
        assert grad(f)(x) == pytest.approx(slope, abs=1e-15), (x, slope)


@pytest.mark.parametrize("name", list(CALLS))
def test_scipys_function_on_a_tensor_names_its_twin(name):
    _, theirs = pair(name)
    args, options = CALLS[name][0]
    at = max(i for i, a in enumerate(args) if isinstance(a, np.ndarray))
    given = [Tensor(a) if i == at else a for i, a in enumerate(args)]
    with pytest.raises(GradientLossError, match=rf"write autograd_core\.scipy\.{name}\(…\)"):
        theirs(*given, **options)


def test_what_has_no_twin_and_no_rule_is_refused_by_name(judge):
    special, stats, linalg = (judge(f"scipy.{package}") for package in ("special", "stats", "linalg"))
    with pytest.raises(TypeError, match=r"scipy\.special\.hyperu has no gradient rule here; .* autograd_core\.ufunc"):
        special.hyperu(1, 1, Tensor(0.5))
    with pytest.raises(GradientLossError, match=r"scipy's cauchy\.logpdf, which takes arrays"):
        stats.cauchy.logpdf(Tensor(0.5))
    with pytest.raises(GradientLossError, match=r"scipy's logm, which takes arrays"):
        linalg.logm(Tensor(A))
    with pytest.raises(GradientLossError, match=r"write autograd_core\.scipy\.stats\.norm\.logpdf"):
        stats.norm(0, 1).logpdf(Tensor(0.5))


def test_hips_autograds_convolve_over_chosen_axes(judge):
    ours = importlib.import_module("autograd_core.scipy.signal").convolve
    theirs = judge("autograd.scipy.signal").convolve
    x, k = RNG.normal(size=(2, 3, 7, 6)), RNG.normal(size=(3, 4, 2, 3))
    for mode in ("full", "valid"):
        options = {"axes": ([2, 3], [2, 3]), "dot_axes": ([1], [0]), "mode": mode}
        np.testing.assert_allclose(ours(x, k, **options), theirs(x, k, **options), rtol=1e-12, atol=1e-12)
        assert check_gradients(lambda x, k, o=options: ours(x, k, **o), x, k, order=1).verdict == "pass"
