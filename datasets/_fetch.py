"""Where data files are, and how they get there.

A file is taken from the first of these places that has it:

1. the folder that `AUTOGRAD_DATA_DIR` names, in a folder for each set (`mnist/train-images-idx3-ubyte.gz`);
   what stands there is the user's own and is used as it is;
2. Keras' cache, `~/.keras/datasets`, if the checksum is the published one;
3. our cache in the user's cache directory, likewise;
4. the network: it comes into our cache, under its name only after its checksum was found right.
"""

import hashlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ._optional import needed

TIMEOUT = 20.0  # seconds in which nothing comes
ROUNDS = 3  # through all the mirrors
PAUSE = 0.5  # seconds before the second round; twice that before the third

KERAS_MIRROR = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
SHIPPED = Path(__file__).parent / "data"


class DownloadError(OSError):
    """A data file is nowhere on this machine, and no mirror gave it.

    It is an OSError. The message lists the places that were looked in, and what to put where.

    >>> issubclass(DownloadError, OSError)
    True
    """


@dataclass(frozen=True)
class About:
    """What `datasets.catalog()` says of a set.

    `files` are those to download, `instead` others that serve as well as all of them; a set without files is
    kept inside the package, or made.
    """

    shapes: str
    licence: str
    citation: str
    files: tuple["File", ...] = ()
    instead: tuple["File", ...] = ()
    kept: str = "inside"


@dataclass(frozen=True)
class File:
    """A published data file.

    `checksum` is written `sha256:…` or `md5:…`, `size` counts bytes, `folder` is where the file lies in
    `AUTOGRAD_DATA_DIR` and in our cache, `keras` where it lies in Keras' cache. A `name` that is an absolute
    path is a file of the user's own and used as it is.
    """

    name: str
    folder: str
    checksum: str
    size: int
    mirrors: tuple[str, ...]
    keras: str = ""

    @property
    def cached(self) -> Path:
        """Its place in our cache."""
        pooch = needed("pooch", "A data set that is no part of this package")
        return Path(pooch.os_cache("autograd-core")) / self.folder / self.name

    def measure(self, path: Path) -> str:
        """The checksum of the file at `path`, written as the published one is."""
        algorithm = self.checksum.partition(":")[0]
        with open(path, "rb") as file:
            return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"

    def is_at(self, path: Path, *, unchecked: bool = False) -> bool:
        """Whether `path` is this file: with the published checksum, or the user's own."""
        unchecked = unchecked or Path(self.name).is_absolute()
        return path.is_file() and (unchecked or self.measure(path) == self.checksum)


def _places() -> Iterator[tuple[Callable[[File], Path], bool]]:
    """For each place on this machine: where a file would be in it, and whether checksums do not matter."""
    if data_dir := os.environ.get("AUTOGRAD_DATA_DIR"):
        yield lambda file: Path(data_dir).expanduser() / file.folder / file.name, True
    yield lambda file: Path.home() / ".keras" / "datasets" / file.keras / file.name, False
    if importlib.util.find_spec("pooch"):  # which fills our cache, so without it there is none
        yield lambda file: file.cached, False


def find(*choices: tuple[File, ...]) -> list[Path] | None:
    """The paths of the files of one choice, all in the same place; None where no place has them all."""
    for place, unchecked in _places():
        for files in choices:
            paths = [place(file) for file in files]
            if all(file.is_at(path, unchecked=unchecked) for file, path in zip(files, paths, strict=True)):
                return paths
    return None


def fetch(*choices: tuple[File, ...]) -> list[Path]:
    """The paths of the files of one choice.

    If no place has them all, those of the last choice are taken from where they are, or downloaded.

    Raises
    ------
    DownloadError
        No mirror gave a file. The message says which, from where, and where to put it.
    """
    return find(*choices) or [(find((file,)) or [_download(file)])[0] for file in choices[-1]]


def _download(file: File) -> Path:
    if sys.platform == "emscripten":  # where the other site must allow it, and a refusal ends a cell that catches it
        raise DownloadError(_advice(file, dict.fromkeys(file.mirrors, "is not asked by Python in a browser")))
    target = file.cached
    lock = needed("filelock", "A download").FileLock
    part = target.with_name(f"{target.name}.part")
    failures = {}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with lock(f"{target}.lock"):
            if file.is_at(target):
                return target  # another process was faster
            for attempt in range(ROUNDS):
                time.sleep(PAUSE * attempt)
                for url in file.mirrors:
                    try:
                        _transfer(url, part, file)
                        os.replace(part, target)
                        return target
                    except (OSError, ValueError) as error:  # the errors of requests are OSErrors
                        failures[url] = _reason(error)
                    finally:
                        part.unlink(missing_ok=True)
    except OSError as error:  # the cache cannot be written to
        failures[str(target.parent)] = str(error)
    raise DownloadError(_advice(file, failures))


def _transfer(url: str, part: Path, file: File) -> None:
    """Download `url` to `part` and check it."""
    pooch = needed("pooch", "A download")
    bar = _Bar(file, part)
    # Not to be compressed on the way: the checksum is that of the file.
    headers = {"Accept-Encoding": "identity"}
    try:
        pooch.HTTPDownloader(bar, chunk_size=1 << 16, timeout=TIMEOUT, headers=headers)(url, str(part), None)
    finally:
        bar.close()
    if (came := file.measure(part)) != file.checksum:
        raise ValueError(f"gave a file with {came}, and {file.checksum} is published")


class _Bar:
    """A progress bar with the methods that pooch calls; it ends a transfer that does not end by itself."""

    total = 0  # set by pooch

    def __init__(self, file: File, part: Path) -> None:
        needed("rich", "A download")
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
        # Drawn where something arrives: by itself it would take a thread, and a browser has none.
        self.progress = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
        self.task = self.progress.add_task(part.stem, total=file.size)
        self.size, self.drawn = file.size, 0
        self.part = part

    def update(self, _: int) -> None:
        # What pooch passes is how many bytes it asked for, not how many came.
        done = self.part.stat().st_size
        if done > self.size:
            raise ValueError(f"gave more than the {self.size:,} bytes that are published")
        self.progress.start()
        drawn = done == self.size or done - self.drawn > self.size / 100
        self.drawn = done if drawn else self.drawn
        self.progress.update(self.task, completed=done, refresh=drawn)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        if self.progress.live.is_started:
            self.progress.stop()


def _reason(error: Exception) -> str:
    """What urllib3 says, without the layers that requests puts around it.

    Only as text: a kept exception keeps the connection open.
    """
    inner = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    return str(getattr(inner, "reason", inner))


def _advice(file: File, failures: dict[str, str]) -> str:
    name = Path(file.name).name
    lines = [f"{name} is not on this machine, and could not be downloaded:"]
    lines += [f"  {place}\n    {reason}" for place, reason in failures.items()]
    lines += ["Download it by hand and save it as", f"  {file.cached}", "or, in a folder of your own, as"]
    data_dir = os.environ.get("AUTOGRAD_DATA_DIR")
    if data_dir:
        lines += [f"  {Path(data_dir) / file.folder / name}  (AUTOGRAD_DATA_DIR is {data_dir})"]
    else:
        lines += [f"  {file.folder}/{name}, and set AUTOGRAD_DATA_DIR to that folder."]
    return "\n".join(lines)
