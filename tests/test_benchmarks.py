"""The benchmark in its smallest form, so that it cannot rot. What it measures here means nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

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
