"""First and second derivatives over the whole range of the floating numbers, to the last digits; mpmath decides."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core import elementwise_grad, grad, hessian

pytestmark = [
    pytest.mark.filterwarnings("ignore:overflow encountered"),
    pytest.mark.filterwarnings("ignore:divide by zero"),
    pytest.mark.filterwarnings("ignore:invalid value encountered in reduce"),  # of slopes of inf and -inf
]

POINTS = 60


def functions(mp):
    """Each function with its first and second derivative as mathematics has them, and where it is defined."""
    everywhere, positive, inside, above, below = (-np.inf, np.inf), (0, np.inf), (-1, 1), (1, np.inf), (-1, np.inf)
    ln2, ln10, pi, one = mp.log(2), mp.log(10), mp.pi, mp.mpf(1)

    def s(x):
        return 1 / (1 + mp.exp(-x))

    def bell(x):
        return 2 / mp.sqrt(pi) * mp.exp(-x * x)

    return {
        "reciprocal": (np.reciprocal, lambda x: -1 / x**2, lambda x: 2 / x**3, everywhere),
        "square": (np.square, lambda x: 2 * x, lambda x: 2 * one, everywhere),
        "sqrt": (np.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), lambda x: -1 / (4 * x * mp.sqrt(x)), positive),
        "cbrt": (np.cbrt, lambda x: mp.cbrt(x) / (3 * x), lambda x: -2 * mp.cbrt(x) / (9 * x**2), positive),
        "exp": (np.exp, mp.exp, mp.exp, everywhere),
        "exp2": (np.exp2, lambda x: ln2 * 2**x, lambda x: ln2**2 * 2**x, everywhere),
        "expm1": (np.expm1, mp.exp, mp.exp, everywhere),
        "log": (np.log, lambda x: 1 / x, lambda x: -1 / x**2, positive),
        "log2": (np.log2, lambda x: 1 / (x * ln2), lambda x: -1 / (x**2 * ln2), positive),
        "log10": (np.log10, lambda x: 1 / (x * ln10), lambda x: -1 / (x**2 * ln10), positive),
        "log1p": (np.log1p, lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2, below),
        "sin": (np.sin, mp.cos, lambda x: -mp.sin(x), everywhere),
        "cos": (np.cos, lambda x: -mp.sin(x), lambda x: -mp.cos(x), everywhere),
        "tan": (np.tan, lambda x: mp.sec(x) ** 2, lambda x: 2 * mp.sec(x) ** 2 * mp.tan(x), everywhere),
        "arcsin": (np.arcsin, lambda x: (1 - x * x) ** -0.5, lambda x: x * (1 - x * x) ** -1.5, inside),
        "arccos": (np.arccos, lambda x: -((1 - x * x) ** -0.5), lambda x: -x * (1 - x * x) ** -1.5, inside),
        "arctan": (np.arctan, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2, everywhere),
        "sinh": (np.sinh, mp.cosh, mp.sinh, everywhere),
        "cosh": (np.cosh, mp.sinh, mp.cosh, everywhere),
        "tanh": (np.tanh, lambda x: mp.sech(x) ** 2, lambda x: -2 * mp.sech(x) ** 2 * mp.tanh(x), everywhere),
        "arcsinh": (np.arcsinh, lambda x: (1 + x * x) ** -0.5, lambda x: -x * (1 + x * x) ** -1.5, everywhere),
        "arccosh": (np.arccosh, lambda x: (x * x - 1) ** -0.5, lambda x: -x * (x * x - 1) ** -1.5, above),
        "arctanh": (np.arctanh, lambda x: 1 / (1 - x * x), lambda x: 2 * x / (1 - x * x) ** 2, inside),
        "sigmoid": (ac.sigmoid, lambda x: s(x) * s(-x), lambda x: -s(x) * s(-x) * mp.tanh(x / 2), everywhere),
        "softplus": (ac.softplus, s, lambda x: s(x) * s(-x), everywhere),
        "log of sigmoid": (lambda x: -ac.softplus(-x), lambda x: s(-x), lambda x: -s(x) * s(-x), everywhere),
        "erf": (ac.erf, bell, lambda x: -2 * x * bell(x), everywhere),
        "silu": (
            nn.activations.silu,
            lambda x: s(x) * (1 + x * s(-x)),
            lambda x: s(x) * s(-x) * (2 - x * mp.tanh(x / 2)),
            everywhere,
        ),
        "logaddexp(x, 0)": (lambda x: np.logaddexp(x, 0), s, lambda x: s(x) * s(-x), everywhere),
        "logaddexp(0, x)": (lambda x: np.logaddexp(0, x), s, lambda x: s(x) * s(-x), everywhere),
        "logaddexp2(x, 0)": (
            lambda x: np.logaddexp2(x, 0),
            lambda x: s(x * ln2),
            lambda x: ln2 * s(x * ln2) * s(-x * ln2),
            everywhere,
        ),
        "hypot(x, 1)": (
            lambda x: np.hypot(x, 1),
            lambda x: x / mp.sqrt(1 + x * x),
            lambda x: (1 + x * x) ** -1.5,
            everywhere,
        ),
        "arctan2(x, 1)": (
            lambda x: np.arctan2(x, 1),
            lambda x: 1 / (1 + x * x),
            lambda x: -2 * x / (1 + x * x) ** 2,
            everywhere,
        ),
    }


NAMES = list(functions(pytest.importorskip("mpmath")))


def numbers(domain, dtype):
    """Numbers of all exponents, those near the edges of the domain among them, and ordinary ones."""
    rng, limits = np.random.default_rng(1), np.finfo(dtype)
    least = np.log2(float(limits.smallest_subnormal))
    x = [2.0 ** rng.uniform(least, limits.maxexp, POINTS), 2.0 ** rng.uniform(-9, 9, POINTS), rng.uniform(0, 3, POINTS)]
    x = np.concatenate([*x, *(-np.array(x))])
    edges = [(edge, sign) for edge, sign in zip(domain, (1, -1), strict=True) if np.isfinite(edge)]
    x = np.concatenate([x, *(edge + sign * 2.0 ** rng.uniform(-limits.nmant, 0, POINTS) for edge, sign in edges)])
    x = x.astype(dtype)
    return x[(x > domain[0]) & (x < domain[1]) & (x != 0)]


def judged(x, got, expected, relative, mp, units=1):
    """The places where ``got`` is further off than so much, or than some units of the smallest number."""
    limits = np.finfo(got.dtype)
    for at, found, right in zip(x, got, map(expected, map(mp.mpf, map(float, x))), strict=True):
        if abs(right) > float(limits.max):
            if np.isinf(found) and (found > 0) == (right > 0):
                continue
        elif np.isfinite(found):
            off = abs(mp.mpf(float(found)) - right)
            if off <= max(relative * abs(right), 1.0001 * units * float(limits.smallest_subnormal)):
                continue
        yield f"at {at!r}: {found!r} for {mp.nstr(right, 9)}"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NAMES)
def test_two_derivatives_are_right_for_all_exponents(judge, name, dtype):
    mp = judge("mpmath").mp.clone()
    mp.prec = 400
    f, first, second, domain = functions(mp)[name]
    x = numbers(domain, dtype)
    slopes = elementwise_grad(f)
    # silu is a product: where the sigmoid has few digits, x takes them to greater numbers. Its second derivative is 0
    # in two places.
    units, near_0 = (1000, 10) if name == "silu" else (1, 1)
    wrong = [*judged(x, slopes(x), first, 1e-12 if dtype is np.float64 else 1e-5, mp, units)]
    bends = elementwise_grad(slopes)(x)
    wrong += judged(x, bends, second, (1e-9 if dtype is np.float64 else 2e-5) * near_0, mp, units)
    assert wrong == []
