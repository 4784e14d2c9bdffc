"""`check_gradients`: is this the derivative of that? Pass, fail or inconclusive, and by which method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..domain import Domain
from ..tensor import Tensor
from ..tree import leaves, rebuild
from .arguments import Arguments, flatten, is_complex, is_floating, split
from .given import CHANGED_G, FORMS, Given, WrongGradient, WrongShape
from .libraries import find
from .libraries.library import Flat
from .oracle import KINK
from .parts import in_parts, result_in_parts
from .reproduce import call_code, literal, name_of
from .trial import Mismatch, Side, Undecided, clearance, judge, ladders, scales
from .verdicts import Verdict, told, verdicts

Array = Any
Function = Callable[..., Any]

# Up to this many numbers every derivative is checked on its own; above, several random directions.
WHOLE = 24
WHOLE_SECOND = 8
DIRECTIONS = 4
DIRECTIONS_SECOND = 3


@dataclass(frozen=True)
class Report:
    """What a check found.

    Parameters
    ----------
    verdict : str
        "pass", "fail" or "inconclusive".
    method : str
        The oracles that said so.
    order : int
        The highest derivative that was looked at: 1 or 2.
    reasons : tuple of str
        What was left undecided, and why.
    evaluations : int
        How often the function was run.
    lines : tuple of Line
        What `check_script` compared, in order; of other checks empty.

    Examples
    --------
    >>> from autograd_core.testing import check_gradients
    >>> report = check_gradients(np.abs, 0.0)
    >>> report.verdict, report.order
    ('inconclusive', 2)
    """

    verdict: str
    method: str
    order: int
    reasons: tuple[str, ...] = ()
    evaluations: int = 0
    lines: tuple[Any, ...] = ()

    def __str__(self) -> str:
        orders = "first" if self.order == 1 else "first and second"
        text = f"{self.verdict}: {orders} derivatives by {self.method} ({self.evaluations} evaluations)"
        return "\n".join([text, *(f"    {reason}" for reason in self.reasons)])


class GradientError(AssertionError):
    """A gradient is wrong. The message names it and holds code that shows it again.

    ``argument`` and ``index`` say where, ``expected`` and ``got`` what (numbers, or the two ends of the
    subdifferential), ``relative_error`` how far off, ``report`` how it was found, ``function`` and
    ``arguments`` what was called, ``given`` whether the gradient was handed over, ``verdicts`` what is known of each
    argument's gradient, and ``lines`` those of `check_script`.

    >>> from autograd_core.testing import check_gradients
    >>> check_gradients(np.sin, 0.5, grad=np.sin)
    Traceback (most recent call last):
    autograd_core.testing.check.GradientError: the gradient of sin is wrong: dx, with respect to x
    """

    report: Report
    argument: str = ""
    index: tuple[int, ...] = ()
    expected: Any = None
    got: Any = None
    relative_error: float = float("nan")
    gradient: str = ""
    arguments: tuple[Any, ...] = ()
    function: Function | None = None
    given: bool = False
    verdicts: tuple[Verdict, ...] = ()
    lines: tuple[Any, ...] = ()

    @property
    def method(self) -> str:
        """The oracle that the gradient contradicts."""
        return self.report.method


def check_gradients(
    f: Function,
    *args: Any,
    order: int = 2,
    grad: Function | None = None,
    vjp: Function | None = None,
    jvp: Function | None = None,
    jac: Function | bool | None = None,
    expected: Function | None = None,
    of: str | None = None,
    argnums: int | Sequence[int] | None = None,
    domain: Domain | Sequence[Domain | None] | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    strict: bool = False,
    seed: int = 0,
) -> Report:
    """Check the derivatives of ``f`` at ``args`` against its values.

    The oracles: the complex step where the function is analytic, Richardson-extrapolated central differences,
    slopes from both sides at a kink (where a gradient must lie in the subdifferential), and the power with
    which the Taylor remainder vanishes. The second order compares with differences of the gradient. Up to 24
    varied numbers the whole Jacobian is compared, above that products with several random directions.
    Functions of float32 are judged in float64, and their float32 gradient against that. Complex numbers are checked as
    pairs of real ones: both parts are varied, and both parts of the result looked at.

    The verdict is "inconclusive" where a kink, a tie, a jump, the edge of the domain, a value that is not
    finite or rounding keeps the oracles from knowing.

    Parameters
    ----------
    f : callable
        The function, of this library or of another one. It may return any number of numbers, of any shapes.
    *args : number, array, Tensor, or nested list, tuple or dict of them
        Where. All that hold floating numbers are varied unless ``argnums`` picks some.
    order : int
        The highest derivative to check, 1 or 2. A gradient that is given is checked to the first.
    grad : callable, optional
        The gradient, where it is not ours: ``grad(*args)`` for an ``f`` that returns one number, ``grad(g, *args)`` for
        any other, where ``g`` is the gradient with respect to the result. Where a signature allows both, its names
        tell: written ``grad(g, *args)`` it takes g, written ``grad(x, *rest)`` with the name of f's own first
        argument it does not. It returns one gradient for each varied argument, in the argument's own structure; a
        dict may be keyed by their names, with or without a ``d`` in front.
    vjp : callable, optional
        The same as ``vjp(*args) -> (value, pullback)``.
    jvp : callable, optional
        The gradient forwards: ``jvp(args, tangents)`` returns the change of the result, or ``(value, change)``.
    jac : callable or bool, optional
        The whole Jacobian, ``jac(*args)``; True says that ``f`` returns ``(value, gradient)``, as for SciPy.
    expected : callable, optional
        The function whose derivatives are meant, where ``f`` only looks like it: of rounding, ``lambda x: x``.
    of : str, optional
        The name of the library whose arrays ``f`` takes, such as "torch"; by default it is found out.
    argnums : int or sequence of int, optional
        The positions of the arguments that are varied.
    domain : Domain or sequence of Domain, optional
        Where edges and kinks are, for all arguments or for each, so that steps keep clear of them.
    rtol, atol : float, optional
        Tolerances from 0 on, in place of 1e-7 (relative; 1e-5 in the second order) and rounding.
    strict : bool
        Whether an inconclusive verdict is an error, too.
    seed : int
        What the random directions come from.

    Returns
    -------
    Report
        With the verdict "pass" or "inconclusive".

    Raises
    ------
    GradientError
        If a derivative is wrong; with ``strict`` also if it could not be checked.
    TypeError
        If nothing is there to differentiate, or a gradient is given in several forms.
    ValueError
        If ``order`` or a tolerance is out of range, or no such library is known.

    Examples
    --------
    >>> report = check_gradients(np.tanh, 0.5)
    >>> report.verdict, report.method
    ('pass', 'complex step, whole Jacobian, Richardson-extrapolated central differences')
    >>> check_gradients(abs, 0.0).verdict
    'inconclusive'
    >>> def loss(w, b):
    ...     return np.sum((w + b) ** 2)
    >>> def backward(w, b):
    ...     return {"dw": 2 * (w + b), "db": 2 * w}
    >>> check_gradients(loss, 3.0, 1.0, grad=backward)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    autograd_core.testing.check.GradientError: the gradient of loss is wrong: db, with respect to b
        expected  8
        got       6
        by        complex step
        relative error 0.25
        the Taylor remainder falls as h^1.00, and should as h^2
    ...
    """
    __tracebackhide__ = True  # pytest shows the test and the message, and not what is between them
    if order not in (1, 2):
        raise ValueError(f"order: expected 1 or 2, got {order!r}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance is not None and not tolerance >= 0:
            raise ValueError(f"{name}: expected a number from 0 on, got {tolerance!r}")
    form, by = one_form(grad=grad, vjp=vjp, jvp=jvp, jac=jac)
    check = Check(f, args, form, by, expected, of, argnums, domain, rtol, atol, seed)
    with np.errstate(all="ignore"), check.library.context():
        return check.run(1 if by is not None else order, strict)


def one_form(**forms: Any) -> tuple[str, Any]:
    """The name and the function of the one form in which a gradient was given; TypeError for several."""
    given = [(name, by) for name, by in forms.items() if by is not None and by is not False]
    if len(given) > 1:
        names = " and ".join(f"{name}=" for name, _ in given)
        raise TypeError(f"the gradient: expected in one form, got {names}; pass one of them")
    for name, by in given:
        if not callable(by) and not (name == "jac" and by is True):
            raise TypeError(f"{name}: expected a function {FORMS[name]}, got {type(by).__name__}")
    return given[0] if given else ("", None)


@dataclass
class Check:
    """One check of one function at one point."""

    f: Function
    args: tuple[Any, ...]
    form: str
    by: Any
    expected: Function | None
    of: str | None
    argnums: int | Sequence[int] | None
    domain: Domain | Sequence[Domain | None] | None
    rtol: float | None
    atol: float | None
    seed: int
    evaluations: int = 0
    reasons: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    on_tensors: bool = False
    apart: bool = False  # whether complex numbers are checked as pairs of real ones
    low: bool = False  # whether a gradient came in single precision
    earliest: tuple[list[Array], list[Array]] | None = None  # what the first call of all was given and gave
    beyond: bool = False  # whether only a derivative counts that is the same at numbers of ordinary size
    keeps_dtype: bool | None = None  # as `check_properties` is told
    rerun: Callable[[str], str] | None = None  # the code that runs it again, where it is not check_gradients' own

    def __post_init__(self) -> None:
        self.handed = {self.form: self.by} if self.by is not None else {}
        self.library = find(self.of, self.f, leaves(self.args), self.by is not None)
        self.function, args = self.library.prepare(self.f, self.args)
        if self.of is not None:
            args = [self._moved(a) for a in args]
        if self.by is None and self.library.name == "autograd_core" and any(map(is_complex, leaves(args))):
            chosen = range(len(args)) if self.argnums is None else np.atleast_1d(self.argnums) % len(args)
            self.function, args = in_parts(self.function, args, list(chosen))
            self.apart = True
        self.arguments = Arguments(self.function, args, self.argnums, self.library)
        if self.by is True:  # as SciPy's minimize: the function returns the gradient, too
            both = self.function
            self.form, self.by = "grad", lambda *args: both(*args)[1]
            self.function = lambda *args: both(*args)[0]
        self.given = Given(self.form, self.by, self.function, self.arguments) if self.by is not None else None
        self.gradient_names = [f"d{name}" if name.isidentifier() else name for name in self.arguments.names]

    @property
    def ours(self) -> bool:
        """Whether it is a function of this library's, whose second order and dtypes are looked at as well."""
        return self.given is None and self.library.name == "autograd_core"

    def _moved(self, arg: Any) -> Any:
        """An argument in NumPy's arrays as one of the library that ``of=`` names."""
        return rebuild(
            arg, (self.library.array(v) if isinstance(v, np.ndarray | np.floating | float) else v for v in leaves(arg))
        )

    def run(self, order: int, strict: bool) -> Report:
        __tracebackhide__ = True
        self.rng = np.random.default_rng(self.seed)
        x = self.arguments.vector()
        value = self._first_values(x.copy())  # a function may write on what it is given
        if self.ours and value.dtype.kind == "c":
            self.function, self.apart = result_in_parts(self.function), True
            value = self._first_values(x.copy())
        if not np.array_equal(value, self._values(x.copy()), equal_nan=True):
            self.reasons.append("the function gave two different values for the same arguments: seed what is random")
            return self._report("inconclusive", order, strict)
        self.eps = self.precision = _eps(self.single)
        units, hs = ladders(x, self.eps, self._clearance())

        def side() -> Side:
            return Side(
                self._stepped, self._pullback, x, value, units, hs, self.eps, self.precision, self._plain,
                WHOLE, DIRECTIONS, self.rtol, self.atol,
            )  # fmt: skip

        try:
            first = side()
            self._judge(first, 1)
            if order == 2:
                second = self._second(first)
                if second is None:
                    order = 1
                else:
                    self._judge(second, 2)
        except WrongGradient as error:
            found = self._despite_its_shape(side) if isinstance(error, WrongShape) else []
            more = told(found) if len(found) > 1 else []  # what is wrong with the only one is said already
            text = "\n".join([f"the gradient of {self._name()} is wrong: {error}", *more])
            raise self.error(text, verdicts=tuple(found)) from None
        if self.ours:
            self._judge_single(x, value, first.pull)
        return self._report("inconclusive" if self.reasons else "pass", order, strict)

    def _despite_its_shape(self, side: Callable[[], Side]) -> list[Verdict]:
        """What can be said of each gradient where one has a wrong shape."""
        assert self.given is not None
        self.given.forgives_shapes = True
        try:
            found = self._verdicts(side())
        except (WrongGradient, ArithmeticError, ValueError):  # there is more that is wrong
            return []
        misshapen = self.given.misshapen
        return [Verdict(v.gradient, False, misshapen[i]) if i in misshapen else v for i, v in enumerate(found)]

    def _verdicts(self, side: Side) -> list[Verdict]:
        shapes = [array.shape for array in self.arguments.arrays]
        return verdicts(side, self.gradient_names, shapes, np.random.default_rng(self.seed))

    def _report(self, verdict: str, order: int, strict: bool) -> Report:
        __tracebackhide__ = True
        report = Report(verdict, ", ".join(self.methods) or "nothing", order, tuple(self.reasons), self.evaluations)
        if strict and verdict == "inconclusive":
            raise self.error(
                f"the gradient of {self._name()} could not be checked, and strict=True:\n    "
                + "\n    ".join(self.reasons),
                report,
            )
        return report

    def _name(self) -> str:
        return name_of(self.f)

    # -- the function, and the gradient on trial ---------------------------------------------------------

    @property
    def _plain(self) -> bool:
        """Whether the function takes NumPy's arrays, complex ones perhaps in place of real ones."""
        return self.library.name in ("numpy", "autograd_core") and not self.apart

    def _values(self, vector: Array) -> Array:
        """The floating results of the function as one vector; of the one that is ``expected``, where there is one."""
        self.evaluations += 1
        result = self._call(self.expected or self.function, self.arguments.split(vector))
        parts = (
            [result] if isinstance(result, np.ndarray | np.generic) else list(map(self.library.numpy, leaves(result)))
        )
        parts = [p for p in parts if p.dtype.kind in "fc"]
        if not parts:
            raise TypeError(
                f"the result of {self._name()}: expected floating numbers, which have a gradient, got {result!r}; "
                "return what is to be differentiated"
            )
        self.shapes = [p.shape for p in parts]
        self.single = any(p.dtype.itemsize * (1 + (p.dtype.kind == "f")) < 16 for p in parts)
        whole = np.concatenate([p.reshape(-1) for p in parts]) if len(parts) > 1 else parts[0].reshape(-1)
        return whole.astype(np.float64 if whole.dtype.kind == "f" else np.complex128)

    def _first_values(self, vector: Array) -> Array:
        """The same, finding out whether the function takes double precision: a float32 layer of PyTorch does not."""
        if self.ours or all(array.dtype == np.float64 for array in self.arguments.arrays):
            return self._values(vector)
        try:
            return self._values(vector)
        except Exception:
            self.arguments.narrow = True
            return self._values(vector)

    def _stepped(self, vector: Array) -> Array:
        """The same beside the point itself, where a function may refuse: then it is the edge of its domain."""
        try:
            return self._values(vector)
        except (ArithmeticError, ValueError):  # a singular matrix is a ValueError, too
            return np.full(sum(int(np.prod(shape)) for shape in self.shapes), np.nan)

    def _call(self, f: Function, values: list[Array]) -> Any:
        if self.on_tensors:
            return f(*self.arguments.fill([Tensor(v, requires_grad=False) for v in values]))
        if not self.ours:
            return f(*self.arguments.native(values))
        try:
            return f(*self.arguments.fill(values))
        except (TypeError, AttributeError):
            if values[0].dtype.kind == "c":
                raise
            # A function that was written for Tensors only.
            result = f(*self.arguments.fill([Tensor(v, requires_grad=False) for v in values]))
            self.on_tensors = True
            return result

    def flat(self, xs: list[Any]) -> list[Any]:
        """The function as a library differentiates it: floating leaves in, floating leaves out."""
        return [leaf for leaf in leaves(self.function(*self.arguments.fill(xs))) if is_floating(leaf)]

    def _pullback(self, x: Array) -> Callable[[Array], Array]:
        self.evaluations += 1
        _, pull = self.differentiate(self.arguments.split(x, dtypes=self.arguments.narrow))
        self.precision = max(self.precision, _eps(self.low))
        return lambda u: flatten(pull(split(u.copy(), self.shapes)))

    def differentiate(self, values: list[Array]) -> tuple[list[Array], Callable[[list[Array]], list[Array]]]:
        """The floating results at ``values`` and the gradient on trial, in NumPy's arrays on both sides.

        Afterwards ``gradient_names`` are what its author calls the gradients, and ``low`` whether any came in single
        precision.
        """
        given, library = self.given, self.library
        if given is not None:
            found = self.function(*self.arguments.native(values))
            results = [library.numpy(leaf) for leaf in leaves(found) if is_floating(leaf)]
            back = given.pullback(values, [r.shape for r in results])
            self._first_look(results, back)
            self.gradient_names = given.names
            return results, back
        if self.ours:
            return library.vjp(self.flat, values)
        results, back = self.pullback(self.flat, values)
        self._first_look(results, back)
        return results, back

    def pullback(self, flat: Flat, values: list[Array]) -> tuple[list[Array], Callable[[list[Array]], list[Array]]]:
        """What the library makes of a function of its arrays, in NumPy's arrays on both sides."""
        library = self.library
        outputs, pull = library.vjp(flat, self.library_arrays(values) if not self.ours else values)
        results = [library.numpy(r) for r in outputs]

        def back(gs: list[Array]) -> list[Array]:
            arrived = [library.array(np.asarray(g, r.dtype), o) for g, r, o in zip(gs, results, outputs, strict=True)]
            kept = [np.array(library.numpy(g)) for g in arrived]
            found = self._numbers(pull(arrived), values)
            if not all(np.array_equal(library.numpy(g), k, equal_nan=True) for g, k in zip(arrived, kept, strict=True)):
                raise WrongGradient(CHANGED_G)
            return found

        return results, back

    def _first_look(self, results: list[Array], back: Callable[[list[Array]], list[Array]]) -> None:
        """Find out the dtype of the gradients, and what they are called; keep what the first call of all gave."""
        gs = [np.full(r.shape, 0.5) for r in results]
        found = back(gs)
        self.low = any(g.dtype in (np.float32, np.float16) for g in found)
        if self.earliest is None:
            self.earliest = gs, [np.array(g) for g in found]

    def library_arrays(self, values: list[Array]) -> list[Any]:
        """The varied arrays as the library's own."""
        return [self.library.array(v, t) for v, t in zip(values, self.arguments.templates, strict=False)]

    def _numbers(self, gradients: list[Any], values: list[Array]) -> list[Array]:
        """Gradients of another library as NumPy's arrays; None, no gradient, is 0."""
        found = [
            np.zeros(np.shape(a)) if g is None else self.library.numpy(g)
            for g, a in zip(gradients, values, strict=True)
        ]
        for name, g, a in zip(self.gradient_names, found, values, strict=False):
            if self.library.name not in ("autograd_core", "autograd") and g.shape != np.shape(a):
                shapes = f"{list(g.shape)}, and its argument has shape {list(np.shape(a))}"
                raise WrongGradient(f"{name} has shape {shapes}")
        return found

    def _second(self, first: Side) -> Side | None:
        """The gradient as a function of its own: of the arguments and of the gradient that arrives."""
        a = self.arguments
        n = len(a.arrays)
        shapes = [array.shape for array in a.arrays] + self.shapes

        def native(vector: Array) -> list[Any]:
            if self.ours:
                return split(vector, shapes)
            own = self.library_arrays(self.arguments.split(vector[: first.x.size], dtypes=self.arguments.narrow))
            return [*own, *(self.library.array(np.asarray(g)) for g in split(vector[first.x.size :], self.shapes))]

        def values(vector: Array) -> Array:
            self.evaluations += 1
            try:
                xs = native(vector)
                return flatten(self._numbers(self.library.vjp(self.flat, xs[:n])[1](xs[n:]), a.arrays))
            except (ArithmeticError, ValueError):
                return np.full(first.x.size, np.nan)

        u = self.rng.uniform(0.5, 1.5, first.value.size) * self.rng.choice([-1.0, 1.0], first.value.size)
        x = np.concatenate([first.x, u])
        units, hs = ladders(u, self.eps)

        def pullback(x: Array) -> Callable[[Array], Array]:
            self.evaluations += 1
            xs = native(x)
            found = self.library.second(self.flat, xs[:n], xs[n:])
            assert found is not None
            gradients, pull = found

            def of_second(v: Array) -> Array:
                parts = zip(split(v, shapes[:n]), gradients, strict=True)
                seconds = pull([self.library.array(np.asarray(p), g) for p, g in parts])
                return flatten(
                    [np.zeros(s) if d is None else self.library.numpy(d) for d, s in zip(seconds, shapes, strict=True)]
                )

            return of_second

        if not self.ours and self.library.second(self.flat, native(x)[:n], native(x)[n:]) is None:
            return None
        return Side(
            values,
            pullback,
            x,
            values(x),
            np.concatenate([first.units, units]),
            first.ladders + hs,
            self.eps,
            self.eps,
            False,
            WHOLE_SECOND,
            DIRECTIONS_SECOND,
            self.rtol,
            self.atol,
            # What cancels inside a gradient leaves rounding that the gradient itself, perhaps 0, does not show.
            close=1e-5,
            rounding=8 * self.eps * float(np.max(np.abs(first.value), initial=0.0)) / np.maximum(1.0, first.units),
        )

    # -- the verdict -------------------------------------------------------------------------------------

    def _clearance(self) -> Array | None:
        if self.domain is None:
            return None
        a = self.arguments
        domains = [self.domain] * len(a.args) if isinstance(self.domain, Domain) else [*self.domain]
        if len(domains) < len(a.args):
            raise TypeError(f"domain: expected one for each of {len(a.args)} arguments, got {len(domains)}")
        return np.concatenate(
            [clearance(flatten([array]), domains[n]) for array, n in zip(a.arrays, a.owners, strict=True)]
        )

    def _judge(self, side: Side, order: int) -> None:
        __tracebackhide__ = True
        outcome = judge(side, self.rng)
        self.methods += [method for method in outcome.methods if method not in self.methods]
        if outcome.mismatch is not None:
            if not self.beyond or scales(side, outcome.mismatch):
                raise self._wrong(outcome.mismatch, order, side)
            self.reasons.append("the numbers are so large or small that rounding may be all there is to see")
        if self.reasons:  # where the first derivative is not known, neither is the second
            return
        for u in outcome.undecided[:3]:
            self.reasons.append(_reason(u, self._output(u.output, order), self._input(u.where, order)))
        if len(outcome.undecided) > 3:
            self.reasons.append(f"and {len(outcome.undecided) - 3} more")

    def _judge_single(self, x: Array, value: Array, pull: Callable[[Array], Array]) -> None:
        """The gradient in the dtype that the arguments really have, against that in double precision."""
        a = self.arguments
        dtypes = {array.dtype for array in a.arrays if array.dtype != np.float64}
        if not dtypes or not value.size or not x.size:
            return
        __tracebackhide__ = True
        low, pullback = self.library.vjp(self.flat, a.split(x, dtypes=True))
        values = flatten(low)
        eps = max(float(np.finfo(dtype).eps) for dtype in dtypes)
        if not np.isfinite(value).all() or np.any(np.abs(values - value) > 1e3 * eps * np.abs(value).max()):
            return  # the function itself is not accurate in this dtype, so its gradient need not be
        u = self.rng.uniform(0.5, 1.5, value.size)
        given = [part.astype(v.dtype) for part, v in zip(split(u, self.shapes), low, strict=True)]
        u = flatten(given)
        for name, array, got, expected in zip(a.names, a.arrays, pullback(given), a.split(pull(u)), strict=True):
            if got.dtype != array.dtype:
                raise self.error(
                    f"the gradient of {self._name()} with respect to {name} is {got.dtype}, and {name} is {array.dtype}"
                )
            scale = float(np.max(np.abs(expected), initial=0.0))
            # In single precision 1 − z² loses what z² is short of 1, so rounding of the value counts too.
            off = np.abs(got - expected) > eps * (1e3 * scale + 1e2 * np.abs(value).max())
            if np.isfinite(expected).all() and (off | ~np.isfinite(got)).any():
                index = tuple(int(i) for i in np.argwhere(np.atleast_1d(off | ~np.isfinite(got)))[0][: array.ndim])
                raise self.error(
                    f"the gradient of {self._name()} with respect to {name} is wrong in {array.dtype} at "
                    f"{list(index)}: {np.asarray(got)[index]!r}, and in float64 {np.asarray(expected)[index]!r}",
                    argument=name,
                    index=index,
                    expected=float(np.asarray(expected)[index]),
                    got=float(np.asarray(got)[index]),
                )
        self.methods.append(f"{min(dtypes)} against float64")

    # -- what is said about it ---------------------------------------------------------------------------

    def _input(self, position: int | None, order: int) -> str:
        if position is None:
            return ""
        a = self.arguments
        if position >= sum(array.size for array in a.arrays):
            return "the gradient that arrives"
        leaf, index = a.place(position)
        return a.names[leaf] + (f"[{', '.join(map(str, index))}]" if index else "")

    def _output(self, position: int, order: int) -> str:
        if order == 2:
            return f"the gradient with respect to {self._input(position, order)}"
        shapes = self.shapes
        for i, shape in enumerate(shapes):
            size = int(np.prod(shape))
            if position < size:
                index = np.unravel_index(position, shape)
                part = f"result {i}" if len(shapes) > 1 else "the result"
                return part + (f"[{', '.join(map(str, index))}]" if shape else "")
            position -= size
        raise IndexError(position)

    def _wrong(self, m: Mismatch, order: int, side: Side) -> GradientError:
        a = self.arguments
        size = sum(array.size for array in a.arrays)
        positions = [int(w) for w in m.where if w < size]
        index: tuple[int, ...] = ()
        name, gradient = "", "the derivative with respect to the gradient that arrives"
        if positions:
            leaf, index = a.place(positions[0])
            name, gradient = a.names[leaf], self.gradient_names[leaf]
        at = f" at {list(index)}" if index and m.where.size == 1 else ""
        if m.where.size > 1:
            at = f" along a direction that moves {', '.join(self._input(int(w), order) for w in m.where[:4])}" + (
                ", …" if m.where.size > 4 else ""
            )
        what = "gradient" if order == 1 else "second derivative"
        subject = (
            f"{gradient}, with respect to {name}" if order == 1 and name else f"with respect to {name or gradient}"
        )
        lines = [f"the {what} of {self._name()} is wrong: {subject}{at}"]
        expected: Any = m.low if m.low == m.high else (m.low, m.high)
        relative = abs(m.got - m.low) / max(abs(m.low), abs(m.got), 1e-300) if m.low == m.high else float("nan")
        shown = f"{m.low:.15g}" if m.low == m.high else f"between {m.low:.15g} and {m.high:.15g}"
        if len(self.shapes) > 1 or self.shapes[0] or order == 2:
            of = self._output(m.output, order) if m.output is not None else "a weighted sum of all results"
            lines.append(f"    of        {of}")
        lines += [f"    expected  {shown}", f"    got       {m.got:.15g}", f"    by        {m.method}"]
        if m.low == m.high:
            lines.append(f"    relative error {relative:.3g}")
        if 0.9 < m.power < 1.1:
            lines.append(f"    the Taylor remainder falls as h^{m.power:.2f}, and should as h^2")
        found: list[Verdict] = []
        if order == 1:
            found = self._verdicts(side)
            lines += told(found)
            lines += [
                f"    {name} came as None, which is 0" for name in sorted(self.given.absent if self.given else ())
            ]
        report = Report("fail", m.method, order, evaluations=self.evaluations)
        return self.error(
            "\n".join(lines),
            report,
            argument=name,
            index=index,
            expected=expected,
            got=m.got,
            relative_error=relative,
            gradient=gradient,
            verdicts=tuple(found),
        )

    def error(
        self, text: str, report: Report | None = None, check: str = "check_gradients", **found: Any
    ) -> GradientError:
        """An error that says ``text``, and holds the code that shows it again."""
        options = "".join(
            f", {key}={literal(value)}"
            for key, value in (
                ("argnums", self.argnums), ("domain", self.domain), ("rtol", self.rtol), ("atol", self.atol),
                ("of", self.of), ("seed", self.seed or None),
                ("keeps_dtype", self.keeps_dtype if check == "check_properties" else None),
            )
            if value is not None
        )  # fmt: skip
        handed = {**self.handed, "expected": self.expected}
        if self.rerun is not None:
            code = self.rerun(f", seed={self.seed}" if self.seed else "")
        else:
            code = call_code(self.f, self.args, self.arguments.parameters, handed, options, check)
        error = GradientError(f"{text}\n\nTo see it again:\n\n{code}")
        error.report = report or Report("fail", "float64", 1, evaluations=self.evaluations)
        error.arguments = self.args
        error.function = self.f
        error.given = self.given is not None
        for attribute, value in found.items():
            setattr(error, attribute, value)
        return error


def _eps(single: bool) -> float:
    return float(np.finfo(np.float32 if single else np.float64).eps)


def _reason(u: Undecided, output: str, where: str) -> str:
    along = f" along {where}" if where else ""
    if u.state == KINK:
        return (
            f"a kink or a tie: the slopes of {output}{along} are {u.low:.6g} and {u.high:.6g} from the two sides, and "
            "the gradient is between them"
        )
    why = "a jump, a tie, the edge of the domain, not finite, or rounding"
    return f"the derivative of {output}{along} is not known: {why}"
