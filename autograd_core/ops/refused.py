"""NumPy functions that Tensors are not given, and what is written instead: one table, for errors and for the docs.

A test fails for a function that NumPy has and that is neither recorded, nor plain, nor in one of these tables.
"""

from __future__ import annotations

import numpy as np

from ..dispatch import OUT_OF_SCOPE

_COMPLEX = "whether its result is complex follows from the numbers; write np.sqrt(t.astype(complex)), and so on"

# The reason, a clause that ends an error, and the functions; those of a module of NumPy's with its name before theirs.
_REASONS = {
    "how many roots there are follows from the numbers; write np.linalg.eigvals(np.concatenate([-t[None, 1:] / t[0], "
    "np.eye(len(t) - 2, len(t) - 1)]))": "roots",
    "write np.sort(t).astype(complex)": "sort_complex",
    # in place
    "it changes an array in place; write t = t.at[index].set(value) or np.where(mask, t, a), which give a changed copy,"
    " and np.broadcast_to(t, a.shape) for np.full_like(a, t)": "copyto",
    "it changes an array in place; write t = t.at[np.unravel_index(indices, t.shape)].set(value), which gives a changed"
    " copy": "put",
    "it changes an array in place; write t = t.at[mask].set(values) or np.where(mask, value, t), which give a changed "
    "copy": "place putmask",
    "it changes an array in place; write t = t.at[index].set(value), which gives a changed copy": "put_along_axis",
    "it changes an array in place; write t = t.at[np.diag_indices_from(t)].set(value), which gives a changed copy": (
        "fill_diagonal"
    ),
    # choices that are no functions of the numbers
    "which elements a set has is no smooth function of them; write t[np.unique(t.data, return_index=True)[1]] for "
    "elements that record": """unique unique_all unique_counts unique_inverse unique_values union1d intersect1d
        setdiff1d setxor1d""",
    "where the zeros end is no smooth function of them; write t[start:end]": "trim_zeros",
    "it counts, which has no derivative; write np.histogramdd(t.data, bins=edges)": "histogram2d histogramdd",
    "the next number is nearer than any derivative looks; write t for it, or pass t.data": "nextafter",
    "it is about dates, and a Tensor holds numbers; pass t.data": """busday_count busday_offset datetime_as_string
        is_busday isnat""",
}

for _why, _names in _REASONS.items():
    for _name in _names.split():
        _module, _, _last = _name.rpartition(".")
        _function = getattr(getattr(np, _module) if _module else np, _last, None)  # other versions of NumPy have others
        if _function is not None:
            OUT_OF_SCOPE[_function] = _why
OUT_OF_SCOPE["numpy.lib.scimath"] = _COMPLEX  # all of np.emath

# What never asks a Tensor whether it would rather answer, and what it is about.
UNASKED = {
    "makes a plain array of what it is given: of a Tensor that records an error, which says what to use": """array
        asarray asanyarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix bmat require full arange
        fromiter""",
    "makes an array of a shape, a number or a function": """zeros ones empty eye identity tri diag_indices tril_indices
        triu_indices bartlett blackman hamming hanning kaiser fromfunction fft.fftfreq fft.rfftfreq""",
    "is the old name of np.vstack": "row_stack",
    "makes a ufunc of a function of yours, which has no rule: see @autograd_core.op": "frompyfunc",
    "is about dtypes": "isdtype issubdtype isscalar mintypecode promote_types typename datetime_data isfortran",
    "reads and writes files, memory and texts": """load loadtxt genfromtxt fromfile fromregex fromstring frombuffer
        from_dlpack base_repr binary_repr format_float_positional format_float_scientific nested_iters""",
    "is about NumPy itself": """get_include get_printoptions set_printoptions printoptions getbufsize setbufsize geterr
        seterr geterrcall seterrcall show_config show_runtime info test linalg.test fft.test""",
}
