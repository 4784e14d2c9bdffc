"""Sequences of different lengths as one array."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import whole

__all__ = ["pad_sequences"]


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Any:
    """Sequences of different lengths as one array, filled up and cut off to one length.

    Parameters
    ----------
    sequences : sequence of array_like
        Each (length, …), with one shape after the length.
    maxlen : int, optional
        The length of all, from 0 on; by default that of the longest.
    dtype : dtype
        Of the result.
    padding : {"pre", "post"}
        Where a shorter one is filled up.
    truncating : {"pre", "post"}
        Where a longer one is cut off.
    value : float
        What it is filled up with.

    Returns
    -------
    array
        (sequences, maxlen, …).

    Raises
    ------
    ValueError
        For what is no sequence of sequences of one shape, a length that is none, and another word for a place.

    Examples
    --------
    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2)
    array([[0, 1],
           [3, 4]], dtype=int32)
    """
    for place, what in ((padding, "padding"), (truncating, "truncating")):
        if place not in ("pre", "post"):
            raise ValueError(f"{what}: expected 'pre' or 'post', got {place!r}")
    if not all(hasattr(s, "__len__") for s in (sequences, *(sequences if hasattr(sequences, "__len__") else ()))):
        raise ValueError(f"sequences: expected a sequence of sequences, got {type(sequences).__name__} of other things")
    if isinstance(value, str) and np.dtype(dtype).kind not in "OUS":
        raise ValueError(f"value: expected a number to fill an array of {np.dtype(dtype)} with, got {value!r}")
    length = max(map(len, sequences), default=0) if maxlen is None else whole(maxlen, "maxlen")
    shape = next((np.shape(s)[1:] for s in sequences if len(s)), ())
    padded = np.full((len(sequences), length, *shape), value, dtype)
    for i, sequence in enumerate(sequences):
        cut = len(sequence) - length if truncating == "pre" else 0
        part = np.asarray(sequence[max(cut, 0) :][:length], dtype)
        if len(part) and part.shape[1:] != shape:
            raise ValueError(f"sequences: expected elements of shape {shape} in number {i}, got {part.shape[1:]}")
        begin = length - len(part) if padding == "pre" else 0
        if len(part):
            padded[i, begin : begin + len(part)] = part
    return padded
