"""Chains of arithmetic as one loop each, compiled by numba where it is installed (the extra ``fast``).

NumPy runs a chain call by call, and each writes an array, even if only a block of it that stays in cache. A compiled
loop takes every element through the whole chain at once, in registers. It does the same operations in the same
order, so the results have the same bits, and before it is used it has to show that. What is lost are NumPy's warnings
of overflows and divisions by zero.
"""

from __future__ import annotations

import functools
import importlib.util
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .calls import Call, Memory, Place
from .grouping import Unit, same
from .planning import COPIED_INPUT, Schedule
from .simplifying import elementwise

# How each is written for one element; all are rounded as IEEE 754 says, so there is one right result.
_FORMULAS: dict[Any, str] = {
    np.add: "{} + {}",
    np.subtract: "{} - {}",
    np.multiply: "{} * {}",
    np.divide: "{} / {}",
    np.negative: "-{}",
    np.square: "{0} * {0}",
    np.sqrt: "sqrt({})",
    np.absolute: "abs({})",
}

# NumPy needs as long as a compiled loop for so few calls: they are done before memory has brought the operands.
FEW = 3

# So many elements, with infinities and zeros among them, have to come out alike.
TRIED = 1000


@functools.cache
def available() -> bool:
    """Whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def check(jit_compile: bool | str) -> None:
    """Whether that is a way to say when to compile; a warning where it is asked for and cannot be done."""
    if jit_compile not in (True, False, "auto"):
        raise ValueError(f'jit_compile is True, False or "auto", not {jit_compile!r}')
    if jit_compile is True and not available():
        warnings.warn(
            "jit_compile=True needs numba, which is not installed, so everything runs as it is, with the same results; "
            'pip install "autograd-core[fast]", or jit_compile="auto" to compile where it can be done',
            stacklevel=3,
        )


def with_loops(schedule: Schedule) -> Schedule:
    """``schedule`` with its longer chains of arithmetic compiled."""
    keep = {p.memory for p in schedule.outputs} | {g.condition.memory for g in schedule.guards}
    seen = Counter(m for unit in schedule.units for m in {p.memory for p in (*unit.reads, *unit.writes)})
    late = {p.memory for p in schedule.inputs if p.memory.size > COPIED_INPUT}
    units = []
    for unit in schedule.units:
        memories = {p.memory for p in unit.writes} if not any(p.memory in late for p in unit.reads) else ()
        own = {m for m in memories if m.kind == "scratch" and seen[m] == 1 and m not in keep}
        units.append(_looped(unit, own) if memories else replace(unit))
    return replace(schedule, units=units)


def _looped(unit: Unit, own: set[Memory]) -> Unit:
    """``unit`` with each run of arithmetic in it as one call. ``own`` is scratch that nobody else sees."""
    calls: list[Call] = []
    runs = list(_runs(unit))
    for n, run in enumerate(runs):
        rest = {
            p.memory for other in (*runs[:n], *runs[n + 1 :]) for call in other for p in (*call.reads, *call.defined)
        }
        loop = _loop(run, own - rest) if len(run) > FEW else None
        calls.extend(run if loop is None else [loop])
    if len(calls) == len(unit.calls):
        return replace(unit)
    local = unit.local & {p.memory for call in calls for p in (*call.reads, *call.defined)}
    cut = len(calls) > 1
    return replace(unit, calls=calls, local=local, rows=unit.rows * cut, step=unit.step * cut, flat=unit.flat and cut)


def _runs(unit: Unit) -> Iterator[list[Call]]:
    """The calls of a unit, neighbours that one loop can do together."""
    run: list[Call] = []
    for call in unit.calls:
        if run and not (_is_arithmetic(call) and _is_arithmetic(run[0]) and _alike(run, call)):
            yield run
            run = []
        run.append(call)
    yield run


def _is_arithmetic(call: Call) -> bool:
    """Whether a call is a formula over arrays of one shape and dtype, without gaps, and over numbers."""
    (result,) = call.results if len(call.results) == 1 else (None,)
    if call.function not in _FORMULAS or not elementwise(call) or result is None or not result.shape:
        return False
    if result.dtype.char not in "fd" or result.offset % result.dtype.itemsize:
        return False
    return all(
        isinstance(p, Place)
        and p.dtype == result.dtype
        and (not p.shape or (p.shape == result.shape and p.contiguous))
        and p.offset % p.dtype.itemsize == 0
        for p in (*call.args, result)
    )


def _alike(run: list[Call], call: Call) -> bool:
    """Whether elements of ``call`` meet only their own in the calls before it."""
    result = call.results[0]
    before = [p for c in run for p in (*c.reads, *c.defined)]
    first = run[0].results[0]
    assert result is not None
    assert first is not None
    return (result.shape, result.dtype) == (first.shape, first.dtype) and all(
        same(p, q) or not p.overlaps(q) for p in (*call.reads, result) for q in (*before, result)
    )


def _loop(run: list[Call], own: set[Memory]) -> Call | None:
    """A run of arithmetic as one call; None if the compiler does otherwise than NumPy."""
    values: dict[Place, str] = {}  # the variable that has a place's element now
    given: list[Place] = []
    lines = []
    for n, call in enumerate(run):
        for p in call.args:
            if p not in values:
                values[p] = f"x{len(given)}"
                given.append(p)
        (result,) = call.results
        assert result is not None
        lines.append(f"v{n} = {_FORMULAS[call.function].format(*(values[p] for p in call.args))}")
        values[result] = f"v{n}"
    made = dict.fromkeys(p for call in run for p in call.defined)
    results = [p for p in made if p.memory not in own]
    if not results:
        return None
    # What is read and written is one argument: of two the compiler would have to ask whether they are the same.
    places = list(dict.fromkeys([*given, *results]))
    function = _compile(_source(places, given, lines, {p: values[p] for p in results}))
    if not _agrees(function, run, places, results):
        return None
    loop = Loop(function, len(run))
    return Call(loop, tuple(places), {}, (), tuple(results), run[0].where, reads=tuple(given))


def _source(places: list[Place], given: list[Place], lines: list[str], stored: dict[Place, str]) -> str:
    """A loop over arrays of one axis; numbers come as arrays without axes."""
    names = {p: f"array{n}" for n, p in enumerate(places)}
    loads = [(p.shape, f"x{n} = {names[p]}") for n, p in enumerate(given)]
    return "\n".join(
        [
            f"def loop({', '.join(names.values())}):",
            *(f"    {load}[()]" for shape, load in loads if not shape),
            f"    for i in range({names[next(iter(stored))]}.size):",
            *(f"        {load}[i]" for shape, load in loads if shape),
            *(f"        {line}" for line in lines),
            *(f"        {names[p]}[i] = {value}" for p, value in stored.items()),
        ]
    )


@functools.lru_cache(maxsize=256)
def _compile(source: str) -> Callable[..., None]:
    import numba

    names: dict[str, Any] = {"sqrt": np.sqrt}
    exec(source, names)  # the lines above and nothing else
    function: Callable[..., None] = numba.njit(nogil=True, error_model="numpy")(names["loop"])
    return function


def _agrees(function: Callable[..., None], run: list[Call], places: list[Place], results: list[Place]) -> bool:
    """Whether the loop makes the bits that NumPy makes, of numbers of all sizes and of what is not finite."""
    rng = np.random.default_rng(0)
    arrays: dict[Place, Any] = {}
    for p in places:
        shape = (TRIED,) if p.shape else ()
        drawn = rng.normal(size=shape) * 10.0 ** rng.integers(-30, 30, shape)
        value = np.where(rng.random(shape) < 0.1, rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan], shape), drawn)
        arrays[p] = np.asarray(value, p.dtype)
    mine = {p: value.copy() for p, value in arrays.items()}
    with np.errstate(all="ignore"):
        function(*mine.values())
        for call in run:
            (result,) = call.results
            assert result is not None
            arrays[result] = call.function(*(arrays[p] for p in call.args))
    known = {p: ~np.isnan(arrays[p]) for p in results}
    return all(
        np.array_equal(mine[p], arrays[p], equal_nan=True)
        and np.array_equal(np.copysign(1, mine[p])[known[p]], np.copysign(1, arrays[p])[known[p]])
        for p in results
    )


class Loop:
    """So many calls as one compiled loop."""

    def __init__(self, function: Callable[..., None], calls: int):
        self.function = function
        self.__name__ = f"loop of {calls}"

    def __call__(self, *arrays: Any) -> None:
        self.step(*arrays)()

    def step(self, *arrays: Any) -> Callable[[], None]:
        """The loop over these arrays, ready to go."""
        return functools.partial(self.function, *(a.reshape(-1) if a.ndim else a for a in arrays))
