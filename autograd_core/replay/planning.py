"""The second room: from what was recorded to what is run.

Each pass takes the calls and gives fewer, or puts them together, or says where their results lie. All of them only
read places: none knows an op, a layer or a shape that somebody trains.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .calls import Guard, Memory, Place, may_fail
from .folding import fold
from .grouping import Unit, cut, early, group, side_by_side
from .lanes import spread
from .placing import Change, allocate, apart, changes_of, reuse_operands
from .recording import Recording
from .simplifying import alive, changes_last, in_place_state, renamed_in, share, typed, without_copies, without_joining

# An input of more bytes than this is not copied into the program's own memory; the few calls that read it are
# bound anew instead.
COPIED_INPUT = 1 << 18


@dataclass(eq=False)
class Schedule:
    """What a program runs, and where in one arena each scratch memory lies."""

    units: list[Unit]
    guards: list[Guard]
    outputs: list[Place]
    inputs: list[Place]
    states: list[Memory]
    generators: list[Any]
    recorded: int  # how many calls there were before planning
    written: set[Memory]  # inputs that are written to
    lanes: int = 1  # how many threads run it together
    asked: dict[int, list[Guard]] = field(init=False)  # by how many units ran before; none changes state or draws
    offsets: dict[Memory, int] = field(init=False)
    size: int = field(init=False)
    changes: list[Change] = field(init=False)
    saved: list[Place] = field(init=False)  # state that is changed while an error or a guard may still end the run
    drawn: bool = field(init=False)  # whether random numbers are drawn until then
    late: set[Memory] = field(init=False)  # large inputs, which are read where the caller has them

    def __post_init__(self) -> None:
        keep = self.kept
        apart(self.units, keep)
        self.asked = _asked(self.units, self.guards)
        self.offsets, self.size = allocate(self.units, keep)
        self.changes = changes_of(self.units, self.outputs)
        failing = (i for i, unit in enumerate(self.units, 1) if any(map(may_fail, unit.calls)))
        end = max([0, *self.asked, *failing])
        self.saved = [change.place for change in self.changes if change.first < end]
        self.drawn = any(call.pinned for unit in self.units[:end] for call in unit.calls)
        self.late = {p.memory for p in self.inputs if p.memory.size > COPIED_INPUT} - self.written

    @property
    def kept(self) -> set[Memory]:
        """What is looked at after the last call."""
        return {p.memory for p in self.outputs} | {g.condition.memory for g in self.guards} | self.written


def plan(recording: Recording, outputs: list[Place]) -> Schedule:
    """The schedule for a recording whose results are at ``outputs``."""
    guards = recording.guards
    numbers: dict[Any, Place] = {}
    ordered = [typed(call, numbers) for call in changes_last(recording.calls, guards)]
    keep = {p.memory for p in outputs} | {g.condition.memory for g in guards} | recording.written
    renamed: dict[Memory, tuple[Memory, int]] = {}
    ordered = fold(ordered, numbers, renamed)
    ordered = share(without_copies(ordered, keep, renamed), renamed)
    outputs = [renamed_in(p, renamed) for p in outputs]
    guards = [replace(g, condition=renamed_in(g.condition, renamed)) for g in guards]
    keep = {p.memory for p in outputs} | {g.condition.memory for g in guards} | recording.written
    ordered = alive(without_joining(ordered, keep), keep)
    ordered = in_place_state(ordered, keep)
    units = group(ordered)
    units = side_by_side(early(units, max(_asked(units, guards), default=0)), keep)
    cut(units, keep)
    reuse_operands(units, keep)
    generators = [generator for generator, _ in recording.generators.values()]
    states, written = recording.states, recording.written
    return Schedule(units, guards, outputs, recording.inputs, states, generators, len(recording.calls), written)


def shared_out(schedule: Schedule, lanes: int) -> Schedule:
    """The schedule for at most so many threads. Products that are cut may differ in the last digit."""
    units = [replace(unit) for unit in schedule.units]
    units = spread(units, lanes, {max(n - 1, 0) for n in schedule.asked})
    return replace(schedule, units=units, lanes=max((unit.lane for unit in units), default=0) + 1)


def _asked(units: list[Unit], guards: list[Guard]) -> dict[int, list[Guard]]:
    """Each guard by how many units have run when it can be asked: at once, since what follows may rely on it."""
    asked: dict[int, list[Guard]] = {}
    for guard in guards:
        memory = guard.condition.memory
        made = (i for i, unit in enumerate(units, 1) if any(p.memory is memory for p in unit.writes))
        asked.setdefault(max(made, default=0), []).append(guard)
    return asked
