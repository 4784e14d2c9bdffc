"""Where a learning rate comes from, and the numbers that an optimizer shows of itself."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from .. import config
from ..checks import whole
from ..tensors import plain
from . import schedules

if TYPE_CHECKING:
    from .optimizer import Optimizer


class Rate:
    """A number that may be changed, or what a function gives, of the number of steps or, as in Keras, of nothing.

    Parameters
    ----------
    given : float, callable, str or dict
        As the ``learning_rate`` of an optimizer; a name or a description of a schedule too.

    Raises
    ------
    ValueError
        Unless a number is finite and from 0 on.
    TypeError
        Where a number is to take the place of a schedule.
    """

    def __init__(self, given: Any):
        self.schedule: Any = None
        if isinstance(given, dict | str):  # what a file says; of a function its name
            given = schedules.deserialize(given)
        self.number = np.array(0 if callable(given) else rate(given), np.float32)
        if callable(given):
            self.assign(given)

    def assign(self, value: Any) -> None:
        """Take another number or function."""
        if callable(value):
            self.schedule, self._counts_steps = value, True
            if not isinstance(value, schedules.LearningRateSchedule):
                with contextlib.suppress(TypeError, ValueError):  # it needs the steps, or nobody knows its arguments
                    inspect.signature(value).bind()
                    self._counts_steps = False
        elif self.schedule is not None:
            raise TypeError(
                "this optimizer follows a learning rate schedule, so its rate cannot be assigned; make it with a "
                "number, learning_rate=0.01, to change it later"
            )
        else:
            self.number[...] = rate(value)

    def at(self, step: Any) -> Any:
        """The rate for a step, counted from 0: a number without axes."""
        if self.schedule is None:
            return self.number
        return self.schedule(step) if self._counts_steps else self.schedule()

    @property
    def variables(self) -> list[Any]:
        """The number as an array, where it is one that may be changed."""
        return [self.number] if self.schedule is None else []

    def serialized(self) -> Any:
        """The number, or the function as plain data."""
        return float(self.number) if self.schedule is None else config.serialize(self.schedule)


class Shown:
    """A number as it was when it was asked for. It stays that: ask the optimizer for the new one."""

    plain: ClassVar[type[Any]]
    numpy_: ClassVar[type[Any]]
    owner: Optimizer

    def __new__(cls, value: Any, owner: Optimizer) -> Self:
        new = super().__new__(cls, value)  # type: ignore[call-arg]
        new.owner = owner
        return new

    def __reduce__(self) -> Any:
        return self.plain, (self.plain(self),)  # a copy is a number, and drags no optimizer along

    def numpy(self) -> Any:
        """The number as NumPy has it."""
        return self.numpy_(self)

    value = property(numpy, doc="The same number, as Keras' variables have it.")


class LearningRate(Shown, float):
    """The learning rate, and a way to change it, as Keras' variable has.

    >>> import nn
    >>> optimizer = nn.optimizers.SGD(0.25)
    >>> optimizer.learning_rate.assign(0.5)
    >>> optimizer.learning_rate, optimizer.learning_rate.numpy()
    (0.5, np.float32(0.5))
    """

    plain, numpy_ = float, np.float32

    def assign(self, value: Any) -> None:
        """Give the optimizer another learning rate; ValueError and TypeError as for ``learning_rate = value``."""
        self.owner.learning_rate = value


class Iterations(Shown, int):
    """How many updates were made, and a way to change it, as Keras' variable has."""

    plain, numpy_ = int, np.int64

    def assign(self, value: Any) -> None:
        """Let the optimizer count from here; ValueError for what is no whole number from 0 on."""
        updates = whole(int(value) if float(value).is_integer() else value, "the number of updates")
        self.owner._step[...] = updates * (self.owner.gradient_accumulation_steps or 1)


def rate(value: Any) -> float:
    """A learning rate as a number, if it is one."""
    if isinstance(value, str | None) or np.ndim(value) != 0:
        raise ValueError(f"a learning rate: expected a number or a schedule, got {value!r}")
    number = float(plain(value))
    if not number >= 0 or number == np.inf:
        raise ValueError(f"a learning rate: expected a finite number from 0 on, got {value!r}")
    return number
