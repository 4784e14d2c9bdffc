"""Which op of a computation is wrong, and the graph as text with that op marked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .. import tree
from ..graph import Node, ancestors, in_order, kind
from ..tensor import Tensor
from .arguments import Arguments
from .check import GradientError, check_gradients


@dataclass
class Diagnosis:
    """The graph of a function at a point: its nodes in order, their names, and what is wrong with some."""

    nodes: list[Node]
    names: dict[Node, str]
    faults: dict[Node, Exception]

    @property
    def guilty(self) -> Node | None:
        """The first op whose own rule contradicts its own values."""
        return next(iter(self.faults), None)

    def __str__(self) -> str:
        width = max((len(self._line(node)) for node in self.nodes), default=0)
        lines = []
        for node in self.nodes:
            line = self._line(node)
            fault = self.faults.get(node)
            value = kind(node.out) if np.size(node.out) > 6 else np.array2string(np.asarray(node.out), precision=4)
            lines.append(f"{'✗' if fault else ' '} {line:<{width}}  {value}".replace("\n", ""))
            if fault:
                lines += [f"    ^ {text.strip()}" for text in str(fault).split("\n\n")[0].splitlines()]
        return "\n".join(lines)

    def _line(self, node: Node) -> str:
        if node.op is None:
            return self.names[node]
        operands = [
            self.names[parent] if parent in self.names else kind(arg)
            for parent, arg in zip(node.parents, node.args, strict=True)
        ]
        params = [f"{key}={value!r}" for key, value in node.params.items()]
        return f"{self.names[node]} = {node.op.name}({', '.join([*operands, *params])})"


def diagnose(f: Callable[..., Any], args: Sequence[Any], argnums: Any = None) -> Diagnosis:
    """Record ``f(*args)`` and compare each op's own rules with differences of that op at the recorded values.

    >>> print(diagnose(lambda x, y: np.tanh(x * y), (2.0, 0.25)))
      x                    2.
      y                    0.25
      v0 = multiply(x, y)  0.5
      v1 = tanh(v0)        0.4621
    """
    nodes, names, _ = record(f, args, argnums)
    faults: dict[Node, Exception] = {}
    for node in nodes:
        if node.op is None:
            continue
        varied = [i for i, parent in enumerate(node.parents) if parent is not None and parent.requires_grad]
        try:
            check_gradients(_call(node), *map(np.copy, node.args), argnums=varied)
        except GradientError as error:
            faults[node] = error
        except Exception:  # an op that cannot be run alone is no suspect: the function itself ran
            continue
    return Diagnosis(nodes, names, faults)


def record(f: Callable[..., Any], args: Sequence[Any], argnums: Any = None) -> tuple[list[Node], dict[Node, str], Any]:
    """The nodes of ``f(*args)`` in order, their names (v0, v1, … for what is computed), and the result."""
    arguments = Arguments(f, args, argnums)
    variables = [Tensor(array, name=name) for array, name in zip(arguments.arrays, arguments.names, strict=True)]
    result = f(*arguments.fill(variables))
    nodes = in_order(ancestors(leaf.node for leaf in tree.leaves(result) if isinstance(leaf, Tensor)))
    computed = (f"v{n}" for n in itertools.count())
    return nodes, {node: (node.name or "constant") if node.op is None else next(computed) for node in nodes}, result


def _call(node: Node) -> Callable[..., Any]:
    assert node.op is not None
    if not node.params:
        return node.op
    call = partial(node.op, **node.params)
    call.__name__ = node.op.name  # type: ignore[attr-defined]
    return call
