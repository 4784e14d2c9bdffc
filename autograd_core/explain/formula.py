"""Formulas and numbers as text: the little LaTeX that ops are described in, as one line of Unicode."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays import to_numpy

FEW = 6  # elements of an array that are still worth reading one by one
MANY = 8  # and inputs of an op
_UPSTREAM = re.compile(r"(?<![a-zA-Z\\])g(?![a-zA-Z])")


def number(value: Any, exact: bool = False, digits: int = 4) -> str:
    """A number in six digits (all of them when ``exact``), a small array in brackets, a large one in outline.

    ``digits`` are those of a number in an array.

    >>> number(0.1 + 0.2), number(0.1 + 0.2, exact=True), number(None)
    ('0.3', '0.30000000000000004', 'not computed')
    >>> number(np.ones((3, 4)))
    '[3×4, all 1]'
    """
    if value is None:
        return "not computed"
    array = np.asarray(to_numpy(value))
    if array.ndim == 0:
        return repr(array.item()) if exact else f"{array.item():.6g}"
    if array.size <= (4 if exact else 1) * FEW:
        form = "" if exact else f".{digits}g"
        text = np.array2string(array, separator=", ", formatter={"float_kind": lambda v: format(v, form)})
        return " ".join(text.split())
    low, high = array.min() + 0.0, array.max() + 0.0  # no minus before a zero
    if low == high:
        return f"[{shape(array)}, all {low:.4g}]"
    return f"[{shape(array)}, from {low:.4g} to {high:.4g}, mean {array.mean():.4g}]"


def summary(value: Any) -> str:
    """A number, a handful of numbers, or the shape of an array with its range.

    >>> summary(np.array([1.0, 2.5])), summary(np.arange(12.0).reshape(3, 4)), summary(np.zeros((4, 2)))
    ('[1, 2.5]', '3×4, 0 to 11', '4×2, all 0')
    """
    if np.ndim(value) == 0:
        return number(value)
    array = np.asarray(value)
    if not array.size:
        return f"{shape(array)}, empty"
    if array.size <= 3:
        return number(array, digits=3)
    low, high = array.min() + 0.0, array.max() + 0.0
    return f"{shape(array)}, all {low:.3g}" if low == high else f"{shape(array)}, {low:.3g} to {high:.3g}"


def shape(value: Any) -> str:
    """``4×2``; nothing for a single number."""
    return "×".join(str(n) for n in np.shape(value))


def uses_upstream(formula: str) -> bool:
    """Whether a formula is the whole product, written with g, and not a local derivative to multiply g by."""
    return _UPSTREAM.search(formula) is not None


_COMMANDS = {
    r"\cdot": "·",
    r"\times": "×",
    r"\sigma": "σ",
    r"\sum": "Σ",
    r"\prod": "∏",
    r"\neg": "not ",
    r"\pi": "π",
    r"\infty": "∞",
    r"\lfloor": "⌊",
    r"\rfloor": "⌋",
    r"\lceil": "⌈",
    r"\rceil": "⌉",
    r"\lVert": "‖",
    r"\rVert": "‖",
    r"\bmod": "mod",
    r"\ge": "≥",
    r"\le": "≤",
    r"\in": "∈",
    r"\dots": "…",
    r"\,": " ",
    r"\#": "#",
    r"\_": "_",
    r"\{": "{",
    r"\}": "}",
    r"\left": "",
    r"\right": "",
}
_SUPERSCRIPT = str.maketrans("0123456789-T", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ")


def outline(count: int) -> Sequence[int]:
    """Which of so many inputs, or terms, a formula shows: of more than a few the first three and the last.

    >>> list(outline(2)), list(outline(3000))
    ([0, 1], [0, 1, 2, 2999])
    """
    return range(count) if count <= MANY else (0, 1, 2, count - 1)


def letters(inputs: Mapping[int, str], output: str, upstream: str) -> dict[str, str]:
    """What stands for the letters of a formula of the table of ops."""
    named = {letter: inputs[i] for i, letter in enumerate("xyw") if i in inputs} | {"z": output, "g": upstream}
    return named | {f"x_{{{i + 1}}}": text for i, text in inputs.items()}


def substitute(latex: str, names: Mapping[str, str]) -> str:
    """``latex`` with its letters replaced by names; the letters in commands stay."""

    def replaced(token: re.Match[str]) -> str:
        return names.get(token[0], token[0])

    return re.sub(r"\\(?:operatorname|text)\{[^}]*\}|\\[a-zA-Z]+|\\.|x_\{\d+\}|[a-zA-Z]+", replaced, latex)


def plain(latex: str) -> str:
    """The subset of LaTeX that the table of ops uses, as Unicode text on one line."""
    text = (
        re.sub(r"\\(?:operatorname|text)\{([^}]*)\}", r"\1", latex)
        .replace(r"\mathsf T", "T")
        .replace(r"\tfrac{1}{2}", "½ · ")
    )
    text = re.sub(r"(?<=[\w)\]])\s*\\,\s*(?=[\w(\[])", " @ ", text)  # factors side by side are matrices
    for _ in range(8):  # from the inside out: each pass unpacks one level of braces
        before = text
        text = re.sub(r"\^(\w)", lambda m: _raised(m[1]), text)
        text = re.sub(r"\\t?frac\{([^{}]*)\}\{([^{}]*)\}", lambda m: f"{_grouped(m[1])} / {_grouped(m[2])}", text)
        text = re.sub(r"\\sqrt\{([^{}]*)\}", lambda m: f"√{_grouped(m[1])}", text)
        text = re.sub(r"\^\{([^{}]*)\}", lambda m: _raised(m[1]), text)
        text = re.sub(r"_\{([^{}]*)\}", r"[\1]", text)
        if text == before:
            break
    text = re.sub(r"(?<=[\w)\]]ᵀ) (?=[\w(∂])", " @ ", text)
    for command, character in _COMMANDS.items():
        text = re.sub(re.escape(command) + (r"(?![a-zA-Z])" if command[-1].isalpha() else ""), character, text)
    text = re.sub(r"\\([a-zA-Z]+)", r"\1", text)
    return " ".join(text.split())


def _grouped(text: str) -> str:
    """Parentheses around what is more than one name or number."""
    return text if re.fullmatch(r"[\w.∂]+|\(.*\)", text) else f"({text})"


def _raised(text: str) -> str:
    """An exponent, in superscript where Unicode has it."""
    return text.translate(_SUPERSCRIPT) if re.fullmatch(r"[\d-]+|T", text) else f"^{_grouped(text)}"


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
        return f"({self.text})" if self.operand and self.constant and self.text.startswith("-") else self.text


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
        text = number(self.value)
        return f"({text})" if self.operand and text.startswith("-") else text


@dataclass(frozen=True, eq=False)
class Partial:
    """A partial derivative, ∂f/∂x, and its value where that is known."""

    of: str
    by: str
    value: Any = None

    def __str__(self) -> str:
        return f"∂{self.of}/∂{self.by}"


Part = str | Name | Number | Partial

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
    inputs: Mapping[int, Part]
    output: Part
    upstream: Part = "g"

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The formula in Unicode: text, with what fills it in its places."""
        filled = dict(zip(_PLACES, [*self.inputs.values(), self.output, self.upstream], strict=False))
        *places, output, upstream = filled
        text = plain(substitute(self.latex, letters(dict(zip(self.inputs, places, strict=True)), output, upstream)))
        pieces = re.split(f"([{_PLACES[0]}-{_PLACES[-1]}])", text)
        parts: list[Part] = []
        for i, piece in enumerate(pieces):
            part = filled.get(piece, piece)
            if isinstance(part, Number | Name) and not _stands_free("".join(pieces[:i]), "".join(pieces[i + 1 :])):
                part = replace(part, operand=True)
            if part != "":
                parts.append(part)
        return tuple(parts)

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


def _stands_free(before: str, after: str) -> bool:
    """Whether what stands between two pieces of a formula may begin with a minus."""
    return (not before or before.endswith(("(", "[", "|", ", "))) and (not after or after.startswith(tuple(" )]|,")))
