"""Two half circles in the plane that reach into each other."""

import numpy as np

from . import _generate
from ._split import Split

ABOUT = _generate.about("scikit-learn's\nmake_moons")


def load_data(n: int = 1000, noise: float = 0.1, seed: int | None = 0) -> Split:
    """Make two moons, the upper one of class 0 and the lower one of class 1.

    Parameters
    ----------
    n : int
        How many points, of which every fifth (0, 5, 10, …) is held out for the test.
    noise : float
        The standard deviation by which each coordinate is off.
    seed : int or None
        The same seed makes the same points; None makes new ones.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`: points, float64 of shape (n, 2), around half circles of
        radius 1 with centres (0, 0) and (1, 0.5); classes, int64 of shape (n,).

    Raises
    ------
    ValueError
        `n` is below 1, or `noise` below 0.

    Examples
    --------
    >>> from datasets import moons
    >>> (x_train, y_train), (x_test, y_test) = moons.load_data(n=100)
    >>> x_train.shape, x_test.shape
    ((80, 2), (20, 2))
    """
    y, random = _generate.begin(n, noise, seed)
    angle = random.uniform(0.0, np.pi, n)
    lower = y == 1
    across = np.where(lower, 1.0 - np.cos(angle), np.cos(angle))
    up = np.where(lower, 0.5 - np.sin(angle), np.sin(angle))
    return _generate.finish(across, up, y, noise, random)
