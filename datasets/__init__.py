"""Real data and small made-up sets, as plain NumPy arrays.

One module a set, each with `load_data(...)` that returns `(x_train, y_train), (x_test, y_test)`;
`catalog()` prints what there is.
"""

from . import (
    boston_housing,
    california_housing,
    camera,
    cifar10,
    circles,
    digits,
    fashion_mnist,
    imdb,
    mnist,
    moons,
    reuters,
    spirals,
    xor,
)
from ._catalog import catalog
from ._fetch import DownloadError
from ._read import DataFileError
from .helpers import draw_examples, multi_hot

__all__ = [
    "DataFileError",
    "DownloadError",
    "boston_housing",
    "california_housing",
    "camera",
    "catalog",
    "cifar10",
    "circles",
    "digits",
    "draw_examples",
    "fashion_mnist",
    "imdb",
    "mnist",
    "moons",
    "multi_hot",
    "reuters",
    "spirals",
    "xor",
]
