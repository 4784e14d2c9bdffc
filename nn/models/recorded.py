"""The functions that a model's steps are recorded from. They know their model weakly: it owns what was recorded."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, NamedTuple

from autograd_core import tree
from autograd_core.mode import no_grad
from autograd_core.replay.state import EntryRef, StateRef, TensorRef
from autograd_core.tensor import Tensor

from ..layers.calling import a_step
from ..masks import MASKS, mask_of, set_mask
from ..tensors import constant, plain
from . import training_step

ALONE = nullcontext()


# -- either half of a step, and both -----------------------------------------------------------------------


def gradient(of: Any, x: Any, y: Any, weights: Any, share: Any = ALONE) -> Any:
    with share:
        y_pred, loss, gradients = training_step.differentiate(of(), x, y, weights)
    return _packed(y_pred), _without_graph(loss), gradients


def gradient_alone(of: Any, *args: Any) -> Any:
    """The gradient, and none left in the weights: their memory would be a program's."""
    try:
        return gradient(of, *args)
    finally:
        of().zero_grad()


def update(of: Any, variables: Any, learning_rate: Any, step: Any, gradients: Any) -> None:
    training_step.update(of(), variables, learning_rate, step, gradients)


def training(of: Any, x: Any, y: Any, weights: Any, learning_rate: Any, step: Any) -> Any:
    try:
        y_pred, loss, gradients = gradient(of, x, y, weights)
        if gradients:
            update(of, of().trainable_variables, learning_rate, step, gradients)
        return y_pred, loss
    finally:
        of().zero_grad()


def evaluation(of: Any, x: Any, y: Any, weights: Any, share: Any = ALONE) -> Any:
    with share, no_grad(), a_step(training=False):
        model = of()
        y_pred = model(x, training=False)
        return _packed(y_pred), training_step.loss_of(model, x, y, y_pred, weights, training=False)


def prediction(of: Any, x: Any, share: Any = ALONE) -> Any:
    with share, no_grad():
        y = of()(x, training=False)
    return tree.map(plain, y)


# -- what goes in and out -----------------------------------------------------------------------------------


class Masked(NamedTuple):
    """Predictions and their masks, which a replay gives as it gives any arrays."""

    values: Any
    mask: Any


def _packed(y_pred: Any) -> Any:
    values, mask = _without_graph(y_pred), mask_of(y_pred) if MASKS else None
    return Masked(values, mask) if tree.leaves(mask) else values


def unpacked(found: Any) -> Any:
    if type(found) is not Masked:
        return found
    set_mask(found.values, found.mask)
    return found.values


def _without_graph(value: Any) -> Any:
    return tree.map(lambda leaf: constant(leaf.data) if isinstance(leaf, Tensor) else leaf, value)


def weights_of(of: Any) -> list[StateRef]:
    """The state of what changes no weights of an optimizer's."""
    model = of()
    carried = [state for layer in model.walk_layers() for state in layer._carried]
    return [TensorRef(weight) for weight in (*model.weights, *carried)]


def state_of(of: Any) -> list[StateRef]:
    """The state of a training step."""
    return [*weights_of(of), *(EntryRef(state, slot) for state in of().optimizer._memory.states for slot in state)]
