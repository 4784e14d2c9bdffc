"""A schedule for people: which line of the program became which calls, and which buffer each writes into."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .effects import REDUCTIONS, copied, elementwise
from .ir import Buffer, BufferView, Group, Guard, Instruction, Kernel, Schedule, array_at, bytes_of

WIDTH = 80

Names = Mapping[Buffer, str]


def text(schedule: Schedule, names: Names) -> str:
    """The calls under the lines that they came from, in 80 columns.

    Inputs are ``x0, x1, …``, constants ``c0, c1, …``, and state has its own names. ``@64[8, 3]`` is an array of that
    shape in scratch, from byte 64 of the arena on; ``x0@64[8, 3]`` one from byte 64 of ``x0`` on. ``.T`` is a transpose
    and ``.mT`` one of the last two axes; ``.view`` walks through memory in some other way: backwards, in steps, or over
    the same elements several times. Where several threads share the work, ``0:`` and ``1:`` say which makes a call.
    """
    compiled, schedule = schedule, spelled_out(schedule)
    words = Words(schedule, names)
    lines = [summary(schedule)]
    at = None
    for row in rows_of(schedule):
        if row.instruction is None:
            lines.append(f"    {words.row(row)}")
            continue
        if row.instruction.where != at:
            at = row.instruction.where
            lines.append(source_line(*at))
        if row.group.rows and row.instruction is row.group.instructions[0]:
            lines.append(f"    {blocks_of(row.group)}, each through all of")
        worker = f"{row.group.worker}: " if schedule.workers > 1 else ""
        lines.append(f"    {worker}{'| ' if row.group.rows else ''}{words.row(row)}")
    lines.append(words.returned())
    lines += [f"compiled as {inst.function.__name__}" for inst in compiled.instructions if compiled is not schedule]
    return "\n".join(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in lines)


def spelled_out(schedule: Schedule) -> Schedule:
    """The calls that a schedule was compiled from, where it is one function now; else as it is."""
    functions: Iterator[Any] = (inst.function for inst in schedule.instructions)
    return next((f.made_of for f in functions if isinstance(f, Kernel) and f.made_of is not None), schedule)


@dataclass(frozen=True)
class Row:
    """Something that happens: a call, a question, or else a barrier, where all workers wait for each other."""

    group: Group
    instruction: Instruction | None = None
    guard: Guard | None = None

    @property
    def views(self) -> Sequence[BufferView]:
        """What is read and written."""
        if self.instruction is not None:
            return (*self.instruction.reads, *self.instruction.defined)
        return () if self.guard is None else (self.guard.condition,)


def rows_of(schedule: Schedule) -> Iterator[Row]:
    """All that happens, in an order in which a single thread can do it."""
    for n, group in enumerate(schedule.groups):
        yield from (Row(group, guard=guard) for guard in schedule.guards_after.get(n, []))
        if n and group.barriers != schedule.groups[n - 1].barriers:
            yield Row(group)
        yield from (Row(group, inst) for inst in group.instructions)
    if schedule.groups:
        last = schedule.guards_after.get(len(schedule.groups), [])
        yield from (Row(schedule.groups[-1], guard=guard) for guard in last)


def summary(schedule: Schedule) -> str:
    left = len(schedule.instructions)
    return f"{schedule.recorded} calls recorded, {left} left; {size_of(schedule.size)} of scratch in one arena"


def times(schedule: Schedule, seconds: Sequence[float]) -> str:
    """Milliseconds by the kind of call, the largest first."""
    kinds: dict[str, float] = {}
    for group, time in zip(schedule.groups, seconds, strict=True):
        kinds[_kind(group)] = kinds.get(_kind(group), 0.0) + 1e3 * time
    total = sum(kinds.values())
    lines = [f"{total:9.3f} ms        altogether"]
    for kind, time in sorted(kinds.items(), key=lambda item: -item[1]):
        lines.append(f"{time:9.3f} ms {time / total:5.0%}  {kind}")
    return "\n".join(lines)


def _kind(group: Group) -> str:
    first = group.instructions[0]
    if first.function is np.matmul:
        return "products"
    if first.function in (copied, np.reshape, np.concatenate) and len(group.instructions) == 1:
        return "copies"
    if elementwise(first) or isinstance(first.function, Kernel):
        return "chains"  # of elementwise calls, or one
    return "reductions" if first.function in REDUCTIONS else "others"


class Words:
    """Calls and arrays in a few words."""

    def __init__(self, schedule: Schedule, names: Names):
        self.schedule = schedule
        self.names = {p.buffer: f"x{i}" for i, p in enumerate(schedule.inputs)}
        self.names.update({m: f"s{i}" for i, m in enumerate(schedule.states)})
        self.names.update(_told_apart(names))
        self._constants = (f"c{i}" for i in itertools.count())

    def row(self, row: Row) -> str:
        """What happens, in one line."""
        if row.instruction is not None:
            return self.instruction(row.instruction)
        if row.guard is not None:
            return f"go on if {self.of(row.guard.condition)} is {row.guard.expected}"
        return "all workers wait for each other"

    def returned(self) -> str:
        """The last line."""
        return "return " + (", ".join(self.of(p) for p in self.schedule.outputs) or "nothing")

    def instruction(self, inst: Instruction) -> str:
        """``@0[8, 3] = matmul(x0[8, 4], kernel[4, 3])``."""
        name = "copy" if inst.function is copied else getattr(inst.function, "__name__", "call")
        owner = getattr(inst.function, "__self__", None)
        if isinstance(owner, np.ufunc):
            name = f"{owner.__name__}.{name}"
        args = [*map(self.of, inst.args), *(f"{key}={self.of(value)}" for key, value in inst.kwargs.items())]
        return f"{', '.join(self.of(p) for p in inst.defined)} = {name}({', '.join(args)})"

    def of(self, value: Any) -> str:
        """An operand."""
        if isinstance(value, BufferView):
            return self._view(value)
        if isinstance(value, list | tuple):
            return f"({', '.join(self.of(v) for v in value)}{',' * (len(value) == 1)})"
        if isinstance(value, np.generic):
            return str(value)
        return value.__name__ if isinstance(value, type) else repr(value)

    def _view(self, view: BufferView) -> str:
        """Whose memory, from which byte on, walked through how, and the shape."""
        buffer = view.buffer
        if buffer.kind == "constant" and not view.shape:
            return f"{array_at(view, bytes_of(buffer.array)).item():.6g}"
        if buffer.kind == "scratch":
            where = f"@{self.schedule.offsets[buffer] + view.offset}"
        else:
            if buffer not in self.names:
                self.names[buffer] = next(self._constants)
            where = self.names[buffer] + (f"@{view.offset}" if view.offset else "")
        return f"{where}{_walk(view)}{list(view.shape)}"


def _walk(view: BufferView) -> str:
    """How the elements lie: one after another, as those of a transpose, or otherwise."""
    if view.contiguous or 0 in view.shape:
        return ""
    order = list(range(len(view.shape)))
    for name, axes in ((".T", order[::-1]), (".mT", [*order[:-2], *order[:-3:-1]])):
        shape, strides = (tuple(of[a] for a in axes) for of in (view.shape, view.strides))
        if replace(view, shape=shape, strides=strides).contiguous:
            return name
    return ".view"


def _told_apart(names: Names) -> dict[Buffer, str]:
    """The names, with a number behind one that another memory has already."""
    taken, found = set(names.values()), {}
    given: set[str] = set()
    for buffer, name in names.items():
        numbered = (f"{name}_{n}" for n in itertools.count(1))
        one = name if name not in given else next(new for new in numbered if new not in taken)
        found[buffer] = one
        given.add(one)
        taken.add(one)
    return found


def source_line(file: str, line: int) -> str:
    """``step.py:6  loss = np.mean(…)``."""
    return f"{Path(file).name}:{line}  {linecache.getline(file, line).strip()}" if file else "outside of any line"


def blocks_of(group: Group) -> str:
    count = -(-group.rows // group.block)
    return f"{count} block{'s' * (count > 1)} of {group.block} {'elements' if group.flat else 'rows'}"


def size_of(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size} bytes"
