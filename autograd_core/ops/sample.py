"""Functions of samples: integrals, interpolation, convolutions, correlations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..arrays import asarray_like, decide
from ..dispatch import NUMPY, plain
from ..domain import example
from ..op import composed, op
from .elementwise import check_real
from .half import in_float32, rule_in_float32
from .line import between

# -- along a line --------------------------------------------------------------------------------------


@composed(
    r"\sum \frac{y_i + y_{i + 1}}{2} \cdot \Delta x",
    numpy=np.trapezoid,
    examples=(example((4,)), example((2, 3), np.array([0.0, 0.5, 2.0])), example((3, 2), (3, 2), axis=0)),
)
@in_float32
def trapezoid(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of samples, with straight lines between them, ``dx`` apart or at the places ``x``."""
    axis = normalize_axis_index(axis, np.ndim(y))
    before = (slice(None),) * axis
    if x is not None:
        dx = np.diff(x, axis=axis if np.ndim(x) > 1 else 0)
        dx = np.expand_dims(dx, [*range(1, np.ndim(y) - axis)]) if np.ndim(dx) == 1 else dx
    return np.sum(dx * (y[(*before, slice(1, None))] + y[(*before, slice(None, -1))]) / 2, axis)


if "trapz" in vars(np):  # its name before NumPy 2.4, which warns of itself
    NUMPY[vars(np)["trapz"]] = trapezoid


@composed(
    r"x_{i + 1} - x_i",
    numpy=np.ediff1d,
    examples=(example((4,)), example((2, 2), to_end=np.array([0.5]), to_begin=2.0)),
)
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours among all elements in a row, with something before and after them."""
    parts: Any = (to_begin, np.diff(np.ravel(x)), to_end)
    parts = [
        part if hasattr(part, "dtype") else asarray_like(x, np.asarray(part)) for part in parts if part is not None
    ]
    return np.concatenate([np.ravel(part) for part in parts]).astype(x.dtype, copy=False)


@composed(
    r"x + 2 \pi k",
    numpy=np.unwrap,
    examples=(example(np.array([0.5, 3.0, -3.0, -1.0])), example((3, 2), axis=0, period=1.0)),
)
@in_float32
def unwrap(x: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Any:
    """Angles without jumps: whole turns, which are constants, are added."""
    check_real("unwrap", x)
    return x + (np.unwrap(plain(x), discont, axis, period=period) - plain(x))


@composed(
    r"\operatorname{interp}(x)",
    numpy=np.interp,
    examples=(
        example((5,), np.array([-0.77, 0.41, 1.63]), (3,)),
        example((2, 2), np.array([-0.77, 0.41, 1.63]), (3,), left=-1.0, right=2.0),
        example((3,), np.array([0.13, 2.41, 1.17]), (3,), period=4.0),
    ),
)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Straight lines through the points (xp, fp), of which ``xp`` increases; ``left`` and ``right`` of them constants.

    At a point the slope is that to its right, at the last one that to its left.
    """
    x, xp, fp = (v if hasattr(v, "dtype") else np.asarray(v) for v in (x, xp, fp))
    for places in (x, xp):
        check_real("interp", places)
    # Whatever it gets, NumPy interpolates in double precision.
    x, xp, fp = (v.astype(complex if v.dtype.kind == "c" else float, copy=False) for v in (x, xp, fp))
    if np.ndim(xp) != 1 or np.shape(xp) != np.shape(fp) or not np.size(xp):
        raise ValueError(
            f"interp: expected points xp and fp, as many of both along one axis, got shapes {list(np.shape(xp))} and "
            f"{list(np.shape(fp))}"
        )
    if period is not None:
        if decide(plain(period) == 0):
            raise ValueError("interp: expected a period other than 0, got 0; None is for what has none")
        x, xp = np.remainder(x, abs(period)), np.remainder(xp, abs(period))
        order = np.argsort(plain(xp))
        xp, fp = _picked(xp, order), _picked(fp, order)
        xp = np.concatenate((xp[-1:] - abs(period), xp, xp[:1] + abs(period)))
        fp = np.concatenate((fp[-1:], fp, fp[:1]))
        left = right = None
    last = np.shape(xp)[0] - 1
    at = np.clip(np.searchsorted(plain(xp), plain(x), "right") - 1, 0, max(last - 1, 0))
    beyond = np.minimum(at + 1, last)
    start = _picked(xp, at)
    width = _picked(xp, beyond) - start
    alike = (width == 0) & ~(np.isnan(x) & (last > 0))
    part = np.where(alike, 1, (x - start) / np.where(width == 0, 1, width))
    # From an infinite place all others are at the other end.
    part = np.where(np.isinf(width) & np.isnan(part) & ~np.isnan(x), x != start, part)
    inside = between(_picked(fp, at), _picked(fp, beyond), part)
    inside = np.where(x < xp[0], fp[0] if left is None else left, inside)
    return np.where(x > xp[-1], fp[-1] if right is None else right, inside)


def _picked(points: Any, index: Any) -> Any:
    """``points[index]``, of one axis, by a function that asks both of them who answers."""
    return np.reshape(np.take_along_axis(points, np.ravel(index), 0), np.shape(index))


# -- one series under another ----------------------------------------------------------------------------


@op(r"x * y", complex=True, examples=(example((4,), (3,)), example((2,), (3,)), example((1,), (1,))))
@in_float32
def convolve(x: Any, y: Any) -> Any:
    """The convolution of two series, the coefficients of the product of two polynomials."""
    if np.ndim(x) != 1 or np.ndim(y) != 1:
        raise ValueError(
            f"convolve: expected two series along one axis, got shapes {list(x.shape)} and {list(y.shape)}"
        )
    return np.convolve(x, y)


@convolve.vjp(r"g \star y")
@rule_in_float32()
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return np.convolve(g, np.flip(y), "valid")


@convolve.vjp(r"g \star x")
@rule_in_float32()
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return np.convolve(g, np.flip(x), "valid")


@convolve.implements(np.convolve)
def _(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = (np.atleast_1d(x) for x in (a, v))
    longer, shorter = sorted((np.shape(a)[0], np.shape(v)[0]), reverse=True)
    parts = {"full": (0, longer + shorter - 1), "same": ((shorter - 1) // 2, longer)}
    parts["valid"] = (shorter - 1, longer - shorter + 1)
    if mode not in parts:
        raise ValueError(f"mode: expected one of full, same and valid, got {mode!r}")
    start, many = parts[mode]
    return convolve(a, v)[start : start + many]


@composed(
    r"x \star y",
    numpy=np.correlate,
    examples=(example((4,), (3,)), example((2,), (4,), mode="same"), example((3,), (2,), mode="full")),
)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """The sums of products of two series, one of them shifted: the convolution with the second one in reverse."""
    if np.shape(a) < np.shape(v):  # as NumPy does it, which tells where an even number has its middle
        return np.conj(np.flip(np.correlate(v, a, mode)))  # type: ignore[call-overload]
    return np.convolve(a, np.conj(np.flip(v)), mode)  # type: ignore[call-overload]


# -- variables in rows, observations in columns ------------------------------------------------------------


@composed(
    r"\frac{1}{n - d} \sum (x_i - \bar x_i) \cdot (x_j - \bar x_j)",
    numpy=np.cov,
    examples=(
        example((2, 4)),
        example((4,), (4,), rowvar=False, bias=True),
        example((2, 3), fweights=np.array([1, 2, 1]), aweights=np.array([0.5, 1.0, 2.0])),
    ),
)
def cov(
    x: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """The covariances of variables in rows, or with ``rowvar=False`` in columns; weights are those of observations."""
    for name, part in (("m", x), ("y", y)):
        if np.ndim(part) > 2:
            raise ValueError(f"cov: expected {name} with at most two axes, got shape {list(np.shape(part))}")
    if ddof is not None and ddof != int(ddof):
        raise ValueError(f"cov: expected a whole number as ddof, got {ddof}")
    if dtype is None:  # as NumPy has it, at least of double precision
        dtype = np.result_type(np.float64, *(part.dtype for part in (x, y) if part is not None))
    parts = [np.atleast_2d(part).astype(dtype, copy=False) for part in (x, y) if part is not None]
    if not rowvar:
        parts = [part.T if np.ndim(given) > 1 else part for part, given in zip(parts, (x, y), strict=False)]
    x = np.concatenate(parts)
    for name, w in (("fweights", fweights), ("aweights", aweights)):
        _check_weights(name, w, np.shape(x)[1])
    weights = [w for w in (fweights, aweights) if w is not None]
    ddof = (0 if bias else 1) if ddof is None else ddof
    if not weights:
        free = np.shape(x)[1] - ddof
        off = scaled = x - np.mean(x, axis=1, keepdims=True)
    else:
        w = np.prod(np.stack(np.broadcast_arrays(*weights)), 0)
        total = np.sum(w)
        free = total - ddof * (1 if aweights is None else np.sum(w * aweights) / total)
        off = x - np.average(x, axis=1, weights=w, keepdims=True)
        scaled = off * w
    return np.squeeze(off @ np.conj(scaled.T) * (1 / np.maximum(free, 0)))


def _check_weights(name: str, weights: Any, n: int) -> None:
    if weights is None:
        return
    if np.shape(weights) != (n,):
        raise ValueError(f"cov: expected {name} for each of the {n} observations, got shape {list(np.shape(weights))}")
    values = np.asarray(weights) if isinstance(weights, list | tuple) else plain(weights)
    if name == "fweights" and decide(np.any(values != np.round(values))):
        raise TypeError("cov: expected whole numbers as fweights, got others; pass them as aweights")
    if decide(np.any(values < 0)):
        raise ValueError(f"cov: expected {name} from 0 on, got some below 0")


@composed(
    r"\operatorname{corr}(x_i, x_j)",
    numpy=np.corrcoef,
    examples=(example((2, 4)), example((4,), (4,), rowvar=False)),
)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """The correlations of variables, covariances in units of the standard deviations."""
    c = np.cov(x, y, rowvar, dtype=dtype)
    if not np.ndim(c):
        return c / c
    sizes = np.sqrt(np.diagonal(c))
    r = c / sizes[:, None] / sizes
    # What rounding put beyond 1 goes back as a constant: a clip's gradient would be that of 1, and wrong in its second.
    told = plain(r)
    held = np.clip(told.real, -1, 1)
    return r + ((held + 1j * np.clip(told.imag, -1, 1) if told.dtype.kind == "c" else held) - told)
