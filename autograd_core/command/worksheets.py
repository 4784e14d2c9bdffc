"""``autograd worksheet``: an expression to work out by hand, with numbers of their own for each of a class."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..explain import Steps, explain
from ..explain.page import RESERVED
from ..explain.page.live import program
from ..explain.worksheet import Sheet, Worksheet, answers, link
from ..files import folder_whole
from ..tensor import Tensor
from .expression import evaluate, unused, variables
from .grammar import CONSTANTS, functions
from .parser import ExpressionError, parse

MAX_STUDENTS = 1000
TRIALS, TRIES = 30, 400  # to find out what numbers fit an expression, and to find those of one student
LEAST, MOST = 0.01, 1000.0  # how large answers are that one writes down with three digits


def run(options: argparse.Namespace) -> int:
    """Write the folder; returns the exit status."""
    try:
        if not 1 <= options.students <= MAX_STUDENTS:
            raise ValueError(f"--students: expected 1 to {MAX_STUDENTS:,}, got {options.students:,}")
        if options.seed < 0:
            raise ValueError(f"--seed: expected a whole number from 0 on, got {options.seed}")
        task = Task.read(options.expression.removeprefix(" "), options.variables, options.array)
        steps = drawn(task, options.students, options.seed)
        write(options.out, task.source, steps)
    except ExpressionError as error:
        print(f"autograd worksheet: {error}", file=sys.stderr)
        return 2
    except (OSError, ValueError) as error:
        print(f"autograd worksheet: {error}", file=sys.stderr)
        return 1
    for name in ("class.html", "answers.csv"):
        print(options.out / name)
    return 0


@dataclass(frozen=True)
class Task:
    """An expression, what of it is the same on all sheets, and the shapes of what is not."""

    source: str
    known: Mapping[str, Tensor]
    shapes: Mapping[str, tuple[int, ...]]

    @classmethod
    def read(cls, source: str, given: Sequence[str], arrays: Sequence[str]) -> Task:
        """What was typed; raises ExpressionError."""
        known = variables(given)
        shapes = dict(_shape(text) for text in arrays)
        mentioned = [i.value for i in parse(source) if i.do == "name"]
        free = [n for n in dict.fromkeys(mentioned) if n not in known and n not in CONSTANTS and n not in functions()]
        for name in [*unused(source, dict(known)), *(n for n in shapes if n not in free)]:
            raise ExpressionError(f"{name} is not in the expression, or has a value already", source, 0)
        if not free:
            raise ExpressionError("every name has a value, so all sheets would be the same; leave one out", source, 0)
        for name in (*free, *known):
            if name in RESERVED:
                raise ExpressionError(f"{name} cannot be in the address of a page; call it otherwise", source, 0)
        return cls(source, known, {name: shapes.get(name, ()) for name in free})

    def steps(self, numbers: Mapping[str, Any]) -> Steps:
        """Every step, for numbers of what is drawn."""
        leaves = {name: Tensor(numbers[name], name=name) for name in self.shapes}
        f = evaluate(self.source, {**self.known, **leaves})
        if f.size != 1:
            raise ExpressionError(
                f"the result has shape {list(f.shape)}, and a worksheet ends in one number; write sum(…)",
                self.source,
                0,
            )
        f.name = None if "f" in {**self.known, **leaves} else "f"
        with np.errstate(all="ignore"):
            return explain(f, names={})


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, sizes = text.partition("=")
    parts = sizes.split("x")
    if not name.isidentifier() or not all(part.isdecimal() and int(part) for part in parts):
        raise ExpressionError("--array: expected a name and a shape such as W=2x3 or v=3", text, 0)
    return name, tuple(map(int, parts))


# -- the numbers -------------------------------------------------------------------------------------------

# From what numbers are drawn: of these the first that fit often enough, for the first give the shortest answers.
KINDS = (
    np.array([n for n in range(-6, 7) if n]) * 1.0,
    np.arange(1, 10) * 1.0,
    np.array([n for n in range(-5, 6) if n]) / 2,
    np.array([n for n in range(-9, 10) if n]) / 10,
    np.arange(1, 10) / 10,
)
OFTEN = 0.25


def drawn(task: Task, students: int, seed: int) -> list[Steps]:
    """The steps of each student; one student more changes nobody's numbers."""
    kind, zeros = _kind(task)
    taken: set[tuple[float, ...]] = set()
    found = []
    for student in range(1, students + 1):
        rng = np.random.default_rng((seed, student))
        fit = None
        for _ in range(TRIES):
            numbers = _numbers(task, kind, rng)
            key = tuple(float(x) for value in numbers.values() for x in np.ravel(value))
            if fit is not None and key in taken:
                continue  # numbers of somebody else's, where no others are left
            steps = task.steps(numbers)
            if _fits(steps) and _zeros(steps) == zeros:
                fit = steps
                if key not in taken:
                    taken.add(key)
                    break
        if fit is None:
            raise ValueError(f"sheet {student}: no numbers were found that give short answers; give a name a value")
        found.append(fit)
    return found


def _kind(task: Task) -> tuple[Any, int]:
    """The kind of numbers for a task, and how many of its answers are 0 whatever they are."""
    rng = np.random.default_rng(0)  # the same for every seed: it is part of the task
    trials = [[task.steps(_numbers(task, kind, rng)) for _ in range(TRIALS)] for kind in KINDS]
    fitting = [[_zeros(steps) for steps in tried if _fits(steps)] for tried in trials]
    if not any(fitting):
        raise ValueError(
            "no numbers were found that give answers that can be written down; give a name a value, or take a part "
            "of the expression"
        )
    zeros = min(map(min, filter(None, fitting)))
    shares = [found.count(zeros) / TRIALS for found in fitting]
    often = [i for i, share in enumerate(shares) if share >= OFTEN] or [int(np.argmax(shares))]
    return KINDS[often[0]], zeros


def _numbers(task: Task, kind: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Numbers of a kind, each another one as long as there are enough."""
    count = sum(int(np.prod(shape)) for shape in task.shapes.values())
    flat = iter(rng.choice(kind, count, replace=count > len(kind)))
    return {
        name: np.array([next(flat) for _ in range(int(np.prod(shape)))]).reshape(shape)[()]
        for name, shape in task.shapes.items()
    }


def _answers(steps: Steps) -> Any:
    """All that is to be found."""
    values = [v.value for v in steps.values.values() if v.op is not None]
    gradients = [v.gradient for v in steps.values.values() if v.gradient is not None]
    brought = [step.contribution for step in steps if step.kind != "forward"]
    return np.concatenate([np.ravel(found) for found in (*values, *gradients, *brought)])


def _zeros(steps: Steps) -> int:
    return int(np.count_nonzero(_answers(steps) == 0))


def _fits(steps: Steps) -> bool:
    """Whether the answers can be written down in a few digits, and none is what is left of larger numbers."""
    sizes = np.abs(_answers(steps))
    if not np.all((sizes == 0) | ((sizes >= LEAST) & (sizes <= MOST))):
        return False
    sums = (v for v in steps.values.values() if v.op is not None and v.op.name in ("add", "subtract"))
    return not any(np.any(np.abs(v.value) < np.max(np.abs(v.args[0])) / 20) for v in sums)


# -- the folder --------------------------------------------------------------------------------------------


def write(folder: Path, source: str, steps: Sequence[Steps]) -> None:
    """Write all sheets, the class in one file, the key, and the page to check oneself: whole, or nothing."""
    live = program(steps[0]).leaves >= steps[0].leaves.keys()  # else each has a page of their own
    ask = next(i for i, step in enumerate(steps[0], start=1) if step.kind != "forward")
    width = len(str(len(steps)))
    numbered = [f"{i:0{width}}" for i in range(1, len(steps) + 1)]
    pages = {"page.html": steps[0]} if live else {f"page-{n}.html": s for n, s in zip(numbered, steps, strict=True)}
    links = (
        link("page.html" if live else f"page-{n}.html", s.leaves if live else {}, ask)
        for n, s in zip(numbered, steps, strict=True)
    )
    sheets = [Sheet(i, s.leaves, to) for i, (s, to) in enumerate(zip(steps, links, strict=True), start=1)]
    worksheet = Worksheet(steps[0], source, sheets)
    with folder_whole(folder) as made:
        for n, sheet in zip(numbered, sheets, strict=True):
            _put(made / f"sheet-{n}.html", worksheet.page([sheet]))
        _put(made / "class.html", worksheet.page(sheets))
        _put(made / "answers.csv", "\ufeff" + answers(enumerate(steps, start=1)))  # by which spreadsheets know UTF-8
        for name, story in pages.items():
            _put(made / name, story.to_html("step"))


def _put(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="")
