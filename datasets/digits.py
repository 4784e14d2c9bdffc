"""1,797 handwritten digits of 8 × 8 pixels, which ship inside the package."""

import numpy as np

from ._fetch import SHIPPED, About
from ._split import Split, hold_out_every_fifth

ABOUT = About(
    shapes="1437 + 360\n(8, 8) uint8",
    licence="CC BY 4.0",
    citation="Alpaydin,\nKaynak 1998",
)


def load_data() -> Split:
    """Load the handwritten digits of the UCI repository; nothing is downloaded.

    The digits come in the order of the file, and every fifth of them (0, 5, 10, …) is held out for the
    test, so that everybody's test set is the same.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`. `x_train` is uint8 of shape (1437, 8, 8) and `x_test`
        (360, 8, 8), brightness from 0 (paper) to 16 (ink); `y_train` and `y_test` are uint8, the digits
        0 to 9.

    References
    ----------
    E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. UCI Machine Learning
    Repository, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0; its test part, as scikit-learn
    distributes it (`data/README.md` says more).

    Examples
    --------
    >>> from datasets import digits
    >>> (x_train, y_train), (x_test, y_test) = digits.load_data()
    >>> x_train.shape, x_test.shape, y_test[:4].tolist()
    ((1437, 8, 8), (360, 8, 8), [0, 5, 0, 5])
    """
    table = np.loadtxt(SHIPPED / "digits.csv.gz", delimiter=",", dtype=np.uint8)
    return hold_out_every_fifth(table[:, :64].reshape(-1, 8, 8), table[:, 64])
