"""Functions that one types at the command and that NumPy has not, made of ops and under the names of PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import conv as convolution
from .. import log_softmax
from ..op import Composed
from ..tensor import Tensor


def cross_entropy(z: Any, y: Any) -> Any:
    """The cross-entropy of logits ``z`` and ``y``, which is the number of a class, or a probability for each.

    As `torch.nn.functional.cross_entropy`: of several rows the mean.
    """
    logs = log_softmax(z, axis=-1)
    if np.shape(y) == np.shape(z):
        found = np.sum(y * logs, axis=-1)
    else:
        numbers = np.asarray(y.data if isinstance(y, Tensor) else y)
        classes = numbers.astype(int)
        if np.shape(y) != np.shape(z)[:-1] or np.any(classes != numbers):
            raise ValueError(
                f"cross_entropy: expected y as a probability for each of z, of shape {list(np.shape(z))}, or as the "
                f"number of a class, of shape {list(np.shape(z)[:-1])}, got {numbers.tolist()}"
            )
        found = logs[(*np.indices(classes.shape), classes)] if classes.ndim else logs[int(classes)]
    return -(np.mean(found) if np.ndim(found) else found)


def binary_cross_entropy(p: Any, y: Any) -> Any:
    """The cross-entropy of probabilities ``p`` and ``y``, 0 or 1, as `torch.nn.functional.binary_cross_entropy`."""
    found = y * np.log(p) + (1 - y) * np.log(1 - p)
    return -(np.mean(found) if np.ndim(found) else found)


def conv(x: Any, kernel: Any) -> Any:
    """``x`` under a sliding ``kernel``: two vectors, two matrices, or arrays with a batch and channels, as `conv`."""
    if np.ndim(x) != np.ndim(kernel) or np.ndim(x) > 2:
        return convolution(x, kernel)
    one = convolution(np.reshape(x, (1, *np.shape(x), 1)), np.reshape(kernel, (*np.shape(kernel), 1, 1)))
    return np.reshape(one, np.shape(one)[1:-1])


_MEANINGS = {
    cross_entropy: r"-\sum y \cdot \ln \operatorname{softmax} z",
    binary_cross_entropy: r"-(y \cdot \ln p + (1 - y) \cdot \ln(1 - p))",
    conv: r"\sum_j x_{i + j} \cdot k_j",
}
FUNCTIONS = {f.__name__: Composed(f, latex, None, ()) for f, latex in _MEANINGS.items()}
