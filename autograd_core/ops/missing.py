"""Reductions and scans that pass over NaN, which stands for what is missing: it gets no gradient, wherever it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain import example
from ..op import composed, op
from .half import in_float32, rule_in_float32
from .reduce import length, spread, squares

HOLES = np.array([[0.5, np.nan, -1.25], [1.5, 0.75, 2.0]])
MISSING = (example(HOLES, axis=1), example((2, 3), axis=0, keepdims=True), example(np.array([np.nan, 0.5])))
SCANS = (example(HOLES, axis=1), example((2, 3)))


def _filled(x: Any, value: float) -> Any:
    return np.where(np.isnan(x), value, x)


def _count(x: Any, axis: Any, keepdims: bool) -> Any:
    """How many numbers there are, in the dtype of a quotient by it."""
    dtype = x.dtype if x.dtype.kind in "fc" else np.dtype(np.float64)
    return np.sum(~np.isnan(x), axis=axis, keepdims=keepdims).astype(np.empty(0, dtype).real.dtype)


@composed(r"\sum_{x \text{ is no NaN}} x", numpy=np.nansum, examples=MISSING)
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of what is not NaN."""
    return np.sum(_filled(x, 0), axis=axis, keepdims=keepdims)


@composed(r"\prod_{x \text{ is no NaN}} x", numpy=np.nanprod, examples=MISSING)
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product of what is not NaN."""
    return np.prod(_filled(x, 1), axis=axis, keepdims=keepdims)


@composed(r"\sum_{j \le i, x_j \text{ is no NaN}} x_j", numpy=np.nancumsum, examples=SCANS)
def nancumsum(x: Any, axis: Any = None) -> Any:
    """The running sum, to which a NaN adds nothing."""
    return np.cumsum(_filled(x, 0), axis=axis)


@composed(r"\prod_{j \le i, x_j \text{ is no NaN}} x_j", numpy=np.nancumprod, examples=SCANS)
def nancumprod(x: Any, axis: Any = None) -> Any:
    """The running product, which a NaN leaves as it is."""
    return np.cumprod(_filled(x, 1), axis=axis)


@composed(r"\frac{1}{n} \sum_{x \text{ is no NaN}} x", numpy=np.nanmean, examples=MISSING)
@in_float32
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of what is not NaN."""
    return np.nansum(x, axis=axis, keepdims=keepdims) / _count(x, axis, keepdims)


@composed(r"\frac{1}{n - d} \sum_{x \text{ is no NaN}} (x - \bar x)^2", numpy=np.nanvar, examples=MISSING[:2])
@in_float32
def nanvar(
    x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, *, mean: Any = None, correction: Any = None
) -> Any:
    """The variance of what is not NaN."""
    off = _off(x, axis, mean)
    return np.sum(squares(off), axis=axis, keepdims=keepdims) / _degrees(x, axis, keepdims, ddof, correction)


@composed(r"\sqrt{\tfrac{1}{n - d} \sum_{x \text{ is no NaN}} (x - \bar x)^2}", numpy=np.nanstd, examples=MISSING[:2])
@in_float32
def nanstd(
    x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, *, mean: Any = None, correction: Any = None
) -> Any:
    """The standard deviation of what is not NaN; where all is equal its derivatives are 0, as those of `std`."""
    off = _off(x, axis, mean)
    off = np.abs(off) if off.dtype.kind == "c" else off
    return length(off, axis=axis, keepdims=keepdims) / np.sqrt(_degrees(x, axis, keepdims, ddof, correction))


def _off(x: Any, axis: Any, mean: Any) -> Any:
    # What is missing is told by x: the difference of infinities is no number either, and is not missing.
    return np.where(np.isnan(x), 0, x - (np.nanmean(x, axis=axis, keepdims=True) if mean is None else mean))


def _degrees(x: Any, axis: Any, keepdims: bool, ddof: float, correction: Any) -> Any:
    """What a sum of squares is divided by; NaN where there are too few numbers."""
    if ddof and correction is not None:
        raise ValueError(f"ddof and correction: expected one of these names of a number, got {ddof} and {correction}")
    free = _count(x, axis, keepdims)
    free = free - (ddof if correction is None else correction)
    return np.where(free > 0, free, np.nan)


@op(r"\max_{x \text{ is no NaN}} x", numpy=np.nanmax, examples=MISSING)
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest of what is not NaN; tied elements share the gradient equally."""
    return np.nanmax(x, axis=axis, keepdims=keepdims)


@op(r"\min_{x \text{ is no NaN}} x", numpy=np.nanmin, examples=MISSING)
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest of what is not NaN; tied elements share the gradient equally."""
    return np.nanmin(x, axis=axis, keepdims=keepdims)


@rule_in_float32()
def share_of_numbers(g: Any, z: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The gradient of an element that was chosen, in equal parts for all that are tied with it; of NaN alone none."""
    chosen = x == spread(z, x, axis, keepdims)
    ties = np.maximum(np.sum(chosen, axis=axis, keepdims=keepdims), 1).astype(x.dtype)
    return chosen * spread(g / ties, x, axis, keepdims)


for _extreme in (nanmax, nanmin):
    _extreme.vjp(r"[x_i = z] \,/\, \#\{j : x_j = z\}")(share_of_numbers)
