"""``autograd explain``: the steps of an expression, in the terminal and as files."""

from __future__ import annotations

import argparse
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from ..explain import Steps, draw, explain
from ..explain.steps import without_seed
from ..tensor import Tensor
from .expression import evaluate, numbers, unused, variables
from .grammar import SENTENCES, listing
from .parser import ExpressionError


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> list[str]:
    """Describe the arguments; returns the options."""
    parser = commands.add_parser(
        "explain",
        help="every step of an expression and of its gradients",
        description='Explain an expression: autograd explain "(x + y) * z" x=-2 y=5 z=-4',
        epilog="Numbers are float64. Arrays are given as x=[1,2,3]; y:=[0,1] is data, which has no gradient. "
        "The expression is read, never run as Python.",
    )
    parser.add_argument(
        "expression",
        nargs="?",
        help='arithmetic with names and functions, such as "tanh(w * x + b)" or "-log(softmax(z)[1])"',
    )
    parser.add_argument("variables", nargs="*", metavar="name=value", help="x=-2, x=[1,2,3], or y:=1 for data")
    options = {
        "--functions": {"action": "store_true", "help": "list all that can be typed"},
        "--seed": {"metavar": "ARRAY", "help": "how much each element of an array counts: [1,0,0] for the first"},
        "--html": {"type": Path, "metavar": "FILE", "help": "write the page to step through and to change"},
        "--reveal": {
            "choices": ("step", "all"),
            "default": "step",
            "help": "whether the page hides each number until its step, or shows all (default: %(default)s)",
        },
        "--latex": {"action": "store_true", "help": "print a derivation for LaTeX in place of the tables"},
        "--svg": {"type": Path, "metavar": "FILE", "help": "write the graph as a picture"},
        "--open": {"action": "store_true", "help": "open the page in a browser"},
    }
    for option, described in options.items():
        parser.add_argument(option, **described)  # type: ignore[arg-type]
    parser.set_defaults(run=run)
    return ["-h", "--help", "--", *options]


def protected(arguments: Sequence[str], options: Sequence[str]) -> list[str]:
    """Arguments with a blank before those that begin with a minus and are no option, such as ``-log(x)``.

    argparse takes what begins with a minus for an option, and what begins with a blank for what it is.

    >>> protected(["-x", "x=2", "--html", "page.html", "--x"], ["--html"])
    [' -x', 'x=2', '--html', 'page.html', ' --x']
    """

    def is_option(text: str) -> bool:
        name = text.partition("=")[0]
        return any(option == name or (option.startswith(name) and name.startswith("--")) for option in options)

    return [f" {text}" if text.startswith("-") and not is_option(text) else text for text in arguments]


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
        Console(width=80).print(steps)
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
