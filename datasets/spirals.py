"""Two spirals in the plane that wind around each other."""

import numpy as np

from . import _generate
from ._split import Split

ABOUT = _generate.about("Lang,\nWitbrock 1988")


def load_data(n: int = 1000, noise: float = 0.02, seed: int | None = 0) -> Split:
    """Make two spirals of one and a half turns each, from the origin out to radius 1.

    Parameters
    ----------
    n : int
        How many points, of which every fifth (0, 5, 10, …) is held out for the test.
    noise : float
        The standard deviation by which each coordinate is off; neighbouring arms are 1/3 apart.
    seed : int or None
        The same seed makes the same points; None makes new ones.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`: points, float64 of shape (n, 2); classes, int64 of shape
        (n,): class 1 is class 0 turned by half a circle.

    Raises
    ------
    ValueError
        `n` is below 1, or `noise` below 0.

    References
    ----------
    K. J. Lang, M. J. Witbrock: Learning to Tell Two Spirals Apart. Proceedings of the 1988 Connectionist
    Models Summer School.

    Examples
    --------
    >>> from datasets import spirals
    >>> (x_train, y_train), (x_test, y_test) = spirals.load_data(n=100)
    >>> x_train.shape, x_test.shape
    ((80, 2), (20, 2))
    """
    y, random = _generate.begin(n, noise, seed)
    radius = np.sqrt(random.uniform(size=n))  # as many points on each piece of an arm, inside and outside
    angle = 3 * np.pi * radius + np.pi * y
    return _generate.finish(radius * np.cos(angle), radius * np.sin(angle), y, noise, random)
