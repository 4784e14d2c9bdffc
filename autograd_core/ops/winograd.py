"""Convolution with kernels of 3×3 by Winograd's minimal filtering: a quarter of the multiplications.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015. With fixed matrices A, B, G, a kernel k and
a patch x of 6×6, the 4×4 results of the convolution are ``Aᵀ [(G k Gᵀ) ⊙ (Bᵀ x B)] A``. Over channels and patches the
product in the middle becomes 36 matrix products, and each transformation is a matrix times all patches at once.

What it computes is what `conv` defines, up to rounding: about 1e-5 of the largest value in float32. A NaN, an infinity
or an overflow would spread over all that is computed from its patch; where there is one, the definition is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import total

# The transformations of one axis, for the interpolation points 0, 1, -1, 2, -2 and infinity.
_A = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]).T
_B = np.array([[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
               [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]]).T  # fmt: skip
_G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / np.array(
    [[24], [24], [24], [24], [24], [24]]
)

# Those of both axes of a patch that is written as one column, in float32: the dtype in which this is used.
A, B, G = (np.kron(m, m).astype(np.float32) for m in (_A, _B, _G))

TILE = 4  # results along each axis of a patch
PATCH = 6  # and what they are computed from

# From so many channels on, in and out, the products outweigh the transformations.
CHANNELS = 16


def convolve(x: Any, kernel: Any) -> Any:
    """`conv` of padded images ``(n, height, width, in)`` with a kernel ``(3, 3, in, out)``."""
    places = tuple(n - 2 for n in np.shape(x)[1:3])
    products = np.matmul(_patches(x), _kernels(kernel))
    tiles = np.reshape(A.T @ np.reshape(products, (PATCH**2, -1)), (TILE, TILE, -1))
    _call(_mend, x, kernel, out=tiles)
    return _joined(tiles, np.shape(x)[0], places, np.shape(kernel)[-1])


def kernel_gradient(x: Any, g: Any) -> Any:
    """`conv_kernel` of padded images and a gradient ``(n, height - 2, width - 2, out)``, for a window of 3×3."""
    products = np.matmul(np.swapaxes(_patches(x), 1, 2), _gradients(g))
    kernel = np.reshape(G.T @ np.reshape(products, (PATCH**2, -1)), (3, 3, np.shape(x)[-1], np.shape(g)[-1]))
    _call(_mend_kernel, x, g, out=kernel)
    return kernel


# -- numbers that are not finite ---------------------------------------------------------------------------


def _call(function: Callable[..., None], *args: Any, out: Any) -> None:
    """One call that decides by itself what to compute: a replay, which cannot branch, records it as it does NumPy's."""
    if issubclass(type(out), np.ndarray):  # a stand-in says of itself that it is one
        function(*args, out=out)
    else:
        out.__array_function__(function, (type(out),), args, {"out": out})


def _all_finite(results: Any) -> bool:
    """False for what is not, and for numbers whose squares have no finite sum; a product is the fastest look."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.vdot(results, results)))


@total
def _mend(x: Any, kernel: Any, *, out: Any) -> None:
    """Compute the tiles of `convolve` by the definition if something in them is not finite."""
    if not _all_finite(out):
        z = np.tensordot(_windows(x), kernel, ((3, 4, 5), (2, 0, 1)))
        np.copyto(out, np.reshape(_tiles(z, TILE, TILE), np.shape(out)))


@total
def _mend_kernel(x: Any, g: Any, *, out: Any) -> None:
    """The same for `kernel_gradient`."""
    if not _all_finite(out):
        np.copyto(out, np.transpose(np.tensordot(_windows(x), g, ((0, 1, 2), (0, 1, 2))), (1, 2, 0, 3)))


def _windows(x: Any) -> Any:
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))


# -- to and fro --------------------------------------------------------------------------------------------


def _patches(x: Any) -> Any:
    """``Bᵀ x B`` of all patches: (36, patches, channels)."""
    return _transformed(B.T, _tiles(x, PATCH, TILE), np.shape(x)[-1])


def _gradients(g: Any) -> Any:
    """``A g Aᵀ`` of all tiles, the adjoint of what gave them: (36, tiles, filters)."""
    return _transformed(A, _tiles(g, TILE, TILE), np.shape(g)[-1])


def _kernels(kernel: Any) -> Any:
    """``G k Gᵀ``: (36, in, out)."""
    return np.reshape(G @ np.reshape(kernel, (9, -1)), (PATCH**2, *np.shape(kernel)[2:]))


def _transformed(matrix: Any, tiles: Any, channels: int) -> Any:
    columns = np.reshape(tiles, (np.shape(matrix)[1], -1))
    return np.reshape(matrix @ columns, (np.shape(matrix)[0], -1, channels))


def _tiles(x: Any, size: int, step: int) -> Any:
    """Squares of ``size`` every ``step``, zeros beyond the edge: ``(size, size, n, down, across, channels)``."""
    n, *spatial, channels = np.shape(x)
    counts = [-(-(s - size + step) // step) for s in spatial]
    full = (n, *((count - 1) * step + size for count in counts), channels)
    if full != np.shape(x):
        padded = np.zeros_like(x, shape=full)
        padded[:, : spatial[0], : spatial[1]] = x
        x = padded
    view = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))[:, ::step, ::step]
    return np.transpose(view, (4, 5, 0, 1, 2, 3))


def _joined(tiles: Any, n: int, places: tuple[int, ...], filters: int) -> Any:
    """Images put together from tiles of results, without those beyond the edge."""
    down, across = (-(-p // TILE) for p in places)
    tiles = np.transpose(np.reshape(tiles, (TILE, TILE, n, down, across, filters)), (2, 3, 0, 4, 1, 5))
    return np.reshape(tiles, (n, down * TILE, across * TILE, filters))[:, : places[0], : places[1]]
