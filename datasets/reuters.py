"""Reuters-21578: 11,228 newswires as lists of word numbers, with their topics."""

import dataclasses

import numpy as np

from . import _text
from ._fetch import KERAS_MIRROR, About, File, fetch
from ._read import npz, word_index
from ._split import Split, hold_out_the_end, shuffle

ARCHIVE = File(
    name="reuters.npz",
    folder="reuters",
    checksum="sha256:d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    size=2_110_848,
    mirrors=(f"{KERAS_MIRROR}reuters.npz",),
)
WORDS = File(
    name="reuters_word_index.json",
    folder="reuters",
    checksum="md5:4d44cc38712099c9e383dc6e5f11a921",
    size=550_378,
    mirrors=(f"{KERAS_MIRROR}reuters_word_index.json",),
)
ABOUT = About(
    shapes="8982 + 2246\nlists of int",
    licence="for research\nacknowledge",
    citation="Lewis 1997\nReuters-21578",
    files=(ARCHIVE, WORDS),
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> Split:
    """Load the Reuters newswires; what is not on this machine is downloaded (2 MB).

    A newswire is a list of numbers: `start_char`, then for each word its rank among the words (1 is the
    most frequent) plus `index_from`. 0 is left for padding.

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
        Only newswires shorter than this are kept, `start_char` counted. None or 0 keeps all.
    test_split : float
        The share of the newswires that the test part gets.
    seed : int
        Of the order of the newswires.
    start_char : int or None
        None puts nothing in front.
    oov_char : int or None
        Stands for words that are left out; None leaves them out without a trace.
    index_from : int
        Is added to the ranks.

    Returns
    -------
    tuple of pairs of arrays
        `(x_train, y_train), (x_test, y_test)`. `x_train` and `x_test` are object arrays of shape (8982,)
        and (2246,) that hold lists of int; `y_train` and `y_test` are int64, the places 0 to 45 of the
        topics in `get_label_names()`.

    Raises
    ------
    DownloadError
        The file is not on this machine, and no mirror gave it (an OSError).
    DataFileError
        The file holds something else (a ValueError).
    ValueError
        No newswire is shorter than `maxlen`, or `test_split` is not from 0 to 1.

    References
    ----------
    D. D. Lewis: Reuters-21578 Text Categorization Test Collection, Distribution 1.0, 1997.
    http://www.daviddlewis.com/resources/testcollections/reuters21578
    For research only. Publications are to acknowledge the data set under the name above.

    Examples
    --------
    >>> from datasets import reuters
    >>> (x_train, y_train), (x_test, y_test) = reuters.load_data(num_words=10000)  # doctest: +SKIP
    """
    (file,) = fetch((dataclasses.replace(ARCHIVE, name=path),))
    x, y = npz(file, x=(np.object_, (None,)), y=(np.integer, (None,)))
    x, y = shuffle(x, y, np.random.RandomState(seed))
    texts, y = _text.keep_short(_text.number(x, start_char, index_from), y, maxlen)
    return hold_out_the_end(_text.keep_frequent(texts, num_words, skip_top, oov_char), y, test_split)


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The ranks of the words, to be raised by `index_from` to get the numbers in the newswires.

    Parameters
    ----------
    path : str
        The name of the word list in the data folders and caches, or the absolute path of one.

    Returns
    -------
    dict
        A dictionary from words to ranks from 1, the most frequent word.

    Raises
    ------
    DownloadError, DataFileError
        As for `load_data`.

    Examples
    --------
    >>> from datasets import reuters
    >>> reuters.get_word_index()["the"]  # doctest: +SKIP
    1
    """
    return word_index(*fetch((dataclasses.replace(WORDS, name=path),)))


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of the labels.

    Examples
    --------
    >>> from datasets import reuters
    >>> reuters.get_label_names()[3]
    'earn'
    """
    # fmt: off
    return (
        "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee",
        "sugar", "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx",
        "interest", "gnp", "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock",
        "retail", "ipi", "iron-steel", "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem",
        "dlr", "gas", "silver", "wpi", "hog", "lead",
    )
    # fmt: on
