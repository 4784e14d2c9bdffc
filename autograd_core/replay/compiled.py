"""Chains of arithmetic as one loop each, compiled by numba where it is installed (the extra ``fast``).

NumPy runs a chain call by call, and each writes an array, even if only a block of it that stays in cache. A compiled
loop takes every element through the whole chain at once, in registers. It does the same operations in the same
order, so the results have the same bits but for the sign of a NaN, and before it is used it has to show that. What is
lost are NumPy's warnings of overflows and divisions by zero.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..arrays import total
from ..caller import level_of_caller
from .calls import Call, Memory, Place
from .grouping import Unit
from .planning import Schedule
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

# The time to compile a loop grows with its length.
MANY = 100

# So many elements have to come out alike.
TRIED = 1000

# Whether a compilation is under way, which one that waits for it would wait for in vain in a process forked off.
_compiling: list[bool] = []
_forked_off: list[bool] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _forked_off.extend(_compiling))


@functools.cache
def available() -> bool:
    """Whether numba is installed."""
    try:
        return importlib.util.find_spec("numba") is not None
    except ValueError:  # something else stands in for it
        return False


def check(jit_compile: bool | str) -> None:
    """Whether that is a way to say when to compile; a warning where it is asked for and cannot be done."""
    if isinstance(jit_compile, str) and jit_compile == "auto":
        return
    if not isinstance(jit_compile, bool | np.bool_):
        raise ValueError(f'jit_compile is True, False or "auto", not {jit_compile!r}')
    if jit_compile and not available():
        warnings.warn(
            "jit_compile=True needs numba, which is not installed, so everything runs as it is, with the same results; "
            'pip install "autograd-core[fast]", or jit_compile="auto" to compile where it can be done',
            stacklevel=level_of_caller(),
        )


def with_loops(schedule: Schedule) -> Schedule:
    """``schedule`` with its longer chains of arithmetic compiled."""
    if _forked_off:
        return schedule
    _compiling.append(True)
    try:
        return _with_loops(schedule)
    finally:
        _compiling.pop()


def _with_loops(schedule: Schedule) -> Schedule:
    import numba

    if getattr(numba.config, "DISABLE_JIT", 0):  # its loops would be Python's
        return schedule
    keep = schedule.kept
    seen = Counter(m for unit in schedule.units for m in _memories(unit.calls))
    units = []
    for unit in schedule.units:
        memories = _memories(unit.calls)
        if memories & schedule.late:  # bound anew for each batch
            units.append(replace(unit))
        else:
            own = {m for m in memories if m.kind == "scratch" and seen[m] == 1 and m not in keep}
            units.append(_looped(unit, own))
    return replace(schedule, units=units)


def _memories(calls: list[Call]) -> set[Memory]:
    return {p.memory for call in calls for p in (*call.reads, *call.defined)}


def _looped(unit: Unit, own: set[Memory]) -> Unit:
    """``unit`` with each run of arithmetic in it as one call. ``own`` is scratch that nobody else sees."""
    runs = list(_runs(unit))
    touched = Counter(m for run in runs for m in _memories(run))
    calls: list[Call] = []
    for run in runs:
        loop = _loop(run, {m for m in own if touched[m] == 1}) if len(run) > FEW else None
        calls.extend(run if loop is None else [loop])
    if len(calls) == len(unit.calls):
        return replace(unit)
    if len(calls) == 1:  # a loop needs no blocks: its results in between are in registers
        return Unit(calls, lane=unit.lane, meetings=unit.meetings)
    return replace(unit, calls=calls, local=unit.local & _memories(calls))


def _runs(unit: Unit) -> Iterator[list[Call]]:
    """The calls of a unit in order, those together that one loop can do, and any other alone."""
    run: list[Call] = []
    touched: dict[Memory, set[Place]] = {}
    for call in unit.calls:
        places = [p for p in (*call.args, *call.results) if isinstance(p, Place)]
        joins = (
            0 < len(run) < MANY
            and _is_arithmetic(call)
            and _is_arithmetic(run[0])
            and (places[-1].shape, places[-1].dtype) == (run[0].defined[0].shape, run[0].defined[0].dtype)
            # Each element must meet only its own.
            and all(p == q or not p.overlaps(q) for p in places for q in touched.get(p.memory, ()))
        )
        if run and not joins:
            yield run
            run, touched = [], {}
        run.append(call)
        for p in places:
            touched.setdefault(p.memory, set()).add(p)
    yield run


def _is_arithmetic(call: Call) -> bool:
    """Whether a call is a formula over arrays of one shape and dtype, without gaps, and over numbers."""
    (result,) = call.results if len(call.results) == 1 else (None,)
    if call.function not in _FORMULAS or not elementwise(call) or result is None or not result.shape:
        return False
    return result.dtype.char in "fd" and all(
        isinstance(p, Place)
        and p.dtype == result.dtype
        and (not p.shape or (p.shape == result.shape and p.contiguous))
        and p.offset % p.dtype.itemsize == 0
        for p in (*call.args, result)
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
    """Whether the loop makes the bits that NumPy makes: of ordinary numbers, and of those at the edges."""
    rng = np.random.default_rng(0)
    edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-42, 1e30, -1e-30])
    for draw in (
        lambda shape: rng.uniform(0.5, 2, shape),
        lambda shape: np.where(rng.random(shape) < 0.5, rng.choice(edges, shape), rng.normal(size=shape)),
    ):
        arrays: dict[Place, Any] = {p: np.asarray(draw((TRIED,) if p.shape else ()), p.dtype) for p in places}
        mine = {p: value.copy() for p, value in arrays.items()}
        with np.errstate(all="ignore"):
            function(*mine.values())
            for call in run:
                arrays[call.defined[0]] = call.function(*(arrays[p] for p in call.args))
        if not all(_same_bits(mine[p], arrays[p]) for p in results):
            return False
    return True


def _same_bits(a: Any, b: Any) -> bool:
    """Whether two arrays are equal, -0.0 other than 0.0; a NaN is a NaN, whatever its sign."""
    known = ~np.isnan(b)
    return bool(np.all(np.isnan(a) == ~known) and a[known].tobytes() == b[known].tobytes())


@total
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
