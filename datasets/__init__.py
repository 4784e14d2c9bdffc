"""Real data and small made-up sets, as plain NumPy arrays.

One module a set, each with `load_data(...) -> (x_train, y_train), (x_test, y_test)`.
"""

from . import boston_housing, digits, fashion_mnist, imdb, mnist, reuters

__all__ = ["boston_housing", "digits", "fashion_mnist", "imdb", "mnist", "reuters"]
