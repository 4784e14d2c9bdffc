"""What comes in, as it is."""

from __future__ import annotations

from typing import Any

from .layer import Layer


class Identity(Layer):
    """Gives what it is given.

    Parameters
    ----------
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError, TypeError
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> Identity()(np.ones((1, 2))).numpy()
    array([[1., 1.]], dtype=float32)
    """

    supports_masking = True
    each_alone = True

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return inputs
