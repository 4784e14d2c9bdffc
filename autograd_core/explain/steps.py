"""One list of steps, taken from the walk that also trains networks. Every view renders this list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ..arrays import in_numpy, to_numpy
from ..graph import Node, ancestors, in_order
from ..op import JointRule, Op, is_complex
from ..tensor import Tensor
from ..walk import Edge, conjugate, walk
from .formula import FEW, UPSTREAM, number, uses_upstream
from .values import Names, Value, describe, expression, inputs, kinds_of, layers_of, name_all

if TYPE_CHECKING:
    from .narration import Narrated
    from .paths import Paths

MAX_VALUES = 50_000  # some seconds, and far more than anyone reads


@dataclass(frozen=True, repr=False)
class Step:
    """One line of the story.

    - ``forward``: the op ``op`` computed ``value``, called ``name``, from ``inputs``.
    - ``backward``: ``output``, the result of ``op``, handed part of its gradient to its input ``name``:
      ``upstream`` × ``local`` = ``contribution``; ``total`` is the sum that ``name`` has received so far.
    - ``unbroadcast``: ``name`` had been stretched by broadcasting, so what arrived for it (``upstream``) was
      summed to its own shape (``contribution``).

    Parameters
    ----------
    kind : str
        "forward", "backward" or "unbroadcast".
    op : str
        The name of the op.
    name : str
        What the value, or the input that a gradient arrives at, is called.
    inputs : tuple of str
        What the inputs of the op are called.
    value : array
        What was computed, or what the input was.
    upstream : array, optional
        The gradient that arrives at the result of the op; None in a forward step, as the next three.
    local : array, optional
        The local derivative, in numbers. None where it is no array to multiply by: a matrix product, a reshape, a
        softmax.
    contribution : array, optional
        What the input receives in this step.
    total : array, optional
        What it has received so far.
    output : str
        What the result of the op is called.
    expression : str
        What was computed, as one writes it: ``x · y``.
    formula : str
        The local derivative as one writes it. Where it mentions g, the upstream gradient, it is the whole
        contribution; where ``local`` is None and it does not, it is the derivative of one element by another, and
        the contribution sums over the former.
    position : int
        Which argument of the op the input is, from 0; -1 in a forward step.
    operands : tuple of pairs
        The parts of ``formula``, pairs of a name and a value.

    Examples
    --------
    >>> x = Tensor(3.0, name="x")
    >>> first, second, third = explain(x * x)
    >>> first
    <forward: op='multiply', name='f', inputs=('x', 'x'), output='f', value=9>
    >>> second
    <backward: op='multiply', name='x', inputs=('x', 'x'), output='f', value=3,
     upstream=1, local=3, contribution=3, total=3>
    >>> second.upstream, second.local
    (np.float64(1.0), np.float64(3.0))
    """

    kind: str
    op: str
    name: str
    inputs: tuple[str, ...]
    value: Any
    upstream: Any = None
    local: Any = None
    contribution: Any = None
    total: Any = None
    output: str = ""
    expression: str = ""
    formula: str = ""
    position: int = -1
    operands: tuple[tuple[str, Any], ...] = ()

    def __repr__(self) -> str:
        said = [f"{name}={getattr(self, name)!r}" for name in ("op", "name", "inputs", "output")]
        numbers = ("value", "upstream", "local", "contribution", "total")
        said += [f"{name}={number(getattr(self, name))}" for name in numbers if getattr(self, name) is not None]
        return f"<{self.kind}: {', '.join(said)}>"


class Steps(Sequence[Step]):
    """The steps of one computation and its backward pass, in the order they ran.

    A sequence of `Step`, made by `explain`. ``leaves`` holds what everything was computed from (name to value),
    ``gradients`` the gradient of each value (name to array).

    Parameters
    ----------
    steps : iterable of Step
        Its elements.
    result : str
        The name of the value that was explained.
    seed : array
        The gradient that the backward pass started from.
    values : dict of str to Value
        All that was computed and what it was computed from, name to `Value`.
    kinds : dict of tuple to str, optional
        The classes of layers, by their paths.

    Raises
    ------
    ValueError
        When saving, for another ending: `save` than .html, `to_gif` than .gif; for another ``reveal`` than "step" and
        "all".
    ImportError
        When saving, without the plots extra.

    Examples
    --------
    >>> x = Tensor(3.0, name="x")
    >>> steps = explain(x * x)
    >>> steps
    <3 steps of f; print them, or see .to_text()>
    >>> steps.leaves, steps.gradients["x"]
    ({'x': np.float64(3.0)}, np.float64(6.0))
    """

    def __init__(
        self,
        steps: Iterable[Step],
        result: str,
        seed: Any,
        values: Mapping[str, Value],
        kinds: Mapping[tuple[str, ...], str] | None = None,
    ) -> None:
        self._steps = tuple(steps)
        self.result = result
        self.seed = seed
        self.values = dict(values)
        self.kinds = dict(kinds or {})
        self.leaves = {name: value.value for name, value in values.items() if value.op is None}
        self.gradients = {n: v.gradient for n, v in reversed(self.values.items()) if v.gradient is not None}

    @cached_property
    def narration(self) -> list[Narrated]:
        """What is said of each step, in parts that every view writes in its own way."""
        from .narration import narrate

        return narrate(self)

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Step, ...]: ...
    def __getitem__(self, index: int | slice) -> Step | tuple[Step, ...]:
        return self._steps[index]

    def __len__(self) -> int:
        return len(self._steps)

    def __repr__(self) -> str:
        return f"<{len(self)} steps of {self.result}; print them, or see .to_text()>"

    def __str__(self) -> str:
        try:
            from .table import to_table
        except ImportError:  # without rich; the transcript says the same
            return self.to_text()
        return to_table(self)

    def __rich__(self) -> Any:
        from .table import tables

        return tables(self)

    def paths(self, name: str, most: int = 10) -> Paths:
        """Why a gradient is what it is: the paths from a value to the result, as products of local derivatives.

        Parameters
        ----------
        name : str
            What the value is called in these steps.
        most : int
            How many of the largest paths are given, from 1 on.

        Returns
        -------
        Paths
            How many there are, and the largest; to print, or to read one by one.

        Raises
        ------
        ValueError
            For a name that is not there, ``most`` below 1, and where a value on the way is an array: of the elements of
            arrays the page tells the paths.

        Examples
        --------
        >>> x = Tensor(3.0, name="x")
        >>> print(explain(x * x + x, names={}).paths("x"))
        ∂f/∂x = 7 is the sum of 3 paths:
          3 · 1 = 3, through v1, f
          3 · 1 = 3, through v1, f
          1 = 1, through f
        """
        from .paths import paths

        return paths(self, name, most)

    def to_text(self) -> str:
        """The transcript: plain lines, for a terminal, a log file or a screen reader."""
        from .text import to_text

        return to_text(self)

    def to_latex(self) -> str:
        """A document for LaTeX: each value computed, each gradient by the chain rule, with the numbers."""
        from .latex import to_latex

        return to_latex(self)

    def to_html(self, reveal: str = "all") -> str:
        """The page: see `save`."""
        from .page import to_html

        return to_html(self, reveal)

    def _repr_html_(self) -> str:
        from .page import to_notebook

        return to_notebook(self)

    def save(self, path: str | Path, reveal: str = "all") -> Path:
        """Write one self-contained page to ``path``: the whole story, to step through and to change.

        With ``reveal="step"`` a value and a gradient stand as ``?`` until their step, or until the reader asks for all.
        """
        from ..files import written_whole

        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"expected a file that ends in .html, for the page of the steps, got {path.name!r}")
        page = self.to_html(reveal).encode()
        with written_whole(path) as file:
            file.write(page)
        return path

    def save_frames(self, folder: str | Path) -> list[Path]:
        """Write a PNG picture of the graph for each step, for slides; returns the files. Needs the plots extra."""
        from .frames import save_frames

        return save_frames(self, Path(folder))

    def to_gif(self, path: str | Path, *, seconds: float = 1.5) -> Path:
        """Write an animation with a frame for each step, each shown for so many seconds. Needs the plots extra."""
        from .frames import to_gif

        path = Path(path)
        if path.suffix.lower() != ".gif":
            raise ValueError(f"expected a file that ends in .gif, for the animation, got {path.name!r}")
        if (
            not 0.01 <= seconds <= 200
        ):  # a GIF counts up to 65,535 hundredths, and the last frame stays three times as long
            raise ValueError(f"expected seconds from 0.01 to 200, got {seconds}")
        return to_gif(self, path, seconds)


def without_seed(shape: tuple[int, ...], how: str) -> str:
    """Why an array needs a seed before its gradients can be explained, and what one is; ``how`` to give it.

    >>> print(without_seed((2,), "explain(f, {})"))
    expected a single number, whose gradient starts from 1, got an array of shape [2]; a seed says how much each of its
    elements counts, and the gradients are then those of sum(seed * f): all of it 1 explains the sum, a single 1 that
    element, as explain(f, [1, 0]) does
    """
    seed = "np.eye(1, f.size).reshape(f.shape)"
    if 0 < np.prod(shape) <= FEW:
        seed = str(np.eye(1, int(np.prod(shape)), dtype=int).reshape(shape).tolist())
    return (
        f"expected a single number, whose gradient starts from 1, got an array of shape {list(shape)}; a seed says how "
        "much each of its elements counts, and the gradients are then those of sum(seed * f): all of it 1 explains the "
        f"sum, a single 1 that element, as {how.format(seed)} does"
    )


def explained(f: Tensor, seed: Any, variables: Mapping[str, Any]) -> Steps:
    """What `explain` gives, with values called as the variables that hold them."""
    recorded = in_order(ancestors([f.node]))
    if len(recorded) > MAX_VALUES:
        raise ValueError(
            f"expected at most {MAX_VALUES:,} values to explain one by one, got {len(recorded) - 1:,} that the result "
            "was computed from; explain a smaller part, or draw(f), which leaves out what is far from the result"
        )
    names = name_all(f.node, recorded, variables)
    steps = [_forward(node, names) for node in recorded if node.op is not None]
    gradients = {}
    for node, g, edges in walk({f.node: seed}, trace=True):
        gradients[node] = conjugate(g)  # as people see it, which is `Tensor.grad`
        steps += _backward(node, g, edges, names, names[f.node])
    layers = layers_of(recorded)
    described = describe(recorded, names, layers, gradients)
    return Steps(steps, names[f.node], to_numpy(conjugate(seed)), described, kinds_of(layers))


def _forward(node: Node, names: Names) -> Step:
    op = node.op
    assert op is not None
    return Step(
        "forward",
        op.name,
        names[node],
        inputs(node, names),
        to_numpy(node.out),
        output=names[node],
        expression=expression(op, node),
    )


def _backward(node: Node, g: Any, edges: Sequence[Edge], names: Names, root: str) -> Iterator[Step]:
    op = node.op
    if op is None:
        return
    # What all steps of a node have in common is made once: there may be as many steps as arguments.
    given = inputs(node, names)
    of_node: dict[str, Any] = {
        "op": op.name,
        "inputs": given,
        "output": names[node],
        "expression": expression(op, node),
        # What is shown lies in NumPy, wherever it was computed.
        "operands": in_numpy(((f"∂{root}/∂{names[node]}", conjugate(g)), *zip(given, node.args, strict=True))),
    }
    upstream = in_numpy(conjugate(g))
    for edge, local in zip(edges, _locals(node, edges), strict=True):
        position, parent, *_ = edge
        seen = (v if v is None else conjugate(v) for v in (*edge[2:], local))
        product, contribution, total, local, value = in_numpy((*seen, parent.out))
        shared = {"name": names[parent], "value": value, "position": position, **of_node}
        if is_complex(product) and not is_complex(value):  # of which the walk takes the real part
            product, local = np.real(product), None
        # A number beside arrays of one element was stretched to no other copies: there is nothing to add up.
        broadcast = np.size(product) != np.size(contribution)
        yield Step(
            "backward",
            upstream=upstream,
            local=local,
            contribution=product if broadcast else contribution,
            total=None if broadcast else total,
            formula=_seen(_formula(op, position), node, parent),
            **shared,
        )
        if broadcast:
            yield Step("unbroadcast", upstream=product, contribution=contribution, total=total, **shared)


def _formula(op: Op, position: int) -> str:
    return op.formulas[position if op.arity is not None else 0]


def _seen(formula: str, node: Node, parent: Node) -> str:
    """The formula of the gradient that people see: between complex numbers the conjugate of that which a rule gives.

    Of a real number's it is the real part.
    """
    if not (is_complex(node.out) or formula == "i"):
        return formula
    if is_complex(parent.out):
        if formula == "i" or not re.search("[a-z]", formula):
            return formula
        return rf"\operatorname{{conj}}({_conjugated(formula)})"
    formula = formula if uses_upstream(formula) else rf"g \cdot ({formula})"
    return rf"\operatorname{{Re}}({_conjugated(formula) if is_complex(node.out) else formula})"


def _conjugated(formula: str) -> str:
    return UPSTREAM.sub(lambda _: r"\operatorname{conj}(g)", formula)


def _locals(node: Node, edges: Sequence[Edge]) -> Iterator[Any]:
    """For each edge the local derivative in numbers, what the rule makes of ones, or None where it is no factor."""
    op = node.op
    assert op is not None
    ones = np.ones_like(node.out)[()]
    uneven = None if op.elementwise else _uneven(ones)
    asked = [position for position, *_ in edges if not uses_upstream(_formula(op, position))]
    factors = _products(node, ones, asked)
    products = None if uneven is None else _products(node, uneven, asked)
    for position, *_ in edges:
        if uses_upstream(_formula(op, position)):
            yield None
            continue
        local = to_numpy(next(factors))
        is_factor = products is None or _is_product(to_numpy(next(products)), to_numpy(uneven), local, node)
        yield local if is_factor else None


def _uneven(ones: Any) -> Any:
    """An upstream gradient without a pattern.

    A rule is linear in the upstream gradient. Where it multiplies this one by its answer to ones, it does so with all,
    and not by chance: a softmax answers even ones with zeros, whatever its Jacobian is.
    """
    return ones + 0.5 * np.sin(np.reshape(np.cumsum(np.ravel(ones)), np.shape(ones)))


def _products(node: Node, g: Any, positions: Sequence[int]) -> Iterator[Any]:
    """What the rule of an op makes of an upstream gradient, for some of the arguments."""
    op = node.op
    assert op is not None
    if isinstance(op.rules, JointRule):
        wanted = set(positions)
        return op.rules.products(g, node.out, node.args, node.params, [i in wanted for i in range(len(node.args))])
    return (op.rules[i](g, node.out, *node.args, **node.params) for i in positions)  # type: ignore[misc]


def _is_product(product: Any, g: Any, local: Any, node: Node) -> bool:
    """Whether ``product`` is ``g`` times ``local``, element by element."""
    g = _with_reduced_axes(g, node)
    try:
        if np.broadcast_shapes(np.shape(g), np.shape(local)) != np.shape(product):
            return False
    except ValueError:
        return False
    found = np.finfo(np.asarray(local).dtype)
    with np.errstate(all="ignore"):
        return bool(
            np.allclose(g * local, product, rtol=float(found.eps) ** 0.5, atol=float(found.tiny), equal_nan=True)
        )


def _with_reduced_axes(g: Any, node: Node) -> Any:
    """The gradient of a reduction with the axes back that it took away."""
    axis = node.params.get("axis")
    if axis is None or not np.ndim(g) or node.params.get("keepdims") or np.ndim(g) == np.ndim(node.args[0]):
        return g
    return np.expand_dims(g, axis)
