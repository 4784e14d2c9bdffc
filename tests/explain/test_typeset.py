"""Formulas are read once: their text, their MathML and their LaTeX say the same."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from autograd_core import REGISTRY, Tensor, explain
from autograd_core.explain.formula import Formula, number
from autograd_core.explain.page.live import rules_shown
from autograd_core.explain.typeset import element, mathml, read, text
from autograd_core.op import COMPOSED


def linear(node):
    """A formula in a line again, read from its MathML by another hand."""
    parts = [linear(child) for child in node]
    alone = [re.fullmatch(r"√?[\w.∂]+|\([^()]*\)", part) for part in parts]
    of_one = [child.tag != "mrow" or part[0] == "(" for child, part in zip(node, parts, strict=True)]
    grouped = [p if ok and one else f"({p})" for p, ok, one in zip(parts, alone, of_one, strict=True)]
    match node.tag:
        case "mfrac":
            return "½" if parts == ["1", "2"] else "/".join(grouped)
        case "msqrt":
            return f"√{grouped[0]}"
        case "mroot":
            return f"∛{grouped[0]}"
        case "msub":
            return f"{parts[0]}_{parts[1]}"
        case "msup":
            raised = parts[1].translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
            return parts[0] + (raised if re.fullmatch("[\\d-]+|-?ᵀ", parts[1]) else f"^{grouped[1]}")
    signs = {"−": "-", "⊤": "ᵀ", "∑": "Σ"}
    return signs.get(node.text, node.text or "") + "".join(parts)


def formulas():
    for entry in (*REGISTRY.values(), *COMPOSED.values()):
        yield entry.latex
        yield from getattr(entry, "formulas", ())


@pytest.mark.parametrize("latex", sorted({*formulas()}))
def test_text_and_mathml_say_the_same_of_every_op(latex):
    told = text(read(latex))
    assert "\\" not in told
    assert told.count("(") == told.count(")")
    found = ET.fromstring(element(["math", *mathml(read(latex))]))
    indices = re.sub(r"(?<=[\w∏Σ⋆])\[([^\]]*)\]", r"_\1", told)
    assert re.sub(r"\s", "", linear(found)) == re.sub(r"\s", "", indices)


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        (r"\frac{1}{(x + y) \cdot (x - y)}", "1 / ((x + y) · (x - y))"),  # and not 1 / (x + y) · (x - y)
        (r"e^{-x \cdot y}", "e^(-x · y)"),
        (r"x^{-\mathsf T} g\, z^{\mathsf T}", "x⁻ᵀ @ g @ zᵀ"),
        (r"(x + y)^2", "(x + y)²"),
        (r"x^12", "x¹2"),
        (r"\left\lVert x \right\rVert", "‖x‖"),
        (r"[x > y] + \tfrac{1}{2}[x = y]", "[x > y] + ½ · [x = y]"),
        (r"(x", "(x"),
        ("", ""),
    ],
)
def test_a_formula_in_one_line(latex, said):
    assert text(read(latex)).replace("‖ x ‖", "‖x‖") == said


@pytest.mark.parametrize(
    ("power", "value", "local"),
    [
        (2, "x²", "2 · x"),
        (3, "x³", "3 · x²"),
        (1, "x¹", "1"),
        (-1, "x⁻¹", "-x⁻²"),
        (0.5, "x^0.5", "0.5 · x^(-0.5)"),
        (0, "x⁰", "0 · x⁻¹"),
    ],
)
def test_a_constant_exponent_is_worked_out(power, value, local):
    x = Tensor(3.0, name="x")
    steps = explain(np.power(x, power), names={})
    forward, backward = steps.narration
    assert (str(forward.formula), str(backward.formula)) == (value, local)
    assert f"∂f/∂x = {local} = " in "".join(map(str, backward.sentence)) or local == "1"
    assert str(power) not in ("2",) or r"2 \cdot {x}" in steps.to_latex()


def test_a_rule_as_it_runs_is_worked_out_too():
    x = Tensor(3.0, name="x")
    (value,) = (v for v in explain(np.power(x, 2), names={}).values.values() if v.op is not None)
    assert text(read(next(rules_shown(value)))) == "g · (2 · x)"


def test_numbers_that_are_not_constant_stay_as_they_are():
    x, y = Tensor(3.0, name="x"), Tensor(2.0, name="y")
    forward, *backward = explain(x**y, names={}).narration
    assert str(forward.formula) == "x^y"
    assert str(forward.numbers) == "3^2"
    assert [str(step.formula) for step in backward] == ["y · x^(y - 1)", "x^y · ln x"]


def test_a_zero_has_no_sign_and_what_rounding_left_is_zero_in_a_gradient_alone():
    assert (number(-0.0), number(-0.0, exact=True), number(np.array([-0.0, 1.0]))) == ("0", "0.0", "[0, 1]")
    left = np.array([1.0, 1e-18, -3e-17])
    assert number(left, gradient=True) == "[1, 0, 0]"
    assert number(left) == "[1, 1e-18, -3e-17]"  # a probability may be as small as that
    assert number(np.array([1e-18, 2e-18]), gradient=True) == "[1e-18, 2e-18]"  # and a gradient that vanished
    assert number(np.array([np.inf, 1e-300, np.nan]), gradient=True) == "[inf, 1e-300, nan]"
    assert number(np.float32([1, 1e-8]), gradient=True) == "[1, 0]"
    wave = np.sin(np.arange(12) * np.pi / 6)
    assert abs(wave.mean()) > 0  # but only by rounding
    assert number(wave).endswith("mean 0]")


def test_names_are_no_part_of_a_formula():
    hostile = Formula(r"\frac{x}{y}", {0: r"\frac{a}{b}", 1: "x^2 & <y>"}, "z")
    assert str(hostile) == r"\frac{a}{b} / x^2 & <y>"
    markup = element(["math", *hostile.mathml(lambda part: ["mi", str(part)])])
    assert markup == r"<math><mfrac><mi>\frac{a}{b}</mi><mi>x^2 &amp; &lt;y&gt;</mi></mfrac></math>"
