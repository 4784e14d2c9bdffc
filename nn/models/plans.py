"""How a model's steps are run: which are replayed, with which state, and when they are recorded anew."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import repeat
from operator import attrgetter, is_not
from typing import TYPE_CHECKING, Any

from autograd_core.replay import Program, Replay, freeze
from autograd_core.replay.freeze import Frozen, Identity, version
from autograd_core.replay.state import SharedLock
from autograd_core.tensor import Tensor

from .. import config, device
from ..optimizers.optimizer import Optimizer
from . import recorded

if TYPE_CHECKING:
    from ..callbacks.callback import Callback
    from .training_step import TrainingStep

_grad = attrgetter("node.grad")

# For how many different settings of a model there are recordings at a time.
KEPT = 4

ADVICE = (
    "; if it always computes the same from its arguments, its weights and its attributes, say so: @nn.pure, or "
    "compile(jit_compile=True)"
)


class Plan:
    """How a model's steps are run under some settings: each as a program, or op by op, and why."""

    def __init__(self, plans: Plans, model: Frozen, loss: Frozen, optimizer: Frozen, variables: Sequence[Tensor]):
        self.key = key_of(model, loss, optimizer, variables)
        self.variables = variables
        of, name = plans.of, repr(plans.model.name)
        own, all_ = recorded.weights_of, recorded.state_of
        # Predictions, the gradient and the update are judged each by itself.
        predicting = plans.replay(recorded.prediction, (of,), own, f"the prediction of {name}", model)
        testing = plans.replay(recorded.evaluation, (of,), own, f"the evaluation of {name}", model, loss)
        gradient = plans.replay(recorded.gradient_alone, (of,), own, f"the gradient of {name}", model, loss)
        self.predicting = predicting or partial(recorded.prediction, of)
        self.testing = testing or partial(recorded.evaluation, of)
        self.gradient = gradient or partial(recorded.gradient, of)
        self.update = plans.replay(recorded.update, (of, variables), all_, f"the update of {name}", optimizer)
        # Where both halves of a training step are programs they are one.
        self.training: Replay | None = None
        if gradient is not None and self.update is not None:
            parts = model, loss, optimizer
            self.training = plans.replay(recorded.training, (of,), all_, f"the training step of {name}", *parts)
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


class Plans:
    """The plans for a model's steps: one is followed at a time.

    What was recorded holds for the settings of all that the model is made of: with a new rate of a Dropout, a
    frozen layer or another optimizer the steps are recorded again. Those of a few settings are kept, so that a
    layer may be frozen and thawed in turns, as for adversarial networks.
    """

    def __init__(self, model: TrainingStep, eagerly: bool, trusting: bool):
        self.of = weakref.ref(model)  # the model owns this: no cycle, so its memory goes when it goes
        self.settings = eagerly, trusting
        self.kept: list[Plan] = []  # the present one last
        self._lookers = 0  # callbacks that look into the step at hand
        self._lock = SharedLock()
        self._version: Any = None
        self._alive: list[Frozen] = []  # where more decides than is counted
        self._present: Plan | None = None

    @property
    def model(self) -> TrainingStep:
        """The model that these are for."""
        model = self.of()
        assert model is not None
        return model

    @property
    def eagerly(self) -> bool:
        """Whether the layers' own code runs, and leaves gradients in the weights."""
        return self.settings[0] or self._lookers > 0

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
        model, (_, trusting) = self.model, self.settings
        optimizer = freeze.freeze(model.optimizer, "optimizer", trusting)
        if getattr(type(model.optimizer), "apply", None) is not Optimizer.apply and optimizer.foreign is None:
            optimizer.foreign = "optimizer has an apply of its own, which counts steps"
        found = freeze.freeze(model, "", trusting), freeze.freeze(model._loss, "loss", trusting), optimizer
        self._alive, variables = [f for f in found if f.alive], model.trainable_variables
        key = key_of(*found, variables)
        for plan in self.kept:
            if plan.key == key:
                self.kept.remove(plan)
                break
        else:
            plan = Plan(self, *found, variables)
        self.kept = [*self.kept[1 - KEPT :], plan]
        return plan

    def check(self) -> None:
        """Look at all settings before the next step."""
        self._version = None

    # -- looked into -----------------------------------------------------------------------------------

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
                forget_gradients(self.model.trainable_variables)
            self.check()


def forget_gradients(variables: Sequence[Tensor]) -> None:
    """Leave no gradients behind in variables."""
    if any(map(is_not, map(_grad, variables), repeat(None))):  # after a replay there are none
        for v in variables:
            v.node.grad = None
