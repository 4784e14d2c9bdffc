"""What the page shows of a piece of code: it runs here, in the reader's browser, and when the site is built."""

import ast
import contextlib
import io
import linecache
import traceback
from typing import Any

from autograd_core import Drawing, Steps, Tensor, explain
from autograd_core.explain.page.picture import to_html

FILE = "your_code.py"
MOST = 20_000  # letters of what is printed


def answer(code: str) -> dict[str, Any]:
    """The page of the last expression, what was printed, and, where it went wrong, the error and its line."""
    linecache.cache[FILE] = len(code), None, code.splitlines(keepends=True), FILE
    names: dict[str, Any] = {"__name__": "__main__"}
    printed, html, told = io.StringIO(), "", {}
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            html = shown(code, names)
        except BaseException as error:  # SystemExit, too: only the worker may end
            told = {"error": worded(error), "line": line_of(error)}
    text = printed.getvalue()
    return {"html": html, "printed": text if len(text) <= MOST else f"{text[:MOST]}\n…", **told}


def shown(code: str, names: dict[str, Any]) -> str:
    """Run the code; the page of its last line, if that is an expression of which there is one."""
    tree = ast.parse(code, FILE)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, FILE, "exec"), names)
    if last is None:
        return ""
    value = eval(compile(ast.Expression(last.value), FILE, "eval"), names)

    def there(call: str, function: Any) -> Any:
        """Call a function with the value as if that line did: by the names that it has there, and in its place."""
        tree = ast.increment_lineno(ast.parse(call, mode="eval"), last.lineno - 1)
        return eval(compile(tree, FILE, "eval"), names | {"function": function, "value": value})

    if isinstance(value, Tensor):
        value = there("function(value)", explain)
    if isinstance(value, Steps):
        return there("function(value)", Steps.to_html)
    if isinstance(value, Drawing):
        return there("function(value, repr(value))", to_html)
    if value is not None:
        print(value)
    return ""


def worded(error: BaseException) -> str:
    """The error in its own words."""
    return "".join(traceback.format_exception_only(error)).strip()


def line_of(error: BaseException) -> int | None:
    """The innermost line of the code that it came from."""
    if isinstance(error, SyntaxError) and error.filename == FILE:
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
    return lines[-1] if lines else None
