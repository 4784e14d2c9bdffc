"""Linear algebra."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..arrays import asarray_like, decide
from ..dispatch import plain
from ..domain import example
from ..op import composed, op
from ..walk import conjugate, unbroadcast
from .half import in_float32, rule_in_float32


@op(
    r"x\,y",
    numpy=(np.matmul, np.linalg.matmul),
    broadcasts=True,
    examples=(
        example((2, 3), (3, 4)),
        example((3,), (3,)),
        example((2, 3), (3,)),
        example((3,), (3, 4)),
        example((5, 2, 3), (5, 3, 2)),
        example((5, 2, 3), (3, 2)),
        example((2, 3), (5, 3, 2)),
        example((4, 1, 2, 3), (5, 3, 2)),
        example((3,), (5, 3, 2)),
        example((5, 2, 3), (3,)),
        example((2, 0), (0, 3)),
        example((5, 2, 0), (0, 2)),
        example((0, 2), (2, 3)),
        example((1, 1), (1, 1)),
    ),
)
@in_float32
def matmul(x: Any, y: Any) -> Any:
    """The matrix product over the last two axes, as ``@`` computes it; leading axes broadcast.

    A constant may be a sparse array of SciPy: ``np.matmul(sparse, t)`` with a Tensor t.
    """
    return x @ y


matmul.batched = True


@matmul.vjp(r"g\,y^{\mathsf T}")
@rule_in_float32()
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    if y.ndim == 1:
        return np.expand_dims(g, -1) * y
    if x.ndim == 1:
        return np.matmul(y, np.expand_dims(g, -1))[..., 0]
    if hasattr(y, "tocsr"):
        return matmul(g, y.T)
    return np.matmul(g, np.swapaxes(y, -1, -2))


@matmul.vjp(r"x^{\mathsf T} g")
@rule_in_float32()
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    if hasattr(x, "tocsr"):
        return matmul(x.T, g)
    if x.ndim == 1:
        return np.expand_dims(x, -1) * np.expand_dims(g, -2) if y.ndim > 1 else x * g
    if y.ndim == 1:
        return np.matmul(np.swapaxes(x, -1, -2), np.expand_dims(g, -1))[..., 0]
    if y.ndim == 2 and x.ndim > 2:  # one product over all the batch, not a batch of them and a sum
        rows = math.prod(x.shape[:-1])  # not −1, which NumPy cannot work out where the other axis is empty
        x, g = np.reshape(x, (rows, x.shape[-1])), np.reshape(g, (rows, g.shape[-1]))
    return np.matmul(np.swapaxes(x, -1, -2), g)


# -- products that are made of it ----------------------------------------------------------------------


@composed(
    r"x \cdot y",
    numpy=np.dot,
    examples=(
        example((3,), (3,)),
        example((2, 3), (3, 4)),
        example((2, 3), ()),
        example((2, 4, 3), (3,)),
        example((2, 3), (4, 3, 2)),
        example((0,), (0,)),
    ),
)
def dot(x: Any, y: Any) -> Any:
    """The sum over the last axis of ``x`` and the last but one of ``y``; without axes the product."""
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return x * y
    return np.matmul(x, y) if np.ndim(y) <= 2 else np.tensordot(x, y, (-1, -2))


@composed(
    r"\sum_k x_{ik} y_{jk}",
    numpy=np.inner,
    examples=(example((3,), (3,)), example((2, 3), (4, 3)), example((2,), ()), example((2, 0), (3, 0))),
)
def inner(x: Any, y: Any) -> Any:
    """The sum over the last axis of both; without axes the product."""
    return x * y if np.ndim(x) == 0 or np.ndim(y) == 0 else np.tensordot(x, y, (-1, -1))


@composed(
    r"x_i \cdot y_j",
    numpy=(np.outer, np.linalg.outer),
    examples=(example((2,), (3,)), example((2, 2), (3,)), example((), ()), example((0,), (2,))),
)
def outer(x: Any, y: Any) -> Any:
    """The product of each element of ``x`` with each of ``y``."""
    return np.expand_dims(np.ravel(x), 1) * np.ravel(y)


@composed(r"\sum x \cdot y", numpy=np.vdot, examples=(example((2, 3), (2, 3)), example((), ()), example((0,), (0,))))
def vdot(x: Any, y: Any) -> Any:
    """The sum of all products of elements at the same place in a row, those of ``x`` conjugated."""
    return np.matmul(conjugate(np.ravel(x)), np.ravel(y))


@composed(
    r"\sum_k x_{ik} y_{ik}",
    numpy=(np.vecdot, np.linalg.vecdot),
    examples=(example((2, 3), (3,)), example((2, 3), (2, 3), axis=0), example((0, 3), (3,))),
)
@in_float32
def vecdot(x: Any, y: Any, axis: int = -1) -> Any:
    """The sum of the products along an axis, which must be as long in both, those of ``x`` conjugated."""
    x, y = (np.moveaxis(v, axis, -1) if axis != -1 else v for v in (x, y))
    if not np.ndim(x) or np.shape(x)[-1:] != np.shape(y)[-1:]:
        raise ValueError(
            f"vecdot: expected two last axes of the same length, got shapes {list(np.shape(x))} and {list(np.shape(y))}"
        )
    return np.sum(conjugate(x) * y, axis=-1)


@composed(
    r"x\,y",
    numpy=getattr(np, "matvec", ()),
    examples=(example((2, 3), (3,)), example((2, 2, 3), (4, 1, 3)), example((0, 3), (3,))),
)
def matvec(x: Any, y: Any) -> Any:
    """The product of each matrix with each vector."""
    return np.matmul(x, np.expand_dims(y, -1))[..., 0]


@composed(
    r"x^{\mathsf T} y",
    numpy=getattr(np, "vecmat", ()),
    examples=(example((2,), (2, 3)), example((4, 1, 2), (2, 2, 3)), example((2,), (2, 0))),
)
def vecmat(x: Any, y: Any) -> Any:
    """The product of each vector, conjugated, with each matrix."""
    return np.matmul(conjugate(np.expand_dims(x, -2)), y)[..., 0, :]


@composed(
    r"x_1 x_2 \cdots",
    numpy=np.linalg.multi_dot,
    examples=(example([(2, 3), (3, 4), (4, 2)]), example([(3,), (3, 2), (2, 4), (4,)]), example([(2, 3), (3, 2)])),
)
def multi_dot(xs: Any) -> Any:
    """The product of two or more matrices, in the order that takes the fewest multiplications; vectors at the ends."""
    if len(xs) < 2:
        raise ValueError(f"multi_dot: expected two or more arrays, got {len(xs)}")
    first, last = np.ndim(xs[0]), np.ndim(xs[-1])
    middle = [np.ndim(x) for x in xs[1:-1]]
    if {first, last} - {1, 2} or set(middle) - {2}:
        raise ValueError(
            f"multi_dot: expected matrices, and vectors only at the ends, got arrays of {[first, *middle, last]} axes"
        )
    rows = np.shape(xs[0])[0] if first == 2 else 1
    sides = [rows, *(np.shape(x)[0] for x in xs[1:]), np.shape(xs[-1])[1] if last == 2 else 1]

    @functools.cache
    def cheapest(i: int, j: int) -> tuple[int, int]:
        """How many multiplications the product of the arrays i to j takes, and after which it is best cut."""
        if i == j:
            return 0, i
        cuts = (
            (cheapest(i, k)[0] + cheapest(k + 1, j)[0] + sides[i] * sides[k + 1] * sides[j + 1], k) for k in range(i, j)
        )
        return min(cuts)

    def product(i: int, j: int) -> Any:
        k = cheapest(i, j)[1]
        return xs[i] if i == j else np.matmul(product(i, k), product(k + 1, j))

    return product(0, len(xs) - 1)


@composed(
    r"\sum_{k} x_{ik} y_{kj}",
    numpy=(np.tensordot, np.linalg.tensordot),
    examples=(
        example((2, 3, 4), (3, 4, 2)),
        example((2, 3), (3, 4), axes=1),
        example((2, 3), (4,), axes=0),
        example((2, 3, 4), (4, 5, 2), axes=((0, -1), (2, 0))),
        example((2, 3), (3,), axes=(1, 0)),
        example((0, 3), (3, 2), axes=1),
    ),
)
def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """The sum over pairs of axes: the last ``axes`` of ``x`` with the first of ``y``, or as two lists name them."""
    if np.ndim(axes) == 0:
        if axes > min(np.ndim(x), np.ndim(y)):
            raise ValueError(
                f"tensordot: expected a number of axes that both have, with the same lengths, got {axes} for shapes "
                f"{list(np.shape(x))}, {list(np.shape(y))}"
            )
        axes = range(np.ndim(x) - axes, np.ndim(x)), range(axes)
    of_x, of_y = (list(normalize_axis_tuple(some, np.ndim(v))) for v, some in zip((x, y), axes, strict=True))
    if [np.shape(x)[a] for a in of_x] != [np.shape(y)[a] for a in of_y]:
        raise ValueError(
            f"tensordot: expected axes of the same lengths, pair by pair, got axes {of_x} of shape {list(np.shape(x))} "
            f"with axes {of_y} of shape {list(np.shape(y))}"
        )
    free_x = [a for a in range(np.ndim(x)) if a not in of_x]
    free_y = [a for a in range(np.ndim(y)) if a not in of_y]
    rows, columns = [np.shape(x)[a] for a in free_x], [np.shape(y)[a] for a in free_y]
    summed = math.prod(np.shape(x)[a] for a in of_x)
    left = np.reshape(np.transpose(x, free_x + of_x), (math.prod(rows), summed))
    right = np.reshape(np.transpose(y, of_y + free_y), (summed, math.prod(columns)))
    return np.reshape(np.matmul(left, right), rows + columns)


@composed(
    r"x \otimes y",
    numpy=np.kron,
    examples=(example((2, 3), (2, 2)), example((2,), (3,)), example((2,), (2, 3)), example((), (2,))),
)
def kron(x: Any, y: Any) -> Any:
    """A copy of ``y`` for each element of ``x``, multiplied by it."""
    n = max(np.ndim(x), np.ndim(y))
    of_x, of_y = ((1,) * (n - np.ndim(v)) + np.shape(v) for v in (x, y))
    blocks = np.reshape(x, [k for i in of_x for k in (i, 1)]) * np.reshape(y, [k for i in of_y for k in (1, i)])
    return np.reshape(blocks, [i * k for i, k in zip(of_x, of_y, strict=True)])


@composed(
    r"x \times y",
    numpy=(np.cross, np.linalg.cross),
    examples=(
        example((3,), (3,)),
        example((2, 3), (3,)),
        example((3, 2), (2, 3), axisa=0, axisc=0),
        example((0, 3), (3,)),
    ),
)
@in_float32
def cross(x: Any, y: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The product of vectors of three numbers that is perpendicular to both."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = np.moveaxis(x, axisa, -1), np.moveaxis(y, axisb, -1)
    if np.shape(x)[-1] != 3 or np.shape(y)[-1] != 3:
        raise ValueError(f"cross: expected vectors of 3 numbers, got {np.shape(x)[-1]} and {np.shape(y)[-1]}")
    (x1, x2, x3), (y1, y2, y3) = (tuple(v[..., i] for i in range(3)) for v in (x, y))
    return np.stack((x2 * y3 - x3 * y2, x3 * y1 - x1 * y3, x1 * y2 - x2 * y1), axisc)


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

# -- einsum --------------------------------------------------------------------------------------------


@op(
    r"\sum x_{\dots} y_{\dots} \cdots",
    examples=(
        example((2, 3), (3, 4), subscripts="ij,jk->ik"),
        example((2, 3), subscripts="ij->ji"),
        example((2, 3), subscripts="ij->"),
        example((3, 3), subscripts="ii->"),
        example((3, 3), subscripts="ii->i"),
        example((2, 2, 3, 2), subscripts="iiji->ij"),
        example((2, 3), (3, 4), (4, 2), subscripts="ij,jk,kl->il"),
        example((2,), (3,), (), subscripts="a,b,->ab"),
        example((2, 1), (2, 3), subscripts="ij,ij->i"),
        example((2, 3), (4,), subscripts="ij,k->i"),
        example((2, 2), (2,), subscripts="ii,i->i"),
        example((0, 3), (3,), subscripts="ij,j->i"),
    ),
)
@in_float32
def einsum(*xs: Any, subscripts: str = "", optimize: Any = None) -> Any:
    """Products of elements, summed over each letter that the result does not have (A. Einstein, 1916)."""
    if optimize is None:  # finding a path through matrix products takes as long as some ten thousand products
        terms = subscripts.partition("->")[0].split(",")
        optimize = len(xs) > 1 and math.prod(_lengths(terms, xs).values()) > 10_000
    return np.einsum(subscripts, *xs, optimize=optimize)


@einsum.vjp(r"\prod_{j \ne i} x_j")
def _(g: Any, z: Any, *xs: Any, wanted: Sequence[bool], subscripts: str = "", optimize: Any = None) -> Iterator[Any]:
    # Each gradient is again one einsum: the result's letters and those of the other operands, to the operand's
    # own. A letter that only it has was summed freely: ones stand for that. A letter that it has twice picked a
    # diagonal: the identity matrix puts the gradient back there.
    inputs, result = subscripts.split("->")
    terms = inputs.split(",")
    lengths = _lengths(terms, xs)
    for arg, (x, letters) in enumerate(zip(xs, terms, strict=True)):
        if not wanted[arg]:
            yield None
            continue
        others = [g, *(v for i, v in enumerate(xs) if i != arg)]
        operands = [result, *(term for i, term in enumerate(terms) if i != arg)]
        known = _lengths(operands, others)
        fresh = iter(sorted(set(LETTERS) - set(subscripts)))
        own = ""
        for i, letter in enumerate(letters):
            n = lengths[letter]
            if letter in letters[:i]:
                again = next(fresh)
                operands.append(letter + again)
                others.append(asarray_like(g, np.eye(n, dtype=g.dtype)))
                own += again
            else:
                if known.get(letter) != n:
                    operands.append(letter)
                    others.append(asarray_like(g, np.ones(n, dtype=g.dtype)))
                own += letter
        yield unbroadcast(einsum(*others, subscripts=f"{','.join(operands)}->{own}", optimize=optimize), np.shape(x))


def _lengths(terms: list[str], xs: Any) -> dict[str, int]:
    """How far each letter runs; a 1 stretches to what the same letter is elsewhere."""
    lengths: dict[str, int] = {}
    for term, x in zip(terms, xs, strict=True):
        for letter, n in zip(term, np.shape(x), strict=True):
            lengths[letter] = n if lengths.get(letter, 1) == 1 else lengths[letter]
    return lengths


@einsum.implements(np.einsum)
def _(*arguments: Any, optimize: Any = None) -> Any:
    # Either of its two forms, with ellipses and the result written out as letters.
    if isinstance(arguments[0], str):
        subscripts, *xs = arguments
        subscripts = subscripts.replace(" ", "")
    else:
        xs, lists = [*arguments[: len(arguments) // 2 * 2 : 2]], [*arguments[1::2]]
        terms = ["".join("..." if s is Ellipsis else LETTERS[s] for s in sub) for sub in lists]
        subscripts = ",".join(terms)
        if len(arguments) % 2:
            last = arguments[-1]
            subscripts += "->" + "".join("..." if s is Ellipsis else LETTERS[s] for s in last)
    return einsum(*xs, subscripts=_explicit(subscripts, tuple(np.ndim(x) for x in xs)), optimize=optimize)


@functools.lru_cache(maxsize=1024)
def _explicit(subscripts: str, ndims: tuple[int, ...]) -> str:
    """``subscripts`` with every axis named and the result spelled out.

    >>> _explicit("...ij,jk", (4, 2))
    'ABij,jk->ABik'
    """
    inputs, arrow, result = subscripts.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: expected as many arrays as terms in {subscripts!r}, {len(terms)}, got {len(ndims)}")
    hidden = [n - len(term.replace("...", "")) for term, n in zip(terms, ndims, strict=True)]
    free = "".join(c for c in sorted(LETTERS) if c not in subscripts)
    most = max((h for h, term in zip(hidden, terms, strict=True) if "..." in term), default=0)
    for i, (term, h) in enumerate(zip(terms, hidden, strict=True)):
        if h < 0 or (h and "..." not in term):
            raise ValueError(f"einsum: expected an array with the axes {term!r}, got one of {ndims[i]} axes")
        terms[i] = term.replace("...", free[most - h : most])
    if arrow:
        result = result.replace("...", free[:most])
    else:
        once = sorted(c for c in set(inputs) - set(",.") if inputs.count(c) == 1)
        result = free[:most] + "".join(once)
    return ",".join(terms) + "->" + result


# -- solving -------------------------------------------------------------------------------------------

WELL = np.array([[2.0, -0.5, 0.3], [0.4, 1.5, -0.2], [-0.3, 0.6, 2.5]])  # far from singular
MATRICES = (
    example(WELL),
    example(np.stack((WELL, WELL.T - 4 * np.eye(3)))),
    example(np.array([[2.0]])),
    example((0, 2, 2)),
    example((0, 0)),
)


@op(r"x^{-1}", numpy=np.linalg.inv, examples=MATRICES)
def inv(x: Any) -> Any:
    """The inverse of a matrix that is not singular, over the last two axes."""
    return np.linalg.inv(x)


@inv.vjp(r"-z^{\mathsf T} g\, z^{\mathsf T}")
def _(g: Any, z: Any, x: Any) -> Any:
    t = np.swapaxes(z, -1, -2)
    return -np.matmul(np.matmul(t, g), t)


@composed(
    r"x^n",
    numpy=np.linalg.matrix_power,
    examples=(example(WELL, 3), example(np.stack((WELL, WELL.T))[:, :2, :2], -2), example((2, 2), 0)),
)
def matrix_power(x: Any, n: int) -> Any:
    """A matrix multiplied by itself, or its inverse by itself, by squaring."""
    if np.shape(x)[-1:] != np.shape(x)[-2:-1]:
        raise np.linalg.LinAlgError(f"matrix_power: expected square matrices, got shape {list(np.shape(x))}")
    n = operator.index(n)
    if n == 0:  # a sum of no terms, which depends on x as a constant does
        one = asarray_like(x, np.eye(np.shape(x)[-1], dtype=x.dtype))
        return np.matmul(x[..., :0], x[..., :0, :]) + one
    power, result = np.linalg.inv(x) if n < 0 else x, None
    n = abs(n)
    while n > 1:
        if n % 2:
            result = power if result is None else np.matmul(result, power)
        power, n = np.matmul(power, power), n // 2
    return power if result is None else np.matmul(result, power)


@composed(
    r"\left\lVert x \right\rVert \cdot \left\lVert x^{-1} \right\rVert",
    numpy=np.linalg.cond,
    examples=(example(WELL), example(np.stack((WELL, WELL.T))[:, :2, :2], "fro"), example(WELL[:2], -2)),
)
def cond(x: Any, p: Any = None) -> Any:
    """How much larger a relative error can become in solving; of a singular matrix it is infinite, its gradient too.

    As a quotient of singular values (``p`` None, 2 or -2), or a product of norms of order ``p``.
    """
    if 0 in np.shape(x)[-2:]:
        raise np.linalg.LinAlgError(f"cond: expected matrices that are not empty, got shape {list(np.shape(x))}")
    with np.errstate(divide="ignore", invalid="ignore"):
        if p is None or p in (2, -2):
            s = np.linalg.svdvals(x)
            z = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        else:
            known = np.linalg.cond(plain(x), p)
            singular = np.isinf(known)
            one = asarray_like(x, np.eye(np.shape(x)[-1], dtype=x.dtype))
            inverse = np.linalg.inv(np.where(np.expand_dims(singular, (-1, -2)), one, x))
            of_x, of_inverse = (np.linalg.norm(v, p, axis=(-2, -1)) for v in (x, inverse))
            z = of_x * of_inverse * np.where(singular, np.inf, np.ones_like(known))
    nothing_known = np.isnan(z) & ~np.any(np.isnan(plain(x)), axis=(-2, -1))
    return np.where(nothing_known, np.inf, z) if decide(np.any(nothing_known)) else z


@op(
    r"x^{-1} y",
    numpy=np.linalg.solve,
    broadcasts=True,
    examples=(
        example(WELL, (3,)),
        example(WELL, (3, 2)),
        example(np.stack((WELL, WELL.T)), (3,)),
        example(WELL, (2, 3, 1)),
        example(np.stack((WELL, WELL.T)), (3, 2)),
        example(WELL, (3, 0)),
        example((0, 2, 2), (2, 1)),
    ),
)
def solve(x: Any, y: Any) -> Any:
    """The solution of ``x @ z = y``, ``x`` not singular and ``y`` one vector or a (stack of) matrices of columns."""
    if y.ndim > 1 and x.shape[:-2] != y.shape[:-2]:  # NumPy stretches stacks itself, not every library does
        stack = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        x, y = np.broadcast_to(x, stack + x.shape[-2:]), np.broadcast_to(y, stack + y.shape[-2:])
    return np.linalg.solve(x, y)


solve.batched = True


@solve.vjp(r"-x^{-\mathsf T} g\, z^{\mathsf T}")
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    if y.ndim == 1:
        g, z = np.expand_dims(g, -1), np.expand_dims(z, -1)
    return -np.matmul(solve(np.swapaxes(x, -1, -2), g), np.swapaxes(z, -1, -2))


@solve.vjp(r"x^{-\mathsf T} g")
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    if y.ndim == 1:  # g may be a stack of vectors, which NumPy would take for a matrix
        return solve(np.swapaxes(x, -1, -2), np.expand_dims(g, -1))[..., 0]
    return solve(np.swapaxes(x, -1, -2), g)


@composed(
    r"x^{-1}",
    numpy=np.linalg.tensorinv,
    examples=(example(WELL[:2, None, :2], ind=2), example(WELL[:2, :2], ind=1)),
)
def tensorinv(x: Any, ind: int = 2) -> Any:
    """The inverse of an array as a matrix, whose rows are its first ``ind`` axes and whose columns are the others."""
    if ind <= 0:
        raise ValueError(f"tensorinv: expected a number of axes of at least 1, got {ind}")
    rows, columns = np.shape(x)[:ind], np.shape(x)[ind:]
    return np.reshape(np.linalg.inv(np.reshape(x, (math.prod(rows), math.prod(columns)))), columns + rows)


@composed(
    r"x^{-1} y",
    numpy=np.linalg.tensorsolve,
    examples=(
        example(WELL[:2, None, :2], (2, 1)),
        example(WELL[:2, :2, None], (2, 1), axes=(0,)),
    ),
)
def tensorsolve(x: Any, y: Any, axes: Any = None) -> Any:
    """The ``z`` with ``tensordot(x, z, z.ndim) = y``; the ``axes`` of ``x`` are moved to its end before."""
    if axes is not None:
        x = np.moveaxis(x, axes, range(-len(axes), 0))
    rows, columns = np.shape(x)[: np.ndim(y)], np.shape(x)[np.ndim(y) :]
    if math.prod(rows) != math.prod(columns):
        raise np.linalg.LinAlgError(
            f"tensorsolve: expected as many elements along the axes of y as along the others of x, got shapes "
            f"{list(rows)} and {list(columns)}"
        )
    return np.reshape(np.linalg.solve(np.reshape(x, (math.prod(rows), math.prod(columns))), np.ravel(y)), columns)


@op(
    r"\det x",
    numpy=np.linalg.det,
    examples=(*MATRICES, example(np.array([[1.0, 2.0], [2.0, 4.0]])), example(np.diag([3.0, 0.0, 2.0]))),
)
def det(x: Any) -> Any:
    """The determinant, over the last two axes; its derivative is right for singular matrices too."""
    return np.linalg.det(x)


@det.vjp(r"z \cdot x^{-\mathsf T}")
def _(g: Any, z: Any, x: Any) -> Any:
    g = np.expand_dims(g, (-1, -2))
    if decide(np.all(z != 0)):
        return g * np.expand_dims(z, (-1, -2)) * np.swapaxes(np.linalg.inv(x), -1, -2)
    return g * _cofactors(x)


def _cofactors(x: Any) -> Any:
    """For each element the determinant of what is left without its row and column, with the sign of its place."""
    n = np.shape(x)[-1]
    others = np.array([[j for j in range(n) if j != i] for i in range(n)], int).reshape(n, n - 1)
    minors = x[..., others[:, None, :, None], others[None, :, None, :]]
    signs = np.where(np.add.outer(np.arange(n), np.arange(n)) % 2, -1, 1)
    return np.linalg.det(minors) * asarray_like(x, signs)


@op(r"\ln \left|\det x\right|", examples=MATRICES, complex=True)
def logabsdet(x: Any) -> Any:
    """The logarithm of the determinant's absolute value, which must not be 0 and may be beyond the largest number."""
    return np.linalg.slogdet(x)[1]


@logabsdet.vjp(r"x^{-\mathsf T}")
def _(g: Any, z: Any, x: Any) -> Any:
    return np.expand_dims(g, (-1, -2)) * np.swapaxes(np.linalg.inv(x), -1, -2)


_SignAndLog = type(np.linalg.slogdet(np.eye(1)))  # NumPy's named pair


@composed(r"\operatorname{sign} \det x, \ln \left|\det x\right|", numpy=np.linalg.slogdet, examples=MATRICES)
def slogdet(x: Any) -> Any:
    """The sign of the determinant, a plain array since it has no derivative, and `logabsdet`.

    Of complex matrices the sign is a number of absolute value 1, which has one.
    """
    log = logabsdet(x)
    if not np.iscomplexobj(x):
        return _SignAndLog(np.linalg.slogdet(plain(x))[0], log)
    size = np.where(np.isneginf(plain(log)), 1, np.exp(plain(log) / max(np.shape(x)[-1], 1)))
    return _SignAndLog(np.sign(np.linalg.det(x / np.expand_dims(size, (-1, -2)).astype(log.dtype))), log)
