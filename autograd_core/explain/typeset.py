"""The little LaTeX that ops are described in, read into a tree that is written as a line of text and as MathML."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

# An element as JSON can hold it: its tag, perhaps its attributes, then text and elements.
Markup = list["str | dict[str, str] | Markup"]


@dataclass(frozen=True)
class Token:
    """What has no parts: a letter or a name ("mi"), a number ("mn"), a sign ("mo"), words ("mtext"), a space ("")."""

    kind: str
    text: str


@dataclass(frozen=True)
class Built:
    """What is built of parts: a fraction, a root, a power, an index, or what stands in brackets."""

    kind: str  # "mfrac", "msqrt", "mroot", "msup", "msub", "index" or "mrow"
    parts: tuple[Tree, ...]


Tree = tuple["Token | Built", ...]

_SIGNS = {
    r"\cdot": "·", r"\times": "×", r"\otimes": "⊗", r"\star": "⋆", r"\bmod": "mod", r"\sum": "Σ", r"\prod": "∏",
    r"\neg": "not ", r"\ge": "≥", r"\le": "≤", r"\ne": "≠", r"\in": "∈", r"\wedge": "and", r"\vee": "or",
    r"\dots": "…", r"\cdots": "⋯", r"\#": "#", r"\{": "{", r"\}": "}", r"\lVert": "‖", r"\rVert": "‖",
    r"\lfloor": "⌊", r"\rfloor": "⌋", r"\lceil": "⌈", r"\rceil": "⌉", r"\_": "_",
}  # fmt: skip
_LETTERS = {r"\sigma": "σ", r"\pi": "π", r"\infty": "∞", r"\Phi": "Φ", r"\Delta": "Δ"}
_BRACKETS = {"(": ")", "[": "]", "{": "}", "⌊": "⌋", "⌈": "⌉", "‖": "‖", "|": "|"}
_NOTHING = (r"\left", r"\right", r"\textstyle")
TRANSPOSED = "ᵀ"
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_TURNED = (TRANSPOSED, f"-{TRANSPOSED}", "-1")  # exponents of matrices
_WORDS = r"\\(?:operatorname|text)\{(?:[^}\\]|\\.)*\}"
_TOKENS = re.compile(rf"{_WORDS}|\\mathsf T|\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|[a-zA-Z]+|\s+|.")


@lru_cache(maxsize=4096)
def read(latex: str) -> Tree:
    r"""The tree of a formula. A character that LaTeX has no use for is taken as a name.

    >>> read(r"x^2")
    (Built(kind='msup', parts=((Token(kind='mi', text='x'),), (Token(kind='mn', text='2'),))),)
    """
    return _row(tokens(latex)[::-1], "")


def tokens(latex: str) -> list[str]:
    """What a formula is written with: commands, words, numbers, spaces and signs."""
    return _TOKENS.findall(latex)


def _row(tokens: list[str], end: str) -> Tree:
    """What stands before ``end``, which is taken away."""
    row: list[Token | Built] = []
    while tokens:
        token = tokens.pop()
        if token == end:
            break
        if token in ("^", "_"):
            base = (row.pop(),) if row else ()
            # An index in braces is one of Python's: x[i].
            kind = "msup" if token == "^" else "index" if tokens[-1:] == ["{"] else "msub"
            row.append(Built(kind, (base, _argument(tokens))))
        elif token not in _NOTHING:
            row += _item(token, tokens)
    return tuple(_bracketed(_multiplied(row)))


def _argument(tokens: list[str]) -> Tree:
    while tokens and tokens[-1].isspace():
        tokens.pop()
    token = tokens.pop()
    if token.isdigit() and len(token) > 1:  # of x^12 only the 1 is raised
        tokens.append(token[1:])
        token = token[0]
    return _row(tokens, "}") if token == "{" else tuple(_item(token, tokens))


def _item(token: str, tokens: list[str]) -> Iterator[Token | Built]:
    if token in (r"\frac", r"\tfrac"):
        above, below = _argument(tokens), _argument(tokens)
        yield Built("mfrac", (above, below))
        if token == r"\tfrac":  # a factor before what follows
            yield from (Token("", " "), Token("mo", "·"), Token("", " "))
    elif token == r"\sqrt" and tokens[-1] == "[":
        tokens.pop()
        degree = _row(tokens, "]")
        yield Built("mroot", (_argument(tokens), degree))
    elif token == r"\sqrt":
        yield Built("msqrt", (_argument(tokens),))
    elif token == r"\bar":
        yield Token("mi", f"{_argument(tokens)[0].text}\u0304")  # type: ignore[union-attr]
    elif token == "{":
        yield from _row(tokens, "}")
    elif token.startswith((r"\operatorname", r"\text{")):
        words = token[token.index("{") + 1 : -1].replace("\\", "")
        yield Token("mtext" if token.startswith(r"\text") else "mi", words)
    elif token == r"\mathsf T":
        yield Token("mo", TRANSPOSED)
    elif token == r"\,":
        yield Token("mo", r"\,")
    elif token in _LETTERS:
        yield Token("mi", _LETTERS[token])
    elif token in _SIGNS:
        yield Token("mo", _SIGNS[token])
    elif token.startswith("\\"):  # \sin
        yield Token("mi", token[1:])
    elif token.isspace():
        yield Token("", " ")
    else:
        yield Token("mn" if token[0].isdigit() else "mi" if token[0].isalnum() else "mo", token)


def _multiplied(row: list[Token | Built]) -> list[Token | Built]:
    """A product of matrices, which LaTeX writes by nothing but a narrow space, written as NumPy writes it: x @ y."""
    found: list[Token | Built] = []
    for i, item in enumerate(row):
        follows = next((later for later in row[i + 1 :] if later != Token("", " ")), None)
        begins = isinstance(follows, Built) or (
            isinstance(follows, Token) and (follows.kind in ("mi", "mn") or follows.text in ("(", "["))
        )
        before = next((earlier for earlier in reversed(found) if earlier != Token("", " ")), None)
        ends = isinstance(before, Token) and (before.kind in ("mi", "mn") or before.text in (")", "]"))
        if item == Token("mo", r"\,"):
            found += _AT if begins and (ends or (before is not None and _turned(before))) else [Token("", " ")]
        elif item == Token("", " ") and begins and before is not None and _turned(before) and found[-1] == before:
            found += _AT
        else:
            found.append(item)
    return found


_AT = [Token("", " "), Token("mo", "@"), Token("", " ")]


def _turned(item: Token | Built) -> bool:
    """Whether something is a matrix that is transposed or inverted."""
    if not (isinstance(item, Built) and item.kind == "msup" and text(item.parts[1]) in _TURNED):
        return False
    base = item.parts[0][0]
    return isinstance(base, Built) or base.kind == "mi"


def _bracketed(row: list[Token | Built]) -> list[Token | Built]:
    """A row with each pair of brackets and what is between them as one part."""
    stack: list[tuple[str, list[Token | Built]]] = [("", [])]
    for item in row:
        sign = item.text if isinstance(item, Token) and item.kind == "mo" else ""
        base = item.parts[0] if isinstance(item, Built) and item.kind in ("msup", "msub", "index") else ()
        closes = base[0].text if len(base) == 1 and isinstance(base[0], Token) and base[0].kind == "mo" else sign
        if closes and closes == stack[-1][0]:
            _, inside = stack.pop()
            group = Built("mrow", ((inside[0],), tuple(inside[1:]), (Token("mo", closes),)))
            if closes != sign:  # (…)^2 is a power of all that stands in the brackets
                assert isinstance(item, Built)
                group = Built(item.kind, ((group,), item.parts[1]))
            stack[-1][1].append(group)
        elif sign in _BRACKETS:
            stack.append((_BRACKETS[sign], [item]))
        else:
            stack[-1][1].append(item)
    while len(stack) > 1:  # what is never closed is a sign
        _, inside = stack.pop()
        stack[-1][1].extend(inside)
    return stack[0][1]


# -- as text -----------------------------------------------------------------------------------------------


def text(tree: Tree) -> str:
    r"""A formula as Unicode on one line.

    >>> text(read(r"\frac{e^{x_i}}{\sum_j e^{x_j}}")), text(read(r"g\,y^{\mathsf T}"))
    ('(e^x_i) / (Σ_j e^x_j)', 'g @ yᵀ')
    """
    return " ".join("".join(map(_text, tree)).split())


def _text(item: Token | Built) -> str:
    if isinstance(item, Token):
        return item.text
    parts = [text(part) for part in item.parts]
    if item.kind == "mrow":
        return "".join(parts)
    if item.kind == "mfrac":
        return "½" if parts == ["1", "2"] else f"{_grouped(parts[0])} / {_grouped(parts[1])}"
    if item.kind in ("msqrt", "mroot"):
        return f"{'∛' if item.kind == 'mroot' else '√'}{_grouped(parts[0])}"
    if item.kind in ("msub", "index"):
        return f"{parts[0]}_{parts[1]}" if item.kind == "msub" else f"{parts[0]}[{parts[1]}]"
    raised = re.fullmatch(rf"[\d-]+|-?{TRANSPOSED}", parts[1])
    return parts[0] + (parts[1].translate(_SUPERSCRIPT) if raised else f"^{_grouped(parts[1])}")


def _grouped(text: str) -> str:
    """Parentheses around what is more than one name or number."""
    return text if re.fullmatch(r"√?[\w.∂]+|\([^()]*\)", text) else f"({text})"


# -- as MathML ---------------------------------------------------------------------------------------------


def mathml(tree: Tree, fill: Callable[[str, bool], Markup | None] = lambda name, alone: None) -> list[Markup]:
    """A formula as MathML.

    ``fill`` may say what stands in place of a name; it is told whether that stands alone, as an exponent does, where a
    minus needs no parentheses.

    >>> mathml(read("x^2"))
    [['msup', ['mi', 'x'], ['mn', '2']]]
    """
    return _mathml(tree, fill, False)


def _mathml(tree: Tree, fill: Callable[[str, bool], Markup | None], alone: bool) -> list[Markup]:
    found: list[Markup] = []
    for i, item in enumerate(tree):
        if isinstance(item, Built):
            if item.kind == "mrow":
                opened, inside, closed = (_mathml(part, fill, False) for part in item.parts)
                found.append(["mrow", *opened, _one(inside), *closed])
            else:
                below = [item.kind == "mfrac" or at > 0 or item.kind == "msqrt" for at in range(len(item.parts))]
                parts = (_one(_mathml(part, fill, free)) for part, free in zip(item.parts, below, strict=True))
                found.append(["msub" if item.kind == "index" else item.kind, *parts])
        elif item.kind:
            filled = fill(item.text, alone and len(tree) == 1)
            function = item.kind == "mi" and len(item.text) > 1
            look: list[str | dict[str, str]] = [{"mathvariant": "normal"}] if function and filled is None else []
            found.append(filled or [item.kind, *look, _WRITTEN.get(item.text, item.text.strip())])
            if function and tree[i + 1 : i + 2] == (Token("", " "),):
                found.append(["mspace"])  # between sin and x
    return found


_WRITTEN = {"-": "−", TRANSPOSED: "⊤", "Σ": "∑"}


def _one(row: list[Markup]) -> Markup:
    return row[0] if len(row) == 1 else ["mrow", *row]


def element(markup: Markup) -> str:
    """An element in the letters of HTML.

    >>> element(["msup", ["mi", {"class": "big"}, "<x>"], ["mn", "2"]])
    '<msup><mi class="big">&lt;x&gt;</mi><mn>2</mn></msup>'
    """
    tag, *content = markup
    attributes, inside = "", ""
    for part in content:
        if isinstance(part, dict):
            attributes += "".join(f' {name}="{html.escape(value)}"' for name, value in part.items())
        else:
            inside += html.escape(part, quote=False) if isinstance(part, str) else element(part)
    return f"<{tag}{attributes}>{inside}</{tag}>"
