"""Whether computing is recorded, and looked at for NaN: what each thread does with the ops it runs."""

from __future__ import annotations

import threading
from contextlib import ContextDecorator

# The threads that do anything but record. While there are none, no op need ask what its own thread does, which takes
# a tenth of the time of a small op.
exceptional: set[int] = set()


class _Mode(threading.local):
    """What the current thread does with the ops it runs."""

    recording = True
    debugging = False
    quick = True  # recording and nothing else: the one question that the fast paths ask

    def __init__(self) -> None:
        # What was set before, by thread: a decorated function may call itself, and run in several threads at once.
        self.before: list[bool] = []

    def switch(self, *, recording: bool | None = None, debugging: bool | None = None) -> None:
        """Turn recording or debugging on or off."""
        if recording is not None:
            self.recording = recording
        if debugging is not None:
            self.debugging = debugging
        if self.recording and not self.debugging:
            vars(self).pop("quick", None)  # as the class says, for all threads
            exceptional.discard(threading.get_ident())
        else:
            self.quick = False
            exceptional.add(threading.get_ident())


mode = _Mode()


def complex_from_now_on() -> None:
    """Let every op look at the dtypes of its arguments: there are complex numbers, which not all of them take.

    While there are none, no op need look, which takes some hundredths of the time of a small one.
    """
    _Mode.quick = False
    exceptional.add(0)  # the number of no thread


class no_grad(ContextDecorator):
    """Compute without recording; a context manager and a decorator.

    >>> x = Tensor(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    _recording = False

    def __enter__(self) -> None:
        mode.before.append(mode.recording)
        if mode.recording is not self._recording:
            mode.switch(recording=self._recording)

    def __exit__(self, *exc: object) -> None:
        before = mode.before.pop()
        if mode.recording is not before:
            mode.switch(recording=before)


class recorded(no_grad):
    """Record even inside ``no_grad``: the transforms differentiate wherever they are called."""

    _recording = True
