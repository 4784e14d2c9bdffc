"""A failing gradient told to people: as text for the terminal, as a page for the browser."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from .. import tree
from ..explain import explain
from ..tensor import Tensor, wrap
from .check import GradientError
from .graphs import diagnose, record
from .libraries import find
from .program import Program

# The most nodes of a graph that is still told step by step.
LONGEST_STORY = 200

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gradient report</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }}
pre {{ background: #f4f4f4; color: #111; padding: 1rem; overflow-x: auto; }}
.wrong {{ background: #ffd7d7; color: #7a0000; }}
h2 {{ overflow-wrap: anywhere; }}
iframe {{ width: 100%; height: 44rem; border: 1px solid #bbb; }}
</style>
<h1>Gradient report</h1>
<p>{summary}</p>
{sections}
</html>
"""


def describe(error: GradientError) -> str:
    """The graph of the failing call, the guilty op marked with ✗; for a program its source as well."""
    f = error.function
    assert f is not None
    lines = [str(f)] if isinstance(f, Program) else []
    if find(None, f, tree.leaves(error.arguments)).name != "autograd_core":
        return "\n".join(lines)  # its graph is another library's
    try:
        diagnosis = diagnose(f, error.arguments)
    except Exception as problem:  # a function of another library records no graph of ours
        return "\n".join([*lines, f"no graph was recorded ({type(problem).__name__}: {problem})"])
    if error.given:  # these ops are not on trial: mark the argument whose gradient was handed over wrong
        diagnosis.faults = {n: error for n in diagnosis.nodes if n.op is None and diagnosis.names[n] == error.argument}
        lines += [str(diagnosis), f"guilty: {error.gradient or 'the gradient'}, as grad= gave it"]
        return "\n".join(lines)
    lines.append(str(diagnosis))
    if diagnosis.guilty is None:
        lines.append("each op's own rule agrees with its values here: look at what is done with the gradients")
    else:
        op = diagnosis.guilty.op
        lines.append(f"guilty: {op.name if op else ''}, in {diagnosis.names[diagnosis.guilty]}")
    return "\n".join(lines)


def story(error: GradientError) -> str:
    """The page of the explained steps of the failing call, or nothing where there are none to tell."""
    assert error.function is not None
    try:
        nodes, names, result = record(error.function, error.arguments)
        (value,) = [leaf for leaf in tree.leaves(result) if isinstance(leaf, Tensor)]
        if len(nodes) > LONGEST_STORY:
            return ""
        return explain(value, np.ones_like(value.data), names={name: wrap(n) for n, name in names.items()}).to_html()
    except Exception:  # another library, several results: the text says what there is to say
        return ""


def page(found: Sequence[Sequence[str]]) -> str:
    """One HTML page, complete in itself, of (test, message, graph, story) of each failure.

    Everything in it is escaped, and each story is a page of its own in a frame that can reach nothing else.
    """
    sections = []
    for test, message, graph, steps in found:
        name = html.escape(test)
        frame = (
            f'<h3>Step by step</h3>\n<iframe title="The steps of {name}" sandbox="allow-scripts" loading="lazy" '
            f'srcdoc="{html.escape(steps)}"></iframe>\n'
        )
        lines = []
        for line in graph.splitlines():
            text = html.escape(line)
            lines.append(f'<span class="wrong">{text}</span>' if line.lstrip().startswith(("✗", "^")) else text)
        what, _, code = message.partition("To see it again:")
        sections.append(
            f"<section><h2>{name}</h2>\n<pre>{html.escape(what.strip())}</pre>\n"
            f"<h3>Graph</h3>\n<pre>{chr(10).join(lines)}</pre>\n"
            f"{frame if steps else ''}"
            f"<h3>To see it again</h3>\n<pre>{html.escape(code.strip())}</pre></section>"
        )
    count = len(found)
    summary = "Every gradient passed." if not count else f"{count} failing test{'s' if count > 1 else ''}."
    return _PAGE.format(summary=summary, sections="\n".join(sections))
