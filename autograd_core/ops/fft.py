"""Discrete Fourier transforms: four ops in one dimension, and what NumPy makes of them.

A transform is linear and its matrix symmetric, so its rule is the transform itself. Of float16 NumPy's is scaled in
float16, which has no 1 / 100,000: here it is computed in float32, and complex64 comes out as there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..arrays import asarray_like
from ..domain import example
from ..op import COMPOSED, composed, is_complex, op
from .half import in_float32

CALLS = (example((4,)), example((2, 3), axis=0), example((5, 2), axis=-2, norm="ortho"), example((1,), norm="forward"))
OTHER = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


@op(r"\sum_k x_k e^{-2\pi i j k / n}", examples=CALLS, complex=True)
@in_float32
def fft(x: Any, axis: int = -1, norm: str | None = None) -> Any:
    """The discrete Fourier transform along an axis."""
    return np.fft.fft(x, axis=normalize_axis_index(axis, np.ndim(x)), norm=norm)  # type: ignore[arg-type]


@fft.vjp(r"\operatorname{fft} g")
def _(g: Any, z: Any, x: Any, axis: int = -1, norm: str | None = None) -> Any:
    return fft(g, axis=axis, norm=norm)


@op(r"\tfrac{1}{n} \sum_k x_k e^{2\pi i j k / n}", examples=CALLS, complex=True)
@in_float32
def ifft(x: Any, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of `fft`."""
    return np.fft.ifft(x, axis=normalize_axis_index(axis, np.ndim(x)), norm=norm)  # type: ignore[arg-type]


@ifft.vjp(r"\operatorname{ifft} g")
def _(g: Any, z: Any, x: Any, axis: int = -1, norm: str | None = None) -> Any:
    return ifft(g, axis=axis, norm=norm)


@op(r"\sum_k x_k e^{-2\pi i j k / n}, \; j \le \tfrac{n}{2}", examples=CALLS, complex=True)
@in_float32
def rfft(x: Any, axis: int = -1, norm: str | None = None) -> Any:
    """The transform of real numbers: its first half, of which the other is the mirror image."""
    if is_complex(x):
        raise TypeError("rfft: expected real numbers, got complex ones; use np.fft.fft, or pass their .real")
    return np.fft.rfft(x, axis=normalize_axis_index(axis, np.ndim(x)), norm=norm)  # type: ignore[arg-type]


@rfft.vjp(r"\operatorname{Re} \operatorname{fft} g")
def _(g: Any, z: Any, x: Any, axis: int = -1, norm: str | None = None) -> Any:
    return np.real(fft(_in_length(g, np.shape(x)[axis], axis), axis=axis, norm=norm))


@op(
    r"\tfrac{1}{n} \sum_k x_k e^{2\pi i j k / n}, \; x_{n-k} = \bar x_k",
    examples=(example((3,), n=4), example((2, 3), axis=0, n=3), example((3, 2), axis=0, n=5, norm="ortho")),
    complex=True,
)
@in_float32
def irfft(x: Any, n: int = 1, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of `rfft` with a result of length ``n``, of which ``x`` is the first half."""
    if not np.shape(x)[normalize_axis_index(axis, np.ndim(x))]:
        raise ValueError(f"irfft: expected at least one number along axis {axis}, got shape {list(np.shape(x))}")
    return np.fft.irfft(x, n, axis=normalize_axis_index(axis, np.ndim(x)), norm=norm)  # type: ignore[arg-type]


@irfft.vjp(r"w \cdot \overline{\operatorname{rfft} g}")
def _(g: Any, z: Any, x: Any, n: int = 1, axis: int = -1, norm: str | None = None) -> Any:
    # Each number but the first, and the last of an even length, stands for its mirror image, too.
    twice = np.full(n // 2 + 1, 2.0, np.finfo(x.dtype).dtype)
    twice[0] = 1
    if n % 2 == 0:
        twice[-1] = 1
    along = [1] * np.ndim(x)
    along[axis] = -1
    half = np.conj(rfft(g, axis=axis, norm=OTHER[norm])) * asarray_like(g, twice.reshape(along))
    return _in_length(half, np.shape(x)[axis], axis)


def _in_length(x: Any, n: int, axis: int) -> Any:
    """``x`` with ``n`` elements along an axis: the first of them, or with zeros behind them."""
    axis = normalize_axis_index(axis, np.ndim(x))
    length = np.shape(x)[axis]
    if n < length:
        return x[(*(slice(None),) * axis, slice(n))]
    if n == length:
        return x
    return np.pad(x, [(0, n - length if a == axis else 0) for a in range(np.ndim(x))])


# -- with NumPy's arguments ----------------------------------------------------------------------------


def _checked(name: str, n: Any, norm: Any) -> None:
    if n is not None and n < 1:
        raise ValueError(f"{name}: expected a length n from 1 on, got {n}")
    if norm not in OTHER:
        raise ValueError(f"{name}: expected norm 'backward', 'ortho' or 'forward', got {norm!r}")


def _transform(name: str, transform: Any) -> Any:
    def called(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
        _checked(name, n, norm)
        return transform(a if n is None else _in_length(a, n, axis), axis=axis, norm=norm)

    return called


for _op in (fft, ifft, rfft):
    _op.implements(getattr(np.fft, _op.name))(_transform(_op.name, _op))


@irfft.implements(np.fft.irfft)
def _irfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    _checked("irfft", n, norm)
    length = np.shape(a)[normalize_axis_index(axis, np.ndim(a))]
    n = 2 * (length - 1) if n is None else n
    _checked("irfft", n, norm)
    return irfft(_in_length(a, n // 2 + 1, axis) if length else a, n=n, axis=axis, norm=norm)


HALF = (example((3,)), example((3, 2), n=3, axis=0))


@composed(r"n \cdot \operatorname{irfft} \bar x", numpy=np.fft.hfft, examples=HALF)
def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The transform of the first half of numbers of which the other is the mirror image, conjugated: real numbers."""
    return _irfft(np.conj(a), n, axis, OTHER.get(norm, norm))


@composed(r"\tfrac{1}{n} \overline{\operatorname{rfft} x}", numpy=np.fft.ihfft, examples=HALF)
def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of `hfft`."""
    return np.conj(np.fft.rfft(a, n, axis, norm=OTHER.get(norm, norm)))  # type: ignore[arg-type]


def _along(a: Any, s: Any, axes: Any) -> list[tuple[int | None, int]]:
    """The length and the axis of each transform."""
    if axes is None:
        axes = range(np.ndim(a)) if s is None else range(-len(s), 0)
    s = [None] * len(axes) if s is None else s
    if len(s) != len(axes):
        raise ValueError(f"the transform: expected a length in s= for each of axes=, got {s} and {axes}")
    return [(None if n == -1 else n, axis) for n, axis in zip(s, axes, strict=True)]


PLANES = (example((2, 3)), example((3, 2, 4), axes=(0, 2), norm="ortho"))
SQUARES = (example((2, 3)), example((3, 2), s=(2, 4), axes=(0, 1)))


@composed(r"\operatorname{fft} x", numpy=np.fft.fftn, examples=PLANES)
def fftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """`fft` along several axes, by default all."""
    for n, axis in reversed(_along(a, s, axes)):
        a = np.fft.fft(a, n, axis, norm)  # type: ignore[arg-type]
    return a


@composed(r"\operatorname{ifft} x", numpy=np.fft.ifftn, examples=PLANES)
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """`ifft` along several axes, by default all."""
    for n, axis in reversed(_along(a, s, axes)):
        a = np.fft.ifft(a, n, axis, norm)  # type: ignore[arg-type]
    return a


@composed(r"\operatorname{rfft} x", numpy=np.fft.rfftn, examples=PLANES)
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """`rfft` along the last of several axes, and `fft` along the others."""
    *others, (n, axis) = _along(a, s, axes)
    a = np.fft.rfft(a, n, axis, norm)  # type: ignore[arg-type]
    for n, axis in reversed(others):
        a = np.fft.fft(a, n, axis, norm)  # type: ignore[arg-type]
    return a


@composed(r"\operatorname{irfft} x", numpy=np.fft.irfftn, examples=PLANES)
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Any:
    """The inverse of `rfftn`."""
    *others, (last, axis) = _along(a, s, axes)
    for n, other in others:
        a = np.fft.ifft(a, n, other, norm)  # type: ignore[arg-type]
    return _irfft(a, last, axis, norm)


def _plane(name: str, several: Any) -> None:
    def called(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Any:
        return several(a, s, axes, norm)

    called.__name__ = called.__qualname__ = name
    called.__doc__ = f"`{several.__name__}` along two axes, by default the last."
    composed(COMPOSED[several.__name__].latex, numpy=getattr(np.fft, name), examples=SQUARES)(called)


for _name, _several in (("fft2", fftn), ("ifft2", ifftn), ("rfft2", rfftn), ("irfft2", irfftn)):
    _plane(_name, _several)


def _shifted(x: Any, axes: Any, sign: int) -> Any:
    axes = range(np.ndim(x)) if axes is None else (axes,) if np.ndim(axes) == 0 else axes
    return np.roll(x, [sign * (np.shape(x)[a] // 2) for a in axes], tuple(axes))


SHIFTS = (example((4,)), example((3, 2), axes=0), example((3, 5)))


@composed(r"\operatorname{roll} x", numpy=np.fft.fftshift, examples=SHIFTS)
def fftshift(x: Any, axes: Any = None) -> Any:
    """The numbers turned around so that the one of frequency 0 is in the middle."""
    return _shifted(x, axes, 1)


@composed(r"\operatorname{roll} x", numpy=np.fft.ifftshift, examples=SHIFTS)
def ifftshift(x: Any, axes: Any = None) -> Any:
    """The inverse of `fftshift`."""
    return _shifted(x, axes, -1)
