"""Random programs: computation graphs of the table's ops, which print as Python and shrink to the smallest graph."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..dispatch import NUMPY
from ..domain import Domain
from ..op import COMPOSED, REGISTRY, Op
from ..transforms import vjp
from .calls import domains_of, entries, examples_of, is_shape, known, place
from .reproduce import literal
from .strategies import distinct_integers, shapes

# Programs are for graphs, not for big numbers: what leaves these bounds is squashed before it goes on, by arctan,
# whose derivative keeps all its digits far out, where tanh's, 1 - z², is left with few.
LARGEST_VALUE = 3.0
LARGEST_ARRAY = 64
LARGEST_RESULT = 1e4


@dataclass(frozen=True)
class Statement:
    """``op(*operands, **params)``: operands are positions among the inputs and earlier statements, or constants."""

    op: str
    operands: tuple[int | float, ...]
    params: dict[str, Any]


@dataclass(frozen=True)
class Program:
    """A function made of statements; its result is the last one. ``inputs`` are arrays to call it with."""

    inputs: tuple[Any, ...]
    statements: tuple[Statement, ...]
    __name__ = "program"

    def __call__(self, *inputs: Any) -> Any:
        values = list(inputs)
        for s in self.statements:
            values.append(_function(s.op)(*(_value(i, values) for i in s.operands), **s.params))
        return values[-1]

    @property
    def parameters(self) -> list[str]:
        """The names of the inputs."""
        return [f"x{i}" for i in range(len(self.inputs))]

    @property
    def source(self) -> str:
        """The program as Python: names x0, x1, … for the inputs and v0, v1, … for what is computed."""
        names = self.parameters
        lines = [f"def program({', '.join(names)}):"]
        for i, s in enumerate(self.statements):
            params = [f"{key}={literal(value)}" for key, value in s.params.items()]
            names.append(f"v{i}")
            lines.append(
                f"    v{i} = {_spelling(s.op, s.params)}"
                f"({', '.join([*(str(_value(k, names)) for k in s.operands), *params])})"
            )
        lines.append(f"    return {names[-1]}")
        body = "\n".join(lines)
        tables = [t for t in ("COMPOSED", "REGISTRY") if f"{t}[" in body]
        return (f"from autograd_core.op import {', '.join(tables)}\n" if tables else "") + body

    def __repr__(self) -> str:
        arguments = "".join(f"\nx{i} = {literal(x)}" for i, x in enumerate(self.inputs))
        return f"{self.source}{arguments}"


def _value(operand: int | float, values: Any) -> Any:
    return values[operand] if isinstance(operand, int) else operand


def _function(name: str) -> Callable[..., Any]:
    return REGISTRY[name] if name in REGISTRY else COMPOSED[name].function


def _numpy(name: str, params: dict[str, Any]) -> Callable[..., Any] | None:
    """NumPy's function of that name, where ours answers for it and it takes these parameters."""
    theirs: Any = getattr(np, name, None)
    if NUMPY.get(theirs) is not _function(name):
        return None
    return theirs if not params or params.keys() <= inspect.signature(theirs).parameters.keys() else None


def _spelling(name: str, params: dict[str, Any]) -> str:
    """How a person calls it: NumPy's name where NumPy has one."""
    if _numpy(name, params):
        return f"np.{name}"
    return f"REGISTRY[{name!r}]" if name in REGISTRY else f"COMPOSED[{name!r}].function"


@dataclass(frozen=True)
class _Choice:
    name: str
    shapes: tuple[tuple[int, ...], ...]
    params: dict[str, Any]

    def takes(self, operands: Sequence[Any]) -> bool:
        """Whether parameters (an axis, an index) that were meant for the example's axes mean the same here."""
        return not self.params or all(np.ndim(x) == len(s) for x, s in zip(operands, self.shapes, strict=True))


@functools.lru_cache(maxsize=4)
def _choices(names: tuple[str, ...]) -> list[list[_Choice]]:
    """What a statement may call, entry by entry: all that takes one or two arrays of whatever shape.

    Whether an op takes the shapes at hand is found by trying, so that a new op needs to say nothing. The
    adjoints (scatter, fold) are left out: they take only what their partners give.
    """
    found: dict[str, dict[Any, _Choice]] = {}
    known = set(NUMPY.values())
    for name, entry in ((n, e) for n, e in entries() if n in names):
        if isinstance(entry, Op) and "shape" in entry.params and entry not in known:
            continue
        arity = entry.arity or 2 if isinstance(entry, Op) else None
        for given in examples_of(entry):
            count = len(given.inputs)
            if all(map(is_shape, given.inputs)) and count in (1, 2) and arity in (None, count):
                call = tuple(map(len, given.inputs)), literal(given.params)
                found.setdefault(name, {})[call] = _Choice(name, given.inputs, given.params)
    simple = ["add", "multiply", "tanh", "sum"]  # first, because hypothesis shrinks towards the first
    order = sorted(found, key=lambda name: simple.index(name) if name in simple else 9)
    return [sorted(found[name].values(), key=lambda c: len(c.params)) for name in order]


@st.composite
def programs(draw: Any, names: Sequence[str] | None = None, *, max_statements: int = 6, max_inputs: int = 3) -> Program:
    """Random programs of up to six statements, with sharing, broadcasting, reductions and reshapes.

    The statements are ops and composed functions of the table: of all, or of those in ``names``. A value used by
    several statements is shared. Values are led into the domain of the op that takes them by arctan, tanh and a
    square, so the numbers stay small and clear of poles. Statements that the result does not need are left out,
    so shrinking ends at the smallest graph.

    Parameters
    ----------
    names : sequence of str, optional
        Which entries of the table are called; by default all.
    max_statements : int
        The most statements, from 1 on.
    max_inputs : int
        The most arrays that a program begins with, from 1 on.

    Returns
    -------
    SearchStrategy
        It draws Programs.

    Raises
    ------
    TypeError
        If ``names`` is no list of names.
    ValueError
        For a name that is not there, or if none of them takes one or two arrays.

    Examples
    --------
    >>> from hypothesis import find
    >>> print(find(programs(), lambda p: p.statements[-1].op == "sum").source)
    def program(x0):
        v0 = np.sum(x0)
        return v0
    """
    choices = _choices(tuple(known(names)) if names is not None else (*REGISTRY, *COMPOSED))
    if not choices:
        raise ValueError(
            "names: expected at least one entry that takes one or two arrays of any shape, "
            f"got {', '.join(map(repr, names or ())) or 'none'}"
        )
    count = draw(st.integers(1, max_inputs))
    drawn = [draw(shapes(max_dims=2, min_side=1, max_side=3)) for _ in range(count)]
    left = iter(draw(distinct_integers(sum(int(np.prod(s)) for s in drawn))))
    inputs = [np.array([place(next(left), Domain()) for _ in range(int(np.prod(s)))]).reshape(s) for s in drawn]
    values: list[Any] = list(inputs)
    statements: list[Statement] = []
    for _ in range(draw(st.integers(1, max_statements))):
        choice = draw(st.sampled_from(draw(st.sampled_from(choices))))
        operands = tuple(draw(st.integers(0, len(values) - 1)) for _ in choice.shapes)
        _extend(statements, values, choice, operands)
    if not statements:
        _extend(statements, values, _Choice("tanh", ((),), {}), (0,))
    return needed(Program(tuple(inputs), tuple(statements)))


def _extend(statements: list[Statement], values: list[Any], choice: _Choice, operands: Sequence[int]) -> None:
    """Add a statement, and those that lead its operands into its domain, if the op takes them."""
    entry = REGISTRY[choice.name] if choice.name in REGISTRY else COMPOSED[choice.name]
    more, known = list(statements), list(values)

    def add(name: str, operands: tuple[int | float, ...], params: dict[str, Any] | None = None) -> int:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a result that is not a number, which the program does not keep
            given = [_value(i, known) for i in operands]
            result = _function(name)(*given, **(params or {}))
            theirs = _numpy(name, params or {})
            if theirs is not None:
                theirs(*given, **(params or {}))  # which refuses some shapes that ours would take
        if isinstance(result, list | tuple):
            raise TypeError(f"the result of {name}: expected one array, which a statement names, got {len(result)}")
        known.append(np.asarray(result))
        more.append(Statement(name, operands, params or {}))
        return len(known) - 1

    try:
        ready = []
        for operand, domain in zip(operands, domains_of(entry, len(operands)), strict=True):
            if np.any(np.abs(known[operand]) > LARGEST_VALUE):
                operand = add("arctan", (operand,))
            if domain != Domain():
                operand = _lead(add, operand, domain)
            ready.append(operand)
        if not choice.takes([known[i] for i in ready]):
            return
        add(choice.name, tuple(ready), choice.params)
        result = known[-1]
        fits = result.dtype.kind == "f" and 0 < result.size <= LARGEST_ARRAY
        # Not so with nan, next to a singular matrix, or where vectors of equal eigenvalues have no derivative.
        if (
            not fits
            or not _small(result)
            or not all(map(_small, _gradients(choice, [known[i] for i in ready], result)))
        ):
            return
    except Exception:  # whatever NumPy raises for shapes that do not fit
        return
    statements[:], values[:] = more, known


def _small(x: Any) -> bool:
    return bool(np.all(np.abs(x) < LARGEST_RESULT))


def _gradients(choice: _Choice, operands: Sequence[Any], result: Any) -> Sequence[Any]:
    """What arrives at each operand from a gradient that is another one for each number."""
    with np.errstate(all="ignore"):
        _, pull = vjp(functools.partial(_function(choice.name), **choice.params), *operands)
        return pull(np.cos(np.arange(result.size, dtype=float)).reshape(result.shape))


def _lead(add: Callable[..., int], operand: int, domain: Domain) -> int:
    """Statements that bring any number into a domain: (1/2 + tanh²x / 4) of a bounded one, 1/2 + x² beside an edge."""
    if domain.period or np.isfinite(domain.low + domain.high):
        operand = add("square", (add("tanh", (operand,)),))
        width = domain.period or domain.high - domain.low
        start = domain.kinks[0] if domain.period else domain.low
        return add("add", (add("multiply", (operand, width / 4)), start + width / 2))
    low = domain.low if np.isfinite(domain.low) else 0.0
    return add("add", (add("square", (operand,)), low + 0.5))


def needed(program: Program) -> Program:
    """The program without the statements and inputs that its result does not depend on."""
    count = len(program.inputs)
    keep = {count + len(program.statements) - 1}
    for position in range(len(program.statements) - 1, -1, -1):
        if count + position in keep:
            keep.update(k for k in program.statements[position].operands if isinstance(k, int))
    order = sorted(keep)
    renamed = {old: new for new, old in enumerate(order)}
    return Program(
        tuple(x for i, x in enumerate(program.inputs) if i in keep),
        tuple(
            replace(s, operands=tuple(_value(k, renamed) for k in s.operands))
            for i, s in enumerate(program.statements)
            if count + i in keep
        ),
    )
