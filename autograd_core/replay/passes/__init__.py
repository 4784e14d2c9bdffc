"""From what was recorded to what is run: passes, each of which makes of one schedule another.

All of them only read views of buffers: none knows an op or a layer. `optimize` is their
one driver. What is not part of the core, threads and compiled loops, registers its pass here for a later stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from .. import memory
from ..ir import BufferView, Group, Schedule
from ..tape import Recording
from .fold import fold_constants
from .fuse import fuse, fuse_horizontally, tile
from .order import hoist_state_changes, sink_state_changes
from .simplify import (
    elide_concatenations,
    elide_copies,
    eliminate_common_subexpressions,
    eliminate_dead_code,
    promote_scalars,
    update_in_place,
)

Pass = Callable[[Schedule], Schedule]

# What every program goes through, in this order.
PASSES: tuple[Pass, ...] = (
    sink_state_changes,
    promote_scalars,
    fold_constants,
    elide_copies,
    eliminate_common_subexpressions,
    elide_concatenations,
    eliminate_dead_code,
    update_in_place,
    # From here on in groups.
    fuse,
    hoist_state_changes,
    fuse_horizontally,
    tile,
    memory.reuse_operands,
)

# What says where everything lies; last, and again after each later pass.
LAYOUT: tuple[Pass, ...] = (memory.split_buffers, memory.allocate, memory.protect_state)


class Stage(Enum):
    """When a registered pass is applied; a program is made anew of what it gives."""

    PROVED = auto()  # the program has given what the function gives
    HOT = auto()  # it has run for so long that it will run for longer


@dataclass(frozen=True)
class Extension:
    """A pass from outside of the core, and whether it can do something here.

    It is left out where `replay` was told to be ``exact``, so it may change the last digits of results.
    """

    name: str
    stage: Stage
    apply: Pass
    available: Callable[[], bool] = lambda: True


_extensions: dict[str, Extension] = {}


def register(extension: Extension) -> None:
    """Add a pass from outside of the core; one of the same name is replaced."""
    _extensions[extension.name] = extension


def registered(stage: Stage) -> list[Extension]:
    """The passes from outside for a stage that can do something here."""
    return [e for e in _extensions.values() if e.stage is stage and e.available()]


def optimize(schedule: Schedule, passes: tuple[Pass, ...] = PASSES) -> Schedule:
    """The schedule after these passes, laid out in memory: the one driver of all passes."""
    for each in (*passes, *LAYOUT):
        schedule = each(schedule)
    return schedule


def lower(recording: Recording, outputs: list[BufferView]) -> Schedule:
    """A recording whose results are at ``outputs`` as a schedule, before any pass."""
    return Schedule(
        groups=[Group([inst]) for inst in recording.instructions],
        guards=recording.guards,
        outputs=outputs,
        inputs=recording.inputs,
        states=recording.states,
        generators=[generator for generator, _ in recording.generators.values()],
        written=recording.written,
        recorded=len(recording.instructions),
    )


def refine(schedule: Schedule, stage: Stage) -> Schedule:
    """The schedule after the passes that are registered for a stage."""
    schedule = optimize(schedule, tuple(extension.apply for extension in registered(stage)))
    return replace(schedule, hot=schedule.hot or stage is Stage.HOT)
