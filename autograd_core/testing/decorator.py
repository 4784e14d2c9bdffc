"""`gradient_property`: a function becomes the test that its gradient is right."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import Phase, example, given, note, settings
from hypothesis import strategies as st

from ..domain import REAL, Domain
from .calls import GRID, is_shape, place
from .check import GradientError, Report
from .corners import LAYS, Corner, at, corners, lay
from .properties import check_properties
from .reproduce import name_of
from .strategies import broadcastable_shapes, distinct_integers

Array = Any

# The share of the examples that hypothesis draws, whatever corners there are.
_DRAWN = 1 / 8


def gradient_property(
    function: Callable[..., Any] | None = None,
    *,
    domain: Domain | Sequence[Domain] = REAL,
    shapes: Sequence[tuple[int, ...]] | st.SearchStrategy[Any] | None = None,
    max_examples: int = 100,
    grad: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None,
    jac: Callable[..., Any] | bool | None = None,
    expected: Callable[..., Any] | None = None,
    of: str | None = None,
    keeps_dtype: bool | None = None,
) -> Any:
    """Turn ``def f(x, y): …`` into a property test of its gradient; collect it under a name that starts with test.

    Everything that `check_properties` lists is checked at ``max_examples`` points. First come those where gradients
    go wrong and chance seldom leads, the same in each run: shapes that broadcast in each way, whole numbers and
    zeros, ties within an argument and between arguments, large and small numbers; hypothesis draws the rest, an
    eighth at least. A failure is shrunk to the smallest.

    Parameters
    ----------
    function : callable
        The function, of this library or of another one. Without it a decorator is returned.
    domain : Domain or sequence of Domain
        Where the arguments lie: one for all, or one for each.
    shapes : sequence of tuple of int, or strategy of such, optional
        The shape of each argument. By default any that broadcast together, without axes, of size 0 and of more than
        1,000 elements included, as fits a function that works element by element.
    max_examples : int
        At how many points the properties are checked, from 1 on.
    grad, vjp, jvp, jac, expected, of
        As for `check_gradients`.
    keeps_dtype : bool, optional
        As for `check_properties`.

    Returns
    -------
    callable
        The test, which takes no arguments and raises a GradientError with the smallest arguments that show it.

    Raises
    ------
    TypeError
        Unless there is a domain and a shape for each argument.

    Examples
    --------
    >>> from autograd_core.domain import POSITIVE
    >>> @gradient_property(domain=POSITIVE, max_examples=10)
    ... def test_entropy(p, q):
    ...     return -p * np.log(q)
    >>> test_entropy()
    >>> gradient_property(np.sin, grad=lambda g, x: g * np.cos(x), max_examples=10)()
    """
    given_by: dict[str, Any] = {
        "grad": grad, "vjp": vjp, "jvp": jvp, "jac": jac, "expected": expected, "of": of, "keeps_dtype": keeps_dtype,
    }  # fmt: skip
    if function is None:
        return lambda f: gradient_property(f, domain=domain, shapes=shapes, max_examples=max_examples, **given_by)
    f = function
    names = parameters_of(f)
    domains = [domain] * len(names) if isinstance(domain, Domain) else list(domain)
    if not names or len(domains) != len(names):
        raise TypeError(
            f"domain: expected one for all or one for each of {len(names)} arguments of {name_of(f)}, "
            f"got {len(domains)}"
        )
    fixed: Any = None
    if shapes is None:
        drawn: Any = broadcastable_shapes(len(names))
    elif isinstance(shapes, st.SearchStrategy):
        drawn = shapes
    else:
        if len(shapes) != len(names) or not all(map(is_shape, shapes)):
            raise TypeError(f"shapes: expected a tuple of lengths for each of {', '.join(names)}, got {shapes!r}")
        fixed = tuple(shapes)
        drawn = st.just(fixed)
    rare = [] if shapes is drawn else corners(len(names), fixed)
    rare = rare[: max_examples - math.ceil(_DRAWN * max_examples)]

    @st.composite
    def arguments(draw: Any) -> tuple[Any, ...]:
        chosen = draw(drawn)
        kind = draw(st.sampled_from(LAYS if len(names) > 1 else [k for k in LAYS if k != "alike"]))
        if kind == "alike" and shapes is None:
            chosen = (chosen[0],) * len(names)
        left = iter(draw(distinct_integers(sum(int(np.prod(s)) for s in chosen))))
        apart = [
            np.array([place(next(left), d) for _ in range(int(np.prod(s)))], np.float64).reshape(s)
            for s, d in zip(chosen, domains, strict=True)
        ]
        return tuple(lay(kind, apart, domains))

    def check(values: tuple[Any, ...]) -> Report:
        __tracebackhide__ = True
        return check_properties(f, *values, domain=domains, **given_by)

    # Which lines of the oracles only failing examples reach (the phase "explain") tells a user nothing.
    phases = [phase for phase in Phase if phase is not Phase.explain]

    @settings(max_examples=max_examples - len(rare), deadline=None, report_multiple_bugs=False, phases=phases)
    @given(arguments())
    def test(values: Any) -> None:
        __tracebackhide__ = True
        corner = isinstance(values, _AtCorner)
        values = tuple(at(values.corner, domains)) if corner else values
        try:
            report = check(values)
        except GradientError as error:
            if corner and shapes is None:
                check(_smallest(values, error.index, domains, check))
            raise
        for reason in report.reasons:
            note(f"undecided: {reason}")

    for one in reversed(rare):  # the last that is said is run first
        test = example(_AtCorner(one))(test)
    name = name_of(f).strip("<>")  # older hypothesis looks for the text of what is called <lambda>
    test.__name__, test.__qualname__, test.__doc__ = name, getattr(f, "__qualname__", name), f.__doc__
    test.__module__ = getattr(f, "__module__", None) or __name__
    return test


@dataclass(frozen=True)
class _AtCorner:
    """The arguments of a corner, made when they are needed."""

    corner: Corner


def _smallest(
    values: tuple[Array, ...], index: tuple[int, ...], domains: Sequence[Domain], check: Callable[..., Any]
) -> tuple[Array, ...]:
    """The numbers at one index alone, as near to the simplest of their domains as they still fail."""

    def fails(numbers: list[float]) -> bool:
        try:
            check(tuple(map(np.array, numbers)))
        except GradientError:
            return True
        return False

    if len({v.shape for v in values}) > 1 or len(index) != values[0].ndim:
        return values
    numbers = [float(v[index]) for v in values]
    if not fails(numbers):
        return values
    for n, domain in enumerate(domains):
        far, near = numbers[n], place(0, domain)
        if fails([*numbers[:n], near, *numbers[n + 1 :]]):
            far = near
        while (middle := round((far + near) / 2 / GRID) * GRID) not in (far, near):
            if fails([*numbers[:n], middle, *numbers[n + 1 :]]):
                far = middle
            else:
                near = middle
        numbers[n] = far
    return tuple(map(np.array, numbers))


def parameters_of(f: Callable[..., Any]) -> list[str]:
    """The names of a function's arguments; TypeError where it does not say how many there are."""
    if isinstance(f, np.ufunc):
        return [f"x{i + 1}" for i in range(f.nin)] if f.nin > 1 else ["x"]
    owner = getattr(f, "__self__", None)
    target = owner.forward if isinstance(owner, type) and hasattr(owner, "forward") else f
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    names = [p.name for p in required or positional]  # an axis=0 is no array
    names = names[1:] if target is not f else names  # without the context of an autograd.Function
    if not names:
        raise TypeError(
            f"function: expected one whose signature names its arguments, got {name_of(f)}; write "
            f"lambda x: {name_of(f)}(x)"
        )
    return names
