"""IMDB: 50,000 film reviews as lists of word numbers, with whether the film was liked."""

import dataclasses

import numpy as np

from . import _text
from ._fetch import KERAS_MIRROR, About, File, fetch
from ._read import npz, word_index
from ._split import Split, shuffle

ARCHIVE = File(
    name="imdb.npz",
    folder="imdb",
    checksum="sha256:69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    size=17_464_789,
    mirrors=(f"{KERAS_MIRROR}imdb.npz",),
)
WORDS = File(
    name="imdb_word_index.json",
    folder="imdb",
    checksum="md5:bfafd718b763782e994055a2d397834f",
    size=1_641_221,
    mirrors=(f"{KERAS_MIRROR}imdb_word_index.json",),
)
ABOUT = About(
    shapes="25000 + 25000\nlists of int",
    licence="none stated,\nplease cite",
    citation="Maas et al.\nACL 2011",
    files=(ARCHIVE, WORDS),
)


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: object,
) -> Split:
    """Load the IMDB reviews; what is not on this machine is downloaded (17 MB).

    A review is a list of numbers: `start_char`, then for each word its rank among the words (1 is the most
    frequent) plus `index_from`. 0 is left for padding.

    Parameters
    ----------
    path : str
        The name of the archive in the data folders and caches, or the absolute path of one.
    num_words : int, optional
        Words with this number or a larger one are replaced by `oov_char`. None keeps all but
        the largest number, as Keras does.
    skip_top : int
        Words with a smaller number are replaced by `oov_char`.
    maxlen : int, optional
        Only reviews shorter than this are kept, `start_char` counted. None or 0 keeps all.
    seed : int
        Of the order of the reviews.
    start_char : int or None
        None puts nothing in front.
    oov_char : int or None
        Stands for words that are left out; None leaves them out without a trace.
    index_from : int
        Is added to the ranks.
    **kwargs
        Nothing: an argument of old names is an error that says the new one.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`. `x_train` and `x_test` are object arrays of shape (25000,)
        that hold lists of int; `y_train` and `y_test` are int64, 1 for a positive review and 0 for a
        negative one.

    Raises
    ------
    DownloadError
        The file is not on this machine, and no mirror gave it (an OSError).
    DataFileError
        The file holds something else (a ValueError).
    ValueError
        No review is shorter than `maxlen`.
    TypeError
        An argument that there is not.

    References
    ----------
    A. L. Maas, R. E. Daly, P. T. Pham, D. Huang, A. Y. Ng, C. Potts: Learning Word Vectors for Sentiment
    Analysis. ACL 2011. http://ai.stanford.edu/~amaas/data/sentiment

    Examples
    --------
    >>> from datasets import imdb, multi_hot
    >>> (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=10000)  # doctest: +SKIP
    >>> multi_hot(x_train, 10000).shape  # doctest: +SKIP
    (25000, 10000)
    """
    if kwargs:
        hint = "; it is called num_words now" if "nb_words" in kwargs else ""
        raise TypeError(f"imdb.load_data() has no argument {next(iter(kwargs))!r}{hint}")
    (file,) = fetch((dataclasses.replace(ARCHIVE, name=path),))
    lists, labels = (np.object_, (None,)), (np.integer, (None,))
    x_train, y_train, x_test, y_test = npz(file, x_train=lists, y_train=labels, x_test=lists, y_test=labels)
    random = np.random.RandomState(seed)
    parts = [shuffle(x_train, y_train, random), shuffle(x_test, y_test, random)]
    numbered = [_text.keep_short(_text.number(x, start_char, index_from), y, maxlen) for x, y in parts]
    (texts_train, y_train), (texts_test, y_test) = numbered
    x = _text.keep_frequent(texts_train + texts_test, num_words, skip_top, oov_char)
    return (x[: len(y_train)], y_train), (x[len(y_train) :], y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The ranks of the words, to be raised by `index_from` to get the numbers in the reviews.

    Parameters
    ----------
    path : str
        The name of the word list in the data folders and caches, or the absolute path of one.

    Returns
    -------
    dict
        A dictionary from 88,584 words to ranks from 1, the most frequent word.

    Raises
    ------
    DownloadError, DataFileError
        As for `load_data`.

    Examples
    --------
    >>> from datasets import imdb
    >>> words = {rank + 3: word for word, rank in imdb.get_word_index().items()}  # doctest: +SKIP
    >>> " ".join(words.get(number, "?") for number in x_train[0])  # doctest: +SKIP
    """
    return word_index(*fetch((dataclasses.replace(WORDS, name=path),)))
