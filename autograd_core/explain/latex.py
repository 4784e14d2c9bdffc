"""Steps as a derivation in LaTeX: each value computed, then each gradient by the chain rule, with its numbers."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np

from .formula import (
    FEW,
    Filling,
    Formula,
    Number,
    Partial,
    letters,
    number,
    outline,
    shape,
    substitute,
    without_residue,
)
from .narration import Backward, Forward, Product, Unbroadcast, VectorJacobian

if TYPE_CHECKING:
    from .steps import Steps

_TOGETHER = 500

PREAMBLE = r"""\documentclass{article}
\usepackage{amsmath,amssymb}
\allowdisplaybreaks
\begin{document}
"""


def to_latex(steps: Steps) -> str:
    """A document that compiles as it is; the derivation stands between its two ``align*``."""
    lines = [f"{name(leaf)} &{_is(v)}" for leaf, v in steps.leaves.items()]
    received: dict[str, list[Backward]] = {receiver: [] for receiver in steps.gradients}
    for step in steps.narration:
        if isinstance(step, Forward):
            lines.append(_forward(step))
        else:
            received[step.name].append(step)
    backward = [f"{_partial(steps.result, steps.result)} &{_is(steps.seed)}"]
    backward += [_chain_rule(found, steps.gradients[by]) for by, found in received.items() if found]
    return "\n".join(
        (
            PREAMBLE,
            r"\section*{Forward}",
            _aligned(lines),
            r"\section*{Backward}",
            r"Each gradient is the sum, over the uses of a value, of upstream times local.",
            _aligned(backward),
            r"\end{document}",
            "",
        )
    )


def _aligned(lines: list[str]) -> str:
    """Lines under each other; TeX holds an environment whole in its memory, so that of many there are several."""
    parts = [lines[i : i + _TOGETHER] for i in range(0, len(lines), _TOGETHER)]
    return "\n".join("\\begin{align*}\n" + " \\\\\n".join(part) + "\n\\end{align*}" for part in parts)


def _forward(step: Forward) -> str:
    parts = [name(step.name), "&=", _written(step.formula)]
    if step.settings:
        parts.append(rf"\ \text{{({_words(step.settings)})}}")
    if step.numbers is not None:
        parts += ["=", _written(step.numbers)]
    return " ".join((*parts, _is(step.value.value)))


def _chain_rule(received: list[Backward], gradient: Any) -> str:
    """The sum of what a value receives; in numbers as well, where all are single ones."""
    symbolic: list[str] = []
    numeric: list[str] = []
    for step in received:
        if isinstance(step, Unbroadcast):
            symbolic[-1] = rf"\sum_{{\text{{copies}}}} {symbolic[-1]}"
        elif isinstance(step, VectorJacobian):
            symbolic.append(_written(step.formula, shapes=True))
        elif isinstance(step, Product):
            local = _partial(step.by.of, step.by.by)
            times = r"\cdot" if np.ndim(step.local.value) == 0 else r"\odot"
            factor = _written(step.formula)
            if len(step.formula.latex) > 1:
                factor = rf"\left({factor}\right)"
            upstream = _partial(step.arrives.of, step.arrives.by)
            symbolic.append(rf"{upstream} {times} \underbrace{{{factor}}}_{{{local}}}")
            if np.ndim(step.upstream.value) == 0 == np.ndim(step.local.value):
                numeric.append(rf"{_operand(step.upstream.value)} \cdot {_operand(step.local.value)}")
    wanted = received[0].wanted
    lines = [rf"{_partial(wanted.of, wanted.by)} &= {_sum(symbolic)}"]
    if len(numeric) == len(received):
        lines.append(f"&= {_sum(numeric)}")
    return " \\\\\n".join((*lines, f"&{_is(without_residue(gradient))}"))


def _sum(terms: list[str]) -> str:
    named = [terms[i] for i in outline(len(terms))]
    if len(named) < len(terms):
        named.insert(-1, r"\cdots")
    return " + ".join(named)


def _partial(of: str, by: str) -> str:
    return rf"\frac{{\partial {name(of)}}}{{\partial {name(by)}}}"


def _written(formula: Formula, shapes: bool = False) -> str:
    """A formula of the table of ops with what stands for its letters."""
    inputs = {i: _part(part, shapes) for i, part in formula.inputs.items()}
    upstream = _part(formula.upstream, shapes)
    if "g_i" in formula.latex:
        upstream = rf"\left({upstream}\right)"
    named = letters(inputs, _part(formula.output, shapes), upstream)
    return substitute(formula.written, {letter: f"{{{text}}}" for letter, text in named.items()})


def _part(part: Filling, shapes: bool) -> str:
    """What fills a formula: a name, a small constant as its numbers, a large one as C; with its shape if asked for."""
    if isinstance(part, Number):
        return _operand(part.value)
    if isinstance(part, Partial):
        text = _partial(part.of, part.by)
        return _shaped(text, part.value) if shapes else text
    if isinstance(part, str):
        return name(part)
    if part.constant and np.size(part.value) <= FEW and np.ndim(part.value) <= 2:
        return _operand(part.value)
    if part.constant:
        return _shaped("C", part.value)
    return _shaped(name(part.text), part.value) if shapes else name(part.text)


def _shaped(text: str, array: Any) -> str:
    return rf"\underset{{{_shape(array)}}}{{{text}}}" if np.ndim(array) else text


def _shape(array: Any) -> str:
    return shape(array).replace("×", r" \times ")


def _is(array: Any) -> str:
    """A value after its name: equal to a number, a vector or a matrix, or in the space that a large one lies in."""
    if np.ndim(array) == 0 or (np.ndim(array) <= 2 and 0 < np.size(array) <= FEW):
        return f"= {_value(array)}"
    return rf"\in \mathbb{{R}}^{{{_shape(array)}}}"


def _value(array: Any) -> str:
    """A number, a vector or a matrix."""
    if np.ndim(array) == 0:
        text = number(array)
        mantissa, e, exponent = text.partition("e")
        if e and exponent.lstrip("+-").isdigit():
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
        words = {"nan": r"\text{NaN}", "inf": r"\infty", "-inf": r"-\infty"}
        return words.get(text, rf"\text{{{text}}}" if text.isalpha() or " " in text else text)
    rows = [" & ".join(map(_value, row)) for row in np.atleast_2d(array)]
    return r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"


def _operand(array: Any) -> str:
    text = _value(array)
    return rf"\left({text}\right)" if text.startswith("-") or "cdot" in text else text


_SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "~": r"\textasciitilde ",
    "^": r"\textasciicircum ",
    "\\": r"\textbackslash ",
    "<": r"\textless ",
    ">": r"\textgreater ",
}


def name(text: str) -> str:
    """A user's name in math: one letter as it is, ``x0`` with an index, words upright, Greek letters by name."""
    match = re.fullmatch(r"(\w)_?(\d*)", text)
    letter = match[1] if match and match[1].isascii() else _greek_letter(match[1]) if match else ""
    if match and letter.strip("0123456789_"):
        return f"{letter}_{{{match[2]}}}" if match[2] else letter
    return rf"\text{{{_words(text)}}}"


def _words(text: str) -> str:
    return "".join(map(_character, text))


_GREEK = re.findall(
    r"\w+",
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega",
)


def _greek_letter(c: str) -> str:
    r"""``\alpha`` for α; nothing for what LaTeX has no command for."""
    words = unicodedata.name(c, "").split()  # GREEK SMALL LETTER ALPHA
    word = words[-1].lower().replace("lamda", "lambda") if words[:1] == ["GREEK"] else ""
    word = word.capitalize() if words[1:2] == ["CAPITAL"] else word
    return f"\\{word} " if word in _GREEK else ""


def _character(c: str) -> str:
    if c in _SPECIAL:
        return _SPECIAL[c]
    if c.isascii():
        return c if c.isprintable() else " "
    greek = _greek_letter(c)
    return f"${greek}$" if greek else f"[U+{ord(c):04X}]"
