"""Convolutions and poolings. ONNX has the channels first, the engine's windows have them last."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ag

from ..layers.images import same_padding
from ..tensors import plain
from .rules import rule, whole, within

Pairs = list[tuple[int, int]]


def last(x: Any) -> Any:
    """With the channels last."""
    return np.moveaxis(x, 1, -1)


def first(x: Any) -> Any:
    """With the channels first."""
    return np.moveaxis(x, -1, 1)


def padding(auto_pad: str, pads: Any, spatial: Any, window: Any, strides: Any, dilations: Any) -> Pairs:
    """How many places stand before and after each spatial axis."""
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        pairs = [same_padding(*sizes) for sizes in zip(spatial, window, strides, dilations, strict=True)]
        return pairs if auto_pad == "SAME_UPPER" else [(b, a) for a, b in pairs]
    if auto_pad == "VALID" or pads is None:
        return [(0, 0)] * len(spatial)
    return list(zip(pads[: len(spatial)], pads[len(spatial) :], strict=True))


@rule("Conv")
def _(
    x: Any, w: Any, b: Any = None, auto_pad: str = "NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    """In groups, with dilation, over any number of spatial axes."""
    spatial, window = np.shape(x)[2:], np.shape(w)[2:]
    strides, dilations = strides or (1,) * len(spatial), dilations or (1,) * len(spatial)
    around = padding(auto_pad, pads, spatial, window, strides, dilations)
    kernel = np.transpose(w, (*range(2, np.ndim(w)), 1, 0))
    y = ag.conv(last(x), kernel, strides=strides, padding=around, dilation=dilations, groups=group)
    return first(y if b is None else y + b)


@rule("ConvTranspose")
def _(
    x: Any, w: Any, b: Any = None, auto_pad: str = "NOTSET", dilations: Any = None, group: int = 1,
    kernel_shape: Any = None, output_padding: Any = None, output_shape: Any = None, pads: Any = None,
    strides: Any = None,
) -> Any:  # fmt: skip
    """The adjoint of the convolution with this kernel: what it padded is cut off, what it left over is zero."""
    spatial, window = np.shape(x)[2:], np.shape(w)[2:]
    n = len(spatial)
    strides, dilations, more = strides or (1,) * n, dilations or (1,) * n, output_padding or (0,) * n
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilations, strict=True)]
    full = [s * (i - 1) + o + r for i, s, o, r in zip(spatial, strides, more, reach, strict=True)]
    if output_shape is None and auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        output_shape = [i * s for i, s in zip(spatial, strides, strict=True)]
    if output_shape is None:
        around = padding(auto_pad, pads, spatial, window, strides, dilations)
        output_shape = [m - sum(pair) for m, pair in zip(full, around, strict=True)]
    else:
        cut = [max(m - length, 0) for m, length in zip(full, output_shape[-n:], strict=True)]
        around = [(c // 2, c - c // 2) if auto_pad == "SAME_UPPER" else (c - c // 2, c // 2) for c in cut]
    kernel = np.transpose(w, (*range(2, np.ndim(w)), 1, 0))
    shape = (np.shape(x)[0], *output_shape[-n:], np.shape(w)[1] * group)
    y = ag.conv_transpose(
        last(x), kernel, shape=shape, strides=strides, padding=around, dilation=dilations, groups=group
    )
    return first(y if b is None else y + b)


def behind(spatial: Any, window: Any, strides: Any, dilations: Any, around: Pairs) -> list[int]:
    """How many places more stand behind each axis with ceil_mode: a window that begins inside is whole."""
    found = []
    for n, k, s, d, (a, b) in zip(spatial, window, strides, dilations, around, strict=True):
        reach, length = (k - 1) * d + 1, n + a + b
        count = -(-(length - reach) // s) + 1
        count -= (count - 1) * s >= n + a
        found.append(max((count - 1) * s + reach - length, 0))
    return found


def pooled(
    x: Any, function: Any, fill: Any, auto_pad: str, ceil_mode: int, dilations: Any, kernel_shape: Any, pads: Any,
    strides: Any, count: int | None = None,
) -> Any:  # fmt: skip
    """One number for each window. With ``count`` a second one: how many places in it are of ``x``, or padded if 1."""
    spatial = np.shape(x)[2:]
    n = len(spatial)
    strides, dilations = strides or (1,) * n, dilations or (1,) * n
    around = padding(auto_pad, pads, spatial, kernel_shape, strides, dilations)
    more = behind(spatial, kernel_shape, strides, dilations, around) if ceil_mode else [0] * n
    axes = tuple(range(n + 1, 2 * n + 1))

    def reduced(reduce: Any, values: Any, inner: Any, outer: Any) -> Any:
        for pairs, value in ((around, inner), ([(0, m) for m in more], outer)):
            if any(map(any, pairs)):
                values = np.pad(values, ((0, 0), *pairs, (0, 0)), constant_values=value)
        return reduce(ag.windows(values, kernel_shape, strides=strides, dilation=dilations), axis=axes)

    found = reduced(function, last(x), fill, fill)
    if count is None:
        return first(found)
    return first(found / reduced(np.sum, np.ones((1, *spatial, 1), x.dtype), count, 0))


@rule("MaxPool", only={"storage_order": (0,)})
def _(
    x: Any, auto_pad: str = "NOTSET", ceil_mode: int = 0, dilations: Any = None, kernel_shape: Any = None,
    pads: Any = None, storage_order: int = 0, strides: Any = None,
) -> Any:  # fmt: skip
    """Equal numbers share the gradient."""
    fill = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    return pooled(x, np.max, fill, auto_pad, ceil_mode, dilations, kernel_shape, pads, strides)


@rule("AveragePool")
def _(
    x: Any, auto_pad: str = "NOTSET", ceil_mode: int = 0, count_include_pad: int = 0, dilations: Any = None,
    kernel_shape: Any = None, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    return pooled(x, np.sum, 0, auto_pad, ceil_mode, dilations, kernel_shape, pads, strides, count_include_pad)


@rule("LpPool")
def _(
    x: Any, auto_pad: str = "NOTSET", ceil_mode: int = 0, dilations: Any = None, kernel_shape: Any = None,
    p: int = 2, pads: Any = None, strides: Any = None,
) -> Any:  # fmt: skip
    powers = np.power(np.absolute(x), p)
    total = pooled(powers, np.sum, 0, auto_pad, ceil_mode, dilations, kernel_shape, pads, strides)
    return np.power(total, 1 / p)


@rule("GlobalAveragePool", "GlobalMaxPool")
def _(x: Any, *, kind: str) -> Any:
    function: Any = {"GlobalAveragePool": np.mean, "GlobalMaxPool": np.max}[kind]
    return function(x, axis=tuple(range(2, np.ndim(x))), keepdims=True)


@rule("GlobalLpPool")
def _(x: Any, p: int = 2) -> Any:
    return np.power(np.sum(np.power(np.absolute(x), p), axis=tuple(range(2, np.ndim(x))), keepdims=True), 1 / p)


_ROUNDED: dict[str, Any] = {
    "round_prefer_floor": lambda at: np.ceil(at - 0.5), "round_prefer_ceil": lambda at: np.floor(at + 0.5),
    "floor": np.floor, "ceil": np.ceil,
}  # fmt: skip
_PLACED: dict[
    str, Any
] = {  # where a place of the result lies in the input, for lengths n and m and the factor between them
    "asymmetric": lambda i, n, m, by: i / by,
    "half_pixel": lambda i, n, m, by: (i + 0.5) / by - 0.5,
    "pytorch_half_pixel": lambda i, n, m, by: (i + 0.5) / by - 0.5 if m > 1 else 0 * i,
    "align_corners": lambda i, n, m, by: i * (n - 1) / max(m - 1, 1),
}


@rule("Resize", only={
    "mode": ("nearest",), "coordinate_transformation_mode": tuple(_PLACED), "exclude_outside": (0,),
    "keep_aspect_ratio_policy": ("stretch",), "antialias": (0,),
})  # fmt: skip
def _(
    x: Any, roi: Any = None, scales: Any = None, sizes: Any = None, mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor", coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75, keep_aspect_ratio_policy: str = "stretch", exclude_outside: int = 0,
    antialias: int = 0, extrapolation_value: float = 0.0, axes: Any = None,
) -> Any:  # fmt: skip
    """Each place gets the number of the nearest one."""
    along = range(np.ndim(x)) if axes is None else axes
    shape = [np.shape(x)[axis] for axis in along]
    if scales is not None and np.size(plain(scales)):
        factors = [float(v) for v in plain(scales)]
        lengths = [int(n * by) for n, by in zip(shape, factors, strict=True)]
    else:
        lengths = list(whole(sizes))
        factors = [m / n for n, m in zip(shape, lengths, strict=True)]
    within(lengths)
    for axis, n, m, by in zip(along, shape, lengths, factors, strict=True):
        if (n, by) != (m, 1):
            at = _PLACED[coordinate_transformation_mode](np.arange(m), n, m, by)
            x = np.take(x, np.clip(_ROUNDED[nearest_mode](at).astype(np.int64), 0, n - 1), axis=axis)
    return x
