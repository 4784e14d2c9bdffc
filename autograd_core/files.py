"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows, where nobody can remove a file that another process has open
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write into, which takes its place only when all is written and on the disk.

    A link is followed, and what is there keeps its mode. FileExistsError where it is no regular file, FileNotFoundError
    where there is no folder for it. What a killed process was writing to the same place is cleared away.
    """
    path = os.path.realpath(path)
    try:
        there = os.stat(path)
    except FileNotFoundError:
        there = None
    if there is not None and not stat.S_ISREG(there.st_mode):
        kind = "folder" if stat.S_ISDIR(there.st_mode) else "device, a pipe or a socket"
        raise FileExistsError(errno.EEXIST, f"expected a file or a free name, got a {kind}; save elsewhere", path)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "expected a file in a folder that exists; make the folder first", folder)
    clear_unfinished(path)
    handle, temporary = _begin(path, 0o666 if there is None else stat.S_IMODE(there.st_mode))
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:
                _replace(temporary, path, there)
        if fcntl is None:
            _replace(temporary, path, there)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise
    if hasattr(os, "O_DIRECTORY"):  # the new name itself must reach the disk too
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        except OSError as error:
            if error.errno not in (errno.EBADF, errno.EINVAL, errno.ENOTSUP):  # of a system that cannot for a folder
                raise
        finally:
            os.close(directory)


@contextlib.contextmanager
def folder_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A folder to write into, which takes its place only when all is written.

    FileExistsError where something is there that is no empty folder, FileNotFoundError where there is no folder for it.
    """
    path = os.path.realpath(path)
    if os.path.lexists(path) and not (os.path.isdir(path) and not os.listdir(path)):
        kind = "a folder with files in it" if os.path.isdir(path) else "a file"
        raise FileExistsError(
            errno.EEXIST, f"expected a free name or an empty folder, got {kind}; write elsewhere", path
        )
    parent, name = os.path.split(path)
    if not os.path.isdir(parent):
        raise FileNotFoundError(errno.ENOENT, "expected a folder in one that exists; make that one first", parent)
    temporary = os.path.join(parent, f".{name[:50]}.{os.urandom(4).hex()}.part")
    os.mkdir(temporary)
    try:
        yield Path(temporary)
        if os.path.isdir(path):
            os.rmdir(path)
        os.rename(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def clear_unfinished(path: str) -> None:
    """Remove what processes that were killed had begun to write to ``path``; what is being written stays."""
    path = os.path.realpath(path)
    folder, prefix = os.path.split(_prefix(path))
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(folder):
            unfinished = name.startswith(prefix) and name.endswith(".part") and len(name) == len(prefix) + 13
            if unfinished:
                with contextlib.suppress(OSError):  # of a living process, or of somebody else
                    _remove_abandoned(os.path.join(folder, name))


def _prefix(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name[:50]}.")  # a name has 255 bytes, and a letter up to 4


def _begin(path: str, mode: int) -> tuple[int, str]:
    """A new file beside ``path``, locked for as long as it is written."""
    while True:
        temporary = f"{_prefix(path)}{os.urandom(4).hex()}.part"
        try:
            handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        except FileExistsError:
            continue
        if fcntl is None:
            return handle, temporary
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, temporary
        os.close(handle)  # between the opening and the lock another process took it for abandoned


def _remove_abandoned(unfinished: str) -> None:
    """Remove a file if the process that wrote it is gone, and with it its lock; OSError if it lives."""
    if fcntl is None:
        os.remove(unfinished)
        return
    handle = os.open(unfinished, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISREG(os.fstat(handle).st_mode):
            os.remove(unfinished)  # while it is locked: its writer may just have opened it, and waits for the lock
    finally:
        os.close(handle)


def _replace(temporary: str, path: str, there: os.stat_result | None) -> None:
    """Give the file that is complete its place, and the owner and mode of the one that was there."""
    if there is not None:
        if hasattr(os, "chown"):
            with contextlib.suppress(OSError):
                os.chown(temporary, there.st_uid, there.st_gid)
        os.chmod(temporary, stat.S_IMODE(there.st_mode))
    os.replace(temporary, path)
