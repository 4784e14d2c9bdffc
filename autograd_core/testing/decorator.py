"""`gradient_property`: a function becomes the test that its gradient is right."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from ..domain import REAL, Domain
from .calls import is_shape, place
from .properties import check_properties
from .strategies import broadcastable_shapes, distinct_integers


def gradient_property(
    function: Callable[..., Any] | None = None,
    *,
    domain: Domain | Sequence[Domain] = REAL,
    shapes: Sequence[tuple[int, ...]] | st.SearchStrategy[Any] | None = None,
    max_examples: int = 50,
) -> Any:
    """Turn ``def f(x, y): …`` into a property test of its gradient; collect it under a name that starts with test.

    ``domain`` says where the arguments lie (one `Domain`, or one for each). ``shapes`` are those of the
    arguments: one for each, or a strategy of such tuples; by default any that broadcast together, without
    axes and of size 0 included, as fits a function that works element by element. Everything that
    `check_properties` lists is checked at ``max_examples`` points, and a failure is shrunk to the smallest. A gradient
    that is wrong is a GradientError with the smallest arguments; TypeError unless there is a domain and a shape for
    each argument.

    >>> from autograd_core.domain import POSITIVE
    >>> @gradient_property(domain=POSITIVE, max_examples=10)
    ... def test_entropy(p, q):
    ...     return -p * np.log(q)
    >>> test_entropy()
    """
    if function is None:
        return lambda f: gradient_property(f, domain=domain, shapes=shapes, max_examples=max_examples)
    f = function
    names = list(inspect.signature(f).parameters)
    domains = [domain] * len(names) if isinstance(domain, Domain) else list(domain)
    if not names or len(domains) != len(names):
        raise TypeError(
            f"gradient_property needs a function of arrays and a domain for each; {f.__name__} has "
            f"{len(names)} arguments, and {len(domains)} domains were given"
        )
    if shapes is None:
        drawn: Any = broadcastable_shapes(len(names))
        if len(names) == 1:
            drawn = st.one_of(st.sampled_from([((),), ((0,),), ((1,),)]), drawn)
    elif isinstance(shapes, st.SearchStrategy):
        drawn = shapes
    else:
        if len(shapes) != len(names) or not all(map(is_shape, shapes)):
            raise TypeError(f"shapes must be one tuple for each of {', '.join(names)}; it is {shapes!r}")
        drawn = st.just(tuple(shapes))

    @st.composite
    def arguments(draw: Any) -> tuple[Any, ...]:
        chosen = draw(drawn)
        left = iter(draw(distinct_integers(sum(int(np.prod(s)) for s in chosen))))
        return tuple(
            np.array([place(next(left), d) for _ in range(int(np.prod(s)))], np.float64).reshape(s)
            for s, d in zip(chosen, domains, strict=True)
        )

    # Which lines of the oracles only failing examples reach (the phase "explain") tells a user nothing.
    phases = [phase for phase in Phase if phase is not Phase.explain]

    @settings(max_examples=max_examples, deadline=None, report_multiple_bugs=False, phases=phases)
    @given(arguments())
    def test(values: tuple[Any, ...]) -> None:
        __tracebackhide__ = True
        report = check_properties(f, *values, domain=domains)
        for reason in report.reasons:
            note(f"undecided: {reason}")

    test.__name__, test.__qualname__, test.__doc__ = f.__name__, f.__qualname__, f.__doc__
    test.__module__ = f.__module__
    return test
