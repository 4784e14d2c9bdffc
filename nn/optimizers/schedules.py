"""Learning rates that change with the number of steps."""

from __future__ import annotations

from typing import Any

from .. import config


class LearningRateSchedule(config.Configurable):
    """A function from the number of steps so far to a learning rate."""

    def __call__(self, step: Any) -> Any:
        raise TypeError(f"{type(self).__name__} must define __call__(step)")


KNOWN: dict[str, Any] = {}


def serialize(schedule: LearningRateSchedule) -> Any:
    """A schedule as plain data."""
    return config.serialize(schedule)


def deserialize(configuration: Any) -> Any:
    """The schedule that plain data describes."""
    return config.deserialize(configuration, KNOWN, "learning rate schedule")
