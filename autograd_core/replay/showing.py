"""A schedule as text: what runs, on what, into which buffer, and what was put together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .planning import Schedule, Unit
from .recording import Call, Memory, Place, copied


def text(schedule: Schedule) -> str:
    """One line for each call, with its buffers by their place in the arena, and the line it came from."""
    names = _Names(schedule)
    calls = sum(len(unit.calls) for unit in schedule.units)
    lines = [f"{schedule.recorded} calls recorded, {calls} left; {_bytes(schedule.size)} of scratch in one arena"]
    for n, unit in enumerate(schedule.units):
        lines.extend(f"     goes on if {names.of(g.condition)} is {g.expected}" for g in schedule.asked.get(n, []))
        if unit.rows:
            blocks = -(-unit.rows // unit.step)
            lines.append(f"     {blocks} blocks of {unit.step} {'elements' if unit.flat else 'rows'}, each through")
        lines.extend(_line(names, unit, call) for call in unit.calls)
    lines.append("returns " + (", ".join(names.of(p) for p in schedule.outputs) or "nothing"))
    return "\n".join(lines)


def _line(names: _Names, unit: Unit, call: Call) -> str:
    name = "copy" if call.function is copied else getattr(call.function, "__name__", "call")
    args = ", ".join(names.of(a) for a in (*call.args, *call.kwargs.values()))
    into = ", ".join(names.of(p) for p in call.defined)
    file, line = call.where
    where = f"  # {Path(file).name}:{line}" if file else ""
    return f"{'   | ' if unit.rows else '     '}{into:<28} = {name}({args}){where}"


class _Names:
    """What the memories of a schedule are called: x for inputs, s for state, and scratch by where it lies."""

    def __init__(self, schedule: Schedule):
        self.schedule = schedule
        self.names = {p.memory: f"x{i}" for i, p in enumerate(schedule.inputs)}
        self.names.update({m: f"s{i}" for i, m in enumerate(schedule.states)})

    def of(self, value: Any) -> str:
        if isinstance(value, Place):
            if value.memory.kind == "constant":
                return f"{value.memory.array.item():.6g}" if not value.shape else f"constant{list(value.shape)}"
            return f"{self._memory(value.memory)}{list(value.shape)}"
        if isinstance(value, list | tuple):
            return f"({', '.join(self.of(v) for v in value)})"
        return repr(value)

    def _memory(self, memory: Memory) -> str:
        return self.names.get(memory) or f"@{self.schedule.offsets.get(memory, 0)}"


def _bytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size} bytes"
