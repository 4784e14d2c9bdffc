"""What was computed: the nodes of a graph, and their order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from . import rerun
from .notebook import with_picture

if TYPE_CHECKING:
    from .op import Op

# One clock counts births of nodes and changes of leaves, so "was this leaf changed after that node was
# born?" is a comparison of two numbers.
tick: Callable[[], int] = itertools.count(1).__next__


NO_PARAMS: dict[str, Any] = {}
_UNSET: dict[str, Any] = {
    "grad": None,
    "name": None,
    "asked": 0,
    "changed": 0,
    "changer": ("", 0),
    "where": None,
    "fingerprints": None,
    "detached_by": None,
    "variable": 0,
    "scopes": (),
}

# What `Node.variable` says of a leaf that stands for an argument: whether the function has come to its end.
BEGUN, ENDED = 1, 2


class _Released(tuple[()]):
    """The parents of a released node: an empty tuple of a class of its own, which tells it from a leaf."""


RELEASED = _Released()


class Node:
    """One value of a computation and how it came about.

    A leaf has no ``op`` and no parents. Any other node is ``op(*args, **params)``. Nodes hold arrays and older nodes
    only: no reference cycles, so a graph is gone when its last name is gone.

    Parameters
    ----------
    out : array
        The value: an array, or one of NumPy's scalars.
    requires_grad : bool
        Whether gradients reach it.
    op : Op, optional
        The `Op` that computed it; None for a leaf.
    parents : tuple of Node
        The nodes that its arguments came from, position by position; None for a constant that was no Tensor.
    args : tuple
        The plain arrays and numbers that went in.
    params : dict
        The op's parameters, which no gradient flows through: ``axis``, ``keepdims``, …

    Examples
    --------
    >>> x = Tensor(3.0, name="x")
    >>> y = x * 2
    >>> y.node
    Node(a result of multiply (float64[]))
    >>> y.node.op, y.node.args, y.node.parents[0] is x.node
    (<op multiply(x, y)>, (np.float64(3.0), 2), True)
    """

    __slots__ = (
        "__weakref__",
        "args",
        "asked",
        "born",
        "changed",
        "changer",
        "detached_by",
        "fingerprints",
        "grad",
        "name",
        "op",
        "out",
        "params",
        "parents",
        "requires_grad",
        "scopes",
        "variable",
        "where",
    )

    out: Any
    requires_grad: bool
    op: Op | None
    parents: tuple[Node | None, ...]
    args: tuple[Any, ...]
    params: dict[str, Any]
    born: int
    asked: int  # when something that is no op first looked at its numbers: what came later may depend on them
    changed: int
    changer: tuple[str, int]  # the file and line that changed it
    grad: Any
    name: str | None
    where: str | None
    fingerprints: tuple[tuple[str, int], ...] | None
    detached_by: str | None  # what ended the recording on the way to this constant
    variable: int  # whether a transform put this leaf in an argument's place, where its function may not tell
    scopes: tuple[tuple[str, int, str], ...]

    def __init__(
        self,
        out: Any,
        requires_grad: bool,
        op: Op | None = None,
        parents: tuple[Node | None, ...] = (),
        args: tuple[Any, ...] = (),
        params: dict[str, Any] = NO_PARAMS,
    ) -> None:
        self.out = out
        self.requires_grad = requires_grad
        self.op = op
        self.parents = parents
        self.args = args
        self.params = params
        self.born = tick()

    def __getattr__(self, attribute: str) -> Any:
        # Reached only while the slot is empty: what few nodes ever have costs nothing to the others.
        try:
            return _UNSET[attribute]
        except KeyError:
            raise AttributeError(f"a Node has no {attribute!r}") from None

    def __repr__(self) -> str:
        return f"Node({self.label()})"

    def label(self) -> str:
        """What an error message calls this node: its name and what made it."""
        made = f"result of {self.op.name}" if self.op else "leaf" if self.requires_grad else "constant"
        return f"{repr(self.name) + ', ' if self.name else ''}a {made} ({kind(self.out)})"

    def subject(self) -> str:
        """`label` as a sentence begins with it: an apposition ends with a comma, where there is one."""
        return self.label() + ("," if self.name else "")


class Recorded:
    """What carries a node: the `Tensor`, for the modules that stand beneath it."""

    __slots__ = ("node",)
    node: Node
    data: Any

    def told(self) -> Any:
        """Its data for what is no op: a comparison, a sorting. All that it was computed from remembers the question."""
        waiting, now = [self.node], 0
        while waiting:
            node = waiting.pop()
            if not node.asked:  # else all behind it was asked, too
                node.asked = now = now or tick()
                waiting += [parent for parent in node.parents if parent is not None]
        return self.data


class Compared(np.ndarray):
    """The plain result of a comparison that still knows what was compared: ``function(*operands)``, nodes and numbers.

    So what was chosen by it can be told again, and computed for other numbers.
    """

    function: Any
    operands: tuple[Any, ...]


def compared(function: Any, x: Any, y: Any) -> Any:
    """``function(x, y)``, a comparison of a Tensor with a number, as a condition for `numpy.where`.

    It is a plain array, as ``x > y`` is, but nothing was decided by it that cannot be decided again.

    >>> compared(np.greater, Tensor([1.0, -2.0]), 0)
    Compared([ True, False])
    """
    operands = tuple(v.node if isinstance(v, Recorded) else v for v in (x, y))
    result = function(*(v.out if isinstance(v, Node) else v for v in operands))
    if not issubclass(type(result), np.ndarray | np.bool_):  # a stand-in says of itself that it is an array
        return result
    held = np.asarray(result).view(Compared)
    held.function, held.operands = function, operands
    return held


def describe(op: Op, args: Iterable[Any]) -> str:
    """A call as an error shows it: ``matmul(float32[3], float64[4])``."""
    return f"{op.name}({', '.join(kind(a) for a in args)})"


def kind(value: Any) -> str:
    """Type and shape in a word: ``float64[2, 3]``, or the value itself when it is a plain number."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{value.dtype}{list(value.shape)}"
    return repr(value) if isinstance(value, int | float) or value is None else type(value).__name__


# When any leaf was last changed in place. A walk over nodes born later need not look further.
last_change = 0


def stamp(nodes: Iterable[Node], changer: tuple[str, int]) -> None:
    """Note that the data of ``nodes`` was changed in place just now, by a line of a file."""
    global last_change
    last_change = tick()
    if rerun.watching.runs:  # looked at as it is, because each step of training does
        nodes = list(nodes)
        for node in nodes:
            rerun.will_stamp(node)
    for node in nodes:
        node.changed, node.changer = last_change, changer


def add_scope(node: Node, layer: str, start: int, kind: str) -> None:
    """Note that ``layer``, of class ``kind``, computed ``node`` and all that this needed from the moment ``start`` on.

    One note for a layer's call instead of one for each op in it: drawings ask for it, training never pays.
    """
    if node.op is not None and node.born > start:
        node.scopes = (*node.scopes, (layer, start, kind))


class Failed:
    """The call in which an error was raised, as a node. It does not go along where the error is pickled."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return type(None), ()


def keep_call(
    error: BaseException,
    op: Op | None,
    args: Iterable[Any],
    parents: Iterable[Node | None],
    params: dict[str, Any] = NO_PARAMS,
    out: Any = None,
) -> Node:
    """Keep with an error the call that failed, from which is drawn what was computed before it; gives it as a node."""
    failed = Node(np.float64(np.nan) if out is None else out, True, op, tuple(parents), tuple(args), params)
    keep_node(error, failed)
    return failed


def keep_node(error: BaseException, node: Node) -> None:
    """The same for a node whose gradient failed."""
    error.failed_call = Failed(node)  # type: ignore[attr-defined]
    with_picture(error)


def failed_call(error: BaseException | None) -> Node | None:
    """The call in which an error, or one that it came of, was raised; None where none is known."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        found = getattr(error, "failed_call", None)
        if found is not None:
            node: Node = found.node
            return node
        error = error.__cause__ or error.__context__
    return None


born = attrgetter("born")


def ancestors(roots: Iterable[Node]) -> dict[Node, None]:
    """The nodes with ``requires_grad`` that ``roots`` depend on, the roots included; keys of a dictionary of None."""
    seen = dict.fromkeys(node for node in roots if node.requires_grad)
    stack = list(seen)
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent not in seen and parent.requires_grad:
                seen[parent] = None
                stack.append(parent)
    return seen


def in_order(nodes: Iterable[Node]) -> list[Node]:
    """``nodes`` in the order they were computed: a node is born after its parents."""
    return sorted(nodes, key=born)
