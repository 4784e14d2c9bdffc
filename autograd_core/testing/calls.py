"""Calls of the ops in the table: the shapes and parameters of their examples, filled with numbers of their domains."""

from __future__ import annotations

import difflib
import inspect
import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import tree
from ..domain import REAL, Domain, Example, example
from ..op import COMPOSED, REGISTRY, Composed, Op
from .arguments import parameter_names
from .reproduce import literal

Array = Any

# Numbers lie on a grid of this spacing: far enough apart for no tie and no kink to be within reach of a step.
GRID = 1 / 32

ONE_ARGUMENT = tuple(example(shape) for shape in ((2, 3), (), (3,), (1,), (0, 2)))
TWO_ARGUMENTS = (
    *(example(*shapes) for shapes in (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((1,), (1, 1)))),
    *(example(*shapes) for shapes in (((2, 1, 2), (3, 1)), ((1, 3), ()), ((0, 2), (2,)), ((), ()))),
    *(example((2, 3), 2.0), example(2.0, (3,)), example((3,), 3)),
)


@dataclass(frozen=True)
class Call:
    """An op (or a composed function) with its arguments; calling it with other arguments keeps the parameters.

    ``args`` are all inputs in order and ``argnums`` the positions of those that are differentiated.
    """

    name: str
    args: tuple[Any, ...]
    argnums: tuple[int, ...]
    params: dict[str, Any] = field(default_factory=dict)
    domain: tuple[Domain, ...] = ()

    @property
    def function(self) -> Callable[..., Any]:
        """What is called."""
        return REGISTRY[self.name] if self.name in REGISTRY else COMPOSED[self.name].function

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, *args: Any) -> Any:
        return self.function(*args, **self.params)

    @property
    def parameters(self) -> list[str]:
        """The names of the arguments."""
        return parameter_names(self.function, len(self.args))

    @property
    def source(self) -> str:
        """Python after which the op's name is this call as a function of its arguments."""
        table, where = ("REGISTRY", "autograd_core") if self.name in REGISTRY else ("COMPOSED", "autograd_core.op")
        target = f"{table}[{self.name!r}]" + ("" if table == "REGISTRY" else ".function")
        params = "".join(f", {key}={literal(value)}" for key, value in self.params.items())
        return f"from {where} import {table}\ndef {self.name}(*args):\n    return {target}(*args{params})"

    def __repr__(self) -> str:
        params = [f"{key}={literal(value)}" for key, value in self.params.items()]
        return f"{self.name}({', '.join([*map(literal, self.args), *params])})"


def entries() -> Iterator[tuple[str, Op | Composed]]:
    """Everything in the table, the ops first."""
    yield from REGISTRY.items()
    yield from COMPOSED.items()


def examples_of(entry: Op | Composed) -> Sequence[Example]:
    """The entry's own examples, and those that any elementwise ufunc can have.

    Raises ValueError for an op that says nothing about how it can be called: it could not be tested.
    """
    own = entry.examples or ()
    if isinstance(entry, Op) and entry.elementwise and entry.arity in (1, 2):
        return (*own, *(ONE_ARGUMENT if entry.arity == 1 else TWO_ARGUMENTS))
    if own:
        return own
    name = entry.name if isinstance(entry, Op) else entry.function.__name__
    raise ValueError(
        f"{name}: expected examples to test it with, got none; add examples=(example((2, 3)), …) with a shape for each "
        "input, and domain= if it is not defined for all numbers"
    )


def domains_of(entry: Op | Composed, count: int) -> tuple[Domain, ...]:
    """Where each of ``count`` inputs may lie."""
    if entry.domain is None:
        return (REAL,) * count
    if isinstance(entry.domain, Domain):
        return (entry.domain,) * count
    return (*entry.domain, *(REAL,) * count)[:count]


def is_shape(value: Any) -> bool:
    """Whether an example's input is a shape to be filled with numbers."""
    return isinstance(value, tuple) and all(type(n) is int and n >= 0 for n in value)


def shapes_of(entry: Op | Composed, given: Example) -> list[Any]:
    """The inputs of an example with `Shape` in place of each shape: (2, 3) may also be a parameter.

    A composed function takes its parameters by position, ``moveaxis((2, 3, 4), (0, 2), (1, 0))``, so a tuple
    is a shape only if the function accepts an array there.
    """
    inputs = list(given.inputs)
    for first_literal in range(len(inputs), 0, -1):
        marked = [_mark(value) if i < first_literal else value for i, value in enumerate(inputs)]
        if isinstance(entry, Op):
            return marked
        try:
            with np.errstate(all="ignore"):
                entry.function(*_fill(marked, lambda shape, n: np.ones(shape)), **given.params)
        except Exception:  # whatever the function does with an array where it wants an axis
            continue
        return marked
    return inputs


@dataclass(frozen=True)
class Shape:
    """A place for an array in an example."""

    shape: tuple[int, ...]


def _mark(value: Any) -> Any:
    if is_shape(value):
        return Shape(value)
    return [_mark(v) for v in value] if isinstance(value, list) else value


def _fill(inputs: Sequence[Any], array: Callable[[tuple[int, ...], int], Array]) -> list[Any]:
    """The inputs with ``array(shape, position)`` for each shape in them."""

    def filled(value: Any, position: int) -> Any:
        return tree.map(lambda leaf: array(leaf.shape, position) if isinstance(leaf, Shape) else leaf, value)

    return [filled(value, position) for position, value in enumerate(inputs)]


def size_of(inputs: Any) -> int:
    """How many numbers the shapes in an example need."""
    return sum(math.prod(shape) for shape in _shapes_in(inputs))


def make_call(name: str, given: Example, numbers: Sequence[int]) -> Call:
    """An example with ``numbers``, distinct integers, spread over the domains of its inputs."""
    entry = REGISTRY[name] if name in REGISTRY else COMPOSED[name]
    marked = shapes_of(entry, given)
    domains = domains_of(entry, len(marked))
    left = iter(numbers)

    def array(shape: tuple[int, ...], n: int) -> Array:
        values = [place(next(left), domains[n]) for _ in range(int(np.prod(shape)))]
        return np.array(values, np.float64).reshape(shape)

    args = tuple(_fill(marked, array))
    argnums = tuple(
        n
        for n, (value, mark) in enumerate(zip(args, marked, strict=True))
        if _shapes_in(mark) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")
    )
    if isinstance(entry, Op) and entry.arity is not None:  # a condition has no derivative, so it is not varied
        argnums = tuple(n for n in argnums if entry.rules[n] is not None)
    return Call(name, args, argnums, dict(given.params), domains)


def keeps_dtype(call: Call) -> bool:
    """Whether float32 arguments must give a float32 result: unless NumPy's own function widens them too."""
    if "dtype" in inspect.signature(call.function).parameters:
        return False
    narrow = [_narrow(a) if n in call.argnums else a for n, a in enumerate(call.args)]
    entry = REGISTRY[call.name] if call.name in REGISTRY else COMPOSED[call.name]
    for function in entry.numpy:
        try:
            with np.errstate(all="ignore"):  # at an edge of its domain
                return bool(np.asarray(function(*narrow, **call.params)).dtype == np.float32)
        except Exception:  # several results, or arguments that it takes otherwise
            return True
    return True


def _narrow(value: Any) -> Any:
    return tree.map(lambda leaf: leaf.astype(np.float32) if isinstance(leaf, np.ndarray) else leaf, value)


def place(k: int, domain: Domain) -> float:
    """The k-th number (k is any integer) of a grid inside a domain, clear of its edges and kinks.

    0, 1, −1, 2, … are the simplest numbers of the domain, so that shrinking leads to them.
    """
    low, high = domain.low, domain.high
    if np.isfinite(low) and np.isfinite(high):
        width = high - low
        x = low + width * (0.5 + (((k * 7) % 1999) - 999) / 2100)
    elif np.isfinite(low):
        x = low + (abs(k) * 2 + (k < 0) + 8) * GRID / 2
    elif np.isfinite(high):
        x = high - (abs(k) * 2 + (k < 0) + 8) * GRID / 2
    else:
        x = k * GRID
    for kink in domain.kinks:
        away = x - kink
        if domain.period:
            away -= domain.period * round(away / domain.period)
        if abs(away) < GRID / 2:  # between this point of the grid and the next
            x += GRID / 2 - away
    return float(x)


def random_numbers(count: int, rng: np.random.Generator, largest: int = 96) -> list[int]:
    """Distinct integers for `make_call`, mostly within ``largest`` (so the numbers are within 3)."""
    largest = max(largest, 2 * count)
    return [int(k) for k in rng.permutation(np.arange(-largest, largest + 1))[:count]]


def variants(entry: Op | Composed, given: Example) -> Iterator[Example]:
    """The example with one length of its shapes made 1, then 0, wherever the op takes that.

    Axes of length 1 are where broadcasting and sums are got wrong, and nobody thinks of them for an example.
    """
    marked = shapes_of(entry, given)
    if "shape" in given.params or any(0 in shape for shape in _shapes_in(marked)):
        return  # the lengths must agree with a parameter, or nothing is left to vary
    lengths = sorted({n for shape in _shapes_in(marked) for n in shape if n > 1})
    for new in (1, 0):
        for old in lengths:
            inputs = _replace_length(marked, old, new)
            function = entry.function
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # the mean of nothing
                    result = function(*_fill(inputs, lambda shape, n: np.ones(shape)), **given.params)
            except Exception:  # whatever NumPy raises for shapes that do not fit
                continue
            results = tree.leaves(result)
            if results and all(np.isfinite(r).all() for r in results):
                yield Example(tuple(_unmark(inputs)), given.params)


def _shapes_in(inputs: Any) -> list[tuple[int, ...]]:
    return [leaf.shape for leaf in tree.leaves(inputs) if isinstance(leaf, Shape)]


def _replace_length(inputs: Any, old: int, new: int) -> Any:
    def replaced(leaf: Any) -> Any:
        return Shape(tuple(new if n == old else n for n in leaf.shape)) if isinstance(leaf, Shape) else leaf

    return tree.map(replaced, inputs)


def _unmark(inputs: Any) -> Any:
    return tree.map(lambda leaf: leaf.shape if isinstance(leaf, Shape) else leaf, inputs)


def known(names: Sequence[str]) -> Sequence[str]:
    """The names of entries, if all of them are."""
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"names: expected a list of names of ops, as ['tanh'], got {names!r}")
    for name in names:
        if name not in REGISTRY and name not in COMPOSED:
            near = difflib.get_close_matches(name, [*REGISTRY, *COMPOSED], 3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise ValueError(f"names: expected names of ops in the table, got {name!r}{hint}")
    return names


def calls(names: Sequence[str] | None = None, seed: int = 0) -> Iterator[Call]:
    """Every example of every entry (or of those named), and its variants, with random numbers."""
    rng = np.random.default_rng(seed)
    for name, entry in entries():
        if names is not None and name not in names:
            continue
        given = list(examples_of(entry))
        seen = []
        for one in [*given, *(variant for first in given for variant in variants(entry, first))]:
            if repr(one) not in seen:
                seen.append(repr(one))
                yield make_call(name, one, random_numbers(size_of(shapes_of(entry, one)), rng))


def special_calls(names: Sequence[str] | None = None) -> Iterator[Call]:
    """Elementwise ops at ties, at kinks, at edges of domains and at small whole numbers.

    Not all derivatives exist there; those that do must be right, and a gradient at a kink be between the slopes.
    """
    for name, entry in entries():
        if (names is not None and name not in names) or not isinstance(entry, Op) or not entry.elementwise:
            continue
        domains = domains_of(entry, entry.arity or 1)
        numbers = []
        for domain in domains:
            edges = [float(x) for x in (*domain.kinks, domain.low, domain.high) if np.isfinite(x)]
            numbers.append(list(dict.fromkeys([0.0, 1.0, -1.0, 2.0, *edges])))
        points = np.array(list(itertools.product(*numbers)))
        argnums = tuple(n for n, rule in enumerate(entry.rules) if rule is not None)
        for few in np.array_split(points, -(-len(points) // 8)):  # few enough for all derivatives to be looked at
            yield Call(name, tuple(few.T.copy()), argnums, {}, domains)
