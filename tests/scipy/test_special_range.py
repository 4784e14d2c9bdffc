"""First and second derivatives of the special functions far out, near 0 and near poles; mpmath decides."""

import os

import numpy as np
import pytest

from autograd_core import elementwise_grad

mp = pytest.importorskip("mpmath").mp.clone()
mp.dps = 110
pytest.importorskip("scipy.special")

special = __import__("autograd_core.scipy.special", fromlist=["special"])

SMALL = [1e-300, 1e-30, 1e-8, 1e-3]
ORDINARY = [0.1, 0.5, 1.0, 1.4616321449683623, 2.25, 3.7, 12.5]
LARGE = [60.0, 170.0, 1e3, 1e5, 1e8]
FAR = [60.0, 170.0, 1e4, 1e6, 1e8]  # of scaled functions, whose slopes are small differences there
POSITIVE = [*SMALL, *ORDINARY, *LARGE]
BOTH = [*(-x for x in POSITIVE), *POSITIVE]
UNIT = [1e-300, 1e-30, 1e-8, 0.03, 0.5, 0.9, 1 - 2.0**-30, 1 - 2.0**-52]


def log_normal(x):
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2) if x < 0 else mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2)


def student(df):
    return lambda t: (
        mp.mpf(1) / 2 + t * mp.gamma((df + 1) / 2) / (mp.sqrt(mp.pi * df) * mp.gamma(df / 2))
        * mp.hyp2f1(0.5, (df + 1) / 2, 1.5, -t * t / df)
    )  # fmt: skip


# Ours, what it is in mpmath, and where they are compared.
FUNCTIONS = {
    "gamma": (special.gamma, mp.gamma, [*SMALL[1:], *ORDINARY, 60.0, 140.0, -0.5, -1.5, -7.3, -60.5]),
    "gammaln": (special.gammaln, lambda x: mp.log(abs(mp.gamma(x))), [*POSITIVE[1:], -0.5, -1.5, -7.3, -60.5]),
    "psi": (special.psi, lambda x: mp.psi(0, x), [*SMALL[2:], *ORDINARY, *LARGE]),
    "polygamma": (lambda x: special.polygamma(3, x), lambda x: mp.psi(3, x), [*SMALL[3:], *ORDINARY, *LARGE[:4]]),
    "zeta": (lambda x: special.zeta(2.5, x), lambda x: mp.zeta(2.5, x), [*SMALL[3:], *ORDINARY, *LARGE[:4]]),
    "rgamma": (special.rgamma, mp.rgamma, [-3.0, -1.0, 0.0, -7.3, -40.25, *ORDINARY, 60.0, 140.0]),
    "beta(x, 2.5)": (lambda x: special.beta(x, 2.5), lambda x: mp.beta(x, 2.5), [1e-8, 1e-3, *ORDINARY, *LARGE[:3]]),
    "betaln(x, 2.5)": (
        lambda x: special.betaln(x, 2.5),
        lambda x: mp.log(mp.beta(x, 2.5)),
        [1e-8, 1e-3, *ORDINARY, *LARGE[:3]],
    ),
    "betaln(x, 1e-7)": (
        lambda x: special.betaln(x, 1e-7),
        lambda x: mp.loggamma(x) - mp.loggamma(x + mp.mpf(1e-7)) + mp.loggamma(mp.mpf(1e-7)),
        [1e-30, 0.1, 1e-8, 2.25, 1e-3, 60.0, 0.95, 1e3, 1.0, 1e5],
    ),
    "gammainc": (
        lambda x: special.gammainc(3.5, x),
        lambda x: mp.gammainc(3.5, 0, x, regularized=True),
        [1e-8, 1e-3, *ORDINARY, 40.0],
    ),
    "gammaincc": (
        lambda x: special.gammaincc(0.5, x),
        lambda x: mp.gammainc(0.5, x, regularized=True),
        [1e-8, 1e-3, *ORDINARY, 40.0],
    ),
    "betainc": (
        lambda x: special.betainc(2.5, 0.5, x),
        lambda x: mp.betainc(2.5, 0.5, 0, x, regularized=True),
        UNIT[2:-1],
    ),
    "erfinv": (special.erfinv, mp.erfinv, [1e-30, 1e-8, 0.1, 0.5, -0.9, 1 - 2.0**-20]),
    "erfcx": (
        special.erfcx,
        lambda x: mp.exp(x * x) * mp.erfc(x),
        [-20.0, -9.0, -0.1, *ORDINARY, 7.5, 8.5, 40.0, 1e3, 1e5],
    ),
    "ndtr": (special.ndtr, mp.ncdf, [-37.0, -10.0, -1.0, 0.0, *ORDINARY, 13.0]),
    "log_ndtr": (
        special.log_ndtr,
        log_normal,
        [-1e5, -1e3, -70.5, -37.0, -10.0, -1.0, 0.0, 0.5, 3.0, 8.0, 13.0, 30.0, 37.0, 60.0, 50.0],
    ),
    "ndtri": (special.ndtri, lambda q: mp.sqrt(2) * mp.erfinv(2 * q - 1), UNIT[2:-2]),
    "logit": (special.logit, lambda x: mp.log(x / (1 - x)), UNIT[:-1]),
    "log_expit": (
        special.log_expit,
        lambda x: -mp.log1p(mp.exp(-x)),
        [-700.0, -30.0, -1.0, 0.0, *ORDINARY, 30.0, 700.0],
    ),
    "xlogy(x, 3)": (lambda x: special.xlogy(x, 3.0), lambda x: x * mp.log(3), BOTH),
    "xlogy(3, y)": (lambda y: special.xlogy(3.0, y), lambda y: 3 * mp.log(y), POSITIVE),
    "xlog1py(3, y)": (lambda y: special.xlog1py(3.0, y), lambda y: 3 * mp.log1p(y), [-1 + 2.0**-40, -0.5, *POSITIVE]),
    "entr": (special.entr, lambda x: -x * mp.log(x), POSITIVE),
    "rel_entr(x, 2)": (lambda x: special.rel_entr(x, 2.0), lambda x: x * mp.log(x / 2), POSITIVE),
    "rel_entr(2, y)": (lambda y: special.rel_entr(2.0, y), lambda y: 2 * mp.log(2 / y), POSITIVE),
    "kl_div(x, 2)": (lambda x: special.kl_div(x, 2.0), lambda x: x * mp.log(x / 2) - x + 2, POSITIVE),
    "kl_div(2, y)": (lambda y: special.kl_div(2.0, y), lambda y: 2 * mp.log(2 / y) - 2 + y, POSITIVE),
    "jv": (lambda x: special.jv(2.5, x), lambda x: mp.besselj(2.5, x), [1e-3, *ORDINARY, 60.0, 170.0, 1e3]),
    "jv(100)": (lambda x: special.jv(100, x), lambda x: mp.besselj(100, x), [10.0, 60.0, 98.0, 110.0, 300.0]),
    "yv": (lambda x: special.yv(1, x), lambda x: mp.bessely(1, x), [0.1, *ORDINARY, 60.0, 1e3]),
    "iv": (lambda x: special.iv(2, x), lambda x: mp.besseli(2, x), [-3.0, 1e-3, *ORDINARY, 60.0, 170.0, 600.0]),
    "ive": (
        lambda x: special.ive(7, x),
        lambda x: mp.exp(-abs(x)) * mp.besseli(7, x),
        [-3.0, -120.0, *ORDINARY, 98.0, *FAR],
    ),
    "kv": (lambda x: special.kv(1.5, x), lambda x: mp.besselk(1.5, x), [1e-8, 1e-3, *ORDINARY, 40.0]),
    "kve": (lambda x: special.kve(1, x), lambda x: mp.exp(x) * mp.besselk(1, x), [1e-3, *ORDINARY[:-1], 40.0, *FAR]),
    "j0": (special.j0, lambda x: mp.besselj(0, x), [-3.0, 0.0, *ORDINARY, 60.0, 1e3]),
    "j1": (special.j1, lambda x: mp.besselj(1, x), [-3.0, 0.0, *ORDINARY, 60.0, 1e3]),
    "y0": (special.y0, lambda x: mp.bessely(0, x), [1e-3, *ORDINARY, 60.0, 1e3]),
    "y1": (special.y1, lambda x: mp.bessely(1, x), [1e-3, *ORDINARY, 60.0, 1e3]),
    "i0": (special.i0, lambda x: mp.besseli(0, x), [-3.0, 0.0, *ORDINARY, 60.0, 600.0]),
    "i1": (special.i1, lambda x: mp.besseli(1, x), [-3.0, 0.0, *ORDINARY, 60.0, 600.0]),
    "i0e": (special.i0e, lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), [-3.0, -1e5, 1e-3, *ORDINARY, 40.0, *FAR]),
    "i1e": (special.i1e, lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), [-3.0, -1e5, 1e-3, *ORDINARY, 40.0, *FAR]),
    "k0": (special.k0, lambda x: mp.besselk(0, x), [1e-8, 1e-3, *ORDINARY, 600.0]),
    "k1": (special.k1, lambda x: mp.besselk(1, x), [1e-8, 1e-3, *ORDINARY, 600.0]),
    "exp1": (special.exp1, mp.e1, [1e-8, 1e-3, *ORDINARY, 60.0, 600.0]),
    "expi": (special.expi, mp.ei, [-60.0, -1.0, -1e-3, 1e-8, 1e-3, *ORDINARY, 60.0, 600.0]),
    "dawsn": (
        special.dawsn,
        lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),
        [-1e3, -3.0, 0.0, *ORDINARY, 8.5, 40.0],
    ),
    "erfi": (special.erfi, mp.erfi, [-3.0, 0.0, *ORDINARY]),
    "ellipk": (special.ellipk, mp.ellipk, [-1e15, -3.0, -1e10, 0.0, -0.5, 0.03, 0.49, 0.9, 1 - 2.0**-40]),
    "ellipe": (special.ellipe, mp.ellipe, [-1e15, -3.0, -1e10, 0.0, -0.5, 0.03, 0.49, 0.9, 1 - 2.0**-40]),
    "hyp2f1": (lambda x: special.hyp2f1(0.5, 1.5, 2.0, x), lambda x: mp.hyp2f1(0.5, 1.5, 2, x), [-3.0, 0.0, 0.3, 0.9]),
    "exprel": (
        special.exprel,
        lambda x: mp.expm1(x) / x if x else mp.mpf(1),
        [-1e5, -1e3, -999.0, -60.0, -1.0, -1e-3, 1e-8, *ORDINARY, 60.0, 700.0],
    ),
    "boxcox(x, 0.3)": (lambda x: special.boxcox(x, 0.3), lambda x: (x ** mp.mpf(0.3) - 1) / mp.mpf(0.3), POSITIVE[1:]),
    "boxcox(3, y)": (
        lambda y: special.boxcox(3.0, y),
        lambda y: mp.expm1(y * mp.log(3)) / y,
        [-12.5, -0.5, -1e-8, 1e-30, 1e-8, *ORDINARY, 60.0],
    ),
    "boxcox1p(x, 0.3)": (
        lambda x: special.boxcox1p(x, 0.3),
        lambda x: ((1 + x) ** mp.mpf(0.3) - 1) / mp.mpf(0.3),
        [-1 + 2.0**-30, -0.5, *POSITIVE[1:]],
    ),
    "pseudo_huber(x, 3)": (
        lambda x: special.pseudo_huber(x, 3.0),
        lambda x: x * x * (mp.sqrt(1 + (3 / x) ** 2) - 1),
        [1e-8, 1e-3, *ORDINARY, *LARGE],
    ),
    "pseudo_huber(3, y)": (
        lambda y: special.pseudo_huber(3.0, y),
        lambda y: 9 * (mp.sqrt(1 + (y / 3) ** 2) - 1),
        [-12.5, -0.5, 1e-30, 1e-8, *ORDINARY, *LARGE],
    ),
    "stdtr": (lambda t: special.stdtr(2.5, t), student(mp.mpf(2.5)), [-1e3, -60.0, -1.0, 0.0, *ORDINARY, 60.0]),
    "stdtr(1e4)": (lambda t: special.stdtr(1e4, t), student(mp.mpf(1e4)), [-12.0, -1.0, 0.0, 0.5, 3.7]),
}


def off(found, right, least):
    """The relative error; of what is out of range, or next to nothing there, whether it is so here."""
    if abs(right) > 1.79e308:
        return 0.0 if np.isinf(found) and (found > 0) == (right > 0) else np.inf
    if abs(right) < least:
        return 0.0 if abs(found) < 10 * least else np.inf
    return float(abs(mp.mpf(float(found)) - right) / abs(right)) if np.isfinite(found) else np.inf


@pytest.mark.parametrize("part", range(3))
def test_two_derivatives_are_those_of_mpmath(part):
    wrong = []
    for name, (ours, theirs, points) in [*FUNCTIONS.items()][part::3]:
        chosen = points if "THOROUGH" in os.environ else points[::2]
        slopes = elementwise_grad(ours)
        with np.errstate(all="ignore"):
            found = zip(chosen, slopes(np.array(chosen)), elementwise_grad(slopes)(np.array(chosen)), strict=True)
        for at, *derivatives in found:
            x = mp.mpf(at)
            h = (abs(x) or 1) * mp.mpf(10) ** -18
            below, here, above = theirs(x - h), theirs(x), theirs(x + h)
            exact = (above - below) / (2 * h), (above - 2 * here + below) / h**2
            size = abs(exact[0]) + abs(here) / (abs(x) or 1)
            for order, (got, right, allowed, unit) in enumerate(
                zip(derivatives, exact, (1e-11, 1e-9), (1, 1 / (abs(x) or 1)), strict=True), 1
            ):
                if off(got, right, max(size * unit * 1e-25, mp.mpf(5e-324))) > allowed:
                    wrong.append(f"{name}, derivative {order} at {at!r}: {got!r} for {mp.nstr(right, 12)}")
    assert not wrong, "\n".join(wrong)


def test_student_keeps_its_digits_for_any_number_of_degrees_of_freedom():
    t = __import__("autograd_core.scipy.stats.t", fromlist=["t"])
    for df in (1e-3, 1.0, 50.0, 199.0, 201.0, 1e6, 1e15):
        n = mp.mpf(df)
        density = (
            mp.exp(mp.loggamma((n + 1) / 2) - mp.loggamma(n / 2)) / mp.sqrt(n * mp.pi) / mp.sqrt(1 + 4 / n) ** (n + 1)
        )
        np.testing.assert_allclose(float(t.pdf(2.0, df)), float(density), rtol=1e-13)
        np.testing.assert_allclose(float(elementwise_grad(t.cdf)(2.0, df)), float(density), rtol=1e-13)
    assert elementwise_grad(t.cdf)(2.0, np.inf) == pytest.approx(np.exp(-2) / np.sqrt(2 * np.pi))
    # Of a probability of nearly 1 the logarithm is that of the other side.
    np.testing.assert_allclose(
        t.logcdf(np.array([2.0, 1e5]), 3.0), np.log1p(-t.sf(np.array([2.0, 1e5]), 3.0)), rtol=1e-14
    )
    assert t.logcdf(30.0, 30.0) < 0 < elementwise_grad(t.logcdf)(30.0, 30.0)
