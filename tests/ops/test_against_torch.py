"""PyTorch has the same values and gradients, in float64."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core import vjp

# Where the numbers come from: anywhere, above 0, above 1, between -1 and 1.
REAL, ABOVE_0, ABOVE_1, UNIT = (-2.0, 2.0), (0.3, 2.5), (1.2, 3.0), (-0.9, 0.9)

# (ours, theirs, shapes, where the numbers come from)
TABLE = {
    "add": (np.add, "add", [(2, 3), (3,)], REAL),
    "subtract": (np.subtract, "subtract", [(2, 1), (3,)], REAL),
    "multiply": (np.multiply, "multiply", [(2, 3), ()], REAL),
    "divide": (np.divide, "divide", [(2, 3), (3,)], ABOVE_0),
    "remainder": (np.remainder, "remainder", [(2, 3), (3,)], ABOVE_0),
    "fmod": (np.fmod, "fmod", [(2, 3), (3,)], ABOVE_0),
    "power": (np.power, "pow", [(2, 3), (3,)], ABOVE_0),
    "float_power": (np.float_power, "float_power", [(2, 3), (3,)], ABOVE_0),
    "negative": (np.negative, "negative", [(3,)], REAL),
    "abs": (np.abs, "abs", [(3,)], REAL),
    "sign": (np.sign, "sign", [(3,)], REAL),
    "reciprocal": (np.reciprocal, "reciprocal", [(3,)], ABOVE_0),
    "exp": (np.exp, "exp", [(3,)], REAL),
    "exp2": (np.exp2, "exp2", [(3,)], REAL),
    "expm1": (np.expm1, "expm1", [(3,)], REAL),
    "log": (np.log, "log", [(3,)], ABOVE_0),
    "log2": (np.log2, "log2", [(3,)], ABOVE_0),
    "log10": (np.log10, "log10", [(3,)], ABOVE_0),
    "log1p": (np.log1p, "log1p", [(3,)], ABOVE_0),
    "sqrt": (np.sqrt, "sqrt", [(3,)], ABOVE_0),
    "square": (np.square, "square", [(3,)], REAL),
    "sin": (np.sin, "sin", [(3,)], REAL),
    "cos": (np.cos, "cos", [(3,)], REAL),
    "tan": (np.tan, "tan", [(3,)], UNIT),
    "arcsin": (np.arcsin, "arcsin", [(3,)], UNIT),
    "arccos": (np.arccos, "arccos", [(3,)], UNIT),
    "arctan": (np.arctan, "arctan", [(3,)], REAL),
    "arctan2": (np.arctan2, "arctan2", [(2, 3), (3,)], REAL),
    "sinh": (np.sinh, "sinh", [(3,)], REAL),
    "cosh": (np.cosh, "cosh", [(3,)], REAL),
    "tanh": (np.tanh, "tanh", [(3,)], REAL),
    "arcsinh": (np.arcsinh, "arcsinh", [(3,)], REAL),
    "arccosh": (np.arccosh, "arccosh", [(3,)], ABOVE_1),
    "arctanh": (np.arctanh, "arctanh", [(3,)], UNIT),
    "hypot": (np.hypot, "hypot", [(2, 3), (3,)], REAL),
    "logaddexp": (np.logaddexp, "logaddexp", [(2, 3), (3,)], REAL),
    "logaddexp2": (np.logaddexp2, "logaddexp2", [(2, 3), (3,)], REAL),
    "sinc": (np.sinc, "sinc", [(3,)], REAL),
    "maximum": (np.maximum, "maximum", [(2, 3), (3,)], REAL),
    "minimum": (np.minimum, "minimum", [(2, 3), (3,)], REAL),
    "fmax": (np.fmax, "fmax", [(2, 3), (3,)], REAL),
    "fmin": (np.fmin, "fmin", [(2, 3), (3,)], REAL),
    "deg2rad": (np.deg2rad, "deg2rad", [(3,)], REAL),
    "rad2deg": (np.rad2deg, "rad2deg", [(3,)], REAL),
    "floor": (np.floor, "floor", [(3,)], REAL),
    "ceil": (np.ceil, "ceil", [(3,)], REAL),
    "trunc": (np.trunc, "trunc", [(3,)], REAL),
    "round": (np.round, "round", [(3,)], REAL),
    "copysign": (np.copysign, "copysign", [(3,), (3,)], REAL),
    "clip": (lambda x: np.clip(x, -0.5, 0.7), lambda t, x: t.clip(x, -0.5, 0.7), [(3, 4)], REAL),
    "where": (lambda x, y: np.where(x > y, x, 2 * y), lambda t, x, y: t.where(x > y, x, 2 * y), [(2, 3), (3,)], REAL),
    "nan_to_num": (np.nan_to_num, "nan_to_num", [(3,)], REAL),
    "sum": (lambda x: np.sum(x, axis=1), lambda t, x: x.sum(1), [(2, 3)], REAL),
    "prod": (lambda x: np.prod(x, axis=1), lambda t, x: x.prod(1), [(2, 3)], REAL),
    "mean": (lambda x: np.mean(x, axis=(0, 2)), lambda t, x: x.mean((0, 2)), [(2, 3, 2)], REAL),
    "var": (lambda x: np.var(x, axis=1, ddof=1), lambda t, x: x.var(1), [(2, 3)], REAL),
    "std": (lambda x: np.std(x, axis=1, ddof=1), lambda t, x: x.std(1), [(2, 3)], REAL),
    "max": (lambda x: np.max(x, axis=1), lambda t, x: x.amax(1), [(2, 3)], REAL),
    "min": (lambda x: np.min(x, axis=(0, 1)), lambda t, x: x.amin((0, 1)), [(2, 3)], REAL),
    "cumsum": (lambda x: np.cumsum(x, axis=1), lambda t, x: x.cumsum(1), [(2, 3)], REAL),
    "cumprod": (lambda x: np.cumprod(x, axis=1), lambda t, x: x.cumprod(1), [(2, 3)], REAL),
    "trace": (np.trace, "trace", [(3, 3)], REAL),
    "diff": (lambda x: np.diff(x, n=2), lambda t, x: t.diff(x, n=2), [(2, 5)], REAL),
    "gradient": (
        lambda x: np.gradient(x, 0.5, axis=1, edge_order=2),
        lambda t, x: t.gradient(x, spacing=0.5, dim=1, edge_order=2)[0],
        [(2, 5)],
        REAL,
    ),
    "median": (lambda x: np.median(x, axis=1), lambda t, x: x.median(1).values, [(2, 5)], REAL),
    "quantile": (
        lambda x: np.quantile(x, [0.1, 0.5, 0.9], axis=1),
        lambda t, x: x.quantile(t.tensor([0.1, 0.5, 0.9], dtype=x.dtype), 1),
        [(2, 5)],
        REAL,
    ),
    "nanquantile": (
        lambda x: np.nanquantile(np.where(x > 1, np.nan, x), 0.3, axis=1, method="higher"),
        lambda t, x: t.where(x > 1, t.nan, x).nanquantile(0.3, 1, interpolation="higher"),
        [(2, 5)],
        REAL,
    ),
    "nansum": (
        lambda x: np.nansum(np.where(x > 0, np.nan, x), 0),
        lambda t, x: t.where(x > 0, t.nan, x).nansum(0),
        [(4, 3)],
        REAL,
    ),
    "nanmean": (
        lambda x: np.nanmean(np.where(x > 1, np.nan, x), 0),
        lambda t, x: t.where(x > 1, t.nan, x).nanmean(0),
        [(4, 3)],
        REAL,
    ),
    "trapezoid": (lambda y, x: np.trapezoid(y, x), lambda t, y, x: t.trapezoid(y, x), [(2, 5), (2, 5)], REAL),
    "cov": (lambda x: np.cov(x, ddof=0), lambda t, x: t.cov(x, correction=0), [(3, 5)], REAL),
    "cov weighted": (
        lambda x, w: np.cov(x, aweights=w, fweights=[1, 2, 1, 3, 1]),
        lambda t, x, w: t.cov(x, aweights=w, fweights=t.tensor([1, 2, 1, 3, 1])),
        [(3, 5), (5,)],
        ABOVE_0,
    ),
    "corrcoef": (np.corrcoef, "corrcoef", [(3, 5)], REAL),
    "i0": (np.i0, "i0", [(5,)], (-20.0, 20.0)),
    "frexp": (lambda x: np.frexp(x)[0], lambda t, x: t.frexp(x)[0], [(5,)], REAL),
    "meshgrid": (
        lambda x, y: np.meshgrid(x, y)[0] * y[:, None],
        lambda t, x, y: t.meshgrid(x, y, indexing="xy")[0] * y[:, None],
        [(3,), (2,)],
        REAL,
    ),
    "norm": (lambda x: np.linalg.norm(x, axis=1), lambda t, x: t.linalg.norm(x, dim=1), [(2, 3)], REAL),
    "norm 1": (lambda x: np.linalg.norm(x, 1), lambda t, x: t.linalg.norm(x, 1), [(2, 3)], REAL),
    "norm 3": (lambda x: np.linalg.norm(x, 3), lambda t, x: t.linalg.norm(x, 3), [(5,)], REAL),
    "norm inf": (lambda x: np.linalg.norm(x, np.inf), lambda t, x: t.linalg.norm(x, t.inf), [(5,)], REAL),
    "sort": (lambda x: np.sort(x, axis=0), lambda t, x: x.sort(0).values, [(4, 3)], REAL),
    "reshape": (lambda x: np.reshape(x, (3, -1)), lambda t, x: x.reshape(3, -1), [(2, 3)], REAL),
    "moveaxis": (lambda x: np.moveaxis(x, 0, -1) ** 2, lambda t, x: x.moveaxis(0, -1) ** 2, [(2, 3, 2)], REAL),
    "concatenate": (lambda *x: np.concatenate(x, 1), lambda t, *x: t.cat(x, 1), [(2, 1), (2, 3)], REAL),
    "stack": (lambda *x: np.stack(x, -1), lambda t, *x: t.stack(x, -1), [(2,), (2,)], REAL),
    "tile": (lambda x: np.tile(x, (2, 1, 2)), lambda t, x: x.tile(2, 1, 2), [(2, 3)], REAL),
    "repeat": (lambda x: np.repeat(x, 2, 1), lambda t, x: x.repeat_interleave(2, 1), [(2, 3)], REAL),
    "roll": (lambda x: np.roll(x, (1, 2), (0, 1)), lambda t, x: x.roll((1, 2), (0, 1)), [(2, 3)], REAL),
    "rot90": (np.rot90, "rot90", [(2, 3)], REAL),
    "flip": (lambda x: np.flip(x, 1), lambda t, x: x.flip(1), [(2, 3)], REAL),
    "tril": (lambda x: np.tril(x, 1), lambda t, x: x.tril(1), [(3, 4)], REAL),
    "triu": (lambda x: np.triu(x, -1), lambda t, x: x.triu(-1), [(3, 3)], REAL),
    "diag": (np.diag, "diag", [(3,)], REAL),
    "diagonal": (lambda x: np.diagonal(x, 1, 0, 2), lambda t, x: x.diagonal(1, 0, 2), [(2, 3, 4)], REAL),
    "getitem": (lambda x: x[[0, 0, 2], 1:], lambda t, x: x[[0, 0, 2], 1:], [(3, 3)], REAL),
    "pad reflect": (
        lambda x: np.pad(x, ((0, 0), (2, 1)), mode="reflect"),
        lambda t, x: t.nn.functional.pad(x, (2, 1), mode="reflect"),
        [(2, 4)],
        REAL,
    ),
    "matmul": (np.matmul, "matmul", [(2, 2, 3), (3, 4)], REAL),
    "inner": (np.inner, "inner", [(2, 3), (4, 3)], REAL),
    "outer": (np.outer, "outer", [(2,), (3,)], REAL),
    "vdot": (np.vdot, "vdot", [(3,), (3,)], REAL),
    "tensordot": (
        lambda x, y: np.tensordot(x, y, ((0, 2), (1, 0))),
        lambda t, x, y: t.tensordot(x, y, ((0, 2), (1, 0))),
        [(2, 3, 4), (4, 2, 2)],
        REAL,
    ),
    "einsum": (
        lambda x, y, w: np.einsum("bij,bjk,k->bi", x, y, w),
        lambda t, x, y, w: t.einsum("bij,bjk,k->bi", x, y, w),
        [(2, 3, 4), (2, 4, 5), (5,)],
        REAL,
    ),
    "einsum diagonal": (lambda x: np.einsum("iij", x), lambda t, x: t.einsum("iij", x), [(2, 2, 3)], REAL),
    "kron": (np.kron, "kron", [(2, 3), (3, 2)], REAL),
    "cross": (np.cross, lambda t, x, y: t.linalg.cross(x, y), [(2, 3), (2, 3)], REAL),
    "inv": (np.linalg.inv, lambda t, x: t.linalg.inv(x), [(2, 3, 3)], REAL),
    "solve": (np.linalg.solve, lambda t, x, y: t.linalg.solve(x, y), [(2, 3, 3), (2, 3, 2)], REAL),
    "det": (np.linalg.det, lambda t, x: t.linalg.det(x), [(2, 3, 3)], REAL),
    "slogdet": (lambda x: np.linalg.slogdet(x)[1], lambda t, x: t.linalg.slogdet(x)[1], [(2, 3, 3)], REAL),
    "cholesky": (
        lambda x: np.linalg.cholesky(x @ x.mT + np.eye(3)),
        lambda t, x: t.linalg.cholesky(x @ x.mT + t.eye(3)),
        [(2, 3, 3)],
        REAL,
    ),
    "sigmoid": (ac.sigmoid, "sigmoid", [(3,)], REAL),
    "relu": (ac.relu, "relu", [(3,)], REAL),
    "softplus": (ac.softplus, lambda t, x: t.nn.functional.softplus(x), [(3,)], REAL),
    "erf": (ac.erf, "erf", [(9,)], REAL),
    "erfc": (ac.erfc, "erfc", [(9,)], REAL),
    "logsumexp": (lambda x: ac.logsumexp(x, axis=1), lambda t, x: x.logsumexp(1), [(2, 3)], REAL),
    "softmax": (lambda x: ac.softmax(x, axis=0), lambda t, x: x.softmax(0), [(2, 3)], REAL),
    "normalized": (ac.REGISTRY["normalized"], lambda t, x: t.nn.functional.normalize(x, 1), [(2, 3)], ABOVE_0),
    "log_softmax": (ac.log_softmax, lambda t, x: x.log_softmax(-1), [(2, 3)], REAL),
}


@pytest.mark.parametrize("name", TABLE)
def test_values_and_gradients(name, judge):
    torch = judge("torch")
    ours, theirs, shapes, (low, high) = TABLE[name]
    random = np.random.default_rng(0)
    values = [random.uniform(low, high, shape) for shape in shapes]
    tensors = [torch.tensor(v, requires_grad=True) for v in values]
    expected = getattr(torch, theirs)(*tensors) if isinstance(theirs, str) else theirs(torch, *tensors)
    got, pullback = vjp(ours, *values)
    np.testing.assert_allclose(got, expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    g = random.normal(size=np.shape(got))
    for ours_g, theirs_g in zip(pullback(g), torch.autograd.grad(expected, tensors, torch.tensor(g)), strict=True):
        np.testing.assert_allclose(ours_g, theirs_g.numpy(), rtol=1e-10, atol=1e-12)


def both(x):
    return x + x.mT


def wave(m, *parts):
    """A number of which every part has a gradient, whatever the signs of the vectors."""
    return sum(m.sum(m.cos(part * part)) for part in parts)


def parts(m, w, v):
    return m.abs(v), m.real(w), m.imag(w)


# Functions of a module with `linalg` in it, and the shapes of the arguments.
DECOMPOSED = {
    "eigh": (lambda m, x: wave(m, *m.linalg.eigh(both(x))), [(2, 3, 3)]),
    "eigh of the upper triangle": (lambda m, x: wave(m, *m.linalg.eigh(both(x), UPLO="U")), [(3, 3)]),
    "eigvalsh": (lambda m, x: wave(m, m.linalg.eigvalsh(both(x)) + 1), [(2, 3, 3)]),
    "eig": (lambda m, x: wave(m, *parts(m, *m.linalg.eig(x))), [(3, 4, 4)]),
    "svd": (lambda m, x: wave(m, *m.linalg.svd(x, full_matrices=False)), [(2, 4, 2)]),
    "svd, wide": (lambda m, x: wave(m, *m.linalg.svd(x, full_matrices=False)), [(2, 3)]),
    "svd, square and whole": (lambda m, x: wave(m, *m.linalg.svd(x)), [(3, 3)]),
    "svdvals": (lambda m, x: wave(m, m.linalg.svdvals(x) + 1), [(2, 2, 3)]),
    "qr": (lambda m, x: wave(m, *m.linalg.qr(x)), [(2, 4, 3)]),
    "qr, wide": (lambda m, x: wave(m, *m.linalg.qr(x)), [(2, 2, 4)]),
    "qr, complete": (lambda m, x: wave(m, *m.linalg.qr(x, "complete")), [(3, 3)]),
    "pinv": (lambda m, x: wave(m, m.linalg.pinv(x) + 1), [(2, 4, 2)]),
    "pinv, wide": (lambda m, x: wave(m, m.linalg.pinv(x) + 1), [(2, 4)]),
    "pinv of rank 2": (lambda m, x, y: wave(m, m.linalg.pinv(x @ y, 1e-10) + 1), [(4, 2), (2, 3)]),
    "pinv, symmetric": (lambda m, x: wave(m, m.linalg.pinv(both(x), hermitian=True) + 1), [(3, 3)]),
    "lstsq": (lambda m, x, y: wave(m, m.linalg.lstsq(x, y)[0] + 1), [(4, 2), (4, 3)]),
    "lstsq, wide": (lambda m, x, y: wave(m, m.linalg.lstsq(x, y)[0] + 1), [(2, 4), (2, 3)]),
    "matrix_power": (lambda m, x: wave(m, m.linalg.matrix_power(x, 5), m.linalg.matrix_power(x, -2)), [(2, 2, 2)]),
    "multi_dot": (lambda m, *xs: wave(m, m.linalg.multi_dot(xs)), [(2, 3), (3, 4), (4, 2), (2,)]),
    "cond": (lambda m, x: m.sum(sum(m.linalg.cond(x, p) for p in (None, 2, -2))), [(2, 3, 3)]),
    "matrix_norm": (lambda m, x: sum(m.sum(m.linalg.matrix_norm(x, ord=p)) for p in (2, -2, "nuc")), [(2, 3, 4)]),
}


def test_decompositions_and_their_second_derivatives(judge):
    torch = judge("torch")
    for name, (f, shapes) in DECOMPOSED.items():
        random = np.random.default_rng(0)
        values, along = ([random.normal(size=shape) for shape in shapes] for _ in range(2))
        everyone = tuple(range(len(values)))

        def slope(*xs, f=f, along=along, everyone=everyone):
            slopes = ac.grad(lambda *xs: f(np, *xs), everyone)(*xs)
            return sum(np.sum(g * w) for g, w in zip(slopes, along, strict=True))

        tensors = [torch.tensor(v, requires_grad=True) for v in values]
        value = f(torch, *tensors)
        first = torch.autograd.grad(value, tensors, create_graph=True)
        total = sum((g * torch.tensor(w)).sum() for g, w in zip(first, along, strict=True))
        second = torch.autograd.grad(total, tensors)
        got, slopes = ac.value_and_grad(lambda *xs, f=f: f(np, *xs), everyone)(*values)
        np.testing.assert_allclose(got, value.detach().numpy(), rtol=1e-10, err_msg=name)
        for ours, theirs in zip((*slopes, *ac.grad(slope, everyone)(*values)), (*first, *second), strict=True):
            np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-7, atol=1e-8, err_msg=name)
