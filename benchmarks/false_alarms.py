"""Right rules, many examples: how often is a gradient check wrong, and how often does it not know?

``python benchmarks/false_alarms.py --examples 100000`` draws calls of everything in the table (its examples,
their variants with axes of length 1 and 0, and any shapes that broadcast for elementwise ops) with random
numbers of their domains, and runs all that the property test of the table runs.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections import Counter
from collections.abc import Iterator

import numpy as np

from autograd_core.op import Example, Op
from autograd_core.testing import GradientError, check_gradients
from autograd_core.testing.calls import (
    Call,
    entries,
    examples_of,
    make_call,
    random_numbers,
    shapes_of,
    size_of,
    variants,
)
from autograd_core.testing.properties import check_call


def random_calls(seed: int) -> Iterator[Call]:
    """Calls without end, every entry as often as any other."""
    rng = np.random.default_rng(seed)
    table = {}
    for name, entry in entries():
        given = list(examples_of(entry))
        table[name] = entry, given + [v for one in given for v in variants(entry, one)]
    while True:
        for name, (entry, given) in table.items():
            one = given[rng.integers(len(given))]
            if isinstance(entry, Op) and entry.elementwise and entry.examples is None and rng.random() < 0.5:
                common = rng.integers(0, 5, rng.integers(0, 4))
                one = Example(tuple(_broadcastable(common, rng) for _ in range(entry.arity or 1)))
            call = make_call(name, one, random_numbers(size_of(shapes_of(entry, one)), rng))
            if call.argnums:
                yield call


def _broadcastable(common: np.ndarray, rng: np.random.Generator) -> tuple[int, ...]:
    """A shape that broadcasts to ``common``: leading axes left out, some others of length 1."""
    kept = common[rng.integers(0, common.size + 1) :]
    return tuple(int(n) if rng.random() < 0.7 else 1 for n in kept)


def median_time(repeats: int = 51) -> float:
    """Seconds to check an op of two 10×10 arguments to second order: the median over ops and repeats."""
    rng = np.random.default_rng(0)
    times = []
    for f in (np.multiply, np.divide, np.matmul, np.maximum):
        for _ in range(repeats):
            x, y = rng.normal(size=(2, 10, 10))
            start = time.perf_counter()
            check_gradients(f, x, y)
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> int:
    """Run, print, and exit with 1 if a right rule failed or 1% of the checks were inconclusive."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    verdicts: Counter[str] = Counter()
    undecided: Counter[str] = Counter()
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # means of nothing
        for n, call in enumerate(random_calls(options.seed)):
            if n == options.examples:
                break
            try:
                verdict = check_call(call, seed=n).verdict
            except (GradientError, ArithmeticError, ValueError, RuntimeError) as error:
                verdict = "fail"
                print(f"{call!r}\n{error}\n")
            verdicts[verdict] += 1
            undecided[call.name] += verdict == "inconclusive"
    print(f"{options.examples} examples in {time.perf_counter() - start:.0f} s: {dict(verdicts)}")
    share = verdicts["inconclusive"] / options.examples
    print(f"inconclusive {share:.2%}, most of them {undecided.most_common(6)}")
    print(f"an op of two 10×10 arguments to second order: {1e3 * median_time():.1f} ms (median)")
    return int(verdicts["fail"] > 0 or share >= 0.01)


if __name__ == "__main__":
    raise SystemExit(main())
