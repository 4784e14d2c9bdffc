"""Wrong gradients planted on purpose, right ones that are nasty, and what each checker says of them.

``python benchmarks/planted_faults.py`` hands each to `gradient_property` with its default budget, in 20 seeds, and to
`check_gradients`, PyTorch's ``gradcheck`` and the ``check_grads`` of HIPS autograd and JAX at one ordinary point, and
writes ``docs/checkers.md``. The functions are plain NumPy with their pullback ``grad(g, *args)``.
"""

from __future__ import annotations

import argparse
import functools
import inspect
import platform
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.domain import POSITIVE, REAL, Domain

Array = Any


@dataclass(frozen=True)
class Case:
    """A function, the gradient on trial, and where its arguments lie."""

    name: str
    f: Callable[..., Any]
    grad: Callable[..., Any]
    domain: Domain = REAL
    shapes: Any = None


def _scaled(right: Callable[..., Any], wrong_where: Callable[..., Any], factor: float = 1.1) -> Callable[..., Any]:
    """A right pullback of one argument that is off by a factor where a condition on the argument holds."""
    return lambda g, x: right(g, x) * np.where(wrong_where(x), factor, 1.0)


def dtanh(g: Array, x: Array) -> Array:
    """The right pullback of tanh."""
    return g * (1 - np.tanh(x) ** 2)


def dsquare(g: Array, x: Array) -> Array:
    """The right pullback of x·x."""
    return g * 2 * x


def dsin(g: Array, x: Array) -> Array:
    """The right pullback of sin."""
    return g * np.cos(x)


def dsoftplus(g: Array, x: Array) -> Array:
    """The right pullback of log(1 + exp(x))."""
    return g / (1 + np.exp(-x))


def softplus(x: Array) -> Array:
    """log(1 + exp(x)), without overflow."""
    return np.logaddexp(0, x)


def _everywhere(condition: Callable[[Array], Any]) -> Callable[[Array], Array]:
    return lambda x: np.full(np.shape(x), bool(condition(x)))


def _in_place(g: Array, x: Array) -> Array:
    g *= np.cos(x)
    return g


_SHARED: dict[Any, Array] = {}


def _shared_buffer(g: Array, x: Array) -> Array:
    buffer = _SHARED.setdefault(np.shape(x), np.zeros(np.shape(x)))
    buffer[...] = g * np.cos(x)
    return buffer


def _unbroadcast(g: Array, shape: Any) -> Array:
    g = np.sum(g, axis=tuple(range(np.ndim(g) - len(shape))))
    return np.sum(g, axis=tuple(i for i, n in enumerate(shape) if n == 1 and np.shape(g)[i] != 1), keepdims=True)


def _to(g: Array, x: Array) -> Array:
    return np.reshape(_unbroadcast(g, np.shape(x)), np.shape(x))


def _count() -> Callable[[Array, Array], Array]:
    calls = [0]

    def every_other(g: Array, x: Array) -> Array:
        calls[0] += 1
        return g * np.cos(x) * (1 + 0.01 * (calls[0] % 2))

    return every_other


# What a person gets wrong: 45 gradients, each wrong somewhere.
FAULTS: tuple[Case, ...] = (
    Case("sign", np.sin, lambda g, x: -g * np.cos(x)),
    Case("factor 2", np.tanh, lambda g, x: 2 * dtanh(g, x)),
    Case("1 %", np.tanh, lambda g, x: 1.01 * dtanh(g, x)),
    Case("0.1 %", np.tanh, lambda g, x: 1.001 * dtanh(g, x)),
    Case("1e-5", np.tanh, lambda g, x: (1 + 1e-5) * dtanh(g, x)),
    Case("the upstream gradient forgotten", np.sin, lambda g, x: np.cos(x) + 0 * g),
    Case("the upstream gradient squared", np.sin, lambda g, x: g * g * np.cos(x)),
    Case("its absolute value", np.sin, lambda g, x: np.abs(g) * np.cos(x)),
    Case("the upstream gradient clipped", np.sin, lambda g, x: np.clip(g, -1, 1) * np.cos(x)),
    Case("0", np.sin, lambda g, x: 0 * g),
    Case("the value for the argument", np.exp, lambda g, x: g * x),
    Case("relu: 1 everywhere", lambda x: np.maximum(x, 0), lambda g, x: g),
    Case("relu: >= -1", lambda x: np.maximum(x, 0), lambda g, x: g * (x >= -1)),
    Case("|x|: without a sign", np.abs, lambda g, x: g),
    Case("one element", np.tanh, lambda g, x: dtanh(g, x) * np.where(np.arange(np.size(x)).reshape(np.shape(x)) == np.size(x) - 1, 1.1, 1.0)),
    Case("the elements reversed", np.tanh, lambda g, x: np.flip(dtanh(g, x))),
    Case("transposed", np.tanh, lambda g, x: dtanh(g, x).T if np.ndim(x) == 2 and np.shape(x)[0] == np.shape(x)[1] else dtanh(g, x)),
    Case("x·y: the factors swapped", lambda x, y: x * y, lambda g, x, y: (_to(g * x, x), _to(g * y, y))),
    Case("x/y: the sign", lambda x, y: x / y, lambda g, x, y: (_to(g / y, x), _to(g * x / y**2, y)), POSITIVE),
    Case("x − y: one sign for both", lambda x, y: x - y, lambda g, x, y: (_to(g, x), _to(g, y))),
    Case("x·y: one of two", lambda x, y: x * y, lambda g, x, y: (_to(g * y, x), _to(0 * g, y))),
    Case("broadcast: the mean instead of the sum", lambda x, y: x + y, lambda g, x, y: (_to(g, x) * np.size(x) / max(np.size(g), 1), _to(g, y))),
    Case("changes g", np.sin, _in_place),
    Case("each second call", np.sin, _count()),
    Case("NaN below −1", np.sin, lambda g, x: g * np.cos(x) * np.where(x < -1, np.nan, 1.0)),
    Case("a size of 1 is a number", np.tanh, lambda g, x: dtanh(g, x) if np.size(x) != 1 else dtanh(g, x) * 3),
    Case("no axes", np.tanh, lambda g, x: dtanh(g, x) if np.ndim(x) else 0.0 * x),
    Case("three axes", np.tanh, lambda g, x: dtanh(g, x) * (1.1 if np.ndim(x) == 3 else 1)),
    Case("wrong above 10", np.square, _scaled(dsquare, lambda x: x > 10)),
    Case("wrong above 1e6", np.square, _scaled(dsquare, lambda x: np.abs(x) > 1e6)),
    Case("wrong below −3", np.square, _scaled(dsquare, lambda x: x < -3)),
    Case("wrong if the mean is above 5", np.square, _scaled(dsquare, _everywhere(lambda x: np.size(x) and np.mean(x) > 5))),
    Case("more than 16 elements", np.tanh, _scaled(dtanh, _everywhere(lambda x: np.size(x) > 16))),
    Case("more than 1,000 elements", np.tanh, _scaled(dtanh, _everywhere(lambda x: np.size(x) > 1000))),
    Case("negative strides", np.tanh, _scaled(dtanh, _everywhere(lambda x: any(s < 0 for s in np.asarray(x).strides)))),
    Case("Fortran order", np.tanh, _scaled(dtanh, _everywhere(lambda x: np.ndim(x) > 1 and np.asarray(x).flags.f_contiguous and not np.asarray(x).flags.c_contiguous))),
    Case("both arguments equal", lambda x, y: x * y, lambda g, x, y: (_to(g * y, x) * (1.5 if np.array_equal(x, y) else 1), _to(g * x, y))),
    Case("all elements equal", np.tanh, _scaled(dtanh, _everywhere(lambda x: np.size(x) > 1 and np.ptp(x) == 0))),
    Case("NaN at 0 of x·x", np.square, lambda g, x: g * 2 * np.where(x == 0, np.nan, x)),
    Case("0 at 0 of sin", np.sin, lambda g, x: g * np.where(x == 0, 0.0, np.cos(x))),
    Case("tie: 1 and 1", np.maximum, lambda g, x, y: (_to(g * (x >= y), x), _to(g * (y >= x), y))),
    Case("tie: 2 and −1", np.maximum, lambda g, x, y: (_to(g * np.where(x == y, 2.0, x > y), x), _to(g * np.where(x == y, -1.0, y > x), y))),
    Case("whole numbers", np.square, _scaled(dsquare, lambda x: (x == np.rint(x)) & (np.abs(x) > 1))),
    Case("float32", np.tanh, lambda g, x: dtanh(g, x) * (np.float32(1.1) if np.asarray(x).dtype == np.float32 else 1.0)),
    Case("a rare value, 2", np.square, _scaled(dsquare, lambda x: x == 2)),
)  # fmt: skip


def _relu6(g: Array, x: Array) -> Array:
    return g * ((x > 0) & (x < 6))


# Right gradients where a checker might cry wolf: 40 functions with kinks, ties, cancellation, saturation and jumps.
NASTY: tuple[Case, ...] = (
    Case("relu", lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0)),
    Case("leaky relu", lambda x: np.where(x > 0, x, 0.01 * x), lambda g, x: g * np.where(x > 0, 1, 0.01)),
    Case("relu6", lambda x: np.clip(x, 0, 6), _relu6),
    Case("|x|, 0 at 0", np.abs, lambda g, x: g * np.sign(x)),
    Case("|x|, 1 at 0", np.abs, lambda g, x: g * np.where(x >= 0, 1.0, -1.0)),
    Case("x·|x|", lambda x: x * np.abs(x), lambda g, x: g * 2 * np.abs(x)),
    Case("relu²", lambda x: np.maximum(x, 0) ** 2, lambda g, x: g * 2 * np.maximum(x, 0)),
    Case("round", np.round, lambda g, x: 0 * g),
    Case("floor", np.floor, lambda g, x: 0 * g),
    Case("sign", np.sign, lambda g, x: 0 * g),
    Case("x mod 1", lambda x: x - np.floor(x), lambda g, x: g),
    Case("a step", lambda x: (x > 0) * 1.0, lambda g, x: 0 * g),
    Case("max of two, halves", np.maximum, lambda g, x, y: (_to(g * ((x > y) + 0.5 * (x == y)), x), _to(g * ((x < y) + 0.5 * (x == y)), y))),
    Case("max of two, the first", np.maximum, lambda g, x, y: (_to(g * (x >= y), x), _to(g * (x < y), y))),
    Case("min of two, the last", np.minimum, lambda g, x, y: (_to(g * (x < y), x), _to(g * (x >= y), y))),
    Case("|x − y|", lambda x, y: np.abs(x - y), lambda g, x, y: (_to(g * np.sign(x - y), x), _to(-g * np.sign(x - y), y))),
    Case("sin", np.sin, dsin),
    Case("sin of 100 x", lambda x: np.sin(100 * x), lambda g, x: g * 100 * np.cos(100 * x)),
    Case("tanh", np.tanh, dtanh),
    Case("softplus", softplus, dsoftplus),
    Case("sigmoid", lambda x: 0.5 * (1 + np.tanh(x / 2)), lambda g, x: g * 0.25 * (1 - np.tanh(x / 2) ** 2)),
    Case("exp", np.exp, lambda g, x: g * np.exp(x)),
    Case("log", np.log, lambda g, x: g / x, POSITIVE),
    Case("sqrt", np.sqrt, lambda g, x: g / (2 * np.sqrt(x)), POSITIVE),
    Case("1/x", lambda x: 1 / x, lambda g, x: -g / x**2, POSITIVE),
    Case("x^1.5", lambda x: x**1.5, lambda g, x: g * 1.5 * np.sqrt(x), POSITIVE),
    Case("cube root", np.cbrt, lambda g, x: g / (3 * np.cbrt(x) ** 2), POSITIVE),
    Case("x³", lambda x: x**3, lambda g, x: g * 3 * x**2),
    Case("x·x", np.square, dsquare),
    Case("a constant", lambda x: 0 * x + 3.0, lambda g, x: 0 * g),
    Case("(x + 1e6) − 1e6", lambda x: (x + 1e6) - 1e6, lambda g, x: g),
    Case("log(1 + x²)", lambda x: np.log1p(x * x), lambda g, x: g * 2 * x / (1 + x * x)),
    Case("x/(1 + |x|)", lambda x: x / (1 + np.abs(x)), lambda g, x: g / (1 + np.abs(x)) ** 2),
    Case("huber", lambda x: np.where(np.abs(x) < 1, x * x / 2, np.abs(x) - 0.5), lambda g, x: g * np.clip(x, -1, 1)),
    Case("elu", lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), lambda g, x: g * np.where(x > 0, 1, np.exp(np.minimum(x, 0)))),
    Case("hard tanh", lambda x: np.clip(x, -1, 1), lambda g, x: g * (np.abs(x) < 1)),
    Case("arctan", np.arctan, lambda g, x: g / (1 + x * x)),
    Case("exp(−x²)", lambda x: np.exp(-x * x), lambda g, x: g * -2 * x * np.exp(-x * x)),
    Case("x·y", np.multiply, lambda g, x, y: (_to(g * y, x), _to(g * x, y))),
    Case("x/y", np.divide, lambda g, x, y: (_to(g / y, x), _to(-g * x / y**2, y)), POSITIVE),
)  # fmt: skip


# -- the table ---------------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[1] / "docs" / "checkers.md"

HEAD = """# What each checker notices

{faults} gradients that are each wrong somewhere, and {nasty} right ones of functions with kinks, ties, jumps and cancellation,
given to the checkers of four libraries with their default settings.

`gradient_property` has {examples} points of its own, corners that are the same in each run and then what chance draws: in
{seeds} seeds for the wrong ones, in {few} for the right ones. Where a fault was not found in all seeds the table says in how
many. The other checkers are given one ordinary point, as one writes it in a test. That is why they miss what is wrong
elsewhere: at the guilty point most of them would find it.

Functions of the {nasty} right ones that `gradient_property` could not decide, because of a kink, a jump or rounding at more
than half of its corners: {undecided}. The other checkers know no such answer.

Made by `python benchmarks/planted_faults.py --seeds {seeds} --few {few}`, where the functions are, with
NumPy {numpy}, {versions}.
[Check gradients that were written elsewhere](howto/check_your_gradients.md) shows how to use ours.

| | `gradient_property` | `check_gradients` | PyTorch `gradcheck` | its fast mode | HIPS `check_grads` | JAX `check_grads` |
|---|--:|--:|--:|--:|--:|--:|
"""


def _arguments(case: Case) -> int:
    return len(inspect.signature(case.grad).parameters) - 1


def at_one_point(case: Case) -> list[Array]:
    """Arguments that nobody would suspect."""
    points = [np.array([[0.7, 1.3, 0.4], [2.1, 0.9, 1.6]]), np.array([[1.1, 0.6, 1.9], [0.8, 1.2, 0.35]])]
    return points[: _arguments(case)]


def by_property(case: Case, seed: int, max_examples: int = 100) -> bool:
    """Whether a property test finds the case at fault, as it is drawn with a seed and without shrinking."""
    import hypothesis

    from autograd_core.testing import GradientError, gradient_property

    test = hypothesis.seed(seed)(
        gradient_property(case.f, grad=case.grad, domain=case.domain, shapes=case.shapes, max_examples=max_examples)
    )
    test._hypothesis_internal_use_settings = hypothesis.settings(
        test._hypothesis_internal_use_settings,
        database=None,
        derandomize=False,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    try:
        test()
    except GradientError:
        return True
    return False


def undecided(case: Case) -> bool:
    """Whether a right gradient could not be decided at most of the corners; GradientError where it is an alarm."""
    from autograd_core.testing import check_properties
    from autograd_core.testing.corners import at, corners

    domains = [case.domain] * _arguments(case)
    verdicts = [
        check_properties(case.f, *at(corner, domains), grad=case.grad, domain=domains).verdict
        for corner in corners(len(domains), case.shapes)
    ]
    return verdicts.count("inconclusive") > len(verdicts) / 2


def complains(check: Callable[..., Any], case: Case) -> bool | None:
    """Whether a checker finds fault at the ordinary point; None where it is not installed."""
    xs = at_one_point(case)

    def backward(g: Array, args: Any) -> list[Array]:
        found = case.grad(np.array(g), *args)
        return list(found) if isinstance(found, tuple) else [found]

    try:
        check(case.f, backward, xs)
    except ImportError:
        return None
    except Exception:
        return True
    return False


def ours(f: Callable[..., Any], backward: Callable[..., Any], xs: list[Array]) -> None:
    """`check_gradients` at a point."""
    from autograd_core.testing import check_gradients

    def grad(g: Array, *args: Array) -> Any:
        return tuple(backward(g, args))

    check_gradients(f, *xs, grad=grad)


def _tried(faulty: bool, number: int, seeds: int) -> tuple[list[bool], bool]:
    """In which seeds a property test finds fault, and whether what is right could not be decided."""
    case = (FAULTS if faulty else NASTY)[number]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        drawn = [by_property(case, seed) for seed in range(seeds)]
        return drawn, not faulty and not any(drawn) and undecided(case)


def main() -> None:
    """Write the page."""
    from gradient_checkers import by_hips, by_jax, by_torch

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=20, help="for what is wrong")
    parser.add_argument("--few", type=int, default=5, help="seeds for what is right, which takes all its examples")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    slow = functools.partial(by_torch, fast_mode=False)
    checkers = (ours, slow, by_torch, by_hips, by_jax)
    rows, totals, unsure = [], [], 0
    for cases, word, seeds in ((FAULTS, "found", options.seeds), (NASTY, "**alarm**", options.few)):
        found = np.zeros(seeds + len(checkers), int)
        with ProcessPoolExecutor(options.processes) as pool:
            tried = pool.map(_tried, [cases is FAULTS] * len(cases), range(len(cases)), [seeds] * len(cases))
            drawn_of = []
            for case, (drawn, open_) in zip(cases, tried, strict=True):
                print(case.name, *drawn, open_, flush=True)
                drawn_of.append(drawn)
                unsure += open_
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for case, drawn in zip(cases, drawn_of, strict=True):
                single = [complains(check, case) for check in checkers]
                found += np.array([*drawn, *map(bool, single)])
                share = f"{sum(drawn)}/{seeds}" if 0 < sum(drawn) < seeds else word if any(drawn) else ""
                cells = [share, *("–" if one is None else word if one else "" for one in single)]
                if cases is FAULTS or any(cells):
                    name = case.name.replace("|", "\\|")
                    rows.append(f"| {'' if cases is FAULTS else 'right: '}{name} | {' | '.join(cells)} |")
        each = found[:seeds]
        share = f"{each.min()} to {each.max()}" if each.min() < each.max() else str(each.min())
        what = "faults found" if cases is FAULTS else "alarms on what is right"
        totals.append(f"| **{what}, of {len(cases)}** | {share} | {' | '.join(map(str, found[seeds:]))} |")
    versions = ", ".join(f"{name} {version(name)}" for name in ("hypothesis", "torch", "autograd", "jax"))
    head = HEAD.format(
        faults=len(FAULTS), nasty=len(NASTY), seeds=options.seeds, few=options.few, examples=100, undecided=unsure,
        versions=f"{versions}, Python {platform.python_version()}", numpy=np.__version__,
    )  # fmt: skip
    PAGE.write_text(head + "\n".join([*totals, *rows]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
