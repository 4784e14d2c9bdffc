"""Microseconds per scalar op, forward and backward together, beside the peers.

Each contender runs in a process of its own, because libraries in one process disturb each other; the turns
are rotated, so that a drift of the machine meets all alike. A graph has 600 ops on single numbers, and
garbage collection is left on: what cycles cost is part of the price, so a time is the mean over all steps of a turn.

    python benchmarks/scalar_ops.py [--rounds 7] [--out DIR]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from small_steps import RESULTS, in_turns, installed, machine, mean_time

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
    """Mean microseconds per op over repeated graphs, after a warm-up."""
    return mean_time(CONTENDERS[name][0](), seconds) / OPS * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of measuring per contender and round")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where scalar_ops.md and .json go")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.seconds)))
        return
    versions = installed({name: package for name, (_, package) in CONTENDERS.items()})
    best = {name: min(of) for name, of in in_turns(__file__, list(versions), options.rounds, options.seconds).items()}
    ours = best[next(iter(versions))]
    lines = [
        "# Scalar ops: ours beside the peers",
        "",
        f"{machine()}; the best of {options.rounds} turns.",
        "",
        f"µs per op of a graph of {OPS} on single numbers, forward and backward, garbage collection included.",
        "`benchmarks/scalar_ops.py` says how it is measured.",
        "",
        "| | µs per op | ours / it |",
        "|---|---:|---:|",
        *(f"| {name} {number} | {best[name]:.2f} | {ours / best[name]:.2f} |" for name, number in versions.items()),
        "",
    ]
    print("\n".join(lines))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "scalar_ops.md").write_text("\n".join(lines), encoding="utf-8")
    rows = {"machine": machine(), "ops": OPS, "rounds": options.rounds, "versions": versions, "best_us": best}
    (options.out / "scalar_ops.json").write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
