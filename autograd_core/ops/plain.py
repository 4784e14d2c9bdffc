"""NumPy functions without a derivative: positions, comparisons, shapes and tests give plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dispatch import FIRST_ONLY, OF_SHAPES, SOMETIMES, WITHOUT_DERIVATIVE
from ..graph import Recorded

# fmt: off
NAMES = [
    # comparisons and tests
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "isclose", "allclose", "array_equal",
    "array_equiv", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "isreal", "iscomplex",
    "logical_and", "logical_or", "logical_not", "logical_xor", "all", "any",
    # positions and counts
    "argmax", "argmin", "argsort", "argpartition", "argwhere", "nonzero", "flatnonzero", "count_nonzero",
    "searchsorted", "digitize", "nanargmax", "nanargmin", "lexsort", "bincount", "histogram",
    "histogram_bin_edges", "isin", "in1d", "indices", "unravel_index", "ravel_multi_index",
    # bits of numbers
    "spacing", "bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift",
    "right_shift", "bitwise_count", "packbits", "unpackbits", "gcd", "lcm",
    # text and files
    "array2string", "array_repr", "array_str", "save", "savez", "savez_compressed", "savetxt",
]
OF_SHAPE = [  # shapes, dtypes, new arrays
    "shape", "ndim", "size", "zeros_like", "ones_like", "full_like", "empty_like", "result_type", "can_cast",
    "common_type", "shares_memory", "may_share_memory", "broadcast_shapes", "iterable", "isrealobj", "iscomplexobj",
    "tril_indices_from", "triu_indices_from", "diag_indices_from",
]
NAMES += [*OF_SHAPE, "min_scalar_type", "mask_indices", "einsum_path"]
# fmt: on
WITHOUT_DERIVATIVE.update(getattr(np, name) for name in NAMES if hasattr(np, name))
OF_SHAPES.update(getattr(np, name) for name in OF_SHAPE)
WITHOUT_DERIVATIVE.add(np.linalg.matrix_rank)
FIRST_ONLY.update((np.full_like, np.bincount, np.histogram))


def _moving_edges(x: Any, bins: Any = 10, range: Any = None, *_: Any, **__: Any) -> str:
    requires_grad = isinstance(x, Recorded) and x.node.requires_grad
    if not requires_grad or np.ndim(bins) or (range is not None and not isinstance(bins, str)):
        return ""
    return "the edges of the bins follow the numbers; give them as bins=, or range=(low, high), or pass t.data"


SOMETIMES.update(dict.fromkeys((np.histogram, np.histogram_bin_edges), _moving_edges))
