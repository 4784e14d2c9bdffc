"""The gradients that libraries give at corners, as the page docs/corners.md.

    python benchmarks/corners.py [--only ours,PyTorch]

asks each library that is installed, in a process of its own, in float64 and reverse mode, and writes what all have
answered to results/corners.json and the page. Of a library that is left out the earlier answers stay.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from corner_libraries import LIBRARIES, Library, Missing
from corner_rows import GROUPS, Row

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "corners.json"
PAGE = HERE.parent / "docs" / "corners.md"
NAMES = tuple(library.name for library in LIBRARIES)
SHORT = {"HIPS autograd": "HIPS"}
ERROR = "an error"

HEAD = """# Where libraries disagree

What is the gradient of $|x|$ at 0, of a maximum at a tie, of a determinant at a singular matrix? Where a function has a
kink, a jump or a pole there may be many right answers, one or none, and libraries differ. Here {libraries} and ours are
asked the same {questions} questions of first and second derivatives, in float64.

All that answer agree on {agreed} questions, which stand [at the end](#where-all-agree). {counted} have one right
answer, and this is how many each library got wrong:

{wrong}

The other answers are conventions, and the last column says how ours came about. Three rules run through them: of the
subgradients at a kink ours is the middle one, or Keras' where a function bears Keras' name; tied elements share; and
where there is no derivative at all, NaN or an error shows it, but for an angle at the origin and impossible events.

**✗** marks an answer that is wrong where only one is right, **f″** a second derivative. A library that is not named in
a row has no such function, or no derivative of it.
"""
FOOT = """## How it was asked

`python benchmarks/corners.py` asks the libraries that are installed, each in a process of its own, and writes this
page. Gradients of several results are those of their sum, with weights where it says so. Asked were:

"""


@dataclass(frozen=True)
class Question:
    """A row to the first or the second order."""

    row: Row
    second: bool

    @property
    def name(self) -> str:
        """What is asked for, as the page says it."""
        return f"{self.row.what}{' (f″)' if self.second else ''}"

    @property
    def says(self) -> str:
        """The sentence on what is true."""
        return (self.row.second or "") if self.second else self.row.says

    @property
    def right(self) -> Any:
        """The one right answer, or None where there are several, or none."""
        found = self.row.right_second if self.second else self.row.right
        return None if found is None else [np.asarray(g).tolist() for g in found]


def questions(rows: Sequence[Row]) -> Iterator[Question]:
    """Each row, and after it its second derivative if that is asked for."""
    for row in rows:
        yield Question(row, False)
        if row.second is not None:
            yield Question(row, True)


# -- asking ------------------------------------------------------------------------------------------------


def answers(library: Library, every: int = 1) -> dict[str, Any]:
    """By question a gradient for each argument, or the word for an error; what the library lacks is left out."""
    found: dict[str, Any] = {}
    for question in [question for rows in GROUPS.values() for question in questions(rows)][::every]:
        try:
            gradients = library.gradients(question.row.f, question.row.at, question.second)
        except (Missing, NotImplementedError, LookupError):  # the last is TensorFlow's of a gradient it lacks
            continue
        except Exception:  # what a library raises is its answer
            found[question.name] = ERROR
        else:
            found[question.name] = [None if g is None else (np.asarray(g) + 0.0).tolist() for g in gradients]
    return found


def ask(name: str) -> dict[str, Any]:
    """The version and the answers of a library, from a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--answer", name], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def same(a: Any, b: Any) -> bool:
    """Whether two answers are the same number but for rounding: 0 is not 1e-17, but may be rounding beside a 6."""
    if isinstance(a, str) or isinstance(b, str) or None in (*a, *b):
        return bool(a == b)
    if [np.shape(g) for g in a] != [np.shape(g) for g in b]:
        return False
    x, y = (np.concatenate([np.ravel(g) for g in answer]).astype(float) for answer in (a, b))
    finite = np.abs(y[np.isfinite(y)])
    return np.allclose(x, y, rtol=1e-4, atol=1e-12 * np.max(finite, initial=0), equal_nan=True)


# -- telling -----------------------------------------------------------------------------------------------


def number(value: float) -> str:
    """A number as one writes it."""
    if not np.isfinite(value):
        return {"nan": "NaN", "inf": "∞", "-inf": "−∞"}[str(value)]
    text = f"{value:.4g}" if 1e-3 <= abs(value) < 1e4 else f"{value + 0.0:.3g}"
    return text.replace("-", "−").replace("e+", "e")


def shown(answer: Any) -> str:
    """An answer: gradients of single numbers with commas, arrays in brackets, the rows of matrices with semicolons."""
    if isinstance(answer, str):
        return answer
    return ", ".join(_shown(np.asarray(g, float)) if g is not None else "None" for g in answer)


def _shown(g: Any) -> str:
    if g.ndim == 0:
        return number(float(g))
    rows = np.atleast_2d(g) if g.ndim < 2 else g
    return "[" + "; ".join(" ".join(number(float(v)) for v in row) for row in rows) + "]" if g.size else "nothing"


def by_answer(question: Question, told: dict[str, Any]) -> list[tuple[Any, list[str]]]:
    """The different answers with the libraries that give them, ours first."""
    found: list[tuple[Any, list[str]]] = []
    for name in NAMES:
        answer = told.get(name, {}).get("answers", {}).get(question.name)
        if answer is None:
            continue
        for other, names in found:
            if same(answer, other):
                names.append(name)
                break
        else:
            found.append((answer, [name]))
    return found


def is_wrong(question: Question, answer: Any) -> bool:
    """Whether an answer, which an error is not, is another than the one that is right."""
    return answer != ERROR and question.right is not None and not same(answer, question.right)


def marked(question: Question, answer: Any) -> str:
    """An answer, with a cross where it is wrong."""
    return f"**{shown(answer)}**{' ✗' if is_wrong(question, answer) else ''}"


def listed(names: Sequence[str]) -> str:
    """The libraries but ours."""
    return ", ".join(SHORT.get(name, name) for name in names if name != "ours")


def row(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def line(question: Question, told: dict[str, Any]) -> str:
    """The row of a question on which there are several answers."""
    found = by_answer(question, told)
    ours = [(answer, names) for answer, names in found if "ours" in names]
    others = [f"{marked(question, answer)} {listed(names)}" for answer, names in found if "ours" not in names]
    mine = f"{marked(question, ours[0][0])} {listed(ours[0][1])}".rstrip() if ours else "no rule"
    return row(question.name, mine, "<br>".join(others), question.says)


def agreeing(question: Question, told: dict[str, Any]) -> str:
    """The row of a question on which there is one answer."""
    ((answer, names),) = by_answer(question, told)
    asked = [name for name in NAMES if name in told]
    who = "all" if len(names) == len(asked) else listed(names) or "ours alone"
    return row(question.name, marked(question, answer), who, question.says)


def wrong(everything: Sequence[Question], told: dict[str, Any]) -> str:
    """How many of the questions with one right answer each library answers wrongly, or with an error."""
    lines = ["| library | wrong | an error | of |", "|---|--:|--:|--:|"]
    for name in (name for name in NAMES if name in told):
        given = told[name]["answers"]
        asked = [question for question in everything if question.right is not None and question.name in given]
        errors = sum(given[question.name] == ERROR for question in asked)
        bad = sum(is_wrong(question, given[question.name]) for question in asked)
        lines.append(f"| {name} | {bad} | {errors} | {len(asked)} |")
    return "\n".join(lines)


# Held by tests/ops/test_complex.py, which asks them.
COMPLEX = """## Complex numbers: two conventions

What is the gradient of a real number $L$ with respect to $z = a + ib$? Both numbers, $\\partial L / \\partial a$ and
$\\partial L / \\partial b$, are put into a complex one, and libraries differ in the sign of its imaginary part:

| | gradient of $\\lvert z \\rvert$ at $3 + 4i$ | in words | a step of descent |
|---|---|---|---|
| ours, PyTorch, TensorFlow | **0.6 + 0.8i** | $\\partial L / \\partial a + i\\, \\partial L / \\partial b$, \
where $L$ grows fastest | `z -= rate * g` |
| JAX, HIPS autograd | **0.6 − 0.8i** | $\\partial L / \\partial a - i\\, \\partial L / \\partial b$, \
what $dz$ is multiplied by | `z -= rate * np.conj(g)` |

The complex derivative of a function that has one is the same everywhere where it is asked for: here and in JAX by
`grad(f, holomorphic=True)`, in PyTorch as the conjugate of the gradient. [Complex numbers](howto/complex_numbers.md)
says more.
"""


def page(told: dict[str, Any]) -> str:
    """The whole page."""
    groups = {title: [*questions(rows)] for title, rows in GROUPS.items()}
    everything = [question for group in groups.values() for question in group]
    one = {question.name for question in everything if len(by_answer(question, told)) == 1}
    others = [name for name in NAMES if name in told and name != "ours"]
    head = HEAD.format(
        libraries=", ".join(others),
        questions=len(everything),
        agreed=len(one),
        counted=sum(question.right is not None for question in everything),
        wrong=wrong(everything, told),
    )
    parts = ["\n\n".join(text if text.startswith("|") else fill(text, 120) for text in head.split("\n\n")) + "\n"]
    for title, group in groups.items():
        lines = [line(question, told) for question in group if question.name not in one]
        if lines:
            head = ["| gradient of | ours, and with it | others | what is true, and why ours |", "|---|---|---|---|"]
            parts.append("\n".join([f"## {title}\n", ":::{div} corners", *head, *lines, ":::", ""]))
    lines = [agreeing(question, told) for group in groups.values() for question in group if question.name in one]
    head = ["| gradient of | answer | given by | what is true |", "|---|---|---|---|"]
    parts.append("\n".join(["## Where all agree\n", ":::{div} corners agreed", *head, *lines, ":::", ""]))
    parts.append(COMPLEX)
    parts.append(FOOT + "\n".join(f"- {told[name]['version']}" for name in NAMES if name in told) + "\n")
    return "\n".join(parts)


def main() -> None:
    """Ask, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(NAMES), help="the libraries to ask, with commas between")
    parser.add_argument("--answer", help=argparse.SUPPRESS)
    parser.add_argument("--every", type=int, default=1, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.answer is not None:
        warnings.simplefilter("ignore")
        library = next(library for library in LIBRARIES if library.name == args.answer)()
        with np.errstate(all="ignore"):
            print(json.dumps({"version": library.version, "answers": answers(library, args.every)}))
        return
    told = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in args.only.split(","):
        if name not in NAMES:
            parser.error(f"there is no {name} in {args.only!r}; known are: {', '.join(NAMES)}")
        try:
            told[name] = ask(name)
        except subprocess.CalledProcessError:
            print(f"{name} is left out: see above", file=sys.stderr)
    RESULTS.write_text(json.dumps(told, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(told), encoding="utf-8")


if __name__ == "__main__":
    main()
