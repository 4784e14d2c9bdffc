"""An expression from the command line: its instructions, carried out by our ops; it is never run as Python."""

from __future__ import annotations

import math
import operator
import re
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

import numpy as np

from ..graph import compared
from ..op import REGISTRY
from ..tensor import Tensor
from .grammar import CONSTANTS, LIMITS, SENTENCES, TOKENS, functions, implementation
from .parser import ExpressionError, Instruction, near, parse, parse_numbers

# What Python's signs do, also to numbers and to what is compared, which no op records.
_SIGNS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "matmul": operator.matmul,
    "negative": operator.neg,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
}
_GIVEN = re.compile(rf"\s*({TOKENS['name']})\s*(:?)=")
PRODUCTS = 10_000_000  # multiplications of a product of two arrays


def variables(assignments: Sequence[str]) -> dict[str, Tensor]:
    """Tensors from ``x=-2`` and ``w=[1, 2.5]``; each a leaf of that name. ``y:=[0, 1]`` is data, without a gradient."""
    found: dict[str, Tensor] = {}
    for text in assignments:
        match = _GIVEN.match(text)
        if match is None:
            raise ExpressionError(SENTENCES["given"].format(text=text), text, 0)
        name = unicodedata.normalize("NFKC", match[1])  # as Python reads names
        if name in found:
            raise ExpressionError(SENTENCES["twice"].format(name=name), text, 0)
        padded = " " * match.end() + text[match.end() :]  # so that columns are those of what was written
        found[name] = Tensor(numbers(padded), name=name, requires_grad=not match[2])
    return found


def numbers(source: str) -> Any:
    """A number or nested lists of numbers, as float64."""
    array = np.array(parse_numbers(source), dtype=np.float64)
    return array if array.ndim else array[()]


def unused(source: str, known: dict[str, Tensor]) -> list[str]:
    """The names that were given a value and that the expression does not mention."""
    mentioned = {instruction.value for instruction in parse(source) if instruction.do == "name"}
    return [name for name in known if name not in mentioned]


def evaluate(source: str, known: dict[str, Tensor]) -> Tensor:
    """Compute an expression of arithmetic, the functions of the grammar and known names.

    Raises ExpressionError, which points at the column, for everything else. Numbers are float64 before any
    arithmetic, so that no power of whole numbers can run away.
    """
    machine = _Machine(source, known)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for instruction in parse(source):
            machine.carry_out(instruction)
    (value,) = machine.stack
    if not isinstance(value, Tensor) or not value.requires_grad:
        used = " and ".join(known) or "none was given; add for example x=2"
        raise ExpressionError(SENTENCES["none"].format(used=used), source, 0)
    if value.node.op is None:
        raise ExpressionError(SENTENCES["nothing"], source, 0)
    return value


class _Machine:
    """Values on a stack, and what the instructions do to them."""

    def __init__(self, source: str, known: dict[str, Tensor]) -> None:
        self.source = source
        self.known = known
        self.stack: list[Any] = []

    def carry_out(self, instruction: Instruction) -> None:
        match instruction.do:
            case "number" | "array":
                value = np.array(instruction.value, dtype=np.float64)
                self.stack.append(value if value.ndim else value[()])
            case "name":
                self.stack.append(self.name(instruction))
            case "index":
                index = tuple(map(_index, instruction.value))
                self.compute(lambda x: x[index if len(index) > 1 else index[0]], instruction)
            case "call":
                function = _SIGNS.get(instruction.value) or implementation(instruction.value)
                if instruction.text:  # a comparison, which a page asks again when its numbers change
                    function = partial(compared, getattr(np, instruction.value))
                self.compute(partial(function, **instruction.keywords), instruction)

    def name(self, instruction: Instruction) -> Any:
        name = instruction.value
        if name in self.known:
            return self.known[name]
        if name in CONSTANTS:
            return np.float64(CONSTANTS[name])
        if name in functions():
            self.fail("call", instruction, name=name)
        return self.fail("value", instruction, name=name, near=near(name, [*self.known, *CONSTANTS, *functions()]))

    def compute(self, function: Callable[..., Any], instruction: Instruction) -> None:
        args = self.stack[-instruction.count :]
        del self.stack[-instruction.count :]
        name = args[0].name if instruction.value == "where" and isinstance(args[0], Tensor) else None
        if name and name.startswith("("):
            args[0] = _compared(args[0], name[1:-1])
        self.bound(instruction, args)
        try:
            value = function(*args)
        except Exception as error:
            raise ExpressionError(str(error).partition("\n")[0], self.source, instruction.column) from error
        if np.size(value.data if isinstance(value, Tensor) else value) > LIMITS["elements"]:
            self.fail("elements", instruction, limit=LIMITS["elements"])
        if instruction.text:
            value = _compared(value, f"({instruction.text})")
        self.stack.append(value)

    def bound(self, instruction: Instruction, args: Sequence[Any]) -> None:
        """Refuse what would need much memory before it is computed."""
        op = REGISTRY.get(instruction.value) if instruction.do == "call" else None
        if op is None or not op.elementwise:
            size = math.prod(map(np.size, args)) // (PRODUCTS // LIMITS["elements"])
        else:
            try:
                size = math.prod(np.broadcast_shapes(*map(np.shape, args)))
            except ValueError:  # which NumPy says better
                return
        if size > LIMITS["elements"]:
            self.fail("elements", instruction, limit=LIMITS["elements"])

    def fail(self, sentence: str, instruction: Instruction, **values: Any) -> NoReturn:
        raise ExpressionError(SENTENCES[sentence].format(**values), self.source, instruction.column)


def _compared(value: Any, name: str) -> Tensor:
    """What is compared is shown as it was written, and not as the 0 or 1 that it is."""
    value = value.data if isinstance(value, Tensor) else value
    shown = Tensor(value, requires_grad=False, name=name)
    shown.node.out = value  # which may know what was compared
    return shown


def _index(part: Any) -> Any:
    return slice(*part) if isinstance(part, list) else Ellipsis if part == "..." else part
