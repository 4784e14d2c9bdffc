"""Steps as a derivation in LaTeX: each value computed, then each gradient by the chain rule, with its numbers."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np

from .formula import letters, number, substitute, told, uses_upstream
from .values import Value, constant

if TYPE_CHECKING:
    from .steps import Step, Steps

_SMALL = 6
_TOGETHER = 500

PREAMBLE = r"""\documentclass{article}
\usepackage{amsmath,amssymb}
\allowdisplaybreaks
\begin{document}
"""


def to_latex(steps: Steps) -> str:
    """A document that compiles as it is; the derivation stands between its two ``align*``."""
    forward = [_forward(steps, step) for step in steps if step.kind == "forward"]
    given = [f"{name(leaf)} &= {value(v)}".replace("&= \\in", "&\\in") for leaf, v in steps.leaves.items()]
    backward = [rf"{_partial(steps.result, steps.result)} &= {value(steps.seed)}"]
    received: dict[str, list[Step]] = {receiver: [] for receiver in steps.gradients}
    for step in steps:
        if step.kind != "forward":
            received[step.name].append(step)
    backward += [_chain_rule(steps, receiver, found) for receiver, found in received.items() if found]
    return "\n".join(
        (
            PREAMBLE,
            r"\section*{Forward}",
            _aligned(given + forward),
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


def _forward(steps: Steps, step: Step) -> str:
    node = steps.values[step.name]
    names = _inputs(node)
    parts = [_with(step.expression, names, name(step.name))]
    if all(np.ndim(arg) == 0 for arg in node.args):
        parts.append(_with(step.expression, [_operand(arg) for arg in node.args], ""))
    parts.append(value(step.value))
    parts = [part for part, before in zip(parts, ["", *parts], strict=False) if part != before]
    return f"{name(step.name)} &= " + " = ".join(parts).replace("= \\in", "\\in")


def _chain_rule(steps: Steps, receiver: str, received: list[Step]) -> str:
    f = steps.result
    symbolic: list[str] = []
    numeric: list[str] = []
    scalar = True
    for step in received:
        if step.kind == "unbroadcast":
            symbolic[-1] = rf"\sum_{{\text{{copies}}}} {symbolic[-1]}"
            continue
        upstream = _partial(f, step.output)
        if step.local is None:
            inputs = _inputs(steps.values[step.output], shapes=True)
            symbolic.append(_handed_back(step.formula, inputs, name(step.output), _shaped(upstream, step.upstream)))
            scalar = False
        else:
            local = _with(step.formula, _inputs(steps.values[step.output]), name(step.output))
            times = r"\cdot" if np.ndim(step.local) == 0 else r"\odot"
            brace = rf"\underbrace{{\left({local}\right)}}_{{{_partial(step.output, step.name)}}}"
            symbolic.append(rf"{upstream} {times} {brace}")
            numeric.append(rf"{_operand(step.upstream)} \cdot {_operand(step.local)}")
            scalar = scalar and np.ndim(step.upstream) == 0 == np.ndim(step.local)
    lines = [rf"{_partial(f, receiver)} &= {_sum(symbolic)}"]
    if scalar:
        lines.append(f"&= {_sum(numeric)}")
    lines.append("&= " + value(received[-1].total))
    return " \\\\\n".join(lines).replace("&= \\in", "&\\in")


def _sum(terms: list[str]) -> str:
    named = [terms[i] for i in told(len(terms))]
    if len(named) < len(terms):
        named.insert(-1, r"\cdots")
    return " + ".join(named)


def _handed_back(formula: str, inputs: list[str], output: str, upstream: str) -> str:
    """A gradient that is no product element by element: of matrices, moved, or summed over the output."""
    if uses_upstream(formula):
        return _with(formula, inputs, output, upstream)
    if formula == "1":
        return rf"{upstream} \text{{ with each element back in its place}}"
    return rf"\sum_i \left({upstream}\right)_i \cdot \left({_with(formula, inputs, output)}\right)"


def _partial(of: str, by: str) -> str:
    return rf"\frac{{\partial {name(of)}}}{{\partial {name(by)}}}"


def _with(formula: str, inputs: list[str], output: str, upstream: str = "g") -> str:
    """A formula of the table of ops with what stands for its letters."""
    named = letters(inputs, output, upstream)
    return substitute(formula, {letter: f"{{{text}}}" for letter, text in named.items()})


def _shaped(text: str, array: Any) -> str:
    if np.ndim(array) == 0:
        return text
    return rf"\underset{{{_shape(array)}}}{{{text}}}"


def _shape(array: Any) -> str:
    return r" \times ".join(str(n) for n in np.shape(array))


def _inputs(node: Value, shapes: bool = False) -> list[str]:
    """What stands for the inputs of an op that are told: names, small constants as numbers, large ones as C."""
    found = [""] * len(node.inputs)
    for i in told(len(found)):
        text, parent, arg = node.inputs[i], node.parents[i], node.args[i]
        unnamed = parent is None and text == constant(arg)
        if unnamed and np.size(arg) <= _SMALL and np.ndim(arg) <= 2:
            found[i] = value(arg)
        elif unnamed:
            found[i] = _shaped("C", arg)
        else:
            found[i] = _shaped(name(text), arg) if shapes else name(text)
    return found


def value(array: Any) -> str:
    """A number, a small vector or matrix, or the space that a large one lies in."""
    if np.ndim(array) == 0:
        text = number(array)
        mantissa, e, exponent = text.partition("e")
        if e and exponent.lstrip("+-").isdigit():
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
        words = {"nan": r"\text{NaN}", "inf": r"\infty", "-inf": r"-\infty"}
        return words.get(text, rf"\text{{{text}}}" if text.isalpha() or " " in text else text)
    a = np.asarray(array)
    if a.ndim <= 2 and 0 < a.size <= _SMALL:
        rows = np.atleast_2d(a)
        return r"\begin{pmatrix} " + r" \\ ".join(" & ".join(value(v) for v in row) for row in rows) + r" \end{pmatrix}"
    return rf"\in \mathbb{{R}}^{{{_shape(a)}}}"


def _operand(array: Any) -> str:
    text = value(array)
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
    return r"\text{" + "".join(_character(c) for c in text) + "}"


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
