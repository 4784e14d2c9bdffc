"""What must come before what: units that touch the same bytes, of which one changes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from .calls import Memory
from .grouping import Unit
from .simplifying import may_fail

Note = TypeVar("Note")


class Touched(Generic[Note]):
    """Units that came so far, each with a note, by the bytes that they touched."""

    def __init__(self) -> None:
        self._touched: dict[Memory, list[tuple[int, int, bool, Note]]] = {}
        self._failing: list[Note] = []
        self._draws: list[Note] = []

    def add(self, unit: Unit, note: Note, asks: bool = False) -> None:
        """Note what a unit touches; ``asks`` if a guard is asked after it."""
        for place in unit.reads:
            self._touched.setdefault(place.memory, []).append((*place.extent, False, note))
        for place in unit.writes:
            self._touched.setdefault(place.memory, []).append((*place.extent, True, note))
        if asks or any(map(may_fail, unit.calls)):
            self._failing.append(note)
        if any(call.pinned for call in unit.calls):
            self._draws.append(note)

    def before(self, unit: Unit) -> Iterator[Note]:
        """The notes of the units that must come before this one."""
        for place in unit.reads:
            low, high = place.extent
            yield from (
                n for a, b, written, n in self._touched.get(place.memory, ()) if written and a < high and low < b
            )
        for place in unit.writes:
            low, high = place.extent
            yield from (n for a, b, _, n in self._touched.get(place.memory, ()) if a < high and low < b)
        draws = any(call.pinned for call in unit.calls)
        if draws:
            yield from self._draws
        # What may still end the run comes before what cannot be taken back.
        if draws or any(p.memory.kind == "state" for p in unit.writes):
            yield from self._failing
