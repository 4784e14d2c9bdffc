"""Arrays as unforgiving as those on a GPU, to test code for one on a machine without.

They hold NumPy's numbers and answer to NumPy's protocols exactly as CuPy's arrays do: only for the functions that
CuPy has, only with the arguments that CuPy's take, never beside an array of NumPy's, and never turned into one unless
``.get()`` is asked for. What CuPy has is written in ``cupy_api.txt``, which `table` makes where CuPy is installed (that
needs no GPU): ``python -m autograd_core.testing.strict > autograd_core/testing/cupy_api.txt``.

>>> x = array([1.0, 2.0])
>>> np.tanh(x) + np.ones(2)
Traceback (most recent call last):
TypeError: Unsupported type <class 'numpy.ndarray'>
>>> np.asarray(x)
Traceback (most recent call last):
TypeError: Implicit conversion to a NumPy array is not allowed. Please use `.get()` ...
>>> np.sum(x * 2).get()
array(6.)
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import tree
from ..arrays import Library, register
from ..errors import DeviceError
from ..tracer import InPlace, ufunc_of

TABLE = Path(__file__).with_name("cupy_api.txt")

# Functions that copy NumPy's arrays to the device where they stand for indices, lengths or data to begin with.
_FROM_NUMPY = {
    "array", "asanyarray", "asarray", "ascontiguousarray", "compress", "pad", "repeat", "take", "take_along_axis",
}  # fmt: skip
_NUMBERS = bool | int | float | complex | np.generic
_METHODS = ("__call__", "outer", "at", "reduce", "accumulate")
# The ufuncs of CuPy with these methods; of the others they are not implemented.
_REDUCING = {np.add, np.multiply}
_SCATTERING = {np.add, np.subtract, np.maximum, np.minimum, np.bitwise_and, np.bitwise_or, np.bitwise_xor}


def array(data: Any, dtype: Any = None) -> StrictArray:
    """``data`` as a strict array.

    >>> array([[1, 2]]).shape
    (1, 2)
    """
    return StrictArray(np.array(data.inside if isinstance(data, StrictArray) else data, dtype))


class StrictArray(InPlace):
    """An array on a device that is not there; made by `array`."""

    __array_priority__ = 100

    def __init__(self, inside: Any):
        if inside.dtype.kind not in "biufc":
            raise ValueError(f"Unsupported dtype {inside.dtype}")
        self.inside = inside

    # -- NumPy's protocols -------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def process(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        ufunc = ufunc_of(function)
        if ufunc is None:
            return self._function(function, args, kwargs)
        return self._ufunc(ufunc, "__call__" if ufunc is function else function.__name__, args, kwargs)

    def _ufunc(self, ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if method not in _METHODS or ufunc.__name__ not in cupy()["ufunc"]:
            return NotImplemented
        out = kwargs.get("out", ())
        if not all(isinstance(v, StrictArray | np.ndarray | _NUMBERS) for v in (*inputs, *out)):
            return NotImplemented
        if len(out) > 1:
            raise ValueError("The 'out' parameter must have exactly one array value")
        if "where" in kwargs:
            raise TypeError(f"Wrong arguments {kwargs}")
        compares = ufunc in (np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal)
        for v in (*inputs, *out):
            if isinstance(v, np.ndarray) and not (compares and v.ndim == 0) and method != "at":
                raise TypeError(f"Unsupported type {type(v)}")
        if method in ("reduce", "accumulate") and ufunc not in _REDUCING:
            raise NotImplementedError(f"`cupy_{ufunc.__name__}.{method}` is not supported yet")
        if method == "at" and ufunc not in _SCATTERING:
            raise NotImplementedError(f"`cupy_{ufunc.__name__}.at` is not supported yet")
        return _wrap(getattr(ufunc, method)(*_unwrap(inputs), **_unwrap(kwargs)))

    def _function(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        known = cupy()["function"].get(f"{function.__module__}.{function.__name__}")
        if known is None:
            return NotImplemented
        known.bind(*args, **kwargs)  # a TypeError for what CuPy's does not take
        if function.__name__ not in _FROM_NUMPY:
            for v in tree.leaves((args, kwargs)):
                if isinstance(v, np.ndarray) and (function is not np.copyto or v.size != 1):
                    raise TypeError(f"Unsupported type {type(v)} for {function.__name__}")
        special = _SPECIAL.get(function)
        return _wrap((special or function)(*_unwrap(args), **_unwrap(kwargs)))

    # -- what CuPy's arrays have besides -----------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in cupy()["ndarray"]:
            raise AttributeError(f"a strict array has no {name!r}, because CuPy's arrays have none")
        found = getattr(self.inside, name)
        if not callable(found):
            return _wrap(found)

        def method(*args: Any, **kwargs: Any) -> Any:
            for v in tree.leaves((args, kwargs)):
                if isinstance(v, np.ndarray):
                    raise TypeError(f"Unsupported type {type(v)} for {name}")
            return _wrap(found(*_unwrap(args), **_unwrap(kwargs)))

        return method

    @property
    def device(self) -> str:
        """The device on which it would lie."""
        return "strict:0"

    def get(self) -> Any:
        """A copy in NumPy."""
        return self.inside.copy()

    def item(self) -> Any:
        """The only element, as a Python number; CuPy's takes no index."""
        if self.inside.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self.inside.item()

    def __getitem__(self, index: Any) -> Any:
        return _wrap(self.inside[_unwrap(_index(index))])

    def __setitem__(self, index: Any, values: Any) -> None:
        self.inside[_unwrap(_index(index))] = _device_values(values)

    def __len__(self) -> int:
        if self.inside.ndim == 0:
            raise TypeError("len() of unsized object")
        return len(self.inside)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.inside)

    def __int__(self) -> int:
        return int(self.inside)

    def __float__(self) -> float:
        return float(self.inside)

    def __repr__(self) -> str:
        return repr(self.inside)

    def __format__(self, spec: str) -> str:
        return format(self.inside, spec)

    def __reduce__(self) -> Any:
        return array, (self.inside,)


class Strict(Library):
    """The library of strict arrays: ``nn.set_device("strict")``."""

    name, device = "a strict library", "strict"

    def owns(self, kind: type) -> bool:
        return issubclass(kind, StrictArray)

    def use(self, number: int) -> None:
        if number:
            raise DeviceError(f'there is no device "strict:{number}": the strict library has one, "strict:0"')

    def put(self, values: Any, number: int) -> Any:
        return array(values)

    def add_at(self, array: Any, index: Any, values: Any) -> None:
        np.add.at(array.inside, _unwrap(_index(index)), _device_values(values))


register(Strict())


def _wrap(value: Any) -> Any:
    """Results stay on the device, those without axes too."""
    return tree.map(
        lambda leaf: StrictArray(np.asarray(leaf)) if isinstance(leaf, np.ndarray | np.generic) else leaf, value
    )


def _unwrap(value: Any) -> Any:
    return tree.map(lambda leaf: leaf.inside if isinstance(leaf, StrictArray) else leaf, value)


def _index(index: Any) -> Any:
    """An index, if CuPy takes it: arrays of NumPy's are copied, but there may be only one mask."""
    parts = index if isinstance(index, tuple) else (index,)
    if sum(getattr(p, "dtype", None) is np.dtype(bool) and p.ndim > 0 for p in parts) > 1:
        raise NotImplementedError("slices with more than one boolean array are not supported")
    return index


def _device_values(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        raise TypeError(f"Unsupported type {type(values)}")
    return _unwrap(values)


# -- functions that differ from NumPy's in more than their arguments ---------------------------------------------


def _where(condition: Any, *choices: Any) -> Any:
    return np.where(condition.astype("?"), *choices)  # which a Python bool does not have


def _concatenate(arrays: Any, axis: Any = 0, **options: Any) -> Any:
    if not all(isinstance(a, np.ndarray) for a in arrays):
        raise TypeError("Only cupy arrays can be concatenated")
    return np.concatenate(arrays, axis, **options)


def _solve(a: Any, b: Any) -> Any:
    if b.ndim > 1 and a.shape[:-1] != b.shape[:-1]:
        raise ValueError("a must have (..., M, M) shape and b must have (..., M, K) for multidimensional b")
    return np.linalg.solve(a, b) if b.ndim > 1 or a.ndim == 2 else np.linalg.solve(a, b[:, None])[..., 0]


def _slogdet(a: Any) -> Any:
    return tuple(np.linalg.slogdet(a))


def _windows(x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False) -> Any:
    if writeable:
        raise NotImplementedError("Writeable views are not supported.")
    return np.lib.stride_tricks.sliding_window_view(x, window_shape, axis)


_SPECIAL: dict[Any, Callable[..., Any]] = {
    np.where: _where,
    np.concatenate: _concatenate,
    np.linalg.solve: _solve,
    np.linalg.slogdet: _slogdet,
    np.lib.stride_tricks.sliding_window_view: _windows,
}


# -- the table ---------------------------------------------------------------------------------------------------


@cache
def cupy() -> dict[str, dict[str, Any]]:
    """What CuPy has: ufuncs, functions with their parameters, and attributes of arrays, by name."""
    found: dict[str, dict[str, Any]] = {"ufunc": {}, "function": {}, "ndarray": {}}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            kind, name, *parameters = line.split()
            found[kind][name] = _signature(parameters)
    return found


def _signature(words: list[str]) -> inspect.Signature:
    """``a axis= *xs * out=`` as parameters: with ``=`` those that need not be given, after ``*`` those by keyword."""
    of = inspect.Parameter
    parameters: list[inspect.Parameter] = []
    starred = False
    for word in words:
        if word.startswith("**"):
            parameters.append(of(word[2:], of.VAR_KEYWORD))
        elif word.startswith("*"):
            starred = True
            parameters += [of(word[1:], of.VAR_POSITIONAL)] if word != "*" else []
        else:
            default = None if word.endswith("=") else of.empty
            kind = of.KEYWORD_ONLY if starred else of.POSITIONAL_OR_KEYWORD
            parameters.append(of(word.rstrip("="), kind, default=default))
    return inspect.Signature(parameters)


def table() -> str:
    """The table as the installed CuPy gives it."""
    cupy, special = importlib.import_module("cupy"), importlib.import_module("cupyx.scipy.special")
    lines = [f"# CuPy {cupy.__version__}, made by python -m autograd_core.testing.strict"]
    for namespace in (np, np.linalg, np.fft, np.lib.stride_tricks):
        for name, function in sorted(vars(namespace).items()):
            if isinstance(function, np.ufunc):
                if namespace is np and (hasattr(cupy, function.__name__) or hasattr(special, function.__name__)):
                    lines.append(f"ufunc {function.__name__}")
            elif not name.startswith("_") and (inspect.isroutine(function) or hasattr(function, "_implementation")):
                found: Any = cupy  # as CuPy's own __array_function__ looks for it
                for part in [*(function.__module__ or "").split(".")[1:], function.__name__]:
                    found = getattr(found, part, None)
                if found is not None and found is not function:
                    lines.append(f"function {function.__module__}.{function.__name__} {_words(found)}".rstrip())
    lines += [f"ndarray {name}" for name in sorted(dir(cupy.ndarray)) if not name.startswith("_")]
    return "\n".join(dict.fromkeys(lines)) + "\n"


def _words(function: Any) -> str:
    """The parameters of a function as `_signature` reads them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # compiled: it does not tell
        return "*args **kwargs"
    words: list[str] = []
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not any(word.startswith("*") for word in words):
            words.append("*")
        star = "*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else ""
        words.append(star + p.name + ("" if p.default is p.empty else "="))
    return " ".join(words)


if __name__ == "__main__":
    print(table(), end="")
