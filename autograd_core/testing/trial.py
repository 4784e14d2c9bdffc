"""A pullback on trial against the values of its function. Vectors in and out; names and shapes are elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..op import Domain
from .oracle import KINK, SMOOTH, UNKNOWN, Slopes, complex_step, slopes, steps, taylor

Array = Any
Job = tuple[Array, list[float]]  # a direction, and the steps to take along it


@dataclass
class Side:
    """``F`` at ``x``, the ``pull`` that claims to be its transposed Jacobian there, and how to look.

    ``units`` and ``ladders`` are the steps for each coordinate. Up to ``whole`` coordinates all derivatives
    are compared, above that products with ``directions`` random directions.
    """

    F: Callable[[Array], Array]
    pull: Callable[[Array], Array]
    x: Array
    value: Array
    units: Array
    ladders: list[list[float]]
    eps: float
    analytic: bool
    whole: int
    directions: int
    rtol: float | None
    atol: float | None
    # The default relative tolerance, and what the values are off by besides their last place. A gradient, which
    # the second order differs, has rounding that its size does not show: tanh's, 1 - z², keeps few digits where z
    # is close to 1.
    close: float = 1e-7
    rounding: Array = 0.0


@dataclass
class Mismatch:
    """The pullback gave ``got`` where the derivative lies in ``low … high``.

    ``where`` are the positions in ``x`` that moved, ``output`` the position in the value, or None when only
    a weighted sum of all outputs is known to be wrong. ``power`` is that of the Taylor remainder.
    """

    where: Array
    output: int | None
    low: float
    high: float
    got: float
    method: str
    power: float


@dataclass
class Undecided:
    """An output whose derivative the oracles do not know; ``where`` is a position in ``x`` if just one moved."""

    output: int
    where: int | None
    low: float
    high: float
    state: int


@dataclass
class Outcome:
    """What a trial found."""

    methods: list[str] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)
    mismatch: Mismatch | None = None

    def used(self, method: str) -> None:
        """Note a method once."""
        if method not in self.methods:
            self.methods.append(method)


# -- where to look -----------------------------------------------------------------------------------------


def ladders(x: Array, eps: float, clearance: Array | None = None) -> tuple[Array, list[list[float]]]:
    """A unit and steps for every coordinate: its own size, unless it is tiny beside the others."""
    if not x.size:
        return x, []
    finite = np.where(np.isfinite(x), np.abs(x), 0.0)
    largest = float(np.max(finite))
    typical = largest * np.sqrt(np.mean((finite / largest) ** 2)) if largest > 0 else 0.0
    found = [steps(float(s), eps) for s in np.maximum(finite, 0.01 * typical)]
    units = np.array([unit for unit, _ in found])
    if clearance is not None:
        for i in np.flatnonzero((clearance > 0) & (clearance < units)):
            units[i] = 2.0 ** np.floor(np.log2(clearance[i]))
    return units, [hs for _, hs in found]


def clearance(x: Array, domain: Domain | None) -> Array:
    """How far each number is from the nearest edge or kink of its domain."""
    if domain is None:
        return np.full(x.shape, np.inf)
    far = np.minimum(np.abs(x - domain.low), np.abs(x - domain.high))
    for kink in domain.kinks:
        away = np.abs(x - kink)
        if domain.period:
            away = np.mod(x - kink, domain.period)
            away = np.minimum(away, domain.period - away)
        far = np.minimum(far, away)
    return far


def _coordinates(side: Side) -> list[Job]:
    unit_vectors = np.eye(side.x.size) * side.units
    return list(zip(unit_vectors, side.ladders, strict=True))


def _random(side: Side, rng: np.random.Generator, count: int) -> list[Job]:
    """Directions that move every number, none of them by so little that its derivative would be lost."""
    _, hs = steps(1.0, side.eps)
    size = side.x.size
    mixes = [rng.uniform(0.5, 1.5, size) * rng.choice([-1.0, 1.0], size) for _ in range(count)]
    jobs = [(mix * side.units, hs) for mix in mixes]
    extreme = (side.units < 1e-3) | (side.units > 1e3)
    if extreme.any():  # these also have steps around 1, see `steps`
        jobs += [(mix * np.where(extreme, 1.0, side.units), hs) for mix in mixes[:2]]
    return jobs


def _along(side: Side, job: Job, thorough: bool = False) -> Slopes:
    d, hs = job
    found = slopes(side.F, side.x, d, side.value, hs, side.eps, rounding=side.rounding, thorough=thorough)
    if side.analytic:
        found = complex_step(side.F, side.x, d, side.value, found)
        side.analytic = found.complex_step or not (found.state == SMOOTH).any()
    return found


# -- the trial ---------------------------------------------------------------------------------------------


def judge(side: Side, rng: np.random.Generator) -> Outcome:
    """Compare the pullback with the values, direction by direction and cotangent by cotangent."""
    outcome = Outcome()
    n, m = side.x.size, side.value.size
    if n == 0 or m == 0:
        side.pull(np.ones(m))
        outcome.used("nothing to vary (size 0)")
        return outcome
    whole = n <= side.whole
    jobs = _coordinates(side) if whole else _random(side, rng, side.directions)
    found = [_along(side, job) for job in jobs]
    if whole and any((s.state == KINK).any() for s in found):
        # A subdifferential is more than an interval for each coordinate: tied arguments also move together.
        together = [(side.units.min() * np.ones(n), steps(1.0, side.eps)[1])]
        jobs += together + _random(side, rng, 2)
        found += [_along(side, job) for job in jobs[n:]]

    U = _cotangents(side, rng, np.array([s.state for s in found]))
    G = np.array([side.pull(u) for u in U])
    lost = _edges(side, U, G, outcome)
    if outcome.mismatch:
        return outcome
    if lost.any():
        G = np.where(lost, 0.0, G)
        jobs = [(np.where(lost, 0.0, d), hs) for d, hs in jobs]
        found = [_along(side, job) if job[0].any() else s for job, s in zip(jobs, found, strict=True)]

    for r, k in _suspects(side, jobs, found, U, G):
        outcome.mismatch = _confirm(side, U[r], jobs[k])
        if outcome.mismatch:
            return outcome
        doubtful = np.flatnonzero(U[r])
        found[k].state[doubtful] = UNKNOWN
    _undecided(side, jobs, found, whole, outcome)
    _name_methods(found, whole, len(jobs), outcome)
    return outcome


def _cotangents(side: Side, rng: np.random.Generator, state: Array) -> Array:
    """Weights for the outputs: each output alone when there are few, random ones of all otherwise.

    Outputs at a kink are weighted apart from the others, whose derivatives are known more narrowly, and
    those that are not known at all not.
    """
    m = side.value.size
    if m <= side.whole:
        return np.eye(m)
    unknown = (state == UNKNOWN).any(axis=0)
    kinked = (state == KINK).any(axis=0) & ~unknown
    smooth = ~kinked & ~unknown
    weights = [rng.uniform(0.5, 1.5, m) * rng.choice([-1.0, 1.0], m) for _ in range(side.directions)]
    rows = [w * smooth for w in weights if smooth.any()] + [w * kinked for w in weights[:2] if kinked.any()]
    return np.array(rows or [np.zeros(m)])


def _edges(side: Side, U: Array, G: Array, outcome: Outcome) -> Array:
    """Where the gradient is not finite: a mismatch if the function has a derivative there, or else left out.

    Next to 1/0 a zero from elsewhere becomes nan, so all that the coordinate does is left undecided.
    """
    lost = ~np.isfinite(G).all(axis=0)
    for i in np.flatnonzero(lost)[:4]:
        d = np.zeros(side.x.size)
        d[i] = side.units[i]
        found = _along(side, (d, side.ladders[i]))
        if (found.state == UNKNOWN).any():
            j = int(np.flatnonzero(found.state == UNKNOWN)[0])
            outcome.undecided.append(Undecided(j, int(i), -np.inf, np.inf, UNKNOWN))
            continue
        r = int(np.flatnonzero(~np.isfinite(G[:, i]))[0])
        low, high, _ = _weighted(U[r], found, np.zeros_like(found.low))
        output = int(np.flatnonzero(U[r])[0]) if np.count_nonzero(U[r]) == 1 else None
        outcome.mismatch = Mismatch(
            np.array([i]), output, low / d[i], high / d[i], float(G[r, i]), _method(found), float("nan")
        )
        break
    return lost


def _tolerance(side: Side, d: Array, found: Slopes, rows: Array) -> Array:
    """How far a right gradient may be from the oracle, output by output, along ``d``."""
    size = np.where(found.state == SMOOTH, np.abs(found.low), 0.0)
    relative = (side.close if side.eps < 1e-10 else 2e-3) if side.rtol is None else side.rtol
    if side.atol is not None:
        absolute = side.atol * np.abs(d).sum()
    else:  # rounding: in the value, and where large derivatives of the same output cancel
        scale = side.eps / np.finfo(float).eps
        absolute = scale * (1e-11 * np.abs(side.value) * min(1.0, float(np.abs(d).max())) + 1e-11 * rows)
        absolute = absolute + 8 * side.rounding * np.abs(d).sum()
    underflow = np.finfo(float).tiny * np.abs(d).sum()  # where the derivative itself is too small for a number
    return relative * size + absolute + underflow + 4 * found.error


def _weighted(u: Array, found: Slopes, tolerance: Array) -> tuple[float, float, float]:
    """The interval in which Σ u·slope lies, and its tolerance."""
    on = u != 0
    ends = np.sort([u[on] * found.low[on], u[on] * found.high[on]], axis=0)
    return float(ends[0].sum()), float(ends[1].sum()), float(np.abs(u[on]) @ tolerance[on])


def _suspects(side: Side, jobs: list[Job], found: list[Slopes], U: Array, G: Array) -> list[tuple[int, int]]:
    """The (cotangent, direction) pairs for which the pullback is outside what the oracle allows, worst first."""
    low = np.array([s.low for s in found])
    high = np.array([s.high for s in found])
    unknown = ~np.isfinite(low) | ~np.isfinite(high)
    low, high = np.where(unknown, 0.0, low), np.where(unknown, 0.0, high)
    rows = np.max(np.abs([np.where(s.state == SMOOTH, s.low, 0.0) for s in found]), axis=0)
    tolerance = np.array([_tolerance(side, d, s, rows) for (d, _), s in zip(jobs, found, strict=True)])
    D = np.array([d for d, _ in jobs])
    plus, minus = np.maximum(U, 0), np.minimum(U, 0)
    lowest, highest = low @ plus.T + high @ minus.T, high @ plus.T + low @ minus.T
    got = D @ G.T
    allowed = tolerance @ np.abs(U).T + 1e-12 * (np.abs(D) @ np.abs(G).T)
    excess = np.maximum(got - highest, lowest - got)
    decided = unknown.astype(float) @ (U != 0).T == 0
    wrong = decided & ~(excess <= allowed)
    ks, rs = np.nonzero(wrong)
    worst = np.argsort(-(excess / (np.abs(lowest) + np.abs(highest) + allowed))[ks, rs])[:4]
    return [(int(rs[i]), int(ks[i])) for i in worst]


def _excess(side: Side, u: Array, g: Array, job: Job, thorough: bool = True) -> tuple[float, Slopes, Any]:
    """By how much ``g`` · d is outside its interval (negative: inside), all rungs considered."""
    found = _along(side, job, thorough)
    rows = np.where(found.state == SMOOTH, np.abs(found.low), 0.0)
    low, high, allowed = _weighted(u, found, _tolerance(side, job[0], found, rows))
    got = float(job[0] @ g)
    if not np.isfinite(low) or not np.isfinite(high):
        return -1.0, found, None
    allowed += 1e-12 * float(np.abs(job[0]) @ np.abs(g))
    return max(got - high, low - got) - allowed, found, (low, high, got)


def _confirm(side: Side, u: Array, job: Job) -> Mismatch | None:
    """Look again, at every rung; if it is still wrong narrow it down to one number in and one out."""
    g = side.pull(u)
    excess, found, seen = _excess(side, u, g, job)
    if not excess > 0:
        return None
    job, found, seen = _narrow_direction(side, u, g, job, found, seen)
    u, g, found, seen = _narrow_outputs(side, u, g, job, found, seen)
    d, _ = job
    moved = np.flatnonzero(d)
    outputs = np.flatnonzero(u)
    unit = float(d[moved[0]]) if moved.size == 1 else 1.0
    if outputs.size == 1:
        unit *= float(u[outputs[0]])
    low, high, got = (float(v / unit) for v in seen)
    power = float("nan")
    if outputs.size == 1 and moved.size == 1:
        j = outputs[0]
        power = float(
            taylor(
                side.F, side.x, d, side.value, np.full(side.value.shape, got * d[moved[0]]), side.eps, side.rounding
            )[0][j]
        )
    output = int(outputs[0]) if outputs.size == 1 else None
    return Mismatch(moved, output, min(low, high), max(low, high), got, _method(found), power)


def _narrow_direction(side: Side, u: Array, g: Array, job: Job, found: Slopes, seen: Any) -> Any:
    """Halve what moves for as long as one half is still wrong."""
    while np.count_nonzero(job[0]) > 1:
        d, hs = job
        moved = np.flatnonzero(d)
        halves = []
        for part in np.array_split(moved, 2):
            half = np.zeros_like(d)
            half[part] = d[part]
            halves.append((*_excess(side, u, g, (half, side.ladders[part[0]] if part.size == 1 else hs)), half))
        worst = max(halves, key=lambda h: h[0])
        if not worst[0] > 0:
            break
        _, found, seen, half = worst
        job = (half, side.ladders[int(np.flatnonzero(half)[0])] if np.count_nonzero(half) == 1 else hs)
    return job, found, seen


def _narrow_outputs(side: Side, u: Array, g: Array, job: Job, found: Slopes, seen: Any) -> Any:
    """Halve which results are weighted for as long as one half is still wrong."""
    rows = np.where(found.state == SMOOTH, np.abs(found.low), 0.0)
    tolerance = _tolerance(side, job[0], found, rows)
    while np.count_nonzero(u) > 1:
        halves = []
        for part in np.array_split(np.flatnonzero(u), 2):
            half = np.zeros_like(u)
            half[part] = u[part]
            pulled = side.pull(half)
            low, high, allowed = _weighted(half, found, tolerance)
            got = float(job[0] @ pulled)
            halves.append((max(got - high, low - got) - allowed, half, pulled, (low, high, got)))
        worst = max(halves, key=lambda h: h[0])
        if not worst[0] > 0:
            break
        _, u, g, seen = worst
    return u, g, found, seen


# -- what is left ------------------------------------------------------------------------------------------


def _undecided(side: Side, jobs: list[Job], found: list[Slopes], whole: bool, outcome: Outcome) -> None:
    """Note what the differences left open, unless the Taylor remainder settles it."""
    state = np.array([s.state for s in found])
    if not whole and len(jobs) > side.directions:  # two scales of steps: one that decides is enough
        decided = (state[: side.directions] != UNKNOWN).all(axis=0) | (state[side.directions :] != UNKNOWN).all(axis=0)
        state[:, decided] = np.where(state[:, decided] == UNKNOWN, SMOOTH, state[:, decided])
    seen = set()
    tried = 0
    for k, j in zip(*np.nonzero(state != SMOOTH), strict=True):
        d = jobs[k][0]
        moved = np.flatnonzero(d)
        where = int(moved[0]) if moved.size == 1 else None
        if (j, where) in seen or not moved.size:
            continue
        seen.add((j, where))
        if state[k, j] == UNKNOWN and tried < 4:
            tried += 1
            wrong = _by_taylor(side, d, int(j), found[k], outcome)
            if wrong is None or outcome.mismatch:
                continue
        unit = float(d[where]) if where is not None else 1.0
        low, high = found[k].low[j] / unit, found[k].high[j] / unit
        outcome.undecided.append(Undecided(int(j), where, float(low), float(high), int(state[k, j])))


def _by_taylor(side: Side, d: Array, j: int, found: Slopes, outcome: Outcome) -> bool | None:
    """None if the remainder settles it: as h² for a right gradient, as h on both sides alike for a wrong one."""
    u = np.zeros_like(side.value)
    u[j] = 1.0
    got = float(d @ side.pull(u))
    power, missing = (
        v[j] for v in taylor(side.F, side.x, d, side.value, np.full(u.shape, got), side.eps, side.rounding)
    )
    if power > 1.9:
        outcome.used("Taylor remainder")
        return None
    if 0.95 < power < 1.05 and abs(missing) > 1e-3 * abs(got) + np.finfo(float).tiny * np.abs(d).sum():
        moved = np.flatnonzero(d)
        unit = float(d[moved[0]]) if moved.size == 1 else 1.0
        right = (got + missing) / unit
        outcome.mismatch = Mismatch(moved, j, right, right, got / unit, "the Taylor remainder", float(power))
    return True


def _method(found: Slopes) -> str:
    if (found.state == KINK).any():
        return "one-sided slopes"
    return "complex step" if found.complex_step else "Richardson-extrapolated central differences"


def _name_methods(found: list[Slopes], whole: bool, count: int, outcome: Outcome) -> None:
    for s in found:
        if (s.state == SMOOTH).any():
            outcome.used("complex step" if s.complex_step else "Richardson-extrapolated central differences")
        if (s.state == KINK).any():
            outcome.used("one-sided slopes")
    outcome.used("whole Jacobian" if whole else f"{count} random directions")
