"""Settings that layers ask for, under the names of ``keras.backend``."""

from __future__ import annotations

from .layers.images import image_data_format, set_image_data_format
from .layers.layer import forget_names

__all__ = ["clear_session", "epsilon", "floatx", "image_data_format", "set_image_data_format"]


def clear_session() -> None:
    """Begin again: the next Dense is called ``dense``.

    >>> import nn
    >>> nn.backend.clear_session()
    >>> nn.layers.Dense(1).name, nn.layers.Dense(1).name
    ('dense', 'dense_1')
    """
    forget_names()


def epsilon() -> float:
    """The small number that keeps probabilities away from 0 and 1.

    >>> import nn
    >>> nn.backend.epsilon()
    1e-07
    """
    from .losses import EPSILON

    return EPSILON


def floatx() -> str:
    """The dtype that layers compute in unless they are told otherwise.

    >>> import nn
    >>> nn.backend.floatx()
    'float32'
    """
    return "float32"
