"""What all metrics share: variables, a running mean, and the mean of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.replay import freeze

from .. import checks, config, losses
from ..losses.pairs import align
from ..masks import MASKS, weights_of
from ..tensors import plain
from ..variables import Variable, aggregated

# Functions of which more is better; of losses less is.
RISING: set[Any] = set()


class Result(float):
    """What a metric has measured: a number, with the ``numpy`` that TensorFlow's have."""

    def numpy(self) -> Any:
        """The number in NumPy's float32."""
        return np.float32(self)


class Metric(config.Configurable):
    """A running value: `update_state` for each batch, `result` when asked, `reset_state` for each epoch.

    One of your own defines `update_state`; what it hands to `add` is averaged, or it keeps variables of its own and
    defines `result`, as in Keras. Its ``direction`` tells callbacks whether more of it is better ("up") or less
    ("down"). Targets and predictions are (batch, …), weights (batch,) or (batch, …). NotImplementedError where
    `update_state` or `result` is not defined, ValueError for weights that do not fit.

    >>> import nn
    >>> class Largest(nn.metrics.Metric):
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.add(np.max(np.abs(y_true - y_pred)))
    >>> worst = Largest()
    >>> worst.update_state(np.zeros(3), np.array([1.0, -4.0, 2.0]))
    >>> worst.result()
    4.0

    >>> class Examples(nn.metrics.Metric):
    ...     def __init__(self, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.seen = self.add_variable(shape=(), initializer="zeros", name="seen")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.seen.assign_add(len(y_true))
    ...     def result(self):
    ...         return self.seen
    >>> float(Examples()(np.zeros(3), np.zeros(3)))
    3.0
    """

    keras_module = "keras.metrics"

    # Whether more of it is better, "up", or less, "down"; None where a callback that watches it must be told.
    direction: str | None = None

    untracked = None  # a metric measures what was computed, and decides nothing

    _mean: tuple[Variable, Variable] | None = None

    def __init__(self, dtype: Any = None, name: str | None = None):
        self.name = name or config.snake_case(type(self).__name__)
        self.dtype = dtype
        self._variables: list[Variable] = []

    # -- its state -------------------------------------------------------------------------------------

    def add_variable(
        self, shape: Any = (), initializer: Any = "zeros", dtype: Any = None, aggregation: Any = None, name: Any = None
    ) -> Variable:
        """Make a variable that holds what was seen so far.

        Parameters
        ----------
        shape : tuple of int
            A tuple of lengths; () makes a number.
        initializer : str or Initializer
            What it begins with.
        dtype : dtype, optional
            None for float32.
        aggregation : str, optional
            "none", "mean", "sum" or "only_first_replica", which are the same here: a metric is given the whole batch,
            also where several processes share it.
        name : str, optional
            By default "variable".

        Returns
        -------
        Variable
            To be kept as an attribute, and to `Variable.assign` to.

        Raises
        ------
        ValueError
            For another ``aggregation``.
        """
        aggregated(aggregation)
        shape = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
        made = Variable(
            initializer or "zeros", shape, dtype or "float32", False, name=f"{self.name}/{name or 'variable'}"
        )
        made.held = "metric"
        self._variables = [*self._variables, made]
        return made

    def add_weight(self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: Any = None) -> Variable:
        """Another name of `add_variable`, where the initializer may be left out.

        Parameters
        ----------
        shape, initializer, dtype, name
            As in `add_variable`.

        Returns
        -------
        Variable
            As by `add_variable`.
        """
        return self.add_variable(shape, initializer, dtype, name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Variable | list | tuple | dict) and name != "_variables":
            for variable in tree.leaves(value):
                if isinstance(variable, Variable) and not variable.held:
                    variable.held = "metric"
                    self._variables = [*self._variables, variable]
        if isinstance(value, Metric | list | dict) and name != "_variables":
            self.__dict__["_searched"] = True
        super().__setattr__(name, value)

    _searched = False  # whether there may be metrics in its attributes

    @property
    def variables(self) -> list[Variable]:
        """Its state, and that of the metrics in its attributes."""
        if not self._searched:
            return self._variables
        inner = [m for value in vars(self).values() for m in tree.leaves(value) if isinstance(m, Metric)]
        return [*self._variables, *(v for m in dict.fromkeys(inner) for v in m.variables)]

    def reset_state(self) -> None:
        """Begin again: all variables become 0."""
        for v in self.variables:
            v.node.out[...] = 0

    # -- what it measures ------------------------------------------------------------------------------

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account: what a metric of your own defines.

        Parameters
        ----------
        y_true, y_pred : array_like
            Targets and predictions; their shapes are those of the metric.
        sample_weight : array_like, optional
            How much each example counts, numbers from 0 on; None: all the same.

        Raises
        ------
        NotImplementedError
            Where it is not defined.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update_state(y_true, y_pred, sample_weight)")

    def result(self) -> Any:
        """The value so far: the mean of what was handed to `add`."""
        if self._mean is None:
            if type(self).update_state is Metric.update_state or self._variables:
                raise NotImplementedError(f"{type(self).__name__} must define result()")
            return Result(0.0)
        total, count = self._mean
        count_ = float(count.node.out)
        return Result(float(total.node.out) / count_ if count_ else 0.0)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()

    def _sums(self) -> tuple[Variable, Variable]:
        """The variables of the running mean: what was added up, and how much of it there was."""
        if self._mean is None:
            self._mean = (
                self.add_variable((), dtype="float64", name="total"),
                self.add_variable((), dtype="float64", name="count"),
            )
        return self._mean

    def add(self, values: Any, sample_weight: Any = None) -> None:
        """Take numbers into the running mean, with their weights."""
        if freeze.PROMISED.get():
            freeze.refuse_assignment(self, "total")
        total, count = self._mean or self._sums()
        if type(values) is float and type(sample_weight) is int:  # the mean loss of a batch of so many examples
            sums, counts = total.node.out, count.node.out  # 64 bits each, as Python's numbers are
            sums[()], counts[()] = sums.item() + values * sample_weight, counts.item() + sample_weight
            return
        checks.real(plain(values), self.name)
        values = plain(values).astype(np.float64, copy=False)
        if sample_weight is None:
            total.node.out += float(values.sum())
            count.node.out += values.size
            return
        values, weights = align(values, plain(sample_weight).astype(np.float64, copy=False))
        weights = stretched(weights, values.shape, self.name)
        total.node.out += float((values * weights).sum())
        count.node.out += float(weights.sum())

    # -- set aside -------------------------------------------------------------------------------------

    def set_aside(self) -> Callable[[], None]:
        """Keep what was seen so far; what is returned brings it back."""
        attributes, kept = vars(self).copy(), [(v, np.copy(plain(v))) for v in self.variables]

        def bring_back() -> None:
            self.__dict__.clear()
            self.__dict__.update(attributes)
            for v, value in kept:
                v.assign(value)

        return bring_back


def stretched(weights: Any, shape: tuple[int, ...], owner: str) -> Any:
    """The weights of examples, one for each of the numbers that belong to them."""
    column = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
    if column.ndim != len(shape) or any(w not in (1, n) for w, n in zip(column.shape, shape, strict=True)):
        raise ValueError(
            f"sample_weight of {owner}: expected one for each of the values of shape {shape}, got shape {weights.shape}"
        )
    return np.broadcast_to(column, shape)


class Mean(Metric):
    """The mean of the numbers that it is given.

    Takes any shape, weights likewise; ValueError when they do not fit.

    >>> import nn
    >>> mean = nn.metrics.Mean()
    >>> mean.update_state([1.0, 2.0])
    >>> mean.update_state([6.0])
    >>> mean.result()
    3.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__(dtype, name)
        self.total, self.count = self._sums()

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        self.add(values, sample_weight)


class Sum(Metric):
    """The sum of the numbers that it is given.

    Takes any shape, weights likewise; ValueError when they do not fit.

    >>> import nn
    >>> total = nn.metrics.Sum()
    >>> total.update_state([1.0, 2.0])
    >>> total([6.0])
    9.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None):
        super().__init__(dtype, name)
        self.total = self.add_variable((), dtype="float64", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        checks.real(plain(values), self.name)
        values = plain(values).astype(np.float64, copy=False)
        if sample_weight is not None:
            values = values * stretched(plain(sample_weight).astype(np.float64), values.shape, self.name)
        self.total.assign_add(values.sum())

    def result(self) -> Any:
        """The value so far."""
        return Result(self.total.node.out)


class MeanMetricWrapper(Metric):
    """The mean of a function of targets and predictions, which gets the given options.

    Parameters
    ----------
    fn : callable
        From targets and predictions to one number for each example.
    name : str, optional
        By default that of the function.
    dtype : dtype, optional
        Kept for the configuration; a result is a Python float.
    **options
        Further arguments of ``fn``.

    Raises
    ------
    TypeError
        Unless ``fn`` is a function.
    ValueError
        For weights that do not fit what it gives.

    Examples
    --------
    >>> import nn
    >>> near = nn.metrics.MeanMetricWrapper(lambda y_true, y_pred: np.abs(y_true - y_pred) < 0.5, name="near")
    >>> near(np.array([0.0, 1.0]), np.array([0.2, 3.0]))
    0.5
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **options: Any):
        super().__init__(dtype, name)
        self.total, self.count = self._sums()
        if isinstance(fn, str | dict):  # what a configuration says
            fn = config.registry("metric").from_description(fn)
        self.fn, self.options = checks.function(fn, "what a metric computes"), tuple(options)
        if fn in losses.FUNCTIONS or isinstance(getattr(fn, "__self__", None), losses.Loss):
            self.direction = "down"
        elif fn in RISING:
            self.direction = "up"
        for option, value in options.items():
            setattr(self, option, value)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        options = {option: getattr(self, option) for option in self.options}
        if MASKS:
            y_pred, sample_weight = weights_of(y_pred, sample_weight)
        self.add(self.fn(y_true, y_pred, **options), sample_weight)
