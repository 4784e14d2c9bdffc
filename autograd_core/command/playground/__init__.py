"""``autograd playground``: one file in which one types an expression, and everything that its page does works.

It reads what is typed with the grammar of ``autograd explain`` (``parser.js``), builds the computation and its page
(``pages.js``) from templates that were cut out of real pages (``templates.py``), lays the graph out (``layout.js``
of the page, with dagre), and shows it in a frame (``playground.js``).
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
import webbrowser
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...explain import page
from ...explain.typeset import read, text
from ...files import written_whole
from ..grammar import CONSTANTS, GROUPS, entry, functions, grammar
from .templates import templates

SCRIPTS = ("parser.js", "pages.js", "playground.js")


def playground_html() -> str:
    """The page as text."""
    ops, told = templates()
    known = {*told["operations"], *told["compositions"]}
    told["page"]["page"] = told["page"]["page"].replace("{{more}}", _file("inner.js"))
    told["page"]["page"] = told["page"]["page"].replace("</style>", f"{_file('inner.css')}</style>")
    groups = {
        group: [n for n in names.split() if {*functions()[n]["by"].values()} & known] for group, names in GROUPS.items()
    }
    rows = (
        f"<dt>{html.escape(group)}</dt><dd>{', '.join(map(_function, names))}</dd>"
        for group, names in groups.items()
        if names
    )
    parts = {
        "style": _of_page("base.css") + _of_page("page.css") + _file("playground.css"),
        "constants": ", ".join(f"<code>{name}</code>" for name in CONSTANTS),
        "functions": "\n".join(rows),
        "told": _embedded({"grammar": grammar(), "templates": told, "gallery": json.loads(_file("gallery.json"))}),
        "dagre": page.dagre(),
        "ops": ",\n".join(f"{name}: {code}" for name, code in ops.items()),
        "script": "\n".join(
            [*(_of_page(f"scripts/{name}.js") for name in ("numbers", "maths", "layout")), *map(_file, SCRIPTS)]
        ),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], _file("playground.html"))


def _function(name: str) -> str:
    return f'<code title="{html.escape(text(read(entry(name).latex)), quote=True)}">{name}</code>'


def save(path: Path) -> Path:
    """Write the playground to ``path``, whole or not at all."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"--out: expected a file that ends in .html, for the playground, got {path.name!r}")
    written = playground_html().encode()
    with written_whole(path) as file:
        file.write(written)
    return path


def run(options: argparse.Namespace) -> int:
    """Write the page; returns the exit status."""
    try:
        path = save(options.out)
    except (OSError, ValueError) as error:
        print(f"autograd playground: {error}", file=sys.stderr)
        return 1
    print(path)
    if options.open:
        webbrowser.open(path.resolve().as_uri())
    return 0


def _embedded(data: Any) -> str:
    """JSON in which HTML finds no end and no beginning of a script; the templates are full of tags."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--").replace("<script", "\\u003cscript")


def _of_page(name: str) -> str:
    return files(page).joinpath(name).read_text(encoding="utf-8")


def _file(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
