"""Between a model and the recorder: which steps are replayed, with which state, and when they are recorded anew."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from autograd_core.replay import Replay
from autograd_core.replay.capture import Cell, EntryCell, TensorCell

from .. import config
from ..optimizers.optimizer import Optimizer

if TYPE_CHECKING:
    from ..callbacks.callback import Callback
    from .trainer import Trainer


class Steps:
    """A model's three steps, each a function of arrays that is recorded once and replayed.

    What was recorded holds as long as the settings of all that the model is made of: with a new rate of a
    Dropout, a frozen layer or another optimizer the steps are recorded again.
    """

    def __init__(self, model: Trainer, eagerly: bool = False):
        self._model = weakref.ref(model)  # the model owns this: no cycle, so its memory goes when it goes
        self.eagerly = eagerly
        self._changes = -1
        self._settings: Any = None
        of, name = self._model, repr(getattr(model, "name", "a model"))
        self.training = Replay(partial(_train, of), partial(_trained, of), f"the training step of {name}")
        self.testing = Replay(partial(_test, of), partial(_weights, of), f"the evaluation of {name}")
        self.predicting = Replay(partial(_predict, of), partial(_weights, of), f"the prediction of {name}")

    def __deepcopy__(self, memo: dict[int, Any]) -> Steps:
        """A copied model records steps of its own."""
        return Steps(memo[id(self.model)], self.eagerly)

    def __reduce__(self) -> Any:
        return Steps, (self.model, self.eagerly)

    @property
    def model(self) -> Trainer:
        """The model that these are the steps of."""
        model = self._model()
        assert model is not None
        return model

    def train(self, x: Any, y: Any, weights: Any) -> Any:
        """One step of training: the predictions and the loss before it.

        A replayed step leaves no gradients behind: they were used and their memory is another's.
        """
        optimizer = self.model.optimizer
        if self.eagerly or type(optimizer).apply is not Optimizer.apply:
            found = self.model._train_step(x, y, weights, *optimizer.moment())
        else:
            self._look()
            found = self.training(x, y, weights, *optimizer.moment())
        optimizer._step += 1
        return found

    def test(self, x: Any, y: Any, weights: Any) -> Any:
        """The predictions and the loss."""
        if self.eagerly:
            return self.model._test_step(x, y, weights)
        self._look()
        return self.testing(x, y, weights)

    def predict(self, x: Any) -> Any:
        """The predictions."""
        if self.eagerly:
            return self.model._predict_step(x)
        self._look()
        return self.predicting(x)

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
        if self._changes != config.changes:
            settings = self.model.settings()
            if settings != self._settings:
                for replay in (self.training, self.testing, self.predicting):
                    replay.forget()
                self._settings = settings
            self._changes = config.changes


# -- what is recorded: functions that know their model weakly ----------------------------------------------


def _train(of: Any, *args: Any) -> Any:
    try:
        return of()._train_step(*args)
    finally:
        of().zero_grad()


def _test(of: Any, *args: Any) -> Any:
    return of()._test_step(*args)


def _predict(of: Any, x: Any) -> Any:
    return of()._predict_step(x)


def _weights(of: Any) -> list[Cell]:
    return [TensorCell(weight) for weight in of().weights]


def _trained(of: Any) -> list[Cell]:
    return [*_weights(of), *(EntryCell(state, slot) for state in of().optimizer._state for slot in state)]
