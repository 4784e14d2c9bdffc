"""Ctrl-C in a training: it waits until what changes weights is done, so that no step is torn apart.

That is so where Python's own handler is set, which raises KeyboardInterrupt between any two lines. Another handler is
somebody's who may have reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGINT, default_int_handler
from typing import Any

from . import distributed

try:  # what `signal` calls itself, without making enumerations of all numbers, which takes longer than a small step
    from _signal import getsignal, signal  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    from signal import getsignal, signal


class unbroken:
    """A context manager: Ctrl-C waits for the end of the ``with`` block; a second one interrupts at once."""

    caught: list[int] | None = None

    def __enter__(self) -> list[int]:
        if getsignal(SIGINT) is not default_int_handler:
            return []
        caught = self.caught = []
        try:
            signal(SIGINT, self.note)
        except ValueError:  # in another thread; the main one alone is interrupted
            self.caught = None
        return caught

    def note(self, number: int, frame: Any) -> None:
        """Python's handler for now."""
        if self.caught or self.caught is None:
            raise KeyboardInterrupt
        self.caught.append(number)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self.caught is None:
            return
        signal(SIGINT, default_int_handler)
        if self.caught and kind is not KeyboardInterrupt:
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """Turn Ctrl-C into an entry in a list, for those who look between two steps; a second one interrupts at once."""
    if distributed.size() > 1:
        yield []
        return
    waiting = unbroken()
    caught = waiting.__enter__()
    try:
        yield caught
    finally:
        if waiting.caught is not None:
            signal(SIGINT, default_int_handler)
