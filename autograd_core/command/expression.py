"""An expression from the command line: read as a syntax tree, computed by our ops, never run as Python."""

from __future__ import annotations

import ast
import difflib
import math
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..op import REGISTRY
from ..tensor import Tensor

MAX_LENGTH = 2000
MAX_DEPTH = 150
MAX_ELEMENTS = 10_000
KEYWORDS = ("axis", "axes", "keepdims", "shape")  # what cannot ask for more memory than MAX_ELEMENTS

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda x, y: x + y,
    ast.Sub: lambda x, y: x - y,
    ast.Mult: lambda x, y: x * y,
    ast.Div: lambda x, y: x / y,
    ast.Pow: lambda x, y: x**y,
    ast.MatMult: lambda x, y: x @ y,
}
_UNARY: dict[type, Callable[[Any], Any]] = {ast.USub: lambda x: -x, ast.UAdd: lambda x: x}
CONSTANTS = {"pi": np.pi, "e": np.e, "inf": np.inf, "nan": np.nan}


class ExpressionError(ValueError):
    """What was written cannot be computed; ``column`` counts from 0."""

    def __init__(self, message: str, source: str, column: int) -> None:
        self.source, self.column = source, column
        window = max(0, column - 60)
        pointed = source[window : window + 78]
        super().__init__(f"{message}\n  {pointed}\n  {' ' * (column - window)}^")


def functions() -> dict[str, Any]:
    """The functions that an expression may call: the registered ops, by their own names and by NumPy's."""
    found = {name: op for name, op in REGISTRY.items() if name.isidentifier() and not name.startswith("_")}
    usual = {"abs": "absolute", "pow": "power", "ln": "log", "asin": "arcsin", "acos": "arccos", "atan": "arctan"}
    return found | {short: REGISTRY[name] for short, name in usual.items() if name in REGISTRY}


def variables(assignments: Sequence[str]) -> dict[str, Tensor]:
    """Tensors from ``x=-2`` and ``w=[1, 2.5]``; each a leaf of that name."""
    found: dict[str, Tensor] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        name = unicodedata.normalize("NFKC", name.strip())  # as Python's parser reads names
        if not equals or not name.isidentifier():
            raise ExpressionError(f"expected name=number or name=[numbers], got {text!r}", text, 0)
        if name in found:
            raise ExpressionError(f"{name} is given twice", text, 0)
        offset = len(text) - len(value)
        padded = " " * offset + value  # so that columns are those of what was written
        found[name] = Tensor(_array(_parse(padded).body, padded, MAX_DEPTH), name=name)
    return found


def evaluate(source: str, known: dict[str, Tensor]) -> Tensor:
    """Compute an expression of arithmetic, registered functions and known names.

    Raises ExpressionError, which points at the column, for everything else. Numbers are float64 before any
    arithmetic, so that no power of whole numbers can run away.
    """
    tree = _parse(source)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = _Reader(source, known).read(tree.body, MAX_DEPTH)
    if not isinstance(value, Tensor) or not value.requires_grad:
        used = " and ".join(known) or "none was given; add for example x=2"
        raise ExpressionError(f"the expression depends on no variable, so it has no gradient ({used})", source, 0)
    if value.node.op is None:
        raise ExpressionError("the expression is a variable alone: nothing is computed", source, 0)
    return value


def _parse(source: str) -> ast.Expression:
    if len(source) > MAX_LENGTH:
        raise ExpressionError(
            f"this is {len(source)} characters long, and {MAX_LENGTH} is the limit", source, MAX_LENGTH
        )
    if "\n" in source or "\x00" in source:
        raise ExpressionError("an expression is one line", " ".join(source.split()), 0)
    stripped = source.lstrip()
    offset = len(source) - len(stripped)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(stripped, mode="eval")
    except SyntaxError as error:
        column = offset + max(0, (error.offset or 1) - 1)
        raise ExpressionError(f"this is no expression: {error.msg}", source, min(column, len(source))) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError("this is nested too deeply", source, 0) from None
    for node in ast.walk(tree):
        if hasattr(node, "col_offset"):  # in bytes, and without the blanks in front
            before = stripped.encode()[: node.col_offset].decode(errors="ignore")
            node.col_offset = offset + len(before)
    return tree


def _array(node: ast.expr, source: str, depth: int) -> Any:
    """A number or nested lists of numbers, as float64."""
    values = _numbers(node, source, depth)
    try:
        array = np.array(values, dtype=np.float64)
    except ValueError:
        raise ExpressionError("the rows of an array must have one length", source, node.col_offset) from None
    if array.size > MAX_ELEMENTS:
        raise ExpressionError(f"{array.size} numbers are more than {MAX_ELEMENTS}", source, node.col_offset)
    return array if array.ndim else array[()]


def _numbers(node: ast.expr, source: str, depth: int) -> Any:
    if depth == 0:
        raise ExpressionError("this is nested too deeply", source, node.col_offset)
    if isinstance(node, ast.List | ast.Tuple):
        return [_numbers(element, source, depth - 1) for element in node.elts]
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        inner = _numbers(node.operand, source, depth - 1)
        if isinstance(inner, float):
            return _UNARY[type(node.op)](inner)
    if isinstance(node, ast.Name) and node.id in CONSTANTS:
        return float(CONSTANTS[node.id])
    if isinstance(node, ast.Constant):
        return _number(node, source)
    raise ExpressionError(f"expected a number or a list of numbers, got {ast.unparse(node)}", source, node.col_offset)


def _number(node: ast.Constant, source: str) -> float:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise ExpressionError(f"expected a real number, got {ast.unparse(node)}", source, node.col_offset)
    try:
        return float(node.value)
    except OverflowError:
        return float("inf")


class _Reader:
    """Walks a syntax tree; what it does not know is an error, so nothing can slip through."""

    def __init__(self, source: str, known: dict[str, Tensor]) -> None:
        self.source = source
        self.known = known
        self.functions = functions()

    def read(self, node: ast.expr, depth: int) -> Any:
        if depth == 0:
            raise self.error(f"more than {MAX_DEPTH} levels of parentheses and functions", node)
        depth -= 1
        match node:
            case ast.Constant():
                return np.float64(_number(node, self.source))
            case ast.Name():
                return self.name(node)
            case ast.List() | ast.Tuple():
                return _array(node, self.source, depth)
            case ast.BinOp() if type(node.op) in _BINARY:
                return self.compute(
                    node, _BINARY[type(node.op)], self.read(node.left, depth), self.read(node.right, depth)
                )
            case ast.UnaryOp() if type(node.op) in _UNARY:
                return self.compute(node, _UNARY[type(node.op)], self.read(node.operand, depth))
            case ast.Call():
                return self.call(node, depth)
        raise self.error(
            "this is not arithmetic: an expression has numbers, names, + - * / ** @, parentheses and functions", node
        )

    def name(self, node: ast.Name) -> Any:
        if node.id in self.known:
            return self.known[node.id]
        if node.id in CONSTANTS:
            return np.float64(CONSTANTS[node.id])
        if node.id in self.functions:
            raise self.error(f"{node.id} is a function; call it: {node.id}(…)", node)
        near = self.near(node.id, [*self.known, *CONSTANTS, *self.functions])
        raise self.error(f"{node.id} has no value; give one as {node.id}=…{near}", node)

    def call(self, node: ast.Call, depth: int) -> Any:
        if not isinstance(node.func, ast.Name):
            raise self.error("only functions with a plain name can be called, like tanh(x)", node)
        function = self.functions.get(node.func.id)
        if function is None:
            raise self.error(f"there is no function {node.func.id}{self.near(node.func.id, self.functions)}", node)
        keywords = dict(self.keyword(function, word, depth) for word in node.keywords)
        args = [self.read(arg, depth) for arg in node.args]
        if len(args) != function.arity and function.arity is not None:
            takes = f"{function.arity} argument{'s' if function.arity != 1 else ''}"
            raise self.error(f"{node.func.id} takes {takes}, and {len(args)} came", node)
        return self.compute(node, partial(function, **keywords) if keywords else function, *args)

    def keyword(self, function: Any, word: ast.keyword, depth: int) -> tuple[str, Any]:
        """A parameter such as ``axis=0`` or ``keepdims=True``: whole numbers, groups of them, true and false."""
        allowed = [name for name in getattr(function, "params", ()) if name in KEYWORDS]
        if word.arg is None or word.arg not in allowed:
            takes = f"takes {', '.join(allowed)}" if allowed else "takes no keywords here"
            known = self.near(word.arg or "", allowed)
            raise ExpressionError(f"{function.name} {takes}{known}", self.source, word.value.col_offset)
        return word.arg, self.setting(word.value, depth)

    def setting(self, node: ast.expr, depth: int) -> Any:
        if depth == 0:
            raise self.error("this is nested too deeply", node)
        match node:
            case ast.Constant(value=(bool() | None) as value):
                return value
            case ast.Constant(value=int() as value) if value <= MAX_ELEMENTS:
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)) if value <= MAX_ELEMENTS:
                return -value
            case ast.Tuple() | ast.List():
                found = tuple(self.setting(element, depth - 1) for element in node.elts)
                if any(type(part) is not int for part in found) or math.prod(map(abs, found)) > MAX_ELEMENTS:
                    raise self.error(f"a shape of more than {MAX_ELEMENTS} elements, or no shape at all", node)
                return found
        raise self.error("a keyword is given a small whole number, True, False, None or a tuple of them", node)

    def compute(self, node: ast.expr, function: Callable[..., Any], *args: Any) -> Any:
        try:
            value = function(*args)
        except Exception as error:
            raise self.error(str(error).partition("\n")[0], node) from error
        if np.size(value.data if isinstance(value, Tensor) else value) > MAX_ELEMENTS:
            raise self.error(f"the result has more than {MAX_ELEMENTS} elements", node)
        return value

    def error(self, message: str, node: ast.expr) -> ExpressionError:
        return ExpressionError(message, self.source, node.col_offset)

    @staticmethod
    def near(name: str, among: Any) -> str:
        found = difflib.get_close_matches(name, list(among), n=3, cutoff=0.6)
        return f"; did you mean {' or '.join(found)}?" if found else ""
