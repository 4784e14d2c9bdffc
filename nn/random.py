"""Where chance comes from: one generator that `set_random_seed` starts again.

Layers, initializers and shuffling that are given no seed of their own draw from here, so one call makes a
whole training repeatable.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from autograd_core.replay import Source

from . import absent
from .checks import whole

generator: np.random.Generator = Source(np.random.PCG64())


def set_random_seed(seed: int) -> None:
    """Start Python's, NumPy's and our own random numbers again from ``seed``.

    Raises ValueError unless it is a whole number from 0 on.

    >>> import nn
    >>> def first_weight():
    ...     layer = nn.layers.Dense(1)
    ...     layer.build((None, 1))
    ...     return layer.get_weights()[0].item()
    >>> nn.utils.set_random_seed(7)
    >>> first = first_weight()
    >>> nn.utils.set_random_seed(7)
    >>> first_weight() == first
    True
    """
    seed = whole(seed, "a seed")
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 -- for scripts that draw from it
    generator.bit_generator.state = np.random.default_rng(seed).bit_generator.state


def generator_of(seed: int | None) -> np.random.Generator:
    """A generator of its own for ``seed``; without a seed one that the common generator starts."""
    return Source(np.random.PCG64(int(generator.integers(2**63)) if seed is None else whole(seed, "a seed")))


def generators_of(model: Any) -> list[np.random.Generator]:
    """The random generators that the layers of a model have of their own."""
    return [v for layer in model.walk_layers() for v in vars(layer).values() if isinstance(v, np.random.Generator)]


def get_state(source: np.random.Generator) -> dict[str, Any]:
    """The state of a generator, as plain data."""
    return dict(source.bit_generator.state)


__getattr__ = absent.getattr_of("random")
