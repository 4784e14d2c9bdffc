"""How many threads the libraries of matrix products use: one each, while a program shares the processors out itself."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterator
from functools import cache
from typing import Any


@cache
def products() -> list[Any]:
    """The libraries of matrix products, whose threads can be limited."""
    try:
        from threadpoolctl import ThreadpoolController

        return list(ThreadpoolController().select(user_api="blas").lib_controllers)
    except (ImportError, OSError):  # their threads cannot be limited, so functions run one after the other
        return []


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
            return self._before or [library.get_num_threads() for library in products()]

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        user = _User()
        try:
            with self._lock:
                if self._before is None:
                    self._before = [library.get_num_threads() for library in products()]
                self._users.add(user)
                for library in products():
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
            for library, n in zip(products(), self._before, strict=True):
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
