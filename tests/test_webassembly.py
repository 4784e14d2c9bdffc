"""What WebAssembly and a browser have not, taken away from this Python: threads, processes, C libraries, flags.

`make wasm` runs the tests in WebAssembly itself; this is what holds without it.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd_core import NonFiniteError, Tensor, debug, replay
from autograd_core.optional import needed

parallel = importlib.import_module("autograd_core.replay.threads.parallel")
ROOT = Path(__file__).parent.parent
SURFACE = ROOT / "tests" / "wasm" / "surface.py"

# The errors and the missing names of CPython for WASI and of Pyodide.
WITHOUT_A_SYSTEM = f"""
import ctypes, errno, os, runpy, stat, subprocess, sys, threading

def raising(error):
    def ask(*args, **kwargs):
        raise error
    return ask

threading.Thread.start = raising(RuntimeError("can't start new thread"))
subprocess.Popen.__init__ = raising(OSError(errno.ENOTSUP, "emscripten does not support processes."))
subprocess.Popen.__del__ = lambda self: None
ctypes.CDLL = raising(OSError("ctypes is unavailable on wasm32-wasi"))
for name in ("chown", "fork", "getuid", "posix_spawn", "register_at_fork", "sched_getaffinity", "system", "umask"):
    if hasattr(os, name):
        delattr(os, name)
synced = os.fsync

def fsync(handle):
    if stat.S_ISDIR(os.fstat(handle).st_mode):
        raise OSError(errno.EBADF, "Bad file descriptor")
    synced(handle)

os.fsync = fsync
absent = "_lzma _multiprocessing _posixsubprocess _ssl fcntl grp numba pooch pwd pygraphviz resource termios"
sys.modules.update(dict.fromkeys(absent.split()))
runpy.run_path({str(SURFACE)!r}, run_name="__main__")
"""


def test_nothing_needs_a_thread_a_process_or_a_c_library(tmp_path):
    own = {name: value for name, value in os.environ.items() if name != "AUTOGRAD_DATA_DIR"}
    for folder in ("HOME", "USERPROFILE"):
        own[folder] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_A_SYSTEM],
        capture_output=True, text=True, encoding="utf-8", check=False, cwd=tmp_path,
        env={**own, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "2"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("all of it\n")


class Silent(np.errstate):
    """Whatever is asked for, nothing is told: there are no floating-point flags."""

    def __init__(self, **asked):
        super().__init__(all="ignore")


@pytest.fixture
def without_flags(monkeypatch):
    """Division by zero warns nowhere and raises nowhere; LAPACK's failures, of which a flag tells, are NaN."""
    raised = [name for name in vars(np.linalg._linalg) if name.startswith("_raise_linalgerror")]
    assert len(raised) > 3
    for name in raised:
        monkeypatch.setattr(np.linalg._linalg, name, lambda error, flag: None)
    monkeypatch.setattr(np, "errstate", Silent)
    with np.errstate():
        yield


def slopes(function, *values):
    """Forward and backward under ``debug()``."""

    def run():
        with debug():
            np.sum(function(*(Tensor(np.asarray(value)) for value in values))).backward()

    return run


def embedded(value):
    return lambda: nn.layers.Embedding(3, 2, name="words")(np.array([value]))


ZEROS = np.zeros((2, 2))
# What an error says, and where it comes from: in both worlds the same.
SAID = {
    "log made the first -inf: x = 0": slopes(np.log, 0.0),
    "divide made the first inf: x = 1, y = 0": slopes(lambda x: 1 / x, 0.0),
    "divide made the first nan: x = 0, y = 0 at index [1]": slopes(lambda x: x / x, [1.0, 0.0]),
    "the gradient of sqrt for its argument x is the first inf": slopes(np.sqrt, 0.0),
    "exp made the first inf: x = 1000": slopes(np.exp, 1000.0),
    "multiply made the first inf: x = 1e+30": slopes(lambda x: x * x, np.float32(1e30)),
    "astype made the first inf": slopes(lambda x: x.astype("float16"), 1e10),
    "logabsdet made the first -inf": slopes(lambda x: np.linalg.slogdet(x)[1], ZEROS),
    "layer 'words': expected whole numbers, got nan": embedded(np.nan),
    "layer 'words': expected whole numbers, got 1e+30": embedded(1e30),
    "class numbers: expected 0 … 3, got 1 … 30000000000": lambda: nn.utils.to_categorical(np.array([3e10, 1]), 4),
    "sparse_categorical_crossentropy: expected whole numbers, got nan": lambda: (
        nn.losses.SparseCategoricalCrossentropy()(np.array([np.nan]), np.ones((1, 3)) / 3)
    ),
}
# Where NumPy has an error of its own by a flag, and `debug()` finds what is there without.
SINGULAR = {
    np.linalg.inv: "inv made the first nan: x = float64[2, 2] with largest magnitude 0 at index [0, 0]",
    lambda x: np.linalg.solve(x, np.ones(2)): "solve made the first nan",
    lambda x: np.linalg.cholesky(x - np.eye(2)): "cholesky made the first nan",
}


def assert_all_is_said():
    for expected, call in SAID.items():
        with pytest.raises((FloatingPointError, ValueError)) as caught:
            call()
        assert expected in str(caught.value)


def test_no_error_of_ours_is_found_by_a_flag():
    assert_all_is_said()
    for call in SINGULAR:
        with pytest.raises(np.linalg.LinAlgError):
            slopes(call, ZEROS)()


def test_without_flags_every_error_is_the_same(without_flags):
    with np.errstate(all="raise"):
        assert np.isinf(np.ones(1) / 0)  # nobody said a word
    assert_all_is_said()
    for call, expected in SINGULAR.items():
        with pytest.raises(
            NonFiniteError, match=r"The usual cause: a (singular matrix|matrix that is not pos)"
        ) as told:
            slopes(call, ZEROS)()
        assert expected in str(told.value)


def divided(x):
    return x * (np.ones(2) / np.zeros(2))  # which a replay computes once, where NumPy has nothing to say of it


def test_without_flags_replays_and_trainings_end_as_they_do(without_flags):
    replayed = replay(divided)
    for _ in range(5):
        np.testing.assert_array_equal(replayed(np.array([1.0, 0.0])), [np.inf, np.nan])
    assert replayed.programs
    model = nn.Sequential([nn.Input((1,)), nn.layers.Dense(1, kernel_initializer="ones")])
    model.compile(nn.optimizers.SGD(1e30), "mse")
    x, y = np.ones((8, 1)), np.zeros(8)
    stop = nn.callbacks.TerminateOnNaN()
    history = model.fit(x, y, batch_size=1, epochs=3, verbose=0, callbacks=[stop])
    assert history.history["loss"] == [np.inf]  # of the epoch that was broken off
    assert model.stop_training


def test_the_stand_in_for_safetensors_writes_and_reads_what_the_library_does(judge, monkeypatch):
    real = judge("safetensors.numpy")
    for name in [name for name in sys.modules if name.partition(".")[0] == "safetensors"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(ROOT / "tests" / "wasm" / "stand_in")
    stand_in = importlib.import_module("safetensors.numpy")
    assert "stand_in" in stand_in.__file__
    dtypes = [np.dtype(name) for name in stand_in.DTYPES]
    for a, b in itertools.product(dtypes, dtypes):
        arrays = {"a": np.arange(6).reshape(2, 3).astype(a), "b": np.zeros((0, 2), b), "aé": np.ones((), b)}
        data = stand_in.save(arrays)
        assert data == real.save(arrays)
        for again in (stand_in.load(data), real.load(data)):
            assert again.keys() == arrays.keys()
            for name, array in arrays.items():
                np.testing.assert_array_equal(again[name], array, strict=True)
    assert stand_in.load(stand_in.save({})) == {}
    for damaged in (b"", data[:-1], data + b"0", data[:4], b"\0" * 100):
        with pytest.raises(sys.modules["safetensors"].SafetensorError):
            stand_in.load(damaged)
    for name in ("safetensors.numpy", "safetensors"):
        monkeypatch.delitem(sys.modules, name)  # what was there before comes back


# -- the page --------------------------------------------------------------------------------------------------


def load(name):
    """A file of tests/wasm as a module; others have the same names."""
    spec = importlib.util.spec_from_file_location(f"wasm_{name}", ROOT / "tests" / "wasm" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_the_last_run():
    wasm = load("run")
    told = json.loads(wasm.RESULTS.read_text(encoding="utf-8"))
    assert wasm.TABLE.read_text(encoding="utf-8") == wasm.table(told), "run: make wasm"
    assert f"{{include}} ../{wasm.TABLE.relative_to(ROOT).as_posix()}" in (ROOT / "docs" / "browser.md").read_text(
        "utf-8"
    )
    assert {*told["folders"]} == {*wasm.FOLDERS}
    for found in told["folders"].values():
        assert found["passed"] > 100
        assert not found["failed"]


def test_what_is_compared():
    wasm = load("run")
    native = {"a": ("passed", ""), "b": ("passed", ""), "c": ("skipped", "torch is not installed"), "d": ("failed", "")}
    there = {"a": ("passed", ""), "b": ("not applicable", "it starts a thread"), "c": ("skipped", "another reason")}
    found = wasm.compared(native, there | {"d": ("passed", ""), "e": ("failed", "")})
    assert found == {
        "native": 2, "native failed": ["d"], "passed": 2, "not applicable": {"it starts a thread": 1}, "failed": ["e"],
        "left out": 1,
    }  # fmt: skip
    text = wasm.table({"wasm": ["3.15", "2.5"], "native": ["3.11", "2.4"], "folders": {"ops": found}})
    assert "| all | 2 | 2 | 1 | 1 |" in text
    assert "| it starts a thread | 1 |" in text
    assert text.endswith("Failed:\n\n- `e`\n")


def test_what_a_test_asks_for_is_not_applicable_and_what_our_code_asks_for_fails(monkeypatch):
    guest = load("guest")

    def caught(call):
        with pytest.raises(Exception) as found:  # noqa: PT011
            call()
        return guest.lack(found)

    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.delattr(os, "getuid", raising=False)
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert caught(threading.Thread().start) == "it starts a thread"
    assert caught(lambda: os.getuid()) == "it calls getuid"
    assert caught(lambda: needed("h5py", "It", "keras")) == "it needs h5py"
    assert caught(lambda: parallel.run_parallel([lambda wait: None] * 2)) == ""
    assert caught(lambda: np.ones(3)[5]) == ""
