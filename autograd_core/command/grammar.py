"""What can be typed, as data: one table for the parser here and for the one in JavaScript of the playground.

Nothing in it is a function, so it is written into a page as it is (`grammar`). Patterns are those that Python and
JavaScript read alike. Levels bind tighter as they grow.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..explain.typeset import read, text
from ..op import COMPOSED, REGISTRY, Composed, Op
from . import functions as ours

LIMITS = {"length": 2000, "depth": 150, "elements": 10_000}

_LETTER = "A-Za-z_\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u1fff\u2c00-\u2dff\u3040-\ud7ff"
TOKENS = {
    "blank": "[ \\t]+",
    "number": "(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?",
    "name": f"[{_LETTER}][{_LETTER}0-9]*",
    "sign": "\\*\\*|//|[=!<>]=|&&|\\|\\||\\.\\.\\.|[-+*/@<>()\\[\\],.:=^%"
    "\u00d7\u00f7\u00b7\u2212\u2264\u2265\u2260\u00b2\u00b3]",
}

CONSTANTS = {"pi": np.pi, "e": np.e, "inf": np.inf, "nan": np.nan}
WORDS = {"True": True, "False": False, "None": None}  # in keywords

COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
# A comparison, a sum, a product, a sign, a power: Python's order. The level, that of what follows, and the op.
INFIX: dict[str, tuple[int, int, str]] = {
    **dict(zip(("<", "<=", ">", ">=", "==", "!="), ((1, 2, op) for op in COMPARISONS), strict=True)),
    "+": (2, 3, "add"),
    "-": (2, 3, "subtract"),
    "*": (3, 4, "multiply"),
    "/": (3, 4, "divide"),
    "@": (3, 4, "matmul"),
    "**": (5, 4, "power"),
}
COMPARED = 1  # the level that is no chain
PREFIX: dict[str, tuple[int, str | None]] = {"-": (4, "negative"), "+": (4, None)}

# What people write elsewhere: the sign that stands for it here, or, where none does, what to write.
INSTEAD = {
    "^": "**", "\u00d7": "*", "\u00b7": "*", "\u00f7": "/", "\u2212": "-", "\u2264": "<=", "\u2265": ">=",
    "\u2260": "!=", "\u00b2": "**2", "\u00b3": "**3",
}  # fmt: skip
WRITE = {
    "//": "floor_divide(x, y)",
    "%": "remainder(x, y)",
    "&&": "where(a, where(b, x, y), y)",
    "||": "where(a, x, where(b, x, y))",
    "and": "where(a, where(b, x, y), y)",
    "or": "where(a, x, where(b, x, y))",
    "not": "where(a, y, x)",
    "if": "where(condition, x, y)",
    "else": "where(condition, x, y)",
    "=": "== to compare, and values behind the expression: x=2",
}

GROUPS = {
    "Powers": "sqrt cbrt square reciprocal power hypot abs sign",
    "Exponentials and logarithms": "exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2",
    "Angles": "sin cos tan arcsin arccos arctan arctan2 deg2rad rad2deg sinc",
    "Hyperbolic": "sinh cosh tanh arcsinh arccosh arctanh",
    "Networks": "sigmoid relu softplus erf erfc softmax log_softmax logsumexp cross_entropy binary_cross_entropy conv",
    "Choices": "where maximum minimum fmax fmin heaviside copysign",
    "Whole numbers": "floor ceil trunc rint floor_divide remainder fmod",
    "All elements": "sum mean prod max min var std norm cumsum cumprod",
    "Shapes": "reshape transpose ravel squeeze expand_dims broadcast_to flip",
    "Matrices": "matmul dot outer inner trace det logabsdet inv pinv solve cholesky eigvalsh svdvals",
    "Arithmetic by name": "add subtract multiply divide negative absolute positive",
}
ALIASES = {"abs": "absolute", "pow": "power", "ln": "log", "asin": "arcsin", "acos": "arccos", "atan": "arctan"}
OVERLOADS = {"max": {2: "maximum"}, "min": {2: "minimum"}}  # by the number of arguments
KEYWORDS = ("axis", "axes", "keepdims", "shape")  # what cannot ask for more memory than there may be elements
SQUARE = "square"  # what x**2 is, as for a Tensor

SENTENCES = {
    "length": "this is {count} characters long, and {limit} is the limit",
    "line": "an expression is one line",
    "depth": "more than {limit} levels of parentheses and functions",
    "character": "{text} has no meaning in an expression",
    "write": "write {instead}",
    "end": "the expression ends here; expected {expected}",
    "expected": "expected {expected}, got {got}",
    "operator": "+ - * / @ ** or the end",
    "operand": "a number, a name, a function or a parenthesis",
    "chain": "one comparison at a time: write where(a < b, where(b < c, x, y), y)",
    "function": "there is no function {name}{near}",
    "method": "there is no method .{name}(); write {name}(\u2026){near}",
    "attribute": "only .T and methods such as .sum() can follow a dot",
    "arity": "{name} takes {takes}, and {count} came",
    "takes": "{counts} argument{s}",
    "keywords": " (and {keywords})",
    "keyword": "{name} {takes}{near}",
    "twice": "{name} is given twice",
    "setting": "a keyword is given a small whole number, True, False, None or a tuple of them",
    "shape": "a shape of more than {limit} elements, or no shape at all",
    "index": "an index is whole numbers, slices such as 1:3, and ...",
    "rows": "the rows of an array must have one length",
    "element": "expected a number or a list of numbers, got {got}",
    "given": "expected name=number, name=[numbers] or name:=data, got {text}",
    "value": "{name} has no value; give one as {name}=\u2026{near}",
    "call": "{name} is a function; call it: {name}(\u2026)",
    "near": "; did you mean {names}?",
    "unused": "{names} is not in the expression, so {result} does not depend on it",
    "none": "the expression depends on no variable, so it has no gradient ({used})",
    "nothing": "the expression is a variable alone: nothing is computed",
    "elements": "the result has more than {limit} elements",
    "arrays": "{name} is for arrays: this page computes with numbers, and autograd explain with both",
}


def entry(name: str) -> Op | Composed:
    """What answers for a function of `GROUPS`: an op, a function of NumPy's made of ops, or one of ours."""
    name = ALIASES.get(name, name)
    return next(table[name] for table in (ours.FUNCTIONS, REGISTRY, COMPOSED) if name in table)


def implementation(name: str) -> Callable[..., Any]:
    """The function itself."""
    found = entry(name)
    return found.function if isinstance(found, Composed) else found


@cache
def functions() -> dict[str, dict[str, Any]]:
    """Each function that can be typed: what computes it for how many arguments, and its keywords.

    >>> functions()["max"]
    {'by': {'1': 'max', '2': 'maximum'}, 'keywords': ['axis', 'keepdims']}
    """
    found = {}
    for name in [*" ".join(GROUPS.values()).split(), *ALIASES]:
        function = entry(name)
        inputs = _inputs(function)
        by = {len(inputs): ALIASES.get(name, name)} | OVERLOADS.get(name, {})
        taken = inspect.signature(function.function).parameters
        keywords = [p for p in taken if p in KEYWORDS and p not in inputs]
        found[name] = {"by": {str(count): op for count, op in by.items()}, "keywords": keywords}
    return found


def _inputs(function: Op | Composed) -> list[str]:
    """What the arguments are called that are inputs: those without a default; a ufunc's signature holds others."""
    if isinstance(function.function, np.ufunc):
        return ["x", "y"][: function.function.nin]
    parameters = inspect.signature(function.function).parameters.values()
    return [p.name for p in parameters if p.default is p.empty]


def methods() -> list[str]:
    """The methods of NumPy's arrays that take no other array and no shape: ``x.sum()`` is ``sum(x)``."""
    usual = {"axis", "keepdims"}
    return [
        n for n, f in functions().items() if "1" in f["by"] and hasattr(np.ndarray, n) and usual >= {*f["keywords"]}
    ]


def grammar() -> dict[str, Any]:
    """All of it, of nothing but what JSON holds."""
    named = {"inf": "Infinity", "nan": "NaN"}
    return {
        "limits": LIMITS,
        "tokens": TOKENS,
        "constants": {name: named.get(name, value) for name, value in CONSTANTS.items()},
        "words": WORDS,
        "infix": INFIX,
        "compared": COMPARED,
        "prefix": PREFIX,
        "instead": INSTEAD,
        "write": WRITE,
        "functions": functions(),
        "methods": methods(),
        "square": SQUARE,
        "sentences": SENTENCES,
    }


def listing() -> str:
    """What can be typed, a line for each function, in 80 columns."""
    called = textwrap.fill(f"Methods: {', '.join(f'.{name}()' for name in methods())}", 80, subsequent_indent="  ")
    lines = [
        "Signs: + - * / @ ** and parentheses; < <= > >= == != for where(x > 0, x, y)",
        "Elements: x[1], x[0, 1:3], x[-1]; the transpose: x.T",
        called,
        f"Constants: {', '.join(CONSTANTS)}",
    ]
    for group, names in GROUPS.items():
        lines += ["", group, *(_line(name, entry(name)) for name in names.split())]
    return "\n".join(lines)


def _line(name: str, function: Op | Composed) -> str:
    words = [f"{keyword}=" for keyword in functions()[name]["keywords"]]
    called = f"{name}({', '.join([*_inputs(function), *words])})"
    also = [f"{name}(x, y) is {op}(x, y)" for op in OVERLOADS.get(name, {}).values()]
    short = [f"short: {alias}" for alias, whole in ALIASES.items() if whole == name and alias not in GROUPS["Powers"]]
    return f"  {called:<32} {'; '.join([text(read(function.latex)), *also, *short])}"
