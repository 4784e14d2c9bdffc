"""CIFAR-10: 60,000 pictures in colour of 32 × 32 pixels, of ten kinds of things."""

import numpy as np

from ._fetch import About, File, fetch
from ._read import tar_records
from ._split import Split

# The version for programs in C: plain bytes, where Keras takes that for Python, which holds pickles.
ARCHIVE = File(
    name="cifar-10-binary.tar.gz",
    folder="cifar10",
    checksum="sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    size=170_052_171,
    mirrors=("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
)
ABOUT = About(
    shapes="50000 + 10000\n(32,32,3) uint8",
    licence="none stated",
    citation="Krizhevsky\n2009",
    files=(ARCHIVE,),
)
TRAIN = [f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6)]
TEST = "cifar-10-batches-bin/test_batch.bin"


def load_data() -> Split:
    """Load CIFAR-10; what is not on this machine is downloaded (170 MB).

    The labels are 0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog, 6 frog, 7 horse, 8 ship, 9 truck.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`. `x_train` is uint8 of shape (50000, 32, 32, 3) and `x_test`
        (10000, 32, 32, 3), red, green and blue from 0 to 255; `y_train` and `y_test` are uint8 of shape
        (50000, 1) and (10000, 1), 0 to 9.

    Raises
    ------
    DownloadError
        The file is not on this machine, and the network did not give it (an OSError).
    DataFileError
        The file holds something else (a ValueError).

    References
    ----------
    A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images. Technical report, University of
    Toronto, 2009.

    Examples
    --------
    >>> from datasets import cifar10
    >>> (x_train, y_train), (x_test, y_test) = cifar10.load_data()  # doctest: +SKIP
    """
    (path,) = fetch((ARCHIVE,))
    # A byte for the label, then the red ones of all pixels, row by row, the green ones and the blue ones.
    *train, test = tar_records(path, [*TRAIN, TEST], 1 + 3 * 32 * 32, largest_first=9)
    halves = [(r[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), r[:, :1]) for r in (np.concatenate(train), test)]
    (x_train, y_train), (x_test, y_test) = ((np.ascontiguousarray(x), y.copy()) for x, y in halves)
    return (x_train, y_train), (x_test, y_test)
