"""NumPy functions without a derivative: positions, comparisons, shapes and tests give plain arrays."""

from __future__ import annotations

import numpy as np

from ..tensor import WITHOUT_DERIVATIVE

# fmt: off
NAMES = [
    # comparisons and tests
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "isclose", "allclose", "array_equal",
    "array_equiv", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "isreal", "iscomplex", "isrealobj",
    "iscomplexobj", "logical_and", "logical_or", "logical_not", "logical_xor", "all", "any",
    # positions and counts
    "argmax", "argmin", "argsort", "argpartition", "argwhere", "nonzero", "flatnonzero", "count_nonzero",
    "searchsorted", "digitize", "nanargmax", "nanargmin", "lexsort", "unique", "bincount", "histogram",
    "histogram_bin_edges", "isin",
    # shapes, dtypes, new arrays
    "shape", "ndim", "size", "zeros_like", "ones_like", "full_like", "empty_like", "result_type", "can_cast",
    "min_scalar_type", "common_type", "shares_memory", "may_share_memory",
    # text and files
    "array2string", "array_repr", "array_str", "save", "savez", "savetxt",
]
# fmt: on
WITHOUT_DERIVATIVE.update(getattr(np, name) for name in NAMES)
