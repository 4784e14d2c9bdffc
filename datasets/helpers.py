"""Two things that scripts do with these sets: word lists as 0 and 1, and pictures side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ._optional import needed
from ._split import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def multi_hot(
    sequences: Sequence[Iterable[int]] | Array, dimension: int, dtype: DTypeLike = "float32", sparse: bool = False
) -> Any:
    """A row for each sequence, with 1 at the numbers that occur in it and 0 elsewhere.

    Parameters
    ----------
    sequences : sequence of iterable of int or array
        Lists of integers, or an array of such, as `imdb.load_data` and `reuters.load_data` return.
    dimension : int
        How many columns; all numbers are below it (load the set with `num_words=dimension`).
    dtype : dtype
        Of the result. 25,000 reviews over 10,000 words take 1 GB as float32, a quarter of that as
        uint8.
    sparse : bool
        Give a `scipy.sparse.csr_array`, which holds the ones alone: those reviews take 27 MB, and a network
        that begins with a `Dense` layer trains on it as on an array. It needs the `sparse` extra.

    Returns
    -------
    numpy.ndarray or scipy.sparse.csr_array
        An array of shape `(len(sequences), dimension)`.

    Raises
    ------
    ValueError
        A sequence holds something else than integers from 0 up to `dimension`, which is at least 1.
    ImportError
        `sparse` is set and SciPy is not installed.

    Examples
    --------
    >>> from datasets import multi_hot
    >>> multi_hot([[0, 2], [1, 1]], dimension=4, dtype="uint8")
    array([[1, 0, 1, 0],
           [0, 1, 0, 0]], dtype=uint8)
    """
    if dimension < 1:
        raise ValueError(f"dimension: expected the number of columns, at least 1, got {dimension}")
    numbers = [_numbers(sequence, i, dimension) for i, sequence in enumerate(sequences)]
    if sparse:
        csr_array = needed("scipy.sparse", "A sparse array", "sparse").csr_array
        ends = np.cumsum([0, *map(len, numbers)])
        columns = np.concatenate([np.zeros(0, np.int64), *numbers])
        return csr_array((np.ones(len(columns), dtype), columns, ends), (len(numbers), dimension))
    hot = np.zeros((len(sequences), dimension), dtype)
    for row, columns in zip(hot, numbers, strict=True):
        row[columns] = 1
    return hot


def _numbers(sequence: Iterable[int], i: int, dimension: int) -> Array:
    """The different numbers in one sequence, in order."""
    numbers = np.asarray(sequence)
    if numbers.size == 0:
        return np.zeros(0, np.int64)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise ValueError(f"sequences[{i}]: expected a list of integers, got {sequence!r:.80}")
    if numbers.min() < 0 or numbers.max() >= dimension:
        wrong = numbers[(numbers < 0) | (numbers >= dimension)][0]
        raise ValueError(
            f"sequences[{i}]: expected numbers from 0 to {dimension - 1}, got {wrong} with dimension={dimension}: load "
            f"the data with num_words={dimension}, or raise the dimension"
        )
    return np.unique(numbers)


def draw_examples(images: ArrayLike, captions: Iterable[object] | None = None, *, cmap: str = "binary") -> Figure:
    """Draw pictures in a grid, each with its caption below it.

    Parameters
    ----------
    images : array_like
        Numbers of shape (n, height, width), from the smallest in white to the largest in black, or
        colours of shape (n, height, width, 3 or 4).
    captions : iterable, optional
        One for each picture, anything that can be printed: labels, say. None draws none.
    cmap : str
        Matplotlib's name for another scale of colours, "gray" for black to white.

    Returns
    -------
    matplotlib.figure.Figure
        A matplotlib figure. In a notebook it shows itself; elsewhere, `.savefig("examples.png")`.

    Raises
    ------
    ImportError
        Matplotlib is not installed.
    ValueError
        No images, or their shape is another, or there are fewer or more captions.

    Examples
    --------
    >>> from datasets import digits, draw_examples
    >>> (x_train, y_train), _ = digits.load_data()
    >>> figure = draw_examples(x_train[:10], y_train[:10])
    >>> len(figure.axes)
    10
    """
    needed("matplotlib.pyplot", "draw_examples", "plots")  # it tells notebooks how to show a figure
    from matplotlib.figure import Figure

    pictures = np.asarray(images)
    grey, coloured = pictures.ndim == 3, pictures.ndim == 4 and pictures.shape[3] in (3, 4)
    if pictures.size == 0 or not (grey or coloured):
        raise ValueError(
            "draw_examples: expected images of shape (n, height, width), or (n, height, width, 3 or 4) in colour, got "
            f"{pictures.shape}"
        )
    texts = [""] * len(pictures) if captions is None else [str(caption) for caption in captions]
    if len(texts) != len(pictures):
        raise ValueError(f"captions: expected one for each of the {len(pictures)} images, got {len(texts)}")

    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    caption_lines = max(text.count("\n") + 1 for text in texts)
    figure = Figure(figsize=(1.2 * columns, (1.1 + 0.18 * caption_lines) * rows), layout="constrained")
    for place, (picture, text) in enumerate(zip(pictures, texts, strict=True), start=1):
        axes = figure.add_subplot(rows, columns, place, xticks=[], yticks=[], xlabel=text)
        # One scale for all of them: the same grey is the same number everywhere.
        axes.imshow(picture, cmap=cmap, vmin=pictures.min(), vmax=pictures.max())
    return figure
