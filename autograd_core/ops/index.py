"""Picking elements, and its adjoint: putting them back where they came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import example, op
from ..tensor import NUMPY, Tensor


@op(
    r"x_{i}",
    examples=(
        example((4, 3), index=1),
        example((4, 3), index=(slice(None, None, 2), -1)),
        example((4,), index=slice(3, 0, -1)),
        example((2, 3), index=(Ellipsis, None)),
        example((4, 3), index=np.array([0, 2, 0])),
        example((4, 3), index=(np.array([[0], [1]]), np.array([1, 1]))),
        example((0, 3), index=slice(None)),
        example((3,), index=np.array([True, False, True])),
        example((), index=()),
    ),
)
def getitem(x: Any, index: Any = ()) -> Any:
    """The elements at an index of any kind; one that is picked twice receives both gradients."""
    return x[index]


@op(
    r"\operatorname{scatter}_{i}\, x",
    examples=(
        example((3,), index=1, shape=(4, 3)),
        example((2,), index=np.array([1, 1]), shape=(3,)),
        example((), index=(0, 0), shape=(1, 2)),
        example((0, 3), index=slice(0), shape=(2, 3)),
    ),
)
def scatter(x: Any, index: Any = (), shape: Any = ()) -> Any:
    """Zeros of a shape with ``x`` added at an index: the adjoint of `getitem`."""
    zeros = np.zeros_like(x, shape=shape)
    if _distinct(index):
        zeros[index] = x
    else:
        np.add.at(zeros, index, x)
    return zeros


@getitem.vjp(r"1")
def _(g: Any, z: Any, x: Any, index: Any = ()) -> Any:
    return scatter(g, index=index, shape=np.shape(x))


@scatter.vjp(r"1")
def _(g: Any, z: Any, x: Any, index: Any = (), shape: Any = ()) -> Any:
    return g[index]


def _distinct(index: Any) -> bool:
    """Whether an index can pick no element twice: slices, numbers and masks cannot, integer arrays can."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or part is Ellipsis
        or isinstance(part, slice | int | np.integer)
        or (hasattr(part, "dtype") and part.dtype == bool)
        for part in parts
    )


NUMPY[Tensor.__getitem__] = getitem
