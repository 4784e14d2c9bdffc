"""A camera of 2 × 2 pixels, which sees solid, vertical, diagonal and horizontal pictures, or noise."""

import numpy as np

from . import _generate
from ._fetch import About
from ._split import Split, hold_out_every_fifth

ABOUT = About(
    shapes="4/5 n + 1/5 n\n(2, 2) float64",
    licence="MIT (ours)",
    citation="Rohrer 2017",
    kept="made",
)
PICTURES = np.array(
    [
        [[1.0, 1.0], [1.0, 1.0]],  # solid
        [[1.0, -1.0], [1.0, -1.0]],  # vertical
        [[1.0, -1.0], [-1.0, 1.0]],  # diagonal
        [[1.0, 1.0], [-1.0, -1.0]],  # horizontal
    ]
)


def load_data(n: int = 1000, noise: float = 0.0, seed: int | None = 0) -> Split:
    """Make pictures of four pixels: solid, vertical, diagonal and horizontal in turn, each or its negative.

    Parameters
    ----------
    n : int
        How many pictures, of which every fifth (0, 5, 10, …) is held out for the test.
    noise : float
        The share of the pictures that show noise instead: four numbers between -1 and 1.
    seed : int or None
        The same seed makes the same pictures; None makes new ones.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`: pictures, float64 of shape (n, 2, 2), whose pixels are -1 or
        1 (`x_train.reshape(-1, 4)` for a dense network); labels, int64 of shape (n,), the places 0 to 4
        in `get_label_names()`. Without noise there are the four labels 0 to 3.

    Raises
    ------
    ValueError
        `n` is below 1, or `noise` is not from 0 to 1.

    References
    ----------
    B. Rohrer: How Deep Neural Networks Work, a lecture of 2017.

    Examples
    --------
    >>> from datasets import camera
    >>> (x_train, y_train), (x_test, y_test) = camera.load_data(n=100)
    >>> camera.get_label_names()[y_train[0]], abs(x_train[0]).tolist()
    ('vertical', [[1.0, 1.0], [1.0, 1.0]])
    """
    y, random = _generate.begin(n, noise, seed, classes=len(PICTURES))
    if noise > 1:
        raise ValueError(f"noise: expected the share of the pictures that show noise, from 0 to 1, got {noise}")
    x = PICTURES[y] * random.choice([-1.0, 1.0], (n, 1, 1))
    noisy = random.uniform(size=n) < noise
    x[noisy] = random.uniform(-1.0, 1.0, x[noisy].shape)
    y[noisy] = len(PICTURES)
    return hold_out_every_fifth(x, y)


def get_label_names() -> tuple[str, ...]:
    """The names of the five kinds of pictures, in the order of the labels.

    Examples
    --------
    >>> from datasets import camera
    >>> camera.get_label_names()
    ('solid', 'vertical', 'diagonal', 'horizontal', 'noise')
    """
    return "solid", "vertical", "diagonal", "horizontal", "noise"
