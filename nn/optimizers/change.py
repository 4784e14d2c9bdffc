"""One step of an optimizer: from gradients to variables that are changed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_core.arrays import is_foreign
from autograd_core.caller import level_of_caller
from autograd_core.graph import kind
from autograd_core.tensor import Tensor

from .. import constraints
from ..checks import real
from ..tensors import plain
from .memory import ACCUMULATED, AVERAGE, State

if TYPE_CHECKING:
    from .optimizer import Optimizer

# How many elements of a parameter are updated at a time.
PART = 2**17


def checked(grads: Sequence[Any], variables: Sequence[Any], owner: str) -> list[Any]:
    """The gradients as arrays, one for each variable; ValueError and TypeError where they do not fit these."""
    grads = [None if g is None else plain(g) for g in grads]
    if len(grads) != len(variables):
        raise ValueError(f"apply: expected a gradient for each of the {len(variables)} variables, got {len(grads)}")
    for v, g in zip(variables, grads, strict=True):
        if not isinstance(v, Tensor):
            raise TypeError(
                f"the variables of an optimizer: expected Tensors, as in model.trainable_variables, got {kind(v)}"
            )
        name = v.node.name or "a variable"
        real(v, f"{owner} at {name}")
        if g is None:
            continue
        real(g, f"{owner}, the gradient of {name}")
        if np.shape(g) != v.shape:
            raise ValueError(f"the gradient of {name}: expected the shape of its values, {v.shape}, got {np.shape(g)}")
    return grads


def change(
    optimizer: Optimizer,
    learning_rate: Any,
    step: Any,
    grads: Sequence[Any],
    variables: Sequence[Tensor],
    states: Sequence[State],
) -> None:
    """Change variables, and what is remembered of them, by their gradients."""
    present = _present(grads, variables)
    gradients, changed = [grads[i] for i in present], [(variables[i], states[i]) for i in present]
    every = optimizer.gradient_accumulation_steps
    now: Any = True
    if every:
        now, step = step % every == 0, (step - 1) // every + 1
        gradients = [_accumulated(state, g, now) / every for (_, state), g in zip(changed, gradients, strict=True)]
    for (variable, state), gradient in zip(changed, optimizer.clip(gradients), strict=True):
        _change_one(optimizer, variable, state, gradient, learning_rate, step, now)
    if optimizer.use_ema:
        _average(optimizer, step)
    for variable, _ in changed:
        constraints.hold(variable)
        variable.data = variable.data  # tells the engine that what was computed from the old values is stale


def _present(grads: Sequence[Any], variables: Sequence[Tensor]) -> list[int]:
    """The places of the gradients that there are; a warning of the others, ValueError where there are none."""
    present = [i for i, g in enumerate(grads) if g is not None]
    if not present:
        names = ", ".join(str(v.node.name) for v in variables)
        raise ValueError(
            f"none of the variables has a gradient ({names}); call loss.backward() first, on a loss that was "
            "computed from them"
        )
    if len(present) < len(grads):
        without = [str(v.node.name) for v, g in zip(variables, grads, strict=True) if g is None]
        if len(without) > 5:
            without[5:] = [f"and {len(without) - 5} more"]
        warnings.warn(
            f"no gradient came for {', '.join(without)}, which stay as they are: the loss was not computed from them",
            stacklevel=level_of_caller(),
        )
    return present


def _accumulated(state: State, gradient: Any, now: Any) -> Any:
    """The sum of the gradients since the last update, which begins again after this one if it is ``now``."""
    total = state[ACCUMULATED] + gradient
    np.copyto(state[ACCUMULATED], np.where(now, 0, total))
    return total


def _change_one(
    optimizer: Optimizer, variable: Tensor, state: State, gradient: Any, learning_rate: Any, step: Any, now: Any
) -> None:
    """Change a variable by the optimizer's rule, unless it only accumulates gradients so far."""
    rate, step = learning_rate.astype(variable.dtype), step.astype(variable.dtype)
    if is_foreign(variable.data):  # beside which a number may stand, but no array of NumPy's
        rate, step = rate[()], step[()]

    def put(into: Any, value: Any) -> None:
        np.copyto(into, value if now is True else np.where(now, value, into))

    decays = _decays(optimizer, variable)
    for part in _parts(optimizer, variable):
        parameter, slots = variable.data[part], {slot: state[slot][part] for slot in optimizer.slots}
        old = optimizer.decay(parameter, rate) if decays else parameter
        new, after = optimizer.update(old, gradient[part], slots, rate, step)
        put(parameter, new)
        for slot, value in after.items():
            put(slots[slot], value)


def _decays(optimizer: Optimizer, variable: Tensor) -> bool:
    """Whether it is none of those that the optimizer leaves as they are, by itself or by its name."""
    own = (variable.node.name or "").rpartition("/")[2]
    return not any(u is variable if isinstance(u, Tensor) else re.search(u, own) for u in optimizer._undecayed)


def _parts(optimizer: Optimizer, variable: Tensor) -> list[Any]:
    """What is updated at a time: everything, or so many rows."""
    if not optimizer.elementwise or variable.size <= PART or is_foreign(variable.data):
        return [...]
    rows = max(PART * len(variable) // variable.size, 1)
    return [slice(start, start + rows) for start in range(0, len(variable), rows)]


def _average(optimizer: Optimizer, step: Any) -> None:
    """Take all variables into their averages, which begin with what the first step made."""
    for variable, state in optimizer._memory:
        kept = np.where(step > 1, optimizer.ema_momentum, 0).astype(variable.dtype)
        average = kept * state[AVERAGE] + (1 - kept) * variable.data
        np.copyto(state[AVERAGE], average)
        if optimizer.ema_overwrite_frequency:
            now = step % optimizer.ema_overwrite_frequency == 0
            np.copyto(variable.data, np.where(now, average, variable.data))
            variable.data = variable.data


def clipped(gradients: Sequence[Any], norm: float | None, value: float | None, global_norm: float | None) -> list[Any]:
    """The gradients held within one of these bounds."""
    if value is not None:
        return [np.clip(g, -value, value) for g in gradients]
    if norm is not None:
        return [g * _shrink(np.sum(np.square(g)), norm) for g in gradients]
    if global_norm is not None:
        square = sum(np.sum(np.square(g)) for g in gradients)
        return [g * _shrink(square, global_norm) for g in gradients]
    return list(gradients)


def _shrink(square: Any, bound: float) -> Any:
    """The factor that brings a norm, given squared, down to a bound."""
    return bound / np.maximum(np.sqrt(square), bound)
