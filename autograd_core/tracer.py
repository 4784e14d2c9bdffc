"""What imitates an array: whatever is done with it, by an operator, a method or a function of NumPy's, is one call.

Five classes are taken for arrays: the Tensor, what stands in for arrays while a function is recorded for a replay or
for a file, the symbols that formulas are made of, and the strict arrays of the tests. Each says in ``process`` what a
call gives. Which operator stands for which function, and which methods there are, is written here.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

# What each operator is called, by the function of NumPy's that it stands for: ``__add__``, ``__radd__``, ``__iadd__``,
# and Python's own function ``operator.add``.
OPERATORS: dict[np.ufunc, str] = {
    np.add: "add",
    np.subtract: "sub",
    np.multiply: "mul",
    np.divide: "truediv",
    np.floor_divide: "floordiv",
    np.remainder: "mod",
    np.divmod: "divmod",
    np.power: "pow",
    np.matmul: "matmul",
    np.bitwise_and: "and",
    np.bitwise_or: "or",
    np.bitwise_xor: "xor",
    np.left_shift: "lshift",
    np.right_shift: "rshift",
    np.negative: "neg",
    np.positive: "pos",
    np.absolute: "abs",
    np.invert: "invert",
}

# Each of these is the reflection of another.
COMPARISONS: dict[np.ufunc, str] = {
    np.less: "lt",
    np.less_equal: "le",
    np.greater: "gt",
    np.greater_equal: "ge",
    np.equal: "eq",
    np.not_equal: "ne",
}


class Operators:
    """The operators of arrays and NumPy's two protocols, all in terms of ``process``."""

    __slots__ = ()

    def process(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What ``function(*args, **kwargs)`` gives, one of NumPy's, with this or its like among the arguments."""
        raise TypeError(f"{type(self).__name__} must define process(function, args, kwargs)")

    def operate(self, ufunc: np.ufunc, *operands: Any) -> Any:
        """What an operator gives, where that is not what the function gives that it stands for."""
        return self.process(ufunc, operands, {})

    def stands_beside(self, kind: Any) -> bool:
        """Whether this answers for a call with an array of that class among the arguments, too."""
        return issubclass(kind, np.ndarray | np.generic) or getattr(kind, "process", None) is type(self).process

    def yields_to(self, other: Any) -> bool:
        """Whether another operand answers for an operator: an array of a class that this knows nothing of."""
        kind = type(other)
        return hasattr(kind, "__array_ufunc__") and not self.stands_beside(kind)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(map(self.yields_to, inputs)):
            return NotImplemented
        kwargs.pop("array", None)  # NumPy hands over the array= of a reduction twice: it is among the inputs, too
        return self.process(ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not all(map(self.stands_beside, types)):
            return NotImplemented
        return self.process(function, args, kwargs)


def _bind(name: str, ufunc: np.ufunc) -> None:
    """Make an operator and its reflection."""

    def forward(self: Any, *other: Any) -> Any:
        return NotImplemented if other and self.yields_to(*other) else self.operate(ufunc, self, *other)

    def reflected(self: Any, other: Any) -> Any:
        return NotImplemented if self.yields_to(other) else self.operate(ufunc, other, self)

    setattr(Operators, f"__{name}__", forward)
    if ufunc.nin == 2 and ufunc not in COMPARISONS:
        setattr(Operators, f"__r{name}__", reflected)


for _ufunc, _name in (OPERATORS | COMPARISONS).items():
    _bind(_name, _ufunc)


def ufunc_of(function: Any) -> np.ufunc | None:
    """The ufunc that a function is, or that it is a method of: ``np.add`` of ``np.add.reduce``; None for others."""
    owner = getattr(function, "__self__", function)
    return owner if isinstance(owner, np.ufunc) else None


def _in_place(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    forward = getattr(Operators, f"__{OPERATORS[ufunc]}__")

    def changed(self: Any, other: Any) -> Any:
        if self.scalar:
            return forward(self, other)
        ufunc(self, other, out=(self,))
        return self

    return changed


class InPlace(Operators):
    """What can be changed in place: ``x += y`` is `numpy.add` with ``out=x``.

    Not so where ``scalar`` is true: a number is immutable, and ``x`` then stands for another one.
    """

    __slots__ = ()
    scalar = False

    __iadd__, __isub__, __imul__ = map(_in_place, (np.add, np.subtract, np.multiply))
    __itruediv__, __ifloordiv__, __imod__ = map(_in_place, (np.divide, np.floor_divide, np.remainder))
    __ipow__, __imatmul__ = map(_in_place, (np.power, np.matmul))
    __iand__, __ior__, __ixor__ = map(_in_place, (np.bitwise_and, np.bitwise_or, np.bitwise_xor))
    __ilshift__, __irshift__ = map(_in_place, (np.left_shift, np.right_shift))


def as_method(function: Any) -> Callable[..., Any]:
    """The method of arrays that is NumPy's ``function`` of the array, with the same arguments."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.process(function, (self, *args), kwargs)

    method.__name__ = function.__name__
    method.__doc__ = f"`numpy.{function.__name__}` of this array."
    first, *others = inspect.signature(function).parameters.values()
    method.__signature__ = inspect.Signature([first.replace(name="self"), *others])  # type: ignore[attr-defined]
    return method


class Tracer(Operators):
    """The methods of arrays besides."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))  # type: ignore[index, arg-type]

    @property
    def T(self) -> Any:
        """The axes reversed."""
        return self.transpose()

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return self.process(np.matrix_transpose, (self,), {})

    def reshape(self, *shape: Any, **options: Any) -> Any:
        """`numpy.reshape`: ``t.reshape(2, 3)`` or ``t.reshape((2, 3))``."""
        return self.process(np.reshape, (self, shape[0] if len(shape) == 1 else shape), options)

    def flatten(self, order: Any = "C") -> Any:
        """A copy along one axis."""
        return self.process(np.ravel, (self,), {"order": order}).copy()

    def transpose(self, *axes: Any) -> Any:
        """`numpy.transpose`: ``t.transpose()``, ``t.transpose(1, 0)`` or ``t.transpose((1, 0))``."""
        return self.process(np.transpose, (self, (axes[0] if len(axes) == 1 else axes) or None), {})

    def clip(self, min: Any = None, max: Any = None, **options: Any) -> Any:
        """`numpy.clip`."""
        return self.process(np.clip, (self, min, max), options)

    def compress(self, condition: Any, axis: int | None = None, **options: Any) -> Any:
        """`numpy.compress`: the elements, or the places along an axis, where the condition holds."""
        return self.process(np.compress, (condition, self, axis), options)

    def dot(self, other: Any, **options: Any) -> Any:
        """`numpy.dot`."""
        return self.process(np.dot, (self, other), options)

    copy, ravel, squeeze, swapaxes = map(as_method, (np.copy, np.ravel, np.squeeze, np.swapaxes))
    diagonal, trace, repeat, take = map(as_method, (np.diagonal, np.trace, np.repeat, np.take))
    sum, prod, mean, var, std = map(as_method, (np.sum, np.prod, np.mean, np.var, np.std))
    max, min, cumsum, cumprod = map(as_method, (np.max, np.min, np.cumsum, np.cumprod))
    round, choose, all, any = map(as_method, (np.round, np.choose, np.all, np.any))
    nonzero, argmax, argmin = map(as_method, (np.nonzero, np.argmax, np.argmin))
    argsort, argpartition, searchsorted = map(as_method, (np.argsort, np.argpartition, np.searchsorted))


def attribute(path: str) -> Any:
    """A property that is an attribute of the array inside, at ``path``."""
    name = path.rpartition(".")[2]
    return property(operator.attrgetter(path), doc=f"`numpy.ndarray.{name}` of the array.")
