"""The walk's steps, turned into text: what was computed, and how each gradient came about.

Here are only the functions that one calls: what they need is imported when they are called, so that a training that
explains nothing waits for nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..caller import variables_of_caller
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

    ``gradient`` is what arrives at ``f``, 1 by default for a single number. Values are called by their
    ``name=``, else by your own variables (or by ``names``, a mapping of name to Tensor), else v1, v2, …. GraphError
    where nothing was recorded, or ``f`` is no single number and ``gradient`` is missing or of another shape; ValueError
    for more than 50,000 values.

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
        raise TypeError(f"explain takes the Tensor to explain, not a {type(f).__name__}")
    from .steps import explained

    return explained(f, f._seed(gradient), variables_of_caller() if names is None else names)


Tensor.explain = explain


def draw(
    f: Tensor,
    *,
    direction: str = "LR",
    values: bool = True,
    gradients: bool = True,
    depth: int | None = None,
    max_nodes: int | None = None,
) -> Drawing:
    """The computation graph of ``f`` as a `Drawing`; no gradient of yours changes.

    ``direction`` is LR, RL, TB or BT. ``values`` and ``gradients`` say what is written into the nodes. Layers are
    boxes; ``depth`` is how many levels of them are open: 0 shows each outermost layer as one node, and by default
    all are open up to about 50 nodes. ``max_nodes`` (200 by default) bounds the picture: the nodes nearest to
    ``f`` are drawn, and one that says how many are not.

    The larger the gradient, the darker and the thicker the line, a step for each power of ten below the largest,
    and it is written beside it. TypeError for what is no Tensor, ValueError for an unknown direction, ``max_nodes``
    below 1 or ``depth`` below 0.

    >>> x, w = Tensor([1.0, 2.0], name="x"), Tensor([3.0, 4.0], name="w")
    >>> picture = draw(np.sum(x * w), direction="TB")
    >>> [box.title for box in picture.boxes]
    ['x', 'w', 'v1 = x · w', 'f = Σ v1']
    """
    if not isinstance(f, Tensor):
        raise TypeError(f"draw takes the Tensor whose computation to draw, not a {type(f).__name__}")
    from .drawing import drawn

    return drawn(f.node, variables_of_caller(), direction, values, gradients, depth, max_nodes)
