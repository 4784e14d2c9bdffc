"""Reading data files that anybody may have made: nothing in them is executed, and memory stays bounded.

A reader is told what the file must hold. Whatever else comes, the answer is a `DataFileError` that names
the file, what was expected, what came and what to do.
"""

import gzip
import io
import itertools
import json
import math
import os
import pickle
import pickletools
import re
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, cast

import numpy as np

from ._split import Array

Shape: TypeAlias = tuple[int | None, ...]
"""A shape in which None stands for any length."""

MIB = 2**20
ARRAY_LIMIT = 64 * MIB  # of bytes in a file or in one array; MNIST's training images have 45 MiB
TAR_LIMIT = 256 * MIB  # of bytes in a tar, packed and unpacked; CIFAR-10's has 176 MiB
LISTS_LIMIT = 32 * MIB  # of bytes in a pickle, a number of which may grow from 3 to 40; IMDB's has 14 MiB
WORDS_LIMIT = 8 * MIB  # of bytes in a word index; IMDB's has 1.6 MiB
MEMBERS_LIMIT = 1_000  # in an archive; MNIST's has 4
OPCODES_LIMIT = 1_000_000  # in a pickle, those of numbers not counted; IMDB's has 110 thousand


class DataFileError(ValueError):
    """A data file does not hold what it should, or holds something that could do harm.

    >>> import pathlib, tempfile
    >>> from datasets import mnist
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "mnist.npz"
    >>> _ = file.write_text("not an archive")
    >>> mnist.load_data(str(file))
    Traceback (most recent call last):
    datasets.DataFileError: mnist.npz should be an .npz archive of ...
    """


def idx(path: os.PathLike[str], shape: Shape) -> Array:
    """The uint8 array in a gzipped IDX file, the format of MNIST (http://yann.lecun.com/exdb/mnist)."""
    expected = f"a gzipped IDX file of uint8 {_show(shape)}"
    with _contents(path, ARRAY_LIMIT, expected) as packed, gzip.open(io.BytesIO(packed)) as file:
        magic = file.read(4)
        if magic != bytes([0, 0, 8, len(shape)]):
            raise ValueError(f"it begins with the bytes {magic.hex(' ')}")
        sizes = struct.unpack(f">{len(shape)}I", file.read(4 * len(shape)))
        _check_shape(sizes, shape)
        size = math.prod(sizes)
        if size > ARRAY_LIMIT:
            raise ValueError(f"its header claims {size:,} bytes; more than {ARRAY_LIMIT:,} are not read")
        # One byte more than there should be: only at the end of the stream does gzip check its checksum.
        data = file.read(size + 1)
        if len(data) != size:
            follow = "more" if len(data) > size else f"only {len(data):,}"
            raise ValueError(f"its header claims {size:,} bytes, and {follow} follow")
    return np.frombuffer(bytearray(data), np.uint8).reshape(sizes)


def npz(path: os.PathLike[str], **arrays: tuple[type[Any], Shape]) -> list[Array]:
    """The arrays of these names in an `.npz` archive, each of the NumPy type and the shape that are given.

    They come in pairs, of examples and their labels. An array of objects is read as one of lists of
    integers, as in Keras' `imdb.npz`.
    """
    listing = (f"{name} {kind.__name__.rstrip('_')} {_show(shape)}" for name, (kind, shape) in arrays.items())
    with _contents(path, ARRAY_LIMIT, f"an .npz archive of {', '.join(listing)}") as packed:
        if packed.count(b"PK\1\2") > MEMBERS_LIMIT:  # each takes the zipfile module half a kilobyte
            raise ValueError(f"it has more than {MEMBERS_LIMIT:,} members")
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            found = [_npy(_unpack(archive, f"{name}.npy"), *wanted) for name, wanted in arrays.items()]
        for x, y in zip(found[::2], found[1::2], strict=True):
            if len(x) != len(y):
                raise ValueError(f"it has {len(x):,} examples and {len(y):,} labels")
    return found


def tar_records(path: os.PathLike[str], names: Sequence[str], length: int, largest_first: int) -> list[Array]:
    """The files of these names in a gzipped tar, each an array of records of `length` bytes.

    The first byte of each record, a label, is at most `largest_first`.
    """
    expected = f"a gzipped tar of {', '.join(names)}, each of records of {length:,} bytes"
    found: dict[str, Array] = {}
    with _contents(path, TAR_LIMIT, expected) as packed, gzip.open(io.BytesIO(packed)) as unpacked:
        # As a stream, so that each member is met once, and no more is unpacked than the limit.
        with tarfile.open(fileobj=_Bounded(unpacked, TAR_LIMIT), mode="r|") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() and member.name in names else None
                if file is not None:
                    if member.size % length or member.name in found:
                        raise ValueError(f"{member.name} has {member.size:,} bytes, or comes twice")
                    found[member.name] = np.frombuffer(bytearray(file.read()), np.uint8).reshape(-1, length)
        while unpacked.read(MIB):  # to the end, where gzip checks its checksum
            pass
        if missing := [name for name in names if name not in found]:
            raise ValueError(f"it has no file {missing[0]}")
        if (largest := max((int(a[:, 0].max(initial=0)) for a in found.values()), default=0)) > largest_first:
            raise ValueError(f"it has a label {largest}")
    return [found[name] for name in names]


class _Bounded(io.RawIOBase):
    """A stream that ends in an error after so many bytes."""

    def __init__(self, stream: Any, limit: int) -> None:
        self.stream, self.left, self.limit = stream, limit, limit

    def read(self, size: int = -1) -> bytes:
        data: bytes = self.stream.read(self.left + 1 if size < 0 else min(size, self.left + 1))
        self.left -= len(data)
        if self.left < 0:
            raise ValueError(f"it unpacks to more than {self.limit:,} bytes")
        return data


def word_index(path: os.PathLike[str]) -> dict[str, int]:
    """The ranks of words in a JSON file."""
    with _contents(path, WORDS_LIMIT, "a JSON object of words and their integer ranks") as text:
        words = json.loads(text)
        if type(words) is not dict or not _types(words.values()) <= {int}:
            raise ValueError("it holds other JSON")
    return cast(dict[str, int], words)


def ragged(rows: Sequence[list[int]]) -> Array:
    """An object array of shape `(len(rows),)`, even where all rows have the same length."""
    array = np.empty(len(rows), object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


@contextmanager
def _contents(path: os.PathLike[str], limit: int, expected: str) -> Iterator[bytes]:
    """The bytes of a file, to parse inside the `with`; whatever goes wrong there, the file is to blame."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = b"" if size > limit else file.read(size)
    try:
        if size > limit:
            raise ValueError(f"it has {size:,} bytes; more than {limit:,} are not read")
        yield data
    except Exception as error:
        raise DataFileError(
            f"{path}: expected {expected}, got another file: {str(error) or type(error).__name__}. "
            "Put a good copy in its place, or delete it to have it fetched again."
        ) from error


def _show(shape: Shape) -> str:
    return str(tuple("n" if size is None else size for size in shape)).replace("'", "")


def _check_shape(sizes: tuple[int, ...], shape: Shape) -> None:
    if len(sizes) != len(shape) or any(want not in (None, n) for n, want in zip(sizes, shape, strict=True)):
        raise ValueError(f"its header claims the shape {sizes}")


def _unpack(archive: zipfile.ZipFile, name: str) -> bytes:
    member = archive.getinfo(name)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is packed by method {member.compress_type}, which NumPy does not use")
    if member.file_size > ARRAY_LIMIT:
        raise ValueError(f"{name} claims {member.file_size:,} bytes; more than {ARRAY_LIMIT:,} are not read")
    with archive.open(member) as file:
        # Given a size, zipfile unpacks no more than that; without it, up to 2 GiB whatever was claimed.
        return file.read(member.file_size)


def _npy(data: bytes, kind: type[Any], shape: Shape) -> Array:
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"it is of .npy version {version}")
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    sizes, _, dtype = header(file)
    if not np.issubdtype(dtype, kind):
        raise ValueError(f"an array holds {dtype}")
    _check_shape(sizes, shape)
    rest = len(data) - file.tell()
    if dtype.hasobject:
        return _lists(data[-rest:], *sizes)
    if math.prod(sizes) * dtype.itemsize != rest:
        raise ValueError(f"a header claims {math.prod(sizes)} numbers of {dtype}, and {rest:,} bytes follow")
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


# What NumPy writes for an array of lists of integers, under Python 2 as well, where the published files
# were made. No other opcode is executed: some of them allocate gigabytes for a few bytes.
# fmt: off
_ADMITTED_OPCODES = {
    "PROTO", "FRAME", "STOP", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "MARK",
    "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS",
    "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1",
    "SHORT_BINSTRING", "SHORT_BINBYTES", "SHORT_BINUNICODE", "BINUNICODE",
    "MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET",
}
# fmt: on
_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}
_ADMITTED_GLOBALS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}
_NUMBERS = re.compile(rb"(?:K.|M..|J.{4})++", re.DOTALL)


class _Rebuilt:
    """In place of an array, a dtype or the function that makes them: keeps the state that it is given.

    NumPy's own `__setstate__` was never meant for hostile states, so it does not get to see them.
    """

    def __init__(self, *arguments: object) -> None:
        self.state: Any = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class _ListUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type[_Rebuilt]:
        if (module, name) not in _ADMITTED_GLOBALS:
            raise ValueError(f"its pickle asks for {module}.{name}, which an array of lists does not need")
        return _Rebuilt


def _lists(pickled: bytes, count: int) -> Array:
    """The object array in a pickle, if it is one of `count` lists of integers."""
    if len(pickled) > LISTS_LIMIT:
        raise ValueError(f"its pickle has more than {LISTS_LIMIT:,} bytes")
    _check_opcodes(pickled)
    array = _ListUnpickler(io.BytesIO(pickled)).load()
    rows = array.state[-1] if type(array) is _Rebuilt and type(array.state) is tuple else None
    if type(rows) is not list or not _types(rows) <= {list} or len(rows) != count:
        raise ValueError(f"its pickle does not hold the {count:,} lists that the header claims")
    # A list may stand in the pickle many times at the price of one, and going over it would take for ever.
    if sum(map(len, rows)) > len(pickled):
        raise ValueError("its pickle repeats a list until it has more numbers than the file has bytes")
    if not _types(itertools.chain.from_iterable(rows)) <= {int}:
        raise ValueError("its pickle holds other things than integers")
    return ragged(rows)


def _types(objects: Iterable[object]) -> set[type]:
    return set(map(type, objects))


def _check_opcodes(pickled: bytes) -> None:
    """Refuse a pickle that does anything but build lists of numbers, before any of it is executed."""
    file = io.BytesIO(pickled)
    for step in range(OPCODES_LIMIT):
        if numbers := _NUMBERS.match(pickled, file.tell()):
            file.seek(numbers.end())
        code = file.read(1)
        opcode = _OPCODES.get(code.decode("latin-1"))
        if opcode is None:
            raise ValueError(f"its pickle goes on with {code!r}, which is no opcode")
        if opcode.name not in _ADMITTED_OPCODES:
            raise ValueError(f"its pickle uses {opcode.name}, which an array of lists does not need")
        argument: Any = opcode.arg.reader(file) if opcode.arg else None
        # The unpickler makes room for all smaller numbers of its memo, which counts from 0 or 1.
        if opcode.name in ("BINPUT", "LONG_BINPUT") and argument > step:
            raise ValueError(f"its pickle remembers an object as number {argument} too early")
        if opcode.name == "STOP":
            return
    raise ValueError(f"its pickle takes more than {OPCODES_LIMIT:,} steps")
