"""Between a model and the recorder: which steps are replayed, with which state, and when they are recorded anew."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_core import tree
from autograd_core.caller import level_of_caller
from autograd_core.replay import Replay, ReplayWarning
from autograd_core.replay.state import Cell, EntryCell, TensorCell, Turns
from autograd_core.tensor import Tensor

from .. import config, device, distributed
from ..optimizers.optimizer import Optimizer
from ..tensors import constant, plain

if TYPE_CHECKING:
    from ..callbacks.callback import Callback
    from .trainer import Trainer


# How many different settings of a model have recordings at a time.
KEPT = 4


@dataclass
class Recorded:
    """A model's three steps as they are under some settings."""

    settings: Any
    training: Replay
    differentiating: Replay  # this and the next are the halves of a training step that several processes share
    applying: Replay
    testing: Replay
    predicting: Replay

    @property
    def used(self) -> bool:
        """Whether anything was recorded to the end."""
        replays = (self.training, self.differentiating, self.applying, self.testing, self.predicting)
        return any(replay.programs for replay in replays)


class Steps:
    """A model's three steps, each a function of arrays that is recorded once and replayed.

    What was recorded holds for the settings of all that the model is made of: with a new rate of a Dropout, a
    frozen layer or another optimizer the steps are recorded again. Those of a few settings are kept, so that a
    layer may be frozen and thawed in turns, as for adversarial networks.
    """

    def __init__(self, model: Trainer, eagerly: bool = False, jit_compile: bool | str = "auto"):
        self._model = weakref.ref(model)  # the model owns this: no cycle, so its memory goes when it goes
        self.eagerly, self.jit_compile = eagerly, jit_compile
        self._turns = Turns()
        self._changes = -1
        self._in_vain = 0
        self._synchronised = False
        self._talking: set[Any] = set()  # steps that need the other processes in their middle
        self._all: list[Recorded] = []  # the present one last
        self._begin(None)

    def _begin(self, settings: Any) -> None:
        name = repr(getattr(self.model, "name", "a model"))

        def replay(function: Any, state: Any, what: str) -> Replay:
            return Replay(
                partial(function, self._model),
                partial(state, self._model),
                f"the {what} of {name}",
                self._turns,
                self.jit_compile,
            )

        self._all.append(
            Recorded(
                settings,
                replay(_train, _trained, "training step"),
                replay(_differentiate_and_forget, _weights, "gradient"),
                replay(_apply, _trained, "update"),
                replay(_test, _weights, "evaluation"),
                replay(_predict, _weights, "prediction"),
            )
        )

    @property
    def now(self) -> Recorded:
        """The steps under the present settings."""
        return self._all[-1]

    def __deepcopy__(self, memo: dict[int, Any]) -> Steps:
        """A copied model records steps of its own."""
        return Steps(memo[id(self.model)], self.eagerly, self.jit_compile)

    def __reduce__(self) -> Any:
        return Steps, (self.model, self.eagerly, self.jit_compile)

    @property
    def model(self) -> Trainer:
        """The model that these are the steps of."""
        model = self._model()
        assert model is not None
        return model

    def _runs_eagerly(self) -> bool:
        """Whether to run the layers' own code: on demand, and on other devices, whose calls are not NumPy's."""
        return self.eagerly or not device.is_cpu()

    def train(self, x: Any, y: Any, weights: Any, total: int | None = None) -> Any:
        """One step of training: the predictions and the loss before it.

        A replayed step leaves no gradients behind: they were used and their memory is another's.
        """
        optimizer = self.model.optimizer
        if total is not None:
            return self._train_together(x, y, weights, total)
        if self._runs_eagerly() or type(optimizer).apply is not Optimizer.apply:
            return self.model._train_step(x, y, weights)
        self._look()
        found = self.now.training(x, y, weights, *optimizer.moment())
        optimizer._step += 1
        return found

    def test(self, x: Any, y: Any, weights: Any, total: int | None = None) -> Any:
        """The predictions and the loss."""
        if total is not None:
            self._meet(f"an evaluation of {total} examples", x)
            y_pred, loss = self._shared(_test, self.now.testing, x, y, weights, total)
            return y_pred, constant(distributed.total_of([plain(loss)])[0])
        if self._runs_eagerly():
            return self.model._test_step(x, y, weights)
        self._look()
        return self.now.testing(x, y, weights)

    def predict(self, x: Any, total: int | None = None) -> Any:
        """The predictions."""
        if total is not None:
            self._meet(f"a prediction for {total} examples", x)
            return distributed.gathered(self._shared(_predict, self.now.predicting, x), total)
        if self._runs_eagerly():
            return self.model._predict_step(x)
        self._look()
        return self.now.predicting(x)

    # -- shared with other processes -------------------------------------------------------------------

    def begin(self, doing: Callable[[], str]) -> None:
        """Before anything on all data: look closely at all settings, and begin with what the first process has."""
        self.check()
        if distributed.size() == 1:
            return
        distributed.agree(doing())
        distributed.synchronise(self.model)
        self._synchronised = self.model.built  # or else again, when its weights have been made

    def _meet(self, doing: str, x: Any) -> None:
        """Wait for the other processes, which must be about to do the same to the same model."""
        if not device.is_cpu():
            raise ValueError(
                f"several processes add up their gradients in the CPU's memory, and this one computes on "
                f'{device.get_device()!r}; call nn.set_device("cpu"), or train in one process'
            )
        distributed.agree(doing)
        if not self._synchronised:
            distributed.build(self.model, x)
            distributed.synchronise(self.model)
            self._synchronised = True
        if not self.eagerly:
            self._look()

    def _shared(self, function: Any, replay: Replay, *args: Any) -> Any:
        """Run a function on this process's share, replayed unless it needs the others before it is done.

        When a step is recorded and compared is for each process to decide, so it must not make another one wait. The
        first step of all runs as it is, and shows which it is.
        """
        if self.eagerly or function in self._talking:
            return function(self._model, *args)
        found, talked = distributed.talks(lambda: replay(*args))
        if talked:
            self._talking.add(function)
        return found

    def _train_together(self, x: Any, y: Any, weights: Any, total: int) -> Any:
        """A training step on a share of a batch: all gradients are summed between its two halves."""
        model, optimizer = self.model, self.model.optimizer
        self._meet(f"a training step on {total} examples at a learning rate of {optimizer.learning_rate}", x)
        y_pred, loss, gradients = self._shared(_differentiate, self.now.differentiating, x, y, weights, total)
        loss, *gradients = distributed.total_of([plain(loss), *gradients])
        variables = model.trainable_variables
        if self.eagerly:  # who looks into the weights finds the gradients of the whole batch
            for v, gradient in zip(variables, gradients, strict=True):
                if gradient is not None:
                    np.copyto(v.grad, gradient)
        if not variables:
            return y_pred, constant(loss)
        if self.eagerly or type(optimizer).apply is not Optimizer.apply:
            optimizer.apply(gradients, variables)
        else:
            self.now.applying(*optimizer.moment(), gradients)
            optimizer._step += 1
        return y_pred, constant(loss)

    @contextmanager
    def shown_to(self, callbacks: Iterable[Callback]) -> Iterator[None]:
        """Run eagerly inside a ``with`` block if one of these callbacks looks at what a step computes inside."""
        before = self.eagerly
        self.eagerly = before or any(callback.eager for callback in callbacks)
        try:
            yield
        finally:
            self.eagerly = before

    def check(self) -> None:
        """Look closely before the next step whether anything has changed, in lists and dicts too."""
        self._changes = -1

    def _look(self) -> None:
        """Find the recordings that go with the present settings, or begin new ones."""
        if self._changes == config.changes:
            return
        self._changes = config.changes
        settings = self.model.settings()
        for recorded in self._all:
            if recorded.settings == settings:
                self._all.remove(recorded)
                self._all.append(recorded)
                return
        self._begin(settings)
        if len(self._all) > KEPT and not self._all.pop(0).used:
            self._in_vain += 1
            if self._in_vain == KEPT:
                warnings.warn(
                    f"an attribute of {self.model.name!r} or of something in it changes with every step, so its steps "
                    "cannot be replayed and run eagerly, which is slower and gives the same; return what a step "
                    "computes instead of keeping it in an attribute, or say compile(run_eagerly=True)",
                    ReplayWarning,
                    stacklevel=level_of_caller(),
                )


# -- what is recorded: functions that know their model weakly ----------------------------------------------


def _train(of: Any, *args: Any) -> Any:
    try:
        y_pred, loss = of()._train_step(*args)
        return _without_graph(y_pred), _without_graph(loss)
    finally:
        of().zero_grad()


def _differentiate(of: Any, x: Any, y: Any, weights: Any, total: int) -> Any:
    with distributed.sharing(total):
        y_pred, loss, variables = of()._differentiate(x, y, weights)
    return _without_graph(y_pred), _without_graph(loss), [v.grad for v in variables]


def _without_graph(value: Any) -> Any:
    return tree.map(lambda leaf: constant(leaf.data) if isinstance(leaf, Tensor) else leaf, value)


def _differentiate_and_forget(of: Any, *args: Any) -> Any:
    try:
        return _differentiate(of, *args)
    finally:
        of().zero_grad()


def _apply(of: Any, learning_rate: Any, step: Any, gradients: Any) -> None:
    of().optimizer.apply_at(learning_rate, step, gradients, of().trainable_variables)


def _test(of: Any, x: Any, y: Any, weights: Any, total: int | None = None) -> Any:
    with distributed.sharing(total):
        return of()._test_step(x, y, weights)


def _predict(of: Any, x: Any) -> Any:
    return of()._predict_step(x)


def _weights(of: Any) -> list[Cell]:
    return [TensorCell(weight) for weight in of().weights]


def _trained(of: Any) -> list[Cell]:
    return [*_weights(of), *(EntryCell(state, slot) for state in of().optimizer._state for slot in state)]
