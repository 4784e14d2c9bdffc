"""The narrator: what is said of each step, in parts. Text, table, LaTeX and page only write the parts down."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..op import Op
from .formula import FEW, Filling, Formula, Name, Number, Part, Partial, number, shape, uses_upstream

if TYPE_CHECKING:
    from .steps import Step, Steps
    from .values import Value

Parts = tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Forward:
    """``name = formula (settings) = numbers = value``; ``numbers`` is None where it would repeat another part."""

    name: str
    formula: Formula
    settings: str
    numbers: Formula | None
    value: Number

    @property
    def sentence(self) -> Parts:
        """What happens, as a person says it."""
        parts: Parts = (Name(self.name, self.value.value), " = ", self.formula)
        if self.settings:
            parts += (f" ({self.settings})",)
        if self.numbers is not None:
            parts += (" = ", self.numbers)
        value = self.value.value
        # A larger array is shown by its shape.
        of = f", of shape {shape(value)}: " if np.ndim(value) and np.size(value) <= FEW else " = "
        return (*parts, of, self.value, ".")


@dataclass(frozen=True, eq=False)
class Backward:
    """What ``output`` hands back to its input ``name``: ``contribution``, a part of the gradient ``wanted``.

    ``arrives`` is the gradient of the output, ``upstream`` its number. ``total`` is what ``name`` has received so far,
    where it has received something before.
    """

    name: str
    output: str
    wanted: Partial
    arrives: Partial
    upstream: Number
    contribution: Number
    total: Number | None

    @property
    def sentence(self) -> Parts:
        """What happens, as a person says it."""
        parts = self._sentence
        if self.total is not None:
            parts += (f", and {self.name} is used more than once: its sum is now ", self.total)
        return (*parts, ".")

    @property
    def _sentence(self) -> Parts:
        raise NotImplementedError

    @property
    def note(self) -> str:
        """What explains the numbers, in a few words."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Product(Backward):
    """``upstream × local = contribution``, element by element; ``formula`` is that of the local derivative."""

    by: Partial
    formula: Formula
    local: Number

    @cached_property
    def is_its_number(self) -> bool:
        """Whether the formula of the local derivative is the number itself, in each element."""
        local = np.ravel(self.local.value)
        return bool(local.size) and str(self.formula) == number(local[0]) and bool(np.all(local == local[0]))

    @property
    def note(self) -> str:
        return f"with {self.by} = {self.formula}"

    @property
    def _sentence(self) -> Parts:
        alike = np.ndim(self.upstream.value) == 0 or np.shape(self.upstream.value) == np.shape(self.local.value)
        return (
            f"From {self.output} to {self.name}: upstream ",
            self.arrives,
            " = ",
            self.upstream,
            " times local " if alike else f", stretched to {shape(self.local.value)}, times local ",
            self.by,
            " = ",
            self.formula,
            *(() if self.is_its_number else (" = ", self.local)),
            " contributes ",
            self.contribution,
            " to ",
            self.wanted,
        )


@dataclass(frozen=True, eq=False)
class VectorJacobian(Backward):
    """A contribution that is no product element by element; ``formula`` says how it comes about from ``arrives``.

    ``product`` is what the shapes of matrices say without the transpose: ``4×2 @ 2×3 gives 4×3``.
    """

    formula: Formula
    shapes: str
    product: str

    @property
    def note(self) -> str:
        return f"where {self.shapes}"

    @property
    def _sentence(self) -> Parts:
        shapes = f"; in shapes, {self.shapes}" if self.product else f" ({self.shapes})"
        return self.wanted, " receives ", self.formula, " = ", self.contribution, shapes


@dataclass(frozen=True, eq=False)
class Unbroadcast(Backward):
    """Of what was stretched by broadcasting the contributions of the copies, ``upstream``, are added up."""

    @property
    def note(self) -> str:
        return f"from {shape(self.upstream.value)} to {_shape(self.contribution.value)}, as {self.name} is"

    @property
    def _sentence(self) -> Parts:
        return (
            f"{self.name}, of shape {_shape(self.contribution.value)}, was stretched to {shape(self.upstream.value)} "
            "by broadcasting; the contributions of its copies are added up: ",
            self.wanted,
            " receives ",
            self.contribution,
        )


Narrated = Forward | Product | VectorJacobian | Unbroadcast


def narrate(steps: Steps) -> list[Narrated]:
    """What is said of each step."""
    names = {name: value.names for name, value in steps.values.items()}
    received: set[str] = set()
    found: list[Narrated] = []
    for i, step in enumerate(steps):
        value, inputs = steps.values[step.output], names[step.output]
        if step.kind == "forward":
            found.append(_forward(value))
            continue
        again = step.total is not None and step.name in received
        common: dict[str, Any] = {
            "name": step.name,
            "output": step.output,
            "wanted": Partial(steps.result, step.name),
            "arrives": Partial(steps.result, step.output, step.upstream),
            "upstream": Number("upstream", i, step.upstream),
            "contribution": Number("contribution", i, step.contribution),
            "total": Number("total", i, step.total) if again else None,
        }
        if step.total is not None:
            received.add(step.name)
        if step.kind == "unbroadcast":
            found.append(Unbroadcast(**common))
        elif step.local is None:
            formula = Formula(_with_upstream(step.formula), inputs, step.output, common["arrives"])
            shapes, product = _shapes_of_matmul(step, value) if step.op == "matmul" else (_shapes(formula, step), "")
            found.append(VectorJacobian(**common, formula=formula, shapes=shapes, product=product))
        else:
            formula = Formula(step.formula, inputs, step.output)
            by = Partial(step.output, step.name)
            found.append(Product(**common, by=by, formula=formula, local=Number("local", i, step.local)))
    return found


def gradients(steps: Steps) -> list[tuple[Partial, str]]:
    """The gradient of each leaf, a single number in all its digits."""
    found = [Partial(steps.result, name, steps.gradients.get(name)) for name in steps.leaves]
    return [(partial, number(partial.value, exact=np.ndim(partial.value) == 0, gradient=True)) for partial in found]


def derivative(value: Value, position: int) -> tuple[str | Partial, Formula]:
    """The formula of a value's gradient with respect to one of its inputs, and what to call it.

    That is a local derivative, ∂q/∂x, or, written with g for the upstream gradient, all that goes to the input.
    """
    assert value.op is not None
    latex = value.op.formulas[position if value.op.arity is not None else 0]
    by = value.inputs[position]
    called = f"to {by}" if uses_upstream(latex) else Partial(value.name, by)
    return called, Formula(latex, value.names, value.name)


def settings(op: Op | None, params: Mapping[str, Any]) -> str:
    """The parameters of an op that are not as usual: ``axis=1, keepdims=True``.

    >>> from autograd_core import REGISTRY
    >>> settings(REGISTRY["getitem"], {"index": (slice(None), slice(1, 3), np.arange(20))})
    'index=(:, 1:3, 20 numbers)'
    >>> settings(REGISTRY["sum"], {"axis": (0, 1), "keepdims": False})
    'axis=(0, 1)'
    """
    if op is None or not params:
        return ""
    usual = {name: p.default for name, p in inspect.signature(op.function).parameters.items()}
    told = {name: value for name, value in params.items() if not name.startswith("_")}
    other = {name: value for name, value in told.items() if not _as_usual(value, usual.get(name))}
    return ", ".join(f"{name}={_setting(value)}" for name, value in other.items())


def _as_usual(value: Any, usual: Any) -> bool:
    """Whether a parameter says what its default says, perhaps once for each axis."""
    if value is None:
        return True
    if isinstance(value, tuple | list) and value and not isinstance(usual, tuple):
        return all(_as_usual(v, usual) for v in value)
    return isinstance(value, bool | int | float | str) and type(value) is type(usual) and value == usual


def _setting(value: Any) -> str:
    if isinstance(value, slice):
        ends = ["" if n is None else str(n) for n in (value.start, value.stop)]
        return ":".join(ends if value.step is None else [*ends, str(value.step)])
    if isinstance(value, tuple | list):
        inside = ", ".join(map(_setting, value))
        return f"({inside})" if len(value) != 1 else f"({inside},)"
    if np.ndim(value):
        return number(value) if np.size(value) <= FEW else f"{np.size(value)} numbers"
    if value is Ellipsis:
        return "…"
    return value if isinstance(value, str) else getattr(value, "__name__", None) or str(value)


def _forward(value: Value) -> Forward:
    inputs = value.names
    formula = Formula(value.expression, inputs, value.name)
    numbers = None
    if all(np.ndim(arg) == 0 for arg in value.args):
        numbers = Formula(value.expression, {i: _in_numbers(value, i) for i in inputs}, value.name)
        if str(numbers) in (str(formula), number(value.value)):
            numbers = None
    result = Number("value", value.name, value.value)
    return Forward(value.name, formula, settings(value.op, value.params), numbers, result)


def _in_numbers(value: Value, position: int) -> Filling:
    parent, arg = value.parents[position], value.args[position]
    return Number("value", parent, arg) if parent else Name(number(arg), arg, constant=True)


def _with_upstream(latex: str) -> str:
    """How a gradient comes about where nothing is multiplied element by element: a formula with g in it."""
    if uses_upstream(latex):
        return latex
    if latex == "1":
        return r"g \text{ with each element back in its place}"
    return rf"\sum_i g_i \times \left({latex}\right)"


def _shape(value: Any) -> str:
    return shape(value) or "a number"


def _shapes(formula: Formula, step: Step) -> str:
    """The shapes of what is in a formula, and of what it gives."""
    # By their names: of an input that is there twice it is said once.
    shown = {
        part.text if isinstance(part, Name) else str(part): part.value
        for part in formula.parts
        if isinstance(part, Name | Partial)
    }
    return ", ".join(f"{name} has shape {_shape(value)}" for name, value in (shown | {step.name: step.value}).items())


def _shapes_of_matmul(step: Step, value: Value) -> tuple[str, str]:
    """How the shapes of matrices fit, which is where transposes come from, and the product alone."""
    x, y = value.args
    # A vector counts as a row on the left of @ and as a column on its right; so does what comes out.
    left = np.shape(x) if np.ndim(x) > 1 else (1, *np.shape(x))
    right = np.shape(y) if np.ndim(y) > 1 else (*np.shape(y), 1)
    above = np.broadcast_shapes(left[:-2], right[:-2])
    g = _times((*above, left[-2], right[-1]))
    turned = right if step.position == 0 else left
    across = _times((*turned[:-2], turned[-1], turned[-2]))
    flipped = f"({_times(turned)})ᵀ"
    made = _times((*above, *(left if step.position == 0 else right)[-2:]))
    first, then = (f"{g} @ {t}" if step.position == 0 else f"{t} @ {g}" for t in (flipped, across))
    ends = f", as {step.name} has" if made == shape(step.value) else ""
    if np.ndim(step.value) == 1:
        ends = f", a {'row' if step.position == 0 else 'column'} as {step.name} is"
    return f"{first} = {then} gives {made}{ends}", f"{then} gives {made}"


def _times(numbers: Sequence[int]) -> str:
    return "×".join(map(str, numbers))
