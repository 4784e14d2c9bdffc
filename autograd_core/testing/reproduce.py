"""Python that builds a value or names a function again: what a failure message is pasted from."""

from __future__ import annotations

import ast
import functools
import inspect
import keyword
import re
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from ..domain import Domain
from ..op import COMPOSED, REGISTRY, Op
from ..tensor import Tensor
from ..tree import leaves
from .libraries import of_value

# Numbers that a message still prints whole.
LONGEST = 1000
# Of those that repeat, as many as a message prints once.
SHORT = 24


def literal(value: Any) -> str:
    """An expression that evaluates to ``value`` exactly.

    >>> literal({"w": np.array([0.5, np.nan]), "axis": 1})
    "{'w': np.array([0.5, np.nan]), 'axis': 1}"
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, tuple):
        inner = ", ".join(map(literal, value))
        if hasattr(value, "_fields"):
            return f"{type(value).__name__}({inner})"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, Tensor):
        constant = "" if value.requires_grad or value.dtype.kind != "f" else ", requires_grad=False"
        return f"Tensor({literal(np.asarray(value.data))}{constant})"
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return _number(value.item()) if type(value) is np.float64 else f"np.{value.dtype}({_number(value.item())})"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Domain):
        given = [f"{f.name}={literal(v)}" for f in fields(value) if (v := getattr(value, f.name)) != f.default]
        return f"Domain({', '.join(given)})"
    if getattr(np, name := getattr(value, "__name__", ""), None) is value:
        return f"np.{name}"
    library = of_value(value)
    made = library.literal(value) if library is not None else None
    if made is not None:
        return made
    if isinstance(value, str | int | complex | bytes | None | range | slice):
        return repr(value)
    return f"...  # {_one_line(value)}, which cannot be written as text"


def _number(value: Any) -> str:
    text = repr(value)
    return f"float('{text}')" if text in ("nan", "inf", "-inf") else text


def _array(value: Any) -> str:
    if value.size > SHORT and (period := _period(value.reshape(-1))):
        return f"np.resize({_array(value.reshape(-1)[:period])}, {value.shape!r})"
    if value.size > LONGEST:
        return f"...  # {value.dtype}{list(value.shape)}: the array is in error.arguments"
    if value.size == 0:
        return f"np.zeros({value.shape!r}, np.{value.dtype})"
    items = str(value.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    plain = value.dtype in (np.float64, np.bool_) or (value.dtype == np.int64)
    return f"np.array({items})" if plain else f"np.array({items}, np.{value.dtype})"


def _period(flat: Any) -> int:
    """How many numbers, not above `SHORT`, an array repeats over and over; 0 if it does not."""
    for n in range(1, SHORT + 1):
        if flat[0] == flat[n] and flat[n:].tobytes() == flat[:-n].tobytes():
            return n
    return 0


def name_of(f: Any) -> str:
    """What the author of a function calls it: ``Swish`` for ``Swish.apply``, a module by its class.

    >>> name_of(np.tanh), name_of(dict(a=1).get)
    ('tanh', 'get')
    """
    owner = getattr(f, "__self__", None)
    if isinstance(owner, type) and getattr(f, "__name__", "") == "apply":
        return owner.__name__
    if isinstance(f, functools.partial):
        return name_of(f.func)
    return getattr(f, "__name__", None) or type(f).__name__


class Script:
    """Lines of Python that define values and functions under names, no two of them under one.

    What a function looks up outside itself is defined before it. Where a name that it uses stands for something else
    already, the function is made inside another one, which has names of its own.
    """

    def __init__(self, outer: Script | None = None) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self.outer = outer

    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)

    def line(self, line: str) -> None:
        """Add a line, such as an import, once."""
        if line not in self.lines:
            self.lines.append(line)

    def knows(self, name: str, value: Any) -> bool | None:
        """True where ``name`` is ``value`` here, False where it is something else, None where it is free."""
        if name in self.names:
            return _same(self.names[name], value)
        return self.outer.knows(name, value) if self.outer is not None else None

    def define(self, value: Any, wanted: str) -> str:
        """Make sure that ``value`` has a name, ``wanted`` if that is free; return it, or what else stands for it."""
        owner = getattr(value, "__self__", None)
        if isinstance(owner, type) and callable(value):  # Swish.apply
            return f"{self.define(owner, owner.__name__)}.{value.__name__}"
        if isinstance(value, np.ufunc) and vars(np).get(wanted) == value:
            return f"np.{wanted}"
        name, number = wanted, 1
        while (known := self.knows(name, value)) is False:
            number += 1
            name = f"{wanted}_{number}"
        if known is None:
            self.names[name] = value
            self._write(value, name)
        return name

    def _write(self, value: Any, name: str) -> None:
        if inspect.ismodule(value):
            self.line(f"import {value.__name__}" + (f" as {name}" if name != value.__name__ else ""))
        elif callable(value):
            self._write_function(value, name)
        else:
            self.line(_wrapped(f"{name} = {self.literal(value)}"))

    def literal(self, value: Any) -> str:
        """`literal`, with the imports that it needs; what cannot be written says so."""
        text = literal(value)
        for mark, line in (
            ("Tensor(", "from autograd_core import Tensor"),
            ("Domain(", "from autograd_core import Domain"),
        ):
            if re.search(rf"(?<![\w.]){re.escape(mark)}", text):
                self.line(line)
        library = next((found for leaf in leaves(value) if (found := of_value(leaf)) is not None), None)
        for line in library.imports if library is not None else ():
            self.line(line)
        return text

    def _write_function(self, f: Any, name: str) -> None:
        source = getattr(f, "source", None)  # what generates functions may say how
        if isinstance(source, str):
            self.lines += source.rstrip().splitlines()
            if name_of(f) != name:
                self.line(f"{name} = {name_of(f)}")
            return
        imported = _imported(f, name)
        if imported:
            for line in imported:
                self.line(line)
            return
        if isinstance(f, functools.partial):
            self.line("import functools")
            inner = self.define(f.func, _identifier(name_of(f.func), "inner"))
            given = [*map(self.literal, f.args), *(f"{k}={self.literal(v)}" for k, v in f.keywords.items())]
            self.line(f"{name} = functools.partial({', '.join([inner, *given])})")
        elif (made := library_code(f, self)) is not None:
            self.line(f"{name} = {made}")
        elif isinstance(f, type):
            self._write_source(f, name, _source_of_class(f), f.__name__)
        else:
            self._write_source(f, name, source_of(f), getattr(f, "__name__", name))

    def _write_source(self, f: Any, name: str, text: str | None, made: str) -> None:
        if text is None:
            self.line(f"{name} = ...  # {_one_line(f)}, which cannot be written as text: it is error.function")
            return
        used = {n: v for n, v in _used_by(f).items() if v is not f}
        alone = made == "<lambda>"
        if any(self.knows(n, v) is False for n, v in used.items()) or (not alone and self.knows(made, f) is False):
            inner = Script(self)
            inner.names[name if alone else made] = f
            for n, value in used.items():
                if not inner.knows(n, value):  # it may stand for something else outside
                    inner.names[n] = value
                    inner._write(value, n)
            inner._definition(text, name, made)
            body = textwrap.indent("\n".join(inner.lines), "    ")
            self.lines += [f"def make_{name}():", *body.splitlines(), f"    return {name if alone else made}"]
            self.line(f"{name} = make_{name}()")
            return
        self.names.setdefault(name if alone else made, f)
        for n, value in used.items():
            self.define(value, n)
        self._definition(text, name, made)
        if not alone and made != name:
            self.line(f"{name} = {made}")

    def _definition(self, text: str, name: str, made: str) -> None:
        if made == "<lambda>":
            text = f"{name} = ({text})" if "\n" in text else f"{name} = {text}"
        self.lines += text.splitlines()


def library_code(f: Any, script: Script) -> str | None:
    """An expression that makes an object of another library again, after what it is made of was defined."""
    library = of_value(f)
    return library.code(f, script.define) if library is not None else None


def function_code(f: Callable[..., Any], name: str) -> list[str]:
    """Lines after which ``name`` is ``f``: an import, its source, or a comment that says what it was."""
    script = Script()
    script.names["np"] = np
    script.define(f, name)
    return script.lines


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if type(a) is not type(b) or callable(a):
        return False
    return literal(a) == literal(b)


def _is(a: object, b: object) -> bool:
    return a is b


def _imported(f: Any, name: str) -> list[str]:
    """The import after which ``name`` is ``f``, where one can be had."""
    if isinstance(f, Op):
        if _is(getattr(sys.modules.get(f.__module__), f.name, None), f) and f.__module__ not in ("__main__", "numpy"):
            return [f"from {f.__module__} import {f.name}" + (f" as {name}" if f.name != name else "")]
        if f in REGISTRY.values():
            return ["from autograd_core import REGISTRY", f"{name} = REGISTRY[{f.name!r}]"]
        return [f"{name} = ...  # the op {name_of(f)}, which is in no table: it is error.function"]
    made = getattr(f, "__name__", "")
    if isinstance(f, np.ufunc):
        if getattr(np, made, None) is f:
            return [f"{name} = np.{made}"]
        for module in ("scipy.special",):
            if getattr(sys.modules.get(module), made, None) is f:
                return [f"from {module} import {made}" + (f" as {name}" if made != name else "")]
        return []
    entry = COMPOSED.get(made)
    if entry is not None and entry.function is f:
        return ["from autograd_core.op import COMPOSED", f"{name} = COMPOSED[{made!r}].function"]
    module, path = str(getattr(f, "__module__", "") or ""), str(getattr(f, "__qualname__", ""))
    if module and module != "__main__" and getattr(sys.modules.get(module), path, None) is f:
        return [f"from {module} import {path}" + (f" as {name}" if path != name else "")]
    return []


def _used_by(f: Any) -> dict[str, Any]:
    """What a function, or the methods of a class, look up outside themselves: modules, functions, numbers, arrays."""
    functions = [f]
    if isinstance(f, type):
        functions = [inspect.unwrap(getattr(m, "__func__", m)) for m in vars(f).values()]
        functions = [m for m in functions if inspect.isfunction(m)]
    found: dict[str, Any] = {}
    if isinstance(f, type):
        for written, base in zip(_bases_of(f), f.__bases__, strict=False):
            root = written.partition(".")[0]
            found[root] = base if root == written else sys.modules.get(base.__module__.partition(".")[0], base)
    for function in functions:
        try:
            used = inspect.getclosurevars(function)
        except (TypeError, ValueError):
            continue
        for name, value in {**used.globals, **used.nonlocals}.items():
            if name != "np" or value is not np:
                found[name] = value
    return {n: v for n, v in found.items() if v is not f and n != getattr(f, "__name__", None)}


def _bases_of(cls: type) -> list[str]:
    """The base classes as the definition of a class writes them."""
    text = _source_of_class(cls)
    tree = ast.parse(text).body[0] if text else None
    return [ast.unparse(base) for base in tree.bases] if isinstance(tree, ast.ClassDef) else []


def _source_of_class(cls: type) -> str | None:
    try:
        return ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(cls))))
    except (OSError, TypeError, SyntaxError):
        return None


def _one_line(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) < 60 else f"{text[:57]}..."


def source_of(f: Callable[..., Any]) -> str | None:
    """The text of a function without its decorators, or of a lambda alone; None where there is none."""
    tree = definition_of(f)
    return ast.unparse(tree) if tree is not None else None


def definition_of(f: Callable[..., Any]) -> ast.FunctionDef | ast.Lambda | None:
    """The syntax tree of a function without its decorators and docstring, or of a lambda among several on a line."""
    code = getattr(f, "__code__", None)
    if code is None:
        return None
    try:
        lines, first = inspect.findsource(f)
        block = "".join(inspect.getblock(lines[first:])) if code.co_name != "<lambda>" else "".join(lines)
        tree = ast.parse(textwrap.dedent(block))
    except (OSError, SyntaxError, TypeError, IndentationError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and code.co_name == node.name:
            node.decorator_list = []
            return node
        if isinstance(node, ast.Lambda) and _is_body_of(node.body, code):
            return node
    return None


def _is_body_of(body: ast.expr, code: Any) -> bool:
    """Whether ``code`` has an instruction that spans exactly this expression."""
    span = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
    return span in set(code.co_positions())


def call_code(
    f: Callable[..., Any],
    args: Sequence[Any],
    names: Sequence[str],
    given: Mapping[str, Any],
    extra: str,
    check: str = "check_gradients",
) -> str:
    """A script that runs this check again; ``given`` are functions by keyword, such as ``grad``."""
    script = Script()
    script.names["np"] = np
    script.names[check] = check
    script.lines = ["import numpy as np", f"from autograd_core.testing import {check}"]
    if "Domain(" in extra:
        script.line("from autograd_core import Domain")
    called = [script.define(f, _identifier(name_of(f), "f"))]
    keywords = ""
    for keyword_, function in given.items():
        if function is True:
            keywords += f", {keyword_}=True"
        elif not keyword_:
            called.append(script.define(function, _identifier(name_of(function), "backward")))
        elif function is not None:
            own = _identifier(name_of(function), "gradient" if keyword_ == "grad" else keyword_)
            keywords += f", {keyword_}={script.define(function, own)}"
    for i, (value, name) in enumerate(zip(args, names, strict=False)):
        variable = _identifier(name, f"arg{i}")
        if script.knows(variable, object()) is not None:
            variable = f"arg{i}"
        called.append(script.define(value, variable) if not callable(value) else script.literal(value))
    script.lines.append(f"{check}({', '.join(called)}{keywords}{extra})")
    return script.text()


def _wrapped(line: str) -> str:
    """A long line of numbers on several that fit a terminal; whatever holds text or a comment stays as it is."""
    if any(mark in line for mark in "'\"#"):
        return line
    return "\n".join(textwrap.wrap(line, 66, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False))


def _identifier(name: str, otherwise: str) -> str:
    return name if name.isidentifier() and not keyword.iskeyword(name) else otherwise
