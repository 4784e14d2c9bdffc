"""The price of one gradient of one function, beside HIPS autograd and MyGrad: every function that they have, too.

``gradient = grad(lambda x: np.sum(np.f(x)))`` is made once and called with arrays of 1, of 1,000 and of 40×60
numbers; MyGrad, which has no such function, makes a tensor, the sum, and walks back. Which functions: those of NumPy's
that an op or a composed function of ours answers for, in a call that all give the same gradient for. Turns go round,
garbage collection is on, the least of the turns counts, in the processor time of one thread.

    python benchmarks/single_calls.py [--rounds 7] [--seconds 0.004] [--only norm,trace] [--out DIR]
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded

import numpy as np
from small_steps import RESULTS, installed, machine

import autograd_core as ag
from autograd_core.dispatch import NUMPY, full_name

SHAPES = {"1": (1, 1), "1,000": (1000,), "40×60": (40, 60)}
TARGET = 0.8  # of the faster of both

# What a function takes beside arrays; all others are called with one, or with one twice.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "array_split": (1,), "broadcast_to": ((2, 40, 60),), "clip": (0.2, 0.7), "expand_dims": (0,), "moveaxis": (0, -1),
    "pad": (1, "constant"), "partition": (0,), "repeat": (2,), "reshape": ((-1,),), "roll": (1,), "rollaxis": (0,),
    "rot90": (1,), "split": (1,), "swapaxes": (0, -1), "tensordot": (), "tile": (2,),
}  # fmt: skip


class Library:
    """Where its functions are, and how it makes of a function the gradient."""

    def __init__(self, name: str, numpy: Any, gradient: Callable[[Any], Callable[[Any], Any]]) -> None:
        self.name, self.numpy, self.gradient = name, numpy, gradient

    def find(self, name: str) -> Any:
        found = self.numpy
        for part in name.split("."):
            found = getattr(found, part, None)
        return found


def libraries() -> list[Library]:
    """Ours first, and of the others those that are installed."""
    found = [Library("autograd-core", np, ag.grad)]
    try:
        import autograd
        import autograd.numpy as of_hips

        found.append(Library("HIPS autograd", of_hips, autograd.grad))
    except ImportError:
        pass
    try:
        import mygrad

        def gradient(f: Any) -> Callable[[Any], Any]:
            def run(x: Any) -> Any:
                leaf = mygrad.tensor(x)
                f(leaf).backward()
                return leaf.grad

            return run

        found.append(Library("MyGrad", mygrad, gradient))
    except ImportError:
        pass
    return found


def functions() -> list[str]:
    """The functions of NumPy's that are recorded, by the names behind ``np.``."""
    names = {full_name(f) for f in NUMPY if hasattr(f, "__name__")}
    return sorted(name.removeprefix("np.") for name in names if name.startswith("np."))


def calls(name: str) -> Iterator[tuple[Any, ...]]:
    """What stands behind the first array in a call."""
    if name in ARGUMENTS:
        yield ARGUMENTS[name]
    else:
        yield from ((), ("x",))


def summed(library: Library, name: str, more: tuple[Any, ...]) -> Callable[[Any], Any]:
    """The sum of what a function gives."""
    function, total = library.find(name), library.numpy.sum
    if "x" in more:
        return lambda x: total(function(x, x))
    return lambda x: total(function(x, *more))


def comparable(name: str, x: Any, among: list[Library]) -> list[tuple[str, Callable[[Any], Any]]]:
    """The gradients of those that can be asked for this one, where ours is and others agree."""
    for more in calls(name):
        found = []
        for library in among:
            try:
                gradient = library.gradient(summed(library, name, more))
                found.append((library.name, gradient, np.asarray(gradient(x))))
            except Exception:
                if library is among[0]:
                    break
        if len(found) > 1 and found[0][0] == among[0].name:
            ours = found[0][2]
            same = [f[:2] for f in found if f[2].shape == ours.shape and np.allclose(f[2], ours, equal_nan=True)]
            if len(same) > 1:
                return same
    return []


def measure(gradients: list[tuple[str, Callable[[Any], Any]]], x: Any, rounds: int, seconds: float) -> dict[str, float]:
    """The least microseconds of a call, by library."""

    def once(gradient: Callable[[Any], Any], times: int) -> float:
        begun = time.process_time()
        for _ in range(times):
            gradient(x)
        return (time.process_time() - begun) / times

    times = {name: max(1, int(seconds / max(once(gradient, 3), 1e-6))) for name, gradient in gradients}
    turns = [{name: once(gradient, times[name]) for name, gradient in gradients} for _ in range(rounds)]
    return {name: min(turn[name] for turn in turns) * 1e6 for name, _ in gradients}


def markdown(rows: dict[tuple[str, str], dict[str, float]], about: str) -> str:
    """The table, the worst first."""
    ours = "autograd-core"
    ratios = {key: row[ours] / min(t for name, t in row.items() if name != ours) for key, row in rows.items()}
    slower = sum(ratio > TARGET for ratio in ratios.values())
    middle = sorted(ratios.values())[len(ratios) // 2] if ratios else float("nan")
    lines = [
        "# One gradient of one function: ours beside the peers",
        "",
        f"{about}.",
        "",
        "µs for a call of a gradient that was made before. The ratio is ours over the faster of the others; the "
        f"median of all is {middle:.2f}, and {slower} of {len(ratios)} are above the {TARGET} that is meant. "
        "`benchmarks/single_calls.py` says how it is measured.",
        "",
        "| | numbers | µs | over the faster | which is |",
        "|---|---|---:|---:|---|",
    ]
    for name, size in sorted(ratios, key=lambda key: -ratios[key]):
        row = rows[name, size]
        least = min((t, peer) for peer, t in row.items() if peer != ours)[1]
        lines.append(f"| {name} | {size} | {row[ours]:.1f} | {ratios[name, size]:.2f} | {least} |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.004, help="of measuring per case and turn")
    parser.add_argument("--only", help="these functions, with commas: linalg.norm,trace")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where single_calls.md goes")
    options = parser.parse_args()
    among, rows = libraries(), {}
    random = np.random.default_rng(0)
    warnings.simplefilter("ignore")
    for name in options.only.split(",") if options.only else functions():
        for size, shape in SHAPES.items():
            x = random.uniform(0.1, 0.9, shape)
            gradients = comparable(name, x, among)
            if gradients:
                rows[name, size] = measure(gradients, x, options.rounds, options.seconds)
    versions = installed({library.name: library.name.split()[-1].lower() for library in among})
    peers = ", ".join(f"{name} {number}" for name, number in versions.items())
    text = markdown(rows, f"{machine()}; {peers}; the least of {options.rounds} turns")
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "single_calls.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
