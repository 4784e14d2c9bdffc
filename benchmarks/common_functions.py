"""Microseconds per call of common functions, forward and backward, beside the peers and the bare arithmetic.

Each function is applied 300 times to one number, or to arrays of 1,000 elements, the results are added up, and the
sum is walked back; so a row is the price of one call and one addition. One process per contender, in rotated turns;
a time is the mean over all steps of a turn, garbage collection included, and the best of the turns.

"Arithmetic alone" computes the same values and gradients by hand, without a record: Python's floats and `math` for a
number, NumPy for arrays. Its share of the faster of HIPS autograd and MyGrad is the least that a library could reach.

    python benchmarks/common_functions.py [--rounds 5] [--contenders micrograd,PyTorch] [--out DIR]
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from small_steps import RESULTS, in_turns, installed, machine, mean_time

CALLS = 300  # with the additions a graph of 600 ops, as in scalar_ops.py


def share(np: Any, x: Any, y: Any) -> Any:
    """What of the gradient of a maximum is for ``x``."""
    return np.where(x == y, 0.5, x > y)


def at_rest(np: Any, g: Any, x: Any) -> Any:
    """The gradient of ``x[1:]``."""
    gradient = np.zeros_like(x)
    gradient[1:] = g
    return gradient


# Each function in NumPy's spelling, and its backward pass by hand: np is the contender's namespace, x an array or a
# number (for matmul a square matrix), z the result and g the gradient that arrives.
ARITHMETIC = {
    "add": (lambda np, x: x + 0.5, lambda np, g, z, x: g),
    "subtract": (lambda np, x: x - 0.5, lambda np, g, z, x: g),
    "multiply": (lambda np, x: x * 1.5, lambda np, g, z, x: g * 1.5),
    "divide": (lambda np, x: x / 1.5, lambda np, g, z, x: g / 1.5),
    "negative": (lambda np, x: -x, lambda np, g, z, x: -g),
    "x ** 2": (lambda np, x: x**2, lambda np, g, z, x: g * (2 * x)),
    "x ** 3": (lambda np, x: x**3, lambda np, g, z, x: g * (3 * x**2)),
    "x * x": (lambda np, x: x * x, lambda np, g, z, x: g * x + g * x),
    "relu": (lambda np, x: np.relu(x), lambda np, g, z, x: g * (x > 0)),
}
FUNCTIONS = {
    "exp": (lambda np, x: np.exp(x), lambda np, g, z, x: g * z),
    "log": (lambda np, x: np.log(x), lambda np, g, z, x: g / x),
    "sqrt": (lambda np, x: np.sqrt(x), lambda np, g, z, x: g / (2 * z)),
    "sin": (lambda np, x: np.sin(x), lambda np, g, z, x: g * np.cos(x)),
    "cos": (lambda np, x: np.cos(x), lambda np, g, z, x: g * -np.sin(x)),
    "tanh": (lambda np, x: np.tanh(x), lambda np, g, z, x: g * (1 - z * z)),
    "abs": (lambda np, x: np.abs(x), lambda np, g, z, x: g * np.sign(x)),
    "maximum": (lambda np, x: np.maximum(x, x), lambda np, g, z, x: g * share(np, x, x) + g * share(np, x, x)),
}
ARRAYS = {
    "sum": (lambda np, x: np.sum(x), lambda np, g, z, x: np.broadcast_to(g, x.shape)),
    "mean": (lambda np, x: np.mean(x), lambda np, g, z, x: np.broadcast_to(g / x.size, x.shape)),
    "reshape": (lambda np, x: np.reshape(x, (10, 100)), lambda np, g, z, x: np.reshape(g, x.shape)),
    "x[1:]": (lambda np, x: x[1:], lambda np, g, z, x: at_rest(np, g, x)),
    "matmul": (lambda np, x: np.matmul(x, x), lambda np, g, z, x: np.matmul(g, x.T) + np.matmul(x.T, g)),
}
NAMES = ("exp", "log", "sqrt", "sin", "cos", "tanh", "abs", "maximum", "sum", "mean", "reshape", "matmul")


class Contender:
    """A library: how to make a variable of a value, and how to walk back from a sum."""

    def __init__(self, np: Any, leaf: Callable[[Any], Any], backward: Callable[[Any], Any]):
        self.np, self.leaf, self.backward = np, leaf, backward

    def step(self, f: Any, back: Any, value: Any) -> Callable[[], Any]:
        """A function that computes the sum and its gradient; ``back`` is for who has no other."""

        def run() -> Any:
            x = self.leaf(value)
            total = f(self.np, x)
            for _ in range(CALLS - 1):
                total = total + f(self.np, x)
            self.backward(total)
            return x.grad

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


def alone() -> Contender:
    import numpy

    names = {name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh")}
    of_numbers = Namespace(
        relu=lambda x: x if x > 0 else 0.0,
        abs=abs,
        sign=lambda x: math.copysign(1.0, x),
        maximum=lambda x, y: x if x > y else y,
        where=lambda condition, x, y: x if condition else y,
        **names,
    )
    of_arrays = Namespace(**vars(numpy), relu=lambda x: numpy.maximum(x, 0))

    class ByHand(Contender):
        def step(self, f: Any, back: Any, value: Any) -> Callable[[], Any]:
            np = of_numbers if isinstance(value, float) else of_arrays

            def run() -> Any:
                results = [f(np, value)]
                total = results[0]
                for _ in range(CALLS - 1):
                    results.append(f(np, value))
                    total = total + results[-1]
                g = 1.0 if np is of_numbers else numpy.ones_like(total)
                gradient = back(np, g, results.pop(), value)
                while results:
                    gradient = gradient + back(np, g, results.pop(), value)
                return gradient

            return run

    return ByHand(None, None, None)  # type: ignore[arg-type]


def mygrad() -> Contender:
    import mygrad as mg
    from mygrad.nnet import relu

    names = {name: getattr(mg, name) for name in NAMES}
    return Contender(Namespace(relu=relu, **names), mg.tensor, backward_of_sum)


def hips() -> Contender:
    import autograd.numpy as np
    from autograd import grad

    class Traced(Contender):
        def step(self, f: Any, back: Any, value: Any) -> Callable[[], Any]:
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


OURS, ALONE = "autograd-core", "arithmetic alone"
CONTENDERS = {
    OURS: (ours, "autograd-core"),
    ALONE: (alone, "numpy"),
    "HIPS autograd": (hips, "autograd"),
    "MyGrad": (mygrad, "mygrad"),
    "micrograd": (micrograd, "micrograd"),
    "PyTorch": (pytorch, "torch"),
}
# What we hold ourselves to: at most so much of the fastest of these.
TARGETS = {("HIPS autograd", "MyGrad"): 0.5, ("micrograd",): 0.9}


def cases(name: str) -> dict[str, tuple[Any, Any, Any]]:
    """What is measured: label to (function, backward pass, value)."""
    import numpy as np

    found = {f"{label}, a number": (*f, 0.7) for label, f in ARITHMETIC.items()}
    if name == "micrograd":
        return found
    vector = np.linspace(0.1, 0.9, 1000)
    found |= {f"{label}, a number": (*f, 0.7) for label, f in FUNCTIONS.items()}
    arrays = (ARITHMETIC | FUNCTIONS | ARRAYS).items()
    found |= {f"{label}, 1,000": (*f, vector) for label, f in arrays if label != "matmul"}
    return found | {"matmul, 32×32": (*ARRAYS["matmul"], vector.repeat(2)[:1024].reshape(32, 32))}


def measure(name: str, seconds: float) -> dict[str, float]:
    """Mean microseconds per call, by case."""
    contender = CONTENDERS[name][0]()
    return {label: mean_time(contender.step(*case), seconds) / CALLS * 1e6 for label, case in cases(name).items()}


def missed(best: dict[str, dict[str, float]]) -> list[str]:
    """Each case that misses a target, with what it takes and what the arithmetic alone takes."""
    found = []
    for label, mine in best[OURS].items():
        for peers, target in TARGETS.items():
            times = [best[peer][label] for peer in peers if label in best.get(peer, ())]
            if times and mine > target * min(times):
                least = best[ALONE][label] / min(times)
                why = "; the arithmetic alone takes more than the target" if least > target else ""
                found.append(
                    f"{label}: {mine / min(times):.2f} of {' and '.join(peers)}, where at most {target} is meant and "
                    f"the arithmetic alone takes {least:.2f}{why}"
                )
    return found


def markdown(best: dict[str, dict[str, float]], about: str) -> str:
    """The table."""
    peers = [name for name in best if name not in (OURS, ALONE)]
    head = ["", "µs", "arithmetic alone, µs", *(f"/ {peer}" for peer in peers)]
    lines = [
        "# Common functions: ours beside the peers",
        "",
        f"{about}.",
        "",
        "µs per call and addition, forward and backward, garbage collection included. A ratio is ours over the",
        "other's: below 1 we are faster. `benchmarks/common_functions.py` says how it is measured.",
        "",
        f"| {' | '.join(head)} |",
        f"|---|{'---:|' * (len(head) - 1)}",
    ]
    for label, mine in best[OURS].items():
        ratios = (f"{mine / best[peer][label]:.2f}" if label in best[peer] else "" for peer in peers)
        lines.append(f"| {label} | {mine:.2f} | {best[ALONE][label]:.2f} | {' | '.join(ratios)} |")
    meant = "at most 0.5 of the faster of HIPS autograd and MyGrad, and 0.9 of micrograd"
    misses = missed(best)
    lines += ["", f"What is meant, {meant}, is " + ("missed by:" if misses else "met by all that was measured.")]
    return "\n".join([*lines, *([""] if misses else []), *(f"- {miss}" for miss in misses), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of measuring per case and round")
    parser.add_argument("--contenders", help="only these beside ours, with commas: micrograd,PyTorch")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where common_functions.md and .json go")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.seconds)))
        return
    wanted = [OURS, ALONE, *options.contenders.split(",")] if options.contenders else [*CONTENDERS]
    versions = installed({name: CONTENDERS[name][1] for name in wanted})
    turns = in_turns(__file__, list(versions), options.rounds, options.seconds)
    best = {name: {label: min(t[label] for t in of) for label in of[0]} for name, of in turns.items()}
    peers = ", ".join(f"{name} {number}" for name, number in versions.items() if name != ALONE)
    about = f"{machine()}; {peers}; the best of {options.rounds} turns"
    text = markdown(best, about)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "common_functions.md").write_text(text, encoding="utf-8")
    rows = {"about": about, "best_us": best}
    (options.out / "common_functions.json").write_text(
        json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
