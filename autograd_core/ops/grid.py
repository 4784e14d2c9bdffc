"""Rows of numbers between two ends, and grids of such rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import asarray_like, decide
from ..dispatch import plain
from ..domain import POSITIVE, example
from ..op import composed, is_complex
from .half import in_float32

ENDS = (example((), (), num=5), example((2,), (), num=3, endpoint=False, axis=-1))


def _parts(num: int, endpoint: bool, *ends: Any) -> tuple[Any, ...]:
    """How far along each of the numbers is, for an axis before those of the ends; and the ends, of floating numbers."""
    ends = tuple(end if hasattr(end, "dtype") else np.asarray(end) for end in ends)
    dtype = np.result_type(*(end.dtype for end in ends), float(num))
    ends = tuple(end if end.dtype == dtype else end.astype(dtype) for end in ends)
    axes = max(np.ndim(end) for end in ends)
    parts = np.reshape(np.linspace(0, 1, num, endpoint).astype(dtype), (num,) + (1,) * axes)
    return asarray_like(ends[0], parts), *ends


@composed(r"x + \tfrac{k}{n - 1} \cdot (y - x)", numpy=np.linspace, examples=ENDS)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Numbers at equal distances from ``start`` to ``stop``."""
    parts, start, stop = _parts(num, endpoint, start, stop)
    numbers = _made((1 - parts) * start + parts * stop, dtype, axis)
    between = num - 1 if endpoint else num
    return (numbers, (stop - start) / between if between else np.nan) if retstep else numbers


def _made(numbers: Any, dtype: Any, axis: int) -> Any:
    """In the dtype and along the axis that were asked for."""
    if dtype is not None:
        numbers = (np.floor(numbers) if np.dtype(dtype).kind in "iu" else numbers).astype(dtype)
    return np.moveaxis(numbers, 0, axis)


@composed(r"b^{x + \tfrac{k}{n - 1} \cdot (y - x)}", numpy=np.logspace, examples=ENDS)
@in_float32
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """The powers of ``base`` with exponents from ``start`` to ``stop``."""
    if np.ndim(base):
        start, stop, base = np.broadcast_arrays(start, stop, base)
    parts, start, stop = _parts(num, endpoint, start, stop)
    return _made(np.power(base, (1 - parts) * start + parts * stop), dtype, axis)


@composed(r"x \cdot (y / x)^{k / (n - 1)}", numpy=np.geomspace, domain=(POSITIVE, POSITIVE), examples=ENDS)
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Numbers from ``start`` to ``stop``, both of one sign, each the same multiple of the one before."""
    parts, start, stop = _parts(num, endpoint, start, stop)
    parts = parts.astype(np.float64, copy=False)  # in which NumPy computes them
    if is_complex(start):
        return _made(start * (stop / start) ** parts, dtype, axis)
    if decide(np.any(np.sign(plain(start)) * np.sign(plain(stop)) <= 0)):
        raise ValueError(f"geomspace: expected ends other than 0 and of one sign, got {plain(start)} and {plain(stop)}")
    sizes = np.abs(start) ** (1 - parts) * np.abs(stop) ** parts
    return _made(np.sign(plain(start)) * sizes, dtype, axis)


@composed(
    r"(x_{ij}, y_{ij}, \dots)",
    numpy=np.meshgrid,
    examples=(example((2,), (3,)), example((2,), (3,), (), indexing="ij", sparse=True), example((2,))),
)
def meshgrid(*xs: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """For each axis of a grid an array with its coordinates; with ``sparse`` they are not repeated along the others."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"indexing: expected 'xy' or 'ij', got {indexing!r}")
    axes = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        axes[:2] = 1, 0
    grids = [np.reshape(x, (1,) * axis + (-1,) + (1,) * (len(xs) - 1 - axis)) for x, axis in zip(xs, axes, strict=True)]
    return tuple(grids if sparse else np.broadcast_arrays(*grids))


@composed(
    r"(x_{i}, y_{j}, \dots)", numpy=np.ix_, examples=(example((2,), (3,)), example(np.array([True, False]), (2,)))
)
def ix_(*xs: Any) -> Any:
    """Each array along an axis of its own, which together index a grid; masks become the places that they hold."""
    if any(np.ndim(x) != 1 for x in xs):
        raise ValueError(
            f"ix_: expected arrays of one axis, got shapes {', '.join(str(list(np.shape(x))) for x in xs)}"
        )
    xs = tuple(x if hasattr(x, "dtype") else np.asarray(x, None if len(x) else int) for x in xs)
    xs = tuple(np.flatnonzero(x) if x.dtype == bool else x for x in xs)
    return np.meshgrid(*xs, indexing="ij", sparse=True)
