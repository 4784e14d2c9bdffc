"""What a derivative must be, found from values of the function alone.

Everything here knows a function only as ``F``: a vector in, a vector out. `slopes` gives the derivative of
every output along one direction, how far off it may itself be, and says where there is none.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
Vector = Callable[[Array], Array]

# What is known of the slope of one output along one direction.
SMOOTH, KINK, UNKNOWN = 0, 1, 2

# Steps within one rung are halved twice, rungs are a factor of 16 apart. All are powers of two, so that
# dividing by a step rounds nothing.
_COMPLEX_STEP = 2.0**-400

# The second look takes steps that are no powers of two: fmod(x, 1/64) seems to stand still over those that are.
_SECOND_LOOK = 181 / 256


@dataclass
class Slopes:
    """The derivative of each output along a direction: anything in ``low … high``, give or take ``error``.

    Where ``state`` is SMOOTH both ends are the derivative. At a KINK they are the slopes from the two sides, and
    ``bend`` is what the one ahead has more than the one behind.
    Where it is UNKNOWN (a jump, the edge of the domain, too much noise) nothing is claimed. ``exact`` marks
    what the complex step found, which no rounding of the value blurs.
    """

    low: Array
    high: Array
    error: Array
    state: Array
    bend: Array = 0.0
    exact: Array = False

    @property
    def complex_step(self) -> bool:
        """Whether the complex step found any of these."""
        return bool(np.any(self.exact))


def steps(size: float, eps: float) -> tuple[float, list[float]]:
    """The unit for an argument of this size, and the first step of each ladder in that unit.

    Steps are relative to the argument. One far from 1 also gets steps around 1: exp(1e-20) changes only on
    that scale, and sin(1e8) oscillates on it, whereas log(1e-20) needs the relative one.
    """
    first, rungs = (-6, 5) if eps < 1e-10 else (-3, 3)
    relative = [2.0 ** (first - 4 * k) for k in range(rungs)]
    if size == 0.0 or not math.isfinite(size):
        return 1.0, relative
    unit = 2.0 ** min(1000, max(-1000, round(math.log2(size))))  # rounded, to keep the steps powers of two
    absolute = [h / unit for h in relative]
    if size < 1e-3:
        return unit, absolute + relative
    return unit, relative + absolute if size > 1e3 else relative


def slopes(
    F: Vector,
    x: Array,
    d: Array,
    value: Array,
    hs: Sequence[float],
    eps: float,
    *,
    rounding: Array = 0.0,
    thorough: bool = False,
) -> Slopes:
    """The derivatives of F(x + t·d) at t = 0, output by output.

    Central differences at h, h/2 and h/4 are extrapolated to the sixth order (L. F. Richardson, 1911). How
    much the last extrapolation changed, what the even part of the function leaves over (it shows a kink on
    one side that the odd part can miss) and rounding give the error. The ladder stops at the first rung
    where every output is known well enough; ``thorough`` climbs all of it, by other steps, and believes the best
    rung only if no other contradicts it. ``rounding`` is what the values are off by besides their last place.
    """
    m = value.size
    best = Slopes(np.full(m, np.nan), np.full(m, np.nan), np.full(m, np.inf), None)
    rungs: list[tuple[Array, Array]] = []
    kink = Slopes(np.full(m, -np.inf), np.full(m, np.inf), np.full(m, np.inf), np.zeros(m, bool))
    moved = d != 0
    reach = _reach(x, d)
    floor = np.abs(value) * min(1.0, float(np.max(np.abs(d), initial=0.0)))
    still, rough = np.ones(m, bool), np.zeros(m, bool)
    for h in hs:
        h = h * _SECOND_LOOK if thorough else h
        ts = (h, h / 2, h / 4)
        if np.any((x + ts[2] * d == x)[moved]):  # rounding swallows the step
            continue
        ahead = [F(x + t * d) for t in ts]
        behind = [F(x - t * d) for t in ts]
        right = [(a - value) / t for a, t in zip(ahead, ts, strict=True)]
        left = [(value - b) / t for b, t in zip(behind, ts, strict=True)]
        p0, p1, p2 = ((r + l) / 2 for r, l in zip(right, left, strict=True))
        e0, e1, e2 = (r - l for r, l in zip(right, left, strict=True))
        once, twice = (4 * p1 - p0) / 3, (4 * p2 - p1) / 3
        slope = (16 * twice - once) / 15
        size = np.maximum(np.abs(value), np.maximum(np.abs(ahead[0]), np.abs(behind[0])))
        noise = eps * (size + reach * np.abs(slope)) / ts[2]
        noise = noise + (rounding + np.finfo(float).smallest_subnormal) / ts[2]
        uneven = (e0 - 2 * e1) - 8 * (e1 - 2 * e2)
        error = np.maximum(np.abs(slope - twice), np.abs(uneven) / 8) + noise
        flat = np.all([s == value for s in (*ahead, *behind)], axis=0)
        still &= flat
        # It does not depend on these at all; or it stands still over small steps only: beside a jump, or because
        # rounding hides that it moves, which a longer step would show.
        halted = flat & ~still & (value != 0)
        error = np.where(flat & ~halted, 0.0, error)
        error[~np.isfinite(error) | ~np.isfinite(slope)] = np.inf
        rungs.append((slope, error))
        # A jump at a large argument, floor(5e7), looks straight from afar: nearer by it must be no rougher.
        if thorough and reach * float(np.max(np.abs(d))) > 1e3:
            height = np.abs(uneven) * ts[2]
            rough |= (height > 1e3 * eps * (size + reach)) & (np.abs(uneven) > 0.1 * np.abs(best.low))
        # A step of 1e-17 says nothing of a value of 1: it passes a gradient that is 0, and refutes none.
        rounded = (rounding + (eps * size if thorough else 0.0)) / ts[2]
        error = np.where(halted, np.where(_known(best, floor, eps), np.inf, rounded), error)
        better = error < best.error
        best.low = np.where(better, slope, best.low)
        best.error = np.where(better, error, best.error)
        _one_sided(kink, right, left, noise)
        good = best.error <= 1e-8 * np.abs(best.low) + 1e-11 * floor
        if not thorough and good.all():
            break
    best.error[rough] = np.inf
    return _conclude(best, rungs if thorough else [], kink, floor, eps)


def _reach(x: Array, d: Array) -> float:
    """How many times longer than a step along ``d`` the argument is: rounding it is worth that many eps."""
    moved = d != 0
    return float(np.max(np.abs(x[moved]) / np.abs(d[moved]), initial=0.0))


def _one_sided(kink: Slopes, right: list[Array], left: list[Array], noise: Array) -> None:
    """Note in ``kink`` the outputs whose slopes from the two sides have settled on different values."""
    (r, r_error), (l, l_error) = (_extrapolate(*side) for side in (right, left))
    error = r_error + l_error + 4 * noise
    size = np.abs(r) + np.abs(l)
    settled = np.isfinite(error) & (error < 1e-2 * size)
    kink.state = settled & (np.abs(r - l) > 1e-6 * size + 4 * error)
    kink.low, kink.high, kink.error, kink.bend = np.minimum(r, l), np.maximum(r, l), error, r - l


def _extrapolate(s0: Array, s1: Array, s2: Array) -> tuple[Array, Array]:
    """A one-sided slope from those with steps h, h/2 and h/4, and how much the last step changed it."""
    once, twice = 2 * s1 - s0, 2 * s2 - s1
    return (4 * twice - once) / 3, np.abs(twice - once)


def _known(best: Slopes, floor: Array, eps: float) -> Array:
    """Whether slopes are sharp; one that is small beside the value is known only as well as the value is rounded."""
    return best.error <= 1e-4 * np.abs(best.low) + max(1e-7, 512 * eps) * floor


def _conclude(best: Slopes, rungs: list[tuple[Array, Array]], kink: Slopes, floor: Array, eps: float) -> Slopes:
    smooth = _known(best, floor, eps)
    for slope, error in rungs:  # two that contradict each other beyond their errors: neither is believed
        smooth &= ~(np.abs(best.low - slope) > 8 * (best.error + error))
    kinked = ~smooth & kink.state
    state = np.where(smooth, SMOOTH, np.where(kinked, KINK, UNKNOWN))
    return Slopes(
        np.where(smooth, best.low, np.where(kinked, kink.low, -np.inf)),
        np.where(smooth, best.low, np.where(kinked, kink.high, np.inf)),
        np.where(smooth, best.error, np.where(kinked, kink.error, 0.0)),
        state,
        np.where(kinked, kink.bend, 0.0),
    )


def complex_step(F: Vector, x: Array, d: Array, value: Array, found: Slopes) -> Slopes:
    """Replace ``found`` by Im F(x + i·h·d) / h, exact to rounding, if F is analytic here.

    W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions", 1998. Many
    functions take complex numbers and mean something else by them (abs, max, norm), so the result is taken
    only if it agrees with all differences, and only where these are sharp enough to tell; otherwise ``found``
    comes back as it is.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "casting complex values to real discards the imaginary part"
            there = F(x + (1j * _COMPLEX_STEP) * d)
    except Exception:  # whatever a function does that was never meant for complex numbers
        return found
    if there.dtype.kind != "c" or there.shape != value.shape:
        return found
    slope = there.imag / _COMPLEX_STEP
    smooth = found.state == SMOOTH
    agrees = np.abs(slope - found.low) <= 1e-8 * np.abs(found.low) + 4 * found.error
    same = np.abs(there.real - value) <= 1e-10 * np.abs(value)
    exact = smooth & (found.error <= 1e-2 * np.abs(found.low))
    if not np.all((agrees & same)[smooth]) or not exact.any():
        return found
    return Slopes(
        np.where(exact, slope, found.low),
        np.where(exact, slope, found.high),
        np.where(exact, 1e-15 * np.abs(slope), found.error),
        found.state,
        found.bend,
        exact,
    )


def taylor(
    F: Vector, x: Array, d: Array, value: Array, slope: Array, eps: float, rounding: Array = 0.0
) -> tuple[Array, Array]:
    """The power of h with which F(x + h·d) − F(x) − h·slope goes to zero, and what ``slope`` lacks.

    The power is 2 (or more) when ``slope`` is the derivative, 1 when it is anything else, and nan where
    rounding hides the remainder at too many steps to tell. What is missing is nan unless both sides agree
    on it: at a kink they do not.
    """
    hs = _SECOND_LOOK * np.array([2.0**-k for k in (range(1, 13) if eps > 1e-10 else range(3, 25))])[:, None]
    off = 16 * eps * np.abs(value) + 4 * rounding
    noise = off + 16 * eps * np.abs(slope) * (_reach(x, d) + hs)
    powers, missing = [], []
    for side in (1.0, -1.0):
        change = np.array([F(x + side * h * d) - value for h in hs])
        steps_of = [side * hs[:, 0]] * value.size
        columns = (change - side * hs * slope).T, change.T, noise.T, off, steps_of
        fits = [_fit(*column) for column in zip(*columns, strict=True)]
        powers.append([power for power, _ in fits])
        missing.append([rest for _, rest in fits])
    right, left = np.array(missing)
    alike = np.abs(right - left) < 0.05 * (np.abs(right) + np.abs(left))
    nothing = np.isposinf(powers).all(axis=0)
    return np.where(nothing, np.nan, np.min(powers, axis=0)), np.where(alike, (right + left) / 2, np.nan)


def _fit(remainder: Array, change: Array, noise: Array, rounding: float, h: Array) -> tuple[float, float]:
    """The power of h over the smallest steps that rounding leaves clear, and remainder / h at the last.

    The power is infinite where nothing remains (a function may be a straight line on one side). The rest is
    nan where the function itself changes by something that is neither in proportion to h nor rounding.
    """
    clear = np.isfinite(remainder) & (np.abs(remainder) > noise)
    if change.any():  # a function that stands still over small steps alone has been rounded
        clear &= change != 0
    last = np.flatnonzero(clear)[-4:]
    if last.size < 3:
        nothing = not last.size and np.isfinite(remainder).all()
        return float("inf" if nothing else "nan"), float("nan")
    power = np.polyfit(np.log(np.abs(h[last])), np.log(np.abs(remainder[last])), 1)[0]
    a, b = last[-2:]
    settled = abs(change[a] / 2 - change[b]) <= 0.05 * abs(change[b]) + rounding
    return float(power), float(remainder[b] / h[b]) if settled else float("nan")
