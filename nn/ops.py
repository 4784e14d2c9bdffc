"""``keras.ops`` in NumPy's words: a table from Keras' names and arguments to the functions that they are here.

Nothing is computed in another way than by NumPy's functions, whose results have NumPy's dtypes: float64 stays float64.
What Keras makes new, such as `zeros`, is in `nn.config.floatx`. Values of a model that is being written down
(`nn.Input`) may be given to each.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.arrays import to_numpy
from autograd_core.tensor import Tensor

from . import absent, activations, settings
from .tensors import constant, plain

# The arguments that Keras has, and the functions of NumPy's name that have them. What stands before the bar is handed
# over by its place, for NumPy calls it otherwise, and what follows by its name.
NUMPY = {
    "x |": "abs absolute arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil conj conjugate copy cos cosh deg2rad "
    "exp exp2 expm1 fabs fliplr flipud floor imag isfinite isinf isnan isneginf isposinf isreal log log10 log1p log2 "
    "logical_not ndim negative nonzero rad2deg ravel real reciprocal sign signbit sin sinc sinh size sqrt square tan "
    "tanh trunc",
    "x1, x2 |": "add arctan2 divide dot equal floor_divide fmax fmin fmod greater greater_equal heaviside hypot inner "
    "kron less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor matmul maximum minimum mod multiply "
    "not_equal outer power subtract true_divide vdot",
    "x, y |": "bitwise_and bitwise_or bitwise_xor left_shift right_shift",
    "x | axis, keepdims": "all amax amin any argmax argmin mean ptp std sum var",
    "x | axis, keepdims, initial": "max min",
    "x | axis, keepdims, dtype": "prod",
    "x | axis, dtype": "cumprod cumsum",
    "x | axis": "argsort count_nonzero flip sort squeeze stack",
    "x | axis, weights": "average",
    "x | decimals": "round",
    "x | k": "diag diagflat tril triu",
    "x | offset, axis1, axis2": "diagonal trace",
    "x | nan, posinf, neginf": "nan_to_num",
    "x | dtype": "ones_like zeros_like",
    "x, axis |": "expand_dims",
    "x, axes |": "transpose",
    "x, newshape |": "reshape",
    "x, shape |": "broadcast_to",
    "x, repeats | axis": "repeat",
    "x, repeats |": "tile",
    "x, shift | axis": "roll",
    "x, indices | axis": "take",
    "x, x_min, x_max |": "clip",
    "x, source, destination |": "moveaxis",
    "x, axis1, axis2 |": "swapaxes",
    "x, fill_value | dtype": "full_like",
    "x, bins |": "digitize",
    "x, pad_width, mode | constant_values": "pad",
    "x, indices_or_sections | axis": "array_split split",
    "a | n, axis": "diff",
    "xs | axis": "concatenate",
    "xs |": "dstack hstack vstack",
    "x1, x2 | axis": "append",
    "x1, x2 | axes": "tensordot",
    "x1, x2 | axisa, axisb, axisc, axis": "cross",
    "x1, x2 | rtol, atol, equal_nan": "allclose isclose",
    "x1, x2 | assume_unique, invert": "isin",
    "condition, x1, x2 |": "where",
    "condlist, choicelist, default |": "select",
    "sorted_sequence, values | side": "searchsorted",
    "x | weights, minlength": "bincount",
}


# -- what is one line on something else --------------------------------------------------------------------


def gelu(x: Any, approximate: bool = True) -> Any:
    """The Gaussian error linear unit; of Keras' two functions of this name this one approximates it."""
    return activations.gelu(x, approximate)


def log_sigmoid(x: Any) -> Any:
    """``log(sigmoid(x))``."""
    return -ag.softplus(-constant(x))


def relu6(x: Any) -> Any:
    """`relu` with a ceiling of 6."""
    return activations.relu(x, max_value=6.0)


def rsqrt(x: Any) -> Any:
    """``1 / √x``."""
    return 1 / np.sqrt(x)


def divide_no_nan(x1: Any, x2: Any) -> Any:
    """``x1 / x2``, and 0 where ``x2`` is 0."""
    zero = np.equal(x2, 0)
    return np.where(zero, 0, x1 / np.where(zero, 1, x2))


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """``x`` divided by its norms along an axis; zeros stay zeros."""
    return x / np.maximum(np.linalg.norm(x, ord=order, axis=axis, keepdims=True), settings.epsilon())


def moments(x: Any, axes: Any, keepdims: bool = False) -> Any:
    """The mean and the variance along axes."""
    axes = tuple(axes) if isinstance(axes, list) else axes
    return np.mean(x, axis=axes, keepdims=keepdims), np.var(x, axis=axes, keepdims=keepdims)


def cast(x: Any, dtype: Any) -> Any:
    """``x`` in another dtype."""
    return (x if hasattr(x, "astype") else plain(x)).astype(dtype)


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Any:
    """A 1 at each class number along a new axis, and 0 elsewhere."""
    return np.moveaxis(ag.one_hot(x, num_classes, dtype or settings.floatx()), -1, axis)


def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """The k largest numbers along the last axis, of equal ones the first, and their places; they are always sorted."""
    backwards = plain(x)[..., ::-1]  # whose last of equal numbers is the first one; no number has to change its sign
    order = backwards.shape[-1] - 1 - np.argsort(backwards, axis=-1, kind="stable")[..., ::-1][..., :k]
    return np.take_along_axis(x, order, -1), order


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The numbers at places along an axis; without one, at places in all of ``x`` in one row."""
    return np.take_along_axis(x, indices, axis)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """The parts of ``x`` along an axis, in a list."""
    parts = np.moveaxis(x, axis, 0)
    return [parts[i] for i in range(parts.shape[0] if num is None else num)]


def get_item(x: Any, key: Any) -> Any:
    """``x[key]``."""
    return x[key]


def shape(x: Any) -> Any:
    """The lengths of the axes; None for one that is not known yet."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def convert_to_numpy(x: Any) -> Any:
    """The values as an array of NumPy's, which is a copy."""
    return np.array(to_numpy(plain(x)))


def convert_to_tensor(x: Any, dtype: Any = None) -> Any:
    """``x`` as a Tensor that records nothing of its own; Python's floats become `floatx`."""
    if isinstance(x, Tensor) or hasattr(x, "as_layer"):
        return x if dtype is None else cast(x, dtype)
    made = array(x, dtype)
    return constant(made) if made.dtype.kind in "biuf" else made


def is_tensor(x: Any) -> bool:
    """Whether this is a Tensor, or will be one."""
    return isinstance(x, Tensor) or hasattr(x, "as_layer")


# -- what is new has the dtype of layers -------------------------------------------------------------------


def _new(made: Any, dtype: Any, given: Any = None) -> Any:
    """An array in the dtype that was asked for; NumPy's float64 that nobody asked for in `floatx`."""
    if dtype is None and made.dtype == np.float64 and not hasattr(given, "dtype"):
        dtype = settings.floatx()
    return made if dtype is None else made.astype(dtype)


def array(x: Any, dtype: Any = None) -> Any:
    """An array of NumPy's; Python's floats become `floatx`."""
    return _new(np.array(to_numpy(plain(x))), dtype, x)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Numbers from ``start``, or 0, to before ``stop``."""
    start, stop = (0, start) if stop is None else (start, stop)
    return _new(np.arange(start, stop, 1 if step is None else step), dtype)


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Equally spaced numbers from ``start`` to ``stop``."""
    return _new(np.linspace(start, stop, num, endpoint, axis=axis), dtype)


def zeros(shape: Any, dtype: Any = None) -> Any:
    """An array of zeros."""
    return np.zeros(shape, dtype or settings.floatx())


def ones(shape: Any, dtype: Any = None) -> Any:
    """An array of ones."""
    return np.ones(shape, dtype or settings.floatx())


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """An array of one number."""
    return _new(np.full(shape, fill_value), dtype)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones along a diagonal, and zeros elsewhere."""
    return np.eye(N, M, k, dtype or settings.floatx())


def identity(n: int, dtype: Any = None) -> Any:
    """Ones along the diagonal, and zeros elsewhere."""
    return eye(n, dtype=dtype)


# -- the tables, read --------------------------------------------------------------------------------------

# What is not in NumPy's first room, is ours, or has another name, likewise.
OTHERS: dict[str, tuple[Callable[..., Any], str]] = {
    "cholesky": (np.linalg.cholesky, "x |"),
    "det": (np.linalg.det, "x |"),
    "inv": (np.linalg.inv, "x |"),
    "norm": (np.linalg.norm, "x | ord, axis, keepdims"),
    "qr": (np.linalg.qr, "x | mode"),
    "slogdet": (np.linalg.slogdet, "x |"),
    "solve": (np.linalg.solve, "a, b |"),
    "svd": (np.linalg.svd, "x | full_matrices, compute_uv"),
    "logsumexp": (ag.logsumexp, "x | axis, keepdims"),
    "erf": (ag.erf, "x |"),
    "erfc": (ag.erfc, "x |"),
    "relu": (activations.relu, "x |"),
    "leaky_relu": (activations.leaky_relu, "x | negative_slope"),
    "elu": (activations.elu, "x | alpha"),
    "selu": (activations.selu, "x |"),
    "gelu": (gelu, "x | approximate"),
    "log_sigmoid": (log_sigmoid, "x |"),
    "relu6": (relu6, "x |"),
    "cast": (cast, "x, dtype |"),
    "one_hot": (one_hot, "x, num_classes | axis, dtype"),
    "stop_gradient": (ag.stop_gradient, "variable |"),
    "silu": (activations.silu, "x |"),
    "swish": (activations.silu, "x |"),
    "sigmoid": (activations.sigmoid, "x |"),
    "hard_sigmoid": (activations.hard_sigmoid, "x |"),
    "softplus": (activations.softplus, "x |"),
    "softsign": (activations.softsign, "x |"),
    "softmax": (activations.softmax, "x | axis"),
    "log_softmax": (activations.log_softmax, "x | axis"),
}


def _named(name: str, function: Callable[..., Any], arguments: str) -> Callable[..., Any]:
    """A function with Keras' name and arguments."""
    by_place, further = (part.replace(",", " ").split() for part in arguments.split("|"))
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(n, kind, default=None) for n in (*by_place, *further)])

    def op(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        values = [given.pop(n) for n in by_place if n in given]
        settings_ = {n: v for n, v in given.items() if v is not None or n == "axis"}  # no axis is all of them
        if isinstance(settings_.get("axis"), list):
            settings_["axis"] = tuple(settings_["axis"])
        symbol = next((v for v in values if hasattr(v, "as_layer")), None)
        if symbol is not None:
            return symbol.as_layer(function)(*values, **settings_)
        return function(*values, **settings_)

    op.__name__ = op.__qualname__ = name
    op.__signature__ = signature  # type: ignore[attr-defined]
    op.calls = function  # type: ignore[attr-defined]
    op.__doc__ = f"{getattr(function, '__name__', name)}, with the arguments that Keras gives it."
    return op


for _arguments, _names in NUMPY.items():
    for _name in _names.split():
        globals()[_name] = _named(_name, getattr(np, _name), _arguments)
for _name, (_function, _arguments) in OTHERS.items():
    globals()[_name] = _named(_name, _function, _arguments)

__getattr__ = absent.getattr_of("ops")
