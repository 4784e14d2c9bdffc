"""What a function asks of a value while it is recorded: eager's answer, or an error that names the line."""

from __future__ import annotations

import bisect
import collections
import copy
import ctypes
import enum
import fractions
import functools
import inspect
import io
import json
import math
import numbers
import operator
import pickle
import statistics
import struct
import typing
from collections import abc

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.replay import ReplayError

KINDS = {
    "array": lambda x: x,
    "an axis of one": lambda x: x[:1],
    "no axes": lambda x: x[0, ...],
    "no elements": lambda x: x[:0],
    "two axes": lambda x: x[:, None] * x,
    "booleans": lambda x: x > 1,
    "whole numbers": lambda x: np.argsort(x),
    "float64": lambda x: x.max(),
    "float32": lambda x: x.max().astype("f4"),
    "float16": lambda x: x.astype("f2").max(),
    "int64": lambda x: np.argmax(x),
    "int8": lambda x: np.argmax(x).astype("i1"),
    "bool": lambda x: np.any(x),
    "complex128": lambda x: x.max() * 1j,
}
HAVING = [np.ndarray, np.generic, np.float64, np.float32, np.int64, np.bool_, np.complex128, np.str_, memoryview, int,
          list, type, ag.replay, functools.partial]  # fmt: skip
OTHERS = """
    __array_struct__ __cuda_array_interface__ __cupy_array__ __buffer__ __release_buffer__ __jax_array__
    __torch_function__ __dataframe__ __arrow_array__ __geo_interface__ __html__ _repr_html_ __fspath__
    __length_hint__ __next__ __enter__
    __await__ __aiter__ __call__ __get__ __missing__ __index__ __trunc__ __concat__ nonsense __nonsense__ _private
"""
NAMES = sorted({*OTHERS.split(), *(name for kind in HAVING for name in dir(kind))})


@functools.singledispatch
def dispatched(x):
    return "another"


dispatched.register(np.ndarray, lambda x: "array")
dispatched.register(numbers.Number, lambda x: "number")
dispatched.register(np.bool_, lambda x: "truth")


class Overloaded:
    @functools.singledispatchmethod
    def of(self, x):
        return "another"

    @of.register
    def _(self, x: np.floating):
        return "floating"

    @of.register
    def _(self, x: np.ndarray):
        return "array"


def matched(x):
    match x:
        case np.bool_():
            return "truth"
        case float():
            return "float"
        case np.integer():
            return "whole"
        case [_, *_]:
            return "sequence"
        case {}:
            return "mapping"
        case np.ndarray(shape=(n,)):
            return "axis", n
        case np.ndarray():
            return "array"
    return "another"


def by_class_and_attributes(x):
    match x:
        case object(ndim=0, dtype=np.dtype(kind="f")):
            return "a float without axes"
        case object(ndim=n):
            return n


@typing.runtime_checkable
class Closes(typing.Protocol):
    def close(self): ...


@typing.runtime_checkable
class HasShape(typing.Protocol):
    shape: tuple
    dtype: np.dtype

    def astype(self, dtype): ...


CLASSES = [
    abc.Sized, abc.Iterable, abc.Iterator, abc.Container, abc.Collection, abc.Hashable, abc.Sequence,
    abc.MutableSequence, abc.Reversible, abc.Callable, abc.Mapping, abc.Set, abc.Awaitable, abc.Generator,
    typing.SupportsIndex, typing.SupportsRound, typing.SupportsFloat, typing.SupportsInt, typing.SupportsAbs,
    typing.SupportsComplex, typing.SupportsBytes, numbers.Number, numbers.Complex, numbers.Real, numbers.Rational,
    numbers.Integral, np.ndarray, np.generic, np.number, np.floating, np.inexact, np.integer, np.signedinteger,
    np.complexfloating, np.bool_, np.float64, np.float32, np.int64, np.matrix, np.ma.MaskedArray, np.memmap, float,
    int, complex, bool, str, bytes, list, tuple, memoryview, enum.Enum, ag.Tensor, Closes, HasShape, object,
]  # fmt: skip

# Of what is asked the answer, in a form that can be compared.
QUESTIONS = {
    **{f"is it a {cls.__name__}": lambda x, cls=cls: isinstance(x, cls) for cls in CLASSES},
    "is its class that of an array": lambda x: issubclass(x.__class__, np.ndarray),
    "what is its class": lambda x: x.__class__,
    "which classes are above it": lambda x: x.__class__.__mro__,
    "one of several": lambda x: isinstance(x, (int, np.floating, list)),
    "a union": lambda x: isinstance(x, float | np.ndarray),
    "match": matched,
    "match of attributes": by_class_and_attributes,
    "singledispatch": dispatched,
    "singledispatchmethod": lambda x: Overloaded().of(x),
    "callable": callable,
    "np.isscalar": np.isscalar,
    "np.iterable": np.iterable,
    "np.ndim": np.ndim,
    "np.shape": np.shape,
    "np.size": np.size,
    "np.result_type": lambda x: np.result_type(x, np.float32),
    "np.issubdtype": lambda x: np.issubdtype(x.dtype, np.floating),
    "np.isdtype": lambda x: np.isdtype(x.dtype, "real floating"),
    "np.can_cast": lambda x: np.can_cast(x.dtype, np.float32),
    "np.iscomplexobj": np.iscomplexobj,
    "np.isrealobj": np.isrealobj,
    "np.isfortran": np.isfortran,
    "np.min_scalar_type": np.min_scalar_type,
    "np.common_type": np.common_type,
    "np.broadcast_shapes": lambda x: np.broadcast_shapes(x.shape, (1,)),
    "np.broadcast": lambda x: np.broadcast(x, np.ones(1)).shape,
    "np.iinfo": lambda x: np.finfo(x.dtype).eps,
    "np.typename": lambda x: np.typename(x.dtype.char),
    "len": len,
    "a hint of the length": lambda x: operator.length_hint(x, -1),
    "inspect.isclass": inspect.isclass,
    "inspect.isfunction": inspect.isfunction,
    "inspect.isroutine": inspect.isroutine,
    "inspect.isgenerator": inspect.isgenerator,
    "inspect.isdatadescriptor": inspect.isdatadescriptor,
    "inspect.getmembers": lambda x: len(inspect.getmembers_static(x.__class__)),
    "the same object": lambda x: x is x,
    "truth": bool,
    "not": operator.not_,
    "and": lambda x: (x and 3) is None,
    "in a condition": lambda x: 1 if x else 2,
    "int": int,
    "float": float,
    "complex": complex,
    "index": operator.index,
    "range": lambda x: list(range(x)),
    "a slice of a list": lambda x: [1, 2, 3][:x],
    "an element of a list": lambda x: [1, 2, 3][x],
    "a list times it": lambda x: [1] * x,
    "round": round,
    "round to digits": lambda x: round(x, 1),
    "math.floor": math.floor,
    "math.trunc": math.trunc,
    "math.isnan": math.isnan,
    "math.sqrt": math.sqrt,
    "divmod": lambda x: divmod(x, 2) == (0, 1),
    "hex": hex,
    "chr": chr,
    "hash": hash,
    "in a set": lambda x: x in {1.0, 2.0},
    "a key": lambda x: {x: 1}[x],
    "in a list": lambda x: x in [1.0, 2.0],
    "contains": lambda x: 2.0 in x,
    "iter": lambda x: [type(v).__name__ for v in iter(x)] and len(list(x)),
    "next": lambda x: next(x),
    "reversed": lambda x: len(list(reversed(x))),
    "unpacked": lambda x: len([*x]),
    "zip": lambda x: len(list(zip(x, x, strict=True))),
    "enumerate": lambda x: [n for n, _ in enumerate(x)],
    "sorted": sorted,
    "max": lambda x: max(x) is None,
    "sum": lambda x: isinstance(sum(x), float),
    "all": all,
    "any": any,
    "min with a number": lambda x: min(x, 3.0) == 3.0,
    "bisect": lambda x: bisect.bisect([1.0, 2.0], x),
    "as a truth of a comparison": lambda x: (x == 2.0) is True,
    "chained comparison": lambda x: 0 < x < 9,
    "a dict of it": dict,
    "a tuple of it": lambda x: len(tuple(x)),
    "a deque of it": lambda x: len(collections.deque(x)),
    "counted": lambda x: len(collections.Counter(x)),
    "str": str,
    "repr": repr,
    "format": lambda x: f"{x:>30}",
    "percent": lambda x: "%s" % x,  # noqa: UP031
    "print": lambda x: print(x, file=io.StringIO()),
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": lambda x: memoryview(x).nbytes,
    "struct": lambda x: struct.pack("d", x),
    "ctypes.c_double": lambda x: ctypes.c_double(x).value,
    ".ctypes": lambda x: x.ctypes.shape[:],
    ".ctypes.data": lambda x: x.ctypes.data % 1,
    ".data": lambda x: x.data.nbytes,
    ".base": lambda x: x.base is None,
    ".flat": lambda x: len(list(x.flat)),
    ".__array_interface__": lambda x: x.__array_interface__["shape"],
    ".__array_interface__ data": lambda x: bool(x.__array_interface__["data"][1]),
    ".__array_struct__": lambda x: x.__array_struct__ is None,
    ".__dlpack__": lambda x: x.__dlpack__() is None,
    ".__dlpack_device__": lambda x: x.__dlpack_device__(),
    ".__array_namespace__": lambda x: x.__array_namespace__() is np,
    ".__array_priority__": lambda x: x.__array_priority__,
    "np.from_dlpack": lambda x: np.from_dlpack(x).shape,
    "np.frombuffer": lambda x: np.frombuffer(x, np.uint8).shape,
    "np.asarray": lambda x: np.asarray(x).shape,
    "np.asanyarray": lambda x: np.asanyarray(x).shape,
    "np.array of a list": lambda x: np.array([x, x]).shape,
    "np.array of another dtype": lambda x: np.array(x, dtype=np.float32).shape,
    "np.ascontiguousarray": lambda x: np.ascontiguousarray(x).shape,
    "np.require": lambda x: np.require(x, requirements="C").shape,
    "np.dtype of it": lambda x: np.asarray([x]).dtype,
    "np.array_equal": lambda x: np.array_equal(x, x),
    "np.allclose": lambda x: np.allclose(x, x),
    "np.testing": lambda x: np.testing.assert_allclose(x, x),
    "np.shares_memory": lambda x: np.shares_memory(x, x),
    "np.may_share_memory": lambda x: np.may_share_memory(x, np.ones(3)),
    "np.vectorize": lambda x: np.vectorize(lambda v: 1)(x).shape,
    "np.fromiter": lambda x: np.fromiter(x, "f8").shape,
    "np.nditer": lambda x: len([0 for _ in np.nditer(x)]),
    "np.ndenumerate": lambda x: len([0 for _ in np.ndenumerate(x)]),
    "np.ndindex": lambda x: len(list(np.ndindex(x.shape))),
    "np.lib.stride_tricks": lambda x: np.lib.stride_tricks.sliding_window_view(x, 1).shape,
    "np.array2string": np.array2string,
    "np.save": lambda x: np.save(io.BytesIO(), x),
    "a shape by its value": lambda x: np.ones(x).shape,
    "item": lambda x: x.item(),
    "tolist": lambda x: x.tolist(),
    "tobytes": lambda x: x.tobytes(),
    "is_integer": lambda x: x.is_integer(),
    "as_integer_ratio": lambda x: x.as_integer_ratio(),
    "Fraction": fractions.Fraction,
    "statistics": statistics.mean,
    "json": json.dumps,
    "pickle": lambda x: len(pickle.dumps(x)),
    "copy": lambda x: copy.copy(x).shape,
    "deepcopy": lambda x: copy.deepcopy({"x": [x]})["x"][0].__class__,
    "vars": vars,
    "dir": lambda x: sorted(dir(x)),
    "setattr": lambda x: setattr(x, "own", 3),
    "setattr shape": lambda x: setattr(x, "shape", x.shape),
    "flags": lambda x: (x.flags.writeable, x.flags.c_contiguous, x.flags.aligned),
    "getattr with a default": lambda x: getattr(x, "nonsense", 7),
    "strides": lambda x: (x.strides, x.itemsize, x.nbytes, x.size),
    "device": lambda x: x.device,
    "dtype": lambda x: (x.dtype, x.dtype.kind, x.dtype.type),
    "called": lambda x: x(),
    "awaited by asking": inspect.isawaitable,
    "entered": lambda x: x.__enter__(),
}


def told(function):
    """What a function returns, or the class of its error."""
    try:
        return repr(function())
    except ReplayError:
        raise
    except Exception as error:
        return f"raises {type(error).__name__}"


def answers_of(ask, kind):
    """Eager's answer, all that was answered while the function was replayed, and the error of replaying it, if any."""
    answers, eager = [], told(lambda: ask(KINDS[kind](np.arange(3.0))))

    def f(x):
        asking = functools.partial(ask, KINDS[kind](x))
        answers.append(told(asking) if eager.startswith("raises") else repr(asking()))
        return x * 1

    replayed, error = ag.replay(f), ""
    try:
        for _ in range(5):
            replayed(np.arange(3.0))
    except ReplayError as raised:
        error = str(raised)
    return eager, answers, error


def assert_answered(ask, kind):
    eager, answers, error = answers_of(ask, kind)
    assert set(answers) <= {eager}
    assert "test_questions.py" in error if error else len(answers) in (4, 5)  # of what raises there is no program


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_asked_has_eagers_answer_or_is_an_error_that_names_the_line(question, kind):
    assert_answered(QUESTIONS[question], kind)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_it_has_the_attributes_that_eagers_has(kind):
    for name in NAMES:
        assert_answered(lambda x, name=name: hasattr(x, name), kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["zeros", "", b"1.0", np.str_("auto")])
def test_whether_it_is_a_text_is_answered(text, kind):
    for ask in (lambda x: x == text, lambda x: text == x, lambda x: x != text, lambda x: text != x):
        eager, answers, error = answers_of(ask, kind)
        assert {*answers} == {eager}
        assert not error
