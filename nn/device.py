"""On which device models compute: the CPU, or one of another library's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.arrays import putter
from autograd_core.replay import freeze

_device = "cpu"
_put: Callable[[Any], Any] | None = None


def set_device(device: str) -> None:
    """Say where weights, batches and the state of optimizers live from now on: "cpu", "cuda" or "cuda:1".

    Call it before a model is made or loaded: what was made before stays where it is, and does not mix with the new.
    Random numbers are drawn on the CPU, so they are the same everywhere, and results come back as NumPy's. A training
    on another device runs eagerly, since what is recorded and replayed are NumPy's calls.

    "cuda" needs CuPy: ``pip install "autograd-core[gpu]"``. Raises ValueError for a device that is not known, and
    ImportError or `autograd_core.DeviceError` where there is none.

    >>> import nn
    >>> nn.set_device("cpu")
    >>> nn.get_device()
    'cpu'
    """
    global _device, _put
    _put, _device = putter(device), device
    freeze.touch()


def get_device() -> str:
    """The device that was set last.

    >>> import nn
    >>> nn.get_device()
    'cpu'
    """
    return _device


def is_cpu() -> bool:
    """Whether models compute with NumPy."""
    return _put is None


def here(array: Any) -> Any:
    """NumPy's array on the present device; any other stays where it is."""
    return array if _put is None or not isinstance(array, np.ndarray) else _put(array)
