"""Settings that layers ask for, under the names of ``keras.backend``."""

from __future__ import annotations

from . import absent
from .names import forget_names
from .settings import backend, epsilon, floatx, image_data_format, set_floatx, set_image_data_format

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_floatx",
    "set_image_data_format",
]


def clear_session() -> None:
    """Begin again: the next Dense is called ``dense``.

    >>> import nn
    >>> nn.backend.clear_session()
    >>> nn.layers.Dense(1).name, nn.layers.Dense(1).name
    ('dense', 'dense_1')
    """
    forget_names()


__getattr__ = absent.getattr_of("backend")
