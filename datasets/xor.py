"""The four quadrants of a square, of which the opposite ones belong together."""

import numpy as np

from . import _generate
from ._split import Split

ABOUT = _generate.about("Minsky,\nPapert 1969")


def load_data(n: int = 1000, noise: float = 0.0, seed: int | None = 0) -> Split:
    """Make points in the square from -1 to 1, of class 1 where exactly one of their coordinates is positive.

    Parameters
    ----------
    n : int
        How many points, of which every fifth (0, 5, 10, …) is held out for the test.
    noise : float
        The standard deviation by which each coordinate is off, after the class was decided.
    seed : int or None
        The same seed makes the same points; None makes new ones.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`: points, float64 of shape (n, 2); classes, int64 of shape (n,).

    Raises
    ------
    ValueError
        `n` is below 1, or `noise` below 0.

    References
    ----------
    M. Minsky, S. Papert: Perceptrons. MIT Press, 1969: no single neuron can tell these classes apart.

    Examples
    --------
    >>> from datasets import xor
    >>> (x_train, y_train), (x_test, y_test) = xor.load_data(n=100)
    >>> bool(((x_train[:, 0] > 0) ^ (x_train[:, 1] > 0) == y_train).all())
    True
    """
    y, random = _generate.begin(n, noise, seed)
    across, up = random.uniform(-1.0, 1.0, (2, n))
    one_positive = (across > 0) != (up > 0)
    return _generate.finish(np.where(one_positive == y, across, -across), up, y, noise, random)
