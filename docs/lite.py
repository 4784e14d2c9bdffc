"""The lessons to run in a browser: ``python docs/lite.py docs/_build/extra/lite`` builds JupyterLite with them.

With it come our own wheel and what Pyodide has not; Pyodide itself is fetched by who reads. Where JupyterLite is not
installed, or a wheel cannot be had, it says so, and the site is built without.
"""

import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zlib import crc32

HERE = Path(__file__).parent
ROOT = HERE.parent
NOTEBOOKS = ROOT / "notebooks"
sys.path.insert(0, str(HERE))

from wheels import downloaded  # noqa: E402

INSTALLED = ("autograd-core", "hypothesis", "matplotlib", "pillow")
DIGITS = 20_000, 2_000  # of MNIST: 3.5 MB
OUTSIDE = "no-browser"  # the tag of a cell that cannot run there

FIRST = f"""\
# Only in your browser: fetch what the lesson needs.
%pip install -q {" ".join(INSTALLED)}
import os

os.environ["AUTOGRAD_DATA_DIR"] = "data"
"""
HEAD = """\
**In your browser.** Python runs inside this page; what you type goes nowhere. Run the next cell first: it fetches NumPy
and the rest, some 20 MB, which takes half a minute and is kept. Drawings are laid out by the browser. {but}"""

SMALL = (
    "MNIST is its first {:,} digits here, and {:,} to be judged by, so accuracies are some percent lower than the text "
    "says. (The digits: Yann LeCun and Corinna Cortes, CC BY-SA 3.0.)"
)
NO_DIGITS = "MNIST is not here, and a browser may fetch it from nowhere: the cells that need it fail."
# What a lesson leaves out there, or does otherwise.
BUT = {
    "08": "The reviews are not here: the cell that reads one out is shown as it was stored, and of the trainings "
    "only that of the houses can be run again.",
    "09": "Animations need Graphviz, which is not here: that cell is shown as it was stored.",
    "10": "It takes a minute.",
    "12": "The words of the film reviews are not here: it takes those of NumPy's manual, and its numbers are others "
    "than the text says.",
}


def head(file: Path, needs: tuple[str, ...], digits: bool) -> str:
    """What stands at the head of a lesson in the browser: how it begins, and what it leaves out."""
    but = [BUT[file.stem[:2]]] if file.stem[:2] in BUT else []
    if "mnist" in needs:
        but.append(SMALL.format(*DIGITS) if digits else NO_DIGITS)
    return HEAD.format(but=" ".join(but) or "Everything of this lesson runs here.")


def prepared(file: Path, digits: bool = True) -> dict[str, Any]:
    """A lesson as it is there: with its first cell, without outputs, and what cannot run as it was stored."""
    notebook: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    needs = tuple(notebook["metadata"].pop("needs", ()))
    notebook["metadata"]["kernelspec"] = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
    cells = [without_outputs(cell) for cell in notebook["cells"]]
    begin = [made("markdown", head(file, needs, digits)), made("code", FIRST)]
    notebook["cells"] = [cells[0], *begin, *cells[1:]]
    return notebook


def without_outputs(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell before it runs; of one that cannot run there its code and what it showed, to read."""
    if cell["cell_type"] != "code":
        return cell
    if OUTSIDE not in cell["metadata"].get("tags", ()):
        return cell | {"outputs": [], "execution_count": None}
    shown = []
    for output in cell["outputs"]:
        told = output.get("data", {}).get("text/html")
        shown.append("".join(told) if told else f"```text\n{''.join(output['text']).strip()}\n```")
    return made("markdown", "\n\n".join([f"```python\n{''.join(cell['source'])}\n```", "*Stored:*", *shown]))


def made(kind: str, source: str) -> dict[str, Any]:
    """A new cell."""
    more = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": f"browser-{crc32(source.encode()):x}", "metadata": {}, "source": source, **more}


def save_digits(folder: Path) -> bool:
    """Write the first digits of MNIST as the files of the whole set are; whether the set could be had."""
    from datasets import _fetch, mnist

    files = _fetch.find(mnist.FILES)
    if files is None:
        print("without MNIST, which is not on this machine: datasets.mnist.load_data() brings it here")
        return False
    folder.mkdir(parents=True)
    for told, path in zip(mnist.FILES, files, strict=True):
        whole = gzip.decompress(path.read_bytes())
        count = DIGITS["t10k" in told.name]
        begin, size = (16, 784) if "images" in told.name else (8, 1)
        some = whole[:4] + count.to_bytes(4, "big") + whole[8 : begin + count * size]
        (folder / told.name).write_bytes(gzip.compress(some, 6, mtime=0))
    return True


def contents(folder: Path) -> None:
    """The files that there are in JupyterLite: the lessons, what they share, and some digits."""
    digits = save_digits(folder / "data" / "mnist")
    for file in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        (folder / file.name).write_text(json.dumps(prepared(file, digits), ensure_ascii=False), encoding="utf-8")
    shutil.copy(NOTEBOOKS / "lesson.py", folder)
    shutil.copytree(NOTEBOOKS / "results", folder / "results")


def wheels(folder: Path) -> list[Path]:
    """Our own wheel, and those that Pyodide has not."""
    run("hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    return downloaded(folder)


def assembled(folder: Path, wheels: Sequence[Path], out: Path, python: str = sys.executable) -> None:
    """JupyterLite with the contents and the settings that lie in a folder."""
    words = ("--contents", "contents", "--output-dir", out.resolve(), "--apps", "notebooks", "--apps", "lab")
    added = [word for wheel in wheels for word in ("--piplite-wheels", wheel)]
    run("jupyterlite_core", "build", *words, "--no-sourcemaps", *added, cwd=folder, python=python)


def run(module: str, *words: object, cwd: Path, python: str = sys.executable) -> None:
    """Run a module of Python, and say what it says if it fails."""
    command = [python, "-m", module, *map(str, words)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)


def build(out: Path) -> str:
    """Write the site to ``out``; the reason if it cannot be built."""
    shutil.rmtree(out, ignore_errors=True)
    missing = [name for name in ("jupyterlite_core", "jupyterlite_pyodide_kernel", "hatchling") if not find_spec(name)]
    if missing:
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
    with tempfile.TemporaryDirectory() as name:  # of its own, for what JupyterLite remembers of a folder it believes
        folder = Path(name)
        (folder / "contents").mkdir()
        contents(folder / "contents")
        try:
            assembled(folder, wheels(folder / "wheels"), out)
        except subprocess.CalledProcessError as error:
            shutil.rmtree(out, ignore_errors=True)
            said = (error.stderr or error.stdout or "").strip().splitlines()
            return f"{error.cmd[2]} failed: {said[-1] if said else error}"
    return ""


if __name__ == "__main__":
    reason = build(Path(sys.argv[1]))
    print(f"without the lessons in a browser: {reason}" if reason else "the lessons run in a browser")
