"""Calls of NumPy functions on Tensors: which op answers, and what the error says where none does."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from . import tree
from .graph import Recorded

P = ParamSpec("P")
R = TypeVar("R")

# Which function of ours answers for which of NumPy's: filled by the ops, asked by Tensor's operators and by
# NumPy itself through its two protocols.
NUMPY: dict[Any, Any] = {}

# NumPy functions whose result has no derivative to record (comparisons, positions, shapes): they see the data.
WITHOUT_DERIVATIVE: set[Any] = set()
# Those of them that look at shapes and dtypes alone, so that nothing follows from the numbers.
OF_SHAPES: set[Any] = set()
# Those of them whose later arguments do have one, which must not be lost without a word.
FIRST_ONLY: set[Any] = set()
# Those whose result has a derivative in some calls: what such a call would lose, and what to write, as a clause.
SOMETIMES: dict[Any, Callable[..., str]] = {}

# Why some functions have no rule, by the function or by the module that it is from: a clause for the error.
OUT_OF_SCOPE: dict[Any, str] = {}


# What may hold Tensors.
_NESTED = list, tuple, dict


def plain(value: Any) -> Any:
    """``value`` with the data of every Tensor in its place."""
    if isinstance(value, Recorded):
        return value.told()
    return tree.map(_told, value) if isinstance(value, _NESTED) else value  # in a slice NumPy asks Tensors itself


def _told(leaf: Any) -> Any:
    return leaf.told() if isinstance(leaf, Recorded) else leaf


def _data(leaf: Any) -> Any:
    return leaf.data if isinstance(leaf, Recorded) else leaf


def dispatch(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Call what answers for a NumPy function, or say why nothing does."""
    ours = NUMPY.get(function)
    if ours is None:
        if function in OF_SHAPES and len(args) == 1 and not kwargs and isinstance(args[0], Recorded):
            return function(args[0].data)  # the commonest question inside functions that are composed
        ours = _special(function)
    if ours is None:
        return _without_rule(function, args, kwargs)
    least, most, names = _shared(function, ours)
    if least <= len(args) <= most and kwargs.keys() <= names:
        return ours(*args, **kwargs)
    return _respelled(function, ours, args, kwargs)


def _special(function: Any) -> Any:
    """What answers for a ufunc of SciPy's: rules that are read when the first of them is called."""
    if not isinstance(function, np.ufunc) or "scipy.special" not in sys.modules:
        return None
    importlib.import_module(".scipy.special", __package__)
    return NUMPY.get(function)


# The parameters of any ufunc: before NumPy 2.4 they did not say.
_OF_UFUNCS = inspect.signature(
    lambda *xs, out=None, where=True, casting="same_kind", order="K", dtype=None, subok=True, axis=None, axes=None: xs
)


def _spelling(function: Any, ours: Any) -> inspect.Signature:
    """The parameters of a NumPy function."""
    if isinstance(function, np.ufunc):
        return _OF_UFUNCS
    try:
        return inspect.signature(function)
    except ValueError:  # written in C, before NumPy 2.4: as ours, and whatever else it may take
        casting = inspect.Parameter("casting", inspect.Parameter.KEYWORD_ONLY, default="same_kind")
        others = inspect.Parameter("others", inspect.Parameter.VAR_KEYWORD)
        return inspect.Signature([*inspect.signature(ours).parameters.values(), casting, others])


@functools.cache
def _shared(function: Any, ours: Any) -> tuple[int, float, set[str]]:
    """Which calls of a NumPy function are calls of what answers for it, argument by argument: nearly all.

    The least and the largest number of arguments by position, and the names of those that may come by keyword.
    """
    mine, spelled = inspect.signature(ours).parameters, _spelling(function, ours).parameters.values()
    most = 0.0
    for own, theirs in zip(mine.values(), spelled, strict=False):
        if theirs.kind is theirs.VAR_POSITIONAL:
            most = np.inf
        if max(own.kind, theirs.kind) > own.POSITIONAL_OR_KEYWORD or (
            theirs.default is not theirs.empty and own.name != theirs.name
        ):
            break
        most += 1
    least = sum(p.default is p.empty and p.kind < p.VAR_POSITIONAL for p in spelled)
    anything = any(p.kind is p.VAR_KEYWORD for p in spelled)
    return least, most, {*mine} if anything else {p.name for p in spelled if p.default is not p.empty} & mine.keys()


def _respelled(function: Any, ours: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Call ``ours`` for any other spelling: what NumPy requires by position, the rest by keyword."""
    signature, takes = _spelling(function, ours), inspect.signature(ours).parameters
    required: list[Any] = []
    optional: dict[str, Any] = {}
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        hint = "".join(meant(name, signature.parameters) for name in kwargs if name not in signature.parameters)
        raise TypeError(f"{full_name(function)} on Tensors: {error}{hint}") from None
    for name, value in given.items():
        parameter, default = signature.parameters[name], signature.parameters[name].default
        if parameter.kind is parameter.VAR_POSITIONAL:
            required += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            optional |= value
        elif default is parameter.empty:
            required.append(value)
        elif name in takes or (value is not None and (type(value), value) != (type(default), default)):
            optional[name] = value  # of what we lack, only what says more than the default
    dtype = None if "dtype" in takes else optional.pop("dtype", None)
    if dtype is not None:
        casting = signature.parameters["casting"].default if "casting" in signature.parameters else "unsafe"
        required = _cast(required, dtype, optional.pop("casting", casting))
    unknown = [name for name in optional if name not in takes and optional[name] is not None]
    if unknown:
        name, keywords = full_name(function), ", ".join(f"{name}=" for name in unknown)
        instead = "; ".join(_instead(name, parameter, function) for parameter in unknown)
        raise TypeError(f"{name} on Tensors does not take {keywords}; {instead}")
    result = ours(*required, **{name: value for name, value in optional.items() if name in takes})
    return result if dtype is None or result.dtype == dtype else result.astype(dtype)


def _cast(value: Any, dtype: Any, casting: Any) -> Any:
    """``value`` with everything in it that has a dtype in another: what NumPy's ``dtype=`` does before it computes."""
    return tree.map(lambda leaf: leaf.astype(dtype, casting=casting) if hasattr(leaf, "dtype") else leaf, value)


# What other libraries call the arguments of functions.
_MEANT = {
    "dim": "axis=", "dims": "axis=", "axes": "axis=", "keepdim": "keepdims=", "keep_dims": "keepdims=",
    "unbiased": "ddof=1", "argnum": "argnums=", "wrt": "argnums=", "out_axis": "axis=", "input": "x=",
}  # fmt: skip


def meant(keyword: str, names: Iterable[str]) -> str:
    """The end of an error about a keyword that a function does not have: which of its ``names`` may be meant."""
    likely = _MEANT.get(keyword, "")
    if likely.partition("=")[0] not in names:
        import difflib  # for an error

        likely = "".join(f"{name}=" for name in difflib.get_close_matches(keyword, names, 1))
    return f"; did you mean {likely}?" if likely else ""


def asked_well(function: Callable[P, R]) -> Callable[P, R]:
    """Let a keyword that a function does not have say which one may be meant."""
    names = inspect.signature(function).parameters

    @functools.wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        for name in kwargs:
            if name not in names:
                raise TypeError(f"{function.__name__} has no parameter {name!r}{meant(name, names)}")
        return function(*args, **kwargs)

    return asked


def full_name(function: Any) -> str:
    """What a NumPy function is called where it is used: ``np.linalg.norm``."""
    if isinstance(function, np.ufunc) and getattr(np, name := function.__name__, None) is not function:
        scipys = getattr(sys.modules.get("scipy.special"), name, None) is function
        return f"scipy.special.{name}" if scipys else f"the ufunc {name}"  # of a library that it does not tell
    return f"{short_name(_module(function))}.{function.__name__}"


def short_name(module: str) -> str:
    """What a module of NumPy's is called where it is used: ``np.linalg``."""
    return module.replace("numpy.lib.scimath", "np.emath").replace("numpy", "np", 1)


def _module(function: Any) -> str:
    module = getattr(function, "__module__", None) or "numpy"  # ufuncs of NumPy 2.0 and 2.1 have none
    return module.replace("._scimath_impl", ".scimath")  # which are its public names from 2.2 on


def _instead(name: str, parameter: str, function: Any) -> str:
    """What to write for a parameter of NumPy's that Tensors have no use for, or no rule."""
    if parameter == "out":
        return f"what was in that array would be overwritten: write result = {name}(…), and a = a + t for a += t"
    if parameter == "where" and isinstance(function, np.ufunc):
        return f"it would leave elements uncomputed: write np.where(mask, {name}(…), other)"
    if parameter == "where":
        if function in (np.mean, np.var, np.std):
            mean = "np.average(t, weights=np.broadcast_to(mask, t.shape))"
            return f"write {mean}, and (t - mean)**2 in place of t for a variance"
        if function.__name__.startswith("nan"):
            return f"write {name}(np.where(mask, t, np.nan))"
        neutral = {np.prod: "1", np.max: "-np.inf", np.min: "np.inf"}.get(function, "0")
        return f"write {name}(np.where(mask, t, {neutral}))"
    if parameter in ("axis", "axes"):
        return "bring the axes into their places with np.moveaxis first"
    if parameter == "initial":
        combined: dict[Any, str] = {
            **dict.fromkeys((np.prod, np.nanprod), "{} * initial"),
            **dict.fromkeys((np.max, np.nanmax), "np.maximum({}, initial)"),
            **dict.fromkeys((np.min, np.nanmin), "np.minimum({}, initial)"),
        }
        return "write " + combined.get(function, "{} + initial").format(f"{name}(t)")
    if parameter in ("full", "cov"):
        return "write np.linalg.lstsq(np.vander(x, deg + 1), y), which gives residuals and a rank, too"
    if parameter == "weights":
        return "write np.repeat(t, weights) where they are whole numbers, and np.average for a mean"
    return "it chooses how NumPy computes or stores, not what: leave it out"


def _without_rule(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Call a function that has no derivative on the data, or say why there is no rule."""
    name = full_name(function)
    if function not in WITHOUT_DERIVATIVE:
        reason = out_of_scope(function)
        if reason:
            raise TypeError(f"{name} on Tensors is out of scope: {reason}")
        raise TypeError(
            f"{name} has no gradient rule here; compose it from functions that have one, write a rule with "
            f"{'autograd_core.ufunc' if isinstance(function, np.ufunc) else '@autograd_core.op'}, or pass t.data if no "
            "gradient is needed"
        )
    out = kwargs.get("out")
    if any(isinstance(v, Recorded) for v in (out if isinstance(out, tuple) else (out,))):
        raise TypeError(f"{name} on Tensors does not take out=; {_instead(name, 'out', function)}")
    others = (*args[1:], *kwargs.values()) if function in FIRST_ONLY else ()
    if any(isinstance(v, Recorded) and v.node.requires_grad for v in others):
        raise TypeError(
            f"{name} has no gradient with respect to its second argument here, and would drop it; compose it "
            "from np.where, np.broadcast_to and sums, or pass .data"
        )
    would_lose = SOMETIMES[function](*args, **kwargs) if function in SOMETIMES else ""
    if would_lose:
        raise TypeError(f"{name} has no gradient here, and would drop it: {would_lose}")
    if function in OF_SHAPES:
        return function(*tree.map(_data, args), **tree.map(_data, kwargs))
    return function(*plain(args), **plain(kwargs))


def out_of_scope(function: Any) -> str:
    """Why a NumPy function has no rule on purpose, and what is written instead, as a clause; empty for all others."""
    return OUT_OF_SCOPE.get(function) or OUT_OF_SCOPE.get(_module(function), "")


# The methods of ufuncs that are functions of their own in NumPy. A reduction's axis is 0 unless given.
_METHODS: dict[tuple[np.ufunc, str], Any] = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
}


def call_method(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``ufunc.reduce``, ``.accumulate`` and ``.outer`` on Tensors, or an error that names the rewrite."""
    kwargs.pop("array", None)  # NumPy hands it over twice: it is among the inputs, too
    function = _METHODS.get((ufunc, method))
    if function is not None:
        x, *axis = inputs
        return dispatch(function, (x,), {"axis": axis[0] if axis else 0, **kwargs})
    if method == "outer":
        x, y = inputs
        return ufunc(NUMPY[np.reshape](x, shape=np.shape(x) + (1,) * np.ndim(y)), y, **kwargs)
    if ufunc in WITHOUT_DERIVATIVE and method != "at":
        return getattr(ufunc, method)(*plain(inputs), **plain(kwargs))
    name = ufunc.__name__
    rewrite = f"the result with np.{name}(…) and indexing, or pass t.data if no gradient is needed"
    if method == "at":
        rewrite = "t = t.at[index].add(value), or .set(value), which give a changed copy"
    elif method == "reduceat":
        rewrite = f"np.{name}.reduce on each part that np.split gives"
    raise TypeError(f"np.{name}.{method} has no gradient rule here; write {rewrite}")
