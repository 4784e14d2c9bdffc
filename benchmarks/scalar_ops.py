"""Microseconds per scalar op, forward and backward together, beside the peers.

Each contender runs in a process of its own, because libraries in one process disturb each other; the turns
are rotated, so that a drift of the machine meets all alike. A graph has 600 ops on single numbers, and
garbage collection is left on: what cycles cost is part of the price.

    python benchmarks/scalar_ops.py [--rounds 7] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

OPS = 600


def graph(a, b):
    """600 ops on two numbers that every contender has: products, sums, constants, squares, differences."""
    x = a
    for _ in range(OPS // 6):
        x = x * b
        x = x + a
        x = x * 0.5
        y = x**2
        x = x - y
        x = x / 1.5
    return x


def ours() -> Callable[[], None]:
    from autograd_core import Tensor

    def step() -> None:
        graph(Tensor(0.7), Tensor(0.9)).backward()

    return step


def micrograd() -> Callable[[], None]:
    from micrograd.engine import Value

    def step() -> None:
        graph(Value(0.7), Value(0.9)).backward()

    return step


def mygrad() -> Callable[[], None]:
    import mygrad as mg

    def step() -> None:
        graph(mg.tensor(0.7), mg.tensor(0.9)).backward()

    return step


def hips() -> Callable[[], None]:
    from autograd import grad

    slope = grad(lambda ab: graph(ab[0], ab[1]))

    def step() -> None:
        slope((0.7, 0.9))

    return step


def pytorch() -> Callable[[], None]:
    import torch

    torch.set_num_threads(1)

    def step() -> None:
        a = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
        b = torch.tensor(0.9, dtype=torch.float64, requires_grad=True)
        graph(a, b).backward()

    return step


CONTENDERS = {
    "autograd-core": (ours, "autograd-core"),
    "micrograd": (micrograd, "micrograd"),
    "MyGrad": (mygrad, "mygrad"),
    "HIPS autograd": (hips, "autograd"),
    "PyTorch": (pytorch, "torch"),
}


def measure(name: str, seconds: float = 1.0) -> float:
    """Median microseconds per op over repeated graphs, after a warm-up."""
    step = CONTENDERS[name][0]()
    for _ in range(5):
        step()
    times = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        for _ in range(5):
            step()
        times.append((time.perf_counter() - start) / 5)
    return statistics.median(times) / OPS * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of measuring per contender and round")
    parser.add_argument("--json", help="also write the numbers to this file")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(measure(options.one, options.seconds))
        return
    names = list(CONTENDERS)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(options.rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            command = [sys.executable, __file__, "--one", name, "--seconds", str(options.seconds)]
            times[name].append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    machine = f"{platform.machine()}, Python {platform.python_version()}, NumPy {version('numpy')}"
    print(f"{OPS} scalar ops, forward + backward; {options.rounds} rounds; {machine}\n")
    print(f"{'':<24}{'µs per op':>12}{'best':>8}   ours / it")
    rows = []
    for name in names:
        median, best = statistics.median(times[name]), min(times[name])
        ratio = statistics.median(a / b for a, b in zip(times[names[0]], times[name], strict=True))
        label = f"{name} {version(CONTENDERS[name][1])}"
        print(f"{label:<24}{median:>12.2f}{best:>8.2f}{ratio:>12.2f}")
        rows.append({"name": label, "median_us": median, "best_us": best, "ours_over_it": ratio})
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"machine": machine, "ops": OPS, "rounds": options.rounds, "rows": rows}, file, indent=2)


if __name__ == "__main__":
    main()
