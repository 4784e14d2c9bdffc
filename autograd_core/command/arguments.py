"""What the commands take, said before any of them is read: only the one that is asked for is imported."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def _command(module: str) -> Callable[[argparse.Namespace], int]:
    """What runs a command, and imports what it needs then."""

    def run(options: argparse.Namespace) -> int:
        status: int = importlib.import_module(f".{module}", __package__).run(options)
        return status

    return run


def _with_options(parser: argparse.ArgumentParser, options: Mapping[str, Mapping[str, Any]], module: str) -> list[str]:
    """Let a command take these options; returns all that begin with a dash."""
    for option, described in options.items():
        parser.add_argument(option, **described)
    parser.set_defaults(run=_command(module))
    return ["-h", "--help", "--", *options]


def demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the arguments of ``autograd demo``."""
    parser = commands.add_parser(
        "demo",
        help="backprop step by step, then a network that learns to read digits",
        description="Show backprop step by step, train a network on handwritten digits, and draw how it went.",
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("autograd_demo"), help="where the pictures go (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the network's first weights (default: %(default)s)")
    parser.set_defaults(run=_command("demo"))


def explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> list[str]:
    """Describe the arguments of ``autograd explain``; returns the options."""
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
    options: dict[str, dict[str, Any]] = {
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
    return _with_options(parser, options, "explaining")


def worksheet(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> list[str]:
    """Describe the arguments of ``autograd worksheet``; returns the options."""
    parser = commands.add_parser(
        "worksheet",
        help="sheets of an expression for a class, with numbers of their own and a key",
        description='Write sheets to work out by hand: autograd worksheet "(x + y) * z" --students 30 --out sheets',
        epilog="What has no value is drawn for each student; x=2 is the same on all sheets, y:=[0,1] is data. "
        "The same seed gives the same sheets.",
    )
    parser.add_argument("expression", help='such as "(x + y) * z", or "sum((W @ x - y)**2)" with --array W=2x2')
    parser.add_argument("variables", nargs="*", metavar="name=value", help="what is the same on all sheets")
    options: dict[str, dict[str, Any]] = {
        "--students": {"type": int, "default": 30, "help": "how many sheets (default: %(default)s)"},
        "--seed": {"type": int, "default": 1, "help": "of the numbers, from 0 on (default: %(default)s)"},
        "--array": {
            "action": "append",
            "default": [],
            "metavar": "NAME=SHAPE",
            "help": "draw an array: W=2x3, v=3; may be repeated",
        },
        "--out": {"type": Path, "required": True, "metavar": "FOLDER", "help": "a new folder, or an empty one"},
    }
    return _with_options(parser, options, "worksheets")


def playground(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the arguments of ``autograd playground``."""
    parser = commands.add_parser(
        "playground",
        help="a page in which one types an expression, and steps through it",
        description="Write a page in which one types an expression and steps through it: one file, without a network.",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", default=Path("playground.html"), help="where it goes (default: %(default)s)"
    )
    parser.add_argument("--open", action="store_true", help="open it in a browser")
    parser.set_defaults(run=_command("playground"))


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
