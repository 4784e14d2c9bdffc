"""What holds for all that is made from now on: the dtype, where the channels of images stand, when numba compiles."""

from __future__ import annotations

import numpy as np

FORMATS = ("channels_last", "channels_first")

_format = "channels_last"
dtype = np.dtype("float32")  # that of `floatx`, for those who look at it in each step
_numba: bool | str = "auto"


def backend() -> str:
    """What computes: "numpy".

    >>> import nn
    >>> nn.config.backend()
    'numpy'
    """
    return "numpy"


def floatx() -> str:
    """The dtype that layers compute in unless they are told otherwise: "float32" to begin with.

    >>> import nn
    >>> nn.config.floatx()
    'float32'
    """
    return dtype.name


def set_floatx(value: str) -> None:
    """Say which dtype layers, inputs and variables that are made from now on compute in.

    ValueError unless it is "float16", "float32" or "float64".

    >>> import nn
    >>> nn.config.set_floatx("float64")
    >>> nn.layers.Dense(1)(np.ones((1, 2), "float32")).dtype
    dtype('float64')
    >>> nn.config.set_floatx("float32")
    """
    global dtype
    if value not in ("float16", "float32", "float64"):
        raise ValueError(f"floatx: expected 'float16', 'float32' or 'float64', got {value!r}")
    dtype = np.dtype(value)


def epsilon() -> float:
    """The small number that keeps probabilities away from 0 and 1, and divisors from 0.

    >>> import nn
    >>> nn.config.epsilon()
    1e-07
    """
    return 1e-7


def image_data_format() -> str:
    """Where layers expect the channels unless they are told: "channels_last" to begin with.

    >>> import nn
    >>> nn.backend.image_data_format()
    'channels_last'
    """
    return _format


def set_image_data_format(data_format: str) -> None:
    """Say where layers that are made from now on expect the channels.

    ValueError unless it is "channels_last" or "channels_first".

    >>> import nn
    >>> nn.backend.set_image_data_format("channels_last")
    >>> nn.backend.image_data_format()
    'channels_last'
    """
    global _format
    _format = data_format_of(data_format)


def data_format_of(data_format: str | None) -> str:
    """The format that was asked for, or the one that holds."""
    if data_format is None:
        return _format
    if data_format not in FORMATS:
        raise ValueError(f"data_format: expected 'channels_last' or 'channels_first', got {data_format!r}")
    return data_format


def set_numba(numba: bool | str) -> None:
    """Say when long chains of arithmetic in a replayed step, such as the update of the weights, are compiled by numba.

    So are whole steps of small networks on one example, whose products may then differ in the last digits.
    "auto" compiles once a program has run for some seconds, True at once, False never. It counts for models that are
    compiled, or changed, afterwards. Without numba (``pip install "autograd-core[fast]"``) nothing is compiled.
    ValueError for anything else.

    >>> import nn
    >>> nn.config.set_numba(False)
    >>> nn.config.get_numba()
    False
    >>> nn.config.set_numba("auto")
    """
    global _numba
    if not (isinstance(numba, bool) or numba == "auto"):
        raise ValueError(f"numba: expected 'auto', True or False, got {numba!r}")
    _numba = numba


def get_numba() -> bool | str:
    """When chains of arithmetic are compiled, as `set_numba` was told.

    >>> get_numba()
    'auto'
    """
    return _numba
