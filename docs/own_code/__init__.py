"""The page "Step through your own code": an editor, Python in a worker of the browser, and the live page of what ran.

``save`` writes it with the answers to its examples, so that they are there before Python is; what Python fetches
besides itself and NumPy, this library, lies beside the page.
"""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from pathlib import Path

from autograd_core.explain import page

from . import answering

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PYODIDE = json.loads((HERE.parent / "pyodide.json").read_text(encoding="utf-8"))["pyodide"]
CDN = "https://cdn.jsdelivr.net"
HOME = f"{CDN}/pyodide/v{PYODIDE}/full/"
LIBRARY = "own_code_library.js"


def examples() -> dict[str, str]:
    """The gallery: what each piece of code is about, which is its first line, and the code."""
    texts = [file.read_text(encoding="utf-8").strip() for file in sorted((HERE / "examples").glob("*.py"))]
    return {text.partition("\n")[0].lstrip("# ").rstrip("."): text for text in texts}


def save(folder: Path, home: str = HOME) -> Path:
    """Write the page, and beside it the library for the Python of ``home``; gives the page."""
    told = {
        "home": home,
        "library": LIBRARY,
        "answering": (HERE / "answering.py").read_text(encoding="utf-8"),
        "gallery": [{"title": title, "code": code, **answering.answer(code)} for title, code in examples().items()],
    }
    parts = {
        "style": page.base() + page.styled((HERE / "page.css").read_text(encoding="utf-8")),
        "from": re.match(r"https?://[^/]+", home)[0],  # type: ignore[index]
        "told": embedded(json.dumps(told, ensure_ascii=False, allow_nan=False)),
        "worker": (HERE / "worker.js").read_text(encoding="utf-8"),
        "script": (HERE / "page.js").read_text(encoding="utf-8"),
    }
    written = re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], (HERE / "page.html").read_text(encoding="utf-8"))
    (folder / LIBRARY).write_text(f'LIBRARY = "{base64.b64encode(library()).decode()}";\n', encoding="ascii")
    (folder / "own_code.html").write_text(written, encoding="utf-8")
    return folder / "own_code.html"


def embedded(text: str) -> str:
    """JSON in which HTML finds no end of a script; the answers are pages, and full of tags."""
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--").replace("<script", "\\u003cscript")


def library() -> bytes:
    """Our three packages as an archive, the same bytes for the same files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as into:
        for package in ("autograd_core", "nn", "datasets"):
            for file in sorted((ROOT / package).rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    into.writestr(
                        zipfile.ZipInfo(file.relative_to(ROOT).as_posix()), file.read_bytes(), zipfile.ZIP_DEFLATED
                    )
    return archive.getvalue()
