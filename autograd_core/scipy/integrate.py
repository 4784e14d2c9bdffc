"""Ordinary differential equations as in `scipy.integrate`, by recording the steps that were taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dispatch import plain
from ..mode import no_grad
from ..ops.shape import array
from ..optional import needed

DOP853: Any = needed("scipy.integrate", "autograd_core.scipy", "scipy").DOP853

# The method of order 8 by Dormand and Prince: when its twelve stages are, what each is made of, and how they add up.
WHEN = [float(c) for c in DOP853.C]
STAGES = [[(n, float(a)) for n, a in enumerate(row) if a] for row in DOP853.A]
SUM = [(n, float(b)) for n, b in enumerate(DOP853.B) if b]


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    args: tuple[Any, ...] = (),
    tfirst: bool = False,
    rtol: float = 1.49012e-8,
    atol: float = 1.49012e-8,
) -> Any:
    """The solution of ``dy/dt = func(y, t, *args)``, whose gradient is that of the very steps that were taken.

    SciPy chooses the steps, of the method DOP853, and each accepted one is computed in recorded operations, which have
    gradients of any order with respect to ``y0``, ``t``, ``args`` and whatever Tensors ``func`` reads. It takes memory
    for each step. Where the steps lie is taken as given, which is right to about ``rtol`` and ``atol``.

    Parameters
    ----------
    func : callable
        From y, time and ``args`` to dy/dt, of the shape of y.
    y0 : array_like
        Where it begins, of any shape.
    t : array_like
        ``(n,)``: the times at which y is wanted, rising or falling, the first is that of ``y0``.
    args : tuple
        What ``func`` gets besides: Tensors, arrays and nested lists, tuples and dicts of them.
    tfirst : bool
        Whether ``func`` takes the time before y.
    rtol, atol : float
        The error that a step may make, as SciPy has it: ``atol + rtol * |y|``.

    Returns
    -------
    array
        ``(n, …)``: y at each time.

    Raises
    ------
    ArithmeticError
        Where no step is small enough for these errors, and where y or its slope is not finite at a time of ``t``.
    ValueError
        For times that are not finite.
    TypeError
        For complex numbers.

    Examples
    --------
    >>> from autograd_core import grad
    >>> end = lambda rate: odeint(lambda y, t: -rate * y, 1.0, [0.0, 2.0])[-1]  # exp(-2 rate)
    >>> print(end(0.5).round(6), grad(end)(0.5).round(6))
    0.367879 -0.735759
    """

    def slope(time: Any, y: Any, given: Any) -> Any:
        return array(func(time, y, *given) if tfirst else func(y, time, *given))

    y0, t, fixed = array(y0), array(t), plain(args)

    def of_numbers(time: Any, flat: Any) -> Any:
        with no_grad():
            found = np.ravel(plain(slope(time, flat.reshape(np.shape(y0)).astype(y0.dtype), fixed)))
        _real("func", found)
        return found

    for name, given in (("y0", y0), ("t", t)):
        _real(name, plain(given))
    if not np.all(np.isfinite(plain(t))):
        raise ValueError(f"odeint: expected finite times, got {plain(t)}")
    times, rows = np.asarray(plain(t), float), [y0 if y0.dtype.kind == "f" else y0.astype(float)]
    for n in range(len(times) - 1):
        begin, end, y = float(times[n]), float(times[n + 1]), rows[-1]
        if not np.all(np.isfinite(plain(y))):
            raise ArithmeticError(f"odeint: expected a finite y to go on from at {begin:.9g}, got {plain(y)}")
        solver = DOP853(of_numbers, begin, np.ravel(plain(y)), end, rtol=rtol, atol=atol)
        if np.isnan(solver.h_abs):  # a step of no length, which would be shortened without an end
            raise ArithmeticError(
                f"odeint: expected a finite slope, rtol and atol at {begin:.9g}, got slope {solver.f}, rtol {rtol} and "
                f"atol {atol}"
            )
        start, span = (t[n], t[n + 1] - t[n]) if plain(t) is not t else (y.dtype.type(begin), y.dtype.type(end - begin))
        while solver.status == "running":
            message = solver.step()
            if solver.status == "failed":
                raise ArithmeticError(f"odeint: no step from {float(solver.t):.9g} on is good enough: {message}")
            if solver.t != solver.t_old:
                share, of = (solver.t_old - begin) / (end - begin), (solver.t - solver.t_old) / (end - begin)
                y = _step(slope, start + float(share) * span, float(of) * span, y, args)
        rows.append(y)
    return np.stack(rows)


def _real(name: str, given: Any) -> None:
    if np.iscomplexobj(given):
        raise TypeError(
            f"odeint: expected real numbers of {name}, got {given.dtype}; integrate the real and the imaginary part as "
            "two components of y"
        )


def _step(slope: Callable[..., Any], time: Any, length: Any, y: Any, args: Sequence[Any]) -> Any:
    """One step of DOP853 in recorded operations."""
    slopes: list[Any] = []
    for when, stage in zip(WHEN, STAGES, strict=True):
        at = y + length * sum(a * slopes[n] for n, a in stage) if stage else y
        slopes.append(slope(time + when * length, at, args))
    return y + length * sum(b * slopes[n] for n, b in SUM)
