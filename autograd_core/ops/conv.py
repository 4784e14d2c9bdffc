"""Convolution over any number of axes, and the sliding windows that it and pooling are made of.

Arrays are ``(batch, *spatial, channels)`` and kernels ``(*window, channels in, channels out)``, as in Keras.
Pooling is a reduction of windows: ``np.max(windows(x, 2, strides=2), axis=(3, 4))`` for images.

A convolution is linear in its input x and in its kernel k. With a third array, g, in the shape of its result,
``sum(g * conv(x, k))`` is linear in each of the three, and its three derivatives are the ops below: `conv` with
respect to g, `conv_transpose` with respect to x, `conv_kernel` with respect to k. Hence each one's rules are
the other two, and derivatives of any order stay convolutions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..arrays import is_foreign
from ..domain import example
from ..op import op
from . import winograd
from .half import in_float32

# How many numbers are lowered to a matrix at a time: about as many as a core's caches hold.
_CACHED = 2**20

Pairs = tuple[tuple[int, int], ...]


def _each(value: Any, n: int, name: str) -> tuple[int, ...]:
    """A whole number of at least 1 for each of n axes."""
    values = (value,) * n if np.ndim(value) == 0 else tuple(value)
    if len(values) != n or not all(isinstance(v, int | np.integer) and v >= 1 for v in values):
        raise ValueError(
            f"{name}: expected a whole number of at least 1, or one for each of the {n} spatial axes, got {value!r}"
        )
    return tuple(int(v) for v in values)


def _spatial(x: Any) -> tuple[int, ...]:
    if np.ndim(x) < 3:
        raise ValueError(
            "x: expected an array of shape (batch, *spatial, channels) with at least one spatial axis, got shape "
            f"{list(np.shape(x))}"
        )
    return np.shape(x)[1:-1]


def _reach(window: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    """How far a window reaches when its elements stand ``dilation`` apart."""
    return tuple((k - 1) * d + 1 for k, d in zip(window, dilation, strict=True))


# -- windows and their adjoint -------------------------------------------------------------------------


@op(
    r"\operatorname{windows} x",
    examples=(
        example((2, 5, 3), window=2),
        example((1, 5, 4, 2), window=(3, 2), strides=2),
        example((1, 7, 2), window=3, strides=2, dilation=2),
        example((1, 3, 3, 3, 1), window=2),
        example((0, 3, 1), window=2),
    ),
)
def windows(x: Any, window: Any = (), *, strides: Any = 1, dilation: Any = 1) -> Any:
    """All windows of a size: from ``(batch, *spatial, channels)`` to ``(batch, *places, *window, channels)``.

    Parameters
    ----------
    x : array_like
        An array with one spatial axis or several.
    window : int or sequence of int
        How many elements a window has along each spatial axis: a number, or one for each.
    strides : int or sequence of int
        From one window to the next, likewise.
    dilation : int or sequence of int
        From one element of a window to the next, likewise; 1 leaves no gaps.

    Returns
    -------
    array
        Of a plain array a read-only view.

    Raises
    ------
    ValueError
        For numbers below 1, and a window that is longer than ``x``.

    Examples
    --------
    >>> windows(np.arange(5.0).reshape(1, 5, 1), 3)[0, :, :, 0]
    array([[0., 1., 2.],
           [1., 2., 3.],
           [2., 3., 4.]])
    """
    spatial = _spatial(x)
    n = len(spatial)
    window, strides, dilation = _each(window, n, "window"), _each(strides, n, "strides"), _each(dilation, n, "dilation")
    reach = _reach(window, dilation)
    if any(r > s for r, s in zip(reach, spatial, strict=True)):
        raise ValueError(
            f"windows: expected a window within the spatial axes of x, {list(spatial)}, got one that reaches over "
            f'{list(reach)}; make it smaller, or pad x (padding="same")'
        )
    return _view(x, reach, strides, dilation)


def _view(x: Any, reach: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...], **options: Any) -> Any:
    n = len(reach)
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=tuple(range(1, n + 1)), **options)
    every = (slice(None), *(slice(None, None, s) for s in strides), slice(None))
    view = view[(*every, *(slice(None, None, d) for d in dilation))]
    return np.moveaxis(view, n + 1, -1)


@op(
    r"\operatorname{fold} x",
    examples=(
        example((2, 4, 2, 3), shape=(2, 5, 3)),
        example((1, 2, 2, 3, 2, 2), shape=(1, 5, 4, 2), strides=2),
        example((1, 2, 3, 2), shape=(1, 8, 2), strides=2, dilation=2),
        example((0, 2, 2, 1), shape=(0, 3, 1)),
    ),
)
@in_float32
def fold(w: Any, shape: Any = (), *, strides: Any = 1, dilation: Any = 1) -> Any:
    """The adjoint of `windows`: an array of ``shape``, in which each element is the sum of its copies in ``w``.

    Parameters
    ----------
    w : array_like
        An array in the shape that ``windows`` gives: ``(batch, *places, *window, channels)``.
    shape : tuple of int
        Of the result, ``(batch, *spatial, channels)``.
    strides, dilation
        As in `windows`.

    Returns
    -------
    array
        Of that shape.

    Raises
    ------
    ValueError
        Unless ``w`` has the shape of the windows of such an array.

    Examples
    --------
    >>> fold(np.ones((1, 3, 3, 1)), (1, 5, 1))[0, :, 0]
    array([1., 2., 3., 2., 1.])
    """
    n = len(shape) - 2
    strides, dilation = _each(strides, n, "strides"), _each(dilation, n, "dilation")
    places, window = np.shape(w)[1 : n + 1], np.shape(w)[n + 1 : 2 * n + 1]
    if len(window) != n:
        raise ValueError(
            f"fold: expected the windows of an array of shape {list(shape)}, got an array of shape {list(np.shape(w))}"
        )
    reach = _reach(window, dilation)
    sizes = zip(shape[1:-1], reach, strides, strict=True)
    fitting = (shape[0], *((s - r) // stride + 1 for s, r, stride in sizes), *window, shape[-1])
    if np.shape(w) != fitting:
        raise ValueError(
            f"fold: expected the windows of an array of shape {list(shape)}, which have shape {list(fitting)}, got "
            f"shape {list(np.shape(w))}"
        )
    if window == reach == strides and all(p * k == s for p, k, s in zip(places, window, shape[1:-1], strict=True)):
        # Tiles without gaps: where their elements stand in the order of x, this is only another view of them.
        between = (axis for pair in zip(range(1, n + 1), range(n + 1, 2 * n + 1), strict=True) for axis in pair)
        return np.reshape(np.transpose(w, (0, *between, 2 * n + 1)), shape)
    x = np.zeros_like(w, shape=shape)
    apart = all(r <= s for r, s in zip(reach, strides, strict=True))
    if apart and not is_foreign(x):  # windows that do not overlap, each with its place in a view that can be written to
        if np.size(w):
            np.copyto(_view(x, reach, strides, dilation, writeable=True), w)
        return x
    for offset in itertools.product(*(range(k) for k in window)):
        here = tuple(
            slice(o * d, o * d + (p - 1) * s + 1 if p else 0, s)
            for o, d, s, p in zip(offset, dilation, strides, places, strict=True)
        )
        x[(slice(None), *here)] += w[(slice(None), *(slice(None),) * n, *offset)]
    return x


@windows.vjp(r"1")
def _(g: Any, z: Any, x: Any, window: Any = (), *, strides: Any = 1, dilation: Any = 1) -> Any:
    return fold(g, np.shape(x), strides=strides, dilation=dilation)


@fold.vjp(r"1")
def _(g: Any, z: Any, w: Any, shape: Any = (), *, strides: Any = 1, dilation: Any = 1) -> Any:
    n = len(shape) - 2
    return windows(g, np.shape(w)[n + 1 : 2 * n + 1], strides=strides, dilation=dilation)


# -- convolution ---------------------------------------------------------------------------------------


class _Layout(NamedTuple):
    """What a convolution of an array of ``shape`` with a kernel looks like."""

    shape: tuple[int, ...]
    window: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    pairs: Pairs
    groups: int

    @classmethod
    def of(cls, shape: Any, kernel: Any, strides: Any, padding: Any, dilation: Any, groups: int) -> _Layout:
        """Check the arguments, and give the paddings as pairs."""
        spatial, window = tuple(shape[1:-1]), _each(kernel[:-2], len(kernel[:-2]), "window")
        n = len(spatial)
        if len(window) != n or n < 1 or groups < 1 or shape[-1] != kernel[-2] * groups or kernel[-1] % groups:
            raise ValueError(
                "conv: expected x (batch, *spatial, in) and a kernel (*window, in / groups, out) with as many window "
                f"axes and with in and out divisible by groups, got x {list(shape)}, kernel {list(kernel)} and "
                f"groups={groups}"
            )
        strides, dilation = _each(strides, n, "strides"), _each(dilation, n, "dilation")
        pairs = _pairs(padding, spatial, _reach(window, dilation), strides)
        return cls(tuple(shape), window, strides, dilation, pairs, groups)

    def places(self) -> tuple[int, ...]:
        """The spatial shape of the result."""
        reach = zip(self.shape[1:-1], self.pairs, _reach(self.window, self.dilation), self.strides, strict=True)
        return tuple((n + before + after - r) // s + 1 for n, (before, after), r, s in reach)

    def parts(self, x: Any) -> list[slice]:
        """The batch in parts whose columns stay in the processor's cache: twice as fast as all at once.

        On another library's device a few large products are faster than many small ones, up to what its memory holds.
        """
        return self._parts(math.prod(self.window) * self.shape[-1], _CACHED * (128 if is_foreign(x) else 1))

    def tiled_parts(self, filters: int) -> list[slice]:
        """The same for the patches of `winograd`, of which more is needed at a time."""
        patches = winograd.PATCH**2 * max(self.shape[-1], filters) // winograd.TILE**2
        return self._parts(patches, _CACHED // 4)

    def _parts(self, numbers: int, cached: int) -> list[slice]:
        n = max(cached // max(math.prod(self.places()) * numbers, 1), 1)
        n = 1 << n.bit_length() - 1  # so that the parts of one layer begin where those of another do
        return [slice(i, i + n) for i in range(0, self.shape[0], n)] or [slice(0, 0)]

    def suits_winograd(self, dtype: Any, filters: int) -> bool:
        """Whether there are enough channels in 3×3 windows that lie side by side, and float32 is accurate enough."""
        simple = self.window == (3, 3) and max(*self.strides, *self.dilation, self.groups) == 1
        return simple and dtype == np.float32 and min(self.shape[-1], filters) >= winograd.CHANNELS

    def around(self) -> Pairs | None:
        """The padding with which the adjoint is a convolution too, by the kernel turned around; None if it is none."""
        reach = _reach(self.window, self.dilation)
        pairs = tuple((r - 1 - before, r - 1 - after) for r, (before, after) in zip(reach, self.pairs, strict=True))
        one = max(*self.strides, self.groups) == 1 and min(map(min, pairs)) >= 0
        return pairs if one else None

    def columns(self, x: Any) -> Any:
        """The windows of ``x`` as matrices, one for each group: ``(groups, places, window * in / groups)``."""
        w = windows(_pad(x, self.pairs), self.window, strides=self.strides, dilation=self.dilation)
        places, size = math.prod(np.shape(w)[: len(self.window) + 1]), math.prod(self.window)
        w = np.reshape(w, (places, size, self.groups, self.shape[-1] // self.groups))
        return np.reshape(np.moveaxis(w, 2, 0), (self.groups, places, size * (self.shape[-1] // self.groups)))

    def image(self, columns: Any, places: tuple[int, ...]) -> Any:
        """The adjoint of `columns`."""
        each = self.shape[-1] // self.groups
        w = np.reshape(columns, (self.groups, math.prod(places), math.prod(self.window), each))
        w = np.reshape(np.moveaxis(w, 0, 2), (*places, *self.window, self.shape[-1]))
        spatial = zip(self.shape[1:-1], self.pairs, strict=True)
        padded = (places[0], *(n + before + after for n, (before, after) in spatial), self.shape[-1])
        return _crop(fold(w, padded, strides=self.strides, dilation=self.dilation), self.pairs)

    def matrices(self, kernel: Any) -> Any:
        """A kernel as matrices, one for each group: ``(groups, window * in / groups, out / groups)``."""
        rows, out = math.prod(np.shape(kernel)[:-1]), np.shape(kernel)[-1]
        return np.moveaxis(np.reshape(kernel, (rows, self.groups, out // self.groups)), 1, 0)

    def rows(self, g: Any) -> Any:
        """A result as matrices, one for each group: ``(groups, places, out / groups)``."""
        places, out = math.prod(np.shape(g)[:-1]), np.shape(g)[-1]
        return np.moveaxis(np.reshape(g, (places, self.groups, out // self.groups)), 1, 0)


def _pairs(padding: Any, spatial: tuple[int, ...], reach: tuple[int, ...], strides: tuple[int, ...]) -> Pairs:
    """The padding before and after each spatial axis."""
    if padding == "valid":
        return ((0, 0),) * len(spatial)
    if padding == "same":  # as TensorFlow does it: ceil(n / stride) places, an odd one out goes behind
        missing = (max((-(-n // s) - 1) * s + r - n, 0) for n, r, s in zip(spatial, reach, strides, strict=True))
        return tuple((m // 2, m - m // 2) for m in missing)
    shape = None if isinstance(padding, str) else np.shape(padding)
    if shape != (len(spatial), 2) or np.min(padding) < 0:
        raise ValueError(
            f'padding: expected "valid", "same", or a pair of numbers (before, after) for each of the {len(spatial)} '
            f"spatial axes, got {padding!r}"
        )
    return tuple((int(before), int(after)) for before, after in padding)


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _total(terms: Iterator[Any]) -> Any:
    """The sum of some arrays, as two sums in turns, since two threads may add at the same time."""
    sums = [next(terms), next(terms, 0)]
    for i, term in enumerate(terms):
        sums[i % 2] = sums[i % 2] + term
    return sums[0] + sums[1]


def _pad(x: Any, pairs: Pairs) -> Any:
    if not any(map(any, pairs)):
        return x
    n, *spatial, channels = np.shape(x)
    padded = np.zeros_like(x, shape=(n, *(s + sum(pair) for s, pair in zip(spatial, pairs, strict=True)), channels))
    inner = (slice(before, before + s) for s, (before, _) in zip(spatial, pairs, strict=True))
    padded[(slice(None), *inner)] = x
    return padded


def _crop(x: Any, pairs: Pairs) -> Any:
    inner = (slice(before, n - after) for (before, after), n in zip(pairs, np.shape(x)[1:-1], strict=True))
    return x[(slice(None), *inner)] if any(map(any, pairs)) else x


EXAMPLES = (
    example((2, 5, 2), (3, 2, 3)),
    example((1, 5, 4, 2), (3, 2, 2, 2), padding="same"),
    example((1, 6, 5, 1), (2, 3, 1, 2), strides=2, padding=((1, 0), (2, 1))),
    example((1, 7, 2), (3, 2, 1), dilation=2, padding="same", strides=3),
    example((1, 4, 4), (2, 2, 4), groups=2),
    example((1, 3, 3, 3, 1), (2, 2, 2, 1, 2)),
    example((0, 4, 2), (2, 2, 3)),
)


@op(r"x \star y", examples=EXAMPLES)
@in_float32
def conv(x: Any, kernel: Any, *, strides: Any = 1, padding: Any = "valid", dilation: Any = 1, groups: int = 1) -> Any:
    """The convolution of neural networks (the kernel is not flipped), over one, two, three or more axes.

    Parameters
    ----------
    x : array_like
        ``(batch, *spatial, in)``.
    kernel : array_like
        ``(*window, in / groups, out)``.
    strides : int or sequence of int
        From one place of the kernel to the next: a number from 1 on, or one for each spatial axis.
    padding : str or sequence
        Of zeros: "valid" (none), "same" (``ceil(n / stride)`` places, as TensorFlow pads) or a pair (before, after)
        for each spatial axis.
    dilation : int or sequence of int
        From one element of the kernel to the next, like ``strides``.
    groups : int
        In how many separate parts the channels are convolved.

    Returns
    -------
    array
        ``(batch, *places, out)``.

    Raises
    ------
    ValueError
        For axes that do not fit, numbers below 1, and a window that is longer than the padded ``x``.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 4.0, 8.0]).reshape(1, 4, 1)
    >>> conv(x, np.array([-1.0, 1.0]).reshape(2, 1, 1))[0, :, 0]
    array([1., 2., 4.])
    """
    layout = _Layout.of(np.shape(x), np.shape(kernel), strides, padding, dilation, groups)
    if not is_foreign(x) and layout.suits_winograd(np.result_type(x, kernel), np.shape(kernel)[-1]):
        parts = layout.tiled_parts(np.shape(kernel)[-1])
        return _joined([winograd.convolve(_pad(x[part], layout.pairs), kernel) for part in parts])
    matrices = layout.matrices(kernel)
    rows = [np.moveaxis(np.matmul(layout.columns(x[part]), matrices), 0, 1) for part in layout.parts(x)]
    return np.reshape(_joined(rows), (layout.shape[0], *layout.places(), np.shape(kernel)[-1]))


@op(
    r"x \star^{\mathsf T} y",
    examples=(
        example((2, 3, 3), (3, 2, 3)),
        example((1, 3, 2, 2), (3, 2, 2, 2), padding="same", strides=2),
        example((1, 3, 2), (3, 2, 2), padding=((1, 0),), dilation=2),
        example((1, 3, 4), (2, 2, 4), groups=2),
        example((1, 2, 2, 1), (3, 3, 2, 1), strides=2, shape=(1, 6, 5, 2)),
        example((0, 3, 3), (2, 2, 3)),
    ),
)
@in_float32
def conv_transpose(
    x: Any,
    kernel: Any,
    *,
    strides: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
    shape: Any = None,
) -> Any:
    """The adjoint of `conv` with the same kernel and options: from the shape of its result to that of its input.

    Parameters
    ----------
    x : array_like
        ``(batch, *places, in)``.
    kernel : array_like
        ``(*window, out / groups, in)``.
    strides, padding, dilation, groups
        As in `conv`.
    shape : tuple of int, optional
        Of the whole result. Several spatial sizes can lead to these places; None takes that of Keras: ``n * stride``
        for "same", ``n * stride + max(window - stride, 0)`` for "valid" and the smallest one for explicit pairs.

    Returns
    -------
    array
        ``(batch, *spatial, out)``.

    Raises
    ------
    ValueError
        Where `conv` does, and for a ``shape`` that does not lead to ``x``.

    Examples
    --------
    >>> x = np.array([1.0, 2.0]).reshape(1, 2, 1)
    >>> conv_transpose(x, np.array([1.0, 1.0, 1.0]).reshape(3, 1, 1), strides=2)[0, :, 0]
    array([1., 1., 3., 2., 2.])
    """
    places, window = _spatial(x), np.shape(kernel)[:-2]
    if 0 in places:
        raise ValueError(
            f"conv: expected a place to put the kernel, got x of shape {list(np.shape(x))}, which has an empty spatial "
            "axis"
        )
    if shape is None:
        n = len(places)
        reach = _reach(window, _each(dilation, len(window), "dilation"))
        sizes = zip(places, reach, _each(strides, n, "strides"), strict=True)
        if isinstance(padding, str):
            spatial = [p * s + (max(r - s, 0) if padding == "valid" else 0) for p, r, s in sizes]
        else:
            spatial = [(p - 1) * s + r - sum(pair) for (p, r, s), pair in zip(sizes, padding, strict=True)]
        shape = (np.shape(x)[0], *spatial, np.shape(kernel)[-2] * groups)
    layout = _Layout.of(shape, np.shape(kernel), strides, padding, dilation, groups)
    around = layout.around()
    if around is not None:
        axes = tuple(range(len(window)))
        return conv(x, np.swapaxes(np.flip(kernel, axes), -1, -2), padding=around, dilation=dilation)
    matrices = np.swapaxes(layout.matrices(kernel), -1, -2)
    images = (
        layout.image(np.matmul(layout.rows(x[part]), matrices), np.shape(x[part])[:-1]) for part in layout.parts(x)
    )
    return _joined([*images])


@op(
    r"x \star_k y",
    examples=(
        example((2, 5, 2), (2, 3, 3), window=(3,)),
        example((1, 5, 4, 2), (1, 5, 4, 2), window=(3, 2), padding="same"),
        example((1, 6, 4), (1, 3, 2), window=(2,), strides=2, groups=2),
        example((0, 4, 2), (0, 3, 3), window=(2,)),
    ),
)
@in_float32
def conv_kernel(
    x: Any, g: Any, *, window: Any = (), strides: Any = 1, padding: Any = "valid", dilation: Any = 1, groups: int = 1
) -> Any:
    """The derivative of ``sum(g * conv(x, kernel))`` with respect to a kernel with this ``window``."""
    shape = (*window, np.shape(x)[-1] // groups, np.shape(g)[-1])
    layout = _Layout.of(np.shape(x), shape, strides, padding, dilation, groups)
    if not is_foreign(x) and layout.suits_winograd(np.result_type(x, g), np.shape(g)[-1]):
        parts = layout.tiled_parts(np.shape(g)[-1])
        return _total(winograd.kernel_gradient(_pad(x[p], layout.pairs), g[p]) for p in parts)
    k = _total(np.matmul(np.swapaxes(layout.columns(x[p]), -1, -2), layout.rows(g[p])) for p in layout.parts(x))
    return np.reshape(np.moveaxis(k, 0, 1), shape)


@conv.vjp(r"g \star^{\mathsf T} y")
def _(g: Any, z: Any, x: Any, kernel: Any, **options: Any) -> Any:
    return conv_transpose(g, kernel, shape=np.shape(x), **options)


@conv.vjp(r"x \star_k g")
def _(g: Any, z: Any, x: Any, kernel: Any, **options: Any) -> Any:
    return conv_kernel(x, g, window=np.shape(kernel)[:-2], **options)


@conv_transpose.vjp(r"g \star y")
def _(g: Any, z: Any, x: Any, kernel: Any, shape: Any = None, **options: Any) -> Any:
    return conv(g, kernel, **options)


@conv_transpose.vjp(r"g \star_k x")
def _(g: Any, z: Any, x: Any, kernel: Any, shape: Any = None, **options: Any) -> Any:
    return conv_kernel(g, x, window=np.shape(kernel)[:-2], **options)


@conv_kernel.vjp(r"y \star^{\mathsf T} g")
def _(g: Any, z: Any, x: Any, y: Any, window: Any = (), **options: Any) -> Any:
    return conv_transpose(y, g, shape=np.shape(x), **options)


@conv_kernel.vjp(r"x \star g")
def _(g: Any, z: Any, x: Any, y: Any, window: Any = (), **options: Any) -> Any:
    return conv(x, g, **options)
