"""Text to instructions for a machine with a stack; the grammar is data, so that JavaScript reads it the same way.

There is no tree, so there is nothing whose depth could run away. What is not in the grammar is an error that points
at its column.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from .grammar import (
    COMPARED,
    CONSTANTS,
    INFIX,
    INSTEAD,
    LIMITS,
    PREFIX,
    SENTENCES,
    SQUARE,
    TOKENS,
    WORDS,
    WRITE,
    functions,
    methods,
)


class ExpressionError(ValueError):
    """What was written cannot be computed; ``column`` counts from 0, in a ``source`` that is shown if there is one."""

    def __init__(self, message: str, source: str, column: int) -> None:
        self.message, self.source, self.column = message, source, column
        window = max(0, column - 60)
        pointed = source[window : window + 78]
        super().__init__(f"{message}\n  {pointed}\n  {' ' * (column - window)}^" if source else message)


class Token(NamedTuple):
    """A number, a name, a sign, or the end: from ``column`` up to ``end``."""

    kind: str
    text: str
    column: int
    end: int


@dataclass
class Instruction:
    """One thing to do: push a number, an array or a name, or replace the last ``count`` values by what is computed.

    ``do`` is "number", "array", "name", "call" or "index", ``value`` the number, the nested list, the name, what is
    called, or the index. A comparison, which is no step of its own, keeps its ``text``.
    """

    do: str
    value: Any
    column: int
    count: int = 0
    keywords: dict[str, Any] = field(default_factory=dict)
    text: str = ""


def parse(source: str) -> list[Instruction]:
    """The instructions of an expression.

    >>> [(i.do, i.value) for i in parse("2 * x")]
    [('number', 2.0), ('name', 'x'), ('call', 'multiply')]
    """
    parser = _Parser(source)
    parser.expression(0)
    parser.finish()
    return parser.made


def parse_numbers(source: str) -> Any:
    """A number, or nested lists of numbers."""
    parser = _Parser(source)
    found = parser.element()
    parser.finish()
    return found


def near(name: str, among: Iterable[str]) -> str:
    """What was meant, perhaps: the names that few slips of the hand lead to."""
    reach = max(1, len(name) // 3)
    found = sorted((slips, other) for other in set(among) if (slips := _slips(name, other)) <= reach)
    names = " or ".join(other for _, other in found[:3])
    return SENTENCES["near"].format(names=names) if names else ""


def _slips(a: str, b: str) -> int:
    """How many letters were left out, put in, changed, or swapped with the next."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        last, row, older = row, [i + 1], before
        before = last
        for j, y in enumerate(b):
            least = min(last[j + 1] + 1, row[j] + 1, last[j] + (x != y))
            if i and j and x == b[j - 1] and a[i - 1] == y:
                least = min(least, older[j - 1] + 1)
            row.append(least)
    return row[-1]


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.made: list[Instruction] = []
        self.depth = 0
        self.at = 0
        self.tokens = list(self.split())

    def fail(self, sentence: str, column: int, **values: Any) -> NoReturn:
        raise ExpressionError(SENTENCES[sentence].format(**values), self.source, column)

    # -- tokens --------------------------------------------------------------------------------------------

    def split(self) -> Iterable[Token]:
        source = self.source
        if len(source) > LIMITS["length"]:
            self.fail("length", LIMITS["length"], count=len(source), limit=LIMITS["length"])
        column = 0
        while column < len(source):
            for kind, pattern in _PATTERNS.items():  # noqa: B007
                if match := pattern.match(source, column):
                    break
            else:
                text = source[column]
                self.fail("line" if text in "\r\n" else "character", column, text=text)
            text = match[0]
            if text in INSTEAD:
                self.fail("write", column, instead=source.replace(text, INSTEAD[text]).strip())
            if kind == "name":
                text = unicodedata.normalize("NFKC", text)  # as Python reads names
            if kind != "blank":
                yield Token(kind, text, column, match.end())
            column = match.end()
        yield Token("end", "", column, column)

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self, text: str) -> bool:
        """Whether this sign comes; it is passed then."""
        if self.next.kind == "sign" and self.next.text == text:
            self.at += 1
            return True
        return False

    def need(self, text: str) -> None:
        if not self.take(text):
            self.unexpected(text)

    def unexpected(self, expected: str) -> NoReturn:
        token = self.next
        if token.text in WRITE:
            self.fail("write", token.column, instead=WRITE[token.text])
        if token.kind == "end":
            self.fail("end", token.column, expected=expected)
        self.fail("expected", token.column, expected=expected, got=token.text)

    def finish(self) -> None:
        if self.next.kind != "end":
            self.unexpected(SENTENCES["operator"])

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > LIMITS["depth"]:
            self.fail("depth", self.next.column, limit=LIMITS["depth"])

    # -- arithmetic ------------------------------------------------------------------------------------------

    def expression(self, level: int) -> None:
        """What binds at least as tight as ``level``."""
        self.deeper()
        token = self.next
        if token.kind == "sign" and token.text in PREFIX:
            self.at += 1
            right, op = PREFIX[token.text]
            self.expression(right)
            if op:
                self.made.append(Instruction("call", op, token.column, 1))
        else:
            self.operand()
        compared = False
        while (sign := self.next).kind == "sign" and sign.text in INFIX and INFIX[sign.text][0] >= level:
            tightness, right, op = INFIX[sign.text]
            if compared and tightness == COMPARED:
                self.fail("chain", sign.column)
            compared = tightness == COMPARED
            self.at += 1
            before = len(self.made)
            self.expression(right)
            if op == "power" and len(self.made) == before + 1 and self.made[-1].value == 2:
                self.made[-1] = Instruction("call", SQUARE, sign.column, 1)  # as of a Tensor
            else:
                sides = self.source[token.column : sign.column], self.source[sign.end : self.tokens[self.at - 1].end]
                text = f" {sign.text} ".join(side.strip() for side in sides) if compared else ""
                self.made.append(Instruction("call", op, sign.column, 2, text=text))
        if sign.kind in ("number", "name") or sign.text == "(":  # 2x
            if sign.text in WRITE:
                self.unexpected("")
            text = f"{self.source[: sign.column].rstrip()} * {self.source[sign.column :]}"
            self.fail("write", sign.column, instead=text.strip())
        self.depth -= 1

    def operand(self) -> None:
        token = self.next
        if token.kind == "number":
            self.at += 1
            self.made.append(Instruction("number", float(token.text), token.column))
        elif token.kind == "name" and token.text not in WRITE:
            self.at += 1
            if self.take("("):
                self.call(token, 0)
            else:
                self.made.append(Instruction("name", token.text, token.column))
        elif self.take("("):
            self.expression(0)
            self.need(")")
        elif token.text == "[":
            self.made.append(Instruction("array", self.element(), token.column))
        else:
            self.unexpected(SENTENCES["operand"])
        while (token := self.next).text in ("[", ".") and token.kind == "sign":
            self.at += 1
            if token.text == "[":
                self.made.append(Instruction("index", self.index(token), token.column, 1))
            else:
                self.method()

    def method(self) -> None:
        """``.T`` or ``.sum(axis=0)``."""
        token = self.next
        if token.kind != "name":
            self.fail("attribute", token.column)
        self.at += 1
        if token.text == "T":
            self.made.append(Instruction("call", "transpose", token.column, 1))
        elif not self.take("("):
            self.fail("attribute", token.column)
        elif token.text not in methods():
            self.fail("method", token.column, name=token.text, near=near(token.text, methods()))
        else:
            self.call(token, 1)

    # -- functions -------------------------------------------------------------------------------------------

    def call(self, token: Token, count: int) -> None:
        """What follows the parenthesis that opens; ``count`` arguments are there already."""
        name = token.text
        if name not in functions():
            self.fail("function", token.column, name=name, near=near(name, functions()))
        function, keywords = functions()[name], {}
        while not self.take(")"):
            word, equals = self.tokens[self.at : self.at + 2] if self.at + 2 < len(self.tokens) else (token, token)
            if word.kind == "name" and equals.text == "=":
                self.at += 2
                if word.text not in function["keywords"]:
                    takes = "takes " + (", ".join(function["keywords"]) or "no keywords here")
                    hint = near(word.text, function["keywords"])
                    self.fail("keyword", word.column, name=name, takes=takes, near=hint)
                if word.text in keywords:
                    self.fail("twice", word.column, name=word.text)
                keywords[word.text] = self.setting()
            else:
                self.expression(0)
                count += 1
            if not self.take(","):
                self.need(")")
                break
        by = function["by"]
        if str(count) not in by:
            takes = SENTENCES["takes"].format(counts=" or ".join(by), s="" if [*by] == ["1"] else "s")
            if words := function["keywords"]:
                takes += SENTENCES["keywords"].format(keywords=", ".join(f"{word}=" for word in words))
            self.fail("arity", token.column, name=name, takes=takes, count=count)
        self.made.append(Instruction("call", by[str(count)], token.column, count, keywords))

    def setting(self) -> Any:
        """A keyword's value: a small whole number, a word, or a tuple."""
        self.deeper()
        token = self.next
        if token.kind == "sign" and token.text in ("(", "["):
            self.at += 1
            closing = ")" if token.text == "(" else "]"
            found = []
            while not self.take(closing):
                found.append(self.setting())
                if not self.take(","):
                    self.need(closing)
                    break
            if any(type(part) is not int for part in found) or math.prod(map(abs, found)) > LIMITS["elements"]:
                self.fail("shape", token.column, limit=LIMITS["elements"])
            value: Any = tuple(found)
        elif token.kind == "name" and token.text in WORDS:
            self.at += 1
            value = WORDS[token.text]
        else:
            value = self.whole("setting")
        self.depth -= 1
        return value

    def whole(self, sentence: str) -> int:
        """A small whole number with its sign."""
        column = self.next.column
        minus = self.take("-")
        token = self.next
        if token.kind != "number" or not token.text.isdecimal() or float(token.text) > LIMITS["elements"]:
            self.fail(sentence, column)
        self.at += 1
        return -int(token.text) if minus else int(token.text)

    def index(self, token: Token) -> list[Any]:
        """What follows the bracket that opens: whole numbers, slices as ``[start, stop, step]``, and dots."""
        found: list[Any] = []
        while not self.take("]"):
            if self.take("..."):
                found.append("...")
            else:
                parts: list[Any] = [None]
                while self.next.text not in ("]", ",", "") and len(parts) < 4:
                    if self.take(":"):
                        parts.append(None)
                    elif parts[-1] is None:
                        parts[-1] = self.whole("index")
                    else:
                        self.fail("index", self.next.column)
                if len(parts) > 3 or (len(parts) == 1 and parts[0] is None):
                    self.fail("index", self.next.column)
                found.append(parts[0] if len(parts) == 1 else parts + [None] * (3 - len(parts)))
            if not self.take(","):
                self.need("]")
                break
        if not found:
            self.fail("index", token.column)
        return found

    def element(self) -> Any:
        """A number with its signs, a constant, or a list of elements."""
        self.deeper()
        token = self.next
        value: Any
        if self.take("["):
            value = []
            while not self.take("]"):
                value.append(self.element())
                if not self.take(","):
                    self.need("]")
                    break
            if len({_shape(part) for part in value}) > 1:
                self.fail("rows", token.column)
        elif token.kind == "sign" and token.text in PREFIX:
            self.at += 1
            if self.next.text == "[":
                self.fail("element", token.column, got=token.text)
            value = self.element() * (-1 if token.text == "-" else 1)
        elif token.kind == "number" or token.text in CONSTANTS:
            self.at += 1
            value = float(token.text) if token.kind == "number" else float(CONSTANTS[token.text])
        elif token.kind == "end":
            self.unexpected("a number")
        else:
            self.fail("element", token.column, got=token.text)
        self.depth -= 1
        return value


def _shape(value: Any) -> tuple[int, ...]:
    return (len(value), *(_shape(value[0]) if value else ())) if isinstance(value, list) else ()


_PATTERNS = {kind: re.compile(pattern) for kind, pattern in TOKENS.items()}
