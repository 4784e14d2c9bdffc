"""How the small steps of scalar_ops.py and common_functions.py are timed."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def mean_time(step: Callable[[], Any], seconds: float) -> float:
    """Seconds of processor time per step, over all steps for so long, after a warm-up.

    The mean and not the median, because a garbage collection falls into one step of several: where it falls into
    fewer than half of them, a median leaves it out, however long it takes.
    """
    for _ in range(5):
        step()
    steps, start = 0, time.process_time()
    until = start + seconds
    while (now := time.process_time()) < until:
        step()
        steps += 1
    return (now - start) / max(steps, 1)


def installed(packages: dict[str, str]) -> dict[str, str]:
    """Those contenders whose package is here, and its version."""
    found = {}
    for name, package in packages.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            print(f"{name} is left out: {package} is not installed", file=sys.stderr)
    return found


def in_turns(script: str, names: Sequence[str], rounds: int, seconds: float) -> dict[str, list[Any]]:
    """What ``script --one NAME`` prints for each contender and round: a process each, in rotated turns.

    glibc is told to keep freed memory in all of them. Otherwise a process that happens to hold something small at the
    end of its heap keeps it, and another gives it back and meets a thousand page faults per step.
    """
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
    found: dict[str, list[Any]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in (*names[first:], *names[:first]):
            command = [sys.executable, script, "--one", name, "--seconds", str(seconds)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
            found[name].append(json.loads(done.stdout))
    return found


def machine() -> str:
    """What it ran on."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, Python {platform.python_version()}, NumPy {version('numpy')}"
