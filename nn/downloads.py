"""A file from the network, kept where Keras keeps it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import urllib.parse
import urllib.request
import warnings
import zipfile
from pathlib import Path
from typing import Any

from autograd_core.caller import level_of_caller
from autograd_core.optional import needed

TIMEOUT = 20.0  # seconds in which nothing comes


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """The path of a file that is downloaded unless it is there already, with the right checksum.

    Parameters
    ----------
    fname : path, optional
        Its name, without a folder; by default the last part of the address.
    origin : str
        The address.
    untar, extract : bool
        Whether it is an archive to unpack: a tar, or a tar or a zip. Nothing in it gets outside of its folder.
    md5_hash : str, optional
        As ``file_hash``, by md5.
    file_hash : str, optional
        The published checksum. Without it nothing is checked, which a warning says, with the checksum to write down.
    cache_subdir : str
        The folder in ``cache_dir``.
    hash_algorithm : {"auto", "sha256", "md5"}
        What the checksum is of; "auto" tells by its length.
    archive_format : str or sequence of str, optional
        "auto", "tar", "zip" or several; None unpacks nothing.
    cache_dir : path, optional
        By default that of Keras, ``~/.keras``.
    force_download : bool
        Whether it is downloaded although it is there.

    Returns
    -------
    str
        The path of the file, or of the folder that it was unpacked into.

    Raises
    ------
    ValueError
        Without an address, for a name with a folder, and for a file with another checksum, which is not kept.
    OSError
        When the address gives nothing.
    ImportError
        Without pooch.

    Examples
    --------
    >>> import nn
    >>> path = nn.utils.get_file("m.csv", "https://example.org/m.csv", file_hash="9f86d08…")  # doctest: +SKIP
    """
    if origin is None:
        raise ValueError("origin: expected the address of the file to download, got None")
    name = os.fspath(fname) if fname else Path(urllib.parse.urlsplit(origin).path).name
    if name in ("", ".", "..") or Path(name).name != name:
        raise ValueError(f"fname: expected the name of a file, without a folder, got {fname!r}; pass cache_dir")
    folder = Path(cache_dir or Path.home() / ".keras").expanduser() / cache_subdir
    unpack = extract or untar
    path, unpacked = folder / name, folder / name
    if unpack and fname and "." in name:
        unpacked = folder / f"{name[: name.index('.')]}_extracted"
    elif unpack:
        path = folder / f"{name}_archive"
    _fetch(origin, path, _checksum(md5_hash, file_hash, hash_algorithm), force_download)
    if not unpack:
        return str(path)
    formats = ["tar"] if untar else ["tar", "zip"] if archive_format == "auto" else archive_format or []
    _unpack(path, unpacked, [formats] if isinstance(formats, str) else formats)
    return str(unpacked)


def _checksum(md5: str | None, given: str | None, algorithm: str) -> str | None:
    """A checksum as pooch writes it."""
    if given is None:
        return None if md5 is None else f"md5:{md5}"
    if algorithm == "auto":
        algorithm = "sha256" if len(given) == 64 else "md5"
    return f"{algorithm}:{given}"


def _fetch(origin: str, path: Path, checksum: str | None, again: bool) -> None:
    pooch = needed("pooch", "A download")
    there = path.exists() and not again
    place = path.with_name(f"{path.name}.new") if again else path  # the old file stays until the new one is whole
    if again:
        place.unlink(missing_ok=True)
    local = urllib.parse.urlsplit(origin).scheme == "file"
    downloader = _copy if local else pooch.HTTPDownloader(timeout=TIMEOUT, progressbar=False)
    pooch.retrieve(origin, checksum, place.name, path.parent, downloader=downloader)
    if again:
        place.replace(path)
    if checksum is None and not there:
        with open(path, "rb") as file:
            came = hashlib.file_digest(file, "sha256").hexdigest()
        warnings.warn(
            f"get_file: nobody checked what {origin} gave; if it is right, write file_hash={came!r}",
            stacklevel=level_of_caller(),
        )


def _copy(origin: str, output: str, pooch: Any) -> None:
    """What pooch calls for a file of this machine."""
    shutil.copyfile(urllib.request.url2pathname(urllib.parse.urlsplit(origin).path), output)


def _unpack(path: Path, folder: Path, formats: list[str]) -> None:
    for format_ in formats:
        if format_ == "tar" and tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                tar.extractall(folder, filter="data")  # which refuses links and names that lead outside
            return
        if format_ == "zip" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)  # which drops what leads outside
            return
    warnings.warn(f"get_file: {path} was not unpacked, because it is none of {formats}", stacklevel=level_of_caller())
