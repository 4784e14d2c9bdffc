"""What a layer takes: how many axes, and how long they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from autograd_core.replay import freeze

from .symbolic import Shape


@dataclass(frozen=True)
class InputSpec(metaclass=freeze.Watched):
    """What a layer takes: how many axes, and how long some of them are.

    Parameters
    ----------
    dtype : dtype, optional
        What the first input must be of. Floating numbers are of the layer's dtype, to which it brings them.
    shape : tuple of int, optional
        The whole shape with the axis of the batch, in place of ``ndim`` and ``axes``; None for a length: any.
    ndim, max_ndim, min_ndim : int, optional
        How many axes there are, how many at most, and how many at least; None: any.
    axes : dict of int to int
        From some of them to their lengths.

    Raises
    ------
    ValueError
        In `check` and `check_dtype`, for another input.

    Examples
    --------
    >>> import nn
    >>> spec = nn.layers.InputSpec(ndim=2, axes={-1: 4})
    >>> spec.check("dense", (None, 3))
    Traceback (most recent call last):
    ValueError: layer 'dense' expected an input with 4 on axis -1, and got one of shape (None, 3)
    """

    dtype: Any = None
    shape: Shape | None = None
    ndim: int | None = None
    max_ndim: int | None = None
    min_ndim: int | None = None
    axes: dict[int, int] = field(default_factory=dict)
    untracked: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        if self.shape is not None:
            object.__setattr__(self, "shape", tuple(self.shape))
            object.__setattr__(self, "ndim", len(self.shape))
            object.__setattr__(self, "axes", {i: n for i, n in enumerate(self.shape) if n is not None})
        object.__setattr__(self, "axes", freeze.Settings(self.axes or {}))

    def check_dtype(self, name: str, x: Any, floating: Any) -> None:
        """Raise if an input is of another dtype.

        Parameters
        ----------
        name : str
            What the layer is called.
        x : array_like
            Its first input, as it was given.
        floating : dtype, optional
            What the layer brings floating numbers to; None: they stay what they are.

        Raises
        ------
        ValueError
            Where its dtype is another one.
        """
        if self.dtype is None:
            return
        given = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
        found, wanted = (floating or given) if given.kind == "f" else given, np.dtype(self.dtype)
        if found != wanted:
            raise ValueError(f"layer {name!r} expected an input of dtype {wanted}, got one of {found}")

    def check(self, name: str, shape: Shape) -> None:
        """Raise if an input of this shape does not fit, naming the layer, what it expects and what came."""
        wanted = None
        if self.ndim is not None and len(shape) != self.ndim:
            wanted = f"{self.ndim} axes"
        elif self.min_ndim is not None and len(shape) < self.min_ndim:
            wanted = f"at least {self.min_ndim} axes"
        elif self.max_ndim is not None and len(shape) > self.max_ndim:
            wanted = f"at most {self.max_ndim} axes"
        else:
            for axis, length in self.axes.items():
                if shape[axis] not in (length, None):
                    wanted = f"{length} on axis {axis}"
                    break
        if wanted is None:
            return
        hint = ""
        if -1 in self.axes and self.axes[-1] == math.prod(n for n in shape[1:] if n) and len(shape) > 2:
            hint = "; a Flatten() before it would make it fit"
        elif len(shape) == (self.ndim or self.min_ndim or 0) - 1:
            hint = "; a single example needs a batch axis, x[None], and an image a channel axis, x[..., None]"
        raise ValueError(f"layer {name!r} expected an input with {wanted}, got one of shape {show(shape)}{hint}")


def show(shape: Shape) -> str:
    """A shape as it is printed: ``(None, 28, 28)``."""
    return str(tuple(shape))
