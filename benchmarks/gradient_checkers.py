"""What other libraries' gradient checkers notice of the mutants that the property test of the table notices.

``python benchmarks/gradient_checkers.py --mutants 300`` hands PyTorch's ``gradcheck(fast_mode=True)``, HIPS
autograd's ``check_grads`` and JAX's ``check_grads`` the forward function of an op, and for its backward the
mutated rule, at the same calls and with their default settings. Only calls at which a checker passes the
right rule count. Mutants that compute the same numbers are left out, and so are those that are wrong in
second order only: a rule in NumPy cannot be differentiated by the others.
"""

from __future__ import annotations

import argparse
import logging
import random
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autograd_core import vjp
from autograd_core.op import REGISTRY
from autograd_core.testing.calls import Call, calls
from autograd_core.testing.mutants import family, installed, mutants_of, noticed

Array = Any
Backward = Callable[[Array, Sequence[Array]], Sequence[Array]]


def parts(call: Call) -> tuple[Callable[..., Array], Backward, list[Array]]:
    """The forward function of the varied arrays, its backward by our rules, and the arrays."""

    def f(*xs: Any) -> Any:
        args = list(call.args)
        for n, x in zip(call.argnums, xs, strict=True):
            args[n] = x
        return call(*args)

    def backward(g: Array, xs: Sequence[Array]) -> Sequence[Array]:
        return [np.asarray(d) for d in vjp(f, *xs)[1](np.asarray(g))]

    return f, backward, [np.asarray(call.args[n]) for n in call.argnums]


def by_torch(call: Call) -> None:
    """PyTorch's ``gradcheck``."""
    import torch

    f, backward, xs = parts(call)

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            ctx.save_for_backward(*inputs)
            return torch.as_tensor(np.array(f(*(t.detach().numpy() for t in inputs))))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            gradients = backward(g.numpy(), [t.detach().numpy() for t in ctx.saved_tensors])
            return tuple(torch.as_tensor(np.array(d)) for d in gradients)

    torch.autograd.gradcheck(Function.apply, [torch.tensor(x, requires_grad=True) for x in xs], fast_mode=True)


def by_hips(call: Call) -> None:
    """HIPS autograd's ``check_grads``, of the first order and backwards."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    f, backward, xs = parts(call)
    wrapped = primitive(lambda *inputs: f(*inputs))
    defvjp(wrapped, *(lambda ans, *inputs, i=i: lambda g: backward(g, inputs)[i] for i in range(len(xs))))
    check_grads(wrapped, modes=["rev"], order=1)(*xs)


def by_jax(call: Call) -> None:
    """JAX's ``check_grads``, of the first order and backwards."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    logging.getLogger("jax").setLevel(logging.CRITICAL)  # a rule that raises is reported by the exception
    f, backward, xs = parts(call)
    out = jax.ShapeDtypeStruct(np.shape(f(*xs)), np.float64)
    ins = tuple(jax.ShapeDtypeStruct(x.shape, np.float64) for x in xs)

    @jax.custom_vjp
    def wrapped(*inputs: Any) -> Any:
        return jax.pure_callback(lambda *a: np.asarray(f(*map(np.asarray, a)), np.float64), out, *inputs)

    def pulled(inputs: Any, g: Any) -> Any:
        return jax.pure_callback(
            lambda g, *a: tuple(np.asarray(d, np.float64) for d in backward(g, [np.asarray(x) for x in a])),
            ins, g, *inputs,
        )  # fmt: skip

    wrapped.defvjp(lambda *inputs: (wrapped(*inputs), inputs), pulled)
    check_grads(wrapped, tuple(xs), order=1, modes=["rev"])


CHECKERS = {"PyTorch gradcheck": by_torch, "HIPS check_grads": by_hips, "JAX check_grads": by_jax}


def passes(check: Callable[[Call], None], call: Call) -> bool:
    """Whether a checker is content."""
    try:
        check(call)
    except Exception:
        return False
    return True


def main() -> None:
    """Try the mutants and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--mutants", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    available = {}
    for name, check in CHECKERS.items():
        with suppress(ImportError):
            __import__({"PyTorch gradcheck": "torch", "HIPS check_grads": "autograd", "JAX check_grads": "jax"}[name])
            available[name] = check
    everything = [m for op in REGISTRY.values() if op.arity for m in mutants_of(op) if m.first_order]
    chosen = sorted(
        random.Random(options.seed).sample(everything, min(options.mutants, len(everything))), key=lambda m: m.op
    )
    tables: dict[str, list[Call]] = {}
    fit: dict[tuple[str, str], list[Call]] = {}
    tried: Counter[str] = Counter()
    caught: dict[str, Counter[str]] = {name: Counter() for name in available}
    runnable: dict[str, Counter[str]] = {name: Counter() for name in available}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for mutant in chosen:
            table = tables.setdefault(mutant.op, [c for c in calls([mutant.op]) if c.argnums])
            with installed(mutant):
                if not noticed(table):  # it computes the same numbers: `make mutants` makes sure of that
                    continue
            kind = family(mutant)
            tried[kind] += 1
            for name, check in available.items():
                if (name, mutant.op) not in fit:
                    fit[name, mutant.op] = [c for c in table if passes(check, c)]
                usable = fit[name, mutant.op]
                runnable[name][kind] += bool(usable)
                with installed(mutant):
                    caught[name][kind] += any(not passes(check, c) for c in usable)
    print(f"{'kind':<28}{'ours':>12}" + "".join(f"{name:>20}" for name in available))
    rows = [*((kind, [kind]) for kind in tried), ("all", list(tried))]
    for label, kinds in rows:
        n = sum(tried[k] for k in kinds)
        shares = (f"{sum(caught[a][k] for k in kinds)} of {sum(runnable[a][k] for k in kinds)}" for a in available)
        print(f"{label:<28}{f'{n} of {n}':>12}" + "".join(f"{share:>20}" for share in shares))


if __name__ == "__main__":
    main()
