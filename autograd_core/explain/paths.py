"""The paths of a gradient: the ways from a value to the result, each a product of local derivatives."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .formula import number

if TYPE_CHECKING:
    from .steps import Step, Steps


@dataclass(frozen=True)
class Path:
    """One way from a value to the result.

    Parameters
    ----------
    product : float
        What it contributes to the gradient: the product of ``factors``.
    names : tuple of str
        The values on it, from the one that was asked for to the result.
    factors : tuple of float
        The local derivative of each value by the one before it, and last the gradient that the walk started from.

    Examples
    --------
    >>> import autograd_core as ag
    >>> x, w = ag.Tensor(-1.0, name="x"), ag.Tensor(2.0, name="w")
    >>> path = ag.explain(3 * ag.relu(x * w), names={}).paths("w").largest[0]
    >>> path.names, path.factors
    (('w', 'v1', 'v2', 'f'), (-1.0, 0.0, 3.0, 1.0))
    """

    product: float
    names: tuple[str, ...]
    factors: tuple[float, ...]

    def __str__(self) -> str:
        factors = self.factors if self.factors[-1] != 1 or len(self.factors) == 1 else self.factors[:-1]
        product = " · ".join(f"({text})" if text.startswith("-") else text for text in map(number, factors))
        said = f"{product} = {number(self.product)}, through {', '.join(self.names[1:])}"
        least = min(range(len(factors)), key=lambda i: abs(factors[i]))
        if factors[least] == 0 and least + 1 < len(self.names):
            said += f"; 0 because of ∂{self.names[least + 1]}/∂{self.names[least]}"
        return said


@dataclass(frozen=True)
class Paths:
    """What a gradient is the sum of.

    Parameters
    ----------
    name, result : str
        Of which value it is the gradient, and of what.
    gradient : float
        The gradient.
    count : int
        How many paths there are.
    largest : tuple of Path
        Those that contribute most.

    Examples
    --------
    >>> import autograd_core as ag
    >>> x, w = ag.Tensor(-1.0, name="x"), ag.Tensor(2.0, name="w")
    >>> print(ag.explain(3 * ag.relu(x * w) + w, names={}).paths("w"))
    ∂f/∂w = 1 is the sum of 2 paths:
      1 = 1, through f
      (-1) · 0 · 3 · 1 = 0, through v1, v2, v3, f; 0 because of ∂v2/∂v1
    """

    name: str
    result: str
    gradient: float
    count: int
    largest: tuple[Path, ...]

    def __str__(self) -> str:
        which = "" if len(self.largest) == self.count else f"; the {len(self.largest)} largest"
        head = f"∂{self.result}/∂{self.name} = {number(self.gradient)} is the sum of {self.count:,} path"
        return "\n".join([f"{head}{'s' if self.count != 1 else ''}{which}:", *(f"  {path}" for path in self.largest)])


def paths(steps: Steps, name: str, most: int) -> Paths:
    """What `Steps.paths` gives.

    There may be more paths than anyone can count one by one. The largest from a value are a step to another one, and
    the largest from there.
    """
    if name not in steps.values:
        raise ValueError(f"name: expected the name of a value, such as {next(iter(steps.values))!r}, got {name!r}")
    if most < 1:
        raise ValueError(f"most: expected a number from 1 on, got {most}")
    behind = {name}
    for value in steps.values.values():
        if not behind.isdisjoint(value.parents):
            behind.add(value.name)
        if value.name in behind and np.size(value.value) != 1:
            raise ValueError(
                f"paths: expected single numbers all the way from {name} to {steps.result}, got {value.name} of shape "
                f"{list(np.shape(value.value))}; the page follows the elements of arrays: steps.save('page.html'), and "
                "there 'Why is it 0, or small?'"
            )
    start = _number(steps.seed)
    count = dict.fromkeys(steps.values, 0)
    best: dict[str, list[Path]] = {value: [] for value in steps.values}
    count[steps.result], best[steps.result] = 1, [Path(start, (steps.result,), (start,))]
    for step in steps:
        if step.kind != "backward" or step.name not in behind:
            continue
        local = _local(steps, step)
        longer = (
            Path(local * path.product, (step.name, *path.names), (local, *path.factors)) for path in best[step.output]
        )
        best[step.name] = heapq.nlargest(most, [*best[step.name], *longer], key=_size)
        count[step.name] += count[step.output]
    gradient = steps.gradients.get(name)
    return Paths(name, steps.result, 0.0 if gradient is None else _number(gradient), count[name], tuple(best[name]))


def _local(steps: Steps, step: Step) -> float:
    """The local derivative: what the rule makes of an upstream gradient of 1."""
    value = steps.values[step.output]
    assert value.op is not None
    rule = value.op.rules[step.position]
    assert rule is not None
    with np.errstate(all="ignore"):
        return _number(rule(np.ones_like(value.value)[()], value.value, *value.args, **value.params))


def _number(value: object) -> float:
    return float(np.asarray(value).reshape(()))


def _size(path: Path) -> float:
    return np.inf if np.isnan(path.product) else abs(path.product)
