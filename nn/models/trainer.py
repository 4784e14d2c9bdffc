"""Training, evaluation and prediction: what `Model` does with data."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.replay import freeze

from .. import checks, config, losses, optimizers
from ..callbacks import CallbackList, History
from ..layers.layer import Layer
from ..progress import Progress
from .arguments import (
    as_loss,
    as_loss_weight,
    check_class_weight,
    check_frequency,
    split,
    validation_feed,
)  # fmt: skip
from .batches import batches
from .measures import Measures
from .outputs import Outputs
from .plans import Schedule
from .runs import EvaluationRun, PredictionRun, returned
from .steps import Steps
from .training import Training
from .training_step import TrainingStep
from .yielding import Yielding


class Trainer(TrainingStep):
    """The part of a model that learns from data."""

    untracked = (Layer.untracked or frozenset()) | {
        "stop_training", "stop_evaluating", "stop_predicting", "steps_per_execution", "history", "compiled",
        "_steps", "loss", "_compiled_with",
        # judged by themselves, or no part of a step
        "optimizer", "_loss", "_measures",
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
        self._measures = Measures()
        self._steps = Steps(self)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in ("optimizer", "_loss"):  # no settings of the model, and what its steps are made of
            freeze.assigned(self, name)

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
        given = {name: value for name, value in locals().items() if name != "self"}
        if not (isinstance(jit_compile, bool) or jit_compile == "auto"):
            raise ValueError(f"jit_compile: expected 'auto', True or False, got {jit_compile!r}")
        every = checks.whole(steps_per_execution, "steps_per_execution", 1)
        if optimizer is None:
            raise ValueError('optimizer: expected one, such as "rmsprop", got None')
        names = self._names_of_outputs()
        found = as_loss(loss, loss_weights, names, self._structure_of_outputs())
        factor = None if isinstance(found, Outputs) else as_loss_weight(loss_weights)
        measures = Measures(found, metrics, weighted_metrics, names)
        self.optimizer, self._loss, self._measures = optimizers.get(optimizer), found, measures
        self.loss, self.loss_weights = loss, factor
        self._steps = Steps(self, run_eagerly or jit_compile is False, jit_compile is True)
        self.compiled = True
        self.steps_per_execution = every
        self._compiled_with = given | {"optimizer": self.optimizer, "steps_per_execution": every}

    def get_compile_config(self) -> dict[str, Any]:
        """What the model was compiled with, as plain data; functions by their names."""
        return {name: config.serialize(value) for name, value in self._compiled_with.items()}

    @property
    def metrics(self) -> list[Any]:
        """The metrics, the mean loss first and those in attributes of the model and its layers last."""
        return [*(self._measures.all if self.compiled else ()), *super().metrics]

    @property
    def metrics_names(self) -> list[str]:
        """What the values of `metrics` are called, each by a name of its own: ``accuracy``, ``accuracy_1``."""
        return self._measures.names_of(self.metrics)

    def _structure_of_outputs(self) -> Any:
        """What the model gives, where that is written down."""
        return None

    def _names_of_outputs(self) -> list[str] | None:
        """What the outputs are called, where that is known before the first call."""
        return None

    @Yielding
    def schedule(self) -> Schedule:
        """What a step of training was recorded as: `show()` prints it, `profile(x, y, …)` tells where the time goes.

        The arguments of `profile` are those of a step: inputs, targets, weights (or None), and
        ``*model.optimizer.rate_and_step()``.
        """
        return Schedule(self._steps.plans.plan)

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
            validation = validation_feed(validation_data, validation_batch_size or batch_size, validation_steps)
        training = Training(self, feed, validation, validation_freq, class_weight, epochs, initial_epoch, verbose)
        return training.run(callbacks)

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
        self._steps.together.begin("test_step", lambda: f"an evaluation of {feed}")
        run = EvaluationRun(self, told, progress)
        for data in run.over(feed):
            run.took(self.test_step(data))
        return returned(run.logs, return_dict)

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
            0 for silence, 1 for a bar, 2 for a line, or "auto": the bar in a terminal or a notebook.
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
        self._steps.together.begin("predict_step", lambda: f"a prediction for {feed}")
        shown = verbose != "auto" or progress.live  # nobody asked for it in a file
        run = PredictionRun(self, told, progress if shown else None)
        for data in run.over(feed):
            run.took(self.predict_step(data))
        return run.predictions
