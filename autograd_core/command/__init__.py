"""The command ``autograd``: the one place here that may use all the packages of the house."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    from .. import __version__
    from ..optional import needed

    try:
        needed("rich", "The command autograd")
    except ImportError as missing:
        print(f"autograd: {missing}", file=sys.stderr)
        return 1
    from . import explaining, playground, worksheets

    parser = argparse.ArgumentParser(prog="autograd", description="Reverse-mode autodiff that explains its steps.")
    parser.add_argument("--version", action="version", version=f"autograd-core {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="backprop step by step, then a network that learns to read digits",
        description="Show backprop step by step, train a network on handwritten digits, and draw how it went.",
    )
    demo.add_argument(
        "--folder", type=Path, default=Path("autograd_demo"), help="where the pictures go (default: %(default)s)"
    )
    demo.add_argument("--seed", type=int, default=0, help="of the network's first weights (default: %(default)s)")
    demo.set_defaults(run=_demonstrate)
    known = {"explain": explaining.add_parser(commands), "worksheet": worksheets.add_parser(commands)}
    playground.add_parser(commands)
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if command in known:
        rest = explaining.protected(rest, known[command])
    options = parser.parse_args([command, *rest] if command else [])
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has seen enough, as `head` has; Python would complain once more as it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _demonstrate(options: argparse.Namespace) -> int:
    from .demo import demonstrate

    demonstrate(options.folder, options.seed)
    return 0
