"""Functions of matrices and structured systems, as in `scipy.linalg`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..arrays import one_call
from ..dispatch import plain
from ..domain import example
from ..op import SCIPY
from ..op import op as op_in
from ..ops.decompositions import by_its_numbers
from ..optional import needed

op = partial(op_in, table=SCIPY)
inv, det, solve, norm = np.linalg.inv, np.linalg.det, np.linalg.solve, np.linalg.norm


_scipy: Any = needed("scipy.linalg", "autograd_core.scipy", "scipy")
_expm, _triangular, _sylvester, _banded = map(
    one_call, (_scipy.expm, _scipy.solve_triangular, _scipy.solve_sylvester, _scipy.solve_banded)
)


@one_call
def _sqrtm(A: Any) -> Any:
    root = _scipy.sqrtm(A)
    return root.astype(np.result_type(root, np.complex64), copy=False)


UPPER = np.array([[2.0, 1.0, 0.5], [0.0, 1.5, -1.0], [0.0, 0.0, 1.25]])
STACK = np.stack([UPPER, 2 * UPPER + np.eye(3)])


def _t(a: Any) -> Any:
    """The transpose of each matrix."""
    return np.swapaxes(a, -1, -2)


@op(r"e^{x}", examples=(example((2, 2)), example((2, 3, 3)), example((1, 1))), complex=True)
def expm(A: Any) -> Any:
    """The exponential of square matrices ``(…, n, n)``.

    >>> print(expm(np.array([[0.0, 1.0], [0.0, 0.0]])))
    [[1. 1.]
     [0. 1.]]
    """
    return _expm(A)


@expm.vjp(r"L(x^{T}, g)")
def _(g: Any, z: Any, A: Any) -> Any:
    # The derivative in a direction E stands in the corner of the exponential of [[A, E], [0, A]] (Mathias 1996).
    n, turned = np.shape(A)[-1], _t(A)
    upper = np.concatenate([turned, g], axis=-1)
    lower = np.concatenate([np.zeros_like(turned), turned], axis=-1)
    return expm(np.concatenate([upper, lower], axis=-2))[..., :n, n:]


@op(
    r"x^{-1} \cdot y",
    broadcasts=True,
    examples=(
        example(UPPER, (3,)),
        example(UPPER, (3, 2)),
        example(UPPER.T.copy(), (3,), lower=True, trans=1),
        example(UPPER, (3, 2), unit_diagonal=True, trans="T"),
        example(STACK, (3,), trans=1),
        example(STACK, (3, 2)),
        example(UPPER, (2, 3, 1)),
    ),
    complex=True,
)
def solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """``x`` in ``a x = b`` for triangular ``a`` ``(…, n, n)`` and ``b`` ``(n,)`` or ``(…, n, k)``; stacks broadcast.

    ``trans`` 1 or "T" solves with the transpose, 2 or "C" with its conjugate. What is on the other side of the diagonal
    is not read, nor is with ``unit_diagonal`` the diagonal, and their gradients are 0.

    >>> print(solve_triangular(np.array([[2.0, 1.0], [0.0, 1.0]]), np.array([3.0, 1.0])))
    [1. 1.]
    """
    _other(trans)  # of a word that SciPy does not know it takes the transpose
    return _triangular(a, b, trans=trans, lower=lower, unit_diagonal=unit_diagonal)


solve_triangular.batched = True


def _other(trans: Any) -> int:
    if trans not in (0, "N", 1, "T", 2, "C"):
        raise ValueError(f'trans: expected 0 or "N", 1 or "T", 2 or "C", got {trans!r}')
    return 0 if trans in (1, "T", 2, "C") else 1


def _conjugated(a: Any, trans: Any) -> Any:
    return np.conj(a) if trans in (2, "C") else a


def _columns(y: Any, b: Any) -> Any:
    """Vectors, as a ``b`` of one axis gives them, as matrices of a column; matrices as they are."""
    return np.expand_dims(y, -1) if np.ndim(b) == 1 else y


@solve_triangular.vjp(r"-x^{-T} \cdot g \cdot z^{T}")
def _(g: Any, z: Any, a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    g, z = _columns(g, b), _columns(z, b)
    back = solve_triangular(_conjugated(a, trans), g, _other(trans), lower, unit_diagonal)
    left, right = (back, z) if _other(trans) else (z, back)
    whole, side = _conjugated(-left @ _t(right), trans), int(unit_diagonal)
    return np.tril(whole, -side) if lower else np.triu(whole, side)


@solve_triangular.vjp(r"x^{-T} \cdot g")
def _(g: Any, z: Any, a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    back = solve_triangular(_conjugated(a, trans), _columns(g, b), _other(trans), lower, unit_diagonal)
    return back[..., 0] if np.ndim(b) == 1 else back


@op(
    r"x \cdot z + z \cdot y = w",
    broadcasts=True,
    examples=(
        example(UPPER + 1, UPPER.T.copy(), (3, 3)),
        example(np.eye(2), 2 * np.eye(2) + 0.5, (2, 2)),
        example(STACK + 1, UPPER.T.copy(), (3, 3)),
        example(UPPER, STACK, (2, 3, 3)),
    ),
    complex=True,
)
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """``z`` in ``a z + z b = q``, for ``a`` ``(…, m, m)``, ``b`` ``(…, n, n)`` and ``q`` ``(…, m, n)``.

    >>> print(solve_sylvester(np.eye(1), 3 * np.eye(1), np.array([[8.0]])))
    [[2.]]
    """
    return _sylvester(a, b, q)


solve_sylvester.batched = True


@solve_sylvester.vjp(r"-G \cdot z^{T}, G: x^{T} G + G y^{T} = g")
def _(g: Any, z: Any, a: Any, b: Any, q: Any) -> Any:
    return -solve_sylvester(_t(a), _t(b), g) @ _t(z)


@solve_sylvester.vjp(r"-z^{T} \cdot G, G: x^{T} G + G y^{T} = g")
def _(g: Any, z: Any, a: Any, b: Any, q: Any) -> Any:
    return -_t(z) @ solve_sylvester(_t(a), _t(b), g)


@solve_sylvester.vjp(r"G: x^{T} G + G y^{T} = g")
def _(g: Any, z: Any, a: Any, b: Any, q: Any) -> Any:
    return solve_sylvester(_t(a), _t(b), g)


ROOTS = (example(UPPER @ UPPER.T), example(np.diag([1.0, 4.0]) + 0.25), example(STACK))


@op(r"\sqrt{x}", examples=ROOTS, complex=True)
def sqrtm(A: Any) -> Any:
    """The principal square roots of matrices ``(…, n, n)``: complex where one has an eigenvalue below 0, as SciPy's.

    A singular matrix has no derivative: it is NaN.

    >>> print(sqrtm(np.diag([4.0, 9.0])))
    [[2. 0.]
     [0. 3.]]
    """
    return by_its_numbers(_sqrtm(A), A)


@sqrtm.vjp(r"G: z^{T} G + G z^{T} = g")
def _(g: Any, z: Any, A: Any) -> Any:
    singular = np.linalg.matrix_rank(plain(z)) < np.shape(z)[-1]  # there the slope is infinite
    z = np.where(np.expand_dims(singular, (-1, -2)), np.eye(np.shape(z)[-1], dtype=z.dtype), z)
    return np.where(np.expand_dims(singular, (-1, -2)), np.nan, solve_sylvester(_t(z), _t(z), g))


def _band(l_and_u: tuple[int, int], n: int) -> tuple[Any, Any]:
    """Of each element of a matrix in diagonal form the row that it has in the whole one, and whether there is one."""
    rows = np.arange(sum(l_and_u) + 1)[:, None] - l_and_u[1] + np.arange(n)
    there = (rows >= 0) & (rows < n)
    return np.clip(rows, 0, n - 1), there


def _transposed(l_and_u: tuple[int, int], ab: Any) -> Any:
    rows, there = _band(l_and_u[::-1], np.shape(ab)[-1])
    return np.where(there, ab[..., np.arange(sum(l_and_u), -1, -1)[:, None], rows], 0)


@op(
    r"x^{-1} \cdot y",
    broadcasts=True,
    examples=(
        example(np.array([[0.0, 1.0, -1.0], [4.0, 5.0, 3.0], [0.5, 2.0, 0.0]]), (3,), l_and_u=(1, 1)),
        example(np.array([[4.0, 5.0, 3.0], [0.5, 2.0, 0.0]]), (3, 2), l_and_u=(1, 0)),
        example(np.array([[[4.0, 5.0, 3.0]], [[2.0, 3.0, 4.0]]]), (3,)),
        example(np.array([[4.0, 5.0, 3.0], [0.5, 2.0, 0.0]]), (2, 3, 1), l_and_u=(1, 0)),
    ),
    complex=True,
)
def banded(ab: Any, b: Any, l_and_u: Any = (0, 0)) -> Any:
    """`solve_banded`, with the bands as a parameter."""
    return _banded(l_and_u, ab, b)


banded.batched = True


@banded.vjp(r"-x^{-T} \cdot g \cdot z^{T}")
def _(g: Any, z: Any, ab: Any, b: Any, l_and_u: Any = (0, 0)) -> Any:
    back = banded(_transposed(l_and_u, ab), _columns(g, b), l_and_u=l_and_u[::-1])
    rows, there = _band(l_and_u, np.shape(ab)[-1])
    return -np.where(there, np.sum(back[..., rows, :] * np.expand_dims(_columns(z, b), -3), axis=-1), 0)


@banded.vjp(r"x^{-T} \cdot g")
def _(g: Any, z: Any, ab: Any, b: Any, l_and_u: Any = (0, 0)) -> Any:
    back = banded(_transposed(l_and_u, ab), _columns(g, b), l_and_u=l_and_u[::-1])
    return back[..., 0] if np.ndim(b) == 1 else back


def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any) -> Any:
    """``x`` in ``a x = b`` for a matrix ``a`` of few diagonals.

    Parameters
    ----------
    l_and_u : pair of int
        How many diagonals lie below the main one, and above it.
    ab : array_like
        ``(…, l + u + 1, n)``: ``ab[…, u + i - j, j]`` is ``a[…, i, j]``.
    b : array_like
        ``(n,)`` or ``(…, n, k)``; stacks broadcast.

    Examples
    --------
    >>> print(solve_banded((0, 0), np.array([[2.0, 4.0]]), np.array([2.0, 2.0])))
    [1.  0.5]
    """
    return banded(ab, b, l_and_u=tuple(l_and_u))
