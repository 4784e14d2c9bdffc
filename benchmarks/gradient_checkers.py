"""What other libraries' gradient checkers notice of wrong rules, beside what ours notice at the same points.

``python benchmarks/gradient_checkers.py --each 30`` hands PyTorch's ``gradcheck(fast_mode=True)``, HIPS autograd's
``check_grads`` and JAX's ``check_grads`` the forward function of an op and, for its backward, the mutated rule, all
with their default settings in double precision. Each op is called at up to four points, the same for all, at
which every checker passes the right rule. A mutant counts where it computes other first derivatives than the
right rule at one of these points. ``check_gradients`` is ours to the first order, ``check_properties`` with all
that it checks besides. Mutants that are wrong in second order only are left out: a rule in NumPy cannot be
differentiated by the others.
"""

from __future__ import annotations

import argparse
import logging
import random
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autograd_core import vjp
from autograd_core.op import REGISTRY
from autograd_core.testing import check_gradients
from autograd_core.testing.calls import Call, calls
from autograd_core.testing.mutants import Mutant, family, installed, mutants_of
from autograd_core.testing.properties import check_call

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


def by_torch(f: Callable[..., Array], backward: Backward, xs: Sequence[Array], fast_mode: bool = True) -> None:
    """PyTorch's ``gradcheck``."""
    import torch

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            ctx.save_for_backward(*inputs)
            return torch.as_tensor(np.array(f(*(t.detach().numpy() for t in inputs))))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            gradients = backward(g.numpy(), [t.detach().numpy() for t in ctx.saved_tensors])
            return tuple(torch.as_tensor(np.array(d)) for d in gradients)

    torch.autograd.gradcheck(Function.apply, [torch.tensor(x, requires_grad=True) for x in xs], fast_mode=fast_mode)


def by_hips(f: Callable[..., Array], backward: Backward, xs: Sequence[Array]) -> None:
    """HIPS autograd's ``check_grads``, of the first order and backwards."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    wrapped = primitive(lambda *inputs: f(*inputs))
    defvjp(wrapped, *(lambda ans, *inputs, i=i: lambda g: backward(g, inputs)[i] for i in range(len(xs))))
    check_grads(wrapped, tuple(range(len(xs))), modes=["rev"], order=1)(*xs)


def by_jax(f: Callable[..., Array], backward: Backward, xs: Sequence[Array]) -> None:
    """JAX's ``check_grads``, of the first order and backwards."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    logging.getLogger("jax").setLevel(logging.CRITICAL)  # a rule that raises is reported by the exception
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


def by_check_gradients(call: Call) -> None:
    """Ours, to the first order."""
    check_gradients(call, *call.args, argnums=call.argnums, domain=call.domain, order=1)


def by_check_properties(call: Call) -> None:
    """All of ours."""
    check_call(call)


OURS = {"check_gradients": by_check_gradients, "check_properties": by_check_properties}
THEIRS = {"PyTorch": ("torch", by_torch), "HIPS": ("autograd", by_hips), "JAX": ("jax", by_jax)}


def of_call(check: Callable[..., None]) -> Callable[[Call], None]:
    """Another library's checker for a call of the table."""
    return lambda call: check(*parts(call))


def passes(check: Callable[[Call], None], call: Call) -> bool:
    """Whether a checker is content."""
    np.random.seed(0)  # noqa: NPY002  HIPS draws its direction from the global generator
    try:
        check(call)
    except Exception:
        return False
    return True


def first_derivatives(points: Sequence[Call]) -> list[Array] | None:
    """What the rules give at these points, or None if they run into an error."""
    rng = np.random.default_rng(0)
    found: list[Array] = []
    try:
        for call in points:
            f, backward, xs = parts(call)
            found += backward(rng.uniform(0.5, 1.5, np.shape(f(*xs))), xs)
    except Exception:
        return None
    return found


def same(got: list[Array] | None, expected: list[Array] | None) -> bool:
    """Whether two lists of gradients hold the same numbers."""
    return (
        got is not None
        and expected is not None
        and all(
            a.shape == b.shape and np.allclose(a, b, rtol=1e-12, atol=0, equal_nan=True)
            for a, b in zip(got, expected, strict=True)
        )
    )


def points_of(op: str, checkers: dict[str, Callable[[Call], None]], count: int = 4) -> list[Call]:
    """Up to ``count`` calls of an op, from all of its table, at which every checker passes the right rule."""
    table = [c for c in calls([op]) if c.argnums and not any(isinstance(c.args[n], list) for n in c.argnums)]
    random.Random(0).shuffle(table)
    found: list[Call] = []
    for call in table:
        if all(passes(check, call) for check in checkers.values()):
            found.append(call)
        if len(found) == count:
            break
    return found


def main() -> None:
    """Try the mutants and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--each", type=int, default=20, help="how many mutants of each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    checkers = dict(OURS)
    for name, (module, check) in THEIRS.items():
        with suppress(ImportError):
            __import__(module)
            checkers[name] = of_call(check)
    kinds: dict[str, list[Mutant]] = {}
    for op in REGISTRY.values():
        if op.arity:
            for mutant in mutants_of(op):
                if mutant.first_order:
                    kinds.setdefault(family(mutant), []).append(mutant)
    draw = random.Random(options.seed)
    points: dict[str, list[Call]] = {}
    caught: dict[str, Counter[str]] = {}
    without: set[str] = set()
    width = max(map(len, kinds))
    print(f"{'kind':<{width}}{'wrong':>8}" + "".join(f"{name:>18}" for name in checkers), flush=True)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for kind, everything in kinds.items():
            caught[kind] = Counter()
            for mutant in draw.sample(everything, min(options.each, len(everything))):
                if mutant.op not in points:
                    points[mutant.op] = points_of(mutant.op, checkers)
                at = points[mutant.op]
                if not at:
                    without.add(mutant.op)
                    continue
                right = first_derivatives(at)
                with installed(mutant):
                    if same(first_derivatives(at), right):
                        continue
                    caught[kind]["wrong"] += 1
                    for name, check in checkers.items():
                        caught[kind][name] += any(not passes(check, call) for call in at)
            print(line(kind, width, caught[kind], checkers), flush=True)
    print(line("all", width, sum(caught.values(), Counter()), checkers))
    if without:
        print(f"left out, because some checker passes the right rule at no point: {', '.join(sorted(without))}")


def line(label: str, width: int, counts: Counter[str], checkers: Iterable[str]) -> str:
    """A row of the table."""
    shares = (f"{counts[name]:>10} {counts[name] / max(counts['wrong'], 1):>6.1%}" for name in checkers)
    return f"{label:<{width}}{counts['wrong']:>8}" + "".join(f"{share:>18}" for share in shares)


if __name__ == "__main__":
    main()
