"""What is ours: the classes, functions and ops of this project as they were imported, and what was changed in them.

A class of ours that is written to stops being ours, and nothing is where a function of ours was replaced.
"""

from __future__ import annotations

import functools
import sys
import types
import weakref
from abc import ABCMeta
from typing import Any

import numpy as np

from ...dispatch import NUMPY, WITHOUT_DERIVATIVE
from ...op import REGISTRY, Op
from .settings import same, touch

# The classes, functions and ops of this project, and what NumPy has that they answer for.
OURS: set[Any] = set()

# Classes whose objects are known by identity: what changes in them is recorded. `sources` adds its Source.
SETTINGS: set[type] = set()

# What its author says is pure, see `pure`.
PURE: weakref.WeakSet[Any] = weakref.WeakSet()

# What was written over in a class or a module of ours, by its owner and name; back to what it was it leaves again.
REPLACED: dict[tuple[Any, str], Any] = {}

# The rules of our ops, and which of them answers for a function of NumPy's, as they were written down.
_rules: dict[Any, list[Any]] = {}
_answers: dict[Any, Any] = {}

_MISSING = object()
# What Python itself keeps in a class.
_BY_PYTHON = frozenset({"__slotnames__", "__abstractmethods__", "_abc_impl", "__doc__", "__annotations__"})
# Of what kind the things in `OURS` are that are known by identity.
LISTED = frozenset({types.FunctionType, Op, np.ufunc, type(np.sum), types.BuiltinFunctionType})


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


def engine_changed() -> str | None:
    """What was changed in the engine since our ops were written down: a rule, or which op NumPy's calls reach."""
    for op, rules in _rules.items():
        if not all(map(same, _rules_of(op), rules)):
            return f"the op {op.name} got another rule"
    for function, answer in NUMPY.items():
        if _answers.get(function, None if function in WITHOUT_DERIVATIVE else answer) is not answer:
            return f"{getattr(function, '__name__', function)} is answered for by {getattr(answer, '__name__', answer)}"
    return None


def replaced(owner: Any, name: str, before: Any, now: Any) -> None:
    """Note that what ``owner``, which is ours, has under ``name`` was written over."""
    original = REPLACED.setdefault((owner, name), before)
    if now is original:
        del REPLACED[owner, name]
    touch()


class _Module(types.ModuleType):
    """A module that notes when a function or class of ours, or a public number of it, is replaced in it."""

    def __setattr__(self, name: str, value: Any) -> None:
        before = vars(self).get(name, _MISSING)
        super().__setattr__(name, value)
        decides = is_ours(before) or (before is not _MISSING and not name.startswith("_"))
        if (self, name) in REPLACED or (decides and before is not value):
            replaced(self, name, before, value)

    def __delattr__(self, name: str) -> None:
        before = vars(self).get(name, _MISSING)
        super().__delattr__(name)
        if (self, name) in REPLACED or is_ours(before):
            replaced(self, name, before, _MISSING)


def is_ours(value: Any) -> bool:
    """Whether this is a function, a class or an op of ours."""
    return (isinstance(value, type) or type(value) in LISTED) and value in OURS


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
    PURE.add(function)
    touch()
    return function
