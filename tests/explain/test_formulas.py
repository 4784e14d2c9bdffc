"""The formulas that people are shown are those of the rules that run."""

import math
import re

import numpy as np
import pytest

from autograd_core import REGISTRY, op
from autograd_core.explain.symbol import Symbol, Untraceable, letters, trace, trace_rule

POINTS = 40


def domains(o):
    given = o.domain if isinstance(o.domain, tuple | list) else (o.domain,) * (o.arity or 1)
    return [given[i] if i < len(given) else None for i in range(o.arity or 1)]


def points(o, rng):
    """Values for each argument, inside its domain."""
    for domain in domains(o):
        values = rng.uniform(-3, 3, POINTS)
        if domain is not None and np.isfinite(domain.low):
            high = domain.high if np.isfinite(domain.high) else domain.low + 3
            values = rng.uniform(domain.low + 0.05, high - 0.05, POINTS)
        yield values


def elementwise():
    """The ops that compute one number from one or two, which are those that the table of derivatives lists."""
    for name, o in REGISTRY.items():
        if o.broadcasts and o.arity in (1, 2) and name not in ("matmul", "solve", "nan_to_num", *PARTS):
            yield name


PARTS = ("real", "imag", "conj")  # of complex numbers, which tests/ops/test_complex.py judges


def of_numbers():
    """Those of them whose rules can be traced, so that the page can compute them."""
    for name in elementwise():
        o = REGISTRY[name]
        try:
            trace(o), *(trace_rule(o, i) for i in range(o.arity))
        except Untraceable:
            continue
        yield name


# LaTeX that SymPy's parser does not know, and what it means.
REWRITTEN = [
    (r"\\operatorname\{(arsinh|arcosh|artanh)\}", r"\\\1 "),
    (r"\\left\|(.*?)\\right\|", r"|\1|"),
    (r"\\sigma\((.*?)\)", r"\\frac{1}{1 + e^{-(\1)}}"),
]
FUNCTIONS = {
    "sign": np.sign,
    "trunc": np.trunc,
    "round": np.rint,
    "arctan2": np.arctan2,
    "fmod": np.fmod,
    "heaviside": np.heaviside,
    "max": np.maximum,
    "min": np.minimum,
    "bmod": np.remainder,
    "erf": np.vectorize(math.erf),
    "erfc": np.vectorize(math.erfc),
}
COMPARED = {">": np.greater, "<": np.less, "=": np.equal}


def judged(sympy, latex, values):
    """What SymPy reads in a formula, in numbers."""
    values = {**values, "0": np.zeros(POINTS)}
    unused = iter("abcdkmpqrs")

    def stands_for(value):
        letter = next(unused)
        values[letter] = np.asarray(value, float)
        return f" {letter} "

    for pattern, replacement in REWRITTEN:
        latex = re.sub(pattern, replacement, latex)
    latex = re.sub(r"\[(\w) ([<>=]) (\w)\]", lambda m: stands_for(COMPARED[m[2]](values[m[1]], values[m[3]])), latex)
    latex = re.sub(
        r"\\(?:operatorname\{)?(arctan2|fmod|heaviside|max|min)\}?\((\w), (\w|0)\)",
        lambda m: stands_for(FUNCTIONS[m[1]](values[m[2]], values[m[3]])),
        latex,
    )
    latex = re.sub(
        r"\\operatorname\{(sign|trunc|round|erfc?)\} (?:(\w)|\\frac\{(\w)\}\{(\w)\})",
        lambda m: stands_for(FUNCTIONS[m[1]](values[m[2]] if m[2] else values[m[3]] / values[m[4]])),
        latex,
    )
    latex = re.sub(r"(\w) \\bmod (\w)", lambda m: stands_for(np.remainder(values[m[1]], values[m[2]])), latex)
    latex = re.sub(r"\\sqrt\[3\]\{(\w)\}", lambda m: stands_for(np.cbrt(values[m[1]])), latex)  # SymPy's is complex
    expression = sympy.parsing.latex.parse_latex(latex)
    expression = expression.subs({"e": sympy.E, "pi": sympy.pi}).doit()
    names = sorted(expression.free_symbols, key=str)
    assert {str(n) for n in names} <= set(values), f"{latex} was read as {expression}"
    function = sympy.lambdify(names, expression, "numpy")
    return np.broadcast_to(function(*(values[str(n)] for n in names)), (POINTS,)).astype(float)


@pytest.fixture
def sympy(judge):
    judge("antlr4")
    judge("sympy.parsing.latex")
    return judge("sympy")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", list(elementwise()))
def test_the_formulas_shown_are_those_of_the_rules(sympy, name):
    o = REGISTRY[name]
    values = dict(zip("xy", points(o, np.random.default_rng(0)), strict=False))
    z = np.asarray(o(*values.values()), float)
    np.testing.assert_allclose(judged(sympy, o.latex, values), z, rtol=1e-9, atol=1e-12)
    for i in range(o.arity):
        local = o.rules[i](np.ones_like(z), z, *values.values())
        np.testing.assert_allclose(judged(sympy, o.formulas[i], {**values, "z": z}), local, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", list(of_numbers()))
def test_a_traced_rule_computes_what_the_rule_computes(name):
    o = REGISTRY[name]
    rng = np.random.default_rng(1)
    inputs = list(points(o, rng))
    values = dict(zip(letters(o, o.arity), inputs, strict=True))
    z, g = o(*inputs), rng.normal(size=POINTS)
    np.testing.assert_array_equal(trace(o).evaluate(values), z)
    for i in range(o.arity):
        shown = trace_rule(o, i).evaluate({**values, "z": z, "g": g})
        np.testing.assert_allclose(shown, o.rules[i](g, z, *inputs), rtol=1e-15)
        local = trace_rule(o, i, g=1).evaluate({**values, "z": z})
        np.testing.assert_allclose(local, o.rules[i](np.ones_like(z), z, *inputs), rtol=1e-15)


def test_the_table_of_derivatives_is_covered():
    assert {
        "add",
        "subtract",
        "multiply",
        "divide",
        "power",
        "exp",
        "log",
        "tanh",
        "sigmoid",
        "relu",
        "maximum",
    } <= set(of_numbers())


def traced(rule):
    return rule(*(Symbol(name) for name in "xyz"))


@pytest.mark.parametrize(
    ("rule", "latex"),
    [
        (lambda x, y, z: (x + y) * z, r"(x + y) \cdot z"),
        (lambda x, y, z: x - (y - z), "x - (y - z)"),
        (lambda x, y, z: (x - y) - z, "x - y - z"),
        (lambda x, y, z: -(x * y), r"-x \cdot y"),
        (lambda x, y, z: -(x + y), "-(x + y)"),
        (lambda x, y, z: (x / y) ** 2, r"(\frac{x}{y})^{2}"),
        (lambda x, y, z: np.exp(-x), "e^{-x}"),
        (lambda x, y, z: x * -2, r"x \cdot (-2)"),
        (lambda x, y, z: np.sin(x) * np.sin(x + y), r"\sin x \cdot (\sin (x + y))"),
        (lambda x, y, z: 1 * x / 1, "x"),
    ],
)
def test_parentheses_stand_where_they_are_needed_only(rule, latex):
    assert traced(rule).latex() == latex


def test_what_is_used_twice_is_computed_once_in_javascript():
    def rule(x, y, z):
        e = np.exp(x)
        return e / (1 + e)

    assert traced(rule).function("x") == "(x) => { const t0 = Math.exp(x); return (t0 / (1 + t0)); }"


def test_numbers_keep_all_their_digits_in_javascript():
    assert traced(lambda x, y, z: x * 0.1 + 1e-300).javascript() == "((x * 0.1) + 1e-300)"
    assert traced(lambda x, y, z: x + np.inf).javascript() == "(x + Infinity)"
    assert traced(lambda x, y, z: x + -2.0).javascript() == "(x + (-2))"


@pytest.mark.parametrize("untraceable", [lambda x: x if x > 0 else -x, np.i0, np.linalg.inv, lambda x: x[0], np.cumsum])
def test_what_is_no_formula_is_said_to_be_none(untraceable):
    o = op("x")(lambda x: untraceable(x))
    try:
        with pytest.raises(Untraceable):
            trace(o)
    finally:
        del REGISTRY[o.name]


def test_an_op_of_ones_own_is_traced_like_any_other():
    @op("x^3")
    def test_cube(x):
        return x * x * x

    @test_cube.vjp("3x^2")
    def _(g, z, x):
        return g * 3 * x * x

    try:
        assert trace(test_cube).javascript() == "((x * x) * x)"
        assert trace_rule(test_cube, 0, g=1).evaluate({"x": 2.0}) == 12
    finally:
        del REGISTRY["test_cube"]
