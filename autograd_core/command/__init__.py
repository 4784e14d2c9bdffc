"""The command ``autograd``: the one place here that may use all the packages of the house."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    from .. import __version__
    from ..optional import needed

    try:
        needed("rich", "The command autograd")
    except ImportError as missing:
        print(f"autograd: {missing}", file=sys.stderr)
        return 1
    from .arguments import demo, explain, playground, protected, worksheet

    parser = argparse.ArgumentParser(prog="autograd", description="Reverse-mode autodiff that explains its steps.")
    parser.add_argument("--version", action="version", version=f"autograd-core {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo(commands)
    known = {"explain": explain(commands), "worksheet": worksheet(commands)}
    playground(commands)
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if command in known:
        rest = protected(rest, known[command])
    options = parser.parse_args([command, *rest] if command else [])
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has seen enough, as `head` has; Python would complain once more as it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
