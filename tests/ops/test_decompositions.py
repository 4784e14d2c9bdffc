"""Decompositions of matrices: where they have a derivative and where they have none, and what is said there."""

import itertools
import math

import numpy as np
import pytest

from autograd_core import REGISTRY, NonFiniteError, Tensor, debug, grad, hessian, hvp, jacobian, replay, value_and_grad
from autograd_core.ops import decompositions
from autograd_core.testing import check_gradients

TWICE = 2 * np.eye(2)
TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
NEARLY = TURN @ np.diag([1.0, 1.0, 2.0]) @ TURN.T  # eigenvalues that are equal but for rounding
SYMMETRIC = np.array([[4.3, 0.5, -0.2], [0.5, 2.4, 0.3], [-0.2, 0.3, 6.7]])
SQUARE = np.array([[1.0, 0.3, -0.2], [0.4, 2.5, 0.1], [-0.3, 0.2, 4.0]])
TALL = np.array([[2.0, -0.5], [0.4, 1.5], [-0.3, 0.6]])


def random(*shape):
    return np.random.default_rng(0).normal(size=shape)


@pytest.mark.parametrize(
    ("f", "x", "right"),
    [
        (lambda x: np.sum(np.linalg.eigvalsh(x)), TWICE, np.eye(2)),
        (lambda x: np.sum(np.linalg.eigh(x)[0] ** 2), TWICE, 4 * np.eye(2)),
        (lambda x: np.sum(np.linalg.eigvalsh(x)), np.zeros((2, 2)), np.eye(2)),
        (lambda x: np.sum(np.linalg.eigvalsh(x)[:2]), NEARLY, np.nan),
        (lambda x: np.sum(np.linalg.svdvals(x)), np.eye(3), np.eye(3)),
        (lambda x: np.sum(np.linalg.svd(x)[1]), -TWICE, -np.eye(2)),
        (lambda x: np.linalg.norm(x, "nuc"), np.diag([3.0, 0.0]), np.diag([1.0, 0.0])),
        (lambda x: np.linalg.norm(x, "nuc"), np.zeros((2, 3)), np.zeros((2, 3))),
        (lambda x: np.linalg.norm(x, 2), TWICE, np.eye(2) / 2),
        (lambda x: np.linalg.norm(x, -2), TWICE, np.eye(2) / 2),
        (lambda x: np.linalg.norm(x, 2), np.zeros((3, 2)), np.zeros((3, 2))),
        (lambda x: np.linalg.norm(x, 2), np.zeros((0, 2)), np.zeros((0, 2))),
        (lambda x: np.linalg.norm(x, "nuc", axis=(0, 1)), np.zeros((0, 0)), np.zeros((0, 0))),
    ],
)
def test_sums_over_equal_values_have_a_gradient(f, x, right):
    g = grad(f)(x)
    if right is np.nan:  # the projection onto the vectors of the two, times two beside the diagonal that is read
        p = TURN[:, :2] @ TURN[:, :2].T
        right = np.tril(2 * p) - np.diag(np.diag(p))
    np.testing.assert_allclose(g, right, atol=1e-14)


@pytest.mark.parametrize("x", [TWICE, NEARLY, np.zeros((3, 3))])
@pytest.mark.parametrize(
    ("name", "part"), [("eigh", lambda r: r[1]), ("svd", lambda r: r[0]), ("svd", lambda r: r[2])]
)  # fmt: skip
def test_vectors_of_equal_values_have_none_and_debug_says_so(name, part, x):
    def f(x):
        return np.sum(part(getattr(np.linalg, name)(x))[:, 0] ** 3)

    good = np.diag(np.arange(3.0, 3.0 + len(x)))
    stack = np.stack([good, x, good[::-1, ::-1]])
    g = grad(lambda x: sum(f(v) for v in x))(stack)
    assert np.isnan(g[1]).any()
    assert np.isfinite(g[[0, 2]]).all()
    together = grad(lambda x: np.sum(part(getattr(np.linalg, name)(x))[..., 0] ** 3))(stack)  # one call for the stack
    np.testing.assert_array_equal(np.isnan(together).any((1, 2)), [False, True, False])
    with debug(), pytest.raises(NonFiniteError, match="values that are equal, or nearer than rounding"):
        grad(f)(x)


def test_a_second_derivative_at_equal_values_is_no_number_and_never_0():
    # Of the sum of squares, |x|², it is 2 everywhere; but it goes through the vectors, which have none.
    off = np.array([[0.0, 1.0], [1.0, 0.0]])
    for f in (
        lambda x: np.sum(np.linalg.eigvalsh(x) ** 2),
        lambda x: np.sum((np.linalg.eigvalsh(x) - 2) ** 2),
        lambda x: np.sum((np.linalg.svdvals(x) - 2) ** 2),
    ):
        np.testing.assert_array_equal(np.isnan(hvp(f, (TWICE,), (off,))).any(), True)
    np.testing.assert_allclose(
        hvp(lambda x: np.sum(np.linalg.svdvals(x) ** 2), (SYMMETRIC,), (SYMMETRIC,)), 2 * SYMMETRIC, rtol=1e-12
    )


def test_vectors_of_other_values_have_their_gradient_beside_values_that_are_equal_but_for_rounding():
    o, v = REGISTRY["eigenvectors"], TURN
    found = np.array([1.0, 1.0 + 2**-52, 2.0]), v  # as LAPACK may find them
    g = np.zeros((3, 3))
    g[:, 2] = random(3)
    got = o.rules[0](g, v, NEARLY, _found=lambda x: found)
    # To first order v₂ moves by (1 − v₂v₂ᵀ) dx v₂ / (2 − 1), whichever vectors the others are.
    whole = np.outer(g[:, 2] - v[:, 2] * (v[:, 2] @ g[:, 2]), v[:, 2])
    whole = (whole + whole.T) / 2
    np.testing.assert_allclose(got, np.tril(2 * whole) - np.diag(np.diag(whole)), rtol=1e-12)
    g[0, 0] = 1e-9
    assert np.isnan(o.rules[0](g, v, NEARLY, _found=lambda x: found)).any()


@pytest.mark.parametrize("uplo", ["L", "U", "l", "u"])
def test_one_triangle_is_read_and_only_that_has_a_gradient(uplo):
    other = np.triu if uplo in "lL" else np.tril
    x = SYMMETRIC + other(np.full((3, 3), np.nan), 1 if uplo in "lL" else -1)
    f = [
        lambda x: np.sum(np.linalg.eigvalsh(x, UPLO=uplo) * [1.0, 2.0, 4.0]),
        lambda x: np.sum(np.linalg.eigh(x, uplo).eigenvectors ** 3 * random(3, 3)),
    ]
    for function in f:
        whole = SYMMETRIC + 0 * np.nan_to_num(x)
        g = grad(function)(x)
        np.testing.assert_array_equal(g, grad(function)(whole))
        np.testing.assert_array_equal(other(g, 1 if uplo in "lL" else -1), 0)
        check_gradients(function, whole)
        # Along symmetric changes it is the gradient of all that give the symmetric part of it, as PyTorch does.
        change = random(3, 3) + random(3, 3).T
        near = [function(SYMMETRIC + h * change) for h in (1e-5, -1e-5)]
        np.testing.assert_allclose(np.sum(g * change), (near[0] - near[1]) / 2e-5, rtol=1e-7)


def test_vectors_without_singular_values_have_what_is_there_of_a_derivative():
    def null(x):  # of a 3×2 it is one vector, perpendicular to both columns
        return np.linalg.svd(x)[0][:, 2] ** 2

    def cross(x):
        n = np.cross(x[:, 0], x[:, 1])
        return n * n / np.sum(n * n)

    np.testing.assert_allclose(null(TALL), cross(TALL), rtol=1e-13)
    np.testing.assert_allclose(jacobian(null)(TALL), jacobian(cross)(TALL), rtol=1e-10, atol=1e-13)
    weights, wide = random(4, 4), random(2, 4)

    def projection(x):  # of a 2×4 they are two, and any two that span the same
        v = np.linalg.svd(x).Vh[2:]
        return np.sum(weights * (v.T @ v))

    check_gradients(projection, wide)
    check_gradients(lambda x: np.sum(np.linalg.svd(x).U ** 3 * random(2, 2)), wide)
    for depends in (lambda x: np.sum(np.linalg.svd(x).Vh ** 3), lambda x: np.linalg.svd(x)[2][2, 0]):
        with pytest.raises(np.linalg.LinAlgError, match="full_matrices=False, or a function of their projection"):
            grad(depends)(wide)


def test_singular_vectors_of_a_matrix_of_lower_rank_that_is_not_square_have_none():
    low = np.outer([1.0, 2.0, 3.0], [1.0, -1.0])
    assert np.isnan(grad(lambda x: np.sum(np.linalg.svd(x, False)[0][:, 1] ** 3))(low)).all()
    first = grad(lambda x: np.linalg.svd(x, False)[0][0, 0] ** 2)(low)  # the direction of x @ [1, -1]
    right = grad(lambda x: (x[0] @ [0.5, -0.5]) ** 2 / np.sum((x @ [0.5, -0.5]) ** 2))(low)
    np.testing.assert_allclose(first, right, atol=1e-14)


@pytest.mark.parametrize("b", [random(5), random(5, 2)])
def test_least_squares_gives_all_that_numpys_gives(b):
    a = random(5, 3) + np.eye(5, 3)
    z, left, rank, s = np.linalg.lstsq(Tensor(a), Tensor(b))
    for ours, numpys in zip((z, left, s), np.array(np.linalg.lstsq(a, b), object)[[0, 1, 3]], strict=True):
        np.testing.assert_allclose(ours.data, numpys, rtol=1e-12, strict=True)
    assert rank == 3
    assert not isinstance(rank, Tensor)
    check_gradients(lambda a, b: np.sum(np.cos(np.linalg.lstsq(a, b)[0])), a, b)
    check_gradients(lambda a, b: np.sum(np.linalg.lstsq(a, b)[1] ** 2) + np.sum(np.linalg.lstsq(a, b)[3]), a, b)
    for low, cutoff in ((a[:, [0, 1, 0]], None), (a, 0.9), (a[:2], None), (a[:3], -1), (a * 0, None)):
        z, left, rank, s = np.linalg.lstsq(Tensor(low), Tensor(b[: len(low)]), rcond=cutoff)
        numpys = np.linalg.lstsq(low, b[: len(low)], cutoff)
        np.testing.assert_allclose(z.data, numpys[0], rtol=1e-10, atol=1e-14)
        assert rank == numpys[2]
        assert left.shape == numpys[1].shape == (0,)
        assert np.isfinite(grad(lambda a, b: np.sum(np.linalg.lstsq(a, b)[0]))(low, b[: len(low)])).all()


def test_a_pseudo_inverse_of_lower_rank_has_the_derivative_among_those_of_that_rank():
    u, v, weights = random(4, 1), random(3, 1)[::-1], random(3, 4)

    def f(u, v):
        return np.sum(weights * np.linalg.pinv(u @ v.T, rcond=1e-10))

    check_gradients(f, u, v)  # vᵀu over the squares of both, a smooth function
    check_gradients(lambda x: np.sum(np.cos(np.linalg.pinv(x + x.T, hermitian=True))), random(3, 3))
    x = np.diag([3.0, 1.0])
    for options in ({}, {"rcond": 0.5}, {"rtol": 0.5}, {"rtol": None}, {"hermitian": True}):
        np.testing.assert_allclose(np.linalg.pinv(Tensor(x), **options).data, np.linalg.pinv(x, **options), atol=1e-15)
    with pytest.raises(ValueError, match="one of rcond and rtol"):
        np.linalg.pinv(Tensor(x), 0.5, rtol=0.5)


def test_factors_of_columns_that_are_not_independent_have_no_derivative():
    singular = np.ones((3, 2)) * [1.0, 0.0]
    for part in (0, 1):
        slopes = grad(lambda x, part=part: np.sum(np.linalg.qr(x)[part]))
        several = slopes(np.stack((singular, TALL)))
        assert np.isnan(several[0]).all()
        assert np.isnan(slopes(np.zeros((1, 1)))).all()
        np.testing.assert_allclose(several[1], slopes(TALL))
        with debug(), pytest.raises(NonFiniteError, match=r"gradient of (orthogonal|triangular)_factor"):
            slopes(singular)
    for mode, x, said in (
        ("complete", TALL, 'expected mode="reduced" for a matrix with more rows'),
        ("raw", TALL, 'expected mode="reduced", "complete" or "r", got \'raw\''),
    ):
        with pytest.raises(ValueError, match=said):
            np.linalg.qr(Tensor(x), mode)
    assert np.linalg.qr(Tensor(TALL.T), "complete").Q.shape == (2, 2)
    np.testing.assert_array_equal(np.linalg.qr(Tensor(TALL), "r").data, np.linalg.qr(TALL, "r"))


def test_each_is_computed_once_for_all_its_parts(monkeypatch):
    for name, x in (("eigh", SYMMETRIC), ("svd", TALL), ("qr", TALL)):
        real, calls = getattr(np.linalg, name), []
        real_type = type(real(np.eye(2)))

        def counted(x, *options, real=real, calls=calls):
            if isinstance(x, Tensor):
                return real(x, *options)
            calls.append(x)
            return real(x, *options)

        t = Tensor(x)
        monkeypatch.setattr(np.linalg, name, counted)
        parts = getattr(np.linalg, name)(t)
        sum(np.sum(part * part * part) for part in parts).backward()
        monkeypatch.undo()
        assert type(parts) is real_type
        assert len(calls) == 1
        for part, numpys in zip(parts, real(x), strict=True):
            np.testing.assert_array_equal(part.data, numpys)
            o, params = part.node.op, part.node.params
            again = o(2 * x + 1e-3, **params)  # of another array it is found anew: it stays a function
            alone = {key: value for key, value in params.items() if key != "_found"}
            np.testing.assert_allclose(again, REGISTRY[o.name](2 * x + 1e-3, **alone), rtol=1e-12)


def test_the_empty_the_single_and_the_stacked():
    for shape in ((0, 0), (1, 1), (0, 2, 2), (2, 0, 0)):
        x = np.full(shape, 3.0)
        for f in (np.linalg.eigh, np.linalg.svd, np.linalg.qr, np.linalg.pinv):
            got, numpys = f(Tensor(x)), f(x)
            for ours, theirs in zip(*((r if isinstance(r, tuple) else [r]) for r in (got, numpys)), strict=True):
                np.testing.assert_array_equal(ours.data, theirs)
                if shape != (0, 2, 2) and ours.size <= 1:
                    g = grad(lambda x, f=f: np.sum(f(x)[0] if isinstance(f(x), tuple) else f(x)))(x)
                    assert g.shape == shape
    for shape in ((0, 3), (3, 0)):
        x = np.ones(shape)
        for ours, theirs in zip(np.linalg.svd(Tensor(x)), np.linalg.svd(x), strict=True):
            np.testing.assert_array_equal(ours.data, theirs)
        assert grad(lambda x: np.sum(np.linalg.svd(x)[1]))(x).shape == shape
    for shape in ((0, 0), (1, 1), (0, 2), (2, 0), (0, 2, 2), (2, 0, 0)):
        x = np.full(shape, 3.0 + 4j)
        for f in (lambda x: np.linalg.svd(x, False), np.linalg.qr):
            g = grad(lambda x, f=f: sum(np.sum(np.abs(part)) for part in f(x)))(x)
            np.testing.assert_allclose(g, x / 5, rtol=1e-14, strict=True)


@pytest.mark.parametrize("f", [np.linalg.eigh, np.linalg.svd, np.linalg.pinv, np.linalg.svdvals, np.linalg.eigvalsh])
def test_what_numpy_refuses_is_refused(f):
    for bad in (Tensor(np.full((3, 3), np.nan)), Tensor(np.ones(3))):
        with pytest.raises(np.linalg.LinAlgError):
            f(bad)
    with pytest.raises(TypeError, match="float16 is unsupported"):
        f(Tensor(np.eye(2, dtype=np.float16)))


def test_condition_numbers_are_infinite_where_numpys_are_and_their_gradient_is_no_number():
    flat = np.diag([3.0, 0.0])
    for p in (None, 1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc"):
        for x in (TALL[:2], np.stack([TALL[:2], flat, np.zeros((2, 2))])):
            if p == "nuc" and x.ndim == 3:  # of which NumPy itself cannot tell
                continue
            got = np.linalg.cond(Tensor(x), p).data
            np.testing.assert_allclose(got, np.linalg.cond(x, p), rtol=1e-12, atol=1e-15)
        if p not in (-2, "nuc"):
            with np.errstate(all="ignore"):
                assert not np.isfinite(grad(lambda x, p=p: np.linalg.cond(x, p))(flat)).all()
        check_gradients(lambda x, p=p: np.linalg.cond(x, p), TALL[:2])
    assert np.isnan(np.linalg.cond(Tensor(np.full((2, 2), np.nan)), 1).data)


def test_products_are_made_in_the_cheapest_order(monkeypatch):
    rng = np.random.default_rng(2)
    for sides in ((5, 2, 9, 1, 7, 3), (1, 4, 4, 1), (10, 30, 5, 60), (3, 3)):
        arrays = [rng.normal(size=pair) for pair in itertools.pairwise(sides)]
        if len(arrays) < 2:
            arrays *= 2
        leaves = [Tensor(a) for a in arrays]
        product = np.linalg.multi_dot(leaves)
        np.testing.assert_allclose(product.data, np.linalg.multi_dot(arrays), rtol=1e-12)
        cost, waiting = 0, [product.node]
        while waiting:
            node = waiting.pop()
            if node.op is not None:
                cost += node.args[0].size * node.args[1].shape[1]
                waiting += node.parents
        assert cost == least((*(a.shape[0] for a in arrays), arrays[-1].shape[1]))
    vector = rng.normal(size=3)
    for ends in ((vector, np.eye(3), vector), (vector, np.ones((3, 2))), (np.ones((2, 3)), vector)):
        got = np.linalg.multi_dot([Tensor(a) for a in ends])
        np.testing.assert_allclose(got.data, np.linalg.multi_dot(ends), strict=True)
    for bad in ([vector], [np.eye(3), vector, np.eye(3)], [np.ones((1, 3, 3)), np.eye(3)]):
        with pytest.raises(ValueError, match="multi_dot: expected"):
            np.linalg.multi_dot([Tensor(a) for a in bad])


def least(sides):
    """The fewest multiplications, by trying each order."""
    inner = range(1, len(sides) - 1)
    return min((sides[i - 1] * sides[i] * sides[i + 1] + least(sides[:i] + sides[i + 1 :]) for i in inner), default=0)


def test_powers_of_a_matrix_are_numpys_to_the_bit():
    x = TALL[:2]
    for n in range(-7, 12):
        np.testing.assert_array_equal(np.linalg.matrix_power(Tensor(x), n).data, np.linalg.matrix_power(x, n))
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.linalg.matrix_power(x, 0)))(x), np.zeros((2, 2)))
    check_gradients(lambda x: np.sum(np.linalg.matrix_power(x, 5)), x)
    for bad, error in ((x[:1], np.linalg.LinAlgError), (np.ones(2), np.linalg.LinAlgError)):
        with pytest.raises(error):
            np.linalg.matrix_power(Tensor(bad), 2)
    with pytest.raises(TypeError, match="integer"):
        np.linalg.matrix_power(Tensor(x), 0.5)


def test_eigenvalues_of_any_matrix_and_their_vectors_up_to_a_phase():
    weights = random(4, 4)

    def f(x):
        w, v = np.linalg.eig(x)
        return np.sum(np.abs(v) ** 3 * weights) + np.sum(np.cos(np.real(w)) + np.imag(w) ** 2)

    turning = random(4, 4)
    symmetric = turning + turning.T
    assert np.iscomplexobj(np.linalg.eigvals(turning))
    for x in (turning, symmetric, turning + 1j * random(4, 4)[::-1]):
        check_gradients(f, x)
        assert grad(f)(x).dtype == x.dtype
        both = [(np.linalg.eigvals(a), *np.linalg.eig(a)) for a in (Tensor(x), x)]
        for ours, numpys in zip(*both, strict=True):
            np.testing.assert_array_equal(ours.data, numpys, strict=True)
    # A matrix of real eigenvalues has real vectors, of any sign: an element's gradient is there.
    check_gradients(lambda x: np.sum(np.real(np.linalg.eig(x)[1]) ** 3 * random(3, 3)), np.diag([1.0, 2, 4]) + 0.1)
    k, real = np.argsort(-np.abs(np.imag(np.linalg.eigvals(turning))))[[0, -1]]
    assert np.isreal(np.linalg.eigvals(turning)[real])  # beside complex ones, and its vector is as real
    check_gradients(lambda x: np.sum(np.real(np.linalg.eig(x)[1])[:, real] ** 3), turning)
    with pytest.raises(np.linalg.LinAlgError, match=r"absolute value 1 .* np\.abs\(v\)"):
        grad(lambda x: np.real(np.linalg.eig(x)[1][0, k]) * 2 + np.imag(np.linalg.eig(x)[1][0, k]))(turning)
    # The sum of all is the trace, and that of the squares that of the square, whatever coincides.
    np.testing.assert_array_equal(grad(lambda x: np.real(np.sum(np.linalg.eigvals(x))))(TWICE), np.eye(2))
    assert np.isnan(grad(lambda x: np.sum(np.real(np.linalg.eig(x)[1])[:, 0] ** 3))(TWICE)).all()
    jordan = np.stack([np.diag([1.0, 2.0]), [[1.0, 1.0], [0.0, 1.0]]])  # the second has one direction of eigenvectors
    for part in (lambda x: np.linalg.eigvals(x) ** 2, lambda x: np.linalg.eig(x)[1] ** 3):
        g = grad(lambda x, part=part: np.sum(np.real(part(x))))(jordan)
        assert np.isfinite(g[0]).all()
        assert np.isnan(g[1]).all()
    third = grad(lambda x: np.real(np.sum(np.linalg.eigvals(x) ** 3)))(turning)
    np.testing.assert_allclose(third, 3 * np.linalg.matrix_power(turning, 2).T, rtol=1e-12, atol=1e-12)


def test_real_vectors_in_complex_numbers_have_no_phase(monkeypatch):
    """As NumPy gives them from 2.5 on, of any matrix."""
    weights, told = random(4, 4), np.linalg.eig
    from_real = random(4, 4) * 0.1 + np.diag([1.0, 2, 4, 7])

    def f(x):
        w, v = decompositions.eig(x)
        return np.sum(np.real(v) ** 3 * weights) + np.sum(np.imag(v) * weights) + np.real(np.sum(np.cos(w)))

    real = grad(f)(from_real)
    monkeypatch.setattr(np.linalg, "eig", lambda x: type(told(x))(*(part + 0j for part in told(x))))
    monkeypatch.setattr(decompositions, "_COMPLEX_FOR_ALL", True)
    assert np.iscomplexobj(decompositions.eig(from_real)[1])
    assert np.isrealobj(grad(f)(from_real))
    np.testing.assert_allclose(grad(f)(from_real), real, rtol=1e-10)
    with pytest.raises(np.linalg.LinAlgError, match="absolute value 1"):
        grad(f)(np.array([[0.0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 2, 0], [0, 0, 0, 3]]))  # of a rotation they have one


def wild(*shape):
    return random(*shape) + 1j * np.random.default_rng(1).normal(size=shape)


def hermitian(x):
    return x + np.conj(np.swapaxes(x, -1, -2))


COMPLEX = {
    "eigvalsh": (lambda x: np.linalg.eigvalsh(x), wild(3, 3)),
    "eigvalsh of the upper triangle": (lambda x: np.linalg.eigvalsh(x, "U"), wild(3, 3)),
    "eigh": (lambda x: np.abs(np.linalg.eigh(x)[1]) ** 3, wild(3, 3)),
    "eigh, a projection": (lambda x: (lambda v: v @ np.conj(v.T))(np.linalg.eigh(x)[1][:, :2]), wild(4, 4)),
    "svd of Hermitian matrices": (
        lambda x: (lambda u, s, v: (u * np.cos(s)) @ v)(*np.linalg.svd(hermitian(x), hermitian=True)),
        wild(3, 3),
    ),
    "pinv": (np.linalg.pinv, wild(2, 4, 2)),
    "pinv of Hermitian matrices": (lambda x: np.linalg.pinv(hermitian(x), hermitian=True), wild(3, 3)),
    "lstsq": (lambda x: np.linalg.lstsq(x[:, :2], x[:, 2:])[0], wild(4, 4)),
    "lstsq, what is left": (lambda x: np.linalg.lstsq(x[:, :2], x[:, 2:])[1], wild(4, 4)),
    "lstsq, wide": (lambda x: np.linalg.lstsq(x[:2], x[2:, 0])[0], wild(4, 4)),
    "matrix_power": (lambda x: np.linalg.matrix_power(x, -3), wild(3, 3)),
    "svdvals": (np.linalg.svdvals, wild(2, 3)),
    "nuclear norm": (lambda x: np.linalg.norm(x, "nuc"), wild(3, 2)),
    "spectral norm": (lambda x: np.linalg.norm(x, 2, axis=(0, 1), keepdims=True), wild(2, 3)),
    "cond": (np.linalg.cond, wild(2, 2)),
    "svd, a product": (lambda x: (lambda u, s, v: (u * np.cos(s)) @ v)(*np.linalg.svd(x, False)), wild(3, 2)),
    "svd, an entry of it": (lambda x: (lambda u, s, v: u[0] * v[:, 1])(*np.linalg.svd(x, False)), wild(2, 3)),
    "svd, the left only": (lambda x: np.abs(np.linalg.svd(x, False)[0]) ** 3, wild(2, 3, 2)),
    "svd, the right only": (lambda x: np.abs(np.linalg.svd(x, False)[2]) ** 3, wild(2, 2, 3)),
    "svd, the null space": (
        lambda x: (lambda v: np.conj(v.T) @ v)(np.linalg.svd(x)[2][2:]) + np.abs(np.linalg.svd(x)[0][0, 0]),
        wild(2, 4),
    ),
    "svd of real numbers": (
        lambda x: (lambda u, s, v: u[0] * v[:, 1] + u[1] * v[:, 0])(*np.linalg.svd(x + 0j)),
        SQUARE,
    ),
    "slogdet": (lambda x: (lambda sign, log: sign * log)(*np.linalg.slogdet(x * 1e-200)), wild(2, 2, 2)),
    "polar": (lambda x: (lambda u, s, v: u @ v)(*np.linalg.svd(x)), SQUARE + 0j),
    "qr": (lambda x: np.concatenate([part.ravel() for part in np.linalg.qr(x)]), wild(4, 2)),
    "qr, wide": (lambda x: np.concatenate([part.ravel() for part in np.linalg.qr(x)]), wild(2, 2, 4)),
    "qr, R alone": (lambda x: np.linalg.qr(x, "r"), wild(2, 3)),
    "cholesky": (lambda x: np.linalg.cholesky(hermitian(x) + 9 * np.eye(2)), wild(2, 2, 2)),
    "cholesky of one triangle": (lambda x: np.linalg.cholesky(x + 9 * np.eye(2)), wild(2, 2)),
    "cholesky of the upper triangle": (lambda x: np.linalg.cholesky(x + 9 * np.eye(2), upper=True), wild(2, 2)),
}


def test_decompositions_of_complex_matrices():
    for name, (f, x) in COMPLEX.items():
        value = f(x)
        np.testing.assert_allclose(f(Tensor(x)).data, value, rtol=1e-12, err_msg=name, strict=True)
        weights = wild(*np.shape(value))
        check_gradients(lambda x, f=f, w=weights: np.sum(np.real(f(x) * w)), x)
    # What is told to be Hermitian has a real diagonal, whatever stands there.
    for x in (wild(1, 1), wild(3, 3), np.stack((wild(2, 2), wild(2, 2)))):
        for f in (
            lambda x: np.linalg.pinv(x, hermitian=True), np.linalg.eigvalsh, lambda x: np.linalg.eigvalsh(x, "U"),
            lambda x: np.linalg.svd(x, compute_uv=False, hermitian=True),
        ):  # fmt: skip
            np.testing.assert_allclose(f(Tensor(x)).data, f(x), rtol=1e-11, atol=1e-13)
            weights = wild(*np.shape(f(x)))
            check_gradients(lambda x, f=f, w=weights: np.sum(np.real(f(x) * w)), x)
    with pytest.raises(np.linalg.LinAlgError, match=r"a function of np\.abs\(v\)"):
        grad(lambda x: np.real(np.linalg.eigh(x)[1][1, 0] * 1j))(wild(3, 3))


def test_a_function_of_complex_singular_vectors_that_depends_on_their_phases_is_an_error():
    x = wild(3, 3)
    for depends in (
        lambda u, s, v: u[0, 0].real,
        lambda u, s, v: v[0, 1].real,
        lambda u, s, v: (np.conj(u[0, 0]) * v[0, 1]).imag,  # each turns the other way
        lambda u, s, v: (u[0, 0] * v[1, 1]).real,  # of two pairs
    ):
        with pytest.raises(np.linalg.LinAlgError, match="both of a pair"):
            grad(lambda x, f=depends: f(*np.linalg.svd(x)))(x)
    # What depends on both very little is no error beside a large part that does not.
    f = lambda u, s, v: 1e-9 * (u[0, 0] * v[0, 1]).real + np.sum(np.abs(v) ** 3)  # noqa: E731
    assert np.isfinite(grad(lambda x: f(*np.linalg.svd(x)))(x)).all()
    with pytest.raises(np.linalg.LinAlgError, match="function of their projection"):
        grad(lambda x: np.abs(np.linalg.svd(x)[2][2, 0]) ** 2)(x[:1])


def test_complex_singular_vectors_have_none_at_equal_values_and_the_others_keep_theirs():
    parts = (
        lambda u, s, v: np.sum(np.abs(u[..., 0, :]) ** 3),
        lambda u, s, v: np.sum(np.abs(v[..., :, 0]) ** 3),
        lambda u, s, v: np.sum((u @ v).real),
    )
    stack = np.stack([np.diag([2j, 1.0]), 2 * np.eye(2), wild(2, 2)])
    for part in parts:
        f = lambda x, part=part: part(*np.linalg.svd(x, False))  # noqa: E731
        np.testing.assert_array_equal(np.isnan(grad(f)(stack)).any((1, 2)), [False, True, False])
        with debug(), pytest.raises(NonFiniteError, match="values that are equal, or nearer than rounding"):
            grad(f)(2 * np.eye(2) + 0j)
    # Where a value is 0 its vectors have phases of their own: alone they have derivatives, together they have none.
    low = np.outer([1, 2j, 3], [1, 1j, 2])
    u, _, v = np.linalg.svd(wild(3, 3))
    nearly = (u * [3.0, 1.0, 1e-12]) @ v
    assert np.isnan(grad(lambda x: np.sum((lambda u, s, v: u @ v)(*np.linalg.svd(x)).real))(low)).any()
    of_right = lambda x: np.sum(np.abs(np.linalg.svd(x)[2]) ** 3)  # noqa: E731
    by_eigh = grad(lambda x: np.sum(np.abs(np.linalg.eigh(np.conj(x.T) @ x)[1]) ** 3))(nearly)
    np.testing.assert_allclose(grad(of_right)(nearly), by_eigh, rtol=1e-10, atol=1e-12)


REPLAYED = {
    "eig": lambda x: np.sum(np.abs(np.linalg.eig(x + x.T)[1]) ** 3) + np.sum(np.real(np.linalg.eigvals(x + x.T)) ** 3),
    "eigh": lambda x: sum(np.sum(part**3) for part in np.linalg.eigh(x + x.T)),
    "svd": lambda x: sum(np.sum(part**3) for part in np.linalg.svd(x[:, :2])),
    "complex svd": lambda x: np.sum((lambda u, s, v: u * np.cos(s) @ v)(*np.linalg.svd(x + 1j * x.T)).real),
    "qr": lambda x: sum(np.sum(part**3) for part in np.linalg.qr(x)),
    "lstsq": lambda x: sum(np.sum(part**2) for part in np.linalg.lstsq(x[:, :2], x[:, 2])[:2]),
    "cond": lambda x: np.linalg.cond(x) + np.linalg.cond(x, 1) + np.linalg.norm(x, "nuc"),
}


@pytest.mark.parametrize("name", REPLAYED)
def test_a_replay_gives_the_same_bits_for_other_numbers(name):
    step = value_and_grad(REPLAYED[name])
    made, rng = replay(step), np.random.default_rng(0)
    for turn in range(6):
        x = rng.normal(size=(3, 3)) if turn < 5 or name != "lstsq" else np.ones((3, 3))  # of rank 1
        for ours, theirs in zip(made(x), step(x), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert made.show()[0].isdigit()  # it was replayed


def test_high_derivatives_are_those_of_many_digits(judge):
    mpmath = judge("mpmath")
    a, b = SYMMETRIC, np.array([[0.3, -0.7, 0.2], [-0.7, 0.1, 0.9], [0.2, 0.9, -0.4]])
    with mpmath.workdps(50):

        def values(t, part):
            w, v = mpmath.eigsy(mpmath.matrix(a.tolist()) + t * mpmath.matrix(b.tolist()))
            return w[2] if part == "value" else v[0, 0] ** 2

        for part, f in (
            ("value", lambda t: np.linalg.eigvalsh(a + t * b)[2]),
            ("vector", lambda t: np.linalg.eigh(a + t * b)[1][0, 0] ** 2),
        ):
            for order in (1, 2, 3):
                f = grad(f)
                expected = float(mpmath.diff(lambda t, part=part: values(t, part), mpmath.mpf(0), order))
                assert math.isclose(f(0.0), expected, rel_tol=1e-9)


def test_the_second_derivative_of_a_determinant_is_that_of_the_product_of_the_values():
    ours = hessian(lambda x: np.prod(np.linalg.svdvals(x)))(SYMMETRIC)
    np.testing.assert_allclose(ours, hessian(np.linalg.det)(SYMMETRIC), rtol=1e-8, atol=1e-9)
