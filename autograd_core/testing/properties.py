"""What is true of every gradient, checked at one point: the table's ops and users' functions alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from ..domain import Domain
from ..transforms import vjp
from ..tree import leaves
from .arguments import is_floating, to_numpy
from .calls import Call, keeps_dtype
from .check import Check, GradientError, Report, one_form
from .given import WrongGradient
from .reproduce import name_of

Array = Any
Function = Callable[..., Any]


def check_properties(
    f: Function,
    *args: Any,
    argnums: int | Sequence[int] | None = None,
    domain: Domain | Sequence[Domain | None] | None = None,
    keeps_dtype: bool | None = None,
    order: int = 2,
    seed: int = 0,
    grad: Function | None = None,
    vjp: Function | None = None,
    jvp: Function | None = None,
    jac: Function | bool | None = None,
    expected: Function | None = None,
    of: str | None = None,
) -> Report:
    """Check at ``args`` all that holds for the gradient of any function.

    Besides the derivatives themselves (`check_gradients`): the pullback is linear
    and the transpose of the pushforward, ⟨Jv, w⟩ = ⟨v, Jᵀw⟩; a value used twice gets the gradients of two
    values; what broadcasting does is what tiling does; nothing that is passed in is changed; the layout of
    the arrays in memory makes no difference; several gradients at once are as one after the other; the same call
    gives the same bits, whichever dtype was first; and float32 stays float32 and agrees with float64. At numbers below
    1e-19 or above 4e15, where squares vanish or overflow and all numbers are whole, a derivative is looked at only if
    it is as at ordinary numbers in the same proportion, and nothing else but float32 is.
    What needs a graph of ours, or a forward mode, is checked of another library's function where there is one.

    Parameters
    ----------
    f : callable
        The function, of this library or of another one.
    *args : number, array, Tensor, or nested list, tuple or dict of them
        Where.
    argnums, domain, order, seed, grad, vjp, jvp, jac, expected, of
        As for `check_gradients`.
    keeps_dtype : bool, optional
        By default the numbers of a gradient that is given in NumPy decide: it may be of a wider dtype than its
        argument, as ``g * np.where(x > 0, 1, 0.1)`` is, but not of a narrower one. With True it must have that of its
        argument; with False no dtype is looked at, whoever differentiates.

    Returns
    -------
    Report
        That of `check_gradients`.

    Raises
    ------
    GradientError
        If something of this does not hold.
    TypeError, ValueError
        As for `check_gradients`.

    Examples
    --------
    >>> check_properties(lambda x, y: np.tanh(x) * y, np.ones((2, 1)), np.ones(3)).verdict
    'pass'
    >>> check_properties(np.sin, np.ones(3), grad=lambda g, x: g * np.cos(x)).verdict
    'pass'
    """
    __tracebackhide__ = True  # pytest shows the test and the message, and not what is between them
    form, by = one_form(grad=grad, vjp=vjp, jvp=jvp, jac=jac)
    check = Check(f, args, form, by, expected, of, argnums, domain, None, None, seed)
    check.keeps_dtype = keeps_dtype
    with np.errstate(all="ignore"), check.library.context():
        if _beyond(check.arguments.arrays, np.float64):
            return _run_beyond(check, seed)
        early = _early_single(check) if keeps_dtype is not False else None
        report = check.run(1 if by is not None else order, False)
        subject = _Subject(check, seed)
        try:
            for claim in CLAIMS if check.ours else OF_ANY:
                claim(subject)
            if keeps_dtype is not False:
                _float32(subject, early)
        except WrongGradient as error:
            raise subject.wrong(str(error)) from None
    return report


def check_call(call: Call, seed: int = 0) -> Report:
    """`check_properties` of a call of the table: what each entry is held to."""
    return check_properties(
        call, *call.args, argnums=call.argnums, domain=call.domain, keeps_dtype=keeps_dtype(call), seed=seed
    )


def _beyond(arrays: Sequence[Array], dtype: Any) -> bool:
    """Whether squares of the numbers vanish in single precision, or all numbers as large are whole in this dtype."""
    low, high = np.sqrt(float(np.finfo(np.float32).tiny)), 1 / float(np.finfo(dtype).eps)
    sizes = [np.abs(a[np.isfinite(a) & (a != 0)]) for a in map(np.asarray, arrays)]
    return any(bool(np.any((s > high) | (s < low))) for s in sizes)


def _run_beyond(check: Check, seed: int) -> Report:
    """The derivatives alone, where many a right function overflows: that of hypot is 0.7 there, and must be found."""
    __tracebackhide__ = True
    check.beyond = True
    try:
        report = check.run(1, False)
        if check.keeps_dtype is not False:
            subject = _Subject(check, seed)
            try:
                _float32(subject, None)
            except WrongGradient as error:
                raise subject.wrong(str(error)) from None
        return report
    except (ArithmeticError, ValueError, RuntimeError) as error:
        return Report("inconclusive", "nothing", 1, (f"it is not defined for numbers so large or small: {error}",))


Early = tuple[list[Array], list[Array]]  # the gradients that arrived, and what came of them


def _early_single(check: Check) -> Early | None:
    """A call in single precision before all others, which may find nothing yet that a call in double left behind."""
    try:
        values, pull = check.differentiate([a.astype(np.float32) for a in check.arguments.arrays])
        if check.earliest is not None:
            return check.earliest
        gs = [np.full(v.shape, 0.5, v.dtype) for v in values]
        return gs, [np.array(g) for g in pull(gs)]
    except Exception:  # whatever it raises it raises again when it is looked at
        return None
    finally:
        check.earliest, check.low = None, False


class _Subject:
    """A function at a point, and what the claims need of it."""

    def __init__(self, check: Check, seed: int) -> None:
        self.check = check
        self.f = check.function
        self.arguments = check.arguments
        self.arrays = [array.astype(np.float64) for array in self.arguments.arrays]
        if self.arguments.narrow:
            self.arrays = [np.array(array) for array in self.arguments.arrays]
        self.rng = np.random.default_rng(seed)
        self.kept = [array.copy() for array in self.arrays]
        self.values, self.pull = self.run(self.arrays)
        self.gs = self.like(self.values)
        self.gradients = self.pull(self.gs)

    @property
    def rounding(self) -> float:
        """What is lost where terms cancel that are as large as an argument or the result, each times a few thousand."""
        results = [v * g for v, g in zip(self.values, self.gs, strict=True)]
        sizes = (float(np.max(np.abs(a), initial=0.0, where=np.isfinite(a))) for a in (*self.arrays, *results))
        return 2.0**-40 * max(sizes, default=0.0)

    def flat(self, *values: Any) -> list[Any]:
        """The floating results as a function of the floating leaves."""
        return [leaf for leaf in leaves(self.f(*self.arguments.fill(values))) if is_floating(leaf)]

    def alone(self, arrays: Sequence[Array]) -> list[Array]:
        """The values without a gradient."""
        return [to_numpy(leaf) for leaf in self.flat(*self.check.library_arrays(list(arrays)))]

    def run(self, arrays: Sequence[Array]) -> tuple[list[Array], Callable[[list[Array]], list[Array]]]:
        """The values, and the pullback as a function of a list."""
        return self.check.differentiate(list(arrays))

    def like(self, arrays: Sequence[Array]) -> list[Array]:
        """Random numbers in the shapes of ``arrays``, none of them small."""
        signs = (self.rng.choice([-1.0, 1.0], np.shape(a)) for a in arrays)
        return [sign * self.rng.uniform(0.5, 1.5, np.shape(a)) for sign, a in zip(signs, arrays, strict=True)]

    def wrong(self, what: str) -> GradientError:
        """An error that says which claim fails, with the code that shows it."""
        check = self.check
        return check.error(
            f"the gradient of {name_of(check.f)} is wrong: {what}", Report("fail", what, 1), "check_properties"
        )

    def dual(self, left: float, tangents: Sequence[Array]) -> None:
        """Raise unless ⟨Jv, w⟩, which is ``left``, is ⟨v, Jᵀw⟩ for the tangents v and the gradients that arrive, w."""
        __tracebackhide__ = True
        products = [t * g for t, g in zip(tangents, self.gradients, strict=True)]
        right = sum(float(np.sum(p)) for p in products)
        scale = sum(float(np.sum(np.abs(p))) for p in products)
        size = sum(np.sum(np.abs(t)) for t in tangents) + sum(np.sum(np.abs(g)) for g in self.gs)
        rtol = 1e-4 if self.check.low else 1e-9
        if np.isfinite(scale) and not abs(left - right) <= rtol * scale + self.rounding * size:
            raise self.wrong(f"⟨Jv, w⟩ = {left:.15g} and ⟨v, Jᵀw⟩ = {right:.15g} should be equal")

    def same(
        self, got: Sequence[Array], expected: Sequence[Array], what: str, rtol: float = 1e-9, atol: float = 0.0
    ) -> None:
        """Raise unless two lists of arrays hold the same numbers, up to rounding."""
        __tracebackhide__ = True
        names = self.arguments.names if len(got) == len(self.arrays) else [f"result {i}" for i in range(len(got))]
        for name, a, b in zip(names, got, expected, strict=True):
            scale = float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b)))
            same = np.shape(a) == np.shape(b)
            if same:  # inf − inf is nan: where neither is a number there is nothing to compare
                either = np.isfinite(a) | np.isfinite(b)
                same = np.allclose(np.where(either, a, 0.0), np.where(either, b, 0.0), rtol, rtol * scale + atol)
            if not same:
                raise self.wrong(f"{what} ({name})\n    expected  {b!s}\n    got       {a!s}")


def _value_is_kept(s: _Subject) -> None:
    __tracebackhide__ = True
    plain = s.alone(s.arrays)
    if len(plain) == len(s.values):
        s.same(s.values, plain, "recording changes the value")


def _shapes_and_dtypes(s: _Subject) -> None:
    __tracebackhide__ = True
    for name, array, g in zip(s.arguments.names, s.arrays, s.gradients, strict=True):
        if np.shape(g) != array.shape or _of_another_dtype(s, g, s.values, array):
            kind = f"{g.dtype}{list(np.shape(g))}"
            raise s.wrong(f"{name} is {array.dtype}{list(array.shape)}, and its gradient is {kind}")


def _of_another_dtype(s: _Subject, g: Array, values: Sequence[Array], array: Array) -> bool:
    """Whether a gradient is of a dtype that it must not have, by its author's doing: other libraries cast it."""
    if s.check.ours:
        return bool(g.dtype != array.dtype)
    given = s.check.given
    theirs = given is not None and given.form in ("grad", "vjp") and s.check.library.name == "numpy"
    other = g.dtype != array.dtype if s.check.keeps_dtype else g.dtype.itemsize < array.dtype.itemsize
    return theirs and g.dtype.kind == "f" and other and all(v.dtype == array.dtype for v in values)


def _arguments_are_kept(s: _Subject) -> None:
    __tracebackhide__ = True
    native = s.check.library_arrays(s.arrays)
    s.flat(*native)
    now = [s.check.library.numpy(a) for a in native]
    for name, a, b in zip(s.arguments.names, now, s.kept, strict=True):
        if not np.array_equal(a, b, equal_nan=True):
            raise s.wrong(f"it changed its argument {name}")


def _pullback_keeps_what_it_is_given(s: _Subject) -> None:
    __tracebackhide__ = True
    # The gradient of a factor is the value itself: the second time it is what the first pullback left of it.
    m = len(s.arrays)
    ones = [np.ones_like(v) for v in s.values]
    _, scaled = vjp(lambda *xs: [v * c for v, c in zip(s.flat(*xs[:m]), xs[m:], strict=True)], *s.arrays, *ones)
    first, second = (scaled(s.gs)[m:] for _ in range(2))
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True)):
        raise s.wrong("the pullback changed the value")
    # A sum hands the gradient that it gets to each of its parts, so who writes on it changes what the others get.
    n = len(s.arrays)
    zeros = [np.zeros_like(v) for v in s.values]
    _, pull = vjp(lambda *xs: [v + z for v, z in zip(s.flat(*xs[:n]), xs[n:], strict=True)], *s.arrays, *zeros)
    if not all(np.array_equal(a, b) for a, b in zip(pull(s.gs)[n:], s.gs, strict=True)):
        raise s.wrong("a rule changed the gradient that it was given: g *= …, which others are given, too")


def _batched(s: _Subject) -> None:
    """Several gradients at once, where the library does that, against one after the other."""
    __tracebackhide__ = True
    library = s.check.library
    several = [s.gs, s.like(s.values), s.like(s.values)]
    stacked = [library.array(np.stack([np.asarray(g) for g in parts])) for parts in zip(*several, strict=True)]
    found = library.batched(s.check.flat, s.check.library_arrays(s.arrays), stacked)
    if found is None:
        return
    for n, gs in enumerate(several):
        one = [np.zeros(a.shape) if f is None else library.numpy(f)[n] for f, a in zip(found, s.arrays, strict=True)]
        s.same(one, s.pull(gs), "several gradients at once are not what they are one after the other")


def _mapped(s: _Subject) -> None:
    """Several points at once, where the library does that, against one after the other."""
    __tracebackhide__ = True
    library = s.check.library
    points = [s.arrays, [np.asarray(0.75 * a) for a in s.arrays]]
    several = [s.gs, s.like(s.values)]
    xs, gs = ([library.array(np.stack(parts)) for parts in zip(*rows, strict=True)] for rows in (points, several))
    found = library.mapped(s.check.flat, xs, gs)
    if found is None:
        return
    what = "several points at once are not what they are one after the other"
    for n, (point, given) in enumerate(zip(points, several, strict=True)):
        values, pull = s.run(point)
        rtol = 1e-4 if s.check.low else 1e-9
        s.same([library.numpy(v)[n] for v in found[0]], values, what, rtol, s.rounding)
        one = [np.zeros(a.shape) if g is None else library.numpy(g)[n] for g, a in zip(found[1], s.arrays, strict=True)]
        s.same(one, pull(given), what, rtol, s.rounding)


def _deterministic(s: _Subject) -> None:
    __tracebackhide__ = True
    pairs = [(s.pull(s.gs), s.gradients), (s.run(s.arrays)[1](s.gs), s.gradients)]
    if s.check.earliest is not None:  # the first call of all
        gs, found = s.check.earliest
        pairs.append((found, s.pull(gs)))
    if not all(_identical(*pair) for pair in pairs):
        raise s.wrong("the same call gave two different gradients")


def _identical(some: Sequence[Array], others: Sequence[Array]) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(some, others, strict=True))


def _calls_are_apart(s: _Subject) -> None:
    """No later call changes what an earlier one returned, or what it would return again."""
    __tracebackhide__ = True
    first = s.pull(s.gs)
    kept = [np.array(g) for g in first]
    s.pull(s.like(s.values))
    if not _identical(first, kept):
        raise s.wrong("a later call changes the gradient that an earlier one returned; return a new array")
    with suppress(ArithmeticError, ValueError):  # it may not be defined there, or have a result of another shape
        s.run([np.asarray(0.75 * a) for a in s.arrays])[1](s.gs)
    if not _identical(s.pull(s.gs), kept):
        raise s.wrong("after a call with other arguments it is another one: something is kept from call to call")


def _state_is_kept(s: _Subject) -> None:
    """What others rely on is as it was: the state of random numbers, how NumPy treats errors and prints."""
    __tracebackhide__ = True
    own = np.random.get_state(), random.getstate()  # noqa: NPY002
    np.random.random(), random.random()  # noqa: NPY002 - who seeds them anew has left them as seeded by an earlier call
    before = _state()
    s.run(s.arrays)[1](s.gs)
    after = _state()
    np.random.set_state(own[0])  # noqa: NPY002
    random.setstate(own[1])
    for (what, old), (_, new) in zip(before, after, strict=True):
        if old != new:
            raise s.wrong(f"it changes {what}, which others rely on; use a generator or a context of its own")


def _state() -> list[tuple[str, str]]:
    return [
        ("the state of np.random", repr([np.array(part).tobytes() for part in np.random.get_state()])),  # noqa: NPY002
        ("the state of random", repr(random.getstate())),
        ("np.seterr", repr(np.geterr())),
        ("np.set_printoptions", repr(np.get_printoptions())),
    ]


def _linear(s: _Subject) -> None:
    __tracebackhide__ = True
    what = "it is not linear in the gradient that arrives"
    rtol = 1e-4 if s.check.low else 1e-9
    for other in (s.like(s.values), [np.ones_like(g) for g in s.gs]):
        mixed = s.pull([2.0 * g - 0.5 * h for g, h in zip(s.gs, other, strict=True)])
        expected = [2.0 * g - 0.5 * h for g, h in zip(s.gradients, s.pull(other), strict=True)]
        s.same(mixed, expected, what, rtol, s.rounding)
    far = 2.0**8 if any(v.dtype == np.float16 for v in s.values) else 2.0**30  # a power of two rounds nothing
    for factor in (-1.0, far, 1 / far):
        scaled = s.pull([factor * g for g in s.gs])
        s.same([g / factor for g in scaled], s.gradients, f"{what}: {factor:g} times as much", rtol, s.rounding)
    s.same(s.pull([0.0 * g for g in s.gs]), [0.0 * g for g in s.gradients], "a zero gradient does not stay zero")


def _tangents(s: _Subject) -> None:
    """A forward mode that was given is linear in the tangents, of all arguments at once."""
    __tracebackhide__ = True
    given = s.check.given
    if given is None or given.form != "jvp":
        return
    tangents = s.like(s.arrays)
    pushed = given.push(s.arrays, tangents)
    left = sum(float(np.sum(p * g)) for p, g in zip(pushed, s.gs, strict=True))
    s.dual(left, tangents)


def _transpose(s: _Subject) -> None:
    __tracebackhide__ = True
    tangents = s.like(s.arrays)
    library = s.check.library
    found = library.jvp(s.check.flat, s.check.library_arrays(s.arrays), s.check.library_arrays(tangents))
    if found is None:
        return
    s.dual(sum(float(np.sum(library.numpy(p) * g)) for p, g in zip(found, s.gs, strict=True)), tangents)


def _used_twice(s: _Subject) -> None:
    """f(x) + 2·f(x) with one x, against the same with two: gradients of several uses are summed."""
    __tracebackhide__ = True
    n = len(s.arrays)

    def twice(*xs: Any) -> Any:
        first, second = s.flat(*xs[:n]), s.flat(*xs[-n:])
        return [np.sum(a * g + b * (2.0 * g)) for a, b, g in zip(first, second, s.gs, strict=True)]

    one_pull = vjp(twice, *s.arrays)[1]
    two_pull = vjp(twice, *s.arrays, *s.arrays)[1]
    ones = [1.0] * len(s.values)
    two = two_pull(ones)
    s.same(one_pull(ones), [a + b for a, b in zip(two[:n], two[n:], strict=True)], "a value used twice is not two")


def _shared(s: _Subject) -> None:
    """f(x, x) against f(x, y) at y = x, for arguments of one shape."""
    __tracebackhide__ = True
    first, n, check = s.arrays[0], len(s.arrays), s.check
    if n < 2 or any(a.shape != first.shape for a in s.arrays):
        return
    try:
        alike = _shapes(s.alone([first.copy() for _ in range(n)])) == _shapes(s.gs)
        apart = s.run([first.copy() for _ in range(n)])[1](s.gs) if alike else []
    except (ArithmeticError, ValueError):
        return  # it is not defined there
    if not apart or not all(np.isfinite(g).all() for g in apart):
        return
    what = "an argument that is passed twice is not two arguments"
    if check.given is not None:
        s.same(s.run([first] * n)[1](s.gs), apart, what)
        return
    _, pull = check.pullback(lambda xs: check.flat([xs[0]] * n), [first])
    s.same(
        [sum(pull(s.gs)[1:], pull(s.gs)[0])], [sum(apart[1:], apart[0])], what, 1e-4 if check.low else 1e-9, s.rounding
    )


def _one_at_a_time(s: _Subject) -> None:
    """Each argument's gradient where only that one is asked for, which a rule may be told and skip the others."""
    __tracebackhide__ = True
    check = s.check
    if check.given is not None or len(s.arrays) < 2 or not check.library.asks_for_each:
        return
    for n, array in enumerate(s.arrays):
        others = check.library_arrays(s.arrays)

        def alone(xs: list[Any], n: int = n, others: list[Any] = others) -> list[Any]:
            return check.flat([*others[:n], xs[0], *others[n + 1 :]])

        _, pull = check.pullback(alone, [array])
        what = f"with respect to {s.arguments.names[n]} alone it is another one"
        rtol = 1e-4 if check.low else 1e-9
        scale = [np.zeros_like(g) if i != n else pull(s.gs)[0] for i, g in enumerate(s.gradients)]
        s.same(scale, [np.zeros_like(g) if i != n else g for i, g in enumerate(s.gradients)], what, rtol, s.rounding)


def _shapes(arrays: Sequence[Array]) -> list[tuple[int, ...]]:
    return [np.shape(a) for a in arrays]


def _broadcasts_as_tiling(s: _Subject) -> None:
    __tracebackhide__ = True
    shapes = _shapes(s.arrays)
    if len(shapes) < 2 or len(set(shapes)) == 1:
        return
    try:
        common = np.broadcast_shapes(*shapes)
        tiled = [np.array(np.broadcast_to(a, common)) for a in s.arrays]
        values = s.alone(tiled)
    except (ValueError, IndexError):
        return  # it does not broadcast
    if _shapes(values) != _shapes(s.values):
        return  # and a gradient that takes no g would be asked for one
    values, pull = s.run(tiled)
    if not all(map(np.array_equal, values, s.values)):
        return  # it is another function of the tiled arguments, as a mean of one of them would be
    summed = [_sum_to(g, shape) for g, shape in zip(pull(s.gs), shapes, strict=True)]
    s.same(s.gradients, summed, "a broadcast argument does not get the sum of the gradients of its copies")


def _sum_to(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the copies, element by element: written apart from the walk's own, which is on trial."""
    total = np.zeros(shape)
    for index in np.ndindex(g.shape):
        own = index[g.ndim - len(shape) :]
        total[tuple(0 if n == 1 else i for i, n in zip(own, shape, strict=True))] += g[index]
    return total


def _memory_layout(s: _Subject) -> None:
    __tracebackhide__ = True
    for layout in (_read_only, _fortran, _reversed, _strided, _spread):
        values, pull = s.run([layout(a) for a in s.arrays])
        s.flat(*s.check.library_arrays([layout(a) for a in s.arrays]))  # it only must not fail
        name = layout.__name__.strip("_").replace("_", "-")
        what = f"arguments that are {name} give other numbers"
        s.same(values, s.values, what)
        s.same(pull([layout(g) for g in s.gs]), s.gradients, what)
        s.same(s.pull([layout(g) for g in s.gs]), s.gradients, f"a gradient that arrives {name} gives other numbers")
    ones = [np.ones_like(g) for g in s.gs]  # as sum's pullback makes them: one number, seen everywhere
    s.same(s.pull([_spread(g) for g in ones]), s.pull(ones), "a gradient that arrives spread gives other numbers")


def _views(s: _Subject) -> None:
    """Arguments that are views when they arrive: a leaf is copied first, and what a rule meets need not be."""
    __tracebackhide__ = True
    for view in (_transposed, _flipped):
        bases = [np.array(view(a)) for a in s.arrays]
        values, pull = s.check.library.vjp(lambda xs, view=view: s.check.flat([view(x) for x in xs]), bases)  # type: ignore[misc]
        what = f"arguments that are {view.__name__.strip('_')} views give other numbers"
        s.same(values, s.values, what)
        s.same([view(g) for g in pull(s.gs)], s.gradients, what)


def _transposed(a: Any) -> Any:
    return a.T if np.ndim(a) > 1 else a


def _flipped(a: Any) -> Any:
    return a[(slice(None, None, -1),) * np.ndim(a)] if np.ndim(a) else a


def _read_only(a: Array) -> Array:
    a = np.array(a)
    a.flags.writeable = False
    return a


def _fortran(a: Array) -> Array:
    return np.asfortranarray(a) if np.ndim(a) else a


def _reversed(a: Array) -> Array:
    backwards: Any = (*(slice(None, None, -1),) * np.ndim(a), ...)
    return np.array(np.flip(a))[backwards]


def _spread(a: Array) -> Array:
    """One number for all where all are equal, as `np.broadcast_to` makes them."""
    return np.broadcast_to(a.flat[0], a.shape) if np.size(a) > 1 and not np.ptp(a) else a


def _strided(a: Array) -> Array:
    wide = np.zeros(tuple(2 * n for n in np.shape(a)))
    every_other: Any = (*(slice(None, None, 2),) * np.ndim(a), ...)
    view = wide[every_other]
    view[...] = a
    return view


def _float32(s: _Subject, early: Early | None) -> None:
    """float32 in, float32 out, in both directions; and the numbers of float64 at the same point."""
    __tracebackhide__ = True
    _shapes_and_dtypes(s)
    narrow = [a.astype(np.float32) for a in s.arrays]
    if not all(np.allclose(a, b, 1e-6, 0.0, equal_nan=True) for a, b in zip(narrow, s.arrays, strict=True)):
        return  # it has no such numbers
    try:
        values, pull = s.run(narrow)
    except (TypeError, ValueError, RuntimeError):
        if s.check.ours:
            raise
        return  # a function that takes double precision alone
    if not s.check.ours and any(v.dtype != np.float32 for v in values):
        return  # it computes in double precision in any case
    for i, v in enumerate(values):
        if v.dtype != np.float32:
            raise s.wrong(f"float32 does not stay float32: result {i} is {v.dtype}")
    gs = [np.float32(g) if np.ndim(g) == 0 else g.astype(np.float32) for g in s.gs]
    got = pull(gs)
    for name, g in zip(s.arguments.names, got, strict=True):
        if _of_another_dtype(s, g, values, narrow[0]):
            raise s.wrong(
                f"float32 does not stay float32: the gradient of {name} is {g.dtype} where all that came was float32, "
                "as np.where(x > 0, 1.0, 0.0) is"
            )
    if early is not None and not _identical(pull(early[0]), early[1]):
        raise s.wrong("the first call in float32 and a later one gave two different gradients")
    wide_values, wide_pull = s.run([a.astype(np.float64) for a in narrow])
    rtol = 2e-4
    if all(_close(a, b, rtol) for a, b in zip(values, wide_values, strict=True)):
        # 1 − z² loses what z² is short of 1, so rounding of the value counts too.
        largest = max((np.max(np.abs(v), initial=0.0, where=np.isfinite(v)) for v in values), default=0.0)
        atol = 1e2 * float(np.finfo(np.float32).eps) * float(largest)
        expected = wide_pull([g.astype(np.float64) for g in gs])
        if _beyond(s.arrays, np.float32):  # where y² overflows so does the right x / y²
            counts = [(np.abs(e) > 1e-3) & (np.abs(e) < 1e3) for e in expected]
            got, expected = ([np.where(c, a, 0.0) for c, a in zip(counts, few, strict=True)] for few in (got, expected))
            atol = 1e-3
        s.same(got, expected, "float32 disagrees with float64", rtol, atol)


def _close(a: Array, b: Array, rtol: float) -> bool:
    scale = float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b)))
    return np.allclose(a, b, rtol=rtol, atol=rtol * scale, equal_nan=True)


# What holds for the gradient of any function, whoever differentiates it, ...
OF_ANY: tuple[Callable[[_Subject], None], ...] = (
    _arguments_are_kept,
    _value_is_kept,
    _deterministic,
    _calls_are_apart,
    _state_is_kept,
    _linear,
    _transpose,
    _tangents,
    _shared,
    _one_at_a_time,
    _broadcasts_as_tiling,
    _memory_layout,
    _batched,
    _mapped,
)

# ... and for one that is recorded here.
CLAIMS: tuple[Callable[[_Subject], None], ...] = (
    _arguments_are_kept,
    _pullback_keeps_what_it_is_given,
    _value_is_kept,
    _shapes_and_dtypes,
    _deterministic,
    _calls_are_apart,
    _linear,
    _transpose,
    _used_twice,
    _shared,
    _broadcasts_as_tiling,
    _memory_layout,
    _views,
)
