"""A model's steps as they are run: replayed or op by op, alone or together with other processes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import device, distributed
from ..interrupts import unbroken
from ..tensors import constant, plain
from . import recorded, training_step
from .plans import Plan, Plans, forget_gradients

if TYPE_CHECKING:
    from .training_step import TrainingStep


class Steps:
    """The steps of a model, each a function of arrays."""

    def __init__(self, model: TrainingStep, eagerly: bool = False, trusting: bool = False):
        self.plans = Plans(model, eagerly, trusting)
        self.together = Together(self.plans)
        self.share: distributed.Whole | distributed.Share = distributed.WHOLE  # of the batch at hand

    def __deepcopy__(self, memo: dict[int, Any]) -> Steps:
        """A copied model records steps of its own."""
        return Steps(memo[id(self.plans.model)], *self.plans.settings)

    def __reduce__(self) -> Any:
        return Steps, (self.plans.model, *self.plans.settings)

    def train(self, x: Any, y: Any, weights: Any) -> Any:
        """Forward, loss, backward and update: the predictions, and the loss before the update.

        A step leaves no gradients behind, replayed or not, so that who looks for them finds the same: they were used,
        and the memory of replayed ones is another's. ``run_eagerly``, and another device, keep them.
        """
        if not self.share.alone:
            y_pred, loss, gradients = self.together.gradient(self.share, x, y, weights)
            self._update(gradients, None if self.plans.eagerly else self.plans.plan)
            return recorded.unpacked(y_pred), loss
        plan = self.plans.current()
        if plan is None:
            y_pred, loss, gradients = recorded.gradient(self.plans.of, x, y, weights)
            self._update(gradients)
            if not self.plans.eagerly and device.is_cpu():
                forget_gradients(self.plans.model.trainable_variables)
            return recorded.unpacked(y_pred), loss
        try:
            if plan.training is None:
                with unbroken():
                    y_pred, loss, gradients = plan.gradient(x, y, weights)
                self._update(gradients, plan)
                return recorded.unpacked(y_pred), loss
            optimizer = self.plans.model.optimizer
            with unbroken():
                rate, step = optimizer.rate_and_step()
                y_pred, loss = plan.training(x, y, weights, rate, step)
                if plan.variables:  # or else there was no update to count
                    optimizer._step[()] = step
            return recorded.unpacked(y_pred) if type(y_pred) is recorded.Masked else y_pred, loss
        finally:
            forget_gradients(plan.variables)

    def _update(self, gradients: list[Any], plan: Plan | None = None) -> None:
        """Change the weights by their gradients, where there are any to change."""
        optimizer, variables = self.plans.model.optimizer, self.plans.model.trainable_variables
        if not variables:
            return
        if plan is None or plan.update is None:
            for v, gradient in zip(variables, gradients, strict=True):
                if v.grad is not gradient:  # a rule of one's own may look there
                    v.grad = None
                    if gradient is not None:
                        v.backward(gradient)
            with unbroken():
                optimizer.apply(gradients, variables)
            return
        if len(variables) != len(plan.variables) or any(map(operator.is_not, variables, plan.variables)):
            self.plans.check()  # a model of one's own may have any idea of what its variables are
            plan = self.plans.plan
        assert plan.update is not None
        with unbroken():
            rate, step = optimizer.rate_and_step()
            plan.update(rate, step, gradients)
            optimizer._step[()] = step

    def test(self, x: Any, y: Any, weights: Any) -> Any:
        """Forward and loss: the predictions and the loss."""
        if not self.share.alone:
            y_pred, loss = self.together.testing(self.share, x, y, weights)
        else:
            plan = self.plans.current()
            test = partial(recorded.evaluation, self.plans.of) if plan is None else plan.testing
            y_pred, loss = test(x, y, weights)
        return recorded.unpacked(y_pred), loss

    def predict(self, x: Any) -> Any:
        """Forward: the predictions."""
        if not self.share.alone:
            return self.together.predicting(self.share, x)
        plan = self.plans.current()
        return recorded.prediction(self.plans.of, x) if plan is None else plan.predicting(x)


class Together:
    """Steps of several processes, each of which computes a share of a batch."""

    def __init__(self, plans: Plans):
        self.plans = plans
        self._synchronised = False
        self._communicating: set[Any] = set()  # steps that need the other processes in their middle

    def has_own(self, step: str) -> bool:
        """Whether a class of one's own says itself what a step is."""
        return getattr(type(self.plans.model), step) is not getattr(training_step.TrainingStep, step)

    def refuse_own(self, step: str) -> None:
        """Raise where several processes meet a step of one's own, which knows nothing of the others' gradients."""
        if distributed.size() > 1 and self.has_own(step):
            raise ValueError(
                f"{type(self.plans.model).__name__} has a {step} of its own, and several processes share a step only "
                "if it is the model's; train in one process, or leave it out"
            )

    def begin(self, step: str, doing: Callable[[], str]) -> None:
        """Before steps on all data: look closely at all settings, and begin with what the first process has."""
        self.refuse_own(step)
        self.plans.check()
        if distributed.size() == 1:
            return
        distributed.agree(doing())
        distributed.synchronise(self.plans.model)
        self._synchronised = self.plans.model.built  # or else again, when its weights have been made

    def _meet(self, doing: str, x: Any) -> None:
        """Wait for the other processes, which must be about to do the same to the same model."""
        if not device.is_cpu():
            raise ValueError(
                f"several processes add up their gradients in the CPU's memory, and this one computes on "
                f'{device.get_device()!r}; call nn.set_device("cpu"), or train in one process'
            )
        distributed.agree(doing)
        if not self._synchronised:
            distributed.build(self.plans.model, x)
            distributed.synchronise(self.plans.model)
            self._synchronised = True

    def gradient(self, share: Any, x: Any, y: Any, weights: Any) -> Any:
        """The predictions for a share of a batch, and the loss and the gradients of all of it, which are summed."""
        rate = self.plans.model.optimizer.learning_rate
        self._meet(f"a training step on {share.examples(x)} examples at a learning rate of {rate}", x)
        y_pred, loss, gradients = self._shared(share, recorded.gradient, "gradient", x, y, weights)
        loss, *gradients = distributed.total_of([plain(loss), *gradients])
        return y_pred, constant(loss), gradients

    def testing(self, share: Any, x: Any, y: Any, weights: Any) -> Any:
        """The predictions for a share of a batch, and the loss of all of it."""
        self._meet(f"an evaluation of {share.examples(x)} examples", x)
        y_pred, loss = self._shared(share, recorded.evaluation, "testing", x, y, weights)
        return y_pred, constant(distributed.total_of([plain(loss)])[0])

    def predicting(self, share: Any, x: Any) -> Any:
        """The predictions for a whole batch."""
        self._meet(f"a prediction for {share.examples(x)} examples", x)
        return share.gathered(self._shared(share, recorded.prediction, "predicting", x))

    def _shared(self, share: Any, function: Any, part: str, *args: Any) -> Any:
        """Run a function on this process's share, replayed unless it needs the others before it is done.

        When a step is recorded and compared is for each process to decide, so it must not make another one wait. The
        first step of all runs as it is, and shows which it is.
        """
        if self.plans.eagerly or function in self._communicating:
            return function(self.plans.of, *args, share)
        found, communicated = distributed.communicates(lambda: getattr(self.plans.plan, part)(*args, share))
        if communicated:
            self._communicating.add(function)
        return found
