"""The layout engine: Graphviz inside this process, or a system's ``dot`` program, and no word of either about fonts."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_NO_MATTER = re.compile(rb"Fontconfig |\(.*\): Pango-WARNING ")
_one_at_a_time = threading.Lock()  # file descriptor 2 is the process's, and Graphviz is not made for threads


def rendered(source: str, format: str, placed: bool = False) -> bytes:
    """A picture of a graph in Graphviz' language, which may say where everything stands, or, in JSON, what says it.

    ImportError where there is no engine.
    """
    try:
        import pygraphviz
    except ImportError:
        pygraphviz = None
    if pygraphviz is not None:
        return draw(pygraphviz.AGraph(string=source), format, "nop2" if placed else "dot")
    import graphviz

    try:
        given = {"engine": "neato", "neato_no_op": 2} if placed else {"engine": "dot"}
        return bytes(graphviz.Source(source).pipe(format=format, quiet=True, **given))
    except (graphviz.ExecutableNotFound, OSError) as error:  # there is none, or none may be started, as in a browser
        raise ImportError(
            'laying out a drawing needs pygraphviz, whose wheel brings Graphviz: pip install "autograd-core[plots]"'
            ", or a system's `dot` program"
        ) from error


def place(graph: Any) -> None:
    """Give each node and edge of an ``AGraph`` its place, written into it."""
    with _without_idle_words():
        graph.layout(prog="dot")


def draw(graph: Any, format: str, program: str) -> bytes:
    """The picture of an ``AGraph``; ``program`` is dot, or nop2 for one whose places are known."""
    # pygraphviz itself warns, in Python, of more than a thousand nodes.
    with _without_idle_words(), contextlib.redirect_stderr(io.StringIO()):
        return bytes(graph.draw(format=format, prog=program))


@contextmanager
def _without_idle_words() -> Iterator[None]:
    """Hold back what the engine's C libraries write to file descriptor 2 of the fonts of this machine.

    A wheel's Fontconfig is seldom that of the system, whose settings it reads: it complains of words that it does not
    know, or that there are no settings. Pictures are drawn all the same. What else is written goes on afterwards.
    """
    with _one_at_a_time:
        try:
            kept = os.dup(2)
        except OSError:  # there is no standard error, so nothing would be seen
            yield
            return
        with tempfile.TemporaryFile() as heard:
            os.dup2(heard.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(kept, 2)
                os.close(kept)
                heard.seek(0)
                other = b"".join(line for line in heard if not _NO_MATTER.match(line))
                with suppress(OSError):
                    os.write(2, other)
