"""Leaving out whole channels at random while training."""

from __future__ import annotations

from typing import Any

from .dropout import Dropout
from .images import data_format_of
from .input_spec import InputSpec


class SpatialDropout1D(Dropout):
    """Leaves out whole channels of a sequence while training: (batch, steps, channels), in and out.

    Parameters
    ----------
    rate, seed, **kwargs
        As in `Dropout`.

    Raises
    ------
    ValueError
        When ``rate`` is outside 0 … 1; in a call, for another number of axes.

    References
    ----------
    J. Tompson, R. Goroshin, A. Jain, Y. LeCun, C. Bregler: Efficient object localization using convolutional networks.
    CVPR 2015.

    Examples
    --------
    >>> import numpy as np
    >>> SpatialDropout1D(0.5)(np.ones((2, 5, 3))).shape
    (2, 5, 3)
    """

    rank = 1
    decided = frozenset({"noise_shape", "trainable"})  # by the number of axes, and having no weights

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(rate, (None, *(1,) * self.rank, None), seed, **kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 2)


class SpatialDropout2D(SpatialDropout1D):
    """Leaves out whole channels of an image while training: (batch, height, width, channels), in and out.

    Parameters
    ----------
    rate, seed, **kwargs
        As in `Dropout`.
    data_format : str, optional
        "channels_last" or "channels_first"; None for that of `nn.backend.image_data_format`.

    Raises
    ------
    ValueError
        When ``rate`` is outside 0 … 1; in a call, for another number of axes.

    Examples
    --------
    >>> import numpy as np
    >>> SpatialDropout2D(0.5)(np.ones((2, 5, 5, 3))).shape
    (2, 5, 5, 3)
    """

    rank = 2

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Any):
        super().__init__(rate, seed, **kwargs)
        self.data_format = data_format_of(data_format)
        if self.data_format == "channels_first":
            self.noise_shape = (None, None, 1, 1)
