"""What IMDB and Reuters have in common: texts as lists of word ranks, and how Keras numbers the words.

The rank of a word is its place in the order of how often the words occur, from 1. A loader adds
`index_from` to it, so that there are numbers left for padding (0), the start of a text and words that are
left out.
"""

from ._read import ragged
from ._split import Array


def number(ranks: Array, start_char: int | None, index_from: int) -> list[list[int]]:
    """The texts as numbers: each rank raised by `index_from`, with the start in front."""
    start = [] if start_char is None else [start_char]
    return [start + [rank + index_from for rank in text] for text in ranks]


def keep_short(texts: list[list[int]], labels: Array, maxlen: int | None) -> tuple[list[list[int]], Array]:
    """The texts that are shorter than `maxlen`, with their labels."""
    if not maxlen:
        return texts, labels
    short = [i for i, text in enumerate(texts) if len(text) < maxlen]
    if not short:
        raise ValueError(f"maxlen: expected one that some text is shorter than, got {maxlen}: increase maxlen")
    return [texts[i] for i in short], labels[short]


def keep_frequent(texts: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None) -> Array:
    """The texts with only the numbers from `skip_top` up to, not including, `num_words`.

    Others become `oov_char`, or vanish where that is None. Without `num_words` the largest number of all
    takes its place, and so the rarest word counts as left out: Keras does so too.
    """
    end = num_words or max((max(text, default=0) for text in texts), default=0)
    if oov_char is None:
        return ragged([[word for word in text if skip_top <= word < end] for text in texts])
    return ragged([[word if skip_top <= word < end else oov_char for word in text] for text in texts])
