"""A training: the epochs of a `fit`, validated now and then, until they are over or somebody stops them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..callbacks import CallbackList, History
from ..interrupts import interruptible
from ..progress import Progress
from .arguments import ordered, validate_after
from .batches import Feed
from .runs import EvaluationRun, Logs, TrainingRun

if TYPE_CHECKING:
    from .trainer import Trainer


@dataclass
class Training:
    """What a training is of, and how long it goes on; the fields are as the arguments of `Model.fit`."""

    model: Trainer
    feed: Feed
    validation: Feed | None
    validation_freq: Any
    class_weight: dict[int, float] | None
    epochs: int
    initial_epoch: int
    verbose: int | str

    def __str__(self) -> str:
        weighted = "" if self.class_weight is None else f", classes weighted {self.class_weight}"
        validated = "" if self.validation is None else f", validated on {self.validation}"
        return f"a training of {self.epochs} epochs on {self.feed}{weighted}{validated}"

    def run(self, callbacks: Any) -> History:
        """Train; what was measured is in the history."""
        model, history = self.model, History()
        model.history = history
        given = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
        last = [c for c in given if getattr(c, "last", False)]
        order = [*(c for c in given if c not in last), history, *last]
        told = CallbackList(order, model, epochs=self.epochs, steps=self.feed.steps, verbose=self.verbose)
        model.stop_training = False
        model._steps.together.begin("train_step", lambda: str(self))
        told.tell("on_train_begin", {})
        # Later than asked when a callback has restored an interrupted training.
        first = max([self.initial_epoch, *(getattr(c, "resume_from", 0) for c in told.callbacks)])
        logs: Logs = {}
        with interruptible() as interrupted, model._steps.plans.shown_to(told.callbacks):
            try:
                for epoch in range(first, self.epochs):
                    run, progress = self._begun(epoch, told, interrupted)
                    try:
                        for data in run.over(self.feed):
                            run.took(model.train_step(data))
                    except BaseException:
                        progress.stop()
                        raise
                    logs = self._ended(epoch, run, progress)
                    if model.stop_training or interrupted:
                        break
                if model.optimizer.use_ema and model.optimizer.built:
                    model.optimizer.finalize_variable_values(model.trainable_variables)
                if interrupted and self.verbose not in (0, "0"):
                    print(f"Interrupted. {len(history.epoch)} complete epochs are in the history.", flush=True)
            finally:
                told.tell("on_train_end", logs)
        return history

    def _begun(self, epoch: int, told: CallbackList, interrupted: list[int]) -> tuple[TrainingRun, Progress]:
        """Begin an epoch."""
        self.model.reset_metrics()
        told.tell("on_epoch_begin", epoch, {})
        progress = Progress(self.verbose, self.feed.steps)
        progress.headline(f"Epoch {epoch + 1}/{self.epochs}")
        run = TrainingRun(self.model, told, progress, interrupted)
        run.class_weight = self.class_weight
        return run, progress

    def _ended(self, epoch: int, run: TrainingRun, progress: Progress) -> Logs:
        """End an epoch: validate, show and tell what was measured, unless somebody interrupted it."""
        if run.interrupted:
            progress.stop()
            return run.logs
        logs = ordered(run.logs)
        if self.validation is not None and validate_after(epoch, self.validation_freq):
            logs = ordered(logs | self._validated(self.validation, run.told))
        prefix = f"Epoch {epoch + 1}/{self.epochs} - " if progress.verbose == 2 else ""
        progress.finish(run.steps, logs, prefix)
        run.told.tell("on_epoch_end", epoch, logs)
        return logs

    def _validated(self, validation: Feed, told: CallbackList) -> Logs:
        """What is measured on the data for validation, beside what the metrics have of the training."""
        validation.restart()
        set_aside = [m.set_aside() for m in self.model.metrics]
        run = EvaluationRun(self.model, told)
        for data in run.over(validation):
            run.took(self.model.test_step(data))
        for bring_back in set_aside:
            bring_back()
        return {f"val_{name}": value for name, value in run.logs.items()}
