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
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import total
from ..effects import elementwise
from ..ir import Buffer, BufferView, Group, Instruction, Kernel, Schedule

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

# Whether a compilation is under way: in a process forked off meanwhile, its lock is never released.
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


def with_loops(schedule: Schedule, first: Callable[[Schedule], Schedule] = lambda schedule: schedule) -> Schedule:
    """``schedule`` with its longer chains of arithmetic compiled; ``first`` is another pass that compiles."""
    if _forked_off:
        return schedule
    _compiling.append(True)
    try:
        return _with_loops(schedule, first)
    finally:
        _compiling.pop()


def _with_loops(schedule: Schedule, first: Callable[[Schedule], Schedule]) -> Schedule:
    import numba

    if getattr(numba.config, "DISABLE_JIT", 0):  # its loops would be Python's
        return schedule
    schedule = first(schedule)
    keep = schedule.kept
    seen = Counter(m for group in schedule.groups for m in _buffers(group.instructions))
    groups = []
    for group in schedule.groups:
        buffers = _buffers(group.instructions)
        if buffers & schedule.borrowed:  # bound anew for each batch
            groups.append(replace(group))
        else:
            own = {m for m in buffers if m.kind == "scratch" and seen[m] == 1 and m not in keep}
            groups.append(_looped(group, own))
    return replace(schedule, groups=groups)


def _buffers(instructions: list[Instruction]) -> set[Buffer]:
    return {p.buffer for inst in instructions for p in (*inst.reads, *inst.defined)}


def _looped(group: Group, own: set[Buffer]) -> Group:
    """``group`` with each run of arithmetic in it as one instruction. ``own`` is scratch that no other group sees."""
    runs = list(_runs(group))
    touched = Counter(m for run in runs for m in _buffers(run))
    instructions: list[Instruction] = []
    for run in runs:
        loop = _loop(run, {m for m in own if touched[m] == 1}) if len(run) > FEW else None
        instructions.extend(run if loop is None else [loop])
    if len(instructions) == len(group.instructions):
        return replace(group)
    if len(instructions) == 1:  # a loop needs no blocks: its results in between are in registers
        return Group(instructions, worker=group.worker, barriers=group.barriers)
    return replace(group, instructions=instructions, local=group.local & _buffers(instructions))


def _runs(group: Group) -> Iterator[list[Instruction]]:
    """The instructions of a group in order, those together that one loop can do, and any other alone."""
    run: list[Instruction] = []
    touched: dict[Buffer, set[BufferView]] = {}
    for inst in group.instructions:
        views = [p for p in (*inst.args, *inst.results) if isinstance(p, BufferView)]
        joins = (
            0 < len(run) < MANY
            and _is_arithmetic(inst)
            and _is_arithmetic(run[0])
            and (views[-1].shape, views[-1].dtype) == (run[0].defined[0].shape, run[0].defined[0].dtype)
            # Each element must be computed from its own only.
            and all(p == q or not p.overlaps(q) for p in views for q in touched.get(p.buffer, ()))
        )
        if run and not joins:
            yield run
            run, touched = [], {}
        run.append(inst)
        for p in views:
            touched.setdefault(p.buffer, set()).add(p)
    yield run


def _is_arithmetic(inst: Instruction) -> bool:
    """Whether an instruction is a formula over arrays of one shape and dtype, without gaps, and over numbers."""
    (result,) = inst.results if len(inst.results) == 1 else (None,)
    if inst.function not in _FORMULAS or not elementwise(inst) or result is None or not result.shape:
        return False
    return result.dtype.char in "fd" and all(
        isinstance(p, BufferView)
        and p.dtype == result.dtype
        and (not p.shape or (p.shape == result.shape and p.contiguous))
        and p.offset % p.dtype.itemsize == 0
        for p in (*inst.args, result)
    )


def _loop(run: list[Instruction], own: set[Buffer]) -> Instruction | None:
    """A run of arithmetic as one instruction; None if the compiler does otherwise than NumPy."""
    values: dict[BufferView, str] = {}  # the variable that has a view's element now
    given: list[BufferView] = []
    lines = []
    for n, inst in enumerate(run):
        for p in inst.args:
            if p not in values:
                values[p] = f"x{len(given)}"
                given.append(p)
        (result,) = inst.results
        assert result is not None
        lines.append(f"v{n} = {_FORMULAS[inst.function].format(*(values[p] for p in inst.args))}")
        values[result] = f"v{n}"
    made = dict.fromkeys(p for inst in run for p in inst.defined)
    results = [p for p in made if p.buffer not in own]
    if not results:
        return None
    # What is read and written is one argument: of two the compiler would have to ask whether they are the same.
    views = list(dict.fromkeys([*given, *results]))
    function = _compile(_source(views, given, lines, {p: values[p] for p in results}))
    if not _agrees(function, run, views, results):
        return None
    loop = Loop(function, len(run))
    return Instruction(loop, tuple(views), {}, (), tuple(results), run[0].where, reads=tuple(given))


def _source(views: list[BufferView], given: list[BufferView], lines: list[str], stored: dict[BufferView, str]) -> str:
    """A loop over arrays of one axis; numbers come as arrays without axes."""
    names = {p: f"array{n}" for n, p in enumerate(views)}
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


def _agrees(
    function: Callable[..., None], run: list[Instruction], views: list[BufferView], results: list[BufferView]
) -> bool:
    """Whether the loop makes the bits that NumPy makes: of ordinary numbers, and of those at the edges."""
    rng = np.random.default_rng(0)
    edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-42, 1e30, -1e-30])
    for draw in (
        lambda shape: rng.uniform(0.5, 2, shape),
        lambda shape: np.where(rng.random(shape) < 0.5, rng.choice(edges, shape), rng.normal(size=shape)),
    ):
        arrays: dict[BufferView, Any] = {p: np.asarray(draw((TRIED,) if p.shape else ()), p.dtype) for p in views}
        mine = {p: value.copy() for p, value in arrays.items()}
        with np.errstate(all="ignore"):
            function(*mine.values())
            for inst in run:
                arrays[inst.defined[0]] = inst.function(*(arrays[p] for p in inst.args))
        if not all(_same_bits(mine[p], arrays[p]) for p in results):
            return False
    return True


def _same_bits(a: Any, b: Any) -> bool:
    """Whether two arrays are equal, -0.0 other than 0.0; a NaN is a NaN, whatever its sign."""
    known = ~np.isnan(b)
    return bool(np.all(np.isnan(a) == ~known) and a[known].tobytes() == b[known].tobytes())


@total
class Loop(Kernel):
    """So many instructions as one compiled loop."""

    def __init__(self, function: Callable[..., None], instructions: int):
        self.function = function
        self.__name__ = f"loop of {instructions}"

    def __call__(self, *arrays: Any) -> None:
        self.bind(*arrays)()

    def bind(self, *arrays: Any) -> Callable[[], None]:
        """The loop over these arrays, ready to go."""
        return functools.partial(self.function, *(a.reshape(-1) if a.ndim else a for a in arrays))
