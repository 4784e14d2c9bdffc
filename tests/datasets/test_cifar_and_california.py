"""CIFAR-10 and the houses of California, from small files of the same format, as Keras reads the same content."""

import gzip
import io
import pickle
import tarfile

import numpy as np
import pytest

from datasets import DataFileError, _read, california_housing, cifar10
from datasets._read import MIB, tar_records

NAMES = [*cifar10.TRAIN, cifar10.TEST]


def tar_bytes(members):
    """A gzipped tar of these files."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file.getvalue()


@pytest.fixture
def batches():
    """What is in the six files: labels and pictures of 4 examples each, red first."""
    rng = np.random.default_rng(0)
    return {name: (rng.integers(0, 10, 4, np.uint8), rng.integers(0, 256, (4, 3072), np.uint8)) for name in NAMES}


@pytest.fixture
def kept(alone, monkeypatch):
    """Puts the archive where it is looked for."""
    monkeypatch.setenv("AUTOGRAD_DATA_DIR", str(alone))

    def keep(data):
        (alone / "cifar10").mkdir(exist_ok=True)
        (alone / "cifar10" / cifar10.ARCHIVE.name).write_bytes(data)

    return keep


def records(batches):
    return {name: np.hstack([y[:, None], x]).tobytes() for name, (y, x) in batches.items()}


def test_cifar10_is_read_as_keras_reads_the_version_for_python(batches, kept, judge, tmp_path):
    kept(tar_bytes({"cifar-10-batches-bin/readme.html": b"read me", **records(batches)}))
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    judge("keras")
    from keras.src.datasets.cifar import load_batch

    for i, (name, (y, x)) in enumerate(batches.items()):
        path = tmp_path / "batch"
        path.write_bytes(pickle.dumps({b"data": x, b"labels": y.tolist()}))
        theirs, labels = load_batch(str(path))
        ours = (x_test, y_test) if name == cifar10.TEST else (x_train[4 * i : 4 * i + 4], y_train[4 * i : 4 * i + 4])
        np.testing.assert_array_equal(ours[0], theirs.transpose(0, 2, 3, 1))
        np.testing.assert_array_equal(ours[1][:, 0], labels)
    assert (x_train.shape, x_test.shape, y_train.shape, y_test.shape) == (
        (20, 32, 32, 3),
        (4, 32, 32, 3),
        (20, 1),
        (4, 1),
    )
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    x_train[0] += 1  # the arrays are the user's


def test_what_is_no_cifar10_is_refused(batches, kept):
    good = records(batches)
    wrong = {
        "no file cifar-10-batches-bin/test_batch.bin": {n: d for n, d in good.items() if n != cifar10.TEST},
        "has 12,293 bytes": good | {cifar10.TEST: good[cifar10.TEST] + b"1"},
        "a label 200": good | {cifar10.TEST: b"\xc8" + good[cifar10.TEST][1:]},
    }
    for words, members in wrong.items():
        kept(tar_bytes(members))
        with pytest.raises(DataFileError, match=words):
            cifar10.load_data()
    whole = tar_bytes(good)
    for data in (b"", b"no tar", whole[: len(whole) // 2], whole[:-9], gzip.compress(b"no tar" * 999)):
        kept(data)
        with pytest.raises(DataFileError):
            cifar10.load_data()
    link = io.BytesIO()
    with tarfile.open(fileobj=link, mode="w:gz") as tar:
        info = tarfile.TarInfo(cifar10.TEST)
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    kept(link.getvalue())
    with pytest.raises(DataFileError, match="it has no file"):
        cifar10.load_data()


def test_a_tar_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    """Of any member, also one that is not asked for, and of a name that is as long as a file."""
    monkeypatch.setattr(_read, "TAR_LIMIT", MIB)
    for kind in (tarfile.REGTYPE, tarfile.XHDTYPE):
        header = tarfile.TarInfo("x")
        header.size, header.type = 2 * MIB, kind
        path = tmp_path / "bomb"
        with gzip.open(path, "wb", 1) as file:
            file.write(header.tobuf(tarfile.USTAR_FORMAT))
            file.write(bytes(2 * MIB))
        with pytest.raises(DataFileError, match="unpacks to more than 1,048,576 bytes"):
            tar_records(path, ["x"] if kind == tarfile.XHDTYPE else ["y"], 3, 9)


def test_california_housing_is_split_as_keras_splits_it(judge, tmp_path, monkeypatch):
    judge("keras")
    from keras.src.datasets import california_housing as keras_s

    rng = np.random.default_rng(0)
    path = tmp_path / "california_housing.npz"
    np.savez(path, x=rng.normal(size=(700, 8)), y=rng.uniform(size=700))
    monkeypatch.setattr(keras_s, "get_file", lambda *args, **kwargs: str(path))
    for arguments in ({}, {"version": "small"}, {"test_split": 0.35, "seed": 5}):
        for mine, theirs in zip(
            sum(california_housing.load_data(path=str(path), **arguments), ()), sum(keras_s.load_data(**arguments), ()),
            strict=True,
        ):  # fmt: skip
            np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(ValueError, match="version: expected 'large' or 'small', got 'medium'"):
        california_housing.load_data("medium")
