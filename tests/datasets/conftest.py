"""What several of the tests of `datasets` need."""

import os
from pathlib import Path

import numpy as np
import pytest


def _own_folder() -> Path | None:
    return Path(value) if (value := os.environ.get("AUTOGRAD_DATA_DIR")) else None


@pytest.fixture
def real():
    """Asks for the folder of a real set: `real("mnist")`."""

    def folder(name):
        data_dir = _own_folder()
        if data_dir is None or not (data_dir / name).is_dir():
            pytest.skip(f"set AUTOGRAD_DATA_DIR to a folder that has the real {name}/ to check it")
        return data_dir / name

    return folder


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """A user without any data: home and caches are empty, nothing is set, and there is no proxy."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("AUTOGRAD_DATA_DIR", raising=False)
    return tmp_path


@pytest.fixture
def lists_of():
    """Makes an object array of lists, the way NumPy users do it."""

    def make(rows):
        array = np.empty(len(rows), object)
        for i, row in enumerate(rows):
            array[i] = row
        return array

    return make
