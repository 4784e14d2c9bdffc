"""Functions that run in parallel, in threads, while NumPy's matrix products keep to one thread each.

NumPy lets go of Python's lock in its loops and products, so threads that spend their time there run at the same time.
The threads live for one call: none is left behind, and whoever forks finds none.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import blas

# With more processors than this the library of matrix products makes better use of them.
MOST = 4

Wait = Callable[[], None]


def workers() -> int:
    """How many functions are worth running in parallel here, as far as matrix products may use threads at all."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([processors, *blas.limited.usual()]) if processors <= MOST and blas.products() else 1


class NoThreads(RuntimeError):
    """A thread could not be started, as in a browser, at a limit of processes or while Python ends; nothing was run."""


class _Stopped(Exception):
    """Another of the functions raised an error."""


class _Barrier:
    """Where functions that run in parallel wait for each other."""

    def __init__(self, n: int):
        self.failed = False
        self._n = n
        # What i says to j; two of each in turns, because i may reach the next barrier before j has left this one.
        self._signals = [[[threading.Lock() for _ in range(n)] for _ in range(n)] for _ in range(2)]
        for lock in self._all():
            lock.acquire()

    def _all(self) -> Iterator[Any]:
        return (lock for turn in self._signals for row in turn for lock in row)

    def of(self, i: int) -> Wait:
        """What function i calls to wait for all others."""
        turn = 0
        others = [j for j in range(self._n) if j != i]

        def wait() -> None:
            nonlocal turn
            signals = self._signals[turn]
            turn = 1 - turn
            for j in others:
                _open(signals[i][j])
            for j in others:
                signals[j][i].acquire()
            if self.failed:
                raise _Stopped

        return wait

    def stop(self) -> None:
        """Let none wait any longer."""
        self.failed = True
        for lock in self._all():
            _open(lock)


def _open(lock: Any) -> None:
    """Release a lock, which may have been done meanwhile, by a function that stops."""
    with contextlib.suppress(RuntimeError):
        lock.release()


def run_parallel(functions: Sequence[Callable[[Wait], None]]) -> None:
    """Run functions at the same time, the first of them in this thread; return when all are done.

    Each is given a function that waits until all others have called theirs. When one raises an error the others stop
    at their next barrier, and the error is raised here. NoThreads where they cannot run at the same time.

    >>> found = []
    >>> run_parallel([lambda wait: (wait(), found.append("after")), lambda wait: (found.append("before"), wait())])
    >>> found
    ['before', 'after']
    """
    barrier = _Barrier(len(functions))
    errors: list[BaseException] = []

    def run(i: int) -> None:
        if barrier.failed:  # a thread that came to life when the others had stopped
            return
        try:
            wait = barrier.of(i)
            if len(functions) > 2:  # until all have begun: this one may, and the next cannot
                wait()
            functions[i](wait)
        except _Stopped:
            pass
        except BaseException as error:
            errors.append(error)
            barrier.stop()

    # Each thread sees what np.errstate says here.
    threads = [threading.Thread(target=contextvars.copy_context().run, args=(run, i)) for i in range(1, len(functions))]
    waiting, begun = list(threads), False
    with blas.limited():
        while waiting or not begun:  # even if Ctrl-C is pressed again and again: they work on memory that is ours
            try:
                if not begun:
                    begun = True
                    for thread in threads:
                        _start(thread)
                    run(0)
                if errors:
                    barrier.stop()
                while waiting:
                    if waiting[-1].ident is not None:
                        waiting[-1].join()
                    waiting.pop()
            except BaseException as error:
                barrier.failed = True
                errors.append(error)
    if errors:  # Ctrl-C before an error of a function: who catches that would go on
        raise next((error for error in errors if not isinstance(error, Exception)), errors[0])


def _start(thread: threading.Thread) -> None:
    try:
        thread.start()
    except RuntimeError as error:
        raise NoThreads(f"expected threads that can be started, got {error}") from error
