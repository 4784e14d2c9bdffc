"""``autograd explain``: the steps of an expression, in the terminal and as files."""

from __future__ import annotations

import argparse
import sys
import tempfile
import webbrowser
from pathlib import Path

import numpy as np
from rich.console import Console

from ..explain import Steps, draw, explain
from ..tensor import Tensor
from .expression import ExpressionError, evaluate, variables


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the arguments."""
    parser = commands.add_parser(
        "explain",
        help="every step of an expression and of its gradients",
        description='Explain an expression: autograd explain "(x + y) * z" x=-2 y=5 z=-4',
        epilog="Numbers are float64. Arrays are given as x=[1,2,3]. The expression is read, never run as Python.",
    )
    parser.add_argument(
        "expression", help='arithmetic with names and functions, such as "tanh(w * x + b)" or "sum(x, axis=0)"'
    )
    parser.add_argument("variables", nargs="*", metavar="name=value", help="x=-2 or x=[1,2,3]")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page to step through and to change")
    parser.add_argument(
        "--reveal",
        choices=("step", "all"),
        default="step",
        help="whether the page hides each number until its step, or shows all (default: %(default)s)",
    )
    parser.add_argument("--latex", action="store_true", help="print a derivation for LaTeX in place of the tables")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the graph as a picture")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")


def run(options: argparse.Namespace) -> int:
    """Explain; returns the exit status."""
    try:
        known = variables(options.variables)
        f = evaluate(options.expression, known)
    except ExpressionError as error:
        print(f"autograd explain: {error}", file=sys.stderr)
        return 2
    f.name = None if "f" in known else "f"
    with np.errstate(all="ignore"):
        steps = explain(f, None if f.size == 1 else np.ones(f.shape), names={})
    if options.latex:
        print(steps.to_latex())
    elif sys.stdout.isatty():
        Console(width=80).print(steps)
    else:
        print(steps)
    try:
        return _write(options, f, steps)
    except (OSError, ValueError, ImportError) as error:
        print(f"autograd explain: {error}", file=sys.stderr)
        return 1


def _write(options: argparse.Namespace, f: Tensor, steps: Steps) -> int:
    page = options.html
    if options.open and page is None:
        page = Path(tempfile.mkdtemp(prefix="autograd-")) / "backprop.html"
    if page is not None:
        print(f"\n{steps.save(page, options.reveal)}", file=sys.stderr)
    if options.svg is not None:
        if options.svg.suffix.lower() != ".svg":
            raise ValueError(f"--svg: expected a file that ends in .svg, got {options.svg.name!r}")
        print(draw(f).save(options.svg), file=sys.stderr)
    if options.open:
        webbrowser.open(page.resolve().as_uri())
    return 0
