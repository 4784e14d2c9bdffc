"""Write docs/numpy.md, what becomes of a Tensor in each function of NumPy: ``python docs/table_of_numpy.py``.

What it says is what the dispatcher asks: which functions are recorded, which see the data, and why others are refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.dispatch import NUMPY, WITHOUT_DERIVATIVE, out_of_scope
from autograd_core.op import Op
from autograd_core.ops.refused import UNASKED

FILE = Path(__file__).with_name("numpy.md")
MODULES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}
KINDS = {
    "rule": "recorded, by a rule of its own",
    "composed": "recorded, as it is composed of functions that are",
    "plain": "sees the data and gives no Tensor, because what it gives has no derivative",
    "refused": "refused with an error that says what stands in the last column",
    "unasked": "never asks a Tensor: it is about something else",
}
HEAD = """# Every function of NumPy

What becomes of a Tensor in each public function of NumPy {version}. Generated from what the dispatcher asks by
`python docs/table_of_numpy.py`; a test calls every function and fails where it does otherwise, and where NumPy has a
function that has no row. Names of the same function, such as `np.absolute` and `np.abs`, have a row each. What is
recorded stands with its derivative in the [table of ops](ops.md).

| | functions | what becomes of a Tensor |
|---|--:|---|
"""


def functions() -> Iterator[tuple[str, str, Any]]:
    """Each public function: its module, its name and itself."""
    for module, where in MODULES.items():
        for name in sorted(dir(where), key=str.lower):
            function = getattr(where, name)
            if not name.startswith("_") and callable(function) and not isinstance(function, type):
                yield module, name, function


def fate(module: str, name: str, function: Any) -> tuple[str, str]:
    """What becomes of a Tensor in a function, one of `KINDS` or nothing that is known, and why."""
    if function in NUMPY:
        return "rule" if isinstance(NUMPY[function], Op) else "composed", ""
    if function in WITHOUT_DERIVATIVE:
        return "plain", ""
    bare = f"{module}.{name}".removeprefix("np.")
    about = next((why for why, names in UNASKED.items() if bare in names.split()), "")
    if about:
        return "unasked", about
    why = out_of_scope(function)
    return ("refused", why) if why else ("", "")


def table() -> str:
    """The whole page."""
    rows = [(module, name, *fate(module, name, function)) for module, name, function in functions()]
    counted = Counter(kind for *_, kind, _ in rows)
    page = HEAD.format(version=".".join(np.__version__.split(".")[:2]))
    page += "".join(f"| {kind} | {counted[kind]} | {what} |\n" for kind, what in KINDS.items())
    for module in MODULES:
        page += f"\n## {module}\n\n| function | a Tensor | why, and what to write |\n|---|---|---|\n"
        page += "".join(f"| `{module}.{name}` | {kind} | {why} |\n" for m, name, kind, why in rows if m == module)
    return page


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
