"""What an optimizer remembers of each variable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_core.arrays import asarray_like, like, to_numpy
from autograd_core.tensor import Tensor

from ..checks import real, whole
from .rate import rate

if TYPE_CHECKING:
    from .optimizer import Optimizer

State = dict[str, Any]

# What is remembered of each variable beside what the rule asks for.
AVERAGE, ACCUMULATED = "moving average", "accumulated gradient"


class Memory:
    """Variables, and of each a state: arrays of its shape, by their names.

    Parameters
    ----------
    variables : sequence of Tensor
        Of one kind of array.
    slots : mapping of str to float
        The names, and the numbers that the arrays begin with.
    owner : str
        What the optimizer is called in errors.

    Raises
    ------
    TypeError
        For complex variables.
    """

    def __init__(self, variables: Iterable[Tensor], slots: Mapping[str, float], owner: str):
        self.variables = tuple(variables)
        for v in self.variables:
            real(v, f"the variables of {owner}")
        self.states: list[State] = [{} for _ in self.variables]
        # One vector for each slot, and of it each variable's part: small ones are then updated together.
        for slot, start in slots.items():
            vector = np.full(sum(v.size for v in self.variables), start, np.result_type(*self.variables, np.float32))
            vector = asarray_like(self.variables[0], vector) if self.variables else vector
            begin = 0
            for v, state in self:
                part = vector[begin : begin + v.size].reshape(v.shape)
                state[slot] = part if part.dtype == v.dtype else np.full_like(v.data, start)
                begin += v.size

    def __iter__(self) -> Iterator[tuple[Tensor, State]]:
        return zip(self.variables, self.states, strict=True)

    def of(self, variables: Sequence[Tensor]) -> list[State]:
        """The states of these variables; ValueError for one that is unknown."""
        known = {id(v): state for v, state in self}
        for v in variables:
            if id(v) not in known:
                raise ValueError(
                    f"{v.node.name or 'a variable'} is unknown to this optimizer, which was built for "
                    f"{len(self.variables)} others; make a new optimizer for a new set of variables"
                )
        return [known[id(v)] for v in variables]


def overwrite(own: Sequence[Any], given: Sequence[Any], optimizer: Optimizer) -> None:
    """Put arrays in the place of an optimizer's own, which begin with its steps; ValueError where they do not fit."""
    if len(given) != len(own):
        raise ValueError(
            f"{optimizer.name!r}: expected {len(own)} arrays of state, got {len(given)}"
            + ("" if optimizer.built else "; call build(model.trainable_variables) first")
        )
    for array, value in zip(own, given, strict=True):
        if array.shape != np.shape(value):
            raise ValueError(
                f"the state of {optimizer.name!r}: expected an array of shape {array.shape}, got {np.shape(value)}"
            )
    step = float(to_numpy(given[0]))
    whole(int(step) if step.is_integer() else step, "the number of steps")
    if optimizer.schedule is None:
        rate(given[1])
    for array, value in zip(own, given, strict=True):
        array[...] = like(array, value)
