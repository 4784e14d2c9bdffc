"""A pullback on trial against the values of its function. Vectors in and out; names and shapes are elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..domain import Domain
from .given import WrongGradient
from .oracle import KINK, SMOOTH, UNKNOWN, Slopes, complex_step, slopes, steps, taylor

Array = Any
Job = tuple[Array, list[float]]  # a direction, and the steps to take along it


@dataclass
class Side:
    """``F`` at ``x``, the ``pullback`` that claims to give its transposed Jacobian there, and how to look.

    ``units`` and ``ladders`` are the steps for each coordinate, ``eps`` the precision of the values and
    ``precision`` that of the values or the gradient, whichever is worse. Up to ``whole`` coordinates all derivatives
    are compared, above that products with ``directions`` random directions.
    """

    F: Callable[[Array], Array]
    pullback: Callable[[Array], Callable[[Array], Array]]
    x: Array
    value: Array
    units: Array
    ladders: list[list[float]]
    eps: float
    precision: float
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
    # Set where a suspicion could not be held against the gradient, because the function has no derivative there.
    irregular: bool = False

    def __post_init__(self) -> None:
        self.pull = self.pullback(self.x.copy())


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


def scales(side: Side, m: Mismatch) -> bool:
    """Whether a derivative is of ordinary size and the same where all arguments are, in the same proportion.

    That of hypot is, at 1e200 as at 1, and then overflow on the way is the gradient's own fault. Large numbers are
    whole, which makes floor look like x, and where y² overflows many a right function loses the derivative of x/y.
    """
    if m.where.size > 1 or m.output is None or m.low != m.high or not 1e-3 < abs(m.low) < 1e3:
        return False
    i = int(m.where[0])
    largest = float(np.max(np.abs(side.x), where=np.isfinite(side.x), initial=0.0))
    x = side.x * 2.0 ** -np.round(np.log2(largest))
    d = np.zeros(x.size)
    d[i], hs = steps(float(abs(x[i])), side.eps)
    found = slopes(side.F, x, d, side.F(x), hs, side.eps)
    same = abs(found.low[m.output] / d[i] - m.low) <= 1e-3 * abs(m.low)
    return bool(found.state[m.output] == SMOOTH and same)


# -- where to look -----------------------------------------------------------------------------------------


def ladders(x: Array, eps: float, clearance: Array | None = None) -> tuple[Array, list[list[float]]]:
    """A unit and steps for every coordinate: its own size, unless it is tiny beside the others."""
    if not x.size:
        return x, []
    finite = np.where(np.isfinite(x), np.abs(x), 0.0)
    largest = float(np.max(finite))
    typical = largest * np.sqrt(np.mean((finite / largest) ** 2)) if largest > 0 else 0.0
    tiny = 0.01 if eps < 1e-10 else 0.5  # in single precision a short step is all rounding
    found = [steps(float(s), eps) for s in np.maximum(finite, tiny * typical)]
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


def _without(jobs: list[Job], lost: Array) -> list[Job]:
    """The same directions, standing still where nothing can be known."""
    return [(np.where(lost, 0.0, d), hs) for d, hs in jobs]


def along(side: Side, job: Job, thorough: bool = False) -> Slopes:
    """The slopes of all results along a direction."""
    d, hs = job
    found = slopes(side.F, side.x, d, side.value, hs, side.eps, rounding=side.rounding, thorough=thorough)
    if side.analytic:
        found = complex_step(side.F, side.x, d, side.value, found)
        side.analytic = found.complex_step or not (found.low[found.state == SMOOTH] != 0).any()
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
    jobs = _without(jobs, ~np.isfinite(side.x))  # no step leads away from inf and nan
    found = [along(side, job) for job in jobs]
    if whole and any((s.state == KINK).any() for s in found):
        # A subdifferential is more than an interval for each coordinate: tied arguments also move together.
        together = [(side.units.min() * np.ones(n), steps(1.0, side.eps)[1])]
        jobs += _without(together + _random(side, rng, 2), ~np.isfinite(side.x))
        found += [along(side, job) for job in jobs[n:]]

    U = _cotangents(side, rng, np.array([s.state for s in found]))
    G = np.array([side.pull(u) for u in U])
    lost = _edges(side, U, G, outcome)
    if outcome.mismatch:
        return outcome
    if lost.any():
        jobs = _without(jobs, lost)
        found = [along(side, job) for job in jobs]
        U = _cotangents(side, rng, np.array([s.state for s in found]))
        G = np.where(lost, 0.0, [side.pull(u) for u in U])

    for r, k in _suspects(side, jobs, found, U, G):
        outcome.mismatch = _confirm(side, U[r], jobs[k])
        if outcome.mismatch:
            return outcome
        again = np.where(lost, 0.0, side.pull(U[r]))
        if not np.allclose(again, G[r], 1e-3, 1e-3 * float(np.max(np.abs(G[r])))):
            raise WrongGradient("the same call gave two different gradients")
        doubtful = np.flatnonzero(U[r])
        found[k].state[doubtful] = UNKNOWN
    _undecided(side, jobs, found, whole, outcome)
    _name_methods([s for (d, _), s in zip(jobs, found, strict=True) if d.any()], whole, len(jobs), outcome)
    return outcome


def _cotangents(side: Side, rng: np.random.Generator, state: Array) -> Array:
    """Weights for the outputs: each output alone when there are few, random ones of all otherwise.

    Outputs at a kink are weighted apart from the others, whose derivatives are known more narrowly, and
    those that are not known at all not. No weight is 1, which a rule may forget to multiply by, and all are
    powers of two where there are few, so that they round nothing.
    """
    m = side.value.size
    if m <= side.whole:
        return np.diag(np.resize([-2.0, 0.5], m))
    unknown = (state == UNKNOWN).any(axis=0)
    kinked = (state == KINK).any(axis=0) & ~unknown
    smooth = ~kinked & ~unknown
    weights = [rng.uniform(0.5, 1.5, m) * rng.choice([-1.0, 1.0], m) for _ in range(side.directions)]
    rows = [w * smooth for w in weights if smooth.any()] + [w * kinked for w in weights[:2] if kinked.any()]
    return np.array(rows or [np.zeros(m)])


def _edges(side: Side, U: Array, G: Array, outcome: Outcome) -> Array:
    """Where the gradient or the argument is not finite: a mismatch if there is a derivative, or else left out.

    Next to 1/0 a zero from elsewhere becomes nan, so all that the coordinate does is left undecided.
    """
    lost = ~np.isfinite(G).all(axis=0) | ~np.isfinite(side.x)
    for i in np.flatnonzero(lost)[: side.whole]:
        d = np.zeros(side.x.size)
        d[i] = side.units[i]
        found = along(side, (d, side.ladders[i]))
        rows = np.flatnonzero(~np.isfinite(G[:, i]) & U.any(axis=1))
        flat = (found.state == UNKNOWN) & (taylor(side.F, side.x, d, side.value, 0 * side.value, side.eps)[0] > 1.9)
        found.low[flat] = found.high[flat] = 0.0  # as for x·x at 0, where differences are all rounding
        found.state[flat] = SMOOTH
        unknown = np.flatnonzero(found.state == UNKNOWN)
        if unknown.size or not rows.size:
            outcome.undecided.append(Undecided(int([*unknown, 0][0]), int(i), -np.inf, np.inf, UNKNOWN))
            continue
        r = int(rows[0])
        low, high, _ = _weighted(U[r], found, np.zeros_like(found.low))
        on = np.flatnonzero(U[r])
        unit = d[i] * (U[r][on[0]] if on.size == 1 else 1.0)
        low, high = sorted((low / unit, high / unit))
        if not np.isfinite([low, high]).all():  # the derivative exists and is too large for a number
            outcome.undecided.append(Undecided(int(on[0]), int(i), low, high, UNKNOWN))
            continue
        output = int(on[0]) if on.size == 1 else None
        outcome.mismatch = Mismatch(
            np.array([i]), output, low, high, float(G[r, i] / (unit / d[i])), _method(found), float("nan")
        )
        break
    return lost


def _tolerance(side: Side, d: Array, found: Slopes, rows: Array) -> Array:
    """How far a right gradient may be from the oracle, output by output, along ``d``."""
    size = np.where(found.state == SMOOTH, np.abs(found.low), 0.0)
    relative = (side.close if side.precision < 1e-10 else 2e-3) if side.rtol is None else side.rtol
    if side.atol is not None:
        absolute = side.atol * np.abs(d).sum()
    else:  # rounding: in the value, and where large derivatives of the same output cancel
        rounded = 1e-11 if side.precision < 1e-10 else 500 * side.precision
        value = np.where(np.isfinite(side.value), np.abs(side.value), 0.0) * min(1.0, float(np.abs(d).max()))
        absolute = rounded * (np.where(found.exact, 0.01, 1.0) * value + rows)
        absolute = absolute + 32 * side.rounding * np.abs(d).sum()
    underflow = np.finfo(float).tiny * np.abs(d).sum()  # where the derivative itself is too small for a number
    return relative * size + absolute + underflow + 4 * found.error


def _along_moved(d: Array, g: Array) -> float:
    """d · g, over what ``d`` moves: a gradient that is nan elsewhere says nothing about it."""
    moved = d != 0
    return float(d[moved] @ g[moved])


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
    tolerance[unknown] = 0.0
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
    found = along(side, job, thorough)
    rows = np.where(found.state == SMOOTH, np.abs(found.low), 0.0)
    low, high, allowed = _weighted(u, found, _tolerance(side, job[0], found, rows))
    got = _along_moved(job[0], g)
    if not np.isfinite(low) or not np.isfinite(high):
        return -1.0, found, None
    allowed += 1e-12 * _along_moved(np.abs(job[0]), np.abs(g))
    excess = max(got - high, low - got) - allowed
    if thorough and excess > 0:
        excess -= _rounding_of_gradient(side, u, job[0])
    return excess, found, (low, high, got)


def _rounding_of_gradient(side: Side, u: Array, d: Array) -> float:
    """How far rounding may move the gradient along ``d``: what it does when the last places of ``x`` change.

    solve(x, x) is the identity, so its gradient is 0: what is left of large terms that cancel. No value shows how
    large they were. A gradient that moves by more than rounding could is at a kink, and nothing is made of that.
    """
    rng = np.random.default_rng(side.x.size)
    got = [_along_moved(d, side.pull(u))]
    for _ in range(4):
        nearby = side.x * (1 + side.eps * rng.choice([-2.0, -1.0, 1.0, 2.0], side.x.size))
        try:
            got.append(_along_moved(d, side.pullback(nearby)(u)))
        except (ArithmeticError, ValueError):  # beyond the edge of its domain
            return 0.0
    spread = float(np.ptp(got))
    largest = float(np.max(np.abs(side.value), initial=0.0, where=np.isfinite(side.value)))
    return 8 * spread if spread <= np.sqrt(side.eps) * largest * float(np.abs(u).max()) else 0.0


def _confirm(side: Side, u: Array, job: Job) -> Mismatch | None:
    """Look again, at every rung; if it is still wrong narrow it down to one number in and one out."""
    g = side.pull(u)
    excess, found, seen = _excess(side, u, g, job)
    if not excess > 0:
        return None
    job, found, seen = _narrow_direction(side, u, g, job, found, seen)
    u, g, found, seen = _narrow_outputs(side, u, g, job, found, seen)
    if not (_adds_up(side, u, job, found) and _is_regular(side, u, job, found)):
        side.irregular = True
        return None
    d, _ = job
    moved = np.flatnonzero(d)
    outputs = np.flatnonzero(u)
    unit = float(d[moved[0]]) if moved.size == 1 else 1.0
    if outputs.size == 1:
        unit *= float(u[outputs[0]])
    low, high, got = (float(v / unit) + 0.0 for v in seen)  # which makes 0 of −0
    power = float("nan")
    if outputs.size == 1 and moved.size == 1:
        j = outputs[0]
        power, _ = _remainder(side, d, int(j), got * d[moved[0]])
    output = int(outputs[0]) if outputs.size == 1 else None
    return Mismatch(moved, output, min(low, high), max(low, high), got, _method(found), power)


def _adds_up(side: Side, u: Array, job: Job, found: Slopes) -> bool:
    """Whether the slope along one number adds to those along the others, as where there is a derivative it must.

    The second largest of three equal numbers stands still when any one of them moves, and still each of them alone
    may have the whole gradient.
    """
    d, _ = job
    if np.count_nonzero(d) > 1 or d.size == 1:
        return True
    if (found.state[u != 0] == KINK).any():
        return _bends_one_way(side, u, d, found)
    i = int(np.flatnonzero(d)[0])
    own = np.array(_ends(u, found))
    rng = np.random.default_rng(i)
    for _ in range(8):
        others, hs = _random(side, rng, 1)[0]
        others[i] = 0.0
        apart, together = (along(side, (direction, hs)) for direction in (others, others + 2 * d))
        on = u != 0
        if (apart.state[on] == UNKNOWN).any() or (together.state[on] == UNKNOWN).any():
            continue
        a, b = np.array(_ends(u, apart)), np.array(_ends(u, together))
        slack = 1e-5 * (np.abs(a) + np.abs(b) + 2 * np.abs(own)) + 8 * float(
            np.abs(u[on]) @ (apart.error + together.error + 2 * found.error)[on]
        )
        if np.any(np.abs(a + 2 * own - b) > slack):
            return False
    return True


def _bends_one_way(side: Side, u: Array, d: Array, found: Slopes) -> bool:
    """Whether the function bends like a convex one along ``d``, or a concave one, whatever else moves.

    There the slopes from the two sides bound what a subgradient may be. The slopes of a convex function are
    subadditive, f'(d + e) ≤ f'(d) + f'(e); those of a concave one the reverse.
    """
    right, left = _ends(u, found)
    sign = 1.0 if right > left else -1.0
    ahead = {1: sign * right, -1: -sign * left}
    i = int(np.flatnonzero(d)[0])
    hs = steps(1.0, side.eps)[1]
    axes = [np.where(np.arange(d.size) == j, side.units, 0.0) for j in range(d.size) if j != i][: side.whole]
    rng = np.random.default_rng(i)
    mixed = [np.where(np.arange(d.size) == i, 0.0, _random(side, rng, 1)[0][0]) for _ in range(4)]
    for other in [*axes, *mixed]:
        ends, slack = {}, 0.0
        for turn in (0, 1, -1):
            both = along(side, (other + turn * d, hs))
            on = u != 0
            if (both.state[on] == UNKNOWN).any():
                return False
            r, l = _ends(u, both)
            ends[turn, 1], ends[-turn, -1] = sign * r, -sign * l
            slack += float(np.abs(u[on]) @ both.error[on])
        slack = 8 * slack + 1e-5 * sum(map(abs, (*ends.values(), *ahead.values())))
        if any(ends[turn, way] > ahead[turn] + ends[0, way] + slack for turn in (1, -1) for way in (1, -1)):
            return False
    return True


def _is_regular(side: Side, u: Array, job: Job, found: Slopes) -> bool:
    """Whether a subgradient must lie between the slopes along this direction, which moves several numbers.

    It must where the function bends like a convex one, or a concave one (F. Clarke, "Optimization and nonsmooth
    analysis", 1983, on regular functions). relu(x) − relu(y) does not: the gradient 0 is one of its subgradients
    at 0, and along x = −y it climbs by 1 on both sides.
    """
    d, _ = job
    moved = np.flatnonzero(d)
    if moved.size == 1:
        return True
    if moved.size > side.whole:
        return not (found.state[u != 0] == KINK).any()
    ahead, behind = [], []  # the slopes of the parts of d alone, the way of d and the other way
    for i in moved:
        part = np.where(np.arange(d.size) == i, side.units, 0.0)
        alone = along(side, (part, side.ladders[i]), thorough=True)
        if (alone.state[u != 0] == UNKNOWN).any():
            return False
        right, left = _ends(u, alone)
        scale = d[i] / side.units[i]
        ahead.append(scale * (right if scale > 0 else left))
        behind.append(-scale * (left if scale > 0 else right))
    a, b = np.array(ahead), np.array(behind)
    slack = 1e-5 * (np.abs(a).sum() + np.abs(b).sum())
    convex, concave = bool(np.all(a + b >= -slack)), bool(np.all(a + b <= slack))
    if not convex and not concave:
        return False
    right, left = _ends(u, found)
    sign = 1 if convex else -1
    a, b, right, left = sign * a, sign * b, sign * right, sign * left
    # A convex slope is subadditive: that of a sum is at most the sum of those of its parts.
    return bool(
        max(right - a.sum(), -left - b.sum(), *(a - (b.sum() - b) - right), *(b - (a.sum() - a) + left)) <= slack
    )


def _ends(u: Array, found: Slopes) -> tuple[float, float]:
    """The slopes of Σ u·F ahead and behind."""
    on = u != 0
    middle, half = (found.low[on] + found.high[on]) / 2, found.bend[on] / 2
    return float(u[on] @ (middle + half)), float(u[on] @ (middle - half))


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
    for i in np.flatnonzero(job[0])[: side.whole] if np.count_nonzero(job[0]) > 2 else ():
        fewer = (np.where(np.arange(side.x.size) == i, 0.0, job[0]), job[1])
        if np.count_nonzero(fewer[0]) > 1:
            excess, *rest = _excess(side, u, g, fewer)
            if excess > 0:
                job, (found, seen) = fewer, rest
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
            got = _along_moved(job[0], pulled)
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
        if state[k, j] == UNKNOWN and tried < 4 and not side.irregular:
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
    got = _along_moved(d, side.pull(u))
    power, missing = _remainder(side, d, j, got)
    if power > 1.9:
        outcome.used("Taylor remainder")
        return None
    if 0.95 < power < 1.05 and abs(missing) > 1e-3 * abs(got) + np.finfo(float).tiny * np.abs(d).sum():
        if abs(missing) <= _rounding_of_gradient(side, u, d):
            return None
        # Rounding can make steps of its own, within which the function is another one: 1 − cos x stands still there.
        largest = float(np.max(np.abs(side.x[d != 0]), initial=0.0))
        near = [2.0**-7 / float(np.max(np.abs(d)))] if largest > 1e3 else []  # floor(5e7) is straight from afar
        for h in (2.0**-5, 2.0**-9, *near):
            change = (side.F(side.x + h * d) - side.F(side.x - h * d))[j] / (2 * h)
            if not abs(change - got - missing) <= 0.5 * abs(got + missing):
                return True
        moved = np.flatnonzero(d)
        unit = float(d[moved[0]]) if moved.size == 1 else 1.0
        right = (got + missing) / unit
        outcome.mismatch = Mismatch(moved, j, right, right, got / unit, "the Taylor remainder", float(power))
    return True


def _remainder(side: Side, d: Array, j: int, slope: float) -> tuple[float, float]:
    """`taylor` of one output."""
    one = slice(j, j + 1)
    rounding = np.broadcast_to(side.rounding, side.value.shape)[one]
    value = side.value[one]
    power, missing = taylor(lambda x: side.F(x)[one], side.x, d, value, np.array([slope]), side.eps, rounding)
    return float(power[0]), float(missing[0])


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
