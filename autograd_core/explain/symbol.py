"""Rules run on symbols: what they compute comes out as a formula, in LaTeX for people and JavaScript for the page.

A rule is NumPy code, so NumPy's dispatch decides what it means. Called with the tiny class below it writes
itself down. Nothing is transcribed by hand: change a rule and what is shown changes with it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..op import Op
from ..tracer import Tracer


class Untraceable(TypeError):
    """A rule does something that cannot be written as one formula of numbers."""


class _Form(NamedTuple):
    """How a function is written. Levels bind tighter as they grow: sum, product, sign, power, name.

    ``rounds`` says whether its result for numbers of float32 may be none itself.
    """

    latex: str
    javascript: str
    level: int = 4
    operands: tuple[int, ...] = (0, 0, 0)
    rounds: bool = True


_SUM, _PRODUCT, _SIGN, _POWER, _NAME = range(5)


def _named(latex: str, javascript: str) -> _Form:
    """A function written by its name before its argument: ``\\sin x``."""
    return _Form(latex + " {}", f"Math.{javascript}({{}})", _PRODUCT, (_NAME,))


def _indicator(sign: str, javascript: str) -> _Form:
    return _Form(rf"[{{}} {sign} {{}}]", f"({{}} {javascript} {{}})", rounds=False)


def _operator(name: str, javascript: str = "", **options: Any) -> _Form:
    """A function of one or two arguments in parentheses, in JavaScript one of ``maths.js``."""
    latex = name.replace("_", r"\_")
    return _Form(rf"\operatorname{{{{{latex}}}}}({{}}, {{}})", f"{javascript or name}({{}}, {{}})", **options)


# What JavaScript's Math and operators compute to the same last digits as NumPy. A function that is not here
# makes the graph that uses it a frozen picture.
FORMS: dict[str, _Form] = {
    "add": _Form("{} + {}", "({} + {})", _SUM, (_SUM, _SUM)),
    "subtract": _Form("{} - {}", "({} - {})", _SUM, (_SUM, _PRODUCT)),
    "multiply": _Form(r"{} \cdot {}", "({} * {})", _PRODUCT, (_PRODUCT, _SIGN)),
    "divide": _Form(r"\frac{{{}}}{{{}}}", "({} / {})", _SIGN),
    "negative": _Form("-{}", "(-{})", _SUM, (_PRODUCT,), rounds=False),
    "positive": _Form("{}", "{}", _SUM, (_SUM,), rounds=False),
    "float64": _Form("{}", "(+{})", _SUM, (_SUM,), rounds=False),  # of a truth value the number
    "reciprocal": _Form(r"\frac{{1}}{{{}}}", "(1 / {})", _SIGN),
    "power": _Form("{}^{{{}}}", "power({}, {})", _POWER, (_NAME,)),
    "square": _Form("{}^{{2}}", "Math.pow({}, 2)", _POWER, (_NAME,)),
    "sqrt": _Form(r"\sqrt{{{}}}", "Math.sqrt({})"),
    "cbrt": _Form(r"\sqrt[3]{{{}}}", "Math.cbrt({})"),
    "hypot": _Form(r"\sqrt{{{}^{{2}} + {}^{{2}}}}", "Math.hypot({}, {})", _NAME, (_NAME, _NAME)),
    "absolute": _Form(r"\left|{}\right|", "Math.abs({})", rounds=False),
    # JavaScript's sign of -0 is -0, and NumPy's is 0.
    "sign": _Form(r"\operatorname{{sign}} {}", "(Math.sign({}) + 0)", _PRODUCT, (_NAME,), rounds=False),
    "exp": _Form("e^{{{}}}", "Math.exp({})", _POWER),
    "exp2": _Form("2^{{{}}}", "Math.pow(2, {})", _POWER),
    "expm1": _Form("e^{{{}}} - 1", "Math.expm1({})", _SUM),
    "log": _named(r"\ln", "log"),
    "log2": _named(r"\log_2", "log2"),
    "log10": _named(r"\log_{{10}}", "log10"),
    "log1p": _Form(r"\ln(1 + {})", "Math.log1p({})"),
    "sin": _named(r"\sin", "sin"),
    "cos": _named(r"\cos", "cos"),
    "tan": _named(r"\tan", "tan"),
    "arcsin": _named(r"\arcsin", "asin"),
    "arccos": _named(r"\arccos", "acos"),
    "arctan": _named(r"\arctan", "atan"),
    "arctan2": _Form(r"\operatorname{{arctan2}}({}, {})", "Math.atan2({}, {})"),
    "sinh": _named(r"\sinh", "sinh"),
    "cosh": _named(r"\cosh", "cosh"),
    "tanh": _named(r"\tanh", "tanh"),
    "arcsinh": _named(r"\operatorname{{arsinh}}", "asinh"),
    "arccosh": _named(r"\operatorname{{arcosh}}", "acosh"),
    "arctanh": _named(r"\operatorname{{artanh}}", "atanh"),
    "maximum": _Form(r"\max({}, {})", "Math.max({}, {})", rounds=False),
    "minimum": _Form(r"\min({}, {})", "Math.min({}, {})", rounds=False),
    "fmax": _Form(r"\max({}, {})", "fmax({}, {})", rounds=False),
    "fmin": _Form(r"\min({}, {})", "fmin({}, {})", rounds=False),
    "floor": _Form(r"\lfloor {} \rfloor", "Math.floor({})"),
    "ceil": _Form(r"\lceil {} \rceil", "Math.ceil({})"),
    "trunc": _named(r"\operatorname{{trunc}}", "trunc"),
    "rint": _Form(r"\operatorname{{round}} {}", "rint({})", _PRODUCT, (_NAME,)),
    "fmod": _Form(r"\operatorname{{fmod}}({}, {})", "({} % {})"),
    "remainder": _Form(r"{} \bmod {}", "remainder({}, {})", _PRODUCT, (_NAME, _NAME)),
    "floor_divide": _Form(r"\lfloor \frac{{{}}}{{{}}} \rfloor", "floorDivide({}, {})"),
    "heaviside": _operator("heaviside"),
    "copysign": _operator("copysign", rounds=False),
    "ldexp": _Form(r"{} \cdot 2^{{{}}}", "ldexp({}, {})", _PRODUCT, (_PRODUCT,)),
    "logaddexp": _Form(r"\ln(e^{{{}}} + e^{{{}}})", "logaddexp({}, {})"),
    "logaddexp2": _Form(r"\log_2(2^{{{}}} + 2^{{{}}})", "logaddexp2({}, {})"),
    "deg2rad": _Form(r"\frac{{\pi}}{{180}} \cdot {}", "({} * (Math.PI / 180))", _PRODUCT, (_SIGN,)),
    "rad2deg": _Form(r"\frac{{180}}{{\pi}} \cdot {}", "({} * (180 / Math.PI))", _PRODUCT, (_SIGN,)),
    "sinc": _Form(r"\operatorname{{sinc}} {}", "sinc({})", _PRODUCT, (_NAME,)),
    "mantissa": _Form(r"\operatorname{{mantissa}} {}", "frexp({})[0]", _PRODUCT, (_NAME,)),
    "exponent": _Form(r"\operatorname{{exponent}} {}", "frexp({})[1]", _PRODUCT, (_NAME,)),
    "isfinite": _Form(r"[{} \text{{ is finite}}]", "Number.isFinite({})", rounds=False),
    "isnan": _Form(r"[{} \text{{ is NaN}}]", "Number.isNaN({})", rounds=False),
    "where": _Form(r"\operatorname{{where}}({}, {}, {})", "({} ? {} : {})", rounds=False),
    "greater": _indicator(">", ">"),
    "greater_equal": _indicator(r"\ge", ">="),
    "less": _indicator("<", "<"),
    "less_equal": _indicator(r"\le", "<="),
    "equal": _indicator("=", "==="),
    "not_equal": _indicator(r"\ne", "!=="),
    "bitwise_and": _Form(r"{} \wedge {}", "({} && {})", _SUM, (_PRODUCT, _PRODUCT), rounds=False),
    "bitwise_or": _Form(r"{} \vee {}", "({} || {})", _SUM, (_PRODUCT, _PRODUCT), rounds=False),
    "invert": _Form(r"\neg {}", "(!{})", _SIGN, (_NAME,), rounds=False),
}
FORMS["logical_and"], FORMS["logical_or"], FORMS["logical_not"] = (
    FORMS["bitwise_and"],
    FORMS["bitwise_or"],
    FORMS["invert"],
)

# On a single number these change nothing, whatever axes and shapes they are given that fit one.
_UNCHANGED = {np.broadcast_to, np.reshape, np.transpose, np.sum, np.mean, np.max, np.min, np.prod, np.copy}


class Symbol(Tracer):
    """A number that is not known yet: a name, a constant, or a function of others.

    >>> x = Symbol("x")
    >>> y = 1 - np.tanh(x) ** 2
    >>> y.latex()
    '1 - (\\\\tanh x)^{2}'
    >>> y.javascript()
    '(1 - power(Math.tanh(x), 2))'
    >>> y.evaluate({"x": 0.0})
    np.float64(1.0)
    """

    __slots__ = ("args", "head")
    ndim, shape, size, dtype = 0, (), 1, np.dtype(float)

    def __init__(self, head: str | float, *args: Symbol) -> None:
        self.head = head
        self.args = args

    @property
    def is_constant(self) -> bool:
        """Whether it is a number that is known."""
        return not self.args and not isinstance(self.head, str)

    @property
    def formulas(self) -> list[Symbol]:
        """Its elements, of which it is the only one."""
        return [self]

    # -- being computed with -----------------------------------------------------------------------------

    def process(self, function: Any, args: Any, kwargs: Any) -> Any:
        if isinstance(function, np.ufunc) and not kwargs:
            return call(function.__name__, *args)
        if function is np.where and len(args) == 3:
            return call("where", *args)
        if function in (np.zeros_like, np.ones_like):
            return Symbol(0.0 if function is np.zeros_like else 1.0)
        if function in (np.shape, np.ndim, np.size):
            return {np.shape: (), np.ndim: 0, np.size: 1}[function]
        fits = all(a in (None, (), -1) or a is False for a in (*args[1:], *kwargs.values()))
        if function in _UNCHANGED and fits:
            return args[0]
        raise Untraceable(f"{function.__name__} is no formula of numbers")

    def astype(self, dtype: Any) -> Symbol:
        """Symbols are exact, so a dtype changes nothing."""
        return self

    def __bool__(self) -> bool:
        raise Untraceable("a formula cannot depend on a comparison in Python; write np.where")

    def __iter__(self) -> Any:
        raise Untraceable("a single number has no elements")

    # -- being read --------------------------------------------------------------------------------------

    def latex(self) -> str:
        """The formula as a person writes it."""
        return self._latex()[0]

    def _latex(self) -> tuple[str, int]:
        if not self.args:
            return (self.head, _NAME) if isinstance(self.head, str) else _latex_number(self.head)
        form = FORMS[str(self.head)]
        parts = []
        for arg, needed in zip(self.args, (*form.operands, 0, 0, 0), strict=False):
            text, level = arg._latex()
            parts.append(text if level >= needed else f"({text})")
        return form.latex.format(*parts), form.level

    def javascript(self, single: bool = False) -> str:
        """The formula as JavaScript computes it, all in one expression.

        ``single`` rounds each number to float32, as NumPy does when all of them are.
        """
        return _written((self,), single, named=False)[1][0]

    def function(self, parameters: Sequence[str], single: bool = False) -> str:
        """A JavaScript function of ``parameters``; what is used more than once is computed once."""
        lines, (result,) = _written((self,), single)
        return _function(parameters, lines, result)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The number that NumPy makes of the formula."""
        return evaluated((self,), values)[0]

    def __repr__(self) -> str:
        return f"<symbol {self.latex()}>"


def call(function: str, *inputs: Any) -> Symbol:
    """The symbol of a function of symbols and numbers; of numbers alone the number."""
    if function not in FORMS:
        raise Untraceable(f"{function} is not among the functions that the page can compute")
    x, *rest = args = [a if isinstance(a, Symbol) else constant(a) for a in inputs]
    # What is exact in floating point too, so that a local derivative (the rule for g = 1) reads as one.
    if function == "multiply" and x.head == 1 and not x.args:
        return rest[0]
    if function in ("multiply", "divide", "power") and rest[0].head == 1 and not rest[0].args:
        return x
    if function == "multiply" and x.head == -1 and not x.args:
        return Symbol("negative", *rest)
    if function == "where" and x.is_constant:
        return rest[0] if x.head else rest[1]
    if all(a.is_constant for a in args):
        with np.errstate(all="ignore"):
            return constant(_in_numpy(function)(*(a.head for a in args)))
    return Symbol(function, *args)


def constant(value: Any) -> Symbol:
    """The symbol of a number that is known."""
    if np.ndim(value) or np.asarray(value).dtype.kind not in "biuf":
        raise Untraceable(f"{type(value).__name__} is not a single real number")
    return Symbol(value if isinstance(value, bool | int | float) else np.asarray(value).item())


def _in_numpy(function: str) -> Any:
    return _SPELLED.get(function) or getattr(np, function)


# A function with two results is two, and an exponent of symbols has no dtype.
_SPELLED = {
    "mantissa": lambda x: np.frexp(x)[0],
    "exponent": lambda x: np.frexp(x)[1],
    "ldexp": lambda x, n: np.ldexp(x, int(n)),
}


def evaluated(results: Sequence[Symbol], values: Mapping[str, Any]) -> list[Any]:
    """The numbers that NumPy makes of some formulas."""
    found: dict[int, Any] = {}
    with np.errstate(all="ignore"):
        for part in _parts(results)[0]:
            if part.args:
                found[id(part)] = _in_numpy(str(part.head))(*(found[id(a)] for a in part.args))
            else:
                found[id(part)] = values[part.head] if isinstance(part.head, str) else part.head
    return [found[id(result)] for result in results]


def functions(results: Sequence[Symbol], parameters: Sequence[str], single: bool = False) -> str:
    """A JavaScript function that gives an array of all ``results``; what they have in common is computed once."""
    lines, texts = _written(results, single)
    return _function(parameters, lines, f"[{', '.join(texts)}]")


def _function(parameters: Sequence[str], lines: Sequence[str], result: str) -> str:
    head = f"({', '.join(parameters)}) =>"
    return f"{head} {{ {' '.join(lines)} return {result}; }}" if lines else f"{head} {result}"


def _written(results: Sequence[Symbol], single: bool, named: bool = True) -> tuple[list[str], list[str]]:
    """Formulas in JavaScript, after the lines that compute what is used more than once."""
    order, uses = _parts(results)
    texts: dict[int, str] = {}
    lines: list[str] = []
    for part in order:
        if not part.args:
            texts[id(part)] = _leaf(part.head, single)
            continue
        form = FORMS[str(part.head)]
        given = [texts[id(a)] for a in part.args]
        if part.head == "add" and not single and part.args[0].head == "add" and given[0].startswith("("):
            given[0] = given[0][1:-1]  # a long sum is no deep one
        written = form.javascript.format(*given)
        written = f"fround({written})" if single and form.rounds else written
        if named and uses[id(part)] > 1:
            lines.append(f"const t{len(lines)} = {written};")
            written = f"t{len(lines) - 1}"
        texts[id(part)] = written
    return lines, [texts[id(result)] for result in results]


def _leaf(head: str | float, single: bool) -> str:
    if isinstance(head, str):
        return head
    written = _javascript_number(head)
    return f"fround({written})" if single and head == head and head != float(np.float32(head)) else written


def _parts(results: Sequence[Symbol]) -> tuple[list[Symbol], Counter[int]]:
    """All parts of some formulas, operands first, and how often each is used."""
    order: list[Symbol] = []
    uses: Counter[int] = Counter()
    if len(results) > 1:  # each of several results stands in the list of them
        uses.update(id(result) for result in results)
    stack = [(result, False) for result in reversed(results)]
    done: set[int] = set()
    while stack:
        part, ready = stack.pop()
        if ready:
            order.append(part)
        elif id(part) not in done:
            done.add(id(part))
            uses.update(id(a) for a in part.args)
            stack.append((part, True))
            stack += [(a, False) for a in reversed(part.args)]
    return order, uses


def _latex_number(value: float) -> tuple[str, int]:
    text = f"{value:.6g}".replace("inf", r"\infty")
    if "e" in text:
        digits, _, exponent = text.partition("e")
        text = rf"{digits} \cdot 10^{{{int(exponent)}}}"
    return text, _SUM if value < 0 or "cdot" in text else _NAME


def _javascript_number(value: float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "(-Infinity)"
    text = repr(float(value)).removesuffix(".0")
    return f"({text})" if text.startswith("-") else text


LETTERS = ("x", "y", "w")


def letters(op: Op, count: int) -> tuple[str, ...]:
    """What the inputs of an op are called in formulas: x, y, w, or x1, x2, … where there are many."""
    return (
        LETTERS[:count] if op.arity is not None and count <= len(LETTERS) else tuple(f"x{i + 1}" for i in range(count))
    )


def _inputs(op: Op, constants: Mapping[int, Any], count: int) -> list[Any]:
    names = letters(op, count)
    return [constants[i] if i in constants else Symbol(name) for i, name in enumerate(names)]


def trace(op: Op, constants: Mapping[int, Any] | None = None, count: int | None = None, **params: Any) -> Symbol:
    """The formula that the forward function of ``op`` computes for single numbers.

    ``constants`` are arguments (by position) that are numbers and not symbols, ``count`` how many arguments there
    are where the op takes any number. Raises `Untraceable` where the op is no formula of numbers.

    >>> from autograd_core import sigmoid
    >>> trace(sigmoid).evaluate({"x": 0.0})
    np.float64(0.5)
    """
    return _traced(op.function, *_inputs(op, constants or {}, count or op.arity or 1), **params)


def trace_rule(
    op: Op,
    position: int,
    g: Any = None,
    constants: Mapping[int, Any] | None = None,
    count: int | None = None,
    **params: Any,
) -> Symbol:
    """The formula that the gradient rule of ``op`` for one argument computes; with ``g=1`` the local derivative.

    >>> from autograd_core import REGISTRY
    >>> trace_rule(REGISTRY["tan"], 0, g=1).latex(), trace_rule(REGISTRY["tan"], 0).javascript()
    ('1 + z \\\\cdot z', '(g * (1 + (z * z)))')
    """
    rule = op.rules[position]
    if rule is None:
        raise Untraceable(f"{op.name} has no rule for argument {position + 1}")
    upstream = Symbol("g") if g is None else constant(g)
    return _traced(rule, upstream, Symbol("z"), *_inputs(op, constants or {}, count or op.arity or 1), **params)


def _traced(function: Any, *args: Any, **params: Any) -> Symbol:
    found = untraceable_where_it_fails(function, *args, **params)
    return found if isinstance(found, Symbol) else constant(found)


def untraceable_where_it_fails(function: Any, *args: Any, **params: Any) -> Any:
    """What a function gives for symbols; `Untraceable` for whatever it does with numbers that are not there."""
    try:
        return function(*args, **params)
    except Untraceable:
        raise
    except Exception as error:
        raise Untraceable(f"{type(error).__name__}: {error}") from error
