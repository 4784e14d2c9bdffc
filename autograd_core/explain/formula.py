"""Formulas with what fills them, names and numbers, and how a number is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays import to_numpy
from . import typeset
from .typeset import Markup, Tree

FEW = 6  # elements of an array that are still worth reading one by one
MANY = 8  # and inputs of an op
UPSTREAM = re.compile(r"(?<![a-zA-Z\\])g(?![a-zA-Z])")


def number(value: Any, exact: bool = False, digits: int = 4, gradient: bool = False) -> str:
    """A number in six digits (all of them when ``exact``), a small array in brackets, a large one in outline.

    ``digits`` are those of a number in an array. A zero has no sign. Of a ``gradient``, what is there beside far larger
    numbers because these were rounded is 0.

    >>> number(0.1 + 0.2), number(0.1 + 0.2, exact=True), number(None), number(-0.0)
    ('0.3', '0.30000000000000004', 'not computed', '0')
    >>> number(np.ones((3, 4)))
    '[3×4, all 1]'
    >>> number(np.array([1.0, 1e-18]), gradient=True), number(np.array([1.0, 1e-18]))
    ('[1, 0]', '[1, 1e-18]')
    """
    if value is None:
        return "not computed"
    array = np.asarray(to_numpy(value))
    if array.ndim == 0:
        item = array.item()
        return repr(item or abs(item)) if exact else f"{item or 0:.6g}"
    if array.dtype.kind in "fc":
        array = without_residue(array) if gradient else array + 0  # no minus before a zero
    if array.size <= (4 if exact else 1) * FEW:
        form = "" if exact else f".{digits}g"
        written: Callable[[Any], str] = lambda v: format(v, form)  # noqa: E731
        text = np.array2string(array, separator=", ", formatter={"float_kind": written, "complex_kind": written})
        return " ".join(text.split())
    if array.dtype.kind == "c":
        return f"[{shape(array)}, {_magnitudes(array)}]"
    low, high = array.min(), array.max()
    if low == high:
        return f"[{shape(array)}, all {low:.4g}]"
    return f"[{shape(array)}, from {low:.4g} to {high:.4g}, mean {mean(array):.4g}]"


def negligible(array: Any) -> float:
    """How large what rounding leaves in an array may be: a few units in the last place of its largest number.

    >>> negligible(np.array([1.0, -4.0])), negligible(np.array([1, 2])), negligible(np.zeros(0))
    (3.552713678800501e-15, 0.0, 0.0)
    """
    if array.dtype.kind not in "fc" or not array.size:
        return 0.0
    largest = float(np.abs(array).max())
    return 4 * float(np.finfo(array.dtype).eps) * largest if np.isfinite(largest) else 0.0


def without_residue(value: Any) -> Any:
    """An array with 0 for what is there only because the far larger numbers beside it were rounded."""
    array = np.asarray(to_numpy(value))
    return np.where(np.abs(array) <= negligible(array), 0, array).astype(array.dtype) + 0 if array.ndim else value


def _magnitudes(array: Any) -> str:
    """The range of complex numbers, which have no order: that of their distances from 0."""
    low, high = np.abs(array).min(), np.abs(array).max()
    return f"complex, all |{low:.3g}|" if low == high else f"complex, |{low:.3g}| to |{high:.3g}|"


def mean(array: Any) -> float:
    """The mean of an array, which is 0 where its numbers cancel but for their rounding."""
    found = float(array.mean())
    return 0.0 if abs(found) <= negligible(array) else found


def summary(value: Any, gradient: bool = False) -> str:
    """A number, a handful of numbers, or the shape of an array with its range; see `number` for ``gradient``.

    >>> summary(np.array([1.0, 2.5])), summary(np.arange(12.0).reshape(3, 4)), summary(np.zeros((4, 2)))
    ('[1, 2.5]', '3×4, 0 to 11', '4×2, all 0')
    """
    if np.ndim(value) == 0:
        return number(value)
    array = np.asarray(without_residue(value) if gradient else value)
    if not array.size:
        return f"{shape(array)}, empty"
    if array.size <= 3:
        return number(array, digits=3)
    if array.dtype.kind == "c":
        return f"{shape(array)}, {_magnitudes(array)}"
    low, high = array.min() + 0, array.max() + 0  # no minus before a zero
    return f"{shape(array)}, all {low:.3g}" if low == high else f"{shape(array)}, {low:.3g} to {high:.3g}"


def shape(value: Any) -> str:
    """``4×2``; nothing for a single number."""
    return "×".join(str(n) for n in np.shape(value))


def _is_signed(text: str, value: Any) -> bool:
    """Whether a number stands in parentheses beside an operator: one with a minus, or with two parts."""
    return text.startswith("-") or (np.ndim(value) == 0 and np.iscomplexobj(value))


def uses_upstream(formula: str) -> bool:
    """Whether a formula is the whole product, written with g, and not a local derivative to multiply g by."""
    return UPSTREAM.search(formula) is not None


def outline(count: int) -> Sequence[int]:
    """Which of so many inputs, or terms, a formula shows: of more than a few the first three and the last.

    >>> list(outline(2)), list(outline(3000))
    ([0, 1], [0, 1, 2, 2999])
    """
    return range(count) if count <= MANY else (0, 1, 2, count - 1)


def letters(inputs: Mapping[int, str], output: str, upstream: str) -> dict[str, str]:
    """What stands for the letters of a formula of the table of ops."""
    named = {letter: inputs[i] for i, letter in enumerate("xywv") if i in inputs} | {"z": output, "g": upstream}
    return named | {f"x_{{{i + 1}}}": text for i, text in inputs.items()}


def substitute(latex: str, names: Mapping[str, str]) -> str:
    """``latex`` with its letters replaced by names; the letters in commands stay."""

    def replaced(token: re.Match[str]) -> str:
        return names.get(token[0], token[0])

    return re.sub(r"\\(?:operatorname|text)\{[^}]*\}|\\[a-zA-Z]+|\\.|x_\{\d+\}|[a-zA-Z]+", replaced, latex)


# What the signs of formulas mean, by what LaTeX writes them with.
SIGNS = {
    r"\star": "⋆ lays the kernel at each place of the other array and adds up the products there, which networks call "
    "convolution; ⋆⊤ hands each number, times the kernel, back to where it came from; ⋆ₖ adds up for each place k of "
    "the kernel",
    r"\,": "@ multiplies matrices, rows times columns; numbers, and arrays element by element, are multiplied by ·",
    r"\mathsf T": "⊤ exchanges rows and columns",
    r"\sum": "∑ adds up all elements, or those that the index under it numbers",
    r"\prod": "∏ multiplies all elements, or those that the index under it numbers",
    r"\sigma": "σ(x) is 1 / (1 + e⁻ˣ)",
    r"\otimes": "⊗ multiplies each element of the one by the whole other",
    "[": "what is compared in brackets counts 1 where it holds, and 0 elsewhere",
    "n": "n is how many elements there are",
    "i": "i, j and k number the elements",
}


def signs(latex: str) -> list[int]:
    """Which of the signs that need a word are in a formula, by their places in `SIGNS`.

    >>> signs(r"g\\,y^{\\mathsf T}")
    [1, 2]
    """
    tokens = typeset.tokens(latex)
    compares = any(token in ("<", ">", "=", r"\le", r"\ge", r"\ne") for token in tokens)
    return [i for i, sign in enumerate(SIGNS) if sign in tokens and (sign != "[" or compares)]


_CONSTANTS = (
    # What a constant makes of a formula: the derivative of x^2 is 2 · x, and not 2 · x^(2 - 1).
    (r"\{(-?[\d.]+) - (\d+)\}", lambda m: f"{{{float(m[1]) - int(m[2]):.6g}}}"),
    (r"\^\{1\}", lambda m: ""),
    (r"[a-z]\^\{0\}", lambda m: "1"),
    (r"^(-?)1 \\cdot ", lambda m: m[1]),
)


def _with_constants(latex: str, constants: Mapping[str, str]) -> str:
    """A formula whose exponents are numbers where they are constants, and what follows from it."""
    raised = re.sub(r"\^\{([a-z])( - 1)?\}", lambda m: f"^{{{constants.get(m[1], m[1])}{m[2] or ''}}}", latex)
    if " - 1}" not in latex:
        return raised
    # The same number stands before the power, first in a product.
    raised = re.sub(r"^([a-z])(?= \\cdot )", lambda m: constants.get(m[1], m[1]), raised)
    for pattern, simpler in _CONSTANTS:
        raised = re.sub(pattern, simpler, raised)
    return raised


# -- what a formula is filled with ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Name:
    """What a value is called; ``constant`` is one without a name, called by its number or its shape.

    ``operand`` says that it stands where a minus needs parentheses.
    """

    text: str
    value: Any
    constant: bool = False
    operand: bool = False

    def __str__(self) -> str:
        return f"({self.text})" if self.operand and self.constant and _is_signed(self.text, self.value) else self.text


@dataclass(frozen=True, eq=False)
class Number:
    """A number, and which one it is, so that a page can change it: the ``value`` of q, the ``local`` of step 3.

    ``operand`` says that it stands where a minus needs parentheses.
    """

    kind: str
    of: str | int
    value: Any
    operand: bool = False

    def __str__(self) -> str:
        text = number(self.value, gradient=self.kind != "value")
        return f"({text})" if self.operand and _is_signed(text, self.value) else text


@dataclass(frozen=True, eq=False)
class Partial:
    """A partial derivative, ∂f/∂x, and its value where that is known."""

    of: str
    by: str
    value: Any = None

    def __str__(self) -> str:
        return f"∂{self.of}/∂{self.by}"


Filling = str | Name | Number | Partial

# Letters that no op's formula uses stand for its inputs until they are replaced: a name cannot be mistaken
# for a part of the formula, whatever the user called it.
_PLACES = [chr(0x20000 + i) for i in range(MANY + 2)]


@dataclass(frozen=True, eq=False)
class Formula:
    """A formula of the table of ops, and what stands in it for the inputs, the output and the upstream gradient.

    ``inputs`` are those that are shown, by their positions.

    >>> str(Formula(r"\\frac{1}{2 \\cdot z}", {0: "q"}, "f"))
    '1 / (2 · f)'
    >>> str(Formula("x - y", {0: Number("value", "a", -1.0), 1: Number("value", "b", -2.0)}, "f"))
    '-1 - (-2)'
    """

    latex: str
    inputs: Mapping[int, Filling]
    output: Filling
    upstream: Filling = "g"

    @cached_property
    def written(self) -> str:
        """The formula in LaTeX, worked out as far as constants among its inputs allow."""
        constants = {
            letter: number(part.value)
            for i, letter in enumerate("xywv")
            if isinstance(part := self.inputs.get(i), Name) and part.constant and np.ndim(part.value) == 0
        }
        return _with_constants(self.latex, {k: v for k, v in constants.items() if re.fullmatch(r"-?[\d.]+", v)})

    @cached_property
    def _tree(self) -> tuple[Tree, dict[str, Filling]]:
        """The formula with a letter for each place, and what fills these."""
        filled = dict(zip(_PLACES, [*self.inputs.values(), self.output, self.upstream], strict=False))
        *places, output, upstream = filled
        named = letters(dict(zip(self.inputs, places, strict=True)), output, upstream)
        return typeset.read(substitute(self.written, named)), filled

    @cached_property
    def _pieces(self) -> list[tuple[bool, Filling]]:
        """The formula in Unicode, piece by piece: whether it fills a place, and what it is."""
        tree, filled = self._tree
        pieces = re.split(f"([{_PLACES[0]}-{_PLACES[-1]}])", typeset.text(tree))
        found: list[tuple[bool, Filling]] = []
        for i, piece in enumerate(pieces):
            part = filled.get(piece, piece)
            if isinstance(part, Number | Name) and not _stands_free("".join(pieces[:i]), "".join(pieces[i + 1 :])):
                part = replace(part, operand=True)
            found.append((piece in filled, part))
        return found

    @property
    def parts(self) -> tuple[Filling, ...]:
        """The formula in Unicode: text, with what fills it in its places."""
        return tuple(part for _, part in self._pieces if part != "")

    def mathml(self, write: Callable[[Filling], Markup]) -> list[Markup]:
        """The formula in MathML; ``write`` says how what fills it is written."""
        filling = iter([part for is_place, part in self._pieces if is_place])
        tree, filled = self._tree

        def fill(name: str, alone: bool) -> Markup | None:
            if name not in filled:
                return None
            part = next(filling)
            return write(replace(part, operand=False) if alone and isinstance(part, Number | Name) else part)

        return typeset.mathml(tree, fill)

    @cached_property
    def _text(self) -> str:
        return "".join(map(str, self.parts))

    def __str__(self) -> str:
        return self._text


def written(part: Filling) -> Markup:
    """What fills a formula, in MathML."""
    if isinstance(part, Partial):
        return ["mfrac", ["mrow", ["mo", "∂"], ["mi", part.of]], ["mrow", ["mo", "∂"], ["mi", part.by]]]
    if isinstance(part, Number) or (isinstance(part, Name) and part.constant):
        return ["mn", str(part).replace("-", "−")]
    return ["mi", str(part)]


# What narration consists of: words, and what each view writes in its own way.
Part = Filling | Formula


def _stands_free(before: str, after: str) -> bool:
    """Whether what stands between two pieces of a formula may begin with a minus."""
    return (not before or before.endswith(("(", "[", "|", ", "))) and (not after or after.startswith(tuple(" )]|,")))
