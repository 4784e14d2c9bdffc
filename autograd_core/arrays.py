"""Arrays of other libraries: which library owns an array, its device, and conversion from and to NumPy.

NumPy's two protocols make every rule run on such arrays. What the protocols leave open stands here and nowhere else,
so a library that differs from NumPy in something is mended in its class below, and no rule ever asks which it is.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from . import tree
from .errors import DeviceError
from .graph import Recorded
from .optional import needed

F = TypeVar("F", bound=Callable[..., Any])


def is_masked(value: Any) -> bool:
    """Whether this is one of NumPy's masked arrays: not before somebody has imported `numpy.ma`, which takes long."""
    return isinstance(value, getattr(sys.modules.get("numpy.ma"), "MaskedArray", ()))  # of no class: never


class Library:
    """What the protocols leave open about a library: as it stands, one of which nothing is known.

    Another one is a class derived from this, made known with `register`.
    """

    name = ""  # what people call it: "CuPy"
    device = ""  # what its devices are called: "cuda" for "cuda:0"

    def owns(self, kind: type) -> bool:
        """Whether ``kind`` is the type of its arrays."""
        raise TypeError(f"{type(self).__name__} must define owns(kind)")

    def number(self, array: Any) -> int:
        """The number of the device that an array lies on."""
        return 0

    def place(self, array: Any) -> str:
        """Where an array lies, as an error says it: ``cuda:0 (CuPy)``."""
        if not self.device:
            return f"another device ({type(array).__module__.partition('.')[0]})"
        return f"{self.device}:{self.number(array)} ({self.name})"

    def put(self, values: Any, number: int) -> Any:
        """A copy of NumPy's array on the device with this number."""
        raise TypeError(f"{type(self).__name__} must define put(values, number)")

    def use(self, number: int) -> None:
        """Make this device the one on which new arrays are made and results computed."""

    def asarray_like(self, array: Any, values: Any) -> Any:
        """A copy of NumPy's array where another array lies."""
        return self.put(values, self.number(array)) if self.device else np.asarray(values, like=array)

    def numpy(self, array: Any) -> Any:
        """A copy in NumPy."""
        return array.get() if hasattr(array, "get") else np.asarray(array)

    def add_at(self, array: Any, index: Any, values: Any) -> None:
        """Add ``values`` at an index that may name a place several times."""
        np.add.at(array, index, values)


class CuPy(Library):
    """NumPy's functions on NVIDIA's graphics processors."""

    name, device = "CuPy", "cuda"

    def owns(self, kind: type) -> bool:
        return kind.__module__.partition(".")[0] == "cupy"

    def number(self, array: Any) -> int:
        return int(array.device.id)

    def put(self, values: Any, number: int) -> Any:
        cupy = importlib.import_module("cupy")
        with cupy.cuda.Device(number):
            return cupy.asarray(values)

    def use(self, number: int) -> None:
        cupy = needed("cupy", "A CUDA device", "gpu")
        try:
            cupy.cuda.Device(number).use()
            cupy.zeros(1)  # now, rather than in the middle of something
        except cupy.cuda.runtime.CUDARuntimeError as error:
            raise DeviceError(
                f'there is no device "cuda:{number}" that CuPy can use ({error}); `nvidia-smi` lists the devices, and '
                'nn.set_device("cpu") computes without one'
            ) from error

    def add_at(self, array: Any, index: Any, values: Any) -> None:
        # Its own ufunc takes every index, but through NumPy's protocol no tuple.
        importlib.import_module("cupy").add.at(array, index, values)


LIBRARIES: list[Library] = [CuPy()]


def register(library: Library) -> None:
    """Make another library known, with its devices.

    >>> from autograd_core.testing import strict
    >>> register(strict.Strict())
    >>> place_of(strict.array([1.0, 2.0]))
    'strict:0 (a strict library)'
    """
    LIBRARIES[:] = [known for known in LIBRARIES if type(known) is not type(library)] + [library]
    _LIBRARY.clear()


class _Libraries(dict[type, Library | None]):
    """The library of arrays of a type; None for NumPy's, and for what is no array at all."""

    def __missing__(self, kind: type) -> Library | None:
        self[kind] = next((library for library in LIBRARIES if library.owns(kind)), None) or _unknown(kind)
        return self[kind]


_LIBRARY = _Libraries()  # by the types of what was asked about


def _unknown(kind: type) -> Library | None:
    # What is of this package stands for NumPy's arrays: a Tensor, a symbol, what is recorded for a replay.
    ours = kind.__module__.partition(".")[0] == __name__.partition(".")[0]
    strange = hasattr(kind, "__array_function__") and not issubclass(kind, np.ndarray | np.generic | Recorded)
    return Library() if strange and not ours else None


def is_foreign(value: Any) -> bool:
    """Whether this is the array of another library.

    >>> is_foreign(np.ones(2)), is_foreign(1.5)
    (False, False)
    """
    return _LIBRARY[type(value)] is not None


def to_numpy(value: Any) -> Any:
    """``value`` as a NumPy array, copied from wherever it lies; what NumPy computes with stays as it is.

    >>> from autograd_core.testing import strict
    >>> to_numpy(strict.array([1.0, 2.0]))
    array([1., 2.])
    """
    library = _LIBRARY[type(value)]
    return value if library is None else library.numpy(value)


def in_numpy(value: Any) -> Any:
    """`to_numpy` of everything in nested lists, tuples and dicts."""
    return tree.map(to_numpy, value)


def asarray_like(array: Any, values: Any) -> Any:
    """``values``, NumPy's, where ``array`` lies: what rules bring their tables of numbers with.

    ``array`` may be a Tensor, and what is no NumPy array is left as it is.
    """
    library = _LIBRARY[type(array.node.out if isinstance(array, Recorded) else array)]
    if library is None or not isinstance(values, np.ndarray):
        return values
    return library.asarray_like(array.node.out if isinstance(array, Recorded) else array, values)


def like(array: Any, value: Any) -> Any:
    """``value`` where ``array`` lies, from whatever library it comes."""
    if _LIBRARY[type(array)] is not None:
        return asarray_like(array, value)
    value = to_numpy(value)
    return value[()] if isinstance(array, np.generic) and isinstance(value, np.ndarray) else value


def add_at(array: Any, index: Any, values: Any) -> None:
    """`numpy.add.at`: add ``values`` in place at an index that may name a place several times."""
    library = _LIBRARY[type(array)]
    if library is None:
        np.add.at(array, index, values)
    else:
        library.add_at(array, index, values)


# Functions of ours that raise no error for the values of their arguments, and classes of such functions.
TOTAL: set[Any] = set()


def total(function: Any) -> Any:
    """Mark a function, or a class of some, that a replay calls: it raises no error for the values of its arguments."""
    TOTAL.add(function)
    return function


def decide(condition: Any) -> bool:
    """The truth of ``condition``, which decides what is computed; for an ``if`` in a function that is replayed.

    On plain values it is ``bool``. While recording it is noted, and a replay that finds it otherwise leaves that
    batch to the function itself, before any state has changed. ValueError for an array of several elements, whose truth
    is ambiguous.

    >>> x = np.array([1.0, -1.0])
    >>> if decide((x < 0).any()):
    ...     print("negative")
    negative
    """
    noted = getattr(condition, "decided", None)
    return bool(condition) if noted is None else noted()


def one_call(function: F) -> F:
    """Decorate a function of arrays which arrays of other kinds answer for, as for NumPy's: a replay records one call.

    >>> half = one_call(lambda x: x / 2)
    >>> print(half(np.ones(2)))
    [0.5 0.5]
    """

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        for a in args:
            if hasattr(type(a), "__array_function__") and not issubclass(type(a), np.ndarray):
                found = a.__array_function__(called, (type(a),), args, kwargs)
                if found is not NotImplemented:
                    return found
        return function(*args, **kwargs)

    return called  # type: ignore[return-value]


# -- places --------------------------------------------------------------------------------------------------


def place_of(value: Any) -> str:
    """Where an array lies, in words.

    >>> place_of(np.ones(2))
    'the CPU (NumPy)'
    """
    library = _LIBRARY[type(value)]
    return "the CPU (NumPy)" if library is None else library.place(value)


def putter(device: str) -> Callable[[Any], Any] | None:
    """What brings NumPy's arrays to a device, "cuda" or "cuda:1", which is used from now on; None for "cpu".

    Raises ValueError when there is no such kind of device, DeviceError when there is none of that number.
    """
    kind, _, number = device.partition(":") if isinstance(device, str) else ("", "", "")
    if kind == "cpu" and not number:
        return None
    for library in LIBRARIES:
        if library.device == kind and (not number or number.isdecimal()):
            which = int(number or 0)
            library.use(which)
            return lambda values: library.put(values, which)
    known = ", ".join(repr(library.device) for library in LIBRARIES)
    raise ValueError(
        f"a device: expected 'cpu', or one of {known} with a number where there are several, got {device!r}"
    )


def check_together(what: str, names: Sequence[str], values: Sequence[Any], error: Exception) -> None:
    """Raise if arrays of one call lie on several devices, which is why it failed: say which is where.

    Numbers, Python's and NumPy's, go with arrays anywhere.
    """
    places = [place_of(v) for v in values]
    of_arrays = [i for i, v in enumerate(values) if isinstance(v, np.ndarray) or is_foreign(v)]
    apart = [i for i in of_arrays if places[i] != places[of_arrays[0]]]
    if not apart:
        return
    one, other = (  # of those in either place one that has a name, if there is any
        min((i for i in of_arrays if places[i] == places[first]), key=lambda i: names[i].startswith("argument"))
        for first in (of_arrays[0], apart[0])
    )
    raise DeviceError(
        f"{what} cannot compute with arrays on two devices: {names[one]} is on {places[one]}, {names[other]} on "
        f"{places[other]}. Put them on one: "
        "make both Tensors from arrays of the same library (cupy.asarray(a) brings one to the GPU, t.numpy() to the "
        'CPU), or call nn.set_device("cuda") before a model is made or loaded'
    ) from error
