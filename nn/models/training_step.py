"""One step of training, evaluation and prediction: what `fit`, `evaluate` and `predict` repeat for each batch.

A model of one's own may have a `train_step` of its own. Nothing here is recorded but the two functions at the end,
which are pure: `differentiate` and `update`, the halves of a step.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.caller import level_of_caller
from autograd_core.tensor import Tensor

from .. import distributed, losses
from ..layers.calling import a_step
from ..layers.layer import Layer
from ..masks import MASKS, mask_of, set_mask
from ..tensors import constant, plain
from ..variables import readable
from .arguments import as_loss, check_class_weight, one_batch
from .batches import arrays_of, cut, length_of, unpack_x_y_sample_weight
from .measures import Measures
from .outputs import Outputs, only
from .runs import Logs, as_arrays, measured, packed, returned, to_train


class TrainingStep(Layer):
    """What a model does with one batch."""

    optimizer: Any
    compiled: bool
    loss_weights: float | None
    _loss: losses.Loss | Outputs | None
    _measures: Measures
    _steps: Any
    metrics: Any

    def train_step(self, data: Any) -> Logs:
        """One step of training: forward, loss, backward, update, metrics; returns what was measured, by name.

        ``data`` is a tuple ``(x, y)`` or ``(x, y, sample_weight)`` of arrays. One of your own has the form that Keras'
        has for PyTorch: it is plain Python, and runs as it is.

        >>> import nn
        >>> class Twice(nn.Sequential):
        ...     def train_step(self, data):
        ...         x, y = data
        ...         for _ in range(2):
        ...             self.zero_grad()
        ...             loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        ...             loss.backward()
        ...             variables = self.trainable_variables
        ...             self.optimizer.apply([v.grad for v in variables], variables)
        ...         return {"loss": loss.item()}
        >>> model = Twice([nn.Input(shape=(1,)), nn.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((4, 1)), np.ones(4), batch_size=4, verbose=0)
        >>> model.optimizer.iterations
        2
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        learn_outputs(self, y)
        # Forward, loss, backward and update: the two functions below, or the programs that they were recorded as.
        y_pred, loss = self._steps.train(x, y, sample_weight)
        # The mean loss over the examples so far, and the metrics, of predictions made before the update.
        self._measures.loss.update_state(float(loss.item()), self._steps.share.examples(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> Logs:
        """One step of evaluation: forward, loss, metrics; returns what was measured, by name."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        learn_outputs(self, y)
        y_pred, loss = self._steps.test(x, y, sample_weight)
        self._measures.loss.update_state(float(loss.item()), self._steps.share.examples(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The predictions for a batch; ``data`` is ``(x,)``."""
        return self._steps.predict(unpack_x_y_sample_weight(data)[0])

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The compiled loss plus the penalties of the regularizers: what a model of your own may override.

        Parameters
        ----------
        x : array_like, optional
            The inputs of the batch, which the compiled loss does not look at.
        y, y_pred : array_like, optional
            Targets and predictions of the batch.
        sample_weight : array_like, optional
            How much each example counts; None: all the same.
        training : bool
            Whether it is for a step of training; the compiled loss is the same otherwise.

        Returns
        -------
        Tensor
            A single number.

        Raises
        ------
        ValueError
            Without targets or a compiled loss, and for predictions of another number of examples than the targets.
        """
        total: Any = None
        learn_outputs(self, y)
        if self._loss is not None:
            total = self._loss(y, y_pred, sample_weight)
            if self.loss_weights is not None:
                total = total * self.loss_weights
        for penalty in self.losses:
            total = penalty if total is None else total + penalty
        if total is None:
            raise ValueError(
                f"{self.name!r} was compiled without a loss, and no layer adds one: pass loss= to compile()"
            )
        return readable(total)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Logs:
        """Take a batch into the metrics, and return all that was measured so far.

        Parameters
        ----------
        x : array_like
            The inputs of the batch, which the compiled metrics do not look at.
        y, y_pred : array_like
            Targets and predictions of the batch.
        sample_weight : array_like, optional
            How much each example counts, for ``weighted_metrics``; None: all the same.

        Returns
        -------
        dict
            From the name of each metric to its value.
        """
        if self._measures.all[1:]:
            self._measures.update_state(*self._gathered(y, y_pred, sample_weight))
        return self.get_metrics_result()

    def _gathered(self, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """A batch as arrays, of all processes; predictions that have a mask keep it."""
        if not MASKS:
            y_pred = plain(y_pred) if isinstance(y_pred, Tensor) else tree.map(plain, y_pred)
            return self._steps.share.gathered((y, y_pred, sample_weight))
        mask = mask_of(y_pred)
        y, y_pred, sample_weight, mask = self._steps.share.gathered((y, tree.map(plain, y_pred), sample_weight, mask))
        if tree.leaves(mask):
            y_pred = tree.map(constant, y_pred)
            set_mask(y_pred, mask)
        return y, y_pred, sample_weight

    def get_metrics_result(self) -> Logs:
        """What the metrics have measured so far, by name."""
        found: Logs = {}
        metrics = self.metrics
        for name, metric in zip(self._measures.names_of(metrics), metrics, strict=True):
            result = metric.result()
            found |= result if isinstance(result, dict) else {name: result}
        return found

    def reset_metrics(self) -> None:
        """Begin all averages again."""
        for m in self.metrics:
            m.reset_state()

    # -- asked for by itself ---------------------------------------------------------------------------

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
            self._steps.together.refuse_own("train_step")
        self._steps.share = share
        if class_weight is not None:
            check_class_weight(class_weight)
        self.reset_metrics()
        found = self.train_step(to_train(x, y, weights, class_weight))
        return returned(measured(found, "train_step"), return_dict)

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
        self._steps.together.refuse_own("test_step")
        x, y, weights, self._steps.share = one_batch(x, y, sample_weight)
        return returned(measured(self.test_step(packed(x, y, weights)), "test_step"), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """What the model makes of one batch, as a NumPy array."""
        self._steps.together.refuse_own("predict_step")
        self._steps.share = distributed.WHOLE
        if distributed.size() > 1:
            x = arrays_of(x, "x")
            rows, self._steps.share = distributed.rows(0, length_of(x, "x"))
            x = cut(x, rows)
        return as_arrays(self.predict_step((x,)))

    def _check_compiled(self) -> None:
        if not self.compiled:
            raise RuntimeError(
                f"{self.name!r} is not compiled, so it has no optimizer and no loss; call "
                "model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy']) first"
            )

    def zero_grad(self) -> None:
        """Forget the gradients, before the next ``loss.backward()`` adds to them."""
        for w in self.weights:
            w.grad = None


# -- the halves of a step, which are recorded and replayed -------------------------------------------------


def differentiate(model: TrainingStep, x: Any, y: Any, sample_weight: Any) -> tuple[Any, Tensor, list[Any]]:
    """The predictions, the loss, and its gradient with respect to each trainable variable."""
    # Forward: the model's layers, which record what they compute.
    with a_step(training=True):
        y_pred = model(x, training=True)
        # Loss: one number that says how wrong the predictions are.
        loss = loss_of(model, x, y, y_pred, sample_weight, training=True)
    # Backward: from the loss through all that was recorded, to the variables.
    variables = model.trainable_variables
    for v in variables:
        v.grad = None
    if variables:
        loss.backward(release=True)
    else:
        warnings.warn(
            f"{model.name!r} has no trainable weights, so training changes nothing", stacklevel=level_of_caller()
        )
    return y_pred, loss, [v.grad for v in variables]


def update(
    model: TrainingStep, variables: Sequence[Tensor], learning_rate: Any, step: Any, gradients: Sequence[Any]
) -> None:
    """Change the variables by their gradients, by the optimizer's rule."""
    model.optimizer.apply_at(learning_rate, step, gradients, variables)


def learn_outputs(model: Any, y: Any) -> None:
    """Give each output its loss, where only the first targets tell how many there are and what they are called.

    As in Keras, what was told in a list is for the outputs of a dict in the order of their names.
    """
    loss = model._loss
    if loss is None or not isinstance(y, list | tuple | dict) or has_own_loss(model) or model._names_of_outputs():
        return
    names, parts = (sorted(y), [*y.values()]) if isinstance(y, dict) else (None, y)
    known = isinstance(loss, Outputs) and (loss.named or names is None)
    if known or len(parts) < 2 or any(isinstance(part, tree.BRANCHES) for part in parts):
        return
    told = model._compiled_with
    model._loss = as_loss(told["loss"] if names else [told["loss"]] * len(parts), told["loss_weights"], names)
    model._measures = Measures(model._loss, told["metrics"], told["weighted_metrics"], names)
    model.loss_weights = None


def loss_of(model: TrainingStep, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Tensor:
    """The loss as one number, or an error that says why there is none."""
    own = has_own_loss(model)
    if y is None and model._loss is not None and not own:
        raise ValueError("there are no targets to compute the loss from; pass y, or batches of (x, y)")
    if not isinstance(model._loss, Outputs | None) and not own:
        y, y_pred = only(y), only(y_pred)
    compared = model._loss is not None or own
    single = compared and y is not None and not isinstance(y, tree.BRANCHES) and not isinstance(y_pred, tree.BRANCHES)
    if single and np.shape(plain(y_pred))[:1] != np.shape(y)[:1]:
        raise ValueError(
            f"the model: expected as many predictions as targets, whose shape is {np.shape(y)}, got predictions of "
            f"shape {y_pred.shape}; the number of examples must stay what it is"
        )
    told = {"training": training} if own and "training" in inspect.signature(model.compute_loss).parameters else {}
    loss = constant(model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **told))
    if loss.size != 1:
        raise ValueError(f"the loss: expected a single number to train on, got shape {loss.shape}")
    # The parts that processes have of the mean over a batch, penalties included, add up to it.
    share = distributed.fraction()
    return loss if share == 1 else loss * share


def has_own_loss(model: TrainingStep) -> bool:
    """Whether a class of one's own says itself what its loss is."""
    return type(model).compute_loss is not TrainingStep.compute_loss
