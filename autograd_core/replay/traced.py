"""The stand-in for an array while a function is recorded.

It is not an ndarray on purpose: what NumPy's protocols hand to it is noted, and whatever takes a value out of the
record (a test, a conversion, a print) has to ask for it, and is noticed.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import operator
import sys
import threading
import weakref
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import tree
from ..arrays import decide, total
from ..dispatch import NUMPY, full_name
from ..errors import ReplayError
from ..tracer import InPlace, Tracer, attribute, ufunc_of
from .effects import (
    CHANGING,
    COPIES,
    DECIDING,
    OF_VARYING_KIND,
    OF_VARYING_SHAPE,
    POWERS,
    SHAPED_BY_THE_REST,
    STATIC,
    copied,
    name_of,
)

if TYPE_CHECKING:
    from .tape import Recording


def _is_scalar(x: Any) -> bool:
    return x.scalar if isinstance(x, Traced) else isinstance(x, int | float | complex | np.generic)


def _scalar_power(base: Any, exponent: Any) -> Any:
    return _element(base) ** _element(exponent)


POWERS.add(_scalar_power)


@total
def _scalar_product(a: Any, b: Any) -> Any:
    return _element(a) * _element(b)


@total
def _scalar_size(a: Any) -> Any:
    return abs(_element(a))


def _element(x: Any) -> Any:
    """The scalar in an array without axes."""
    return x[()] if isinstance(x, np.ndarray) else x


# Where NumPy has other code for scalars than for arrays, with other last digits.
_SCALAR_KERNELS: dict[Any, Callable[..., Any]] = {
    np.power: _scalar_power,
    np.multiply: _scalar_product,
    np.absolute: _scalar_size,
}


# What a scalar repeats, or is no number for, where an array would multiply its elements.
_REPEATED = (list, tuple, str, bytes, bytearray)

# No number equals a text: so these compare nothing that could change, and as ufuncs they would raise.
_EQUALITY: dict[Any, Callable[..., Any]] = {np.equal: operator.eq, np.not_equal: operator.ne}

# What to write where a shape depends on the data.
KIND = "pass x.astype(complex) to NumPy's function of that name, or keep to real numbers"
MASKED = "keep the shape, as np.where(mask, x, 0) does"


class Traced(Tracer, InPlace):
    """An array whose computations are being recorded.

    It is just the array that it holds after a graph break, or once the recording is over. Its use in another thread
    than the one that records is a graph break: what is computed there could not be followed.

    Parameters
    ----------
    array : array
        What was computed with the arguments of the recording.
    recording : Recording
        What its computations are noted in.
    scalar : bool
        Whether it stands for a value that is immutable in NumPy (`numpy.float64` and its like), such as an element
        or a sum over everything: nothing writes to its array, and nothing else is a view of it that can be written
        to.

    Examples
    --------
    >>> from autograd_core.replay.tape import Recording
    >>> with Recording() as recording:
    ...     y = np.tanh(recording.input(np.array([1.0, 2.0]))) * 2
    >>> [inst.function.__name__ for inst in recording.instructions]
    ['tanh', 'multiply']
    """

    __slots__ = ("__weakref__", "array", "recording", "scalar")
    stands_for: Any = None  # the class of the array or scalar, in the class that stands in for exactly that

    def __new__(cls, array: Any, recording: Recording, scalar: bool = False) -> Traced:
        kind = array.dtype.type if scalar else np.ndarray
        return object.__new__(_class_for(kind) if cls is Traced else cls)

    def __init__(self, array: Any, recording: Recording, scalar: bool = False):
        self.array = array
        self.recording = recording
        self.scalar = scalar
        recording.traced.append(weakref.ref(self))

    def recording_now(self) -> Recording | None:
        """The recording, or None where this is just an array."""
        recording = self.recording
        if recording.finished:
            return None
        if recording.broken:
            if recording.strict:  # and the function has caught the error
                raise recording.error(recording.broken)
            return None
        if recording.thread != threading.get_ident():
            recording.used_in_other_thread(self.array)
            return None
        return recording

    @property
    def plain(self) -> Any:
        """The array or the scalar itself."""
        return self.array[()] if self.scalar else self.array

    def _taken_out(self, how: str, instead: str = "compute with the value itself, by functions of NumPy's") -> Any:
        """The array itself; a graph break, if it was being recorded."""
        recording = self.recording_now()
        if recording is not None:
            recording.graph_break(how, instead)
        return self.plain

    # -- what is the same for every batch --------------------------------------------------------------

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # for isinstance, match and singledispatch; type() tells the truth
        return self.array.dtype.type if self.scalar else np.ndarray

    shape, dtype, ndim, size = map(attribute, ("array.shape", "array.dtype", "array.ndim", "array.size"))
    strides, itemsize, nbytes = map(attribute, ("array.strides", "array.itemsize", "array.nbytes"))
    device = attribute("array.device")

    @property
    def flags(self) -> Any:
        """Those of the array itself."""
        return self.plain.flags

    @property
    def real(self) -> Any:
        """`numpy.real`."""
        return np.real(self)

    @property
    def imag(self) -> Any:
        """`numpy.imag`."""
        return np.imag(self)

    def view(self, *args: Any) -> Any:
        """Another name for the same elements."""
        if args or self.scalar:
            return self._taken_out("seeing the bytes of a value that is being recorded").view(*args)
        return Traced(self.array.view(), self.recording)

    def __len__(self) -> int:
        return len(self.plain)

    def __contains__(self, value: Any) -> bool:
        return unwrapped(value) in self._taken_out("looking for an element in a value that is being recorded")

    def __repr__(self) -> str:
        return repr(self._printed())

    def __str__(self) -> str:
        return str(self._printed())

    def __format__(self, how: str) -> str:
        return format(self._printed(), how)

    def _printed(self) -> Any:
        return self._taken_out("printing a value that is being recorded", "print what the function returns")

    def __getattr__(self, name: str) -> Any:
        # Reached only for what is not here. Whether there is such a method is asked of the type, and no value leaves.
        kind = type(self).stands_for
        special = name.startswith("__")
        if (special and kind is None) or not _defines(type(self.plain), name):
            raise AttributeError(f"an array has no attribute {name!r}")
        if name in _OF_THE_CLASS:
            return getattr(self.plain, name)
        if not callable(getattr(type(self.plain), name)):
            return getattr(self._taken_out(f"asking for .{name} of a value that is being recorded"), name)

        def method(*args: Any, **kwargs: Any) -> Any:
            array = self._taken_out(f"calling .{name}() of a value that is being recorded")
            return getattr(array, name)(*unwrapped(args), **unwrapped(kwargs))

        return method

    @property
    def __array_struct__(self) -> Any:  # which NumPy looks into, as soon as it has it
        if type(self).stands_for is None:
            raise AttributeError("__array_struct__")
        return self._taken_out("turning into a plain array a value that is being recorded").__array_struct__

    @property
    def __array_interface__(self) -> Any:
        if type(self).stands_for is None:  # whose recording cannot wait with an error
            raise AttributeError("__array_interface__")
        return _Interface(self)

    def __hash__(self) -> int:
        return hash(self._taken_out("hashing a value that is being recorded") if self.scalar else self.array)

    def __copy__(self) -> Any:
        return self if self.scalar else np.copy(self, order="K")

    def __deepcopy__(self, memo: Any) -> Any:
        return self.__copy__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._taken_out("pickling a value that is being recorded").__reduce_ex__(protocol)

    # -- what is computed ------------------------------------------------------------------------------

    def process(self, function: Any, args: Any, kwargs: Any) -> Any:
        return (self._function if ufunc_of(function) is None else self._ufunc)(function, args, kwargs)

    def operate(self, ufunc: np.ufunc, *operands: Any) -> Any:
        """What an operator gives: for scalars not always the bits that the ufunc of that name gives."""
        if ufunc is np.power and operands[0] is self and not self.scalar:
            return self.process(*_power(self, operands[1], operator.pow), {})
        if ufunc is np.multiply and self.scalar and any(isinstance(x, _REPEATED) for x in operands):
            return operator.mul(*(operator.index(x) if x is self else x for x in operands))
        if ufunc in _EQUALITY and any(isinstance(x, str | bytes) for x in operands):
            return _EQUALITY[ufunc](*unwrapped(operands))
        kernel = _SCALAR_KERNELS.get(ufunc)
        if kernel is None or not all(map(_is_scalar, operands)):
            return self.process(ufunc, operands, {})
        if ufunc is not np.power and not any(np.iscomplexobj(x) for x in operands):
            return self.process(ufunc, operands, {})
        recording = self.recording_now()
        return kernel(*unwrapped(operands)) if recording is None else recording.run(kernel, operands)

    def _ufunc(self, function: Any, inputs: Any, kwargs: Any) -> Any:
        recording = self.recording_now()
        method = "__call__" if isinstance(function, np.ufunc) else function.__name__
        out = kwargs.pop("out", None)
        if recording is None:
            pass
        elif method == "at":
            if recording.can_change(inputs[0]):
                return recording.write(function, inputs, kwargs, inputs[0])
        elif out is None:
            return recording.run(function, inputs, kwargs)
        elif len(out) > 1:
            recording.graph_break(f"{name_of(function)} has several out=")
        elif recording.can_change(out[0]):
            if method != "__call__" or "where" in kwargs:
                recording.write(function, inputs, {**kwargs, "out": out}, out[0])
            else:
                recording.into(function, inputs, kwargs, out[0])
            return out[0]
        if out is not None:
            kwargs["out"] = out
        return function(*unwrapped(inputs), **unwrapped(kwargs))

    def _function(self, function: Any, args: Any, kwargs: Any) -> Any:
        recording = self.recording_now()
        args, kwargs = _with_named_out(function, args, kwargs)
        if recording is None or function in STATIC:
            pass
        elif function in (np.shares_memory, np.may_share_memory):
            if recording.may_be_told_apart(*args[:2]):
                recording.graph_break(f"asking by np.{function.__name__} where the caller's arrays lie")
        elif (
            function in OF_VARYING_SHAPE
            or (function is np.where and len(args) + len(kwargs) == 1)
            or (function in SHAPED_BY_THE_REST and _holds_traced((args[1:], kwargs)))
        ):
            recording.graph_break(f"np.{function.__name__} gives an array whose shape depends on the data", MASKED)
        elif function in OF_VARYING_KIND:
            recording.graph_break(
                f"{full_name(function)} gives real or complex numbers, as the data will have it", KIND
            )
        elif function in DECIDING:
            return NUMPY[function](*args, **kwargs)
        elif function is np.copyto or function in CHANGING:
            if recording.can_change(args[0]):
                return _change(recording, function, *args, **kwargs)
        elif kwargs.get("overwrite_input"):
            recording.graph_break(f"np.{function.__name__} may change its argument")
        elif function is np.nan_to_num and not (args[1] if len(args) > 1 else kwargs.get("copy", True)):
            target = args[0] if args else kwargs["x"]
            if recording.can_change(target):
                recording.write(function, args, kwargs, target)
                return target
        elif kwargs.get("out") is not None:
            if recording.can_change(kwargs["out"]):
                recording.write(function, args, kwargs, kwargs["out"])
                return kwargs["out"]
        elif function in COPIES:
            return _copy(recording, function, args, kwargs)
        else:
            return recording.run(function, args, kwargs)
        return function(*unwrapped(args), **unwrapped(kwargs))

    # -- elements --------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        recording = self.recording_now()
        if recording is None:
            return self.plain[unwrapped(index)]
        parts = index if isinstance(index, tuple) else (index,)
        if self.scalar:
            return recording.run(np.array, (self,), noted=copied)[index] if parts else self
        if _shapes(index):
            recording.graph_break(
                "picking elements by a mask or up to some length gives an array of varying shape", MASKED
            )
        elif _basic(index):
            view = Traced(self.array[_viewing(index)], recording)
            recording.picked = _instruction(sys._getframe(1))
            return recording.run(_element, (view,), noted=copied) if self._alone(index) else view
        elif not any(isinstance(p, Traced) and p.scalar for p in parts):
            return recording.run(operator.getitem, (self, index))
        elif np.may_share_memory(self.array[unwrapped(index)], self.array):
            recording.graph_break("an index that is being recorded picks a view (numpy.take would copy)")
        else:  # not as scalars, of which NumPy makes views
            arrays = tuple(Traced(p.array, recording) if isinstance(p, Traced) else p for p in parts)
            return recording.run(operator.getitem, (self, arrays))
        return self.array[unwrapped(index)]

    def _alone(self, index: Any) -> bool:
        """Whether a basic index picks a single element, of which NumPy makes a scalar."""
        parts = index if isinstance(index, tuple) else (index,)
        return len(parts) == self.ndim and all(map(_whole, parts))

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.scalar:
            raise TypeError(f"'{type(self.plain).__name__}' object does not support item assignment")
        recording = self.recording_now()
        if recording is None or not recording.can_change(self):
            self.array[unwrapped(index)] = unwrapped(value)
        elif _basic(index):
            if self._alone(index) and getattr(value, "ndim", 0) > 0:  # which copyto takes, and NumPy may refuse
                self.array[index] = unwrapped(value)
            row = Traced(self.array[_viewing(index)], recording)
            if recording.picked == _instruction(sys._getframe(1)) and isinstance(value, Traced) and value.ndim:
                value = self._swapped(row, value)
            recording.copy_into(row, value)
        else:
            recording.write(operator.setitem, (self, index, value), {}, self)

    def _swapped(self, row: Traced, value: Traced) -> Any:
        """What is put in a row where one instruction of Python's takes rows out and puts them in: NumPy's shuffling.

        It swaps rows of arrays, but of what is no array by x[i], x[j] = x[j], x[i], where each is a view.
        """
        recording = self.recording
        before = recording.overwritten
        recording.overwritten = (recording.view_of(row.array), np.copy(row))
        return before[1] if before is not None and before[0] == recording.view_of(value.array) else value

    # -- methods that arrays have ----------------------------------------------------------------------

    def astype(self, dtype: Any, copy: bool = True, **kwargs: Any) -> Any:
        """A copy in another dtype."""
        recording = self.recording_now()
        if recording is None:
            return self.plain.astype(dtype, copy=copy, **kwargs)
        return recording.run(_astype, (self, np.dtype(dtype), copy), kwargs, noted=copied)

    def copy(self, order: Any = "C") -> Any:
        """A copy."""
        return self if self.scalar else np.copy(self, order=order)

    def fill(self, value: Any) -> None:
        """All elements set to one value; those of a scalar stay as they are."""
        if not self.scalar:
            self[...] = value

    # -- what takes a value out ------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        array = self._taken_out("turning into a plain array a value that is being recorded")
        return np.array(array, dtype=dtype, copy=copy)

    def decided(self) -> bool:
        """The truth, which a replay must find again; see `decide`."""
        recording = self.recording_now()
        return bool(self.plain) if recording is None else recording.guard(self)

    def __bool__(self) -> bool:
        how = "asking for the truth of a value that is being recorded"
        choose = (
            "choose by np.where, or ask decide(condition), which leaves a batch that goes another way to the function"
        )
        return bool(self._taken_out(how, choose))

    def _number(self, convert: Callable[[Any], Any]) -> Any:
        how = f"taking a Python number ({convert.__name__}) from a value that is being recorded"
        return convert(self._taken_out(how))

    def __float__(self) -> float:
        return self._number(float)

    def __int__(self) -> int:
        return self._number(int)

    def __index__(self) -> int:
        return self._number(operator.index)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._taken_out("rounding (round) a value that is being recorded"), digits)

    def __trunc__(self) -> int:
        return self._number(math.trunc)

    def item(self, *args: Any) -> Any:
        """An element as a Python number."""
        return self._taken_out("taking a Python number (item) from a value that is being recorded").item(*args)

    def tolist(self) -> Any:
        """All elements as Python numbers."""
        return self._taken_out("taking Python numbers (tolist) from a value that is being recorded").tolist()

    # -- operators in place that are not those of a ufunc ------------------------------------------------

    def __imatmul__(self, other: Any) -> Any:
        if self.ndim < 1 or np.ndim(other) < 2:  # which the ufunc would broadcast
            raise ValueError("in-place matrix multiplication needs at least one and two axes")
        return super().__imatmul__(other)

    def __ipow__(self, exponent: Any) -> Any:
        if self.scalar:
            return super().__ipow__(exponent)
        function, operands = _power(self, exponent, operator.ipow)
        function(*operands, out=(self,))
        return self


# What Python and its abstract classes look for in the class itself, and find missing where it is None.
_IN_CLASSES = frozenset({"__contains__", "__hash__", "__index__", "__iter__", "__len__", "__round__", "__trunc__"})

# What says something of the class and nothing of a value.
_OF_THE_CLASS = frozenset({"__array_finalize__", "__array_namespace__", "__array_priority__", "__class_getitem__",
                           "__dlpack_device__"})  # fmt: skip


def _defines(kind: Any, name: str) -> bool:
    """Whether values of a class have an attribute; the class itself has those of classes, too."""
    return any(name in vars(base) for base in kind.__mro__)


@cache
def _class_for(kind: Any) -> Any:
    """The stand-in for values of one class: what these have not, it has not, whoever asks for it and however."""
    missing: dict[str, Any] = {name: None for name in _IN_CLASSES if getattr(kind, name, None) is None}
    of_arrays = (name for name in dir(Traced) if name.startswith("__") or _defines(np.ndarray, name))
    absent = frozenset(name for name in of_arrays if not _defines(kind, name))

    def asked(self: Any, name: str) -> Any:
        if name in absent:
            raise AttributeError(f"a {kind.__name__} has no attribute {name!r}")
        return object.__getattribute__(self, name)

    if hasattr(kind, "__complex__"):  # for lack of which, but not for None, Python asks for a float
        missing["__complex__"] = lambda self: self._number(complex)
    return type("Traced", (Traced,), {"__slots__": (), "stands_for": kind, "__getattribute__": asked, **missing})


class _Told(np.ndarray):
    """An array whose operators tell which ufunc they call, and with what."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return ufunc, inputs


# Whether this NumPy looks at the value of an exponent that is no number of Python's: before 2.3.
_LOOKS = (np.ones(1).view(_Told) ** np.float64(2))[0] is np.square


def _power(base: Traced, exponent: Any, operate: Callable[[Any, Any], Any]) -> tuple[Any, tuple[Any, ...]]:
    """What an array's own operator calls in place of `numpy.power`, as this NumPy has it, and with what.

    For some exponents that takes less time, or has other digits.
    """
    if isinstance(exponent, Traced):
        if not (_LOOKS and exponent.ndim == 0 and any(decide(np.equal(exponent, n)) for n in (2, 1, 0, -1, 0.5))):
            return np.power, (base, exponent)
        exponent = exponent.plain
    if not isinstance(exponent, int | float | complex | np.generic | np.ndarray):
        return np.power, (base, exponent)
    function, (first, *others) = operate(np.ones(1, base.dtype).view(_Told), exponent)
    return function, (base if first.dtype == base.dtype else base.astype(first.dtype), *others)


class _Interface(dict[str, Any]):
    """What NumPy makes an array from. That there is one tells the type; who looks into it takes a value out."""

    def __init__(self, traced: Traced):
        array = np.copy(traced.array) if traced.scalar else traced.array
        traced.recording.exposed.append(array)
        interface = array.__array_interface__
        super().__init__(interface, data=(interface["data"][0], _Asked(traced, not array.flags.writeable)))


class _Asked:
    """A truth that NumPy asks for when it makes an array from an interface, in a place where no error may be raised."""

    def __init__(self, traced: Traced, truth: bool):
        self._traced, self._truth = traced, truth

    def __bool__(self) -> bool:
        with contextlib.suppress(ReplayError):
            self._traced._taken_out("turning into a plain array a value that is being recorded")
        return self._truth


def _instruction(frame: Any) -> tuple[int, int]:
    """Which instruction of which running function asks for something."""
    return id(frame), frame.f_lasti


def unwrapped(value: Any) -> Any:
    """``value`` with the arrays and scalars themselves in place of Traced values."""
    return tree.map(lambda leaf: leaf.plain if isinstance(leaf, Traced) else leaf, value)


def _astype(array: Any, dtype: Any, copy: bool, **kwargs: Any) -> Any:
    return array.astype(dtype, copy=copy, **kwargs)


def _basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is Ellipsis or isinstance(p, slice) or _whole(p) for p in parts)


def _whole(index: Any) -> bool:
    """Whether this is a number that picks an element; of a truth NumPy makes an axis."""
    return isinstance(index, int | np.integer) and not isinstance(index, bool)


def _shapes(index: Any) -> bool:
    """Whether the shape of what this picks depends on the data."""
    if isinstance(index, list | tuple):
        return any(map(_shapes, index))
    return _holds_traced(index) if isinstance(index, slice) else isinstance(index, Traced) and index.dtype == bool


def _holds_traced(value: Any) -> bool:
    return any(isinstance(leaf, Traced) for leaf in tree.leaves(value))


@cache
def _names(function: Any) -> tuple[str, ...]:
    """What the arguments of a function are called that may be given by position."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # written in C, without one
        return ()
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))


def _with_named_out(function: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments with ``out``, and what comes after it, by name."""
    names = _names(function) if len(args) > 1 else ()
    position = names.index("out") if "out" in names else len(args)
    if position < len(args) and args[position] is not None:
        return args[:position], {**dict(zip(names[position:], args[position:], strict=False)), **kwargs}
    return args, kwargs


def _viewing(index: Any) -> Any:
    """A basic index that gives a view, even where it picks a single element."""
    parts = index if isinstance(index, tuple) else (index,)
    return parts if Ellipsis in parts else (*parts, ...)


def _change(recording: Recording, function: Any, target: Any, *args: Any, **kwargs: Any) -> None:
    """A function that changes its first argument."""
    if function is np.copyto and "where" not in kwargs:
        recording.copy_into(target, *args, **{"casting": "same_kind", **kwargs})
    else:
        recording.write(function, (target, *args), kwargs, target)


def _copy(recording: Recording, function: Any, args: Any, kwargs: Any) -> Any:
    """Something new that is filled with zeros, with a value, or with another array's elements."""
    values = COPIES[function](*args, **kwargs)

    def make(_: Any) -> Any:
        return function(*unwrapped(args), **unwrapped(kwargs))

    make.__name__ = function.__name__
    return recording.run(make, (values,), noted=copied)
