"""California housing: 8 facts about each of 20,640 blocks, and the median price of a house there."""

import dataclasses

import numpy as np

from ._fetch import KERAS_MIRROR, About, File, fetch
from ._read import npz
from ._split import Split, hold_out_the_end, shuffle

ARCHIVE = File(
    name="california_housing.npz",
    folder="california_housing",
    checksum="sha256:1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    size=743_530,
    mirrors=(f"{KERAS_MIRROR}california_housing.npz",),
)
ABOUT = About(
    shapes="16512 + 4128\n(8,) float",
    licence="none stated",
    citation="Pace, Barry\n1997",
    files=(ARCHIVE,),
)
SMALL = 600


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Split:
    """Load the California housing prices of the census of 1990; what is not on this machine is downloaded (0.7 MB).

    The columns are longitude, latitude, the median age of the houses, all rooms, all bedrooms, people,
    households and the median income; the target is the median price of a house in dollars.

    Parameters
    ----------
    version : {"large", "small"}
        All blocks, or the first 600 of them.
    path : str
        The name of an archive in the data folders and Keras' cache, or the absolute path of one.
    test_split : float
        The share of the rows that the test part gets.
    seed : int
        Of the order of the rows.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`; `x_train` has the shape (16512, 8), `x_test` (4128, 8),
        `y_train` (16512,) and `y_test` (4128,).

    Raises
    ------
    DownloadError
        The file is not on this machine, and no mirror gave it (an OSError).
    DataFileError
        The file at `path` holds something else (a ValueError).
    ValueError
        `version` is neither of the two, or `test_split` not from 0 to 1.

    References
    ----------
    R. K. Pace, R. Barry: Sparse Spatial Autoregressions. Statistics and Probability Letters 33, 1997.

    Examples
    --------
    >>> from datasets import california_housing
    >>> (x_train, y_train), (x_test, y_test) = california_housing.load_data()  # doctest: +SKIP
    """
    if version not in ("large", "small"):
        raise ValueError(f"version: expected 'large' or 'small', got {version!r}")
    (file,) = fetch((dataclasses.replace(ARCHIVE, name=path),))
    x, y = npz(file, x=(np.floating, (None, 8)), y=(np.floating, (None,)))
    if version == "small":
        x, y = x[:SMALL], y[:SMALL]
    return hold_out_the_end(*shuffle(x, y, np.random.RandomState(seed)), test_split)
