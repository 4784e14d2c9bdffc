"""Convolution as in `scipy.signal`, over arrays of any number of axes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..op import is_complex
from ..ops.conv import conv
from ..ops.shape import array


def _lengths(array: Any, axes: list[int]) -> list[int]:
    return [np.shape(array)[i] for i in axes]


def convolve(in1: Any, in2: Any, mode: str = "full", *, axes: Any = None, dot_axes: Any = ((), ())) -> Any:
    """The convolution of two arrays: the second one is flipped, and moved over the first.

    Parameters
    ----------
    in1, in2 : array_like
        Of equally many axes, unless ``axes`` says over which.
    mode : str
        "full": all places where they meet, ``n + k - 1`` on each axis; "valid": where one is within the other,
        ``|n - k| + 1``; "same": the middle of "full", as many as ``in1`` has.
    axes : pair of sequences of int, optional
        Which axes of the first, and of the second, are convolved, as HIPS autograd has it; None: all of them.
    dot_axes : pair of sequences of int
        Over which axes of both products are added up, as HIPS autograd has it.

    Returns
    -------
    array
        The other axes of the first, those of the second, and then the axes that were convolved.

    Raises
    ------
    ValueError
        For another mode, other axes, and where with "valid" neither is within the other.

    Examples
    --------
    >>> print(convolve(np.array([1.0, 2.0, 4.0]), np.array([1.0, -1.0])))
    [ 1.  1.  2. -4.]
    """
    in1, in2 = (array(v) for v in (in1, in2))
    if is_complex(in1) or is_complex(in2):  # a product, of real parts and imaginary ones
        (a, b), (c, d) = ((np.real(v), np.imag(v)) for v in (in1, in2))
        both = partial(convolve, mode=mode, axes=axes, dot_axes=dot_axes)
        return both(a, c) - both(b, d) + 1j * (both(a, d) + both(b, c))
    if axes is None:
        if np.ndim(in1) != np.ndim(in2):
            raise ValueError(f"convolve: expected arrays of equally many axes, got {np.ndim(in1)} and {np.ndim(in2)}")
        axes = (range(np.ndim(in1)),) * 2
    over1, over2 = ([int(i) % np.ndim(v) for i in which] for v, which in zip((in1, in2), axes, strict=True))
    dot1, dot2 = ([int(i) % np.ndim(v) for i in which] for v, which in zip((in1, in2), dot_axes, strict=True))
    if len(over1) != len(over2) or len(dot1) != len(dot2):
        raise ValueError(f"convolve: expected as many axes of each array, got axes={axes}, dot_axes={dot_axes}")
    rest1 = [i for i in range(np.ndim(in1)) if i not in (*over1, *dot1)]
    rest2 = [i for i in range(np.ndim(in2)) if i not in (*over2, *dot2)]
    n, k = _lengths(in1, over1), _lengths(in2, over2)
    if mode == "valid" and any(a < b for a, b in zip(n, k, strict=True)):
        if any(a > b for a, b in zip(n, k, strict=True)):
            raise ValueError(f'convolve: expected with "valid" one array within the other, got {n} and {k}')
        swapped = convolve(in2, in1, mode, axes=(over2, over1), dot_axes=(dot2, dot1))
        others = range(len(rest1) + len(rest2))
        order = [*others[len(rest2) :], *others[: len(rest2)], *range(len(others), np.ndim(swapped))]
        return np.transpose(swapped, order)
    if mode not in ("full", "valid", "same"):
        raise ValueError(f'convolve: expected mode "full", "valid" or "same", got {mode!r}')
    x = np.transpose(in1, (*rest1, *over1, *dot1)).reshape(-1, *n, int(np.prod(_lengths(in1, dot1))))
    kernel = np.transpose(in2, (*over2, *dot2, *rest2)).reshape(*k, x.shape[-1], -1)
    if not k:  # nothing is moved
        return (x @ kernel).reshape(*_lengths(in1, rest1), *_lengths(in2, rest2))
    kernel = np.flip(kernel, axis=tuple(range(len(k))))
    pairs = {"full": [(b - 1, b - 1) for b in k], "valid": "valid", "same": [(b // 2, (b - 1) // 2) for b in k]}[mode]
    found = np.moveaxis(conv(x, kernel, padding=pairs), -1, 1)  # (rest of the first, of the second, places)
    return found.reshape(*_lengths(in1, rest1), *_lengths(in2, rest2), *found.shape[2:])
