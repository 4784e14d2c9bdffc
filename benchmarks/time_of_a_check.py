"""How long a gradient check takes: one op of two 10×10 arguments, to second order.

``python benchmarks/time_of_a_check.py`` prints the median of each op, of `check_gradients` and of all that the
property test of the table checks (`check_properties`). The bound that this project sets itself is 50 ms for
`check_gradients`. The time is that of the processor, which on a machine that does nothing else is the time that
passes: a check runs in one thread.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.testing import check_gradients, check_properties

BOUND = 0.050
OPS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "multiply": np.multiply,
    "divide": np.divide,
    "maximum": np.maximum,
    "arctan2": np.arctan2,
    "matmul": np.matmul,
    "where": lambda x, y: np.where(np.eye(10) > 0, x, y),
    "concatenate": lambda x, y: np.concatenate([x, y]),
    "einsum": lambda x, y: np.einsum("ij,kj->ik", x, y),
    "solve": np.linalg.solve,
}


def times(check: Callable[..., Any], f: Callable[..., Any], repeats: int) -> list[float]:
    """Seconds of each check, at other numbers each time."""
    rng = np.random.default_rng(0)
    taken = []
    for n in range(repeats + 2):  # the first two warm up
        x, y = rng.normal(size=(2, 10, 10))
        start = time.process_time()
        check(f, x, y, seed=n)
        taken.append(time.process_time() - start)
    return taken[2:]


def main() -> int:
    """Print the table, and exit with 1 if the median over all checks is above the bound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=51)
    repeats = parser.parse_args().repeats
    everything: dict[str, list[float]] = {"check_gradients": [], "check_properties": []}
    print(f"{'milliseconds, median (worst)':<32}{'check_gradients':>20}{'check_properties':>20}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, f in OPS.items():
            line = f"{name:<32}"
            for check in (check_gradients, check_properties):
                taken = times(check, f, repeats)
                everything[check.__name__] += taken
                line += f"{1e3 * statistics.median(taken):>12.1f} ({1e3 * max(taken):.0f})".rjust(20)
            print(line, flush=True)
    medians = {name: statistics.median(taken) for name, taken in everything.items()}
    print(f"{'all':<32}" + "".join(f"{1e3 * median:>20.1f}" for median in medians.values()))
    return int(medians["check_gradients"] > BOUND)


if __name__ == "__main__":
    raise SystemExit(main())
