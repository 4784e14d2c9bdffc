"""MNIST: 70,000 handwritten digits of 28 × 28 pixels."""

import dataclasses

import numpy as np

from . import _images
from ._fetch import KERAS_MIRROR, About, File, fetch
from ._read import npz
from ._split import Split

FILES = _images.files(
    folder="mnist",
    keras="mnist",
    mirrors=[
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ],
    published=[
        ("sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9_912_422),
        ("sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
        ("sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1_648_877),
        ("sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
    ],
)
ARCHIVE = File(
    name="mnist.npz",
    folder="mnist",
    checksum="sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    size=11_490_434,
    mirrors=(f"{KERAS_MIRROR}mnist.npz",),
)
ABOUT = About(
    shapes=_images.SHAPES,
    licence="CC BY-SA 3.0",
    citation="LeCun et al.\nProc. IEEE 1998",
    files=FILES,
    instead=(ARCHIVE,),
)


def load_data(path: str = "mnist.npz") -> Split:
    """Load MNIST; what is not on this machine is downloaded (12 MB).

    Parameters
    ----------
    path : str
        The name that Keras' archive of the set has in its cache, or the absolute path of one. It is
        read where it is found; elsewhere the four original files are read or downloaded.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`. `x_train` is uint8 of shape (60000, 28, 28) and `x_test`
        (10000, 28, 28), from 0 (paper) to 255 (ink); `y_train` and `y_test` are uint8, the digits 0 to 9.

    Raises
    ------
    DownloadError
        The files are not on this machine, and no mirror gave them (an OSError).
    DataFileError
        A file holds something else (a ValueError).

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-Based Learning Applied to Document Recognition.
    Proceedings of the IEEE 86 (11), 1998. CC BY-SA 3.0.

    Examples
    --------
    >>> from datasets import mnist
    >>> (x_train, y_train), (x_test, y_test) = mnist.load_data()  # doctest: +SKIP
    >>> x_train.reshape(60000, 784).astype("float32") / 255  # doctest: +SKIP
    """
    paths = fetch((dataclasses.replace(ARCHIVE, name=path),), FILES)
    if len(paths) == len(FILES):
        return _images.load(paths)
    images, labels = (np.uint8, (None, 28, 28)), (np.uint8, (None,))
    x_train, y_train, x_test, y_test = npz(paths[0], x_train=images, y_train=labels, x_test=images, y_test=labels)
    return (x_train, y_train), (x_test, y_test)
