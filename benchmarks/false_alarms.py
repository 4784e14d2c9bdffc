"""Right rules, many examples: how often is a gradient check wrong, and how often does it not know?

``python benchmarks/false_alarms.py --examples 100000`` draws calls of everything in the table (its examples,
their variants with axes of length 1 and 0, and any shapes that broadcast for elementwise ops) with random
numbers of their domains, and runs all that the property test of the table runs. Example n is the same on every
run, so that a run can be continued or shared out: ``--first 50000`` begins there, and the line of progress says
how far the last one came.
"""

from __future__ import annotations

import argparse
import itertools
import time
import warnings
from collections import Counter
from collections.abc import Iterator

import numpy as np

from autograd_core.domain import Example
from autograd_core.op import Op
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


def random_calls(seed: int, first: int = 0) -> Iterator[tuple[int, Call]]:
    """Numbered calls without end, every entry as often as any other; each is drawn from its number alone."""
    table = []
    for name, entry in entries():
        given = list(examples_of(entry))
        table.append((name, entry, given + [v for one in given for v in variants(entry, one)]))
    for n in itertools.count(first):
        rng = np.random.default_rng([seed, n])
        name, entry, given = table[n % len(table)]
        while True:
            one = given[rng.integers(len(given))]
            if isinstance(entry, Op) and entry.elementwise and entry.examples is None and rng.random() < 0.5:
                common = rng.integers(0, 5, rng.integers(0, 4))
                one = Example(tuple(_broadcastable(common, rng) for _ in range(entry.arity or 1)))
            call = make_call(name, one, random_numbers(size_of(shapes_of(entry, one)), rng))
            if call.argnums:
                yield n, call
                break


def _broadcastable(common: np.ndarray, rng: np.random.Generator) -> tuple[int, ...]:
    """A shape that broadcasts to ``common``: leading axes left out, some others of length 1."""
    kept = common[rng.integers(0, common.size + 1) :]
    return tuple(int(n) if rng.random() < 0.7 else 1 for n in kept)


def main() -> int:
    """Run, print, and exit with 1 if a right rule failed or 1% of the checks were inconclusive."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first example")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    verdicts: Counter[str] = Counter()
    undecided: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    start = time.perf_counter()
    calls = itertools.islice(random_calls(options.seed, options.first), options.examples)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # means of nothing
        for n, call in calls:
            try:
                verdict = check_call(call, seed=n).verdict
            except Exception as error:  # whatever it is, a right rule must not raise it
                verdict = "fail"
                print(f"example {n}: {call!r}\n{type(error).__name__}: {error}\n", flush=True)
            verdicts[verdict] += 1
            tried[call.name] += 1
            undecided[call.name] += verdict == "inconclusive"
            if verdicts.total() % 1000 == 0:
                print(f"up to {n}: {dict(verdicts)} in {time.perf_counter() - start:.0f} s", flush=True)
    print(
        f"{verdicts.total()} examples of {len(tried)} entries, from {options.first}, in "
        f"{time.perf_counter() - start:.0f} s: {dict(verdicts)}"
    )
    share = verdicts["inconclusive"] / options.examples
    most = ", ".join(f"{name} {count} of {tried[name]}" for name, count in undecided.most_common(6) if count)
    print(f"inconclusive {share:.3%}; most of them: {most or 'none'}")
    return int(verdicts["fail"] > 0 or share >= 0.01)


if __name__ == "__main__":
    raise SystemExit(main())
