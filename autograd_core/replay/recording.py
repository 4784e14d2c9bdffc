"""The first room: what a function does, noted at the calls that reach NumPy.

A `Traced` stands in for an array. It holds one, and every NumPy call that it meets is carried out and noted in a
flat list, with its operands known by where they lie in memory. So views need no declaration, and neither does
an op: forwards and rules run unchanged, and what they read and write is seen because they run.

A Traced is not an ndarray on purpose. Whatever would take a value out of the record (a test, a conversion, a
function that NumPy's protocols do not reach) raises `Escape` at the line where it happens.
"""

from __future__ import annotations

import operator
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from ..debugging import line_of_caller, place_of_caller
from ..graph import kind


class Escape(TypeError):
    """A value was about to leave a recording, which could not follow it.

    >>> from autograd_core.replay.recording import Recording
    >>> with Recording() as recording:
    ...     x = recording.input(np.array([1.0, 2.0]))
    ...     if x[0] > 0:
    ...         pass
    Traceback (most recent call last):
    autograd_core.replay.recording.Escape: asking for the truth of a value that is being recorded, at ...
    """


class Memory:
    """One allocation that a recording knows. ``array`` owns it, except for scratch, which a plan will place."""

    __slots__ = ("address", "array", "kind", "saved", "size")

    def __init__(self, kind: str, size: int, address: int, array: Any = None):
        self.kind = kind  # "input", "state", "constant" or "scratch"
        self.size = size
        self.address = address
        self.array = array
        self.saved: Any = None  # what state held before the recording changed it

    def __repr__(self) -> str:
        return f"<{self.kind}, {self.size} bytes>"


@dataclass(frozen=True, slots=True)
class Place:
    """An array by where it lies: a memory, and how to walk through it. Offsets and strides are in bytes."""

    memory: Memory
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def extent(self) -> tuple[int, int]:
        """The first byte of the memory that this touches, and the one after the last."""
        if 0 in self.shape:
            return self.offset, self.offset
        steps = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        low = self.offset + sum(s for s in steps if s < 0)
        return low, self.offset + sum(s for s in steps if s > 0) + self.dtype.itemsize

    @property
    def contiguous(self) -> bool:
        """Whether the elements follow each other in row-major order without gaps."""
        expected = self.dtype.itemsize
        for n, s in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if n != 1 and s != expected:
                return False
            expected *= n
        return True

    @property
    def size(self) -> int:
        """How many elements there are."""
        return int(np.prod(self.shape, dtype=np.int64))

    def overlaps(self, other: Place) -> bool:
        """Whether the two may share a byte."""
        if self.memory is not other.memory:
            return False
        (a, b), (c, d) = self.extent, other.extent
        return a < d and c < b

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


@dataclass(slots=True)
class Call:
    """``function(*args, **kwargs)``, whose array results go to ``results``; ``writes`` it changes by itself."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: tuple[Place | None, ...]
    writes: tuple[Place, ...] = ()
    where: tuple[str, int] = ("", 0)
    errors: dict[str, Any] | None = None  # what np.errstate said, where it differs from the outside
    pinned: bool = False  # happens although nobody reads it: a draw, whose generator moves on
    reads: tuple[Place, ...] = field(default=())

    @property
    def defined(self) -> tuple[Place, ...]:
        """All that this call changes."""
        return (*(p for p in self.results if p is not None), *self.writes)


@dataclass(slots=True)
class Guard:
    """A truth that the recorded path relied on: another one at replay means that this batch goes another way."""

    condition: Place
    expected: bool
    position: int  # how many calls had been noted before
    where: tuple[str, int]


def copied(x: Any) -> Any:
    """What a copy, a conversion or a fill is noted as; a plan writes it straight into its place."""
    return np.array(x)


class _Active(threading.local):
    recording: Recording | None = None


active = _Active()


class Recording:
    """A context manager: the calls between entering and leaving it that involve its Traced values."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.guards: list[Guard] = []
        self.inputs: list[Memory] = []
        self.states: list[Memory] = []
        self.escaped: str | None = None
        self.finished = False
        self.thread = threading.get_ident()
        self.errors = np.geterr()
        self.generators: dict[int, tuple[Any, Any]] = {}
        # By the id of the array that owns the memory. Scratch is held weakly, so that a recording keeps no
        # more alive than the function itself; the weak reference takes the entry away with the array.
        self._known: dict[int, tuple[Memory, Any]] = {}

    def __enter__(self) -> Recording:
        active.recording = self
        return self

    def __exit__(self, *exc: object) -> None:
        active.recording = None
        self.finished = True
        self._known.clear()

    # -- what there is at the beginning ----------------------------------------------------------------

    def input(self, array: Any) -> Traced:
        """A value that each call brings anew; in memory of its own, so that it is nobody's view."""
        own = np.array(array, order="C")
        self.inputs.append(self._learn(own, "input"))
        return Traced(own, self)

    def state(self, array: Any) -> Traced:
        """A value that stays where it is between calls, and may be changed there."""
        known = self._lookup(array)
        if known is None or known.kind != "state":
            self.states.append(self._learn(_owner(array), "state"))
        return Traced(array, self)

    def _learn(self, owner: Any, kind: str) -> Memory:
        low, high = np.lib.array_utils.byte_bounds(owner)
        memory = Memory(kind, high - low, low, None if kind == "scratch" else owner)
        key = id(owner)
        if kind == "scratch":
            known = self._known

            def forget(_: Any) -> None:
                known.pop(key, None)

            self._known[key] = (memory, weakref.ref(owner, forget))
        else:
            self._known[key] = (memory, owner)
        return memory

    def _lookup(self, array: Any) -> Memory | None:
        found = self._known.get(id(_owner(array)))
        return None if found is None else found[0]

    def place(self, array: Any) -> Place:
        """Where an array lies. What was never seen before came from outside the record: a constant."""
        memory = self._lookup(array) or self._learn(_owner(array), "constant")
        offset = array.__array_interface__["data"][0] - memory.address
        return Place(memory, offset, array.shape, array.strides, array.dtype)

    # -- noting calls ----------------------------------------------------------------------------------

    def run(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        *,
        noted: Callable[..., Any] | None = None,
        pinned: bool = False,
    ) -> Any:
        """Carry out a call that makes something new, and note it unless all it made are views."""
        reads: list[Place] = []
        plain, placed = self._strip(args, reads), self._place(args)
        plain_k, placed_k = self._strip(kwargs or {}, reads), self._place(kwargs or {})
        value = function(*plain, **plain_k)
        results: list[Place | None] = []
        traced = self._results(value, results, function)
        if any(p is not None for p in results) or pinned:
            if noted is copied:
                placed, placed_k = placed[:1], {}
            self._note(noted or function, placed, placed_k, tuple(results), (), reads, pinned)
        return traced

    def write(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], target: Traced
    ) -> None:
        """Carry out and note a call that changes ``target`` by itself."""
        reads: list[Place] = []
        plain, placed = self._strip(args, reads), self._place(args)
        plain_k, placed_k = self._strip(kwargs, reads), self._place(kwargs)
        self._before_change(target)
        function(*plain, **plain_k)
        self._note(function, placed, placed_k, (), (self.place(target.array),), reads)

    def into(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], target: Traced) -> None:
        """Carry out and note a ufunc whose result goes into memory that exists."""
        reads: list[Place] = []
        plain, placed = self._strip(args, reads), self._place(args)
        self._before_change(target)
        function(*plain, out=target.array, **kwargs)
        self._note(function, placed, kwargs, (self.place(target.array),), (), reads)

    def copy_into(self, target: Traced, value: Any, casting: Any = "unsafe") -> None:
        """``target[...] = value``."""
        reads: list[Place] = []
        if isinstance(value, list | tuple):
            value = np.asarray(value)
        plain, placed = self._strip((value,), reads), self._place((value,))
        self._before_change(target)
        np.copyto(target.array, plain[0], casting=casting)
        self._note(copied, placed, {}, (self.place(target.array),), (), reads)

    def guard(self, condition: Traced) -> bool:
        """The truth of a condition, which a replay must find again."""
        value = bool(condition.array)
        self.guards.append(Guard(self.place(condition.array), value, len(self.calls), _line()))
        return value

    def escape(self, what: str) -> NoReturn:
        """Give up, saying what would have left the record and where."""
        self.escaped = f"{what}, at {line_of_caller()}"
        raise Escape(self.escaped)

    def _note(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        results: tuple[Place | None, ...],
        writes: tuple[Place, ...],
        reads: list[Place],
        pinned: bool = False,
    ) -> None:
        errors: Any = np.geterr()
        self.calls.append(
            Call(
                function,
                args,
                kwargs,
                results,
                writes,
                _line(),
                errors if errors != self.errors else None,
                pinned,
                tuple(reads),
            )
        )

    def _strip(self, tree: Any, reads: list[Place]) -> Any:
        """``tree`` with arrays in place of Traced values; notes what is read."""
        if isinstance(tree, Traced):
            reads.append(self.place(tree.array))
            return tree.array
        if isinstance(tree, np.ndarray):
            reads.append(self.place(tree))
            return tree
        return _branches(tree, lambda branch: self._strip(branch, reads))

    def _place(self, tree: Any) -> Any:
        """``tree`` with places instead of arrays."""
        if isinstance(tree, Traced | np.ndarray):
            return self.place(tree.array if isinstance(tree, Traced) else tree)
        return _branches(tree, self._place)

    def _results(self, value: Any, results: list[Place | None], function: Any) -> Any:
        if isinstance(value, np.generic):
            value = np.array(value)
        if isinstance(value, np.ndarray):
            if value.dtype.kind not in "biufc":
                self.escape(f"{_name(function)} made an array of dtype {value.dtype}")
            if self._lookup(value) is None:
                self._learn(_owner(value), "scratch")
                results.append(self.place(value))
            else:
                results.append(None)
            return Traced(value, self)
        if isinstance(value, tuple | list):
            return _branches(value, lambda branch: self._results(branch, results, function))
        return self.escape(f"{_name(function)} gives a {type(value).__name__}, which depends on the data")

    def _before_change(self, target: Traced) -> None:
        memory = self._lookup(target.array)
        if memory is None or memory.kind in ("input", "constant"):
            self.escape("an argument of the function is written to")
        elif memory.kind == "state" and memory.saved is None:
            memory.saved = memory.array.copy()

    def undo(self) -> None:
        """Give state and generators back what they held before the recording."""
        for memory in self.states:
            if memory.saved is not None:
                memory.array[...] = memory.saved
                memory.saved = None
        for generator, state in self.generators.values():
            generator.bit_generator.state = state

    def will_draw(self, generator: Any) -> None:
        """Remember where a generator stood before this recording drew from it."""
        self.generators.setdefault(id(generator), (generator, generator.bit_generator.state))


def _owner(array: Any) -> Any:
    """The array that owns the memory in which ``array`` is a view."""
    owner, link = array, array.base
    while link is not None:
        if isinstance(link, np.ndarray):
            owner = link
        link = getattr(link, "base", None)
    return owner


def _branches(tree: Any, of: Callable[[Any], Any]) -> Any:
    """``tree`` with ``of`` applied to each branch, if it has any."""
    if isinstance(tree, tuple):
        new = [of(branch) for branch in tree]
        return type(tree)(*new) if hasattr(tree, "_fields") else tuple(new)
    if isinstance(tree, list):
        return [of(branch) for branch in tree]
    if isinstance(tree, dict):
        return {key: of(branch) for key, branch in tree.items()}
    if isinstance(tree, slice):
        return slice(of(tree.start), of(tree.stop), of(tree.step))
    return tree


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _line() -> tuple[str, int]:
    return place_of_caller()[:2]


# -- the stand-in ------------------------------------------------------------------------------------------

# NumPy functions whose answer is about shapes and dtypes only, which a program is fixed to.
_STATIC = {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.iscomplexobj, np.isrealobj,
           np.common_type, np.shares_memory, np.may_share_memory}  # fmt: skip

# The shape of what these give depends on the data.
_OF_VARYING_SHAPE = {np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.extract, np.compress, np.trim_zeros,
                     np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d, np.bincount}  # fmt: skip

# These change their first argument.
_CHANGING = {np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}

# These fill or copy; the function's own argument that holds the values.
_COPIES: dict[Any, Callable[..., Any]] = {
    np.copy: lambda a, *_, **__: a,
    np.ascontiguousarray: lambda a, *_, **__: a,
    np.zeros_like: lambda *_, **__: 0,
    np.empty_like: lambda *_, **__: 0,
    np.ones_like: lambda *_, **__: 1,
    np.full_like: lambda a, fill_value, *_, **__: fill_value,
}


def _binary(ufunc: np.ufunc) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """An operator, its reflection, and its in-place form."""

    def forward(self: Traced, other: Any) -> Any:
        return NotImplemented if _defers(other) else ufunc(self, other)

    def reflected(self: Traced, other: Any) -> Any:
        return NotImplemented if _defers(other) else ufunc(other, self)

    def in_place(self: Traced, other: Any) -> Any:
        ufunc(self, other, out=(self,))
        return self

    return forward, reflected, in_place


def _defers(other: Any) -> bool:
    """Whether another class, such as Tensor, answers for an operation with ``other``."""
    return hasattr(other, "__array_ufunc__") and not isinstance(other, np.ndarray | np.generic | Traced)


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    return method


class Traced:
    """An array whose computations are being recorded; what it is not asked for by NumPy it refuses.

    In another thread than the one that records it is the array it holds, so that a model may be used there
    meanwhile. After the recording it is of no use, and says so.

    >>> from autograd_core.replay.recording import Recording
    >>> with Recording() as recording:
    ...     y = np.tanh(recording.input(np.array([1.0, 2.0]))) * 2
    >>> [call.function.__name__ for call in recording.calls]
    ['tanh', 'multiply']
    """

    __slots__ = ("__weakref__", "array", "recording")

    def __init__(self, array: Any, recording: Recording):
        self.array = array
        self.recording = recording

    def recording_now(self) -> Recording | None:
        """The recording, or None in a thread that does not record."""
        recording = self.recording
        if recording.finished:
            raise Escape(
                f"this {kind(self.array)} belongs to a recording that has finished: it was kept by the recorded "
                "function (in an attribute or a list), and what is replayed does not pass there. Return it from the "
                "function, or run eagerly"
            )
        return recording if recording.thread == threading.get_ident() else None

    # -- what is the same for every batch --------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def size(self) -> int:
        return self.array.size

    @property
    def strides(self) -> tuple[int, ...]:
        return self.array.strides

    @property
    def itemsize(self) -> int:
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        return self.array.nbytes

    @property
    def T(self) -> Any:
        return np.transpose(self)

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Traced({kind(self.array)})"

    __hash__ = object.__hash__

    # -- NumPy's protocols -----------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(_defers(x) for x in inputs):
            return NotImplemented
        recording = self.recording_now()
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if recording is None:
            return function(*_unwrapped(inputs), **_unwrapped(kwargs))
        if method == "at":
            _target(recording, inputs[0])
            recording.write(function, inputs, kwargs, inputs[0])
            return None
        out = kwargs.pop("out", None)
        if out is None:
            return recording.run(function, inputs, kwargs)
        if len(out) != 1:
            recording.escape(f"{_name(function)} with several out=")
        target = _target(recording, out[0])
        if method != "__call__" or "where" in kwargs:
            recording.write(function, inputs, {**kwargs, "out": (target,)}, target)
        else:
            recording.into(function, inputs, kwargs, target)
        return target

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(t, object) and hasattr(t, "__array_function__") and not issubclass(t, np.ndarray | Traced)
               for t in types):  # fmt: skip
            return NotImplemented
        recording = self.recording_now()
        if recording is None or function in _STATIC:
            return function(*_unwrapped(args), **_unwrapped(kwargs))
        if function in _OF_VARYING_SHAPE:
            recording.escape(f"np.{function.__name__} gives an array whose shape depends on the data")
        if function is np.copyto:
            return _copyto(recording, *args, **kwargs)
        if function in _CHANGING:
            recording.write(function, args, kwargs, _target(recording, args[0]))
            return None
        if kwargs.get("out") is not None:
            target = _target(recording, kwargs["out"])
            recording.write(function, args, kwargs, target)
            return target
        if function in _COPIES:
            return _copy(recording, function, args, kwargs)
        return recording.run(function, args, kwargs)

    # -- elements --------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        recording = self.recording_now()
        if recording is None:
            return self.array[_unwrapped(index)]
        for part in index if isinstance(index, tuple) else (index,):
            if isinstance(part, Traced) and part.dtype == bool:
                recording.escape("picking elements by a mask gives an array whose shape depends on the data")
        if _basic(index):
            return Traced(self.array[_viewing(index)], recording)
        return recording.run(operator.getitem, (self, index))

    def __setitem__(self, index: Any, value: Any) -> None:
        recording = self.recording_now()
        if recording is None:
            self.array[_unwrapped(index)] = _unwrapped(value)
            return
        if _basic(index):
            recording.copy_into(Traced(self.array[_viewing(index)], recording), value)
        else:
            recording.write(operator.setitem, (self, index, value), {}, self)

    # -- methods that arrays have ----------------------------------------------------------------------

    def astype(self, dtype: Any, copy: bool = True, **kwargs: Any) -> Any:
        """A copy in another dtype."""
        recording = self.recording_now()
        if recording is None:
            return self.array.astype(dtype, copy=copy, **kwargs)
        return recording.run(_astype, (self, np.dtype(dtype), copy), kwargs, noted=copied)

    def copy(self, order: Any = "C") -> Any:
        """A copy."""
        return np.copy(self, order=order)

    def flatten(self) -> Any:
        """A copy along one axis."""
        return np.copy(np.ravel(self))

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """`numpy.reshape`."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    def transpose(self, *axes: Any) -> Any:
        """`numpy.transpose`."""
        if len(axes) == 1:
            axes = axes[0]
        return np.transpose(self, axes or None)

    def fill(self, value: Any) -> None:
        """All elements set to one value."""
        self[...] = value

    sum, mean, max, min, prod = (_method(f) for f in (np.sum, np.mean, np.max, np.min, np.prod))
    any, all, argmax, argmin = (_method(f) for f in (np.any, np.all, np.argmax, np.argmin))
    std, var, cumsum, argsort = (_method(f) for f in (np.std, np.var, np.cumsum, np.argsort))
    ravel, squeeze, swapaxes, repeat = (_method(f) for f in (np.ravel, np.squeeze, np.swapaxes, np.repeat))
    take, dot, round, clip = (_method(f) for f in (np.take, np.dot, np.round, np.clip))

    # -- what takes a value out ------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        recording = self.recording_now()
        if recording is None:
            return np.array(self.array, dtype=dtype, copy=copy)
        return recording.escape("turning into a plain array a value that is being recorded")

    def __bool__(self) -> bool:
        recording = self.recording_now()
        if recording is None:
            return bool(self.array)
        return recording.escape("asking for the truth of a value that is being recorded")

    def _number(self, convert: Callable[[Any], Any]) -> Any:
        recording = self.recording_now()
        if recording is None:
            return convert(self.array)
        return recording.escape(f"taking a Python number ({convert.__name__}) from a value that is being recorded")

    def __float__(self) -> float:
        return self._number(float)

    def __int__(self) -> int:
        return self._number(int)

    def __complex__(self) -> complex:
        return self._number(complex)

    def __index__(self) -> int:
        return self._number(operator.index)

    def item(self, *args: Any) -> Any:
        """Refused: a number that leaves the record."""
        return self._number(lambda array: array.item(*args)) if args else self._number(np.ndarray.item)

    def tolist(self) -> Any:
        """Refused: numbers that leave the record."""
        return self._number(np.ndarray.tolist)

    # -- operators -------------------------------------------------------------------------------------

    __add__, __radd__, __iadd__ = _binary(np.add)
    __sub__, __rsub__, __isub__ = _binary(np.subtract)
    __mul__, __rmul__, __imul__ = _binary(np.multiply)
    __truediv__, __rtruediv__, __itruediv__ = _binary(np.divide)
    __floordiv__, __rfloordiv__, __ifloordiv__ = _binary(np.floor_divide)
    __mod__, __rmod__, __imod__ = _binary(np.remainder)
    __matmul__, __rmatmul__, __imatmul__ = _binary(np.matmul)
    __and__, __rand__, __iand__ = _binary(np.bitwise_and)
    __or__, __ror__, __ior__ = _binary(np.bitwise_or)
    __xor__, __rxor__, __ixor__ = _binary(np.bitwise_xor)
    __lshift__, __rlshift__, __ilshift__ = _binary(np.left_shift)
    __rshift__, __rrshift__, __irshift__ = _binary(np.right_shift)
    __lt__, __le__ = _binary(np.less)[0], _binary(np.less_equal)[0]
    __gt__, __ge__ = _binary(np.greater)[0], _binary(np.greater_equal)[0]
    __eq__, __ne__ = _binary(np.equal)[0], _binary(np.not_equal)[0]
    __rpow__, __ipow__ = _binary(np.power)[1:]

    def __pow__(self, exponent: Any) -> Any:
        if _defers(exponent):
            return NotImplemented
        # As ndarray's own operator does: the same numbers, and much cheaper than a power.
        if self.dtype.kind == "f" and type(exponent) in (int, float) and exponent in _POWERS:
            return _POWERS[exponent](self)
        return np.power(self, exponent)

    def __neg__(self) -> Any:
        return np.negative(self)

    def __pos__(self) -> Any:
        return np.positive(self)

    def __abs__(self) -> Any:
        return np.absolute(self)

    def __invert__(self) -> Any:
        return np.invert(self)


_POWERS: dict[Any, Any] = {2: np.square, 1: np.positive, 0.5: np.sqrt, -1: np.reciprocal}


def _unwrapped(tree: Any) -> Any:
    return tree.array if isinstance(tree, Traced) else _branches(tree, _unwrapped)


def _astype(array: Any, dtype: Any, copy: bool, **kwargs: Any) -> Any:
    return array.astype(dtype, copy=copy, **kwargs)


def _basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is Ellipsis or isinstance(p, slice | int | np.integer) for p in parts)


def _viewing(index: Any) -> Any:
    """A basic index that gives a view, even where it picks a single element."""
    parts = index if isinstance(index, tuple) else (index,)
    return parts if Ellipsis in parts else (*parts, ...)


def _target(recording: Recording, target: Any) -> Traced:
    """What a call writes to, which must be part of the record."""
    if isinstance(target, Traced):
        return target
    if isinstance(target, np.ndarray):
        known = recording._lookup(target)
        if known is not None and known.kind in ("scratch", "state"):
            return Traced(target, recording)
    return recording.escape("writing a value that is being recorded into a plain array")


def _copyto(recording: Recording, dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    target = _target(recording, dst)
    if where is True:
        recording.copy_into(target, src, casting)
    else:
        recording.write(np.copyto, (target, src), {"casting": casting, "where": where}, target)


def _copy(recording: Recording, function: Any, args: Any, kwargs: Any) -> Any:
    """Something new that is filled with zeros, with a value, or with another array's elements."""
    values = _COPIES[function](*args, **kwargs)

    def make(_: Any) -> Any:
        return function(*_unwrapped(args), **_unwrapped(kwargs))

    make.__name__ = function.__name__
    return recording.run(make, (values,), noted=copied)


def decide(condition: Any) -> bool:
    """The truth of ``condition``, which decides what is computed; for an ``if`` in a function that is replayed.

    On plain values it is ``bool``. While recording it is noted, and a replay that finds it otherwise leaves that
    batch to the function itself, before any state has changed.

    >>> x = np.array([1.0, -1.0])
    >>> if decide((x < 0).any()):
    ...     print("negative")
    negative
    """
    if isinstance(condition, Traced):
        recording = condition.recording_now()
        return bool(condition.array) if recording is None else recording.guard(condition)
    return bool(condition)


class Source(np.random.Generator):
    """A random generator whose draws are recorded: a replay draws again, in the same order.

    >>> Source(np.random.PCG64(0)).random() == np.random.default_rng(0).random()
    True
    """

    def _draw(self, method: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        draw = getattr(super(), method)
        recording = active.recording
        if recording is None:
            return draw(*args, **kwargs)
        recording.will_draw(self)
        return recording.run(draw, tuple(args), kwargs, pinned=True)

    def random(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("random", args, kwargs)

    def uniform(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("uniform", args, kwargs)

    def normal(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("normal", args, kwargs)

    def standard_normal(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("standard_normal", args, kwargs)

    def integers(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("integers", args, kwargs)

    def binomial(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("binomial", args, kwargs)

    def permutation(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("permutation", args, kwargs)
