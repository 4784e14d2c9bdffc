"""Data as batches: from arrays, lists of arrays, generators and iterables."""

from __future__ import annotations

import itertools
import math
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sized
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.arrays import is_foreign, to_numpy
from autograd_core.tensor import Tensor

from .. import distributed, random, settings
from ..tensors import is_sparse, plain

# Inputs, targets, weights; and what this process has of the batch.
Batch = tuple[Any, Any, Any, distributed.Whole | distributed.Share]


def arrays_of(data: Any, what: str) -> Any:
    """``data`` as an array, or as a list or dict of arrays where it is one. Nothing is copied."""
    if isinstance(data, dict):
        return {k: arrays_of(v, what) for k, v in data.items()}
    if isinstance(data, list | tuple) and data and all(hasattr(v, "shape") and np.ndim(plain(v)) for v in data):
        return [arrays_of(v, what) for v in data]
    if data is None or (isinstance(data, list | tuple) and any(v is None for v in data)):
        raise ValueError(f"{what}: expected an array of numbers, got None")
    array = data.tocsr() if is_sparse(data) else data.data if isinstance(data, Tensor) else data
    array = array if is_sparse(array) or is_foreign(array) else np.asarray(array)
    if array.dtype.kind not in "biuf":
        ragged = ": its rows differ in length" if array.dtype == object else ""
        raise TypeError(f"{what}: expected an array of numbers, got one of dtype {array.dtype}{ragged}")
    if array.ndim == 0:
        raise ValueError(f"{what}: expected several examples along its first axis, got the single number {array}")
    return array


def is_arrays(x: Any) -> bool:
    """Whether ``x`` is data as a whole, rather than something that gives batches."""
    if isinstance(x, dict | np.ndarray | Tensor) or hasattr(x, "__array__") or is_sparse(x):
        return True
    return isinstance(x, list | tuple)


def length_of(data: Any, what: str) -> int:
    """How many examples there are, which all arrays must agree on."""
    lengths = [a.shape[0] for a in tree.leaves(data)]
    if len(set(lengths)) != 1:
        raise ValueError(f"{what}: expected arrays of the same number of examples, got {lengths}")
    return lengths[0]


def convert(value: Any) -> Any:
    """A batch with its floating arrays in `floatx`; whole numbers, such as class numbers, stay what they are."""
    return array_in_floatx(value) if type(value) is np.ndarray else tree.map(array_in_floatx, value)


def array_in_floatx(value: Any) -> Any:
    """One array of a batch, likewise, on the present device."""
    array = plain(value)
    if array.dtype.kind == "f" and array.dtype != settings.dtype:
        return array.astype(settings.dtype)
    return array


def cut(data: Any, rows: Any) -> Any:
    """Those examples of an array, or of several."""
    return tree.map(lambda a: a[rows], data)


def checksum(array: Any, code: int = 0) -> int:
    """The CRC-32 of an array's numbers, read in slices so that nothing is copied as a whole."""
    rows = max(1, (1 << 20) * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), rows):
        code = zlib.crc32(np.ascontiguousarray(to_numpy(array[start : start + rows])).data, code)
    return code


class Arrays:
    """Batches cut from arrays, in a new random order each time when ``shuffle`` is set."""

    def __init__(self, x: Any, y: Any, weights: Any, batch_size: int, shuffle: bool):
        if not isinstance(batch_size, int | np.integer) or batch_size <= 0:
            raise ValueError(f"batch_size: expected a whole number above 0, got {batch_size!r}")
        self.data = [None if a is None else arrays_of(a, w) for a, w in ((x, "x"), (y, "y"), (weights, "weights"))]
        self.length = length_of(self.data[0], "x")
        for part, what in zip(self.data[1:], ("y", "sample_weight"), strict=True):
            if part is not None and length_of(part, what) != self.length:
                raise ValueError(f"{what}: expected as many examples as x, {self.length}, got {length_of(part, what)}")
        if self.length == 0:
            raise ValueError("x: expected at least one example, got none")
        self.batch_size, self.shuffle = int(batch_size), shuffle
        self.steps: int | None = math.ceil(self.length / self.batch_size)
        self.together = self.given = 1  # how many batches are given as one, and how many were at last

    def __str__(self) -> str:
        code = 0
        for array in tree.leaves(self.data):
            for part in (array.data, array.indices, array.indptr) if is_sparse(array) else (array,):
                code = checksum(part, code)
        order = ", shuffled" if self.shuffle else ""
        return f"{self.length} examples (checksum {code:08x}{order})"

    def __iter__(self) -> Iterator[Batch]:
        order = random.generator.permutation(self.length) if self.shuffle else None
        start = 0
        while start < self.length:
            stop = min(start + self.together * self.batch_size, self.length)
            self.given = math.ceil((stop - start) / self.batch_size)
            rows, share = distributed.rows(start, stop)
            x, y, w = (cut(d, rows if order is None else order[rows]) for d in self.data)
            yield convert(x), convert(y), convert(w), share
            start = stop


class Batches:
    """Batches that someone else makes: ``x``, ``(x, y)`` or ``(x, y, weights)`` at a time."""

    def __init__(self, source: Iterable[Any], shuffle: bool = False):
        self.source, self.shuffle = source, shuffle
        self.steps = number_of_batches(source)

    def __iter__(self) -> Iterator[Batch]:
        for item in _iterate(self.source, self.shuffle):
            x, y, w = unpack_x_y_sample_weight(item)
            rows, share = distributed.rows(0, length_of(x, "x"))
            yield *(convert(d if share.alone else cut(d, rows)) for d in (x, y, w)), share


class Feed:
    """Epochs of batches. With ``steps`` an epoch has that many, and the next one goes on where it ended.

    No batch comes twice in an epoch: where the data ends, the epoch does, with a warning, and the next one begins with
    its first batch. So in Keras 3.
    """

    def __init__(self, source: Arrays | Batches, steps: int | None):
        if steps is not None and (not isinstance(steps, int | np.integer) or steps <= 0):
            raise ValueError(f"the number of steps: expected a whole number above 0, got {steps!r}")
        self.source, self.limit = source, steps
        self.steps = source.steps if steps is None else int(steps)
        self.once = isinstance(getattr(source, "source", None), Iterator)
        self.rest: Iterator[Batch] | None = None

    def __str__(self) -> str:
        """What there is, as far as it is known: processes that train together must have the same."""
        many = "batches" if self.steps is None else f"{self.steps} batches"
        return f"{self.source}, {many}" if isinstance(self.source, Arrays) else many

    def join(self, batches: int) -> None:
        """From now on give so many batches as one, where they are cut from arrays and nobody counts them."""
        if isinstance(self.source, Arrays) and self.limit is None:
            self.source.together = batches

    @property
    def given(self) -> int:
        """How many batches were given as one at last."""
        return self.source.given if isinstance(self.source, Arrays) else 1

    def restart(self) -> None:
        """Let the next epoch begin at the front, where the data can be started again; a generator goes on."""
        if not self.once:
            self.rest = None

    def epoch(self) -> Iterator[Batch]:
        """The batches of the next epoch."""
        if self.limit is None and not self.once:
            yield from self.source
            return
        taken, fresh = 0, self.rest is None
        while self.limit is None or taken < self.limit:
            if self.rest is None:
                self.rest = iter(self.source)
            batch = next(self.rest, None)
            if batch is not None:
                yield batch
                taken += 1
                continue
            if not self.once:
                self.rest = None
            if taken or fresh or self.once:
                break
            fresh = True  # the last epoch ended with the data
        if taken == 0:
            raise ValueError(
                "the data gave no batch; a generator can be run through once: make it endless and pass "
                "steps_per_epoch, or pass an iterable that can be started again"
            )
        if self.limit is not None and taken < self.limit:
            warnings.warn(
                f"the data ended after {taken} of the {self.limit} steps that were asked for, and so did this epoch; "
                "make the data endless, or ask for no more steps than it has",
                stacklevel=2,
            )


def number_of_batches(source: Any) -> int | None:
    """How many batches there are in an epoch; None where nobody knows, and where they do not end."""
    if hasattr(source, "num_batches"):  # a PyDataset, whose length may be unknown
        found: int | None = source.num_batches
        return found
    try:
        return len(source) if isinstance(source, Sized) else None
    except TypeError:  # of endless data, and of filtered data, tf.data says so
        return None


def _iterate(source: Any, shuffle: bool) -> Iterator[Any]:
    """The batches of an iterable, or of a sequence of batches that ends at its ``len``."""
    numbered = hasattr(source, "__getitem__")
    dataset = numbered and hasattr(source, "num_batches")
    steps = number_of_batches(source) if numbered else None
    if dataset or steps is not None:
        yield from _of_sequence(source, steps, shuffle and dataset)
    else:
        yield from source


def _of_sequence(source: Any, steps: int | None, shuffle: bool) -> Iterator[Any]:
    """The batches of a sequence, which may want to know where an epoch begins and ends."""
    tell: Any = getattr(source, "on_epoch_begin", None)
    if tell is not None:
        tell()
    if steps is None:
        yield from (source[i] for i in itertools.count())
    else:
        order = random.generator.permutation(steps) if shuffle else range(steps)
        yield from (source[int(i)] for i in order)
    tell = getattr(source, "on_epoch_end", None)
    if tell is not None:
        tell()


class PyDataset:
    """Data of your own that gives one batch at a time: the base class that Keras' has.

    A class of yours defines ``__getitem__(index)``, which gives ``(x, y)`` or ``(x, y, sample_weight)``, and
    ``__len__()``, the number of batches, or ``num_batches``, which is None for batches that do not end. `fit` takes
    them in a new order in each epoch unless ``shuffle=False``. ``on_epoch_begin`` and ``on_epoch_end`` are called.

    Parameters
    ----------
    workers : int
        1: batches are made in the thread that trains.
    use_multiprocessing : bool
        False.
    max_queue_size : int
        Taken for Keras' sake: no queue is needed.

    Raises
    ------
    ValueError
        For several workers, or processes.
    NotImplementedError
        Where ``__getitem__`` or ``__len__`` is asked for and not defined.

    Examples
    --------
    >>> import nn
    >>> class Squares(nn.utils.PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         x = np.full((4, 1), index)
    ...         return x, x**2
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> len(model.fit(Squares(), epochs=2, verbose=0).history["loss"])
    2
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        if workers != 1 or use_multiprocessing:
            raise ValueError(
                "a PyDataset: expected workers=1 and use_multiprocessing=False, because batches are made in the thread "
                f"that trains, got {workers!r} and {use_multiprocessing!r}"
            )
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__(), or num_batches")

    @property
    def num_batches(self) -> int | None:
        """How many batches there are; None for batches that do not end."""
        return len(self)

    def on_epoch_begin(self) -> None:
        """Before the first batch of an epoch."""

    def on_epoch_end(self) -> None:
        """After the last batch of an epoch."""


def batches(
    x: Any,
    y: Any = None,
    weights: Any = None,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: bool = False,
) -> Feed:
    """The batches of whatever `fit`, `evaluate` and `predict` take."""
    if x is None:
        raise ValueError("x: expected arrays, or something that gives batches, got None")
    if is_arrays(x):
        arrays = Arrays(x, y, weights, 32 if batch_size is None else batch_size, shuffle)
        return Feed(arrays, steps)
    if not isinstance(x, Iterable) and not hasattr(x, "__getitem__"):
        raise TypeError(f"x: expected arrays, or something that gives batches, got {type(x).__name__}")
    if y is not None:
        raise ValueError(f"y: expected nothing beside an x that gives batches, (x, y) pairs, got {type(y).__name__}")
    if weights is not None:
        raise ValueError(
            "sample_weight: expected nothing beside an x that gives batches, (x, y, sample_weight), got "
            f"{type(weights).__name__}"
        )
    return Feed(Batches(x, shuffle), steps)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """The parts of a batch as `fit` hands it to a ``train_step``: None for those that it has not.

    A list is as good as a tuple, as in Keras: several inputs are a list in it, ``([a, b],)``. ValueError for another
    length.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if not isinstance(data, tuple | list):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(f"a batch: expected x, (x, y) or (x, y, sample_weight), got {len(data)} parts")
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def _stored(array: Any) -> Any:
    """The numbers of an array; those that a sparse one does not store are 0."""
    return array.data if is_sparse(array) else array


def refuse_nan(values: Any, what: str) -> None:
    """Raise if there is a NaN, and say where."""
    for array in (values,) if type(values) is np.ndarray else map(_stored, tree.leaves(values)):
        if array is None or array.dtype.kind != "f":
            continue
        total = np.add.reduce(array, None)  # NaN if any element is, and costs no memory
        if total != total:
            nan = np.isnan(array)
            if nan.any():
                where = tuple(int(i) for i in np.argwhere(nan)[0])
                raise ValueError(
                    f"{what} holds NaN (in this batch {int(nan.sum())} of {array.size} values, the first at {where}); "
                    "every weight would become NaN. Remove or replace them: np.nan_to_num(x), or x[~np.isnan(x).any(1)]"
                )
