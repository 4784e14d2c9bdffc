"""Functions that run in parallel, in threads, while NumPy's matrix products keep to one thread each.

NumPy lets go of Python's lock in its loops and products, so threads that spend their time there run at the same time.
The threads live for one call: none is left behind, and whoever forks finds none.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

# With more processors than this the library of matrix products makes better use of them.
MOST = 4

Wait = Callable[[], None]


def workers() -> int:
    """How many functions are worth running in parallel here, as far as matrix products may use threads at all."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([processors, *limited.usual()]) if processors <= MOST and _products() else 1


@cache
def _products() -> list[Any]:
    """The libraries of matrix products, whose threads can be limited."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:  # their threads cannot be limited, so functions run one after the other
        return []
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


class _Limit:
    """Matrix products in one thread, for as long as anything runs in parallel."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # an interrupted user may be cleared away while another one enters
        self._users: weakref.WeakSet[_User] = weakref.WeakSet()
        self._before: list[int] | None = None

    @property
    def used(self) -> bool:
        """Whether something runs in parallel now."""
        return bool(self._users)

    def usual(self) -> list[int]:
        """How many threads matrix products may use when nothing does."""
        with self._lock:
            return self._before or [library.get_num_threads() for library in _products()]

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        user = _User()
        try:
            with self._lock:
                if self._before is None:
                    self._before = [library.get_num_threads() for library in _products()]
                self._users.add(user)
                for library in _products():
                    library.set_num_threads(1)
            yield
        finally:
            self._leave(user)

    def _leave(self, user: _User) -> None:
        """Done, whatever comes between: each of these steps may be taken twice."""
        interrupted: BaseException | None = None
        while True:
            try:
                with self._lock:
                    self._users.discard(user)
                    self.restore()
                break
            except BaseException as error:
                interrupted = error
        if interrupted is not None:
            raise interrupted

    def restore(self) -> None:
        """Give the products their threads back, if nothing runs in parallel any more."""
        with self._lock:
            if self._users or self._before is None:
                return
            for library, n in zip(_products(), self._before, strict=True):
                if library.get_num_threads() == 1:  # unless it was set by others meanwhile
                    library.set_num_threads(n)
            self._before = None

    def after_fork(self) -> None:
        """In a forked process: the users of the parent are not here."""
        self._lock, self._users = threading.RLock(), weakref.WeakSet()
        self.restore()


class _User:
    """Holds the limit while it lives: where Ctrl-C keeps `_leave` from being called, its end restores the threads."""

    def __del__(self) -> None:
        limited.restore()


limited = _Limit()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=limited.after_fork)


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
    at their next barrier, and the error is raised here.

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
            functions[i](barrier.of(i))
        except _Stopped:
            pass
        except BaseException as error:
            errors.append(error)
            barrier.stop()

    # Each thread sees what np.errstate says here.
    threads = [threading.Thread(target=contextvars.copy_context().run, args=(run, i)) for i in range(1, len(functions))]
    waiting, begun = list(threads), False
    with limited():
        while waiting or not begun:  # even if Ctrl-C is pressed again and again: they work on memory that is ours
            try:
                if not begun:
                    begun = True
                    for thread in threads:
                        thread.start()
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
