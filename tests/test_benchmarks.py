"""The benchmark in its smallest form, so that it cannot rot. What it measures here means nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent


def test_the_benchmark_runs_and_writes_its_tables(tmp_path):
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "--smoke", "--out", str(tmp_path)]
    options = ["--only", "W1,W2,W3,W5,W6,W7,W8", "--contenders", "ours eager"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([*command, *options], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"]
    assert {"W1", "W2", "W3", "W3 sparse", "W5", "W6 mlp", "W6 cnn", "W7", "W8 W1", "W8 W2"} == set(results)
    absent = set() if find_spec("scipy") else {"ours sparse"}
    for title, rows in results.items():
        assert rows[0]["contender"] == {"W5": "autograd-core", "W3 sparse": "ours sparse"}.get(title, "ours replayed")
        assert all(row["contender"] in absent if row.get("missing") else row["median_ms"] > 0 for row in rows)
    assert "| ours replayed |" in (tmp_path / "results.md").read_text(encoding="utf-8")


def test_the_cost_of_an_all_reduce_is_measured_and_drawn(tmp_path, judge):
    for name in ("mpi4py", "matplotlib"):
        judge(name)
    command = [sys.executable, str(ROOT / "benchmarks" / "all_reduce.py"), "--smoke", "--out", str(tmp_path)]
    picture = tmp_path / "all_reduce.png"
    done = subprocess.run([*command, "--picture", picture], capture_output=True, text=True, check=False, timeout=100)
    if "there is no mpiexec" in done.stderr:
        judge("mpich")  # skips, or fails where judges are required
    assert done.returncode == 0, done.stderr
    processes = json.loads((tmp_path / "all_reduce.json").read_text(encoding="utf-8"))["processes"]
    assert set(processes) == {"1", "2"}
    assert all(t > 0 for name in ("ring", "tree", "MPI", "step") for t in processes["2"][name].values())
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_ring_sends_the_least_and_a_tree_waits_the_least(monkeypatch):
    """What is known of the two: a ring's messages do not grow with the processes, a tree's number hardly does."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import all_reduce

    assert all_reduce.ring_cost(2, 1e6, 1.0, 0.0, 0.0) == all_reduce.tree_cost(2, 1e6, 1.0, 0.0, 0.0) == 2
    assert all_reduce.ring_cost(1024, 1e6, 0.0, 1.0, 0.0) < 2e6 < all_reduce.tree_cost(1024, 1e6, 0.0, 1.0, 0.0) == 2e7
    assert all_reduce.tree_cost(1000, 1, 1.0, 0.0, 0.0) == 20 < all_reduce.ring_cost(1000, 1, 1.0, 0.0, 0.0) == 1998
    times = {str(n): all_reduce.ring_cost(4, n, 3e-6, 2e-9, 1e-10) for n in (64, 4096, 10**6)}
    np.testing.assert_allclose(all_reduce.fit(times, all_reduce.ring_cost, 1e-10, 4), (3e-6, 2e-9))
