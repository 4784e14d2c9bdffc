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
        self.quick = self.recording and not self.debugging
        (exceptional.discard if self.quick else exceptional.add)(threading.get_ident())


mode = _Mode()


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
        mode.switch(recording=self._recording)

    def __exit__(self, *exc: object) -> None:
        mode.switch(recording=mode.before.pop())


class recorded(no_grad):
    """Record even inside ``no_grad``: the transforms differentiate wherever they are called."""

    _recording = True
