"""A circle in the plane inside another one."""

import numpy as np

from . import _generate
from ._split import Split

ABOUT = _generate.about("scikit-learn's\nmake_circles")


def load_data(n: int = 1000, noise: float = 0.1, seed: int | None = 0) -> Split:
    """Make two circles around the origin, the one of radius 1 of class 0 and that of radius 1/2 of class 1.

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
        `(x_train, y_train), (x_test, y_test)`: points, float64 of shape (n, 2); classes, int64 of shape (n,).

    Raises
    ------
    ValueError
        `n` is below 1, or `noise` below 0.

    Examples
    --------
    >>> from datasets import circles
    >>> (x_train, y_train), (x_test, y_test) = circles.load_data(n=100)
    >>> x_train.shape, x_test.shape
    ((80, 2), (20, 2))
    """
    y, random = _generate.begin(n, noise, seed)
    angle = random.uniform(0.0, 2 * np.pi, n)
    radius = np.where(y == 1, 0.5, 1.0)
    return _generate.finish(radius * np.cos(angle), radius * np.sin(angle), y, noise, random)
