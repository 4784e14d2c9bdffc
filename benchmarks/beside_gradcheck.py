"""How long a check of a gradient takes beside other libraries', and whether one wrong element of many is noticed.

``python benchmarks/beside_gradcheck.py`` checks one op of 50×50 numbers and prints the time of each checker as a ratio
to PyTorch's ``gradcheck``, and which find one element's gradient that is 0.1 % wrong; then the time of 1,000
hypothesis examples with a check in each, as a ratio to drawing the same arrays. The time is the processor's.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings

from autograd_core.domain import REAL
from autograd_core.testing import arrays_for, check_gradients

SIDE = 50
EXAMPLES = 1000


def checkers(wrong: float) -> dict[str, Callable[[Any], Any]]:
    """Checkers of tanh by what they are called; ``wrong`` is what the gradient of one element is multiplied by."""
    import jax
    import torch
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    factors = np.ones((SIDE, SIDE))
    factors[17, 23] = wrong
    scale = torch.tensor(factors)

    class Tanh(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.tanh(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * scale * (1 - torch.tanh(x) ** 2)

    @jax.custom_vjp
    def tanh(x: Any) -> Any:
        return jax.numpy.tanh(x)

    tanh.defvjp(lambda x: (tanh(x), x), lambda x, g: (g * factors * (1 - jax.numpy.tanh(x) ** 2),))

    def grad(g: Any, x: Any) -> Any:
        return g * factors * (1 - np.tanh(x) ** 2)

    def gradcheck(x: Any, **options: Any) -> Any:
        return torch.autograd.gradcheck(Tanh.apply, torch.tensor(x, requires_grad=True), **options)

    return {
        "PyTorch gradcheck": gradcheck,
        "PyTorch gradcheck, fast mode": lambda x: gradcheck(x, fast_mode=True),
        "JAX check_grads": lambda x: check_grads(tanh, (x,), order=1, modes=["rev"]),
        "check_gradients, of NumPy": lambda x: check_gradients(np.tanh, x, grad=grad),
        "check_gradients, of PyTorch": lambda x: check_gradients(Tanh.apply, torch.tensor(x), order=1),
    }


def seconds(call: Callable[[], Any], repeats: int) -> float:
    """The processor's time, the best of several."""
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        call()
        taken.append(time.process_time() - begun)
    return min(taken)


def notices(check: Callable[[Any], Any], x: Any) -> bool:
    """Whether a checker raises."""
    try:
        check(x)
    except Exception:
        return True
    return False


def examples() -> tuple[float, float]:
    """Seconds for drawing, and for drawing and checking."""
    options = settings(max_examples=EXAMPLES, database=None, deadline=None, derandomize=True)

    @options
    @given(arrays_for(REAL))
    def drawn(x: Any) -> None:
        pass

    @options
    @given(arrays_for(REAL))
    def checked(x: Any) -> None:
        check_gradients(np.tanh, x, grad=lambda g, x: g * (1 - np.tanh(x) ** 2))

    return seconds(drawn, 1), seconds(checked, 1)


def main() -> None:
    """Print both tables."""
    x = np.random.default_rng(0).normal(size=(SIDE, SIDE))
    right, wrong = checkers(1.0), checkers(1.001)
    base = 0.0
    print(f"{f'one op, {SIDE}×{SIDE}':<32}{'milliseconds':>14}{'ratio':>10}{'1 of 2,500 wrong by 0.1 %':>28}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, check in right.items():
            if base:
                check(x)  # the first time compiles
            taken = seconds(lambda check=check: check(x), 3 if base else 1)  # type: ignore[misc]
            base = base or taken
            found = "found" if notices(wrong[name], x) else "not found"
            print(f"{name:<32}{1e3 * taken:>14.1f}{taken / base:>10.4f}{found:>28}", flush=True)
    drawn, checked = examples()
    print(f"{EXAMPLES:,} examples of an elementwise op: {drawn:.1f} s to draw, {checked:.1f} s with their checks, ")
    print(f"{checked / drawn:.2f} times as long")


if __name__ == "__main__":
    main()
