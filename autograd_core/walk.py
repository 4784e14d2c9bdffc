"""The backward walk: the chain rule, applied once to every edge of a graph.

`backward()`, the transforms and the step-by-step view all drain the one generator below. What people are
shown is what ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy import float64

from . import arrays, debugging, graph
from .errors import GraphError, RuleError
from .graph import NO_PARAMS, RELEASED, Node, ancestors, describe, in_order, mode

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
    ``release`` each node is let go of once it is passed, and only leaves are yielded.

    ``to`` restricts the walk to the paths to those nodes. ``lift`` turns a node into a Tensor: with it the
    rules get Tensors and what they compute is recorded, so that gradients have gradients.
    """
    # The running sums, one for each node that is still to be visited; no other node is of interest.
    gradients: dict[Any, Any] = ancestors(seeds)
    order = in_order(gradients)
    _check_unchanged(order)
    watched = mode.debugging
    if watched:
        debugging.check_fingerprints(order)
    if to is not None:
        for node in order:
            if node.parents is RELEASED:
                raise _released(node)
        order = _paths(order, to)
        gradients = dict.fromkeys(order)
    gradients.update((node, g) for node, g in seeds.items() if node in gradients)
    del seeds
    sum_of, take = gradients.get, gradients.pop
    while order:
        node = order.pop()
        g = take(node)
        if g is None:  # only a restricted walk passes by nodes that nothing arrives at
            continue
        op = node.op
        if op is None:
            yield node, g, _NO_EDGES
            continue
        parents, z, args, params, rules = node.parents, node.out, node.args, node.params, op.rules
        if parents is RELEASED:
            raise _released(node)
        if lift is not None:
            z, args = lift(node), tuple(a if p is None else lift(p) for p, a in zip(parents, args, strict=True))
        given = (g, z, *args)
        edges: list[Edge] = [] if trace else _NO_EDGES
        try:
            parent: Any
            for position, parent in enumerate(parents):
                total = sum_of(parent, _UNWANTED)
                if total is not _UNWANTED:
                    rule: Any = rules[position]
                    if watched:
                        with np.errstate(all="ignore"):  # what is said here says more than a warning
                            product = rule(*given, **params)
                        debugging.examine_gradient(node, position, g, product)
                    else:
                        product = rule(*given, **params) if params else rule(*given)
                    # Two float64 numbers fit, and they are what small graphs are made of.
                    contribution = product
                    if type(product) is not float64 or type(parent.out) is not float64:
                        contribution = _fit(product, parent, node, position)
                    before, total = total, contribution if total is None else total + contribution
                    if watched:
                        debugging.examine_total(parent, (product, before), total)
                    gradients[parent] = total
                    if trace:
                        edges.append((position, parent, product, contribution, total))
        except Exception as error:
            error.add_note(f"in the gradient of {describe(op, node.args)} for argument {position + 1}")
            raise
        if release:
            node.parents, node.args, node.params = RELEASED, (), NO_PARAMS  # the value stays with whoever holds it
        else:
            yield node, g, edges


_NO_EDGES: list[Edge] = []
# Marks a parent that gets no gradient: a constant, or off the paths to what was asked for.
_UNWANTED: Any = object()


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
    product = product if product.dtype == out.dtype else product.astype(out.dtype)
    # A number of NumPy's may stand beside another library's arrays; its gradient is a number of NumPy's again.
    return product if type(product) is type(out) or isinstance(product, graph.Recorded) else arrays.like(out, product)


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
    return np.reshape(np.sum(g, axis=(*range(new), *stretched)), shape)


def _paths(order: list[Node], to: Iterable[Node]) -> list[Node]:
    """Those nodes of ``order`` that depend on a node in ``to``, still in order."""
    wanted = set(to)
    for node in order:
        if node not in wanted and not wanted.isdisjoint(node.parents):
            wanted.add(node)
    return [node for node in order if node in wanted]


def _check_unchanged(order: list[Node]) -> None:
    """Raise if a leaf was changed after something was computed from it: its gradient would be of neither."""
    for node in order:
        if node.op is None:
            continue
        if node.born > graph.last_change:  # and so was all that follows
            return
        for parent in node.parents:
            if parent is not None and parent.changed > node.born:
                raise GraphError(
                    f"{parent.subject()} was changed in place after {node.op.name} had used it, by "
                    f"{debugging.shown_line(*parent.changer)}\nThe recorded values and the present ones differ; run "
                    "the forward computation again after changing .data, or call backward() before it"
                )
