"""``autograd explain``: the steps of an expression, in the terminal and as files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ..explain import Steps, draw, explain
from ..explain.steps import without_seed
from ..tensor import Tensor
from .expression import evaluate, numbers, unused, variables
from .grammar import SENTENCES, listing
from .parser import ExpressionError


def run(options: argparse.Namespace) -> int:
    """Explain; returns the exit status."""
    if options.functions:
        print(listing())
        return 0
    try:
        known = variables(options.variables)
        source = (options.expression or "").removeprefix(" ")  # see `protected`
        f = evaluate(source, known)
        seed = _seed(options.seed, f)
    except ExpressionError as error:
        print(f"autograd explain: {error}", file=sys.stderr)
        return 2
    f.name = None if "f" in known else "f"
    for name in unused(source, known):
        result = "f" if f.name else "the result"
        print(f"autograd explain: {SENTENCES['unused'].format(names=name, result=result)}", file=sys.stderr)
    with np.errstate(all="ignore"):
        steps = explain(f, seed, names={})
    if options.latex:
        print(steps.to_latex())
    elif sys.stdout.isatty():
        from rich.console import Console

        Console(width=80, emoji=False).print(steps)
    else:
        print(steps)
    try:
        return _write(options, f, steps)
    except (OSError, ValueError, ImportError) as error:
        print(f"autograd explain: {error}", file=sys.stderr)
        return 1


def _seed(given: str | None, f: Tensor) -> Any:
    """The upstream gradient of the result; one is asked for where the result is an array."""
    if given is None:
        if f.size != 1:
            raise ExpressionError(without_seed(f.shape, '--seed "{}"'), "", 0)
        return None
    seed = np.asarray(numbers(given))
    if seed.shape != f.shape:
        expected = f"--seed: expected an array of shape {list(f.shape)}, as the result has, got {list(seed.shape)}"
        raise ExpressionError(expected, given, 0)
    return seed


def _write(options: argparse.Namespace, f: Tensor, steps: Steps) -> int:
    page = options.html
    if options.open and page is None:
        import tempfile

        page = Path(tempfile.mkdtemp(prefix="autograd-")) / "backprop.html"
    if page is not None:
        print(f"\n{steps.save(page, options.reveal)}", file=sys.stderr)
    if options.svg is not None:
        if options.svg.suffix.lower() != ".svg":
            raise ValueError(f"--svg: expected a file that ends in .svg, got {options.svg.name!r}")
        print(draw(f).save(options.svg), file=sys.stderr)
    if options.open:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    return 0
