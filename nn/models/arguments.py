"""What `compile`, `fit` and their relatives are given: checked, and brought to one form."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.arrays import to_numpy
from autograd_core.tensor import Tensor

from .. import checks, distributed, losses, metrics
from ..layers.input_spec import show
from ..layers.symbolic import KerasTensor
from ..masks import MASKS, mask_of, set_mask
from ..tensors import class_numbers, constant, is_sparse, plain
from .batches import Feed, array_in_floatx, arrays_of, batches, is_arrays, length_of
from .outputs import NestedOutputs, Outputs, parts_of, per_output

Logs = dict[str, float]


def as_loss(loss: Any, weights: Any, names: list[str] | None, outputs: Any = None) -> losses.Loss | Outputs | None:
    """A `Loss` for whatever `compile` was given, or the losses of several outputs.

    ``names`` are those of the outputs where the model knows them, ``outputs`` what it gives. A list or dict of one is
    that one.
    """
    if loss is not None and isinstance(outputs, tree.BRANCHES) and (_deep(outputs) or _deep(loss)):
        return _nested(loss, weights, outputs)
    several = isinstance(loss, list | tuple | dict) and len(loss) > 1 and not _is_description(loss)
    if (several and names is None) or (names is not None and len(names) > 1 and loss is not None):
        by_name = isinstance(loss, dict) and not _is_description(loss)
        called = None if by_name or names is not None else unique_names([_called(one) for one in loss], ())
        if names is None:
            names = list(loss) if by_name else [f"output_{i + 1}" for i in range(len(loss))]
        if by_name and isinstance(outputs, dict):  # as in Keras an output may be left out there
            loss = {**dict.fromkeys(names), **loss}
        if by_name and loss.keys() != set(names):
            raise ValueError(f"loss: expected one for each of the outputs {names}, got {list(loss)}; None for none")
        each = loss if isinstance(loss, list | tuple) or by_name else [loss] * len(names)
        found = [_one_loss(one) for one in per_output(each, names, "loss")]
        if not any(found):
            raise ValueError(f"loss: expected one for one of the outputs {names} at least, got {loss!r}")
        factors = [1.0] * len(names)
        if weights is not None:
            if not isinstance(weights, list | tuple | dict):
                raise ValueError(f"loss_weights: expected one for each of the outputs {names}, got {weights!r}")
            given = per_output(weights, names, "loss_weights")
            factors = [
                1.0 if w is None else checks.number(w, f"the weight of {n}") for w, n in zip(given, names, strict=True)
            ]
        return Outputs(names, found, factors, called)
    return _one_loss(_only(loss, "loss", names))


def _nested(loss: Any, weights: Any, outputs: Any) -> Outputs:
    """The losses of outputs in a structure of structures."""
    if not isinstance(loss, list | tuple | dict) or _is_description(loss):
        loss = tree.map(lambda _: loss, outputs)
    if isinstance(weights, list | tuple) and _deep(loss) and not _deep(weights):  # one for each loss, in their order
        weights = tree.rebuild(loss, weights)
    names = [value._keras_history.operation.name for value in tree.leaves(outputs)]
    parts = list(parts_of(loss, weights, outputs, tree.rebuild(outputs, names), _one_loss))
    if not parts:
        raise ValueError(f"loss: expected one for one of the outputs {names} at least, got {loss!r}")
    return NestedOutputs(names, outputs, parts)


def _deep(structure: Any) -> bool:
    """Whether there are structures in a structure."""
    inside = structure.values() if isinstance(structure, dict) else structure
    return _branches(structure) and any(_branches(one) and len(one) > 1 for one in inside)


def _branches(one: Any) -> bool:
    return isinstance(one, list | tuple | dict) and not _is_description(one)


def _one_loss(loss: Any) -> losses.Loss | None:
    found = losses.get(loss[0] if isinstance(loss, list | tuple) and len(loss) == 1 else loss)
    return found if found is None or isinstance(found, losses.Loss) else losses.LossFunction(found)


def _called(loss: Any) -> str:
    """What Keras calls a loss: as it was told, or as it says itself."""
    return loss if isinstance(loss, str) else str(getattr(loss, "name", getattr(loss, "__name__", "output")))


def _is_description(given: Any) -> bool:
    return isinstance(given, dict) and "class_name" in given


def _only(given: Any, what: str, names: list[str] | None) -> Any:
    """What a model of one output is given in a list, or in a dict by the output's name."""
    if isinstance(given, dict) and not _is_description(given):
        if len(given) != 1 or (names is not None and list(given) != names):
            example = "'mse'" if what == "loss" else "['accuracy']"
            known = f"the one output is {names[0]!r}" if names else f"a model has one output, such as {what}={example}"
            raise ValueError(f"{what}: expected no other names of outputs, because {known}, got the dict {given!r}")
        return next(iter(given.values()))
    if isinstance(given, list | tuple) and what == "loss":
        if len(given) != 1:
            raise ValueError(
                f"loss: expected one loss, such as loss='mse', because the model has one output, got {given!r}"
            )
        return given[0]
    return given


def as_loss_weight(given: Any) -> float | None:
    """The factor of the loss; a list of one, as for a model of one output, is that one."""
    one = given[0] if isinstance(given, list | tuple) and len(given) == 1 else given
    return None if one is None else checks.number(one, "loss_weights, of a model that has one output")


def as_metrics(given: Any, what: str = "metrics", names: list[str] | None = None) -> list[metrics.Metric]:
    """Metrics for whatever `compile` was given for one output, in a list or in lists of lists."""
    return [] if given is None else [metrics.as_metric(m) for m in flat(_only(given, what, names), what)]


def flat(given: Any, what: str) -> list[Any]:
    """All that is in lists of lists, or the one thing that is in none."""
    if isinstance(given, list | tuple):
        return [one for part in given for one in flat(part, what)]
    return [given]


def unique_names(names: list[str], weighted: Container[int]) -> list[str]:
    """Names as Keras tells them apart; at these places are those of weighted metrics.

    >>> unique_names(["loss", "acc", "acc", "acc", "acc"], weighted=range(3, 5))
    ['loss', 'acc', 'acc_1', 'weighted_acc', 'weighted_acc_1']
    """
    found: list[str] = []
    for position, name in enumerate(names):
        if name in found and position in weighted:
            name = f"weighted_{name}"
        own, number = name, 0
        while own in found:
            number += 1
            own = f"{name}_{number}"
        found.append(own)
    return found


def ordered(results: Logs) -> Logs:
    """Results by name, as Keras prints and keeps them."""
    return dict(sorted(results.items()))


def one_batch(x: Any, y: Any, weights: Any) -> Any:
    """All the data as a single batch."""
    plain_arrays = type(x) is type(y) is np.ndarray and weights is None and distributed.size() == 1
    if (
        plain_arrays
        and x.ndim
        and y.ndim
        and 0 < len(x) == len(y)
        and x.dtype.kind in "biuf"
        and y.dtype.kind in "biuf"
    ):
        return array_in_floatx(x), array_in_floatx(y), None, distributed.WHOLE  # there is nothing to check
    return next(batches(x, y, weights, max(len_of(tree.leaves(x)[0]), 1)).epoch())


def len_of(data: Any) -> int:
    """How many examples there are; a sparse array has no ``len``."""
    return int(data.shape[0]) if is_sparse(data) else len(data)


def validation_feed(data: Any, batch_size: int | None, steps: int | None) -> Feed:
    """The batches of ``validation_data``: ``(x, y)``, ``(x, y, weights)``, or something that gives batches."""
    if isinstance(data, tuple | list):
        if len(data) not in (2, 3):
            raise ValueError(f"validation_data: expected (x, y) or (x, y, sample_weight), got {len(data)} parts")
        x, y, weights = (*data, None)[:3]
        return batches(x, y, weights, batch_size, steps)
    return batches(data, None, None, batch_size, steps)


def split(x: Any, y: Any, weights: Any, fraction: float) -> tuple[Any, Any, Any, Any]:
    """The last part of arrays, before any shuffling, taken off for validation."""
    if not 0 < fraction < 1:
        raise ValueError(f"validation_split: expected a number between 0 and 1, got {fraction!r}")
    if not is_arrays(x):
        raise ValueError("validation_split needs arrays; for batches pass validation_data")
    data = [None if a is None else arrays_of(a, w) for a, w in ((x, "x"), (y, "y"), (weights, "sample_weight"))]
    n = length_of(data[0], "x")
    first = int(np.floor(n * (1 - fraction)))
    if first in (0, n):
        raise ValueError(
            f"validation_split: expected a share that leaves examples to {('train' if first == 0 else 'validate')} on, "
            f"got {fraction} of {n}"
        )

    def part(which: slice) -> tuple[Any, ...]:
        return tuple(tree.map(lambda a: a[which], d) for d in data)

    return (*part(slice(0, first)), part(slice(first, None)))


def check_class_weight(class_weight: Any) -> None:
    """Raise unless it is None, or a dict from whole numbers to numbers."""
    if not isinstance(class_weight, Mapping | None):
        example = "{0: 1.0, 1: 5.0}"
        if isinstance(class_weight, list | tuple | np.ndarray) and np.ndim(class_weight) == 1:
            example = str(dict(enumerate(np.asarray(class_weight).tolist())))
        raise TypeError(
            f"class_weight: expected a dict from class numbers to weights, such as {example}, got {class_weight!r}"
        )
    for number, weight in (class_weight or {}).items():
        if isinstance(number, bool) or not isinstance(number, int | float | np.number) or float(number) % 1:
            raise ValueError(
                "class_weight: expected whole class numbers as keys, such as {0: 1.0, 1: 5.0}, got the key "
                f"{number!r}"
            )
        checks.number(weight, f"the weight of class {number}")


def by_class(y: Any, class_weight: dict[int, float], weights: Any) -> Any:
    """The weight of each example by its class, times its own weight if it has one."""
    if isinstance(y, tree.BRANCHES):
        raise ValueError("class_weight: expected a model of one output, got targets of several; pass sample_weight")
    labels = np.asarray(to_numpy(y))
    if labels.ndim > 1:
        labels = np.argmax(labels, -1) if labels.shape[-1] > 1 else labels[..., 0]
    weight = np.ones(labels.shape, np.float32)
    for c, w in class_weight.items():
        weight[labels == c] = w
    return plain(weight) if weights is None else plain(weight) * weights


def check_frequency(frequency: Any) -> None:
    """Raise unless it is a whole number from 1 on, or holds some."""
    number = isinstance(frequency, int | np.integer) and not isinstance(frequency, bool)
    if not (frequency > 0 if number else isinstance(frequency, Container) and not isinstance(frequency, str)):
        raise ValueError(
            "validation_freq: expected a whole number from 1 on, to validate after every so many epochs, or a list of "
            f"the epochs to validate after, such as [1, 5], got {frequency!r}"
        )


def validate_after(epoch: int, frequency: Any) -> bool:
    """Whether to validate after this epoch: every so many, or after those in a list."""
    if isinstance(frequency, int | np.integer):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def fitted(values: Sequence[Any], entries: Sequence[KerasTensor], owner: str) -> list[Any]:
    """Inputs with a last axis of length one added or removed where that makes them what the model takes."""
    return [fitted_one(x, entry, owner, None) for x, entry in zip(values, entries, strict=True)]


def in_dtype(x: Tensor, dtype: Any, owner: str) -> Tensor:
    """An input in the dtype that an `Input` asks for, with its mask; ValueError where a whole number is none."""
    if x.dtype == dtype:
        return x
    if dtype.kind in "iu" and x.dtype.kind == "f":
        return constant(class_numbers(x.data, repr(owner)), dtype)
    cast = constant(x, dtype)
    if MASKS:
        set_mask(cast, mask_of(x))
    return cast


def fitted_one(x: Any, entry: KerasTensor, owner: str, first: str | None) -> Any:
    """One input, likewise; ValueError for another shape. ``first`` is the layer that will take it."""
    expected = entry.shape
    x = in_dtype(constant(x), entry.dtype, owner)
    if x.ndim == len(expected) - 1 and expected[-1] == 1:
        x = np.expand_dims(x, -1)
    elif x.ndim == len(expected) + 1 and x.shape[-1] == 1 and not is_sparse(x.data):
        x = np.reshape(x, x.shape[:-1])
    if x.ndim != len(expected) or any(e not in (None, n) for e, n in zip(expected[1:], x.shape[1:], strict=True)):
        flat = int(np.prod(x.shape[1:])) == int(np.prod([n or 1 for n in expected[1:]])) and x.shape[1:]
        hint = f"; x.reshape({('-1', *map(str, expected[1:]))}) would make it fit".replace("'", "") if flat else ""
        where = f" (first layer {first!r})" if first else ""
        raise ValueError(
            f"{owner!r}{where} expected inputs of shape {show((None, *expected[1:]))}, got "
            f"{show((None, *x.shape[1:]))}{hint}"
        )
    return x
