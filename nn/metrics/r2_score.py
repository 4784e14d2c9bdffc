"""The share of the variance that is explained."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd_core.arrays import to_numpy
from autograd_core.caller import level_of_caller

from ..checks import one_of, real, whole
from ..losses.pairs import align
from ..tensors import plain
from ..variables import Variable
from .metric import Metric, Result, stretched


class R2Score(Metric):
    """How much of the variance of the targets the predictions explain: 1 for all of it, 0 for none.

    Parameters
    ----------
    class_aggregation : {"uniform_average", "variance_weighted_average"} or None
        How the scores of several outputs become one: their mean, weighed by the variance of each; None keeps them.
    num_regressors : int
        How many inputs the predictions were made from, for the adjusted score; 0 does not adjust it.
    name, dtype
        As in `Metric`.

    Raises
    ------
    ValueError
        For another word, and a count below 0; later, when targets or predictions are not (batch, outputs), or weights
        do not fit.

    Examples
    --------
    >>> import nn
    >>> nn.metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
    0.5714285714285714
    """

    direction = "up"
    sum: Variable
    squared_sum: Variable
    total_mse: Variable
    count: Variable

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ):
        if class_aggregation is not None:
            class_aggregation = one_of(
                class_aggregation, "class_aggregation", ("uniform_average", "variance_weighted_average")
            )
        self.class_aggregation, self.num_regressors = class_aggregation, whole(num_regressors, "num_regressors")
        super().__init__(dtype, name)
        self.num_samples = self.add_variable((), dtype="float64", name="num_samples")
        self._origin: Any = None

    def reset_state(self) -> None:
        """Begin again."""
        super().reset_state()
        self._origin = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        for y in (y_true, y_pred):
            real(plain(y), self.name)
        y_true, y_pred = (to_numpy(plain(y)).astype(np.float64) for y in align(plain(y_true), plain(y_pred)))
        if y_true.ndim != 2 or y_true.shape != y_pred.shape:
            raise ValueError(
                f"{self.name}: expected targets and predictions of shape (batch, outputs), got {y_true.shape} and "
                f"{y_pred.shape}"
            )
        weights = np.ones(y_true.shape)
        if sample_weight is not None:
            weights = stretched(to_numpy(plain(sample_weight)).astype(np.float64), y_true.shape, self.name)
        if len(self.variables) == 1:
            for name in ("squared_sum", "sum", "total_mse", "count"):
                called = "residual" if name == "total_mse" else name
                setattr(self, name, self.add_variable(y_true.shape[1:], dtype="float64", name=called))
        if self._origin is None:  # sums of squares of what lies far from 0 would cancel
            self._origin = y_true[:1].sum(0)
        moved = y_true - self._origin
        self.sum.assign_add((weights * moved).sum(0))
        self.squared_sum.assign_add((weights * moved**2).sum(0))
        self.total_mse.assign_add((weights * (y_true - y_pred) ** 2).sum(0))
        self.count.assign_add(weights.sum(0))
        self.num_samples.assign_add(y_true.size)

    def result(self) -> Any:
        """The value so far."""
        if len(self.variables) == 1:
            return Result(0.0)
        total, squares, error, count = (v.node.out for v in (self.sum, self.squared_sum, self.total_mse, self.count))
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = squares - total * (total / count)
            scores = 1 - error / spread
            scores = np.where(np.isinf(scores), 0, scores)
            if self.class_aggregation == "uniform_average":
                scores = np.mean(scores)
            elif self.class_aggregation is not None:
                scores = np.sum(spread * scores) / np.sum(spread)
        free = float(self.num_samples.node.out) - self.num_regressors - 1
        if self.num_regressors and free > 0:
            scores = 1 - (1 - scores) * (free + self.num_regressors) / free
        elif self.num_regressors:
            warnings.warn(
                f"{self.name}: {self.num_regressors} regressors need more than {self.num_regressors + 1} targets to "
                "adjust the score, which is left as it is",
                stacklevel=level_of_caller(),
            )
        return Result(scores) if np.ndim(scores) == 0 else scores
