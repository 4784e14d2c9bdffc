"""Processor time of ``import autograd_core`` as a ratio to that of ``import numpy``, which it needs; and where it goes.

    python benchmarks/import_time.py
    python benchmarks/import_time.py --modules 15    # the modules of ours that take longest

Each import is made in a fresh process with compiled bytecode, in turn, and the least of all rounds counts: what a
process takes beyond that was taken by something else.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TIMED = "import time; begin = time.process_time(); import {}; print(time.process_time() - begin)"


BYTECODE = tempfile.TemporaryDirectory()


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPYCACHEPREFIX"] = BYTECODE.name
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True)


def seconds(names: list[str], rounds: int) -> dict[str, float]:
    """The least processor time that the import of each took."""
    best = dict.fromkeys(names, float("inf"))
    for _ in range(rounds + 1):  # the first compiles
        for name in names:
            best[name] = min(best[name], float(python("-c", TIMED.format(name)).stdout))
    return best


def by_module(rounds: int) -> dict[str, float]:
    """Milliseconds that each module takes by itself, without those that it imports; the least of all rounds."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        lines = python("-X", "importtime", "-c", "import numpy, autograd_core").stderr.splitlines()
        found = [re.match(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", line) for line in lines]
        for own, name in (match.groups() for match in found if match):
            best[name] = min(best.get(name, float("inf")), int(own) / 1000)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--modules", type=int, default=0, help="how many modules to list")
    options = parser.parse_args()
    best = seconds(["numpy", "autograd_core", "nn"], options.rounds)
    for name, t in best.items():
        print(f"{name:16}{1000 * t:8.1f} ms{t / best['numpy']:8.2f} × numpy")
    if options.modules:
        for name, t in sorted(by_module(options.rounds).items(), key=lambda entry: -entry[1])[: options.modules]:
            print(f"    {name:40}{t:8.2f} ms")


if __name__ == "__main__":
    main()
