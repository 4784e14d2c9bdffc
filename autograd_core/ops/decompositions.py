"""Decompositions of matrices, and what is made of them: least squares and inverses of matrices that have none.

Values have a derivative wherever they are apart from each other and from zero. Vectors have one only there: where two
values are equal, as far as rounding can tell, their gradient is NaN, and an error in `debug()`. Complex vectors are
known up to their phases: a function of them that is not the same for all phases has no derivative, and is an error.

The formulas are those of M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", 2008, of J. Townsend, "Differentiating the singular value decomposition", 2016, and, for complex
numbers, of Z.-Q. Wan and S.-X. Zhang, "Automatic differentiation for complex valued SVD", 2019.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import asarray_like, decide, one_call
from ..dispatch import plain
from ..domain import example
from ..op import composed, is_complex, op
from ..walk import conjugate
from .linalg import WELL


def _t(x: Any) -> Any:
    """The transpose of each matrix."""
    return np.swapaxes(x, -1, -2)


def _h(x: Any) -> Any:
    """The conjugate transpose of each matrix."""
    return conjugate(_t(x))


def _seen(rule: Any) -> Any:
    """Decorate a rule for the gradient that people see: between complex numbers the walk's is its conjugate."""

    @functools.wraps(rule)
    def computed(g: Any, *args: Any, **params: Any) -> Any:
        return conjugate(rule(conjugate(g), *args, **params))

    return computed


class Once:
    """What LAPACK finds for an array, for several ops to read: found once, and anew for any other array.

    An op that is given one stays a function of its argument.

    >>> found = Once(np.linalg.eigh)
    >>> x = np.diag([1.0, 2.0])
    >>> found(x) is found(x), found(x) is found(2 * x)
    (True, False)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.of: tuple[Any, ...] = ()

    def __call__(self, *xs: Any) -> Any:
        if not self.of:
            self.of, self.parts = xs, self.function(*xs)
        return self.parts if all(x is known for x, known in zip(xs, self.of, strict=True)) else self.function(*xs)

    def __repr__(self) -> str:
        return "found"


# Numbers that are no further apart than this many roundings of the largest are equal, as far as LAPACK can tell.
_ROUNDINGS = 10


def _over_gaps(x: Any, gaps: Any, largest: Any) -> Any:
    """``x / gaps`` beside the diagonal, and 0 on it; NaN where a gap is no more than rounding.

    But for a gap that is not 0 what is exactly 0 stays that: a function of other vectors alone.
    """
    eye = asarray_like(gaps, np.eye(np.shape(x)[-1], dtype=gaps.dtype))
    rounding = _ROUNDINGS * np.finfo(x.dtype).eps * np.expand_dims(largest, (-1, -2))
    closed = (gaps == 0) | ((np.abs(gaps) <= rounding) & (x != 0))
    return _unless(closed & (eye == 0), x * (1 - eye), gaps + eye)


def _unless(closed: Any, x: Any, by: Any) -> Any:
    """``x / by``, and NaN where ``closed``; of complex numbers a quotient with NaN would be warned of."""
    return x * asarray_like(by, np.where(closed, np.nan, 1).astype(by.dtype)) / np.where(closed, 1, by)


@op(
    r"\operatorname{cholesky} x",
    examples=(
        example(WELL @ WELL.T),
        example(np.stack((WELL @ WELL.T, WELL.T @ WELL))),
        example(np.array([[4.0]])),
        example((0, 2, 2)),
    ),
    complex=True,
)
def cholesky(x: Any) -> Any:
    """The lower triangular root of a symmetric positive definite matrix; only the lower triangle of it is read.

    So only that has a gradient, and an element beside the diagonal receives that of its mirror image too. The
    gradient of JAX and PyTorch is the symmetric part of this one: along symmetric changes they agree. The rule is
    from I. Murray, "Differentiation of the Cholesky decomposition", 2016, whose Φ is the lower triangle with half
    of the diagonal.
    """
    return np.linalg.cholesky(x)


@cholesky.vjp(r"\Phi(S + S^{\mathsf T}) \text{ with } S = z^{-\mathsf T} \Phi(z^{\mathsf T} g)\, z^{-1}")
@_seen
def _(g: Any, z: Any, x: Any) -> Any:
    t = _h(z)
    left = np.linalg.solve(t, _lower_half(np.matmul(t, g)))
    return _folded(_h(np.linalg.solve(t, _h(left))), "L")


def _lower_half(x: Any) -> Any:
    """Murray's Φ: the lower triangle, with half of the diagonal."""
    return np.tril(x) * asarray_like(x, 1 - np.eye(np.shape(x)[-1], dtype=x.dtype) / 2)


@cholesky.implements(np.linalg.cholesky)
def _(x: Any, *, upper: bool = False) -> Any:
    return _h(cholesky(_h(x))) if upper else cholesky(x)


# -- of symmetric matrices -----------------------------------------------------------------------------


SYMMETRIC = np.array([[4.3, 0.5, -0.2], [0.5, 2.4, 0.3], [-0.2, 0.3, 6.7]])  # at a 0 signs of vectors may jump
TRIANGLES = (example(SYMMETRIC), example(np.stack((SYMMETRIC, WELL))[:, :2, :2], UPLO="U"), example((1, 0, 0)))


def _folded(s: Any, UPLO: Any) -> Any:
    """The gradient of the triangle that is read, from that of the whole symmetric matrix."""
    read = _lower_half(s + _h(s))
    return read if UPLO in "lL" else _h(read)


@op(r"\operatorname{eigh}(x)_w", numpy=np.linalg.eigvalsh, examples=TRIANGLES, complex=True)
def eigvalsh(x: Any, UPLO: Any = "L", _found: Any = None) -> Any:
    """The eigenvalues of a symmetric matrix in ascending order; only one triangle of it is read.

    So only that has a gradient, as of `cholesky`. Sums over equal eigenvalues are smooth, and their gradient is right;
    each alone has a kink there, and gets the derivative along the vectors that LAPACK found.
    """
    return np.linalg.eigvalsh(x, UPLO) if _found is None else _found(x)[0]


@eigvalsh.vjp(r"\Phi(S + S^{\mathsf T}) \text{ with } S = V\,\operatorname{diag}(g)\,V^{\mathsf T}")
@_seen
def _(g: Any, z: Any, x: Any, UPLO: Any = "L", _found: Any = None) -> Any:
    v = eigenvectors(x, UPLO=UPLO, _found=_found)
    return _folded(np.matmul(v * np.expand_dims(g, -2), _h(v)), UPLO)


@op(r"\operatorname{eigh}(x)_V", examples=TRIANGLES, complex=True)
def eigenvectors(x: Any, UPLO: Any = "L", _found: Any = None) -> Any:
    """The orthonormal eigenvectors of a symmetric matrix, a column for each of `eigvalsh`."""
    return (np.linalg.eigh(x, UPLO) if _found is None else _found(x))[1]


@eigenvectors.vjp(
    r"\Phi(S + S^{\mathsf T}) \text{ with } S = z\,(F \cdot (z^{\mathsf T} g))\,z^{\mathsf T}"
    r", F_{ij} = \frac{1}{w_j - w_i}, F_{ii} = 0"
)
@_seen
def _(g: Any, z: Any, x: Any, UPLO: Any = "L", _found: Any = None) -> Any:
    w = eigvalsh(x, UPLO=UPLO, _found=_found)
    _check_phases(z, g)
    t = np.matmul(_h(z), g)
    turned = _over_gaps((t - _h(t)) / 2, np.expand_dims(w, -2) - np.expand_dims(w, -1), _largest(w))
    return _folded(np.matmul(np.matmul(z, turned), _h(z)), UPLO)


def _largest(values: Any) -> Any:
    sizes = np.abs(plain(values))
    return np.max(sizes, axis=-1) if np.shape(sizes)[-1] else np.sum(sizes, axis=-1)


# NumPy's named tuples.
_Eigh: Any = type(np.linalg.eigh(np.eye(1)))
_SVD: Any = type(np.linalg.svd(np.eye(1)))
_QR: Any = type(np.linalg.qr(np.eye(1)))


@composed(r"\operatorname{eigh}(x)", numpy=np.linalg.eigh, examples=TRIANGLES[:1])
def eigh(x: Any, UPLO: Any = "L") -> Any:
    """The eigenvalues and eigenvectors of a symmetric matrix: `eigvalsh` and `eigenvectors`."""
    found = Once(lambda x: np.linalg.eigh(x, UPLO))
    return _Eigh(eigvalsh(x, UPLO=UPLO, _found=found), eigenvectors(x, UPLO=UPLO, _found=found))


# -- of any square matrix ------------------------------------------------------------------------------


# Their eigenvalues are real.
SQUARE = np.array([[1.0, 0.3, -0.2], [0.4, 2.5, 0.1], [-0.3, 0.2, 4.0]])
SQUARES = (example(SQUARE), example(np.stack((SQUARE.T, -2 * SQUARE))[:, :2, :2]), example((0, 0)))


_COMPLEX_FOR_ALL = np.iscomplexobj(np.linalg.eigvals(np.eye(1)))  # from NumPy 2.5 on


def by_its_numbers(found: Any, x: Any, decisive: Any = None) -> Any:
    """What was found of ``x`` in complex numbers, in real ones where ``x`` and all that is decisive are: a decision."""
    decisive = found if decisive is None else decisive
    return found if is_complex(x) or decide(np.any(np.imag(decisive))) else np.real(found)


@one_call
def _eig(x: Any) -> Any:
    return tuple(part.astype(np.result_type(part, np.complex64), copy=False) for part in np.linalg.eig(x))


@one_call
def _eigvals(x: Any) -> Any:
    values = np.linalg.eigvals(x)
    return values.astype(np.result_type(values, np.complex64), copy=False)


@op(r"\operatorname{eig}(x)_w", numpy=np.linalg.eigvals, examples=SQUARES, complex=True)
def eigvals(x: Any, _found: Any = None) -> Any:
    """The eigenvalues of a square matrix in no order; as NumPy's, real numbers where all are, else complex ones.

    A matrix whose eigenvectors span no whole space has no derivative of them: it is NaN.
    """
    values = _eigvals(x) if _found is None else _found(x)[0]
    return values if _COMPLEX_FOR_ALL else by_its_numbers(values, x)


@eigvals.vjp(r"V^{-\mathsf T} \operatorname{diag}(g)\,V^{\mathsf T}")
def _(g: Any, z: Any, x: Any, _found: Any = None) -> Any:
    v = _whole(_t(eig_vectors(x, _found=_found)))
    return np.linalg.solve(v, np.expand_dims(g, -1) * v)


@op(r"\operatorname{eig}(x)_V", examples=SQUARES, complex=True)
def eig_vectors(x: Any, _found: Any = None) -> Any:
    """The eigenvectors of a square matrix, a column of length 1 for each of `eigvals`.

    A complex one may be multiplied by any number of absolute value 1: a gradient that depends on which is an error.
    """
    values, vectors = _eig(x) if _found is None else _found(x)
    return vectors if _COMPLEX_FOR_ALL else by_its_numbers(vectors, x, values)


@eig_vectors.vjp(
    r"z^{-\mathsf T}\,(F \cdot (z^{\mathsf T} g - z^{\mathsf T} \bar z\,\operatorname{diag}(z^{\mathsf T} g)))\,"
    r"z^{\mathsf T}, F_{ij} = \frac{1}{w_j - w_i}, F_{ii} = 0"
)
def _(g: Any, z: Any, x: Any, _found: Any = None) -> Any:
    w, v = eigvals(x, _found=_found), _whole(_t(z))
    t = np.matmul(v, g)
    along = np.real(np.sum(z * g, axis=-2, keepdims=True))  # what makes a vector longer is undone
    _check_phases(z, conjugate(g), signs=not np.iscomplexobj(x))
    turned = t - np.matmul(v, np.conj(z)) * along
    gaps = np.expand_dims(w, -2) - np.expand_dims(w, -1)
    return np.linalg.solve(v, np.matmul(_over_gaps(turned, gaps, _largest(w)), v))


def _whole(v: Any) -> Any:
    """The eigenvectors, or NaN where they span no whole space: such a matrix has no derivatives."""
    n = np.shape(v)[-1]
    short = np.linalg.matrix_rank(plain(v)) < n if n else np.zeros(np.shape(v)[:-2], bool)
    return np.where(np.expand_dims(short, (-1, -2)), np.nan, v) if decide(np.any(short)) else v


def _check_phases(z: Any, g: Any, signs: bool = False) -> None:
    """Raise unless a function of complex vectors stays as it is when each gets another phase.

    With ``signs`` those without imaginary parts have none: NumPy 2.5 says in complex numbers what was real.
    """
    if not np.iscomplexobj(z):
        return
    t = np.conj(plain(z)) * plain(g)
    least = np.sqrt(np.finfo(t.dtype).eps) * np.sum(np.abs(t), axis=-2)
    turned = np.abs(np.imag(np.sum(t, axis=-2))) > least
    if decide(np.any(turned & np.any(np.imag(plain(z)) != 0, axis=-2) if signs else turned)):
        raise np.linalg.LinAlgError(
            "vectors of a complex matrix: expected a function that stays the same when each is multiplied by a number "
            "of absolute value 1 (of singular vectors: both of a pair), got one that does not, and so has no "
            "derivative: any of these will do; write a function of np.abs(v), or of quotients of elements of one column"
        )


_Eig: Any = type(np.linalg.eig(np.eye(1)))


@composed(r"\operatorname{eig}(x)", numpy=np.linalg.eig, examples=SQUARES[:1])
def eig(x: Any) -> Any:
    """The eigenvalues and eigenvectors of a square matrix: `eigvals` and `eig_vectors`."""
    found = Once(_eig)
    return _Eig(eigvals(x, _found=found), eig_vectors(x, _found=found))


# -- singular values -----------------------------------------------------------------------------------


TALL = np.array([[2.0, -0.5], [0.4, 1.5], [-0.3, 0.6]])
WIDE = TALL.T.copy()
RECTANGLES = (example(TALL), example(np.stack((WIDE, [[1.0, 0.2, 0.7], [0.1, -2.0, 0.3]]))))


def _thin(x: Any) -> Any:
    return np.linalg.svd(x, full_matrices=False)


@op(r"\operatorname{svd}(x)_s", numpy=np.linalg.svdvals, examples=(*RECTANGLES, example((2, 0))), complex=True)
def svdvals(x: Any, _found: Any = None) -> Any:
    """The singular values of a matrix, the largest first. One that is 0 has the derivative 0, as an absolute value."""
    return np.linalg.svd(x, compute_uv=False) if _found is None else _found(x)[1]


@svdvals.vjp(r"U\,\operatorname{diag}(g)\,V^{\mathsf T}")
@_seen
def _(g: Any, z: Any, x: Any, _found: Any = None) -> Any:
    k = np.shape(z)[-1]
    u, v = _pair(x, False, _found or Once(_thin))
    return np.matmul(u[..., :k] * np.expand_dims(g * np.sign(z), -2), v[..., :k, :])


def _pair(x: Any, full_matrices: bool, found: Any) -> tuple[Any, Any]:
    """The left and the right singular vectors of a matrix."""
    u = left_vectors(x, full_matrices=full_matrices, _found=found)
    return u, _right_of(x, u, full_matrices, found)


def _right_of(x: Any, u: Any, full_matrices: bool, found: Any) -> Any:
    """The right singular vectors of a matrix; of a complex one those whose phases belong to the left ones ``u``."""
    if np.iscomplexobj(x):
        k = min(np.shape(x)[-2:])
        u = u if np.shape(u)[-1] == k else u[..., :k]
        return partner_vectors(x, u, full_matrices=full_matrices, _found=found)
    return right_vectors(x, full_matrices=full_matrices, _found=found)


@op(
    r"\operatorname{svd}(x)_U",
    examples=(*RECTANGLES, example(TALL, full_matrices=True)),
    complex=True,
)
def left_vectors(x: Any, full_matrices: bool = False, _found: Any = None) -> Any:
    """The left singular vectors of a matrix, a column for each of `svdvals`."""
    return (np.linalg.svd(x, full_matrices) if _found is None else _found(x))[0]


@op(r"\operatorname{svd}(x)_V^{\mathsf T}", examples=(*RECTANGLES, example(WIDE, full_matrices=True)))
def right_vectors(x: Any, full_matrices: bool = False, _found: Any = None) -> Any:
    """The right singular vectors of a matrix, a row for each of `svdvals`."""
    return (np.linalg.svd(x, full_matrices) if _found is None else _found(x))[2]


@op(
    r"\operatorname{svd}(x)_V^{\mathsf T}",
    examples=tuple(example(x, np.linalg.svd(x, False)[0]) for x in (TALL, WIDE)),
    complex=True,
)
def partner_vectors(x: Any, y: Any, full_matrices: bool = False, _found: Any = None) -> Any:
    """The right singular vectors of a complex matrix, each with the phase that belongs to its left one, in ``y``.

    One of a pair may have any phase, and then the other has the same: what depends on that of this one depends on that
    of ``y``, and is noticed where the gradients of both have come together.
    """
    return right_vectors.function(x, full_matrices, _found)


@left_vectors.vjp(
    r"S\,V^{\mathsf T} \text{ with } S = z\,(F \cdot (z^{\mathsf T} g - g^{\mathsf T} z))\,\operatorname{diag}(s)"
    r" + (g - z\,z^{\mathsf T} g)\,\operatorname{diag}(s)^{-1}, F_{ij} = \frac{1}{s_j^2 - s_i^2}, F_{ii} = 0"
)
@_seen
def _(g: Any, z: Any, x: Any, full_matrices: bool = False, _found: Any = None) -> Any:
    found = _found or Once(lambda x: np.linalg.svd(x, full_matrices))
    s, v = svdvals(x, _found=found), _h(_right_of(x, z, full_matrices, found))
    k = np.shape(s)[-1]
    _check_phases(z[..., :k], g[..., :k])
    return _of_left(g, z, s, v)


OF_RIGHT = (
    r"U\,S^{\mathsf T} \text{ with } S = z^{\mathsf T}\,(F \cdot (z\,g^{\mathsf T} - g\,z^{\mathsf T}))\,"
    r"\operatorname{diag}(s) + (g^{\mathsf T} - z^{\mathsf T} z\,g^{\mathsf T})\,\operatorname{diag}(s)^{-1}"
    r", F_{ij} = \frac{1}{s_j^2 - s_i^2}, F_{ii} = 0"
)


@right_vectors.vjp(OF_RIGHT)
def _(g: Any, z: Any, x: Any, full_matrices: bool = False, _found: Any = None) -> Any:
    found = _found or Once(lambda x: np.linalg.svd(x, full_matrices))
    u = left_vectors(x, full_matrices=full_matrices, _found=found)
    return _t(_of_left(_t(g), _t(z), svdvals(x, _found=found), u))


@partner_vectors.vjp(OF_RIGHT)  # and of a complex matrix what turns both of a pair against each other
@_seen
def _(g: Any, z: Any, x: Any, y: Any, full_matrices: bool = False, _found: Any = None) -> Any:
    s = svdvals(x, _found=_found or Once(lambda x: np.linalg.svd(x, full_matrices)))
    k = np.shape(s)[-1]
    turned, _ = _turned(g[..., :k, :], z[..., :k, :])
    none = s <= _ROUNDINGS * np.finfo(s.dtype).eps * np.expand_dims(_largest(s), -1)
    over = _unless(none & (plain(turned) != 0), turned, np.where(none, np.inf, s))
    return _h(_of_left(_h(g), _h(z), s, y)) - np.matmul(y * np.expand_dims(over, -2), z[..., :k, :])


@partner_vectors.vjp(r"y\,\operatorname{diag}(K - K^{\mathsf T}) \text{ with } K = z\,g^{\mathsf T} / 2")
@_seen
def _(g: Any, z: Any, x: Any, y: Any, full_matrices: bool = False, _found: Any = None) -> Any:
    k = np.shape(y)[-1]
    turned, size = _turned(g[..., :k, :], z[..., :k, :])
    # What makes ``y`` longer changes nothing, but tells `_check_phases` how much of this may be rounding.
    return y * np.expand_dims(turned + size * (plain(turned) != 0), -2)


def _turned(g: Any, z: Any) -> tuple[Any, Any]:
    """How a function changes with the phase of each row of ``z``, times i, and the size of what this is the sum of.

    What is no more than rounding is taken away as a constant: so it is 0, and has its derivatives.
    """
    parts = z * conjugate(g)
    size = np.sum(np.abs(plain(parts)), -1)
    t = np.sum(parts, -1)
    t = (t - conjugate(t)) / 2
    rounded = np.abs(plain(t)) <= _ROUNDINGS * np.finfo(z.dtype).eps * size
    return t - np.where(rounded, plain(t), 0), size


def _of_left(g: Any, u: Any, s: Any, v: Any) -> Any:
    """The gradient of a matrix from that of its left singular vectors; of its transpose from that of the right ones."""
    k = np.shape(s)[-1]
    g, beyond, u, null = g[..., :k], g[..., k:], u[..., :k], u[..., k:]
    t = np.matmul(_h(u), g)
    row, column = np.expand_dims(s, -2), np.expand_dims(s, -1)
    eye = asarray_like(s, np.eye(k, dtype=s.dtype))
    inner = np.matmul(u, _over_gaps(t - _h(t), row - column, _largest(s)) / (row + column + eye) * row)
    if np.shape(u)[-2] > k:  # what leaves the space that the vectors span
        outer = g - np.matmul(u, t)
        if np.shape(null)[-1]:
            _check_turns(np.matmul(_h(null), beyond))
            outer = outer - np.matmul(null, np.matmul(_h(beyond), u))
        rounding = _ROUNDINGS * np.finfo(s.dtype).eps * np.expand_dims(_largest(s), (-1, -2))
        inner = inner + _unless((row == 0) | ((row <= rounding) & (outer != 0)), outer, row)
    return np.matmul(inner, _h(v[..., :k]))


def _check_turns(t: Any) -> None:
    """Raise unless a function of vectors without singular values stays as it is when these are turned."""
    t = plain(t)
    least = np.sqrt(np.finfo(t.dtype).eps) * np.sum(np.abs(t), axis=(-2, -1), keepdims=True)
    if decide(np.any(np.abs(t - _h(t)) > least)):
        raise np.linalg.LinAlgError(
            "svd(full_matrices=True): expected a function of the vectors without singular values that stays the same "
            "when these are turned, got one that does not, and so has no derivative: any basis will do; write "
            "full_matrices=False, or a function of their projection, u @ u.T"
        )


@composed(
    r"\operatorname{svd}(x)",
    numpy=np.linalg.svd,
    examples=(example(TALL), example(SYMMETRIC - 3 * np.eye(3), hermitian=True)),
)
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """The left singular vectors, the singular values, the largest first, and the right singular vectors as rows.

    Vectors that belong to no singular value (``full_matrices=True`` of a matrix that is not square) are any basis: a
    gradient that depends on which is an error.
    """
    if hermitian:  # as NumPy: by the absolute eigenvalues, with their signs in the right vectors
        if not compute_uv:
            return np.flip(np.sort(np.abs(np.linalg.eigvalsh(x))), -1)
        w, v = np.linalg.eigh(x)
        order = np.argsort(np.abs(w))[..., ::-1]
        w, v = np.take_along_axis(w, order, -1), np.take_along_axis(v, np.expand_dims(order, -2), -1)
        return _SVD(v, np.abs(w), _h(v * np.expand_dims(np.sign(w), -2)))
    if not compute_uv:
        return np.linalg.svdvals(x)
    found = Once(lambda x: np.linalg.svd(x, full_matrices))
    left, right = _pair(x, full_matrices, found)
    return _SVD(left, svdvals(x, _found=found), right)


# -- orthogonal and triangular -------------------------------------------------------------------------


@op(r"\operatorname{qr}(x)_Q", examples=(*RECTANGLES, example((2, 0))), complex=True)
def orthogonal_factor(x: Any, _found: Any = None) -> Any:
    """Orthonormal columns that span those of a matrix, whose products with a triangular matrix they are."""
    return (np.linalg.qr(x) if _found is None else _found(x))[0]


@orthogonal_factor.vjp(r"(g - z\,(L + L^{\mathsf T}))\,R^{-\mathsf T} \text{ with } L = \Phi(g^{\mathsf T} z)")
@_seen
def _(g: Any, z: Any, x: Any, _found: Any = None) -> Any:
    r = triangular_factor(x, _found=_found)
    k = np.shape(z)[-1]
    first = _over_triangle(g - np.matmul(z, _mirrored(np.matmul(_h(g), z))), r[..., :k])
    return np.concatenate((first, np.zeros_like(x[..., k:])), -1) if np.shape(x)[-1] > k else first


@op(r"\operatorname{qr}(x)_R", examples=(*RECTANGLES, example((2, 0))), complex=True)
def triangular_factor(x: Any, _found: Any = None) -> Any:
    """The upper triangular matrix that gives a matrix when `orthogonal_factor` is multiplied by it."""
    return np.linalg.qr(x, "r") if _found is None else _found(x)[1]


@triangular_factor.vjp(r"Q\,(L + L^{\mathsf T})\,z^{-\mathsf T} \text{ with } L = \Phi(z\,g^{\mathsf T})")
@_seen
def _(g: Any, z: Any, x: Any, _found: Any = None) -> Any:
    q = orthogonal_factor(x, _found=_found)
    k = np.shape(q)[-1]
    # What is beyond the square is the rest of the columns in the basis q: r = [z1 | qᵀ y].
    g1, g2, z1, z2, y = g[..., :k], g[..., k:], z[..., :k], z[..., k:], x[..., k:]
    sums = np.matmul(z1, _h(g1)) - np.matmul(g2, _h(z2))
    first = _over_triangle(np.matmul(y, _h(g2)) + np.matmul(q, _mirrored(sums)), z1)
    return np.concatenate((first, np.matmul(q, g2)), -1) if np.shape(x)[-1] > k else first


def _mirrored(x: Any) -> Any:
    """The Hermitian matrix with this lower triangle; of the diagonal only the real part is read, as by LAPACK."""
    half = _lower_half(x)
    return half + _h(half)


def _over_triangle(x: Any, r: Any) -> Any:
    """x Rᴴ⁻¹, and not a number where R is singular: such columns have no one basis. NumPy would refuse the stack."""
    singular = np.any(np.diagonal(r, axis1=-2, axis2=-1) == 0, -1)
    return _h(np.linalg.solve(np.where(singular[..., None, None], np.nan, r), _h(x)))


@composed(
    r"\operatorname{qr}(x)",
    numpy=np.linalg.qr,
    examples=(*RECTANGLES[1:], example(WIDE, mode="complete")),
)
def qr(x: Any, mode: str = "reduced") -> Any:
    """Orthonormal columns and an upper triangular matrix whose product a matrix is, of linearly independent columns."""
    if mode == "r":
        return triangular_factor(x)
    if mode == "complete" and np.shape(x)[-2] > np.shape(x)[-1]:
        raise ValueError(
            f'qr: expected mode="reduced" for a matrix with more rows than columns, got {mode!r} for shape '
            f"{list(np.shape(x))}: the columns beyond are any basis, and have no derivative"
        )
    if mode not in ("reduced", "complete"):
        raise ValueError(
            f'qr on Tensors: expected mode="reduced", "complete" or "r", got {mode!r}; what LAPACK keeps in between '
            "has no derivative: compute it on t.data"
        )
    found = Once(np.linalg.qr)
    return _QR(orthogonal_factor(x, _found=found), triangular_factor(x, _found=found))


# -- inverses of what has none -------------------------------------------------------------------------


@op(r"\operatorname{pinv} x", examples=(*RECTANGLES, example((0, 2))), complex=True)
def pinv(x: Any, rcond: Any = 1e-15) -> Any:
    """The pseudo-inverse of a matrix (E. H. Moore, 1920, R. Penrose, 1955).

    It jumps where the rank changes: of a matrix of lower rank this is the derivative among those of that rank
    (G. H. Golub and V. Pereyra, 1973).
    """
    return np.linalg.pinv(x, rcond)


@pinv.vjp(
    r"z^{\mathsf T}\,(K - K^{\mathsf T} - K\,z\,x) + (g^{\mathsf T} - x\,K)\,z\,z^{\mathsf T}"
    r" \text{ with } K = z\,g^{\mathsf T}"
)
@_seen
def _(g: Any, z: Any, x: Any, rcond: Any = 1e-15) -> Any:
    return _of_inverse(g, z, x)


def _of_inverse(g: Any, z: Any, x: Any) -> Any:
    """The gradient of ``x`` from that of its pseudo-inverse ``z``, without a product of its longer side squared."""
    if np.shape(x)[-2] < np.shape(x)[-1]:
        return _t(_of_inverse(_t(g), _t(z), _t(x)))
    k = np.matmul(z, _h(g))
    inside = np.matmul(_h(z), k - _h(k) - np.matmul(k, np.matmul(z, x)))
    return inside + np.matmul(_h(g) - np.matmul(x, k), np.matmul(z, _h(z)))


@pinv.implements(np.linalg.pinv)
def _(x: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = False) -> Any:
    if rtol is not False and rcond is not None:
        raise ValueError("pinv: expected one of rcond and rtol, got both")
    if rcond is None:
        rcond = 1e-15 if rtol is False else _relative(x) if rtol is None else rtol
    return pinv(_mirrored(x) if hermitian else x, rcond=plain(rcond))


def _relative(x: Any) -> Any:
    """Where NumPy takes singular values for 0, relative to the largest."""
    return max(np.shape(x)[-2:]) * np.finfo(x.dtype).eps


@op(
    r"\operatorname{pinv}(x)\,y",
    examples=(example(TALL, (3,)), example(TALL, (3, 2)), example(WIDE, (2,))),
    complex=True,
)
def least_squares(x: Any, y: Any, rcond: float | None = None, _found: Any = None) -> Any:
    """The shortest of the ``z`` that make the sum of the squares of ``y - x @ z`` least, as of `pinv`."""
    return (np.linalg.lstsq(x, y, rcond) if _found is None else _found(x, y))[0]


@least_squares.vjp(
    r"(y - x\,z)\,h\,P^{\mathsf T} + P^{\mathsf T} z\,(g^{\mathsf T} - h\,x) - h^{\mathsf T} z^{\mathsf T}"
    r" \text{ with } h = g^{\mathsf T} P, P = \operatorname{pinv} x"
)
@_seen
def _(g: Any, z: Any, x: Any, y: Any, rcond: float | None = None, _found: Any = None) -> Any:
    if y.ndim == 1:
        g, z, y = (np.expand_dims(v, -1) for v in (g, z, y))
    p = pinv(x, rcond=_cutoff(x, rcond))
    h = np.matmul(_h(g), p)
    left = np.matmul(y - np.matmul(x, z), np.matmul(h, _h(p)))
    return left + np.matmul(np.matmul(_h(p), z), _h(g) - np.matmul(h, x)) - np.matmul(_h(h), _h(z))


@least_squares.vjp(r"P^{\mathsf T} g \text{ with } P = \operatorname{pinv} x")
@_seen
def _(g: Any, z: Any, x: Any, y: Any, rcond: float | None = None, _found: Any = None) -> Any:
    return np.matmul(_h(pinv(x, rcond=_cutoff(x, rcond))), g)


def _cutoff(x: Any, rcond: float | None) -> float:
    """Below which part of the largest singular value `numpy.linalg.lstsq` takes one for 0."""
    if rcond is None:
        return _relative(x)
    return rcond if rcond >= 0 else float(np.finfo(x.dtype).eps)


@composed(
    r"\operatorname{pinv}(x)\,y",
    numpy=np.linalg.lstsq,
    examples=(example(TALL, (3,)), example(WIDE, (2, 1))),
)
def lstsq(x: Any, y: Any, rcond: float | None = None) -> Any:
    """`least_squares`, the sums of the squares that are left, the rank, a plain number, and the singular values."""
    found = Once(lambda x, y: np.linalg.lstsq(x, y, rcond))
    z = least_squares(x, y, rcond=rcond, _found=found)
    m, n = np.shape(x)
    left, rank = np.zeros(0, np.finfo(z.dtype).dtype), found.parts[2]
    if m > n and decide(rank == n):
        over = y - np.matmul(x, z)
        left = np.atleast_1d(np.sum(np.real(over * conjugate(over)), axis=0))
    return z, left, rank, np.linalg.svdvals(x)
