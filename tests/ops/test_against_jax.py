"""JAX has the same values, gradients and second derivatives, in float64."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core import vjp

REAL, ABOVE_0, ABOVE_1, UNIT = (-2.0, 2.0), (0.3, 2.5), (1.2, 3.0), (-0.9, 0.9)

# Elementwise functions of the same name in both, by where their arguments may lie.
SAME_NAME = {
    REAL: "abs add arcsinh arctan arctan2 cbrt ceil copysign cos cosh deg2rad degrees exp exp2 expm1 fabs floor "
    "hypot logaddexp logaddexp2 maximum minimum multiply negative positive rad2deg radians rint round sign "
    "sin sinc sinh square subtract tanh trunc nan_to_num",
    ABOVE_0: "divide float_power floor_divide fmod log log10 log1p log2 mod power reciprocal remainder sqrt "
    "true_divide",
    ABOVE_1: "arccosh",
    UNIT: "arccos arcsin arctanh tan",
}
TWO = (
    "add arctan2 copysign divide float_power floor_divide fmod hypot logaddexp logaddexp2 maximum minimum mod "
    "multiply power remainder subtract true_divide"
)

# (a function of the namespace np, shapes)
TABLE = {
    "sum": (lambda m, x: m.sum(x, axis=(0, -1)), [(2, 3, 2)]),
    "prod": (lambda m, x: m.prod(x, axis=(0, 1)), [(2, 3, 2)]),
    "mean": (lambda m, x: m.mean(x, axis=1, keepdims=True), [(2, 3)]),
    "average": (lambda m, x, w: m.average(x, axis=1, weights=w**2), [(2, 3), (3,)]),
    "var": (lambda m, x: m.var(x, axis=0, ddof=1), [(4, 2)]),
    "std": (lambda m, x: m.std(x), [(4, 2)]),
    "max": (lambda m, x: m.max(x, axis=1), [(2, 3)]),
    "tied max": (lambda m, x: m.max(m.abs(m.concatenate((x, -x)))), [(3,)]),
    "min": (lambda m, x: m.min(x), [(2, 3)]),
    "ptp": (lambda m, x: m.ptp(x, axis=0), [(4, 3)]),
    "cumsum": (lambda m, x: m.cumsum(x), [(2, 3)]),
    "cumprod": (lambda m, x: m.cumprod(x, axis=1), [(2, 3)]),
    "trace": (lambda m, x: m.trace(x, 1), [(3, 4)]),
    "diff": (lambda m, x: m.diff(x, n=2, axis=0), [(4, 2)]),
    "gradient": (lambda m, x: m.gradient(x)[1], [(4, 5)]),
    "norm": (lambda m, x: m.linalg.norm(x), [(4, 5)]),
    "norm over rows": (lambda m, x: m.linalg.norm(x, axis=1, keepdims=True), [(4, 5)]),
    "norm 3": (lambda m, x: m.linalg.norm(x, 3, axis=1), [(4, 5)]),
    "norm of the largest row": (lambda m, x: m.linalg.norm(x, m.inf), [(4, 5)]),
    "norm of the smallest column": (lambda m, x: m.linalg.norm(x, -1), [(4, 5)]),
    "sort": (lambda m, x: m.sort(x, axis=0), [(4, 2)]),
    "partition": (lambda m, x: m.partition(x, 2)[2], [(5,)]),
    "take": (lambda m, x: m.take(x, m.array([0, 2, 2]), axis=1), [(2, 3)]),
    "take_along_axis": (lambda m, x: m.take_along_axis(x, m.argsort(x, axis=0), axis=0), [(3, 2)]),
    "transpose": (lambda m, x: m.transpose(x, (2, 0, 1)), [(2, 3, 4)]),
    "rollaxis": (lambda m, x: m.rollaxis(x, 2), [(2, 3, 4)]),
    "squeeze": (lambda m, x: m.squeeze(x), [(1, 3, 1)]),
    "vstack": (lambda m, x, y: m.vstack((x, y)), [(3,), (2, 3)]),
    "hstack": (lambda m, x, y: m.hstack((x, y)), [(2, 1), (2, 3)]),
    "dstack": (lambda m, x, y: m.dstack((x, y)), [(2, 3), (2, 3)]),
    "column_stack": (lambda m, x, y: m.column_stack((x, y)), [(2,), (2, 3)]),
    "append": (lambda m, x, y: m.append(x, y), [(2,), (2, 3)]),
    "array_split": (lambda m, x: m.array_split(x, 2)[1], [(5,)]),
    "tile": (lambda m, x: m.tile(x, (2, 2)), [(3,)]),
    "repeat": (lambda m, x: m.repeat(x, m.array([2, 0, 1]), axis=0, **m_length(m)), [(3, 2)]),
    "roll": (lambda m, x: m.roll(x, 4), [(2, 3)]),
    "rot90": (lambda m, x: m.rot90(x, 3), [(2, 3)]),
    "pad constant": (lambda m, x: m.pad(x, ((1, 0), (2, 1)), constant_values=3.0), [(2, 3)]),
    "pad edge": (lambda m, x: m.pad(x, ((1, 0), (2, 1)), mode="edge"), [(2, 3)]),
    "pad reflect": (lambda m, x: m.pad(x, ((1, 0), (2, 1)), mode="reflect"), [(2, 3)]),
    "pad wrap": (lambda m, x: m.pad(x, ((1, 0), (5, 1)), mode="wrap"), [(2, 3)]),
    "diag": (lambda m, x: m.diag(x, -1), [(3,)]),
    "select": (lambda m, x, y: m.select([x > 1, x > 0], [x * y, y]), [(5,), (5,)]),
    "dot": (lambda m, x, y: m.dot(x, y), [(2, 3), (4, 3, 2)]),
    "inner": (lambda m, x, y: m.inner(x, y), [(2, 3), (4, 3)]),
    "tensordot": (lambda m, x, y: m.tensordot(x, y, 1), [(2, 3), (3, 4)]),
    "einsum": (lambda m, x, y: m.einsum("...ij,...jk", x, y), [(2, 1, 3, 4), (2, 4, 2)]),
    "einsum of three": (lambda m, x, y, w: m.einsum("ii,ij,kj->k", x, y, w), [(3, 3), (3, 2), (4, 2)]),
    "kron": (lambda m, x, y: m.kron(x, y), [(2, 2), (2, 3)]),
    "cross": (lambda m, x, y: m.cross(x, y), [(2, 3), (3,)]),
    "inv": (lambda m, x: m.linalg.inv(x), [(2, 3, 3)]),
    "solve": (lambda m, x, y: m.linalg.solve(x, y), [(3, 3), (3,)]),
    "det": (lambda m, x: m.linalg.det(x), [(2, 3, 3)]),
    "slogdet": (lambda m, x: m.linalg.slogdet(x)[1], [(3, 3)]),
    "cholesky": (lambda m, x: m.linalg.cholesky(x @ x.T + m.eye(3)), [(3, 3)]),
    "cholesky of what is read": (lambda m, x: m.linalg.cholesky(m.tril(x) + m.tril(x, -1).T + 9 * m.eye(3)), [(3, 3)]),
    "reshape by columns": (lambda m, x: m.reshape(x, (3, 2), order="F") * m.ravel(x, "F")[:2], [(2, 3)]),
    "correction": (lambda m, x: m.std(x, 0, None, None, correction=1), [(4, 2)]),
    "compress": (lambda m, x: m.compress(m.array([False, True, True]), x, axis=0), [(4, 2)]),
    "choose": (lambda m, x, y: m.choose(m.array([1, 0, 1]), [x, y]), [(3,), (2, 3)]),
    "vector_norm": (lambda m, x: m.linalg.vector_norm(x, axis=(0, 2), ord=3), [(2, 3, 2)]),
    "matrix_norm": (lambda m, x: m.linalg.matrix_norm(x, keepdims=True), [(4, 2, 3)]),
    "linalg.trace": (lambda m, x: m.linalg.trace(x, offset=1), [(2, 3, 3)]),
    "linalg.diagonal": (lambda m, x: m.linalg.diagonal(x), [(2, 3, 3)]),
    "logsumexp": (lambda m, x: network(m).logsumexp(x, axis=1), [(2, 3)]),
    "softmax": (lambda m, x: network(m).softmax(x, axis=0), [(2, 3)]),
    "log_softmax": (lambda m, x: network(m).log_softmax(x), [(2, 3)]),
    "softplus": (lambda m, x: network(m).softplus(x), [(5,)]),
    "sigmoid": (lambda m, x: network(m).sigmoid(x), [(5,)]),
    "at set": (lambda m, x, y: x.at[1].set(y), [(3, 2), (2,)]),
    "at add": (lambda m, x, y: x.at[m.array([0, 2, 2])].add(y), [(3, 2), (3, 2)]),
}


def network(m):
    if m is np:
        return ac
    import jax

    return jax.nn


def m_length(m):
    return {} if m is np else {"total_repeat_length": 3}


@pytest.fixture
def jax(judge):
    jax = judge("jax")
    with jax.enable_x64(True):
        yield jax


def agree(jax, f, values):
    """Both directions of one function, and the derivative of its gradient."""

    def second(m, vjp):
        """The gradient of a random combination of what the pullback gives."""

        def combined(*xs):
            value, pullback = vjp(lambda *xs: f(m, *xs), *xs)
            pulled = pullback(m.cos(value))
            return sum(m.sum(w * p) for w, p in zip(weights, pulled, strict=True))

        return combined

    random = np.random.default_rng(1)
    weights = [random.normal(size=np.shape(v)) for v in values]
    expected, their_pullback = jax.vjp(lambda *xs: f(jax.numpy, *xs), *map(jax.numpy.asarray, values))
    got, pullback = vjp(lambda *xs: f(np, *xs), *values)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)
    g = random.normal(size=np.shape(got))
    for ours, theirs in zip(pullback(g), their_pullback(jax.numpy.asarray(g)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
    nums = tuple(range(len(values)))
    theirs_2 = jax.grad(second(jax.numpy, jax.vjp), nums)(*map(jax.numpy.asarray, values))
    for ours, theirs in zip(ac.grad(second(np, vjp), nums)(*values), theirs_2, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10)


@pytest.mark.every(3)
@pytest.mark.parametrize(("name", "where"), [(n, where) for where, names in SAME_NAME.items() for n in names.split()])
def test_elementwise(name, where, jax):
    random = np.random.default_rng(0)
    shapes = [(2, 3), (3,)] if name in TWO.split() else [(2, 3)]
    agree(jax, lambda m, *xs: getattr(m, name)(*xs), [random.uniform(*where, shape) for shape in shapes])


def wave(m, *parts):
    return sum(m.sum(m.cos(part * part)) for part in parts)  # whatever the signs of the vectors


DECOMPOSED = {
    "eigh": (lambda m, x: wave(m, *m.linalg.eigh(x + m.matrix_transpose(x))), (2, 3, 3)),
    "svd": (lambda m, x: wave(m, *m.linalg.svd(x, full_matrices=False)), (2, 4, 2)),
    "qr": (lambda m, x: wave(m, *m.linalg.qr(x)), (4, 3)),
    "pinv": (lambda m, x: wave(m, m.linalg.pinv(x)), (2, 4)),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", DECOMPOSED)
def test_decompositions(name, jax):
    f, shape = DECOMPOSED[name]
    agree(jax, f, [np.random.default_rng(0).uniform(-2, 2, shape)])


# What JAX compiles for long.
SAMPLES = {
    "interp": (lambda m, x, f: m.interp(x, m.array([-1.5, 0.1, 0.9, 1.7]), f, right=2.0), [(5,), (4,)]),
    "interp in turns": (lambda m, x, p: m.interp(x, p, m.array([1.0, 4.0, 2.0]), period=1.5), [(5,), (3,)]),
    "convolve": (lambda m, x, y: m.convolve(x, y, "same"), [(5,), (4,)]),
    "correlate": (lambda m, x, y: m.correlate(x, y, "full"), [(3,), (4,)]),
    "median": (lambda m, x: m.median(x, axis=1), [(2, 4)]),
    "percentile": (lambda m, x: m.percentile(x, m.array([10.0, 35.0]), axis=0, method="midpoint"), [(5, 2)]),
    "nanquantile": (lambda m, x: m.nanquantile(m.where(x > 1, m.nan, x), 0.3, axis=1), [(2, 5)]),
    "nanvar": (lambda m, x: m.nanvar(m.where(x > 1, m.nan, x), axis=0), [(5, 2)]),
    "nanstd": (lambda m, x: m.nanstd(m.where(x > 1, m.nan, x), ddof=1), [(5, 2)]),
    "nanmax": (lambda m, x: m.nanmax(m.where(x > 1, m.nan, x), axis=1), [(2, 5)]),
    "nancumprod": (lambda m, x: m.nancumprod(m.where(x > 1, m.nan, x), axis=1), [(2, 5)]),
    "unwrap": (lambda m, x: m.unwrap(3 * x) ** 2, [(6,)]),
    "polyval": (lambda m, p, x: m.polyval(p, x), [(4,), (3,)]),
    "polyint": (lambda m, p: m.polyint(p, 2, m.array([1.0, 2.0])), [(3,)]),
    "poly": (lambda m, x: m.poly(x), [(3,)]),
    "vander": (lambda m, x: m.vander(x, 4), [(3,)]),
    "geomspace": (lambda m, x, y: m.geomspace(m.exp(x), m.exp(y), 5), [(2,), ()]),
    "insert": (lambda m, x, v: m.insert(x, m.array([1, 2]), v, axis=1), [(2, 3), (2,)]),
    "delete": (lambda m, x: m.delete(x, 1, axis=0), [(3, 2)]),
    "block": (lambda m, x, y: m.block([[x, y[:, None]], [y, m.ones(1)]]), [(2, 2), (2,)]),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", SAMPLES)
def test_ranks_samples_and_polynomials(name, jax):
    f, shapes = SAMPLES[name]
    random = np.random.default_rng(0)
    agree(jax, f, [random.uniform(-2, 2, shape) for shape in shapes])


@pytest.mark.every(3)
@pytest.mark.parametrize("name", TABLE)
def test_other(name, jax):
    f, shapes = TABLE[name]
    random = np.random.default_rng(0)
    agree(jax, f, [random.uniform(-2, 2, shape) for shape in shapes])


def test_erf(jax):
    agree(jax, lambda m, x: ac.erf(x) if m is np else jax.scipy.special.erf(x), [np.linspace(-3, 3, 41)])
