"""What all losses share: the mean over examples, weights, masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.replay import freeze
from autograd_core.tensor import Tensor

from .. import checks, config, distributed
from ..masks import MASKS, mask_of, together
from ..tensors import constant, plain
from ..variables import readable
from .pairs import align


class Loss(config.Configurable):
    """Averages what ``call(y_true, y_pred)`` gives for each example, with weights when there are any.

    One of your own defines ``call``. Called with ``sample_weight``, a number for each example, it weighs them.
    Targets and predictions are (batch, …). Where predictions have a mask, the mean is over what counts.

    Parameters
    ----------
    name : str, optional
        What errors and `History` call it; by default that of the class.
    reduction : str or None
        "sum_over_batch_size" (the mean), "mean_with_sample_weight" (the sum divided by that of the weights), "sum",
        or None for one number per example.
    dtype : dtype, optional
        What floating predictions and targets are brought to; None: a result has the dtype of the predictions.

    Raises
    ------
    ValueError
        For another ``reduction``; in a call, for weights that do not fit.
    TypeError
        In a call, where ``call`` is not defined.

    Examples
    --------
    >>> import nn
    >>> class FourthPower(nn.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return np.mean((y_true - y_pred) ** 4, axis=-1)
    >>> FourthPower()(np.zeros((2, 1)), np.array([[1.0], [2.0]])).numpy()
    array(8.5)
    """

    keras_module = "keras.losses"

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None):
        self.name = name or config.snake_case(type(self).__name__)
        if reduction not in ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None):
            raise ValueError(
                "reduction: expected 'sum_over_batch_size', 'mean_with_sample_weight', 'sum' or None, got "
                f"{reduction!r}"
            )
        self.reduction = reduction
        self.dtype = dtype

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One number for each example."""
        raise TypeError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return readable(self._reduced(y_true, y_pred, sample_weight))

    def _reduced(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        ours = type(self) in freeze.OURS and freeze.is_ours(getattr(self, "fn", None))
        given, y_pred = y_pred, self._brought(y_pred)
        y_true = self._brought(y_true)
        losses = self.call(y_true, y_pred) if ours else distributed.checked_loss(lambda: self.call(y_true, y_pred))
        losses = constant(losses)
        weights = None if sample_weight is None else plain(sample_weight)
        mask = mask_of(given) if MASKS and not isinstance(given, tree.BRANCHES) else None
        if mask is not None:
            weights = self._with_mask(weights, plain(mask).astype(losses.dtype))
        if weights is not None:
            losses = weighted(losses, weights)
        if self.reduction in (None, "none"):
            return losses
        total: Any = np.sum(losses)
        # What is no mean over the examples is brought to what the step multiplies again by this share of them.
        share = distributed.fraction() or 1.0
        if self.reduction == "sum":
            return total if share == 1 else total / share
        if self.reduction == "mean_with_sample_weight" and weights is not None:
            weight = distributed.sum_of(np.sum(weights.astype(total.dtype)))
            return total / np.maximum(weight * share if share != 1 else weight, 1e-30)
        return total / max(losses.size, 1)

    def _brought(self, values: Any) -> Any:
        """Values in the dtype that was asked for, where one was, and they have another; numbers of classes stay."""
        dtype = getattr(values, "dtype", None)
        if self.dtype is None or dtype is None or np.dtype(dtype).kind != "f" or dtype == np.dtype(self.dtype):
            return values
        return values.astype(self.dtype)

    def _with_mask(self, weights: Any, mask: Any) -> Any:
        """Weights that leave out what does not count; a mean is over the rest."""
        if self.reduction in ("sum_over_batch_size", "mean"):
            share = distributed.fraction() or 1.0
            mask = mask * (mask.size / share) / np.maximum(distributed.sum_of(np.sum(mask)), 1e-30)
        return together(weights, mask)


def weighted(losses: Tensor, weights: Any) -> Tensor:
    """Losses times the weights of their examples."""
    weights = weights.astype(losses.dtype, copy=False)
    given = weights.shape
    losses, weights = align(losses, weights)
    while weights.ndim < losses.ndim:
        weights = weights[..., None]
    if weights.ndim > losses.ndim or any(w not in (1, n) for w, n in zip(weights.shape, losses.shape, strict=True)):
        raise ValueError(
            "sample_weight: expected one weight for each example, or one for each loss, for losses of shape "
            f"{losses.shape}, got shape {given}"
        )
    return losses * weights


class LossFunction(Loss):
    """A `Loss` made from a function, which gets the given options.

    Where targets are (batch,) and predictions (batch, 1), or the other way round, it gets both in one shape.

    Parameters
    ----------
    fn : callable
        From targets and predictions to one number for each example.
    reduction, name, dtype
        As in `Loss`; the name is by default that of the function.
    **options
        Further arguments of ``fn``.

    Raises
    ------
    TypeError
        Unless ``fn`` is a function.
    ValueError
        As in `Loss`.

    Examples
    --------
    >>> import nn
    >>> strict = nn.losses.LossFunction(nn.losses.huber, delta=0.5)
    >>> strict([[0.0]], [[2.0]]).numpy()
    array(0.875)
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ):
        if isinstance(fn, str | dict):  # what a configuration says
            fn = config.registry("loss").from_description(fn)
        super().__init__(name or config.function_name(fn), reduction, dtype)
        self.fn, self.options = checks.function(fn, "what a loss computes"), tuple(options)
        for option, value in options.items():
            setattr(self, option, value)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if not freeze.is_ours(self.fn):  # ours do it themselves, or have an error that says more
            arrays = (value if hasattr(value, "ndim") else plain(value) for value in (y_true, y_pred))
            y_true, y_pred = align(*arrays)
        return self.fn(y_true, y_pred, **{option: getattr(self, option) for option in self.options})


class LossOfPair(LossFunction):
    """The mean of ``function``, which takes a pair of targets and predictions and no settings."""

    function: Callable[..., Any]

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None):
        super().__init__(type(self).function, reduction, name, dtype)
