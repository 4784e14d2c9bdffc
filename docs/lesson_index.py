"""The lessons in the site: where Sphinx finds them, a list with pictures and minutes, and their answers."""

from __future__ import annotations

import ast
import base64
import html
import json
import re
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"
ANSWERS = HERE.parent / "tests" / "notebooks" / "answers"
PICTURES = HERE / "_build" / "generated"
LITE = HERE / "_build" / "extra" / "lite"  # the lessons to run, where lite.py could build them

# Counted, and said to be: how fast one reads, and how long an exercise takes.
WORDS, LINES, EXERCISE = 200, 20, 5

IMAGE = re.compile(r'<img src="data:image/(svg|png)[^;]*;base64,([\w+/=]+)" alt="([^"]*)"')


def lessons() -> list[Path]:
    """The notebooks in order."""
    return sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))


def copy() -> None:
    """Put the notebooks where Sphinx finds them, and take away what is no lesson any more."""
    names = {file.name for file in lessons()}
    for copied in (HERE / "lessons").glob("*.ipynb"):
        if copied.name not in names:
            copied.unlink()
    for file in lessons():
        notebook = json.loads(file.read_text(encoding="utf-8"))
        if LITE.is_dir():
            first = notebook["cells"][0]
            first["source"] = "".join(first["source"]) + f"\n\n{run_link(file, '../')}"
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["source"] = without_alternatives("".join(cell["source"]))
        (HERE / "lessons" / file.name).write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")


def run_link(file: Path | None = None, up: str = "") -> str:
    """A link to the lessons, or to one of them, that run in the browser; how to get it where they were not built."""
    if not LITE.is_dir():
        return "The lessons can run in your browser, too: `make docs` with a network builds a site with them"
    what = f"notebooks/index.html?path={file.name}" if file else "lab/index.html"
    return f'<a href="{up}lite/{what}">Run {"this lesson" if file else "the lessons"} in your browser</a>'


def without_alternatives(source: str) -> str:
    """The code of a cell without the words for its figures, which the page says to those who listen.

    >>> without_alternatives('show(figure, "A line " "that rises.", kind="png")')
    'show(figure, "…", kind="png")'
    """
    try:
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and len(node.args) > 1]
    except SyntaxError:  # a cell with a line for IPython
        return source
    lines = source.encode().splitlines(keepends=True)  # Python counts bytes
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    code = source.encode()
    for call in sorted(calls, key=lambda call: -call.lineno):
        words = call.args[1]
        is_text = isinstance(words, ast.JoinedStr | ast.BinOp | ast.Constant)
        if isinstance(call.func, ast.Name) and call.func.id == "show" and is_text:
            begin = starts[words.lineno - 1] + words.col_offset
            end = starts[(words.end_lineno or 0) - 1] + (words.end_col_offset or 0)
            code = code[:begin] + '"…"'.encode() + code[end:]
    return code.decode()


def cells(file: Path) -> list[dict[str, Any]]:
    """The cells of a notebook."""
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return found


def heading(file: Path) -> tuple[str, str]:
    """The title of a lesson and its question."""
    title, _, text = "".join(cells(file)[0]["source"]).partition("\n")
    return title.lstrip("# "), " ".join(text.strip().partition("\n\n")[0].split()).strip("*")


def minutes(file: Path) -> int:
    """How long it takes to read a lesson: its words, and the lines of code that are not folded away."""
    words = lines = 0
    for cell in cells(file):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            words += len(source.split())
        elif not {"hide-input"} & {*cell["metadata"].get("tags", ())}:
            lines += len([line for line in source.splitlines() if line.strip()])
    return round(words / WORDS + lines / LINES)


def picture(file: Path) -> tuple[str, str]:
    """The first figure of a lesson, written to a file, and the words for it."""
    for cell in cells(file):
        for output in cell.get("outputs", ()):
            found = IMAGE.search("".join(output.get("data", {}).get("text/html", "")))
            if found:
                path = PICTURES / f"lesson_{file.stem[:2]}.{found[1]}"
                path.write_bytes(base64.b64decode(found[2]))
                return path.name, html.unescape(found[3])
    raise ValueError(f"{file.name}: expected a figure for the list of lessons, got none; show(figure, alt) one")


def cards() -> str:
    """The list of lessons: each with its first figure, its question and its minutes."""
    made = []
    for file in lessons():
        title, question = heading(file)
        image, alt = picture(file)
        made.append(
            f":::{{grid-item-card}} {title}\n:img-top: ../_build/generated/{image}\n:img-alt: {alt}\n"
            f":link: {file.stem}\n:link-type: doc\n\n{question}\n\n*{minutes(file)} minutes to read*\n:::"
        )
    return "::::{grid} 1 2 2 3\n:gutter: 3\n:class-container: lessons\n\n" + "\n\n".join(made) + "\n::::"


def hours() -> str:
    """The lessons as a table of minutes."""
    rows = ["| lesson | to read | with its exercises |", "|---|--:|--:|"]
    for file in lessons():
        read = minutes(file)
        rows.append(f"| [{heading(file)[0]}](lessons/{file.name}) | {read} | {read + 3 * EXERCISE} |")
    return "\n".join(rows)


def answers() -> str:
    """For each lesson a right answer to each exercise, and the wrong ones that one meets."""
    parts = []
    for file in lessons():
        exercises = tomllib.loads((ANSWERS / f"{file.stem[:2]}.toml").read_text(encoding="utf-8"))["exercise"]
        lines = [f":::{{dropdown}} {heading(file)[0]}"]
        for number, exercise in enumerate(exercises, 1):
            wrong = exercise["wrong"] if isinstance(exercise["wrong"], list) else [exercise["wrong"]]
            lines += [f"**Exercise {number}.**", f"```python\n{exercise['right'].strip()}\n```", "Wrong, and how:"]
            lines += [f"```python\n{answer.strip()}\n```" for answer in wrong]
        parts.append("\n\n".join([*lines, ":::"]))
    return "\n\n".join(parts)
