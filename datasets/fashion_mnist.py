"""Fashion-MNIST: 70,000 pictures of clothes of 28 × 28 pixels, under MNIST's file names."""

from . import _images
from ._fetch import KERAS_MIRROR, About, fetch
from ._split import Split

FILES = _images.files(
    folder="fashion_mnist",
    keras="fashion-mnist",
    mirrors=[KERAS_MIRROR, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
    published=[
        ("md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
        ("md5:25c81989df183df01b3e8a0aad5dffbe", 29_515),
        ("md5:bef4ecab320f06d8554ea6380940ec79", 4_422_102),
        ("md5:bb300cfdad3c16e7a12a480ee83cd310", 5_148),
    ],
)
ABOUT = About(
    shapes=_images.SHAPES,
    licence="MIT",
    citation="Xiao et al.\narXiv 2017",
    files=FILES,
)


def load_data() -> Split:
    """Load Fashion-MNIST; what is not on this machine is downloaded (31 MB).

    The labels are 0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker,
    8 bag, 9 ankle boot.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`. `x_train` is uint8 of shape (60000, 28, 28) and `x_test`
        (10000, 28, 28), from 0 to 255; `y_train` and `y_test` are uint8, 0 to 9.

    Raises
    ------
    DownloadError
        The files are not on this machine, and no mirror gave them (an OSError).
    DataFileError
        A file holds something else (a ValueError).

    References
    ----------
    H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms. arXiv:1708.07747, 2017. MIT licence.

    Examples
    --------
    >>> from datasets import fashion_mnist
    >>> (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()  # doctest: +SKIP
    """
    return _images.load(fetch(FILES))
