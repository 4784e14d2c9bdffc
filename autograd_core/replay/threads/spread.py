"""Which instructions run beside each other: workers, one thread each, and the barriers where they wait for each other.

Large groups are cut along their first axis, a part for each worker; any other goes to the worker that made what it
needs, or to the one that has least to do. Only where a group needs what several workers made since the last barrier
comes another one first. So a worker that runs a batch's first half goes on with it through elementwise calls, pooling
and convolutions, and no layer has to know of it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .. import blas
from ..effects import changes_state, may_raise
from ..ir import Buffer, BufferView, Group, Schedule
from . import parallel
from .cut import in_parts

if TYPE_CHECKING:
    from ..execute import Program

# Times in microseconds by rule of thumb. They decide what runs where, never what is computed.
FLOPS, BYTES, CALL = 1e5, 2e4, 1.0  # multiply-adds count twice; bytes are read or written

SHORT = 1000  # a program that would save less runs in one thread: to start another takes 50 to 150
LARGE = 300  # a group that takes more is cut
IDLE = 200  # rather a barrier than that one worker waits so long
BARRIER = 400  # what a barrier costs, with the time until the slower worker is there


def spread(schedule: Schedule) -> Schedule:
    """The schedule for as many workers as are worth it. Products that are cut may differ in the last digit.

    The order stays one in which a single thread can run it. Where workers save less than they cost there is one, and
    products keep the library's own threads.
    """
    groups = spread_over(schedule, parallel.workers())
    workers = max((group.worker for group in groups), default=0) + 1
    return replace(schedule, groups=groups, workers=workers, runner=Workers if workers > 1 else None)


def spread_over(schedule: Schedule, workers: int) -> list[Group]:
    """The groups of a schedule with the large ones cut, each with its worker and how many barriers come before it."""
    groups = schedule.groups
    large = [group for group in groups if time_of(group) > LARGE]
    saved = sum(time_of(group) - products_in(group) for group in large) * (1 - 1 / workers)
    if workers < 2 or saved <= SHORT:
        return groups
    asked_after = {max(n - 1, 0) for n in schedule.guards_after}  # the positions of the groups before guards
    found: list[Group] = []
    barriers, since = 0, _Since(workers)
    for i, group in enumerate(groups):
        parts = in_parts(group, workers) if time_of(group) > LARGE and i not in asked_after else []
        needs = [since.needed_by(part) for part in parts or [group]]
        if parts:
            worker = 0
            wait = any(need.keys() - {worker} for worker, need in enumerate(needs))
        else:
            (need,) = needs
            worker = min(need or range(workers), key=since.busy.__getitem__)
            idle = since.busy[worker] - max(min(since.busy), need.get(worker, 0))
            wait = len(need) > 1 or (len(need) == 1 and idle > IDLE)
        if wait:
            barriers, since, worker = barriers + 1, _Since(workers), 0
        for n, part in enumerate(parts or [group]):
            part = replace(part, worker=n if parts else worker, barriers=barriers)
            since.add(part, i in asked_after)
            found.append(part)
    return groups if saved <= SHORT + BARRIER * barriers else found


class _Since:
    """What each worker has done since the last barrier."""

    def __init__(self, workers: int):
        self.busy = [0.0] * workers  # until when
        self._touched: dict[Buffer, list[tuple[BufferView, bool, int, float]]] = {}
        self._failing: dict[int, float] = {}
        self._draws: dict[int, float] = {}

    def add(self, group: Group, asked: bool = False) -> None:
        """Note a group with its worker; ``asked`` if a guard is asked after it."""
        worker = group.worker
        self.busy[worker] += time_of(group)
        for view, written in (*((p, False) for p in group.reads), *((p, True) for p in group.writes)):
            self._touched.setdefault(view.buffer, []).append((view, written, worker, self.busy[worker]))
        if asked or any(map(may_raise, group.instructions)):
            self._failing[worker] = self.busy[worker]
        if any(inst.has_side_effects for inst in group.instructions):
            self._draws[worker] = self.busy[worker]

    def needed_by(self, group: Group) -> dict[int, float]:
        """The workers that did what must come before this, and when the last of it was done."""
        draws = any(inst.has_side_effects for inst in group.instructions)
        needed = dict(self._draws) if draws else {}
        if draws or changes_state(group):  # what may end the run comes before
            needed.update({worker: max(done, needed.get(worker, 0)) for worker, done in self._failing.items()})
        for view, writes in (*((p, False) for p in group.reads), *((p, True) for p in group.writes)):
            for other, written, worker, done in self._touched.get(view.buffer, ()):
                if (writes or written) and done > needed.get(worker, 0) and view.overlaps(other):
                    needed[worker] = done
        return needed


def time_of(group: Group) -> float:
    """About how many microseconds a group takes."""
    total = products_in(group)
    for inst in group.instructions:
        total += CALL + sum(p.size * p.dtype.itemsize for p in (*inst.reads, *inst.defined)) / BYTES
    return total


def products_in(group: Group) -> float:
    """About how many of these go into products of matrices, which have threads of their own."""
    total = 0.0
    for inst in group.instructions:
        if inst.function is np.matmul and inst.results[0] is not None:
            total += 2 * inst.results[0].size * inst.args[0].shape[-1] / FLOPS
    return total


class Workers:
    """Runs a program in several threads; called, it does so unless there are none or products may not be limited."""

    def __init__(self, program: Program):
        self._steps = program.steps
        # For each worker, and each stretch between barriers, which of the steps it runs.
        self._parts: list[list[list[slice]]] = [[[]] for _ in range(program.schedule.workers)]
        for group, (start, stop) in zip(program.schedule.groups, pairwise([0, *program.ends]), strict=True):
            for stretches in self._parts:
                stretches.extend([] for _ in range(group.barriers + 1 - len(stretches)))
            stretch = self._parts[group.worker][-1]
            if stretch and stretch[-1].stop == start:
                start = stretch.pop().start
            stretch.append(slice(start, stop))

    def __call__(self) -> bool:
        if blas.limited.used or parallel.workers() <= 1:
            return False
        try:
            parallel.run_parallel([partial(self._run, stretches) for stretches in self._parts])
        except parallel.NoThreads:
            return False
        return True

    def _run(self, stretches: list[list[slice]], wait: parallel.Wait) -> None:
        for n, stretch in enumerate(stretches):
            if n:
                wait()
            for part in stretch:
                for step in self._steps[part]:
                    step()
