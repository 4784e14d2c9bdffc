"""How long ops of many arguments take, and taking a value apart: in proportion, or with the square of how many.

Run: python benchmarks/many_arguments.py [--most 200000]. It prints the processor's seconds for backward through a
stack of so many numbers, and through the stack of what so many elements of one array give.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from autograd_core import Tensor

FEW = 10_000


def stacked(n: int) -> Tensor:
    """Numbers, each of them a leaf, under one stack."""
    return np.stack([Tensor(float(i)) for i in range(n)])


def taken_apart(n: int) -> Tensor:
    """The elements of one leaf, squared one by one."""
    return np.stack([element * element for element in Tensor(np.arange(float(n)))])


def seconds(build: Callable[[int], Tensor], n: int) -> float:
    """Processor time of a backward pass, the best of three."""
    times = []
    for _ in range(3):
        result = build(n)
        begun = time.process_time()
        result.backward(np.ones(n))
        times.append(time.process_time() - begun)
    return min(times)


def main() -> None:
    """Print a line for each of the two."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=200_000)
    most = parser.parse_args().most
    print(f"{'backward through':<16}{FEW:>12,}{most:>12,}{'ratio':>8}{'in proportion':>16}")
    for name, build in (("a stack", stacked), ("elements of one", taken_apart)):
        few, many = seconds(build, FEW), seconds(build, most)
        print(f"{name:<16}{few:>10.3f} s{many:>10.3f} s{many / few:>8.1f}{most / FEW:>16.1f}")


if __name__ == "__main__":
    main()
