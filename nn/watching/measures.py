"""What is measured of one layer in one step of a training: a row of numbers of fixed length, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# The first numbers of a row, by name. Of a layer that gave nothing, or no gradient, the numbers of it are NaN.
NAMES = (
    "weights",  # how many numbers there are in its weights,
    "trained",  # how many of them training changes,
    "reached",  # and how many of those a gradient arrived at
    "compared",  # 1 where it is known what its weights were before the step
    "gradient",  # mean magnitude of that gradient
    "gradient_norm",  # its Euclidean norm
    "weight_norm",  # norm of what training changes, before the step
    "update_norm",  # norm of what the step changed in it
    "outputs",  # how many numbers the layer gave
    "mean", "spread",  # their mean and standard deviation
    "zeros",  # which share of them is exactly 0
    "units", "dead",  # how many units gave them, and how many of these gave 0 throughout
)  # fmt: skip
AT = {name: i for i, name in enumerate(NAMES)}

# Histograms: three counts (NaN, infinite, zero) and then one for each power of two, so that rows of all steps and
# layers have the same bars, whatever comes. What is smaller or larger is in the first or the last bar.
SPECIAL = ("nan", "infinite", "zero")
GRADIENTS = range(-48, 16)  # |g| from 2⁻⁴⁸ = 3.6e-15 to 2¹⁶; float16 begins at 2⁻²⁴
OUTPUTS = range(-16, 16)  # |y| from 1.5e-5 to 65,536, twice: first below 0, the largest first, then above
BARS = len(SPECIAL) + 64
GRADIENT_BARS = slice(len(NAMES), len(NAMES) + BARS)
OUTPUT_BARS = slice(GRADIENT_BARS.stop, GRADIENT_BARS.stop + BARS)
WIDTH = OUTPUT_BARS.stop


def norm(parts: Sequence[Any]) -> float:
    """The Euclidean norm of several arrays together, in float64 and without squares that overflow or vanish.

    >>> norm([np.array([3e-200]), np.array([[4e-200]])])
    5e-200
    """
    flat = _flat(parts)
    largest = float(np.max(np.abs(flat), initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.sum((flat / largest) ** 2)))


def histogram(values: Any, exponents: range, signed: bool) -> Any:
    """How many are NaN, infinite and 0, and how many have each power of two; ``signed``: those below 0 apart.

    >>> histogram(np.array([0.0, 1.5, -0.5, np.nan]), range(-1, 1), signed=True)
    array([1., 0., 1., 0., 1., 0., 1.])
    """
    finite = values[np.isfinite(values)]
    finite = finite[finite != 0]
    power = np.frexp(np.abs(finite))[1] - 1  # exact: 2**power <= |value| < 2 * 2**power
    bar = np.clip(power, exponents[0], exponents[-1]) - exponents[0]
    bars = [np.bincount(bar[finite > 0] if signed else bar, minlength=len(exponents))]
    if signed:
        bars.insert(0, np.bincount(bar[finite < 0], minlength=len(exponents))[::-1])
    special = (np.isnan(values).sum(), np.isinf(values).sum(), (values == 0).sum())
    return np.concatenate([special, *bars]).astype(np.float64)


def row(
    outputs: Sequence[Any],
    axis: int | None,
    weights: int,
    before: Sequence[Any],
    after: Sequence[Any],
    gradients: Sequence[Any],
    steps: int = 1,
) -> Any:
    """The numbers of a layer in a step.

    Parameters
    ----------
    outputs : sequence of arrays
        What it gave, of each call.
    axis : int or None
        Along which its units are; None where it has none.
    weights : int
        How many numbers its weights hold.
    before, after : sequence of arrays
        What training changes of it, before and after; empty where that is not known.
    gradients : sequence
        The gradient of each of these, None where none arrived.
    steps : int
        After how many steps ``after`` was taken: the change is divided by it.

    Returns
    -------
    array
        `WIDTH` numbers.

    Examples
    --------
    >>> w, g = np.array([3.0, 4.0]), np.array([1.0, -1.0])
    >>> found = row([np.array([[0.0, 2.0]])], -1, 2, [w], [w - 0.01 * g], [g])
    >>> float(found[AT["gradient"]]), float(found[AT["dead"]]), round(float(ratio(found)), 6)
    (1.0, 1.0, 0.002828)
    """
    found = np.zeros(WIDTH)
    found[: len(NAMES)] = np.nan
    with np.errstate(all="ignore"):
        arrived = [g for g in gradients if g is not None]
        found[AT["weights"]] = weights
        found[AT["trained"]] = sum(np.size(w) for w in after)
        found[AT["reached"]] = sum(np.size(g) for g in arrived)
        if found[AT["reached"]]:
            flat = _flat(arrived)
            found[AT["gradient"]] = np.mean(np.abs(flat))
            found[AT["gradient_norm"]] = norm([flat])
            found[GRADIENT_BARS] = histogram(flat, GRADIENTS, signed=False)
        found[AT["compared"]] = bool(before and found[AT["trained"]])
        if found[AT["compared"]]:
            found[AT["weight_norm"]] = norm(before)
            changes = (np.subtract(a, b, dtype=np.float64) for a, b in zip(after, before, strict=True))
            found[AT["update_norm"]] = norm(list(changes)) / steps
        flat = _flat(outputs)
        found[AT["outputs"]] = flat.size
        if flat.size:
            found[AT["mean"]], found[AT["spread"]] = np.mean(flat), np.std(flat)
            found[AT["zeros"]] = np.mean(flat == 0)
            found[OUTPUT_BARS] = histogram(flat, OUTPUTS, signed=True)
            if axis is not None:
                silent = [_silent(part, axis) for part in outputs if np.ndim(part) > 1]
                if silent and all(len(s) == len(silent[0]) for s in silent):
                    found[AT["units"]], found[AT["dead"]] = len(silent[0]), np.all(silent, axis=0).sum()
    return found


def ratio(found: Any) -> Any:
    """Update over weight, of rows: ∞ where weights that are all 0 begin to move, NaN where nothing is trained."""
    with np.errstate(all="ignore"):
        return found[..., AT["update_norm"]] / found[..., AT["weight_norm"]]


def _flat(parts: Sequence[Any]) -> Any:
    return np.concatenate([np.zeros(0), *(np.ravel(part).astype(np.float64) for part in parts)])


def _silent(values: Any, axis: int) -> Any:
    """Which units gave nothing but 0."""
    return np.all(np.moveaxis(values, axis, 0).reshape(np.shape(values)[axis], -1) == 0, axis=1)
