"""What decides a computation, as a key to compare; and whether all of it is known, so that a program may stand for it.

`freeze` walks settings and knows a closed set: numbers, text, dtypes, tuples and dictionaries of these, weights, and
the functions and exact classes in `OURS`, which is written when a package has been imported. Anything else is foreign.
Nothing is searched: settings are values, so whatever changes one goes through an assignment, which `touch` counts.
"""

from __future__ import annotations

import copy
import functools
import itertools
import operator
import struct
import sys
import types
import weakref
from abc import ABCMeta
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NoReturn

import numpy as np

from ..caller import line_of_caller
from ..dispatch import NUMPY, WITHOUT_DERIVATIVE
from ..errors import ReplayError
from ..op import REGISTRY, Op
from ..tensor import Tensor

# The classes, functions and ops of this project, and what NumPy has that they answer for.
OURS: set[Any] = set()

# Classes whose objects are known by identity: what changes in them is recorded. `recording` adds its Source.
SETTINGS: set[type] = set()

# What its author says is pure, see `pure`.
_pure: weakref.WeakSet[Any] = weakref.WeakSet()

# What was written over in a class or a module of ours, by its owner and name; back to what it was it leaves again.
_replaced: dict[tuple[Any, str], Any] = {}

# The rules of our ops, and which of them answers for a function of NumPy's, as they were written down.
_rules: dict[Any, list[Any]] = {}
_answers: dict[Any, Any] = {}

# Of each weight at each step, so without a call of Python's.
_records = operator.attrgetter("records")

# A number that is another one after each change of a setting, anywhere.
changes = 0
_clock = itertools.count(1)
_MISSING = object()
# What Python itself keeps in a class.
_BY_PYTHON = frozenset({"__slotnames__", "__abstractmethods__", "_abc_impl", "__doc__", "__annotations__"})
_PLAIN = frozenset({bool, int, str, bytes})
# Of what kind the things in `OURS` are that are known by identity.
_LISTED = frozenset({types.FunctionType, Op, np.ufunc, type(np.sum), types.BuiltinFunctionType})


def touch() -> None:
    """Note that a setting has changed. To be called after the change, so that who looks in between looks again."""
    global changes
    changes = next(_clock)


# Whether what runs was promised to be pure.
PROMISED: ContextVar[bool] = ContextVar("promised", default=False)


def promised(function: Callable[..., Any], *args: Any, kept: bool = True) -> Any:
    """Call a function that is pure on its author's word, or, with ``kept=False``, one inside it that need not be."""
    before = PROMISED.set(kept)
    try:
        return function(*args)
    finally:
        PROMISED.reset(before)


def assigned(owner: Any, name: str) -> None:
    """Note that an attribute has got another value."""
    touch()
    if PROMISED.get():
        refuse_assignment(owner, name)


def refuse_assignment(owner: Any, name: str) -> NoReturn:
    """Raise because an attribute is set in what was promised to be pure."""
    raise ReplayError(
        f"{type(owner).__name__}.{name} is set in what is promised to be pure, at {line_of_caller()}; return what a "
        "step computes, or keep it in a weight: add_weight(…, trainable=False), and assign to that"
    )


def moment() -> tuple[int, int]:
    """Something that is equal to what it was before as long as no setting, and no rule of an op, was changed."""
    return changes, Op.rewritten


# -- what is ours ------------------------------------------------------------------------------------------


def own(package: str, *, inside: bool = True) -> None:
    """Write down what a package consists of, once it has been imported: its classes and functions.

    From then on a class of its that is written to is no longer ours, and nothing is where a function of its was
    replaced in its module. Without ``inside`` only the package's own names are looked at.
    """
    for name, module in list(sys.modules.items()):
        if name == package or (inside and name.startswith(package + ".")):
            made_here = (v for v in vars(module).values() if getattr(v, "__module__", None) == name)
            OURS.update(v for v in made_here if isinstance(v, type | types.FunctionType))
            if type(module) is types.ModuleType:
                module.__class__ = _Module


def own_engine() -> None:
    """Write down the ops that there are, with their rules, and NumPy's ufuncs and what else they answer for."""
    own("autograd_core", inside=False)
    own("autograd_core.ops")
    _rules.update((op, _rules_of(op)) for op in REGISTRY.values())
    _answers.update(NUMPY)
    OURS.update(_rules, NUMPY, (v for v in vars(np).values() if isinstance(v, np.ufunc)))


def _rules_of(op: Any) -> list[Any]:
    return [op.forward, getattr(op.rules, "rule", None), *([] if hasattr(op.rules, "rule") else op.rules)]


def _engine_changed() -> str | None:
    """What was changed in the engine since our ops were written down: a rule, or which op NumPy's calls reach."""
    for op, rules in _rules.items():
        if not all(map(_same, _rules_of(op), rules)):
            return f"the op {op.name} got another rule"
    for function, answer in NUMPY.items():
        if _answers.get(function, None if function in WITHOUT_DERIVATIVE else answer) is not answer:
            return f"{getattr(function, '__name__', function)} is answered for by {getattr(answer, '__name__', answer)}"
    return None


def replaced(owner: Any, name: str, before: Any, now: Any) -> None:
    """Note that what ``owner``, which is ours, has under ``name`` was written over."""
    original = _replaced.setdefault((owner, name), before)
    if now is original:
        del _replaced[owner, name]
    touch()


class _Module(types.ModuleType):
    """A module that notes when a function or class of ours, or a public number of it, is replaced in it."""

    def __setattr__(self, name: str, value: Any) -> None:
        before = vars(self).get(name, _MISSING)
        super().__setattr__(name, value)
        decides = is_ours(before) or (before is not _MISSING and not name.startswith("_"))
        if (self, name) in _replaced or (decides and before is not value):
            replaced(self, name, before, value)

    def __delattr__(self, name: str) -> None:
        before = vars(self).get(name, _MISSING)
        super().__delattr__(name)
        if (self, name) in _replaced or is_ours(before):
            replaced(self, name, before, _MISSING)


def is_ours(value: Any) -> bool:
    """Whether this is a function, a class or an op of ours."""
    return (isinstance(value, type) or type(value) in _LISTED) and value in OURS


class Watched(ABCMeta):
    """The class of classes whose instances are made of settings: a class of ours that is written to stops being ours.

    It derives from ABCMeta, so that a class of one's own may have ABC among its bases.
    """

    untracked: frozenset[str] | None  # the attributes that are no settings; None says that all are none

    def __setattr__(cls, name: str, value: Any) -> None:
        before = cls.__dict__.get(name, _MISSING)
        super().__setattr__(name, value)
        if cls in OURS and name not in _BY_PYTHON and before is not value:
            replaced(cls, name, before, value)

    def __delattr__(cls, name: str) -> None:
        before = cls.__dict__.get(name, _MISSING)
        super().__delattr__(name)
        if cls in OURS:
            replaced(cls, name, before, _MISSING)


def pure(function: Any) -> Any:
    """Promise that a function, or all that instances of exactly this class do, is pure; a decorator.

    A step of `fit` that meets it is then recorded and replayed. Live are the arguments, the weights, and the attributes
    that are set by assignment on layers, losses, regularizers and optimizers. Anything else that it reads (variables of
    its module, what is inside a list) stays what it was when the step was recorded, as under ``jax.jit``. A question
    about a value, such as ``if x > 0``, is an error that names the line.

    TypeError for what is neither a function nor a class.

    >>> @pure
    ... def cube(x):
    ...     return x**3
    >>> cube(2)
    8
    """
    if not isinstance(function, type | types.FunctionType | functools.partial):
        raise TypeError(f"pure: expected a function or a class, got {function!r}")
    _pure.add(function)
    touch()
    return function


# -- settings are values -----------------------------------------------------------------------------------


class Settings(dict[Any, Any]):
    """A dictionary that cannot be changed: to change a setting, assign another one.

    >>> Settings(a=1)["a"] = 2
    Traceback (most recent call last):
    TypeError: settings are values, and this dictionary is one; assign a new one: layer.name = {**layer.name, 'a': 2}
    """

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        more = f"{args[0]!r}: {args[1]!r}" if len(args) == 2 else "…"
        raise TypeError(
            "settings are values, and this dictionary is one; assign a new one: layer.name = {**layer.name, "
            + more + "}"
        )  # fmt: skip

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> Any:
        return Settings, (dict(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> Settings:
        return Settings(copy.deepcopy(dict(self), memo))


def settled(value: Any) -> Any:
    """A setting as a value: lists as tuples, dictionaries and arrays read-only. What is one already stays itself."""
    kind = type(value)
    if kind is list or kind is tuple:
        items = tuple(map(settled, value))
        return value if kind is tuple and all(map(_same, items, value)) else items
    if kind is dict:
        return Settings({k: settled(v) for k, v in value.items()})
    if kind is np.ndarray and value.dtype.kind in "biufc" and not _constant(value):
        return np.frombuffer(value.tobytes(), value.dtype).reshape(value.shape)
    return value


def _same(a: Any, b: Any) -> bool:
    return a is b


def _constant(array: Any) -> bool:
    """Whether nobody can write into an array: its memory is that of bytes."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, bytes)


# -- the walk ----------------------------------------------------------------------------------------------


class Identity:
    """Equal to the very same object only; and that object lives as long as this, so that no other takes its id."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)

    def __repr__(self) -> str:
        return f"Identity({self.value!r})"


class Frozen:
    """What `freeze` found: a ``key`` to compare, and the first ``foreign`` thing, with its path, or None.

    ``promised`` says whether something in it is pure on its author's word alone.
    """

    def __init__(self, trusting: bool = False):
        self.key: tuple[Any, ...] = ()
        self.foreign: str | None = None
        self.promised = False
        self._trusting = trusting
        self.entries: list[Any] = []
        self._seen: dict[int, int] = {}
        # What decides and is no attribute: which weights record, and the keywords of partial functions.
        self._weights: list[Any] = []
        self._record: list[bool] = []
        self._partials: list[tuple[Any, Any, Any, Any]] = []

    @property
    def alive(self) -> bool:
        """Whether there is anything that `holds` has to look at."""
        return bool(self._weights or self._partials)

    def holds(self) -> bool:
        """Whether what is no attribute, so that no assignment is counted, is still as it was found."""
        return list(map(_records, self._weights)) == self._record and (
            not self._partials
            or all(
                p.func is function and p.args is args and dict(p.keywords) == keywords
                for p, function, args, keywords in self._partials
            )
        )

    def disturbed(self, what: str) -> None:
        """Note something that may be in the way of everything."""
        if not self._trusting:
            raise _Foreign(what)

    def _refuse_foreign(self, path: str, what: str) -> None:
        """Meet something foreign: the end, or something to be trusted."""
        if not self._trusting:
            raise _Foreign(f"{path.lstrip('.') or 'the model'} {what}")
        self.promised = True

    def visit(self, value: Any, path: str) -> None:
        kind = type(value)
        if value is None or kind in _PLAIN:
            self.entries.append((kind, value))
        elif kind is float:
            self.entries.append((kind, struct.pack("d", value)))  # which tells -0.0 from 0.0, and where NaN is NaN
        elif kind is complex or (issubclass(kind, np.generic) and kind.__module__ == "numpy"):
            self.entries.append((kind, np.asarray(value).tobytes()))
        elif isinstance(value, np.dtype):
            self.entries.append((np.dtype, value))
        elif kind is tuple or kind is list:
            if kind is list:
                self._refuse_foreign(path, "is a list, which can be changed without an assignment; assign a tuple")
            self.entries.append((tuple, len(value)))
            for i, item in enumerate(value):
                self.visit(item, f"{path}[{i}]")
        elif kind is Settings or kind is dict:
            if kind is dict:
                self._refuse_foreign(path, "is a dictionary, which can be changed without an assignment")
            self.entries.append((dict, len(value)))
            for name, item in value.items():
                self.visit(name, f"{path}[{name!r}]")
                self.visit(item, f"{path}[{name!r}]")
        elif kind is Tensor:
            self._visit_weight(value, path)
        elif id(value) in self._seen:
            self.entries.append((Identity, self._seen[id(value)]))
        else:
            self._seen[id(value)] = len(self._seen)
            self._visit_object(value, kind, path)

    def _visit_weight(self, weight: Any, path: str) -> None:
        node = weight.node
        if node.op is not None:
            self._refuse_foreign(path, "is a value that was computed, and no weight")
        self.entries.append((Tensor, Identity(weight), node.out.shape, node.out.dtype, node.records))
        self._weights.append(node)
        self._record.append(node.records)

    def _visit_object(self, value: Any, kind: type, path: str) -> None:
        if isinstance(kind, Watched):
            if kind.untracked is None:  # a metric, whose state is no setting: as a loss it would decide
                self._refuse_foreign(
                    path, f"is {_article(kind.__name__)} {kind.__name__}, which keeps what it has seen"
                )
                self.entries.append(Identity(value))
                return
            self._check_class(value, kind, path)
            self.entries.append(kind)
            self._visit_attributes(value, kind, path)
        elif kind is functools.partial:
            self._partials.append((value, value.func, value.args, dict(value.keywords)))
            self.entries.append(kind)
            self.visit(value.func, path)
            for i, item in enumerate(value.args):
                self.visit(item, f"{path}.args[{i}]")
            for name, item in value.keywords.items():
                self.entries.append(name)
                self.visit(item, f"{path}.{name}")
        elif kind in SETTINGS or (kind is np.ndarray and _constant(value)) or (kind in _LISTED and value in OURS):
            self.entries.append(Identity(value))
        else:
            if (isinstance(value, type | types.FunctionType) and value in _pure) or kind in _pure:
                self.promised = True
            else:
                self._refuse_foreign(path, _named(value))
            self.entries.append(Identity(getattr(value, "__func__", value)))
            if kind is types.MethodType:  # another one at each look
                self.visit(value.__self__, f"{path}.__self__")

    def _check_class(self, value: Any, kind: Any, path: str) -> None:
        if kind not in OURS:
            if kind in _pure:
                self.promised = True
            else:
                self._refuse_foreign(path, f"is {_article(kind.__name__)} {kind.__name__}, a class of your own")
        for owner, name in list(_replaced):
            if owner in kind.__mro__:
                whose = f"{_article(kind.__name__)} {kind.__name__}"
                self._refuse_foreign(path, f"is {whose}, and {owner.__name__}.{name} was replaced")
        for name in vars(value):
            if callable(getattr(kind, name, None)):
                self._refuse_foreign(f"{path}.{name}", "was set on the object itself, in place of its class' method")

    def _visit_attributes(self, value: Any, kind: Any, path: str) -> None:
        public = sorted(vars(value).items(), key=lambda pair: pair[0].startswith("_"))
        # Initializers have done their work.
        made = {n for n, item in public if kind in OURS or isinstance(type(item), Watched)}
        done = {n for n in made if n.endswith("_initializer")}
        found = [(n, item) for n, item in public if n not in kind.untracked and n not in done]
        self.entries.append(len(found))
        for name, item in found:
            self.entries.append(name)
            self.visit(item, f"{path}.{name.lstrip('_')}")


def freeze(value: Any, path: str = "", trusting: bool = False) -> Frozen:
    """What decides what ``value`` computes.

    Parameters
    ----------
    value
        A thing made of settings, or a tuple of some.
    path
        What it is called in a reason.
    trusting
        Whether what is foreign is taken to be pure, by its author's word.

    Returns
    -------
    Frozen
        The key, and the path of the first foreign thing unless it is to be trusted.
    """
    found = Frozen(trusting)
    try:
        for owner, name in list(_replaced):
            if not isinstance(owner, type):
                found.disturbed(f"{owner.__name__}.{name} was replaced")
        reason = _engine_changed()
        if reason is not None:
            found.disturbed(reason)
        found.visit(value, path)
    except _Foreign as error:
        found.foreign = str(error)
    found.key = tuple(found.entries)
    return found


class _Foreign(Exception):
    """The walk has met something foreign."""


def _named(value: Any) -> str:
    """What something foreign is, in words that follow its path."""
    if isinstance(value, types.FunctionType | types.MethodType):
        return f"is {value.__name__}, a function of your own"
    if isinstance(value, Op):
        return f"is {value.name}, an op of your own"
    if isinstance(value, np.ndarray):
        return "is an array, which can be changed without an assignment"
    name = type(value).__name__
    return f"is {_article(name)} {name}"


def _article(name: str) -> str:
    return "an" if name[0] in "aeiouAEIOU" else "a"
