"""Microseconds per call of common functions, forward and backward, beside the peers.

Each function is applied 300 times to one number, or to arrays of 1,000 elements, the results are added up,
and the sum is walked back; so a row is the price of one call and one addition. One process per contender, in
rotated turns; the ratio is the median over the rounds.

    python benchmarks/common_functions.py [--rounds 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

CALLS = 300  # with the additions a graph of 600 ops, as in scalar_ops.py

# Each function in NumPy's spelling: np is the contender's namespace, x an array or number, m a square matrix.
SCALAR = {
    "add": lambda np, x: x + 0.5,
    "subtract": lambda np, x: x - 0.5,
    "multiply": lambda np, x: x * 1.5,
    "divide": lambda np, x: x / 1.5,
    "negative": lambda np, x: -x,
    "x ** 2": lambda np, x: x**2,
    "x ** 3": lambda np, x: x**3,
    "x * x": lambda np, x: x * x,
    "relu": lambda np, x: np.relu(x),
}
FUNCTIONS = {
    "exp": lambda np, x: np.exp(x),
    "log": lambda np, x: np.log(x),
    "sqrt": lambda np, x: np.sqrt(x),
    "sin": lambda np, x: np.sin(x),
    "cos": lambda np, x: np.cos(x),
    "tanh": lambda np, x: np.tanh(x),
    "abs": lambda np, x: np.abs(x),
    "maximum": lambda np, x: np.maximum(x, x),
}
ARRAYS = {
    "sum": lambda np, x: np.sum(x),
    "mean": lambda np, x: np.mean(x),
    "reshape": lambda np, x: np.reshape(x, (10, 100)),
    "x[1:]": lambda np, x: x[1:],
    "matmul": lambda np, x: np.matmul(x, x),
}


class Contender:
    """A library: how to make a variable of a value, and how to walk back from a sum."""

    def __init__(self, np: Any, leaf: Callable[[Any], Any], backward: Callable[[Any], Any]):
        self.np, self.leaf, self.backward = np, leaf, backward

    def step(self, f: Any, value: Any) -> Callable[[], None]:
        def run() -> None:
            x = self.leaf(value)
            total = f(self.np, x)
            for _ in range(CALLS - 1):
                total = total + f(self.np, x)
            self.backward(total)

        return run


class Namespace:
    """Another library's functions under NumPy's names."""

    def __init__(self, **functions: Any):
        vars(self).update(functions)


def backward_of_sum(total: Any) -> None:
    (total.sum() if getattr(total, "ndim", 0) else total).backward()


def ours() -> Contender:
    import numpy

    import autograd_core as ag

    names = {name: getattr(numpy, name) for name in NAMES}

    def backward(total: Any) -> None:  # like the peers, without keeping the gradients on the way
        (total.sum() if total.ndim else total).backward(release=True)

    return Contender(Namespace(relu=ag.relu, **names), ag.Tensor, backward)


def mygrad() -> Contender:
    import mygrad as mg
    from mygrad.nnet import relu

    names = {name: getattr(mg, name) for name in NAMES}
    return Contender(Namespace(relu=relu, **names), mg.tensor, backward_of_sum)


def hips() -> Contender:
    import autograd.numpy as np
    from autograd import grad

    class Traced(Contender):
        def step(self, f: Any, value: Any) -> Callable[[], None]:
            def run(x: Any) -> Any:
                total = f(self.np, x)
                for _ in range(CALLS - 1):
                    total = total + f(self.np, x)
                return np.sum(total) if np.ndim(total) else total

            slope = grad(run)
            return lambda: slope(value)

    names = {name: getattr(np, name) for name in NAMES}
    return Traced(Namespace(relu=lambda x: np.maximum(x, 0.0), **names), None, None)  # type: ignore[arg-type]


def micrograd() -> Contender:
    from micrograd.engine import Value

    return Contender(Namespace(relu=Value.relu), Value, Value.backward)


def pytorch() -> Contender:
    import torch

    torch.set_num_threads(1)
    names = {name: getattr(torch, name) for name in NAMES}

    def leaf(value: Any) -> Any:
        return torch.tensor(value, dtype=torch.float64, requires_grad=True)

    return Contender(Namespace(relu=torch.relu, **names), leaf, backward_of_sum)


NAMES = ("exp", "log", "sqrt", "sin", "cos", "tanh", "abs", "maximum", "sum", "mean", "reshape", "matmul")
CONTENDERS = {
    "autograd-core": (ours, "autograd-core"),
    "HIPS autograd": (hips, "autograd"),
    "MyGrad": (mygrad, "mygrad"),
    "micrograd": (micrograd, "micrograd"),
    "PyTorch": (pytorch, "torch"),
}


def cases(name: str) -> dict[str, tuple[Any, Any]]:
    """What is measured: label to (function, value)."""
    import numpy as np

    found = {f"{label}, a number": (f, 0.7) for label, f in SCALAR.items()}
    if name == "micrograd":
        return found
    vector = np.linspace(0.1, 0.9, 1000)
    found |= {f"{label}, a number": (f, 0.7) for label, f in FUNCTIONS.items()}
    found |= {f"{label}, 1,000": (f, vector) for label, f in (SCALAR | FUNCTIONS | ARRAYS).items() if label != "matmul"}
    return found | {"matmul, 32×32": (ARRAYS["matmul"], vector.repeat(2)[:1024].reshape(32, 32))}


def measure(name: str, seconds: float) -> dict[str, float]:
    """Median microseconds per call, by case."""
    warnings.simplefilter("ignore")
    contender = CONTENDERS[name][0]()
    found = {}
    for label, (f, value) in cases(name).items():
        step = contender.step(f, value)
        for _ in range(3):
            step()
        times = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        found[label] = statistics.median(times) / CALLS * 1e6
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.1, help="of measuring per case and round")
    parser.add_argument("--json", help="also write the numbers to this file")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.seconds)))
        return
    names = list(CONTENDERS)
    times: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for turn in range(options.rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            command = [sys.executable, __file__, "--one", name, "--seconds", str(options.seconds)]
            times[name].append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    machine = f"{platform.machine()}, Python {platform.python_version()}, NumPy {version('numpy')}"
    print(f"µs per call and addition, forward + backward; {options.rounds} rounds; {machine}")
    print(", ".join(f"{name} {version(package)}" for name, (_, package) in CONTENDERS.items()), end="\n\n")
    print(f"{'':<22}{'ours µs':>8}   ours / " + "".join(f"{name:>15}" for name in names[1:]))
    rows = []
    for label in times[names[0]][0]:
        mine = statistics.median(t[label] for t in times[names[0]])
        row: dict[str, Any] = {"case": label, "ours_us": mine}
        for name in names[1:]:
            pairs = zip(times[names[0]], times[name], strict=True)
            row[name] = statistics.median(a[label] / b[label] for a, b in pairs) if label in times[name][0] else None
        rows.append(row)
        ratios = "".join(f"{row[name]:>15.2f}" if row[name] else f"{'':>15}" for name in names[1:])
        print(f"{label:<22}{mine:>8.2f}          {ratios}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"machine": machine, "rounds": options.rounds, "rows": rows}, file, indent=2)


if __name__ == "__main__":
    main()
