"""Between a model and the recorder: which steps are replayed, with which state, and when they are recorded anew."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd_core import tree
from autograd_core.mode import no_grad
from autograd_core.replay import Program, Replay, freeze
from autograd_core.replay.freeze import Frozen, Identity, version
from autograd_core.replay.state import EntryRef, SharedLock, StateRef, TensorRef
from autograd_core.tensor import Tensor

from .. import config, device, distributed
from ..interrupts import unbroken
from ..layers.calling import a_step
from ..masks import MASKS, mask_of, set_mask
from ..optimizers.optimizer import Optimizer
from ..tensors import constant, plain
from . import training_step

if TYPE_CHECKING:
    from ..callbacks.callback import Callback
    from .training_step import TrainingStep


ALONE = nullcontext()

# For how many different settings of a model there are recordings at a time.
KEPT = 4

ADVICE = (
    "; if it always computes the same from its arguments, its weights and its attributes, say so: @nn.pure, or "
    "compile(jit_compile=True)"
)


class Plan:
    """How a model's steps are run under some settings: each as a program, or op by op, and why."""

    def __init__(self, steps: Steps, model: Frozen, loss: Frozen, optimizer: Frozen, variables: Sequence[Tensor]):
        self.key = key_of(model, loss, optimizer, variables)
        self.variables = variables
        of, name = steps.of, repr(steps.model.name)
        # Predictions, the gradient and the update are judged each by itself.
        predicting = steps.replay(_predict, (of,), _weights, f"the prediction of {name}", model)
        testing = steps.replay(_test, (of,), _weights, f"the evaluation of {name}", model, loss)
        self.predicting = predicting or partial(_predict, of)
        self.testing = testing or partial(_test, of)
        self.gradient = steps.replay(
            _differentiate_and_forget, (of,), _weights, f"the gradient of {name}", model, loss
        ) or partial(_differentiate, of)
        self.update = steps.replay(_apply, (of, variables), _trained, f"the update of {name}", optimizer)
        # Where both halves of a training step are programs they are one.
        self.training: Replay | None = None
        if isinstance(self.gradient, Replay) and self.update is not None:
            self.training = steps.replay(
                _train, (of,), _trained, f"the training step of {name}", model, loss, optimizer
            )
        # Whether every layer is known, and none is pure on its author's word alone.
        self.known = model.foreign is None and not model.promised
        self.foreign = [f for f in (model.foreign, loss.foreign, optimizer.foreign) if f is not None]

    @property
    def replays(self) -> list[Replay]:
        """Those that are programs, or will be."""
        parts = (self.training, self.gradient, self.update, self.testing, self.predicting)
        return [part for part in parts if isinstance(part, Replay)]


def key_of(model: Frozen, loss: Frozen, optimizer: Frozen, variables: Sequence[Tensor]) -> Any:
    """What a plan is good for."""
    return (*(f.key if f.foreign is None else f.foreign for f in (model, loss, optimizer)), *map(Identity, variables))


class Schedule:
    """What a step of training was recorded as: one program, or one for either half of it.

    `show` is the text of all calls, and says of a half that runs op by op why it does. `profile` takes the arguments
    of the step, `save` draws it.
    """

    def __init__(self, plan: Plan):
        gradient = plan.gradient if isinstance(plan.gradient, Replay) else None
        # What each half of the step is replayed as; where both are ours it is one and the same.
        self.halves = {"gradient": plan.training or gradient, "update": plan.training or plan.update}
        self._parts = list({id(part): part for part in self.halves.values() if part is not None}.values())
        self._foreign = plan.foreign

    @property
    def replayed(self) -> dict[str, bool]:
        """Whether there are programs for the gradient, and for the update."""
        return {half: part is not None and bool(part.programs) for half, part in self.halves.items()}

    @property
    def programs(self) -> list[Program]:
        """The programs so far, one for each shape of a batch."""
        return [program for part in self._parts for program in part.programs]

    def show(self) -> str:
        """The calls of what was recorded last, as text, and what runs op by op."""
        return "\n\n".join([*(f"{what}{ADVICE}" for what in self._foreign), *(part.show() for part in self._parts)])

    def profile(self, *args: Any, runs: int = 5) -> str:
        """How long each kind of call takes, of a step with x, y, weights and ``*optimizer.rate_and_step()``."""
        return self._whole().profile(*args, runs=runs)

    def save(self, path: Any, graph: Any = None) -> None:
        """Write a page that draws the schedule and its buffers; RuntimeError while there is no program."""
        self._whole().save(path, graph)

    def forget(self) -> None:
        """Drop what was recorded."""
        for part in self._parts:
            part.forget()

    def _whole(self) -> Replay:
        if len(self._parts) != 1 or self._foreign:
            raise RuntimeError(f"the step is no single program: {self.show()}")
        return self._parts[0]


class Steps:
    """A model's steps, each a function of arrays that is recorded once and replayed if all of it is known.

    What was recorded holds for the settings of all that the model is made of: with a new rate of a Dropout, a
    frozen layer or another optimizer the steps are recorded again. Those of a few settings are kept, so that a
    layer may be frozen and thawed in turns, as for adversarial networks.
    """

    def __init__(self, model: TrainingStep, eagerly: bool = False, trusting: bool = False):
        self.of = weakref.ref(model)  # the model owns this: no cycle, so its memory goes when it goes
        self._eagerly, self._trusting = eagerly, trusting
        self._lookers = 0  # callbacks that look into the step at hand
        self._lock = SharedLock()
        self._version: Any = None
        self._alive: list[Frozen] = []  # where more decides than is counted
        self.share: distributed.Whole | distributed.Share = distributed.WHOLE  # of the batch at hand
        self._synchronised = False
        self._communicating: set[Any] = set()  # steps that need the other processes in their middle
        self._plans: list[Plan] = []  # the present one last
        self._present: Plan | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Steps:
        """A copied model records steps of its own."""
        return Steps(memo[id(self.model)], self._eagerly, self._trusting)

    def __reduce__(self) -> Any:
        return Steps, (self.model, self._eagerly, self._trusting)

    @property
    def model(self) -> TrainingStep:
        """The model that these are the steps of."""
        model = self.of()
        assert model is not None
        return model

    @property
    def eagerly(self) -> bool:
        """Whether the layers' own code runs, and leaves gradients in the weights."""
        return self._eagerly or self._lookers > 0

    @property
    def unseen(self) -> bool:
        """Whether nobody sees what a step is given: all layers are known, replayed or not, and none looks inside."""
        return self._lookers == 0 and device.is_cpu() and self.model.built and self.plan.known

    def replay(self, function: Any, first: tuple[Any, ...], state: Any, name: str, *parts: Frozen) -> Replay | None:
        """A function that is replayed, if all parts of it are known."""
        if any(part.foreign is not None for part in parts):
            return None
        strict = any(part.promised for part in parts)
        whole = partial(freeze.promised, function, *first) if strict else partial(function, *first)
        return Replay(whole, partial(state, self.of), name, self._lock, config.get_numba(), strict)

    # -- which steps there are -------------------------------------------------------------------------

    def current(self) -> Plan | None:
        """The plan to follow, or None where the layers' own code runs: on demand, unbuilt, and on other devices."""
        if self._version == version():
            for frozen in self._alive:
                if not frozen.holds():
                    break
            else:
                return self._present
        self._version, self._alive = version(), []
        self._present = None if self.eagerly or not self.model.built or not device.is_cpu() else self._planned()
        return self._present

    @property
    def plan(self) -> Plan:
        """How steps are run where they may be replayed."""
        return self.current() or self._planned()

    def _planned(self) -> Plan:
        """The plan for the present settings."""
        model, trusting = self.model, self._trusting
        optimizer = freeze.freeze(model.optimizer, "optimizer", trusting)
        if getattr(type(model.optimizer), "apply", None) is not Optimizer.apply and optimizer.foreign is None:
            optimizer.foreign = "optimizer has an apply of its own, which counts steps"
        found = freeze.freeze(model, "", trusting), freeze.freeze(model._loss, "loss", trusting), optimizer
        self._alive, variables = [f for f in found if f.alive], model.trainable_variables
        key = key_of(*found, variables)
        for plan in self._plans:
            if plan.key == key:
                self._plans.remove(plan)
                break
        else:
            plan = Plan(self, *found, variables)
        self._plans = [*self._plans[1 - KEPT :], plan]
        return plan

    def check(self) -> None:
        """Look at all settings before the next step."""
        self._version = None

    # -- running them ----------------------------------------------------------------------------------

    def train(self, x: Any, y: Any, weights: Any) -> Any:
        """Forward, loss, backward and update: the predictions, and the loss before the update.

        A step leaves no gradients behind, replayed or not, so that who looks for them finds the same: they were used,
        and the memory of replayed ones is another's. ``run_eagerly``, and another device, keep them.
        """
        if not self.share.alone:
            return self._train_together(x, y, weights)
        plan = self.current()
        if plan is None:
            y_pred, loss, gradients = _differentiate(self.of, x, y, weights)
            self._update(gradients)
            if not self.eagerly and device.is_cpu():
                self._forget_gradients(self.model.trainable_variables)
            return _unpacked(y_pred), loss
        try:
            if plan.training is None:
                with unbroken():
                    y_pred, loss, gradients = plan.gradient(x, y, weights)
                self._update(gradients, plan)
                return _unpacked(y_pred), loss
            optimizer = self.model.optimizer
            with unbroken():
                y_pred, loss = plan.training(x, y, weights, *optimizer.rate_and_step())
                if plan.variables:  # or else there was no update to count
                    optimizer._step[...] += 1
            return _unpacked(y_pred) if type(y_pred) is Masked else y_pred, loss
        finally:
            self._forget_gradients(plan.variables)

    @staticmethod
    def _forget_gradients(variables: Sequence[Tensor]) -> None:
        for v in variables:
            if v.node.grad is not None:
                v.node.grad = None

    def _update(self, gradients: list[Any], plan: Plan | None = None) -> None:
        """Change the weights by their gradients, where there are any to change."""
        optimizer, variables = self.model.optimizer, self.model.trainable_variables
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
            self.check()  # a model of one's own may have any idea of what its variables are
            plan = self.plan
        assert plan.update is not None
        with unbroken():
            plan.update(*optimizer.rate_and_step(), gradients)
            optimizer._step[...] += 1

    def test(self, x: Any, y: Any, weights: Any) -> Any:
        """Forward and loss: the predictions and the loss."""
        if not self.share.alone:
            self._meet(f"an evaluation of {self.share.examples(x)} examples", x)
            y_pred, loss = self._shared(_test, "testing", x, y, weights)
            return _unpacked(y_pred), constant(distributed.total_of([plain(loss)])[0])
        plan = self.current()
        y_pred, loss = _test(self.of, x, y, weights) if plan is None else plan.testing(x, y, weights)
        return _unpacked(y_pred), loss

    def predict(self, x: Any) -> Any:
        """Forward: the predictions."""
        if not self.share.alone:
            self._meet(f"a prediction for {self.share.examples(x)} examples", x)
            return self.share.gathered(self._shared(_predict, "predicting", x))
        plan = self.current()
        return _predict(self.of, x) if plan is None else plan.predicting(x)

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

    def _shared(self, function: Any, part: str, *args: Any) -> Any:
        """Run a function on this process's share, replayed unless it needs the others before it is done.

        When a step is recorded and compared is for each process to decide, so it must not make another one wait. The
        first step of all runs as it is, and shows which it is.
        """
        if self.eagerly or function in self._communicating:
            return function(self.of, *args, self.share)
        found, communicated = distributed.communicates(lambda: getattr(self.plan, part)(*args, self.share))
        if communicated:
            self._communicating.add(function)
        return found

    def _train_together(self, x: Any, y: Any, weights: Any) -> Any:
        """A training step on a share of a batch: all gradients are summed between its two halves."""
        rate = self.model.optimizer.learning_rate
        self._meet(f"a training step on {self.share.examples(x)} examples at a learning rate of {rate}", x)
        y_pred, loss, gradients = self._shared(_differentiate, "gradient", x, y, weights)
        loss, *gradients = distributed.total_of([plain(loss), *gradients])
        self._update(gradients, None if self.eagerly else self.plan)
        return _unpacked(y_pred), constant(loss)

    @contextmanager
    def shown_to(self, callbacks: Iterable[Callback]) -> Iterator[None]:
        """Run eagerly inside a ``with`` block if one of these callbacks looks at what a step computes inside."""
        with self.looked_into() if any(callback.eager for callback in callbacks) else nullcontext():
            yield

    @contextmanager
    def looked_into(self) -> Iterator[None]:
        """Run the layers' own code inside a ``with`` block, and leave gradients in the weights until its end."""
        self._lookers += 1
        self.check()
        try:
            yield
        finally:
            self._lookers -= 1
            if not self.eagerly and device.is_cpu():
                self._forget_gradients(self.model.trainable_variables)
            self.check()


# -- what is recorded: functions that know their model weakly ----------------------------------------------


def _differentiate(of: Any, x: Any, y: Any, weights: Any, share: Any = ALONE) -> Any:
    with share:
        y_pred, loss, gradients = training_step.differentiate(of(), x, y, weights)
    return _packed(y_pred), _without_graph(loss), gradients


class Masked(NamedTuple):
    """Predictions and their masks, which a replay gives as it gives any arrays."""

    values: Any
    mask: Any


def _packed(y_pred: Any) -> Any:
    values, mask = _without_graph(y_pred), mask_of(y_pred) if MASKS else None
    return Masked(values, mask) if tree.leaves(mask) else values


def _unpacked(found: Any) -> Any:
    if type(found) is not Masked:
        return found
    set_mask(found.values, found.mask)
    return found.values


def _without_graph(value: Any) -> Any:
    return tree.map(lambda leaf: constant(leaf.data) if isinstance(leaf, Tensor) else leaf, value)


def _differentiate_and_forget(of: Any, *args: Any) -> Any:
    try:
        return _differentiate(of, *args)
    finally:
        of().zero_grad()


def _apply(of: Any, variables: Any, learning_rate: Any, step: Any, gradients: Any) -> None:
    training_step.update(of(), variables, learning_rate, step, gradients)


def _train(of: Any, x: Any, y: Any, weights: Any, learning_rate: Any, step: Any) -> Any:
    try:
        y_pred, loss, gradients = _differentiate(of, x, y, weights)
        if gradients:
            _apply(of, of().trainable_variables, learning_rate, step, gradients)
        return y_pred, loss
    finally:
        of().zero_grad()


def _test(of: Any, x: Any, y: Any, weights: Any, share: Any = ALONE) -> Any:
    with share, no_grad(), a_step(training=False):
        model = of()
        y_pred = model(x, training=False)
        return _packed(y_pred), training_step.loss_of(model, x, y, y_pred, weights, training=False)


def _predict(of: Any, x: Any, share: Any = ALONE) -> Any:
    with share, no_grad():
        y = of()(x, training=False)
    return tree.map(plain, y)


def _weights(of: Any) -> list[StateRef]:
    model = of()
    carried = [state for layer in model.walk_layers() for state in layer._carried]
    return [TensorRef(weight) for weight in (*model.weights, *carried)]


def _trained(of: Any) -> list[StateRef]:
    return [*_weights(of), *(EntryRef(state, slot) for state in of().optimizer._state for slot in state)]
