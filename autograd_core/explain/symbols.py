"""Arrays of symbols: an op of arrays and its rules write themselves down, a formula for each element.

NumPy itself does nearly all of it. An array of objects is moved, cut and joined as any other, and
`numpy.frompyfunc` makes of a function of two symbols a ufunc with all the methods of one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..op import Op
from ..tracer import InPlace, Tracer, ufunc_of
from ..tree import map as in_tree
from ..walk import unbroadcast
from .symbol import Symbol, Untraceable, call, constant, letters, untraceable_where_it_fails

FLOAT = np.dtype(float)


class Symbols(InPlace, Tracer):
    """An array, or a number, whose elements are symbols (or numbers).

    >>> x = Symbols.named("x", (2, 2))
    >>> y = np.sum(x * np.array([2.0, 3.0]), axis=1)
    >>> y.shape, [e.javascript() for e in y.formulas]
    ((2,), ['((x[0] * 2) + (x[1] * 3))', '((x[2] * 2) + (x[3] * 3))'])
    """

    __slots__ = ("dtype", "elements")

    def __init__(self, elements: Any, dtype: Any = FLOAT) -> None:
        if not isinstance(elements, np.ndarray):
            held = np.empty((), object)
            held[()] = elements
            elements = held
        self.elements, self.dtype = elements, np.dtype(dtype)

    @classmethod
    def named(cls, name: str, shape: tuple[int, ...], dtype: Any = FLOAT) -> Symbols:
        """What is not known yet: a number called x, or an array of x[0], x[1], …, row by row."""
        if shape == ():
            return cls(Symbol(name), dtype)
        elements = np.empty(int(np.prod(shape)), object)
        elements[:] = [Symbol(f"{name}[{i}]") for i in range(len(elements))]
        return cls(elements.reshape(shape), dtype)

    shape = property(lambda self: self.elements.shape)
    ndim = property(lambda self: self.elements.ndim)
    size = property(lambda self: self.elements.size)
    scalar = property(lambda self: self.elements.ndim == 0)

    @property
    def formulas(self) -> list[Symbol]:
        """The elements, row by row."""
        return [e if isinstance(e, Symbol) else constant(e) for e in self.elements.ravel()]

    # -- being computed with -----------------------------------------------------------------------------

    def process(self, function: Any, args: Any, kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            target = kwargs["out"][0] if isinstance(kwargs["out"], tuple) else kwargs["out"]
            target[...] = self.process(function, args, {k: v for k, v in kwargs.items() if k != "out"})
            return target
        ufunc = ufunc_of(function)
        if function in _SPECIAL:
            return _SPECIAL[function](*args, **kwargs)
        if ufunc is not None:
            return _ufunc(ufunc, "__call__" if function is ufunc else function.__name__, args, kwargs)
        if function in _MOVES:
            return _moved(function, args, kwargs)
        raise Untraceable(f"{function.__name__} is no formula of the elements")

    def astype(self, dtype: Any, copy: bool = True) -> Symbols:
        """Symbols are exact, so another dtype of numbers changes nothing; of a truth value it makes a number."""
        if self.dtype.kind == "b" and np.dtype(dtype).kind != "b":
            return Symbols(_symbolic("float64", 1)(self.elements), dtype)
        return Symbols(self.elements, dtype)

    def decided(self) -> bool:
        """The truth that `autograd_core.arrays.decide` asks for: both are traced, one after the other."""
        (condition,) = self.formulas
        return bool(condition.head) if condition.is_constant else _decisions[-1].ask(condition)

    def __len__(self) -> int:
        return len(self.elements)

    def __getitem__(self, index: Any) -> Symbols:
        if isinstance(index, Symbols):
            raise Untraceable("which elements are picked depends on the numbers")
        return Symbols(self.elements[index], self.dtype)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.elements[index] = value.elements[()] if isinstance(value, Symbols) else value

    def __bool__(self) -> bool:
        raise Untraceable("a formula cannot depend on a comparison in Python; write np.where")

    def __repr__(self) -> str:
        return f"<symbols of shape {self.shape}>"


def _objects(value: Any) -> Any:
    return in_tree(lambda v: v.elements if isinstance(v, Symbols) else v, value)


def _dtype(*values: Any) -> Any:
    return np.result_type(*[v.dtype for v in values if hasattr(v, "dtype")] or [FLOAT])


@functools.cache
def _symbolic(name: str, count: int) -> Any:
    """A ufunc of symbols; that of NumPy with this name says whether it may be reduced along several axes, and to what.

    Logic has no identity here, since that of symbols is no number.
    """
    real = getattr(np, name, None)
    identity = real.identity if isinstance(real, np.ufunc) and real.identity in (0, 1) else None
    return np.frompyfunc(functools.partial(call, name), count, 1, identity=identity)


def _ufunc(ufunc: np.ufunc, method: str, args: Any, kwargs: Any) -> Any:
    if kwargs.keys() - {"axis", "keepdims"}:
        raise Untraceable(f"{ufunc.__name__} with {', '.join(kwargs)} is no formula of the elements")
    result = getattr(_symbolic(ufunc.__name__, ufunc.nin), method)(*_objects(args), **kwargs)
    if method == "at":
        return None
    if method != "__call__":
        return Symbols(result, args[0].dtype)
    ones = (np.ones((), a.dtype)[()] if hasattr(a, "dtype") else a for a in args)
    with np.errstate(all="ignore"):
        return Symbols(result, ufunc(*ones).dtype)


def _moved(function: Any, args: Any, kwargs: Any) -> Any:
    """What a function gives that only moves elements, from NumPy itself."""
    found: list[Any] = []
    in_tree(lambda v: found.append(v) if isinstance(v, Symbols) else None, [args, [*kwargs.values()]])
    dtype = _dtype(*found)
    return in_tree(lambda v: Symbols(v, dtype), function(*_objects(args), **_objects(kwargs)))


_MOVES = {
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.broadcast_to,
    np.concatenate, np.stack, np.flip, np.roll, np.take, np.repeat, np.tile, np.copy, np.pad, np.tril, np.triu,
    np.matrix_transpose, np.diagonal, np.take_along_axis, np.array_split, np.lib.stride_tricks.sliding_window_view,
}  # fmt: skip

# What is a formula of the elements, though no ufunc of NumPy's on them.
_SPECIAL: dict[Any, Callable[..., Any]] = {
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
    np.result_type: lambda *values: np.result_type(*(getattr(v, "dtype", v) for v in values)),
    np.where: lambda c, x, y: Symbols(_symbolic("where", 3)(*_objects((c, x, y))), _dtype(x, y)),
    np.copyto: lambda to, x: to.__setitem__(..., x),
    np.sinc: lambda x: Symbols(_symbolic("sinc", 1)(x.elements), x.dtype),
    np.frexp: lambda x: (
        Symbols(_symbolic("mantissa", 1)(x.elements), x.dtype),
        Symbols(_symbolic("exponent", 1)(x.elements), np.intc),
    ),
}


def _special(*names: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        _SPECIAL.update(dict.fromkeys(names, function))
        return function

    return enter


def _filled(value: float) -> Callable[..., Any]:
    def like(x: Any, dtype: Any = None, *, shape: Any = None) -> Symbols:
        elements = np.full(np.shape(x) if shape is None else shape, value, object)
        return Symbols(elements, x.dtype if dtype is None else dtype)

    return like


_SPECIAL.update({np.zeros_like: _filled(0.0), np.ones_like: _filled(1.0)})


def _reduction(ufunc: np.ufunc) -> Callable[..., Any]:
    def reduced(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        x = x.astype(int) if ufunc is np.add and x.dtype.kind == "b" else x
        return ufunc.reduce(x, axis=None if x.ndim == 0 else axis, keepdims=keepdims)

    return reduced


def _scan(ufunc: np.ufunc) -> Callable[..., Any]:
    return lambda x, axis=None: ufunc.accumulate(
        np.ravel(x) if axis is None or not x.ndim else x, axis=axis if x.ndim and axis is not None else 0
    )


for _functions, _of in (
    ((np.sum,), np.add),
    ((np.prod,), np.multiply),
    ((np.max, np.amax), np.maximum),
    ((np.min, np.amin), np.minimum),
    ((np.all,), np.logical_and),
    ((np.any,), np.logical_or),
):
    _special(*_functions)(_reduction(_of))
_SPECIAL.update({np.cumsum: _scan(np.add), np.cumprod: _scan(np.multiply)})


@_special(np.mean)
def _(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    total = np.sum(x, axis=axis, keepdims=keepdims)
    return total / (x.size // max(total.size, 1))


@_special(np.matmul)
def _(x: Any, y: Any) -> Any:
    return Symbols(np.matmul(*(np.asarray(v, object) for v in _objects((x, y)))), _dtype(x, y))


@_special(np.einsum)
def _(subscripts: str, *xs: Any, optimize: Any = False) -> Any:
    return Symbols(np.einsum(subscripts, *(np.asarray(v, object) for v in _objects(xs))), _dtype(*xs))


@_special(np.tensordot)
def _(x: Any, y: Any, axes: Any = 2) -> Any:
    product: Any = np.tensordot(*(np.asarray(v, object) for v in _objects((x, y))), axes)  # type: ignore[call-overload]
    return Symbols(product, _dtype(x, y))


@_special(np.round)
def _(x: Any, decimals: int = 0) -> Any:
    power = 10.0 ** abs(decimals)
    return np.rint(x) if not decimals else np.rint(x * power) / power if decimals > 0 else np.rint(x / power) * power


@_special(np.nan_to_num)
def _(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    most = float(np.finfo(x.dtype).max)
    high, low = most if posinf is None else posinf, -most if neginf is None else neginf
    return np.where(np.isnan(x), nan, np.where(x == np.inf, high, np.where(x == -np.inf, low, x)))


# -- traced ----------------------------------------------------------------------------------------------------


class _Decisions:
    """The answers that one run gets to what it asks of the numbers, and what it asked."""

    def __init__(self, answers: tuple[bool, ...]) -> None:
        self.answers = answers
        self.asked: list[Symbol] = []

    def ask(self, condition: Symbol) -> bool:
        self.asked.append(condition)
        return [*self.answers, True][min(len(self.asked) - 1, len(self.answers))]


_decisions: list[_Decisions] = []


@contextmanager
def _answering(answers: tuple[bool, ...]) -> Any:
    _decisions.append(_Decisions(answers))
    try:
        yield _decisions[-1]
    finally:
        _decisions.pop()


def _both_ways(function: Callable[[], Any], answers: tuple[bool, ...] = ()) -> Any:
    """What a function gives; where it decides by the numbers, each of its ways, and a choice between them."""
    with _answering(answers) as given:
        found = untraceable_where_it_fails(function)
    if isinstance(found, Symbol):
        return found
    result = found if isinstance(found, Symbols) else Symbols(np.asarray(found, object), np.asarray(found).dtype)
    for i in range(len(given.asked) - 1, len(answers) - 1, -1):
        other = _both_ways(function, (*answers, *(True,) * (i - len(answers)), False))
        result = _SPECIAL[np.where](Symbols(given.asked[i], bool), result, other)
    return result


class Traced:
    """A call of an op, ready to be written down.

    ``known`` says of each of ``args`` whether it is a constant, which is then part of the formulas. With ``numbers``
    all are single numbers, each one `Symbol`, which takes a tenth of the time.

    >>> from autograd_core import REGISTRY
    >>> c = Traced(REGISTRY["matmul"], (np.ones((1, 2)), np.ones((2, 1))), (False, False), np.ones((1, 1)), {})
    >>> c.forward.formulas[0].javascript(), c.rule(0).formulas[1].javascript()
    ('((x[0] * y[0]) + (x[1] * y[1]))', '(g[0] * y[1])')
    """

    def __init__(
        self,
        op: Op,
        args: Sequence[Any],
        known: Sequence[bool],
        out: Any,
        params: Mapping[str, Any],
        numbers: bool = False,
    ) -> None:
        def unknown(name: str, value: Any) -> Any:
            return Symbol(name) if numbers else Symbols.named(name, np.shape(value), np.asarray(value).dtype)

        self.op, self.params = op, params
        self.names = letters(op, len(args))
        self.args = [
            arg if is_known else unknown(name, arg) for arg, name, is_known in zip(args, self.names, known, strict=True)
        ]
        self.upstream, self.out = unknown("g", out), unknown("z", out)

    @property
    def forward(self) -> Any:
        """What the op computes."""
        return _both_ways(lambda: self.op.function(*self.args, **self.params))

    def rule(self, position: int) -> Any:
        """What its gradient rule computes for one argument."""
        rule = self.op.rules[position]
        if rule is None:
            raise Untraceable(f"{self.op.name} has no rule for argument {position + 1}")
        return _both_ways(lambda: rule(self.upstream, self.out, *self.args, **self.params))


def undone(shape: tuple[int, ...], to: tuple[int, ...], dtype: Any = FLOAT) -> Symbols:
    """What undoing broadcasting computes, of a product called p.

    >>> [e.javascript() for e in undone((2, 2), (2,)).formulas]
    ['(p[0] + p[2])', '(p[1] + p[3])']
    """
    return untraceable_where_it_fails(unbroadcast, Symbols.named("p", shape, dtype), to)
