"""The backward walk: the chain rule, applied once to every edge of a graph.

`backward()`, the transforms and the step-by-step view all drain the one generator below. What people are
shown is what ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
from numpy import float64

from . import arrays, debugging, graph
from .caller import shown_line
from .errors import GraphError, RuleError
from .graph import NO_PARAMS, RELEASED, Node, ancestors, describe, in_order
from .mode import mode

# What a node handed to one of its parents: (position, parent, product, contribution, total). ``product`` is
# what the rule gave, upstream times local; ``contribution`` is the same with broadcasting undone; ``total``
# is the parent's running sum. Plain tuples, because there is one for every argument of every op.
Edge = tuple[int, Any, Any, Any, Any]


def walk(
    seeds: Mapping[Node, Any],
    *,
    to: Iterable[Node] | None = None,
    lift: Callable[[Node], Any] | None = None,
    release: bool = False,
    trace: bool = False,
) -> Iterator[tuple[Node, Any, list[Edge]]]:
    """Walk backwards from the nodes in ``seeds``, whose gradients are given there.

    Yields each node once, with its complete gradient and, with ``trace``, what it handed to its parents. A node
    comes after all that depends on it, because nodes are visited in the reverse order of their births. With
    ``release`` each node is freed after it was visited, and only leaves are yielded.

    ``to`` restricts the walk to the paths to those nodes. ``lift`` turns a node into a Tensor: with it the
    rules get Tensors and what they compute is recorded, so that gradients have gradients.
    """
    watched = mode.debugging
    if watched:
        debugging.check_fingerprints(in_order(ancestors(seeds)))
    paths = None if to is None else _paths(in_order(ancestors(seeds)), to)
    # The running sums of the nodes that something has arrived at, and these nodes with the youngest first: as a
    # node is born after its parents, nothing more can arrive at the youngest.
    gradients: dict[Any, Any] = {n: g for n, g in seeds.items() if n.requires_grad and (paths is None or n in paths)}
    waiting = [(-node.born, node) for node in gradients]
    heapify(waiting)
    own: set[Node] = set()  # those whose sum is in memory that nobody else has
    wide: set[Node] = set()  # those of float16 whose sum is one of float32, which does not end at 2,048 ones
    del seeds
    take = gradients.pop
    last_change = graph.last_change
    while waiting:
        node = heappop(waiting)[1]
        g = take(node)
        if wide and node in wide:
            g = (g.whole() if type(g) is _Pile else g).astype(HALF)
        op = node.op
        if op is None:
            yield node, g.whole() if type(g) is _Pile else g, _NO_EDGES
            continue
        parents = node.parents
        if parents is RELEASED:
            raise _released(node)
        if node.born < last_change:
            _check_unchanged(node)
        z = node.out
        args = node.args
        params = node.params
        rules = op.rules
        if lift is not None:
            g = g.whole() if type(g) is _Pile else g
            z, args = lift(node), tuple(a if p is None else lift(p) for p, a in zip(parents, args, strict=True))
        edges: list[Edge] = [] if trace else _NO_EDGES
        simple = 0 if params else len(args)
        if op.arity is None:  # one rule answers for all arguments, one after the other
            wanted = [p is not None and p.requires_grad and (paths is None or p in paths) for p in parents]
            rules = [partial(_next, rules.products(g, z, args, params, wanted))] * len(parents)
            args, params, simple = (), NO_PARAMS, 0
        try:
            parent: Any
            for position, parent in enumerate(parents):
                if parent is None or not parent.requires_grad or (paths is not None and parent not in paths):
                    continue
                rule: Any = rules[position]
                if watched:
                    rule = np.errstate(all="ignore")(rule)  # what is said below says more than a warning
                if simple == 2:  # spelled out: small graphs feel the time that unpacking takes
                    product = rule(g, z, args[0], args[1])
                elif simple == 1:
                    product = rule(g, z, args[0])
                elif op.puts is not None and parent in gradients and parent.out.ndim and not (watched or trace):
                    if parent.out.dtype is HALF and parent not in wide:
                        gradients[parent] = take(parent).astype(np.float32)
                        wide.add(parent)
                    gradients[parent] = _put(op.puts, take(parent), g, params, parent, own if lift is None else None)
                    continue
                else:
                    product = rule(g, z, *args, **params)
                contribution, made, out = product, type(product), parent.out
                if made is not type(out) or (  # what fits is frequent
                    made is not float64
                    and (product.shape != out.shape or product.dtype is not out.dtype or out.dtype is HALF)
                ):
                    contribution = _fit(product, parent, node, position)
                    if contribution.dtype is HALF and parent in gradients:
                        contribution = contribution.astype(np.float32)
                        wide.add(parent)
                if watched:
                    debugging.examine_gradient(node, position, g, product)
                    debugging.examine_total(parent, product, contribution, gradients.get(parent))
                if parent not in gradients:
                    gradients[parent] = contribution
                    heappush(waiting, (-parent.born, parent))
                else:  # where no name holds the old sum, NumPy adds to a large array in its own memory
                    gradients[parent] = take(parent) + contribution
                if trace:
                    edges.append((position, parent, product, contribution, gradients[parent]))
        except Exception as error:
            error.add_note(f"in the gradient of {describe(op, node.args)} for argument {position + 1}")
            raise
        if release:
            node.parents, node.args, node.params = RELEASED, (), NO_PARAMS  # the value stays with whoever holds it
        else:
            yield node, g, edges


_NO_EDGES: list[Edge] = []
HALF = np.dtype(np.float16)


def _put(puts: Any, total: Any, g: Any, params: dict[str, Any], parent: Node, own: set[Node] | None) -> Any:
    """The running sum of ``parent`` with one more gradient added in its place; ``own`` is None where it is recorded."""
    if own is None:
        pile = total if type(total) is _Pile else _Pile(puts, parent.out.shape, total)
        pile.add(g, params)
        return pile
    if parent not in own:  # it may be somebody else's: `add` hands one array to both its parents
        total = total.copy()
        own.add(parent)
    puts.into(total, g, **params)
    return total


class _Pile:
    """A sum of Tensors that waits until all have come: recorded one by one it would be all of it for each of them."""

    def __init__(self, puts: Any, shape: tuple[int, ...], first: Any):
        self.puts, self.shape, self.rest = puts, shape, first
        self.parts: list[Any] = []
        self.calls: list[dict[str, Any]] = []

    def add(self, g: Any, params: dict[str, Any]) -> None:
        """Another one, which a call with these parameters puts in its place."""
        self.parts.append(g)
        self.calls.append(params)

    def __add__(self, other: Any) -> _Pile:
        self.rest = self.rest + other
        return self

    def whole(self) -> Any:
        """The sum."""
        return self.rest + self.puts.all(*self.parts, calls=self.calls, shape=self.shape)


def _next(products: Iterator[Any], g: Any, z: Any) -> Any:
    """The next answer of a rule that answers for all arguments."""
    return next(products)


def _released(node: Node) -> GraphError:
    return GraphError(
        f"the graph of {node.label()} was released by an earlier backward(release=True) and cannot be walked again; "
        "run the forward computation again, or leave out release=True"
    )


def _fit(product: Any, parent: Node, node: Node, position: int) -> Any:
    """Give ``product`` the shape and dtype of ``parent``: sum what broadcasting repeated."""
    out = parent.out
    shape = getattr(product, "shape", None)
    if shape != out.shape:
        if shape is None or not _stretches(out.shape, shape, node):
            raise _wrong_shape(product, parent, node, position)
        product = unbroadcast(product, out.shape)
    product = product if product.dtype == out.dtype else _cast(product, out.dtype)
    # A number of NumPy's may stand beside another library's arrays; its gradient is a number of NumPy's again.
    return product if type(product) is type(out) or isinstance(product, graph.Recorded) else arrays.like(out, product)


def _cast(product: Any, dtype: Any) -> Any:
    if product.dtype.kind == "c" and dtype.kind != "c":
        product = np.real(product)  # a real number changes along the real axis only
    return product.astype(dtype)


def _stretches(shape: tuple[int, ...], to: tuple[int, ...], node: Node) -> bool:
    """Whether broadcasting in this op can have stretched an argument of ``shape`` to the shape ``to``."""
    op = node.op
    assert op is not None
    if not op.broadcasts or (not op.batched and to != node.out.shape) or len(to) < len(shape):
        return False
    return all(n in (1, m) for n, m in zip(reversed(shape), reversed(to), strict=False))


def _wrong_shape(product: Any, parent: Node, node: Node, position: int) -> RuleError:
    op = node.op
    assert op is not None
    came = f"shape {list(product.shape)}" if hasattr(product, "shape") else repr(product)
    result = f", or in the result's, {list(node.out.shape)}, which is then summed" if op.broadcasts else ""
    return RuleError(
        f"the gradient rule of {op.name} for argument {position + 1} returned {came}; it must return an array in "
        f"the shape of that argument, {list(parent.out.shape)}{result}. The call was {describe(op, node.args)}"
    )


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``g`` down to ``shape``: the adjoint of broadcasting ``shape`` to ``g.shape``.

    >>> unbroadcast(np.ones((4, 3)), (3,))
    array([4., 4., 4.])
    >>> unbroadcast(np.ones((4, 3)), (4, 1)).shape
    (4, 1)
    """
    new = g.ndim - len(shape)
    stretched = tuple(new + i for i, n in enumerate(shape) if n != g.shape[new + i])
    g = g if g.dtype is not HALF else g.astype(np.float32)  # in which sums pass 65,504
    return np.reshape(np.sum(g, axis=(*range(new), *stretched)), shape)


def conjugate(g: Any) -> Any:
    """The conjugate of complex numbers, and real ones as they are.

    It is what rules hand on, of the gradient that people see, and the other way round. For a number ``a + i b`` that is
    ``∂L/∂a + i ∂L/∂b``, the direction in which L grows fastest, as in PyTorch. Rules get its conjugate, with which the
    chain rule of functions that have a complex derivative is the real one's.
    """
    return np.conj(g) if getattr(g, "dtype", HALF).kind == "c" else g


def _paths(order: list[Node], to: Iterable[Node]) -> set[Node]:
    """Those nodes of ``order`` that depend on a node in ``to``."""
    wanted = set(to)
    for node in order:
        if node.parents is RELEASED:
            raise _released(node)
        if not wanted.isdisjoint(node.parents):
            wanted.add(node)
    return wanted


def _check_unchanged(node: Node) -> None:
    """Raise if an argument of ``node`` was changed since: its gradient would be of neither value."""
    op = node.op
    assert op is not None
    for parent in node.parents:
        if parent is not None and parent.changed > node.born:
            raise GraphError(
                f"{parent.subject()} was changed in place after {op.name} had used it, by "
                f"{shown_line(*parent.changer)}\nThe recorded values and the present ones differ; run "
                "the forward computation again after changing .data, or call backward() before it"
            )
