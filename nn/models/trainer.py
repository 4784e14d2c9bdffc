"""Training, evaluation and prediction: what `Model` does with data."""

from __future__ import annotations

import signal
import threading
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.arrays import in_numpy, to_numpy
from autograd_core.mode import no_grad
from autograd_core.tensor import Tensor

from .. import checks, config, distributed, losses, metrics, optimizers
from ..callbacks import CallbackList, History
from ..layers.layer import Layer
from ..progress import Progress
from ..tensors import constant, is_sparse, plain
from .batches import Feed, arrays_of, batches, convert, cut, is_arrays, length_of, refuse_nan
from .steps import Schedule, Steps

Logs = dict[str, float]


class Trainer(Layer):
    """The part of a model that learns from data."""

    untracked = (Layer.untracked or frozenset()) | {
        "stop_training", "history", "compiled", "_steps", "loss", "_compiled_with",
        # judged by themselves, or no part of a step
        "optimizer", "_loss", "_metrics", "_weighted_metrics", "_loss_mean",
    }  # fmt: skip

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.optimizer: Any = None
        self.loss: Any = None
        self.compiled = False
        self.stop_training = False
        self.history: Any = None
        self._loss: losses.Loss | None = None
        self._metrics: list[metrics.Metric] = []
        self._weighted_metrics: list[metrics.Metric] = []
        self._loss_mean = metrics.Mean("loss")
        self._steps = Steps(self)

    # -- how to train ----------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: float | None = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
    ) -> None:
        """Say how to train. Compiling again keeps the weights.

        Each step is recorded once for each shape of a batch and then replayed (see `autograd_core.replay`);
        ``run_eagerly=True`` runs the layers' own code every time, to print or to debug in it, and leaves the
        gradients in the weights' ``.grad``. ``jit_compile`` says when chains of arithmetic, such as the update of the
        weights, are compiled by numba (the extra ``fast``): after some seconds ("auto"), at once (True) or never.
        ``steps_per_execution`` is taken so that scripts run, and changes nothing.

        Raises ValueError or TypeError for what is no optimizer, loss, metric or ``jit_compile``.
        """
        if jit_compile not in (True, False, "auto"):
            raise ValueError(f"jit_compile must be 'auto', True or False, and got {jit_compile!r}")
        new = (
            optimizers.get(optimizer),
            as_loss(loss),
            as_metrics(metrics),
            as_metrics(weighted_metrics, "weighted_metrics"),
        )
        self.optimizer, self._loss, self._metrics, self._weighted_metrics = new
        self.loss, self.loss_weights = loss, as_loss_weight(loss_weights)
        self._steps = Steps(self, run_eagerly or jit_compile is False, jit_compile is True)
        self.compiled = True
        self._compiled_with = {
            "optimizer": self.optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }

    def get_compile_config(self) -> dict[str, Any]:
        """What the model was compiled with, as plain data; functions by their names."""
        return {name: config.serialize(value) for name, value in self._compiled_with.items()}

    def _check_compiled(self, loss: bool = True) -> None:
        if not self.compiled:
            raise RuntimeError(
                f"{self.name!r} is not compiled, so it has no optimizer and no loss; call "
                "model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy']) first"
            )
        if loss and self._loss is None:
            raise ValueError("the model was compiled without a loss; pass loss= to compile()")

    @property
    def metrics(self) -> list[Any]:
        """The metrics, the mean loss first."""
        return [self._loss_mean, *self._metrics, *self._weighted_metrics] if self.compiled else []

    @property
    def metrics_names(self) -> list[str]:
        """What the values of `metrics` are called, each by a name of its own: ``accuracy``, ``accuracy_1``."""
        names = [m.name for m in self.metrics]
        return names if len(set(names)) == len(names) else told_apart(names, len(self._weighted_metrics))

    def reset_metrics(self) -> None:
        """Begin all averages again."""
        for m in self.metrics:
            m.reset_state()

    def zero_grad(self) -> None:
        """Forget the gradients, before the next ``loss.backward()`` adds to them."""
        for w in self.weights:
            w.grad = None

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
        """The compiled loss plus the penalties of the regularizers."""
        assert self._loss is not None
        total = self._loss(y, y_pred, sample_weight)
        if self.loss_weights is not None:
            total = total * self.loss_weights
        for penalty in self.losses:
            total = total + penalty
        return total

    # -- one batch -------------------------------------------------------------------------------------

    def _train_batch(self, x: Any, y: Any, weights: Any, total: int | None) -> None:
        y_pred, loss = self._steps.train(x, y, weights, total)
        self._measure(x, y, y_pred, weights, loss, total)

    def _test_batch(self, x: Any, y: Any, weights: Any, total: int | None) -> None:
        y_pred, loss = self._steps.test(x, y, weights, total)
        self._measure(x, y, y_pred, weights, loss, total)

    # The three below are what is recorded: functions of arrays that change nothing but weights and state.

    @property
    def schedule(self) -> Schedule:
        """What a step of training was recorded as: `show()` prints it, `profile(x, y, …)` tells where the time goes.

        The arguments of `profile` are those of a step: inputs, targets, weights (or None), and
        ``*model.optimizer.moment()``.
        """
        return Schedule(self._steps.plan)

    def _differentiate(self, x: Any, y: Any, weights: Any) -> tuple[Any, Tensor, list[Any]]:
        """The predictions, the loss, and its gradient with respect to each variable."""
        y_pred = self(x, training=True)
        loss = self._checked_loss(x, y, y_pred, weights)
        variables = self.trainable_variables
        for v in variables:
            v.grad = None
        if variables:
            loss.backward(release=True)
        return y_pred, loss, [v.grad for v in variables]

    def _test_step(self, x: Any, y: Any, weights: Any) -> tuple[Any, Tensor]:
        with no_grad():
            y_pred = self(x, training=False)
            return y_pred, self._checked_loss(x, y, y_pred, weights)

    def _predict_step(self, x: Any) -> Any:
        with no_grad():
            y = self(x, training=False)
        return [plain(v) for v in y] if isinstance(y, list | tuple) else plain(y)

    def _checked_loss(self, x: Any, y: Any, y_pred: Any, weights: Any) -> Tensor:
        if y is None:
            raise ValueError("there are no targets to compute the loss from; pass y, or batches of (x, y)")
        if isinstance(y, list | tuple | dict) or isinstance(y_pred, list | tuple | dict):
            raise ValueError(
                "the loss compares one output with one array of targets; for a model with several outputs write the "
                "training loop by hand"
            )
        if np.shape(plain(y_pred))[:1] != np.shape(y)[:1]:
            raise ValueError(
                f"the model made predictions of shape {y_pred.shape} for targets of shape {np.shape(y)}; the number "
                "of examples must stay what it is"
            )
        loss = constant(self.compute_loss(x, y, y_pred, weights))
        if loss.size != 1:
            raise ValueError(f"the loss must be a single number to train on; it has shape {loss.shape}")
        # The parts that processes have of the mean over a batch, penalties included, add up to it.
        share = distributed.fraction()
        return loss if share == 1 else loss * share

    def _measure(self, x: Any, y: Any, y_pred: Any, weights: Any, loss: Tensor, total: int | None) -> None:
        size = (x if type(x) is np.ndarray else tree.leaves(x)[0]).shape[0] if total is None else total
        self._loss_mean.update_state(float(loss.item()), size)
        if not self._metrics and not self._weighted_metrics:
            return
        y_pred = plain(y_pred)
        if total is not None:  # metrics may be of any kind
            y, y_pred, weights = distributed.gathered((y, y_pred, weights), total)
        for m in self._metrics:
            m.update_state(y, y_pred)
        for m in self._weighted_metrics:
            m.update_state(y, y_pred, weights)

    def _results(self) -> Logs:
        return {name: m.result() for name, m in zip(self.metrics_names, self.metrics, strict=True)}

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
        """Train, and return the `History` of what was measured.

        ``x`` is an array, a list of arrays for a model of several inputs, or anything that gives batches of
        ``(x, y)`` or ``(x, y, weights)``. Batches become float32 one at a time. Ctrl-C ends the training after
        the batch at hand, with the model and the history of the complete epochs left in order.
        """
        self._check_compiled()
        if not isinstance(epochs, int | np.integer) or epochs < 0:
            raise ValueError(f"epochs is a whole number; {epochs!r} came")
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
                        steps = self._train_epoch(feed, class_weight, told, progress, interrupted)
                    except BaseException:
                        progress.stop()
                        raise
                    if interrupted:
                        progress.stop()
                        break
                    logs = ordered(self._results())
                    if validation is not None and validate_after(epoch, validation_freq):
                        validation.restart()
                        measured = self._evaluate(validation, told)
                        logs = ordered(logs | {f"val_{k}": v for k, v in measured.items()})
                    prefix = f"Epoch {epoch + 1}/{epochs} - " if progress.verbose == 2 else ""
                    progress.finish(steps, logs, prefix)
                    told.tell("on_epoch_end", epoch, logs)
                    if self.stop_training or interrupted:
                        break
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
    ) -> int:
        step = 0
        for step, (x, y, weights, total) in enumerate(feed.epoch(), 1):
            refuse_nan(x, "x")
            refuse_nan(y, "y")
            if class_weight is not None:
                weights = by_class(y, class_weight, weights)
            told.tell("on_train_batch_begin", step - 1, {})
            told.tell("on_batch_begin", step - 1, {})
            self._train_batch(x, y, weights, total)
            logs = self._results()
            told.tell("on_train_batch_end", step - 1, logs)
            told.tell("on_batch_end", step - 1, logs)
            progress.update(step, logs)
            if interrupted or self.stop_training:
                break
        return step

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step on one batch; returns its loss and metrics, measured before the step."""
        self._check_compiled()
        x, y, weights, total = one_batch(x, y, sample_weight)
        refuse_nan(x, "x")
        refuse_nan(y, "y")
        if class_weight is not None:
            check_class_weight(class_weight)
            weights = by_class(y, class_weight, weights)
        self.reset_metrics()
        self._train_batch(x, y, weights, total)
        return self._returned(return_dict)

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
        """The loss and the metrics on data: a number, a list, or a dict when ``return_dict`` is set."""
        self._check_compiled()
        feed = batches(x, y, sample_weight, batch_size, steps)
        progress = Progress(verbose, feed.steps)
        told = CallbackList(callbacks or [], self)
        self._steps.begin(lambda: f"an evaluation of {feed}")
        self._evaluate(feed, told, progress)
        return self._returned(return_dict)

    def _evaluate(self, feed: Feed, told: CallbackList, progress: Progress | None = None) -> Logs:
        training = [(m, m.__dict__.copy()) for m in self.metrics] if progress is None else []
        self.reset_metrics()
        told.tell("on_test_begin", {})
        step = 0
        for step, (x, y, weights, total) in enumerate(feed.epoch(), 1):
            told.tell("on_test_batch_begin", step - 1, {})
            self._test_batch(x, y, weights, total)
            told.tell("on_test_batch_end", step - 1, self._results())
            if progress is not None:
                progress.update(step, self._results())
        results = self._results()
        told.tell("on_test_end", results)
        if progress is not None:
            progress.finish(step, ordered(results))
        for m, state in training:
            m.__dict__.update(state)
        return results

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and the metrics on one batch."""
        self._check_compiled()
        self.reset_metrics()
        self._test_batch(*one_batch(x, y, sample_weight))
        return self._returned(return_dict)

    def _returned(self, return_dict: bool) -> Any:
        results = self._results()
        if return_dict:
            return ordered(results)
        return next(iter(results.values())) if len(results) == 1 else list(results.values())

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """What the model makes of data, as a NumPy array; computed in batches, without recording."""
        feed = batches(x, None, None, batch_size, steps)
        progress = Progress(verbose, feed.steps)
        told = CallbackList(callbacks or [], self)
        self._steps.begin(lambda: f"a prediction for {feed}")
        told.tell("on_predict_begin", {})
        parts: list[Any] = []
        for step, (part, _, _, total) in enumerate(feed.epoch(), 1):
            told.tell("on_predict_batch_begin", step - 1, {})
            parts.append(in_numpy(self._steps.predict(part, total)))
            told.tell("on_predict_batch_end", step - 1, {})
            progress.update(step, {})
        if progress.live:  # a file is not told about predictions
            progress.finish(len(parts), {})
        told.tell("on_predict_end", {})
        if parts and isinstance(parts[0], list):
            return [np.concatenate(column) for column in zip(*parts, strict=True)]
        return np.concatenate(parts)

    def predict_on_batch(self, x: Any) -> Any:
        """What the model makes of one batch, as a NumPy array."""
        if distributed.size() == 1:
            return in_numpy(self._steps.predict(x))
        x = arrays_of(x, "x")
        rows, total = distributed.rows(0, length_of(x, "x"))
        return in_numpy(self._steps.predict(cut(x, rows), total))


# -- what fit is given -------------------------------------------------------------------------------------


def as_loss(loss: Any) -> losses.Loss | None:
    """A `Loss` for whatever `compile` was given; a list of one, as for a model of one output, is that one."""
    given = flat(loss, "loss")
    if len(given) != 1:
        raise ValueError(f"loss is one loss, such as loss='mse', because a model has one output; {loss!r} came")
    found = losses.get(given[0])
    if found is None or isinstance(found, losses.Loss):
        return found
    return losses.LossFunction(found)


def as_loss_weight(given: Any) -> float | None:
    """The factor of the loss; a list of one, as for a model of one output, is that one."""
    one = given[0] if isinstance(given, list | tuple) and len(given) == 1 else given
    return None if one is None else checks.number(one, "loss_weights, of a model that has one output,")


def as_metrics(given: Any, what: str = "metrics") -> list[metrics.Metric]:
    """Metrics for whatever `compile` was given, in a list or in lists of lists."""
    return [] if given is None else [metrics.as_metric(m) for m in flat(given, what)]


def flat(given: Any, what: str) -> list[Any]:
    """All that is in lists of lists, or the one thing that is in none."""
    if isinstance(given, list | tuple):
        return [one for part in given for one in flat(part, what)]
    if isinstance(given, dict) and "class_name" not in given:  # with it, a configuration
        example = "'mse'" if what == "loss" else "['accuracy']"
        raise ValueError(
            f"{what} names no outputs, because a model has one output: {what}={example}; the dict {given!r} came"
        )
    return [given]


def told_apart(names: list[str], weighted: int) -> list[str]:
    """Names as Keras tells them apart, where the last ``weighted`` are those of weighted metrics.

    >>> told_apart(["loss", "acc", "acc", "acc", "acc"], weighted=2)
    ['loss', 'acc', 'acc_1', 'weighted_acc', 'weighted_acc_1']
    """
    found: list[str] = []
    for position, name in enumerate(names):
        if name in found and position >= len(names) - weighted:
            name = f"weighted_{name}"
        own, number = name, 0
        while own in found:
            number += 1
            own = f"{name}_{number}"
        found.append(own)
    return found


def ordered(results: Logs) -> Logs:
    """Results by name, as Keras prints and keeps them."""
    return dict(sorted(results.items()))


def one_batch(x: Any, y: Any, weights: Any) -> Any:
    """All the data as a single batch."""
    plain_arrays = type(x) is type(y) is np.ndarray and weights is None and distributed.size() == 1
    if plain_arrays and x.ndim and y.ndim and 0 < len(x) == len(y) and {x.dtype.kind, y.dtype.kind} <= {*"biuf"}:
        return convert(x), convert(y), None, None  # there is nothing to check
    return next(batches(x, y, weights, max(len_of(tree.leaves(x)[0]), 1)).epoch())


def len_of(data: Any) -> int:
    """How many examples there are; a sparse array has no ``len``."""
    return int(data.shape[0]) if is_sparse(data) else len(data)


def validation_feed(data: Any, batch_size: int | None, steps: int | None) -> Feed:
    """The batches of ``validation_data``: ``(x, y)``, ``(x, y, weights)``, or something that gives batches."""
    if isinstance(data, tuple):
        if len(data) not in (2, 3):
            raise ValueError(f"validation_data is (x, y) or (x, y, sample_weight); {len(data)} parts came")
        x, y, weights = (*data, None)[:3]
        return batches(x, y, weights, batch_size, steps)
    return batches(data, None, None, batch_size, steps)


def split(x: Any, y: Any, weights: Any, fraction: float) -> tuple[Any, Any, Any, Any]:
    """The last part of arrays, before any shuffling, taken off for validation."""
    if not 0 < fraction < 1:
        raise ValueError(f"validation_split lies between 0 and 1; {fraction!r} came")
    if not is_arrays(x):
        raise ValueError("validation_split needs arrays; for batches pass validation_data")
    data = [None if a is None else arrays_of(a, w) for a, w in ((x, "x"), (y, "y"), (weights, "sample_weight"))]
    n = length_of(data[0], "x")
    first = int(np.floor(n * (1 - fraction)))
    if first in (0, n):
        raise ValueError(
            f"validation_split={fraction} of {n} examples leaves none to {'train' if first == 0 else 'validate'} on"
        )

    def part(which: slice) -> tuple[Any, ...]:
        return tuple(tree.map(lambda a: a[which], d) for d in data)

    return (*part(slice(0, first)), part(slice(first, None)))


def check_class_weight(class_weight: Any) -> None:
    """Raise unless it is None or a dict."""
    if not isinstance(class_weight, Mapping | None):
        example = "{0: 1.0, 1: 5.0}"
        if isinstance(class_weight, list | tuple | np.ndarray) and np.ndim(class_weight) == 1:
            example = str(dict(enumerate(np.asarray(class_weight).tolist())))
        raise TypeError(
            f"class_weight is a dict from class numbers to weights, such as {example}; {class_weight!r} came"
        )


def by_class(y: Any, class_weight: dict[int, float], weights: Any) -> Any:
    """The weight of each example by its class, times its own weight if it has one."""
    labels = np.asarray(to_numpy(y))
    if labels.ndim > 1:
        labels = np.argmax(labels, -1) if labels.shape[-1] > 1 else labels[..., 0]
    labels = labels.astype(np.int64)
    weight = np.ones(labels.shape, np.float32)
    for c, w in class_weight.items():
        weight[labels == int(c)] = w
    return plain(weight) if weights is None else plain(weight) * weights


def check_frequency(frequency: Any) -> None:
    """Raise unless it is a whole number from 1 on, or holds some."""
    number = isinstance(frequency, int | np.integer) and not isinstance(frequency, bool)
    if not (frequency > 0 if number else isinstance(frequency, Container) and not isinstance(frequency, str)):
        raise ValueError(
            "validation_freq is a whole number from 1 on, to validate after every so many epochs, or a list of the "
            f"epochs to validate after, such as [1, 5]; {frequency!r} came"
        )


def validate_after(epoch: int, frequency: Any) -> bool:
    """Whether to validate after this epoch: every so many, or after those in a list."""
    if isinstance(frequency, int | np.integer):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """Turn Ctrl-C into an entry in a list, so that no step is torn apart; a second one interrupts at once."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread() or distributed.size() > 1:
        yield caught
        return
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # somebody else's, who may have reasons
        yield caught
        return

    def note(number: int, frame: Any) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    signal.signal(signal.SIGINT, note)
    try:
        yield caught
    finally:
        signal.signal(signal.SIGINT, before)
