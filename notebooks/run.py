"""Run the lessons from fresh kernels and store their outputs, or show a notebook as text for a review.

    python notebooks/run.py                  # all, in order
    python notebooks/run.py 03 07            # those whose names begin so
    python notebooks/run.py --redo 07        # its stored trainings as well
    python notebooks/run.py --text FILE      # cells and outputs as plain text: what git diff can show

What is written depends on nothing but the lesson and its numbers: no times, no counters of earlier runs.
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).parent
__all__ = [
    "CellExecutionError",
    "ask",
    "differences",
    "execute",
    "lessons",
    "normalise",
    "outputs",
    "text",
]
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
HIDDEN = "hide-input"  # what only draws is folded away, in the site and in JupyterLab
SHOWN = (
    "text/html",
    "text/latex",
    "text/plain",
)  # the first that an output has is compared
NUMBER = re.compile(r"(?<![\w.])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?")
DATA = re.compile(r"data:image/[^;]+;base64,[\w+/=]+")
PAGE = re.compile(r'<iframe srcdoc="([^"]*)"')  # of an explanation
STEPS = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.S)
WORDS = re.compile(
    r'<title>.*?</title>|<header>.*?</header>|<tbody>.*?</tbody>|<ol id="steps">.*?</ol>',
    re.S,
)
APART = re.compile(
    r"</?(?:title|header|h1|p|li|tr|td|th|button)\b[^>]*>"
)  # begin a new word
# Of values, and of steps, which name values by their places.
TOLD = (
    *("name", "op", "value", "gradient", "parents", "live"),
    *("kind", "node", "out", "position", "upstream", "local", "contribution", "total"),
)


def lessons() -> list[Path]:
    """The notebooks in order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def execute(
    notebook: Any,
    *,
    redo: bool = False,
    offline: bool = False,
    patience: float | None = None,
    afterwards: Callable[[NotebookClient], None] | None = None,
) -> float:
    """Run a notebook from a fresh kernel, in place; returns the processor time in seconds.

    ``offline`` takes away caches and network, so that only what AUTOGRAD_DATA_DIR holds is found. A cell that runs
    for more than ``patience`` seconds raises CellTimeoutError. ``afterwards`` is called with the client while the
    kernel still lives.
    """
    environment = {
        **os.environ,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
    }
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH")])
    )
    environment.pop("AUTOGRAD_REDO", None)
    if redo:
        environment["AUTOGRAD_REDO"] = "1"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=patience,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
        coalesce_streams=True,
        record_timing=False,
    )
    with tempfile.TemporaryDirectory() as home:
        if offline:
            dead = "http://127.0.0.1:9"  # nothing listens there
            environment |= {
                "HOME": home,
                "XDG_CACHE_HOME": home,
                "http_proxy": dead,
                "https_proxy": dead,
            }
        with client.setup_kernel(env=environment):
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
            used = float(ask(client, "import time; print(time.process_time())"))
            if afterwards:
                afterwards(client)
    return used


def ask(client: NotebookClient, code: str) -> str:
    """What ``code`` prints in the kernel of ``client``; raises CellExecutionError if it fails."""
    cell = nbformat.v4.new_code_cell(code)
    client.nb.cells.append(cell)
    try:
        client.execute_cell(cell, len(client.nb.cells) - 1, store_history=False)
    finally:
        client.nb.cells.pop()
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


def normalise(notebook: Any) -> None:
    """Drop all that depends on when and where a notebook was run."""
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
        | {k: v for k, v in notebook.metadata.items() if k == "needs"}
    )
    count = 0
    for cell in notebook.cells:
        kept = {k: v for k, v in cell.metadata.items() if k == "tags"}
        if HIDDEN in cell.metadata.get("tags", ()):
            kept["jupyter"] = {"source_hidden": True}  # the same for JupyterLab
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = count


def text(notebook: Any) -> str:
    """A notebook as plain text, its pictures as the words that stand for them."""
    lines = []
    for cell in notebook.cells:
        tags = "".join(f" #{tag}" for tag in cell.metadata.get("tags", ()))
        lines += [f"──── {cell.cell_type}{tags}", cell.source]
        if cell.cell_type == "code":
            lines += [f"→ {shown}" for shown in outputs(cell)]
    return "\n".join(lines)


def outputs(cell: Any) -> list[str]:
    """The outputs of a cell as text: of a picture its words, of a page what it says."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append(output.text)
        elif output.output_type == "error":
            found.append(f"{output.ename}: {output.evalue}")
        else:
            shown = next((output.data[k] for k in SHOWN if k in output.data), "")
            page = PAGE.match(shown)
            found.append(said(html.unescape(page[1])) if page else DATA.sub("…", shown))
    return found


def said(page: str) -> str:
    """What a page of an explanation says: its words, and the numbers of its values and steps.

    How it looks and what can be done with it may change without making a lesson stale.
    """
    marked = APART.sub(" ", "\n".join(WORDS.findall(page)))
    words = html.unescape(re.sub(r"<[^>]*>", "", marked))
    data = json.loads(STEPS.search(page)[1])  # type: ignore[index]
    arrays = [
        np.frombuffer(base64.b64decode(a["data"]), f"<{a['kind']}").tolist()
        for a in data["arrays"]
    ]
    lines = [" ".join(line.split()) for line in words.splitlines()]
    for entry in (*data["nodes"], *data["steps"]):
        told = [f"{k} {_written(v, arrays)}" for k, v in entry.items() if k in TOLD]
        lines.append(", ".join(told))
    return "\n".join(filter(None, lines))


def _written(told: Any, arrays: list[Any]) -> str:
    """A number of a page with seven digits, all elements of an array, anything else as it is."""
    if isinstance(told, dict):  # the place of an array
        return f"[{', '.join(_written(x, arrays) for x in arrays[told['array']])}]"
    return f"{told:.6e}" if isinstance(told, float) else str(told)


def differences(stored: Any, fresh: Any) -> list[str]:
    """Where the outputs of two runs differ by more than one unit of the last digit that is shown.

    Cells tagged "varies" (times) are only asked to say as much as before.
    """
    found = []
    for number, (a, b) in enumerate(zip(stored.cells, fresh.cells, strict=True), 1):
        if a.cell_type != "code":
            continue
        before, after = outputs(a), outputs(b)
        if "varies" in a.metadata.get("tags", ()):
            if len(before) != len(after):
                found.append(
                    f"cell {number}: {len(after)} outputs, stored are {len(before)}"
                )
            continue
        if not _same("\n".join(before), "\n".join(after)):
            found.append(f"cell {number} shows\n{_cut(after)}\nstored is\n{_cut(before)}")
    return found


def _cut(shown: list[str]) -> str:
    joined = "\n".join(shown)
    return joined if len(joined) < 2000 else joined[:2000] + " …"


def _same(stored: str, fresh: str) -> bool:
    if NUMBER.sub("#", stored) != NUMBER.sub("#", fresh):
        return False
    return all(
        _near(a, b)
        for a, b in zip(NUMBER.findall(stored), NUMBER.findall(fresh), strict=True)
    )


def _near(stored: str, fresh: str) -> bool:
    if stored == fresh:
        return True
    a, b = (float(n.replace(",", "").replace("−", "-")) for n in (stored, fresh))
    mantissa, _, exponent = stored.partition("e")
    if not exponent and "." not in mantissa:
        return False  # a whole number is a count
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(a - b) <= max(1.01 * unit, 1e-6 * abs(a), 1e-12)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="how the names begin; all by default")
    parser.add_argument(
        "--redo", action="store_true", help="make the stored trainings again"
    )
    parser.add_argument(
        "--text", action="store_true", help="print the file as text and run nothing"
    )
    options = parser.parse_args()
    if options.text:
        print(text(nbformat.read(options.names[0], as_version=4)))
        return
    chosen = [
        p for p in lessons() if not options.names or p.name.startswith(tuple(options.names))
    ]
    if not chosen:
        sys.exit(f"no lesson begins with {', '.join(options.names)}")
    for path in chosen:
        notebook = nbformat.read(path, as_version=4)
        begin = time.perf_counter()
        used = execute(notebook, redo=options.redo)
        normalise(notebook)
        nbformat.validate(notebook)
        nbformat.write(notebook, path)
        wall = time.perf_counter() - begin
        print(
            f"{path.name}: {used:.1f} s of processor time, {wall:.1f} s, {path.stat().st_size / 1000:.0f} kB"
        )


if __name__ == "__main__":
    main()
