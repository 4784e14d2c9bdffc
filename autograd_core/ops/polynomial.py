"""Polynomials as their coefficients, that of the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import asarray_like, decide
from ..dispatch import plain
from ..domain import NONZERO, REAL, example
from ..op import composed
from .half import in_float32


@composed(
    r"\sum p_k \cdot x^{n - k}",
    numpy=np.polyval,
    examples=(example((3,), (2, 2)), example((1,), ()), example((2,), (3,))),
)
@in_float32
def polyval(p: Any, x: Any) -> Any:
    """The value of a polynomial at each element of ``x``, by Horner's rule."""
    x = x if hasattr(x, "dtype") else np.asarray(x)
    value = np.zeros_like(plain(x))
    for coefficient in p:
        value = value * x + coefficient
    return value


@composed(
    r"x_i^{j}",
    numpy=np.vander,
    examples=(example((3,)), example((2,), 4, increasing=True), example(np.array([0.0, -1.5]), 3)),
)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of each element in a row, the highest first unless they increase."""
    if np.ndim(x) != 1:
        raise ValueError(f"vander: expected one axis, got shape {list(np.shape(x))}")
    if N is not None and N < 0:
        raise ValueError(f"vander: expected a number of powers from 0 on, got {N}")
    powers = np.arange(np.shape(x)[0] if N is None else N)
    powers = asarray_like(x, powers if increasing else powers[::-1])
    return np.expand_dims(x, 1).astype(np.promote_types(x.dtype, int)) ** powers


@composed(r"\prod (t - x_i)", numpy=np.poly, examples=(example((3,)), example((1,))))
@in_float32
def poly(roots: Any) -> Any:
    """The polynomial with these roots."""
    if np.ndim(roots) > 1:
        raise TypeError(
            "np.poly on Tensors: expected roots along one axis, got shape "
            f"{list(np.shape(roots))}; of a matrix write np.poly(np.linalg.eigvalsh(t)) where it is symmetric"
        )
    if not np.size(roots):
        return np.float64(1)
    roots = roots if roots.dtype.kind in "fc" else roots.astype(np.float64)
    p = np.ones_like(plain(roots[:1]))
    for root in roots:
        p = np.convolve(p, np.stack([np.ones_like(plain(root)), -root]))
    return p


@composed(
    r"\operatorname{argmin}_p \sum (p(x) - y)^2",
    numpy=np.polyfit,
    examples=(example(np.array([-1.0, 0.25, 0.5, 2.0]), (4,), 2), example(np.array([0.0, 1.5, 2.0]), (3, 2), 1)),
)
def polyfit(x: Any, y: Any, deg: int, rcond: Any = None, *, w: Any = None) -> Any:
    """The polynomial of a degree whose values at ``x`` are nearest to ``y``, each distance weighed by ``w``."""
    x = x if hasattr(x, "dtype") else np.asarray(x, np.float64)
    y = y if hasattr(y, "dtype") else np.asarray(y)
    deg, n = int(deg), np.size(x)
    if deg < 0:
        raise ValueError(f"polyfit: expected a degree from 0 on, got {deg}")
    if np.ndim(x) != 1 or not n:
        raise ValueError(f"polyfit: expected places x along one axis, one or more, got shape {list(np.shape(x))}")
    if np.ndim(y) not in (1, 2) or np.shape(y)[0] != n:
        raise TypeError(f"polyfit: expected y with one or two axes, the first of length {n}, got {list(np.shape(y))}")
    if w is not None and np.shape(w) != (n,):
        raise TypeError(f"polyfit: expected a weight for each of the {n} places, got shape {list(np.shape(w))}")
    rows = np.vander(x, deg + 1)
    if w is not None:
        rows, y = rows * np.expand_dims(w, 1), (y.T * w).T
    scale = np.sqrt(np.sum(rows * rows, axis=0))  # without which large powers outweigh small ones
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    return (np.linalg.lstsq(rows / scale, y, rcond)[0].T / scale).T


SUMS = (example((3,), (2,)), example((), (2,)), example((2,), (2,)))


@composed(r"x + y", numpy=np.polyadd, examples=SUMS)
def polyadd(x: Any, y: Any) -> Any:
    """The sum of two polynomials."""
    x, y = np.atleast_1d(x), np.atleast_1d(y)
    n = max(len(x), len(y))
    x, y = (np.concatenate((np.zeros_like(plain(p), shape=(n - len(p),)), p)) if len(p) < n else p for p in (x, y))
    return x + y


@composed(r"x - y", numpy=np.polysub, examples=SUMS[:1])
def polysub(x: Any, y: Any) -> Any:
    """The difference of two polynomials."""
    return np.polyadd(x, -np.atleast_1d(y))


@composed(r"x \cdot y", numpy=np.polymul, examples=SUMS)
def polymul(x: Any, y: Any) -> Any:
    """The product of two polynomials, of which NumPy leaves out zeros before the highest power."""
    return np.convolve(_trimmed(x), _trimmed(y))


def _trimmed(p: Any) -> Any:
    p = np.atleast_1d(p)
    while len(p) > 1 and decide(plain(p[0]) == 0):
        p = p[1:]
    return p


@composed(
    r"(q, r) \text{ with } x = q \cdot y + r",
    numpy=np.polydiv,
    domain=(REAL, NONZERO),
    examples=(example((4,), (2,)), SUMS[0]),
)
@in_float32
def polydiv(x: Any, y: Any) -> Any:
    """The quotient of two polynomials and what remains, without the zeros before its highest power."""
    rest, y = np.atleast_1d(x) + 0.0, np.atleast_1d(y) + 0.0
    quotient, n = [], len(y) - 1
    for _ in range(len(rest) - n):
        quotient.append(rest[0] * (1 / y[0]))
        rest = np.concatenate((rest[1 : n + 1] - quotient[-1] * y[1:], rest[n + 1 :]))
    zero = np.zeros_like(plain(y[:1]))
    rest = rest if len(rest) else zero
    while len(rest) > 1 and decide(np.isclose(rest[0], 0, rtol=1e-14)):
        rest = rest[1:]
    return np.stack(quotient) if quotient else zero, rest


@composed(r"p^{(m)}", numpy=np.polyder, examples=(example((4,)), example((4,), 2), example((1,))))
def polyder(p: Any, m: int = 1) -> Any:
    """The coefficients of the m-th derivative."""
    if m < 0:
        raise ValueError(f"polyder: expected an order of 0 or more, got {m}; np.polyint integrates")
    for _ in range(m):
        p = p[:-1] * asarray_like(p, np.arange(len(p) - 1, 0, -1))
    return p


@composed(r"\int p", numpy=np.polyint, examples=(example((3,)), example((2,), 2, k=(2,))))
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The coefficients of the m-th integral, with the constants ``k``."""
    if m < 0:
        raise ValueError(f"polyint: expected an order of 0 or more, got {m}; np.polyder differentiates")
    k = (0.0,) * m if k is None else k
    k = np.atleast_1d(k if hasattr(k, "dtype") else asarray_like(p, np.asarray(k)))
    k = np.broadcast_to(k, (m,)) if len(k) == 1 else k
    if len(k) < m:
        raise ValueError(f"k: expected a number, or one for each of the {m} integrals, got {len(k)}")
    for n in range(m):
        p = np.concatenate((p / asarray_like(p, np.arange(len(p), 0, -1)), k[n : n + 1]))
    return p
