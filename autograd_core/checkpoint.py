"""Memory for time: what is computed again in the backward pass instead of being remembered."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import tree
from .errors import GraphError
from .graph import BEGUN, Node, in_order, kind, tick
from .mode import mode, recorded
from .op import Op
from .rerun import Run, parts_of
from .tensor import Tensor, wrap
from .transforms import Function, _callable
from .walk import walk


def checkpoint(f: Function) -> Function:
    """``f``, computed again in the backward pass instead of being remembered: less memory for more time.

    Only what goes in and what comes out stays; what ``f`` recorded on the way is dropped at once. Tensors that
    ``f`` closes over, such as a layer's weights, get their gradients too. Wrap parts of a computation rather than the
    whole of it.

    The second run draws the random numbers of the first, and what it changes, such as the statistics of a
    `BatchNormalization`, is put back: known are the generators of Python and NumPy, those of ``nn``, and those among
    ``f``'s arguments, its variables and their attributes. Where it gives other values nevertheless, because something
    else has changed in between, the backward pass raises GraphError; a change that leaves all values as they were, as
    of what is multiplied by 0, is not noticed. TypeError unless ``f`` is a function.

    >>> grad(lambda x: np.sum(checkpoint(np.tanh)(x)))(np.zeros(2))
    array([1., 1.])
    """

    _callable(f)

    @functools.wraps(f, updated=())
    def frugal(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, args, kwargs)
        with call.first:
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
        self.start = tick()
        self.outer: list[Node] = []
        self.first = Run(tick, parts_of(f, args, kwargs))

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
                if parent is not None and parent.requires_grad and parent not in seen:
                    seen.add(parent)
                    (nodes if parent.born > self.start else outer).append(parent)
        return in_order(outer)

    def again(self, z: Any, instead: dict[Node, Tensor]) -> Any:
        """All that is recorded in another run, which must give the values ``z`` of the first."""
        (_, made), other = self.first.again(lambda: self.run(instead))
        name = getattr(self.f, "__name__", type(self.f).__name__)
        new = next((node for node in other.changed if node not in self.first.changed), None)
        if new is not None:
            raise GraphError(
                f"{name}, which checkpoint ran again for its gradient, changed {new.label()}, which it did not change "
                "the first time; change nothing in it that is not changed each time"
            )
        difference = _difference(z, None if made is None else made.node.out)
        if difference:
            raise GraphError(
                f"{name}, which checkpoint ran again for its gradient, gave another value than the first time: "
                f"{difference}. Something that it reads has changed in between, or it draws random numbers from a "
                "generator that is not known here; make what changes, or the generator, an argument of it"
            )
        return made

    def pull(self, g: Any, z: Any, xs: Sequence[Any], wanted: Sequence[bool]) -> Iterator[Any]:
        """The gradients of the outer nodes."""
        lifted = any(isinstance(x, Tensor) for x in xs)
        # Fresh leaves for the arguments keep the walk inside the call.
        inner = {n: _fresh(n) for n in self.outer} if not lifted else {}
        with recorded():
            made = self.again(z.node.out if isinstance(z, Tensor) else z, inner)
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


def _fresh(node: Node, data: Any = None) -> Tensor:
    """A leaf in the place of another node; what was computed must not look like a leaf to what copies it."""
    fresh = Node(node.out if data is None else data, True)
    fresh.variable = BEGUN if node.op is not None or node.variable else 0
    return wrap(fresh)


def _difference(first: Any, second: Any) -> str:
    """What tells two runs of one function apart, more than the order of sums in a product of matrices does."""
    if second is None or np.shape(first) != np.shape(second):
        return f"{kind(first)} was recorded, and now {'nothing' if second is None else kind(second)}"
    if not all(issubclass(type(value), np.ndarray | np.generic) for value in (first, second)):
        return ""  # where a step is recorded to be replayed, the call before was compared
    near = np.finfo(first.dtype).eps ** 0.75 * np.max(np.abs(first), initial=0, where=np.isfinite(first))
    with np.errstate(invalid="ignore"):
        apart = ~((np.abs(first - second) <= near) | (first == second) | (np.isnan(first) & np.isnan(second)))
    if not np.any(apart):
        return ""
    place = np.unravel_index(np.argmax(apart), np.shape(apart))
    where = f" at index {[int(i) for i in place]}" if place else ""
    return f"{second[place]:.6g} now, {first[place]:.6g} then{where}"


def _again(*xs: Any, call: Any = None) -> Any:
    """A checkpointed function, run again."""
    leaves = {n: _fresh(n, x) for n, x in zip(call.outer, xs, strict=True)}
    return call.first.again(lambda: call.run(leaves))[0][1].node.out


_recomputed = Op(_again, r"f(x, \dots)")
_recomputed.name = "checkpoint"


@_recomputed.vjp(r"\frac{\partial f}{\partial x}")
def _(g: Any, z: Any, *xs: Any, wanted: Sequence[bool], call: _Call) -> Iterator[Any]:
    return call.pull(g, z, xs, wanted)
