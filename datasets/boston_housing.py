"""Boston housing: 13 facts about each of 506 districts, and the median price of a house there."""

import dataclasses

import numpy as np

from ._fetch import KERAS_MIRROR, SHIPPED, About, File, find
from ._read import npz
from ._split import Split, hold_out_the_end, shuffle

ARCHIVE = File(
    name="boston_housing.npz",
    folder="boston_housing",
    checksum="sha256:f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    size=57_026,
    mirrors=(f"{KERAS_MIRROR}boston_housing.npz",),
)
ABOUT = About(
    shapes="404 + 102\n(13,) float64",
    licence="none stated",
    citation="Harrison,\nRubinfeld 1978",
)


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """Load the Boston housing prices, which ship inside the package.

    The columns are CRIM, ZN, INDUS, CHAS, NOX, RM, AGE, DIS, RAD, TAX, PTRATIO, B and LSTAT; the target is
    the median price of owner-occupied houses in 1,000 dollars of 1970. B is a transformed share of Black
    inhabitants, chosen on the assumption that segregation raises prices: fit for learning how regression
    works, and for talking about where data come from, not for conclusions about houses.

    Parameters
    ----------
    path : str
        The name of an archive in the data folders and Keras' cache, or the absolute path of one, to be
        read instead of the one inside.
    test_split : float
        The share of the rows that the test part gets.
    seed : int
        Of the order of the rows.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`, all float64; `x_train` has the shape (404, 13), `x_test`
        (102, 13), `y_train` (404,) and `y_test` (102,).

    Raises
    ------
    DataFileError
        The file at `path` holds something else (a ValueError).
    ValueError
        `test_split` is not from 0 to 1.

    References
    ----------
    D. Harrison, D. L. Rubinfeld: Hedonic Prices and the Demand for Clean Air. Journal of Environmental
    Economics and Management 5, 1978, as StatLib published it, http://lib.stat.cmu.edu/datasets/boston

    Examples
    --------
    >>> from datasets import boston_housing
    >>> (x_train, y_train), (x_test, y_test) = boston_housing.load_data()
    >>> x_train.shape, float(y_train[0])
    ((404, 13), 15.2)
    """
    (file,) = find((dataclasses.replace(ARCHIVE, name=path),)) or [SHIPPED / ARCHIVE.name]
    x, y = npz(file, x=(np.floating, (None, 13)), y=(np.floating, (None,)))
    return hold_out_the_end(*shuffle(x, y, np.random.RandomState(seed)), test_split)
