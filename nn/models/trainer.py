"""Training, evaluation and prediction: what `Model` does with data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.arrays import in_numpy, to_numpy
from autograd_core.replay import freeze

from .. import checks, config, distributed, losses, metrics, optimizers
from ..callbacks import CallbackList, History
from ..interrupts import interruptible
from ..layers.layer import Layer
from ..progress import Progress
from ..tensors import plain
from .arguments import (
    as_loss,
    as_loss_weight,
    as_metrics,
    by_class,
    check_class_weight,
    check_frequency,
    one_batch,
    ordered,
    split,
    unique_names,
    validate_after,
    validation_feed,
)  # fmt: skip
from .batches import Feed, arrays_of, batches, cut, length_of, refuse_nan
from .executions import Executions
from .joining import batches_at_once
from .outputs import MetricsOfOutputs, Outputs
from .steps import Schedule, Steps
from .training_step import Logs, TrainingStep


class Trainer(TrainingStep):
    """The part of a model that learns from data."""

    untracked = (Layer.untracked or frozenset()) | {
        "stop_training", "stop_evaluating", "stop_predicting", "steps_per_execution", "history", "compiled",
        "_steps", "loss", "_compiled_with",
        # judged by themselves, or no part of a step
        "optimizer", "_loss", "_outputs", "_metrics", "_weighted_metrics", "_loss_mean",
    }  # fmt: skip

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.optimizer: Any = None
        self.loss: Any = None
        self.compiled = False
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.steps_per_execution = 1
        self.history: Any = None
        self._loss: losses.Loss | Outputs | None = None
        self._outputs: Outputs | None = None  # the losses, where they are of several outputs
        self._metrics: Any = []
        self._weighted_metrics: Any = []
        self._loss_mean = metrics.Mean("loss")
        self._steps = Steps(self)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in ("optimizer", "_loss"):  # no settings of the model, and what its steps are made of
            freeze.assigned(self, name)

    # -- how to train ----------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
    ) -> None:
        """Say how to train. Compiling again keeps the weights.

        A step is recorded once for each shape of a batch and then replayed (see `autograd_core.replay`), as far as
        it is made of layers, losses and optimizers of this package: the gradient and the update each for itself.
        Code of your own runs as it is.

        Parameters
        ----------
        optimizer : str or Optimizer
            A name or an `Optimizer`.
        loss : str, callable or Loss, optional
            A name, a `Loss`, or a function of targets and predictions; None for a model with a `compute_loss` of its
            own, or whose layers add all there is. For several outputs one for all, a list in their order, or a dict by
            their names; None for an output without a loss.
        loss_weights : float, list or dict, optional
            By how much the loss is multiplied, a number; None: 1. For several outputs a list or dict.
        metrics, weighted_metrics : sequence of metrics, optional
            Lists of names, functions and instances of `Metric`; the second take ``sample_weight`` and
            ``class_weight`` into account. For several outputs a list or dict of such lists.
        run_eagerly : bool
            Whether the layers' own code runs every time, to print or to debug in it; gradients are then left in the
            weights' ``.grad``. It wins over ``jit_compile``.
        steps_per_execution : int
            After how many batches callbacks are told of them, the progress is shown and ``stop_training`` is looked at.
        jit_compile : bool or str
            "auto" replays what is this package's. True is your word that your own code is pure, so that it is
            replayed too: live are the data, the weights, and what is assigned to attributes of layers, losses,
            regularizers and optimizers; whatever else it reads stays as it was, as under ``jax.jit``, and ``if x >
            0`` is an error that names the line. `nn.pure` says so of a single function or class. False replays
            nothing.

        Raises
        ------
        ValueError, TypeError
            For what is no optimizer, loss, metric or ``jit_compile``, and ``steps_per_execution`` below 1.
        """
        if not (isinstance(jit_compile, bool) or jit_compile == "auto"):
            raise ValueError(f"jit_compile: expected 'auto', True or False, got {jit_compile!r}")
        every = checks.whole(steps_per_execution, "steps_per_execution", 1)
        if optimizer is None:
            raise ValueError('optimizer: expected one, such as "rmsprop", got None')
        names = self._names_of_outputs()
        found = as_loss(loss, loss_weights, names, self._structure_of_outputs())
        several = found if isinstance(found, Outputs) else None
        new = (
            optimizers.get(optimizer),
            found,
            *(
                MetricsOfOutputs(given, several, what, as_metrics) if several else as_metrics(given, what, names)
                for given, what in ((metrics, "metrics"), (weighted_metrics, "weighted_metrics"))
            ),
            None if several else as_loss_weight(loss_weights),
        )
        self.optimizer, self._loss, self._metrics, self._weighted_metrics, self.loss_weights = new
        self.loss, self._outputs = loss, several
        self._steps = Steps(self, run_eagerly or jit_compile is False, jit_compile is True)
        self.compiled = True
        self.steps_per_execution = every
        self._compiled_with = {
            "optimizer": self.optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": every,
            "jit_compile": jit_compile,
        }

    def get_compile_config(self) -> dict[str, Any]:
        """What the model was compiled with, as plain data; functions by their names."""
        return {name: config.serialize(value) for name, value in self._compiled_with.items()}

    def _check_compiled(self) -> None:
        if not self.compiled:
            raise RuntimeError(
                f"{self.name!r} is not compiled, so it has no optimizer and no loss; call "
                "model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy']) first"
            )

    @property
    def metrics(self) -> list[Any]:
        """The metrics, the mean loss first and those in attributes of the model and its layers last."""
        if not self.compiled:
            return super().metrics
        if self._outputs is not None:
            own = [*self._outputs.means, *self._metrics.flat, *self._weighted_metrics.flat]
        else:
            own = [*self._metrics, *self._weighted_metrics]
        return [self._loss_mean, *own, *super().metrics]

    @property
    def metrics_names(self) -> list[str]:
        """What the values of `metrics` are called, each by a name of its own: ``accuracy``, ``accuracy_1``."""
        return self._names_of_metrics(self.metrics)

    def _names_of_metrics(self, metrics: Sequence[Any]) -> list[str]:
        names = [m.name for m in metrics]
        weighted = self._weighted_metrics
        if self._outputs is not None:
            own = [*self._metrics.names, *weighted.names_beside(self._metrics.names)]
            begin = 1 + len(self._outputs.means)
            names[begin : begin + len(own)] = own
            weighted = weighted.flat
        return names if len(set(names)) == len(names) else unique_names(names, len(weighted))

    def _structure_of_outputs(self) -> Any:
        """What the model gives, where that is written down."""
        return None

    def _names_of_outputs(self) -> list[str] | None:
        """What the outputs are called, where that is known before the first call."""
        return None

    def reset_metrics(self) -> None:
        """Begin all averages again."""
        for m in self.metrics:
            m.reset_state()

    def zero_grad(self) -> None:
        """Forget the gradients, before the next ``loss.backward()`` adds to them."""
        for w in self.weights:
            w.grad = None

    @property
    def schedule(self) -> Schedule:
        """What a step of training was recorded as: `show()` prints it, `profile(x, y, …)` tells where the time goes.

        The arguments of `profile` are those of a step: inputs, targets, weights (or None), and
        ``*model.optimizer.rate_and_step()``.
        """
        return Schedule(self._steps.plan)

    # -- fit -------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Any = 1,
    ) -> History:
        """Train, and return what was measured.

        Batches become float32 one at a time. Ctrl-C ends the training after the batch at hand, with the model and
        the history of the complete epochs left in order.

        Parameters
        ----------
        x : array_like, optional
            An array, a list of arrays for a model of several inputs, or anything that gives batches of ``(x, y)`` or
            ``(x, y, weights)``: an iterable, or a sequence of them.
        y : array_like, optional
            The targets beside arrays, with an example for each of ``x``.
        batch_size : int, optional
            How many examples of the arrays make a step; None for 32.
        epochs : int
            The number of the epoch to end after, so how many there are from ``initial_epoch`` = 0 on.
        verbose : int or str
            0 for silence, 1 for a bar, 2 for a line per epoch, or "auto".
        callbacks : sequence of Callback, optional
            Instances of `Callback`, or a list of them.
        validation_split : float
            The share of the arrays, their end before shuffling, to validate on; from 0 to below 1.
        validation_data : tuple, optional
            ``(x, y)`` or ``(x, y, weights)`` to validate on, or anything that gives batches of these.
        shuffle : bool
            Whether the arrays are shuffled before each epoch.
        class_weight : dict of int to float, optional
            From class numbers to how much their examples count.
        sample_weight : array_like, optional
            How much each example counts, a number for each; None: all the same.
        initial_epoch : int
            The number of the first epoch, from 0 on.
        steps_per_epoch : int, optional
            How many batches make an epoch; None for all.
        validation_steps : int, optional
            How many batches to validate on; None for all.
        validation_batch_size : int, optional
            None for ``batch_size``.
        validation_freq : int or sequence of int
            After how many epochs to validate, or a list of the epochs to validate after, counted from 1.

        Returns
        -------
        History
            ``history.history`` maps each name to a list with a value per epoch.

        Raises
        ------
        RuntimeError
            Before `compile`.
        ValueError
            For data whose shapes do not fit or that hold NaN, numbers out of range, and data that give no batch.
        TypeError
            For what gives no batches, and what is no callback.
        """
        self._check_compiled()
        if not isinstance(epochs, int | np.integer) or epochs < 0:
            raise ValueError(f"epochs: expected a whole number, got {epochs!r}")
        initial_epoch = checks.whole(initial_epoch, "initial_epoch")
        check_frequency(validation_freq)
        check_class_weight(class_weight)
        if validation_split and validation_data is None:
            x, y, sample_weight, validation_data = split(x, y, sample_weight, validation_split)
        feed = batches(x, y, sample_weight, batch_size, steps_per_epoch, shuffle)
        validation = None
        if validation_data is not None:
            size = validation_batch_size or batch_size
            validation = validation_feed(validation_data, size, validation_steps)
        history = History()
        self.history = history
        given = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
        last = [c for c in given if getattr(c, "last", False)]
        told = CallbackList(
            [*(c for c in given if c not in last), history, *last],
            self,
            epochs=epochs,
            steps=feed.steps,
            verbose=verbose,
        )
        self.stop_training = False
        self._refuse_own("train_step")
        self._steps.begin(
            lambda: (
                f"a training of {epochs} epochs on {feed}"
                + (f", classes weighted {class_weight}" if class_weight is not None else "")
                + (f", validated on {validation}" if validation is not None else "")
            )
        )
        told.tell("on_train_begin", {})
        logs: Logs = {}
        with interruptible() as interrupted, self._steps.shown_to(told.callbacks):
            try:
                for epoch in range(max(initial_epoch, self._first_epoch(told, initial_epoch)), epochs):
                    self.reset_metrics()
                    told.tell("on_epoch_begin", epoch, {})
                    progress = Progress(verbose, feed.steps)
                    progress.headline(f"Epoch {epoch + 1}/{epochs}")
                    try:
                        steps, logs = self._train_epoch(feed, class_weight, told, progress, interrupted)
                    except BaseException:
                        progress.stop()
                        raise
                    if interrupted:
                        progress.stop()
                        break
                    logs = ordered(logs)
                    if validation is not None and validate_after(epoch, validation_freq):
                        validation.restart()
                        measured = self._evaluate(validation, told)
                        logs = ordered(logs | {f"val_{k}": v for k, v in measured.items()})
                    prefix = f"Epoch {epoch + 1}/{epochs} - " if progress.verbose == 2 else ""
                    progress.finish(steps, logs, prefix)
                    told.tell("on_epoch_end", epoch, logs)
                    if self.stop_training or interrupted:
                        break
                if self.optimizer.use_ema and self.optimizer.built:
                    self.optimizer.finalize_variable_values(self.trainable_variables)
                if interrupted and verbose not in (0, "0"):
                    print(f"Interrupted. {len(history.epoch)} complete epochs are in the history.", flush=True)
            finally:
                told.tell("on_train_end", logs)
        return history

    def _first_epoch(self, told: CallbackList, initial_epoch: int) -> int:
        """Where to begin: later than asked when a callback has restored an interrupted training."""
        return max([initial_epoch, *(getattr(c, "resume_from", 0) for c in told.callbacks)])

    def _train_epoch(
        self, feed: Feed, class_weight: Any, told: CallbackList, progress: Progress, interrupted: list[int]
    ) -> tuple[int, Logs]:
        """How many steps were made, and what was measured."""
        running = Executions(told, "train", self.steps_per_execution, progress, lambda: self.stop_training, interrupted)
        for x, y, weights, share in running.over(feed):
            refuse_nan(x, "x")
            refuse_nan(y, "y")
            if weights is not None:
                refuse_nan(weights, "sample_weight")
            if class_weight is not None:
                weights = by_class(y, class_weight, weights)
            self._steps.share = share
            running.logs = measured(self.train_step(packed(x, y, weights)), "train_step")
        return running.steps, running.logs

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step on one batch; its loss and metrics are those before the step.

        Parameters
        ----------
        x, y : array_like
            Inputs and targets, arrays with the examples along their first axis.
        sample_weight : array_like, optional
            How much each example counts, a number for each; None: all the same.
        class_weight : dict, optional
            From class numbers to how much their examples count.
        return_dict : bool
            Whether to return a dict from names to values.

        Returns
        -------
        float, list or dict
            The loss; a list with the metrics after it where there are any.

        Raises
        ------
        RuntimeError
            Before `compile`.
        ValueError
            For arrays whose shapes do not fit, and NaN in them.
        """
        self._check_compiled()
        x, y, weights, share = one_batch(x, y, sample_weight)
        if not share.alone:
            self._refuse_own("train_step")
        self._steps.share = share
        refuse_nan(x, "x")
        refuse_nan(y, "y")
        if weights is not None:
            refuse_nan(weights, "sample_weight")
        if class_weight is not None:
            check_class_weight(class_weight)
            weights = by_class(y, class_weight, weights)
        self.reset_metrics()
        return returned(measured(self.train_step(packed(x, y, weights)), "train_step"), return_dict)

    # -- evaluate and predict --------------------------------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on data, without a step.

        Parameters
        ----------
        x, y
            As in `fit`.
        batch_size : int, optional
            How many examples are taken at a time; None for 32.
        verbose : int or str
            0 for silence, 1 for a bar, 2 for a line, or "auto".
        sample_weight : array_like, optional
            How much each example counts, a number for each; None: all the same.
        steps : int, optional
            How many batches to take; None for all.
        callbacks : sequence of Callback, optional
            Instances of `Callback`, told of the batches.
        return_dict : bool
            Whether to return a dict from names to values.

        Returns
        -------
        float, list or dict
            The mean loss; a list with the metrics after it where there are any.

        Raises
        ------
        RuntimeError, ValueError, TypeError
            Where `fit` does.
        """
        self._check_compiled()
        feed = batches(x, y, sample_weight, batch_size, steps)
        progress = Progress(verbose, feed.steps)
        told = CallbackList(callbacks or [], self)
        self._refuse_own("test_step")
        self._steps.begin(lambda: f"an evaluation of {feed}")
        return returned(self._evaluate(feed, told, progress), return_dict)

    def _evaluate(self, feed: Feed, told: CallbackList, progress: Progress | None = None) -> Logs:
        set_aside = [m.set_aside() for m in self.metrics] if progress is None else []
        self.reset_metrics()
        self.stop_evaluating = False
        told.tell("on_test_begin", {})
        running = Executions(told, "test", self.steps_per_execution, progress, lambda: self.stop_evaluating)
        for x, y, weights, self._steps.share in running.over(feed):
            running.logs = measured(self.test_step(packed(x, y, weights)), "test_step")
        told.tell("on_test_end", running.logs)
        if progress is not None:
            progress.finish(running.steps, ordered(running.logs))
        for bring_back in set_aside:
            bring_back()
        return running.logs

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and the metrics on one batch, without a step.

        Parameters
        ----------
        x, y, sample_weight, return_dict
            As in `train_on_batch`.

        Returns
        -------
        float, list or dict
            As `train_on_batch` does.

        Raises
        ------
        RuntimeError, ValueError
            Where `train_on_batch` does.
        """
        self._check_compiled()
        self.reset_metrics()
        self._refuse_own("test_step")
        x, y, weights, self._steps.share = one_batch(x, y, sample_weight)
        return returned(measured(self.test_step(packed(x, y, weights)), "test_step"), return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """What the model makes of data; computed in batches, without recording.

        Behind the first batch of arrays several may be computed as one, as far as caches hold them, where none can
        tell: in a `Sequential` of layers of which none looks at two examples, without callbacks. Products of other
        sizes may differ in the last digit; one batch by itself is `predict_on_batch`.

        Parameters
        ----------
        x : array_like
            An array, a list of arrays for a model of several inputs, or anything that gives batches of these.
        batch_size : int, optional
            How many examples are taken at a time; None for 32.
        verbose : int or str
            0 for silence, 1 for a bar, 2 for a line, or "auto".
        steps : int, optional
            How many batches to take; None for all.
        callbacks : sequence of Callback, optional
            Instances of `Callback`, told of the batches.

        Returns
        -------
        numpy.ndarray
            The predictions of all examples along the first axis; of a model with several outputs a list or dict of
            arrays.

        Raises
        ------
        ValueError, TypeError
            For data whose shapes do not fit, and what gives no batches.
        """
        feed = batches(x, None, None, batch_size, steps)
        progress = Progress(verbose, feed.steps)
        told = CallbackList(callbacks or [], self)
        self._refuse_own("predict_step")
        self._steps.begin(lambda: f"a prediction for {feed}")
        self.stop_predicting = False
        told.tell("on_predict_begin", {})
        parts: list[Any] = []
        told_of = 0

        def outputs() -> Logs:
            nonlocal told_of
            begin, told_of = told_of, len(parts)
            return {"outputs": joined(parts[begin:])}

        size, stopped = self.steps_per_execution, lambda: self.stop_predicting
        running = Executions(told, "predict", size, progress, stopped, told_of=outputs)
        for part, _, _, self._steps.share in running.over(feed):
            parts.append(as_arrays(self.predict_step((part,))))
            if len(parts) == 1 and not told.callbacks and size == 1:
                feed.join(self._batches_at_once(part))
        if progress.live:  # a file is not told about predictions
            progress.finish(running.steps, {})
        told.tell("on_predict_end", {})
        return joined(parts)

    def _batches_at_once(self, x: Any) -> int:
        """How many batches like this first one are predicted as one: several only where all that computes is known."""
        own = type(self).predict_step is not TrainingStep.predict_step
        if own or not self._steps.unseen or distributed.size() > 1:
            return 1
        return batches_at_once(self, x, length_of(x, "x"))

    def predict_on_batch(self, x: Any) -> Any:
        """What the model makes of one batch, as a NumPy array."""
        self._refuse_own("predict_step")
        self._steps.share = distributed.WHOLE
        if distributed.size() > 1:
            x = arrays_of(x, "x")
            rows, self._steps.share = distributed.rows(0, length_of(x, "x"))
            x = cut(x, rows)
        return as_arrays(self.predict_step((x,)))

    def _refuse_own(self, name: str) -> None:
        """Raise where several processes meet a step of one's own, which knows nothing of the others' gradients."""
        if distributed.size() > 1 and getattr(type(self), name) is not getattr(TrainingStep, name):
            raise ValueError(
                f"{type(self).__name__} has a {name} of its own, and several processes share a step only if it is the "
                "model's; train in one process, or leave it out"
            )


# -- between a step and those who ask for one --------------------------------------------------------------


def packed(x: Any, y: Any, weights: Any) -> tuple[Any, ...]:
    """A batch as a step takes it."""
    if weights is not None:
        return x, y, weights
    return (x,) if y is None else (x, y)


def measured(logs: Any, step: str) -> Logs:
    """What a step returned, if that is what was measured, by name."""
    if not isinstance(logs, dict):
        raise TypeError(f"{step}: expected what was measured, a dict such as {{'loss': 0.5}}, got {logs!r}")
    return {name: as_number(value) for name, value in logs.items()}


def as_number(value: Any) -> Any:
    """What was measured as a plain number; of several numbers an array."""
    if isinstance(value, float):
        return float(value)
    array = to_numpy(plain(value))
    return array.item() if array.size == 1 else array


def returned(logs: Logs, return_dict: bool) -> Any:
    """What was measured, as the methods for one batch return it."""
    if return_dict:
        return ordered(logs)
    return next(iter(logs.values())) if len(logs) == 1 else list(logs.values())


def joined(parts: Sequence[Any]) -> Any:
    """The predictions for several batches as those for one."""
    return parts[0] if len(parts) == 1 else tree.map(lambda *column: np.concatenate(column), *parts)


def as_arrays(predictions: Any) -> Any:
    """Predictions as NumPy's arrays; a list of one is that one."""
    if isinstance(predictions, list | tuple) and len(predictions) == 1:
        predictions = predictions[0]
    return in_numpy(tree.map(plain, predictions))
