"""Linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import example, op


@op(
    r"x\,y",
    numpy=np.matmul,
    broadcasts=True,
    examples=(
        example((2, 3), (3, 4)),
        example((3,), (3,)),
        example((2, 3), (3,)),
        example((3,), (3, 4)),
        example((5, 2, 3), (5, 3, 2)),
        example((5, 2, 3), (3, 2)),
        example((2, 3), (5, 3, 2)),
        example((4, 1, 2, 3), (5, 3, 2)),
        example((3,), (5, 3, 2)),
        example((5, 2, 3), (3,)),
        example((2, 0), (0, 3)),
        example((0, 2), (2, 3)),
        example((1, 1), (1, 1)),
    ),
)
def matmul(x: Any, y: Any) -> Any:
    """The matrix product over the last two axes, as ``@`` computes it; leading axes broadcast."""
    return np.matmul(x, y)


@matmul.vjp(r"g\,y^{\mathsf T}")
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    if y.ndim == 1:
        return np.expand_dims(g, -1) * y
    if x.ndim == 1:
        return np.matmul(y, np.expand_dims(g, -1))[..., 0]
    return np.matmul(g, np.swapaxes(y, -1, -2))


@matmul.vjp(r"x^{\mathsf T} g")
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    if x.ndim == 1:
        return np.expand_dims(x, -1) * np.expand_dims(g, -2) if y.ndim > 1 else x * g
    if y.ndim == 1:
        return np.matmul(np.swapaxes(x, -1, -2), np.expand_dims(g, -1))[..., 0]
    if y.ndim == 2 and x.ndim > 2:  # one product over all the batch, not a batch of them and a sum
        x, g = np.reshape(x, (-1, x.shape[-1])), np.reshape(g, (-1, g.shape[-1]))
    return np.matmul(np.swapaxes(x, -1, -2), g)
