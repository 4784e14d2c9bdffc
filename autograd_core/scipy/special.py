"""Special functions: ``gammaln``, ``erfinv``, ``logsumexp``, … on arrays and on Tensors, as in `scipy.special`.

SciPy's own ufuncs take Tensors too: ``scipy.special.gammaln(t)`` is recorded. What is no ufunc there has a function of
the same name and arguments here. Formulas are those of the Digital Library of Mathematical Functions
(https://dlmf.nist.gov). An argument without a derivative in closed form, such as the order of a Bessel function, takes
numbers and arrays; a Tensor that records is refused there by name.

    >>> import numpy as np
    >>> from autograd_core import grad
    >>> from autograd_core.scipy.special import gammaln
    >>> print(grad(lambda x: gammaln(x).sum())(np.array([1.0, 2.0])).round(4))
    [-0.5772  0.4228]
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from math import inf, pi, sqrt
from typing import Any

import numpy as np

from ..arrays import decide
from ..dispatch import NUMPY, plain
from ..domain import NONZERO, POSITIVE, REAL, Domain, example
from ..op import SCIPY, Op, is_complex
from ..op import op as op_in
from ..op import ufunc as ufunc_in
from ..ops import network
from ..ops.elementwise import over, share_of_length, sigmoid
from ..ops.network import erf, erfc
from ..ops.shape import array
from ..optional import needed

sp: Any = needed("scipy.special", "autograd_core.scipy", "scipy")
op = partial(op_in, table=SCIPY)
ufunc: Callable[..., Op] = partial(ufunc_in, table=SCIPY)

UNIT = Domain(0.0, 1.0)

# What is here already, under other names or NumPy's.
expit = sigmoid
log1p, expm1, cbrt, exp2 = np.log1p, np.expm1, np.cbrt, np.exp2
for _theirs, _ours in (
    *((sp.expit, sigmoid), (sp.erf, erf), (sp.erfc, erfc)),
    *((getattr(sp, f.__name__), NUMPY[f]) for f in (log1p, expm1, cbrt, exp2)),
):
    NUMPY.setdefault(_theirs, _ours)


def _like(x: Any, value: Any) -> Any:
    """``value`` in the precision of ``x``, where SciPy's function computes in float64 whatever comes."""
    dtype = getattr(x, "dtype", None)
    return value if dtype is None or dtype.kind != "f" else value.astype(dtype)


# -- the gamma function and its kin (DLMF 5 and 25.11) --------------------------------------------------


@op(
    r"\zeta(x, y)",
    numpy=getattr(sp._ufuncs, "_zeta", None),
    broadcasts=True,
    domain=(REAL, POSITIVE),
    examples=(example(2.5, (2, 3)), example(4.0, ())),
)
def zeta(x: Any, q: Any) -> Any:
    """Hurwitz' zeta function ``Σ 1 / (k + q)ˣ`` over k from 0 on, for x > 1; with respect to ``q``.

    >>> print(zeta(2.0, np.array([1.0, 2.0])).round(4))
    [1.6449 0.6449]
    """
    return _like(q, sp.zeta(x, q))


@zeta.vjp(r"-x \cdot \zeta(x + 1, y)", "q")
def _(g: Any, z: Any, x: Any, q: Any) -> Any:
    return g * (-x * zeta(x + 1, q))


psi = ufunc(sp.psi, r"\psi(x)", (lambda g, z, x: g * zeta(2, x), r"\zeta(2, x)"), domain=POSITIVE)
digamma = psi
gamma = ufunc(sp.gamma, r"\Gamma(x)", (lambda g, z, x: g * (z * psi(x)), r"z \cdot \psi(x)"), domain=POSITIVE)
gammaln = ufunc(sp.gammaln, r"\ln \left|\Gamma(x)\right|", (lambda g, z, x: g * psi(x), r"\psi(x)"), domain=POSITIVE)


def _rgamma_x(g: Any, z: Any, x: Any) -> Any:
    left = plain(x) < 0.5  # where 1/Γ(x) is Γ(1 - x) sin(πx) / π, which has no poles
    a, b = np.where(left, x, 0), np.where(left, 1, x)
    return g * np.where(left, gamma(1 - a) * (np.cos(pi * a) - psi(1 - a) * np.sin(pi * a) / pi), -rgamma(b) * psi(b))


rgamma = ufunc(sp.rgamma, r"\frac{1}{\Gamma(x)}", (_rgamma_x, r"-z \cdot \psi(x)"))


def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of `digamma` for x > 0, for whole ``n`` from 0 on, with respect to which there is none.

    >>> print(polygamma(1, np.array([1.0, 2.0])).round(4))
    [1.6449 0.6449]
    """
    order = np.where(np.equal(n, 0), 1, n)  # of 0 another formula holds
    x = array(x)
    factor = _like(x, (-1.0) ** (order + 1) * sp.gamma(order + 1.0))
    return np.where(np.equal(n, 0), psi(x), factor * zeta(order + 1, x))


gammasgn = ufunc(
    sp.gammasgn,
    r"\operatorname{sign} \Gamma(x)",
    (lambda g, z, x: np.zeros_like(g), "0"),
    domain=POSITIVE,
    note="0 at the jumps",
)


def _psi_less(x: Any, y: Any) -> Any:
    """``ψ(x) - ψ(x + y)``, which would cancel for small ``y``: there by the series around ``x`` (DLMF 25.11.10)."""
    below = plain(x) < 1
    q = np.where(below, x + 1, x)
    a, b = np.where(below, x, 1), np.where(below, x + y, 1)  # from x to x + 1 it is 1 / x more (DLMF 5.5.2)
    step = np.where(plain(y) < plain(a), -np.where(below, y, 0) / a / b, 1 / b - 1 / a)
    small = (plain(q) >= 1) & (np.abs(plain(y)) < 0.1 * plain(q))
    if not decide(np.any(small)):
        return psi(q) - psi(q + y) + step
    near, h = np.where(small, q, 1), np.where(small, y, 0)
    series = sum((-h) ** k * zeta(k + 1, near) for k in range(1, 17))
    far = np.where(small, 1, y)
    return np.where(small, series, psi(q) - psi(q + far)) + step


beta = ufunc(
    sp.beta,
    r"\mathrm{B}(x, y)",
    (lambda g, z, x, y: g * z * _psi_less(x, y), r"z \cdot (\psi(x) - \psi(x + y))"),
    (lambda g, z, x, y: g * z * _psi_less(y, x), r"z \cdot (\psi(y) - \psi(x + y))"),
    domain=POSITIVE,
)
betaln = ufunc(
    sp.betaln,
    r"\ln \mathrm{B}(x, y)",
    (lambda g, z, x, y: g * _psi_less(x, y), r"\psi(x) - \psi(x + y)"),
    (lambda g, z, x, y: g * _psi_less(y, x), r"\psi(y) - \psi(x + y)"),
    domain=POSITIVE,
)


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function of dimension ``d``, for ``a`` > (d - 1) / 2.

    >>> print(float(multigammaln(2.5, 1)).__round__(4))
    0.2847
    """
    a = array(a)
    if not np.all(plain(a) > (d - 1) / 2):
        raise ValueError(f"multigammaln: expected a above (d - 1) / 2, which is {(d - 1) / 2:g}, got {plain(a)}")
    halves = np.arange(d).astype(a.dtype) / 2
    return d * (d - 1) / 4 * math.log(pi) + np.sum(gammaln(np.expand_dims(a, -1) - halves), axis=-1)


# -- incomplete gamma and beta functions (DLMF 8.2, 8.17), with respect to the last argument ------------


def _gamma_density(g: Any, z: Any, a: Any, x: Any) -> Any:
    return g * np.exp(xlogy(a - 1, x) - x - gammaln(a))


gammainc = ufunc(
    sp.gammainc,
    r"P(x, y)",
    None,
    (_gamma_density, r"\frac{y^{x - 1} \cdot e^{-y}}{\Gamma(x)}"),
    domain=POSITIVE,
)
gammaincc = ufunc(
    sp.gammaincc,
    r"Q(x, y)",
    None,
    (lambda g, z, a, x: -_gamma_density(g, z, a, x), r"-\frac{y^{x - 1} \cdot e^{-y}}{\Gamma(x)}"),
    domain=POSITIVE,
)
betainc = ufunc(
    sp.betainc,
    r"I_{w}(x, y)",
    None,
    None,
    (
        lambda g, z, a, b, x: g * np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b)),
        r"\frac{w^{x - 1} \cdot (1 - w)^{y - 1}}{\mathrm{B}(x, y)}",
    ),
    domain=(POSITIVE, POSITIVE, UNIT),
    examples=(example(np.array([1.0, 2.5, 4.0]), np.array([3.0, 0.5, 2.0]), (2, 3)), example(2.0, 1.5, ())),
)

# -- the error function and the normal distribution (DLMF 7) --------------------------------------------

erfinv = ufunc(
    sp.erfinv,
    r"\operatorname{erf}^{-1} x",
    (lambda g, z, x: g * (sqrt(pi) / 2 * np.exp(z * z)), r"\frac{\sqrt{\pi}}{2} \cdot e^{z^2}"),
    domain=Domain(-1.0, 1.0),
)
erfcinv = ufunc(
    sp.erfcinv,
    r"\operatorname{erfc}^{-1} x",
    (lambda g, z, x: g * (-sqrt(pi) / 2 * np.exp(z * z)), r"-\frac{\sqrt{\pi}}{2} \cdot e^{z^2}"),
    domain=Domain(0.0, 2.0),
)


def _series(ratios: Any) -> Any:
    """``1 + r₁ (1 + r₂ (1 + …))``, whose terms are products of the first ratios."""
    total: Any = 1
    for ratio in ratios[::-1]:
        total = 1 + ratio * total
    return total


def _far(x: Any, sign: int, near: Callable[[Any], Any]) -> Any:
    """``near(x)``, or, where what it subtracts would cancel, its series in ``sign / x²`` (DLMF 7.12.1).

    Of ``sign`` -1 that holds for x > 0 only.
    """
    far = (plain(x) if sign < 0 else np.abs(plain(x))) > 8
    if not decide(np.any(far)):
        return near(x)
    s = sign * np.square(1 / np.where(far, x, inf))
    return np.where(far, s / 2 * _series([(k + 0.5) * s for k in range(1, 22)]), near(np.where(far, 0, x)))


erfcx = ufunc(
    sp.erfcx,
    r"e^{x^2} \cdot \operatorname{erfc} x",
    (
        lambda g, z, x: g * (2 / sqrt(pi) * _far(np.maximum(x, -40), -1, lambda v: sqrt(pi) * v * z - 1)),
        r"2 \cdot x \cdot z - \frac{2}{\sqrt{\pi}}",
    ),
)
ndtr = ufunc(
    sp.ndtr,
    r"\Phi(x)",
    (lambda g, z, x: g * (np.exp(-x * x / 2) / sqrt(2 * pi)), r"\frac{1}{\sqrt{2 \cdot \pi}} \cdot e^{-x^2 / 2}"),
)


def _log_ndtr_x(g: Any, z: Any, x: Any) -> Any:
    """The density over Φ: to the left by a function of moderate size where both are 0, to the right by logarithms."""
    left = plain(x) < 0
    a, b, c = np.where(left, x, 0), np.where(left, 0, x), np.where(left, 0, z)
    return g * np.where(left, sqrt(2 / pi) / erfcx(-a / sqrt(2)), np.exp(-b * b / 2 - c) / sqrt(2 * pi))


log_ndtr = ufunc(sp.log_ndtr, r"\ln \Phi(x)", (_log_ndtr_x, r"\frac{\Phi'(x)}{\Phi(x)}"))
ndtri = ufunc(
    sp.ndtri,
    r"\Phi^{-1}(x)",
    (lambda g, z, x: g * (sqrt(2 * pi) * np.exp(z * z / 2)), r"\sqrt{2 \cdot \pi} \cdot e^{z^2 / 2}"),
    domain=UNIT,
)

dawsn = ufunc(
    sp.dawsn,
    r"e^{-x^2} \cdot \int_0^{x} e^{t^2} \, dt",
    (lambda g, z, x: -g * _far(x, 1, lambda v: 2 * v * z - 1), r"1 - 2 \cdot x \cdot z"),
)
erfi = ufunc(
    sp.erfi,
    r"\frac{2}{\sqrt{\pi}} \cdot \int_0^{x} e^{t^2} \, dt",
    (lambda g, z, x: g * (2 / sqrt(pi) * np.exp(x * x)), r"\frac{2}{\sqrt{\pi}} \cdot e^{x^2}"),
)

# -- the exponential integral (DLMF 6) ------------------------------------------------------------------

exp1 = ufunc(
    sp.exp1, r"\mathrm{E}_1(x)", (lambda g, z, x: -g * (np.exp(-x) / x), r"-\frac{e^{-x}}{x}"), domain=POSITIVE
)
expi = ufunc(sp.expi, r"\operatorname{Ei} x", (lambda g, z, x: g * (np.exp(x) / x), r"\frac{e^{x}}{x}"), domain=NONZERO)

# -- logarithms of what may be 0 ------------------------------------------------------------------------

logit = ufunc(
    sp.logit, r"\ln \frac{x}{1 - x}", (lambda g, z, x: g / x / (1 - x), r"\frac{1}{x \cdot (1 - x)}"), domain=UNIT
)
log_expit = ufunc(sp.log_expit, r"\ln \sigma(x)", (lambda g, z, x: g * sigmoid(-x), r"\sigma(-x)"))
xlogy: Op = ufunc(
    sp.xlogy,
    r"x \cdot \ln y",
    (lambda g, z, x, y: g * np.log(np.where((x == 0) & (y <= 0), np.ones_like(y), y)), r"\ln y"),
    (lambda g, z, x, y: g * (x / np.where((x == 0) & (y == 0), inf, y)), r"\frac{x}{y}"),
    domain=(REAL, POSITIVE),
    note="0 with respect to both at x = y = 0, as the result",
)
xlog1py: Op = ufunc(
    sp.xlog1py,
    r"x \cdot \ln(1 + y)",
    (lambda g, z, x, y: g * np.log1p(np.where((x == 0) & (y <= -1), np.zeros_like(y), y)), r"\ln(1 + y)"),
    (lambda g, z, x, y: g * (x / np.where((x == 0) & (y == -1), inf, 1 + y)), r"\frac{x}{1 + y}"),
    domain=(REAL, Domain(low=-1.0)),
    note="0 with respect to both at x = 0, y = -1, as the result",
)
entr = ufunc(sp.entr, r"-x \cdot \ln x", (lambda g, z, x: -g * (np.log(x) + 1), r"-\ln x - 1"), domain=POSITIVE)


def _apart(x: Any, y: Any) -> tuple[Any, Any]:
    """Both, and 1 for both where both are 0, whose ratio is taken to be 1, the limit for equal numbers."""
    none = (plain(x) == 0) & (plain(y) == 0)
    return np.where(none, 1, x), np.where(none, 1, y)


def _log_ratio(x: Any, y: Any) -> Any:
    """``ln(x / y)``, where the quotient is out of range the difference of two logarithms."""
    x, y = _apart(x, y)
    ratio = x / y
    out = (plain(ratio) == 0) | (plain(ratio) == inf)
    return np.where(out, np.log(x) - np.log(y), np.log(np.where(out, 1, ratio)))


rel_entr = ufunc(
    sp.rel_entr,
    r"x \cdot \ln \frac{x}{y}",
    (lambda g, z, x, y: g * (_log_ratio(x, y) + 1), r"\ln \frac{x}{y} + 1"),
    (lambda g, z, x, y: -g * np.divide(*_apart(x, y)), r"-\frac{x}{y}"),
    domain=POSITIVE,
    note="the limits for x = y at x = y = 0",
)
kl_div = ufunc(
    sp.kl_div,
    r"x \cdot \ln \frac{x}{y} - x + y",
    (lambda g, z, x, y: g * _log_ratio(x, y), r"\ln \frac{x}{y}"),
    (lambda g, z, x, y: g * ((y - x) / _apart(x, y)[1]), r"1 - \frac{x}{y}"),
    domain=POSITIVE,
    note="the limits for x = y at x = y = 0",
)


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """``ln Σ b exp(a)`` without overflow, over all axes unless told which, as `scipy.special.logsumexp`.

    Parameters
    ----------
    a : array_like
        Any shape.
    axis : int or tuple of int, optional
        Over which to add up; None: over all.
    b : array_like, optional
        Factors, which broadcast with ``a``; where one is 0 its ``a`` is left out.
    keepdims : bool
        Whether the axes stay, with length 1.
    return_sign : bool
        Whether to give ``ln |Σ|`` and the sign of the sum; without it a sum below 0 gives NaN.

    Returns
    -------
    array, or a pair of them

    Examples
    --------
    >>> print(logsumexp(np.array([0.0, 1000.0])), logsumexp([0.0, 0.0], b=[3.0, -1.0]).round(4))
    1000.0 0.6931
    """
    a = array(a)
    if b is None:
        total = network.logsumexp(a, axis=axis, keepdims=keepdims)
        return (total, np.ones_like(plain(total))) if return_sign else total
    b = array(b)
    a, b = np.broadcast_arrays(a, b)
    there = plain(b) != 0
    top = np.max(np.where(there, plain(a), -inf), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    # The exponential of what the factor 0 leaves out is the derivative of that factor; 0 times it must stay a number.
    most = top + np.log(np.finfo(np.result_type(plain(a), np.float16)).max) - 1
    a = np.where(there | (plain(a) < most), a, most)
    total = np.sum(b * np.exp(a - top), axis=axis, keepdims=keepdims)
    shift = top if keepdims else np.squeeze(top, axis=axis)
    if not return_sign:
        return np.log(total) + shift
    return np.log(np.abs(total)) + shift, np.sign(plain(total))


def softmax(x: Any, axis: Any = None) -> Any:
    """``exp(x) / Σ exp(x)``, over all axes unless told which, as `scipy.special.softmax`.

    >>> print(softmax([[0.0, 0.0], [0.0, 0.0]]))
    [[0.25 0.25]
     [0.25 0.25]]
    """
    x = array(x)
    return network.softmax(x, axis=axis)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """``ln softmax(x)``, over all axes unless told which, as `scipy.special.log_softmax`.

    >>> print(log_softmax([0.0, 0.0]).round(4))
    [-0.6931 -0.6931]
    """
    x = array(x)
    return network.log_softmax(x, axis=axis)


# -- Bessel functions (DLMF 10.6, 10.29), with respect to the argument ----------------------------------


def _scaled(g: Any, v: Any, x: Any, sign: int, near: Any) -> Any:
    """``near``, or, where it would cancel, ``g`` times the slope of the series of a scaled function (DLMF 10.40).

    It is that of ``√(1 / x) Σ (±1)ᵏ aₖ(v) / xᵏ``, of which the parts of ``near`` differ by no more than a part in x.
    """
    if is_complex(x):
        return near
    size = np.abs(x)
    far = plain(size) > 50 + np.square(v)
    if not decide(np.any(far)):
        return near
    s = 1 / np.where(far, size, inf)
    ratios = [sign * (4 * np.square(v) - (2 * k - 1) ** 2) / (8 * k) * (k + 0.5) / (k - 0.5) * s for k in range(1, 20)]
    return np.where(far, g * (-np.sign(plain(x)) * s**1.5 / 2 * _series(ratios)), near)


HALF_DIFFERENCE = r"\frac{{{0}_{{x - 1}}(y) - {0}_{{x + 1}}(y)}}{{2}}"
BESSEL = (example(0, (2, 3)), example(2.5, ()))

jv: Op = ufunc(
    sp.jv,
    r"J_{x}(y)",
    None,
    (lambda g, z, v, x: g * ((jv(v - 1, x) - jv(v + 1, x)) / 2), HALF_DIFFERENCE.format("J")),
    domain=(REAL, POSITIVE),
    examples=BESSEL,
)
yv: Op = ufunc(
    sp.yv,
    r"Y_{x}(y)",
    None,
    (lambda g, z, v, x: g * ((yv(v - 1, x) - yv(v + 1, x)) / 2), HALF_DIFFERENCE.format("Y")),
    domain=(REAL, POSITIVE),
    examples=BESSEL,
)
jn, yn = jv, yv
NUMPY[sp.yn] = yv
iv: Op = ufunc(
    sp.iv,
    r"I_{x}(y)",
    None,
    (lambda g, z, v, x: g * ((iv(v - 1, x) + iv(v + 1, x)) / 2), r"\frac{I_{x - 1}(y) + I_{x + 1}(y)}{2}"),
    domain=(REAL, POSITIVE),
    examples=BESSEL,
)
ive: Op = ufunc(
    sp.ive,
    r"e^{-\left|y\right|} \cdot I_{x}(y)",
    None,
    (
        lambda g, z, v, x: _scaled(
            g * (np.sign(plain(z)) / sqrt(2 * pi)),
            *(v, x, -1),
            g * ((ive(v - 1, x) + ive(v + 1, x)) / 2 - np.sign(plain(x)) * z),
        ),
        r"\frac{1}{2} \cdot e^{-\left|y\right|} \cdot (I_{x - 1}(y) + I_{x + 1}(y)) - z \cdot \operatorname{sign} y",
    ),
    domain=(REAL, POSITIVE),
    examples=BESSEL,
)
kv: Op = ufunc(
    sp.kv,
    r"K_{x}(y)",
    None,
    (lambda g, z, v, x: g * ((kv(v - 1, x) + kv(v + 1, x)) / -2), r"-\frac{K_{x - 1}(y) + K_{x + 1}(y)}{2}"),
    domain=(REAL, POSITIVE),
    examples=BESSEL,
)
kve: Op = ufunc(
    sp.kve,
    r"e^{y} \cdot K_{x}(y)",
    None,
    (
        lambda g, z, v, x: _scaled(g * sqrt(pi / 2), v, x, 1, g * (z - (kve(v - 1, x) + kve(v + 1, x)) / 2)),
        r"z - \frac{1}{2} \cdot e^{y} \cdot (K_{x - 1}(y) + K_{x + 1}(y))",
    ),
    domain=(REAL, POSITIVE),
    examples=BESSEL,
)
kn = kv
NUMPY[sp.kn] = kv

# SciPy's functions that take complex numbers and whose rules hold for them as they stand, to every order.
for _analytic in (erfi, exp1, expi, jv, yv, iv, kv, kve):
    _analytic.complex = True

j0 = ufunc(sp.j0, r"J_0(x)", (lambda g, z, x: -g * j1(x), r"-J_1(x)"))
j1: Op = ufunc(sp.j1, r"J_1(x)", (lambda g, z, x: g * ((j0(x) - jv(2, x)) / 2), r"\frac{J_0(x) - J_2(x)}{2}"))
y0 = ufunc(sp.y0, r"Y_0(x)", (lambda g, z, x: -g * y1(x), r"-Y_1(x)"), domain=POSITIVE)
y1: Op = ufunc(
    sp.y1, r"Y_1(x)", (lambda g, z, x: g * ((y0(x) - yv(2, x)) / 2), r"\frac{Y_0(x) - Y_2(x)}{2}"), domain=POSITIVE
)
k0 = ufunc(sp.k0, r"K_0(x)", (lambda g, z, x: -g * k1(x), r"-K_1(x)"), domain=POSITIVE)
k1: Op = ufunc(
    sp.k1, r"K_1(x)", (lambda g, z, x: g * ((k0(x) + kv(2, x)) / -2), r"-\frac{K_0(x) + K_2(x)}{2}"), domain=POSITIVE
)
i0 = ufunc(sp.i0, r"I_0(x)", (lambda g, z, x: g * i1(x), r"I_1(x)"))
i1: Op = ufunc(sp.i1, r"I_1(x)", (lambda g, z, x: g * ((i0(x) + iv(2, x)) / 2), r"\frac{I_0(x) + I_2(x)}{2}"))
i0e = ufunc(
    sp.i0e,
    r"e^{-\left|x\right|} \cdot I_0(x)",
    (
        lambda g, z, x: _scaled(g / sqrt(2 * pi), 0, x, -1, g * (i1e(x) - np.sign(plain(x)) * z)),
        r"e^{-\left|x\right|} \cdot I_1(x) - z \cdot \operatorname{sign} x",
    ),
    domain=NONZERO,
    note="0 at 0, the middle of both slopes",
)
i1e: Op = ufunc(
    sp.i1e,
    r"e^{-\left|x\right|} \cdot I_1(x)",
    (
        lambda g, z, x: _scaled(
            g * (np.sign(plain(z)) / sqrt(2 * pi)), 1, x, -1, g * ((i0e(x) + ive(2, x)) / 2 - np.sign(plain(x)) * z)
        ),
        r"\frac{1}{2} \cdot e^{-\left|x\right|} \cdot (I_0(x) + I_2(x)) - z \cdot \operatorname{sign} x",
    ),
)

# -- what the derivatives of others are made of (DLMF 13.4.1, 15.5.1, 19.5.1) ---------------------------


@op(
    r"\int_0^1 t^{x} \cdot e^{y \cdot t} \, dt",
    broadcasts=True,
    examples=(example(1, (2, 3)), example(0.5, ())),
)
def exponential_moment(k: Any, x: Any) -> Any:
    """``∫ tᵏ exp(x t) dt`` for t from 0 to 1, which `exprel` is for k = 0, and its derivatives are for k = 1, 2, …

    >>> print(exponential_moment(1, 0.0))
    0.5
    """
    # Where exp(x) is 0 it is Γ(k + 1) / (-x)ᵏ⁺¹; SciPy's function would search for very long there.
    near = sp.hyp1f1(k + 1.0, k + 2.0, np.clip(x, -1000, 1000)) / (k + 1.0)
    return _like(x, np.where(x < -1000, sp.gamma(k + 1.0) * np.maximum(-x, 1) ** (-k - 1.0), near))


@exponential_moment.vjp(r"\int_0^1 t^{x + 1} \cdot e^{y \cdot t} \, dt", "x")
def _(g: Any, z: Any, k: Any, x: Any) -> Any:
    return g * exponential_moment(k + 1, x)


hyp2f1: Op = ufunc(
    sp.hyp2f1,
    r"{}_2F_1(x, y; w; v)",
    *(None, None, None),
    (
        lambda g, z, a, b, c, x: g * (a * b / c * hyp2f1(a + 1, b + 1, c + 1, x)),
        r"\frac{x \cdot y}{w} \cdot {}_2F_1(x + 1, y + 1; w + 1; v)",
    ),
    domain=(REAL, REAL, REAL, Domain(-1.0, 1.0)),
    examples=(example(0.5, 0.5, 1.0, (2, 3)), example(-0.5, 0.5, 1.0, ())),
)


def _elliptic(x: Any, series: Callable[[Any], Any], quotient: Callable[[Any], Any]) -> Any:
    """A slope by its series around 0, where the difference in ``quotient`` would cancel, and elsewhere by that."""
    near = (np.abs(plain(x)) < 0.5) | (plain(x) == 1)
    return np.where(near, series(np.where(near, x, 0)), quotient(np.where(near, -1, x)))


ellipk: Op = ufunc(
    sp.ellipk,
    r"K(x)",
    (
        lambda g, z, x: (
            g
            * _elliptic(
                x,
                lambda v: pi / 8 * hyp2f1(1.5, 1.5, 2.0, v),
                lambda v: (ellipe(v) / (1 - v) - ellipk(v)) / (2 * v),
            )
        ),
        r"\frac{\pi}{8} \cdot {}_2F_1(\frac{3}{2}, \frac{3}{2}; 2; x)",
    ),
    domain=Domain(-1.0, 1.0),
)
ellipe: Op = ufunc(
    sp.ellipe,
    r"E(x)",
    (
        lambda g, z, x: (
            g * _elliptic(x, lambda v: -pi / 8 * hyp2f1(0.5, 1.5, 2.0, v), lambda v: (ellipe(v) - ellipk(v)) / (2 * v))
        ),
        r"-\frac{\pi}{8} \cdot {}_2F_1(\frac{1}{2}, \frac{3}{2}; 2; x)",
    ),
    domain=Domain(-1.0, 1.0),
)
exprel = ufunc(
    sp.exprel,
    r"\frac{e^{x} - 1}{x}",
    (lambda g, z, x: g * (exponential_moment(1, x)), r"\frac{(x - 1) \cdot e^{x} + 1}{x^2}"),
)

# -- transforms and losses ------------------------------------------------------------------------------

boxcox = ufunc(
    sp.boxcox,
    r"\frac{x^{y} - 1}{y}",
    (lambda g, z, x, y: g * x ** (y - 1), r"x^{y - 1}"),
    (
        lambda g, z, x, y: g * (np.square(np.log(x)) * exponential_moment(1, y * np.log(x))),
        r"\frac{x^{y} \cdot \ln x - z}{y}",
    ),
    domain=(POSITIVE, REAL),
)
boxcox1p = ufunc(
    sp.boxcox1p,
    r"\frac{(1 + x)^{y} - 1}{y}",
    (lambda g, z, x, y: g * (1 + x) ** (y - 1), r"(1 + x)^{y - 1}"),
    (
        lambda g, z, x, y: g * (np.square(np.log1p(x)) * exponential_moment(1, y * np.log1p(x))),
        r"\frac{(1 + x)^{y} \cdot \ln(1 + x) - z}{y}",
    ),
    domain=(Domain(low=-1.0), REAL),
)
huber = ufunc(
    sp.huber,
    r"\operatorname{huber}(x, y)",
    (lambda g, z, d, r: g * np.maximum(np.abs(r) - d, 0), r"\max(\left|y\right| - x, 0)"),
    (lambda g, z, d, r: g * np.clip(r, -d, d), r"\operatorname{clip}(y, -x, x)"),
    domain=(POSITIVE, REAL),
)


def _pseudo_huber_x(g: Any, z: Any, d: Any, r: Any) -> Any:
    h = np.hypot(r, d)
    less = r * over(r, h + d)  # h - d, which would cancel
    return g * (less * over(less, h))


pseudo_huber = ufunc(
    sp.pseudo_huber,
    r"x^2 \cdot (\sqrt{1 + (\frac{y}{x})^2} - 1)",
    (
        _pseudo_huber_x,
        r"\frac{(\sqrt{x^2 + y^2} - x)^2}{\sqrt{x^2 + y^2}}",
    ),
    (lambda g, z, d, r: g * (d * share_of_length(r, d)), r"\frac{x \cdot y}{\sqrt{x^2 + y^2}}"),
    domain=(POSITIVE, REAL),
    note="0 at x = y = 0",
)


def log_of_t(df: Any, t: Any) -> Any:
    """The logarithm of the density of Student's t distribution of ``df`` degrees of freedom, which may be infinite.

    >>> print(log_of_t(np.array([1.0, np.inf]), 0.0).round(4))
    [-1.1447 -0.9189]
    """
    normal, many = np.equal(plain(df), inf), plain(df) > 200
    n = np.where(normal, 1.0, df)
    a, s = np.where(many, 1.0, n) / 2, 2 / np.where(many, n, inf)
    # ln(Γ(a + 1/2) / Γ(a)) - ln(a) / 2, of which the logarithms of large a would cancel (DLMF 5.11.8 and 5.11.13).
    r = s * s
    series = -s / 8 * (1 - r / 24 * (1 - r * 0.3 * (1 - r * (85 / 112))))
    ratio = np.where(many, series, -betaln(a, np.full_like(plain(a), 0.5)) + math.log(pi) / 2 - np.log(a) / 2)
    body = -(n + 1) / 2 * np.log1p(t * t / n) + ratio
    return np.where(normal, -t * t / 2, body) - math.log(2 * pi) / 2


stdtr = ufunc(
    sp.stdtr,
    r"F_{x}(y)",
    None,
    (
        lambda g, z, df, t: g * np.exp(log_of_t(df, t)),
        r"\frac{(1 + y^2 / x)^{-(x + 1) / 2}}{\sqrt{x} \cdot \mathrm{B}(x / 2, 1 / 2)}",
    ),
    domain=(POSITIVE, REAL),
)
