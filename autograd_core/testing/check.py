"""`check_gradients`: is this the derivative of that? Pass, fail or inconclusive, and by which method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import tree
from ..domain import Domain
from ..tensor import Tensor
from ..transforms import vjp
from .arguments import Arguments, flatten, is_floating, like, split, to_numpy
from .oracle import KINK
from .reproduce import call_code, literal
from .trial import Mismatch, Side, Undecided, clearance, judge, ladders

Array = Any
Function = Callable[..., Any]

# Up to this many numbers every derivative is checked on its own; above, several random directions.
WHOLE = 24
WHOLE_SECOND = 8
DIRECTIONS = 4
DIRECTIONS_SECOND = 3


@dataclass(frozen=True)
class Report:
    """What a check found: ``verdict`` is "pass", "fail" or "inconclusive", ``method`` the oracles that said so.

    ``order`` is the highest derivative that was looked at, ``reasons`` what was left undecided and why, and
    ``evaluations`` how often the function was run.

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

    def __str__(self) -> str:
        orders = "first" if self.order == 1 else "first and second"
        text = f"{self.verdict}: {orders} derivatives by {self.method} ({self.evaluations} evaluations)"
        return "\n".join([text, *(f"    {reason}" for reason in self.reasons)])


class GradientError(AssertionError):
    """A gradient is wrong. The message names it and holds code that shows it again.

    ``argument`` and ``index`` say where, ``expected`` and ``got`` what (numbers, or the two ends of the
    subdifferential), ``relative_error`` how far off, ``report`` how it was found, ``function`` and
    ``arguments`` what was called, and ``given`` whether the gradient came from ``grad=``.

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

    @property
    def method(self) -> str:
        """The oracle that the gradient contradicts."""
        return self.report.method


def check_gradients(
    f: Function,
    *args: Any,
    order: int = 2,
    grad: Function | None = None,
    argnums: int | Sequence[int] | None = None,
    domain: Domain | Sequence[Domain | None] | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    strict: bool = False,
    seed: int = 0,
) -> Report:
    """Check the derivatives of ``f`` at ``args`` against its values; raise `GradientError` if they are wrong.

    ``args`` are numbers, arrays, Tensors or nested lists, tuples and dicts of them; all that hold floating
    numbers are varied unless ``argnums`` picks some. ``f`` may return any number of numbers. Its gradient is
    ours, checked to the second ``order``, or comes from ``grad``, which is checked to the first:
    ``grad(*args)`` for an ``f`` that returns one number, ``grad(g, *args)`` for any other, where ``g`` is the
    gradient with respect to the result. ``grad`` returns one gradient for each varied argument, in the
    argument's own structure; a dict may be keyed by their names, with or without a ``d`` in front.

    The oracles: the complex step where the function is analytic, Richardson-extrapolated central differences,
    slopes from both sides at a kink (where a gradient must lie in the subdifferential), and the power with
    which the Taylor remainder vanishes. The second order compares with differences of the gradient. Up to 24
    varied numbers the whole Jacobian is compared, above that products with several random directions
    (``seed``). Functions of float32 are judged in float64, and their float32 gradient against that.

    The verdict is "inconclusive" where a kink, a tie, a jump, the edge of the domain, a value that is not
    finite or rounding keeps the oracles from knowing; ``strict=True`` makes that an error too. ``domain``
    says where edges and kinks are (a `Domain`, or one for each argument), so that steps keep clear of them.
    ``rtol`` and ``atol`` replace the tolerances, which by default are 1e-7 (relative; 1e-5 in the second order)
    and rounding.

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
        raise ValueError(f"order must be 1 or 2, not {order!r}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance is not None and not tolerance >= 0:
            raise ValueError(f"{name} is a number from 0 on; {tolerance!r} came")
    check = _Check(f, args, grad, argnums, domain, rtol, atol, seed)
    with np.errstate(all="ignore"):
        return check.run(1 if grad is not None else order, strict)


@dataclass
class _Check:
    f: Function
    args: tuple[Any, ...]
    grad: Function | None
    argnums: int | Sequence[int] | None
    domain: Domain | Sequence[Domain | None] | None
    rtol: float | None
    atol: float | None
    seed: int
    evaluations: int = 0
    reasons: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    on_tensors: bool = False

    def run(self, order: int, strict: bool) -> Report:
        __tracebackhide__ = True
        self.arguments = Arguments(self.f, self.args, self.argnums)
        self.rng = np.random.default_rng(self.seed)
        x = self.arguments.vector()
        value = self._first_values(x.copy())  # a function may write on what it is given
        self.gradient_names = [f"d{name}" if name.isidentifier() else name for name in self.arguments.names]
        if not np.array_equal(value, self._values(x.copy()), equal_nan=True):
            self.reasons.append("the function gave two different values for the same arguments: seed what is random")
            return self._report("inconclusive", order, strict)
        self.eps = self.precision = _eps(self.single)
        units, hs = ladders(x, self.eps, self._clearance())
        first = Side(
            self._stepped, self._pullback, x, value, units, hs, self.eps, self.precision, True, WHOLE, DIRECTIONS,
            self.rtol, self.atol,
        )  # fmt: skip
        self._judge(first, 1)
        if order == 2:
            self._judge(self._second(first), 2)
        if self.grad is None:
            self._judge_single(x, value, first.pull)
        return self._report("inconclusive" if self.reasons else "pass", order, strict)

    def _report(self, verdict: str, order: int, strict: bool) -> Report:
        __tracebackhide__ = True
        report = Report(verdict, ", ".join(self.methods) or "nothing", order, tuple(self.reasons), self.evaluations)
        if strict and verdict == "inconclusive":
            raise self._error(
                f"the gradient of {self._name()} could not be checked, and strict=True:\n    "
                + "\n    ".join(self.reasons),
                report,
            )
        return report

    def _name(self) -> str:
        return getattr(self.f, "__name__", type(self.f).__name__)

    # -- the function, and the gradient on trial ---------------------------------------------------------

    def _values(self, vector: Array) -> Array:
        """The floating results of the function as one vector."""
        self.evaluations += 1
        result = self._call(self.arguments.split(vector))
        if not isinstance(result, np.ndarray | np.generic):
            parts = [to_numpy(leaf) for leaf in tree.leaves(result)]
            parts = [p for p in parts if p.dtype.kind in "fc"]
            if not parts:
                raise TypeError(f"{self._name()} returned no floating number, so it has no gradient: {result!r}")
            self.shapes = [p.shape for p in parts]
            single = any(p.dtype.itemsize * (1 + (p.dtype.kind == "f")) < 16 for p in parts)
            result = np.concatenate([p.reshape(-1) for p in parts]) if len(parts) > 1 else parts[0].reshape(-1)
        else:
            if result.dtype.kind not in "fc":
                raise TypeError(f"{self._name()} returned {result.dtype}, which has no gradient")
            self.shapes = [result.shape]
            single = result.dtype in (np.float32, np.float16, np.complex64)
            result = result.reshape(-1)
        self.single = single
        return result.astype(np.float64 if result.dtype.kind == "f" else np.complex128)

    def _first_values(self, vector: Array) -> Array:
        """The same, finding out whether the function takes double precision: a float32 layer of PyTorch does not."""
        if self.grad is None or all(array.dtype == np.float64 for array in self.arguments.arrays):
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

    def _call(self, values: list[Array]) -> Any:
        if self.on_tensors:
            return self.f(*self.arguments.fill([Tensor(v, requires_grad=False) for v in values]))
        if self.grad is not None:
            return self.f(*self.arguments.native(values))
        try:
            return self.f(*self.arguments.fill(values))
        except (TypeError, AttributeError):
            if values[0].dtype.kind == "c":
                raise
            # A function that was written for Tensors only.
            result = self.f(*self.arguments.fill([Tensor(v, requires_grad=False) for v in values]))
            self.on_tensors = True
            return result

    def _recorded(self, *tensors: Any) -> list[Any]:
        """The function as the transforms run it: floating leaves in, floating leaves out."""
        return [leaf for leaf in tree.leaves(self.f(*self.arguments.fill(tensors))) if is_floating(leaf)]

    def _pullback(self, x: Array) -> Callable[[Array], Array]:
        if self.grad is not None:
            return self._foreign(x)
        self.evaluations += 1
        _, pullback = vjp(self._recorded, *self.arguments.split(x))
        shapes = self.shapes
        return lambda u: flatten(pullback(split(u.copy(), shapes)))

    def _foreign(self, x: Array) -> Callable[[Array], Array]:
        grad = self.grad
        assert grad is not None
        values = self.arguments.split(x)
        scalar = self.shapes == [()]
        result = None if scalar else self.f(*self.arguments.native(values))

        def pull(u: Array) -> Array:
            given = self.arguments.native([np.copy(v) for v in values])
            if scalar:
                gradients = grad(*given)
            else:
                parts = iter(split(u, self.shapes))
                g = tree.map(lambda leaf: like(leaf, next(parts)) if is_floating(leaf) else None, result)
                gradients = grad(g, *given)
            found = self._match(gradients)
            for name, array, g in zip(self.gradient_names, self.arguments.arrays, found, strict=True):
                if g.shape != array.shape:
                    raise GradientError(
                        f"the gradient of {self._name()} is wrong: {name} has shape {list(g.shape)}, and its argument "
                        f"has shape {list(array.shape)}; a gradient has the shape of its argument"
                    )
                if g.dtype.kind not in "fiub":
                    raise TypeError(f"grad must return real numbers; {name} is {g.dtype}")
            self.precision = max(self.precision, _eps(any(g.dtype in (np.float32, np.float16) for g in found)))
            flat = flatten(found)
            return flat * u[0] if scalar else flat

        pull(np.zeros(sum(int(np.prod(s)) for s in self.shapes)))  # finds out the names and the dtype
        return pull

    def _match(self, gradients: Any) -> list[Array]:
        """The gradients in the order of the arguments; notes what their author calls them."""
        a = self.arguments
        chosen = [(a.parameters[n], a.args[n]) for n in a.chosen]
        one = len(chosen) == 1
        if isinstance(gradients, dict) and not (one and isinstance(chosen[0][1], dict)):
            pairs = [pair for name, arg in chosen for pair in _pair(arg, *_keyed(gradients, name), name)]
        elif one and not (isinstance(gradients, tuple) and len(gradients) == 1 and not isinstance(chosen[0][1], tuple)):
            pairs = list(_pair(chosen[0][1], gradients, f"d{chosen[0][0]}", chosen[0][0]))
        else:
            if not isinstance(gradients, list | tuple) or len(gradients) != len(chosen):
                names = ", ".join(name for name, _ in chosen)
                came = f"{len(gradients)} values" if isinstance(gradients, list | tuple) else type(gradients).__name__
                raise TypeError(
                    f"grad must return a gradient for each of {names}, as a tuple or a dict; it gave {came}"
                )
            pairs = [
                p for (name, arg), g in zip(chosen, gradients, strict=True) for p in _pair(arg, g, f"d{name}", name)
            ]
        self.gradient_names = [name for name, _ in pairs]
        return [g for _, g in pairs]

    def _second(self, first: Side) -> Side:
        """The gradient as a function of its own: of the arguments and of the gradient that arrives."""
        a = self.arguments
        n = len(a.arrays)
        shapes = [array.shape for array in a.arrays] + self.shapes

        def gradient(*values: Any) -> Any:
            return vjp(self._recorded, *values[:n])[1](list(values[n:]))

        def values(vector: Array) -> Array:
            self.evaluations += 1
            try:
                return flatten(gradient(*split(vector, shapes)))
            except (ArithmeticError, ValueError):
                return np.full(first.x.size, np.nan)

        u = self.rng.uniform(0.5, 1.5, first.value.size) * self.rng.choice([-1.0, 1.0], first.value.size)
        x = np.concatenate([first.x, u])
        units, hs = ladders(u, self.eps)

        def pullback(x: Array) -> Callable[[Array], Array]:
            self.evaluations += 1
            _, pull = vjp(gradient, *split(x, shapes))
            return lambda v: flatten(pull(tuple(split(v, shapes[:n]))))

        return Side(
            values,
            pullback,
            x,
            flatten(gradient(*split(x, shapes))),
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
            raise TypeError(f"domain has {len(domains)} entries, and there are {len(a.args)} arguments")
        return np.concatenate(
            [clearance(flatten([array]), domains[n]) for array, n in zip(a.arrays, a.owners, strict=True)]
        )

    def _judge(self, side: Side, order: int) -> None:
        __tracebackhide__ = True
        outcome = judge(side, self.rng)
        self.methods += [method for method in outcome.methods if method not in self.methods]
        if outcome.mismatch is not None:
            raise self._wrong(outcome.mismatch, order)
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
        low, pullback = vjp(self._recorded, *a.split(x, dtypes=True))
        values = flatten(low)
        eps = max(float(np.finfo(dtype).eps) for dtype in dtypes)
        if not np.isfinite(value).all() or np.any(np.abs(values - value) > 1e3 * eps * np.abs(value).max()):
            return  # the function itself is not accurate in this dtype, so its gradient need not be
        u = self.rng.uniform(0.5, 1.5, value.size)
        given = [part.astype(v.dtype) for part, v in zip(split(u, self.shapes), low, strict=True)]
        u = flatten(given)
        for name, array, got, expected in zip(a.names, a.arrays, pullback(given), a.split(pull(u)), strict=True):
            if got.dtype != array.dtype:
                raise self._error(
                    f"the gradient of {self._name()} with respect to {name} is {got.dtype}, and {name} is {array.dtype}"
                )
            scale = float(np.max(np.abs(expected), initial=0.0))
            # In single precision 1 − z² loses what z² is short of 1, so rounding of the value counts too.
            off = np.abs(got - expected) > eps * (1e3 * scale + 1e2 * np.abs(value).max())
            if np.isfinite(expected).all() and (off | ~np.isfinite(got)).any():
                index = tuple(int(i) for i in np.argwhere(np.atleast_1d(off | ~np.isfinite(got)))[0][: array.ndim])
                raise self._error(
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

    def _wrong(self, m: Mismatch, order: int) -> GradientError:
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
        report = Report("fail", m.method, order, evaluations=self.evaluations)
        return self._error(
            "\n".join(lines),
            report,
            argument=name,
            index=index,
            expected=expected,
            got=m.got,
            relative_error=relative,
            gradient=gradient,
        )

    def _error(self, text: str, report: Report | None = None, **found: Any) -> GradientError:
        options = "".join(
            f", {key}={literal(value)}"
            for key, value in (
                ("argnums", self.argnums), ("domain", self.domain), ("rtol", self.rtol), ("atol", self.atol),
                ("seed", self.seed or None),
            )
            if value is not None
        )  # fmt: skip
        code = call_code(self.f, self.args, self.arguments.parameters, self.grad, options)
        error = GradientError(f"{text}\n\nTo see it again:\n\n{code}")
        error.report = report or Report("fail", "float64", 1, evaluations=self.evaluations)
        error.arguments = self.args
        error.function = self.f
        error.given = self.grad is not None
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


def _pair(arg: Any, gradient: Any, label: str, name: str) -> Iterator[tuple[str, Array]]:
    """The floating leaves of an argument beside their gradients: (what the gradient is called, gradient)."""
    if isinstance(arg, dict):
        if not isinstance(gradient, dict):
            raise TypeError(f"{name} is a dict, so its gradient must be one too; it is a {type(gradient).__name__}")
        for key in arg:
            yield from _pair(arg[key], *_keyed(gradient, key), f"{name}[{key!r}]")
    elif isinstance(arg, list | tuple):
        if not isinstance(gradient, list | tuple) or len(gradient) != len(arg):
            raise TypeError(f"{name} has {len(arg)} parts, so its gradient must have as many; it is {gradient!r}")
        for i, (branch, part) in enumerate(zip(arg, gradient, strict=True)):
            yield from _pair(branch, part, f"{label}[{i}]", f"{name}[{i}]")
    elif is_floating(arg):
        if gradient is None:
            raise TypeError(f"grad gave None for {name}")
        yield label, to_numpy(gradient)


def _keyed(gradients: dict[Any, Any], key: Any) -> tuple[Any, str]:
    """The gradient of what is called ``key``, and what it is called itself."""
    for candidate in (key, f"d{key}", f"d_{key}", f"grad_{key}", f"{key}_grad"):
        if candidate in gradients:
            return gradients[candidate], str(candidate) if candidate != key else f"d{key}"
    raise TypeError(f"grad gave no gradient for {key!r}; it gave {', '.join(map(repr, gradients))}")
