"""The walk's steps, turned into text: what was computed, and how each gradient came about.

Here are only the functions that one calls: what they need is imported when they are called, so that a training that
explains nothing waits for nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..caller import variables_of_caller
from ..errors import GraphError
from ..tensor import Tensor

if TYPE_CHECKING:
    from .drawing import Drawing
    from .steps import Step, Steps
    from .values import Value

__all__ = ["Drawing", "Step", "Steps", "Value", "draw", "explain"]
_CLASSES = {"Drawing": ".drawing", "Step": ".steps", "Steps": ".steps", "Value": ".values"}


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_CLASSES[name], __name__), name)


def explain(f: Tensor, gradient: Any = None, *, names: Mapping[str, Any] | None = None) -> Steps:
    """Every step of the computation of ``f`` and of its backward pass; no gradient of yours changes.

    Parameters
    ----------
    f : Tensor
        What was computed, of any shape.
    gradient : array_like, optional
        The seed: the upstream gradient that arrives at ``f`` from what comes next, of its shape; 1 for a single number.
    names : mapping of str to Tensor or array, optional
        What values are called that have no ``name=``: your own variables, unless it is given, else v1, v2, …. An array
        that no variable holds any more is called by its shape, constant[5×8].

    Returns
    -------
    Steps
        To print, to read one by one, and to write as text, tables, LaTeX, a page or an animation.

    Raises
    ------
    TypeError
        If ``f`` is no Tensor.
    GraphError
        If nothing was recorded, or ``f`` is no single number and ``gradient`` is missing or of another shape.
    ValueError
        If ``f`` was computed from more than 50,000 values.

    Examples
    --------
    >>> x, y, z = Tensor(-2.0), Tensor(5.0), Tensor(-4.0)
    >>> q = x + y
    >>> f = q * z
    >>> print(explain(f).to_text())
    Forward
      x = -2,  y = 5,  z = -4
      q = x + y = -2 + 5 = 3
      f = q · z = 3 · (-4) = -12
    <BLANKLINE>
    Backward: upstream × local = contribution, starting from ∂f/∂f = 1
      through f = q · z
        ∂f/∂q:  1 × (-4) = -4   with ∂f/∂q = z
        ∂f/∂z:  1 × 3 = 3       with ∂f/∂z = q
      through q = x + y
        ∂f/∂x:  -4 × 1 = -4     with ∂q/∂x = 1
        ∂f/∂y:  -4 × 1 = -4     with ∂q/∂y = 1
    <BLANKLINE>
    Gradients
      ∂f/∂x = -4.0
      ∂f/∂y = -4.0
      ∂f/∂z = 3.0
    """
    if not isinstance(f, Tensor):
        how = "; explain(np.mean(model(x))) explains what it computes for x" if hasattr(type(f), "_draw_") else ""
        raise TypeError(f"explain: expected the Tensor to explain, got a {type(f).__name__}{how}")
    from .steps import explained, without_seed

    if gradient is None and f.size != 1 and f.node.requires_grad:
        raise GraphError(f"explain: {without_seed(f.shape, 'explain(f, {})')}")
    return explained(f, f._seed(gradient), variables_of_caller() if names is None else names)


Tensor.explain = explain


def draw(
    f: Any,
    *,
    direction: str | None = None,
    values: bool = True,
    gradients: bool = True,
    depth: int | None = None,
    max_nodes: int | None = None,
    fold: bool | None = None,
) -> Drawing:
    """The computation graph of ``f`` as a `Drawing`, or the layers of a model; no gradient of yours changes.

    The larger a gradient, the darker and the thicker the line, a step for each power of ten below the largest; it is
    written beside the line, or else the shape of what flows there. Layers are boxes, colours tell kinds of op and of
    layer. What is longer than a slide goes on in another row.

    Parameters
    ----------
    f : Tensor, model or Exception
        What was computed, of any shape; gradients are those of a single number, or what a ``backward()`` has left. Of
        a built model its layers are drawn, of an error what was computed before it, and in red what failed.
    direction : {"LR", "RL", "TB", "BT"}, optional
        Where the arrows point: from left to right, from top to bottom, or against either. By default to the right, in
        a model downwards.
    values, gradients : bool
        What is written into the nodes.
    depth : int, optional
        How many levels of layers are open, from 0 on, which shows each outermost layer as one node; by default as many
        as leave up to about 50 nodes.
    max_nodes : int, optional
        How many nodes are drawn, from 1 on; 200 by default. Where there are more, what repeats is drawn once, with how
        often it is there, and then those nearest to ``f``; one more says how many are not.
    fold : bool, optional
        Whether what repeats is drawn once; by default where there are too many nodes.

    Returns
    -------
    Drawing
        To look at in a notebook, and to save.

    Raises
    ------
    TypeError
        If ``f`` is none of these.
    ValueError
        If ``direction`` is none of the four, ``depth`` is below 0 or ``max_nodes`` below 1; for a model that does not
        know its input, and an error in which nothing was computed.

    Examples
    --------
    >>> x, w = Tensor([1.0, 2.0], name="x"), Tensor([3.0, 4.0], name="w")
    >>> picture = draw(np.sum(x * w), direction="TB")
    >>> [box.title for box in picture.boxes]
    ['x', 'w', 'v1 = x · w', 'f = Σ v1']
    """
    from . import boxes

    boxes.check(direction or "LR", depth, max_nodes)
    if isinstance(f, Tensor):
        return boxes.drawn(
            [f.node], variables_of_caller(), direction or "LR", values, gradients, depth, max_nodes, fold
        )
    if isinstance(f, BaseException):
        failed = {"depth": depth, "max_nodes": max_nodes, "fold": fold}
        return boxes.of_error(f, variables_of_caller(), direction or "LR", values=values, **failed)
    if hasattr(type(f), "_draw_"):  # a model: it knows its layers
        drawing: Drawing = f._draw_(direction or "TB", depth, max_nodes, fold)
        return drawing
    raise TypeError(
        f"draw: expected a Tensor, what a computation gave, a model or an error, got a {type(f).__name__}; "
        "draw(f(x)) draws what f computes for x"
    )
