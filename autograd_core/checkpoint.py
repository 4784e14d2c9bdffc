"""Memory for time: what is computed again in the backward pass instead of being remembered."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import tree
from .graph import Node, in_order, tick
from .mode import mode, recorded
from .op import Op
from .tensor import Tensor, wrap
from .transforms import Function, _callable
from .walk import walk


def checkpoint(f: Function) -> Function:
    """``f``, computed again in the backward pass instead of being remembered: less memory for more time.

    Only what goes in and what comes out stays; what ``f`` recorded on the way is dropped at once. Tensors that
    ``f`` closes over, such as a layer's weights, get their gradients too. ``f`` must compute the same each time:
    pass random numbers, or a seed, as arguments. Wrap parts of a computation rather than the whole of it. TypeError
    unless ``f`` is a function.

    >>> grad(lambda x: np.sum(checkpoint(np.tanh)(x)))(np.zeros(2))
    array([1., 1.])
    """

    _callable(f)

    @functools.wraps(f, updated=())
    def frugal(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, args, kwargs)
        value, made = call.run()
        if not mode.recording or not call.outer:
            return value
        out = made.node.out
        whole = wrap(Node(out, True, _recomputed, tuple(call.outer), tuple(n.out for n in call.outer), {"call": call}))
        if made is value:
            return whole
        parts, position = [], 0
        for leaf in tree.leaves(value):
            if call.is_made(leaf):
                part = np.reshape(whole[position : position + leaf.size], leaf.shape)
                parts.append(part if part.dtype == leaf.dtype else part.astype(leaf.dtype))
                position += leaf.size
            else:
                parts.append(leaf)
        return tree.rebuild(value, parts)

    return frugal


class _Call:
    """A call of a function that can be repeated, and the nodes that its results depend on."""

    def __init__(self, f: Function, args: Any, kwargs: Any):
        self.f, self.args, self.kwargs = f, args, kwargs
        self.start = 0
        self.outer: list[Node] = []

    def is_made(self, leaf: Any) -> bool:
        """Whether a result was recorded during the last run."""
        return isinstance(leaf, Tensor) and leaf.requires_grad and leaf.node.born > self.start

    def run(self, instead: dict[Node, Tensor] | None = None) -> tuple[Any, Any]:
        """The value, and all that was recorded in it as one Tensor."""
        given = (self.args, self.kwargs)
        if instead is not None:
            given = tree.map(lambda t: instead.get(t.node, t) if isinstance(t, Tensor) else t, given)
        self.start = tick()
        value = self.f(*given[0], **given[1])
        made = [t for t in tree.leaves(value) if self.is_made(t)]
        if instead is None:
            self.outer = self._outer([t.node for t in made])
        if isinstance(value, Tensor):
            return value, value
        return value, np.concatenate([np.reshape(t, t.size) for t in made]) if made else None

    def _outer(self, nodes: list[Node]) -> list[Node]:
        """The nodes from before the call that ``nodes`` were computed from."""
        outer: list[Node] = []
        seen = set(nodes)
        while nodes:
            for parent in nodes.pop().parents:
                if parent is not None and parent.records and parent not in seen:
                    seen.add(parent)
                    (nodes if parent.born > self.start else outer).append(parent)
        return in_order(outer)

    def pull(self, g: Any, xs: Sequence[Any], wanted: Sequence[bool]) -> Iterator[Any]:
        """The gradients of the outer nodes."""
        lifted = any(isinstance(x, Tensor) for x in xs)
        # Fresh leaves for the arguments keep the walk inside the call.
        inner = {n: wrap(Node(n.out, True)) for n in self.outer} if not lifted else {}
        with recorded():
            _, made = self.run(inner)
            # What f closes over is reached under its own node, an argument under its fresh one.
            names = {n: i for i, n in enumerate(self.outer) if wanted[i]}
            names.update((t.node, names[n]) for n, t in inner.items() if n in names)
            totals: dict[Node, Any] = {}
            for node, _, edges in walk({made.node: g}, to=names, lift=wrap if lifted else None, trace=True):
                if node.born < self.start:  # past the call: what lies behind is the outer walk's to do
                    break
                totals.update((parent, total) for _, parent, _, _, total in edges if parent in names)
        pulled: dict[int, Any] = {}
        for node, total in totals.items():
            i = names[node]
            pulled[i] = pulled[i] + total if i in pulled else total
        return (pulled.get(i) for i in range(len(xs)))


def _again(*xs: Any, call: Any = None) -> Any:
    """A checkpointed function, run again."""
    return call.run({n: wrap(Node(x, True)) for n, x in zip(call.outer, xs, strict=True)})[1].node.out


_recomputed = Op(_again, r"f(x, \dots)")
_recomputed.name = "checkpoint"


@_recomputed.vjp(r"\frac{\partial f}{\partial x}")
def _(g: Any, z: Any, *xs: Any, wanted: Sequence[bool], call: _Call) -> Iterator[Any]:
    return call.pull(g, xs, wanted)
